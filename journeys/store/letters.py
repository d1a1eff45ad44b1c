"""Letters that wait as files: each sealed under the key of the person whose journey it tells of, else the house's."""

from collections.abc import Collection, Mapping
from typing import Protocol

from journeys.store.database import Connection, Pool
from journeys.store.keys import HOUSE, Keys, Lost, NoKey


class Told(Protocol):
    """What is looked at of a letter."""

    @property
    def id(self) -> str: ...

    @property
    def about(self) -> str | None:
        """The stream of the journey that it tells of."""


async def seal_letter(keys: Keys, letter: Told, text: bytes) -> bytes | None:
    """What stands in the file of a letter; None: whom it tells of was forgotten."""
    try:
        id = HOUSE if letter.about is None else await keys.key_of(letter.about)
        return await keys.seal(id, text, _place(letter.id))
    except NoKey:
        return None


async def open_letter(keys: Keys, id: str, sealed: bytes) -> bytes | Lost:
    """The letter's text, or why it cannot be read."""
    return await keys.unseal(sealed, _place(id))


async def journeys_of(
    connection: Pool | Connection, messages: Collection[str], people: Collection[str] | None = None
) -> Mapping[str, str]:
    """The stream that each of these messages to participants is of, by its id; others are left out.

    Args:
        people: to whom they are; only their journeys are read. None: the whole journal is.
    """
    theirs = "" if people is None else " AND stream IN (SELECT 'journey-' || id FROM journeys WHERE person = ANY ($2))"
    rows = await connection.fetch(
        "SELECT stream, convert_from(header, 'UTF8')::jsonb -> 'data' ->> 'message' AS message FROM events"
        " WHERE kind = 'MessageDue' AND convert_from(header, 'UTF8')::jsonb -> 'data' ->> 'message' = ANY ($1::text[])"
        + theirs,
        list(messages), *(() if people is None else (list(people),)),
    )  # fmt: skip
    return {row["message"]: row["stream"] for row in rows}


def _place(id: str) -> str:
    return f"letter/{id}"
