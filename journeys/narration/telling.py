"""What a narrator knows while telling one event: the rules, the names, the language, and the journey just before it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from journeys.domain.events import Subject
from journeys.domain.handbook import Handbook
from journeys.domain.record import SYSTEM, Event, Payload
from journeys.domain.state import Escalation, State
from journeys.i18n import N_, format_date, format_instant, format_money, listed, text
from journeys.narration.words import role_word, spoken

Names = Mapping[str, str]
"""Display name of people, staff, mentors and partners, by id."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Labels of a programme, names and dates in one language. `state` lets ids be told as what they stand for."""

    book: Handbook
    names: Names
    lang: str
    state: State | None = None

    def say(self, french: str, **fields: object) -> str:
        """The text in the person's language, its places filled."""
        return text(self.lang)(french).format(**fields)

    def day(self, day: date, *, weekday: bool = False) -> str:
        return format_date(day, self.lang, weekday=weekday)

    def local_day(self, at: datetime) -> str:
        return self.day(self.book.calendar.day(at))

    def when(self, at: datetime, *, weekday: bool = False) -> str:
        return format_instant(at, self.lang, self.book.calendar.zone, weekday=weekday)

    def money(self, cents: int) -> str:
        return format_money(cents, self.lang)

    def spoken(self, code: str) -> str:
        """A code without a label of its own, in plain words."""
        return spoken(code, self.lang)

    def listed(self, items: list[str]) -> str:
        return listed(items, self.lang)

    def quoted(self, words: str) -> str:
        return f"“{words}”" if self.lang == "en" else f"«\u00a0{words}\u00a0»"

    # --- people

    def role(self, code: str) -> str:
        """A role as the programme calls it."""
        known = self.book.programme.roles.get(code)
        if known is not None:
            return known.en if self.lang == "en" else known.fr
        return role_word(code, self.lang)

    def person(self, id: str, role: str) -> str:
        """Somebody by name, by role when the name is not known."""
        return self.names.get(id) or self.say("une personne ({role})", role=self.role(role))

    def partner(self, id: str) -> str:
        return self.names.get(id) or self.say("un partenaire")

    def mentor(self, id: str) -> str:
        return self.names.get(id) or self.role("mentor")

    def recipient(self, role: str, person: str | None = None) -> str:
        """Whom a role stands for now: with the name when it is one person's."""
        state = self.state
        if person is None and state is not None:
            if role == "referent":
                person = state.referent
            elif state.match is not None and self.book.line(role) == "mentor":
                person = state.match.mentor
        name = self.names.get(person or "")
        return f"{name}, {self.role(role)}" if name is not None else self.role(role)

    # --- labels of the programme

    def milestone(self, code: str) -> str:
        return self.quoted(self._called("milestones", code))

    def deadline(self, id: str) -> str:
        return self.milestone(id.rpartition("/")[0])

    def date(self, code: str) -> str:
        return self._called("dates", code)

    def phase(self, code: str) -> str:
        return self.quoted(self._called("phases", code))

    def contact(self, code: str) -> str:
        return self.quoted(self._called("contacts", code))

    def outcome(self, code: str) -> str:
        return self._called("closings", code)

    def grant_kind(self, code: str) -> str:
        return self._called("grants", code)

    def measure(self, code: str) -> str:
        return self.quoted(self._called("measures", code))

    def _called(self, part: str, code: str) -> str:
        """The label of a code by the rules in force, else by the last ones that had it."""
        for book in reversed(self.book.all):
            known = getattr(book.programme, part).get(code)
            if known is not None:
                label: str = known.label.in_(self.lang)
                return label
        return self.spoken(code)

    # --- what ids stand for

    def appointment(self, id: str) -> str:
        known = self.state.appointments.get(id) if self.state is not None else None
        if known is None:
            return self.say("un rendez-vous")
        if known.summons:
            return self.say("le rendez-vous du {when} (convocation)", when=self.when(known.at))
        return self.say("le rendez-vous du {when}", when=self.when(known.at))

    def chase(self, id: str) -> str:
        """A step after a missed appointment: `l'appel après le rendez-vous du …`."""
        known = self.state.chases.get(id) if self.state is not None else None
        if known is None:
            return self.say("la relance après un rendez-vous manqué")
        missed = self.appointment(known.appointment)
        if known.do == "letter":
            return self.say("la lettre après {appointment}, manqué", appointment=missed)
        return self.say("l'appel après {appointment}, manqué", appointment=missed)

    def grant(self, id: str) -> str:
        known = self.state.grants.get(id) if self.state is not None else None
        if known is None:
            return self.say("une demande d'aide")
        return self.say(
            "l'aide de {amount} ({purpose})", amount=self.money(known.amount), purpose=self.spoken(known.purpose)
        )

    def payment(self, id: str) -> str:
        known = self.state.payments.get(id) if self.state is not None else None
        if known is None:
            return self.say("un versement")
        return self.say("le versement de {amount}", amount=self.money(known.amount))

    def receipt(self, id: str) -> str:
        known = self.state.receipts.get(id) if self.state is not None else None
        if known is None:
            return self.say("un justificatif")
        return self.say("le justificatif du versement de {amount}", amount=self.money(known.amount))

    def referral(self, id: str) -> str:
        known = self.state.referrals.get(id) if self.state is not None else None
        if known is None:
            return self.say("une orientation")
        return self.say(
            "l'orientation vers {partner} ({purpose})",
            partner=self.partner(known.partner), purpose=self.spoken(known.purpose),
        )  # fmt: skip

    def about(self, subject: Subject) -> str:
        """What a message or an alert is about."""
        match subject.kind:
            case "milestone":
                return self.milestone(subject.id)
            case "date":
                return self.date(subject.id)
            case "contact":
                return self.contact(subject.id)
            case "appointment":
                return self.appointment(subject.id)
            case "grant":
                return self.grant(subject.id)
            case "payment":
                return self.payment(subject.id)
            case "receipt":
                return self.receipt(subject.id)
            case "referral":
                return self.referral(subject.id)
            case _:
                return text(self.lang)(_SUBJECTS[subject.kind])

    def escalation(self, id: str) -> Escalation | None:
        return self.state.escalations.get(id) if self.state is not None else None

    def alert(self, id: str) -> str:
        """What an open alert is about."""
        known = self.escalation(id)
        return self.about(known.about) if known is not None else self.say("sujet connu du dossier")

    def message(self, id: str) -> str:
        known = self.state.messages.get(id) if self.state is not None else None
        if known is None:
            return self.say("un message")
        return self.say(
            "{purpose} ({to}), au sujet de : {about}",
            purpose=self.spoken(known.purpose), to=self.recipient(known.to), about=self.about(known.about),
        )  # fmt: skip


