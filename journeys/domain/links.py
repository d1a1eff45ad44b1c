"""What may be answered by a one-time link: by whom, about what, until when. Nothing else is ever asked by link."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from journeys.domain.events import Subject
from journeys.domain.handbook import Handbook
from journeys.domain.state import State

Reader = Literal["mentor", "partner", "participant"]

LASTS: Final = timedelta(days=14)
"""How long a link holds where its matter has no end of its own, or a later one."""


STOP_LASTS: Final = timedelta(days=90)
"""How long the link by which a message is the last one holds: people look at old messages, too."""


class Purpose(StrEnum):
    """What a link is for."""

    PROPOSAL = "proposal"
    """A mentor says whether they will accompany the person."""
    CONTACT = "contact"
    """The mentor records a contact with the person."""
    REFERRAL = "referral"
    """A partner says whether they take the person in."""
    APPOINTMENT = "appointment"
    """The person says that they will come, takes one of the other times offered, needs yet another one, or declines;
    of a summons only the first and the third."""
    MESSAGES = "messages"
    """The person stops all messages, or lets them begin again."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Something that somebody without an account may answer now."""

    role: Reader
    recipient: str
    purpose: Purpose
    subject: str
    """The proposal, the programme's code of the contact, the referral, the appointment; `stop` or `again`."""
    until: datetime

    def same(self, role: str, recipient: str, purpose: str, subject: str) -> bool:
        """Whether this is what a link of these was made for."""
        return (self.role, self.recipient, self.purpose, self.subject) == (role, recipient, purpose, subject)


def asks(state: State, book: Handbook, now: datetime, since: datetime | None = None) -> list[Ask]:
    """Everything on a journey that a mentor, a partner or the person may answer now.

    Args:
        since: from when the time counts for which a link holds; None: from now.
    """
    return list(_asks(state, book, now, (now if since is None else since) + LASTS)) if state.is_open else []


def times_offered(state: State, appointment: str, now: datetime) -> tuple[datetime, ...]:
    """The other times that the person may take for an appointment: those offered that have not passed, in order; of a
    summons none."""
    known = state.appointments.get(appointment)
    return tuple(at for at in known.or_at if at > now) if known is not None and not known.summons else ()


def times_until(state: State, appointment: str, now: datetime) -> datetime | None:
    """Until when the person may take another time: the last of them, or the appointment's own; None: there is none."""
    offered = times_offered(state, appointment, now)
    return min(state.appointments[appointment].at, max(offered)) if offered else None


def ask_about(about: Subject, recipient: str, found: Iterable[Ask]) -> Ask | None:
    """What the recipient of a message about this may answer; None: nothing."""
    purpose = _PURPOSES.get(about.kind)
    for ask in found:
        its_own = purpose is Purpose.PROPOSAL or ask.subject == about.id
        if (ask.recipient, ask.purpose) == (recipient, purpose) and its_own:
            return ask
    return None


def stop_of(state: State, recipient: str, since: datetime) -> Ask | None:
    """What stops all messages to the person of a journey, in a letter of this time; None where nobody is to be told, or
    it is somebody else."""
    choice = choice_of(state, since + STOP_LASTS)
    return choice if choice is not None and (choice.recipient, choice.subject) == (recipient, "stop") else None


def choice_of(state: State, until: datetime) -> Ask | None:
    """What the person may choose of all messages to them, as far as a journey has heard; None: they have died."""
    if state.died_on is not None:
        return None
    return Ask("participant", state.person, Purpose.MESSAGES, "again" if state.opted_out else "stop", until)


_PURPOSES: Final = {
    "mentor": Purpose.PROPOSAL, "contact": Purpose.CONTACT, "referral": Purpose.REFERRAL,
    "appointment": Purpose.APPOINTMENT,
}  # fmt: skip


def _asks(state: State, book: Handbook, now: datetime, end: datetime) -> Iterator[Ask]:
    for id, mentor in state.proposals.items():
        yield Ask("mentor", mentor, Purpose.PROPOSAL, id, end)
    if state.match is not None:
        for code, contact in book.programme.contacts.items():
            if book.line(contact.by) == "mentor":
                yield Ask("mentor", state.match.mentor, Purpose.CONTACT, code, end)
    for id, referral in state.referrals.items():
        if referral.answer_by > now:
            yield Ask("partner", referral.partner, Purpose.REFERRAL, id, referral.answer_by)
    for id, appointment in state.appointments.items():
        if appointment.outcome is None and appointment.at > now and state.died_on is None:
            yield Ask("participant", state.person, Purpose.APPOINTMENT, id, min(appointment.at, end))
    if (choice := choice_of(state, end)) is not None:
        yield choice
