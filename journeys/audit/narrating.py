"""The story of a journey: what happened day by day, who decided it, under which rule, and what comes next."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from journeys.domain import events as e
from journeys.domain.agenda import agenda
from journeys.domain.document import PART, Document, read_document
from journeys.domain.evolve import evolve
from journeys.domain.handbook import Handbook
from journeys.domain.record import Event, Payload, instant_text
from journeys.domain.state import State
from journeys.i18n import N_, capital, format_date, format_size, format_time, text
from journeys.narration import Names, rule_words, sentence, what_happens_next
from journeys.store.keys import Lost

Recorded = Event[Payload]

PLUMBING = (
    e.MomentsPlanned,
    e.ReviewPlanned,
    e.ReminderTaken,
    e.AppointmentReminded,
    e.MessageReady,
    e.PaymentLookedUp,
)
"""Told only to those who want every detail."""


class TextPart(Protocol):
    """A body part that was not deleted; one that does not open says so as `lost`."""

    @property
    def seq(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Words:
    """A text that somebody wrote with a fact. `words` is None once it was deleted."""

    label: str
    words: str | None
    shown: str
    """The words, or what stands for those that were deleted."""
    document: Document | None = None
    """What was shown, where this tells of a document."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event, told."""

    seq: int
    at: datetime
    """When it was recorded."""
    time: str
    text: str
    because: str | None
    """The rule under which it followed by itself."""
    follows: int | None
    """The seq of the event that it follows from."""
    learnt_late: str | None
    """When it happened, when that was another day than the one on which it was told."""
    words: tuple[Words, ...]
    detail: bool


@dataclass(frozen=True, slots=True)
class StoryDay:
    day: date
    title: str
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Coming:
    """What happens by itself unless something else happens first."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    stream: str
    lang: str
    days: tuple[StoryDay, ...]
    coming: tuple[Coming, ...]
    ahead: int
    """How many things come, of which `coming` tells the first."""
    state: State
    """What is known at the end, folded while it was told."""

    def as_json(self) -> dict[str, Any]:
        """The story as plain JSON data."""
        return {
            "journey": self.stream.partition("-")[2],
            "lang": self.lang,
            "days": [
                {"day": day.day.isoformat(), "title": day.title, "told": [_told_json(told) for told in day.told]}
                for day in self.days
            ],
            "coming": [{"at": instant_text(each.at), "text": each.text} for each in self.coming],
        }


def _told_json(told: Told) -> dict[str, Any]:
    return {
        "seq": told.seq, "at": instant_text(told.at), "text": told.text, "because": told.because,
        "follows": told.follows, "learnt_late": told.learnt_late, "detail": told.detail,
        "words": [{"label": each.label, "words": each.words} for each in told.words],
    }  # fmt: skip


def narrate(
    events: Sequence[Recorded], parts: Iterable[TextPart], names: Names, book: Handbook, lang: str,
    only: Container[int] | None = None, most: int | None = None, payees: bool = False,
) -> Story:  # fmt: skip
    """Tell a journey from its first event to what it expects. Deleted texts are said to be deleted.

    Args:
        only: the seqs of the events that are told; None: of all.
        most: how much of what comes is told; None: all.
        payees: whether it is told where the money goes, as to the person of the journey.
    """
    kept = {(part.seq, part.name): part for part in parts}
    state = State()
    days: dict[date, list[Told]] = {}
    books = iter(book.all)
    book = next(books)
    for event in events:
        if type(event.data) is e.ProgrammeChanged:
            book = next(books, book)
        if only is None or event.seq in only:
            told = _tell(event, state, kept, names, book, lang, payees)
            days.setdefault(book.calendar.day(event.recorded_at), []).append(told)
        evolve(state, event)
    dues = agenda(state)
    return Story(
        stream=events[0].stream if events else "",
        lang=lang,
        days=tuple(
            StoryDay(day, capital(format_date(day, lang, weekday=True)), tuple(told)) for day, told in days.items()
        ),
        coming=tuple(Coming(due.at, what_happens_next(due, state, book, names, lang)) for due in dues[:most]),
        ahead=len(dues),
        state=state,
    )


def _tell(
    event: Recorded, before: State, kept: Mapping[tuple[int, str], TextPart], names: Names, book: Handbook, lang: str,
    payees: bool,
) -> Told:  # fmt: skip
    cause = event.caused_by
    return Told(
        seq=event.seq,
        at=event.recorded_at,
        time=format_time(event.recorded_at, lang, book.calendar.zone),
        text=sentence(event, book, names, lang, before),
        because=rule_words(event.rule, lang) if event.rule is not None else None,
        follows=cause.seq if cause is not None and cause.stream == event.stream else None,
        learnt_late=_learnt_late(event, book, lang),
        words=tuple(_words(event, kept, lang, payees)),
        detail=isinstance(event.data, PLUMBING),
    )


def _learnt_late(event: Recorded, book: Handbook, lang: str) -> str | None:
    happened, told = book.calendar.day(event.occurred_at), book.calendar.day(event.recorded_at)
    if event.command is None or happened >= told:
        return None
    return text(lang)(N_("arrivé le {day}")).format(day=format_date(happened, lang))


_LABELS = {
    "reason": N_("raison"),
    "note": N_("note"),
    "text": N_("note"),
    "description": N_("description"),
    "place": N_("lieu"),
    "letter": N_("lettre"),
    "payee": N_("bénéficiaire"),
    PART: N_("document"),
}
ERASED = N_("(texte effacé)")
LOST = {
    Lost.ALTERED: N_("(texte altéré : il ne s'ouvre plus)"), Lost.NO_KEY: N_("(illisible : la clé n'est pas là)"),
    Lost.ERASED: ERASED,
}  # fmt: skip
SECRET = N_("(gardé à part)")


def _words(
    event: Recorded, kept: Mapping[tuple[int, str], TextPart], lang: str, payees: bool
) -> Iterator[Words]:  # fmt: skip
    """The texts of an event. Where the money goes is needed to pay, not to understand: it is not repeated."""
    _ = text(lang)
    for name in sorted(event.parts):
        label = _(_LABELS[name]) if name in _LABELS else name
        part = kept.get((event.seq, name))
        words = part.text if part is not None else None
        if part is None or words is None:
            yield Words(label, None, _(ERASED))
        elif (lost := getattr(part, "lost", None)) is not None:
            yield Words(label, None, _(LOST[lost]))
        elif name == "payee" and not payees:
            yield Words(label, None, _(SECRET))
        elif name == PART:
            yield _document(label, words, lang)
        else:
            yield Words(label, words, words)


def _document(label: str, words: str, lang: str) -> Words:
    """A document by its name, its kind and its size."""
    document = read_document(words)
    if document is None:
        return Words(label, words, words)
    shown = f"{document.name} ({document.label}, {format_size(document.size, lang)})"
    return Words(label, document.name, shown, document)
