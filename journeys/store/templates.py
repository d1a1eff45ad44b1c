"""Templates of messages as an association edited them: every version is kept, one of each name is in force."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from journeys.domain.directory import TemplateEdited
from journeys.domain.record import SYSTEM
from journeys.store.canonical import digest
from journeys.store.database import Connection, Pool
from journeys.store.directory import By, Fact, names_of, record
from journeys.store.programmes import store_text

_STREAM: Final = "system"


class EditedSince(Exception):
    """Somebody has edited the template since it was looked at: nothing has changed."""


@dataclass(frozen=True, slots=True)
class Version:
    """Words that a template had from an instant on."""

    wording: str
    """SHA-256 (hex) of its text."""
    before: str | None
    at: datetime
    by: str
    """Id of who edited it."""
    who: str | None
    """What they are called; None: nobody of the staff."""


async def in_force(connection: Pool | Connection, name: str) -> str | None:
    """The text of a template as it was edited last; None: it says what is shipped."""
    text: str | None = await connection.fetchval(
        "SELECT text FROM edited_templates JOIN texts USING (sha256) WHERE edited_templates.name = $1", name
    )
    return text


async def all_in_force(connection: Pool | Connection) -> dict[str, str]:
    """The text of every template that was edited, by name."""
    rows = await connection.fetch(
        "SELECT e.name, text FROM edited_templates e JOIN texts USING (sha256) ORDER BY e.name"
    )
    return {row["name"]: row["text"] for row in rows}


async def keep(pool: Pool, name: str, text: str) -> None:
    """Keep the words that a message leaves with, so that they can be read for as long as the record names them."""
    async with pool.acquire() as connection:
        await store_text(connection, "template", name, text)


async def text_of(connection: Pool | Connection, wording: str) -> str | None:
    """The words of this SHA-256; None where they were never kept."""
    text: str | None = await connection.fetchval(
        "SELECT text FROM texts WHERE kind = 'template' AND sha256 = $1", bytes.fromhex(wording)
    )
    return text


async def edit(pool: Pool, name: str, text: str, shipped: str | None, by: By, seen: str | None = None) -> bool:
    """Put other words in force and keep those of before; the same ones again change and write nothing.

    Args:
        shipped: the text that is in force while nobody has edited it; None: there is none of this name.
        seen: SHA-256 of the words that were looked at; None: it does not matter.

    Raises EditedSince.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE edited_templates IN SHARE ROW EXCLUSIVE MODE")
        now = await in_force(connection, name) or shipped
        before = digest(now.encode()) if now is not None else None
        if seen is not None and seen != before:
            raise EditedSince
        if text == now:
            return False
        if now is not None:
            await store_text(connection, "template", name, now)
        wording = await store_text(connection, "template", name, text)
        await connection.execute(
            "INSERT INTO edited_templates (name, sha256, edited_at) VALUES ($1, $2, $3)"
            " ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, edited_at = excluded.edited_at",
            name, bytes.fromhex(wording), by.at,
        )  # fmt: skip
        await record(
            connection, _STREAM, [Fact(TemplateEdited(template=name, wording=wording, before=before))], by
        )  # fmt: skip
        return True


async def versions(connection: Pool | Connection, name: str) -> list[Version]:
    """Every edit of a template, the newest first."""
    rows = await connection.fetch(
        """
        SELECT data ->> 'wording' AS wording, data ->> 'before' AS before, at, actor
        FROM (SELECT seq, convert_from(header, 'UTF8')::jsonb -> 'data' AS data,
                     (convert_from(header, 'UTF8')::jsonb ->> 'recorded_at')::timestamptz AS at,
                     convert_from(header, 'UTF8')::jsonb ->> 'actor' AS actor
              FROM events WHERE stream = 'system' AND kind = 'TemplateEdited') AS facts
        WHERE data ->> 'template' = $1 ORDER BY seq DESC
        """,
        name,
    )
    names = await names_of(connection, {row["actor"] for row in rows if row["actor"] != SYSTEM})
    return [
        Version(row["wording"], row["before"], row["at"], row["actor"], names.get(row["actor"])) for row in rows
    ]  # fmt: skip
