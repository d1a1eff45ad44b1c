"""A command's form for one journey: each field with its words, its choices and what was typed so far."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

from journeys.app.allowing import answerers
from journeys.app.failures import Exit, Failure, Said
from journeys.app.fields import OF_APPOINTMENTS, Field, commands, fields_of
from journeys.app.finding import Loaded
from journeys.app.hours import filled_hour, said_there, zone_of
from journeys.app.proposing import mentors_for, partners_for
from journeys.app.reading import ZONE
from journeys.app.web.acting import typed_for
from journeys.app.web.changing import days_wanted, other_rules, text_meant
from journeys.app.web.resending import label_of
from journeys.app.web.visit import Visit
from journeys.domain.calendar import in_zone
from journeys.domain.document import KINDS, PART
from journeys.domain.programme import Programme
from journeys.i18n import capital
from journeys.narration import spoken
from journeys.narration.telling import Speech
from journeys.store import partners, staff
from journeys.store.directory import names_of

Shape = Literal[
    "hidden", "text", "area", "day", "instant", "instants", "days", "amount", "number", "choice", "flag", "file"
]

_CODES = {
    "milestone": "milestones",
    "date": "dates",
    "contact": "contacts",
    "situation": "situations",
    "measure": "measures",
}
_LISTED: Mapping[str, Callable[[Programme], Iterable[Iterable[str]]]] = {
    "purpose": lambda programme: [grant.purposes for grant in programme.grants.values()],
    "pay_by": lambda programme: [grant.pay_by for grant in programme.grants.values()],
    "means": lambda programme: [contact.means for contact in programme.contacts.values()],
    "value": lambda programme: [*programme.situations.values(), ("unknown",)],
}
"""Codes that a programme lists for a field."""
_OF_PARTNERS = frozenset({"send-referral", "give-consent", "withdraw-consent"})
_LONG = frozenset({"note", "reason", "text", "letter", "description"})


@dataclass(frozen=True, slots=True)
class Input:
    """A field as the template shows it."""

    name: str
    label: str
    shape: Shape
    required: bool
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    accepts: str = ""
    """Endings of the files that may be chosen."""


async def form_of(visit: Visit, loaded: Loaded, command: str, typed: Mapping[str, Any]) -> list[Input]:
    """The inputs of a command's form. What is already known (from the button) is not asked again.

    Raises Failure: no such command.
    """
    if command not in commands():
        raise Failure(Exit.NOT_FOUND, "unknown-command", Said("cette action n'existe pas", "there is no such action"))
    fields, zone = fields_of(command), ZONE
    if command == "correct" or any(field.name in OF_APPOINTMENTS or field.kind == "appointment" for field in fields):
        zone = await zone_of(visit.house.writing, loaded.state.site, loaded.book.calendar)
    return [await _input(visit, loaded, command, field, typed, zone) for field in fields]


async def _input(
    visit: Visit, loaded: Loaded, command: str, field: Field, typed: Mapping[str, Any], zone: ZoneInfo
) -> Input:
    value = typed_for(field, typed)
    if field.kind == "programme":
        value = await text_meant(visit, value)
    choices = tuple(await _choices(visit, loaded, command, field, typed, zone))
    label = label_of(field.name, visit.lang)
    if field.name in OF_APPOINTMENTS:
        value, label = filled_hour(value, zone), said_there(label, visit.lang, zone)
    if field.kind == "document":
        return _file(visit, field, label)
    if len(choices) == 1 and field.required and not value:
        value = choices[0][0]
    hint = _stays(visit, loaded, str(typed.get("id", ""))) if (command, field.name) == ("correct", "to") else ""
    return Input(field.name, label, _shape(field, bool(choices)), field.required, value, choices, hint)


def _file(visit: Visit, field: Field, label: str) -> Input:
    hint = visit.say(
        "PDF, photo, Word ou OpenDocument ; {size} Mo au plus", size=visit.house.settings.largest_document_mb
    )
    endings = ",".join(ending for kind in KINDS.values() for ending in kind.endings)
    return Input(field.name, label, "file", field.required, "", hint=hint, accepts=endings)


def _shape(field: Field, has_choices: bool) -> Shape:
    match field.kind:
        case "day" | "days" | "instant" | "instants" | "amount" | "number" | "flag":
            return field.kind
        case "digest":
            return "hidden"
        case _ if has_choices:
            return "choice"
        case _:
            return "area" if field.part and field.name in _LONG else "text"


async def _choices(
    visit: Visit, loaded: Loaded, command: str, field: Field, typed: Mapping[str, Any], zone: ZoneInfo
) -> Iterable[tuple[str, str]]:
    """What may be chosen: open items by what they are, codes by their labels, people by their names."""
    state, programme = loaded.state, loaded.book.programme
    speech = Speech(loaded.book, {}, visit.lang, state)
    match field.kind:
        case "choice":
            inside = "custody" in programme.closings  # of whom no programme says that they return there, no form does
            choices = (each for each in field.choices if inside or command != "suspend" or each != "custody")
            return [(each, capital(spoken(each, visit.lang))) for each in choices]
        case "programme":
            return await other_rules(visit, loaded)
        case "days":
            return await days_wanted(visit, loaded, typed)
        case "staff" if command == "reassign-escalation":
            able = await answerers(visit.house.writing, loaded, str(typed.get("escalation", "")))
            return [(each.id, each.name) for each in able]
        case "staff":
            members = await staff.members(visit.house.writing)
            return [(each.id, each.name) for each in members if each.active]
        case "mentor" if command != "propose-mentor" and state.proposals:
            names = await names_of(visit.house.writing, set(state.proposals.values()))
            return [(id, names.get(id, "—")) for id in state.proposals.values()]
        case "mentor":
            return [(each.id, each.told(visit.lang)) for each in await mentors_for(visit.house.writing, loaded)]
        case "partner" if command == "send-referral":
            purpose = str(typed.get("purpose", "")) or None
            return [
                (each.id, each.told(visit.lang)) for each in await partners_for(visit.house.writing, loaded, purpose)
            ]
        case "partner":
            return [(each.id, each.name) for each in await partners.partners(visit.house.writing) if each.active]
        case "escalation":
            return [(id, capital(speech.alert(id))) for id in state.escalations]
        case "grant":
            return [(id, capital(speech.grant(id))) for id in state.grants]
        case "payment":
            return [(id, capital(speech.payment(id))) for id, each in state.payments.items() if each.status.open]
        case "receipt":
            return [(id, capital(speech.receipt(id))) for id, each in state.receipts.items() if each.settled is None]
        case "appointment":
            there = Speech(
                replace(loaded.book, calendar=in_zone(loaded.book.calendar, zone.key)), {}, visit.lang, state
            )
            return [(id, said_there(capital(there.appointment(id)), visit.lang, zone)) for id in state.appointments]
        case "chase":
            return [(id, capital(speech.chase(id))) for id in state.chases]
        case "referral":
            return [(id, capital(speech.referral(id))) for id in state.referrals]
        case "code" if field.name == "grant":
            return [(code, each.label.in_(visit.lang)) for code, each in programme.grants.items()]
        case _ if command == "correct" and typed.get("what") == "appointment" and field.name in ("id", "to"):
            return _of_appointments(visit, loaded, field, typed, zone)
        case _ if field.name == "kind":
            return [(code, capital(spoken(code, visit.lang))) for code in _evidence(programme, typed)]
        case _ if field.name == "purpose" and command in _OF_PARTNERS:
            return await _purposes(visit, loaded)
        case _ if field.name in _LISTED:
            codes = dict.fromkeys(code for listed in _LISTED[field.name](programme) for code in listed)
            return [(code, capital(spoken(code, visit.lang))) for code in codes]
        case _ if field.name in _CODES:
            table: Mapping[str, Any] = getattr(programme, _CODES[field.name])
            return [(code, _label(each, code, visit)) for code, each in table.items()]
        case _ if field.name == "outcome":
            return [(code, each.label.in_(visit.lang)) for code, each in programme.closings.items()]
        case _:
            return []


def _of_appointments(
    visit: Visit, loaded: Loaded, field: Field, typed: Mapping[str, Any], zone: ZoneInfo
) -> list[tuple[str, str]]:
    """Which appointments may be corrected, or to what: what is noted already corrects nothing."""
    if field.name == "to":
        known = loaded.state.appointments.get(str(typed.get("id", "")))
        outcomes = (each for each in ("attended", "missed", "excused") if known is None or each != known.outcome)
        return [(each, capital(spoken(each, visit.lang))) for each in outcomes]
    book, state = replace(loaded.book, calendar=in_zone(loaded.book.calendar, zone.key)), loaded.state
    there = Speech(book, {}, visit.lang, state)
    return [
        (id, said_there(capital(there.appointment(id)), visit.lang, zone))
        for id, known in state.appointments.items() if known.outcome is not None and known.at <= visit.now
    ]  # fmt: skip


def _stays(visit: Visit, loaded: Loaded, appointment: str) -> str:
    """What an appointment that was kept has brought, and what stands if it is corrected."""
    state, speech = loaded.state, Speech(loaded.book, {}, visit.lang, loaded.state)
    known = state.appointments.get(appointment)
    if known is None or known.outcome != "attended":
        return ""
    told = []
    if known.milestone is not None and state.reached(known.milestone) is not None:
        told.append(visit.say("L'étape {milestone} reste atteinte : si elle ne l'est pas, corrigez-la aussi.",
                              milestone=speech.milestone(known.milestone)))  # fmt: skip
    if known.contact is not None:
        told.append(visit.say("Le suivi {contact} reste noté : s'il n'a pas eu lieu, corrigez-le aussi.",
                              contact=speech.contact(known.contact)))  # fmt: skip
    return " ".join(told)


async def _purposes(visit: Visit, loaded: Loaded) -> list[tuple[str, str]]:
    """What partners take people for, and what was agreed on here."""
    active = [each for each in await partners.partners(visit.house.writing) if each.active]
    agreed = {pair.partition("/")[2] for pair in loaded.state.consents}
    codes = agreed.union(*(each.serves for each in active))
    return sorted(((code, capital(spoken(code, visit.lang))) for code in codes), key=lambda choice: choice[1])


def _evidence(programme: Programme, typed: Mapping[str, Any]) -> Iterable[str]:
    """Kinds of evidence: those that the milestone asks for, where it asks; else all, and a plain document."""
    milestone = programme.milestones.get(str(typed.get("milestone", "")))
    if milestone is not None and milestone.evidence:
        return milestone.evidence
    return dict.fromkeys([*(code for each in programme.milestones.values() for code in each.evidence), PART])


def _label(known: Any, code: str, visit: Visit) -> str:
    label = getattr(known, "label", None)
    return capital(label.in_(visit.lang) if label is not None else spoken(code, visit.lang))
