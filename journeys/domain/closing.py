"""Closing a journey and taking it up again."""

from journeys.domain import chases, contacts, grants, mentoring, messages, payments, referrals
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.escalation import next_review, told_after_closing
from journeys.domain.state import State


def close(work: Deciding, body: c.Close) -> None:
    known = work.book.programme.closings.get(body.outcome)
    if known is None:
        raise Refusal("unknown-outcome", outcome=body.outcome, known=", ".join(work.book.programme.closings))
    ladders = told_after_closing(work)
    work.fact(e.JourneyClosed(outcome=body.outcome, silent=known.silent, on=work.day, ladders=ladders))
    end_everything(work)


ERASED = "erased"
"""How a journey ends whose person is forgotten; no programme names it."""


def erase(work: Deciding, body: c.Erase) -> None:
    """The journey is closed if it is open, and no receipt is waited for; only payments under way are seen through."""
    state = work.state
    if state.erasing:
        raise Refusal("erasing")
    was_open, ladders = state.is_open, told_after_closing(work)
    work.fact(e.ErasureOrdered(reason=body.reason))
    if was_open:
        work.follow(e.JourneyClosed(outcome=ERASED, silent=True, on=work.day, ladders=ladders), "erasure")
        end_everything(work)
    payments.wait_for_no_receipt(work)
    for id, known in list(state.escalations.items()):
        if not _is_paid(state, known.about):
            work.follow(e.EscalationResolved(escalation=id, how="closed"), "erasure")
    for id, message in list(state.messages.items()):
        if message.effect is None and not _is_paid(state, message.about):
            work.follow(e.MessageSuppressed(message=id, reason=ERASED), "erasure")


def _is_paid(state: State, about: e.Subject) -> bool:
    """Whether something is about a payment under way."""
    known = state.payments.get(about.id)
    return known is not None and known.status.open


def end_everything(work: Deciding) -> None:
    """Cancel or resolve what is open. Money under way, its receipts and their escalations go on; measures settle."""
    for id in list(work.state.deadlines):
        work.follow(e.DeadlineCancelled(deadline=id, why="closed"), "closing")
    for name, known in list(work.state.dates.items()):
        if known.open:
            work.follow(e.DateCancelled(date=name, why="closed"), "closing")
    contacts.cancel_open(work, "closed")
    chases.cancel(work, "closed")
    for id, appointment in list(work.state.appointments.items()):
        if appointment.outcome is None:
            work.follow(e.AppointmentCancelled(appointment=id, why="closed"), "closing")
    grants.end_all(work)
    mentoring.end_all(work)
    referrals.end_all(work)
    if work.state.transfer is not None:
        work.follow(e.TransferCancelled(transfer=work.state.transfer.transfer, why="closed"), "closing")
    for id, escalation in list(work.state.escalations.items()):
        if not escalation.money or escalation.about.kind == "grant":
            work.follow(e.EscalationResolved(escalation=id, how="closed"), "closing")
    messages.silence(work)


def reopen(work: Deciding) -> None:
    """With a reason, to `active`, or to `planned` when its date has not happened; everything is planned anew."""
    state, programme = work.state, work.book.programme
    if state.erasing:
        raise Refusal("erasing")
    if state.is_open:
        raise Refusal("not-closed")
    if state.died_on is not None:
        raise Refusal("died", on=state.died_on.isoformat())
    begins = state.dates.get(programme.active_from)
    begun = programme.active_from == "start" or (begins is not None and begins.happened)
    review = next_review(work, programme.review)
    dates = state.dates.items()
    cancelled = [(name, known.on) for name, known in dates if known.cancelled and name in programme.dates]
    work.fact(e.JourneyReopened(status="active" if begun else "planned", review_at=review))
    for name, on in cancelled:
        work.follow(e.DateExpected(date=name, on=on), "reopening")
