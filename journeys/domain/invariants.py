"""What must hold of every record: one checker over events, independent of the code that decided and folds them.

Each rule keeps its own small tables. `check` reads one journey's stream, `check_fund` the payments of all.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from journeys.domain import events as e
from journeys.domain.handbook import Handbook
from journeys.domain.record import SYSTEM, Event, Payload

Recorded = Event[Payload]
Details = dict[str, str | int | None]

PROMPT = timedelta(minutes=5)
"""A miss is recorded and escalated within this of its due."""

PROMPT_AFTER_OUTAGE = timedelta(minutes=15)
"""Within this of the end of an outage that covered its due."""

MONEY = frozenset({"grant", "payment", "receipt"})
"""Subjects that outlive a closing."""

PARTICIPANT = "participant"


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant of docs/overview that the event at `seq` breaks; `code` says how."""

    invariant: int
    seq: int
    code: str
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nothing ran, so that nothing could fall due."""

    begins: datetime
    ends: datetime


NextDue = Callable[[Sequence[Recorded]], datetime | None]
"""The first due after these events, by the agenda in force."""


class Rule(Protocol):
    """One rule, shown the events one by one and then the end of the record."""

    def see(self, event: Recorded) -> Iterator[Violation]: ...

    def end(self, complete: bool) -> Iterator[Violation]: ...


def check(
    events: Sequence[Recorded],
    *,
    complete: bool = False,
    book: Handbook | None = None,
    outages: Sequence[Outage] | None = (),
    next_due: NextDue | None = None,
) -> list[Violation]:
    """Every violation in one journey's whole stream, in its order.

    Args:
        events: all events of the stream, from the first.
        complete: the journey is closed and nothing of it is under way: whatever was opened must be closed.
        book: its rules and calendar; with it also ladders, caps and quiet hours are judged.
        outages: when nothing ran; None when that is not known: then punctuality is not judged.
        next_due: with it, an open journey without a due is a violation.
    """
    rules: list[Rule] = [
        Envelopes(),
        Table(),
        Effects(),
        Milestones(),
        Approvals(),
        Amounts(book),
        Misses(book, outages),
        Messages(book),
        Suspensions(),
        Ladders(book),
        Closures(),
    ]
    found = [violation for event in events for rule in rules for violation in rule.see(event)]
    found += [violation for rule in rules for violation in rule.end(complete)]
    if next_due is not None and _is_open(events) and next_due(events) is None:
        found.append(Violation(7, events[-1].seq, "no-due"))
    return sorted(found, key=lambda violation: (violation.seq, violation.invariant))


def _is_open(events: Sequence[Recorded]) -> bool:
    turns = [e.JourneyPlanned, e.JourneyReopened, e.JourneyClosed]
    last = next((event.data for event in reversed(events) if type(event.data) in turns), None)
    return last is not None and not isinstance(last, e.JourneyClosed)


# --- 9: the envelope


@dataclass(slots=True)
class Envelopes:
    """Invariant 9: no gap, somebody who acted in a role, a command or a rule, and causes that lie before."""

    last: Recorded | None = None

    def see(self, event: Recorded) -> Iterator[Violation]:
        before = self.last
        expected = before.seq + 1 if before is not None else 1
        if event.seq != expected:
            yield Violation(9, event.seq, "gap", {"expected": expected})
        if before is not None and event.stream != before.stream:
            yield Violation(9, event.seq, "another-stream", {"stream": event.stream})
        if before is not None and event.recorded_at < before.recorded_at:
            yield Violation(9, event.seq, "time-runs-backwards")
        if not event.actor or not event.role:
            yield Violation(9, event.seq, "nobody-acted")
        if (event.command is None) == (event.rule is None):
            yield Violation(9, event.seq, "neither-command-nor-rule")
        if event.rule is not None and event.actor != SYSTEM:
            yield Violation(9, event.seq, "rule-by-a-person", {"actor": event.actor})
        cause = event.caused_by
        if cause is not None and cause.stream == event.stream and not 0 < cause.seq < event.seq:
            yield Violation(9, event.seq, "caused-by-later", {"cause": cause.seq})
        self.last = event

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()


# --- 4: what is opened is closed by exactly one


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: what opens a thing, what may happen while it is open, what closes it, what may follow."""

    thing: str
    key: tuple[str, ...]
    opens: frozenset[str]
    during: frozenset[str]
    closes: frozenset[str]
    after: dict[str, frozenset[str]]
    """What may follow, each only behind these closings."""
    anyhow: frozenset[str] = frozenset()
    """Outcomes that may come late: allowed once opened, open or closed."""
    again: frozenset[str] = frozenset()
    """Closings after which the same thing may be opened anew."""
    outlives: bool = False
    """Whether a closed journey may still have it open."""


def _kinds(names: str) -> frozenset[str]:
    return frozenset(names.split())


