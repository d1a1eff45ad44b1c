"""Payments: reserved once, instructed at most once, looked up until known; and the receipts that justify them."""

from datetime import datetime, timedelta

from journeys.domain import commands as c
from journeys.domain import escalation, gate, messages
from journeys.domain import events as e
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import Subject
from journeys.domain.moments import Duration, Unit
from journeys.domain.state import GrantKnown, GrantStatus, PaymentKnown, PaymentStatus, ReceiptKnown

SOON = timedelta(minutes=15)
"""An unknown payment is looked up after so long, and one that could not leave is tried again."""

NEXT_DAY = Duration(1, Unit.WORKING_DAY)
"""Then once a working day; a payment still unknown or held after the first is a matter for finance."""

PATIENCE = {
    "sepa": Duration(3, Unit.WORKING_DAY),
    "voucher": Duration(10, Unit.WORKING_DAY),
    "hand": Duration(10, Unit.WORKING_DAY),
}
"""How long a payment may wait where a channel put it (a file for the bank, a drawer) before finance is asked. A
transfer in a file leaves on the next working day, is booked on the one after, and the statement comes a day later."""

HANDED = frozenset({"voucher", "hand"})
"""What a person hands over: nobody but they can say that it happened, and what they say has a receipt."""


NEVER_PAID = "never-paid"
"""Why a payment is rejected of which a person says that it never left."""


def about(id: str) -> Subject:
    return Subject(kind="payment", id=id)


# --- reserving


def take_instalment(work: Deciding, key: str, at: datetime, blocked: str | None = None) -> None:
    """An instalment is due: reserve its payment when every rule still holds, else block it and tell finance.

    `blocked` is the fund's own refusal of the reservation that was offered before.
    """
    _, grant_id, number = key.split("/")
    known = work.state.grants[grant_id]
    amount = known.instalments[int(number) - 1].amount
    before = sum(1 for each in work.state.payments.values() if each.grant == grant_id)
    payment = work.id_for(f"payment/{grant_id}/{before + 1}")
    reason = _why_not(work, grant_id, known, amount) or blocked
    if reason is not None:
        work.due(
            e.PaymentBlocked(
                payment=payment, grant=grant_id, number=int(number), amount=amount, reason=reason, fund=known.fund,
                person=work.state.person, pay_by=known.pay_by,
            ),
            "payment-gate",
            at,
        )  # fmt: skip
        _call_finance(work, payment)
        return
    work.due(
        e.PaymentReserved(
            payment=payment, grant=grant_id, number=int(number), amount=amount, fund=known.fund,
            person=work.state.person, pay_by=known.pay_by, digest=known.digest, payee=known.payee,
            replaces=_made_good(work, grant_id),
        ),
        "instalment",
        at,
    )  # fmt: skip


def _why_not(work: Deciding, grant_id: str, known: GrantKnown, amount: int) -> str | None:
    """Why this payment must not be reserved: a code, or None. Checked again whatever was checked before."""
    already = gate.reserved_or_paid(work.state, grant_id)
    if reason := gate.refusal(known, gate.standing(known), already, amount):
        return reason
    cap = work.book.programme.grants[known.kind].cap
    of_kind = [id for id, grant in work.state.grants.items() if grant.kind == known.kind]
    used = sum(gate.reserved_or_paid(work.state, id) for id in of_kind)
    return "over-cap" if used + amount > cap else None


def _made_good(work: Deciding, grant: str) -> str | None:
    """The first payment of the grant that was rejected or came back, and that no other makes good yet."""
    failed = (PaymentStatus.REJECTED, PaymentStatus.RETURNED)
    return next(
        (
            id
            for id, each in work.state.payments.items()
            if each.grant == grant and each.status in failed and not each.replaced
        ),
        None,
    )


def retry(work: Deciding, body: c.RetryPayment) -> None:
    """A blocked payment is called for again, under every rule; the blocked one stays what it is."""
    known = _known(work, body.payment)
    grant = work.state.grants[known.grant]
    if known.status is not PaymentStatus.BLOCKED or known.replaced:
        raise Refusal("payment-not-blocked", status=known.status.value)
    if grant.status is not GrantStatus.APPROVED or grant.over is not None:
        raise Refusal("grant-over", how=grant.over or grant.status.value)
    work.fact(e.PaymentRetried(payment=body.payment, grant=known.grant, number=known.number))
    escalation.resolve_about(work, about(body.payment), "retried")


