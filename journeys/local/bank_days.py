"""The days on which finance and the imaginary bank of a played cohort meet: the file goes out, answers and statements
come in. Every life with money stands at the same instant then, so that the files have dates which follow each other."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from io import BytesIO
from itertools import takewhile
from pathlib import Path
from typing import Final, Protocol

from temporalio.client import Client

from journeys.channels.sepa.receiving import received
from journeys.domain.banking import Line, StatementHead
from journeys.domain.calendar import Calendar
from journeys.domain.programme import Roll
from journeys.local.bank_files import Fate, Plan, report, returns, statement
from journeys.store import controlling
from journeys.store.controlling import Finding
from journeys.store.database import Pool
from journeys.store.directory import By
from journeys.store.signing import KeyRing

ACCOUNT: Final = {"JOURNEYS_ACCOUNT__NAME": "Association de démonstration",
                  "JOURNEYS_ACCOUNT__IBAN": "FR7630001007941234567890185"}  # fmt: skip
"""The invented association's account, as settings."""

HOUR: Final = "16:30"
_WEEKDAYS: Final = (1, 4)
"""Tuesday and Friday: what waits since the last time is given out well before finance is asked about it."""

_OPENING: Final = 60_000_00
_MUST_AGREE: Final = frozenset({"fund-balance", "ledger-payments", "ledger-bank"})
"""Findings of the control that are a mistake of ours; an unknown that lasts is the bank's."""


class Finance(Protocol):
    """What the people of finance do with files, as they do it in an association."""

    async def give_out(self, on: date, by: By) -> bytes | None:
        """The file of the transfers that wait, to be executed on a day; None when none waits."""

    async def take_in(self, content: bytes, by: By) -> None:
        """Import what the bank sent, and tell the journeys."""


FinanceOf = Callable[[Pool, KeyRing, Client], Finance]


def bank_day_after(calendar: Calendar, instant: datetime) -> datetime:
    """The next bank day; one on which nobody works is kept on the next day on which people do."""
    return next(at for at in _bank_days(calendar, calendar.day(instant) - timedelta(days=7)) if at > instant)


def bank_day_before(calendar: Calendar, instant: datetime) -> datetime:
    """The last bank day before."""
    days = _bank_days(calendar, calendar.day(instant) - timedelta(days=14))
    return list(takewhile(lambda at: at < instant, days))[-1]


def _bank_days(calendar: Calendar, day: date) -> Iterator[datetime]:
    while True:
        if day.weekday() in _WEEKDAYS:
            yield calendar.at(calendar.roll(day, Roll.FORWARD), HOUR)
        day += timedelta(days=1)


def fate_of(fates: tuple[Fate, ...], number: int, *, replaces: bool) -> Fate:
    """What the bank does with an instalment (from 1) of a grant; one that makes another good is paid."""
    return Fate.SETTLE if replaces or number > len(fates) else fates[number - 1]


@dataclass(slots=True)
class _Given:
    """A file that the bank has, and how far the bank is with it."""

    content: bytes
    plan: Plan
    on: date
    booked: bool = False
    returned: bool = False


