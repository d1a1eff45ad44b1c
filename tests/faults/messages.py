"""The campaign of messages: channels that misbehave, kills at each step of a send, an outage; then an accounting.

    python -m tests.faults.messages [--seed N] [--journeys N] [--each N] [--outage SECONDS] [--controls-only]

A minute of the programme lasts a second, and night comes every half minute (hastened.py). What the gateway and the mail
server saw is held against the journal: it prints what landed, how many messages were at risk of each wrong, and how
many went wrong; exit 1 when one did, or when too few were at risk.
"""

import argparse
import asyncio
import email
import logging
import random
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller
from temporalio.client import Client

from journeys.app.forwarding import forward
from journeys.app.web.policy import RECEIPTS
from journeys.authoring.reading import programme_text
from journeys.domain import agenda
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.commands import Command
from journeys.domain.evolve import fold
from journeys.domain.handbook import open_handbook
from journeys.domain.invariants import Outage, check
from journeys.domain.messages import PARTICIPANT
from journeys.domain.programme import Programme
from journeys.domain.record import Event, Payload
from journeys.domain.state import State
from journeys.issuing import issue
from journeys.store import people, publishing
from journeys.store.directory import AlreadyThere, By
from journeys.store.programmes import texts_of
from tests.days import paris_today
from tests.faults.campaign import KEPT, a_home
from tests.faults.checks import Violation
from tests.faults.crew import Crew, running_crew
from tests.faults.hastened import deep_in_the_night, hastened
from tests.faults.pages import free_port, running_pages
from tests.faults.points import Guard, SendPoint
from tests.faults.servers import Servers, running_servers
from tests.faults.trial import OUTAGE_ERRORS, RING, Person, Trial, open_trial, patiently
from tests.gateway import ledger
from tests.gateway.ledger import NOT_AT_FIRST, Way
from tests.gateway.process import SECRET, TOKEN, Process, gateway_process

MOMENT: Final = 3.0
"""Seconds between the last look at a message and the clock of whoever takes it, on a machine that does much else."""
LAG: Final = 5.0
"""Seconds that a person's own wish takes until their journeys have heard of it."""
FEEDING_SECONDS: Final = 1.5
LANDING_SECONDS: Final = 45.0
COUNTING_RESTS: Final = 10.0
"""So many times as long as all was counted it is not counted again: the mail server of this process waits meanwhile."""
SETTLING_SECONDS: Final = 120.0
OUTAGE: Final = "worker, Temporal and PostgreSQL stopped"
STEPS: Final = 8
MAIL_ONLY: Final = 3
"""One person in so many has no phone."""


class Wrong(StrEnum):
    """What must not happen, and the code of the violation that says that it did."""

    TWICE = "sent-twice"
    NIGHT = "in-quiet-hours"
    OPTED_OUT = "after-opt-out"
    PAUSED = "after-pause"
    CLOSED = "after-closure"
    TOO_LATE = "past-validity"
    UNACCOUNTED = "unaccounted"
    TOLD_TWICE = "receipt-twice"
    BELIEVED = "forged-and-believed"


class MailWay(StrEnum):
    """How the mail server treats a letter; one after the other."""

    TAKES = "mail: takes"
    LATER = "mail: not at first"
    REFUSES = "mail: refuses"
    DROPS = "mail: takes, and breaks off"
    SLOW = "mail: answers late"


DRAWN: Final = tuple(Way)
KINDS: Final = (*SendPoint, OUTAGE, *(f"gateway: {way}" for way in DRAWN), *MailWay)
"""Every kind of fault."""
_CLEAR: Final = frozenset(Way) - {Way.TIMES_OUT, Way.SILENCE, Way.SLOW, Way.ERROR_AFTER, *NOT_AT_FIRST}
"""Ways in which the gateway answers at once, and clearly."""


@dataclass(frozen=True, slots=True)
class Life:
    """What the programme asks of everybody, in seconds: so many steps, each with two reminders to the person."""

    steps: int
    every: int = 12
    """From one step to the next."""
    leads: tuple[int, int] = (18, 11)
    """How long before its step each reminder leaves."""
    late: int = 9
    """For how long a message is worth sending."""

    @property
    def seconds(self) -> int:
        return max(self.leads) + 2 + self.every * (self.steps - 1)

    def programme(self) -> Programme:
        """Staff are told when one step in four is missed."""
        first = self.seconds - self.every * (self.steps - 1)
        return Programme.model_validate(
            {
                "programme": "messages",
                "label": "Messages",
                "clock": {"short_notice": "2 minutes", "late_message": f"{self.late} minutes", "spread": "2 minutes"},
                "milestones": {
                    f"step-{number}": {
                        "label": f"étape {number}", "due": f"{first + self.every * number} minutes after start",
                        "missed": "follow-up" if number % 4 == 0 else None,
                        "remind": [
                            {"to": PARTICIPANT, "when": f"{lead} minutes before", "template": "deadline-near"}
                            for lead in self.leads
                        ],
                    }
                    for number in range(self.steps)
                },
                "ladders": {
                    "follow-up": {"urgent": True, "steps": [{"to": "referent", "after": "0 hours"}]},
                },
            }
        )  # fmt: skip


