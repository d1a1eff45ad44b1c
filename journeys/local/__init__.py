"""The embedded stack: PostgreSQL, Temporal and a worker on one machine, supervised, under one directory."""
