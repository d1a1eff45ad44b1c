"""Grants: requested, decided by distinct people, bound to what they saw, paid by instalments."""

from datetime import datetime

from journeys.domain import commands as c
from journeys.domain import escalation, messages
from journeys.domain import events as e
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import PlannedInstalment, Subject
from journeys.domain.gate import digest, reserved_or_paid
from journeys.domain.money import split
from journeys.domain.programme import Grant
from journeys.domain.rights import held
from journeys.domain.state import GrantKnown, GrantStatus, State


def about(id: str) -> Subject:
    return Subject(kind="grant", id=id)


def committed(state: State, kind: str, without: str | None = None) -> int:
    """Cents that count against the cap: what is asked or granted, and of an ended grant what was paid."""
    total = 0
    for id, grant in state.grants.items():
        if grant.kind != kind or id == without:
            continue
        total += grant.amount if grant.over in (None, "completed") else reserved_or_paid(state, id)
    return total


# --- asking


def request(work: Deciding, body: c.RequestGrant) -> None:
    rule = work.book.programme.grants.get(body.grant)
    if rule is None:
        raise Refusal("unknown-grant", grant=body.grant, known=", ".join(work.book.programme.grants))
    if work.role not in rule.requested_by and work.role != "supervisor":
        raise Refusal("not-a-requester", role=work.role, known=", ".join(rule.requested_by))
    pay_by = body.pay_by or rule.pay_by[0]
    if pay_by not in rule.pay_by:
        raise Refusal("unknown-channel", channel=pay_by, known=", ".join(rule.pay_by))
    _check(work, body.grant, rule, body.purpose, body.amount)
    assert work.command is not None
    plan = _instalments(rule, body.amount)
    payee = work.command.commitments["payee"]
    approvals = _approvals(rule, body.amount)
    work.fact(
        e.GrantRequested(
            grant=work.command.id, kind=body.grant, purpose=body.purpose, amount=body.amount, fund=rule.fund,
            pay_by=pay_by, instalments=plan, payee=payee, approvals=approvals, decide_by=_decide_by(work, rule),
            digest=digest(work.stream, body.grant, body.purpose, pay_by, plan, payee),
        )
    )  # fmt: skip
    _ask_approvers(work, work.command.id, approvals)


def change(work: Deciding, body: c.ChangeGrant) -> None:
    """An edit: every approval is void. After the approval the grant is reopened, and what was paid stays paid."""
    known = work.state.grants.get(body.grant)
    if known is None:
        raise Refusal("unknown-grant-file", id=body.grant)
    came_back = known.over == "completed" and reserved_or_paid(work.state, body.grant) < known.amount
    if known.over is not None and not came_back:
        raise Refusal("grant-over", how=known.over)
    if any(p.grant == body.grant and p.status.open for p in work.state.payments.values()):
        raise Refusal("payment-under-way", grant=body.grant)
    assert work.command is not None
    rule = work.book.programme.grants[known.kind]
    amount = known.amount if body.amount is None else body.amount
    purpose = body.purpose or known.purpose
    _check(work, known.kind, rule, purpose, amount, without=body.grant)
    payee = work.command.commitments.get("payee", known.payee)
    already = reserved_or_paid(work.state, body.grant)
    if amount < already:
        raise Refusal("below-paid", paid=already)
    reopened = known.status is GrantStatus.APPROVED
    payee_changed = "payee" in work.command.commitments
    plan, called = _replanned(work, body.grant, known, rule, amount) if reopened else (_instalments(rule, amount), 0)
    content = {
        "grant": body.grant, "purpose": purpose, "amount": amount, "instalments": plan, "payee": payee,
        "payee_changed": payee_changed, "approvals": _approvals(rule, amount), "decide_by": _decide_by(work, rule),
        "pay_from": work.book.calendar.term_end(work.now, rule.payee_changed) if payee_changed else None,
        "digest": digest(work.stream, known.kind, purpose, known.pay_by, plan, payee),
    }  # fmt: skip
    work.fact(e.GrantReopened(**content, called=called) if reopened else e.GrantChanged(**content))
    _ask_approvers(work, body.grant, _approvals(rule, amount))


