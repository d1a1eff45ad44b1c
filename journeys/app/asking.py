"""Whom a journey may turn to: mentors whom no rule of their own programme bars, partners who still take people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded, load
from journeys.app.hours import said_there, zone_of
from journeys.app.reading import today_of
from journeys.clock import now
from journeys.domain import guards
from journeys.domain.appointments import key_of, series
from journeys.domain.commands import BookAppointment, MatchMentor, MoveAppointment, ProposeMentor, SendReferral
from journeys.domain.directory import search_form
from journeys.domain.programme import Programme, Saying
from journeys.i18n import LANGS, format_instant
from journeys.store import erasing, mentors, partners, people, views
from journeys.store.database import Connection, Pool
from journeys.store.mentors import Mentor
from journeys.store.people import Person
from journeys.store.views import JourneyRow


@dataclass(frozen=True, slots=True)
class Warned:
    """What does not stop a command, and should be known; `code` is stable, for programs."""

    code: Literal["no-place", "mentor-away", "overlap"]
    what: Said


async def must_be_askable(pool: Pool, programme: Programme, body: object) -> None:
    """Raises Failure (refused): a mentor who may not be one to participants, or a partner who takes nobody any more.

    `programme`: of the journey that asks.
    """
    match body:
        case ProposeMentor(mentor=id) | MatchMentor(mentor=id):
            mentor = await mentors.mentor(pool, id)
            if mentor is None and await erasing.ordered(pool, id, "mentor") is not None:
                raise Failure(
                    Exit.REFUSED, "mentor-forgotten",
                    Said("les données de ce mentor sont effacées ; rien n'a été noté",
                         "the data of this mentor were erased; nothing was noted"),
                    Said("choisissez un autre mentor", "choose another mentor"),
                    field="mentor",
                )  # fmt: skip
            if mentor is None or programme.subject != "participant":
                return
            if (says := (await barred(pool, [mentor], today_of(now()))).get(id)) is not None:
                raise no_mentor(mentor.name, says)
        case SendReferral(partner=id):
            partner = await partners.partner(pool, id)
            if partner is None and await erasing.ordered(pool, id, "partner") is not None:
                raise Failure(
                    Exit.REFUSED, "partner-forgotten",
                    Said("les données de ce partenaire sont effacées ; rien n'a été envoyé",
                         "the data of this partner were erased; nothing was sent"),
                    Said("choisissez un autre partenaire", "choose another partner"),
                    field="partner",
                )  # fmt: skip
            if partner is not None and not partner.active:
                raise Failure(
                    Exit.REFUSED, "partner-left",
                    Said(f"{partner.name} ne reçoit plus personne ; rien n'a été envoyé",
                         f"{partner.name} takes nobody any more; nothing was sent"),
                    Said("choisissez un autre partenaire : ils sont proposés avec leurs places",
                         "choose another partner: they are proposed with their places"),
                    field="partner",
                )  # fmt: skip
        case _:
            pass


async def worth_knowing(pool: Pool, loaded: Loaded, body: object, command: str | None = None) -> Warned | None:
    """What whoever asks should know beforehand and may go on in spite of: whom they ask has no place left, or no time.

    command: the id under which it is asked; sent again, it does not find its own place taken.
    """
    match body:
        case BookAppointment() | MoveAppointment():
            return await overlap(pool, loaded, body, command)
        case SendReferral(partner=id):
            partner = await partners.partner(pool, id)
            if partner is None or not partner.active or partner.places is None:
                return None
            taken = (await partners.taken(pool, but=command)).get(id, 0)
            return _full(partner.name, taken, partner.places)
        case ProposeMentor(mentor=id):
            mentor = await mentors.mentor(pool, id)
            if mentor is None:
                return None
            if not mentor.available:
                return Warned("mentor-away", Said(f"Attention : {mentor.name} n'est pas disponible en ce moment.",
                                                  f"Take care: {mentor.name} is not available now."))  # fmt: skip
            return _full(mentor.name, (await mentors.matched(pool)).get(id, 0), mentor.capacity)
        case _:
            return None


async def overlap(pool: Pool, loaded: Loaded, body: object, command: str | None = None) -> Warned | None:
    """Another appointment at a time that a command gives, of a series at each of its times; see `worth_knowing`."""
    match body:
        case BookAppointment():
            own = _ids(loaded, command, body.times) if command is not None else frozenset()
            for at in series(loaded.book.calendar, body):
                if (found := await _met(pool, loaded, at, body.minutes, own)) is not None:
                    return found
        case MoveAppointment(appointment=id, at=at) if id in loaded.state.appointments:
            return await _met(pool, loaded, at, loaded.state.appointments[id].minutes, frozenset({id}))
    return None


def _ids(loaded: Loaded, command: str, times: int) -> frozenset[str]:
    """Of the appointments that a command books."""
    journey = UUID(loaded.row.id)
    return frozenset({command, *(str(uuid5(journey, key_of(command, number))) for number in range(1, times))})


async def _met(pool: Pool, loaded: Loaded, at: datetime, minutes: int, but: frozenset[str]) -> Warned | None:
    """Another appointment of the person, on any of their journeys, or of whoever leads this one, at the same time."""
    state, ends = loaded.state, at + timedelta(minutes=minutes)
    for row in await views.meeting(pool, state.person, state.referent, at, ends):
        other = await load(pool, row)
        for id, known in other.state.appointments.items():
            if known.outcome is not None or id in but:
                continue
            if known.at < ends and at < known.at + timedelta(minutes=known.minutes):
                zone = await zone_of(pool, other.state.site, other.book.calendar)
                hour = {lang: said_there(format_instant(known.at, lang, zone), lang, zone) for lang in LANGS}
                if row.person == state.person:
                    return Warned("overlap", Said(
                        f"Attention : la personne a déjà un rendez-vous à ce moment-là (le {hour['fr']}).",
                        f"Take care: the person has an appointment at that time already (on {hour['en']}).",
                    ))  # fmt: skip
                return Warned("overlap", Said(
                    f"Attention : qui suit ce parcours a déjà un rendez-vous à ce moment-là (le {hour['fr']}).",
                    f"Take care: whoever leads this journey has an appointment at that time already (on {hour['en']}).",
                ))  # fmt: skip
    return None


async def overlapping(connection: Pool | Connection, met: Sequence[tuple[datetime, JourneyRow, str]]) -> frozenset[str]:
    """Ids of those appointments (when, whose, its id) at whose time the same person, or the same caseworker, has
    another of these."""
    length = await views.minutes(connection, [row.id for _, row, _ in met])
    return frozenset(
        id
        for at, row, id in met
        for other_at, other, other_id in met
        if id != other_id and (row.person == other.person or row.referent == other.referent)
        and at < other_at + timedelta(minutes=length.get(other_id, 60))
        and other_at < at + timedelta(minutes=length.get(id, 60))
    )  # fmt: skip


def _full(name: str, taken: int, most: int) -> Warned | None:
    if taken < most:
        return None
    return Warned("no-place", Said(f"Attention : {name} n'a plus de place ({taken} sur {most}).",
                                   f"Take care: {name} has no place left ({taken} of {most})."))  # fmt: skip


async def barred(pool: Pool, asked: Iterable[Mentor], today: date) -> dict[str, Saying]:
    """Mentors who are volunteers under a programme that bars them from participants, with what it says of them.

    A volunteer is the mentor of the same id, or of the same name, whichever of its words comes first.
    """
    called = {mentor.id: search_form(mentor.name).split() for mentor in asked}
    written = {" ".join(words[at:] + words[:at]) for words in called.values() for at in range(len(words))}
    said: dict[str, Saying] = {}
    for person in await people.volunteers(pool, list(called), sorted(written)):
        if (says := await _said_of(pool, person, today)) is not None:
            said |= {person.id: says, _in_any_order(search_form(person.name).split()): says}
    found = {id: said.get(id) or said.get(_in_any_order(words)) for id, words in called.items()}
    return {id: each for id, each in found.items() if each is not None}


def _in_any_order(words: list[str]) -> str:
    return " ".join(sorted(words))


async def _said_of(pool: Pool, person: Person, today: date) -> Saying | None:
    for row in await views.journeys(pool, person=person.id):
        loaded = await load(pool, row)
        programme = loaded.book.programme
        if (code := guards.no_mentor(programme, loaded.state, person.details.birth_date, today)) is not None:
            return programme.guards[code].says
    return None


def no_mentor(name: str, says: Saying) -> Failure:
    """Somebody may not be a mentor: in the words of the rule."""
    return Failure(
        Exit.REFUSED, "no-mentor-here",
        Said(f"{name} ne peut pas être mentor : {says.fr}", f"{name} cannot be a mentor: {says.en}"),
        Said("choisissez quelqu'un d'autre ; s'il s'agit d'un homonyme, distinguez les deux noms dans l'annuaire",
             "choose somebody else; if it is another person of that name, tell the two apart in the directory"),
        field="mentor",
    )  # fmt: skip
