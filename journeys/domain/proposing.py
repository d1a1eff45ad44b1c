"""Who may be proposed for a journey, best first, each with the reasons: mentors with room, partners with places."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from journeys.domain import events as e
from journeys.domain.directory import search_form
from journeys.domain.programme import Saying
from journeys.domain.record import Event, Payload
from journeys.domain.state import State

EVERYBODYS_LANGUAGE: Final = frozenset({"francais", "french", "fr"})
"""Spoken by whoever works here: no reason to choose one rather than another."""


class Ground(StrEnum):
    """Why somebody is proposed, why later than others, or why not."""

    LANGUAGE = "language"
    PLACE = "place"
    SITE = "site"
    INTERESTS = "interests"
    LOAD = "load"
    PLACES = "places"
    CONSENT = "consent"
    ACCEPTED = "accepted"
    # later than others
    NO_LANGUAGE = "no-language"
    FORMER = "former"
    SILENT = "silent"
    # not at all
    AWAY = "away"
    FULL = "full"
    DECLINED = "declined"
    ASKED = "asked"
    BARRED = "barred"
    """A rule of the volunteers' own programme: the words of that rule."""
    ELSEWHERE = "elsewhere"
    """Serves other purposes."""


WHY_NOT: Final = frozenset({Ground.AWAY, Ground.FULL, Ground.DECLINED, Ground.ASKED, Ground.BARRED, Ground.ELSEWHERE})


