"""What associations write: programmes, templates and calendars, read and checked before they run."""
