"""Plays a cohort's lives side by side on the embedded stack: months of virtual time, a real server, a real record."""

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client

from journeys import clock, temporal
from journeys.audit.verdicts import Verification
from journeys.audit.verifying import Sources, verify_all
from journeys.authoring.calendars import calendar_text
from journeys.contract import TASK_QUEUE, Answer
from journeys.domain import commands as c
from journeys.domain.commands import Command
from journeys.domain.events import read_event
from journeys.domain.evolve import fold
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.record import SYSTEM, Event, Payload
from journeys.domain.state import State
from journeys.i18n import either
from journeys.identifiers import uuid7
from journeys.issuing import forwarded, issue
from journeys.local.acting import Actors, Names, NotThere, Script, end_of
from journeys.local.bank_days import ACCOUNT, BankDays, FinanceOf, Heard, Reconciled, bank_day_after, heard, reconcile
from journeys.local.lives import Life, Lives, Step, When
from journeys.local.outcomes import (
    Aid,
    Alert,
    Outcome,
    Refusal,
    aids_of,
    alerts_of,
    latest_of,
    outcome_of,
    refusals_of,
)
from journeys.local.record import StackInfo
from journeys.local.stack import Stack
from journeys.local.time_skipping import VirtualTime
from journeys.settings import load_settings
from journeys.store import journal, keys, mentors, partners, people, publishing, staff, treasury
from journeys.store.database import Pool, open_pool
from journeys.store.directory import By
from journeys.store.funds import Fund, funds
from journeys.store.keys import Keys
from journeys.store.migrating import migrate
from journeys.store.signing import KeyRing

WORKER: Final = Path(__file__).resolve().parents[2] / "worker.py"
"""The worker's program: beside the package, in a checkout and in a wheel."""

ON_TIME: Final = timedelta(minutes=5)
"""Nothing that comes by itself may be recorded later than this after its moment."""

STUCK_SECONDS: Final = 120.0
"""A step that takes longer of wall time will never come: a workflow task that always fails has no other sign."""

DATABASE_CONNECTIONS: Final = 4

Progress = Callable[[str, float], None]
"""Called with what is going on (`start`, `play`, `audit`) and how much of it is done, 0 to 1."""


class PlayFailed(Exception):
    """A life did not go as its file says: who, which step, what happened instead; French and English."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(en)
        self.fr, self.en = fr, en

    def text(self, lang: str = "fr") -> str:
        return either(lang, self.fr, self.en)


@dataclass(frozen=True, slots=True)
class Played:
    """One life after its end."""

    life: Life
    events: tuple[Event[Payload], ...]
    state: State


@dataclass(frozen=True, slots=True)
class Report:
    """What a played cohort came to."""

    lives: Lives
    book: Handbook
    began: datetime
    ended: datetime
    """Virtual time; aware UTC."""
    names: Mapping[str, str]
    """Names of staff, mentors, partners, participants, by id."""
    outcomes: tuple[Outcome, ...]
    alerts: tuple[Alert, ...]
    aids: tuple[Aid, ...]
    heard: Mapping[str, Heard]
    """Where each payment went and what the bank said, by its id."""
    reconciled: Reconciled
    bank_folder: Path
    """Where the files to and from the bank lie."""
    refusals: tuple[Refusal, ...]
    funds: tuple[Fund, ...]
    latest: timedelta
    verifications: tuple[Verification, ...]
    seconds: float
    """Wall time of it all."""
    messages: int
    """Messages that left."""

    @property
    def punctual(self) -> bool:
        return self.latest <= ON_TIME

    @property
    def holds(self) -> bool:
        """Every account of every journey was compared and agrees, the bank's files too, and nothing came late."""
        return (
            self.punctual
            and self.reconciled.agrees
            and all(one.exit_code(strict=True) == 0 for one in self.verifications)
        )


async def play(
    lives: Lives, data_dir: Path, *, workflows: Sequence[type], finance: FinanceOf, progress: Progress | None = None
) -> Report:
    """Play a cohort and stop the stack. See `stage`."""
    async with stage(lives, data_dir, workflows=workflows, finance=finance, progress=progress) as (report, _):
        return report


