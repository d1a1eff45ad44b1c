"""Escalations, told as alerts: to whom, about what, and how they end."""

from journeys.domain import events as e
from journeys.narration.telling import Telling, tells


@tells(e.EscalationRaised)
def _raised(t: Telling, d: e.EscalationRaised) -> str:
    return t.say("Une alerte est ouverte ({to}), au sujet de : {about}.", to=t.recipient(d.to), about=t.about(d.about))


@tells(e.EscalationClimbed)
def _climbed(t: Telling, d: e.EscalationClimbed) -> str:
    if d.repeat:
        return t.say(
            "L'alerte est rappelée ({to}), au sujet de : {about}.", to=t.recipient(d.to), about=t.alert(d.escalation)
        )
    return t.say(
        "L'alerte passe au niveau suivant ({to}), au sujet de : {about}.",
        to=t.recipient(d.to),
        about=t.alert(d.escalation),
    )


@tells(e.EscalationAcknowledged)
def _acknowledged(t: Telling, d: e.EscalationAcknowledged) -> str:
    return t.say(
        "{who} a pris l'alerte en charge jusqu'au {day}, au sujet de : {about}.",
        who=t.who, day=t.local_day(d.until), about=t.alert(d.escalation),
    )  # fmt: skip


@tells(e.EscalationSnoozed)
def _snoozed(t: Telling, d: e.EscalationSnoozed) -> str:
    return t.say(
        "{who} a mis l'alerte en attente jusqu'au {day}, au sujet de : {about}.",
        who=t.who, day=t.local_day(d.until), about=t.alert(d.escalation),
    )  # fmt: skip


@tells(e.EscalationReassigned)
def _reassigned(t: Telling, d: e.EscalationReassigned) -> str:
    return t.say(
        "{who} a confié l'alerte à {to}, au sujet de : {about}.",
        who=t.who, to=t.person(d.to, "staff"), about=t.alert(d.escalation),
    )  # fmt: skip


@tells(e.EscalationResolved)
def _resolved(t: Telling, d: e.EscalationResolved) -> str:
    if t.by_someone:
        return t.say("{who} a levé l'alerte, au sujet de : {about}.", who=t.who, about=t.alert(d.escalation))
    return t.say("L'alerte est levée ({how}), au sujet de : {about}.", how=t.spoken(d.how), about=t.alert(d.escalation))


@tells(e.EscalationDeferred)
def _deferred(t: Telling, d: e.EscalationDeferred) -> str:
    if d.digest is not None:
        return t.say(
            "L'alerte sera transmise avec les autres, en un seul message ({at}), au sujet de : {about}.",
            at=t.when(d.digest), about=t.alert(d.escalation),
        )  # fmt: skip
    return t.say(
        "L'alerte sera transmise au matin ({at}), au sujet de : {about}.",
        at=t.when(d.until), about=t.alert(d.escalation),
    )  # fmt: skip


@tells(e.EscalationReady)
def _ready(t: Telling, d: e.EscalationReady) -> str:
    known = t.escalation(d.escalation)
    if d.returned:
        return t.say("Le courriel d'alerte est revenu : l'alerte passe à la personne suivante, au sujet de : {about}.",
                     about=t.alert(d.escalation))  # fmt: skip
    if known is not None and known.digest is not None:
        return t.say("C'est l'heure : l'alerte est transmise avec les autres, au sujet de : {about}.",
                     about=t.alert(d.escalation))  # fmt: skip
    return t.say("La nuit est passée : l'alerte est transmise, au sujet de : {about}.", about=t.alert(d.escalation))


@tells(e.EscalationTold)
def _told(t: Telling, d: e.EscalationTold) -> str:
    people = t.listed([t.person(id, d.role or "staff") for id in dict.fromkeys(d.told)]) or t.role(d.role or "staff")
    return t.say(
        "L'alerte a été transmise ({people}), au sujet de : {about}.", people=people, about=t.alert(d.escalation)
    )


@tells(e.EscalationUntold)
def _untold(t: Telling, d: e.EscalationUntold) -> str:
    return t.say(
        "L'alerte n'a pu être transmise à personne à ce niveau ({why}), au sujet de : {about}.",
        why=t.spoken(d.reason or "unknown"), about=t.alert(d.escalation),
    )  # fmt: skip
