"""What bank and provider send: each file once, whole or not at all; each line once; what it says, what is wrong."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any, Final, Literal

from journeys.domain.banking import FileRefused, Line, Report, StatementHead
from journeys.domain.directory import BankFileImported, BankLineResolved, NoticeResolved
from journeys.domain.matching import (
    Counted,
    Identity,
    Known,
    Verdict,
    identity_of,
    match_line,
    match_report,
    seen_before,
)
from journeys.domain.notices import ORDER, Said
from journeys.domain.state import PaymentStatus
from journeys.store import bank_years
from journeys.store.bank_years import YearGone
from journeys.store.batches import payees_of
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, NotFound, record
from journeys.store.journal import StoredPart, open_parts
from journeys.store.keys import finance_key
from journeys.store.sealing import CannotUnseal
from journeys.store.signing import KeyRing
from journeys.store.treasury import STREAM

Kind = Literal["pain.002", "camt.053", "camt.054"]
How = Literal["match", "not-ours", "refund", "fee", "noted"]
"""What a line is: what became of a payment, a debit of something else, money to send back, the bank's own charge;
`noted`: somebody looked, and nothing is to be done here."""

_AT_ONCE: Final = 5_000
"""Lines that are judged and written together."""
_SECONDS: Final = 60.0
_LOCK: Final = 0x62616E6B
"""`bank` in ASCII: one file is taken in at a time, or two with the same lines would each think them new."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file as it is read: what is wrong with it comes as FileRefused, wherever it is found."""

    digest: str
    """SHA-256 of its bytes."""
    pieces: Iterable[StatementHead | Line | Report]
    """From front to back: answers, or the head of each statement followed by its lines."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file."""

    digest: str
    kind: Kind
    imported_at: datetime
    lines: int
    fresh: int
    """Lines that no earlier file had."""
    troubled: int
    """Lines that a person must look at, resolved since or not."""
    fees: int
    """Lines that the bank books as its own charges."""
    known: bool
    """It was imported before: nothing was written."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A line or an answer on its way in."""

    position: int
    identity: Identity
    body: Line | Report


# --- a file comes in


async def imported(pool: Pool | Connection, digest: str) -> Imported | None:
    """A file that is known; None when it never came."""
    row = await pool.fetchrow(
        f"""
        SELECT kind, imported_at, lines, fresh, l.troubled, l.fees FROM bank_files f CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE trouble IS NOT NULL)::int AS troubled,
                   count(*) FILTER (WHERE {_FEE})::int AS fees
            FROM bank_lines l WHERE l.file = f.digest) AS l
        WHERE digest = $1
        """,
        bytes.fromhex(digest),
    )
    return None if row is None else Imported(digest, **row, known=True)


