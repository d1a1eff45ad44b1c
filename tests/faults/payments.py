"""The campaign of payments: a bank that misbehaves, doubled files, kills at every step; then every cent compared.

    python -m tests.faults.payments [--seed N] [--payments N] [--each N]

Half of the payments go to a provider (a process with eight behaviours and books of its own), half into files for a bank
that answers with files. Prints seed, counts and what landed at each point; exit 1 when anything is wrong.
"""

import argparse
import asyncio
import json
import logging
import os
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle, zip_longest
from pathlib import Path
from typing import Any, Final

from schwifty import IBAN

from journeys.app import noticing
from journeys.app.web.policy import NOTICES
from journeys.authoring.reading import programme_text
from journeys.channels.sepa.transfers import read, render
from journeys.domain import commands as c
from journeys.domain.banking import Account, Batch, Transfer
from journeys.domain.commands import Command
from journeys.domain.invariants import check
from journeys.domain.invariants.money import check_fund
from journeys.domain.payee import Payee
from journeys.domain.programme import Programme
from journeys.local import bank_files as imaginary
from journeys.local.bank_files import Fate, Plan
from journeys.store import batches, publishing, staff
from journeys.store.directory import By
from journeys.store.journal import parts
from journeys.store.signing import draw_parts, sign
from tests.bank import ledger
from tests.bank.ledger import Way
from tests.bank.process import SECRET, TOKEN, Process, bank_process
from tests.days import paris_today
from tests.faults.campaign import KEPT, a_home
from tests.faults.checks import Violation
from tests.faults.crew import Crew, running_crew
from tests.faults.pages import free_port, running_pages
from tests.faults.points import PAYMENT, Guard, MoneyPoint, Orders, Point
from tests.faults.servers import REPO, Servers, running_servers
from tests.faults.trial import PROGRAMME, RING, Person, Trial, open_trial, patiently

AMOUNT: Final = 100_00
CAP: Final = 250_00
"""Of the fund, for one person: of three payments, two."""
BALANCE: Final = 100_000_000
APPROVERS: Final = 50
AT_ONCE: Final = 12
DEATHS_AT_ONCE: Final = 4
"""More, and the workers do nothing but begin."""
SENDINGS: Final = 6
"""Of one command, each as patient as the product's own."""
ACCOUNT: Final = "FR7630006000011234567890189"
WORKER_POINTS: Final = (*PAYMENT, MoneyPoint.KEY_WRITTEN)
CLERK_POINTS: Final = tuple(point for point in MoneyPoint if point is not MoneyPoint.KEY_WRITTEN)
POSTGRES: Final = "PostgreSQL, with appends under way"
DOUBLED: Final = "a file of the bank, imported twice"
FATES: Final = (
    Fate.SETTLE, Fate.SETTLE, Fate.SETTLE, Fate.REJECT, Fate.RETURN, Fate.SILENCE, Fate.CLOSE, Fate.NO_MATCH,
    Fate.UNCHECKED, Fate.DOUBLE, Fate.SHORT,
)  # fmt: skip
KINDS: Final = (*WORKER_POINTS, *CLERK_POINTS, POSTGRES, DOUBLED, *(f"the provider: {way}" for way in Way))
"""Every kind of fault: where something dies, and how the bank misbehaves."""
LANDING_SECONDS: Final = 60.0

_RULES: Final[dict[str, Any]] = {
    **PROGRAMME,
    "programme": "payments",
    "grants": {
        kind: {
            "label": kind, "fund": "main", "cap": "900000 EUR", "purposes": ["training"], "pay_by": [kind],
            "levels": [{"approvals": ["supervisor", "finance"]}],
        }
        for kind in ("http", "sepa")
    },
}  # fmt: skip


@dataclass
class Tally:
    """What landed, by kind, and what is wrong."""

    landed: Counter[str] = field(default_factory=Counter)
    wrong: list[Violation] = field(default_factory=list)
    payments: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        return [
            *(f"{kind:<58} landed {count:>5}" for kind, count in sorted(self.landed.items())),
            *(f"payments {state:<49} {count:>12}" for state, count in sorted(self.payments.items())),
        ]


