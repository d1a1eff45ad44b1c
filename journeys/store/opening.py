"""Rows of people, staff, mentors and partners that do not open although nobody erased them."""

from collections.abc import AsyncIterator, Collection
from typing import Final

from journeys.store import contacts, vault
from journeys.store.database import Connection, Pool
from journeys.store.keys import Lost
from journeys.store.sealing import sealed_by

_AT_ONCE: Final = 1_000
_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_KINDS: Final = {"people": "person", "staff": "staff", "mentors": "mentor", "partners": "partner"}
_SECONDS: Final = 120.0


async def each_unopened(connection: Pool | Connection, locked: Collection[str] = ()) -> AsyncIterator[tuple[str, str]]:
    """The stream of each, and why: `altered`, `no-key` or `erased` (it is not there, or its key was destroyed).

    Args:
        locked: keys that do not open here; what is under them is passed over.
    """
    for table, kind in _KINDS.items():
        last = _FIRST
        while rows := await connection.fetch(
            f"SELECT id::text, sealed FROM {table} WHERE id > $1::uuid AND NOT erasing ORDER BY id LIMIT {_AT_ONCE}",
            last, timeout=_SECONDS,
        ):  # fmt: skip
            last = rows[-1]["id"]
            rows = [row for row in rows if not row["sealed"] or sealed_by(row["sealed"]) not in locked]
            streams = [f"{kind}-{row['id']}" for row in rows]
            closed = [
                (row["sealed"], vault.place_of(row["id"]) if kind == "person" else contacts.place_of(stream))
                for stream, row in zip(streams, rows, strict=True)
                if row["sealed"] is not None and vault.is_sealed(row["sealed"])
            ]
            opened = iter(await connection.keys.unseal_all(closed) if closed else ())
            for stream, row in zip(streams, rows, strict=True):
                if row["sealed"] is None:
                    yield stream, Lost.ERASED.value
                elif vault.is_sealed(row["sealed"]) and isinstance(plain := next(opened), Lost):
                    yield stream, plain.value
