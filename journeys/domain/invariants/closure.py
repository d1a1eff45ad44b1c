"""Invariant 11: what may still happen once a journey is closed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from journeys.domain import events as e
from journeys.domain.invariants.violation import MONEY, Recorded, Violation, kinds

AFTER_CLOSURE = kinds(
    "JourneyReopened CommandRefused "
    "DateCorrected MilestoneCorrected ContactCorrected AppointmentCorrected SituationCorrected DeadlineCorrected "
    "PaymentInstructed PaymentHeld PaymentReleased PaymentAccepted PaymentUnknown PaymentEnquired PaymentLookedUp "
    "PaymentDoubted PaymentDoubtSettled ReceiptPartAccepted "
    "PaymentSettled PaymentRejected PaymentSettledByHand PaymentCancelled PaymentReturned "
    "ReceiptDue ReceiptOverdue ReceiptSubmitted ReceiptUnanswered ReceiptAccepted ReceiptRefused ReceiptWaived "
    "OutcomeMeasured MomentsPlanned "
    "MessageSent MessageFailed MessageSuppressed MessageUnknown MessageDeferred MessageReady "
    "MessageDelivered MessageBounced "
    "EscalationTold EscalationUntold EscalationResolved CheckPassed CheckFailed CheckUnknown "
    "OptedOut OptedIn WishesRecorded MessagesPaused MessagesResumed ConsentWithdrawn ErasureRequested ErasureOrdered"
)
"""What may follow a closing whatever it is about: corrections, money under way, outcomes, a person's own wishes."""

_ABOUT_MONEY = kinds(
    "EscalationRaised EscalationDeferred EscalationReady EscalationClimbed EscalationAcknowledged "
    "EscalationSnoozed EscalationReassigned MessageDue"
)
"""What may follow a closing when it is about money (and the question of an erasure)."""

_CORRECTIONS = kinds("AppointmentCorrected MilestoneCorrected")


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