Span = tuple[Wrong, datetime, datetime | None]
"""Why nothing may reach a person, from when on, and until when; None: for ever."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as a channel saw it come in."""

    message: str
    at: datetime
    channel: str


@dataclass
class MailServer:
    """A handler of aiosmtpd that misbehaves, and keeps what it took."""

    seed: int
    taken: list[Arrived] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    ways: Counter[MailWay] = field(default_factory=Counter)
    to_staff: set[str] = field(default_factory=set)
    """Ids of letters to members of staff."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        id = str(email.message_from_bytes(envelope.content)["Message-ID"]).strip("<>").partition("@")[0]
        if not any(to.endswith("@people.example") for to in envelope.rcpt_tos):
            self.to_staff.add(id)
            return "250 taken"
        self.seen[id] += 1
        way = list(MailWay)[(self.seed + list(self.seen).index(id)) % len(MailWay)]
        self.ways[way] += 1
        if way is MailWay.REFUSES:
            return "554 refused"
        if way is MailWay.LATER and self.seen[id] == 1:
            return "452 later"
        self.taken.append(Arrived(id, datetime.now(UTC), "mail"))
        match way:
            case MailWay.SLOW:
                await asyncio.sleep(0.7)
            case MailWay.DROPS:
                server.transport.abort()
        return "250 taken"

    @contextmanager
    def serving(self) -> Iterator[int]:
        controller = Controller(self, hostname="127.0.0.1", port=free_port())
        controller.start()
        try:
            yield controller.port
        finally:
            controller.stop()


@dataclass
class Tally:
    """What landed, how many messages were at risk of each wrong, and what went wrong."""

    landed: Counter[str] = field(default_factory=Counter)
    at_risk: Counter[Wrong] = field(default_factory=Counter)
    looked: int = 0
    """Messages that only the last look before sending held back."""
    fates: Counter[str] = field(default_factory=Counter)
    wrong: list[Violation] = field(default_factory=list)

    def lines(self) -> list[str]:
        codes = Counter(found.code for found in self.wrong)
        return [
            *(f"{kind:<66} landed {count:>5}" for kind, count in sorted(self.landed.items())),
            *(f"messages {fate:<57} {count:>12}" for fate, count in sorted(self.fates.items())),
            *(f"at risk of {wrong:<20} {self.at_risk[wrong]:>5}, wrong {codes[wrong]}" for wrong in Wrong),
            f"held back by the last look alone {self.looked:>5}",
        ]

    def few(self, each: int) -> list[str]:
        """What was not tried often enough to prove anything."""
        return [
            *(kind for kind in KINDS if self.landed[kind] < (1 if kind == OUTAGE else each)),
            *(f"at risk of {wrong}" for wrong in Wrong if self.at_risk[wrong] < each),
            *(["the last look"] if self.looked < each else []),
        ]


@dataclass
class House:
    """One association: its journeys, workers, pages, gateway and mail server."""

    trial: Trial
    crew: Crew
    gateway: Process
    mail: MailServer
    draw: random.Random
    referent: By
    life: Life
    landed: Counter[str] = field(default_factory=Counter)
    deaths: list[datetime] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    whose: dict[str, Person] = field(default_factory=dict)
    """By the id of the person."""
    silent: dict[str, list[Span]] = field(default_factory=dict)
    """By stream: from when until when nothing may reach the person, as whoever asked for it was told."""
    rested: datetime | None = None
    """When all was looked at last, at the end."""
    restless: list[Violation] = field(default_factory=list)
    """What had not come to rest then."""

    # --- people and what they wish

    async def begin(self, number: int) -> str:
        """A person, and their journey under way: the id of the person."""
        id, person = str(uuid.uuid4()), Person(self.crew)
        phone = None if number % MAIL_ONLY == 0 else f"06123{number:05d}"
        details = people.Details(
            first_name="Éloïse", last_name=f"N{number}", email=f"p{number}@people.example", phone=phone
        )
        with suppress(AlreadyThere):  # Stored, and the answer lost.
            await self._insist(lambda: people.register(self.trial.pool, id, details, self.referent))
        plan = c.Plan(
            person=id, programme=self.trial.programme, calendar=self.trial.calendar, referent=self.trial.referent
        )
        self.trial.persons.append(person)
        self.whose[id] = person
        await self.insist(person, self.trial.command(person, plan))
        return id

    async def insist(self, person: Person, command: Command) -> None:
        """Send a command until it has its answer, as its id lets anybody do."""
        while (sent := await self.trial.send(person, command)).answer is None:
            pass
        assert sent.answer.outcome == "accepted", sent

    async def feed(self, at_first: int, stop: asyncio.Event) -> None:
        """So many journeys, then one more every moment: there is always a message on its way; and what people do."""
        living = []
        while not stop.is_set():
            count = 1 if self.whose else at_first
            numbers = range(len(self.whose), len(self.whose) + count)
            for number, id in zip(numbers, await asyncio.gather(*map(self.begin, numbers)), strict=True):
                living.append(asyncio.create_task(self.live(number, id, stop)))
            await asyncio.sleep(FEEDING_SECONDS)
        await asyncio.gather(*living)

    async def live(self, number: int, id: str, stop: asyncio.Event) -> None:
        """Of six, one wavers, one pauses now and then, one has the journey closed."""
        match number % 6:
            case 1:
                await self.wavering(id, Wrong.OPTED_OUT, stop)
            case 3:
                await self.wavering(id, Wrong.PAUSED, stop)
            case 5:
                await self.close(id, self.draw.uniform(2, 8))

    async def wish(self, id: str, body: c.PersonBody, lag: float = 0.0) -> datetime:
        """What the person wants of messages: on their own stream, after `lag` seconds in their journeys too.

        Returns: when it held.
        """
        now = datetime.now(UTC)
        command = issue(
            RING, stream=people.stream_of(id), body=body, actor=self.trial.referent, roles=("referent",), now=now
        )
        await self._insist(lambda: people.obey(self.trial.pool, RING, command, now))
        held = datetime.now(UTC)
        await asyncio.sleep(lag)
        await self._insist(lambda: self._forward(command))
        return held

    async def _forward(self, command: Command) -> Any:
        async def client() -> Client:
            return self.trial.client

        return await forward(self.trial.pool, RING, client, command, self.crew.queue)

    async def _insist(self, ask: Any) -> Any:
        return await patiently(ask, seconds=300)

    async def wavering(self, id: str, wrong: Wrong, stop: asyncio.Event) -> None:
        """Wants no messages, wants them again, and so on; what was asked for is told late to the journeys."""
        now_on, off = _wishes(wrong)
        spans = self.silent.setdefault(self.whose[id].stream, [])
        while not stop.is_set():
            await asyncio.sleep(self.draw.uniform(1, 4))
            asked = asyncio.create_task(self.wish(id, now_on, LAG))
            spans.append((wrong, await self._held(id, wrong), None))
            await asked
            await asyncio.sleep(self.draw.uniform(8, 14))
            if not stop.is_set():
                spans[-1] = (*spans[-1][:2], datetime.now(UTC))
                await self.wish(id, off)

    async def silence(self, id: str, wrong: Wrong, lag: float) -> None:
        """Wants no messages from now on; their journeys hear of it late."""
        asked = asyncio.create_task(self.wish(id, _wishes(wrong)[0], lag))
        held = await self._held(id, wrong)
        self.silent.setdefault(self.whose[id].stream, []).append((wrong, held, None))
        await asked

    async def close_while_waiting(self, id: str) -> None:
        """Close a journey while a message of it waits for the end of the night, if one ever does."""
        person = self.whose[id]
        while _writes_still(state := await self.trial.state(person)):
            soonest = datetime.now(UTC) + timedelta(seconds=MOMENT + 2)
            if any(each.until is not None and each.until > soonest for each in state.messages.values()):
                await self.close(id, 0)
                return
            await asyncio.sleep(0.3)

    async def stop_in_doubt(self, id: str) -> None:
        """Opt out while the gateway has a message, and did not say so, if it ever has one."""
        person = self.whose[id]
        while _writes_still(state := await self.trial.state(person)):
            if state.messages.keys() & ledger.questions(self.gateway.ledger).keys():
                await self.silence(id, Wrong.OPTED_OUT, 0.0)
                return
            await asyncio.sleep(0.3)

    async def _held(self, id: str, wrong: Wrong) -> datetime:
        """From when on the person's own row says so."""
        while True:
            with suppress(*OUTAGE_ERRORS):
                known = await people.person(self.trial.pool, id)
                assert known is not None
                if known.opted_out if wrong is Wrong.OPTED_OUT else known.paused_until is not None:
                    return datetime.now(UTC)
            await asyncio.sleep(0.05)

    async def close(self, id: str, after: float) -> None:
        await asyncio.sleep(after)
        person = self.whose[id]
        await self.insist(person, self.trial.command(person, c.Close(outcome="completed"), supervisor=True))
        self.silent.setdefault(person.stream, []).append((Wrong.CLOSED, datetime.now(UTC), None))

    # --- faults

    async def kill_at(self, point: SendPoint) -> bool:
        """The next worker that comes to this step of any message dies there."""
        orders, before = self.crew.orders, self.crew.orders.landed(point)
        orders.order(point)
        end = time.monotonic() + LANDING_SECONDS
        while orders.landed(point) == before and time.monotonic() < end:
            await asyncio.sleep(0.05)
        if orders.landed(point) == before and orders.take_back(point):
            return False
        self.deaths.append(datetime.now(UTC))
        self.landed[point] += 1
        return True

    async def outage(self, seconds: float) -> None:
        """Everything of ours stopped, workers first and PostgreSQL last, then begun again."""
        begun = datetime.now(UTC)
        async with self.crew.gone():
            with self.trial.servers.outage():
                await asyncio.sleep(seconds)
        await patiently(lambda: self.trial.pool.fetchval("SELECT 1"), seconds=60)
        self.outages.append(Outage(begun, datetime.now(UTC)))
        self.landed[OUTAGE] += 1

    # --- the end

    async def rest(self) -> None:
        """Until every message has come to something, and every notice of the gateway was taken and told."""
        end = time.monotonic() + self.life.seconds + SETTLING_SECONDS
        while True:
            self.rested, self.restless = datetime.now(UTC), []
            for person in self.trial.persons:
                state = await self.trial.state(person)
                if _writes_still(state) or _overslept(state, self.rested):
                    self.restless.append(Violation("not-at-rest", person.stream, str(agenda.first(state))))
            if waiting := await patiently(lambda: self.trial.pool.fetchval(_WAITING)):
                self.restless.append(Violation("not-at-rest", "receipts", f"{waiting} kept and not told"))
            if untold := ledger.untold(self.gateway.ledger):
                self.restless.append(Violation("not-at-rest", "notices", f"{untold} not taken"))
            if not self.restless or time.monotonic() > end:
                return
            await asyncio.sleep(0.5)

    async def _laid(self) -> list[Arrived]:
        """Letters on paper, which wait to be posted: the last channel, that of whom no other reaches."""
        rows = await patiently(lambda: self.trial.pool.fetch("SELECT message::text, at FROM paper_letters"))
        return [Arrived(row["message"], row["at"], "letter") for row in rows]

    async def account(self) -> Tally:
        """Hold what channels saw against what the journal says of each message; at rest, that against what was owed."""
        tally, asked = Tally(wrong=list(self.restless)), ledger.asked(self.gateway.ledger)
        questions, clear = ledger.questions(self.gateway.ledger), dict[Way, list[Message]]()
        tally.landed = (
            self.landed + Counter(self.mail.ways) + Counter({f"gateway: {way}": n for way, n in asked.items()})
        )
        seen: dict[str, list[Arrived]] = {}
        for each in (*self.mail.taken, *_texted(self.gateway.ledger), *await self._laid()):
            seen.setdefault(each.message, []).append(each)
        attempts = await patiently(lambda: self.trial.pool.fetch(_ATTEMPTS))
        tried: dict[str, list[str]] = defaultdict(list)
        for row in attempts:
            tried[str(row["message"])].append(f"{row['channel']} {row['fate']}")
        unclear = {str(row["message"]) for row in attempts if row["fate"] in (None, "unknown")}
        tally.at_risk[Wrong.TWICE] += len(unclear | {id for id, ways in tried.items() if len(ways) > 1})
        known = set[str]()
        texts = await texts_of(self.trial.pool, (self.trial.programme, self.trial.calendar))
        book = open_handbook(texts[self.trial.programme], texts[self.trial.calendar])
        for person in self.trial.persons:
            events = await self.trial.events(person)
            told = [Message(event.data, event.recorded_at) for event in events
                    if isinstance(event.data, e.MessageDue) and event.data.to == PARTICIPANT]  # fmt: skip
            by_id = {each.due.message: each for each in told}
            for event in events:
                _take(by_id, event)
            known |= by_id.keys()
            self._risks(tally, events, told)
            spans = [*self.silent.get(person.stream, ()), *_spans(events)]
            for each in told:
                tally.fates[f"{each.fate} {each.reason}".strip()] += 1
                ways = questions.get(each.due.message, [])
                tally.wrong += _judged(each, seen.get(each.due.message, ()), spans, ways)
                if len(ways) == 1 and ways[0] in _CLEAR and not self._touched(each):
                    clear.setdefault(ways[0], []).append(each)
            tally.wrong += [
                Violation(f"invariant-{each.invariant}", person.stream, each.code)
                for each in check(
                    events, complete=False, book=book, outages=self.outages, next_due=_next_due, strict=True
                )
            ]
            if self.rested is not None:
                tally.wrong += _owed(person.stream, self.life, events)
                tally.wrong += _alerts(person.stream, events, self.rested, self.mail.to_staff)
        tally.wrong += _in_doubt(clear)
        tally.wrong += [Violation(Wrong.UNACCOUNTED, id, "left, and the journal does not know it")
                             for id in seen.keys() - known]  # fmt: skip
        tally.wrong += [
            replace(each, why=f"{each.why}; on record: {', '.join(tried[each.where])}")
            for each in _asked_twice(questions)
        ]
        tally.at_risk[Wrong.TOLD_TWICE] += asked[Way.TWICE] + asked[Way.BACKWARDS]
        forged = ledger.forged(self.gateway.ledger)
        tally.at_risk[Wrong.BELIEVED] += len(forged)
        tally.wrong += [
            Violation(Wrong.BELIEVED, body, f"answered {status}") for body, status in forged if status != 401
        ]

        tally.wrong += [Violation("worker-ended", self.crew.queue, str(code)) for code in self.crew.ended]
        return tally

    def _touched(self, each: "Message") -> bool:
        """Whether anything else than the gateway may have left it in doubt: another channel, a death, an outage."""
        begins, ends = each.recorded, (each.settled or datetime.now(UTC)) + timedelta(seconds=MOMENT)
        fell = any(begins <= at <= ends for at in self.deaths)
        away = any(gap.begins <= ends and begins <= gap.ends for gap in self.outages)
        return fell or away or each.due.message in self.mail.seen

    def _risks(self, tally: Tally, events: Sequence[Event[Payload]], told: Sequence["Message"]) -> None:
        """Count the messages that would have gone wrong, had nothing stood in the way."""
        risk = tally.at_risk
        stops = [*self.deaths, *(each.begins for each in self.outages)]
        for each in told:
            risk[Wrong.NIGHT] += deep_in_the_night(each.due.at, MOMENT)
            risk[Wrong.UNACCOUNTED] += any(
                each.recorded <= at and (each.settled is None or at <= each.settled) for at in stops
            ) or any(gap.begins <= each.due.at <= gap.ends for gap in self.outages)  # fmt: skip
            match each.reason:
                case "too-late":
                    risk[Wrong.TOO_LATE] += 1
                case "opted-out":
                    risk[Wrong.OPTED_OUT] += 1
                case "paused":
                    risk[Wrong.PAUSED] += 1
                case "closed":
                    risk[Wrong.CLOSED] += 1
            tally.looked += each.looked
        closed = next((event.recorded_at for event in events if isinstance(event.data, e.JourneyClosed)), None)
        if closed is not None:
            reminders = [at for event in events if isinstance(event.data, e.DeadlineSet | e.DeadlineMoved)
                         for at in event.data.reminders]  # fmt: skip
            risk[Wrong.CLOSED] += sum(each.at > closed for each in reminders)


