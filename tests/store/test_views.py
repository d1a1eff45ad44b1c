"""Lists, claims and rebuilding."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from journeys.store import people, views
from journeys.store.claims import claim, settle
from journeys.store.directory import By
from journeys.store.journal import append
from journeys.store.rebuilding import rebuild
from journeys.store.signing import KeyRing

from .samples import ACTOR, NOW, new_stream, noted, view

pytestmark = pytest.mark.asyncio


async def put(pool: Any, ring: KeyRing, **changes: Any) -> str:
    stream = new_stream()
    await append(pool, ring, noted(stream, 0, ring).model_copy(update={"view": view(1, **changes)}))
    return stream.removeprefix("journey-")


async def test_filters(pool: Any, ring: KeyRing) -> None:
    other = str(uuid4())
    calm = await put(pool, ring)
    late = await put(pool, ring, late=2, phase="project", referent=other, site="lille")
    closed = await put(pool, ring, status="closed", phase=None, next_due=None)

    async def ids(**conditions: Any) -> set[str]:
        return {row.id for row in await views.journeys(pool, **conditions)}

    assert await ids() == {calm, late, closed}
    assert await ids(late=True) == {late}
    assert await ids(phase="project") == await ids(referent=other) == await ids(site="lille") == {late}
    assert await ids(open_only=True) == {calm, late}
    assert await ids(status="closed") == {closed}
    assert await ids(programme="auxilia", referent=ACTOR) == {calm, closed}
    assert await ids(programme="other") == set()
    everything = sorted([calm, late, closed])
    assert await ids(after=everything[0]) == set(everything[1:])
    assert await views.starting_with(pool, calm[:13].upper()) == [calm]


async def test_a_row_names_the_person_and_holds_its_board(pool: Any, ring: KeyRing) -> None:
    person = str(uuid4())
    details = people.Details(first_name="Éloïse", last_name="Martin", birth_date=date(1990, 2, 3))
    await people.register(pool, person, details, By(actor=ACTOR, role="referent", at=NOW))
    id = await put(
        pool, ring, person=person, board={"approvals": [{"grant": "g1"}, {"grant": "g2"}], "note": "x"}
    )
    nameless = await put(pool, ring, board={"approvals": [{"grant": "g3"}]}, site="lille")
    row = await views.journey(pool, id)
    assert row is not None and (row.name, row.board["note"], row.stream) == (
        "Éloïse Martin",
        "x",
        f"journey-{id}",
    )
    assert await views.journey(pool, str(uuid4())) is None
    waiting = await views.board(pool, "approvals")
    assert sorted((item.item["grant"], item.journey.id) for item in waiting) == [
        ("g1", id),
        ("g2", id),
        ("g3", nameless),
    ]
    assert [item.item["grant"] for item in await views.board(pool, "approvals", site="lille")] == ["g3"]
    assert await views.board(pool, "note") == []


async def test_what_is_due(pool: Any, ring: KeyRing) -> None:
    first = await put(pool, ring, next_due="2027-05-11T16:00:00.000000Z")
    second = await put(pool, ring, next_due="2027-05-12T07:00:00.000000Z")
    await put(pool, ring, next_due="2027-05-12T08:00:00.000000Z")
    await put(pool, ring, next_due="2027-05-01T08:00:00.000000Z", status="closed")
    assert [row.id for row in await views.due_before(pool, NOW)] == [first, second]
    assert await views.due_before(pool, NOW, referent=str(uuid4())) == []


async def test_an_effect_is_fresh_once_and_keeps_its_first_outcome(pool: Any) -> None:
    journey = new_stream()
    claims = await asyncio.gather(*(claim(pool, journey, 7, "payment", NOW) for _ in range(8)))
    assert sum(each.fresh for each in claims) == 1
    assert all(each.outcome is None for each in claims)
    assert await settle(pool, journey, 7, {"said": "settled"}) == {"said": "settled"}
    assert await settle(pool, journey, 7, {"said": "rejected"}) == {"said": "settled"}
    later = await claim(pool, journey, 7, "payment", NOW + timedelta(hours=1))
    assert (later.fresh, later.outcome, len(later.attempts)) == (False, {"said": "settled"}, 8)
    assert (await claim(pool, journey, 8, "payment", NOW)).fresh
    with pytest.raises(LookupError):
        await settle(pool, journey, 9, {})


async def test_rows_are_rebuilt_from_the_journal(pool: Any, owner: Any, ring: KeyRing) -> None:
    def fold(headers: Sequence[dict[str, Any]], texts: Mapping[str, str]) -> list[int]:
        return [header["seq"] for header in headers]

    def summary(state: list[int]) -> dict[str, Any]:
        return view(state[-1], status="suspended")

    streams = [new_stream() for _ in range(3)]
    for stream in streams:
        for seq in range(2):
            await append(pool, ring, noted(stream, seq, ring))
    await people.register(
        pool,
        str(uuid4()),
        people.Details(first_name="A", last_name="B"),
        By(actor=ACTOR, role="referent", at=NOW),
    )
    await owner.execute("DELETE FROM journeys")
    assert await rebuild(pool, fold, summary, only=streams[0]) == 1
    assert await rebuild(pool, fold, summary) == 3
    rows = await views.journeys(pool, status="suspended")
    assert sorted((row.stream, row.seq) for row in rows) == sorted((stream, 2) for stream in streams)
