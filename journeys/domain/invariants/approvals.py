"""Invariant 2: what is paid was approved by those who may, and is what they approved."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from journeys.domain import events as e
from journeys.domain.invariants.violation import Details, Recorded, Violation
from journeys.domain.record import SYSTEM


@dataclass(slots=True)
class File:
    """A grant as its approvers saw it last."""

    kind: str
    pay_by: str
    requester: str
    editor: str
    content: e.GrantRequested | e.GrantChanged | e.GrantReopened
    given: list[tuple[str, str]] = field(default_factory=list)
    """Who approved, standing for which role."""
    approved: bool = False
    called: int = 0
    """Instalments that were called for."""
    again: set[int] = field(default_factory=set)
    """Blocked ones that were called for again."""

    def calls(self, number: int) -> None:
        """An instalment is called for; one called for again moves no others."""
        self.called = max(self.called, number)
        self.again.discard(number)


@dataclass(slots=True)
class Approvals:
    """Invariant 2: distinct people with the right role, none the requester or the payee's last editor, same digest."""

    files: dict[str, File] = field(default_factory=dict)

    def see(self, event: Recorded) -> Iterator[Violation]:
        match event.data:
            case e.GrantRequested() as data:
                self.files[data.grant] = File(data.kind, data.pay_by, event.actor, event.actor, data)
                yield from self._content(event, self.files[data.grant])
            case e.GrantChanged() | e.GrantReopened() as data if data.grant in self.files:
                file = self.files[data.grant]
                file.content, file.given, file.approved = data, [], False
                file.editor = event.actor if data.payee_changed else file.editor
                file.called = data.called if isinstance(data, e.GrantReopened) else file.called
                file.again = set()
                yield from self._content(event, file)
            case e.GrantReturned() as data if data.grant in self.files:
                self.files[data.grant].given = []
            case e.GrantApprovalGiven() as data if data.grant in self.files:
                yield from self._given(event, data, self.files[data.grant])
            case e.GrantApproved() as data if data.grant in self.files:
                yield from self._approved(event, data, self.files[data.grant])
            case e.PaymentReserved() as data if data.grant in self.files:
                yield from self._paid(event, data, self.files[data.grant])
            case e.PaymentBlocked() as data if data.grant in self.files:
                self.files[data.grant].calls(data.number)
            case e.PaymentRetried() as data if data.grant in self.files:
                self.files[data.grant].again.add(data.number)

    def _content(self, event: Recorded, file: File) -> Iterator[Violation]:
        """The digest is that of what is asked, and the instalments add up to it."""
        data = file.content
        if sum(part.amount for part in data.instalments) != data.amount:
            yield Violation(3, event.seq, "instalments-do-not-add-up", {"grant": data.grant})
        if data.digest != _digest(event.stream, file):
            yield Violation(2, event.seq, "digest-of-something-else", {"grant": data.grant})

    def _given(self, event: Recorded, data: e.GrantApprovalGiven, file: File) -> Iterator[Violation]:
        details: Details = {"grant": data.grant, "actor": event.actor}
        if event.actor in (file.requester, file.editor, SYSTEM):
            yield Violation(2, event.seq, "self-approval", details)
        if any(actor == event.actor for actor, _ in file.given):
            yield Violation(2, event.seq, "approved-twice-by-one", details)
        if data.digest != file.content.digest:
            yield Violation(2, event.seq, "approval-of-something-else", details)
        file.given.append((event.actor, data.stands_for))
        if event.role != data.stands_for or Counter(role for _, role in file.given) - Counter(file.content.approvals):
            yield Violation(2, event.seq, "role-not-wanted", {**details, "role": event.role})

    def _approved(self, event: Recorded, data: e.GrantApproved, file: File) -> Iterator[Violation]:
        if Counter(role for _, role in file.given) != Counter(file.content.approvals):
            yield Violation(2, event.seq, "approvals-missing", {"grant": data.grant})
        if data.digest != file.content.digest:
            yield Violation(2, event.seq, "approval-of-something-else", {"grant": data.grant})
        file.approved = True

    def _paid(self, event: Recorded, data: e.PaymentReserved, file: File) -> Iterator[Violation]:
        content = file.content
        details: Details = {"grant": data.grant, "payment": data.payment}
        if not file.approved:
            yield Violation(2, event.seq, "paid-without-approval", details)
        if data.digest != content.digest or data.payee != content.payee:
            yield Violation(2, event.seq, "paid-something-else", details)
        in_turn = data.number == file.called + 1 or data.number in file.again
        if not in_turn or data.number > len(content.instalments):
            yield Violation(2, event.seq, "paid-out-of-turn", details)
        elif content.instalments[data.number - 1].amount != data.amount:
            yield Violation(3, event.seq, "another-amount", details)
        file.calls(data.number)

    def end(self, complete: bool) -> Iterator[Violation]:
        yield from ()


def _digest(stream: str, file: File) -> str:
    """What approvers are bound to, written out here again: SHA-256 over sorted JSON."""
    data = file.content
    content = {
        "amount": data.amount,
        "grant": file.kind,
        "instalments": [[part.amount, part.when] for part in data.instalments],
        "journey": stream,
        "pay_by": file.pay_by,
        "payee": data.payee,
        "purpose": data.purpose,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
