"""Who and what is meant: journeys, people, staff, mentors, partners, by id, beginning of an id, name or reference."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from journeys.app.failures import Failure, Said, not_found
from journeys.audit.reading import RulesNamed, read_book, rules_named
from journeys.domain.directory import search_form
from journeys.domain.events import read_stored
from journeys.domain.evolve import fold
from journeys.domain.handbook import Handbook
from journeys.domain.record import Event, Payload
from journeys.domain.state import State
from journeys.identifiers import is_uuid, short
from journeys.store import journal, mentors, partners, people, staff, views
from journeys.store.database import Pool
from journeys.store.journal import StoredPart
from journeys.store.mentors import Mentor
from journeys.store.partners import Partner
from journeys.store.people import Person
from journeys.store.staff import Member
from journeys.store.views import JourneyRow

SHORTEST_PREFIX: Final = 4
_MOST_NAMED: Final = 8


@dataclass(frozen=True, slots=True)
class Loaded:
    """A journey folded from the journal now."""

    row: JourneyRow
    state: State
    book: Handbook
    events: tuple[Event[Payload], ...]


async def find_journey(pool: Pool, asked: str) -> JourneyRow:
    """The journey of an id, of the beginning of one, or the open one of a person (reference or name).

    Raises:
        Failure: none (not found), or several.
    """
    wanted = asked.strip().removeprefix("journey-").lower()
    if is_uuid(wanted) and (row := await views.journey(pool, wanted)) is not None:
        return row
    if len(wanted) >= SHORTEST_PREFIX and set(wanted) <= set("0123456789abcdef-"):
        begun = await views.starting_with(pool, wanted)
        if len(begun) > 1:
            raise _several("journey", asked, [short(id) if len(wanted) < 12 else id for id in begun])
        if begun and (row := await views.journey(pool, begun[0])) is not None:
            return row
    rows = await _of_people(pool, asked)
    if len(rows) == 1:
        return rows[0]
    if rows:
        raise _several("journey", asked, [f"{short(row.id)} ({row.programme}, {row.status})" for row in rows])
    raise not_found(
        "unknown-journey",
        f"aucun parcours « {asked} »",
        f"no journey “{asked}”",
        field="ID",
        remedy=Said(
            "voyez « journeys list » ; le début de l'identifiant, la référence ou le nom suffisent",
            "see “journeys list”; the beginning of the id, the reference or the name will do",
        ),
    )


async def _of_people(pool: Pool, asked: str) -> list[JourneyRow]:
    """Journeys of the people that a reference or a name fits: the open ones, or all when none is open."""
    exact = await people.by_reference(pool, asked.strip())
    fitting = [exact] if exact is not None else await _named(pool, asked)
    rows = [row for person in fitting for row in await views.journeys(pool, person=person.id)]
    return [row for row in rows if row.status != "closed"] or rows


async def _named(pool: Pool, asked: str) -> list[Person]:
    """People whom a name fits; those who are called exactly so, where there are any."""
    fitting = await people.search(pool, asked)
    exactly = [person for person in fitting if search_form(person.name) == search_form(asked)]
    return exactly or fitting


async def load(pool: Pool, row: JourneyRow) -> Loaded:
    """Fold a journey from the journal."""
    events, book = await read_journey(pool, row)
    return Loaded(row, fold(events), book, events)


async def read_journey(pool: Pool, row: JourneyRow) -> tuple[tuple[Event[Payload], ...], Handbook]:
    """A journey's events as the journal has them now, and the rules in force at their end."""
    events = tuple(each.event() for each in await journal.read_all(pool, row.stream))
    return events, await _book_of(pool, events)


async def read_told(pool: Pool, row: JourneyRow) -> tuple[tuple[Event[Payload], ...], Handbook, list[StoredPart]]:
    """The same, and the texts of the events."""
    stored, texts = await journal.read_told(pool, row.stream)
    events = tuple(read_stored(kind, header) for kind, header in stored)
    return events, await _book_of(pool, events), texts


async def _book_of(pool: Pool, events: Sequence[Event[Payload]]) -> Handbook:
    named = rules_named(events)
    if named not in _books:
        book = await read_book(pool, events)
        assert book is not None, "a journey begins with its plan, and its texts are kept"
        _books[named] = book
    return _books[named]


_books: Final[dict[RulesNamed, Handbook]] = {}
"""Rules by the SHA-256 of their texts, which never change: read once a process."""


async def find_staff(pool: Pool, asked: str, field: str) -> Member:
    """A member of staff by handle or id, also one who left. Raises Failure."""
    found = await staff.by_handle(pool, asked.strip()) or (await staff.member(pool, asked) if is_uuid(asked) else None)
    if found is not None:
        return found
    everyone = await staff.members(pool)
    called = [member for member in everyone if search_form(member.name) == search_form(asked)]
    if len(called) == 1:
        return called[0]
    raise _unknown("staff", asked, [member.handle for member in everyone if member.active], field)


async def find_mentor(pool: Pool, asked: str, field: str) -> Mentor:
    """A mentor by id, beginning of it, or name. Raises Failure."""
    everyone = await mentors.mentors(pool)
    id = pick(asked, {mentor.id: mentor.name for mentor in everyone}, "mentor", field)
    return next(mentor for mentor in everyone if mentor.id == id)


async def find_partner(pool: Pool, asked: str, field: str) -> Partner:
    """A partner by id, beginning of it, or name. Raises Failure."""
    everyone = await partners.partners(pool)
    id = pick(asked, {partner.id: partner.name for partner in everyone}, "partner", field)
    return next(partner for partner in everyone if partner.id == id)


