"""The story of a journey in plain words: what happened, why something was refused, what happens next."""

from journeys.domain.handbook import Handbook
from journeys.domain.record import Event, Payload
from journeys.domain.state import State
from journeys.i18n import capital
from journeys.narration import alerts, letters, lives, meetings, money, people, steps
from journeys.narration.future import what_happens_next
from journeys.narration.moments import duration_words, moment_words
from journeys.narration.refusals import refusal
from journeys.narration.rules import rule_words
from journeys.narration.telling import TELLERS, Names, Telling
from journeys.narration.words import command_word, role_word, spoken

__all__ = [
    "Names",
    "command_word",
    "duration_words",
    "moment_words",
    "refusal",
    "role_word",
    "rule_words",
    "sentence",
    "spoken",
    "what_happens_next",
]

SUBJECTS = (alerts, letters, lives, meetings, money, people, steps)
"""The modules that tell each kind of event."""


def sentence(event: Event[Payload], book: Handbook, names: Names, lang: str, before: State | None = None) -> str:
    """One readable sentence about an event.

    Args:
        book: the rules in force, whose labels stand for codes.
        names: display names by id; who is not in it is told by role.
        before: the journey just before the event: with it, ids are told as what they stand for.
    """
    telling = Telling(book, names, lang, before, event)
    return capital(TELLERS[type(event.data)](telling, event.data))