async def take_in(pool: Pool, ring: KeyRing, file: Incoming, iban: str, by: By) -> Imported:
    """Take a file in: all of it in one transaction, or nothing.

    Args:
        iban: of our account; a statement of another refuses the file.

    Raises:
        FileRefused: something is wrong in it, at whatever line; nothing was written.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK, timeout=_SECONDS)
        if (known := await imported(connection, file.digest)) is not None:
            return known
        intake = _Intake(connection, ring, bytes.fromhex(file.digest), iban, bank_years.year_of(by.at))
        await intake.take(file.pieces)
        kind = intake.kind
        if kind is None:
            raise FileRefused("empty")
        fact = BankFileImported(
            file=file.digest, what=kind, lines=intake.lines, fresh=intake.fresh, troubled=intake.troubled
        )
        seq = await record(connection, STREAM, [Fact(fact)], by)
        await connection.execute(
            "INSERT INTO bank_files (digest, kind, imported_at, imported_by, lines, fresh, seq)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            intake.file, kind, by.at, by.actor, intake.lines, intake.fresh, seq,
        )  # fmt: skip
        return Imported(
            file.digest, kind, by.at, intake.lines, intake.fresh, intake.troubled, intake.fees, known=False
        )  # fmt: skip


def _masked(iban: str) -> str:
    return f"{iban[:4]}…{iban[-4:]}"


class _Intake:
    """The lines of one file, so many at a time: recognised, judged, written."""

    def __init__(self, connection: Connection, ring: KeyRing, file: bytes, iban: str, year: int) -> None:
        self._connection = connection
        self._ring = ring
        self._iban = iban
        self._year = year
        self._heads: list[StatementHead] = []
        self.file = file
        self.kind: Kind | None = None
        self.lines = self.fresh = self.troubled = self.fees = 0

    async def take(self, pieces: Iterable[StatementHead | Line | Report]) -> None:
        """Write everything. Raises FileRefused."""
        items = self._items(pieces)
        while chunk := list(islice(items, _AT_ONCE)):
            await self._write(await self._unseen(chunk))
        statements = [
            (self.file, nth, head.id, head.first_day, head.last_day, head.opening, head.closing)
            for nth, head in enumerate(self._heads, start=1)
        ]
        await self._put("bank_statements", _STATEMENT, statements)

    def _items(self, pieces: Iterable[StatementHead | Line | Report]) -> Iterator[_Item]:
        counted = Counted(self._iban)
        for piece in pieces:
            match piece:
                case StatementHead():
                    if piece.iban != self._iban:
                        raise FileRefused("other-account", piece.line, iban=_masked(piece.iban))
                    self.kind = piece.kind
                    self._heads.append(piece)
                    counted = Counted(self._iban)
                case Line():
                    self.lines += 1
                    yield _Item(self.lines, counted.of(piece), piece)
                case Report():
                    self.kind = "pain.002"
                    self.lines += 1
                    yield _Item(self.lines, identity_of(piece), piece)

    async def _unseen(self, items: Sequence[_Item]) -> list[_Item]:
        """Those that neither an earlier file nor an earlier statement of this one has."""
        rows = await self._connection.fetch(
            "SELECT identity, alike, bank_reference IS NULL AS bare FROM bank_lines"
            " WHERE identity = ANY ($1::bytea[]) OR alike = ANY ($2::bytea[])",
            [each.identity.exact for each in items], [each.identity.alike for each in items], timeout=_SECONDS,
        )  # fmt: skip
        stored: dict[bytes, bool] = {}
        for row in rows:
            stored[row["identity"]] = stored[row["alike"]] = row["bare"] or stored.get(row["alike"], False)
        fresh: list[_Item] = []
        for each in items:
            bank_reference = each.body.bank_reference if isinstance(each.body, Line) else None
            if not seen_before(each.identity, bank_reference, stored):
                fresh.append(each)
                stored[each.identity.exact] = bank_reference is None
        return fresh

    async def _write(self, items: Sequence[_Item]) -> None:
        payments = await _Payments.named(self._connection, self._ring, [each.body for each in items])
        lines, texts, tellings = [], [], []
        for each in items:
            body, verdicts = each.body, payments.judge(each.body)
            named = payments.by_reference.get(body.reference or "")
            trouble = next((found.trouble for _, found in verdicts if found.trouble is not None), None)
            self.troubled += trouble is not None
            self.fees += trouble is None and isinstance(body, Line) and body.fee is not None
            reason = _plain(body.reason, _ISO)
            lines.append((self.file, each.position, each.identity.exact, each.identity.alike, *_columns(body),
                          named.payment if named is not None else None, reason, trouble))  # fmt: skip
            if (said := _words(body)) is not None:
                texts.append((each.position, said))
            tellings += [
                (self.file, each.position, known.payment, said, known.stream, reason)
                for known, verdict in verdicts if known is not None for said in verdict.says
            ]  # fmt: skip
        self.fresh += len(items)
        await self._put("bank_lines", _LINE, lines)
        await self._put("bank_texts", _TEXT, await self._sealed(texts))
        await self._put("bank_tellings", _TELLING, tellings)

    async def _sealed(self, texts: Sequence[tuple[int, bytes]]) -> list[tuple[bytes, int, bytes]]:
        places = [place_of_line(self.file, position) for position, _ in texts]
        said = [(each, place) for (_, each), place in zip(texts, places, strict=True)]
        sealed = await bank_years.seal_all(self._connection, self._year, said) if texts else []
        return [(self.file, position, each) for (position, _), each in zip(texts, sealed, strict=True)]

    async def _put(self, table: str, columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
        # COPY is closed to tables with policies.
        arrays = zip(*rows, strict=True) if rows else [()] * len(columns)
        types = ", ".join(f"${nth}::{kind}[]" for nth, kind in enumerate(columns.values(), start=1))
        await self._connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({types})", *map(list, arrays),
            timeout=_SECONDS,
        )  # fmt: skip


_STATEMENT: Final = {
    "file": "bytea", "nth": "int", "id": "text", "first_day": "date", "last_day": "date", "opening": "bigint",
    "closing": "bigint",
}  # fmt: skip
_LINE: Final = {
    "file": "bytea", "position": "int", "identity": "bytea", "alike": "bytea", "booked_on": "date", "cents": "bigint",
    "reference": "text", "bank_reference": "text", "batch": "text", "code": "text", "payment": "uuid", "reason": "text",
    "trouble": "text",
}  # fmt: skip
_TEXT: Final = {"file": "bytea", "position": "int", "sealed": "bytea"}
_TELLING: Final = {
    "file": "bytea", "position": "int", "payment": "uuid", "said": "text", "stream": "text", "reason": "text",
}  # fmt: skip
"""Columns, with their types."""


_OURS: Final = re.compile(r"[A-Z2-7]{26}")
"""What we give a transfer, or a file, to be known by."""
_ISO: Final = re.compile(
    r"[A-Z]{2}[0-9]{2}|AGNT|CURR|CUST|CUTA|DUPL|FOCR|FRAD|FRTR|LEGL|NARR|NOAS|NOCM|NOOR|SVNR|TECH|UPAY"
)
"""Codes of ISO 20022 for why a transfer is refused or comes back."""


def _plain(said: str | None, shape: re.Pattern[str]) -> str | None:
    """What may stand unsealed, and for ever: it has the shape of what we wrote, or of a code. Whatever else stands in
    its place somebody typed, and may name anybody."""
    return said if said is not None and shape.fullmatch(said) else None


def _columns(body: Line | Report) -> tuple[Any, ...]:
    """Day, cents, reference, bank reference, batch, code."""
    reference = _plain(body.reference, _OURS)
    if isinstance(body, Line):
        return body.booked_on, body.cents, reference, body.bank_reference, _plain(body.batch, _OURS), body.fee
    return None, None, reference, None, _plain(body.message, _OURS), body.code


WORDS: Final = ("name", "iban", "about", "reference", "batch", "reason")
"""What may name somebody, in the order in which it is sealed; the last three where they are not ours, or no code."""


def _words(body: Line | Report) -> bytes | None:
    """What may name somebody, as it is sealed; None when there is nothing."""
    said = [body.name, body.iban, body.about] if isinstance(body, Line) else [None, None, body.about]
    batch = body.batch if isinstance(body, Line) else body.message
    typed = [
        None if _plain(each, shape) is not None else each
        for each, shape in ((body.reference, _OURS), (batch, _OURS), (body.reason, _ISO))
    ]
    whole = [*said, *typed] if any(typed) else said
    return json.dumps(whole).encode() if any(whole) else None


def words_of(said: bytes) -> dict[str, str | None]:
    """What was sealed of a line, by its name in WORDS."""
    return dict.fromkeys(WORDS) | dict(zip(WORDS, json.loads(said), strict=False))


def place_of_line(file: bytes, position: int) -> str:
    """Where the words of a line stand."""
    return f"line/{file.hex()}/{position}"


class _Payments:
    """The payments that some lines are about, as they are known; each judged line adds to what is known."""

    def __init__(self, by_reference: dict[str, Known], of_batch: Mapping[str, Sequence[str]]) -> None:
        self.by_reference = by_reference
        self._of_batch = of_batch

    @classmethod
    async def named(cls, connection: Connection, ring: KeyRing, bodies: Sequence[Line | Report]) -> "_Payments":
        references = {each.reference for each in bodies if each.reference is not None}
        messages = {each.message for each in bodies if isinstance(each, Report) and each.level != "transfer"}
        rows = await connection.fetch(_KNOWN, list(references), list(messages), timeout=_SECONDS)
        of_batch: dict[str, list[str]] = {}
        for row in rows:
            of_batch.setdefault(row["message"], []).append(row["reference"])
        accounts = await _accounts(connection, ring, rows)
        return cls({row["reference"]: _known(row, accounts.get(row["payment"])) for row in rows}, of_batch)

    def judge(self, body: Line | Report) -> list[tuple[Known | None, Verdict]]:
        """A verdict for each payment that a line is about; one without payment when it names none that we know."""
        if isinstance(body, Line):
            known = self.by_reference.get(body.reference or "")
            verdict = match_line(body, known)
            if known is not None and verdict.trouble is None:
                self._learn(known, verdict, left=body.cents < 0, back=body.cents > 0)
            return [(known, verdict)]
        whole = body.level != "transfer"
        references = self._of_batch.get(body.message, ()) if whole else (body.reference or "",)
        found = [(each, match_report(body, each)) for each in map(self.by_reference.get, references)]
        for known, verdict in found:
            if known is not None:
                self._learn(known, verdict)
        return found or [(None, match_report(body, None))]

    def _learn(self, known: Known, verdict: Verdict, *, left: bool = False, back: bool = False) -> None:
        self.by_reference[known.reference] = replace(
            known, left=known.left or left, back=known.back or back, told=known.told | {*verdict.says}
        )


# What is asked about comes first and apart: the planner knows nothing of tables that grow in this transaction.
_KNOWN: Final = """
    WITH asked AS MATERIALIZED (
        SELECT id FROM payments WHERE reference = ANY ($1::text[]) AND pay_by IN ('sepa', 'http')
        UNION SELECT payment FROM batch_transfers JOIN batches ON id = batch WHERE message = ANY ($2::text[])
    ), booked AS MATERIALIZED (
        SELECT payment, bool_or(cents < 0) AS went, bool_or(cents > 0) AS back FROM (
            SELECT payment, cents FROM bank_lines
            WHERE payment IN (SELECT id FROM asked) AND trouble IS NULL AND cents IS NOT NULL
            UNION ALL SELECT r.payment, l.cents FROM bank_resolutions r JOIN bank_lines l USING (file, position)
            WHERE r.payment IN (SELECT id FROM asked)
            UNION ALL SELECT m.payment, l.cents FROM bank_resolutions r JOIN bank_lines l USING (file, position)
            JOIN batch_transfers m ON m.batch = r.batch WHERE m.payment IN (SELECT id FROM asked)
        ) AS each GROUP BY payment
    ), said AS MATERIALIZED (
        SELECT payment, array_agg(said) AS told FROM bank_tellings WHERE payment IN (SELECT id FROM asked)
        GROUP BY payment
    )
    SELECT p.id::text AS payment, p.stream, p.amount, p.status, p.reference, t.sealed, b.message,
           p.pay_by = 'http' OR EXISTS (SELECT FROM batch_givings g WHERE g.batch = m.batch) AS given,
           coalesce(l.went, false) AS went, coalesce(l.back, false) AS back, coalesce(s.told, '{}') AS told
    FROM asked JOIN payments p ON p.id = asked.id LEFT JOIN transfers t ON t.payment = asked.id
    LEFT JOIN batch_transfers m ON m.payment = asked.id LEFT JOIN batches b ON b.id = m.batch
    LEFT JOIN booked l ON l.payment = asked.id LEFT JOIN said s ON s.payment = asked.id
