"""Grants, payments and receipts, told: who decided, how much, and what became of it."""

from journeys.domain import events as e
from journeys.narration.telling import Telling, tells


@tells(e.GrantRequested)
def _requested(t: Telling, d: e.GrantRequested) -> str:
    return t.say(
        "{who} a demandé {amount} ({grant}, {purpose}) ; accords à donner avant le {day} : {roles}.",
        who=t.who, amount=t.money(d.amount), grant=t.grant_kind(d.kind), purpose=t.spoken(d.purpose),
        day=t.local_day(d.decide_by), roles=t.listed([t.role(role) for role in d.approvals]),
    )  # fmt: skip


@tells(e.GrantChanged)
def _changed(t: Telling, d: e.GrantChanged) -> str:
    return t.say(
        "{who} a modifié la demande : {amount} ({purpose}) ; les accords sont à donner de nouveau.",
        who=t.who, amount=t.money(d.amount), purpose=t.spoken(d.purpose),
    )  # fmt: skip


@tells(e.GrantReopened)
def _reopened(t: Telling, d: e.GrantReopened) -> str:
    return t.say(
        "{who} a modifié une aide déjà accordée : {amount} ({purpose}) ; les accords sont à donner de nouveau "
        "et les versements restants attendent.",
        who=t.who, amount=t.money(d.amount), purpose=t.spoken(d.purpose),
    )  # fmt: skip


@tells(e.GrantReturned)
def _returned(t: Telling, d: e.GrantReturned) -> str:
    return t.say("{who} a renvoyé la demande pour complément : {grant}.", who=t.who, grant=t.grant(d.grant))


@tells(e.GrantApprovalGiven)
def _approval(t: Telling, d: e.GrantApprovalGiven) -> str:
    return t.say(
        "{who} a donné son accord, au titre de {role}, pour {grant}.",
        who=t.who, role=t.role(d.stands_for), grant=t.grant(d.grant),
    )  # fmt: skip


@tells(e.GrantApproved)
def _approved(t: Telling, d: e.GrantApproved) -> str:
    return t.say("Tous les accords sont donnés : {grant}.", grant=t.grant(d.grant))


@tells(e.GrantRefused)
def _refused(t: Telling, d: e.GrantRefused) -> str:
    return t.say("{who} a refusé {grant}.", who=t.who, grant=t.grant(d.grant))


@tells(e.GrantExpired)
def _expired(t: Telling, d: e.GrantExpired) -> str:
    return t.say("Le délai de décision est passé sans réponse : {grant}.", grant=t.grant(d.grant))


@tells(e.GrantCancelled)
def _cancelled(t: Telling, d: e.GrantCancelled) -> str:
    if t.by_someone:
        return t.say("{who} a annulé la demande : {grant}.", who=t.who, grant=t.grant(d.grant))
    return t.say("La demande est annulée ({why}) : {grant}.", why=t.spoken(d.why), grant=t.grant(d.grant))


@tells(e.GrantCompleted)
def _completed(t: Telling, d: e.GrantCompleted) -> str:
    return t.say("Tout est versé : {grant}.", grant=t.grant(d.grant))


@tells(e.GrantEnded)
def _ended(t: Telling, d: e.GrantEnded) -> str:
    if t.by_someone:
        return t.say("{who} a renoncé au reste : {grant}.", who=t.who, grant=t.grant(d.grant))
    return t.say("Le reste ne sera pas versé ({why}) : {grant}.", why=t.spoken(d.why), grant=t.grant(d.grant))


# --- payments


@tells(e.PaymentReserved)
def _reserved(t: Telling, d: e.PaymentReserved) -> str:
    return t.say(
        "Un versement de {amount} est réservé ({means}), pour {grant}.",
        amount=t.money(d.amount), means=t.spoken(d.pay_by), grant=t.grant(d.grant),
    )  # fmt: skip


@tells(e.PaymentBlocked)
def _blocked(t: Telling, d: e.PaymentBlocked) -> str:
    return t.say(
        "Un versement de {amount} est retenu ({why}), pour {grant}.",
        amount=t.money(d.amount), why=t.spoken(d.reason), grant=t.grant(d.grant),
    )  # fmt: skip


@tells(e.PaymentRetried)
def _retried(t: Telling, d: e.PaymentRetried) -> str:
    return t.say("{who} a redemandé {payment}, qui était retenu.", who=t.who, payment=t.payment(d.payment))


@tells(e.PaymentInstructed)
def _instructed(t: Telling, d: e.PaymentInstructed) -> str:
    return t.say("L'ordre est transmis : {payment}.", payment=t.payment(d.payment))


@tells(e.PaymentHeld)
def _held(t: Telling, d: e.PaymentHeld) -> str:
    when, payment = t.when(d.retry_at), t.payment(d.payment)
    if d.reason is None:
        return t.say("L'ordre n'est pas parti ; nouvel essai le {when} : {payment}.", when=when, payment=payment)
    return t.say(
        "L'ordre n'est pas parti ({why}) ; nouvel essai le {when} : {payment}.",
        why=t.spoken(d.reason), when=when, payment=payment,
    )  # fmt: skip


@tells(e.PaymentReleased)
def _released(t: Telling, d: e.PaymentReleased) -> str:
    return t.say("Nouvel essai, rien n'était parti : {payment}.", payment=t.payment(d.payment))


