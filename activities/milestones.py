"""Checks of milestones at systems elsewhere."""

from dataclasses import dataclass

from temporalio import activity

from activities.effects import Step, carry_out
from activities.failures import not_called_for
from activities.reading import Known
from activities.resources import Resources
from journeys.contract import CHECK, Effect, EffectOutcome
from journeys.domain.decide import Outcome
from journeys.domain.events import CheckCalled


@dataclass(frozen=True, slots=True)
class Milestones:
    """Named checks; asking twice does no harm."""

    resources: Resources

    @activity.defn(name=CHECK)
    async def check(self, effect: Effect) -> EffectOutcome:
        """Ask whether a milestone is reached: passed, failed or unknown (with the reason)."""

        async def judge(known: Known) -> Step:
            called = known.at(effect.seq)
            if not isinstance(called, CheckCalled):
                raise not_called_for(effect)

            async def ask() -> Outcome:
                found = await self.resources.checks.ask(
                    called.url, journey=known.id, milestone=called.milestone, check=called.check
                )
                return Outcome(effect.seq, found.answer, found.reason)

            return Step(ask)

        return await carry_out(self.resources, effect, "check", judge)
