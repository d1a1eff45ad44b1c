"""What happens next by itself, and what happens if nobody acts."""

from typing import assert_never

from journeys.domain.agenda import Due, DueKind
from journeys.domain.events import Subject
from journeys.domain.handbook import Handbook
from journeys.domain.state import ReceiptKnown, State
from journeys.i18n import capital
from journeys.narration.telling import Names, Speech


def what_happens_next(due: Due, state: State, book: Handbook, names: Names, lang: str) -> str:
    """One sentence: when, what, and what follows if nothing is done by then."""
    speech = Speech(book, names, lang, state)
    what = _what(speech, due, state)
    return speech.say("{when} : {what}", when=capital(speech.when(due.at, weekday=True)), what=what)


def _what(s: Speech, due: Due, state: State) -> str:
    match due.kind:
        case DueKind.PHASE | DueKind.DATE | DueKind.KEPT | DueKind.MEASURE | DueKind.CONTACT_OPENS | DueKind.ENDS:
            return _moment(s, due)
        case DueKind.DEADLINE | DueKind.REMINDER | DueKind.CONTACT_CLOSES:
            return _step(s, due, state)
        case DueKind.APPOINTMENT_ASKED | DueKind.APPOINTMENT_REMINDER:
            return _meeting(s, due, state)
        case DueKind.CHASE:
            return s.say("des nouvelles de la personne d'ici là, {chase} ; sinon : l'étape suivante.",
                         chase=s.chase(due.id))  # fmt: skip
        case DueKind.GRANT_EXPIRES | DueKind.INSTALMENT | DueKind.PAYMENT_LOOKED_AT | DueKind.RECEIPT_LATE:
            return _money(s, due, state)
        case DueKind.REFERRAL_EXPIRES:
            otherwise = _alert(s, s.book.programme.referrals.missed)
            return s.say(
                "réponse attendue, {referral} ; sinon : {otherwise}.", referral=s.referral(due.id), otherwise=otherwise
            )
        case DueKind.TRANSFER:
            return _transfer(s, state)
        case DueKind.ESCALATION:
            return _climb(s, due, state)
        case DueKind.PAUSE_ENDS:
            return s.say("la pause des messages finit.")
        case DueKind.REVIEW:
            return s.say("point régulier sur le parcours ; quelqu'un n'est alerté que s'il y a quelque chose à voir.")
        case DueKind.MESSAGE:
            return s.say("envoi, hors des heures de repos : {message}.", message=s.message(due.id))
        case DueKind.TELLING:
            return s.say("alerte transmise, la nuit passée : {about}.", about=s.alert(due.id))
    assert_never(due.kind)


def _moment(s: Speech, due: Due) -> str:
    code = due.id.split("/")[1] if "/" in due.id else ""
    match due.kind:
        case DueKind.PHASE if due.id.endswith("/enter"):
            return s.say("la phase {phase} commence.", phase=s.phase(code))
        case DueKind.PHASE:
            return s.say("la phase {phase} se termine.", phase=s.phase(code))
        case DueKind.DATE:
            otherwise = _alert(s, s.book.programme.dates[code].missed)
            return s.say("{date} : à confirmer d'ici là ; sinon : {otherwise}.", date=s.date(code), otherwise=otherwise)
        case DueKind.KEPT:
            return s.say(
                "si la situation tient jusque-là, l'étape est atteinte : {milestone}.", milestone=s.milestone(code)
            )
        case DueKind.MEASURE:
            return s.say("constat à écrire : {measure}.", measure=s.measure(code))
        case DueKind.CONTACT_OPENS:
            return s.say("début de la période pour un contact : {contact}.", contact=s.contact(code))
        case _:
            return s.say("le programme arrive à son terme ; quelqu'un est invité à clore le parcours.")


