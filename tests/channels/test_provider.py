"""The interface of a provider against real servers: one attempt, and nothing but a clear answer is an answer."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from journeys.channels import asking
from journeys.channels.asking import MOST_BYTES
from journeys.channels.bank import BankAnswer, Order, PaymentFate
from journeys.channels.provider import Provider
from journeys.domain.banking import reference_of
from tests.bank.ledger import Way, knocks, open_ledger, paid
from tests.bank.process import TOKEN, bank_process
from tests.bank.server import Bank, serve

PAYMENT = "0190b5a0-0000-7000-8000-00000000000a"
IBAN = "FR76 3000 6000 0112 3456 7890 189"
GOOD: dict[str, Any] = {"payment": PAYMENT, "reference": reference_of(PAYMENT), "amount": 100, "status": "accepted"}


def order(payment: str = PAYMENT, name: str = "Auto-école", amount: int = 100) -> Order:
    return Order(payment, amount, f"{name}, {IBAN}", "http")


@dataclass
class Host:
    """A server that answers as the test says, byte for byte."""

    answer: bytes = b""
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    write: Callable[[Any], None] | None = None

    @property
    def provider(self) -> Provider:
        return Provider(f"http://127.0.0.1:{self.port}", TOKEN, connect_seconds=1.0, answer_seconds=1.0)


@contextmanager
def hosting(answer: bytes = b"", write: Callable[[Any], None] | None = None) -> Iterator[Host]:
    known = Host(answer, write=write)

    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            got = b""
            while b"\r\n\r\n" not in got:
                got += self.request.recv(65_536) or b"\r\n\r\n"
            known.requests.append(got)
            try:
                if known.write is not None:
                    known.write(self.request)
                else:
                    self.request.sendall(known.answer)
            except OSError:
                pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    known.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()


def http(status: str, body: object, *headers: str) -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(text)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + text


def drip(request: Any) -> None:
    """An answer that never ends, a byte at a time."""
    request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(60):
        request.sendall(b" ")
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({}, BankAnswer(PaymentFate.ACCEPTED)),
        ({"status": "settled"}, BankAnswer(PaymentFate.SETTLED)),
        ({"status": "rejected", "reason": "account-closed"}, BankAnswer(PaymentFate.REJECTED, "account-closed")),
        ({"status": "rejected", "reason": "Compte de M. Untel"}, BankAnswer(PaymentFate.REJECTED, "bank")),
    ],
)
async def test_what_a_clear_answer_says(said: dict[str, str], answer: BankAnswer) -> None:
    with hosting(http("200 OK", {**GOOD, **said, "more": [1]})) as host:
        assert await host.provider.pay(order()) == answer
    (request,) = host.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert f"idempotency-key: {PAYMENT}".encode() in head.lower() and f"bearer {TOKEN}".encode() in head.lower()
    if body:
        assert json.loads(body) == {
            "payment": PAYMENT, "reference": reference_of(PAYMENT), "amount": 100, "currency": "EUR",
            "name": "Auto-école", "iban": "FR7630006000011234567890189",
        }  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        http("200 OK", {**GOOD, "status": "paid"}),
        http("200 OK", {**GOOD, "status": ["accepted"]}),
        http("200 OK", {**GOOD, "reference": "OTHER"}),
        http("200 OK", {**GOOD, "payment": "0190b5a0-0000-7000-8000-00000000000b"}),
        http("200 OK", {**GOOD, "amount": 101}),
        http("200 OK", {"status": "rejected"}),
        http("200 OK", b"accepted"),
        http("200 OK", [GOOD]),
        http("200 OK", b"[" * 60_000),
        http("200 OK", b"\xff\xfe"),
        http("200 OK", json.dumps(GOOD).encode() + b" " * (MOST_BYTES + 1)),
        http("200 OK", b"\x1f\x8b\x08\x00", "Content-Encoding: gzip"),
        http("302 Found", GOOD, "Location: /elsewhere"),
        http("307 Temporary Redirect", GOOD, "Location: http://127.0.0.1:1/payments"),
        http("204 No Content", b""),
        http("400 Bad Request", {**GOOD, "status": "rejected"}),
        http("404 Not Found", {"reference": reference_of(PAYMENT), "status": "not-found"}),
        http("409 Conflict", {"error": "other content"}),
        http("429 Too Many Requests", b"", "Retry-After: 1"),
        http("503 Service Unavailable", b""),
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
async def test_whatever_else_is_said_is_a_doubt_and_said_once(answer: bytes) -> None:
    with hosting(answer) as host:
        assert (await host.provider.pay(order())).fate is PaymentFate.UNKNOWN
        assert len(host.requests) == 1
        assert (await host.provider.look_up(PAYMENT, 100)).fate in (PaymentFate.UNKNOWN, PaymentFate.NOT_FOUND)


async def test_an_answer_that_drips_is_left_after_a_while() -> None:
    with hosting(write=drip) as host:
        began = time.monotonic()
        assert await host.provider.pay(order()) == BankAnswer(PaymentFate.UNKNOWN, "timeout")
        assert time.monotonic() - began < 3


async def test_nothing_left_only_where_nothing_was_written() -> None:
    """A door that is shut, a name that leads nowhere, a host that speaks no TLS: unsent."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        shut = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    for url in (shut, "http://nowhere.invalid"):
        assert (await Provider(url, TOKEN, connect_seconds=1.0).pay(order())).fate is PaymentFate.UNSENT
        assert (await Provider(url, TOKEN, connect_seconds=1.0).look_up(PAYMENT, 100)).fate is PaymentFate.UNKNOWN
    with hosting(http("400 Bad Request", b"")) as host:
        plain = Provider(f"https://127.0.0.1:{host.port}", TOKEN, connect_seconds=1.0, answer_seconds=2.0)
        assert (await plain.pay(order())).fate is PaymentFate.UNSENT


