"""One-time links of mentors, partners and the person: opening one changes nothing, its button does."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from journeys.app.answering import CHOICES, command_of, is_summons, read_answer
from journeys.app.entry import Actor
from journeys.app.failures import Failure
from journeys.app.finding import Loaded, load
from journeys.app.forwarding import deliver
from journeys.app.hours import beside, day_and_hour
from journeys.app.hours import zone_of as zone_at_site
from journeys.app.reading import today_of
from journeys.app.telling import unsigned
from journeys.app.web.policy import PUBLIC, Door
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door, language_of
from journeys.contract import Fate
from journeys.domain.calendar import in_zone
from journeys.domain.commands import PERSONAL
from journeys.domain.links import Purpose, asks, times_offered
from journeys.domain.record import instant_text
from journeys.i18n import N_, language
from journeys.store import journal, links, mentors, partners, people, staff, views
from journeys.store.database import Connection
from journeys.store.links import AT_ONCE, PATH, Link, Opened, Stands
from journeys.store.places import place_of
from journeys.store.sites import said_outside, zone_of
from journeys.temporal import Malformed, Unreachable

router = APIRouter()

_ONE_CLICK: Final = (b"List-Unsubscribe", b"One-Click")
"""What stands in the body of an asking mail program, in either form of a form."""
_LARGEST_ASKING: Final = 2_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the recipient is shown, and no more."""

    greeting: str
    """The recipient's own first name, or what a partner is called."""
    person: str
    """The person, as far as the recipient may know: a first name, or empty."""
    matter: str
    """A code: what a referral is for; empty elsewhere."""
    when: str
    place: str
    means: tuple[str, ...]
    times: tuple[tuple[str, str], ...]
    """The other times that may be taken: an instant as its button says it, the day and hour as they are read."""
    zone: ZoneInfo
    """In which hours are shown and written: those of an appointment as clocks tell them at its site."""
    own: ZoneInfo
    """Where the recipient's own clocks are."""
    clock: str
    """Where those of the appointment are, if the recipient's own tell another hour; else empty."""
    referent: str
    phone: str
    until: date
    summons: bool = False
    """The appointment is one that the person may not decline or move."""
    closed: bool = False
    """The journey has ended."""


@dataclass(frozen=True, slots=True)
class Met:
    """A link that can be used, the journey that it opens, and what is shown of it."""

    opened: Opened
    loaded: Loaded
    sheet: Sheet
    once_more: str | None = None
    """The id of what the link gives now, where it stopped messages before that have begun again since."""


@dataclass(frozen=True, slots=True)
class Dead:
    """What is said of a link that opens nothing: never of whom or of what it was."""

    status: int
    title: str
    text: str
    advice: str


CALL: Final = N_(
    "Appelez la personne qui vous a donné ce lien : elle notera votre réponse, ou vous en donnera un autre."
)
"""What helps whoever has a link and no account, whatever is wrong with it, or here."""
UNKNOWN: Final = Dead(
    404, N_("Ce lien ne s'ouvre pas"), N_("L'adresse est incomplète, ou n'est plus reconnue."),
    N_("Reprenez-la en entier dans le message, jusqu'au dernier signe. Si elle ne s'ouvre toujours pas, appelez la "
       "personne qui vous l'a donnée."),
)  # fmt: skip
"""The same for a link that never was, one that was altered, and one that somebody made up."""
EXPIRED: Final = Dead(410, N_("Ce lien n'est plus valable"), N_("Il avait une date limite, et elle est passée."), CALL)
REVOKED: Final = Dead(
    410, N_("Ce lien a été remplacé ou retiré"), N_("Un message plus récent contient peut-être le bon lien."), CALL
)
GONE: Final = Dead(
    410, N_("Cette demande n'attend plus de réponse"),
    N_("Les choses ont changé depuis que ce lien vous a été donné. Rien n'a été noté."),
    N_("Si vous aviez quelque chose à dire, appelez la personne qui vous a donné ce lien."),
)  # fmt: skip
REFUSED: Final = Dead(
    410, N_("Votre réponse n'a pas pu être retenue"),
    N_("Les choses ont changé depuis que ce lien vous a été donné. Rien n'a été changé par votre réponse."),
    N_("Appelez la personne qui vous a donné ce lien : elle vous dira où en sont les choses."),
)  # fmt: skip
UNDONE: Final[Mapping[str, Dead]] = {
    "stop": Dead(
        410, N_("Vous recevez de nouveau nos messages"),
        N_("Ce lien les avait arrêtés. Ils ont repris depuis, et il n'est plus valable."),
        N_("Pour les arrêter, prenez le lien du dernier message, ou dites-le à la personne qui vous accompagne."),
    ),
    "again": Dead(
        410, N_("Vous ne recevez pas nos messages"),
        N_("Ce lien les avait fait reprendre. Ils ont été arrêtés depuis."),
        N_("Si vous en voulez de nouveau, dites-le à la personne qui vous accompagne : elle vous donnera un autre "
           "lien."),
    ),
}  # fmt: skip
"""What a link about messages did that does not hold any more, by what it was for."""
_DEAD: Final = {Stands.EXPIRED: EXPIRED, Stands.REVOKED: REVOKED, Stands.REFUSED: REFUSED}

