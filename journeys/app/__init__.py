"""What every entry point shares: signing and sending commands, starting journeys, finding them, lists of what waits."""
