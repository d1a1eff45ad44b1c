"""Payments by HTTP: one attempt under one key, and whatever is not a clear answer is a doubt. docs/providers.md says
what a provider takes and answers."""

import asyncio
import json
import re
import ssl
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpx

from journeys.channels.bank import BankAnswer, Order, PaymentFate
from journeys.channels.iban import WrongIban, check
from journeys.domain.banking import reference_of
from journeys.domain.payee import read_payee

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 20.0
"""For the whole of one question, however slowly its answer drips."""
MOST_BYTES: Final = 64_000

_REASON: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SAID: Final = {
    "accepted": PaymentFate.ACCEPTED, "settled": PaymentFate.SETTLED, "rejected": PaymentFate.REJECTED,
}  # fmt: skip
_TAKEN: Final = frozenset({200, 201, 202})
_WRITING: Final = ("http11.send_request_headers", "http2.send_connection_init", "http2.send_request_headers")
"""From here on something of the request may have left."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Asks a provider at `url` (https, or http on a loopback address), each question once; it answers, it never raises.

    Redirects are not followed, proxies and passwords of the environment not used, nothing is sent again on a connection
    that broke, and no connection is used twice.
    """

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
        wrote = False

        async def trace(event: str, _: object) -> None:
            nonlocal wrote
            wrote = wrote or event.startswith(_WRITING)

        sent = {
            "accept": "application/json", "accept-encoding": "identity", "authorization": f"Bearer {self.token}",
            "user-agent": "release-journeys", **headers,
        }  # fmt: skip
        try:
            async with asyncio.timeout(self.answer_seconds), self._client() as client:
                request = client.build_request(
                    method, self.url.rstrip("/") + path, json=content, headers=sent, extensions={
                        "trace": trace, "timeout": httpx.Timeout(self.answer_seconds, connect=self.connect_seconds
                    ).as_dict()},
                )  # fmt: skip
                return await _answer(await client.send(request, stream=True))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            # Only what fails before anything is written is sure not to have left.
            fate = PaymentFate.UNKNOWN if wrote else PaymentFate.UNSENT
            return BankAnswer(fate, "timeout" if isinstance(error, httpx.TimeoutException) else "bank-unreachable")
        except (TimeoutError, httpx.TimeoutException):
            return BankAnswer(PaymentFate.UNKNOWN, "timeout")
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return BankAnswer(PaymentFate.UNKNOWN, "no-answer")

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            follow_redirects=False, trust_env=False, verify=self.trust or _authorities(),
            limits=httpx.Limits(max_keepalive_connections=0),
        )  # fmt: skip


@cache
def _authorities() -> ssl.SSLContext:
    """Read once: it takes longer than a payment."""
    return httpx.create_ssl_context(trust_env=False)


async def _answer(response: httpx.Response) -> BankAnswer | tuple[int, dict[str, Any]]:
    """So much of an answer as any has, as JSON; what is packed is not unpacked."""
    body = b""
    try:
        if response.headers.get("content-encoding", "identity") != "identity":
            return _UNREADABLE
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                return _UNREADABLE
    finally:
        await response.aclose()
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict):
        return response.status_code, said
    return _UNREADABLE if response.status_code in _TAKEN else BankAnswer(
        PaymentFate.UNKNOWN, f"status-{response.status_code}"
    )  # fmt: skip


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