@dataclass
class House:
    """One association: its journeys, approvers, workers, pages, its provider and its bank's files."""

    trial: Trial
    crew: Crew
    clerk: Orders
    provider: Process
    home: Path
    draw: random.Random
    tally: Tally
    approvers: dict[str, list[str]] = field(default_factory=dict)
    """Ids by role."""
    finance: str = ""
    till: Any = None
    """The process that handles the bank's files (clerk.py)."""
    desk: asyncio.Lock = field(default_factory=asyncio.Lock)
    given: dict[str, bytes] = field(default_factory=dict)
    """Files that the bank has, by name."""
    fates: dict[str, Fate] = field(default_factory=dict)
    ways: Iterator[Way] = field(default_factory=lambda: cycle(Way))
    statements: list[Path] = field(default_factory=list)

    async def client(self) -> Any:
        return self.trial.client

    # --- asking for money

    async def do(self, person: Person, body: Any, *, by: str, role: str, **texts: str) -> Any:
        """A command, sent again until it has its answer, as its id lets anybody do."""
        command = self.signed(person, body, by=by, role=role, **texts)
        for _ in range(SENDINGS):
            sent = await self.trial.send(person, command)
            if sent.answer is not None:
                return sent
        raise RuntimeError(f"no answer: {sent.failure}")

    def signed(self, person: Person, body: Any, *, by: str, role: str, **texts: str) -> Command:
        parts, commitments = draw_parts(texts)
        now = datetime.now(UTC)
        return sign(
            Command(
                id=str(uuid.uuid4()), stream=person.stream, body=body, actor=by, roles=(role,), occurred_at=now,
                signed_at=now, parts=parts, commitments=commitments,
            ),
            RING,
        )  # fmt: skip

    async def begin(self, whom: str) -> Person:
        person = Person(self.crew)
        self.trial.persons.append(person)
        plan = c.Plan(
            person=whom, programme=self.trial.programme, calendar=self.trial.calendar, referent=self.trial.referent
        )
        await self.do(person, plan, by=self.trial.referent, role="referent")
        return person

    async def ask(self, person: Person, kind: str, name: str) -> tuple[str, str]:
        """A grant asked for: its id and the digest of what is asked."""
        account = IBAN.generate("FR", bank_code="30004", account_code=f"{self.draw.randrange(10**11):011d}")
        payee = Payee(name, str(account)).text
        body = c.RequestGrant(grant=kind, purpose="training", amount=AMOUNT)
        asked = await self.do(person, body, by=self.trial.referent, role="referent", payee=payee)
        assert asked.answer is not None and asked.answer.outcome == "accepted", asked
        return asked.command.id, (await self.trial.state(person)).grants[asked.command.id].digest

    async def approve(self, person: Person, grant: str, digest: str) -> None:
        """Two who may, at once; before them one who saw something else, and one under a name that is not theirs."""
        clerk, chief = self.draw.choice(self.approvers["supervisor"]), self.draw.choice(self.approvers["finance"])
        stale = c.ApproveGrant(grant=grant, digest="0" * 64)
        answers = [await self._try(person, stale, chief, "finance"), await self._forge(person, grant, digest, chief)]
        self.tally.wrong += [Violation("approval-taken", grant, what) for what in answers if what == "accepted"]
        body = c.ApproveGrant(grant=grant, digest=digest)
        await asyncio.gather(
            self.do(person, body, by=clerk, role="supervisor"), self.do(person, body, by=chief, role="finance")
        )

    async def _try(self, person: Person, body: Any, by: str, role: str) -> str:
        return str((await self.do(person, body, by=by, role=role)).answer.outcome)

    async def _forge(self, person: Person, grant: str, digest: str, by: str) -> str:
        command = self.signed(person, c.ApproveGrant(grant=grant, digest=digest), by=by, role="finance")
        forged = command.model_copy(update={"actor": self.draw.choice(self.approvers["finance"])})
        unsigned = forged.model_copy(update={"signature": "0" * 64})
        answer = await patiently(lambda: self.trial.ask(person, unsigned), seconds=SENDINGS * 60)
        return str(answer.outcome)

    async def one(self, number: int, whom: str, point: Point | MoneyPoint | None, way: Way | None = None) -> None:
        """One payment, from the plan of its journey on; the worker dies at `point` of it, where one is named."""
        kind = "http" if number % 2 or point is MoneyPoint.KEY_WRITTEN else "sepa"
        if way is None:
            # Those of one person in five may meet the cap: they show no way of the provider.
            way = next(self.ways) if point is None and kind == "http" and number % 5 else Way.ACCEPTS
        person = await self.begin(whom)
        grant, digest = await self.ask(person, kind, f"Ecole BANK-{way.upper()} {number}")
        before = 0
        if point is not None:
            before = self.crew.orders.landed(point)
            self.crew.orders.order(point, person.stream)
        await self.approve(person, grant, digest)
        if point is not None:
            self.tally.landed[point] += await self._lands(point, before)

    async def _lands(self, point: Point | MoneyPoint, before: int) -> bool:
        end = time.monotonic() + LANDING_SECONDS
        while self.crew.orders.landed(point) == before and time.monotonic() < end:
            await asyncio.sleep(0.05)
        return not (self.crew.orders.landed(point) == before and self.crew.orders.take_back(point))

    # --- the bank's files

    async def journeys(self, *words: str, point: MoneyPoint | None = None) -> int:
        """The command line of finance; it dies at `point`, where one is named."""
        if point is not None:
            before = self.clerk.landed(point)
            self.clerk.order(point)
        async with self.desk:
            self.till.stdin.write(json.dumps([*words, "--as", "fin", "--json"]).encode() + b"\n")
            code = int(await self.till.stdout.readline())
        if point is not None:
            if self.clerk.landed(point) > before:
                self.tally.landed[point] += 1
            else:
                self.clerk.take_back(point)
        return code

    async def bring(self, points: Sequence[MoneyPoint] = ()) -> bool:
        """The file of what waits goes to the bank; whether there was one. Interrupted, it is asked for again."""
        target = self.home / f"out-{len(self.given)}.xml"
        for point in (*points, None):
            code = await self.journeys("payments", "export", str(target), "--force", point=point)
        if code or not target.exists():
            return False
        content = target.read_bytes()
        name = read(content).message
        if name in self.given:
            if self.given[name] != content:
                self.tally.wrong.append(Violation("another-file", name))
            return False
        self.given[name] = content
        return True

    async def hear(self, points: Sequence[MoneyPoint] = ()) -> None:
        """What the bank says of the newest file: an answer, a statement, what comes back; each imported twice."""
        name, content = next(reversed(self.given.items()))
        batch = read(content)
        self.fates |= {each.reference: self.draw.choice(FATES) for each in batch.transfers}
        plan, today, files = Plan(self.fates), paris_today(), []
        number = len(self.given) * 2
        for what, made in (
            ("pain002", imaginary.report(content, plan, datetime.now(UTC))),
            ("camt053", imaginary.statement([content], plan, today, opening=10**9, number=number)),
            ("returns", imaginary.returns([content], plan, today, opening=10**9, number=number + 1)),
        ):
            path = self.home / f"{name}-{what}.xml"
            path.write_bytes(made)
            files.append(path)
        await self._import(files, points)

    async def _import(self, files: Sequence[Path], points: Sequence[MoneyPoint] = ()) -> None:
        """Each file once, after a death where one is named; one of them a second time."""
        for path, point in zip_longest(files, points):
            if point is not None:
                await self.journeys("payments", "import", str(path), point=point)
            await self.journeys("payments", "import", str(path))
        await self.journeys("payments", "import", str(self.draw.choice(files)))
        self.tally.landed[DOUBLED] += 1
        self.statements += files

    async def provider_statement(self) -> None:
        """The account on which the provider's payments are booked too: each that its books say was paid."""
        rows = await self.rows("SELECT id::text, reference, amount FROM payments WHERE pay_by = 'http'")
        paid = ledger.paid(self.provider.ledger)
        named = [
            Transfer(row["id"], row["reference"], row["amount"], "Ecole", await self._account(row["id"]), "")
            for row in rows
            if row["reference"] in paid
        ]
        if not named:
            return
        content = render(
            Batch("PROVIDER", datetime.now(UTC), paris_today(), Account("Association", ACCOUNT, None), tuple(named))
        )
        path = self.home / "provider.xml"
        path.write_bytes(imaginary.statement([content], Plan(), paris_today(), opening=10**9, number=9_999))
        await self._import([path])

    async def _account(self, payment: str) -> str:
        [row] = await self.rows("SELECT stream FROM payments WHERE id = $1::uuid", payment)
        payees = [part.text for part in await parts(self.trial.pool, row["stream"]) if part.name == "payee"]
        return payees[-1].rpartition(", ")[2].replace(" ", "")

    # --- what people do at the end

    async def settle_what_is_left(self) -> None:
        """Finance answers doubts, and says of what no bank knows, after the statements, that it never left."""
        for row in await self._open():
            person = Person(self.crew, row["stream"])
            if row["doubt"]:
                body: Any = c.SettleDoubt(payment=row["id"], decision="withdraw")
                await self.do(person, body, by=self.finance, role="finance", reason="vérifié au téléphone")
            if self.fates.get(row["reference"]) is Fate.SHORT:
                paid = c.SettlePayment(payment=row["id"])
                await self.do(person, paid, by=self.finance, role="finance", reason="un centime de frais")
            elif not self._paid(row["reference"]):
                never = c.SettlePayment(payment=row["id"], fate="never-paid")
                await self.do(person, never, by=self.finance, role="finance", reason="absent des relevés")

    async def _open(self) -> list[Any]:
        return await self.rows(
            "SELECT id::text, stream, reference, doubt, status, pay_by FROM payments"
            " WHERE status IN ('reserved', 'instructed', 'accepted', 'unknown')"
        )

    async def rows(self, question: str, *asked: Any) -> list[Any]:
        """What the database answers, once it is back."""
        rows: list[Any] = await patiently(lambda: self.trial.pool.fetch(question, *asked))
        return rows

    def _paid(self, reference: str) -> bool:
        booked = self.fates.get(reference) in (Fate.SETTLE, Fate.RETURN, Fate.DOUBLE, Fate.SHORT)
        return booked or reference in ledger.paid(self.provider.ledger)

    # --- what must hold

    async def violations(self) -> list[Violation]:
        found = await self.money_twice() + await self.over_a_cap()
        for row in await self._open():
            story = [event.kind for event in await self.trial.events(Person(self.crew, row["stream"]))]
            told = await self.rows("SELECT said FROM bank_tellings WHERE payment = $1::uuid", row["id"])
            what = f"{row['status']} {row['pay_by']} {self.fates.get(row['reference'], '')} {story[-8:]} {told}"
            found.append(Violation("unresolved", row["id"], what))
        found += await self.other_fates()
        for person in self.trial.persons:
            found += [
                Violation(f"invariant-{each.invariant}", person.stream, each.code)
                for each in check(await self.trial.events(person))
            ]
        return found

    async def money_twice(self) -> list[Violation]:
        """The provider's books and every file that the bank has: each payment once, under its own key."""
        references = [each.reference for content in self.given.values() for each in read(content).transfers]
        references += [reference for reference, cents in ledger.paid(self.provider.ledger).items() for _ in cents]
        found = [Violation("paid-twice", reference) for reference, n in Counter(references).items() if n > 1]
        told = Counter(payment for payment, _ in self.crew.orders.told_bank())
        found += [Violation("instructed-twice", payment, f"{n} times") for payment, n in told.items() if n > 1]
        known = {row["reference"] for row in await patiently(lambda: self.trial.pool.fetch(
            "SELECT reference FROM payments WHERE status <> 'blocked'"))}  # fmt: skip
        return found + [Violation("paid-and-unknown", each) for each in set(references) - known]

    async def over_a_cap(self) -> list[Violation]:
        events = [event for person in self.trial.persons for event in await self.trial.events(person)]
        events.sort(key=lambda event: event.recorded_at)
        return [Violation("over-a-cap", each.code, str(each.details)) for each in check_fund(events, {"main": CAP})]

    async def other_fates(self) -> list[Violation]:
        """What the journal says of each payment is what the bank did with it."""
        found = []
        for row in await self.rows("SELECT id::text, reference, status, pay_by, reason FROM payments"):
            fate, status = self.fates.get(row["reference"]), row["status"]
            if status == "blocked" and row["reason"] != "person-cap":
                found.append(Violation("blocked-for-nothing", row["id"], row["reason"]))
            self.tally.payments[f"{row['pay_by']} {status}"] += 1
            if status in ("settled", "settled-by-hand") and not self._paid(row["reference"]):
                found.append(Violation("settled-and-not-paid", row["id"]))
            if status in ("rejected", "cancelled") and self._paid(row["reference"]) and fate is not Fate.SHORT:
                found.append(Violation("paid-and-given-up", row["id"], str(fate)))
        return found