"""


async def _accounts(
    connection: Connection, ring: KeyRing, rows: Sequence[Mapping[str, Any]]
) -> dict[str, str | None]:  # fmt: skip
    """The IBAN of each payment of which it can be read. A provider was told it; nothing of it is kept beside it."""
    kept = [(row["payment"], row["sealed"]) for row in rows if row["sealed"] is not None]
    found = zip(kept, await payees_of(connection, ring, kept), strict=True)
    return {payment: payee.iban for (payment, _), payee in found if not isinstance(payee, CannotUnseal)}


def _known(row: Mapping[str, Any], iban: str | None) -> Known:
    return Known(
        row["payment"], row["stream"], row["amount"], iban, PaymentStatus(row["status"]), reference=row["reference"],
        given=row["given"], left=row["went"], back=row["back"], told=frozenset(row["told"]),
    )  # fmt: skip


# --- what journeys are told


@dataclass(frozen=True, slots=True)
class Telling:
    """Something that a journey is to be told of its payment."""

    file: str
    position: int
    payment: str
    said: Said
    stream: str
    reason: str | None
    at: datetime
    """When its file came."""
    seq: int
    """Of the fact in the stream `system` from which it follows."""

    @property
    def key(self) -> str:
        """The same whenever it is told again."""
        return f"{self.file}/{self.position}/{self.said}"


async def waiting(pool: Pool | Connection, limit: int = 1_000, file: str | None = None) -> list[Telling]:
    """What journeys have not answered yet, the oldest file first; for one payment in the order of what was said."""
    rows = await pool.fetch(
        """
        SELECT encode(t.file, 'hex') AS file, t.position, t.payment::text, t.said, t.stream, t.reason,
               f.imported_at, coalesce(r.seq, f.seq)
        FROM bank_tellings t JOIN bank_files f ON f.digest = t.file
        LEFT JOIN bank_resolutions r ON r.file = t.file AND r.position = t.position
            AND (r.payment = t.payment OR r.batch IS NOT NULL)
        WHERE t.told_at IS NULL AND ($2::bytea IS NULL OR t.file = $2)
        ORDER BY f.seq, t.position, array_position($3::text[], t.said), t.payment LIMIT $1
        """,
        limit, None if file is None else bytes.fromhex(file), list(ORDER), timeout=_SECONDS,
    )  # fmt: skip
    return [Telling(*row) for row in rows]


async def count_waiting(pool: Pool | Connection, file: str | None = None) -> int:
    """How many things journeys have not answered yet."""
    found: int = await pool.fetchval(
        "SELECT count(*)::int FROM bank_tellings WHERE told_at IS NULL AND ($1::bytea IS NULL OR file = $1)",
        None if file is None else bytes.fromhex(file),
    )
    return found


async def told(pool: Pool | Connection, telling: Telling, refused: str | None, at: datetime) -> None:
    """A journey has answered: it took what it was told, or refused it by this code."""
    await pool.execute(
        "UPDATE bank_tellings SET told_at = $5, refused = $6"
        " WHERE file = $1 AND position = $2 AND payment = $3 AND said = $4 AND told_at IS NULL",
        bytes.fromhex(telling.file), telling.position, telling.payment, telling.said, at, refused,
    )  # fmt: skip


# --- what a person must look at


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line or an answer of the bank, or a notice of a provider, as it is shown to finance."""

    file: str
    """SHA-256 of the file; of a notice, of what was signed."""
    position: int
    kind: Kind | Literal["notice"]
    imported_at: datetime
    booked_on: date | None
    """None: an answer or a notice, no booking."""
    cents: int | None
    reference: str | None
    bank_reference: str | None
    """Of a notice, the provider's event."""
    batch: str | None
    code: str | None
    """Status of an answer, what a notice says, or by which code the bank books its charge."""
    payment: str | None
    reason: str | None
    trouble: str | None
    refused: str | None
    """Why a journey would not take what the line says."""
    how: str | None
    """How somebody resolved it; None while it is open or was never wrong."""
    matched: str | None
    """The payment, or the message of the batch."""
    resolved_at: datetime | None
    resolved_by: str | None
    why: str | None
    name: str | None = None
    iban: str | None = None
    about: str = ""
    gone: int | None = None
    """The year whose key was destroyed, and with it name, account and words; None: they are as the bank gave them."""

    @property
    def id(self) -> str:
        """What people type: the beginning of the file's digest, and the place in it."""
        return f"{self.file[:12]}/{self.position}"


