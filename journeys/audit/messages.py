"""Every message of a journey, recomputed from its events: planned, held back, sent, arrived, lost, or in doubt."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from journeys.domain import agenda
from journeys.domain import events as e
from journeys.domain.agenda import DueKind
from journeys.domain.events import Subject
from journeys.domain.handbook import Handbook
from journeys.domain.messages import PARTICIPANT
from journeys.domain.record import Event, Payload, instant_text
from journeys.domain.state import State
from journeys.i18n import N_, ngettext
from journeys.narration.telling import Speech
from journeys.store.attempts import Tried

Recorded = Event[Payload]


class Fate(StrEnum):
    """Where a message stands."""

    PLANNED = "planned"
    """Its moment is to come."""
    WAITING = "waiting"
    """Its moment came, and it waits: for the morning, or for its channel."""
    LEAVING = "leaving"
    SENT = "sent"
    """A channel took it; nothing was said since."""
    SILENT = "silent"
    """The same, for so long that something may be wrong."""
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It may have left. It never leaves again."""
    SUPPRESSED = "suppressed"


LOOKED_AT: Final = frozenset({Fate.SILENT, Fate.BOUNCED, Fate.FAILED, Fate.UNKNOWN})
"""What a person should see to: nobody can say that the words arrived."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One message as it stands."""

    id: str
    """Of the message; of its due while it is only planned."""
    purpose: str
    to: str
    about: Subject
    at: datetime
    """When it was, or is, to leave."""
    person: str | None = None
    valid_until: datetime | None = None
    fate: Fate = Fate.LEAVING
    reason: str = ""
    channel: str = ""
    since: datetime | None = None
    """When that was recorded."""
    until: datetime | None = None
    """Until when it waits."""
    tries: tuple[Tried, ...] = ()
    """Each attempt to reach the participant, as it was written down."""

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "purpose": self.purpose, "to": self.to, "about": self.about.model_dump(),
            "at": instant_text(self.at), "state": self.fate.value, "reason": self.reason or None,
            "channel": self.channel or None, "since": instant_text(self.since) if self.since else None,
            "until": instant_text(self.until) if self.until else None,
            "attempts": [{"channel": each.channel, "at": instant_text(each.at), "fate": each.fate,
                          "reason": each.reason or None} for each in self.tries],
        }  # fmt: skip


def sendings(
    events: Sequence[Recorded], state: State, book: Handbook, tried: Iterable[Tried] = (), silent: Collection[str] = ()
) -> list[Sending]:
    """Every message of a whole stream, and the reminders that are planned; the latest moment first.

    Args:
        state: after all of them. tried: attempts to reach the participant, as they began.
        silent: ids of those of which nothing was said for too long.
    """
    found: dict[str, Sending] = {}
    for event in events:
        _take(found, event)
    by_message: dict[str, list[Tried]] = {}
    for each in tried:
        by_message.setdefault(each.message, []).append(each)
    whole = [
        replace(
            each, tries=tuple(by_message.get(id, ())),
            fate=Fate.SILENT if each.fate is Fate.SENT and id in silent else each.fate,
            reason=each.reason or _doubt(each, by_message.get(id, ())),
        )
        for id, each in found.items()
    ]  # fmt: skip
    return sorted([*whole, *_planned(state, book)], key=lambda each: (each.at, each.id), reverse=True)


def _doubt(each: Sending, tries: Sequence[Tried]) -> str:
    """Why a message is in doubt: only its last attempt knows."""
    return tries[-1].reason if each.fate is Fate.UNKNOWN and tries else ""


