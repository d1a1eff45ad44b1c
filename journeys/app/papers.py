"""Papers of a journey: its summary, a receipt to sign for money that was paid, letters to a partner, of
an appointment, and in somebody's own words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from journeys import clock
from journeys.app.allowing import may
from journeys.app.entry import Actor
from journeys.app.failures import Exit, Failure, Said, not_found
from journeys.app.finding import Loaded
from journeys.app.hours import day_and_hour
from journeys.audit.narrating import Story, TextPart
from journeys.documents import (
    CannotTypeset,
    Document,
    Fact,
    Letter,
    Receipt,
    Signature,
    journey_summary,
    render,
)
from journeys.domain import events as e
from journeys.domain.calendar import in_zone
from journeys.domain.links import times_offered
from journeys.domain.neutral import tells_why
from journeys.domain.record import SYSTEM, Event, Payload
from journeys.domain.state import PaymentStatus
from journeys.i18n import Lang, capital
from journeys.identifiers import short
from journeys.narration.telling import Names, Speech
from journeys.store.people import Person

PAID: Final = frozenset({PaymentStatus.SETTLED, PaymentStatus.BY_HAND})


def summary(loaded: Loaded, names: Names, story: Story, lang: Lang, at: datetime, *, sender: str, notes: bool) -> bytes:
    """The summary of a journey; `notes`: also what people wrote. Raises Failure: it cannot be typeset."""
    return _made(
        journey_summary(
            loaded.state, loaded.book, names, story, lang, sender=sender, notes=notes, remark=_remark(lang)
        ),
        loaded, lang, at,
    )  # fmt: skip


def payments_made(loaded: Loaded) -> list[str]:
    """Ids of the payments that have arrived: those for which a receipt can be signed."""
    return [id for id, known in loaded.state.payments.items() if known.status in PAID]


def receipt(loaded: Loaded, names: Names, payment: str, lang: Lang, at: datetime, *, sender: str) -> bytes:
    """A receipt of one payment, for the person to sign. Raises Failure: no such payment, or it has not arrived."""
    known = loaded.state.payments.get(payment)
    settled = next((event for event in reversed(loaded.events) if _settles(event, payment)), None)
    if known is None or known.status not in PAID or settled is None:
        raise not_found(
            "no-payment", "il n'y a pas de versement arrivé sous cet identifiant",
            "there is no payment that has arrived under this id",
        )  # fmt: skip
    grant = loaded.state.grants[known.grant]
    s = Speech(loaded.book, names, lang, loaded.state)
    person = names.get(loaded.state.person, "")
    by = sender or capital(s.role(SYSTEM)) if settled.actor == SYSTEM else s.person(settled.actor, settled.role)
    facts = (
        Fact(s.say("Bénéficiaire"), person or "—"),
        Fact(s.say("Aide"), capital(s.grant_kind(grant.kind))),
        Fact(s.say("Objet"), s.spoken(grant.purpose)),
        Fact(s.say("Montant"), s.money(known.amount)),
        Fact(s.say("Versement"), s.say("{number} sur {count}", number=known.number, count=len(grant.instalments))),
        Fact(s.say("Moyen"), s.spoken(grant.pay_by)),
        Fact(s.say("Versé le"), s.local_day(settled.occurred_at)),
    )
    paper = Receipt(
        sender=sender, title=s.say("Reçu d'un versement"), facts=facts, reference=payment, recorded_by=by,
        recorded_at=settled.recorded_at, recorded_as="" if settled.actor == SYSTEM else s.role(settled.role),
        statement=s.say("Je confirme avoir reçu ce montant, pour l'objet dit ci-dessus."),
        signatures=(Signature(s.say("La personne"), person), Signature(s.say("Pour l'association"), sender)),
        remark=_remark(lang),
    )  # fmt: skip
    return _made(paper, loaded, lang, at)


def letters_sent(loaded: Loaded) -> dict[int, e.ReferralSent]:
    """Referrals that went with a letter, by their seq."""
    return {
        event.seq: event.data
        for event in loaded.events
        if type(event.data) is e.ReferralSent and "letter" in event.parts
    }


def letter(
    loaded: Loaded, names: Names, parts: Iterable[TextPart], seq: int, lang: Lang, at: datetime, *, sender: str
) -> bytes:
    """The letter of a referral, as it was written. Raises Failure: there is none."""
    text = next((part.text for part in parts if (part.seq, part.name) == (seq, "letter")), None)
    event = loaded.events[seq - 1] if 0 < seq <= len(loaded.events) else None
    if text is None or event is None or not isinstance(event.data, e.ReferralSent):
        raise not_found("no-letter", "il n'y a pas de lettre ici", "there is no letter here")
    s, sent = Speech(loaded.book, names, lang, loaded.state), event.data
    about = names.get(loaded.state.person, "") if sent.named else ""
    purpose = capital(s.spoken(sent.purpose))
    paper = Letter(
        sender=sender, recipient=s.partner(sent.partner),
        subject=s.say("{purpose}, pour {person}", purpose=purpose, person=about) if about else purpose,
        paragraphs=(text,), day=loaded.book.calendar.day(event.occurred_at), reference=short(sent.referral),
        signed=names.get(event.actor, ""), signed_as=_outside(s.role(event.role)),
    )  # fmt: skip
    return _made(paper, loaded, lang, at)


WRITING: Final = "add-note"
"""Whoever may add a note to a journey writes letters in its name."""


def may_write(actor: Actor, loaded: Loaded) -> bool:
    """Whether a member of staff may write letters about this journey."""
    return may(actor, loaded, WRITING)


def must_write(actor: Actor, loaded: Loaded) -> None:
    """Raises Failure (refused) unless they may."""
    if not may_write(actor, loaded):
        raise Failure(
            Exit.REFUSED, "no-right",
            Said("écrire une lettre revient à qui suit ce parcours, ou à un responsable",
                 "writing a letter is for whoever leads this journey, or a supervisor"),
            Said("demandez-le à la personne qui suit ce parcours", "ask whoever leads this journey"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hand:
    """Who signs a letter, for which association, and how they are reached."""

    sender: str
    signed: str
    role: str
    phone: str = ""


def appointments_ahead(loaded: Loaded, now: datetime) -> list[str]:
    """Ids of the appointments that a letter can confirm, in their order."""
    ahead = {id: each.at for id, each in loaded.state.appointments.items() if each.outcome is None and each.at > now}
    return sorted(ahead, key=lambda id: ahead[id])


def appointment_letter(
    loaded: Loaded, person: Person | None, id: str, place: str, there: ZoneInfo, lang: Lang, at: datetime, hand: Hand
) -> bytes:
    """A letter that confirms an appointment, for whoever has no mail. Raises Failure: none ahead under this id.

    Args:
        there: in which clocks tell its hour.
    """
    if id not in appointments_ahead(loaded, at):
        raise not_found(
            "no-appointment", "il n'y a pas de rendez-vous à venir sous cet identifiant",
            "there is no appointment ahead under this id",
        )  # fmt: skip
    s, known = Speech(loaded.book, {}, lang, loaded.state), loaded.state.appointments[id]
    own = in_zone(loaded.book.calendar, person.details.zone if person is not None else None).zone

    def when(moment: datetime) -> str:
        return day_and_hour(moment, lang, there, own)

    others = " ; ".join(when(each) for each in times_offered(loaded.state, id, at))
    lines = (
        s.say("Bonjour {name},", name=person.details.first_name) if person is not None else s.say("Bonjour,"),
        s.say("Votre rendez-vous est fixé : {when}.", when=when(known.at)),
        s.say("Lieu : {place}.", place=place) if place else "",
        s.say("Durée : {minutes} minutes environ.", minutes=known.minutes),
        s.say("Si cette heure ne vous va pas, une autre est possible : {times}. Dites-nous laquelle.", times=others)
        if others else "",
        s.say("Si vous ne pouvez pas venir, dites-le-nous avant ({phone}).", phone=hand.phone)
        if hand.phone else s.say("Si vous ne pouvez pas venir, dites-le-nous avant."),
    )  # fmt: skip
    subject = s.say("votre rendez-vous, {when}", when=when(known.at))
    return _written(loaded, _called(person), (), subject, tuple(filter(None, lines)), lang, at, hand)


def free_letter(
    loaded: Loaded, recipient: str, address: str, subject: str, words: str, lang: Lang, at: datetime, hand: Hand
) -> bytes:
    """A letter in the writer's own words. `address`: lines below the recipient. Raises Failure: not typeset."""
    lines = tuple(filter(None, (line.strip() for line in address.splitlines())))
    return _written(loaded, recipient, lines, subject, (words,), lang, at, hand)