def _wishes(wrong: Wrong) -> tuple[c.PersonBody, c.PersonBody]:
    """What a person says who wants no messages, and who wants them again."""
    if wrong is Wrong.OPTED_OUT:
        return c.OptOut(), c.OptIn()
    return c.PauseMessages(until=paris_today() + timedelta(days=1)), c.ResumeMessages()


def _writes_still(state: State) -> bool:
    """Whether a journey has messages under way or planned."""
    planned = state.is_open and any(each.next_reminder for each in state.deadlines.values())
    return bool(planned or state.messages or state.effects)


def _overslept(state: State, now: datetime) -> bool:
    """Whether something of it was due a while ago."""
    due = agenda.first(state)
    return due is not None and due.at < now - timedelta(seconds=MOMENT)


def _next_due(events: Sequence[Event[Payload]]) -> datetime | None:
    due = agenda.first(fold(events))
    return None if due is None else due.at


_ATTEMPTS: Final = """
    SELECT message, channel, fate FROM message_attempts LEFT JOIN message_ends USING (message, number) ORDER BY number
"""
_WAITING: Final = """
    SELECT count(*) FROM message_receipts r
    WHERE NOT EXISTS (SELECT FROM message_receipt_outcomes o WHERE o.event = r.event)
"""


@dataclass
class Message:
    """One message to the person, as the journal tells it."""

    due: e.MessageDue
    recorded: datetime
    fate: str = "open"
    reason: str = ""
    settled: datetime | None = None
    outcomes: int = 0
    looked: bool = False
    """Held back by the effect itself, after the rules had let it go."""
    delivered: int = 0
    bounced: int = 0
    bounced_after: bool = False