LINES: tuple[Line, ...] = (
    Line("journey", (), _kinds("JourneyPlanned JourneyReopened"), _kinds("JourneyActivated"), _kinds("JourneyClosed"),
         {}, again=_kinds("JourneyClosed")),
    Line("date", ("date",), _kinds("DateExpected"), _kinds("DateMoved DateUnconfirmed"),
         _kinds("DateHappened DateCancelled"), {"DateCorrected": _kinds("DateHappened")},
         again=_kinds("DateCancelled")),
    Line("phase", ("phase",), _kinds("PhaseEntered"), _kinds(""), _kinds("PhaseCompleted"), {}, outlives=True),
    Line("deadline", ("deadline",), _kinds("DeadlineSet"), _kinds("DeadlineMoved ReminderTaken"),
         _kinds("DeadlineMet DeadlineMissed DeadlineCancelled"), {"DeadlineCorrected": _kinds("DeadlineMissed")}),
    Line("message", ("message",), _kinds("MessageDue"), _kinds("MessageDeferred MessageReady"),
         _kinds("MessageSent MessageFailed MessageSuppressed MessageUnknown"), {},
         anyhow=_kinds("MessageDelivered MessageBounced"), outlives=True),
    Line("contact", ("contact", "window"), _kinds("ContactDue"), _kinds(""),
         _kinds("ContactMade ContactMissed ContactCancelled"), {}),
    Line("appointment", ("appointment",), _kinds("AppointmentBooked"),
         _kinds("AppointmentMoved AppointmentReminded AppointmentAsked"),
         _kinds("AppointmentAttended AppointmentMissed AppointmentExcused AppointmentCancelled"),
         {"AppointmentCorrected": _kinds("AppointmentAttended AppointmentMissed AppointmentExcused")}),
    Line("escalation", ("escalation",), _kinds("EscalationRaised"),
         _kinds("EscalationClimbed EscalationAcknowledged EscalationReassigned EscalationReady"),
         _kinds("EscalationResolved"), {},
         anyhow=_kinds("EscalationDeferred EscalationTold EscalationUntold"), outlives=True),
    Line("check", ("check",), _kinds("CheckCalled"), _kinds(""), _kinds("CheckPassed CheckFailed CheckUnknown"), {},
         outlives=True),
    Line("request", ("grant",), _kinds("GrantRequested GrantReopened"),
         _kinds("GrantChanged GrantReturned GrantApprovalGiven"),
         _kinds("GrantApproved GrantRefused GrantExpired GrantCancelled"), {}, again=_kinds("GrantApproved")),
    Line("grant", ("grant",), _kinds("GrantApproved"), _kinds(""),
         _kinds("GrantCompleted GrantEnded GrantReopened"), {"GrantReopened": _kinds("GrantCompleted")},
         again=_kinds("GrantReopened")),
    Line("payment", ("payment",), _kinds("PaymentReserved"),
         _kinds("PaymentReleased PaymentAccepted PaymentUnknown PaymentEnquired"),
         _kinds("PaymentSettled PaymentRejected PaymentSettledByHand PaymentCancelled"),
         {"PaymentReturned": _kinds("PaymentSettled PaymentSettledByHand")},
         anyhow=_kinds("PaymentInstructed PaymentHeld PaymentLookedUp"), outlives=True),
    Line("receipt", ("receipt",), _kinds("ReceiptDue"), _kinds("ReceiptOverdue ReceiptSubmitted ReceiptRefused"),
         _kinds("ReceiptAccepted ReceiptWaived"), {}, outlives=True),
    Line("proposal", ("proposal",), _kinds("MentorProposed"), _kinds(""),
         _kinds("MentorMatched MentorDeclined MentorProposalCancelled"), {}),
    Line("match", ("proposal",), _kinds("MentorMatched"), _kinds(""), _kinds("MentorEnded"), {}),
    Line("referral", ("referral",), _kinds("ReferralSent"), _kinds(""),
         _kinds("ReferralAccepted ReferralDeclined ReferralExpired ReferralCancelled"), {}),
    Line("transfer", ("transfer",), _kinds("TransferAsked"), _kinds("TransferReminded"),
         _kinds("JourneyTransferred TransferDeclined TransferCancelled"), {}),
    Line("suspension", (), _kinds("JourneySuspended"), _kinds(""), _kinds("JourneyResumed"), {},
         again=_kinds("JourneyResumed")),
)  # fmt: skip
"""The table "Opened and closed" of docs/overview."""

WAITS_FOR_SOMEBODY = frozenset({"phase", "escalation", "receipt"})
"""What may stay open behind a closing for as long as nobody acts (Closures judges what escalations are about)."""

_LINES_OF: dict[str, tuple[Line, ...]] = {}
for _line in LINES:
    for _kind in _line.opens | _line.during | _line.closes | _line.after.keys() | _line.anyhow:
        _LINES_OF[_kind] = (*_LINES_OF.get(_kind, ()), _line)

