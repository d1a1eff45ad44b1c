"""Contacts and appointments, told."""

from datetime import datetime

from journeys.domain import events as e
from journeys.narration.telling import Telling, tells


@tells(e.ContactDue)
def _due(t: Telling, d: e.ContactDue) -> str:
    return t.say(
        "Un contact est à prendre entre le {opens} et le {closes} : {contact}.",
        opens=t.local_day(d.opens), closes=t.local_day(d.closes), contact=t.contact(d.contact),
    )  # fmt: skip


@tells(e.ContactMade)
def _made(t: Telling, d: e.ContactMade) -> str:
    if t.by_someone:
        return t.say(
            "{who} a noté un contact ({means}) : {contact}.",
            who=t.who,
            means=t.spoken(d.means),
            contact=t.contact(d.contact),
        )
    return t.say(
        "Le rendez-vous compte comme contact ({means}) : {contact}.",
        means=t.spoken(d.means),
        contact=t.contact(d.contact),
    )


@tells(e.ContactMissed)
def _missed(t: Telling, d: e.ContactMissed) -> str:
    if d.spans > 1:
        return t.say(
            "{count} périodes se sont terminées sans contact noté : {contact}.",
            count=d.spans,
            contact=t.contact(d.contact),
        )
    return t.say("La période s'est terminée sans contact noté : {contact}.", contact=t.contact(d.contact))


@tells(e.ContactCancelled)
def _cancelled(t: Telling, d: e.ContactCancelled) -> str:
    return t.say(
        "Le contact n'est plus attendu : {contact} ({why}).", contact=t.contact(d.contact), why=t.spoken(d.why)
    )


@tells(e.ContactCorrected)
def _corrected(t: Telling, d: e.ContactCorrected) -> str:
    if d.to == "made":
        return t.say("{who} a corrigé : le contact a bien eu lieu, {contact}.", who=t.who, contact=t.contact(d.contact))
    return t.say("{who} a corrigé : le contact n'a pas eu lieu, {contact}.", who=t.who, contact=t.contact(d.contact))


@tells(e.ContactLogged)
def _logged(t: Telling, d: e.ContactLogged) -> str:
    return t.say(
        "{who} a noté un contact de plus ({means}) : {contact}.",
        who=t.who,
        means=t.spoken(d.means),
        contact=t.contact(d.contact),
    )


@tells(e.AppointmentBooked)
def _booked(t: Telling, d: e.AppointmentBooked) -> str:
    return _with_offers(t, _fixed(t, d), d.or_at)


def _fixed(t: Telling, d: e.AppointmentBooked) -> str:
    purpose = t.milestone(d.milestone) if d.milestone else t.contact(d.contact) if d.contact else ""
    if d.summons:
        return t.say("{who} a noté une convocation le {when}.", who=t.who, when=t.when(d.at))
    if purpose:
        return t.say(
            "{who} a fixé un rendez-vous le {when} pour {purpose}.", who=t.who, when=t.when(d.at), purpose=purpose
        )
    return t.say("{who} a fixé un rendez-vous le {when}.", who=t.who, when=t.when(d.at))


def _with_offers(t: Telling, told: str, or_at: tuple[datetime, ...]) -> str:
    """The same, and the other times that were offered."""
    if not or_at:
        return told
    return told + " " + t.say("Aussi possible : {times}.", times=" ; ".join(t.when(at) for at in or_at))


@tells(e.AppointmentMoved)
def _moved(t: Telling, d: e.AppointmentMoved) -> str:
    told = t.say(
        "{who} a déplacé {appointment} au {when}.",
        who=t.who, appointment=t.appointment(d.appointment), when=t.when(d.at),
    )  # fmt: skip
    return _with_offers(t, told, d.or_at)