# --- one campaign


@asynccontextmanager
async def open_house(
    home: Path, servers: Servers, seed: int, tally: Tally, *, size: int, without: frozenset[Guard] = frozenset()
) -> AsyncIterator[House]:
    """Workers, pages and a provider on a fresh database."""
    draw, port = random.Random(seed), free_port()
    async with AsyncExitStack() as stack:
        trial = await stack.enter_async_context(open_trial(servers, cap=CAP, balance=BALANCE))
        trial.programme = await publishing.keep(
            trial.pool, "programme", "payments", programme_text(Programme.model_validate(_RULES))
        )
        home.mkdir(parents=True, exist_ok=True)
        bank = stack.enter_context(
            bank_process(
                home / "bank.sqlite", "--notices", f"http://127.0.0.1:{port}{NOTICES}", "--secret", SECRET,
                "--hang-seconds", "2", "--late-seconds", "0.5", "--seed", str(seed),
            )
        )  # fmt: skip
        settings = {
            "JOURNEYS_BANK": "file", "JOURNEYS_PROVIDER__URL": bank.url, "JOURNEYS_PROVIDER__TOKEN": TOKEN,
            "JOURNEYS_PROVIDER__NOTICE_SECRET": SECRET, "JOURNEYS_PROVIDER__VISIBLE_SECONDS": "0",
            "JOURNEYS_ACCOUNT__NAME": "Association", "JOURNEYS_ACCOUNT__IBAN": ACCOUNT,
        }  # fmt: skip
        crew = await stack.enter_async_context(
            running_crew(
                home, servers.info, trial.database_url, f"pay-{seed}-{uuid.uuid4().hex[:6]}", size=size,
                without=without, settings=settings,
            )
        )  # fmt: skip
        clerk = Orders(home / "clerk")
        clerk.prepare()
        house = House(trial, crew, clerk, bank, home, draw, tally)
        house.till = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.clerk", env={**crew.environment, "FAULTS_HOME": str(clerk.home)},
            cwd=REPO, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        stack.callback(house.till.kill)
        await _hire(house)
        await stack.enter_async_context(running_pages(crew, port, home / "web.log"))
        yield house


