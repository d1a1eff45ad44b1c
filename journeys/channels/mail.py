"""Mail by SMTP: one connection a letter, each step answered for what it proves."""

import asyncio
import re
import ssl
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Final, Literal

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
)

from journeys.channels.letter import HELD_BACK, Fate, Letter, Sent, check_address, compose

_PERMANENT: Final = 500
_GOES: Final = 421
"""The server closes the connection: it says so of itself, to whatever it is asked."""
_LOGIN_WANTED: Final = frozenset({530, 534, 535, 538})
"""Refusals that concern the settings, not the letter: it may leave once they are right."""
_ENHANCED: Final = re.compile(r"(5)\.([0-9]{1,3})\.([0-9]{1,3})\b")
_SENDER: Final = "mail-sender"
OF_THE_ACCOUNT: Final = ("mail-login", "mail-tls", _SENDER, *(f"mail-{code}" for code in sorted(_LOGIN_WANTED)))
"""Reasons that somebody here has to see to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mail is handed over. `timeout_seconds` bounds the greeting with the envelope; the text has what is left of
    twice that, for a server that looks into it first takes its time (RFC 5321, 4.5.3.2.6, wants ten minutes, which no
    attempt of the engine has)."""

    host: str
    port: int
    sender: str
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_seconds: float = 20.0
    trust: ssl.SSLContext | None = None
    """Whom to trust with TLS; None means the system's authorities."""


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """A `Mailer` by SMTP.

    Until the text itself has gone, whatever goes wrong proves that nothing left. A plain reply to the text is a proof
    too, either way. Only silence after it leaves doubt.
    """

    server: SmtpServer
    name: str = "mail"

    async def send(self, letter: Letter) -> Sent:
        """Hand one letter over. Raises BadAddress."""
        check_address(letter.to)
        text = compose(letter, self.server.sender)
        client, begun = self._client(), monotonic()
        try:
            try:
                async with asyncio.timeout(self.server.timeout_seconds):
                    before = await self._greet(client) or await self._envelope(client, letter)
            except (SMTPException, OSError, TimeoutError):
                return Sent(Fate.NOTHING_LEFT, "mail-unreachable")
            return before or await _text(client, text, 2 * self.server.timeout_seconds - (monotonic() - begun))
        finally:
            await _leave(client)

    def _client(self) -> SMTP:
        server = self.server
        return SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout_seconds,
            use_tls=server.tls == "implicit",
            # Asked for in `_greet`, so that a server without it is told apart from none at all.
            start_tls=False,
            tls_context=server.trust,
            # The machine's own name says nothing useful to the server and may tell where it stands.
            local_hostname=server.sender.rpartition("@")[2],
        )

    async def _greet(self, client: SMTP) -> Sent | None:
        """Connect, encrypt, log in; None when that is done. What a server refuses here is no verdict on a letter."""
        server = self.server
        await client.connect()
        await client.ehlo()
        if server.tls == "starttls":
            if not client.supports_extension("starttls"):
                return Sent(Fate.NOTHING_LEFT, "mail-tls")
            await client.starttls()
        if server.user is not None and server.password is not None:
            try:
                await client.login(server.user, server.password)
            except SMTPAuthenticationError:
                return Sent(Fate.NOTHING_LEFT, "mail-login")
        return None

    async def _envelope(self, client: SMTP, letter: Letter) -> Sent | None:
        """From whom and to whom; None when the server waits for the text."""
        try:
            await client.mail(self.server.sender)
        except SMTPResponseException as refusal:
            refused = _refused(refusal.code, refusal.message)
            # For good, it is our address that is refused, whomever the letter is for.
            return Sent(Fate.NOTHING_LEFT, _SENDER) if refused.fate is Fate.REFUSED else refused
        try:
            await client.rcpt(letter.to)
        except SMTPResponseException as refusal:
            of_recipient = refusal.code not in (_GOES, *_LOGIN_WANTED)
            return replace(_refused(refusal.code, refusal.message), of_recipient=of_recipient)
        if letter.is_held_back:
            return Sent(Fate.NOTHING_LEFT, HELD_BACK)
        reply = await client.execute_command(b"DATA")
        return None if reply.code == 354 else _refused(reply.code, reply.message)


async def _text(client: SMTP, text: bytes, patience_seconds: float) -> Sent:
    """The text and the server's last word on it."""
    quoted = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in text.split(b"\r\n"))
    ended = quoted if quoted.endswith(b"\r\n") else quoted + b"\r\n"
    protocol = client.protocol
    if protocol is None:
        return Sent(Fate.NOTHING_LEFT, "mail-unreachable")
    try:
        protocol.write(ended)
        # The end mark travels as a command, so that its reply is read as any other.
        reply = await client.execute_command(b".", timeout=patience_seconds)
    except (SMTPException, OSError, TimeoutError):
        return Sent(Fate.UNKNOWN, "mail-no-answer")
    return Sent(Fate.SENT) if reply.code == 250 else _refused(reply.code, reply.message)


def _refused(code: int, words: str) -> Sent:
    """4xx is for now, 5xx for good; of the server's own words, which may hold an address, only its enhanced code stays
    (RFC 2034), which tells a mailbox that is not there from a letter that is not wanted."""
    if code < _PERMANENT or code in _LOGIN_WANTED:
        return Sent(Fate.NOTHING_LEFT, f"mail-{code}")
    enhanced = _ENHANCED.match(words)
    return Sent(Fate.REFUSED, f"mail-{'-'.join(enhanced.groups())}" if enhanced is not None else f"mail-{code}")


async def _leave(client: SMTP) -> None:
    """Say goodbye if there is time; the letter's fate is known already."""
    if not client.is_connected:
        return
    try:
        async with asyncio.timeout(1.0):
            await client.quit()
    except (SMTPException, OSError, TimeoutError):
        client.close()