@asynccontextmanager
async def stage(
    lives: Lives, data_dir: Path, *, workflows: Sequence[type], finance: FinanceOf, progress: Progress | None = None
) -> AsyncIterator[tuple[Report, Stack]]:
    """Play a cohort on a fresh stack in `data_dir`, which stays up inside the context, its clock at the end.

    Args:
        workflows: the workflow classes, for the replay of the audit.
        finance: makes the one who gives files out to the bank and takes its files in.
        progress: see Progress.

    Raises:
        PlayFailed: a step had another answer than its file says, or something did not go on.
        LocalError: the stack did not start; see journeys.local.failures.
    """
    began = time.monotonic()
    tell = progress or (lambda what, done: None)
    with _settings_of_nobody():
        settings = load_settings(data_dir=data_dir)
        keys = settings.signing_keys()
        cohort = _Cohort(lives, KeyRing(keys.current, dict(keys.by_id)), finance)
        tell("start", 0.0)
        async with Stack.start(
            data_dir, worker_command=(sys.executable, str(WORKER)), time_skipping=True, after_start=cohort.prepare
        ) as stack:
            try:
                tell("start", 1.0)
                played = await cohort.play(stack.info, tell)
                yield await cohort.report(stack.info, played, workflows, tell, began), stack
            finally:
                clock.set_offset(timedelta())
                await cohort.close()


@contextmanager
def _settings_of_nobody() -> Iterator[None]:
    """A rehearsal takes no settings from its surroundings: above all it must not send mail to anybody.

    Its transfers wait for the file of an invented account.
    """
    kept = {name: value for name, value in os.environ.items() if _is_setting(name)}
    own = {"JOURNEYS_BANK": "file", **ACCOUNT}
    for name in kept:
        del os.environ[name]
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            del os.environ[name]
        os.environ.update(kept)


def _is_setting(name: str) -> bool:
    named = name.upper()
    return (
        named == "DATABASE_URL"
        or named.startswith("TEMPORAL_")
        or (named.startswith("JOURNEYS_") and named != "JOURNEYS_LANG")
    )


