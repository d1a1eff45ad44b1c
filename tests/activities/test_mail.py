"""Mail against real servers: what each kind of trouble proves, and what leaves."""

import asyncio
import email
import email.policy
import socket
import ssl
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as ServerProtocol
from aiosmtpd.smtp import AuthResult

from journeys.channels.letter import BadAddress, Fate, Letter, compose
from journeys.channels.mail import OF_THE_ACCOUNT, SmtpMailer, SmtpServer
from journeys.domain.person import DEAD

AT = datetime(2027, 5, 12, 7, 0, tzinfo=UTC)
SENDER = "suivi@association.example"


class Inbox:
    """A handler of aiosmtpd that keeps what it takes, or misbehaves as told."""

    def __init__(
        self, *, mail: str = "250 ok", rcpt: str = "250 ok", data: str = "250 taken", drop: bool = False,
        takes_seconds: float = 0.0,
    ) -> None:  # fmt: skip
        self.mail, self.rcpt, self.data, self.drop, self.takes_seconds = mail, rcpt, data, drop, takes_seconds
        self.taken: list[bytes] = []

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.mail.startswith("250"):
            envelope.mail_from = address
        return self.mail

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(envelope.content)
        await asyncio.sleep(self.takes_seconds)
        if self.drop:
            server.transport.abort()
        return self.data