DONE: Final[Mapping[tuple[Purpose, str], tuple[str, str]]] = {
    (Purpose.PROPOSAL, "yes"): (
        N_("Vous avez dit oui"), N_("Merci. On vous appellera pour organiser la première rencontre.")
    ),
    (Purpose.PROPOSAL, "no"): (
        N_("Vous avez dit non"), N_("Merci d'avoir répondu. Quelqu'un d'autre sera cherché.")
    ),
    (Purpose.REFERRAL, "yes"): (
        N_("Vous avez accepté cette demande"), N_("Merci. On vous appellera pour la suite.")
    ),
    (Purpose.REFERRAL, "no"): (
        N_("Vous avez décliné cette demande"), N_("Merci d'avoir répondu. Une autre solution sera cherchée.")
    ),
    (Purpose.CONTACT, "made"): (N_("Le contact est noté"), N_("Merci. Vous n'avez rien d'autre à faire.")),
    (Purpose.APPOINTMENT, "coming"): (
        N_("Vous avez dit que vous viendrez"), N_("Merci. Si quelque chose change, appelez avant.")
    ),
    (Purpose.APPOINTMENT, "move"): (
        N_("Votre rendez-vous est déplacé"),
        N_("C'est maintenant {when}. Merci. Si quelque chose change, appelez avant."),
    ),
    (Purpose.APPOINTMENT, "other-time"): (
        N_("Vous avez demandé une autre heure"),
        N_("On vous appellera pour en convenir. D'ici là, l'heure prévue reste notée."),
    ),
    (Purpose.APPOINTMENT, "declined"): (
        N_("Vous avez dit que vous ne viendrez pas"),
        N_("Le rendez-vous est annulé. Merci de l'avoir dit : appelez quand vous voulez en fixer un autre."),
    ),
    (Purpose.MESSAGES, "stop"): (
        N_("Vous ne recevrez plus de messages"),
        N_("La personne qui vous accompagne le sait, et conviendra avec vous d'une autre façon de garder le lien. Si "
           "vous changez d'avis, dites-le-lui : elle vous donnera un autre lien."),
    ),
    (Purpose.MESSAGES, "again"): (
        N_("Vous recevrez de nouveau nos messages"), N_("Merci. Vous pouvez les arrêter quand vous voulez."),
    ),
}  # fmt: skip


@router.get(PATH + "{token}")
async def shown(token: str, visit: Visit = door(PUBLIC)) -> Response:
    """What is asked, or how the link stands. Programs that open the links of mails change nothing by it."""
    met = await _meet(visit, token)
    return _form(visit, met, {}) if isinstance(met, Met) else met


class _Program(Door):
    """Without a session and a form's token: whoever has the link may act, also a mail program."""

    async def __call__(self, request: Request) -> AsyncIterator[Visit]:
        visit = Visit(request.app.state.house, request, language_of(request, None), "")
        try:
            yield visit
        finally:
            await visit.done()