def _replanned(
    work: Deciding, id: str, known: GrantKnown, rule: Grant, amount: int
) -> tuple[tuple[PlannedInstalment, ...], int]:
    """What was paid stays as it is; the rest goes out in the instalments that are left, at least one."""
    kept = tuple(
        PlannedInstalment(amount=p.amount, when=None)
        for p in work.state.payments.values()
        if p.grant == id and p.status.counts
    )
    rest = amount - sum(part.amount for part in kept)
    if not rest:
        return kept, len(kept)
    whens = [part.when for part in known.instalments[known.paid_from :]] or [None]
    amounts = split(rest, [100 // len(whens)] * len(whens))
    return kept + tuple(PlannedInstalment(amount=a, when=w) for a, w in zip(amounts, whens, strict=True)), len(kept)


def _check(work: Deciding, kind: str, rule: Grant, purpose: str, amount: int, without: str | None = None) -> None:
    if purpose not in rule.purposes:
        raise Refusal("unknown-purpose", purpose=purpose, known=", ".join(rule.purposes))
    if amount <= 0:
        raise Refusal("no-amount")
    already = committed(work.state, kind, without)
    if amount + already > rule.cap:
        raise Refusal("over-cap", cap=rule.cap, already=already, amount=amount)


def _instalments(rule: Grant, amount: int) -> tuple[PlannedInstalment, ...]:
    amounts = split(amount, [part.share for part in rule.instalments])
    return tuple(
        PlannedInstalment(amount=cents, when=str(part.when) if part.when is not None else None)
        for cents, part in zip(amounts, rule.instalments, strict=True)
        if cents
    )


def _approvals(rule: Grant, amount: int) -> tuple[str, ...]:
    roles = rule.approvals(amount)
    if roles is None:
        raise Refusal("no-level", amount=amount)
    return roles


def _decide_by(work: Deciding, rule: Grant) -> datetime:
    return work.book.calendar.term_end(work.now, rule.decide_within)


def _ask_approvers(work: Deciding, id: str, roles: tuple[str, ...]) -> None:
    for role in sorted(set(roles)):
        messages.owe(work, "approval", role, "approval-wanted", about(id), f"approval/{id}/{work.state.seq}")


# --- deciding


def approve(work: Deciding, body: c.ApproveGrant) -> None:
    known = _awaiting(work, body.grant)
    if work.actor == known.requester:
        raise Refusal("self-approval")
    if work.actor == known.editor:
        raise Refusal("editor-approval")
    if body.digest != known.digest:
        raise Refusal("digest-changed")
    if any(given.actor == work.actor for given in known.approvals):
        raise Refusal("approved-already")
    work.role = _role_to_fill(work, known)
    work.fact(e.GrantApprovalGiven(grant=body.grant, digest=known.digest, stands_for=work.role))
    if not work.state.grants[body.grant].wanted:
        work.follow(e.GrantApproved(grant=body.grant, digest=known.digest), "approvals")
        escalation.resolve_about(work, about(body.grant), "approved")
        if reserved_or_paid(work.state, body.grant) == known.amount:
            work.follow(e.GrantCompleted(grant=body.grant), "payment")


def _role_to_fill(work: Deciding, known: GrantKnown) -> str:
    """The role in which this person approves: one that they hold and that is still wanted."""
    assert work.command is not None
    role = next((role for role in held(work.command, work.state, work.book.programme) if known.wanted[role]), None)
    if role is None:
        raise Refusal("role-not-wanted", known=", ".join(sorted(known.wanted)))
    return role


def send_back(work: Deciding, body: c.ReturnGrant) -> None:
    _awaiting(work, body.grant)
    work.fact(e.GrantReturned(grant=body.grant))
    messages.owe(
        work,
        "notice",
        "referent",
        "grant-returned",
        about(body.grant),
        f"returned/{body.grant}/{work.state.seq}",
    )


def refuse(work: Deciding, body: c.RefuseGrant) -> None:
    _awaiting(work, body.grant)
    work.fact(e.GrantRefused(grant=body.grant))
    escalation.resolve_about(work, about(body.grant), "refused")
    messages.owe(work, "notice", "referent", "grant-refused", about(body.grant), f"refused/{body.grant}")


def cancel(work: Deciding, body: c.CancelGrant) -> None:
    known = work.state.grants.get(body.grant)
    if known is None:
        raise Refusal("unknown-grant-file", id=body.grant)
    if known.over is not None:
        raise Refusal("grant-over", how=known.over)
    if known.status is not GrantStatus.APPROVED:
        work.fact(e.GrantCancelled(grant=body.grant, why="by-hand"))
    elif any(p.grant == body.grant and p.status.open for p in work.state.payments.values()):
        raise Refusal("payment-under-way", grant=body.grant)
    else:
        work.fact(e.GrantEnded(grant=body.grant, why="by-hand"))
    escalation.resolve_about(work, about(body.grant), "cancelled")


def take_expiry(work: Deciding, id: str, at: datetime) -> None:
    """Nobody decided in time: the request is over, and somebody is told."""
    work.due(e.GrantExpired(grant=id), "decide-within", at)
    rule = work.book.programme.grants[work.state.grants[id].kind]
    escalation.raise_about(work, rule.missed, about(id))


def end_all(work: Deciding) -> None:
    """On closing: requests are cancelled, the unpaid rest of approved grants is given up."""
    for id, known in list(work.state.grants.items()):
        if known.over is not None:
            continue
        if known.status is GrantStatus.APPROVED:
            work.follow(e.GrantEnded(grant=id, why="closed"), "closing")
        else:
            work.follow(e.GrantCancelled(grant=id, why="closed"), "closing")


def _awaiting(work: Deciding, id: str) -> GrantKnown:
    known = work.state.grants.get(id)
    if known is None:
        raise Refusal("unknown-grant-file", id=id)
    if known.over is not None:
        raise Refusal("grant-over", how=known.over)
    if known.status is GrantStatus.RETURNED:
        raise Refusal("grant-returned")
    if known.status is GrantStatus.APPROVED:
        raise Refusal("grant-approved")
    return known
