"""How every effect is carried out: judged, claimed, done at most once or at least once, recorded."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from temporalio import activity

from activities.failures import not_called_for, through_a_loss, translated
from activities.reading import Known, read_journey
from activities.resources import Resources
from journeys.contract import Effect, EffectOutcome
from journeys.domain.decide import Outcome
from journeys.domain.record import instant_text
from journeys.store import claims
from journeys.telemetry import bound

Act = Callable[[], Awaitable[Outcome]]

_log = structlog.get_logger("journeys.activities")


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done.

    `doubtful` is done instead when somebody tried before and nobody knows how it ended; None where doing it again is
    right (at least once).
    """

    act: Act
    doubtful: Act | None = None


def waited(effect: Effect) -> Effect:
    """The effect at the workflow's time and as long as it has waited for a worker since.

    One that was called for in the evening and is carried out after an outage must not go by the evening. How long it
    waited is told by the one clock of the server; a worker's own may be wrong.
    """
    return effect.model_copy(update={"at": by_now(effect.at)})


def by_now(at: datetime) -> datetime:
    """The workflow's time and as long as this activity has waited since, the tries that failed included."""
    info = activity.info()
    return at + max(info.started_time - info.scheduled_time, timedelta(0))


def settled(outcome: Outcome, *, doubtful: Act | None = None) -> Step:
    """Nothing is to be done: the outcome is known already, unless somebody tried before."""

    async def say() -> Outcome:
        return outcome

    return Step(say, doubtful)


async def carry_out(
    resources: Resources, effect: Effect, kind: str, judge: Callable[[Known], Awaitable[Step]]
) -> EffectOutcome:
    """Carry an effect out once.

    The claim is written after everything is prepared and right before the act, so that an attempt on record means that
    something may have left, and a fault in the preparation costs nothing.

    Args:
        judge: prepares on what the journal holds now; touches nothing outside.

    Raises:
        ApplicationError: see `activities.failures`.
    """
    with bound(journey=effect.stream, effect=effect.seq), translated():
        done = await claims.recorded(resources.pool, effect.stream, effect.seq)
        if done is None:
            known = await read_journey(resources.pool, effect.stream)
            must_be_open(known, effect)
            step = await judge(known)
            claim = await claims.claim(resources.pool, effect.stream, effect.seq, kind, effect.at)
            done = claim.outcome
            if done is None:
                act = step.act if claim.fresh or step.doubtful is None else step.doubtful
                found = as_result(await act())
                done = await through_a_loss(claims.settle, resources.pool, effect.stream, effect.seq, found)
                _log.info("effect", kind=kind, answer=done["answer"], reason=done["reason"])
        return EffectOutcome(seq=effect.seq, result=done)


def must_be_open(known: Known, effect: Effect) -> None:
    """The journal awaits an outcome of this effect. Raises ApplicationError when it has one, or never called for it.

    So neither a forged input acts, nor an attempt that comes after its journey has given it up.
    """
    if effect.seq not in known.state.effects:
        raise not_called_for(effect)


def as_result(outcome: Outcome) -> dict[str, Any]:
    """The outcome as plain data, without the effect that it is of."""
    return {
        "answer": outcome.answer,
        "reason": outcome.reason,
        "told": list(outcome.told),
        "role": outcome.role,
        "until": instant_text(outcome.until) if outcome.until is not None else None,
        "wording": outcome.wording,
        "last_resort": outcome.last_resort,
        "passed": list(outcome.passed),
        "put_off": list(outcome.put_off),
        "passed_by": list(outcome.passed_by),
        "alive": list(outcome.alive),
        "by": outcome.by,
        "zone": outcome.zone,
    }
