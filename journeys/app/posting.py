"""Letters on paper, as entry points print them and note that they were posted."""

from datetime import date, datetime

from journeys.app import papers
from journeys.app.failures import Exit, Failure, Said, not_found
from journeys.app.finding import Loaded
from journeys.app.papers import Hand
from journeys.app.reading import today_of
from journeys.i18n import format_date, language
from journeys.identifiers import is_uuid
from journeys.narration import spoken
from journeys.store import paper_letters
from journeys.store.database import Connection, Pool
from journeys.store.keys import Lost
from journeys.store.paper_letters import Waiting, Words

SIGNING = ("referent", "supervisor")
"""In which of their roles somebody signs, the first that they hold."""


async def to_post(connection: Pool | Connection, message: str, now: datetime) -> tuple[Waiting, Words]:
    """A letter that the connection sees. Raises Failure: there is none, it is not for posting, or nobody reads it."""
    waiting, words = await _of(connection, message, now)
    if waiting.why is not None:
        fr, en = (spoken(waiting.why, lang) for lang in ("fr", "en"))
        raise Failure(
            Exit.REFUSED, "letter-not-for-posting",
            Said(f"cette lettre n'est pas à poster : {fr}", f"this letter is not for posting: {en}"),
            Said("si elle est imprimée, jetez-la ; si elle est partie avant, dites quel jour",
                 "if it is printed, throw it away; if it left before, say on which day"),
        )  # fmt: skip
    if not isinstance(words, Words):
        raise Failure(
            Exit.NOT_FOUND, "letter-unreadable",
            Said("cette lettre ne peut plus être lue", "this letter cannot be read any more"),
        )  # fmt: skip
    return waiting, words


async def was_posted(
    connection: Pool | Connection, pool: Pool, message: str, now: datetime, on: date | None
) -> Waiting:  # fmt: skip
    """A letter that the connection sees, and of which somebody says that it was posted or handed over: just now, or on
    a day on which it could be.

    Args:
        pool: sees the person's own stream too, which no visitor does.

    Raises Failure: there is none; or it is not for posting any more, or was not then.
    """
    if on is None:
        return (await to_post(connection, message, now))[0]
    await _of(connection, message, now)
    waiting, _ = await _of(pool, message, now)
    first, last = today_of(waiting.at), today_of(min(now, waiting.since or now))
    if not first <= on <= last:
        days = {lang: (format_date(first, lang), format_date(last, lang)) for lang in ("fr", "en")}
        raise Failure(
            Exit.REFUSED, "letter-not-posted-then",
            Said("cette lettre n'était pas à poster ce jour-là", "this letter was not for posting on that day"),
            Said("donnez un jour entre le {} et le {}".format(*days["fr"]),
                 "give a day between {} and {}".format(*days["en"])),
            field="on",
        )  # fmt: skip
    return waiting


async def _of(connection: Pool | Connection, message: str, now: datetime) -> tuple[Waiting, Words | Lost]:
    """A letter, whatever it is for. Raises Failure: there is none here."""
    found = await paper_letters.words_of(connection, message, now) if is_uuid(message) else None
    if found is None:
        raise none_here()
    return found


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
