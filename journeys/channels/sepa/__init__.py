"""The files between the association and its bank, ISO 20022 as SEPA uses it: transfers out, statements and answers in.

Nothing here is stored and nothing is sent: bytes to values and back.
"""
