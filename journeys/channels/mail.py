"""Mail by SMTP: one connection a letter, each step answered for what it proves."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Final, Literal

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPResponseException,
)

from journeys.channels.letter import Fate, Letter, Sent, check_address, compose

_PERMANENT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mail is handed over. `timeout_seconds` bounds each step."""

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
        client = self._client()
        try:
            before = await self._envelope(client, letter)
            return before or await _text(client, text)
        finally:
            await _leave(client)

    def _client(self) -> SMTP:
        server = self.server
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            timeout=server.timeout_seconds,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            tls_context=server.trust,
            # The machine's own name says nothing useful to the server and may tell where it stands.
            local_hostname=server.sender.rpartition("@")[2],
        )

    async def _envelope(self, client: SMTP, letter: Letter) -> Sent | None:
        """Everything before the text; None when the server waits for it."""
        try:
            await client.connect()
            await client.mail(self.server.sender)
            await client.rcpt(letter.to)
            reply = await client.execute_command(b"DATA")
        except SMTPAuthenticationError:
            return Sent(Fate.NOTHING_LEFT, "mail-login")
        except SMTPResponseException as refusal:
            return _refused(refusal.code)
        except SMTPNotSupported:
            return Sent(Fate.NOTHING_LEFT, "mail-tls")
        except (SMTPException, OSError, TimeoutError):
            return Sent(Fate.NOTHING_LEFT, "mail-unreachable")
        return None if reply.code == 354 else _refused(reply.code)


async def _text(client: SMTP, text: bytes) -> Sent:
    """The text and the server's last word on it."""
    quoted = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in text.split(b"\r\n"))
    ended = quoted if quoted.endswith(b"\r\n") else quoted + b"\r\n"
    protocol = client.protocol
    if protocol is None:
        return Sent(Fate.NOTHING_LEFT, "mail-unreachable")
    try:
        protocol.write(ended)
        # The end mark travels as a command, so that its reply is read as any other.
        reply = await client.execute_command(b".")
    except (SMTPException, OSError, TimeoutError):
        return Sent(Fate.UNKNOWN, "mail-no-answer")
    return Sent(Fate.SENT) if reply.code == 250 else _refused(reply.code)


def _refused(code: int) -> Sent:
    """4xx is for now, 5xx for good; the server's own words may hold an address and are dropped."""
    fate = Fate.REFUSED if code >= _PERMANENT else Fate.NOTHING_LEFT
    return Sent(fate, f"mail-{code}")


async def _leave(client: SMTP) -> None:
    """Say goodbye if there is time; the letter's fate is known already."""
    if not client.is_connected:
        return
    try:
        async with asyncio.timeout(1.0):
            await client.quit()
    except (SMTPException, OSError, TimeoutError):
        client.close()
