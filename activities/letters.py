"""What a message says to one recipient: the values of its variables, from what is known, and who the recipient is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_location

from activities.reading import Known
from activities.resources import Resources, Way
from journeys.channels import phone
from journeys.channels.invitation import calendar, meeting
from journeys.channels.letter import Letter
from journeys.channels.wording import (
    Audience,
    NoWording,
    Template,
    fill,
    read_text,
    shipped,
    template_text,
    with_stop,
    with_stop_link,
    with_stop_word,
    words_for,
)
from journeys.domain.calendar import in_zone
from journeys.domain.events import MessageDue, Subject
from journeys.domain.handbook import Handbook
from journeys.domain.links import Ask, ask_about, asks, stop_of, times_until
from journeys.domain.messages import TIMES, brings_a_link
from journeys.domain.money import format_euro
from journeys.domain.programme import Label
from journeys.domain.recipients import DESK
from journeys.store import links, mentors, partners, people, staff, templates
from journeys.store.links import Drawn
from journeys.store.places import place_of
from journeys.store.sites import said_outside, zone_of

_REASONS: Final[Mapping[str, Label]] = {
    "date": Label(fr="date à confirmer", en="a date to confirm"),
    "milestone": Label(fr="étape non atteinte à sa date", en="a step not reached by its date"),
    "contact": Label(fr="contact manqué", en="a contact was missed"),
    "appointment": Label(fr="rendez-vous à reprendre", en="an appointment to follow up"),
    "grant": Label(fr="demande de bourse en attente", en="a grant request is waiting"),
    "payment": Label(fr="versement à vérifier", en="a payment to look into"),
    "receipt": Label(fr="justificatifs attendus", en="receipts are due"),
    "mentor": Label(fr="mentor à trouver", en="a mentor to find"),
    "referral": Label(fr="partenaire sans réponse", en="a partner has not answered"),
    "transfer": Label(fr="reprise du parcours en attente", en="a hand-over is waiting"),
    "suspension": Label(fr="suspension à revoir", en="a suspension to review"),
    "review": Label(fr="point à faire", en="a review is due"),
    "journey": Label(fr="parcours à clore ou à poursuivre", en="a journey to close or to go on with"),
    "consent": Label(fr="choix de la personne", en="the person's choice"),
}
"""Why someone is written to, by what the message is about; read by staff."""

_ASK: Final = Label(fr="voyez avec {referent}", en="ask {referent}")
"""Stands for a link where the recipient has none."""

_CLOCKS: Final = Label(fr="{time} (heure de {place})", en="{time} ({place} time)")
"""An hour, and where clocks tell it."""

_DESK_NAME: Final = Label(fr="à l’astreinte", en="duty desk")


@dataclass(frozen=True, slots=True)
class Addressee:
    """Someone who gets a message, by one channel. `key` is an id, `DESK` for the address of last resort."""

    key: str
    first_name: str
    address: str | None
    """A mail address, a phone number, or for a letter on paper the name."""
    lang: str
    audience: Audience
    zone: str | None = None
    """Where they live, or where all their sites lie; None: in the programme's zone, as far as is known."""
    by: Way = "mail"
    dead: bool = False
    """The channel said that nobody is reached there any more."""
    chosen: bool = False
    """The person wants to be written to by this channel first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One message to be worded: the journey, the rules, what it is about, and its id."""

    known: Known
    book: Handbook
    about: Subject
    template: Template
    message: str
    at: datetime
    step: int | None = None


async def template_of(resources: Resources, name: str) -> Template:
    """A template as it was edited last, else as it is shipped; its words are kept. Raises NoWording."""
    text = await templates.in_force(resources.pool, name)
    if text is not None:
        return read_text(name, text)
    known = shipped(name, resources.templates)
    if name not in resources.kept:
        await templates.keep(resources.pool, name, template_text(known))
        resources.kept.add(name)
    return known


async def staff_addressee(resources: Resources, id: str) -> Addressee | None:
    """An active member of staff, or the desk."""
    if id == DESK:
        lang = resources.lang
        return Addressee(DESK, _DESK_NAME.in_(lang), resources.duty_address, lang, "staff")
    member = await staff.member(resources.pool, id)
    if member is None or not member.active:
        return None
    zone = await zone_of(resources.pool, member.sites)
    return Addressee(id, _first(member.name), member.email, member.language, "staff", zone)