_program: Final = Depends(_Program(PUBLIC))


@router.get(AT_ONCE + "{token}")
async def by_hand(token: str, visit: Visit = door(PUBLIC)) -> Response:
    """A mail program that shows the address instead of asking by itself: the same page as the link in the letter."""
    met = await _meet(visit, token)
    return RedirectResponse(PATH + token, status_code=303) if isinstance(met, Met) else met


@router.post(AT_ONCE + "{token}")
async def at_once(token: str, visit: Visit = _program) -> Response:
    """Stop all messages, as a mail program asks (RFC 8058): at once, without a page. Asked again it is still so, also
    where they had begun again.

    200 they are stopped; 404 not such a link; 409 a rule forbids it; 410 it holds no more; 503 ask again.
    """
    body = b""
    async for chunk in visit.request.stream():
        body += chunk
        if len(body) > _LARGEST_ASKING:
            return PlainTextResponse("", status_code=413)
    if not all(word in body for word in _ONE_CLICK):
        return PlainTextResponse("List-Unsubscribe=One-Click is missing.", status_code=400)
    met = await _meet(visit, token)
    if not isinstance(met, Met):
        return PlainTextResponse("", status_code=200 if await _stopped(visit, token) else met.status_code)
    opened = met.opened
    if not _stops(opened.link):
        return PlainTextResponse("", status_code=404)
    if opened.stands is not Stands.TAKEN:
        opened = await _take(visit, met, {"answer": "stop"})
    try:
        stands = await _send(visit, met, opened, "")
    except (Failure, Unreachable, Malformed):
        return PlainTextResponse("", status_code=503)
    done = stands is Stands.DONE or await _stopped(visit, token)
    return PlainTextResponse("", status_code=200 if done else 409)


def _stops(link: Link) -> bool:
    return link.purpose is Purpose.MESSAGES and link.subject == "stop"


async def _stopped(visit: Visit, token: str) -> bool:
    """Whether what a link to stop asks for is so already."""
    async with visit.house.reading.acquire() as connection, connection.transaction():
        opened = await links.enter(connection, visit.house.ring, token, visit.now)
        if opened is None or not _stops(opened.link):
            return False
        person = await people.person(connection, opened.link.recipient)
        return person is not None and person.opted_out


@router.post(PATH + "{token}")
async def answered(token: str, visit: Visit = door(PUBLIC)) -> Response:
    """Give the answer: taken once, sent as the recipient's own command, and shown on the page that follows."""
    met = await _meet(visit, token)
    if not isinstance(met, Met):
        return met
    typed = {name: value for name, value in (await visit.request.form()).items() if isinstance(value, str)}
    opened = met.opened
    if opened.stands is not Stands.TAKEN:
        answer, wrong = read_answer(opened.link, typed, met.loaded, met.sheet.zone, visit.now)
        if wrong:
            return _form(visit, met, typed, wrong, 422)
        if "zone" in answer:
            answer["own"] = met.sheet.own.key
        opened = await _take(visit, met, answer)
        if opened.stands is not Stands.TAKEN:
            return _dead(visit, _DEAD[opened.stands])
    try:
        await _send(visit, met, opened, typed.get("word", ""))
    except Failure as failure:
        return _form(visit, Met(opened, met.loaded, met.sheet), typed, [failure], 422)
    except (Unreachable, Malformed):
        return _form(visit, Met(opened, met.loaded, met.sheet), typed, status=503)
    return RedirectResponse(visit.request.url.path + _language(visit), status_code=303)


async def _take(visit: Visit, met: Met, answer: Mapping[str, str]) -> Opened:
    """The link, taken for an answer; one that serves once more has been taken for good."""
    if met.once_more is not None:
        return replace(met.opened, stands=Stands.TAKEN, answer=answer, at=visit.now)
    return await links.take(visit.house.writing, met.opened, answer, visit.now)