Key = tuple[str, ...]


@dataclass(slots=True)
class Table:
    """Invariant 4: nothing is closed twice, closed unopened, or left open for ever."""

    open: dict[Key, int] = field(default_factory=dict)
    """Seq of the event that opened each thing."""
    closed: dict[Key, str] = field(default_factory=dict)
    """Kind of the event that closed it."""
    journey_closed: bool = False

    def see(self, event: Recorded) -> Iterator[Violation]:
        if event.kind == "JourneyClosed":
            self._end_suspension()
        self.journey_closed = event.kind == "JourneyClosed" or (self.journey_closed and event.kind != "JourneyReopened")
        lines = _LINES_OF.get(event.kind, ())
        for line in sorted(lines, key=lambda line: event.kind in line.opens):
            yield from self._on_line(line, event)

    def _end_suspension(self) -> None:
        if self.open.pop(("suspension",), None) is not None:
            self.closed["suspension",] = "JourneyResumed"

    def _on_line(self, line: Line, event: Recorded) -> Iterator[Violation]:
        key = (line.thing, *(str(getattr(event.data, name)) for name in line.key))
        is_open, how = key in self.open, self.closed.get(key)
        details: Details = {"thing": " ".join(key), "kind": event.kind}
        if event.kind in line.opens:
            if is_open or (how is not None and how not in line.again):
                yield Violation(4, event.seq, "opened-twice", details)
            self.open[key] = event.seq
        elif event.kind in line.anyhow and (is_open or how is not None):
            return
        elif not is_open and how is None:
            yield Violation(4, event.seq, "never-opened", details)
        elif how is not None and not is_open and how in line.after.get(event.kind, ()):
            self.closed[key] = event.kind if event.kind in line.closes else how
        elif not is_open:
            yield Violation(4, event.seq, "closed-already", {**details, "how": how})
        elif event.kind in line.closes:
            del self.open[key]
            self.closed[key] = event.kind
        elif event.kind in line.after:
            yield Violation(4, event.seq, "still-open", details)

    def end(self, complete: bool) -> Iterator[Violation]:
        """A closing leaves open only what may outlive it; a journey that is over leaves nothing."""
        if not self.journey_closed:
            return
        may_stay = WAITS_FOR_SOMEBODY if complete else {line.thing for line in LINES if line.outlives}
        for key, seq in self.open.items():
            if key[0] not in may_stay:
                yield Violation(4, seq, "never-closed", {"thing": " ".join(key)})


_CALLS = {
    "MessageDue": "deliver", "MessageReady": "deliver", "CheckCalled": "check", "EscalationRaised": "tell",
    "EscalationClimbed": "tell", "EscalationReassigned": "tell", "EscalationReady": "tell",
    "PaymentReserved": "instruct",
    "PaymentReleased": "instruct", "PaymentEnquired": "enquire",
}  # fmt: skip
"""What each event calls for in the world."""

_HELD_BACK = frozenset({"MessageDeferred", "MessageSuppressed"})


