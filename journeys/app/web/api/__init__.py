"""`/api/v1`: the same reads and commands as the pages, for programs that bring a token of a member of staff."""
