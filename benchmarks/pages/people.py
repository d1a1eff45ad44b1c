"""Who sits before the pages, with real sessions, and what each of them opens."""

import random
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from benchmarks.pages.asking import EMPTY, Asker
from journeys.store import sessions, staff, vault
from journeys.store.database import Pool
from journeys.store.directory import By

WIDE: Final = "bench-wide"
"""A supervisor of three sites; the crowd's own have one each."""
_OPENED: Final = 40
"""Journeys that each opens, one after the other."""
_CASEWORKERS: Final = 9
_STAFF: Final = frozenset({"referent", "supervisor", "finance", "duty"})
_DECIDING: Final = frozenset({"supervisor", "finance", "duty"})

SCREENS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "today": ("/", _STAFF),
    "caseload": ("/parcours", _STAFF),
    "person": ("/parcours/{journey}", _STAFF),
    "approvals": ("/accords", _DECIDING),
    "escalations": ("/alertes", _STAFF),
    "week": ("/agenda", _STAFF),
    "search": ("/recherche?q={name}", _STAFF),
}
"""What is asked, and by which roles."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A member of staff with a session, and journeys that they may see with the family names of their people."""

    handle: str
    role: str
    token: str
    led: int
    journeys: tuple[tuple[str, str], ...] = field(repr=False)


async def people(pool: Pool, seed: int, now: datetime) -> list[Somebody]:
    """The caseworker with most journeys, nine with the usual number, three supervisors, two of finance, the duty."""
    await _widen(pool, now)
    handles = await pool.fetch(
        """
        SELECT s.id::text, s.handle, s.roles[1] AS role, s.sites, count(j.id) AS led
        FROM staff s LEFT JOIN journeys j ON j.referent = s.id AND j.status <> 'closed'
        GROUP BY s.id ORDER BY s.handle
        """
    )
    by_role = {role: [each for each in handles if each["role"] == role] for role in _STAFF}
    leading = sorted(by_role["referent"], key=lambda each: -each["led"])
    over = [each for each in by_role["supervisor"] if each["handle"] == WIDE] + by_role["supervisor"][:2]
    chosen = [leading[0], *leading[1:][-_CASEWORKERS:], *over, *by_role["finance"][:2], *by_role["duty"][:1]]
    draw = random.Random(f"{seed}/pages")
    return [await _somebody(pool, each, draw) for each in chosen]


def askers(everybody: Sequence[Somebody], screen: str) -> list[Asker]:
    """Those who open a screen, with its addresses for each."""
    address, roles = SCREENS[screen]
    return [
        Asker(one.token, tuple(_filled(address, journey, name) for journey, name in one.journeys))
        for one in _of(everybody, roles)
    ]


def idle(everybody: Sequence[Somebody], screen: str) -> list[Asker]:
    """The same people before the empty page."""
    return [Asker(one.token, (EMPTY,)) for one in _of(everybody, SCREENS[screen][1])]


def _of(everybody: Sequence[Somebody], roles: Collection[str]) -> list[Somebody]:
    return [one for one in everybody if one.role in roles and one.journeys]


def _filled(address: str, journey: str, name: str) -> str:
    return address.format(journey=journey, name=quote(name))


async def _somebody(pool: Pool, row: Mapping[str, Any], draw: random.Random) -> Somebody:
    token = await sessions.open_session(pool, row["id"], "password")
    seen = await pool.fetch(_SEEN[row["role"]], *([row["id"]] if row["role"] == "referent" else []),
                            *([list(row["sites"])] if row["role"] == "supervisor" else []))  # fmt: skip
    some = draw.sample([tuple(each) for each in seen], min(_OPENED, len(seen)))
    known = await vault.unseal(pool, [(whose, sealed) for _, whose, sealed in some])
    opened = tuple((id, details.last_name) for (id, _, _), details in zip(some, known, strict=True) if details)
    return Somebody(row["handle"], row["role"], token, row["led"], opened)


_SEEN: Final = {
    role: "SELECT j.id::text, p.id::text, p.sealed FROM journeys j JOIN people p ON p.id = j.person"
    f" WHERE {which} ORDER BY j.id"
    for role, which in {
        "referent": "j.referent = $1::uuid", "supervisor": "j.site = ANY ($1::text[])", "finance": "j.money",
        "duty": "true",
    }.items()
}  # fmt: skip


async def _widen(pool: Pool, now: datetime) -> None:
    """A supervisor of three sites, there once."""
    if await staff.by_handle(pool, WIDE) is not None:
        return
    sites = [row["site"] for row in await pool.fetch("SELECT DISTINCT site FROM journeys ORDER BY site LIMIT 3")]
    member = staff.Member(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, WIDE)), handle=WIDE, name="Dominique Large", email=None, phone=None,
        language="fr", roles=("supervisor",), sites=tuple(sites), active=True,
    )  # fmt: skip
    await staff.add(pool, member, By(actor="system", role="system", at=now))
