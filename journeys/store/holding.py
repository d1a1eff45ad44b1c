"""What the tables hold about one person beside the journal's own words: each row as it stands, but for its secrets."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from journeys.store import bank_years, contacts, vault
from journeys.store.bank_files import WORDS, lines_about, place_of_line, words_of
from journeys.store.bank_years import YearGone
from journeys.store.batches import payees_of
from journeys.store.database import Pool
from journeys.store.journal import open_parts
from journeys.store.letters import open_letter
from journeys.store.rota import place_of as place_of_shift
from journeys.store.sealing import CannotUnseal
from journeys.store.signing import KeyRing
from journeys.store.treasury import STREAM

ROWS: Final[Mapping[str, str]] = {
    "bank_lines": "(t.file, t.position) IN (SELECT file, position FROM lines_own)",
    "bank_resolutions": "(t.file, t.position) IN (SELECT file, position FROM lines_own)"
                        " AND (t.payment IS NULL OR t.payment = ANY (own.payments))",
    "bank_tellings": "t.payment = ANY (own.payments)",
    "bank_texts": "(t.file, t.position) IN (SELECT file, position FROM lines_own)",
    "batch_transfers": "t.payment = ANY (own.payments)",
    "batch_transfers_withdrawn": "t.payment = ANY (own.payments)",
    "claims": "t.journey = ANY (own.streams)",
    "cohort_places": "t.journey = ANY (own.journeys)",
    "commands": "t.stream = ANY (own.streams)",
    "counted": "t.journey = ANY (own.journeys)",
    "digest_lines": "t.stream = ANY (own.streams)",
    "document_holds": "t.stream = ANY (own.streams)",
    "erasures": "t.person = own.person",
    "found_duties": "t.journey = ANY (own.journeys)",
    "found_owed": "t.journey = ANY (own.journeys)",
    "found_sums": "t.journey = ANY (own.journeys)",
    "feed_ends": "EXISTS (SELECT FROM feeds f WHERE f.id = t.id AND f.journey = ANY (own.journeys))",
    "feeds": "t.journey = ANY (own.journeys)",
    "histories": "t.stream = ANY (own.streams)",
    "journeys": "t.id = ANY (own.journeys)",
    "ledger_entries": "t.person = own.person",
    "ledger_transactions": "t.person = own.person",
    "link_uses": "EXISTS (SELECT FROM links l WHERE l.id = t.link"
                 " AND (l.journey = ANY (own.journeys) OR l.recipient = own.person))",
    "links": "t.journey = ANY (own.journeys) OR t.recipient = own.person",
    "mentors": "t.id = own.person",
    "message_attempts": "t.stream = ANY (own.streams)",
    "message_ends": "EXISTS (SELECT FROM message_attempts a WHERE (a.message, a.number) = (t.message, t.number)"
                    " AND a.stream = ANY (own.streams))",
    "message_receipt_outcomes": "t.event IN (SELECT event FROM receipts_own)",
    "message_receipts": "t.event IN (SELECT event FROM receipts_own)",
    "message_replies": "t.people @> ARRAY[own.person]",
    "message_reply_outcomes": "EXISTS (SELECT FROM message_replies r WHERE r.event = t.event"
                              " AND r.people @> ARRAY[own.person])",
    "message_silences": "EXISTS (SELECT FROM message_attempts a WHERE a.message = t.message"
                        " AND a.stream = ANY (own.streams))",
    "paper_letters": "t.journey = ANY (own.journeys)",
    "payments": "t.person = own.person",
    "people": "t.id = own.person",
    "provider_keys": "t.payment = ANY (own.payments)",
    "provider_notices": "t.event IN (SELECT event FROM notices_own)",
    "provider_outcomes": "t.event IN (SELECT event FROM notices_own)",
    "provider_resolutions": "t.event IN (SELECT event FROM notices_own)",
    "receipts": "t.person = own.person",
    "shifts": "t.mentor = own.person",
    "transfers": "t.payment = ANY (own.payments)",
}  # fmt: skip
"""Which rows of each table are about a person; what is sealed in them is opened."""

OTHERWISE: Final = frozenset({"documents", "events", "parts", "reads"})
"""Tables whose rows are read otherwise: the facts, what was written with them, the files brought; and the looks."""

_OWN: Final = f"""
    WITH own AS (
        SELECT $1::uuid AS person, $2::text[] AS streams, $3::uuid[] AS journeys,
               ARRAY(SELECT id FROM payments WHERE person = $1) AS payments
    ), receipts_own AS (
        SELECT r.event FROM message_receipts r JOIN message_attempts a ON a.message = r.message
        WHERE a.stream = ANY ($2)
        UNION SELECT r.event FROM message_receipts r JOIN message_ends e ON e.reference = r.reference
        JOIN message_attempts a ON (a.message, a.number) = (e.message, e.number) WHERE a.stream = ANY ($2)
    ), notices_own AS (
        SELECT n.event FROM provider_notices n JOIN payments p ON p.reference = n.reference WHERE p.person = $1
    ), lines_own AS ({lines_about("IN (SELECT id FROM payments WHERE person = $1)")})
