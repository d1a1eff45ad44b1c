"""Journeys in the pure core alone: what their appends offer, and the bytes that the journal would hold."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from benchmarks.ground import REFERENT, signed
from journeys.authoring.calendars import calendar_text
from journeys.authoring.reading import read_programme
from journeys.contract import Answer, Answered, Append
from journeys.domain import agenda
from journeys.domain import commands as c
from journeys.domain.commands import Command
from journeys.domain.decide import Outcome
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.offer import Offer, make_offer
from journeys.domain.state import State
from journeys.domain.summary import summary
from journeys.store.signing import KeyRing

ANSWERS = {
    "deliver": ("sent", "outbox"),
    "check": ("passed", ""),
    "instruct": ("accepted", ""),
    "enquire": ("settled", ""),
}


@cache
def handbook() -> Handbook:
    """Auxilia with the French calendar."""
    return open_handbook(read_programme("auxilia").text, calendar_text("Europe/Paris", "FR", date.today().year))


@dataclass(slots=True)
class Journey:
    """One journey in the core: what it knows, and its next offer."""

    ring: KeyRing
    state: State
    now: datetime

    @classmethod
    def begun(
        cls, ring: KeyRing, release_in_days: int = 40, programme: str = "0" * 64, calendar: str = "1" * 64
    ) -> tuple["Journey", Append]:
        """A planned journey and the append that plans it."""
        journey = cls(ring, State(stream=f"journey-{uuid.uuid4()}"), datetime.now(UTC))
        body = c.Plan(
            person=str(uuid.uuid4()), programme=programme, calendar=calendar, referent=REFERENT,
            dates={"release": journey.now.date() + timedelta(days=release_in_days)},
        )  # fmt: skip
        return journey, journey.ask(body)

    def ask(self, body: c.AnyBody, *, by: str = REFERENT, role: str = "referent", **texts: str) -> Append:
        """The append of a command, which is taken."""
        return self.offer([signed(self.ring, self.state.stream, body, self.now, by=by, role=role, **texts)])

    def note(self) -> Append:
        """The append of a note of some 100 characters."""
        return self.ask(c.AddNote(), text="Vu ce matin au local, il va mieux et demande des nouvelles. " * 2)

    def offer(self, commands: list[Command], outcomes: list[Outcome] | None = None) -> Append:
        """What the loop would offer now; it is taken."""
        made = make_offer(self.state, handbook(), commands, outcomes or [], self.now)
        self.state = made.state
        return request(made)

    def pass_days(self, days: float) -> Iterator[Append]:
        """The appends of so many days, each effect answered at once."""
        until = self.now + timedelta(days=days)
        while True:
            if effects := agenda.pending(self.state):
                outcomes = [
                    Outcome(
                        seq, *ANSWERS.get(effect.kind, ("told", "")), told=(REFERENT,), role=effect.data.get("to", "")
                    )
                    for seq, effect in effects.items()
                ]
                yield self.offer([], outcomes)
                continue
            due = agenda.first(self.state)
            if due is None or due.at > until:
                self.now = until
                return
            self.now = max(self.now, due.at)
            yield self.offer([])


def request(offer: Offer) -> Append:
    """As the workflow words it."""
    return Append(
        stream=offer.state.stream,
        expected=offer.expected,
        events=tuple(event.header() for event in offer.events),
        answered=tuple(
            Answered(
                command=one.command,
                answer=Answer(
                    command=one.command.id, outcome="accepted" if one.refused is None else "refused", first=one.first,
                    last=one.last, seq=one.last,
                ),
            )
            for one in offer.decided
        ),
        view=summary(offer.state, handbook()).model_dump(mode="json") if offer.shows_anew else None,
        money=offer.money,
    )  # fmt: skip