# --- what the bank answered


def instructed(work: Deciding, effect: int, id: str, answer: str, reason: str) -> None:
    """The outcome of the one instruction."""
    if answer == "unsent":
        _held(work, effect, id, reason)
        return
    known = work.state.payments[id]
    was_open = known.status.open
    queued = answer == "queued"
    look_at = _patience_ends(work, known) if queued else None
    work.due(e.PaymentInstructed(payment=id, effect=effect, look_at=look_at), "payment", work.now)
    if was_open and not queued:
        _became(work, id, answer, reason, first=True)


def _held(work: Deciding, effect: int, id: str, reason: str) -> None:
    """Nothing left. Tried again soon for a working day; then finance is told, and it is tried once a working day."""
    known = work.state.payments[id]
    first_day_ends = _next_day(work, known.held_since or work.now)
    long = work.now >= first_day_ends
    retry_at = _next_day(work, work.now) if long else min(work.now + SOON, first_day_ends)
    held = e.PaymentHeld(payment=id, effect=effect, retry_at=retry_at, reason=reason or None)
    work.due(held, "payment", work.now)
    if long and known.status.open:
        _call_finance(work, id)


def _next_day(work: Deciding, since: datetime) -> datetime:
    return work.book.calendar.term_end(since, NEXT_DAY, work.book.calendar.clock.opens)


def enquired(work: Deciding, effect: int, id: str, answer: str, reason: str) -> None:
    """The outcome of a look-up. A payment that somebody settled meanwhile stays settled."""
    known = work.state.payments[id]
    queued = answer == "queued"
    look_at = _next_day(work, work.now) if queued and known.status.open else None
    work.due(e.PaymentLookedUp(payment=id, effect=effect, look_at=look_at), "payment", work.now)
    if not known.status.open:
        return
    if queued:
        _call_finance(work, id)
    else:
        _became(work, id, answer, reason, first=False)


def _patience_ends(work: Deciding, known: PaymentKnown) -> datetime:
    return work.book.calendar.term_end(work.now, PATIENCE.get(known.pay_by, NEXT_DAY), work.book.calendar.clock.opens)


def _became(work: Deciding, id: str, answer: str, reason: str, *, first: bool) -> None:
    tomorrow = _next_day(work, work.now)
    match answer:
        case "settled":
            _settled(work, id)
        case "rejected":
            work.follow(e.PaymentRejected(payment=id, reason=reason), "payment")
            _call_finance(work, id)
        case "accepted":
            work.follow(e.PaymentAccepted(payment=id, look_at=tomorrow), "payment")
        case _:
            look_at = work.now + SOON if first else tomorrow
            work.follow(e.PaymentUnknown(payment=id, look_at=look_at), "payment")
            if not first:
                _call_finance(work, id)


def _settled(work: Deciding, id: str) -> None:
    work.follow(e.PaymentSettled(payment=id), "payment")
    _after_settling(work, id)


def _after_settling(work: Deciding, id: str) -> None:
    """A receipt is owed, and the grant is complete when all of it is paid."""
    escalation.resolve_about(work, about(id), "settled")
    payment = work.state.payments[id]
    known = work.state.grants[payment.grant]
    rule = work.book.programme.grants[known.kind]
    if rule.receipts is not None and not work.state.erasing:
        by = work.book.calendar.term_end(work.now, rule.receipts)
        receipt = work.id_for(f"receipt/{id}")
        work.follow(
            e.ReceiptDue(receipt=receipt, payment=id, grant=payment.grant, amount=payment.amount, by=by),
            "receipts",
        )
    mine = [p for p in work.state.payments.values() if p.grant == payment.grant]
    done = sum(p.amount for p in mine if p.status in (PaymentStatus.SETTLED, PaymentStatus.BY_HAND))
    if known.over is None and done == known.amount:
        work.follow(e.GrantCompleted(grant=payment.grant), "payment")


def _call_finance(work: Deciding, id: str) -> None:
    escalation.raise_about(work, _ladder(work, work.state.payments[id].grant), about(id), to="finance")