async def _send(visit: Visit, met: Met, opened: Opened, word: str) -> Stands:
    """Send the command and note what came of it, which is returned.

    Raises Failure, Unreachable, Malformed: the link can be used again.
    """
    house, link = visit.house, opened.link
    command = command_of(house.ring, opened, word, visit.now, met.once_more)
    actor = Actor(link.recipient, "", (link.role,))
    try:
        answer = await deliver(
            house.writing, house.ring, house.client, house.settings.task_queue, met.loaded, command, {}, actor
        )
        outcome = answer.outcome
    except Unreachable as error:
        if error.fate is not Fate.UNDER_WAY or command.name not in PERSONAL:
            raise
        # The person's word is on their own stream, which is looked at before anything leaves; journeys are told of it.
        outcome = "accepted"
    if outcome == "conflict":
        # The same answer with another word: the first one counts, and what came of it stands in the journal.
        known = await journal.answer_of(house.writing, link.stream, command.id)
        outcome = known.outcome if known is not None else outcome
    if outcome == "unsigned":
        raise unsigned(command.id)
    stands = Stands.DONE if outcome == "accepted" else Stands.REFUSED
    await links.settle(house.writing, link, stands, visit.now)
    structlog.get_logger().info("link answered", link=link.id, purpose=link.purpose.value, outcome=outcome)
    return stands


async def _meet(visit: Visit, token: str) -> Met | Response:
    """What the link opens; else the page that says why it opens nothing, or what was done with it."""
    await visit.done()
    async with visit.house.reading.acquire() as connection, connection.transaction():
        opened = await links.enter(connection, visit.house.ring, token, visit.now)
        visit.lang = language(
            visit.request.query_params.get("lang")
            or (opened.link.language if opened is not None else None)
            or visit.lang
        )
        if opened is None:
            return _dead(visit, UNKNOWN)
        if opened.stands is Stands.DONE:
            if not await _undone(connection, opened.link):
                return _spent(visit, opened)
            if not _stops(opened.link) or visit.now >= opened.link.expires_at:
                return _dead(visit, UNDONE[opened.link.subject])
        if opened.stands in _DEAD:
            return _dead(visit, _DEAD[opened.stands])
        row = await views.journey(connection, opened.link.journey)
        if row is None:
            return _dead(visit, GONE)
        loaded = await load(connection, row)
        person = await people.person(connection, loaded.state.person)
        if opened.stands is not Stands.TAKEN and not still_asked(opened.link, loaded, person, visit.now):
            return _dead(visit, GONE)
        sheet = await _sheet(connection, visit, opened.link, loaded, person)
        return Met(opened, loaded, sheet, _once_more(opened.link, loaded) if opened.stands is Stands.DONE else None)


async def _undone(connection: Connection, link: Link) -> bool:
    """Whether the person has chosen otherwise since a link stopped their messages, or let them begin again."""
    if link.purpose is not Purpose.MESSAGES:
        return False
    person = await people.person(connection, link.recipient)
    return person is not None and person.opted_out is not (link.subject == "stop")


def _once_more(link: Link, loaded: Loaded) -> str:
    """However often it is asked for, one command for each time that messages began again."""
    return link.command_since(max((event.seq for event in loaded.events if event.kind == "OptedIn"), default=0))


def still_asked(link: Link, loaded: Loaded, person: people.Person | None, now: datetime) -> bool:
    """Whether what the link was made for still waits for its recipient. The engine judges once more."""
    if link.purpose is Purpose.MESSAGES:
        # By the person's own word: a journey that is closed has heard of none since, nor of a death.
        if person is None or person.died:
            return False
        word = "again" if person.opted_out else "stop"
        return (link.role, link.recipient, link.subject) == ("participant", person.id, word)
    found = asks(loaded.state, loaded.book, now)
    return any(ask.same(link.role, link.recipient, link.purpose, link.subject) for ask in found)


