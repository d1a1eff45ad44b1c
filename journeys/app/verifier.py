"""The verifier of exports, as this installation has it: one file that an auditor takes away and runs without us."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).resolve().parents[2] / "verifier" / "verify_export.py"
"""Beside the package, in a checkout as in an installation."""


@cache
def verifier() -> bytes:
    """The file."""
    return FILE.read_bytes()


def digest() -> str:
    """Its SHA-256, to be compared with that of the file that is published."""
    return hashlib.sha256(verifier()).hexdigest()