@dataclass(frozen=True, slots=True)
class Reason:
    """One ground with what it is said with: the words shared, or `count` of `most`."""

    ground: Ground
    words: tuple[str, ...] = ()
    count: int = 0
    most: int | None = None
    says: Saying | None = None
    """The rule by which somebody is barred."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Somebody with the reasons, the weightiest first; whoever cannot be proposed has the reason why not."""

    id: str
    reasons: tuple[Reason, ...]

    @property
    def proposed(self) -> bool:
        return all(reason.ground not in WHY_NOT for reason in self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is known of the person that matters for who may suit them."""

    place: str | None = None
    site: str | None = None
    """Of the journey."""
    languages: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Volunteer:
    """A mentor as far as it matters for whom they may suit; `capacity` and `accompanies` count people at once."""

    id: str
    name: str
    capacity: int
    accompanies: int
    available: bool = True
    place: str | None = None
    site: str | None = None
    languages: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    barred: Saying | None = None
    """What their own programme says of why they may be nobody's mentor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A partner as far as it matters for whom they may suit. `places` at once; None: nobody counts them."""

    id: str
    name: str
    purposes: tuple[str, ...]
    place: str | None = None
    site: str | None = None
    places: int | None = None
    taken: int = 0


@dataclass(slots=True)
class Before:
    """What has been tried on a journey."""

    asked: set[str] = field(default_factory=set)
    """Mentors whose answer is awaited."""
    declined: set[str] = field(default_factory=set)
    former: set[str] = field(default_factory=set)
    referrals: dict[tuple[str, str], Ground] = field(default_factory=dict)
    """The last referral to each (partner, purpose): asked, declined, silent, accepted."""

    @property
    def unserved(self) -> tuple[str, ...]:
        """Purposes for which somebody declined or let the time pass, and nobody else has accepted or is asked."""
        served = {purpose for (_, purpose), last in self.referrals.items() if last in (Ground.ASKED, Ground.ACCEPTED)}
        return tuple(dict.fromkeys(purpose for _, purpose in self.referrals if purpose not in served))

    def wants_mentor(self, state: State) -> bool:
        """Whether somebody declined or stopped, and nobody accompanies or is asked."""
        return state.match is None and not self.asked and bool(self.declined or self.former)


def tried(events: Iterable[Event[Payload]]) -> Before:
    """What the record of a journey says of mentors and referrals."""
    before, sent = Before(), dict[str, tuple[str, str]]()
    for event in events:
        if type(event.data) not in _TRYING:
            continue
        match event.data:
            case e.MentorProposed(mentor=mentor):
                before.asked.add(mentor)
            case e.MentorDeclined(mentor=mentor):
                before.asked.discard(mentor)
                before.declined.add(mentor)
            case e.MentorProposalCancelled(mentor=mentor):
                before.asked.discard(mentor)
            case e.MentorMatched(mentor=mentor):
                before.asked.discard(mentor)
                before.declined.discard(mentor)
            case e.MentorEnded(mentor=mentor):
                before.former.add(mentor)
            case e.ReferralSent(referral=id, partner=partner, purpose=purpose):
                sent[id] = (partner, purpose)
                before.referrals[sent[id]] = Ground.ASKED
            case e.ReferralDeclined(referral=id):
                before.referrals[sent[id]] = Ground.DECLINED
            case e.ReferralExpired(referral=id):
                before.referrals[sent[id]] = Ground.SILENT
            case e.ReferralAccepted(referral=id):
                before.referrals[sent[id]] = Ground.ACCEPTED
            case e.ReferralCancelled(referral=id):
                before.referrals.pop(sent[id], None)
            case _:
                pass
    return before


_TRYING: Final = frozenset({
    e.MentorProposed, e.MentorDeclined, e.MentorProposalCancelled, e.MentorMatched, e.MentorEnded, e.ReferralSent,
    e.ReferralDeclined, e.ReferralExpired, e.ReferralAccepted, e.ReferralCancelled,
})  # fmt: skip
"""Kinds of events that say who was asked: a journey has many others."""


def mentors(sought: Sought, volunteers: Iterable[Volunteer], before: Before) -> list[Ranked]:
    """Every mentor, those who may be proposed first: by language, place, site, interests, then room.

    Whoever accompanied the person before comes behind the others; whoever is away, has nobody to spare, was asked or
    has declined comes last, with that.
    """
    known = [(each, _of_volunteer(sought, each, before)) for each in volunteers]
    known.sort(key=lambda pair: _order(pair[0], pair[1], _load(pair[0])))
    return [Ranked(each.id, reasons) for each, reasons in known]


def partners(
    sought: Sought, purpose: str | None, houses: Iterable[House], before: Before, consents: frozenset[str]
) -> list[Ranked]:  # fmt: skip
    """Every partner, those who may be proposed for a purpose first: by place, site, then free places.

    Args:
        purpose: None ranks for any purpose. consents: `partner/purpose` pairs, as the state has them.
    """
    known = [(each, _of_house(sought, purpose, each, before, consents)) for each in houses]
    known.sort(key=lambda pair: _order(pair[0], pair[1], _room(pair[0])))
    return [Ranked(each.id, reasons) for each, reasons in known]


def wordlist(text: str | None) -> tuple[str, ...]:
    """`arabe, Anglais ; wolof` as words."""
    return tuple(word.strip() for word in re.split(r"[,;/\n]", text or "") if word.strip())


# --- reasons


_WEIGHT: Final = {ground: place for place, ground in enumerate(Ground)}


def _of_volunteer(sought: Sought, one: Volunteer, before: Before) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    if one.barred is not None:
        reasons.append(Reason(Ground.BARRED, says=one.barred))
    if not one.available:
        reasons.append(Reason(Ground.AWAY))
    if one.id in before.declined:
        reasons.append(Reason(Ground.DECLINED))
    if one.id in before.asked:
        reasons.append(Reason(Ground.ASKED))
    if one.id in before.former:
        reasons.append(Reason(Ground.FORMER))
    spoken = _besides_everybodys(one.languages)
    wished = _besides_everybodys(sought.languages)
    if common := _common(wished, spoken):
        reasons.append(Reason(Ground.LANGUAGE, common))
    elif wished and len(wished) == len(sought.languages) and one.languages:
        reasons.append(Reason(Ground.NO_LANGUAGE, wished))
    reasons += _where(sought, one.place, one.site)
    if common := _common(sought.interests, one.interests):
        reasons.append(Reason(Ground.INTERESTS, common))
    load = Ground.LOAD if one.accompanies < one.capacity else Ground.FULL
    reasons.append(Reason(load, count=one.accompanies, most=one.capacity))
    return tuple(sorted(reasons, key=_weight))


def _of_house(
    sought: Sought, purpose: str | None, one: House, before: Before, consents: frozenset[str]
) -> tuple[Reason, ...]:  # fmt: skip
    reasons = _where(sought, one.place, one.site)
    if purpose is not None:
        if not _common((purpose,), one.purposes):
            reasons.append(Reason(Ground.ELSEWHERE, one.purposes))
        if (last := before.referrals.get((one.id, purpose))) is not None:
            reasons.append(Reason(last))
        if f"{one.id}/{purpose}" in consents:
            reasons.append(Reason(Ground.CONSENT))
    if one.places is not None:
        free = max(one.places - one.taken, 0)
        reasons.append(
            Reason(Ground.PLACES if free else Ground.FULL, count=free if free else one.taken, most=one.places)
        )
    return tuple(sorted(reasons, key=_weight))


def _where(sought: Sought, place: str | None, site: str | None) -> list[Reason]:
    if place and sought.place and search_form(place) == search_form(sought.place):
        return [Reason(Ground.PLACE, (place,))]
    return [Reason(Ground.SITE, (site,))] if site and site == sought.site else []


def _besides_everybodys(languages: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in languages if search_form(word) not in EVERYBODYS_LANGUAGE)


def _common(wished: Iterable[str], held: Iterable[str]) -> tuple[str, ...]:
    known = {search_form(word) for word in held}
    return tuple(word for word in wished if search_form(word) in known)


# --- order


def _weight(reason: Reason) -> tuple[bool, int]:
    return reason.ground not in WHY_NOT, _WEIGHT[reason.ground]


def _order(one: Volunteer | House, reasons: tuple[Reason, ...], room: float) -> tuple[object, ...]:
    """Whoever may be proposed first, then by each ground in turn, then by room, then by name."""
    found = {reason.ground: len(reason.words) or 1 for reason in reasons}
    return (
        not WHY_NOT.isdisjoint(found),
        any(ground in found for ground in (Ground.FORMER, Ground.SILENT)),
        Ground.NO_LANGUAGE in found,
        *(-found.get(ground, 0) for ground in (Ground.LANGUAGE, Ground.PLACE, Ground.SITE, Ground.INTERESTS)),
        -room,
        search_form(one.name),
        one.id,
    )


def _load(one: Volunteer) -> float:
    """The part of their capacity that is free."""
    return (one.capacity - one.accompanies) / one.capacity if one.capacity else 0.0


def _room(one: House) -> float:
    return 0.5 if one.places is None else float(one.places - one.taken)