async def _sheet(
    connection: Connection, visit: Visit, link: Link, loaded: Loaded, person: people.Person | None
) -> Sheet:
    state = loaded.state
    referent = await staff.member(connection, state.referent)
    when = place = matter = known = clock = ""
    means: tuple[str, ...] = ()
    times: tuple[tuple[str, str], ...] = ()
    here = own = in_zone(loaded.book.calendar, await _zone_of(connection, link, person)).zone
    match link.purpose:
        case Purpose.CONTACT:
            known = person.details.first_name if person is not None else ""
            means = (
                loaded.book.programme.contacts[link.subject].means
                if link.subject in loaded.book.programme.contacts
                else ()
            )
        case Purpose.REFERRAL if link.subject in state.referrals:
            referral = state.referrals[link.subject]
            matter = referral.purpose
            if person is not None and f"{referral.partner}/{referral.purpose}" in state.consents:
                known = f"{person.details.first_name} {person.details.last_name[:1]}."
        case Purpose.APPOINTMENT if link.subject in state.appointments:
            here = await zone_at_site(connection, state.site, loaded.book.calendar)
            at = state.appointments[link.subject].at
            when, clock = day_and_hour(at, visit.lang, here, own), beside(at, visit.lang, here, own)
            times = tuple((instant_text(each), day_and_hour(each, visit.lang, here, own))
                          for each in times_offered(state, link.subject, visit.now))  # fmt: skip
            noted = await place_of(connection, link.stream, loaded.events, link.subject)
            place = await said_outside(connection, noted, state.site, visit.lang)
    return Sheet(
        greeting=await _greeting(connection, link, person), person=known, matter=matter, when=when, place=place,
        means=means, times=times, zone=here, own=own, clock=clock,
        referent=referent.name if referent is not None else "",
        phone=(referent.phone or "") if referent is not None else "", until=today_of(link.expires_at),
        summons=link.purpose is Purpose.APPOINTMENT and is_summons(loaded, link.subject), closed=not state.is_open,
    )  # fmt: skip


async def _zone_of(connection: Connection, link: Link, person: people.Person | None) -> str | None:
    """Where the recipient lives, or where their site lies."""
    found: mentors.Mentor | partners.Partner | None
    match link.role:
        case "mentor":
            found = await mentors.mentor(connection, link.recipient)
        case "partner":
            found = await partners.partner(connection, link.recipient)
        case _:
            return person.details.zone if person is not None else None
    return await zone_of(connection, (found.site,) if found is not None and found.site is not None else ())


async def _greeting(connection: Connection, link: Link, person: people.Person | None) -> str:
    match link.role:
        case "mentor":
            mentor = await mentors.mentor(connection, link.recipient)
            return mentor.name.split(maxsplit=1)[0] if mentor is not None and mentor.name.strip() else ""
        case "partner":
            partner = await partners.partner(connection, link.recipient)
            return partner.name if partner is not None else ""
        case _:
            return person.details.first_name if person is not None else ""


def _form(
    visit: Visit, met: Met, typed: Mapping[str, str], failures: Sequence[Failure] = (), status: int = 200
) -> Response:
    link = met.opened.link
    return page(
        visit, "link.html", status, link=link, sheet=met.sheet, choices=CHOICES[link.purpose], typed=typed,
        failures=failures, sent=met.opened.stands is Stands.TAKEN, action=visit.request.url.path + _language(visit),
    )  # fmt: skip


def _spent(visit: Visit, opened: Opened) -> Response:
    title, text = DONE[opened.link.purpose, opened.answer["answer"]]
    at, zone = opened.answer.get("at"), opened.answer.get("zone")
    when = ""
    if at is not None and zone is not None:
        own = opened.answer.get("own", zone)
        when = day_and_hour(datetime.fromisoformat(at), visit.lang, ZoneInfo(zone), ZoneInfo(own))
    return page(visit, "link-done.html", title=visit.say(title), text=visit.say(text, when=when), at=opened.at)


def _dead(visit: Visit, dead: Dead) -> Response:
    return page(
        visit, "link-dead.html", dead.status, title=visit.say(dead.title), text=visit.say(dead.text),
        advice=visit.say(dead.advice),
    )  # fmt: skip


def _language(visit: Visit) -> str:
    """Kept from page to page where the reader chose another language than their own."""
    return f"?lang={visit.lang}" if "lang" in visit.request.query_params else ""
