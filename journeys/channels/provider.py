"""Payments by HTTP: one attempt under one key, and whatever is not a clear answer is a doubt. docs/providers.md says
what a provider takes and answers."""

import json
import re
import ssl
from dataclasses import dataclass, field
from typing import Any, Final

from journeys.channels.asking import ANSWER_SECONDS, CONNECT_SECONDS, Heard, Line, Silent
from journeys.channels.bank import BankAnswer, Order, PaymentFate
from journeys.channels.iban import WrongIban, check
from journeys.domain.banking import reference_of
from journeys.domain.payee import read_payee

_REASON: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SAID: Final = {
    "accepted": PaymentFate.ACCEPTED, "settled": PaymentFate.SETTLED, "rejected": PaymentFate.REJECTED,
}  # fmt: skip
_TAKEN: Final = frozenset({200, 201, 202})


@dataclass(frozen=True, slots=True)
class Provider:
    """Asks a provider at `url` (https, or http on a loopback address), each question once; it never raises."""

    url: str
    token: str = field(repr=False)
    connect_seconds: float = CONNECT_SECONDS
    answer_seconds: float = ANSWER_SECONDS
    trust: ssl.SSLContext | None = None
    """Whom to trust with TLS; None means the known authorities."""

    async def pay(self, order: Order) -> BankAnswer:
        """Ask to pay, once: accepted, settled, rejected; unsent when no byte of it left; else unknown."""
        payee = read_payee(order.payee)
        if payee.iban is None:
            return BankAnswer(PaymentFate.REJECTED, "no-account")
        if isinstance(found := check(payee.iban), WrongIban):
            return BankAnswer(PaymentFate.REJECTED, found.code)
        content = {
            "payment": order.payment, "reference": order.reference, "amount": order.amount, "currency": "EUR",
            "name": payee.name, "iban": payee.iban,
        }  # fmt: skip
        asked = await self._ask("POST", "/payments", content, {"idempotency-key": order.payment})
        if isinstance(asked, BankAnswer):
            return asked
        status, said = asked
        if status not in _TAKEN:
            return BankAnswer(PaymentFate.UNKNOWN, f"status-{status}")
        return _read(said, order.payment, order.amount)

    async def look_up(self, payment: str, amount: int) -> BankAnswer:
        """What became of a payment of so many cents; `not-found` only where the provider says so in so many words."""
        reference = reference_of(payment)
        asked = await self._ask("GET", f"/payments/{reference}", None, {})
        if isinstance(asked, BankAnswer):
            # A question that did not leave says nothing of what it asks about.
            return BankAnswer(PaymentFate.UNKNOWN, asked.reason)
        status, said = asked
        if status == 404 and said.get("reference") == reference and said.get("status") == "not-found":
            return BankAnswer(PaymentFate.NOT_FOUND)
        return _read(said, payment, amount) if status == 200 else BankAnswer(PaymentFate.UNKNOWN, f"status-{status}")

    async def _ask(
        self, method: str, path: str, content: dict[str, Any] | None, headers: dict[str, str]
    ) -> BankAnswer | tuple[int, dict[str, Any]]:
        """Status and JSON object of the answer; else what is known without one: `unsent` or `unknown`."""
        line = Line(self.connect_seconds, self.answer_seconds, self.trust)
        body = json.dumps(content, ensure_ascii=False).encode() if content is not None else None
        sent = {"authorization": f"Bearer {self.token}", **headers}
        match await line.ask(method, self.url.rstrip("/") + path, body, sent):
            case Silent(left=left, reason=reason):
                fate = PaymentFate.UNKNOWN if left else PaymentFate.UNSENT
                return BankAnswer(fate, "bank-unreachable" if reason == "unreachable" else reason)
            case Heard(status=status, said=None):
                return _UNREADABLE if status in _TAKEN else BankAnswer(PaymentFate.UNKNOWN, f"status-{status}")
            case Heard(status=status, said=said):
                assert said is not None
                return status, said


def _read(said: dict[str, Any], payment: str, amount: int) -> BankAnswer:
    """An answer counts for the payment that it names, by id, reference and amount, and for no other."""
    status, reason = said.get("status"), said.get("reason")
    fate = _SAID.get(status) if isinstance(status, str) else None
    named = (said.get("payment"), said.get("reference"), said.get("amount"))
    if fate is None or named != (payment, reference_of(payment), amount):
        return _UNREADABLE
    if fate is not PaymentFate.REJECTED:
        return BankAnswer(fate)
    return BankAnswer(fate, reason if isinstance(reason, str) and _REASON.fullmatch(reason) else "bank")


_UNREADABLE: Final = BankAnswer(PaymentFate.UNKNOWN, "wrong-answer")
