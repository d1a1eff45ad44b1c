"""Invariant 4, by a table: what is opened is closed by exactly one event."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from journeys.domain.invariants.violation import Details, Recorded, Violation, kinds


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


LINES: tuple[Line, ...] = (
    Line("journey", (), kinds("JourneyPlanned JourneyReopened"), kinds("JourneyActivated"), kinds("JourneyClosed"),
         {}, again=kinds("JourneyClosed")),
    Line("date", ("date",), kinds("DateExpected"), kinds("DateMoved DateUnconfirmed"),
         kinds("DateHappened DateCancelled"), {"DateCorrected": kinds("DateHappened")},
         again=kinds("DateCancelled")),
    Line("phase", ("phase",), kinds("PhaseEntered"), kinds(""), kinds("PhaseCompleted"), {}, outlives=True),
    Line("deadline", ("deadline",), kinds("DeadlineSet"), kinds("DeadlineMoved ReminderTaken"),
         kinds("DeadlineMet DeadlineMissed DeadlineCancelled"), {"DeadlineCorrected": kinds("DeadlineMissed")}),
    Line("message", ("message",), kinds("MessageDue"), kinds("MessageDeferred MessageReady"),
         kinds("MessageSent MessageFailed MessageSuppressed MessageUnknown"), {},
         anyhow=kinds("MessageDelivered MessageBounced MessageSilent"), outlives=True),
    Line("contact", ("contact", "window"), kinds("ContactDue"), kinds(""),
         kinds("ContactMade ContactMissed ContactCancelled"), {}),
    Line("appointment", ("appointment",), kinds("AppointmentBooked"),
         kinds("AppointmentMoved AppointmentAnswered AppointmentReminded AppointmentAsked"),
         kinds("AppointmentAttended AppointmentMissed AppointmentExcused AppointmentCancelled"),
         {"AppointmentCorrected":
          kinds("AppointmentAttended AppointmentMissed AppointmentExcused AppointmentCancelled")}),
    Line("chase", ("chase",), kinds("ChaseDue"), kinds(""), kinds("ChaseDone ChasePassed ChaseCancelled"), {}),
    Line("escalation", ("escalation",), kinds("EscalationRaised"),
         kinds("EscalationClimbed EscalationAcknowledged EscalationSnoozed EscalationReassigned EscalationReady"),
         kinds("EscalationResolved"), {},
         anyhow=kinds("EscalationDeferred EscalationTold EscalationUntold"), outlives=True),
    Line("check", ("check",), kinds("CheckCalled"), kinds(""), kinds("CheckPassed CheckFailed CheckUnknown"), {},
         outlives=True),
    Line("request", ("grant",), kinds("GrantRequested GrantReopened"),
         kinds("GrantChanged GrantReturned GrantApprovalGiven"),
         kinds("GrantApproved GrantRefused GrantExpired GrantCancelled"), {}, again=kinds("GrantApproved")),
    Line("grant", ("grant",), kinds("GrantApproved"), kinds(""),
         kinds("GrantCompleted GrantEnded GrantReopened"), {"GrantReopened": kinds("GrantCompleted")},
         again=kinds("GrantReopened")),
    Line("payment", ("payment",), kinds("PaymentReserved"),
         kinds("PaymentReleased PaymentAccepted PaymentUnknown PaymentEnquired PaymentDoubted PaymentDoubtSettled"),
         kinds("PaymentSettled PaymentRejected PaymentSettledByHand PaymentCancelled"),
         {"PaymentReturned": kinds("PaymentSettled PaymentSettledByHand")},
         anyhow=kinds("PaymentInstructed PaymentHeld PaymentLookedUp"), outlives=True),
    Line("receipt", ("receipt",), kinds("ReceiptDue"),
         kinds("ReceiptOverdue ReceiptSubmitted ReceiptUnanswered ReceiptRefused ReceiptPartAccepted"),
         kinds("ReceiptAccepted ReceiptWaived"), {}, outlives=True),
    Line("proposal", ("proposal",), kinds("MentorProposed"), kinds(""),
         kinds("MentorMatched MentorDeclined MentorProposalCancelled"), {}),
    Line("match", ("proposal",), kinds("MentorMatched"), kinds(""), kinds("MentorEnded"), {}),
    Line("referral", ("referral",), kinds("ReferralSent"), kinds(""),
         kinds("ReferralAccepted ReferralDeclined ReferralExpired ReferralCancelled"), {}),
    Line("transfer", ("transfer",), kinds("TransferAsked"), kinds("TransferReminded"),
         kinds("JourneyTransferred TransferDeclined TransferCancelled"), {}),
    Line("suspension", (), kinds("JourneySuspended"), kinds(""), kinds("JourneyResumed"), {},
         again=kinds("JourneyResumed")),
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