async def find_person(pool: Pool, asked: str) -> Person:
    """A person by id, reference or name. Raises Failure."""
    if is_uuid(asked) and (found := await people.person(pool, asked)) is not None:
        return found
    fitting = await _named(pool, asked)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise _several("person", asked, [f"{person.name} ({short(person.id)}…)" for person in fitting])
    raise _unknown("person", asked, [], "ID", _SEARCHED)


def pick(asked: str, names: dict[str, str], kind: str, field: str) -> str:
    """The one id of `names` (id: name) that is meant by an id, its beginning, or a name. Raises Failure."""
    wanted = asked.strip().lower()
    if wanted in names:
        return wanted
    form = search_form(asked)
    fitting = [id for id, name in names.items() if form and search_form(name) == form]
    if not fitting and len(wanted) >= SHORTEST_PREFIX:
        fitting = [id for id in names if id.startswith(wanted)]
    if not fitting and form:
        fitting = [id for id, name in names.items() if all(word in search_form(name) for word in form.split())]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise _several(kind, asked, [f"{names[id]} ({short(id)})".strip() for id in fitting], field)
    raise _unknown(kind, asked, [name or short(id) for id, name in names.items()], field)


def only(names: dict[str, str], kind: str, field: str) -> str:
    """The id that is meant when none was typed: the only one that is open. Raises Failure (usage or not found)."""
    if len(names) == 1:
        return next(iter(names))
    if names:
        raise _several(kind, "", [f"{name} ({short(id)})" for id, name in names.items()], field)
    fr, en = _KINDS[kind]
    raise not_found(
        "nothing-open", f"ce parcours n'a {_none_fr(fr)} en cours", f"this journey has no open {en}", field=field
    )


def unknown_code(kind: str, asked: str, known: Iterable[str], field: str) -> Failure:
    """A code that the programme does not have."""
    return _unknown(kind, asked, list(known), field)


def nearest(asked: str, known: Sequence[str]) -> str:
    """The known name that looks most like this one, or an empty text."""
    found = get_close_matches(asked.lower()[:80], known, n=1, cutoff=0.6)
    return found[0] if found else ""


def items_of(row: JourneyRow) -> list[dict[str, Any]]:
    """What waits on a journey, as its view holds it."""
    board: list[dict[str, Any]] = row.summary["board"]
    return board


_KINDS: Final[dict[str, tuple[str, str]]] = {
    "journey": ("un parcours", "journey"),
    "staff": ("un membre de l'équipe", "member of staff"),
    "mentor": ("un mentor", "mentor"),
    "partner": ("un partenaire", "partner"),
    "person": ("une personne", "person"),
    "cohort": ("une promotion", "cohort"),
    "escalation": ("une alerte", "escalation"),
    "shift": ("une astreinte", "shift"),
    "grant": ("une aide", "grant"),
    "payment": ("un versement", "payment"),
    "payment-state": ("un état de versement", "state of a payment"),
    "receipt": ("un justificatif", "receipt"),
    "appointment": ("un rendez-vous", "appointment"),
    "referral": ("une orientation", "referral"),
    "chase": ("une relance", "chase"),
    "milestone": ("une étape", "milestone"),
    "date": ("une date", "date"),
    "contact": ("un suivi", "contact"),
    "situation": ("une situation", "situation"),
    "measure": ("un constat", "measure"),
    "outcome": ("une issue", "outcome"),
    "fund": ("un fonds", "fund"),
    "webhook": ("un abonnement", "subscription"),
    "event": ("un type d'événement", "type of event"),
    "token": ("un jeton", "token"),
    "recipient": ("quelqu'un dont une réponse est attendue", "person whose answer is wanted"),
    "answer": ("une réponse", "answer"),
    "purpose": ("un domaine", "purpose"),
}


def _none_fr(noun: str) -> str:
    return "aucun" + noun.removeprefix("un")


_SEARCHED: Final = Said(
    "écrivez deux mots du nom, la référence ou le téléphone ; « journeys person list » cherche",
    "write two words of the name, the reference or the phone number; “journeys person list” searches",
)


def _unknown(kind: str, asked: str, known: Sequence[str], field: str, remedy: Said | None = None) -> Failure:
    """Args: known: what could have been meant. remedy: where that is not to be listed."""
    fr, en = _KINDS[kind]
    near = nearest(asked, known)
    named = ", ".join(known[: _MOST_NAMED * 2]) + (", …" if len(known) > _MOST_NAMED * 2 else "")
    listed = Said(
        (f"Vouliez-vous dire « {near} » ? " if near else "")
        + (f"Connus : {named}" if named else "Rien n'est encore noté"),
        (f"Did you mean “{near}”? " if near else "") + (f"Known: {named}" if named else "None is noted yet"),
    )
    return not_found(
        f"unknown-{kind}",
        f"{field} : « {asked} » n'est pas {fr} connu{'e' if fr.startswith('une') else ''}",
        f"{field}: “{asked}” is not a known {en}",
        field=field,
        remedy=remedy or listed,
    )


def _several(kind: str, asked: str, found: Sequence[str], field: str = "ID") -> Failure:
    fr, en = _KINDS[kind]
    named = ", ".join(found[:_MOST_NAMED]) + (", …" if len(found) > _MOST_NAMED else "")
    return not_found(
        "several",
        f"{field} : plusieurs conviennent" + (f" pour « {asked} »" if asked else f", dites laquelle ({fr})"),
        f"{field}: several fit" + (f" “{asked}”" if asked else f", say which {en}"),
        field=field,
        remedy=Said(f"Précisez : {named}", f"Choose: {named}"),
    )