async def volunteer_addressee(resources: Resources, kind: Literal["mentor", "partner"], id: str) -> Addressee | None:
    """A mentor or a partner."""
    found: mentors.Mentor | partners.Partner | None
    if kind == "mentor":
        found = await mentors.mentor(resources.pool, id)
    else:
        found = await partners.partner(resources.pool, id)
    if found is None:
        return None
    zone = await zone_of(resources.pool, (found.site,) if found.site is not None else ())
    return Addressee(id, _first(found.name), found.email, found.language, "volunteer", zone)


def person_addressees(person: people.Person, ways: Sequence[Way]) -> list[Addressee]:
    """The person whose journey it is, once for each of these ways; the one that they chose comes first."""
    details = person.details
    number = phone.dialled(details.phone, details.zone) if details.phone else None
    addresses: Mapping[Way, str | None] = {"sms": number, "mail": details.email, "letter": details.name}
    return [
        Addressee(
            person.id, details.first_name, addresses[way], details.language, "participant", details.zone, way,
            dead=way in person.dead, chosen=way == person.channel,
        )
        for way in sorted(ways, key=lambda way: way != person.channel)
    ]  # fmt: skip


async def write_letter(
    resources: Resources, matter: Matter, to: Addressee, drawn: Drawn | None
) -> tuple[Letter, tuple[Drawn, ...]]:
    """The letter to one addressee, who has an address, and the one-time links that it carries. Raises NoWording.

    Args:
        drawn: the link for what they may answer.
    """
    to = _as_read(matter, to, drawn)
    assert to.address is not None
    answer = drawn.address(resources.public_url) if drawn is not None and resources.public_url is not None else ""
    values = await _values(resources, matter, to, answer)
    text = fill(matter.template, to.audience, to.lang, values)
    said = text.text if to.by == "sms" else text.body
    if not said:
        raise NoWording(matter.template.template, "no-text")
    carried = drawn if drawn is not None and answer in said else None
    stop = _stop(resources, matter, to)
    if to.by == "sms" and to.audience == "participant" and resources.answerable:
        said = with_stop_word(said, to.lang)
    elif stop is not None and resources.public_url is not None:
        address = stop.address(resources.public_url)
        said = with_stop_link(said, address) if to.by == "sms" else with_stop(said, to.lang, address)
        stop = stop if address in said else None
    letter = Letter(
        id=_letter_id(matter, to, carried), to=to.address, subject=text.subject, body=said, lang=to.lang, at=matter.at,
        about=matter.known.state.stream, invitation=_invitation(resources, matter, to, values["place"]),
        unsubscribe=_unsubscribe(resources, stop), until=_of_use_until(matter),
        # By phone nobody but the person is written to of anything but an alert.
        ahead=to.audience != "participant",
    )  # fmt: skip
    return letter, tuple(each for each in (carried, stop) if each is not None)


def _as_read(matter: Matter, to: Addressee, drawn: Drawn | None) -> Addressee:
    """A volunteer who is told neither of their own contact with the person nor of what they may answer by a link reads
    as who is on call: which journey it is, and what about."""
    match = matter.known.state.match
    contact = match is not None and match.mentor == to.key and matter.about.kind == "contact"
    if to.audience != "volunteer" or contact or drawn is not None or words_for(matter.template, "on_call") is None:
        return to
    return replace(to, audience="on_call")


def _unsubscribe(resources: Resources, stop: Drawn | None) -> str | None:
    """Where a mail program may ask for it at once; only over TLS (RFC 8058)."""
    if stop is None or resources.public_url is None or not resources.public_url.startswith("https://"):
        return None
    return stop.address(resources.public_url, links.AT_ONCE)


def _stop(resources: Resources, matter: Matter, to: Addressee) -> Drawn | None:
    """The link by which the person makes this the last message; a phone that can answer needs none."""
    if resources.public_url is None or (to.by == "sms" and resources.answerable):
        return None
    owed = _owed(matter, to)
    ask = stop_of(matter.known.state, to.key, owed.valid_until) if owed is not None else None
    return _draw(resources, matter, to, ask, owed) if ask is not None else None


def _of_use_until(matter: Matter) -> datetime | None:
    """When an appointment begins that a letter tells of before, or the last other time has passed that it offers."""
    state, id = matter.known.state, matter.about.id
    known = state.appointments.get(id) if matter.about.kind == "appointment" else None
    if known is None or known.at <= matter.at:
        return None
    return times_until(state, id, matter.at) if matter.template.template == TIMES else known.at


def _invitation(resources: Resources, matter: Matter, to: Addressee, place: str) -> bytes | None:
    """The appointment that a letter to the person is about, for their calendar; one that is off is taken away."""
    known = matter.known.state.appointments.get(matter.about.id)
    if matter.about.kind != "appointment" or known is None or to.audience != "participant" or to.by != "mail":
        return None
    return calendar(
        [meeting(matter.known.events, matter.about.id, known, place)], association=resources.association,
        lang=to.lang, stamp=matter.at, method="PUBLISH" if known.outcome is None else "CANCEL",
    )  # fmt: skip