def _take(known: dict[str, Message], event: Event[Payload]) -> None:
    """Note what an event says of a message."""
    data = event.data
    each = known.get(getattr(data, "message", ""))
    if each is None:
        return
    match data:
        case e.MessageDeferred(effect=effect):
            each.looked = each.looked or (effect is not None and _is_night(data))
        case e.MessageSent() | e.MessageFailed() | e.MessageSuppressed() | e.MessageUnknown():
            each.fate = type(data).__name__.removeprefix("Message").lower()
            each.reason, each.settled = str(getattr(data, "reason", "")), event.recorded_at
            each.outcomes += 1
            each.looked = each.looked or (isinstance(data, e.MessageSuppressed) and data.effect is not None)
        case e.MessageDelivered():
            each.delivered += 1
        case e.MessageBounced():
            each.bounced += 1
            each.bounced_after = each.bounced_after or each.delivered > 0


def _is_night(data: e.MessageDeferred) -> bool:
    """Whether a message was put off to the end of a night, not by what its channel said."""
    return (data.until.timestamp() % 1) == 0


def _judged(
    each: Message, seen: Sequence[Arrived], spans: Sequence[tuple[Wrong, datetime, datetime | None]],
    ways: Sequence[Way],
) -> list[Violation]:  # fmt: skip
    """What is wrong with one message."""
    id, found = each.due.message, list[Violation]()
    if each.outcomes != 1:
        found.append(Violation(Wrong.UNACCOUNTED, id, f"{each.outcomes} outcomes"))
    if len(seen) > 1:
        found.append(Violation(Wrong.TWICE, id, " ".join(one.channel for one in seen)))
    if seen and each.fate not in ("sent", "unknown"):
        found.append(Violation(Wrong.UNACCOUNTED, id, f"left, and {each.fate} {each.reason}"))
    if not seen and each.fate == "sent":
        found.append(Violation(Wrong.UNACCOUNTED, id, "sent, and no channel saw it"))
    if each.delivered > 1 or each.bounced_after:
        found.append(Violation(Wrong.TOLD_TWICE, id))
    if each.bounced and Way.WRONG in ways:
        found.append(Violation(Wrong.BELIEVED, id, "told as bounced"))
    for one in seen:
        at = one.at.astimezone(UTC)
        if deep_in_the_night(at, MOMENT):
            found.append(Violation(Wrong.NIGHT, id, f"{one.channel} {at}"))
        if at > each.due.valid_until + timedelta(seconds=MOMENT):
            found.append(Violation(Wrong.TOO_LATE, id, f"{one.channel} {at - each.due.valid_until}"))
        found += [
            Violation(wrong, id, f"{one.channel} {at - begins}")
            for wrong, begins, ends in spans
            if begins + timedelta(seconds=MOMENT) < at and (ends is None or at < ends)
        ]
    return found


