"""Invariant 9: the envelope of every event, and the order in which they stand."""

from collections.abc import Iterator
from dataclasses import dataclass

from journeys.domain.invariants.violation import Recorded, Violation
from journeys.domain.record import SYSTEM


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