def draw_answer(resources: Resources, matter: Matter, to: Addressee) -> Drawn | None:
    """A link for what the addressee may answer; None for staff, without a public address, where nothing is asked."""
    if resources.public_url is None or to.audience == "staff":
        return None
    owed = _owed(matter, to)
    at = owed.at if owed is not None else matter.at
    if not brings_a_link(matter.known.state, matter.template.template, matter.about, at):
        return None
    since = owed.valid_until if owed is not None else None
    ask = ask_about(matter.about, to.key, asks(matter.known.state, matter.book, matter.at, since))
    return _draw(resources, matter, to, ask, owed) if ask is not None else None


def _owed(matter: Matter, to: Addressee) -> MessageDue | None:
    """The message to the person that a letter is; None of a letter to somebody else.

    It is asked for again under its own id, with the same words: a channel that knows it by its id takes others for
    another message. So its links are drawn from it, and hold from the end of its time on.
    """
    return matter.known.last(MessageDue, message=matter.message) if to.audience == "participant" else None


def _draw(resources: Resources, matter: Matter, to: Addressee, ask: Ask, owed: MessageDue | None) -> Drawn:
    message = owed.message if owed is not None else None
    return links.draw(resources.ring, ask, matter.known.id, to.lang, matter.at, message=message)


def _letter_id(matter: Matter, to: Addressee, carried: Drawn | None) -> str:
    """A letter written again is the same letter, unless it carries another link: the one before is then void."""
    if to.audience == "participant":
        return matter.message
    return str(uuid5(UUID(matter.message), to.key if carried is None else f"{to.key}/{carried.link.id}"))


async def _values(resources: Resources, matter: Matter, to: Addressee, answer: str) -> dict[str, str]:
    """Every variable that a template may use; empty where there is nothing to say."""
    referent = await staff.member(resources.pool, matter.known.state.referent)
    referent_name = referent.name if referent is not None else resources.association
    values = {
        "first_name": to.first_name,
        "association": resources.association,
        "referent": referent_name,
        "mentor": await _mentor_name(resources, matter),
        "link": answer or _link(resources, matter, to, referent_name),
        "answer": answer,
        **dict.fromkeys(("date", "time", "place", "amount"), ""),
        **_about(matter, to),
    }
    if matter.about.kind == "appointment":
        known = matter.known
        values |= await _at_the_site(resources, matter, to)
        noted = await place_of(resources.pool, known.state.stream, known.events, matter.about.id)
        values["place"] = noted if to.audience == "staff" else await said_outside(
            resources.pool, noted, known.state.site, to.lang
        )  # fmt: skip
    if to.audience not in ("on_call", "staff"):
        return values
    values |= {
        "reference": _reference(matter.known.id),
        "reason": _REASONS[matter.about.kind].in_(to.lang),
        "step": "" if matter.step is None else str(matter.step + 1),
    }
    if to.audience == "on_call":
        return values
    return {
        **dict.fromkeys(("milestone", "contact", "grant"), ""),
        **values,
        "programme": matter.book.programme.label.in_(to.lang),
        "phase": _phase(matter, to.lang),
    }


async def values_for(resources: Resources, matter: Matter, to: Addressee) -> dict[str, str]:
    """What a letter to a member of staff may say of a matter, without a link that answers it."""
    return await _values(resources, matter, to, "")


def at_hour(matter: Matter, at: datetime, to: Addressee) -> tuple[str, str]:
    """An instant as its day and its hour, as the addressee's letters say them."""
    return _day(matter, at, to), _time(matter, at, to)


async def _at_the_site(resources: Resources, matter: Matter, to: Addressee) -> dict[str, str]:
    """Day and hour of an appointment as clocks tell them at the journey's site, else in its programme: it is there that
    people meet. Whoever's own clocks tell another hour reads whose it is."""
    state, calendar = matter.known.state, matter.book.calendar
    known = state.appointments.get(matter.about.id)
    if known is None:
        return {}
    there = in_zone(calendar, await zone_of(resources.pool, () if state.site is None else (state.site,))).zone
    at, own = known.at.astimezone(there), known.at.astimezone(_zone(matter, to))
    time = format_time(at, "HH:mm", locale=to.lang)
    if at.utcoffset() != own.utcoffset():
        place = get_timezone_location(there, locale=to.lang, return_city=True)
        time = _CLOCKS.in_(to.lang).format(time=time, place=place)
    return {"date": written(at.date(), to.lang), "time": time}


