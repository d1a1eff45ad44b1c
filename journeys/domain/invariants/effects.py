"""Invariants 1, 4 and 8 for effects in the world: what was called for has one outcome."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from journeys.domain import events as e
from journeys.domain.invariants.violation import Recorded, Violation, subject_of
from journeys.domain.record import Payload

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
            self.waiting[event.seq] = (called, subject_of(event.data))

    def _drop(self, called: str, data: Payload) -> None:
        """A message that is held back at once was never let go."""
        for seq, known in list(self.waiting.items()):
            if known == (called, subject_of(data)):
                del self.waiting[seq]

    def end(self, complete: bool) -> Iterator[Violation]:
        if complete:
            for seq, (called, subject) in self.waiting.items():
                yield Violation(8 if called == "tell" else 4, seq, "no-outcome", {"effect": called, "id": subject})
