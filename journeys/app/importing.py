"""Taking over journeys that were followed elsewhere: foreseen by the rules row by row, then carried out by commands.

A row is taken whole or not at all. Its journey's id derives from the person's, the id of each command from the
journey's and from what the cell tells: the same file given twice does nothing twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from journeys.app.asking import must_be_askable
from journeys.app.caseload import Case, Fact
from journeys.app.entry import give, make_command
from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded, load
from journeys.app.reading import at_local
from journeys.app.starting import Beginning, Enrolled, Starter, already_begun
from journeys.app.telling import failure_of, refused_failure
from journeys.domain import commands as c
from journeys.domain.agenda import agenda
from journeys.domain.commands import Command
from journeys.domain.decide import Refused
from journeys.domain.evolve import evolve
from journeys.domain.handbook import Handbook
from journeys.domain.offer import make_offer
from journeys.domain.plan import plan
from journeys.domain.record import Event, Payload
from journeys.domain.state import State
from journeys.i18n import Lang, capital
from journeys.identifiers import following_id, short, uuid7
from journeys.narration import Names, sentence, what_happens_next
from journeys.store import people, views

if TYPE_CHECKING:
    from temporalio.client import Client

_TOLD: Final = frozenset({"EscalationRaised", "MessageDue", "ClosingWanted", "DateUnconfirmed"})
"""Events by which somebody hears of a journey."""


class Standing(StrEnum):
    """What a fact of the file is to a journey."""

    NEW = "new"
    KNOWN = "known"
    DIFFERS = "differs"
    """The journey says otherwise: nothing is changed, and somebody is told to look."""


def standing(fact: Fact, state: State) -> Standing:
    """How a fact stands to what is known of the journey already."""

    def among(known: object, same: bool) -> Standing:
        return Standing.NEW if known is None or known is False else Standing.KNOWN if same else Standing.DIFFERS

    match fact.body:
        case c.ReachMilestone(milestone=code) | c.Correct(id=code):
            return among(state.settled(code), state.reached(code) == fact.day)
        case c.WaiveMilestone(milestone=code):
            return among(state.settled(code), state.settled(code) and state.reached(code) is None)
        case c.RescheduleMilestone(milestone=code, on=on):
            known = state.milestones.get(code)
            return among(state.settled(code) or (known and known.rescheduled), bool(known and known.rescheduled == on))
        case c.RecordSituation(situation=name, value=value, since=since):
            told = state.situation(name, since)
            return among(told if told is not None and told.since == since else None, bool(told and told.value == value))
        case c.ConfirmDate(date=name, on=on):
            date_ = state.dates.get(name)
            return among(date_ is not None and date_.happened, date_ is not None and date_.on == on)
        case c.ExpectDate(date=name, on=on):
            date_ = state.dates.get(name)
            return among(date_, date_ is not None and date_.on == on)
        case c.ProposeMentor(mentor=mentor) | c.MatchMentor(mentor=mentor):
            return among(state.match, state.match is not None and state.match.mentor == mentor)
        case _:
            return Standing.NEW


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What taking over one row comes to: decided by the rules, sent to nobody."""

    case: Case
    wanted: Beginning | None
    """None where the journey was begun by an import before."""
    known: Loaded | None
    facts: tuple[Fact, ...]
    """Those that are new, in the order in which they happened."""
    differing: tuple[Fact, ...]
    before: State
    state: State
    """As it will be."""
    events: tuple[Event[Payload], ...]
    book: Handbook
    refused: Failure | None = None

    @property
    def settled(self) -> list[str]:
        """Milestones that are behind, by code."""
        return [code for code in self.book.programme.milestones if self.state.settled(code)]

    @property
    def left_behind(self) -> dict[str, date]:
        """Milestones without an answer whose day lies before the line in time: nothing of them is asked any more."""
        line = self.state.watch_from
        owed = {deadline.milestone for deadline in self.state.deadlines.values()}
        return {
            code: due.day or self.book.calendar.day(due.at) for code, due in plan(self.state, self.book).items()
            if code not in owed and line is not None and due.at < line
        }  # fmt: skip

    def coming(self, names: Names, lang: Lang, most: int) -> list[str]:
        """The first dues, in words."""
        dues = agenda(self.state)[:most]
        return [capital(what_happens_next(due, self.state, self.book, names, lang)) for due in dues]

    def told(self, names: Names, lang: Lang) -> list[str]:
        """Who hears of it at once, in words."""
        state, found = self.before.copy(), []
        for event in self.events:
            if event.kind in _TOLD:
                found.append(capital(sentence(event, self.book, names, lang, state)))
            evolve(state, event)
        return found


