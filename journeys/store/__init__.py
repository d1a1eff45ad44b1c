"""The journal and what is read from it, in PostgreSQL: one function a question, SQL written in full."""
