"""A command as an entry point makes it: parts drawn, roles looked up now, signed, then sent to its journey."""

import asyncio
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from journeys.app.failures import Failure, Said, usage
from journeys.app.telling import unsigned
from journeys.contract import Answer
from journeys.domain import document
from journeys.domain.commands import AnyBody, Command
from journeys.domain.neutral import place_tells_why
from journeys.domain.record import SYSTEM, Cause
from journeys.issuing import issue
from journeys.settings import Settings
from journeys.store import signing_keys
from journeys.store.database import LOST, Pool
from journeys.store.hearing import ear_of
from journeys.store.journal import known_answer
from journeys.store.signing import KeyRing

if TYPE_CHECKING:
    from temporalio.client import Client

LONGEST_TEXT: Final = 20_000
"""Characters of one free text."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who gives a command: an id, what they are called, the roles held now, the sites and funds they are for."""

    id: str
    name: str
    roles: tuple[str, ...]
    sites: tuple[str, ...] = ()
    funds: tuple[str, ...] = ()
    """None: every fund."""
    stands_in_for: tuple[str, ...] = ()
    """Colleagues away today whose deputy they are."""

    def leads(self, referent: str | None) -> bool:
        """Whether journeys of this referent are theirs: their own, or an absent colleague's."""
        return referent is not None and (referent == self.id or referent in self.stands_in_for)


THE_SYSTEM: Final = Actor(SYSTEM, SYSTEM, (SYSTEM,))


def key_ring(settings: Settings) -> KeyRing:
    """The keys of this process. Raises SettingsError."""
    keys = settings.signing_keys()
    return KeyRing(keys.current, dict(keys.by_id))


def make_command(
    ring: KeyRing,
    *,
    stream: str,
    body: AnyBody,
    actor: Actor,
    now: datetime,
    texts: Mapping[str, str] | None = None,
    id: str | None = None,
    occurred_at: datetime | None = None,
    seen: int | None = None,
    caused_by: Cause | None = None,
) -> Command:
    """A signed command.

    Args:
        stream: of the journey, or of the person. texts: the free texts, by part.
        now: of the entry point's clock. occurred_at: when it happened, if not now.
        id: to send a command again; a new one is drawn otherwise.

    Raises:
        Failure: a text that cannot be kept. ValueError: parts that the command does not carry, or lacks.
    """
    kept = {name: clean_part(name, text, name) for name, text in (texts or {}).items()}
    return issue(
        ring, stream=stream, body=body, actor=actor.id, roles=actor.roles, funds=actor.funds,
        stands_in_for=actor.stands_in_for, now=now, texts=kept, id=id,
        occurred_at=occurred_at, seen=seen, caused_by=caused_by,
    )  # fmt: skip


async def give(
    pool: Pool, client: "Client", command: Command, task_queue: str, patience: timedelta | None = None
) -> Answer:
    """Send a command to its journey, until it is answered; the journal's answer is one as soon as it is there.

    A process that has an ear at the journal (`hearing`) does not wait until the engine, too, has noted that the
    command is done; without one, or an answer in time, the journal is asked once at the end.

    Raises temporal.Unreachable, which carries the command's id and fate; temporal.Malformed.
    """
    # Imported late: the client's library is a large part of a short command's time.
    from journeys.temporal import PATIENCE, Unreachable, send

    async def ask() -> Answer:
        try:
            return await send(client, command, task_queue=task_queue, patience=patience or PATIENCE)
        except Unreachable:
            if (written := await _written(pool, command)) is not None:
                return written
            raise

    ear = ear_of(pool)
    if ear is None:
        return await ask()
    with ear.awaiting(command.id) as heard:
        asking, hearing = asyncio.create_task(ask()), asyncio.create_task(heard.wait())
        try:
            await asyncio.wait((asking, hearing), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done() and (written := await _written(pool, command)) is not None:
                return written
            return await asking
        finally:
            hearing.cancel()
            asking.cancel()
            asking.add_done_callback(_nobody_asks)


def _nobody_asks(asked: "asyncio.Task[Answer]") -> None:
    """Take note of a failure that came after the answer: nobody else would, and that is printed."""
    if not asked.cancelled():
        asked.exception()


async def _written(pool: Pool, command: Command) -> Answer | None:
    """The answer that the journal has, if it has one and can be asked."""
    with suppress(*LOST):
        return await known_answer(pool, command)
    return None


async def must_be_trusted(pool: Pool, ring: KeyRing) -> None:
    """Raises Failure (refused) when no worker takes what this process signs: asked before anything is written here.

    The append is the judge of every signature. But a person is registered, and a wish of theirs noted, by the entry
    point itself, before a journey is asked.
    """
    if not await signing_keys.hold(pool, ring):
        raise unsigned()


def clean_text(text: str, field: str) -> str:
    """A text fit to be kept, its line ends alike. Raises Failure (usage) that names the field."""
    if field == document.PART and document.read_document(text) is None:
        raise usage("not-a-document", f"{field} : ce n'est pas un document", f"{field}: this is not a document",
                    field=field)  # fmt: skip
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > LONGEST_TEXT:
        raise usage(
            "text-too-long",
            f"{field} : le texte dépasse {LONGEST_TEXT} caractères ; raccourcissez-le",
            f"{field}: the text is longer than {LONGEST_TEXT} characters; shorten it",
            field=field,
        )
    for place, sign_ in enumerate(text, start=1):
        if sign_ not in "\n\t" and unicodedata.category(sign_) in ("Cc", "Cs"):
            raise _control_character(field, place, sign_)
    return text


def clean_part(part: str, text: str, field: str) -> str:
    """A text of a command, fit to be kept; a place can be said to anybody. Raises Failure (usage) that names the field.

    Args:
        field: what the part is called by whoever typed.
    """
    text = clean_text(text, field)
    if part == "place" and (word := place_tells_why(text)) is not None:
        raise not_neutral(field, word, Said(
            "écrivez l'adresse seule, le numéro et la rue : c'est elle que les messages donnent",
            "write the address alone, the number and the street: it is what messages say",
        ))  # fmt: skip
    return text


def not_neutral(field: str, word: str, remedy: Said) -> Failure:
    """A text that everybody may read has a word that tells why somebody is accompanied."""
    return usage(
        "not-neutral", f"{field} : « {word} » dirait à un autre pourquoi la personne est accompagnée",
        f"{field}: “{word}” would tell somebody else why the person is accompanied", field=field, remedy=remedy,
    )  # fmt: skip


def _control_character(field: str, place: int, sign_: str) -> Failure:
    return usage(
        "control-character",
        f"{field} : caractère de contrôle U+{ord(sign_):04X} à la position {place} ; retirez-le",
        f"{field}: control character U+{ord(sign_):04X} at position {place}; remove it",
        field=field,
    )