@dataclass(frozen=True, slots=True)
class Importer:
    """Takes over journeys of one programme, as its starter would begin them."""

    starter: Starter

    async def foresee(self, case: Case, wanted: Beginning, now: datetime) -> Foreseen:
        """What a row comes to now. Raises Failure: it cannot be used, or somebody else began this journey."""
        if case.failure is not None:
            raise case.failure
        for fact in case.facts:
            try:
                await must_be_askable(self.starter.pool, self.starter.rules.programme, fact.body)
            except Failure as failure:
                raise _in_column(failure, fact) from None
        found = await people.duplicates(self.starter.pool, wanted.details)
        known = await self._known(wanted, found)
        if known is None:
            wanted = await self.starter.at_home(wanted, found[0] if found else None)
            return self._foreseen(case, wanted, None, case.facts, State(stream=f"journey-{uuid7(now)}"), now)
        if not known.state.is_open:
            raise _closed(known)
        given = {event.command for event in known.events}
        fresh = (*_dates(case, now.astimezone(known.book.calendar.zone).date()), *case.facts)
        left = tuple(fact for fact in fresh if following_id(known.row.id, fact.key) not in given)
        return self._foreseen(case, None, known, left, known.state, now)

    async def carry_out(self, foreseen: Foreseen, client: "Client", task_queue: str, now: datetime) -> str:
        """Do it, and answer the journey's id.

        Raises:
            Failure: refused after all. Unreachable: no answer; the same row given again goes on where it stopped.
        """
        if foreseen.known is not None:
            journey = foreseen.known.row.id
        else:
            assert foreseen.wanted is not None
            person = await self.starter.enrolled(foreseen.wanted, now)
            journey = self._journey_of(person.id)
            await self._send(self._plan(foreseen.wanted, person, journey, now), foreseen.book, client, task_queue)
        for fact in foreseen.facts:
            await self._send(command_of(self.starter, fact, journey, now), foreseen.book, client, task_queue)
        return journey

    async def _send(self, command: Command, book: Handbook, client: "Client", task_queue: str) -> None:
        answer = await give(self.starter.pool, client, command, task_queue)
        if (failure := failure_of(answer, book)) is not None:
            raise failure

    def _journey_of(self, person: str) -> str:
        return following_id(person, f"import/{self.starter.rules.programme.programme}")

    def _plan(self, wanted: Beginning, person: Enrolled, journey: str, now: datetime) -> Command:
        return self.starter.planned(wanted, person, journey, now, id=journey)

    async def _known(self, wanted: Beginning, found: Sequence[people.Person]) -> Loaded | None:
        """The journey that an import began for one of these. Raises Failure (conflict): another one is open."""
        for person in found:
            imported = self._journey_of(person.id)
            if (row := await views.journey(self.starter.pool, imported)) is not None:
                return await load(self.starter.pool, row)
            for row in await views.journeys(self.starter.pool, person=person.id, open_only=True):
                if row.programme == self.starter.rules.programme.programme:
                    raise already_begun(wanted.details, row.id, person)
        return None

    def _foreseen(
        self, case: Case, wanted: Beginning | None, known: Loaded | None, facts: Sequence[Fact], state: State,
        now: datetime,
    ) -> Foreseen:  # fmt: skip
        book = known.book if known is not None else self.starter.rules.book
        new = tuple(fact for fact in facts if standing(fact, state) is Standing.NEW)
        differing = tuple(fact for fact in facts if standing(fact, state) is Standing.DIFFERS)
        journey = state.stream.removeprefix("journey-")
        asked: list[tuple[Fact | None, Command]] = []
        if wanted is not None:
            asked.append((None, self._plan(wanted, Enrolled(uuid7(now), wanted.details.zone), journey, now)))
        asked += [(fact, command_of(self.starter, fact, journey, now)) for fact in new]
        after, events = state, list[Event[Payload]]()
        for fact, command in asked:
            after, more, refused = _decided(after, book, command, now)
            events += more
            if refused is not None:
                failure = refused_failure(refused.code, refused.details, book)
                return Foreseen(case, wanted, known, new, differing, state, after, tuple(events), book,
                                _in_column(failure, fact))  # fmt: skip
        after, last = _caught_up(after, book, now)
        return Foreseen(case, wanted, known, new, differing, state, after, (*events, *last), book)


def command_of(starter: Starter, fact: Fact, journey: str, now: datetime) -> Command:
    """A fact as a signed command, told for the noon of its day, or the first instant of today."""
    today = fact.day == now.astimezone(starter.rules.book.calendar.zone).date()
    occurred_at = at_local(fact.day, time() if today else time(12), fact.column)
    texts = {"reason": fact.reason} if fact.reason is not None else {}
    return make_command(
        starter.ring, stream=f"journey-{journey}", body=fact.body, actor=starter.actor, now=now, texts=texts,
        id=following_id(journey, fact.key), occurred_at=occurred_at,
    )  # fmt: skip


def _dates(case: Case, day: date) -> Iterator[Fact]:
    """What the row says of the programme's dates, as commands to a journey that is under way."""
    for name, on in case.row.dates.items():
        if name in case.happened:
            yield Fact(name, on, c.ConfirmDate(date=name, on=on))
        else:
            yield Fact(name, day, c.ExpectDate(date=name, on=on))


def _decided(
    state: State, book: Handbook, command: Command, now: datetime
) -> tuple[State, list[Event[Payload]], Refused | None]:
    """The state after a command, once nothing is due before it."""
    events: list[Event[Payload]] = []
    while True:
        offer = make_offer(state, book, [command], [], now)
        state = offer.state
        events += offer.events
        if offer.decided:
            return state, events, offer.decided[0].refused


def _caught_up(state: State, book: Handbook, now: datetime) -> tuple[State, tuple[Event[Payload], ...]]:
    events: list[Event[Payload]] = []
    while not (offer := make_offer(state, book, [], [], now)).is_empty:
        state = offer.state
        events += offer.events
    return state, tuple(events)


def _in_column(failure: Failure, fact: Fact | None) -> Failure:
    """A refusal with the column that it is about."""
    if fact is None:
        return failure
    what = Said(f"{fact.column} : {failure.what.fr}", f"{fact.column}: {failure.what.en}")
    return Failure(failure.exit, failure.code, what, failure.remedy, field=fact.column, more=failure.more)


def _closed(known: Loaded) -> Failure:
    id = short(known.row.id)
    return Failure(
        Exit.CONFLICT, "duplicate",
        Said(f"{known.row.name or '—'} : parcours déjà repris, et clos depuis ({id}) ; rien n'a changé",
             f"{known.row.name or '—'}: taken over before, and closed since ({id}); nothing has changed"),
        Said(f"s'il reprend : journeys do {id} reopen", f"if it goes on: journeys do {id} reopen"),
        field="person", more={"journey": known.row.id},
    )  # fmt: skip
