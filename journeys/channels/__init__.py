"""Ports to the outside and their adapters: mail, files, the bank, HTTP checks."""
