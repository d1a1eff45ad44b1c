"""What goes to the bank and comes from it: sealed under a key of its year, so that a year can go when its time is over.

What was sealed before under the key that signs commands is read with that, until `journeys migrate` has sealed it anew.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from journeys.domain.fund import ZONE
from journeys.store.database import Connection, Pool
from journeys.store.keys import Lost, bank_key
from journeys.store.sealing import CannotUnseal, sealed_by, unseal
from journeys.store.signing import KeyRing

_OF_A_YEAR: Final = re.compile(r"bank-(\d{4})")


class YearGone(CannotUnseal):
    """The key of its year was destroyed: it had been kept long enough."""

    def __init__(self, year: int) -> None:
        super().__init__(f"what was kept of the bank of {year} is gone")
        self.year = year


def year_of(at: datetime) -> int:
    """The year (of Paris) of an instant."""
    return at.astimezone(ZONE).year


async def seal_all(connection: Pool | Connection, year: int, wanted: Sequence[tuple[bytes, str]]) -> list[bytes]:
    """Each (bytes, place) sealed under the key of a year, in order. Raises NoKey: it was destroyed."""
    sealed: list[bytes] = await connection.keys.seal_all([(bank_key(year), plain, place) for plain, place in wanted])
    return sealed


async def seal(connection: Pool | Connection, year: int, plain: bytes, place: str) -> bytes:
    """Sealed under the key of a year, for one place only. Raises NoKey."""
    return (await seal_all(connection, year, [(plain, place)]))[0]


async def unseal_all(
    connection: Pool | Connection, ring: KeyRing, rows: Sequence[tuple[bytes, str]]
) -> list[bytes | CannotUnseal]:
    """What was sealed for each place, in order, or why it cannot be read.

    Args:
        ring: opens what was sealed before there were keys of years.
    """
    of_years = [each for each in rows if sealed_year(each[0]) is not None]
    opened = iter(await connection.keys.unseal_all(of_years) if of_years else ())
    return [
        _of_before(ring, sealed, place) if (year := sealed_year(sealed)) is None
        else _read(next(opened), year)
        for sealed, place in rows
    ]  # fmt: skip


async def open_sealed(connection: Pool | Connection, ring: KeyRing, sealed: bytes, place: str) -> bytes:
    """What was sealed for a place. Raises CannotUnseal; YearGone, one of it: its time was over."""
    [found] = await unseal_all(connection, ring, [(sealed, place)])
    if isinstance(found, CannotUnseal):
        raise found
    return found


async def over(pool: Pool, before: datetime, open_: Sequence[str], patience: float) -> list[int]:
    """The years that ended before an instant, whose keys are not destroyed, and whose payments are all over.

    A transfer that waited for a file of a later year keeps its own until that has ended too: it was paid then.

    Args:
        open_: what a payment's status is while it is under way. patience: seconds that a question may take.
    """
    last = year_of(before)
    ended = [year for id in await pool.keys.live("bank") if (year := int(id.removeprefix("bank-"))) < last]
    return [year for year in ended if not await pool.fetchval(_NEEDED, bank_key(year), last, open_, timeout=patience)]


_NEEDED: Final = """
    SELECT EXISTS (
        SELECT FROM payments p LEFT JOIN transfers t ON t.payment = p.id
        LEFT JOIN batch_transfers m ON m.payment = p.id LEFT JOIN batches b ON b.id = m.batch
        LEFT JOIN batch_files f ON f.batch = m.batch
        WHERE (sealed_under(t.sealed, $1) AND (p.status = ANY ($3) OR extract(year FROM b.execute_on) >= $2))
           OR (sealed_under(f.sealed, $1) AND p.status = ANY ($3)))
"""


def sealed_year(sealed: bytes) -> int | None:
    """The year under whose key bytes are sealed; None: they are from before there were such keys."""
    found = _OF_A_YEAR.fullmatch(sealed_by(sealed))
    return int(found[1]) if found is not None else None


def _read(plain: bytes | Lost, year: int) -> bytes | CannotUnseal:
    match plain:
        case Lost.ERASED:
            return YearGone(year)
        case Lost.NO_KEY:
            return CannotUnseal("the key of this year is not in the database of keys")
        case Lost.ALTERED:
            return CannotUnseal("these are not the bytes that were sealed here")
        case _:
            return plain


def _of_before(ring: KeyRing, sealed: bytes, place: str) -> bytes | CannotUnseal:
    try:
        return unseal(ring, sealed, place)
    except CannotUnseal as error:
        return error
