"""Mentors and partners for a journey, best first with the reasons, from the directory as it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from journeys.app.asking import barred
from journeys.app.finding import Loaded
from journeys.app.reading import today_of
from journeys.clock import now
from journeys.domain import proposing
from journeys.domain.proposing import House, Ranked, Sought, Volunteer, wordlist
from journeys.i18n import Lang
from journeys.narration.proposals import reason_told
from journeys.store import mentors, partners, people
from journeys.store.database import Pool


@dataclass(frozen=True, slots=True)
class Proposal:
    """Somebody of the directory with the reasons."""

    id: str
    name: str
    ranked: Ranked

    def reasons(self, lang: Lang) -> list[str]:
        """In words, the weightiest first."""
        return [reason_told(reason, lang) for reason in self.ranked.reasons]

    def told(self, lang: Lang) -> str:
        """The name with the reasons, on one line."""
        reasons = ", ".join(self.reasons(lang))
        return f"{self.name} — {reasons}" if reasons else self.name


async def mentors_for(pool: Pool, loaded: Loaded) -> list[Proposal]:
    """Every mentor: those who may be proposed first, the others behind with what stands against it."""
    everyone, accompanied = await mentors.mentors(pool), await mentors.matched(pool)
    # Only participants are kept from those whom a rule bars: volunteers and project holders may meet anybody.
    apart = loaded.book.programme.subject == "participant"
    out = await barred(pool, everyone, today_of(now())) if apart else {}
    volunteers = [
        Volunteer(
            id=each.id, name=each.name, capacity=each.capacity, accompanies=accompanied.get(each.id, 0),
            available=each.available, place=each.place, site=each.site, languages=wordlist(each.languages),
            interests=wordlist(each.interests), barred=out.get(each.id),
        )
        for each in everyone
    ]  # fmt: skip
    ranked = proposing.mentors(await _sought(pool, loaded), volunteers, proposing.tried(loaded.events))
    return _named(ranked, {each.id: each.name for each in everyone})


async def partners_for(pool: Pool, loaded: Loaded, purpose: str | None) -> list[Proposal]:
    """Every partner who takes people: those who may be proposed for the purpose first, the others behind."""
    return (await _partners_for(pool, loaded, [purpose]))[0]


async def _partners_for(pool: Pool, loaded: Loaded, purposes: Sequence[str | None]) -> list[list[Proposal]]:
    active = [each for each in await partners.partners(pool) if each.active]
    taken = await partners.taken(pool)
    houses = [
        House(id=each.id, name=each.name, purposes=each.serves, place=each.place, site=each.site, places=each.places,
              taken=taken.get(each.id, 0))
        for each in active
    ]  # fmt: skip
    sought, before, names = await _sought(pool, loaded), proposing.tried(loaded.events), {e.id: e.name for e in active}
    return [
        _named(proposing.partners(sought, purpose, houses, before, loaded.state.consents), names)
        for purpose in purposes
    ]


@dataclass(frozen=True, slots=True)
class NextTry:
    """What came to nothing and may be tried with somebody else; `best` is None where nobody can be proposed."""

    purpose: str | None
    """Of the referral; None: a mentor is wanted."""
    best: Proposal | None


def to_try_again(loaded: Loaded) -> list[str | None]:
    """Purposes of referrals declined or without an answer; None for a mentor lost. Asks nothing of the directory."""
    if not loaded.state.is_open:
        return []
    before = proposing.tried(loaded.events)
    return [*before.unserved, *([None] if before.wants_mentor(loaded.state) else [])]


async def next_tries(pool: Pool, loaded: Loaded) -> list[NextTry]:
    """What is to be tried again, each with the next one to ask."""
    again = to_try_again(loaded)
    purposes = [each for each in again if each is not None]
    found = [
        NextTry(purpose, _first(proposals))
        for purpose, proposals in zip(
            purposes, await _partners_for(pool, loaded, purposes) if purposes else [], strict=True
        )
    ]
    if None in again:
        found.append(NextTry(None, _first(await mentors_for(pool, loaded))))
    return found


def _first(proposals: list[Proposal]) -> Proposal | None:
    return next((each for each in proposals if each.ranked.proposed), None)


async def _sought(pool: Pool, loaded: Loaded) -> Sought:
    person = await people.person(pool, loaded.state.person)
    if person is None:
        return Sought(site=loaded.state.site)
    known = person.details
    return Sought(
        place=known.place, site=loaded.state.site, languages=wordlist(known.languages),
        interests=wordlist(known.interests),
    )  # fmt: skip


def _named(ranked: list[Ranked], names: dict[str, str]) -> list[Proposal]:
    return [Proposal(each.id, names[each.id], each) for each in ranked]
