"""What lists show of a journey: one row, a pure function of what is known."""

from datetime import datetime
from typing import Final, Literal

from journeys.domain import agenda, chases
from journeys.domain.grants import committed
from journeys.domain.handbook import Handbook
from journeys.domain.payments import HANDED
from journeys.domain.record import Frozen, Instant, added
from journeys.domain.state import (
    Appointment,
    ChaseKnown,
    Deadline,
    Escalation,
    GrantStatus,
    PaymentKnown,
    PaymentStatus,
    State,
)

TO_HAND_OVER: Final = "to-hand-over"
"""Note of a payment that waits for somebody to hand it over, and to say who signed for it."""
HELD: Final = "held"
"""Note of what a suspension holds: it neither falls due nor is it late, and an alert does not climb."""


class Item(Frozen):
    """Something open that a person may have to act on."""

    kind: Literal[
        "deadline",
        "contact",
        "appointment",
        "escalation",
        "grant",
        "receipt",
        "transfer",
        "referral",
        "payment",
        "chase",
    ]
    id: str
    about: str
    """The code of the milestone, contact, grant or ladder."""
    at: Instant | None
    """When it falls due, or when the next step comes if nobody acts."""
    since: Instant | None = None
    role: str = ""
    """Whose turn it is: roles, or the id of the member of staff to whom an alert was handed on."""
    amount: int | None = None
    note: str = ""
    then: str = ""
    """The role that is told next if nobody acts; empty when nobody is."""
    wish: Instant | None = added(None)
    """The time that the person wishes for an appointment instead."""
    summons: bool | None = added(None)
    """The appointment is a summons; None: it is not, or it is something else."""
    held_by: str | None = added(None)
    """Who took an alert in charge, or put it off."""
    held_until: Instant | None = added(None)
    """Until when, where its next step comes later."""
    digest: Instant | None = added(None)
    """When the digest leaves with which an alert is told, until it is."""


class Met(Frozen):
    """An appointment that is over, or off."""

    id: str
    about: str
    """The code of the milestone or contact; empty: of none."""
    at: Instant
    outcome: str
    """attended, missed, excused, cancelled."""


class Summary(Frozen):
    """The row of a journey in the view; written in the transaction of its events."""

    id: str
    person: str
    programme: str
    programme_hash: str
    status: str
    outcome: str | None
    phase: str | None
    """The last open phase in file order."""
    referent: str
    site: str | None
    seq: int
    next_due: Instant | None
    late: int
    """Milestones whose deadline was missed and that are still not settled."""
    opted_out: bool
    paused_until: Instant | None
    died: bool
    silent: bool
    dates: dict[str, str]
    granted: int
    """Cents asked or granted."""
    money: bool
    """Money was ever asked on this journey: who keeps the funds looks into it."""
    funds: tuple[str, ...] = ()
    """Codes of the funds from which money was ever asked, sorted."""
    waits_on: tuple[str, ...]
    """Roles of staff other than the referent's whose turn it is, and ids of those to whom an alert was handed on,
    sorted."""
    alerts: int
    meetings: int
    """Open escalations; appointments without outcome."""
    board: tuple[Item, ...]
    met: tuple[Met, ...] = added(())
    """Appointments with an outcome, the latest of them, by when they were or were to be."""


LAST_MET: Final = 12
"""So many appointments that are over does a row hold, the weeks that somebody looks back upon, and as many that were
called off."""

COLUMNS_ALONE: Final = frozenset({"seq"})
"""What the row holds in a column only: it moves with every event, most of which change nothing else of a summary."""

OUTSIDE: Final = frozenset({"", "referent", "partner", "mentor", "participant"})
"""Whose turn is not that of a role of staff: the referent's own, and people without an account."""


def summary(state: State, book: Handbook) -> Summary:
    """The row of a journey."""
    first, board = agenda.first(state), tuple(_board(state, book))
    return Summary(
        id=state.stream,
        person=state.person,
        programme=state.name,
        programme_hash=state.programme,
        status=state.status.value,
        outcome=state.outcome,
        phase=_phase(state, book),
        referent=state.referent,
        site=state.site,
        seq=state.seq,
        next_due=first.at if first is not None else None,
        late=sum(1 for known in state.milestones.values() if known.missed is not None and known.settled is None),
        opted_out=state.opted_out,
        paused_until=state.paused_until,
        died=state.died_on is not None,
        silent=state.silent,
        dates={name: known.on.isoformat() for name, known in state.dates.items()},
        granted=sum(committed(state, kind) for kind in {grant.kind for grant in state.grants.values()}),
        money=bool(state.grants),
        funds=tuple(sorted({grant.fund for grant in state.grants.values()})),
        waits_on=tuple(sorted({role for item in board for role in item.role.split(", ")} - OUTSIDE)),
        alerts=sum(item.kind == "escalation" for item in board),
        meetings=sum(item.kind == "appointment" for item in board),
        board=board,
        met=_met(state),
    )


def _met(state: State) -> tuple[Met, ...]:
    """The latest that were attended, missed or excused; and apart from them, as a closing calls off all that lie ahead,
    the latest of those called off."""
    ended = sorted(
        (known.at, id, known.outcome) for id, known in state.appointments.items() if known.outcome is not None
    )
    over = [each for each in ended if each[2] != "cancelled"]
    off = [each for each in ended if each[2] == "cancelled"]
    return tuple(
        Met(id=id, about=_about(state.appointments[id]), at=at, outcome=outcome)
        for at, id, outcome in sorted((*over[-LAST_MET:], *off[-LAST_MET:]))
    )


def _about(known: Appointment) -> str:
    return known.milestone or known.contact or ""


