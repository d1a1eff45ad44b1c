"""The gate before money leaves: the decision asks it about what it knows, the append again about what it locked.

The append believes nobody: it folds the record of the grant anew, takes only what a signature on record covers, and
looks at who may still approve. So what is sent straight to the engine, forged states and approvals, pays nothing.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from journeys.domain import events as e
from journeys.domain.events import PlannedInstalment
from journeys.domain.evolve import evolve
from journeys.domain.programme import Programme
from journeys.domain.record import Event, Payload
from journeys.domain.rights import BOUND_TO_FUNDS, line_of
from journeys.domain.state import GrantKnown, GrantStatus, State

STORY = frozenset(
    kind for kind in e.KINDS if kind in ("JourneyPlanned", "ProgrammeChanged") or kind.startswith(("Grant", "Payment"))
)
"""Kinds of the facts that say what a grant is and who may have it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One approval as it stands when money is about to leave."""

    actor: str
    stands_for: str
    """The role of the level that it fills."""
    digest: str
    entitled: bool = True
    """The person still works here and still has the role, for this fund."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A command on record whose signature holds: what it says, and the first and last seq of what came of it."""

    name: str
    actor: str
    roles: tuple[str, ...]
    fields: Mapping[str, Any]
    commitments: Mapping[str, str]
    first: int
    last: int

    def covers(self, event: Event[Payload], name: str, **said: Any) -> bool:
        """Whether this fact is what the command asked for; a field that is None was left to the rules."""
        return (
            (self.name, self.actor) == (name, event.actor)
            and self.first <= event.seq <= self.last
            and all(self.fields.get(field) in (None, value) for field, value in said.items())
        )


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the staff as they are now."""

    active: bool
    roles: Collection[str]
    funds: Collection[str]
    """None: every fund."""


def digest(
    stream: str, kind: str, purpose: str, pay_by: str, instalments: tuple[PlannedInstalment, ...], payee: str
) -> str:
    """What an approval is bound to: SHA-256 over amount, instalments, payee (its commitment), purpose and journey."""
    content = {
        "journey": stream,
        "grant": kind,
        "purpose": purpose,
        "pay_by": pay_by,
        "amount": sum(part.amount for part in instalments),
        "instalments": [[part.amount, part.when] for part in instalments],
        "payee": payee,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def reserved_or_paid(state: State, grant: str) -> int:
    """Cents reserved or paid from a grant and not come back."""
    return sum(each.amount for each in state.payments.values() if each.grant == grant and each.status.counts)


def standing(grant: GrantKnown) -> tuple[Standing, ...]:
    """The approvals of a grant as a journey knows them; who still has the right it cannot know."""
    return tuple(Standing(each.actor, each.stands_for, each.digest) for each in grant.approvals)


def refusal(grant: GrantKnown, approvals: Sequence[Standing], already: int, amount: int) -> str | None:
    """Why this payment must not be reserved; None when it may.

    Args:
        already: cents of this grant that are reserved or paid and did not come back.

    Returns:
        `not-approved`, `same-person`, `approvals`, `digest`, `right-lost`, `nothing-to-pay`, `over-grant`
        (invariants 1 to 3 of the domain).
    """
    people = [each.actor for each in approvals]
    if grant.status is not GrantStatus.APPROVED or grant.over is not None:
        return "not-approved"
    if len(set(people)) != len(people) or grant.requester in people or grant.editor in people:
        return "same-person"
    if not people or sorted(each.stands_for for each in approvals) != sorted(grant.needed):
        return "approvals"
    if any(each.digest != grant.digest for each in approvals):
        return "digest"
    if not all(each.entitled for each in approvals):
        return "right-lost"
    if amount <= 0:
        return "nothing-to-pay"
    return "over-grant" if already + amount > grant.amount else None


@dataclass(slots=True)
class Story:
    """The record of one journey's grants, folded anew for the append."""

    proofs: Mapping[str, Proof]
    """By command id; a command whose signature does not hold is not in it."""
    programmes: Mapping[str, Programme]
    """By SHA-256; those that JourneyPlanned and ProgrammeChanged name."""
    state: State
    doubted: dict[str, str] = field(default_factory=dict)
    """Grants that the record does not bear out, with the code of what is wrong."""
    staff: Mapping[str, Colleague] = field(default_factory=dict)
    """Who approved, as they are now: known once they are locked; until then nobody has a right."""

    @classmethod
    def of(
        cls, events: Iterable[Event[Payload]], proofs: Mapping[str, Proof], programmes: Mapping[str, Programme]
    ) -> "Story":
        """Fold what is recorded, the facts of STORY in order."""
        story = cls(proofs, programmes, State())
        for event in events:
            story.add(event)
        return story

    def copy(self, staff: Mapping[str, Colleague]) -> "Story":
        """The same story, to go on with, with those who approved as they are now."""
        return replace(self, state=self.state.copy(), doubted=dict(self.doubted), staff=staff)

    def approvers(self) -> set[str]:
        """Ids of those whose approvals stand for some grant."""
        return {each.actor for grant in self.state.grants.values() for each in grant.approvals}

    def add(self, event: Event[Payload]) -> None:
        """The next fact, recorded or offered."""
        self.state.seq = event.seq - 1
        if isinstance(event.data, e.JourneyPlanned):
            self.state.stream = event.stream
        evolve(self.state, event)
        match event.data:
            case e.GrantRequested() as data:
                self._judge(event, data, self._asked(event, data))
            case e.GrantChanged() | e.GrantReopened() as data:
                self._judge(event, data, self._edited(event, data))
            case e.GrantApprovalGiven() as data:
                proof = self._proof(event)
                fields = {"grant": data.grant, "digest": data.digest}
                if proof is None or not proof.covers(event, "approve-grant", **fields):
                    self.doubted[data.grant] = "signature"
                elif data.stands_for not in proof.roles:
                    self.doubted[data.grant] = "approvals"
            case e.JourneyPlanned(programme=named) | e.ProgrammeChanged(programme=named):
                proof = self._proof(event)
                if proof is None or named != proof.fields.get("programme"):
                    self.doubted[""] = "signature"

    def refusal(self, asked: e.PaymentReserved) -> str | None:
        """Why what is asked for must not be reserved: as `refusal` of this module, or `signature`; None when it may."""
        grant = self.state.grants.get(asked.grant)
        if grant is None:
            return "not-approved"
        if doubt := self.doubted.get("") or self.doubted.get(asked.grant):
            return doubt
        if (asked.payee, asked.digest, asked.fund, asked.pay_by) != (
            grant.payee, grant.digest, grant.fund, grant.pay_by,
        ) or asked.person != self.state.person:  # fmt: skip
            return "digest"
        approvals = [
            Standing(each.actor, each.stands_for, each.digest, self._entitled(each.actor, each.stands_for, grant))
            for each in grant.approvals
        ]  # fmt: skip
        return refusal(grant, approvals, reserved_or_paid(self.state, asked.grant), asked.amount)

    def _asked(self, event: Event[Payload], data: e.GrantRequested) -> bool:
        proof = self._proof(event)
        said = {"grant": data.kind, "purpose": data.purpose, "amount": data.amount, "pay_by": data.pay_by}
        return (
            proof is not None
            and proof.covers(event, "request-grant", **said)
            and event.command == data.grant
            and proof.commitments.get("payee") == data.payee
        )

    def _edited(self, event: Event[Payload], data: e.GrantChanged | e.GrantReopened) -> bool:
        proof = self._proof(event)
        said = {"grant": data.grant, "purpose": data.purpose, "amount": data.amount}
        return (
            proof is not None
            and proof.covers(event, "change-grant", **said)
            and data.payee_changed == ("payee" in proof.commitments)
            and proof.commitments.get("payee", data.payee) == data.payee
        )

    def _judge(
        self, event: Event[Payload], data: e.GrantRequested | e.GrantChanged | e.GrantReopened, signed: bool
    ) -> None:
        """Whether this content was signed for, and asks for what the programme in force wants."""
        grant = self.state.grants[data.grant]
        programme = self.programmes.get(self.state.programme)
        rule = programme.grants.get(grant.kind) if programme is not None else None
        self.doubted.pop(data.grant, None)
        if not signed:
            self.doubted[data.grant] = "signature"
        elif rule is None or grant.fund != rule.fund or tuple(grant.needed) != rule.approvals(grant.amount):
            self.doubted[data.grant] = "approvals"
        elif grant.digest != digest(
            event.stream, grant.kind, grant.purpose, grant.pay_by, grant.instalments, grant.payee
        ) or grant.amount != sum(part.amount for part in grant.instalments):
            self.doubted[data.grant] = "digest"

    def _proof(self, event: Event[Payload]) -> Proof | None:
        return self.proofs.get(event.command) if event.command is not None else None

    def _entitled(self, actor: str, role: str, grant: GrantKnown) -> bool:
        known = self.staff.get(actor)
        if known is None or not known.active or role not in known.roles:
            return False
        bound = line_of(role, self.programmes.get(self.state.programme)) in BOUND_TO_FUNDS
        return not bound or not known.funds or grant.fund in known.funds
