"""Lists, claims and rebuilding."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from journeys.contract import Append
from journeys.domain.events import AppointmentBooked
from journeys.store import people, views
from journeys.store.claims import claim, settle
from journeys.store.directory import By
from journeys.store.journal import append
from journeys.store.rebuilding import rebuild
from journeys.store.signing import KeyRing

from .samples import ACTOR, NOW, header, new_stream, noted, view

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


async def test_an_append_without_view_moves_the_seq_alone(pool: Any, ring: KeyRing) -> None:
    id, other = await put(pool, ring), await put(pool, ring)
    before, beside = await views.journey(pool, id), await views.journey(pool, other)
    assert before is not None
    note = noted(before.stream, 1, ring).model_copy(update={"view": None})
    assert (await append(pool, ring, note)).accepted
    after = await views.journey(pool, id)
    assert after == replace(before, seq=2)
    assert await views.journey(pool, other) == beside


async def test_an_append_without_view_needs_no_row(pool: Any, ring: KeyRing) -> None:
    journey = new_stream()
    await pool.keys.assign(journey, str(uuid4()))
    for stream in (journey, new_stream("person"), "system"):
        note = noted(stream, 0, ring).model_copy(update={"view": None})
        assert (await append(pool, ring, note)).accepted
    assert await views.journeys(pool) == []


async def test_a_row_names_the_person_and_holds_the_summary_but_the_seq(pool: Any, ring: KeyRing) -> None:
    person, stream = str(uuid4()), new_stream()
    details = people.Details(first_name="Éloïse", last_name="Martin", birth_date=date(1990, 2, 3))
    await people.register(pool, person, details, By(actor=ACTOR, role="referent", at=NOW))
    summary = view(1, person=person, dates={"release": "2027-06-01"}, granted=120_00)
    await append(pool, ring, noted(stream, 0, ring).model_copy(update={"view": summary}))
    row = await views.journey(pool, stream.removeprefix("journey-"))
    assert row is not None
    assert (row.name, row.stream, row.seq, {**row.summary, "seq": 1}) == ("Éloïse Martin", stream, 1, summary)
    assert await views.journey(pool, str(uuid4())) is None


async def test_the_board_over_all_journeys(pool: Any, ring: KeyRing) -> None:
    def item(id: str, kind: str, at: str | None, role: str) -> dict[str, Any]:
        return {"id": id, "kind": kind, "at": at, "role": role}

    first = [
        item("g1", "grant", "2027-05-13T16:00:00.000000Z", "finance"),
        item("d1", "deadline", None, "referent"),
    ]
    second = [item("g2", "grant", "2027-05-12T16:00:00.000000Z", "supervisor")]
    id = await put(pool, ring, board=first)
    await put(pool, ring, board=second, site="lille", referent=str(uuid4()))

    async def ids(**conditions: Any) -> list[str]:
        return [found.item["id"] for found in await views.board(pool, **conditions)]

    assert await ids() == ["g2", "g1", "d1"]
    assert await ids(kinds=["grant"]) == ["g2", "g1"]
    assert await ids(kinds=["grant"], role="finance") == ["g1"]
    assert await ids(site="lille") == ["g2"]
    assert await ids(referent=ACTOR) == ["g1", "d1"]
    assert [found.journey.id for found in await views.board(pool, role="finance")] == [id]


async def meets(pool: Any, ring: KeyRing, at: datetime, minutes: int) -> str:
    """A journey of the same caseworker with an appointment."""
    stream, id = new_stream(), str(uuid4())
    booked = AppointmentBooked(
        appointment=id, at=at, minutes=minutes, milestone=None, contact=None, summons=False, remind_at=None, ask_at=at
    )
    item = {"kind": "appointment", "id": id, "at": at.isoformat()}
    await append(pool, ring, Append(stream=stream, expected=0, events=(header(stream, 1, booked),),
                                    view=view(1, meetings=1, board=[item])))  # fmt: skip
    return stream.removeprefix("journey-")


async def test_who_meets_is_found_by_the_hours_among_however_many_that_day(pool: Any, ring: KeyRing) -> None:
    """A session of thirty in the morning hides nothing."""
    for _ in range(30):
        await meets(pool, ring, NOW, 120)
    then = NOW + timedelta(hours=4)
    longer = await meets(pool, ring, then - timedelta(minutes=90), 120)
    within = await meets(pool, ring, then + timedelta(minutes=30), 15)
    await meets(pool, ring, then - timedelta(minutes=30), 30)
    await meets(pool, ring, then + timedelta(hours=1), 30)
    found = await views.meeting(pool, str(uuid4()), ACTOR, then, then + timedelta(hours=1))
    assert {row.id for row in found} == {longer, within}


async def test_what_is_due(pool: Any, ring: KeyRing) -> None:
    first = await put(pool, ring, next_due="2027-05-11T16:00:00.000000Z")
    second = await put(pool, ring, next_due="2027-05-12T07:00:00.000000Z")
    await put(pool, ring, next_due="2027-05-12T08:00:00.000000Z")
    closed = await put(pool, ring, next_due="2027-05-01T08:00:00.000000Z", status="closed")
    over = await put(pool, ring, next_due=None, status="closed")
    assert [row.id for row in await views.due_before(pool, NOW)] == [closed, first, second]
    moving = {row.id for row in await views.journeys(pool, under_way=True)}
    assert {closed, first, second} < moving and over not in moving
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