def _called(person: Person | None) -> str:
    return f"{person.details.first_name} {person.details.last_name}" if person is not None else "—"


def _written(
    loaded: Loaded, recipient: str, address: tuple[str, ...], subject: str, paragraphs: tuple[str, ...], lang: Lang,
    at: datetime, hand: Hand,
) -> bytes:  # fmt: skip
    paper = Letter(
        sender=hand.sender, sender_lines=(hand.phone,) if hand.phone else (), recipient=recipient,
        recipient_lines=address, subject=subject, paragraphs=paragraphs, day=loaded.book.calendar.day(at),
        reference=short(loaded.row.id), signed=hand.signed,
        signed_as=_outside(Speech(loaded.book, {}, lang, loaded.state).role(hand.role)),
    )  # fmt: skip
    return _made(paper, loaded, lang, at)


def _outside(role: str) -> str:
    """What the one who signs is, where that may be read by anybody; else nothing."""
    return role if tells_why(role) is None else ""


def _settles(event: Event[Payload], payment: str) -> bool:
    return isinstance(event.data, e.PaymentSettled | e.PaymentSettledByHand) and event.data.payment == payment


def _remark(lang: Lang) -> str:
    return clock.describe(lang)


def _made(paper: Document, loaded: Loaded, lang: Lang, at: datetime) -> bytes:
    return typeset(paper, lang, at, loaded.book.calendar.zone.key)


def typeset(paper: Document, lang: Lang, at: datetime, zone: str) -> bytes:
    """A paper as PDF. Raises Failure: the typesetter refused."""
    try:
        return render(paper, lang, at, zone=zone)
    except CannotTypeset as error:
        raise Failure(
            Exit.FAILED, "cannot-typeset",
            Said(f"la mise en page a échoué ({error}) ; rien n'a été écrit",
                 f"the typesetter refused ({error}); nothing was written"),
            Said("la page du parcours, ou « journeys show », dit où il en est",
                 "the journey's page, or “journeys show”, tells where it stands"),
        ) from None  # fmt: skip
