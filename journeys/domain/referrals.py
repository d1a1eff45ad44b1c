"""Referrals to partners: sent, answered, expired; named only with the person's consent."""

from datetime import datetime

from journeys.domain import commands as c
from journeys.domain import escalation, messages
from journeys.domain import events as e
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import Subject
from journeys.domain.state import ReferralKnown


def about(id: str) -> Subject:
    return Subject(kind="referral", id=id)


def send(work: Deciding, body: c.SendReferral) -> None:
    if any(r.partner == body.partner and r.purpose == body.purpose for r in work.state.referrals.values()):
        raise Refusal("referral-open", purpose=body.purpose)
    assert work.command is not None
    answer_by = work.term_end(work.now, work.book.programme.referrals.answer_within)
    named = f"{body.partner}/{body.purpose}" in work.state.consents
    work.fact(
        e.ReferralSent(
            referral=work.command.id,
            partner=body.partner,
            purpose=body.purpose,
            named=named,
            answer_by=answer_by,
        )
    )
    messages.owe(
        work,
        "notice",
        "partner",
        "referral-sent",
        about(work.command.id),
        f"referral/{work.command.id}",
        person=body.partner,
    )


def accept(work: Deciding, body: c.AcceptReferral) -> None:
    _open(work, body.referral)
    work.fact(e.ReferralAccepted(referral=body.referral))
    escalation.resolve_about(work, about(body.referral), "answered")


def decline(work: Deciding, body: c.DeclineReferral) -> None:
    _open(work, body.referral)
    work.fact(e.ReferralDeclined(referral=body.referral))
    escalation.resolve_about(work, about(body.referral), "answered")
    messages.owe(work, "notice", "referent", "referral-declined", about(body.referral), f"declined/{body.referral}")


def cancel(work: Deciding, body: c.CancelReferral) -> None:
    _open(work, body.referral)
    work.fact(e.ReferralCancelled(referral=body.referral, why="by-hand"))
    escalation.resolve_about(work, about(body.referral), "cancelled")


def take_expiry(work: Deciding, id: str, at: datetime) -> None:
    work.due(e.ReferralExpired(referral=id), "answer-within", at)
    escalation.raise_about(work, work.book.programme.referrals.missed, about(id))


def end_all(work: Deciding) -> None:
    """On closing."""
    for id in list(work.state.referrals):
        work.follow(e.ReferralCancelled(referral=id, why="closed"), "closing")


def consent_withdrawn(work: Deciding, partner: str, purpose: str) -> None:
    """A referral that names the person cannot stand without consent."""
    for id, known in list(work.state.referrals.items()):
        if (known.partner, known.purpose) == (partner, purpose):
            work.follow(e.ReferralCancelled(referral=id, why="consent-withdrawn"), "consent")


def _open(work: Deciding, id: str) -> ReferralKnown:
    known = work.state.referrals.get(id)
    if known is None:
        raise Refusal("unknown-referral", id=id)
    return known