_FEE: Final = "l.cents < 0 AND l.code IS NOT NULL AND l.trouble IS NULL"

_LINES: Final = """
    SELECT encode(l.file, 'hex') AS file, l.position, f.kind, f.imported_at, l.booked_on, l.cents, l.reference,
           l.bank_reference, l.batch, l.code, l.payment::text, l.reason, l.trouble,
           (SELECT min(t.refused) FROM bank_tellings t WHERE t.file = l.file AND t.position = l.position) AS refused,
           r.how, coalesce(r.payment::text, (SELECT b.message FROM batches b WHERE b.id = r.batch)) AS matched,
           r.resolved_at, r.resolved_by, x.sealed AS said, p.stream, p.seq, p.name, p.text, p.salt, p.sealed,
           f.seq AS nth
    FROM bank_lines l JOIN bank_files f ON f.digest = l.file
    LEFT JOIN bank_resolutions r ON r.file = l.file AND r.position = l.position
    LEFT JOIN bank_texts x ON x.file = l.file AND x.position = l.position
    LEFT JOIN parts p ON p.stream = 'system' AND p.seq = r.seq AND p.name = 'why'
"""
_NOTICES: Final = """
    SELECT encode(n.content, 'hex') AS file, n.position::int AS position, 'notice' AS kind,
           n.received_at AS imported_at, NULL::date AS booked_on,
           CASE WHEN n.said = 'returned' THEN n.amount ELSE -n.amount END AS cents, n.reference,
           n.event AS bank_reference, NULL AS batch, n.said AS code,
           (SELECT p.id::text FROM payments p WHERE p.reference = n.reference) AS payment, n.reason,
           CASE WHEN o.outcome NOT IN ('taken', 'known') THEN o.outcome END AS trouble, o.code AS refused, r.how,
           NULL AS matched, r.resolved_at, r.resolved_by, NULL::bytea AS said, w.stream, w.seq, w.name, w.text, w.salt,
           w.sealed, 0 AS nth
    FROM provider_notices n LEFT JOIN provider_outcomes o USING (event) LEFT JOIN provider_resolutions r USING (event)
    LEFT JOIN parts w ON w.stream = 'system' AND w.seq = r.seq AND w.name = 'why'
"""
_AGAINST: Final = "o.outcome NOT IN ('taken', 'known')"
"""Of a notice: a person must look at it."""
_WRONG: Final = """
    (l.file, l.position) IN (
        SELECT file, position FROM bank_lines WHERE trouble IS NOT NULL
        UNION SELECT file, position FROM bank_tellings WHERE refused IS NOT NULL
    )
"""