def _spans(events: Sequence[Event[Payload]]) -> list[Span]:
    """From when until when the journal itself says that the person wants nothing: STOP by phone is among it."""
    spans: list[Span] = []
    begun: datetime | None = None
    for event in events:
        match event.data:
            case e.OptedOut():
                begun = begun or event.recorded_at
            case e.OptedIn() if begun is not None:
                # Asked for a moment before it was recorded here: what left in between was wanted again.
                spans.append((Wrong.OPTED_OUT, begun, event.occurred_at))
                begun = None
    return [*spans, *([(Wrong.OPTED_OUT, begun, None)] if begun is not None else [])]


def _texted(books: Path) -> list[Arrived]:
    return [Arrived(each.key, each.at, "sms") for each in ledger.reached(books)]


def _asked_twice(questions: Mapping[str, Sequence[Way]]) -> list[Violation]:
    """Asked for again although the gateway had not said that it did not take it: it says so once a message, and each
    time where it refuses; then it is asked again if the mail takes nothing either and the phone turned out to be alive.
    """
    unsent = {*NOT_AT_FIRST, Way.ERROR_AFTER}
    return [
        Violation(Wrong.TWICE, key, f"asked {len(ways)} times, {ways[0]}")
        for key, ways in questions.items()
        if ways[0] is not Way.REFUSES and len(ways) > (2 if ways[0] in unsent else 1)
    ]


