"""The rules of a release journey: pure, no clock, no I/O."""
