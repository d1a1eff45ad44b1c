"""The gate before money leaves: the decision asks it about what it knows, the append again about what it locked."""

from collections.abc import Sequence
from dataclasses import dataclass

from journeys.domain.state import GrantKnown, GrantStatus, State


@dataclass(frozen=True, slots=True)
class Standing:
    """One approval as it stands when money is about to leave."""

    actor: str
    stands_for: str
    """The role of the level that it fills."""
    digest: str
    signed: bool = True
    """Its command is on record under a signature that holds, by this person, for this grant and digest."""
    entitled: bool = True
    """The person still works here and still has the role, for this fund."""


def standing(grant: GrantKnown) -> tuple[Standing, ...]:
    """The approvals of a grant as a journey knows them; signatures and rights of today it cannot know."""
    return tuple(Standing(each.actor, each.stands_for, each.digest) for each in grant.approvals)


def refusal(grant: GrantKnown, approvals: Sequence[Standing], already: int, amount: int) -> str | None:
    """Why this payment must not be reserved; None when it may.

    Args:
        already: cents of this grant that are reserved or paid and did not come back.

    Returns:
        `not-approved`, `same-person`, `approvals`, `digest`, `signature`, `right-lost`, `nothing-to-pay`,
        `over-grant` (invariants 1 to 3 of the domain).
    """
    people = [each.actor for each in approvals]
    if grant.status is not GrantStatus.APPROVED or grant.over is not None:
        return "not-approved"
    if len(set(people)) != len(people) or grant.requester in people or grant.editor in people:
        return "same-person"
    if sorted(each.stands_for for each in approvals) != sorted(grant.needed):
        return "approvals"
    if any(each.digest != grant.digest for each in approvals):
        return "digest"
    if not all(each.signed for each in approvals):
        return "signature"
    if not all(each.entitled for each in approvals):
        return "right-lost"
    if amount <= 0:
        return "nothing-to-pay"
    return "over-grant" if already + amount > grant.amount else None


def reserved_or_paid(state: State, grant: str) -> int:
    """Cents reserved or paid from a grant and not come back."""
    return sum(each.amount for each in state.payments.values() if each.grant == grant and each.status.counts)
