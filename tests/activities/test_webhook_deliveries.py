"""Telling a real receiver: signed as its own library expects, only where it is allowed, in order, nothing personal."""

import asyncio
import json
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
import standardwebhooks
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import Resources
from activities.tills import Tills
from activities.webhooks import Webhooks
from journeys.channels import webhook as channel
from journeys.channels.bank import SimulatedBank
from journeys.channels.letter import Fate, Sent
from journeys.channels.webhook import Messenger, is_public, signature
from journeys.contract import Deliver, Delivered, StopWebhook
from journeys.domain import commands as c
from journeys.domain.announcements import TYPES, About, Announcement, announce
from journeys.domain.events import KINDS
from journeys.store import journal, staff, webhooks
from journeys.store.directory import By
from journeys.store.signing import KeyRing
from journeys.store.webhooks import Origin, Webhook
from tests.activities.conftest import Life, Postman
from tests.store.samples import ACTOR, new_stream, plain
from tests.webhooks import Receiver, receiving, secret_of

RING = KeyRing("k1", {"k1": b"1" * 32, "k0": b"0" * 32})
BY = By(actor=ACTOR, role="administrator", at=datetime.now(UTC))
POST: dict[str, Any] = {"id": "journey-x_1", "at": datetime.now(UTC), "body": b"{}", "secrets": [b"s" * 32]}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as known:
        yield known


# --- one message


def test_the_signature_is_that_of_the_receivers_library() -> None:
    secret = b"\x31" * 24
    signed = signature(secret, "msg_1", 1674087231, b'{"type":"a"}')
    theirs = standardwebhooks.Webhook(secret).sign("msg_1", datetime.fromtimestamp(1674087231, UTC), '{"type":"a"}')
    assert signed == theirs and signed.startswith("v1,")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(200, ""), (204, ""), (202, ""), (302, "redirect"), (400, "status-400"), (410, "status-410"), (500, "status-500")],
)
async def test_what_a_receiver_answers(receiver: Receiver, status: int, reason: str) -> None:
    receiver.script = [status]
    posted = await Messenger((receiver.host,)).post(receiver.url, **POST)
    assert (posted.taken, posted.reason, posted.gone) == (reason == "", reason, status == 410)
    assert len(receiver.got) == 1, "a redirect is not followed, nothing is tried twice"


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [(429, "120", 120), (503, " 7 ", 7), (503, "Wed, 21 Oct 2015 07:28:00 GMT", 0), (503, "soon", None),
     (503, "-5", None), (429, "9" * 40, 999_999_999_999), (500, "120", None), (204, "120", None)],
)  # fmt: skip
async def test_when_an_overloaded_receiver_asks_to_be_asked_again(
    receiver: Receiver, status: int, said: str, seconds: float | None
) -> None:
    receiver.script, receiver.retry_after = [status], said
    posted = await Messenger((receiver.host,)).post(receiver.url, **POST)
    assert posted.after_seconds == seconds


async def test_patience_has_an_end(receiver: Receiver) -> None:
    receiver.slow_seconds, begun = 1.0, time.monotonic()
    posted = await Messenger((receiver.host,), timeout_seconds=0.2).post(receiver.url, **POST)
    assert (posted.taken, posted.reason) == (False, "timeout")
    assert time.monotonic() - begun < 0.9


async def test_an_endless_answer_is_not_read() -> None:
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
        try:
            while sent < 1_000_000_000:
                writer.write(b"x" * 65_536)
                await writer.drain()
                sent += 65_536
        except ConnectionError:
            pass

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    assert (await Messenger((host,)).post(f"http://{host}/", **POST)).taken
    server.close()
    assert sent < 50_000_000