def _phase(state: State, book: Handbook) -> str | None:
    running = [code for code in book.programme.phases if code in state.phases and not state.phases[code].completed]
    return running[-1] if running else None


def _board(state: State, book: Handbook) -> list[Item]:
    return [*_work(state, book), *_alerts(state, book), *_money(state), *_answers(state)]


def _work(state: State, book: Handbook) -> list[Item]:
    items = [_deadline(state, book, id, known) for id, known in state.deadlines.items()]
    running = state.suspended is None
    items += [_chase(state, book, id, known, running) for id, known in state.chases.items()]
    items += [
        Item(
            kind="contact", id=code, about=code, at=known.closes if running else None, since=known.opens,
            role="referent", note="" if running else HELD,
            then=_first_told(book, book.programme.contacts[code].missed),
        )
        for code, known in state.contacts.items()
        if known.open
    ]  # fmt: skip
    return items + [
        Item(
            kind="appointment", id=id, about=_about(known), at=known.at, role="referent",
            note=known.answer or "", wish=known.wish, summons=known.summons or None,
        )
        for id, known in state.appointments.items()
        if known.outcome is None
    ]  # fmt: skip


def _deadline(state: State, book: Handbook, id: str, known: Deadline) -> Item:
    held = state.holds(known)
    return Item(
        kind="deadline", id=id, about=known.milestone, at=None if held else known.at, role="referent",
        note=HELD if held else _awaited(state, known), then=_first_told(book, book.milestone(known.milestone).missed),
    )  # fmt: skip


def _chase(state: State, book: Handbook, id: str, known: ChaseKnown, running: bool) -> Item:
    """A step after a missed appointment: `note` says which, `then` who is alerted where no other step follows."""
    missed = state.appointments[known.appointment]
    steps, ladder = book.programme.appointments.missed[known.step + 1 :], chases.ladder_for(book.programme, missed)
    alerts = not steps or steps[0].do == "escalation"
    if steps and steps[0].do == "escalation":
        ladder = steps[0].ladder or ladder
    _, rungs = book.ladder(ladder)
    return Item(
        kind="chase", id=id, about=_about(missed), at=known.by if running else None,
        since=missed.at, role="referent", note=known.do if running else HELD,
        then=rungs.steps[0].to if alerts else "",
    )  # fmt: skip


def _awaited(state: State, known: Deadline) -> str:
    """The date that has to happen before this deadline can be missed; empty once it has."""
    return known.awaits if known.awaits is not None and not state.dates[known.awaits].happened else ""


def _alerts(state: State, book: Handbook) -> list[Item]:
    items = []
    for id, known in state.escalations.items():
        # One that is spent is told again at each review, whatever a suspension holds.
        held = state.holds(known) and not known.spent
        items.append(
            Item(
                kind="escalation", id=id, about=f"{known.about.kind} {known.about.id}",
                at=None if held else known.next_at, since=known.raised_at,
                role=known.told_as or known.assigned or known.to,
                note=HELD if held else _in_whose_hands(known), then=next_told(book, known),
                held_by=known.held_by or None, held_until=_held_until(state, known), digest=known.digest,
            )
        )  # fmt: skip
    return items


def _in_whose_hands(known: Escalation) -> str:
    """How somebody has an alert in hand, else its ladder."""
    return "snoozed" if known.snoozed else "acknowledged" if known.acknowledged else known.ladder


def _held_until(state: State, known: Escalation) -> datetime | None:
    until = known.held_until
    return until if until is not None and until != known.next_at and not state.holds(known) else None


def _first_told(book: Handbook, ladder: str | None) -> str:
    return book.programme.ladders[ladder].steps[0].to if ladder is not None else ""


def next_told(book: Handbook, known: Escalation) -> str:
    """The role that an open alert goes to next, if nobody acts."""
    steps = book.programme.ladders[known.ladder].steps
    return steps[min(known.step + 1, len(steps) - 1)].to


def _money(state: State) -> list[Item]:
    items = []
    for id, grant in state.grants.items():
        if grant.over is not None or grant.status is GrantStatus.APPROVED:
            continue
        given = [approval.stands_for for approval in grant.approvals]
        wanted = list(grant.needed)
        for role in given:
            wanted.remove(role)
        role = "referent" if grant.status is GrantStatus.RETURNED else ", ".join(sorted(wanted))
        items.append(
            Item(
                kind="grant",
                id=id,
                about=grant.purpose,
                at=grant.decide_by,
                role=role,
                amount=grant.amount,
                note=grant.digest,
            )
        )
    for id, receipt in state.receipts.items():
        if receipt.settled is None:
            role = "finance" if receipt.submitted is not None else "referent"
            items.append(
                Item(
                    kind="receipt",
                    id=id,
                    about=receipt.grant,
                    at=receipt.answer_by or receipt.by,
                    role=role,
                    amount=receipt.amount,
                )
            )
    items += [
        Item(
            kind="payment",
            id=id,
            about=payment.grant,
            at=payment.look_at,
            role="finance",
            amount=payment.amount,
            note=TO_HAND_OVER if _lies_in_a_drawer(payment) else payment.status,
        )
        for id, payment in state.payments.items()
        if payment.status.open
    ]
    return items


def _lies_in_a_drawer(payment: PaymentKnown) -> bool:
    return payment.status is PaymentStatus.INSTRUCTED and payment.pay_by in HANDED


def _answers(state: State) -> list[Item]:
    items = [
        Item(kind="referral", id=id, about=known.purpose, at=known.answer_by, role="partner")
        for id, known in state.referrals.items()
    ]
    known = state.transfer
    if known is not None:
        items.append(Item(kind="transfer", id=known.transfer, about=known.to, at=known.accept_at, role="referent"))
    return items
