"""Who did what of each grant, whether they had the role then, and whether one person did two duties that part."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from journeys.domain import directory as d
from journeys.domain import events as e
from journeys.domain.record import SYSTEM, Event, Payload, instant_text
from journeys.i18n import N_, text
from journeys.narration.telling import Speech
from journeys.store.database import Pool
from journeys.store.journal import read_all

Recorded = Event[Payload]


class Task(StrEnum):
    """The duties of a grant, in the order in which they come."""

    REQUESTED = "requested"
    PAYEE = "payee"
    """Whom it goes to was changed."""
    APPROVED = "approved"
    PAID = "paid"
    BY_HAND = "by-hand"
    """A person said what became of a payment."""
    JUSTIFIED = "justified"
    """A receipt was accepted or done without."""


class Breach(StrEnum):
    SELF_APPROVAL = "self-approval"
    EDITOR_APPROVED = "editor-approved"
    """Who changed the payee approved."""
    TWICE = "approved-twice"
    NO_ROLE = "no-role"
    """The directory does not say that they had the role in which they acted."""
    PAID_OWN = "settled-own-request"
    """Who asked for the money said that it arrived."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One act about a grant."""

    task: Task
    actor: str
    role: str
    at: datetime
    seq: int
    held: bool | None
    """Whether the staff directory says that they had this role then; None for the system."""

    def as_json(self) -> dict[str, Any]:
        return {
            "task": self.task.value, "actor": self.actor, "role": self.role, "at": instant_text(self.at),
            "seq": self.seq, "held": self.held,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class GrantDuties:
    """Every act about one grant, and what should not have been."""

    grant: str
    amount: int
    """Cents, as last asked for."""
    duties: tuple[Duty, ...]
    breaches: tuple[tuple[Breach, int], ...]
    """With the seq at which each shows."""

    def as_json(self) -> dict[str, Any]:
        return {
            "grant": self.grant, "amount": self.amount, "duties": [each.as_json() for each in self.duties],
            "breaches": [{"breach": breach.value, "seq": seq} for breach, seq in self.breaches],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Career:
    """The roles of a member of staff through time, as their own stream says."""

    turns: tuple[tuple[datetime, frozenset[str]], ...]
    """From when on, which roles; none once they had left."""

    def held(self, role: str, at: datetime) -> bool:
        """Whether they had this role at an instant."""
        known: frozenset[str] = frozenset()
        for since, roles in self.turns:
            if since > at:
                break
            known = roles
        return role in known


def career(facts: Iterable[Recorded]) -> Career:
    """The roles that the facts of one stream of staff tell, in their order."""
    turns: list[tuple[datetime, frozenset[str]]] = []
    roles: set[str] = set()
    there = True
    for fact in facts:
        match fact.data:
            case d.StaffAdded(roles=given):
                roles = set(given)
            case d.RoleGiven(given=role):
                roles.add(role)
            case d.RoleTaken(taken=role):
                roles.discard(role)
            case d.StaffLeft():
                there = False
            case d.StaffReturned():
                there = True
            case _:
                continue
        turns.append((fact.recorded_at, frozenset(roles) if there else frozenset()))
    return Career(tuple(turns))


async def careers(pool: Pool, people: Iterable[str]) -> dict[str, Career]:
    """The career of each of these ids that is staff."""
    found = {}
    for id in sorted(set(people) - {SYSTEM}):
        stored = await read_all(pool, f"staff-{id}")
        facts = [d.read_fact(event.kind, event.header) for event in stored if event.kind in d.KINDS]
        if facts:
            found[id] = career(facts)
    return found


def actors(events: Iterable[Recorded]) -> set[str]:
    """Whoever acted in a journey about money."""
    return {event.actor for event in events if event.kind.startswith(("Grant", "Payment", "Receipt"))}


@dataclass(slots=True)
class _File:
    """One grant, as far as its story was read."""

    amount: int
    requester: str
    editor: str
    duties: list[Duty] = field(default_factory=list)
    breaches: list[tuple[Breach, int]] = field(default_factory=list)
    approvers: set[str] = field(default_factory=set)
    """Of what is asked now."""


def duties(events: Sequence[Recorded], known: Mapping[str, Career]) -> list[GrantDuties]:
    """The acts about each grant of a journey, in the order of the requests."""
    files: dict[str, _File] = {}
    grant_of: dict[str, str] = {}
    for event in events:
        for grant, task in _acts(event, files, grant_of):
            file = files[grant]
            held = None if event.actor == SYSTEM else _held(event, known)
            file.duties.append(Duty(task, event.actor, event.role, event.recorded_at, event.seq, held))
            file.breaches += [(breach, event.seq) for breach in _breaches(task, event, file, held)]
            if task is Task.APPROVED:
                file.approvers.add(event.actor)
    return [
        GrantDuties(id, file.amount, tuple(file.duties), tuple(file.breaches)) for id, file in files.items()
    ]  # fmt: skip


def _acts(event: Recorded, files: dict[str, _File], grant_of: dict[str, str]) -> Iterator[tuple[str, Task]]:
    match event.data:
        case e.GrantRequested(grant=id, amount=amount):
            files[id] = _File(amount, event.actor, event.actor)
            yield id, Task.REQUESTED
        case e.GrantChanged() | e.GrantReopened() as data:
            file = files[data.grant]
            file.amount, file.approvers = data.amount, set()
            if data.payee_changed:
                file.editor = event.actor
                yield data.grant, Task.PAYEE
        case e.GrantApprovalGiven(grant=id):
            yield id, Task.APPROVED
        case e.PaymentReserved(payment=payment, grant=id):
            grant_of[payment] = id
            yield id, Task.PAID
        case e.PaymentSettledByHand(payment=payment) | e.PaymentDoubtSettled(payment=payment):
            yield grant_of[payment], Task.BY_HAND
        case e.PaymentCancelled(payment=payment) if event.actor != SYSTEM:
            yield grant_of[payment], Task.BY_HAND
        case e.ReceiptDue(receipt=receipt, payment=payment):
            grant_of[receipt] = grant_of[payment]
        case e.ReceiptAccepted(receipt=receipt) | e.ReceiptPartAccepted(receipt=receipt):
            yield grant_of[receipt], Task.JUSTIFIED
        case e.ReceiptWaived(receipt=receipt) if event.actor != SYSTEM:
            yield grant_of[receipt], Task.JUSTIFIED


def _held(event: Recorded, known: Mapping[str, Career]) -> bool:
    return event.actor in known and known[event.actor].held(event.role, event.recorded_at)


def _breaches(task: Task, event: Recorded, file: _File, held: bool | None) -> Iterator[Breach]:
    if held is False:
        yield Breach.NO_ROLE
    if task is Task.APPROVED:
        if event.actor == file.requester:
            yield Breach.SELF_APPROVAL
        elif event.actor == file.editor:
            yield Breach.EDITOR_APPROVED
        if event.actor in file.approvers:
            yield Breach.TWICE
    if task is Task.BY_HAND and event.actor == file.requester:
        yield Breach.PAID_OWN


# --- told

TASKS: Final = {
    Task.REQUESTED: N_("demandée par {who}"),
    Task.PAYEE: N_("bénéficiaire changé par {who}"),
    Task.APPROVED: N_("accordée par {who}"),
    Task.PAID: N_("versement lancé par {who}"),
    Task.BY_HAND: N_("versement réglé à la main par {who}"),
    Task.JUSTIFIED: N_("dépense justifiée devant {who}"),
}

BREACHES: Final = {
    Breach.SELF_APPROVAL: N_("la même personne a demandé et accordé"),
    Breach.EDITOR_APPROVED: N_("la même personne a changé le bénéficiaire et accordé"),
    Breach.TWICE: N_("la même personne a accordé deux fois"),
    Breach.NO_ROLE: N_("l'annuaire ne dit pas que cette personne avait ce rôle à ce moment"),
    Breach.PAID_OWN: N_("la même personne a demandé l'argent et réglé son versement"),
}


def who_acted(actor: str, role: str, names: Mapping[str, str], erased: Collection[str], lang: str) -> str:
    """Who did something, and in which role (in words). `erased`: the ids of members of staff who are forgotten."""
    _ = text(lang)
    if actor == SYSTEM:
        return _("le système")
    if actor in names:
        return _("{person} ({role})").format(person=names[actor], role=role)
    if actor in erased:
        return _("un membre de l'équipe dont le nom est effacé ({role})").format(role=role)
    return _("une personne ({role})").format(role=role)


def told(duty: Duty, speech: Speech, erased: Collection[str] = ()) -> str:
    """One line: when, what, by whom and in which role."""
    who = who_acted(duty.actor, speech.role(duty.role), speech.names, erased, speech.lang)
    return speech.say("{when} : {what}", when=speech.when(duty.at), what=speech.say(TASKS[duty.task], who=who))