def _owed(stream: str, life: Life, events: Sequence[Event[Payload]]) -> list[Violation]:
    """Of a journey that is open: each step has a deadline, and each reminder that lay ahead then was called for."""
    if any(isinstance(event.data, e.JourneyClosed) for event in events):
        return []
    steps = [(event.data.at, event.recorded_at) for event in events if isinstance(event.data, e.DeadlineSet)]
    owed = sum(at - timedelta(seconds=lead) > since for at, since in steps for lead in life.leads)
    due = sum(isinstance(event.data, e.MessageDue) and event.data.purpose == "reminder" for event in events)
    if (len(steps), due) == (life.steps, owed):
        return []
    return [Violation(Wrong.UNACCOUNTED, stream, f"{len(steps)} of {life.steps} steps, {due} of {owed} reminders")]


def _alerts(stream: str, events: Sequence[Event[Payload]], rested: datetime, letters: set[str]) -> list[Violation]:
    """Each alert came to something, or waits for the morning; whoever was told has a letter."""
    found, state = list[Violation](), fold(events)
    told = [event.data for event in events if isinstance(event.data, e.EscalationTold | e.EscalationUntold)]
    ended = {each.escalation for each in told} | {
        event.data.escalation for event in events if isinstance(event.data, e.EscalationResolved)
    }
    for event in events:
        if isinstance(event.data, e.EscalationRaised) and event.recorded_at < rested:
            id = event.data.escalation
            telling = any(
                effect.kind == "tell" and effect.id == id and events[seq - 1].recorded_at >= rested
                for seq, effect in state.effects.items()
            )
            waits = telling or (id in state.escalations and state.escalations[id].tell_at is not None)
            if id not in ended and not waits:
                found.append(Violation(Wrong.UNACCOUNTED, stream, f"nobody was told of {event.data.about}"))
    for each in told:
        message = uuid.uuid5(uuid.UUID(stream.partition("-")[2]), f"tell/{each.effect}")
        for who in each.told if isinstance(each, e.EscalationTold) else ():
            if str(uuid.uuid5(message, who)) not in letters:
                found.append(Violation(Wrong.UNACCOUNTED, stream, f"told of {each.escalation}, and no letter came"))
    return found