async def test_a_connection_that_breaks_after_the_request_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what the library says of a failure is believed only where nothing was written. Without that look, it is."""

    def slam(request: Any) -> None:
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        request.close()

    with hosting(write=slam) as host:
        assert (await host.provider.pay(order())).fate is PaymentFate.UNKNOWN
        monkeypatch.setattr(asking.httpx, "ReadError", asking.httpx.ConnectError)
        broken = asking.httpx.AsyncClient.send

        async def as_if_never_connected(*given: Any, **more: Any) -> Any:
            try:
                return await broken(*given, **more)
            except asking.httpx.HTTPError as error:
                raise asking.httpx.ConnectError("") from error

        monkeypatch.setattr(asking.httpx.AsyncClient, "send", as_if_never_connected)
        assert (await host.provider.pay(order())).fate is PaymentFate.UNKNOWN
        monkeypatch.setattr(asking, "_WRITING", ("never",))
        assert (await host.provider.pay(order())).fate is PaymentFate.UNSENT


async def test_a_payee_without_an_account_goes_nowhere() -> None:
    with hosting(http("200 OK", GOOD)) as host:
        said = await host.provider.pay(Order(PAYMENT, 100, "Samir Benali", "http"))
        assert said == BankAnswer(PaymentFate.REJECTED, "no-account")
        said = await host.provider.pay(Order(PAYMENT, 100, IBAN[:-1] + "8", "http"))
        assert said == BankAnswer(PaymentFate.REJECTED, "iban-key") and host.requests == []


# --- the fake bank


NTH = "0190b5a0-0000-7000-8000-0000000000{:02x}"


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[tuple[Provider, Path]]:
    path = tmp_path / "ledger"
    server = serve(Bank(open_ledger(path), late_seconds=0.2, hang_seconds=3.0))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield Provider(f"http://127.0.0.1:{server.server_port}", TOKEN, answer_seconds=1.5), path
    server.shutdown()
    server.server_close()


async def test_each_of_its_eight_ways_and_what_a_look_up_then_says(bank: tuple[Provider, Path]) -> None:
    known, path = bank
    expected = {
        Way.ACCEPTS: ("accepted", "settled"), Way.REFUSES: ("rejected", "rejected"),
        Way.TIMES_OUT: ("unknown", "settled"), Way.ERROR: ("unknown", "settled"),
        Way.SILENCE: ("unknown", "not-found"), Way.LATE: ("accepted", "settled"),
        Way.TWICE: ("accepted", "settled"), Way.RETURNS: ("accepted", "settled"),
    }  # fmt: skip
    ways = dict(enumerate(Way))
    said = await asyncio.gather(*(known.pay(order(NTH.format(n), f"BANK-{way.upper()}")) for n, way in ways.items()))
    looked = await asyncio.gather(*(known.look_up(NTH.format(n), 100) for n in ways))
    assert {
        way: (first.fate.value, then.fate.value) for way, first, then in zip(Way, said, looked, strict=True)
    } == expected
    assert sum(map(len, paid(path).values())) == 6
    assert knocks(path) == dict.fromkeys(Way, 1)


async def test_one_key_pays_once_and_no_key_pays_each_time(
    bank: tuple[Provider, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key taken away, from outside: the bank cannot know a payment again."""
    known, path = bank
    for _ in range(3):
        await known.pay(order())
    assert (await known.pay(order(amount=101))).reason == "status-409"
    assert paid(path) == {reference_of(PAYMENT): [100]}
    ask = Provider._ask

    async def without_key(self: Provider, method: str, path: str, content: Any, headers: dict[str, str]) -> Any:
        return await ask(self, method, path, content, {})

    monkeypatch.setattr(Provider, "_ask", without_key)
    for _ in range(2):
        await known.pay(order())
    assert paid(path) == {reference_of(PAYMENT): [100, 100, 100]}


async def test_its_ledger_outlives_a_kill(tmp_path: Path) -> None:
    with bank_process(tmp_path / "ledger", "--hang-seconds", "0.3") as process:
        known = Provider(process.url, TOKEN, answer_seconds=0.2)
        assert (await known.pay(order(name="BANK-TIMES-OUT"))).fate is PaymentFate.UNKNOWN
        process.kill()
        assert (await known.pay(order())).fate is PaymentFate.UNSENT
        process.begin()
        assert (await known.look_up(PAYMENT, 100)).fate is PaymentFate.SETTLED
    assert paid(tmp_path / "ledger") == {reference_of(PAYMENT): [100]}
