"""What the fake gateway holds: a SQLite file that outlives it, written before anything is answered."""

import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final


class Way(StrEnum):
    """How the fake gateway treats a message; chosen by a mark in its text (`GW-SLOW`), else the next."""

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
    id INTEGER PRIMARY KEY, key TEXT UNIQUE, number TEXT NOT NULL, text TEXT NOT NULL, content TEXT NOT NULL,
    at REAL NOT NULL);
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


@dataclass(frozen=True, slots=True)
class Reached:
    """A message that reached the networks."""

    key: str
    at: datetime


def reached(path: Path) -> list[Reached]:
    """Each message that reached the networks, by its key, in order."""
    rows = open_ledger(path).execute("SELECT key, at FROM messages ORDER BY id")
    return [Reached(row["key"], datetime.fromtimestamp(row["at"], UTC)) for row in rows]


def questions(path: Path) -> dict[str, list[Way]]:
    """Each time that a message was asked for, by its key: how it was treated."""
    found: dict[str, list[Way]] = {}
    for row in open_ledger(path).execute("SELECT key, way FROM asked ORDER BY rowid"):
        found.setdefault(row["key"], []).append(Way(row["way"]))
    return found


def untold(path: Path) -> int:
    """Notices that nobody has taken yet, nor refused for good."""
    return int(open_ledger(path).execute("SELECT count(*) FROM notices WHERE told = 0").fetchone()[0])


def asked(path: Path) -> Counter[str]:
    """How often each way was taken: what a campaign counts as landed."""
    return Counter(row["way"] for row in open_ledger(path).execute("SELECT way FROM asked"))


def forged(path: Path) -> list[tuple[str, int]]:
    """What each forged notice said that was taken, or refused for good, and the status that it was answered with."""
    rows = open_ledger(path).execute("SELECT * FROM notices WHERE forged AND told ORDER BY id")
    return [(row["body"], row["status"]) for row in rows]


def answers(path: Path) -> list[tuple[str, int | None]]:
    """What each notice said, and the status that it was answered with last."""
    return [(row["body"], row["status"]) for row in open_ledger(path).execute("SELECT * FROM notices ORDER BY id")]