@contextmanager
def serving(inbox: Inbox, **options: Any) -> Iterator[int]:
    controller = Controller(inbox, hostname="127.0.0.1", port=0, **options)
    # aiosmtpd knocks at its own port once; with port 0 it must learn it first
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = free.getsockname()[1]
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@asynccontextmanager
async def speaking(lines: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> AsyncIterator[int]:
    """A server that speaks as badly as the test wants."""
    server = await asyncio.start_server(lines, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def mailer(port: int, **options: Any) -> SmtpMailer:
    given: dict[str, Any] = {"tls": "none", "timeout_seconds": 2.0, **options}
    return SmtpMailer(SmtpServer(host="127.0.0.1", port=port, sender=SENDER, **given))


def letter(**changes: Any) -> Letter:
    given: dict[str, Any] = {
        "id": str(uuid.uuid4()), "to": "eloise@example.org", "subject": "Rendez-vous le 12 mai à 9 h",
        "body": "Bonjour Éloïse,\n\n.un point seul\n.\nÀ bientôt\n", "lang": "fr", "at": AT, **changes,
    }  # fmt: skip
    return Letter(**given)


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


async def test_a_letter_arrives_whole() -> None:
    inbox, sent = Inbox(), letter()
    with serving(inbox) as port:
        assert (await mailer(port).send(sent)).fate is Fate.SENT
    (raw,) = inbox.taken
    message = read(raw)
    assert message["Subject"] == sent.subject
    assert message["From"] == SENDER
    assert message["To"] == "eloise@example.org"
    assert message["Message-ID"] == f"<{sent.id}@association.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == AT
    assert message.get_content().replace("\r\n", "\n") == sent.body


async def test_a_letter_says_how_to_stop_at_one_click_and_no_text_adds_a_header() -> None:
    inbox = Inbox()
    stop = f"https://parcours.example.org/lien/stop/{'Xy3k' * 12}"
    with serving(inbox) as port:
        await mailer(port).send(letter(unsubscribe=stop))
        await mailer(port).send(
            letter(unsubscribe=f"{stop}\r\nBcc: all@example.org", subject="A\r\nBcc: b@example.org")
        )
        await mailer(port).send(letter())
    raw = inbox.taken[0].decode()
    assert f"\r\nList-Unsubscribe: <{stop}>\r\n" in raw, "neither cut nor encoded"
    assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert all(len(line) <= 78 for line in raw.partition("\r\n\r\n")[2].splitlines())
    _, second, third = map(read, inbox.taken)
    assert second["Bcc"] is None and third["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    ("inbox", "fate", "reason"),
    [
        (Inbox(mail="451 later"), Fate.NOTHING_LEFT, "mail-451"),
        (Inbox(mail="530 log in first"), Fate.NOTHING_LEFT, "mail-530"),
        (Inbox(mail="550 not an address of yours"), Fate.NOTHING_LEFT, "mail-sender"),
        (Inbox(mail="553 not an address of yours"), Fate.NOTHING_LEFT, "mail-sender"),
        (Inbox(rcpt="451 later"), Fate.NOTHING_LEFT, "mail-451"),
        (Inbox(rcpt="550 no such person"), Fate.REFUSED, "mail-550"),
        (Inbox(rcpt="550 5.1.1 <bob@example.org>: no such person"), Fate.REFUSED, "mail-5-1-1"),
        (Inbox(rcpt="550 5.7.1 not from you"), Fate.REFUSED, "mail-5-7-1"),
        (Inbox(rcpt="451 4.7.1 later"), Fate.NOTHING_LEFT, "mail-451"),
        (Inbox(data="452 full"), Fate.NOTHING_LEFT, "mail-452"),
        (Inbox(rcpt="530 log in first"), Fate.NOTHING_LEFT, "mail-530"),
        (Inbox(data="554 refused"), Fate.REFUSED, "mail-554"),
        (Inbox(drop=True), Fate.UNKNOWN, "mail-no-answer"),
    ],
)
async def test_each_trouble_proves_what_it_proves(inbox: Inbox, fate: Fate, reason: str) -> None:
    with serving(inbox) as port:
        sent = await mailer(port).send(letter())
    assert (sent.fate, sent.reason) == (fate, reason)


@pytest.mark.parametrize(
    ("inbox", "theirs"),
    [
        (Inbox(rcpt="450 busy"), True), (Inbox(rcpt="550 no such person"), True), (Inbox(rcpt="421 closing"), False),
        (Inbox(rcpt="530 log in first"), False), (Inbox(mail="451 later"), False), (Inbox(data="452 full"), False),
        (Inbox(drop=True), False),
    ],
)  # fmt: skip
async def test_only_an_answer_to_the_recipients_address_says_something_of_them(inbox: Inbox, theirs: bool) -> None:
    with serving(inbox) as port:
        assert (await mailer(port).send(letter())).of_recipient is theirs


async def test_a_sender_that_is_refused_is_a_matter_of_the_account_and_not_of_the_recipient() -> None:
    with serving(Inbox(mail="554 not an address of yours")) as port:
        sent = await mailer(port).send(letter())
    assert sent.fate is Fate.NOTHING_LEFT and sent.reason in OF_THE_ACCOUNT
    assert not sent.reason.startswith(DEAD)


async def test_what_may_not_leave_any_more_once_the_server_listens_stays_here() -> None:
    inbox = Inbox()
    with serving(inbox) as port:
        sent = await mailer(port).send(letter(may_leave=lambda: False))
    assert (sent.fate, sent.reason, inbox.taken) == (Fate.NOTHING_LEFT, "held-back", [])


async def test_nobody_listening_is_nothing_left() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert (await mailer(port).send(letter())).fate is Fate.NOTHING_LEFT


async def _mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _mute_after_the_text(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 here\r\n")
    while line := await reader.readline():
        if line.rstrip() == b".":
            await asyncio.sleep(30)
        if line.startswith(b"DATA"):
            writer.write(b"354 go\r\n")
        elif line[:4] in (b"EHLO", b"MAIL", b"RCPT", b"HELO"):
            writer.write(b"250 ok\r\n")


async def _hangs_up_at_the_text(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 here\r\n")
    while line := await reader.readline():
        if line.startswith(b"DATA"):
            writer.write(b"421 closing\r\n")
            writer.close()
            return
        writer.write(b"250 ok\r\n")


async def _turns_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"554 not you\r\n")
    writer.close()


async def test_a_server_that_turns_us_away_says_nothing_about_the_letter() -> None:
    async with speaking(_turns_away) as port:
        assert (await mailer(port).send(letter())).fate is Fate.NOTHING_LEFT


async def test_a_mute_server_is_nothing_left() -> None:
    async with speaking(_mute) as port:
        assert (await mailer(port, timeout_seconds=0.3).send(letter())).fate is Fate.NOTHING_LEFT


async def test_silence_after_the_text_is_unknown() -> None:
    async with speaking(_mute_after_the_text) as port:
        assert (await mailer(port, timeout_seconds=0.3).send(letter())).fate is Fate.UNKNOWN


async def test_a_server_that_looks_into_the_text_first_is_waited_for() -> None:
    inbox = Inbox(takes_seconds=1.3)
    with serving(inbox) as port:
        assert (await mailer(port, timeout_seconds=1.0).send(letter())).fate is Fate.SENT


async def test_a_server_that_does_not_want_the_text_gets_none() -> None:
    async with speaking(_hangs_up_at_the_text) as port:
        sent = await mailer(port).send(letter())
    assert (sent.fate, sent.reason) == (Fate.NOTHING_LEFT, "mail-421")


async def test_without_the_encryption_asked_for_nothing_leaves() -> None:
    inbox = Inbox()
    with serving(inbox) as port:
        sent = await mailer(port, tls="starttls").send(letter())
    assert (sent.fate, sent.reason) == (Fate.NOTHING_LEFT, "mail-tls")
    assert inbox.taken == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("no openssl to make a certificate with")
    return certificate, key


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_both_kinds_of_encryption_carry_a_letter(certificate: tuple[Path, Path], tls: str) -> None:
    inbox, server = Inbox(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)
    options = {"ssl_context": server} if tls == "implicit" else {"tls_context": server, "require_starttls": True}
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    with _tls_serving(inbox, options) as port:
        assert (await mailer(port, tls=tls, trust=trust).send(letter())).fate is Fate.SENT
        stranger = await mailer(port, tls=tls).send(letter())
    assert stranger.fate is Fate.NOTHING_LEFT
    assert len(inbox.taken) == 1


@contextmanager
def _tls_serving(inbox: Inbox, options: dict[str, Any]) -> Iterator[int]:
    """Without aiosmtpd's own knock at its port, which trusts no certificate of ours."""

    class Patient(Controller):
        def _trigger_server(self) -> None:
            with socket.create_connection(("127.0.0.1", self.port), 1.0):
                pass

        def factory(self) -> ServerProtocol:
            return ServerProtocol(self.handler, **self.SMTP_kwargs)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Patient(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


async def test_a_login_is_used_and_a_wrong_one_sends_nothing() -> None:
    def known(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"juste", handled=False)

    inbox = Inbox()
    with serving(inbox, authenticator=known, auth_required=True, auth_require_tls=False) as port:
        right = await mailer(port, user="u", password="juste").send(letter())
        wrong = await mailer(port, user="u", password="faux").send(letter())
    assert right.fate is Fate.SENT
    assert (wrong.fate, wrong.reason) == (Fate.NOTHING_LEFT, "mail-login")
    assert "faux" not in repr(mailer(port, user="u", password="faux"))


@pytest.mark.parametrize(
    "address",
    ["", "eloise", "a@b@c", "a@example.org\r\nBcc: x@example.org", "a@example.org, b@example.org", "É <e@example.org>",
     "a b@example.org", "a@example.org\x00", "bob@asso.fr.", "awa.@x.fr", ".awa@x.fr", "a..b@x.fr", "a@x..fr", "a@.fr",
     "élo@example.org", f"{'a' * 250}@x.fr"],
)  # fmt: skip
async def test_what_is_not_one_address_goes_nowhere(address: str) -> None:
    inbox = Inbox()
    with serving(inbox) as port, pytest.raises(BadAddress):
        await mailer(port).send(letter(to=address))
    assert inbox.taken == []


def test_no_text_can_add_a_header() -> None:
    evil = "Bonjour\r\nBcc: autre@example.org\n\nCorps\u2028X: y"
    message = read(compose(letter(subject=evil), SENDER))
    assert message["Bcc"] is None
    assert message["X"] is None
    assert message["Subject"] == "Bonjour Bcc: autre@example.org Corps X: y"


def test_nothing_personal_is_in_the_id() -> None:
    message = read(compose(letter(), SENDER))
    assert "eloise" not in message["Message-ID"].lower()