def _ladder(work: Deciding, grant: str) -> str | None:
    return work.book.programme.grants[work.state.grants[grant].kind].missed


def take_look(work: Deciding, id: str, at: datetime) -> None:
    """A held payment goes out; one whose fate is open is looked up, never instructed again."""
    if work.state.payments[id].status is PaymentStatus.RESERVED:
        work.due(e.PaymentReleased(payment=id), "payment", at)
    else:
        work.due(e.PaymentEnquired(payment=id), "payment", at)


def said(work: Deciding, body: c.RecordReceipt) -> None:
    """What the bank said later, of its own accord."""
    known = _known(work, body.id)
    match body.said:
        case "accepted" if known.status in (PaymentStatus.INSTRUCTED, PaymentStatus.UNKNOWN):
            work.fact(e.PaymentAccepted(payment=body.id, look_at=_patience_ends(work, known)))
            escalation.resolve_about(work, about(body.id), "accepted")
        case "close" | "no-match" | "unchecked" if known.status.open:
            work.fact(e.PaymentDoubted(payment=body.id, answer=body.said))
            _call_finance(work, body.id)
        case "settled" if known.status.open:
            work.fact(e.PaymentSettled(payment=body.id))
            _after_settling(work, body.id)
        case "rejected" if known.status.open:
            work.fact(e.PaymentRejected(payment=body.id, reason=body.reason or "bank"))
            _call_finance(work, body.id)
        case "returned" if known.status in (PaymentStatus.SETTLED, PaymentStatus.BY_HAND):
            work.fact(e.PaymentReturned(payment=body.id, reason=body.reason or "bank"))
            _no_receipt_for(work, body.id)
            _call_finance(work, body.id)
        case _:
            raise Refusal("payment-settled", status=known.status.value)


# --- commands of finance


def settle_by_hand(work: Deciding, body: c.SettlePayment) -> None:
    known = _known(work, body.payment)
    if not known.status.open or known.status is PaymentStatus.RESERVED:
        raise Refusal("payment-settled", status=known.status.value)
    if body.fate == NEVER_PAID:
        work.fact(e.PaymentRejected(payment=body.payment, reason=NEVER_PAID))
        escalation.resolve_about(work, about(body.payment), NEVER_PAID)
        return
    assert work.command is not None
    if known.pay_by in HANDED and "signed_for" not in work.command.commitments:
        raise Refusal("receipt-needed", channel=known.pay_by)
    work.fact(e.PaymentSettledByHand(payment=body.payment))
    _after_settling(work, body.payment)


def settle_doubt(work: Deciding, body: c.SettleDoubt) -> None:
    """Whoever holds the account: finance keeps the payment, or withdraws it and waits for the bank's rejection."""
    known = _known(work, body.payment)
    if known.doubt is None:
        raise Refusal("no-doubt", status=known.status.value)
    work.fact(e.PaymentDoubtSettled(payment=body.payment, decision=body.decision))
    escalation.resolve_about(work, about(body.payment), body.decision)


def cancel(work: Deciding, body: c.CancelPayment) -> None:
    """Only a payment of which nothing has left: reserved, and no instruction of it under way."""
    known = _known(work, body.payment)
    under_way = any(effect.id == body.payment for effect in work.state.effects.values())
    if known.status is not PaymentStatus.RESERVED or under_way:
        raise Refusal("payment-left", status=known.status.value)
    work.fact(e.PaymentCancelled(payment=body.payment, why="by-hand"))
    escalation.resolve_about(work, about(body.payment), "cancelled")


def _known(work: Deciding, id: str) -> PaymentKnown:
    known = work.state.payments.get(id)
    if known is None:
        raise Refusal("unknown-payment", id=id)
    return known


# --- receipts


def receipt_about(id: str) -> Subject:
    return Subject(kind="receipt", id=id)


