"""What the fake gateway holds: a SQLite file that outlives it, written before anything is answered."""

import sqlite3
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Final


class Way(StrEnum):
    """How the fake gateway treats a message; chosen by a mark in its text (`GW-SLOW`), else drawn."""

    ACCEPTS = "accepts"
    REFUSES = "refuses"
    TIMES_OUT = "times-out"
    """Sent on, and no answer."""
    SILENCE = "silence"
    """Not taken, and no answer."""
    ERROR = "error"
    """Not taken and answered 500; taken when asked again."""
    ERROR_AFTER = "late-error"
    """Sent on, and answered 500; known again when asked again."""
    BUSY = "busy"
    """Not taken and answered 429 with Retry-After; taken when asked again."""
    SLOW = "slow"
    """Sent on, and answered after a while."""
    BOUNCES = "bounces"
    """Sent on; it does not arrive, and that is told."""
    TWICE = "twice"
    """Sent on; that it arrived is told twice, under one event and under another."""
    BACKWARDS = "backwards"
    """Sent on; first that it failed is told, then that it arrived."""
    WRONG = "wrong"
    """Sent on; what is told is of another message, forged, and unreadable; then the truth."""
    MUTE = "mute"
    """Sent on; nothing is ever told."""
    STOPS = "stops"
    """Sent on; the phone answers STOP."""


NOT_AT_FIRST: Final = frozenset({Way.ERROR, Way.BUSY})
NEVER: Final = frozenset({Way.REFUSES, Way.SILENCE})
MARK: Final = "GW-"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS asked (key TEXT NOT NULL, way TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, key TEXT UNIQUE, number TEXT NOT NULL, text TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, body TEXT NOT NULL, forged INTEGER NOT NULL, due REAL NOT NULL,
    told INTEGER NOT NULL DEFAULT 0, status INTEGER);
"""


def open_ledger(path: Path) -> sqlite3.Connection:
    """The ledger, made at the first use. Each statement stays when the process is killed right after."""
    ledger = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    ledger.execute("PRAGMA journal_mode = WAL")
    ledger.execute("PRAGMA synchronous = FULL")
    ledger.executescript(_TABLES)
    ledger.row_factory = sqlite3.Row
    return ledger


def phones(path: Path) -> list[tuple[str, str]]:
    """Number and text of each message that reached the networks, in order."""
    return [(row["number"], row["text"]) for row in open_ledger(path).execute("SELECT * FROM messages ORDER BY id")]


def asked(path: Path) -> Counter[str]:
    """How often each way was taken: what a campaign counts as landed."""
    return Counter(row["way"] for row in open_ledger(path).execute("SELECT way FROM asked"))


def answers(path: Path) -> list[tuple[str, int | None]]:
    """What each notice said, and the status that it was answered with last."""
    return [(row["body"], row["status"]) for row in open_ledger(path).execute("SELECT * FROM notices ORDER BY id")]