_SUBJECTS = {
    "mentor": N_("le mentorat"),
    "transfer": N_("la reprise du parcours"),
    "suspension": N_("la suspension du parcours"),
    "review": N_("le point sur le parcours"),
    "journey": N_("la clôture du parcours"),
    "consent": N_("les messages à la personne"),
}


@dataclass(frozen=True, slots=True)
class Telling(Speech):
    """A speech about one event; `state` is the journey before it."""

    event: Event[Payload] | None = None

    @property
    def by_someone(self) -> bool:
        """Whether a command says so (else it follows by a rule)."""
        return self.event is not None and self.event.command is not None

    @property
    def who(self) -> str:
        """The one who did or told it, with the role in which they acted."""
        event = self.event
        if event is None or event.actor == SYSTEM:
            return self.say("le système")
        if self.state is not None and event.actor == self.state.person:
            return self.names.get(event.actor) or self.role("participant")
        name = self.names.get(event.actor)
        return f"{name} ({self.role(event.role)})" if name is not None else self.person(event.actor, event.role)


Teller = Callable[[Telling, Any], str]
TELLERS: dict[type[Payload], Teller] = {}
"""One teller a kind of event; the modules of this package fill it, one subject each."""


def tells(*kinds: type[Payload]) -> Callable[[Teller], Teller]:
    """Register the teller of these kinds."""

    def register(teller: Teller) -> Teller:
        for kind in kinds:
            TELLERS[kind] = teller
        return teller

    return register