def _take(found: dict[str, Sending], event: Recorded) -> None:
    data, at = event.data, event.recorded_at
    match data:
        case e.MessageDue():
            found[data.message] = Sending(
                data.message, data.purpose, data.to, data.about, data.at, data.person, data.valid_until, since=at
            )
            return
        case e.MessageDeferred() | e.MessageReady() if found[data.message].fate in (Fate.DELIVERED, Fate.BOUNCED):
            # Told before our own word of it, which is still to come.
            return
        case e.MessageDeferred():
            change: dict[str, Any] = {"fate": Fate.WAITING, "until": data.until}
        case e.MessageReady():
            change = {"fate": Fate.LEAVING, "until": None}
        case e.MessageSent():
            # A receipt may have come before our own word.
            arrived = found[data.message].fate in (Fate.DELIVERED, Fate.BOUNCED)
            change = {"channel": data.channel} if arrived else {"fate": Fate.SENT, "channel": data.channel}
        case e.MessageFailed():
            change = {"fate": Fate.FAILED, "reason": data.reason}
        case e.MessageSuppressed():
            change = {"fate": Fate.SUPPRESSED, "reason": data.reason}
        case e.MessageUnknown():
            change = {} if found[data.message].fate in (Fate.DELIVERED, Fate.BOUNCED) else {"fate": Fate.UNKNOWN}
        case e.MessageDelivered():
            change = {"fate": Fate.DELIVERED, "reason": ""}
        case e.MessageBounced():
            change = {"fate": Fate.BOUNCED, "reason": data.reason}
        case e.MessageSilent():
            change = {"fate": Fate.SILENT}
        case _:
            return
    found[data.message] = replace(found[data.message], since=at, **change)


def _planned(state: State, book: Handbook) -> list[Sending]:
    """Reminders whose moment is to come, as things stand."""
    found = []
    for due in agenda.dues(state):
        match due.kind:
            case DueKind.REMINDER:
                deadline = state.deadlines[due.id]
                assert deadline.next_reminder is not None
                to = book.milestone(deadline.milestone).remind[deadline.next_reminder.rule].to
                about = Subject(kind="milestone", id=deadline.milestone)
            case DueKind.APPOINTMENT_REMINDER:
                to, about = PARTICIPANT, Subject(kind="appointment", id=due.id)
            case _:
                continue
        found.append(Sending(f"{due.kind.name.lower()}/{due.id}", "reminder", to, about, due.at, fate=Fate.PLANNED))
    return found


# --- told

FATES: Final = {
    Fate.PLANNED: N_("prévu"),
    Fate.WAITING: N_("en attente"),
    Fate.LEAVING: N_("en train de partir"),
    Fate.SENT: N_("parti"),
    Fate.SILENT: N_("parti, sans nouvelle depuis"),
    Fate.DELIVERED: N_("arrivé"),
    Fate.BOUNCED: N_("revenu sans être remis"),
    Fate.FAILED: N_("pas parti"),
    Fate.UNKNOWN: N_("peut-être parti, pas renvoyé"),
    Fate.SUPPRESSED: N_("pas envoyé"),
}


def told(each: Sending, speech: Speech) -> str:
    """Where a message stands, and why, in a few words."""
    said = speech.say(FATES[each.fate])
    if each.fate is Fate.WAITING and each.until is not None:
        said = speech.say("{said} jusqu'au {when}", said=said, when=speech.when(each.until))
    if each.channel:
        said = speech.say("{said} ({channel})", said=said, channel=speech.spoken(each.channel))
    if each.reason:
        said = speech.say("{said} : {why}", said=said, why=speech.spoken(each.reason))
    return said


def passed_over(each: Sending, speech: Speech) -> list[str]:
    """The channels that would not take it before another did, each with why."""
    gone = [one for one in each.tries if one.fate == "refused"]
    return [
        speech.say("{channel} : {why}", channel=speech.spoken(one.channel), why=speech.spoken(one.reason))
        for one in (gone if each.fate is not Fate.FAILED else gone[:-1])
    ]


def counted(found: Sequence[Sending], lang: str) -> str:
    """How many there are."""
    return ngettext(lang, "{count} message", "{count} messages", len(found)).format(count=len(found))