@tells(e.AppointmentAnswered)
def _answered(t: Telling, d: e.AppointmentAnswered) -> str:
    if d.answer == "coming":
        return t.say("Présence confirmée ({who}) : {appointment}.", who=t.who, appointment=t.appointment(d.appointment))
    if d.answer == "declined":
        return t.say("{who} ne viendra pas : {appointment}.", who=t.who, appointment=t.appointment(d.appointment))
    told = t.say("Autre heure demandée ({who}) : {appointment}.", who=t.who, appointment=t.appointment(d.appointment))
    return told if d.wish is None else told + " " + t.say("Proposition : {when}.", when=t.when(d.wish))


@tells(e.AppointmentReminded)
def _reminded(t: Telling, d: e.AppointmentReminded) -> str:
    return t.say("C'est le moment de rappeler {appointment}.", appointment=t.appointment(d.appointment))


@tells(e.AppointmentAsked)
def _asked(t: Telling, d: e.AppointmentAsked) -> str:
    return t.say(
        "Comment s'est passé {appointment} ? La réponse reste à noter.", appointment=t.appointment(d.appointment)
    )


@tells(e.AppointmentAttended)
def _attended(t: Telling, d: e.AppointmentAttended) -> str:
    return t.say("{who} a noté que {appointment} a eu lieu.", who=t.who, appointment=t.appointment(d.appointment))


@tells(e.AppointmentMissed)
def _absent(t: Telling, d: e.AppointmentMissed) -> str:
    return t.say("{who} a noté que {appointment} n'a pas eu lieu.", who=t.who, appointment=t.appointment(d.appointment))


@tells(e.AppointmentExcused)
def _excused(t: Telling, d: e.AppointmentExcused) -> str:
    return t.say(
        "{who} a noté une absence prévenue pour {appointment}.", who=t.who, appointment=t.appointment(d.appointment)
    )


@tells(e.AppointmentCancelled)
def _appointment_cancelled(t: Telling, d: e.AppointmentCancelled) -> str:
    if t.by_someone:
        return t.say("{who} a annulé {appointment}.", who=t.who, appointment=t.appointment(d.appointment))
    return t.say(
        "Rendez-vous annulé ({why}) : {appointment}.", why=t.spoken(d.why), appointment=t.appointment(d.appointment)
    )


@tells(e.AppointmentCorrected)
def _appointment_corrected(t: Telling, d: e.AppointmentCorrected) -> str:
    return t.say(
        "{who} a corrigé ce qui était noté pour {appointment} : {outcome}.",
        who=t.who, appointment=t.appointment(d.appointment), outcome=t.spoken(d.to),
    )  # fmt: skip


@tells(e.ChaseDue)
def _chase(t: Telling, d: e.ChaseDue) -> str:
    if d.do == "letter":
        return t.say(
            "Suite du rendez-vous manqué : une lettre est à écrire ; sans nouvelle le {day}, l'étape suivante.",
            day=t.local_day(d.by),
        )
    return t.say(
        "Suite du rendez-vous manqué : la personne est à appeler d'ici le {day} ; sinon, l'étape suivante.",
        day=t.local_day(d.by),
    )


@tells(e.ChaseDone)
def _chase_done(t: Telling, d: e.ChaseDone) -> str:
    if t.by_someone:
        return t.say("{who} a joint la personne : {chase}.", who=t.who, chase=t.chase(d.chase))
    return t.say("Il y a des nouvelles de la personne ({how}) : {chase}.", how=t.spoken(d.how), chase=t.chase(d.chase))


@tells(e.ChasePassed)
def _chase_passed(t: Telling, d: e.ChasePassed) -> str:
    if t.by_someone:
        return t.say("{who} n'a pas eu de réponse : {chase}.", who=t.who, chase=t.chase(d.chase))
    if d.why == "not-sent":
        return t.say("La lettre ne peut pas partir : {chase}.", chase=t.chase(d.chase))
    return t.say("Toujours sans nouvelle de la personne : {chase}.", chase=t.chase(d.chase))


@tells(e.ChaseCancelled)
def _chase_cancelled(t: Telling, d: e.ChaseCancelled) -> str:
    return t.say("Il n'y a plus à relancer ({why}) : {chase}.", why=t.spoken(d.why), chase=t.chase(d.chase))