def _in_doubt(clear: Mapping[Way, Sequence[Message]]) -> list[Violation]:
    """On a busy machine a clear answer may come too late once, and not for most messages of a way."""
    found = []
    for way, told in clear.items():
        doubted = [each for each in told if each.fate == "unknown"]
        if len(doubted) > 1 and 2 * len(doubted) > len(told):
            found.append(Violation("in-doubt-though-answered", way, f"{len(doubted)} of {len(told)}"))
    return found


# --- one campaign


@asynccontextmanager
async def open_house(
    home: Path, servers: Servers, seed: int, *, life: Life, size: int = 2,
    without: frozenset[Guard] = frozenset(), drawn: Sequence[Way] = DRAWN,
) -> AsyncIterator[House]:  # fmt: skip
    """Workers, pages, a gateway and a mail server on a fresh database; time is hastened."""
    port, mail = free_port(), MailServer(seed)
    home.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        stack.enter_context(hastened())
        smtp = stack.enter_context(mail.serving())
        gateway = stack.enter_context(
            gateway_process(
                home / "gateway.sqlite", "--notices", f"http://127.0.0.1:{port}{RECEIPTS}", "--secret", SECRET,
                "--seed", str(seed), "--drawn", ",".join(drawn), "--hang-seconds", "2.5", "--late-seconds", "0.7",
                "--retry-seconds", "1",
            )
        )  # fmt: skip
        trial = await stack.enter_async_context(open_trial(servers))
        rules = programme_text(life.programme())
        trial.programme = await publishing.keep(trial.pool, "programme", "messages", rules)
        settings = {
            "FAULTS_HASTENED": "1", "JOURNEYS_ASSOCIATION": "L’asso", "JOURNEYS_DUTY_ADDRESS": "duty@example.org",
            "JOURNEYS_SMS__URL": gateway.url, "JOURNEYS_SMS__TOKEN": TOKEN, "JOURNEYS_SMS__NOTICE_SECRET": SECRET,
            "JOURNEYS_SMTP__HOST": "127.0.0.1", "JOURNEYS_SMTP__PORT": str(smtp), "JOURNEYS_SMTP__TLS": "none",
            "JOURNEYS_SMTP__TIMEOUT_SECONDS": "1.5", "JOURNEYS_SMTP__SENDER": "suivi@association.example",
        }  # fmt: skip
        queue = f"messages-{seed}-{uuid.uuid4().hex[:6]}"
        crew = await stack.enter_async_context(
            running_crew(home, servers.info, trial.database_url, queue, size=size, without=without, settings=settings)
        )
        await stack.enter_async_context(running_pages(crew, port, home / "web.log"))
        by = By(actor=trial.referent, role="referent", at=datetime.now(UTC))
        yield House(trial, crew, gateway, mail, random.Random(seed), by, life)


async def campaign(
    home: Path,
    servers: Servers,
    seed: int,
    *,
    journeys: int,
    life: Life,
    each: int,
    outage: float,
    patience: float = 60,
) -> Tally:
    """So many deaths at each point, an outage, more journeys until enough was at risk; then all is accounted for."""
    async with open_house(home, servers, seed, life=life) as house:
        stop = asyncio.Event()
        feeding = asyncio.create_task(house.feed(journeys, stop))
        for _ in range(each):
            await asyncio.gather(*map(house.kill_at, SendPoint))
        await house.outage(outage)
        end = time.monotonic() + patience
        while (begun := time.monotonic()) < end and (await house.account()).few(each):
            rest = max(2, COUNTING_RESTS * (time.monotonic() - begun))
            # No message came to that step while it was waited for: on a busy machine few do.
            missed = [point for point in SendPoint if house.landed[point] < each]
            await asyncio.gather(asyncio.sleep(rest), *map(house.kill_at, missed))
        stop.set()
        await feeding
        await house.rest()
        return await house.account()