@tells(e.PaymentAccepted)
def _accepted(t: Telling, d: e.PaymentAccepted) -> str:
    return t.say("L'ordre est accepté, le règlement est attendu : {payment}.", payment=t.payment(d.payment))


@tells(e.PaymentUnknown)
def _unknown(t: Telling, d: e.PaymentUnknown) -> str:
    return t.say(
        "On ne sait pas encore ce qu'est devenu {payment} ; il ne sera pas refait.", payment=t.payment(d.payment)
    )


@tells(e.PaymentEnquired)
def _enquired(t: Telling, d: e.PaymentEnquired) -> str:
    return t.say("La banque est interrogée : {payment}.", payment=t.payment(d.payment))


@tells(e.PaymentLookedUp)
def _looked_up(t: Telling, d: e.PaymentLookedUp) -> str:
    return t.say("La question a été posée à la banque : {payment}.", payment=t.payment(d.payment))


@tells(e.PaymentDoubted)
def _doubted(t: Telling, d: e.PaymentDoubted) -> str:
    return t.say(
        "La banque a comparé le nom et le compte ({answer}) : {payment}.",
        answer=t.spoken(d.answer), payment=t.payment(d.payment),
    )  # fmt: skip


@tells(e.PaymentDoubtSettled)
def _doubt_settled(t: Telling, d: e.PaymentDoubtSettled) -> str:
    if d.decision == "keep":
        return t.say("{who} a vérifié le compte et maintient {payment}.", who=t.who, payment=t.payment(d.payment))
    return t.say("{who} retire auprès de la banque {payment}.", who=t.who, payment=t.payment(d.payment))


@tells(e.PaymentSettled)
def _settled(t: Telling, d: e.PaymentSettled) -> str:
    return t.say("C'est payé : {payment}.", payment=t.payment(d.payment))


@tells(e.PaymentRejected)
def _rejected(t: Telling, d: e.PaymentRejected) -> str:
    if t.by_someone and d.reason == "never-paid":
        return t.say(
            "{who} a noté que l'argent n'est jamais parti : {payment}.", who=t.who, payment=t.payment(d.payment)
        )
    return t.say(
        "La banque n'a pas accepté l'ordre ({why}) : {payment}.",
        why=t.spoken(d.reason or "unknown"),
        payment=t.payment(d.payment),
    )


@tells(e.PaymentSettledByHand)
def _by_hand(t: Telling, d: e.PaymentSettledByHand) -> str:
    return t.say("{who} a noté comme payé {payment}.", who=t.who, payment=t.payment(d.payment))


@tells(e.PaymentCancelled)
def _payment_cancelled(t: Telling, d: e.PaymentCancelled) -> str:
    return t.say("{who} a annulé {payment}, avant tout envoi.", who=t.who, payment=t.payment(d.payment))


@tells(e.PaymentReturned)
def _payment_returned(t: Telling, d: e.PaymentReturned) -> str:
    return t.say(
        "L'argent est revenu ({why}) : {payment}.", why=t.spoken(d.reason or "unknown"), payment=t.payment(d.payment)
    )


# --- receipts


@tells(e.ReceiptDue)
def _receipt_due(t: Telling, d: e.ReceiptDue) -> str:
    return t.say(
        "Un justificatif de {amount} est à remettre avant le {day}.", amount=t.money(d.amount), day=t.local_day(d.by)
    )


@tells(e.ReceiptOverdue)
def _overdue(t: Telling, d: e.ReceiptOverdue) -> str:
    return t.say("Le délai est passé, il reste à remettre {receipt}.", receipt=t.receipt(d.receipt))


@tells(e.ReceiptUnanswered)
def _unanswered(t: Telling, d: e.ReceiptUnanswered) -> str:
    return t.say("Le gestionnaire n'a pas répondu dans le délai sur {receipt}.", receipt=t.receipt(d.receipt))


@tells(e.ReceiptSubmitted)
def _submitted(t: Telling, d: e.ReceiptSubmitted) -> str:
    return t.say(
        "{who} a remis {receipt} ({amount}).", who=t.who, receipt=t.receipt(d.receipt), amount=t.money(d.amount)
    )


@tells(e.ReceiptPartAccepted)
def _in_part(t: Telling, d: e.ReceiptPartAccepted) -> str:
    return t.say(
        "{who} a accepté une partie de {receipt} ({amount}) ; le reste est à justifier avant le {day}.",
        who=t.who, receipt=t.receipt(d.receipt), amount=t.money(d.amount), day=t.local_day(d.by),
    )  # fmt: skip


@tells(e.ReceiptAccepted)
def _receipt_accepted(t: Telling, d: e.ReceiptAccepted) -> str:
    return t.say(
        "{who} a accepté {receipt} ({amount}).", who=t.who, receipt=t.receipt(d.receipt), amount=t.money(d.amount)
    )


@tells(e.ReceiptRefused)
def _receipt_refused(t: Telling, d: e.ReceiptRefused) -> str:
    return t.say("{who} a demandé de compléter {receipt}.", who=t.who, receipt=t.receipt(d.receipt))


@tells(e.ReceiptWaived)
def _receipt_waived(t: Telling, d: e.ReceiptWaived) -> str:
    return t.say("{who} a dispensé de remettre {receipt}.", who=t.who, receipt=t.receipt(d.receipt))