def lines_about(which: str) -> str:
    """A query for file and position of each line about payments: known by itself, matched by hand, or told of.

    Args:
        which: what their id is, after the name of the column: `= $1`.
    """
    return f"""
        SELECT file, position FROM bank_lines WHERE payment {which}
        UNION SELECT file, position FROM bank_resolutions WHERE payment {which}
        UNION SELECT file, position FROM bank_tellings WHERE payment {which}
    """


_OF_PAYMENT: Final = f"(l.file, l.position) IN ({lines_about('= $1')})"


async def exceptions(
    pool: Pool | Connection, ring: KeyRing, *, resolved: bool = False, trouble: str | None = None, limit: int = 500,
    offset: int = 0,
) -> list[LineRow]:  # fmt: skip
    """What a person must look at, the oldest first; or what somebody resolved, the newest first.

    Args:
        trouble: only what is wrong in this way, `refused` where a journey did not take a line; None: any.
    """
    order = "resolved_at DESC" if resolved else "imported_at"
    rows = await pool.fetch(
        f"""
        SELECT * FROM (
            {_LINES} WHERE {_WRONG} AND (r.how IS NOT NULL) = $1
            UNION ALL {_NOTICES} WHERE {_AGAINST} AND (r.how IS NOT NULL) = $1
        ) AS seen WHERE $4::text IS NULL OR coalesce(trouble, 'refused') = $4
        ORDER BY {order}, nth, position LIMIT $2 OFFSET $3
        """,
        resolved, limit, offset, trouble, timeout=_SECONDS,
    )  # fmt: skip
    return await _read(pool, ring, rows)


