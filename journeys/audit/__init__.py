"""What an auditor asks of a record: show, narrate, replay, verify."""