def _step(s: Speech, due: Due, state: State) -> str:
    if due.kind is DueKind.CONTACT_CLOSES:
        missed = s.book.programme.contacts[due.id].missed
        if missed is None:
            return s.say(
                "fin de la période pour un contact : {contact} ; sinon, c'est noté, sans alerte.",
                contact=s.contact(due.id),
            )
        return s.say(
            "fin de la période pour un contact : {contact} ; sinon : {otherwise}.",
            contact=s.contact(due.id), otherwise=_alert(s, missed, Subject(kind="contact", id=due.id)),
        )  # fmt: skip
    code = state.deadlines[due.id].milestone
    milestone = s.book.milestone(code)
    if due.kind is DueKind.REMINDER:
        planned = state.deadlines[due.id].next_reminder
        to = milestone.remind[planned.rule].to if planned is not None else "referent"
        return s.say("rappel ({to}) : {milestone}.", to=s.recipient(to), milestone=s.milestone(code))
    if milestone.missed is None:
        return s.say("échéance : {milestone} ; sinon, c'est noté, sans alerte.", milestone=s.milestone(code))
    otherwise = _alert(s, milestone.missed, Subject(kind="milestone", id=code))
    return s.say("échéance : {milestone} ; sinon : {otherwise}.", milestone=s.milestone(code), otherwise=otherwise)


def _meeting(s: Speech, due: Due, state: State) -> str:
    known = state.appointments[due.id]
    if due.kind is DueKind.APPOINTMENT_REMINDER:
        return s.say("rappel à la personne : {appointment}.", appointment=s.appointment(due.id))
    if known.asked:
        return s.say(
            "issue à noter d'ici là : {appointment} ; sinon : une alerte est ouverte.",
            appointment=s.appointment(due.id),
        )
    return s.say(
        "question posée ({to}) : comment s'est passé {appointment} ?",
        to=s.recipient("referent"),
        appointment=s.appointment(due.id),
    )


def _money(s: Speech, due: Due, state: State) -> str:
    match due.kind:
        case DueKind.GRANT_EXPIRES:
            known = state.grants[due.id]
            return s.say(
                "décision attendue, {grant} ; sinon la demande prend fin et : {otherwise}.",
                grant=s.grant(due.id), otherwise=_alert(s, s.book.programme.grants[known.kind].missed),
            )  # fmt: skip
        case DueKind.INSTALMENT:
            return s.say("versement suivant, {grant}.", grant=s.grant(due.id.split("/")[1]))
        case DueKind.RECEIPT_LATE:
            return _receipt(s, due, state.receipts[due.id], state)
        case _:
            return s.say("la banque est interrogée, {payment}.", payment=s.payment(due.id))


def _receipt(s: Speech, due: Due, known: ReceiptKnown, state: State) -> str:
    if known.answer_by is not None:
        return s.say(
            "réponse attendue, {receipt} ; sinon alerte : {who}.", receipt=s.receipt(due.id), who=s.recipient("finance")
        )
    return s.say(
        "à remettre d'ici là, {receipt} ; sinon : {otherwise}.",
        receipt=s.receipt(due.id), otherwise=_alert(s, s.book.programme.grants[state.grants[known.grant].kind].missed),
    )  # fmt: skip


def _transfer(s: Speech, state: State) -> str:
    known = state.transfer
    if known is None:
        return s.say("reprise du parcours.")
    to = s.person(known.to, "referent")
    if known.reminded:
        return s.say("réponse attendue de {to} ; sinon : la reprise du parcours se fait.", to=to)
    return s.say("réponse attendue de {to} ; sinon : la demande est rappelée.", to=to)


def _climb(s: Speech, due: Due, state: State) -> str:
    known = state.escalations[due.id]
    _, ladder = s.book.ladder(known.ladder)
    step = ladder.steps[min(known.step + 1, len(ladder.steps) - 1)]
    return s.say(
        "alerte à régler d'ici là, au sujet de : {about} ; sinon : alerte ({to}).",
        about=s.about(known.about), to=s.recipient(step.to),
    )  # fmt: skip


def _alert(s: Speech, ladder: str | None, about: Subject | None = None) -> str:
    """Who is alerted first; nobody new when an alert about it is open already."""
    if about is not None and s.state is not None and any(k.about == about for k in s.state.escalations.values()):
        return s.say("l'alerte déjà ouverte continue")
    _, rungs = s.book.ladder(ladder)
    return s.say("alerte ({to})", to=s.recipient(rungs.steps[0].to))
