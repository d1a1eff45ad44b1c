"""The people of one simulated journey: they see what is recorded, and act on it as the behaviour model says."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final

from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.commands import AnyBody, Command
from journeys.domain.decide import Outcome
from journeys.domain.handbook import Handbook
from journeys.domain.offer import Offer
from journeys.domain.programme import Check
from journeys.domain.record import Part, Payload
from journeys.domain.rights import Scope, right
from journeys.domain.state import EffectKnown, State
from journeys.simulation.behaviour import Asked, Behaviour, Done, Moved, Span, minutes

MONTH: Final = timedelta(days=30)
SALT: Final = "0" * 64

_UNANSWERED: Final[frozenset[type[Payload]]] = frozenset({
    e.MomentsPlanned, e.ContactMade, e.MilestoneReached, e.DeadlineMet, e.EscalationRaised, e.EscalationDeferred,
    e.EscalationReady, e.EscalationResolved, e.SituationChanged, e.MessageDue, e.MessageSent, e.PhaseEntered,
    e.PhaseCompleted,
})  # fmt: skip
"""More than half of what is recorded is of these kinds, and is not looked at: nobody does anything about it."""

Act = Callable[[State, datetime], "Asking | None"]
"""What somebody does when the moment has come, seeing the state; None when it no longer makes sense."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A command to be, with who gives it under which role."""

    body: AnyBody
    by: str
    role: str
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Team:
    """Who works on a simulated journey: one id for each role of the programme, and two for who must differ."""

    referent: str
    people: dict[str, tuple[str, str]]

    @classmethod
    def of(cls, book: Handbook, draw: Random) -> "Team":
        people = {role: (_id(draw), _id(draw)) for role in book.programme.roles}
        return cls(people["referent"][0], people)


def _id(draw: Random) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