async def fees(pool: Pool | Connection, ring: KeyRing, limit: int = 500) -> list[LineRow]:
    """What the bank took for itself, the newest first."""
    rows = await pool.fetch(f"{_LINES} WHERE {_FEE} ORDER BY l.booked_on DESC, f.seq, l.position LIMIT $1", limit)
    return await _read(pool, ring, rows)


COUNT_OPEN: Final = f"""
    SELECT (SELECT count(*) FROM bank_lines l LEFT JOIN bank_resolutions r USING (file, position)
            WHERE {_WRONG} AND r.how IS NULL)::int
         + (SELECT count(*) FROM provider_outcomes o LEFT JOIN provider_resolutions r USING (event)
            WHERE {_AGAINST} AND r.how IS NULL)::int
"""


async def open_exceptions(pool: Pool | Connection) -> int:
    """How many lines a person must still look at."""
    found: int = await pool.fetchval(COUNT_OPEN)
    return found


async def open_troubles(pool: Pool | Connection) -> dict[str, int]:
    """How many lines a person must still look at, by what is wrong: the most frequent first."""
    rows = await pool.fetch(
        f"""
        SELECT trouble, count(*)::int AS count FROM (
            SELECT coalesce(l.trouble, 'refused') AS trouble FROM bank_lines l
            LEFT JOIN bank_resolutions r USING (file, position) WHERE {_WRONG} AND r.how IS NULL
            UNION ALL SELECT o.outcome FROM provider_outcomes o LEFT JOIN provider_resolutions r USING (event)
            WHERE {_AGAINST} AND r.how IS NULL
        ) AS open GROUP BY trouble ORDER BY count DESC, trouble
        """
    )
    return {row["trouble"]: row["count"] for row in rows}


async def next_exception(pool: Pool | Connection, file: str, position: int, trouble: str | None = None) -> str | None:
    """Id (LineRow.id) of the open line after this one, the oldest after the newest; None: no other is open.

    Args:
        trouble: only what is wrong in this way, as in `exceptions`; None: any.
    """
    row = await pool.fetchrow(
        f"""
        WITH here AS (
            SELECT imported_at AS at, seq AS nth FROM bank_files WHERE digest = $1
            UNION ALL SELECT received_at, 0 FROM provider_notices WHERE content = $1 AND position = $2
        )
        SELECT left(encode(file, 'hex'), 12) || '/' || position FROM (
            SELECT l.file, l.position, f.imported_at AS at, f.seq AS nth, l.trouble FROM bank_lines l
            JOIN bank_files f ON f.digest = l.file
            LEFT JOIN bank_resolutions r ON r.file = l.file AND r.position = l.position
            WHERE {_WRONG} AND r.how IS NULL
            UNION ALL SELECT n.content, n.position::int, n.received_at, 0, o.outcome FROM provider_notices n
            JOIN provider_outcomes o USING (event) LEFT JOIN provider_resolutions r USING (event)
            WHERE {_AGAINST} AND r.how IS NULL
        ) AS open
        WHERE (file, position) <> ($1, $2) AND ($3::text IS NULL OR coalesce(trouble, 'refused') = $3)
        ORDER BY (at, nth, position) > (SELECT at, nth, $2 FROM here) DESC, at, nth, position LIMIT 1
        """,
        bytes.fromhex(file), position, trouble,
    )  # fmt: skip
    return None if row is None else row[0]