async def _hire(house: House) -> None:
    """Fifty who approve, and the one who handles the files."""
    by = By(actor=house.trial.supervisor, role="administrator", at=datetime.now(UTC))
    house.approvers = {"supervisor": [], "finance": []}
    for number in range(APPROVERS + 1):
        role = "finance" if number % 2 or number == APPROVERS else "supervisor"
        handle = "fin" if number == APPROVERS else f"approver-{number}"
        member = staff.Member(
            id=str(uuid.uuid4()), handle=handle, name=f"Approver {number}", email=None, phone=None, language="fr",
            roles=(role,), sites=(), active=True,
        )  # fmt: skip
        await staff.add(house.trial.pool, member, by)
        if handle == "fin":
            house.finance = member.id
        else:
            house.approvers[role].append(member.id)


async def campaign(home: Path, servers: Servers, seed: int, payments: int, each: int, *, size: int = 3) -> Tally:
    """So many payments with so many deaths at each point; then everything is brought to its end and compared."""
    tally = Tally()
    async with open_house(home, servers, seed, tally, size=size) as house:
        points: list[Point | MoneyPoint | None] = [point for point in WORKER_POINTS for _ in range(each)]
        points += [None] * max(0, payments - len(points))
        house.draw.shuffle(points)
        people = [str(uuid.uuid4()) for _ in range(max(1, payments // 2))]
        crowd = [str(uuid.uuid4()) for _ in range(max(1, payments // 20))]
        gate = asyncio.Semaphore(AT_ONCE)
        deaths = asyncio.Semaphore(DEATHS_AT_ONCE)
        ordered: dict[Point | MoneyPoint, asyncio.Lock] = {point: asyncio.Lock() for point in WORKER_POINTS}

        async def pay(number: int, point: Point | MoneyPoint | None) -> None:
            whom = people[number % len(people)] if number % 5 else crowd[number % len(crowd)]
            if point is None:
                async with gate:
                    await house.one(number, whom, None)
            else:
                # An order lies in a file of the point's name: one at a time, beside those that nobody dies of.
                async with ordered[point], deaths:
                    await house.one(number, str(uuid.uuid4()), point)

        paying = [asyncio.create_task(pay(number, point)) for number, point in enumerate(points)]
        files = asyncio.create_task(_files(house, each, paying))
        falls = asyncio.create_task(_falls(house, each, paying))
        await asyncio.gather(*paying)
        await _rest(house, each)
        await files
        await falls
        await _finish(house)
        tally.landed |= Counter({f"the provider: {way}": n for way, n in ledger.knocks(house.provider.ledger).items()})
        tally.wrong += await house.violations()
        tally.wrong += [Violation("worker-ended", house.crew.queue, str(code)) for code in house.crew.ended]
    return tally


async def _files(house: House, each: int, paying: Sequence["asyncio.Task[None]"]) -> None:
    """A file to the bank now and then while payments go on, each with a death of whoever handles it."""
    out = (MoneyPoint.BATCH_INSIDE, MoneyPoint.BATCH_AFTER, MoneyPoint.GIVEN_AFTER)
    back = (MoneyPoint.TOLD, MoneyPoint.IMPORT_INSIDE, MoneyPoint.IMPORT_AFTER)
    number = len(paying) * 2
    while not all(task.done() for task in paying) or any(house.tally.landed[point] < each for point in CLERK_POINTS):
        await asyncio.sleep(1)
        if all(task.done() for task in paying):
            number += 2  # Not one death of theirs is to be missed for want of something to pay.
            await house.one(number, str(uuid.uuid4()), None)
        if not (await patiently(lambda: batches.waiting(house.trial.pool)))[0]:
            continue
        if await house.bring([point for point in out if house.tally.landed[point] < each]):
            await house.hear([point for point in back if house.tally.landed[point] < each])


async def _rest(house: House, each: int) -> None:
    """What did not land, because a payment died of something else first, is tried by other payments."""
    for _ in range(3):
        knocks = ledger.knocks(house.provider.ledger)
        missing: list[tuple[Point | MoneyPoint | None, Way | None]] = [
            *((None, way) for way in Way for _ in range(each - knocks.get(way, 0))),
            *((point, None) for point in WORKER_POINTS for _ in range(each - house.tally.landed[point])),
        ]
        for nth, (point, way) in enumerate(missing):
            await house.one(2 * nth + 1, str(uuid.uuid4()), point, way)
        if missing:
            await house.trial.quiet(60)


async def _falls(house: House, kills: int, paying: Sequence["asyncio.Task[None]"]) -> None:
    """PostgreSQL is killed while appends are under way."""
    while house.tally.landed[POSTGRES] < kills and not all(task.done() for task in paying):
        await asyncio.sleep(house.draw.uniform(1, 5))
        house.tally.landed[POSTGRES] += await house.trial.kill_server("postgres")


async def _finish(house: House) -> None:
    """Whatever is under way ends; the last files come and go; finance works off what is left."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and any(row["status"] == "reserved" for row in await house._open()):
        await asyncio.sleep(0.5)
    busy = await house.trial.quiet(120)
    house.tally.wrong += [Violation("effect-without-end", stream) for stream in busy]
    while await house.bring():
        await house.hear()
    await house.provider_statement()
    for path in house.statements:
        if "pain002" not in path.name:
            await house.journeys("payments", "import", str(path))
    await _notices_told(house)
    # What came before its turn is told by the fleet's next round.
    await noticing.tell(house.trial.pool, RING, house.client, house.crew.queue, datetime.now(UTC))
    await house.settle_what_is_left()


async def _notices_told(house: House) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        books = ledger.open_ledger(house.provider.ledger)
        if not books.execute("SELECT count(*) FROM notices WHERE told = 0").fetchone()[0]:
            return
        await asyncio.sleep(0.3)
    house.tally.wrong.append(Violation("notices-not-taken", str(house.provider.ledger)))


# --- a guard taken away


async def without(home: Path, servers: Servers, guards: frozenset[Guard]) -> list[Violation]:
    """The first violation that is found once these guards are gone; none where nothing is found."""
    tally = Tally()
    async with open_house(home, servers, 1, tally, size=3, without=guards) as house:
        if Guard.LOCK in guards:
            await _unlock(house.trial)
            return await _at_once(house)
        for number in range(6):
            point = Point.AFTER_BANK if guards & {Guard.CLAIM, Guard.LOOK_UP, Guard.BANK_KEY} else None
            await house.one(2 * number + 1, str(uuid.uuid4()), point)
            await asyncio.sleep(2)
            for person in house.trial.persons:
                tally.wrong += [Violation(f"invariant-{each.invariant}", person.stream, each.code)
                                for each in check(await house.trial.events(person))]  # fmt: skip
            tally.wrong += await house.money_twice()
            if tally.wrong:
                return tally.wrong
    return []


async def _unlock(trial: Trial) -> None:
    owner = await trial.owner()
    source = await owner.fetchval("SELECT pg_get_functiondef('money_lock'::regproc)")
    assert "FOR UPDATE" in source
    await owner.execute(source.replace("FOR UPDATE", ""))
    await owner.close()


async def _at_once(house: House) -> list[Violation]:
    """One person, many journeys, all approved in the same moment."""
    for _ in range(8):
        whom = str(uuid.uuid4())
        persons = [await house.begin(whom) for _ in range(12)]
        asked = [await house.ask(person, "http", "Ecole BANK-ACCEPTS") for person in persons]
        await asyncio.gather(*(house.approve(person, *each) for person, each in zip(persons, asked, strict=True)))
        await asyncio.sleep(2)
        if found := await house.over_a_cap():
            return found
    return []


CONTROLS: Final[dict[str, frozenset[Guard]]] = {
    "the provider does not know a payment again": frozenset({Guard.BANK_KEY}),
    "nobody locks the fund": frozenset({Guard.LOCK}),
    "what is unknown is instructed again": frozenset({Guard.LOOK_UP}),
    "an approval is for whatever is asked": frozenset({Guard.DIGEST}),
    "anybody may sign": frozenset({Guard.SIGNATURE}),
}
"""What is taken away: each must be found out, and such a run stops at the first sign."""


# --- the command


async def main(seed: int, payments: int, each: int) -> int:
    begun = time.monotonic()
    logging.getLogger("asyncpg").setLevel(logging.ERROR)  # It tells each connection that it could not make.
    with a_home() as home, running_servers(home / "data") as servers:
        tally = await campaign(home / "payments", servers, seed, payments, each)
        print(f"seed {seed}, {payments} payments, {each} at each point, {time.monotonic() - begun:.0f} s")
        sound = _told(tally, each)
        if tally.wrong:
            (home / KEPT).touch()
            print(f"logs and data are kept in {home}", flush=True)
        for nth, (name, guards) in enumerate(CONTROLS.items()):
            found = await without(home / f"without-{nth}", servers, guards)
            print(f"{name}: {found[0] if found else 'NOT FOUND OUT'}", flush=True)
            sound = sound and bool(found)
    return 0 if sound else 1


def _told(tally: Tally, each: int) -> bool:
    """Print what landed and what was found; whether nothing was wrong, and enough of everything landed."""
    print("\n".join(tally.lines()))
    few = [kind for kind in KINDS if tally.landed[kind] < each]
    for kind in few:
        print(f"too few: {kind} {tally.landed[kind]} of {each}")
    for violation, count in Counter(tally.wrong).most_common(60):
        print(f"VIOLATION {violation} {'' if count == 1 else f'({count} times)'}")
    codes = Counter(found.code for found in tally.wrong)
    twice = codes["paid-twice"] + codes["instructed-twice"]
    print(
        f"instructed twice {twice}, over a cap {codes['over-a-cap']}, unresolved {codes['unresolved']},"
        f" wrong {len(tally.wrong)}",
        flush=True,
    )
    return not (tally.wrong or few)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--payments", type=int, default=1_000)
    parser.add_argument("--each", type=int, default=30)
    given = parser.parse_args()
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    raise SystemExit(asyncio.run(main(given.seed, given.payments, given.each)))