def _about(matter: Matter, to: Addressee) -> dict[str, str]:
    """What is particular to the subject: its name, its day, its amount."""
    state, programme, id = matter.known.state, matter.book.programme, matter.about.id
    match matter.about.kind:
        case "milestone":
            code = id.partition("/")[0]
            label = programme.milestones[code].label.in_(to.lang) if code in programme.milestones else code
            return {"milestone": label, "date": _due(matter, code, to)}
        case "date":
            rule = programme.dates.get(id)
            on = state.dates[id].on if id in state.dates else None
            return {"milestone": rule.label.in_(to.lang) if rule else id, "date": written(on, to.lang)}
        case "contact":
            contact, window = programme.contacts.get(id), state.contacts.get(id)
            label = contact.label.in_(to.lang) if contact else id
            return {"contact": label, "date": _last_day(matter, window.closes if window else None, to)}
        case "grant" | "payment" | "receipt":
            return _money(matter, to)
        case "referral" if id in state.referrals:
            return {"date": _last_day(matter, state.referrals[id].answer_by, to)}
        case "transfer" if state.transfer is not None:
            return {"date": _last_day(matter, state.transfer.accept_at, to)}
        case _:
            return {}


def _money(matter: Matter, to: Addressee) -> dict[str, str]:
    """A grant, one of its payments, or the receipts for one."""
    state, id = matter.known.state, matter.about.id
    grant, amount, until = state.grants.get(id), 0, None
    if grant is not None:
        amount, until = grant.amount, grant.decide_by
    elif (payment := state.payments.get(id)) is not None:
        grant, amount, until = state.grants[payment.grant], payment.amount, matter.at
    elif (receipt := state.receipts.get(id)) is not None:
        grant, amount, until = state.grants[receipt.grant], receipt.amount, receipt.by
    if grant is None:
        return {}
    label = matter.book.programme.grants[grant.kind].label.in_(to.lang)
    return {"grant": label, "amount": format_euro(amount, to.lang), "date": _last_day(matter, until, to)}


def _due(matter: Matter, code: str, to: Addressee) -> str:
    """The day of a milestone's deadline; where that is an hour, the one on which it falls for who reads it."""
    state = matter.known.state
    known = state.milestones.get(code)
    deadline = next((each for each in state.deadlines.values() if each.milestone == code), None)
    if deadline is not None:
        return written(deadline.day, to.lang) if deadline.day is not None else _day(matter, deadline.at, to)
    if known is not None and known.missed_day is not None:
        return written(known.missed_day, to.lang)
    return _last_day(matter, known.due if known is not None else None, to)


async def _mentor_name(resources: Resources, matter: Matter) -> str:
    state = matter.known.state
    id = matter.about.id if matter.about.kind == "mentor" else state.match.mentor if state.match else None
    found = await mentors.mentor(resources.pool, id) if id is not None else None
    return found.name if found is not None else ""


def _link(resources: Resources, matter: Matter, to: Addressee, referent: str) -> str:
    if to.audience == "staff":
        return resources.link.format(journey=matter.known.id)
    return _ASK.in_(to.lang).format(referent=referent)


def _phase(matter: Matter, lang: str) -> str:
    phases, known = matter.book.programme.phases, matter.known.state.phases
    running = [code for code in phases if code in known and not known[code].completed]
    return phases[running[-1]].label.in_(lang) if running else ""


def _reference(id: str) -> str:
    """The beginning of a journey's id, as far as it tells journeys apart."""
    return id[:13]


def _zone(matter: Matter, to: Addressee) -> ZoneInfo:
    return in_zone(matter.book.calendar, to.zone).zone


def _day(matter: Matter, at: datetime | None, to: Addressee) -> str:
    return "" if at is None else written(at.astimezone(_zone(matter, to)).date(), to.lang)


def _last_day(matter: Matter, at: datetime | None, to: Addressee) -> str:
    """The day until which something is awaited: the programme's, wherever it is read. Its end in Paris is the next
    morning in Nouméa."""
    return "" if at is None else written(matter.book.calendar.day(at), to.lang)


def _time(matter: Matter, at: datetime, to: Addressee) -> str:
    return format_time(at.astimezone(_zone(matter, to)), "HH:mm", locale=to.lang)


def written(day: date | None, lang: str) -> str:
    """A day as letters say it."""
    return "" if day is None else format_date(day, "long", locale="en_GB" if lang == "en" else "fr_FR")


def _first(name: str) -> str:
    return name.split(maxsplit=1)[0] if name.strip() else ""
