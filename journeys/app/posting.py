"""Letters on paper, as entry points print them and note that they were posted."""

from datetime import datetime

from journeys.app import papers
from journeys.app.failures import Exit, Failure, Said, not_found
from journeys.app.finding import Loaded
from journeys.app.papers import Hand
from journeys.i18n import language
from journeys.identifiers import is_uuid
from journeys.narration import spoken
from journeys.store import paper_letters
from journeys.store.database import Connection, Pool
from journeys.store.paper_letters import Waiting, Words

SIGNING = ("referent", "supervisor")
"""In which of their roles somebody signs, the first that they hold."""


async def to_post(connection: Pool | Connection, message: str, now: datetime) -> tuple[Waiting, Words]:
    """A letter that the connection sees. Raises Failure: there is none, it is not for posting, or nobody reads it."""
    found = await paper_letters.words_of(connection, message, now) if is_uuid(message) else None
    if found is None:
        raise none_here()
    waiting, words = found
    if waiting.why is not None:
        fr, en = (spoken(waiting.why, lang) for lang in ("fr", "en"))
        raise Failure(
            Exit.REFUSED, "letter-not-for-posting",
            Said(f"cette lettre n'est pas à poster : {fr}", f"this letter is not for posting: {en}"),
            Said("si elle est imprimée, jetez-la", "if it is printed, throw it away"),
        )  # fmt: skip
    if not isinstance(words, Words):
        raise Failure(
            Exit.NOT_FOUND, "letter-unreadable",
            Said("cette lettre ne peut plus être lue", "this letter cannot be read any more"),
        )  # fmt: skip
    return waiting, words


def none_here() -> Failure:
    """There is no such letter, or not for whoever asks."""
    return not_found("no-letter", "il n'y a pas de lettre ici", "there is no letter here")


def hand(sender: str, name: str, roles: tuple[str, ...], phone: str | None) -> Hand:
    """Who signs a letter."""
    return Hand(sender, name, next((role for role in SIGNING if role in roles), roles[0]), phone or "")


def printed(loaded: Loaded, found: Waiting, words: Words, signs: Hand) -> bytes:
    """The letter as PDF, in the person's language. Raises Failure: it cannot be typeset."""
    return papers.free_letter(
        loaded, words.recipient, "", words.subject, words.body, language(words.lang), found.at, signs
    )
