"""What the fake bank holds: a SQLite file that outlives it, written before anything is answered."""

import sqlite3
from collections import defaultdict
from enum import StrEnum
from pathlib import Path
from typing import Final


class Way(StrEnum):
    """How the fake bank treats a payment; chosen by a mark in the payee's name (`BANK-REFUSES`), else drawn."""

    ACCEPTS = "accepts"
    REFUSES = "refuses"
    TIMES_OUT = "times-out"
    """Taken, and no answer."""
    ERROR = "error"
    """Taken, and the answer is an error."""
    SILENCE = "silence"
    """Not taken, and no answer."""
    LATE = "late"
    """Taken, and answered after a while."""
    TWICE = "twice"
    """Taken; what became of it is told twice, under one event and under another."""
    RETURNS = "returns"
    """Taken and paid; then the money comes back, and that is told first."""


TAKES: Final = frozenset(Way) - {Way.REFUSES, Way.SILENCE}
MARK: Final = "BANK-"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, key TEXT UNIQUE, payment TEXT NOT NULL, reference TEXT NOT NULL, amount INTEGER NOT NULL,
    content TEXT NOT NULL, way TEXT NOT NULL, status TEXT NOT NULL, reason TEXT, taken_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS orders_by_reference ON orders (reference);
CREATE TABLE IF NOT EXISTS movements (
    id INTEGER PRIMARY KEY, reference TEXT NOT NULL, kind TEXT NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS knocks (way TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, body TEXT NOT NULL, due REAL NOT NULL,
    told INTEGER NOT NULL DEFAULT 0);
"""


def open_ledger(path: Path) -> sqlite3.Connection:
    """The ledger, made at the first use. Each statement stays when the process is killed right after."""
    ledger = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    ledger.execute("PRAGMA journal_mode = WAL")
    ledger.execute("PRAGMA synchronous = FULL")
    ledger.executescript(_TABLES)
    ledger.row_factory = sqlite3.Row
    return ledger


def paid(path: Path) -> dict[str, list[int]]:
    """Cents of each transfer that was made, by reference; more than one of a reference is what must never be."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in open_ledger(path).execute("SELECT reference, cents FROM movements WHERE kind = 'paid' ORDER BY id"):
        found[row["reference"]].append(row["cents"])
    return dict(found)


def knocks(path: Path) -> dict[str, int]:
    """How often each way was taken: what a campaign counts as landed."""
    return {row["way"]: row["count"] for row in open_ledger(path).execute("SELECT way, count FROM knocks")}
