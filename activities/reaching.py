"""Who is told of a step now, and by which addresses: by role, in the order of the step and its fallbacks."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from activities.letters import Addressee, staff_addressee, volunteer_addressee
from activities.reading import OnCall, phones_on_call
from activities.resources import Resources
from journeys.domain.events import EscalationClimbed, EscalationRaised, EscalationReady, EscalationReassigned
from journeys.domain.recipients import Circle, Resolution, resolve
from journeys.domain.state import Escalation

CALLS = EscalationRaised | EscalationClimbed | EscalationReassigned | EscalationReady
"""What calls for somebody to be told."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Those who answer for a role now, each once for each of their addresses."""

    resolution: Resolution
    addressees: tuple[Addressee, ...]


def roles_of(called: CALLS, known: Escalation) -> tuple[str, ...]:
    """Who is to be told, then the fallbacks: as the calling event says, or as it stands once its wait is over."""
    match called:
        case EscalationRaised() | EscalationClimbed():
            return (called.to, *called.fallback)
        case EscalationReassigned():
            return known.roles if known.assigned == called.to else (called.to,)
        case EscalationReady():
            return known.roles


async def reach(resources: Resources, roles: Sequence[str], circle: Circle, at: datetime) -> AsyncIterator[Reached]:
    """Each of the roles that somebody answers for now, in their order."""
    called = await phones_on_call(resources, circle.roster, circle.site, at) if circle.on_call else ()
    unread = {each.id for each in circle.roster if each.unread}
    for role in roles:
        found = resolve(role, (), circle)
        if not found.vacant:
            phones = _phones(called, found)
            to = [each async for each in _addressees(resources, found.people, phones, unread)]
            yield Reached(found, tuple(to))


async def _addressees(
    resources: Resources, people: Sequence[str], phones: dict[str, str], unread: Collection[str]
) -> AsyncIterator[Addressee]:
    """Each by the phone on which they are on call, since nobody reads mail at night, and by mail where they read it."""
    for key in people:
        known = await staff_addressee(resources, key) or await volunteer_addressee(resources, "mentor", key)
        if known is None:
            continue
        if key in phones:
            yield replace(known, address=phones[key], by="sms")
        if key not in phones or key not in unread:
            yield known


def _phones(called: Sequence[OnCall], found: Resolution) -> dict[str, str]:
    """The phones of those who are on call: that of the shift for the role, and of the site, before their others."""

    def chosen(each: OnCall) -> tuple[bool, bool, bool]:
        return each.shift.role == found.role, each.shift.role == found.line, each.shift.site is not None

    return {each.who: each.phone for each in sorted(called, key=chosen)}
