"""Telling someone that something was missed: whoever answers for the step's role now, at least once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.effects import Step, carry_out, settled
from activities.failures import MAIL_UNAVAILABLE, not_called_for
from activities.letters import Addressee, Matter, staff_addressee, template_of, volunteer_addressee
from activities.posting import Envelope, post, write_letters
from activities.reading import Known, read_circle, read_handbook
from activities.resources import Resources
from journeys.channels.wording import NoWording
from journeys.contract import TELL, Effect, EffectOutcome
from journeys.domain.decide import Outcome
from journeys.domain.events import EscalationClimbed, EscalationRaised, EscalationReady, EscalationReassigned
from journeys.domain.recipients import Circle, Resolution, resolve
from journeys.domain.state import Escalation

TEMPLATE = "escalation"

CALLS = EscalationRaised | EscalationClimbed | EscalationReassigned | EscalationReady
"""What calls for somebody to be told."""


@dataclass(frozen=True, slots=True)
class Escalations:
    """The steps of ladders."""

    resources: Resources

    @activity.defn(name=TELL)
    async def tell(self, effect: Effect) -> EffectOutcome:
        """Tell the step's recipient: told (who, in which role), or untold (vacant, undeliverable, resolved).

        Raises:
            ApplicationError: MailUnavailable, when nobody could be told for now: run it again.
        """

        async def judge(known: Known) -> Step:
            called = known.at(effect.seq)
            if not isinstance(called, CALLS):
                raise not_called_for(effect)
            open_one = known.state.escalations.get(called.escalation)
            if open_one is None:
                return settled(Outcome(effect.seq, "untold", "resolved"))
            roles = _roles(called, open_one)
            book = await read_handbook(self.resources.pool, known.state)
            circle = await read_circle(self.resources, known.state, book, effect.at, open_one.about)
            try:
                template = await template_of(self.resources, TEMPLATE)
            except NoWording as missing:
                return settled(Outcome(effect.seq, "untold", missing.code))
            matter = Matter(
                known=known,
                book=book,
                about=open_one.about,
                template=template,
                message=str(uuid5(UUID(known.id), f"tell/{effect.seq}")),
                at=effect.at,
                step=open_one.step,
            )
            tries, reason = await self._tries(matter, roles, circle)
            if not tries:
                return settled(Outcome(effect.seq, "untold", reason))
            return Step(lambda: self._tell(effect.seq, tries))

        return await carry_out(self.resources, effect, "tell", judge)

    async def _tries(
        self, matter: Matter, roles: Sequence[str], circle: Circle
    ) -> tuple[list[tuple[Resolution, list[Envelope]]], str]:
        """For each role that somebody answers for, the letters to them, in the order of the step; else why none."""
        tries, reason = [], "vacant"
        for role in roles:
            found = resolve(role, (), circle)
            if found.vacant:
                continue
            addressees = [await self._addressee(found, key) for key in found.people]
            try:
                envelopes, _ = await write_letters(self.resources, matter, [each for each in addressees if each])
            except NoWording as missing:
                reason = missing.code
                continue
            tries.append((found, envelopes))
        return tries, reason

    async def _addressee(self, found: Resolution, key: str) -> Addressee | None:
        if found.line == "mentor":
            return await volunteer_addressee(self.resources, "mentor", key)
        return await staff_addressee(self.resources, key)

    async def _tell(self, effect: int, tries: Sequence[tuple[Resolution, list[Envelope]]]) -> Outcome:
        """Go on to the fallback only where the ones before can never be reached."""
        for found, envelopes in tries:
            done = await post(self.resources, envelopes)
            if done.sent:
                return Outcome(effect, "told", told=tuple(done.sent), role=found.role)
            if done.again or done.unknown:
                raise ApplicationError("nobody could be told for now", type=MAIL_UNAVAILABLE)
        return Outcome(effect, "untold", "undeliverable")


def _roles(called: CALLS, known: Escalation) -> tuple[str, ...]:
    """Who is to be told, then the fallbacks: as the calling event says, or as it stands once the night is over."""
    match called:
        case EscalationRaised() | EscalationClimbed():
            return (called.to, *called.fallback)
        case EscalationReassigned():
            return (called.to,)
        case EscalationReady():
            return (known.assigned or known.to, *known.fallback)