"""
_SECRET: Final = ("alike", "hash", "identity", "key", "reference_token", "sealed", "signature", "signed")
"""Columns that open or prove something, or only stand for other words: they tell nobody anything about a person."""
_OTHERS: Final = ("people",)
"""Columns that tell of other people."""
_BESIDE: Final[Mapping[str, str]] = {
    "bank_lines": "jsonb_build_object('imported_at', (SELECT f.imported_at FROM bank_files f WHERE f.digest = t.file))",
    "links": "CASE WHEN t.journey = ANY (own.journeys) THEN '{}'"
             " ELSE '{\"journey\": null, \"subject\": null}' END::jsonb",
}  # fmt: skip
"""What is put beside the columns of a row, or in the place of one: a link to a mentor names the journey of another."""
_WHY: Final = "(SELECT p.sealed FROM parts p WHERE p.stream = 'system' AND p.seq = t.seq AND p.name = 'why'{})"
_CLOSED: Final[Mapping[str, str]] = {
    "commands": "t.signed", "provider_resolutions": _WHY.format(""),
    # What was written of a whole batch may name others in it.
    "bank_resolutions": _WHY.format(
        " AND (t.payment IS NOT NULL OR t.batch IS NULL AND EXISTS (SELECT FROM bank_lines l"
        " WHERE (l.file, l.position) = (t.file, t.position) AND l.payment = ANY (own.payments)))"
    ),
}  # fmt: skip
"""Where what is sealed of a row stands, if not in its own column `sealed`."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose rows are asked for."""

    person: str
    journeys: Sequence[str]
    """Their ids."""

    @property
    def streams(self) -> list[str]:
        return [f"person-{self.person}", f"mentor-{self.person}", *(f"journey-{id}" for id in self.journeys)]


Row = dict[str, Any]


async def rows_of(pool: Pool, ring: KeyRing, whose: Whose) -> dict[str, list[Row]]:
    """The rows of every table of ROWS that are about a person, opened, without secrets.

    Args:
        ring: the signing keys, under which stands what went to a bank before it had keys of its own.
    """
    return {table: await _read(pool, ring, whose, table) for table in ROWS}


async def _read(pool: Pool, ring: KeyRing, whose: Whose, table: str) -> list[Row]:
    closed = _CLOSED.get(table, "t.sealed" if table in _OPENERS else "NULL::bytea")
    found = f"to_jsonb(t) || {_BESIDE[table]}" if table in _BESIDE else "to_jsonb(t)"
    rows = await pool.fetch(
        f"{_OWN} SELECT ({found})::text AS found, {closed} AS closed FROM {table} t CROSS JOIN own"
        f" WHERE {ROWS[table]} ORDER BY t::text",
        whose.person, whose.streams, list(whose.journeys),
    )  # fmt: skip
    read = []
    for row in rows:
        plain = {name: value for name, value in json.loads(row["found"]).items() if name not in (*_SECRET, *_OTHERS)}
        opener = _OPENERS.get(table)
        inside = await opener(pool, ring, plain, row["closed"]) if opener is not None and row["closed"] else {}
        read.append(plain | inside)
    return read


# --- what is sealed in a row; nothing where it cannot be opened any more


async def _command(pool: Pool, ring: KeyRing, row: Row, signed: bytes) -> Row:
    return {"command": json.loads(signed)}


async def _letter(pool: Pool, ring: KeyRing, row: Row, sealed: bytes) -> Row:
    text = await open_letter(pool.keys, row["message"], sealed)
    return {"words": json.loads(text) if isinstance(text, bytes) else None}


async def _line(pool: Pool, ring: KeyRing, row: Row, sealed: bytes) -> Row:
    file = bytes.fromhex(row["file"].removeprefix("\\x"))
    [said] = await bank_years.unseal_all(pool, ring, [(sealed, place_of_line(file, row["position"]))])
    words = dict.fromkeys(WORDS) if isinstance(said, CannotUnseal) else words_of(said)
    return words | _gone(said)


async def _why(pool: Pool, ring: KeyRing, row: Row, sealed: bytes) -> Row:
    part = {"stream": STREAM, "seq": row["seq"], "name": "why", "text": None, "salt": None, "sealed": sealed}
    [why] = await open_parts(pool, [part])
    return {"why": why.text if why is not None else None}


async def _mentor(pool: Pool, ring: KeyRing, row: Row, sealed: bytes) -> Row:
    [known] = await contacts.unseal(pool, [(f"mentor-{row['id']}", sealed)])
    return {"known": known}


async def _shift(pool: Pool, ring: KeyRing, row: Row, sealed: bytes) -> Row:
    [known] = await vault.opened(pool, [(place_of_shift(row["id"]), sealed)])
    return {"known": known}


async def _transfer(pool: Pool, ring: KeyRing, row: Row, sealed: bytes) -> Row:
    [payee] = await payees_of(pool, ring, [(row["payment"], sealed)])
    return {"payee": None if isinstance(payee, CannotUnseal) else payee.text} | _gone(payee)


def _gone(opened: object) -> Row:
    """The year with whose key it went, where it did."""
    return {"gone": opened.year} if isinstance(opened, YearGone) else {}


_OPENERS: Final[Mapping[str, Callable[[Pool, KeyRing, Row, bytes], Awaitable[Row]]]] = {
    "bank_resolutions": _why, "bank_texts": _line, "commands": _command, "mentors": _mentor, "paper_letters": _letter,
    "provider_resolutions": _why, "shifts": _shift, "transfers": _transfer,
}  # fmt: skip