@dataclass(slots=True)
class Effects:
    """Invariants 1, 4 and 8: each effect has one outcome, and there is none without its effect."""

    waiting: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Kind and subject of each effect under way, by the seq of its event."""
    instructed: set[str] = field(default_factory=set)

    def see(self, event: Recorded) -> Iterator[Violation]:
        effect = getattr(event.data, "effect", None)
        if effect is not None:
            if self.waiting.pop(effect, None) is None:
                yield Violation(4, event.seq, "second-outcome", {"effect": effect, "kind": event.kind})
        elif event.kind in _HELD_BACK:
            self._drop("deliver", event.data)
        if isinstance(event.data, e.PaymentInstructed):
            if event.data.payment in self.instructed:
                yield Violation(1, event.seq, "instructed-twice", {"payment": event.data.payment})
            self.instructed.add(event.data.payment)
        if isinstance(event.data, e.PaymentReleased) and event.data.payment in self.instructed:
            yield Violation(1, event.seq, "released-after-instruction", {"payment": event.data.payment})
        called = _CALLS.get(event.kind)
        if called is not None:
            self.waiting[event.seq] = (called, _subject(event.data))

    def _drop(self, called: str, data: Payload) -> None:
        """A message that is held back at once was never let go."""
        for seq, known in list(self.waiting.items()):
            if known == (called, _subject(data)):
                del self.waiting[seq]

    def end(self, complete: bool) -> Iterator[Violation]:
        if complete:
            for seq, (called, subject) in self.waiting.items():
                yield Violation(8 if called == "tell" else 4, seq, "no-outcome", {"effect": called, "id": subject})


def _subject(data: Payload) -> str:
    names = ("message", "escalation", "check", "payment")
    return next((str(getattr(data, name)) for name in names if hasattr(data, name)), "")


@dataclass(slots=True)
class Milestones:
    """Invariant 4 for milestones: settled once, unless a correction opened it again; one open deadline each."""

    settled: set[str] = field(default_factory=set)
    deadlines: dict[str, str] = field(default_factory=dict)

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.MilestoneReached(milestone=code) | e.MilestoneWaived(milestone=code):
                if code in self.settled:
                    yield Violation(4, event.seq, "settled-twice", {"milestone": code})
                self.settled.add(code)
            case e.MilestoneCorrected(milestone=code, to="open"):
                self.settled.discard(code)
            case e.MilestoneCorrected(milestone=code):
                self.settled.add(code)
            case e.DeadlineSet(milestone=code, deadline=id):
                if code in self.deadlines.values():
                    yield Violation(4, event.seq, "two-deadlines", {"milestone": code})
                if code in self.settled:
                    yield Violation(4, event.seq, "deadline-of-a-settled-milestone", {"milestone": code})
                self.deadlines[id] = code
            case e.DeadlineMet(deadline=id) | e.DeadlineMissed(deadline=id) | e.DeadlineCancelled(deadline=id):
                self.deadlines.pop(id, None)

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()


# --- 2 and 3: approvals and amounts


@dataclass(slots=True)
class File:
    """A grant as its approvers saw it last."""

    kind: str
    pay_by: str
    requester: str
    editor: str
    content: e.GrantRequested | e.GrantChanged | e.GrantReopened
    given: list[tuple[str, str]] = field(default_factory=list)
    """Who approved, standing for which role."""
    approved: bool = False
    called: int = 0
    """Instalments that were called for."""


@dataclass(slots=True)
class Approvals:
    """Invariant 2: distinct people with the right role, none the requester or the payee's last editor, same digest."""

    files: dict[str, File] = field(default_factory=dict)

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.GrantRequested() as data:
                self.files[data.grant] = File(data.kind, data.pay_by, event.actor, event.actor, data)
                yield from self._content(event, self.files[data.grant])
            case e.GrantChanged() | e.GrantReopened() as data if data.grant in self.files:
                file = self.files[data.grant]
                file.content, file.given, file.approved = data, [], False
                file.editor = event.actor if data.payee_changed else file.editor
                file.called = data.called if isinstance(data, e.GrantReopened) else file.called
                yield from self._content(event, file)
            case e.GrantReturned() as data if data.grant in self.files:
                self.files[data.grant].given = []
            case e.GrantApprovalGiven() as data if data.grant in self.files:
                yield from self._given(event, data, self.files[data.grant])
            case e.GrantApproved() as data if data.grant in self.files:
                yield from self._approved(event, data, self.files[data.grant])
            case e.PaymentReserved() as data if data.grant in self.files:
                yield from self._paid(event, data, self.files[data.grant])
            case e.PaymentBlocked() as data if data.grant in self.files:
                self.files[data.grant].called = data.number

    def _content(self, event: Recorded, file: File) -> Iterator[Violation]:
        """The digest is that of what is asked, and the instalments add up to it."""
        data = file.content
        if sum(part.amount for part in data.instalments) != data.amount:
            yield Violation(3, event.seq, "instalments-do-not-add-up", {"grant": data.grant})
        if data.digest != _digest(event.stream, file):
            yield Violation(2, event.seq, "digest-of-something-else", {"grant": data.grant})

    def _given(self, event: Recorded, data: e.GrantApprovalGiven, file: File) -> Iterator[Violation]:
        details: Details = {"grant": data.grant, "actor": event.actor}
        if event.actor in (file.requester, file.editor, SYSTEM):
            yield Violation(2, event.seq, "self-approval", details)
        if any(actor == event.actor for actor, _ in file.given):
            yield Violation(2, event.seq, "approved-twice-by-one", details)
        if data.digest != file.content.digest:
            yield Violation(2, event.seq, "approval-of-something-else", details)
        file.given.append((event.actor, data.stands_for))
        if event.role != data.stands_for or Counter(role for _, role in file.given) - Counter(file.content.approvals):
            yield Violation(2, event.seq, "role-not-wanted", {**details, "role": event.role})

    def _approved(self, event: Recorded, data: e.GrantApproved, file: File) -> Iterator[Violation]:
        if Counter(role for _, role in file.given) != Counter(file.content.approvals):
            yield Violation(2, event.seq, "approvals-missing", {"grant": data.grant})
        if data.digest != file.content.digest:
            yield Violation(2, event.seq, "approval-of-something-else", {"grant": data.grant})
        file.approved = True

    def _paid(self, event: Recorded, data: e.PaymentReserved, file: File) -> Iterator[Violation]:
        content = file.content
        details: Details = {"grant": data.grant, "payment": data.payment}
        if not file.approved:
            yield Violation(2, event.seq, "paid-without-approval", details)
        if data.digest != content.digest or data.payee != content.payee:
            yield Violation(2, event.seq, "paid-something-else", details)
        if data.number != file.called + 1 or data.number > len(content.instalments):
            yield Violation(2, event.seq, "paid-out-of-turn", details)
        elif content.instalments[data.number - 1].amount != data.amount:
            yield Violation(3, event.seq, "another-amount", details)
        file.called = data.number

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()