@dataclass(slots=True)
class _Cohort:
    """What all lives of a cohort share while they are played."""

    lives: Lives
    ring: KeyRing
    finance: FinanceOf
    pool: Pool = None
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    programme: str = ""
    calendar: str = ""
    names: Names = field(default_factory=lambda: Names({}, {}, {}))
    called: dict[str, str] = field(default_factory=dict)
    book: Handbook = field(init=False)
    bank: BankDays = field(init=False)

    def __post_init__(self) -> None:
        zone = self.lives.programme.programme.clock
        self.book = open_handbook(self.lives.programme.text, calendar_text(zone.zone, zone.calendar, self.began.year))

    # --- before

    async def prepare(self, info: StackInfo) -> None:
        """Everything that is there before the first life begins."""
        await migrate(info.database_url)
        kept = Keys.beside(info.database_url, load_settings(data_dir=info.data_dir))
        await keys.prepare(kept.dsn)
        self.pool = await open_pool(info.database_url, largest=DATABASE_CONNECTIONS, keys=kept)
        by = By(actor=SYSTEM, role=SYSTEM, at=self.began)
        file = self.lives.programme
        self.programme = await publishing.publish(self.pool, file.programme.programme, file.text, by)
        told = file.programme.clock
        text = calendar_text(told.zone, told.calendar, self.began.year)
        self.calendar = await publishing.keep(self.pool, "calendar", told.calendar, text)
        self.names = Names(
            {handle: uuid7(self.began) for handle in self.lives.cohort.staff},
            {handle: uuid7(self.began) for handle in self.lives.cohort.mentors},
            {handle: uuid7(self.began) for handle in self.lives.cohort.partners},
        )
        await self._people_around(by)
        fund = self.lives.cohort.fund
        if fund is not None:
            await treasury.open_fund(
                self.pool,
                uuid7(self.began),
                fund.code,
                cap_per_person=fund.cap_per_person,
                balance=fund.balance,
                by=by,
            )

    async def _people_around(self, by: By) -> None:
        cohort = self.lives.cohort
        for handle, one in cohort.staff.items():
            id = self.names.staff[handle]
            self.called[id] = one.name
            await staff.add(
                self.pool,
                staff.Member(
                    id=id, handle=handle, name=one.name, email=one.email, phone=None, language="fr", roles=one.roles,
                    sites=one.sites, active=True,
                ),
                by,
            )  # fmt: skip
        for handle, member in cohort.staff.items():
            for away in member.away:
                deputy = None if away.deputy is None else self.names.staff[away.deputy]
                first, last = self._day(away.since), self._day(away.until)
                await staff.set_absence(self.pool, staff.Absence(self.names.staff[handle], first, last, deputy), by)
        for handle, volunteer in cohort.mentors.items():
            id = self.names.mentors[handle]
            self.called[id] = volunteer.name
            await mentors.add(
                self.pool,
                mentors.Mentor(
                    id=id, name=volunteer.name, email=volunteer.email, phone=None, language="fr", site=volunteer.site,
                    capacity=volunteer.capacity,
                ),
                by,
            )  # fmt: skip
        for handle, partner in cohort.partners.items():
            id = self.names.partners[handle]
            self.called[id] = partner.name
            await partners.add(
                self.pool,
                partners.Partner(
                    id=id, name=partner.name, kind=partner.kind, email=partner.email, phone=None, language="fr",
                    site=partner.site,
                ),
                by,
            )  # fmt: skip

    def _day(self, when: When) -> Any:
        calendar = self.book.calendar
        life = self.lives.cohort.lives[0]
        return Script(self.lives.cohort, life, calendar, calendar.day(self.began)).day(when, rolled=False)

    # --- during

    def _one_after_the_other(self) -> Iterator[datetime]:
        """An instant for each life, so that their ids differ where people read them, at the beginning."""
        return (self.began + timedelta(milliseconds=number) for number in itertools.count())

    async def play(self, info: StackInfo, tell: Progress) -> list["_Journey"]:
        """Every life to its end, side by side."""
        client = await Client.connect(
            info.temporal_address, namespace=info.temporal_namespace, plugins=[temporal.plugin(self.pool.keys)]
        )
        virtual = VirtualTime(client)
        self.bank = BankDays(
            self.book.calendar, self.pool, self.finance(self.pool, self.ring, virtual.client), self._clerk,
            folder_of(info.data_dir),
        )  # fmt: skip
        begun = [
            _Journey(self, life, virtual, uuid7(at), uuid7(at))
            for life, at in zip(self.lives.cohort.lives, self._one_after_the_other(), strict=False)
        ]
        for journey in begun:
            await journey.register()
            if journey.has_money:
                self.bank.join(journey.id, self.began)
        watching = asyncio.create_task(_watch(begun, tell))
        try:
            async with asyncio.TaskGroup() as group:
                for journey in begun:
                    group.create_task(journey.live())
        except ExceptionGroup as failures:
            raise _first(failures) from None
        finally:
            watching.cancel()
        tell("play", 1.0)
        return begun

    @property
    def _clerk(self) -> str:
        staff = self.lives.cohort.staff
        return next((self.names.staff[handle] for handle, one in staff.items() if "finance" in one.roles), SYSTEM)

    # --- after

    async def report(
        self, info: StackInfo, begun: list["_Journey"], workflows: Sequence[type], tell: Progress, started: float
    ) -> Report:
        """Read what became of all, and verify it."""
        tell("audit", 0.0)
        ended = self.end
        clock.set_offset(ended - datetime.now(UTC))
        played = [Played(journey.life, await journey.events(), await journey.known()) for journey in begun]
        sources = Sources(self.pool, self.ring, begun[0].virtual.client, workflows, outages=())
        verifications = []
        streams = [journey.stream for journey in begun]
        async for verification in verify_all(sources, streams):
            verifications.append(verification)
            tell("audit", len(verifications) / len(streams))
        told = [(p, _name(p.life)) for p in played]
        aids = tuple(one for p, name in told for one in aids_of(p.state.stream, name, p.events))
        paid = sum(one.paid_by("sepa") for one in aids)
        return Report(
            lives=self.lives, book=self.book, began=self.began, ended=ended, names=self.called,
            outcomes=tuple(
                outcome_of(p.state, p.events, self.book, name, p.life.story.model_dump()) for p, name in told
            ),
            alerts=tuple(one for p, name in told for one in alerts_of(p.state.stream, name, p.events)),
            aids=aids,
            heard=await heard(self.pool, streams),
            reconciled=await reconcile(self.pool, self.bank.folder, streams, paid, ended),
            bank_folder=self.bank.folder,
            refusals=tuple(one for p, name in told for one in refusals_of(p.state.stream, name, p.events)),
            funds=tuple(await funds(self.pool)),
            latest=max(latest_of(p.events) for p in played),
            verifications=tuple(verifications),
            seconds=time.monotonic() - started,
            messages=sum(event.kind == "MessageSent" for p in played for event in p.events),
        )  # fmt: skip

    async def close(self) -> None:
        """Let go of the database."""
        if self.pool is not None:
            await self.pool.close()

    @property
    def end(self) -> datetime:
        calendar = self.book.calendar
        return end_of(self.lives.cohort, calendar, calendar.day(self.began))

    # --- commands

    def signed(
        self, stream: str, body: Any, *, actor: str, roles: tuple[str, ...], at: datetime,
        happened: datetime | None = None, texts: Mapping[str, str] | None = None,
    ) -> Command:  # fmt: skip
        """A command as an entry point makes it."""
        return issue(
            self.ring, stream=stream, body=body, actor=actor, roles=roles, now=at, texts=texts, occurred_at=happened
        )