@dataclass(slots=True)
class BankDays:
    """One bank, one account, one clerk, for all lives of a cohort."""

    calendar: Calendar
    pool: Pool
    finance: Finance
    clerk: str
    """Id of the staff member who gives out and takes in."""
    folder: Path
    """Where every file is kept, by its day."""
    fates: dict[str, tuple[Fate, ...]] = field(default_factory=dict)
    """Of the instalments of each grant, by its id."""
    _reached: dict[str, datetime] = field(default_factory=dict)
    _waiting: dict[datetime, asyncio.Event] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _given: list[_Given] = field(default_factory=list)
    _balance: int = _OPENING
    _statements: int = 0
    _over: datetime | None = None
    """The last bank day that is over."""

    def join(self, life: str, at: datetime) -> None:
        """A life with money; no bank day passes it from now on."""
        self._reached[life] = at

    async def reach(self, life: str, at: datetime) -> None:
        """Nothing of this life is asked of the bank before `at`."""
        self._reached[life] = at
        await self._go_on()

    async def meet(self, life: str, at: datetime) -> None:
        """Stand at a bank day until it is over."""
        over = self._waiting.setdefault(at, asyncio.Event())
        await self.reach(life, at)
        await over.wait()

    async def catch_up(self, life: str, at: datetime) -> None:
        """Wait until every bank day before `at` is over: what is asked for then is in no earlier file."""
        last = bank_day_before(self.calendar, at)
        if self._over is None or last > self._over:
            await self.meet(life, last)
            await self.reach(life, at)

    async def leave(self, life: str) -> None:
        """The life is over."""
        self._reached.pop(life, None)
        await self._go_on()

    async def _go_on(self) -> None:
        async with self._turn:
            while self._waiting:
                first = min(self._waiting)
                if any(at < first for at in self._reached.values()):
                    return
                await self._hold(first)
                self._over = first
                self._waiting.pop(first).set()

    # --- one bank day

    async def _hold(self, at: datetime) -> None:
        by = By(actor=self.clerk, role="finance", at=at)
        today = self.calendar.day(at)
        for given in self._given:
            if given.booked and not given.returned:
                yesterday = self.calendar.roll(today - timedelta(days=1), Roll.BACK)
                await self._state(given, returns, yesterday, today, by)
                given.returned = True
            elif not given.booked and given.on < today:
                await self._state(given, statement, given.on, today, by)
                given.booked = True
        on = self.calendar.add_working_days(today, 1)
        content = await self.finance.give_out(on, by)
        if content is None:
            return
        given = _Given(content, Plan(await self._fates()), on)
        self._given.append(given)
        self._keep(today, "pain.001", content)
        answer = report(content, given.plan, at)
        self._keep(today, "pain.002", answer)
        await self.finance.take_in(answer, by)

    async def _state(self, given: _Given, write: Callable[..., bytes], on: date, today: date, by: By) -> None:
        number = self._statements + 1
        content = write([given.content], given.plan, on, opening=self._balance, number=number)
        head, *lines = received(BytesIO(content))
        if not lines:
            return
        assert isinstance(head, StatementHead) and head.closing is not None
        self._balance, self._statements = head.closing, number
        self._keep(today, "camt.053", content)
        await self.finance.take_in(content, by)

    async def _fates(self) -> Mapping[str, Fate]:
        rows = await self.pool.fetch(
            "SELECT reference, grant_id::text AS id, number, replaces IS NOT NULL AS again FROM payments"
            " WHERE grant_id = ANY ($1::uuid[])",
            list(self.fates),
        )
        return {row["reference"]: fate_of(self.fates[row["id"]], row["number"], replaces=row["again"]) for row in rows}

    def _keep(self, day: date, kind: str, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        number = len(list(self.folder.iterdir())) + 1
        (self.folder / f"{number:03d}-{day.isoformat()}-{kind}.xml").write_bytes(content)


# --- afterwards


@dataclass(frozen=True, slots=True)
class Heard:
    """Where a payment went, and what the bank said of it."""

    given_on: date | None
    """The day of the file; None when it is in none."""
    said: tuple[tuple[str, date, str], ...]
    """accepted, settled, rejected, returned: with its day, and the bank's reason or nothing."""


async def heard(pool: Pool, streams: Iterable[str]) -> dict[str, Heard]:
    """Each payment of these journeys, by its id."""
    rows = await pool.fetch(
        """
        SELECT p.id::text, b.made_at::date AS given_on,
               ARRAY(SELECT t.said FROM bank_tellings t JOIN bank_files f ON f.digest = t.file
                     WHERE t.payment = p.id ORDER BY f.imported_at, f.seq) AS said,
               ARRAY(SELECT coalesce(l.booked_on, f.imported_at::date) FROM bank_tellings t
                     JOIN bank_files f ON f.digest = t.file JOIN bank_lines l USING (file, position)
                     WHERE t.payment = p.id ORDER BY f.imported_at, f.seq) AS days,
               ARRAY(SELECT coalesce(t.reason, '') FROM bank_tellings t JOIN bank_files f ON f.digest = t.file
                     WHERE t.payment = p.id ORDER BY f.imported_at, f.seq) AS reasons
        FROM payments p LEFT JOIN batch_transfers m ON m.payment = p.id LEFT JOIN batches b ON b.id = m.batch
        WHERE p.stream = ANY ($1)
        """,
        list(streams),
    )
    return {
        row["id"]: Heard(row["given_on"], tuple(zip(row["said"], row["days"], row["reasons"], strict=True)))
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What left the account by transfer and did not come back, in cents, as each account of it says."""

    files: int
    """The bank's statements, as they lie in the folder."""
    lines: int
    """What was imported of them and found to be a payment's."""
    ledger: int
    journal: int
    payments: int
    findings: tuple[Finding, ...]
    """What the control of the money found that must not be."""

    @property
    def agrees(self) -> bool:
        """Cent for cent, and payment for payment."""
        return not self.findings and len({self.files, self.lines, self.ledger, self.journal, self.payments}) == 1


async def reconcile(pool: Pool, folder: Path, streams: Iterable[str], journal: int, now: datetime) -> Reconciled:
    """Compare the accounts of these journeys' transfers; `journal` is what their events come to."""
    row = await pool.fetchrow(
        """
        WITH mine AS (SELECT id, amount, status FROM payments WHERE stream = ANY ($1) AND pay_by = 'sepa')
        SELECT (SELECT -coalesce(sum(l.cents), 0)::bigint FROM bank_lines l JOIN mine ON mine.id = l.payment) AS lines,
               (SELECT coalesce(sum(e.cents), 0)::bigint FROM ledger_transactions t JOIN mine ON mine.id = t.payment
                JOIN ledger_entries e ON e.transaction = t.id WHERE e.account IN ('paid', 'justified')) AS ledger,
               (SELECT coalesce(sum(amount), 0)::bigint FROM mine WHERE status = 'settled') AS payments
        """,
        list(streams),
    )
    control = await controlling.control(pool, now)
    found = tuple(each for each in control.findings if each.code in _MUST_AGREE)
    return Reconciled(_booked(folder), row["lines"], row["ledger"], journal, row["payments"], found)


def _booked(folder: Path) -> int:
    contents = [file.read_bytes() for file in sorted(folder.glob("*camt.053.xml"))]
    pieces = [piece for content in contents for piece in received(BytesIO(content))]
    return -sum(piece.cents for piece in pieces if isinstance(piece, Line))
