"""Short messages by a gateway over HTTP: one attempt under one key, each answer taken for what it proves."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from journeys.channels import phone
from journeys.channels.asking import Heard, Line, Silent
from journeys.channels.letter import HELD_BACK, Fate, Letter, Sent
from journeys.channels.pace import Pace
from journeys.channels.segments import length, plain

MOST_SEGMENTS: Final = 3
DEAD_NUMBER: Final = "dead-number"
"""Why a gateway rejects a message to a number that nobody has any more."""
BLOCKED_NUMBER: Final = "blocked-number"
"""Why it rejects one to a number to which nothing of ours is let through."""

_TAKEN: Final = frozenset({200, 201, 202})
_LATER: Final = frozenset({429, 503})
"""It says itself that it takes nothing now."""
_SETTINGS: Final = frozenset({401, 402, 403})
"""Refusals that concern the account, not the message: it may leave once that is right."""
OF_THE_ACCOUNT: Final = tuple(f"sms-{status}" for status in sorted(_SETTINGS))
"""Reasons that somebody here has to see to."""
_DOUBTFUL: Final = frozenset({408, 409})
"""Something under this key came before, or what came was not read to its end."""
_REASON: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_REFERENCE: Final = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Text:
    """A short message, ready to leave."""

    id: str
    """A UUID: the key under which it is asked for, and what a receipt may name."""
    to: str = field(repr=False)
    """E.164."""
    body: str = field(repr=False)
    segments: int
    unicode: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What a gateway is asked: JSON by POST."""

    url: str
    content: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """The gateway has it. `reference` is its own name for it, where it gives one."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The gateway will never take it."""

    reason: str


class Dialect(Protocol):
    """How one kind of gateway is spoken to."""

    @property
    def name(self) -> str:
        """As the settings name it."""

    @property
    def never_run(self) -> bool:
        """Written from the vendor's documentation only."""

    @property
    def keyed(self) -> bool:
        """The same id twice is one message there: after a 5xx it may be asked for again."""

    def question(self, text: Text) -> Question:
        """How to ask for a text to be sent."""

    def answer(self, text: Text, said: dict[str, Any]) -> Taken | Rejected | None:
        """What a 2xx says; None when that is not clear."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A `Mailer` whose addresses are phone numbers; of a letter it sends the body.

    Unsent only where nothing was written, or where the gateway says so: 429 and 503, what concerns the account, and
    another 5xx of one that keeps keys. A question that left and has no clear answer is a doubt.
    """

    dialect: Dialect
    countries: tuple[str, ...] = phone.FRENCH
    most_segments: int = MOST_SEGMENTS
    line: Line = field(default_factory=Line)
    pace: Pace | None = None
    """How fast it may be asked; None: as fast as messages come."""
    name: str = "sms"

    async def send(self, letter: Letter) -> Sent:
        """See Mailer; a number to which nothing may be sent is refused, with its code."""
        to = phone.check(letter.to, self.countries)
        if isinstance(to, phone.WrongNumber):
            return Sent(Fate.REFUSED, to.code)
        body = plain(letter.body)
        counted = length(body)
        if counted.segments > self.most_segments:
            return Sent(Fate.REFUSED, "sms-too-long")
        if self.pace is not None:
            its_turn, seconds = await self.pace.turn(ahead=letter.ahead)
            if not its_turn:
                return Sent(Fate.NOTHING_LEFT, "sms-paced", after_seconds=seconds)
            await asyncio.sleep(seconds)
        if letter.is_held_back:
            return Sent(Fate.NOTHING_LEFT, HELD_BACK)
        text = Text(letter.id, to, body, counted.segments, counted.alphabet == "ucs-2")
        asked = self.dialect.question(text)
        match await self.line.ask("POST", asked.url, asked.content, asked.headers):
            case Silent(left=left, reason=reason):
                return Sent(Fate.UNKNOWN if left else Fate.NOTHING_LEFT, f"sms-{reason}")
            case Heard() as heard:
                return self._verdict(text, heard)

    def _verdict(self, text: Text, heard: Heard) -> Sent:
        status, code = heard.status, f"sms-{heard.status}"
        if status in _TAKEN:
            return _read(self.dialect.answer(text, heard.said) if heard.said is not None else None)
        if status in _LATER or status in _SETTINGS:
            return Sent(Fate.NOTHING_LEFT, code, after_seconds=heard.after_seconds)
        if status >= 500 and self.dialect.keyed:
            return Sent(Fate.NOTHING_LEFT, code, after_seconds=heard.after_seconds, perhaps=True)
        refused = 400 <= status < 500 and status not in _DOUBTFUL
        return Sent(Fate.REFUSED if refused else Fate.UNKNOWN, code)


def _read(said: Taken | Rejected | None) -> Sent:
    match said:
        case Taken(reference=reference):
            return Sent(Fate.SENT, reference=reference if _REFERENCE.fullmatch(reference) else "")
        case Rejected(reason=reason):
            if reason in (DEAD_NUMBER, BLOCKED_NUMBER):
                return Sent(Fate.REFUSED, reason)
            return Sent(Fate.REFUSED, f"sms-{reason}" if _REASON.fullmatch(reason) else "sms-refused")
        case None:
            return Sent(Fate.UNKNOWN, "sms-wrong-answer")


@dataclass(frozen=True, slots=True)
class Own:
    """The interface of docs/gateways.md, which any gateway may speak."""

    url: str
    token: str = field(repr=False)
    sender: str = ""
    name: str = "http"
    never_run: bool = False
    keyed: bool = True

    def question(self, text: Text) -> Question:
        """See Dialect."""
        content = {
            "message": text.id, "to": text.to, "text": text.body, "sender": self.sender, "segments": text.segments,
        }  # fmt: skip
        headers = {"authorization": f"Bearer {self.token}", "idempotency-key": text.id}
        return Question(self.url.rstrip("/") + "/messages", json.dumps(content, ensure_ascii=False).encode(), headers)

    def answer(self, text: Text, said: dict[str, Any]) -> Taken | Rejected | None:
        """See Dialect: an answer counts for the message that it names."""
        if said.get("message") != text.id:
            return None
        reference, reason = said.get("reference", ""), said.get("reason", "")
        match said.get("status"):
            case "accepted":
                return Taken(reference if isinstance(reference, str) else "")
            case "rejected":
                return Rejected(reason if isinstance(reason, str) else "")
            case _:
                return None