@dataclass(slots=True)
class _Journey:
    """One life while it is played."""

    cohort: _Cohort
    life: Life
    virtual: VirtualTime
    id: str
    person: str
    done: float = 0.0
    at: datetime = field(init=False)
    """How far it was played."""
    asked: bool = False
    """For money: from then on it keeps the bank days."""

    def __post_init__(self) -> None:
        self.at = self.cohort.began

    @property
    def has_money(self) -> bool:
        """Whether it asks for money at any time."""
        usual = self.cohort.lives.cohort.usual
        steps = [*self.life.steps, *(step for name in self.life.follows for step in usual[name])]
        return any(step.do == "request-grant" for step in steps)

    @property
    def stream(self) -> str:
        return f"journey-{self.id}"

    async def register(self) -> None:
        """The person, as the store knows people."""
        told = self.life.person
        self.cohort.called[self.person] = _name(self.life)
        await people.register(
            self.cohort.pool,
            self.person,
            people.Details(
                first_name=told.first_name, last_name=told.last_name, birth_date=told.birth_date,
                reference=told.reference, email=told.email, phone=told.phone,
            ),
            By(actor=SYSTEM, role=SYSTEM, at=self.cohort.began),
        )  # fmt: skip

    async def live(self) -> None:
        """From the plan to the end of the cohort's time. Raises PlayFailed."""
        cohort, calendar = self.cohort, self.cohort.book.calendar
        script = Script(cohort.lives.cohort, self.life, calendar, calendar.day(cohort.began))
        actors = Actors(cohort.lives.cohort, self.life, cohort.names, self.person)
        await self._plan(script)
        length = (cohort.end - cohort.began).total_seconds()
        while (planned := script.next()) is not None and planned[0] < cohort.end:
            at, step = planned
            if not await self._pass_until(at):
                raise self._failed(step, "le parcours était déjà terminé", "the journey had ended before")
            if step.do == "request-grant" and not self.asked:
                await cohort.bank.catch_up(self.id, at)
            await self._take(step, max(at, cohort.began), script, actors)
            self.done = (at - cohort.began).total_seconds() / length
        await self._pass_until(cohort.end)
        if self.has_money:
            await cohort.bank.leave(self.id)
        self.done = 1.0

    async def _pass_until(self, at: datetime) -> bool:
        """Go on to an instant, with the bank days before it once money was asked for. False: it ended before."""
        bank = self.cohort.bank
        while self.asked and (day := bank_day_after(self.cohort.book.calendar, self.at)) < at:
            await self._skip_until(day)
            self.at = day
            await bank.meet(self.id, day)
        if self.has_money:
            await bank.reach(self.id, at)
        going = await self._skip_until(at)
        self.at = max(at, self.at)
        return going

    async def _skip_until(self, at: datetime) -> bool:
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                return await self.virtual.pass_until(self.stream, at)
        except TimeoutError:
            name, day = _name(self.life), self.cohort.book.calendar.day(at).isoformat()
            raise PlayFailed(
                f"{name} : le parcours n’avance plus vers le {day} (voyez log/worker.log, avec --data-dir)",
                f"{name}: the journey does not go on to {day} (see log/worker.log, with --data-dir)",
            ) from None

    async def _plan(self, script: Script) -> None:
        cohort = self.cohort
        referent = cohort.names.staff[self.life.referent]
        body = c.Plan(
            person=self.person, programme=cohort.programme, calendar=cohort.calendar, referent=referent,
            site=self.life.site, dates={name: day for name, day in script.days.items() if name != "start"},
        )  # fmt: skip
        roles = cohort.lives.cohort.staff[self.life.referent].roles
        command = cohort.signed(self.stream, body, actor=referent, roles=roles, at=datetime.now(UTC))
        answer = await self._send(command)
        if answer.outcome != "accepted":
            raise PlayFailed(
                f"{_name(self.life)} : le parcours n’a pas pu commencer ({answer.code or answer.outcome})",
                f"{_name(self.life)}: the journey could not begin ({answer.code or answer.outcome})",
            )

    async def _take(self, step: Step, at: datetime, script: Script, actors: Actors) -> None:
        state = await self.known() if actors.needs_state(step) else State()
        try:
            acted = actors.act(step, script, state)
        except NotThere as missing:
            raise self._failed(
                step, f"« {missing.what} » n’existe pas (ou plus)", f"there is no “{missing.what}” (any more)"
            ) from None
        personal = step.do in c.PERSONAL
        command = self.cohort.signed(
            f"person-{self.person}" if personal else self.stream, acted.body, actor=acted.actor, roles=acted.roles,
            at=at, happened=acted.happened, texts=acted.texts,
        )  # fmt: skip
        answer = await (self._forward(command, at) if personal else self._send(command))
        if answer.code != step.refused or (step.refused is None and answer.outcome != "accepted"):
            said = answer.code or answer.outcome
            wanted = step.refused or "accepted"
            raise self._failed(
                step, f"réponse « {said} » au lieu de « {wanted} »", f"answered “{said}” instead of “{wanted}”"
            )
        if answer.outcome == "accepted":
            script.learn(acted.body)
            if step.do == "request-grant":
                self.asked = True
                self.cohort.bank.fates[command.id] = step.bank
            if step.name is not None:
                actors.opened[step.name] = command.id

    async def _forward(self, command: Command, at: datetime) -> Answer:
        """A command about the person: on the person's own stream first, then on the journey."""
        own = await people.obey(self.cohort.pool, self.cohort.ring, command, at)
        if own.outcome != "accepted":
            return own
        return await self._send(forwarded(self.cohort.ring, people.OwnFact.of(command, own.first), self.stream, at))

    async def _send(self, command: Command) -> Answer:
        return await temporal.send(self.virtual.client, command, task_queue=TASK_QUEUE)

    async def events(self) -> tuple[Event[Payload], ...]:
        """The life's events, as the journal has them."""
        stored = await journal.read_all(self.cohort.pool, self.stream)
        return tuple(read_event(one.read()) for one in stored)

    async def known(self) -> State:
        """What the journal's events come to."""
        return fold(await self.events())

    def _failed(self, step: Step, fr: str, en: str) -> PlayFailed:
        when = f"{step.when.moment} {step.when.hour}"
        return PlayFailed(
            f"{_name(self.life)}, {when}, {step.do} : {fr}", f"{_name(self.life)}, {when}, {step.do}: {en}"
        )


def folder_of(data_dir: Path) -> Path:
    """Where a demonstration keeps the files to and from its bank."""
    return data_dir / "bank"


def _name(life: Life) -> str:
    return f"{life.person.first_name} {life.person.last_name}"


async def _watch(begun: Sequence[_Journey], tell: Progress) -> None:
    while True:
        tell("play", sum(journey.done for journey in begun) / len(begun))
        await asyncio.sleep(0.2)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one to be told: a life that went wrong, before what merely ended with it."""
    flat = list(_flatten(failures))
    return next((one for one in flat if isinstance(one, PlayFailed)), flat[0])


def _flatten(failures: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in failures.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _flatten(one)
        else:
            yield one
