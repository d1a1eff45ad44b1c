"""A message as it leaves, and what a mailer says became of it."""

import email
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, Protocol

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_LONGEST_ADDRESS: Final = 254
_UNFOLDED: Final = SMTP.clone(max_line_length=900)
_METHOD: Final = re.compile(rb"^METHOD:([A-Z]+)\r?$", re.MULTILINE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


HELD_BACK: Final = "held-back"
"""Why something did not leave that had waited for its turn until it might not leave any more."""


class BadAddress(ValueError):
    """What stands where an address should be. The text of it is not repeated: it may be personal."""


class Fate(StrEnum):
    """What became of a letter."""

    SENT = "sent"
    NOTHING_LEFT = "nothing-left"
    """The channel could not be used now; sending again is safe."""
    REFUSED = "refused"
    """It will never be taken; sending again is useless."""
    UNKNOWN = "unknown"
    """It left, and nobody knows whether it arrived; sending again may double it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A fate, with a code for the reason where it is not `sent`."""

    fate: Fate
    reason: str = ""
    reference: str = ""
    """What the channel calls it, where it says so: a receipt may name it."""
    after_seconds: float | None = None
    """How long a channel that takes nothing now asks to be left alone."""
    perhaps: bool = False
    """With `nothing-left`: it may have been taken all the same, and is known again when it is asked for again."""
    of_recipient: bool = False
    """A mail server said it of the recipient's address: not of us, of itself, or of our way to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message to one address. Its id tells a repetition from another message; nothing personal is in it."""

    id: str
    """A UUID."""
    to: str
    subject: str
    body: str
    lang: str
    at: datetime
    """Aware; what its Date header says."""
    about: str | None = None
    """The stream of the journey that it tells of, or of the member of staff whom it tells of several; None: of no
    person's."""
    invitation: bytes | None = field(default=None, repr=False)
    """A calendar (RFC 5545) that goes with it."""
    unsubscribe: str | None = field(default=None, repr=False)
    """An https address that stops all letters at one POST (RFC 8058)."""
    until: datetime | None = None
    """From then on it is of no use to who gets it; None: it always is."""
    may_leave: Callable[[], bool] | None = field(default=None, repr=False, compare=False)
    """Asked right before it leaves, after whatever it waits for; None: it may."""
    ahead: bool = False
    """Where a channel gives turns it goes before what can wait."""

    @property
    def is_held_back(self) -> bool:
        """Whether it may leave no more, or not now."""
        return self.may_leave is not None and not self.may_leave()


class Mailer(Protocol):
    """A channel for letters. It never raises for what the world does: it answers."""

    @property
    def name(self) -> str:
        """What the record calls the channel."""

    async def send(self, letter: Letter) -> Sent:
        """Try once. Raises BadAddress when there is nothing to try."""


def compose(letter: Letter, sender: str) -> bytes:
    """The letter as RFC 5322 bytes with CRLF, eight-bit text encoded. Raises BadAddress.

    Line breaks and other controls in a header become spaces, so that no text can add a header.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender)
    message["To"] = check_address(letter.to)
    message["Subject"] = _CONTROL.sub(" ", letter.subject).strip()
    message["Date"] = letter.at
    message["Message-ID"] = f"<{_CONTROL.sub('', letter.id)}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "en" if letter.lang == "en" else "fr"
    if letter.unsubscribe is not None:
        message["List-Unsubscribe"] = f"<{_CONTROL.sub('', letter.unsubscribe)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.body, cte="quoted-printable")
    if letter.invitation is not None:
        # A calendar goes by its method where it stands in the type, too (RFC 6047, 2.4).
        method = _METHOD.search(letter.invitation)
        known = {"method": method[1].decode()} if method is not None else {}
        message.add_attachment(
            letter.invitation, "text", "calendar", filename="rendez-vous.ics", params={"charset": "utf-8", **known}
        )
    # An address that is cut, or encoded, is none to a mail program.
    return message.as_bytes(policy=_UNFOLDED)


@dataclass(frozen=True, slots=True)
class Read:
    """What a letter says."""

    at: datetime
    to: str
    subject: str
    text: str

    @property
    def whole(self) -> str:
        """All of it."""
        return "\n".join((self.to, self.subject, self.text))


def read(composed: bytes) -> Read:
    """What `compose` made, read."""
    message = email.message_from_bytes(composed, policy=default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    return Read(
        at=parsedate_to_datetime(message["Date"]), to=str(message["To"]), subject=str(message["Subject"]),
        text=body.get_content().replace("\r\n", "\n") if body is not None else "",
    )  # fmt: skip


def check_address(address: str) -> Address:
    """The address as a header has it. Raises BadAddress unless it is one plain address: no name, no list, no line
    break, no dot that stands at an end or beside another."""
    if len(address) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise BadAddress("not one plain mail address")
    try:
        return Address(addr_spec=address)
    except (ValueError, HeaderParseError, IndexError):
        # What the parser says of an address quotes it.
        raise BadAddress("not one plain mail address") from None
