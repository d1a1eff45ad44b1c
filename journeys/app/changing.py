"""Putting journeys under way under other rules: what that would do to each, and doing it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from journeys.app.entry import Actor, give, make_command, must_be_trusted
from journeys.app.failures import Failure
from journeys.app.finding import Loaded
from journeys.app.publishing import Rules, rules, shelve, text_asked, text_of_hash
from journeys.app.telling import failure_of, refused_failure
from journeys.contract import Answer
from journeys.domain.commands import ChangeProgramme, Command
from journeys.domain.evolve import evolve
from journeys.domain.offer import make_offer
from journeys.domain.programme import compile_programme
from journeys.domain.record import Event, Payload
from journeys.domain.state import State
from journeys.i18n import Lang
from journeys.narration import Names, sentence
from journeys.store.database import Pool
from journeys.store.signing import KeyRing

if TYPE_CHECKING:
    from temporalio.client import Client


@dataclass(frozen=True, slots=True)
class Wanted:
    """The other rules, and what is told with the change."""

    text: str
    """Of the programme, as it is stored."""
    reason: str
    dates: Mapping[str, date]
    """Days of the new programme's dates that are not known yet."""
    watch_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a change would do to one journey: decided by the rules, sent to nobody."""

    loaded: Loaded
    rules: Rules
    events: tuple[Event[Payload], ...]
    refused: Failure | None
    kept: tuple[str, ...]
    """Deadlines that stay as they are, by id."""

    @property
    def counted(self) -> dict[str, int]:
        """Deadlines that are set, moved, cancelled and kept; windows and alerts that end, alerts that begin anew."""
        kinds = Counter(event.kind for event in self.events)
        named = {"set": "DeadlineSet", "moved": "DeadlineMoved", "cancelled": "DeadlineCancelled",
                 "windows": "ContactCancelled", "alerts_ended": "EscalationResolved",
                 "alerts_begun": "EscalationRaised"}  # fmt: skip
        return {name: kinds[kind] for name, kind in named.items()} | {"kept": len(self.kept)}

    def sentences(self, names: Names, lang: Lang) -> list[str]:
        """The change and what follows from it, in words."""
        return [told for _, told in self.told(names, lang)]

    def told(self, names: Names, lang: Lang) -> list[tuple[str, str]]:
        """The same, each with the kind of its event."""
        book = replace(self.rules.book, former=self.loaded.book.all)
        state, told = self.loaded.state.copy(), []
        for event in self.events:
            if event.kind != "MomentsPlanned":
                told.append((event.kind, sentence(event, book, names, lang, state)))
            evolve(state, event)
        return told


def foresee(ring: KeyRing, loaded: Loaded, wanted: Wanted, actor: Actor, now: datetime) -> Foreseen:
    """What the change would do now. Whatever is due at this instant is taken first, as by the journey itself."""
    known = rules_for(loaded, wanted, now)
    command = command_of(ring, loaded, wanted, known, actor, now)
    shelf = {(known.programme_hash, known.calendar_hash): known.book}
    state = _caught_up(loaded, now)
    offer = make_offer(state, loaded.book, [command], [], now, shelf=shelf)
    refused = next((each.refused for each in offer.decided), None)
    if refused is not None:
        return Foreseen(loaded, known, (), refused_failure(refused.code, refused.details, known.book), ())
    touched = {getattr(event.data, "deadline", None) for event in offer.events}
    kept = tuple(id for id in state.deadlines if id not in touched)
    return Foreseen(replace(loaded, state=state), known, offer.events, None, kept)


def _caught_up(loaded: Loaded, now: datetime) -> State:
    state = loaded.state
    while not (offer := make_offer(state, loaded.book, [], [], now)).is_empty:
        state = offer.state
    return state


async def rules_asked(pool: Pool, asked: str, loaded: Loaded, now: datetime, before: str | None = None) -> Rules:
    """The rules meant by the name of a programme (on the command line also a path), or by the SHA-256 of its text.

    `before`: what a command of the same id named when it was first sent; it is meant again where the name is the same.
    Raises Failure.
    """
    text = await text_of_hash(pool, before) if before is not None else None
    if text is not None and asked in (before, compile_programme(text).programme):
        return rules(text, now.date(), loaded.state.start)
    return rules(await text_asked(pool, asked), now.date(), loaded.state.start)


def rules_for(loaded: Loaded, wanted: Wanted, now: datetime) -> Rules:
    """The other rules with the calendar of ten years from the journey's first one."""
    return rules(wanted.text, now.date(), loaded.state.start)


def command_of(
    ring: KeyRing, loaded: Loaded, wanted: Wanted, known: Rules, actor: Actor, now: datetime, id: str | None = None
) -> Command:
    """The signed command."""
    missing = {
        name: on for name, on in wanted.dates.items()
        if name not in loaded.state.dates or loaded.state.dates[name].cancelled
    }  # fmt: skip
    body = ChangeProgramme(
        programme=known.programme_hash, calendar=known.calendar_hash, dates=missing, watch_from=wanted.watch_from
    )
    texts = {"reason": wanted.reason}
    return make_command(ring, stream=loaded.row.stream, body=body, actor=actor, now=now, texts=texts, id=id)


async def change(
    pool: Pool, ring: KeyRing, client: "Client", task_queue: str, foreseen: Foreseen, wanted: Wanted, actor: Actor,
    now: datetime, id: str | None = None, patience: timedelta | None = None,
) -> Answer:  # fmt: skip
    """Keep the texts, then put the journey under them. Raises Failure: refused; Unreachable: no answer."""
    known = foreseen.rules
    await must_be_trusted(pool, ring)
    await shelve(pool, known)
    command = command_of(ring, foreseen.loaded, wanted, known, actor, now, id)
    answer = await give(pool, client, command, task_queue, patience)
    if (failure := failure_of(answer, known.book)) is not None:
        raise failure
    return answer