async def line(pool: Pool | Connection, ring: KeyRing, id: str) -> LineRow | None:
    """A line by what people type (LineRow.id, or with more of the digest); None when there is none, or several."""
    digest, _, place = id.partition("/")
    if not place.isdecimal() or len(place) > _LONGEST_PLACE or not digest:
        return None
    rows = await pool.fetch(
        f"{_LINES} WHERE l.position = $2 AND starts_with(encode(f.digest, 'hex'), $1)"
        f" UNION ALL {_NOTICES} WHERE n.position = $2 AND starts_with(encode(n.content, 'hex'), $1)",
        digest.lower(), int(place),
    )  # fmt: skip
    return (await _read(pool, ring, rows))[0] if len(rows) == 1 else None


_LONGEST_PLACE: Final = 9


async def lines_of(pool: Pool | Connection, ring: KeyRing, payment: str) -> list[LineRow]:
    """What bank or provider said of a payment, and what somebody matched with it, in the order in which it came."""
    rows = await pool.fetch(
        f"{_LINES} WHERE {_OF_PAYMENT}"
        f" UNION ALL {_NOTICES} WHERE n.reference = (SELECT reference FROM payments WHERE id = $1)"
        " ORDER BY imported_at, nth, position",
        payment,
    )
    return await _read(pool, ring, rows)


async def _read(pool: Pool | Connection, ring: KeyRing, rows: Sequence[Mapping[str, Any]]) -> list[LineRow]:
    reasons = iter(await open_parts(pool, [row for row in rows if row["name"] is not None]))
    closed = [
        (row["said"], place_of_line(bytes.fromhex(row["file"]), row["position"]))
        for row in rows if row["said"] is not None
    ]  # fmt: skip
    words = iter(await bank_years.unseal_all(pool, ring, closed))
    return [
        _line(row, next(reasons) if row["name"] is not None else None, next(words) if row["said"] is not None else None)
        for row in rows
    ]


def _line(row: Mapping[str, Any], why: StoredPart | None, said: bytes | CannotUnseal | None) -> LineRow:
    values = {name: value for name, value in row.items() if name not in _OF_THE_TEXTS}
    found = LineRow(**values, why=why.text if why is not None else None)
    match said:
        case None:
            return found
        case YearGone():
            return replace(found, gone=said.year)
        case CannotUnseal():
            return found
        case _:
            words = words_of(said)
            return replace(
                found, name=words["name"], iban=words["iban"], about=words["about"] or "",
                reference=found.reference or words["reference"], batch=found.batch or words["batch"],
                reason=found.reason or words["reason"],
            )  # fmt: skip


_OF_THE_TEXTS: Final = frozenset({"said", "stream", "seq", "name", "text", "salt", "sealed", "nth"})


class NotOpen(Exception):
    """Nobody needs to look at this line: it is in order, or somebody resolved it before."""


class CannotMatch(Exception):
    """The line cannot be what became of this payment or batch; `code` says why."""

    def __init__(self, code: Literal["amount", "no-debit", "no-movement", "other-batch", "told"]) -> None:
        super().__init__(code)
        self.code = code