async def test_nobody_there() -> None:
    posted = await Messenger(("127.0.0.1:1",)).post("http://127.0.0.1:1/", **POST)
    assert (posted.taken, posted.reason) == (False, "unreachable")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://crm.example.org/in", None),
        ("https://crm.example.org/in?token=a", None),
        ("https://crm.example.org:443/in", None),
        ("http://127.0.0.1:8080/in", None),
        ("https://127.0.0.1:8080/in", None),
        ("http://crm.example.org/in", "not-https"),
        ("http://10.0.0.1/in", "not-https"),
        ("https://crm.example.org:8443/in", "host-not-allowed"),
        ("https://sub.crm.example.org/in", "host-not-allowed"),
        ("https://evil.example/crm.example.org", "host-not-allowed"),
        ("http://localhost/in", "host-not-allowed"),
        ("http://127.0.0.1/in", "host-not-allowed"),
        ("http://127.1:8080/in", "not-https"),
        ("https://user:pw@crm.example.org/in", "not-a-url"),
        ("https://crm.example.org@evil.example/in", "not-a-url"),
        ("https://crm.example.org/in#part", "not-a-url"),
        ("https://crm.example.org/é", "not-a-url"),
        ("https://crm.example.org/a b", "not-a-url"),
        ("https://crm.example.org/a\nb", "not-a-url"),
        ("https://crm.example.org/" + "a" * 2000, "not-a-url"),
        ("ftp://crm.example.org/in", "not-a-url"),
        ("file:///etc/passwd", "not-a-url"),
        ("//crm.example.org/in", "not-a-url"),
        ("https://", "not-a-url"),
        ("https://[::1", "not-a-url"),
        ("https://crm.example.org:99999/in", "host-not-allowed"),
        ("", "not-a-url"),
    ],
)
def test_where_nothing_is_posted(url: str, reason: str | None) -> None:
    assert Messenger(("crm.example.org", "127.0.0.1:8080")).refuses(url) == reason


async def test_a_host_that_is_not_allowed_is_not_even_called(receiver: Receiver) -> None:
    posted = await Messenger(("crm.example.org",)).post(receiver.url, **POST)
    assert (posted.taken, posted.reason, receiver.got) == (False, "host-not-allowed", [])


