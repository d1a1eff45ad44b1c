"""Other rules for a journey under way, on a page: which may be chosen, and what they would do to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from journeys.app.changing import Foreseen, Wanted, foresee, rules_asked
from journeys.app.failures import Failure
from journeys.app.finding import Loaded
from journeys.app.publishing import Rules, offered
from journeys.app.reading import read_day, read_instant
from journeys.app.web.visit import Visit
from journeys.audit.reading import read_names
from journeys.domain.state import State
from journeys.i18n import N_, Lang, capital, format_instant

DAYS: Final = "dates-"
"""Begins the name of an input that holds the day of a date."""

_GROUPS: Final = (
    (N_("Ce qui prend fin"), frozenset({"DeadlineCancelled", "ContactCancelled", "EscalationResolved",
                                        "PhaseCompleted", "DateCancelled", "MessageSuppressed"})),
    (N_("Ce qui change de jour"), frozenset({"DeadlineMoved"})),
    (N_("Ce qui s'ajoute"), frozenset({"DeadlineSet", "ContactDue", "EscalationRaised", "PhaseEntered",
                                       "DateExpected"})),
)  # fmt: skip
_ELSE: Final = N_("Ce qui suit encore")


@dataclass(frozen=True, slots=True)
class Seen:
    """What other rules would do to one journey, in words. `refused`: they cannot be given to it."""

    rules: Rules
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    kept: tuple[str, ...]
    refused: Failure | None


async def other_rules(visit: Visit, loaded: Loaded) -> list[tuple[str, str]]:
    """The programmes under which the journey could be put: SHA-256, and what each is called; its own rules left out."""
    own = loaded.book.programme.programme
    return [
        (sha256, visit.say("{programme} (version en vigueur)", programme=known.label.in_(visit.lang))
         if name == own else known.label.in_(visit.lang))
        for name, (sha256, known) in (await offered(visit.house.writing)).items()
        if sha256 != loaded.state.programme
    ]  # fmt: skip


async def days_wanted(visit: Visit, loaded: Loaded, typed: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The dates of the chosen programme that the journey has not: code and label."""
    known = await _chosen(visit, loaded, typed)
    if known is None:
        return []
    dates = loaded.state.dates
    return [
        (code, capital(each.label.in_(visit.lang)))
        for code, each in known.programme.dates.items()
        if code not in dates or dates[code].cancelled
    ]


async def foreseen(visit: Visit, loaded: Loaded, typed: Mapping[str, Any]) -> Seen | None:
    """What the chosen rules would do now; None while none are chosen."""
    known = await _chosen(visit, loaded, typed)
    if known is None:
        return None
    days = {}
    for name, word in typed.items():
        if name.startswith(DAYS) and str(word).strip():
            try:
                days[name.removeprefix(DAYS)] = read_day(str(word), name)
            except Failure:
                continue  # Said beside its field when it is sent.
    since = None
    if word := str(typed.get("watch_from", "")).strip():
        try:
            since = read_instant(word, "watch_from")
        except Failure:
            since = None
    wanted = Wanted(known.programme_text, visit.say("aperçu"), days, since)
    found = foresee(visit.house.ring, loaded, wanted, visit.actor, visit.now)
    names = await read_names(visit.house.writing, [*loaded.events, *found.events])
    return Seen(known, _grouped(visit, found, names), _kept(found, visit.lang), found.refused)


async def _chosen(visit: Visit, loaded: Loaded, typed: Mapping[str, Any]) -> Rules | None:
    """The rules that are chosen: one of those offered, by SHA-256 or name."""
    sha256 = await text_meant(visit, str(typed.get("programme", "")))
    return await rules_asked(visit.house.writing, sha256, loaded, visit.now) if sha256 else None


async def text_meant(visit: Visit, asked: str) -> str:
    """The SHA-256 of the programme that an address or a form names, if it is one of those offered; else empty."""
    known = {name: sha256 for name, (sha256, _) in (await offered(visit.house.writing)).items()}
    sha256 = known.get(asked, asked)
    return sha256 if sha256 in known.values() else ""


def _grouped(visit: Visit, found: Foreseen, names: Mapping[str, str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    told = [(kind, words) for kind, words in found.told(dict(names), visit.lang) if kind != "ProgrammeChanged"]
    groups = [(visit.say(title), tuple(words for kind, words in told if kind in kinds)) for title, kinds in _GROUPS]
    named = frozenset().union(*(kinds for _, kinds in _GROUPS))
    groups.append((visit.say(_ELSE), tuple(words for kind, words in told if kind not in named)))
    return tuple((title, words) for title, words in groups if words)


def _kept(found: Foreseen, lang: Lang) -> tuple[str, ...]:
    """Deadlines that stay: which milestone, and when."""
    state: State = found.loaded.state
    book = found.rules.book
    told = []
    for id in found.kept:
        known = state.deadlines[id]
        label = capital(book.programme.milestones[known.milestone].label.in_(lang))
        told.append(f"{label}, {format_instant(known.at, lang, book.calendar.zone)}")
    return tuple(told)
