"""One-time links that staff give by hand: what may be answered on a journey, in words, and a link made for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from journeys.app.allowing import may
from journeys.app.entry import Actor
from journeys.app.failures import Exit, Failure, Lang, Said
from journeys.app.finding import Loaded
from journeys.audit.reading import read_names
from journeys.domain.links import Ask, Purpose, Reader, asks
from journeys.domain.programme import Programme, compile_programme
from journeys.domain.rights import covers, line_of
from journeys.i18n import N_, capital, text
from journeys.narration import spoken
from journeys.narration.telling import Speech
from journeys.store import links, mentors, partners, people
from journeys.store.awaited import Awaited, awaited
from journeys.store.database import Connection, Pool
from journeys.store.links import Drawn, Given
from journeys.store.programmes import texts_of
from journeys.store.signing import KeyRing

_WORDS: Final[Mapping[Purpose, str]] = {
    Purpose.PROPOSAL: N_("dire oui ou non à l'accompagnement"),
    Purpose.CONTACT: N_("noter un contact : {about}"),
    Purpose.REFERRAL: N_("accepter ou décliner l'orientation : {about}"),
    Purpose.APPOINTMENT: N_("dire s'il faut une autre heure : {about}"),
    Purpose.MESSAGES: N_("choisir de ne plus recevoir de messages, ou d'en recevoir de nouveau"),
}
_STANDS_FOR: Final = ("propose-mentor", "send-referral", "book-appointment")
"""Whoever may ask mentors and partners, and see the person, may hand them the means to answer."""


@dataclass(frozen=True, slots=True)
class Givable:
    """Something that may be answered by link, in words; `given` while a link for it can be used."""

    ask: Ask
    who: str
    what: str
    given: Given | None


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that a mentor or a partner may answer by link, as their list says it."""

    journey: str
    who: str
    """The person whose journey it is."""
    what: str
    role: Reader
    recipient: str
    purpose: Purpose
    subject: str


def may_give(actor: Actor, loaded: Loaded) -> bool:
    """Whether a member of staff may give links of this journey."""
    return all(may(actor, loaded, command) for command in _STANDS_FOR)


def must_give(actor: Actor, loaded: Loaded) -> None:
    """Raises Failure (refused) unless they may."""
    if not may_give(actor, loaded):
        raise Failure(
            Exit.REFUSED, "no-right",
            Said("donner un lien revient à qui suit ce parcours, ou à un responsable",
                 "giving a link is for whoever leads this journey, or a supervisor"),
            Said("demandez-le à la personne qui suit ce parcours", "ask whoever leads this journey"),
        )  # fmt: skip


async def matters(
    connection: Connection, actor: Actor, visible: str, role: Literal["mentor", "partner"], lang: Lang, now: datetime
) -> tuple[dict[str, list[Matter]], int]:  # fmt: skip
    """What mentors (or partners) may answer on the journeys for which this member may give links, by recipient.

    Args:
        visible: `views.within` of the member.

    Returns:
        also how many more there are on journeys that the member sees, beyond those that were looked at.
    """
    found, total = await awaited(connection, role, visible, now)
    texts = await texts_of(connection, {each.programme for each in found})
    by_recipient: dict[str, list[Matter]] = {}
    for each in found:
        programme = compile_programme(texts[each.programme])
        own = actor.leads(each.referent)
        if all(covers(command, actor.roles, programme, own=own) for command in _STANDS_FOR):
            by_recipient.setdefault(each.recipient, []).extend(_matters(each, programme, lang))
    return by_recipient, total - len(found)


def _matters(each: Awaited, programme: Programme, lang: Lang) -> Iterator[Matter]:
    def matter(role: Reader, purpose: Purpose, subject: str, about: str = "") -> Matter:
        what = capital(text(lang)(_WORDS[purpose]).format(about=about))
        return Matter(each.journey, each.name or "—", what, role, each.recipient, purpose, subject)

    match each.kind:
        case "MentorProposed":
            yield matter("mentor", Purpose.PROPOSAL, each.subject)
        case "ReferralSent":
            yield matter("partner", Purpose.REFERRAL, each.subject, spoken(each.purpose or "", lang))
        case "MentorMatched":
            for code, contact in programme.contacts.items():
                if line_of(contact.by, programme) == "mentor":
                    yield matter("mentor", Purpose.CONTACT, code, contact.label.in_(lang))


async def givable(connection: Pool | Connection, loaded: Loaded, lang: Lang, now: datetime) -> list[Givable]:
    """What somebody without an account may answer on a journey now."""
    names = await read_names(connection, loaded.events)
    speech = Speech(loaded.book, names, lang, loaded.state)
    live = await links.given(connection, loaded.row.id, now)
    return [
        Givable(
            ask, _who(ask, loaded, names), _what(ask, speech, lang),
            next((each for each in live if ask.same(each.role, each.recipient, each.purpose, each.subject)), None),
        )
        for ask in asks(loaded.state, loaded.book, now)
    ]  # fmt: skip


async def give(pool: Pool, ring: KeyRing, one: Givable, journey: str, now: datetime, by: str) -> Drawn:
    """Make a link for one of these; what was given for it before is void. Its token is told only here."""
    drawn = links.draw(ring, one.ask, journey, await _language(pool, one.ask), now, by)
    await links.issue(pool, drawn)
    return drawn


def _who(ask: Ask, loaded: Loaded, names: Mapping[str, str]) -> str:
    return (loaded.row.name or "—") if ask.role == "participant" else names.get(ask.recipient, "—")


def _what(ask: Ask, speech: Speech, lang: Lang) -> str:
    match ask.purpose:
        case Purpose.CONTACT:
            about = speech.contact(ask.subject)
        case Purpose.REFERRAL:
            about = speech.referral(ask.subject)
        case Purpose.APPOINTMENT:
            about = speech.appointment(ask.subject)
        case Purpose.PROPOSAL | Purpose.MESSAGES:
            about = ""
    return capital(text(lang)(_WORDS[ask.purpose]).format(about=about))


async def _language(pool: Pool, ask: Ask) -> Literal["fr", "en"]:
    """The one in which the recipient is written to."""
    known: str | None = None
    match ask.role:
        case "mentor":
            mentor = await mentors.mentor(pool, ask.recipient)
            known = mentor.language if mentor is not None else None
        case "partner":
            partner = await partners.partner(pool, ask.recipient)
            known = partner.language if partner is not None else None
        case "participant":
            person = await people.person(pool, ask.recipient)
            known = person.details.language if person is not None else None
    return "en" if known == "en" else "fr"