async def resolve(
    pool: Pool, row: LineRow, how: How, why: str, by: By, payment: str | None = None, batch: str | None = None
) -> None:
    """Finance has looked at a line or notice, and says what it is; of a match, journeys are to be told.

    Args:
        payment, batch: ids; of a match one of them.

    Raises:
        NotOpen. NotFound: no such payment. CannotMatch.
    """
    if row.kind == "notice":
        await _resolve_notice(pool, row, how, why, by)
        return
    if how == "fee" and (row.cents is None or row.cents > 0):
        raise CannotMatch("no-debit")
    file = bytes.fromhex(row.file)
    async with pool.acquire() as connection, connection.transaction():
        if payment is not None:
            await _tell_matched(connection, row, payment)
        if batch is not None:
            await _tell_all(connection, row, batch)
        fact = BankLineResolved(file=row.file, position=row.position, how=how, payment=payment, batch=batch)
        of = await _whose(connection, payment or row.payment)
        seq = await record(connection, STREAM, [Fact(fact, {"why": why})], by, accounts_of=of)
        done = await connection.execute(
            f"""
            INSERT INTO bank_resolutions (file, position, how, payment, batch, resolved_at, resolved_by, seq)
            SELECT l.file, l.position, $3, $4, $5, $6, $7, $8 FROM bank_lines l
            WHERE l.file = $1 AND l.position = $2 AND {_WRONG} ON CONFLICT DO NOTHING
            """,
            file, row.position, how, payment, batch, by.at, by.actor, seq,
        )  # fmt: skip
        if done != "INSERT 0 1":
            raise NotOpen


async def _resolve_notice(pool: Pool, row: LineRow, how: How, why: str, by: By) -> None:
    if how == "match" or how == "fee":
        raise CannotMatch("no-movement")
    assert row.bank_reference is not None
    async with pool.acquire() as connection, connection.transaction():
        fact = NoticeResolved(event=row.bank_reference, how=how)
        of = await _whose(connection, row.payment)
        seq = await record(connection, STREAM, [Fact(fact, {"why": why})], by, accounts_of=of)
        done = await connection.execute(
            f"""
            INSERT INTO provider_resolutions (event, how, resolved_at, resolved_by, seq)
            SELECT o.event, $2, $3, $4, $5 FROM provider_outcomes o WHERE o.event = $1 AND {_AGAINST}
            ON CONFLICT DO NOTHING
            """,
            row.bank_reference, how, by.at, by.actor, seq,
        )  # fmt: skip
        if done != "INSERT 0 1":
            raise NotOpen


async def _whose(connection: Connection, payment: str | None) -> str | None:
    """The person of a payment: what is written of it goes under the key of their accounts, not the house's. None where
    there is none, or their accounts were kept long enough: their key is destroyed."""
    found: str | None = await connection.fetchval("SELECT person::text FROM payments WHERE id = $1", payment)
    return None if found is None or await connection.keys.destroyed([finance_key(found)]) else found


async def _tell_matched(connection: Connection, row: LineRow, payment: str) -> None:
    known = await connection.fetchrow("SELECT stream, amount FROM payments WHERE id = $1", payment)
    if known is None:
        raise NotFound("payment", payment)
    if row.cents is None:
        raise CannotMatch("no-movement")
    if abs(row.cents) != known["amount"]:
        raise CannotMatch("amount")
    done = await connection.execute(
        "INSERT INTO bank_tellings (file, position, payment, said, stream, reason) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT DO NOTHING",
        bytes.fromhex(row.file), row.position, payment, "settled" if row.cents < 0 else "returned", known["stream"],
        _plain(row.reason, _ISO),
    )  # fmt: skip
    if done != "INSERT 0 1":
        raise CannotMatch("told")


async def _tell_all(connection: Connection, row: LineRow, batch: str) -> None:
    """All that the bank did not reject of a batch has left, when that is what the one sum comes to."""
    if row.cents is None or row.cents > 0:
        raise CannotMatch("no-movement")
    message = await connection.fetchval("SELECT message FROM batches WHERE id = $1", batch)
    if row.batch not in (None, message):
        raise CannotMatch("other-batch")
    members = await connection.fetch(
        """
        SELECT p.id::text, p.stream, p.amount, p.status FROM batch_transfers m JOIN payments p ON p.id = m.payment
        WHERE m.batch = $1 AND p.status <> 'rejected'
        AND NOT EXISTS (SELECT FROM bank_tellings t WHERE t.payment = p.id AND t.said = 'rejected')
        """,
        batch, timeout=_SECONDS,
    )  # fmt: skip
    if sum(member["amount"] for member in members) != -row.cents:
        raise CannotMatch("amount")
    await connection.execute(
        "INSERT INTO bank_tellings (file, position, payment, said, stream)"
        " SELECT $1, $2, id, 'settled', stream FROM unnest($3::uuid[], $4::text[]) AS member (id, stream)"
        " ON CONFLICT DO NOTHING",
        bytes.fromhex(row.file), row.position, *_columns_of(members), timeout=_SECONDS,
    )  # fmt: skip


def _columns_of(members: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Id and journey of those whose fate is open."""
    waiting = [member for member in members if PaymentStatus(member["status"]).open]
    return [member["id"] for member in waiting], [member["stream"] for member in waiting]