class People:
    """Facts of one life, drawn as they come about. The same draw gives the same life."""

    def __init__(self, book: Handbook, behaviour: Behaviour, draw: Random, begins: datetime, hashes: tuple[str, str]):
        self.book, self.behaviour, self._draw, self._begins = book, behaviour, draw, begins
        self._coming: list[tuple[datetime, int, Act]] = []
        self._count = count()
        self.team = Team.of(book, draw)
        self.person = _id(draw)
        self.stream = f"journey-{_id(draw)}"
        self._plan(hashes)

    # --- what `play` asks

    def when(self) -> datetime | None:
        return self._coming[0][0] if self._coming else None

    def take(self, state: State, at: datetime) -> Sequence[Command]:
        _, _, act = heappop(self._coming)
        if (asking := act(state, at)) is None:
            return ()
        return (self._command(asking, at),)

    def answer(self, state: State, seq: int, effect: EffectKnown, at: datetime) -> Outcome:
        match effect.kind:
            case "deliver":
                return Outcome(seq, "sent", "outbox")
            case "tell":
                role = str(effect.data["to"])
                return Outcome(seq, "told", told=(self._who(role, state),), role=role)
            case "instruct":
                grant = state.grants[state.payments[effect.id].grant]
                unknown = self._chance(self._asked(grant.kind).unknown)
                return Outcome(seq, "unknown" if unknown else "accepted")
            case "enquire":
                return Outcome(seq, "settled")
            case _:
                return Outcome(seq, "passed" if self._chance(self.behaviour.every_milestone.in_time) else "failed")

    def see(self, offer: Offer, at: datetime) -> None:
        for event in offer.events:
            if type(event.data) not in _UNANSWERED:
                for later in self._react(event.data, offer.state, at):
                    self._at(*later)

    # --- the beginning

    def _plan(self, hashes: tuple[str, str]) -> None:
        calendar, days = self.book.calendar, {}
        for name in self.book.programme.dates:
            known = self.behaviour.dates.get(name, Moved())
            if known.expected == 100 or self._chance(known.expected):
                days[name] = calendar.day(self._begins + self._span(known.lead or self.behaviour.lead))
        plan = c.Plan(
            person=self.person, programme=hashes[0], calendar=hashes[1], referent=self.team.referent, dates=days
        )
        self._at(self._begins, lambda state, at: self._as("referent", plan))
        for name, first in self.book.programme.situations.items():
            self._at(
                self._begins,
                lambda state, at, name=name, first=first: self._as(  # type: ignore[misc]
                    "referent", c.RecordSituation(situation=name, value=first[0])
                ),
            )

    # --- what follows from what was recorded

    def _react(self, data: Any, state: State, at: datetime) -> "Iterator[tuple[datetime, Act]]":
        match data:
            case e.DateExpected(date=name, on=on) | e.DateMoved(date=name, on=on):
                yield from self._date(name, on, first=isinstance(data, e.DateExpected))
            case e.JourneyPlanned():
                yield from self._month(at)
                yield at + timedelta(minutes=minutes(self.behaviour.longest)), self._close("completed")
                for kind in self.book.programme.grants:
                    asked = self._asked(kind)
                    if self._chance(asked.often):
                        yield at + self._span(self.behaviour.lead) + self._span(asked.after), self._ask_grant(kind)
            case e.DeadlineSet(milestone=code, at=due):
                yield from self._milestone(code, due, at)
            case e.ContactDue(contact=code, window=window, opens=opens, closes=closes):
                if self._chance(self.behaviour.contacts.get(code, self.behaviour.every_contact)):
                    moment = max(at, opens) + (closes - max(at, opens)) * self._draw.uniform(0.1, 0.9)
                    yield moment, self._contact(code, window)
            case e.AppointmentBooked(appointment=id, at=moment, minutes=length):
                yield (
                    moment + timedelta(minutes=length) + self._span(self.behaviour.appointments.noted_after),
                    (self._meeting(id)),
                )
            case e.EscalationTold(escalation=id, told=told, role=role):
                if told and self._chance(self.behaviour.alerts.taken):
                    yield at + self._span(self.behaviour.alerts.after), self._alert(id, told[0], role)
            case e.EscalationAcknowledged(escalation=id):
                yield at + self._span(self.behaviour.alerts.settled_after), self._settle(id)
            case e.GrantRequested(grant=id, kind=kind, approvals=needed):
                for role in needed:
                    yield at + self._span(self._asked(kind).decided_after), self._decide_grant(id, kind, role)
            case e.ReceiptDue(receipt=id, grant=grant):
                asked = self._asked(state.grants[grant].kind)
                if self._chance(asked.justified):
                    yield at + self._span(asked.justified_after), self._submit(id)
            case e.ReceiptOverdue(receipt=id):
                yield (
                    at + self._span(self._asked(state.grants[state.receipts[id].grant].kind).waived_after),
                    self._waive(id),
                )
            case e.ReceiptSubmitted(receipt=id):
                yield at + timedelta(days=self._draw.randint(1, 9)), self._accept(id)
            case e.MentorProposed(mentor=mentor):
                yield at + timedelta(hours=self._draw.randint(4, 60)), self._match(mentor)
            case e.MentorMatched():
                yield from self._lose_mentor(at)
            case e.JourneySuspended():
                yield at + self._span(self.behaviour.away.lasts), self._resume
            case e.ClosingWanted(outcome=outcome):
                yield at + self._span(self.behaviour.closed_after), self._close(outcome or "completed")
            case e.ReviewDue(found=found) if state.closing_wanted or "nothing-planned" in found:
                yield at + self._span(self.behaviour.closed_after), self._close("completed")
            case _:
                pass

    def _date(self, name: str, on: Any, *, first: bool) -> "Iterator[tuple[datetime, Act]]":
        moved = self.behaviour.dates.get(name)
        morning = self.book.calendar.opening(on)
        if moved is not None and first and self._chance(moved.often):
            days = self._draw.randint(-minutes(moved.earlier) // 1_440, minutes(moved.later) // 1_440)
            told = morning - timedelta(days=self._draw.randint(2, 12))

            def move(state: State, at: datetime) -> Asking | None:
                known = state.dates.get(name)
                to = max(on + timedelta(days=days), self.book.calendar.day(at) + timedelta(days=1))
                if known is None or not known.open or not state.is_open or to == known.on:
                    return None
                return self._as("referent", c.MoveDate(date=name, on=to))

            yield told, move
        late = timedelta()
        if moved is not None and self._chance(moved.forgotten):
            late = timedelta(days=self._draw.randint(2, 14))

        def confirm(state: State, at: datetime) -> Asking | None:
            known = state.dates.get(name)
            if known is None or not known.open or not state.is_open or known.on != on:
                return None
            return self._as("referent", c.ConfirmDate(date=name, on=on))

        yield morning + timedelta(hours=2) + late, confirm

    def _milestone(self, code: str, due: datetime, at: datetime) -> "Iterator[tuple[datetime, Act]]":
        rule = self.book.milestone(code)
        done = self.behaviour.mentor if rule.check is Check.MENTOR else self.behaviour.milestones.get(
            code, self.behaviour.every_milestone
        )  # fmt: skip
        if (moment := self._done(done, due)) is None:
            return
        soonest = timedelta(hours=self._draw.randint(1, 48))
        if at < due:
            soonest = min(soonest, (due - at) * 4 / 5)  # What is due within hours is done within hours.
        moment = max(moment, at + soonest)
        match rule.check:
            case Check.EVIDENCE:
                for kind in rule.evidence:
                    yield moment, self._still(code, c.AddEvidence(milestone=code, kind=kind))
                yield moment, self._still(code, c.ReachMilestone(milestone=code))
            case Check.APPOINTMENT:
                yield moment - timedelta(days=2), self._book(code, moment)
            case Check.MENTOR:
                yield moment - timedelta(days=1), self._propose
            case Check.SITUATION if rule.situation is not None:
                good = c.RecordSituation(situation=rule.situation, value=self._draw.choice(rule.good))
                yield moment, self._still(code, good)
            case Check.HAND | Check.HTTP:
                yield moment, self._still(code, c.ReachMilestone(milestone=code))
            case _:
                pass

    def _still(self, code: str, body: AnyBody) -> Act:
        def act(state: State, at: datetime) -> Asking | None:
            return None if state.settled(code) or not state.is_open else self._as("referent", body)

        return act

    def _book(self, code: str, moment: datetime) -> Act:
        def act(state: State, at: datetime) -> Asking | None:
            if state.settled(code) or not state.is_open:
                return None
            return self._as(
                "referent", c.BookAppointment(at=max(moment, at + timedelta(hours=6)), milestone=code),
                place="Association",
            )  # fmt: skip

        return act

    def _propose(self, state: State, at: datetime) -> Asking | None:
        if state.match is not None or state.proposals or not state.is_open:
            return None
        return self._as("referent", c.ProposeMentor(mentor=self.team.people["mentor"][self._draw.randint(0, 1)]))

    def _match(self, mentor: str) -> Act:
        def act(state: State, at: datetime) -> Asking | None:
            if mentor not in state.proposals.values() or not state.is_open:
                return None
            return Asking(c.MatchMentor(mentor=mentor), mentor, "mentor")

        return act

    def _lose_mentor(self, at: datetime) -> "Iterator[tuple[datetime, Act]]":
        months = next((month for month in range(1, 25) if self._chance(self.behaviour.mentor_lost)), None)
        if months is None:
            return

        def lose(state: State, at: datetime) -> Asking | None:
            if state.match is None or not state.is_open:
                return None
            return self._as("referent", c.EndMentor(), reason="Indisponible")

        yield at + MONTH * months, lose

        yield at + MONTH * months + timedelta(days=self._draw.randint(5, 30)), self._propose

    def _contact(self, code: str, window: int) -> Act:
        rule = self.book.programme.contacts[code]

        def act(state: State, at: datetime) -> Asking | None:
            known = state.contacts.get(code)
            if known is None or known.window != window or not known.open or state.suspended or not state.is_open:
                return None
            body = c.LogContact(contact=code, means=self._draw.choice(rule.means))
            mentored = rule.by == "mentor" and state.match is not None
            return (
                Asking(body, state.match.mentor, "mentor") if mentored and state.match else self._as("referent", body)
            )

        return act

    def _meeting(self, id: str) -> Act:
        chances = self.behaviour.appointments

        def act(state: State, at: datetime) -> Asking | None:
            known = state.appointments.get(id)
            if known is None or known.outcome is not None:
                return None
            drawn = self._draw.random() * 100
            if drawn < chances.missed:
                return self._as("referent", c.CloseAppointment(appointment=id, outcome="missed"))
            excused = drawn < chances.missed + chances.excused
            return self._as(
                "referent", c.CloseAppointment(appointment=id, outcome="excused" if excused else "attended")
            )

        return act

    def _alert(self, id: str, who: str, role: str) -> Act:
        def act(state: State, at: datetime) -> Asking | None:
            known = state.escalations.get(id)
            if known is None or known.acknowledged:
                return None
            return self._by(who, role, c.AcknowledgeEscalation(escalation=id), state)

        return act

    def _settle(self, id: str) -> Act:
        def act(state: State, at: datetime) -> Asking | None:
            if id not in state.escalations:
                return None
            return self._as("supervisor", c.ResolveEscalation(escalation=id), reason="Fait le point")

        return act

    def _asked(self, kind: str) -> Asked:
        return self.behaviour.grants.get(kind, self.behaviour.every_grant)

    def _ask_grant(self, kind: str) -> Act:
        rule, asked = self.book.programme.grants[kind], self._asked(kind)

        def act(state: State, at: datetime) -> Asking | None:
            if not state.is_open or state.suspended:
                return None
            body = c.RequestGrant(
                grant=kind, purpose=self._draw.choice(rule.purposes),
                amount=max(rule.cap * self._draw.randint(*asked.share) // 100 // 1_000 * 1_000, 1_000),
            )  # fmt: skip
            return self._as(rule.requested_by[0], body, payee="FR")

        return act

    def _decide_grant(self, id: str, kind: str, role: str) -> Act:
        refuses = self._chance(self._asked(kind).refused)

        def act(state: State, at: datetime) -> Asking | None:
            known = state.grants.get(id)
            if known is None or known.over is not None or known.status != "requested":
                return None
            who = self.team.people.get(role, self.team.people["supervisor"])[1]
            if refuses:
                return Asking(c.RefuseGrant(grant=id), who, role, {"reason": "Dossier incomplet"})
            return Asking(c.ApproveGrant(grant=id, digest=known.digest), who, role)

        return act

    def _submit(self, id: str) -> Act:
        def act(state: State, at: datetime) -> Asking | None:
            known = state.receipts.get(id)
            if known is None or known.settled is not None or known.submitted is not None:
                return None
            return self._as("referent", c.SubmitReceipt(receipt=id, amount=known.amount))

        return act

    def _accept(self, id: str) -> Act:
        def act(state: State, at: datetime) -> Asking | None:
            known = state.receipts.get(id)
            if known is None or known.settled is not None:
                return None
            return self._as("finance", c.AcceptReceipt(receipt=id))

        return act

    def _waive(self, id: str) -> Act:
        def act(state: State, at: datetime) -> Asking | None:
            known = state.receipts.get(id)
            if known is None or known.settled is not None or known.submitted is not None:
                return None
            return self._as("finance", c.WaiveReceipt(receipt=id), reason="Jamais remis")

        return act

    def _resume(self, state: State, at: datetime) -> Asking | None:
        return self._as("referent", c.Resume()) if state.suspended and state.is_open else None

    def _close(self, outcome: str) -> Act:
        def act(state: State, at: datetime) -> Asking | None:
            return self._as("referent", c.Close(outcome=outcome)) if state.is_open else None

        return act

    # --- what happens in any month

    def _month(self, begins: datetime) -> "Iterator[tuple[datetime, Act]]":
        def live(state: State, at: datetime) -> Asking | None:
            if not state.is_open:
                return None
            for later in self._month(at):
                self._at(*later)
            return None

        yield begins + MONTH, live
        for outcome, often in self.behaviour.leaving.monthly.items():
            if outcome in self.book.programme.closings and self._chance(often):
                yield begins + self._within_month(), self._leave(outcome)
        if self._chance(self.behaviour.away.monthly):
            yield begins + self._within_month(), self._go_away
        for situation, steps in self.behaviour.situations.items():
            known = self.book.programme.situations.get(situation, ())
            for step in steps:
                if step.to in known and self._chance(step.monthly):
                    body = c.RecordSituation(situation=situation, value=step.to)
                    yield begins + self._within_month(), self._while_open(body)

    def _leave(self, outcome: str) -> Act:
        def act(state: State, at: datetime) -> Asking | None:
            return self._as("referent", c.Close(outcome=outcome)) if state.status == "active" else None

        return act

    def _go_away(self, state: State, at: datetime) -> Asking | None:
        if state.status != "active":
            return None
        return self._as("referent", c.Suspend(why=self.behaviour.away.why))

    def _while_open(self, body: AnyBody) -> Act:
        return lambda state, at: self._as("referent", body) if state.is_open else None

    # --- drawing

    def _at(self, moment: datetime, act: Act) -> None:
        heappush(self._coming, (moment, next(self._count), act))

    def _chance(self, percent: int) -> bool:
        return self._draw.random() * 100 < percent

    def _span(self, span: Span) -> timedelta:
        return timedelta(minutes=self._draw.randint(minutes(span.least), minutes(span.most)))

    def _within_month(self) -> timedelta:
        return MONTH * self._draw.random()

    def _done(self, done: Done, due: datetime) -> datetime | None:
        drawn = self._draw.random() * 100
        if drawn < done.in_time:
            return due - self._span(done.early_by)
        if drawn < done.in_time + done.late:
            return due + self._span(done.late_by)
        return None

    # --- commands

    def _who(self, role: str, state: State) -> str:
        if role == "referent":
            return state.referent
        return self.team.people.get(role, (role, role))[0]

    def _by(self, who: str, role: str, body: AnyBody, state: State) -> Asking:
        """By somebody in their role, or by the referent where the role has no right to it."""
        scope = right(self.book.line(role), body.name)
        if scope is Scope.ALLOWED or (scope is Scope.OWN and who == state.referent):
            return Asking(body, who, role)
        return self._as("referent", body)

    def _as(self, role: str, body: AnyBody, **texts: str) -> Asking:
        who = self.team.people.get(role, self.team.people["supervisor"])[0]
        return Asking(body, who, role, texts)

    def _command(self, asking: Asking, at: datetime) -> Command:
        return Command(
            id=_id(self._draw), stream=self.stream, body=asking.body, actor=asking.by, roles=(asking.role,),
            occurred_at=at, signed_at=at,
            parts={name: _part(text) for name, text in asking.texts.items()},
            commitments={name: _committed(text) for name, text in asking.texts.items()},
        )  # fmt: skip


@cache
def _part(text: str) -> Part:
    """One of the few texts that the people here ever write."""
    return Part(text=text, salt=SALT)


@cache
def _committed(text: str) -> str:
    return _part(text).commitment()


def begins(draw: Random, on: datetime) -> datetime:
    """When one of many journeys begins: in the working hours of some day of the month after."""
    return on.astimezone(UTC) + timedelta(
        days=draw.randint(0, 29), hours=draw.randint(8, 16), minutes=draw.randint(0, 59)
    )
