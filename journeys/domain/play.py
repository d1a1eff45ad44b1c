"""A whole journey played from facts, without server or clock: what time brings about, and what people do.

Three things stand on it: simulating a programme, asking what a past journey would have been under another one, and
showing what a change of programme does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from journeys.domain import agenda
from journeys.domain.commands import Command
from journeys.domain.decide import Outcome
from journeys.domain.handbook import Handbook
from journeys.domain.offer import Offer, make_offer
from journeys.domain.state import EffectKnown, State

MOST_OFFERS = 20_000
"""No life is as long: a journey that goes on turns in circles, and is said to."""


class Facts(Protocol):
    """The people of one journey, and the world outside. It may look at the state, and never changes it."""

    def when(self) -> datetime | None:
        """When somebody does something next; None when nobody ever will."""

    def take(self, state: State, at: datetime) -> Sequence[Command]:
        """What they do at that instant, which is then past."""

    def answer(self, state: State, seq: int, effect: EffectKnown, at: datetime) -> Outcome:
        """What an effect came to, by the seq of the event that called for it."""

    def see(self, offer: Offer, at: datetime) -> None:
        """What was recorded: they may act on it later."""


class Wedged(Exception):
    """A journey that stands still although something is due, or never ends: a defect of the rules."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One append of a journey that is played."""

    at: datetime
    offer: Offer


def play(
    book: Handbook, facts: Facts, state: State, until: datetime, switch: "Callable[[State], Handbook] | None" = None
) -> Iterator[Moment]:
    """Every append of a journey from `state` until an instant, in the order in which they happen.

    Due things of one instant come before what people do at it, as in the workflow's loop.

    Args:
        facts: each instant that `when` tells is at or after the one before; an earlier one counts as now.
        switch: the rules in force for a state, when a journey changes its programme while it is played.

    Raises:
        Wedged: see there.
    """
    at: datetime | None = state.hash_at
    for _ in range(MOST_OFFERS):
        if state.effects:
            assert at is not None
            outcomes = [facts.answer(state, seq, effect, at) for seq, effect in agenda.pending(state).items()]
            offer = make_offer(state, book, (), outcomes, at)
        else:
            due, act = agenda.first(state), facts.when()
            if due is not None and (act is None or due.at <= act):
                if due.at > until:
                    return
                at = due.at if at is None or due.at > at else at
                offer = make_offer(state, book, (), (), at)
            elif act is not None:
                if act > until:
                    return
                at = act if at is None or act > at else at
                commands = facts.take(state, at)
                if not commands:
                    continue
                offer = make_offer(state, book, commands, (), at)
            else:
                return
        if offer.is_empty:
            raise Wedged(f"{state.stream} stands still at {at}")
        state = offer.state
        if switch is not None:
            book = switch(state)
        facts.see(offer, at)
        yield Moment(at, offer)
    raise Wedged(f"{state.stream} has not ended after {MOST_OFFERS} appends")