def _digest(stream: str, file: File) -> str:
    """What approvers are bound to, written out here again: SHA-256 over sorted JSON."""
    data = file.content
    content = {
        "amount": data.amount,
        "grant": file.kind,
        "instalments": [[part.amount, part.when] for part in data.instalments],
        "journey": stream,
        "pay_by": file.pay_by,
        "payee": data.payee,
        "purpose": data.purpose,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


_GIVES_BACK = frozenset({"PaymentRejected", "PaymentCancelled", "PaymentReturned"})


@dataclass(slots=True)
class Amounts:
    """Invariant 3 within a journey: never more reserved and paid than a grant's amount, than the cap of its kind."""

    book: Handbook | None
    kinds: dict[str, str] = field(default_factory=dict)
    """Kind of each grant."""
    amounts: dict[str, int] = field(default_factory=dict)
    promised: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Grant and cents of each payment that counts."""
    reserved: set[str] = field(default_factory=set)

    def see(self, event: Recorded) -> Iterator[Violation]:
        data: Any = event.data
        match data:
            case e.GrantRequested():
                self.kinds[data.grant], self.amounts[data.grant] = data.kind, data.amount
            case e.GrantChanged() | e.GrantReopened():
                self.amounts[data.grant] = data.amount
            case e.PaymentReserved():
                if data.payment in self.reserved:
                    yield Violation(1, event.seq, "reserved-twice", {"payment": data.payment})
                self.reserved.add(data.payment)
                self.promised[data.payment] = (data.grant, data.amount)
                yield from self._judge(event, data.grant)
            case _ if event.kind in _GIVES_BACK:
                self.promised.pop(data.payment, None)

    def _judge(self, event: Recorded, grant: str) -> Iterator[Violation]:
        of_grant = sum(amount for id, amount in self.promised.values() if id == grant)
        if of_grant > self.amounts.get(grant, 0):
            yield Violation(3, event.seq, "over-the-grant", {"grant": grant, "amount": of_grant})
        kind = self.kinds.get(grant, "")
        rule = self.book.programme.grants.get(kind) if self.book is not None else None
        of_kind = sum(amount for id, amount in self.promised.values() if self.kinds.get(id) == kind)
        if rule is not None and of_kind > rule.cap:
            yield Violation(3, event.seq, "over-the-cap", {"grant": kind, "amount": of_kind, "cap": rule.cap})

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()


def check_fund(events: Iterable[Recorded], cap_per_person: dict[str, int | None]) -> list[Violation]:
    """Invariant 3 over all journeys: per person and fund, reserved + paid - returned, in every prefix of history.

    Args:
        events: of many streams, in the journal's own order (each stream in its order).
        cap_per_person: cents by fund; None for no cap. A fund that is not named is a violation.
    """
    found: list[Violation] = []
    reserved: set[str] = set()
    promised: dict[str, tuple[str, str, int]] = {}
    total: Counter[tuple[str, str]] = Counter()
    for event in events:
        data: Any = event.data
        if isinstance(data, e.PaymentReserved):
            holder = (data.person, data.fund)
            details: Details = {"fund": data.fund, "stream": event.stream}
            if data.payment in reserved or data.amount <= 0:
                found.append(Violation(3, event.seq, "not-a-new-payment", {**details, "payment": data.payment}))
                continue
            reserved.add(data.payment)
            promised[data.payment] = (*holder, data.amount)
            total[holder] += data.amount
            cap = cap_per_person.get(data.fund)
            if data.fund not in cap_per_person:
                found.append(Violation(3, event.seq, "unknown-fund", details))
            elif cap is not None and total[holder] > cap:
                found.append(Violation(3, event.seq, "over-the-cap", {**details, "amount": total[holder], "cap": cap}))
        elif event.kind in _GIVES_BACK:
            known = promised.pop(data.payment, None)
            if known is None:
                details = {"payment": data.payment, "stream": event.stream}
                found.append(Violation(3, event.seq, "gave-back-twice", details))
            else:
                total[known[0], known[1]] -= known[2]
    return found


# --- 5: misses and their ladders


@dataclass(slots=True)
class Expected:
    """An open deadline, and since when it could have been missed."""

    milestone: str
    at: datetime
    awaits: str | None
    since: datetime


@dataclass(slots=True)
class Misses:
    """Invariant 5: what is missed is recorded promptly, never while it waits for a date, and raised exactly once."""

    book: Handbook | None
    outages: Sequence[Outage] | None
    deadlines: dict[str, Expected] = field(default_factory=dict)
    happened: set[str] = field(default_factory=set)
    answered: dict[str, datetime] = field(default_factory=dict)
    """When the last check of a milestone ended."""
    checks: dict[str, str] = field(default_factory=dict)
    open: dict[tuple[str, str], str] = field(default_factory=dict)
    """The open escalation about each subject."""
    owed: dict[int, str] = field(default_factory=dict)
    """Misses whose ladder is not raised yet, by seq."""

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.DeadlineSet() as data:
                self.deadlines[data.deadline] = Expected(data.milestone, data.at, data.awaits, event.recorded_at)
            case e.DeadlineMoved() as data if data.deadline in self.deadlines:
                code = self.deadlines[data.deadline].milestone
                self.deadlines[data.deadline] = Expected(code, data.at, data.awaits, event.recorded_at)
            case e.DateHappened(date=name):
                self.happened.add(name)
            case e.CheckCalled() as data:
                self.checks[data.check] = data.milestone
            case e.CheckPassed(check=id) | e.CheckFailed(check=id) | e.CheckUnknown(check=id):
                self.answered[self.checks.get(id, "")] = event.recorded_at
            case e.DeadlineMissed(deadline=id) if id in self.deadlines:
                yield from self._missed(event, self.deadlines.pop(id))
            case e.EscalationRaised() as data:
                yield from self._raised(event, data)
            case e.EscalationResolved(escalation=id):
                self.open = {about: known for about, known in self.open.items() if known != id}

    def _missed(self, event: Recorded, known: Expected) -> Iterator[Violation]:
        if known.awaits is not None and known.awaits not in self.happened:
            yield Violation(5, event.seq, "missed-before-its-date", {"milestone": known.milestone})
        owed_at = max(known.at, known.since, self.answered.get(known.milestone, known.at))
        if event.recorded_at < known.at:
            yield Violation(5, event.seq, "missed-early", {"milestone": known.milestone})
        elif self.outages is not None and event.recorded_at > _latest(owed_at, self.outages):
            yield Violation(5, event.seq, "missed-late", {"milestone": known.milestone})
        if self.book is None or ("milestone", known.milestone) in self.open:
            return
        rule = self.book.programme.milestones.get(known.milestone)
        if rule is not None and rule.missed is not None:
            self.owed[event.seq] = known.milestone

    def _raised(self, event: Recorded, data: e.EscalationRaised) -> Iterator[Violation]:
        about = (data.about.kind, data.about.id)
        if about in self.open:
            yield Violation(5, event.seq, "raised-twice", {"about": " ".join(about)})
        self.open[about] = data.escalation
        if event.caused_by is not None:
            self.owed.pop(event.caused_by.seq, None)

    def end(self, complete: bool) -> Iterator[Violation]:
        for seq, milestone in self.owed.items():
            yield Violation(5, seq, "never-raised", {"milestone": milestone})


def _latest(owed_at: datetime, outages: Sequence[Outage]) -> datetime:
    ends = [outage.ends for outage in outages if outage.begins <= owed_at + PROMPT and owed_at <= outage.ends]
    return max([owed_at + PROMPT, *(end + PROMPT_AFTER_OUTAGE for end in ends)])


# --- 6: messages


@dataclass(slots=True)
class Release:
    """A message that was let go, and what stood against it then."""

    message: str
    at: datetime
    against: str | None


@dataclass(slots=True)
class Messages:
    """Invariant 6: what was let go was allowed to go. What was on its way when somebody opted out is not judged."""

    book: Handbook | None
    due: dict[str, e.MessageDue] = field(default_factory=dict)
    released: dict[int, Release] = field(default_factory=dict)
    occurrences: set[tuple[str, str, str | None]] = field(default_factory=set)
    stops: set[str] = field(default_factory=set)
    paused_until: datetime | None = None
    silent: bool = False

    def see(self, event: Recorded) -> Iterator[Violation]:
        self._note_stops(event.data)
        match event.data:
            case e.MessageDue() as data:
                occurrence = (data.occurrence, data.to, data.person)
                if occurrence in self.occurrences:
                    yield Violation(6, event.seq, "owed-twice", {"occurrence": data.occurrence})
                self.occurrences.add(occurrence)
                self.due[data.message] = data
                self.released[event.seq] = Release(data.message, event.recorded_at, self._against(event, data))
            case e.MessageReady(message=id) if id in self.due:
                self.released[event.seq] = Release(id, event.recorded_at, self._against(event, self.due[id]))
            case e.MessageSent() | e.MessageUnknown() as data if data.effect in self.released:
                release = self.released[data.effect]
                if release.against is not None:
                    details: Details = {"message": data.message, "to": self.due[data.message].to}
                    yield Violation(6, event.seq, release.against, details)

    def _note_stops(self, data: Payload) -> None:
        match data:
            case e.OptedOut():
                self.stops.add("opted-out")
            case e.OptedIn():
                self.stops.discard("opted-out")
            case e.PersonDied():
                self.stops.add("died")
            case e.JourneyClosed(silent=silent):
                self.stops.add("closed")
                self.stops.discard("suspended")
                self.silent = silent
            case e.JourneyReopened():
                self.stops.discard("closed")
                self.silent = False
            case e.JourneySuspended():
                self.stops.add("suspended")
            case e.JourneyResumed():
                self.stops.discard("suspended")
            case e.MessagesPaused(until=until):
                self.paused_until = until
            case e.MessagesResumed():
                self.paused_until = None

    def _against(self, event: Recorded, data: e.MessageDue) -> str | None:
        """Why this message must not leave now: a code, or None."""
        if event.recorded_at > data.valid_until:
            return "past-its-validity"
        at_any_hour = data.urgent and data.to != PARTICIPANT
        if self.book is not None and not at_any_hour and self.book.calendar.quiet_until(event.recorded_at) is not None:
            return "in-quiet-hours"
        if data.to != PARTICIPANT:
            return "closed-silently" if self.silent and data.about.kind not in MONEY else None
        if self.paused_until is not None and event.recorded_at < self.paused_until:
            return "paused"
        return min(self.stops, default=None)

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()


# --- 7: suspensions


@dataclass(slots=True)
class Suspensions:
    """Invariant 7 as one stream shows it: nothing that a suspension holds happens while it lasts."""

    suspended: bool = False
    held: set[str] = field(default_factory=set)
    """Deadlines and escalations that a suspension holds."""
    climbing: set[str] = field(default_factory=set)
    """Held escalations with a next step."""

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.DeadlineSet(deadline=id, held=held) | e.DeadlineMoved(deadline=id, held=held):
                self._hold(id, held)
            case e.EscalationRaised(escalation=id, held=held, next_at=next_at):
                self._hold(id, held)
                self._climbs(id, next_at)
            case e.EscalationClimbed(escalation=id, next_at=next_at):
                if self.suspended and id in self.held and event.caused_by is None:
                    yield Violation(7, event.seq, "climbed-while-suspended", {"escalation": id})
                self._climbs(id, next_at)
            case e.EscalationAcknowledged(escalation=id, until=until):
                self._climbs(id, until)
            case e.EscalationResolved(escalation=id):
                self.climbing.discard(id)
            case e.DeadlineMissed(deadline=id) | e.ReminderTaken(deadline=id) if self.suspended and id in self.held:
                yield Violation(7, event.seq, "due-while-suspended", {"deadline": id})
            case e.ContactDue() | e.ContactMissed() if self.suspended:
                yield Violation(7, event.seq, "contact-while-suspended")
            case e.JourneySuspended():
                self.suspended = True
            case e.JourneyClosed():
                self.suspended = False
            case e.JourneyResumed(ladders=ladders):
                self.suspended = False
                for id in sorted((self.climbing & self.held) ^ ladders.keys()):
                    yield Violation(7, event.seq, "ladder-lost-or-doubled", {"escalation": id})

    def _hold(self, id: str, held: bool) -> None:
        (self.held.add if held else self.held.discard)(id)

    def _climbs(self, id: str, next_at: datetime | None) -> None:
        (self.climbing.discard if next_at is None else self.climbing.add)(id)

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()


# --- 8: somebody to go to


@dataclass(slots=True)
class Ladders:
    """Invariants 6 and 8: steps are climbed in order, at once when nobody could be told; nobody is woken needlessly."""

    book: Handbook | None
    ladders: dict[str, str] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    called: dict[int, int] = field(default_factory=dict)
    """The step that each telling was about."""
    untold: dict[int, str] = field(default_factory=dict)
    """Tellings that reached nobody and have not been climbed from yet, by seq."""
    urgent: set[str] = field(default_factory=set)
    at_night: set[int] = field(default_factory=set)
    """Tellings called for in quiet hours on a ladder that is not urgent."""

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.EscalationRaised() as data:
                self.ladders[data.escalation], self.steps[data.escalation] = data.ladder, 0
                self.called[event.seq] = 0
                if data.urgent:
                    self.urgent.add(data.escalation)
            case e.EscalationClimbed() as data:
                if not 0 <= data.step - self.steps.get(data.escalation, 0) <= 1:
                    yield Violation(8, event.seq, "step-skipped", {"escalation": data.escalation, "step": data.step})
                self.steps[data.escalation] = self.called[event.seq] = data.step
                self._settle(data.escalation)
            case e.EscalationReassigned() | e.EscalationReady() as data:
                self.called[event.seq] = self.steps.get(data.escalation, 0)
            case e.EscalationResolved(escalation=id):
                self._settle(id)
                self.steps.pop(id, None)
            case e.EscalationTold() as data:
                if not data.told:
                    yield Violation(8, event.seq, "told-nobody", {"escalation": data.escalation})
                if data.effect in self.at_night:
                    yield Violation(6, event.seq, "told-at-night", {"escalation": data.escalation})
            case e.EscalationUntold() as data if self._may_climb(data):
                self.untold[event.seq] = data.escalation
        if event.seq in self.called and self._is_night(event):
            self.at_night.add(event.seq)

    def _is_night(self, event: Recorded) -> bool:
        """Whether whoever is told of this now is told in quiet hours, and need not be."""
        if self.book is None or _subject(event.data) in self.urgent:
            return False
        return self.book.calendar.quiet_until(event.recorded_at) is not None

    def _may_climb(self, data: e.EscalationUntold) -> bool:
        """Whether the step that reached nobody is the one in force, and has another above it."""
        step = self.steps.get(data.escalation)
        if self.book is None or step is None or self.called.get(data.effect) != step:
            return False
        ladder = self.book.programme.ladders.get(self.ladders[data.escalation])
        return ladder is not None and step < len(ladder.steps) - 1

    def _settle(self, escalation: str) -> None:
        self.untold = {seq: id for seq, id in self.untold.items() if id != escalation}

    def end(self, complete: bool) -> Iterator[Violation]:
        for seq, id in self.untold.items():
            yield Violation(8, seq, "nobody-to-go-to", {"escalation": id})


# --- 11: after closure


AFTER_CLOSURE = _kinds(
    "JourneyReopened CommandRefused "
    "DateCorrected MilestoneCorrected ContactCorrected AppointmentCorrected SituationCorrected DeadlineCorrected "
    "PaymentInstructed PaymentHeld PaymentReleased PaymentAccepted PaymentUnknown PaymentEnquired PaymentLookedUp "
    "PaymentSettled PaymentRejected PaymentSettledByHand PaymentCancelled PaymentReturned "
    "ReceiptDue ReceiptOverdue ReceiptSubmitted ReceiptAccepted ReceiptRefused ReceiptWaived "
    "OutcomeMeasured MomentsPlanned "
    "MessageSent MessageFailed MessageSuppressed MessageUnknown MessageDeferred MessageReady "
    "MessageDelivered MessageBounced "
    "EscalationTold EscalationUntold EscalationResolved CheckPassed CheckFailed CheckUnknown "
    "OptedOut OptedIn MessagesPaused MessagesResumed ConsentWithdrawn ErasureRequested"
)
"""What may follow a closing whatever it is about: corrections, money under way, outcomes, a person's own wishes."""

_ABOUT_MONEY = _kinds(
    "EscalationRaised EscalationDeferred EscalationReady EscalationClimbed EscalationAcknowledged "
    "EscalationReassigned MessageDue"
)
"""What may follow a closing when it is about money (and the question of an erasure)."""

_CORRECTIONS = _kinds("AppointmentCorrected MilestoneCorrected")


@dataclass(slots=True)
class Closures:
    """Invariant 11: what may still happen in a closed journey."""

    closed_by: set[int] = field(default_factory=set)
    """Seqs of the closing and of what brought it about; empty while open."""
    about: dict[str, str] = field(default_factory=dict)
    """What kind of thing each open escalation is about."""
    kinds: dict[int, str] = field(default_factory=dict)

    def see(self, event: Recorded) -> Iterator[Violation]:
        self.kinds[event.seq] = event.kind
        match event.data:
            case e.JourneyClosed():
                self.closed_by = {event.seq} | ({event.caused_by.seq} if event.caused_by is not None else set())
                return
            case e.JourneyReopened():
                self.closed_by = set()
            case e.EscalationRaised() as data:
                self.about[data.escalation] = data.about.kind
        if self.closed_by and not self._may(event):
            yield Violation(11, event.seq, "after-closure", {"kind": event.kind})
        if isinstance(event.data, e.EscalationResolved):
            self.about.pop(event.data.escalation, None)

    def _may(self, event: Recorded) -> bool:
        if event.kind in AFTER_CLOSURE:
            return True
        cause = event.caused_by.seq if event.caused_by is not None else None
        if cause in self.closed_by:
            return True
        if event.kind == "MilestoneReached":
            return self.kinds.get(cause or 0) in _CORRECTIONS
        if event.kind not in _ABOUT_MONEY:
            return False
        if isinstance(event.data, e.MessageDue):
            return event.data.about.kind in MONEY | {"consent"}
        return self.about.get(getattr(event.data, "escalation", "")) in MONEY

    def end(self, complete: bool) -> Iterator[Violation]:
        if self.closed_by:
            for id, about in self.about.items():
                if about not in MONEY:
                    yield Violation(11, max(self.closed_by), "escalation-left-open", {"escalation": id})
