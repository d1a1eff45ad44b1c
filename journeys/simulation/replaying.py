"""A past journey played again: what people did and what the world answered, as recorded, under rules of your choice.

Nobody does anything else than they did. An alert that only the other rules raise finds nobody to take it, and climbs.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.commands import Command
from journeys.domain.decide import Outcome
from journeys.domain.events import Subject, read_stored
from journeys.domain.handbook import Handbook
from journeys.domain.offer import Offer
from journeys.domain.play import Moment, play
from journeys.domain.record import Cause, Event, Payload
from journeys.domain.state import EffectKnown, State

Events = Sequence[Event[Payload]]

Stored = tuple[str, tuple[tuple[str, bytes], ...], tuple[bytes, ...]]
"""A journey's stream, its events (kind and stored bytes) and its signed commands, as they come from the journal."""

_ESCALATION: Final = frozenset({"acknowledge-escalation", "reassign-escalation", "resolve-escalation"})
_GIVEN: Final[Mapping[str, str]] = {"instruct": "accepted", "enquire": "settled", "check": "unknown", "deliver": "sent"}
"""What an effect comes to that the record does not know."""


class NotComparable(Exception):
    """The other rules refuse the journey's very beginning. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Record:
    """A journey as recorded: its events, and the signed commands that they came from, by id (texts are not needed)."""

    events: Events
    commands: Mapping[str, Command]
    until: datetime
    """Nothing is played beyond: the record says nothing of what comes later."""


def read(stored: Stored) -> Record:
    """A record out of stored bytes, up to its last fact. Raises ValueError where they cannot be read."""
    events = [read_stored(kind, header) for kind, header in stored[1]]
    known = (_command(json.loads(signed)) for signed in stored[2])
    return Record(events, {each.id: each for each in known}, events[-1].recorded_at)


def _command(signed: dict[str, Any]) -> Command:
    names = ("id", "stream", "actor", "roles", "occurred_at", "seen", "commitments")
    more = {name: signed[name] for name in ("funds", "stands_in_for") if name in signed}
    cause = signed["caused_by"]
    return Command(
        body={"name": signed["name"], **signed["fields"]}, signed_at=signed["time"],
        caused_by=Cause(*cause) if cause else None, **{name: signed[name] for name in names}, **more,
    )  # fmt: skip


def again(record: Record, book: Handbook) -> list[Event[Payload]]:
    """The events of the journey under these rules from its first day on.

    Raises:
        NotComparable: see there. Wedged: the rules turn in circles.
    """
    found: list[Event[Payload]] = []
    refused: str | None = None
    for moment in _moments(record, book):
        found += moment.offer.events
        if not found:
            refused = refused or next((each.refused.code for each in moment.offer.decided if each.refused), None)
    if not found:
        raise NotComparable(refused or "no-plan")
    return found


def _moments(record: Record, book: Handbook) -> Iterable[Moment]:
    stream = record.events[0].stream
    return play(book, AsRecorded(record), State(stream=stream), record.until)


class AsRecorded:
    """The people and the world of a recorded journey."""

    def __init__(self, record: Record) -> None:
        self._asked = _in_order(record)
        self._next = 0
        self._abouts = {
            event.data.escalation: event.data.about
            for event in record.events
            if isinstance(event.data, e.EscalationRaised)
        }
        self._answers = _answers(record.events, self._abouts)

    def when(self) -> datetime | None:
        return self._asked[self._next][0] if self._next < len(self._asked) else None

    def take(self, state: State, at: datetime) -> Sequence[Command]:
        command = self._asked[self._next][1]
        self._next += 1
        return (self._meant(command, state),)

    def answer(self, state: State, seq: int, effect: EffectKnown, at: datetime) -> Outcome:
        waiting = self._answers.get(_name(effect, state))
        if waiting:
            answer, reason, told, role, until = waiting.pop(0)
            if until is None or until > at:
                return Outcome(seq, answer, reason, told, role, until)
        if effect.kind == "tell":
            role = str(effect.data["person"] or effect.data["to"])
            return Outcome(seq, "told", told=(role,), role=role)
        return Outcome(seq, _GIVEN[effect.kind], "not-recorded")

    def see(self, offer: Offer, at: datetime) -> None:
        pass

    def _meant(self, command: Command, state: State) -> Command:
        """The same wish where ids hang on the order of events: the alert about the same, the request as it stands."""
        body: Any = command.body
        if body.name in _ESCALATION:
            about = self._abouts.get(body.escalation)
            same = (id for id, known in state.escalations.items() if known.about == about)
            return command.model_copy(
                update={"body": body.model_copy(update={"escalation": next(same, body.escalation)})}
            )
        if body.name == "approve-grant" and (known := state.grants.get(body.grant)) is not None:
            return command.model_copy(update={"body": body.model_copy(update={"digest": known.digest})})
        return command


def _in_order(record: Record) -> list[tuple[datetime, Command]]:
    """Each command at the instant at which it was recorded; a change of programme has no place in another course."""
    seen: dict[str, datetime] = {}
    for event in record.events:
        if event.command is not None:
            seen.setdefault(event.command, event.recorded_at)
    return [
        (at, command)
        for id, at in seen.items()
        if (command := record.commands.get(id)) is not None and not isinstance(command.body, c.ChangeProgramme)
    ]


_Answer = tuple[str, str, tuple[str, ...], str, datetime | None]


def _answers(events: Events, abouts: Mapping[str, Subject]) -> dict[tuple[str, ...], list[_Answer]]:
    """What each effect came to, by what it was about; the first answer first."""
    found: dict[tuple[str, ...], list[_Answer]] = defaultdict(list)
    checks = {each.data.check: each.data.milestone for each in events if isinstance(each.data, e.CheckCalled)}
    for place, event in enumerate(events):
        match event.data:
            case e.MessageSent(message=id, channel=channel):
                found["deliver", id].append(("sent", channel, (), "", None))
            case e.MessageFailed(message=id, reason=reason):
                found["deliver", id].append(("failed", reason, (), "", None))
            case e.MessageUnknown(message=id):
                found["deliver", id].append(("unknown", "", (), "", None))
            case e.MessageSuppressed(message=id, reason=reason, effect=effect) if effect is not None:
                found["deliver", id].append(("suppressed", reason, (), "", None))
            case e.MessageDeferred(message=id, until=until, effect=effect) if effect is not None:
                found["deliver", id].append(("deferred", "", (), "", until))
            case e.EscalationTold(escalation=id, step=step, told=told, role=role):
                found[_tell(abouts.get(id), step)].append(("told", "", told, role, None))
            case e.EscalationUntold(escalation=id, step=step, reason=reason):
                found[_tell(abouts.get(id), step)].append(("untold", reason, (), "", None))
            case e.CheckPassed(check=id):
                found["check", checks.get(id, "")].append(("passed", "", (), "", None))
            case e.CheckFailed(check=id):
                found["check", checks.get(id, "")].append(("failed", "", (), "", None))
            case e.CheckUnknown(check=id, reason=reason):
                found["check", checks.get(id, "")].append(("unknown", reason, (), "", None))
            case e.PaymentHeld(payment=id):
                found["instruct", id].append(("unsent", "", (), "", None))
            case e.PaymentInstructed(payment=id):
                found["instruct", id].append((*_fate(events[place + 1 :], id), (), "", None))
            case e.PaymentLookedUp(payment=id):
                found["enquire", id].append((*_fate(events[place + 1 :], id), (), "", None))
            case _:
                pass
    return found


def _fate(after: Events, payment: str) -> tuple[str, str]:
    """What the bank said of a payment, by the fact that follows at once."""
    for event in after[:1]:
        match event.data:
            case e.PaymentSettled(payment=id) if id == payment:
                return "settled", ""
            case e.PaymentRejected(payment=id, reason=reason) if id == payment:
                return "rejected", reason
            case e.PaymentAccepted(payment=id) if id == payment:
                return "accepted", ""
            case _:
                pass
    return "unknown", ""


def _name(effect: EffectKnown, state: State) -> tuple[str, ...]:
    if effect.kind == "tell":
        known = state.escalations.get(effect.id)
        return _tell(known.about if known is not None else None, int(effect.data["step"]))
    return effect.kind, effect.id


def _tell(about: Subject | None, step: int) -> tuple[str, ...]:
    return ("tell", about.kind if about else "", about.id if about else "", str(step))