def submit(work: Deciding, body: c.SubmitReceipt) -> None:
    known = _open_receipt(work, body.receipt)
    if known.submitted is not None:
        raise Refusal("receipt-submitted")
    if not 0 < body.amount <= known.missing:
        raise Refusal("receipt-amount", amount=body.amount, known=known.missing)
    term = work.book.programme.grants[work.state.grants[known.grant].kind].receipts_answered
    answer_by = work.book.calendar.term_end(work.now, term)
    work.fact(e.ReceiptSubmitted(receipt=body.receipt, amount=body.amount, answer_by=answer_by))
    escalation.resolve_about(work, receipt_about(body.receipt), "receipt-submitted")  # It lies with finance now.
    messages.owe(
        work,
        "notice",
        "finance",
        "receipt-submitted",
        receipt_about(body.receipt),
        f"receipt/{body.receipt}/{work.state.seq}",
    )


def accept(work: Deciding, body: c.AcceptReceipt) -> None:
    known = _open_receipt(work, body.receipt)
    if known.submitted is None:
        raise Refusal("receipt-not-submitted")
    amount = known.submitted if body.amount is None else body.amount
    if not 0 < amount <= known.submitted:
        raise Refusal("receipt-amount", amount=amount, known=known.submitted)
    if amount == known.missing:
        work.fact(e.ReceiptAccepted(receipt=body.receipt, amount=amount, payment=known.payment))
        escalation.resolve_about(work, receipt_about(body.receipt), "accepted")
        return
    rule = work.book.programme.grants[work.state.grants[known.grant].kind]
    by = work.book.calendar.term_end(work.now, rule.receipts or rule.receipts_answered)
    work.fact(e.ReceiptPartAccepted(receipt=body.receipt, payment=known.payment, amount=amount, by=by))
    escalation.resolve_about(work, receipt_about(body.receipt), "accepted")
    messages.owe(
        work,
        "notice",
        "referent",
        "receipt-in-part",
        receipt_about(body.receipt),
        f"in-part/{body.receipt}/{work.state.seq}",
    )


def refuse(work: Deciding, body: c.RefuseReceipt) -> None:
    known = _open_receipt(work, body.receipt)
    if known.submitted is None:
        raise Refusal("receipt-not-submitted")
    work.fact(e.ReceiptRefused(receipt=body.receipt))
    escalation.resolve_about(work, receipt_about(body.receipt), "receipt-refused")
    if known.overdue:
        escalation.raise_about(work, _ladder(work, known.grant), receipt_about(body.receipt))
    messages.owe(
        work,
        "notice",
        "referent",
        "receipt-refused",
        receipt_about(body.receipt),
        f"refused/{body.receipt}/{work.state.seq}",
    )


def waive(work: Deciding, body: c.WaiveReceipt) -> None:
    _open_receipt(work, body.receipt)
    work.fact(e.ReceiptWaived(receipt=body.receipt, why="by-hand"))
    escalation.resolve_about(work, receipt_about(body.receipt), "waived")


def _no_receipt_for(work: Deciding, payment: str) -> None:
    """Money that came back needs no receipt."""
    for id, known in list(work.state.receipts.items()):
        if known.payment == payment and known.settled is None:
            work.follow(e.ReceiptWaived(receipt=id, why="returned"), "receipts")
            escalation.resolve_about(work, receipt_about(id), "waived")


def wait_for_no_receipt(work: Deciding) -> None:
    """Whoever would hand one in is forgotten."""
    for id, known in list(work.state.receipts.items()):
        if known.settled is None:
            work.follow(e.ReceiptWaived(receipt=id, why="erased"), "erasure")
            escalation.resolve_about(work, receipt_about(id), "waived")


def take_late_receipt(work: Deciding, id: str, at: datetime) -> None:
    """A receipt has not come, or finance has not answered the one that was submitted."""
    known = work.state.receipts[id]
    if known.submitted is None:
        work.due(e.ReceiptOverdue(receipt=id), "receipts", at)
        escalation.raise_about(work, _ladder(work, known.grant), receipt_about(id))
    else:
        work.due(e.ReceiptUnanswered(receipt=id), "receipts-answered", at)
        escalation.raise_about(work, _ladder(work, known.grant), receipt_about(id), to="finance")


def _open_receipt(work: Deciding, id: str) -> ReceiptKnown:
    known = work.state.receipts.get(id)
    if known is None:
        raise Refusal("unknown-receipt", id=id)
    if known.settled is not None:
        raise Refusal("receipt-settled", how=known.settled)
    return known