# --- a guard taken away


@dataclass(frozen=True, slots=True)
class Control:
    """What is taken away, what must be found, and how the gateway treats messages meanwhile."""

    guards: frozenset[Guard]
    expected: tuple[Wrong, ...]
    drawn: tuple[Way, ...] = DRAWN


CONTROLS: Final[dict[str, Control]] = {
    "neither claim nor attempt is looked at": Control(frozenset({Guard.CLAIM, Guard.ATTEMPT}), (Wrong.TWICE,)),
    "nobody looks again before sending": Control(frozenset({Guard.LOOK}), (Wrong.OPTED_OUT, Wrong.PAUSED)),
    "a closing silences nothing": Control(frozenset({Guard.CLOSING}), (Wrong.CLOSED,)),
    "no night is spared": Control(frozenset({Guard.QUIET}), (Wrong.NIGHT,)),
    "nothing comes too late": Control(frozenset({Guard.VALIDITY}), (Wrong.TOO_LATE,)),
    "what may have left is forgotten": Control(frozenset({Guard.DOUBT}), (Wrong.UNACCOUNTED,), (Way.ERROR_AFTER,)),
    "receipts are noted whenever they come": Control(frozenset({Guard.RECEIPTS}), (Wrong.TOLD_TWICE,)),
    "whoever tells is believed": Control(frozenset({Guard.NOTICES}), (Wrong.BELIEVED,), (Way.WRONG,)),
}
"""Every wrong is found by one of them."""


async def without(home: Path, servers: Servers, control: Control) -> Tally:
    """What is found once these guards are gone, and how much was at risk."""
    guards, drawn = control.guards, control.drawn
    async with open_house(home, servers, 3, life=Life(steps=3), without=guards, drawn=drawn) as house:
        ids = await asyncio.gather(*map(house.begin, range(12)))
        if Guard.LOOK in guards:
            await asyncio.gather(
                *(house.silence(id, (Wrong.OPTED_OUT, Wrong.PAUSED)[nth % 2], 20.0) for nth, id in enumerate(ids))
            )
        if Guard.CLOSING in guards:
            await asyncio.sleep(3)
            ids += await asyncio.gather(*map(house.begin, range(12, 24)))
            await asyncio.gather(*map(house.close_while_waiting, ids))
        if Guard.DOUBT in guards:
            await asyncio.gather(*map(house.stop_in_doubt, ids))
        if Guard.VALIDITY in guards:
            await asyncio.sleep(4)
            async with house.crew.gone():
                await asyncio.sleep(24)  # Each is of use for nine, and three are allowed.
        if Guard.ATTEMPT in guards:
            for _ in range(3):
                await house.kill_at(SendPoint.AFTER_CHANNEL)
        await house.rest()
        return await house.account()


# --- the command


async def main(given: argparse.Namespace) -> int:
    begun, sound = time.monotonic(), True
    logging.getLogger("asyncpg").setLevel(logging.ERROR)  # It tells each connection that it could not make.
    with a_home() as home, running_servers(home / "data") as servers:
        if not given.controls_only:
            life = Life(steps=STEPS)
            tally = await campaign(
                home / "messages", servers, given.seed, journeys=given.journeys, life=life, each=given.each,
                outage=given.outage, patience=given.each * 20,
            )  # fmt: skip
            print(f"seed {given.seed}, {given.journeys} journeys at first, {time.monotonic() - begun:.0f} s")
            print("\n".join(tally.lines()))
            few = tally.few(given.each)
            for kind in few:
                print(f"too few: {kind}")
            for violation, count in Counter(tally.wrong).most_common(60):
                print(f"VIOLATION {violation} {'' if count == 1 else f'({count} times)'}")
            sound = not (tally.wrong or few)
            if tally.wrong:
                (home / KEPT).touch()
                print(f"logs and data are kept in {home}", flush=True)
        for nth, (name, control) in enumerate(CONTROLS.items()):
            tally = await without(home / f"without-{nth}", servers, control)
            for wrong in control.expected:
                found = [each for each in tally.wrong if each.code == wrong]
                said = found[0] if found else "NOT FOUND OUT"
                print(f"{name}: {said} ({len(found)}; at risk {tally.at_risk[wrong]})", flush=True)
                sound = sound and bool(found)
    return 0 if sound else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--journeys", type=int, default=40)
    parser.add_argument("--each", type=int, default=30)
    parser.add_argument("--outage", type=float, default=120)
    parser.add_argument("--controls-only", action="store_true")
    sys.exit(asyncio.run(main(parser.parse_args())))