async def test_without_the_list_it_would_be_called(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard taken away."""
    monkeypatch.setattr(channel, "host_allowed", lambda *_: True)
    assert (await Messenger(()).post(receiver.url, **POST)).taken


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True), ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True), ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False), ("0.0.0.0", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False), ("::1", False), ("::", False),
        ("fe80::1", False), ("fd00::1", False), ("ff02::1", False), ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False), ("64:ff9b::7f00:1", False), ("fe80::1%eth0", False), ("", False),
    ],
)  # fmt: skip
def test_which_addresses_are_of_the_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For `localhost` and `crm.example.org`, by nobody in particular."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("crm.example.org")]), False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    form = serialization.Encoding.PEM
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(form))
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiving(lambda socket: context.wrap_socket(socket, server_side=True), "https") as known:
        yield known


async def loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def test_by_tls_under_the_name_and_to_the_address_that_was_looked_at(
    secure: Receiver, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    host = f"localhost:{secure.port}"
    assert (await Messenger((host,), trust=trust).post(f"https://{host}/in", **POST)).taken
    assert secure.got[0].headers["host"] == host

    named = f"crm.example.org:{secure.port}"
    messenger = Messenger((named,), trust=trust, resolve=loopback)
    refused = await messenger.post(f"https://{named}/in", **POST)
    assert (refused.taken, refused.reason, len(secure.got)) == (False, "address-not-allowed", 1)
    # The guard taken away: the certificate is that of the name, so nothing else would have stopped it.
    monkeypatch.setattr(channel, "is_public", lambda _: True)
    assert (await messenger.post(f"https://{named}/in", **POST)).taken
    assert secure.got[1].headers["host"] == named


async def test_one_address_within_is_enough_to_refuse() -> None:
    async def both(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "10.0.0.1"]

    posted = await Messenger(("crm.example.org",), resolve=both).post("https://crm.example.org/in", **POST)
    assert posted.reason == "address-not-allowed"


async def test_a_certificate_of_nobody_or_of_another_name_is_refused(secure: Receiver, certificate: Path) -> None:
    host = f"localhost:{secure.port}"
    assert (await Messenger((host,)).post(f"https://{host}/in", **POST)).reason == "unreachable"
    trust = ssl.create_default_context(cafile=str(certificate))
    by_address = Messenger((secure.host,), trust=trust)
    assert (await by_address.post(secure.url, **POST)).reason == "unreachable"
    assert secure.got == []


# --- deliveries


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
def resources(journal_pool: Any, receiver: Receiver, postman: Postman) -> Resources:
    return Resources(
        pool=journal_pool, ring=RING, tills=Tills({"sepa": SimulatedBank(journal_pool)}), mailer=postman,
        messenger=Messenger((receiver.host,), timeout_seconds=1.0), association="L’association",
    )  # fmt: skip


@pytest_asyncio.fixture
async def hook(journal_pool: Any, receiver: Receiver) -> Webhook:
    return await subscribe(journal_pool, receiver.url, "NoteAdded")


async def subscribe(pool: Any, url: str, *kinds: str, key: str = "k1") -> Webhook:
    made = Webhook(id=str(uuid4()), url=url, kinds=kinds, made_at=BY.at, origin=Origin(key, 1))
    await webhooks.add(pool, made, BY)
    return made


async def noted(pool: Any, stream: str, before: int, count: int) -> None:
    await journal.append(pool, RING, plain(stream, before, count))


async def deliver(resources: Resources, hook: Webhook, **asked: Any) -> Delivered:
    wanted = Deliver(webhook=hook.id, **{"room": 3, "wait_seconds": 0, **asked})
    done: Delivered = await ActivityEnvironment().run(Webhooks(resources).deliver, wanted)
    return done


async def test_each_event_once_signed_and_in_order(
    resources: Resources, receiver: Receiver, journal_pool: Any, hook: Webhook
) -> None:
    streams = [new_stream() for _ in range(2)]
    for stream in streams:
        await noted(journal_pool, stream, 0, 55)
    assert await deliver(resources, hook) == Delivered(taken=110)
    for stream in streams:
        assert [id for id in receiver.ids if id.startswith(stream)] == [f"{stream}_{seq}" for seq in range(1, 56)]
    secret = secret_of(RING, hook)
    assert all(got.holds(secret) for got in receiver.got)
    altered = replace(receiver.got[0], body=receiver.got[0].body.replace(b'"seq":1', b'"seq":2'))
    assert not altered.holds(secret)
    assert await deliver(resources, hook) == Delivered()
    assert (await webhooks.webhook(journal_pool, hook.id)).sent_at is not None  # type: ignore[union-attr]


async def test_it_waits_for_what_is_to_come(
    resources: Resources, receiver: Receiver, journal_pool: Any, hook: Webhook
) -> None:
    waiting = asyncio.create_task(deliver(resources, hook, wait_seconds=30))
    await asyncio.sleep(0.3)
    stream = new_stream()
    await noted(journal_pool, stream, 0, 1)
    assert await asyncio.wait_for(waiting, 5) == Delivered(taken=1)
    assert receiver.ids == [f"{stream}_1"]


async def test_a_worker_that_is_to_end_does_not_wait(resources: Resources, hook: Webhook) -> None:
    environment = ActivityEnvironment()
    asked = Deliver(webhook=hook.id, room=3, wait_seconds=600)
    waiting = asyncio.create_task(environment.run(Webhooks(resources).deliver, asked))
    await asyncio.sleep(0.3)
    environment.worker_shutdown()
    assert await asyncio.wait_for(waiting, 3) == Delivered()


async def test_a_journey_that_fails_waits_and_keeps_its_order_others_go_on(
    resources: Resources, receiver: Receiver, journal_pool: Any, hook: Webhook
) -> None:
    bad, good = sorted([new_stream(), new_stream()])
    await noted(journal_pool, bad, 0, 3)
    await noted(journal_pool, good, 0, 2)
    receiver.answer = lambda got: 500 if got.id == f"{bad}_2" else 200
    assert await deliver(resources, hook) == Delivered(taken=3, failed={bad: "status-500"})
    assert receiver.ids == [f"{bad}_1", f"{bad}_2", f"{good}_1", f"{good}_2"]
    troubled = await webhooks.webhook(journal_pool, hook.id)
    assert troubled is not None and troubled.trouble == "status-500" and troubled.troubled_since is not None
    receiver.got.clear()
    await noted(journal_pool, good, 2, 1)
    assert await deliver(resources, hook, without=(bad,), room=2) == Delivered(taken=1)
    receiver.answer = None
    assert await deliver(resources, hook, again=(bad,)) == Delivered(taken=2, recovered=(bad,))
    assert receiver.ids == [f"{good}_3", f"{bad}_2", f"{bad}_3"]


async def test_a_receiver_that_is_away_is_not_asked_for_each_journey(
    resources: Resources, receiver: Receiver, journal_pool: Any, hook: Webhook
) -> None:
    for _ in range(20):
        await noted(journal_pool, new_stream(), 0, 1)
    receiver.answer = lambda _: 503
    done = await deliver(resources, hook)
    assert set(done.failed.values()) == {"status-503"}
    assert len(done.failed) == len(receiver.got) == 3
    assert (await deliver(resources, hook, without=tuple(done.failed), room=1)).failed.keys().isdisjoint(done.failed)


async def test_gone_is_said_at_once(resources: Resources, receiver: Receiver, journal_pool: Any, hook: Webhook) -> None:
    await noted(journal_pool, new_stream(), 0, 2)
    receiver.script = [410]
    assert (await deliver(resources, hook)).state == "gone"
    assert len(receiver.got) == 1


async def test_paused_ended_and_unknown_ones_are_not_told(
    resources: Resources, receiver: Receiver, journal_pool: Any, hook: Webhook
) -> None:
    await noted(journal_pool, new_stream(), 0, 2)
    for state in ("paused", "ended"):
        await webhooks.set_state(journal_pool, hook.id, state, "asked", BY)  # type: ignore[arg-type]
        assert await deliver(resources, hook, wait_seconds=60) == Delivered(state=state)  # type: ignore[arg-type]
    assert await deliver(resources, replace(hook, id=str(uuid4()))) == Delivered(state="ended")
    assert receiver.got == []


async def test_an_end_holds_in_the_middle_of_a_delivery(
    resources: Resources, receiver: Receiver, journal_pool: Any, hook: Webhook
) -> None:
    for _ in range(4):
        await noted(journal_pool, new_stream(), 0, 1)
    receiver.slow_seconds = 0.4
    delivering = asyncio.create_task(deliver(resources, hook))
    await asyncio.sleep(0.2)
    await webhooks.set_state(journal_pool, hook.id, "ended", "asked", BY)
    assert (await delivering).taken <= 2
    assert await deliver(resources, hook) == Delivered(state="ended")


async def test_a_rotated_secret_and_the_former_one_both_hold(
    resources: Resources, receiver: Receiver, journal_pool: Any, hook: Webhook
) -> None:
    former = secret_of(RING, hook)
    rotated = await webhooks.rotate(journal_pool, hook.id, "k0", BY)
    await noted(journal_pool, new_stream(), 0, 1)
    await deliver(resources, hook)
    (got,) = receiver.got
    assert len(got.headers["webhook-signature"].split()) == 2
    assert got.holds(former) and got.holds(secret_of(RING, rotated)) and former != secret_of(RING, rotated)
    await journal_pool.execute("UPDATE webhooks SET old_until = now()")
    await noted(journal_pool, new_stream(), 0, 1)
    await deliver(resources, hook)
    assert receiver.got[1].holds(secret_of(RING, rotated)) and not receiver.got[1].holds(former)


async def test_without_its_key_nothing_leaves(
    resources: Resources, receiver: Receiver, journal_pool: Any, hook: Webhook
) -> None:
    stream = new_stream()
    await noted(journal_pool, stream, 0, 1)
    other = replace(resources, ring=KeyRing("k2", {"k2": b"2" * 32}))
    assert (await deliver(other, hook)).failed == {stream: "no-key"}
    assert receiver.got == []


async def test_a_lost_database_is_raised_for_the_engine_to_try_again(
    resources: Resources, journal_pool: Any, hook: Webhook
) -> None:
    await journal_pool.execute("SELECT 1")
    await journal_pool.close()
    with pytest.raises(ApplicationError) as raised:
        await deliver(resources, hook)
    assert not raised.value.non_retryable and hook.url not in str(raised.value)


# --- what is told


def test_the_message_is_exactly_this() -> None:
    assert Announcement.model_fields.keys() == {"type", "timestamp", "data"}
    assert About.model_fields.keys() == {"journey", "seq", "kind"}
    assert set(TYPES.values()) == KINDS.keys() and len(TYPES) == len(KINDS)
    assert all(re.fullmatch(r"journey\.[a-z]+(_[a-z]+)*", each) for each in TYPES)
    header = {
        "stream": "journey-0190b5a0-0000-7000-8000-00000000000a", "seq": 7, "kind": "MilestoneReached",
        "recorded_at": "2027-05-12T07:30:00.000000Z", "data": {"milestone": "secret"}, "actor": "someone",
    }  # fmt: skip
    assert json.loads(announce(header).model_dump_json()) == {
        "type": "journey.milestone_reached",
        "timestamp": "2027-05-12T07:30:00.000000Z",
        "data": {"journey": "0190b5a0-0000-7000-8000-00000000000a", "seq": 7, "kind": "MilestoneReached"},
    }


async def test_a_life_is_told_without_a_word_of_it(life: Life, receiver: Receiver) -> None:
    """Everything that happens to Éloïse: her name, her notes, her ids besides the journey's stay at home."""
    pool = life.pool
    hook = await subscribe(pool, receiver.url, *KINDS, key="test")
    await webhooks.rewind(pool, hook.id, life.stream.removeprefix("journey-"), 1, BY)
    life.use(messenger=Messenger((receiver.host,)))
    await life.do(c.AddNote(), text="Éloïse va bien, 06 12 34 56 78")
    await life.granted("FR7630006000011234567890189")
    await life.missed()
    await life.do(c.RecordDeath(on=life.now.date()))
    await deliver(life.resources, hook)
    events = await journal.read_all(pool, life.stream)
    mine = [got for got in receiver.got if got.id.startswith(life.stream)]
    assert [got.id for got in mine] == [f"{life.stream}_{event.seq}" for event in events]
    assert len(events) > 15
    for got, event in zip(mine, events, strict=True):
        told = json.loads(got.body)
        header = event.read()
        assert told == {
            "type": told["type"],
            "timestamp": header["recorded_at"],
            "data": {"journey": life.stream.removeprefix("journey-"), "seq": event.seq, "kind": event.kind},
        }
        assert TYPES[told["type"]] == event.kind
        everything = got.body.decode() + json.dumps(got.headers)
        for word in ("loïse", "uvre", "example.org", "06 12", "FR76", life.person, life.referent, life.supervisor):
            assert word not in everything
    await webhooks.set_state(pool, hook.id, "ended", "asked", BY)


# --- who is told that it does not go on


async def hire(pool: Any, handle: str, *roles: str, email: str | None = "x") -> None:
    member = staff.Member(
        id=str(uuid4()), handle=handle, name=f"{handle.title()} M", email=email and f"{handle}@example.org",
        phone=None, language="en", roles=roles, sites=(), active=True,
    )  # fmt: skip
    await staff.add(pool, member, BY)


async def stop(resources: Resources, hook: Webhook, why: str = "failing") -> None:
    stopped = StopWebhook(webhook=hook.id, why=why, reason="status-500")  # type: ignore[arg-type]
    await ActivityEnvironment().run(Webhooks(resources).stop, stopped)


@pytest.mark.parametrize(("why", "state"), [("failing", "paused"), ("gone", "ended"), ("stuck", "active")])
async def test_administrators_are_told(
    resources: Resources, postman: Postman, journal_pool: Any, hook: Webhook, why: str, state: str
) -> None:
    await hire(journal_pool, "claire", "administrator")
    await hire(journal_pool, "aline", "referent")
    await webhooks.note_trouble(journal_pool, hook.id, "status-500", BY.at)
    await stop(resources, hook, why)
    now = await webhooks.webhook(journal_pool, hook.id)
    assert now is not None and now.state == state
    assert postman.recipients == ["claire@example.org"]
    (letter,) = postman.letters
    assert "status-500" in letter.body and hook.id in letter.body and hook.url not in letter.body
    # Once more, as after a lost worker: the same letter, which a mail program knows by its id.
    await stop(resources, hook, why)
    assert letter.id == postman.letters[1].id


async def test_the_desk_where_no_administrator_has_an_address(
    resources: Resources, postman: Postman, journal_pool: Any, hook: Webhook
) -> None:
    await hire(journal_pool, "claire", "administrator", email=None)
    await stop(replace(resources, duty_address="astreinte@example.org"), hook)
    assert postman.recipients == ["astreinte@example.org"]


async def test_a_mail_server_that_is_away_is_tried_again(
    resources: Resources, postman: Postman, journal_pool: Any, hook: Webhook
) -> None:
    await hire(journal_pool, "claire", "administrator")
    await webhooks.note_trouble(journal_pool, hook.id, "status-500", BY.at)
    postman.answers = [Sent(Fate.NOTHING_LEFT, "mail-unreachable")]
    with pytest.raises(ApplicationError, match="nobody could be told"):
        await stop(resources, hook)
    # Resumed by hand while the mail waits: the second attempt tells, and leaves it running.
    await webhooks.set_state(journal_pool, hook.id, "active", None, BY)
    await stop(resources, hook)
    now = await webhooks.webhook(journal_pool, hook.id)
    assert now is not None and now.state == "active" and len(postman.letters) == 2
