"""How staff, mentors and partners are called and reached: one sealed value in the row of each, under a key of each."""

from collections.abc import Iterable, Sequence

from journeys.store import vault
from journeys.store.database import Connection, Pool
from journeys.store.keys import key_of_stream
from journeys.store.vault import Known


async def seal(connection: Pool | Connection, stream: str, known: Known) -> bytes:
    """What stands in the row of whoever has this stream. Raises NoKey: they were forgotten."""
    return await vault.shut(connection, key_of_stream(stream), place_of(stream), known)


async def unseal(connection: Pool | Connection, rows: Iterable[tuple[str, bytes | None]]) -> list[Known | None]:
    """Rows of (stream, what is sealed) read, in order; None where there is nothing, or its key is gone."""
    return await vault.opened(connection, [(place_of(stream), sealed) for stream, sealed in rows])


async def called(connection: Pool | Connection, rows: Sequence[tuple[str, bytes | None]]) -> list[str | None]:
    """How whoever has each stream is called, in order; None where it cannot be known."""
    return [None if known is None else known["name"] for known in await unseal(connection, rows)]


def place_of(stream: str) -> str:
    """Where what is known of whoever has this stream stands."""
    return f"contact/{stream}"
