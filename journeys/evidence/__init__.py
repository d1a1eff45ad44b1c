"""What proves a record to people who do not trust its keepers: a Merkle tree, signed checkpoints, tiles, heads; pure.

Formats are those of others, so that others can check them: RFC 6962 (the tree), C2SP signed-note, tlog-checkpoint
and tlog-tiles.
"""
