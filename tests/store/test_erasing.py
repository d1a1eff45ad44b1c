"""What the database itself holds to when a person is forgotten."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from journeys.domain.rota import Shift
from journeys.store import erasing, mentor_erasing, mentors, people, rota
from journeys.store.directory import AlreadyThere, By, NotFound, names_of

BY = By(actor="system", role="system", at=datetime.now(UTC))
ZOE = people.Details(first_name="Zoé", last_name="Canari", phone="+33612345678")


async def registered(pool: Any) -> str:
    person = str(uuid4())
    await people.register(pool, person, ZOE, BY)
    return person


async def test_nothing_goes_of_whom_nobody_ordered_it(pool: Any, owner: Any) -> None:
    person, other = await registered(pool), await registered(pool)
    await erasing.order(pool, other, "person-asked", BY)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="nobody ordered"):
        await erasing.delete(pool, person)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("DELETE FROM parts")
    held = await erasing.survey(pool, person)
    # Without the guard all of it would go.
    body = await owner.fetchval("SELECT pg_get_functiondef('erase_person'::regproc)")
    await owner.execute(
        body.replace("IF NOT EXISTS (SELECT FROM events", "IF false AND NOT EXISTS (SELECT FROM events")
    )
    await erasing.delete(pool, person)
    assert held.parts > 0 and (await erasing.survey(pool, person)).parts == 0


async def test_from_the_order_on_nothing_is_written_of_the_person_and_a_second_order_is_the_first(pool: Any) -> None:
    person = await registered(pool)
    known = await erasing.order(pool, person, "person-asked", BY)
    assert await erasing.order(pool, person, "ordered", BY) == known
    assert await erasing.under_way(pool) == [known]
    with pytest.raises(NotFound):
        await people.change(pool, person, people.Details(first_name="Zoé", last_name="Autre"), BY)
    assert await people.duplicates(pool, ZOE) == [], "who comes again is somebody new"
    with pytest.raises(NotFound):
        await erasing.order(pool, str(uuid4()), "person-asked", BY)
    with pytest.raises(NotFound):
        await erasing.certify(pool, person, BY)
    await erasing.note(pool, person, await erasing.survey(pool, person))
    await erasing.delete(pool, person)
    await erasing.note(pool, person, await erasing.survey(pool, person))
    seq = await erasing.certify(pool, person, BY)
    assert await erasing.certify(pool, person, BY) == seq
    known = (await erasing.erasures(pool))[0]
    event = await erasing.certificate(pool, known)
    assert event is not None and event.data.held.parts == 5, "as it was before"  # type: ignore[attr-defined]


def lina(**known: Any) -> mentors.Mentor:
    return mentors.Mentor(
        id=str(uuid4()), name="Lina Canari", email="lina@example.org", phone="+33612", language="fr", site="nord",
        capacity=2, place="Lille", **known,
    )  # fmt: skip


async def test_a_mentor_is_in_no_list_from_the_order_on_and_nothing_is_left_but_the_certificate(
    pool: Any, owner: Any
) -> None:
    mentor, other = lina(), lina()
    for each in (mentor, other):
        await mentors.add(pool, each, BY)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="nobody ordered"):
        await mentor_erasing.delete(pool, mentor.id)
    held = await mentor_erasing.survey(pool, mentor.id)
    assert held.parts == 6 and await mentor_erasing.called_and_reached(pool, mentor.id) == (
        mentor.name, mentor.email, mentor.phone,
    )  # fmt: skip
    known = await mentor_erasing.order(pool, mentor.id, "person-asked", BY)
    assert await mentor_erasing.order(pool, mentor.id, "ordered", BY) == known and known.kind == "mentor"
    assert await erasing.under_way(pool) == [known] and await erasing.ordered(pool, mentor.id) is None
    assert await mentors.mentors(pool) == [other] and await mentors.mentor(pool, mentor.id) is None
    assert await names_of(pool, [mentor.id]) == {}
    for change in (
        mentors.describe(pool, mentor, BY),
        mentors.change(pool, mentor.id, capacity=1, available=True, by=BY),
    ):
        with pytest.raises(NotFound):
            await change
    with pytest.raises(NotFound):
        await mentor_erasing.order(pool, str(uuid4()), "person-asked", BY)
    for _ in range(2):
        await erasing.note(pool, mentor.id, await mentor_erasing.survey(pool, mentor.id), "mentor")
        await erasing.destroy(pool.keys, await erasing.keys_of(pool, mentor.id, "mentor"), None)
        await mentor_erasing.delete(pool, mentor.id)
        seq = await erasing.certify(pool, mentor.id, BY, "mentor")
    [known] = await erasing.erasures(pool)
    event = await erasing.certificate(pool, known)
    assert known.certificate == seq and event is not None and event.stream == f"mentor-{mentor.id}"
    assert (event.data.held, event.data.keys) == (held, (f"mentor-{mentor.id}",))  # type: ignore[attr-defined]
    assert await pool.fetchval("SELECT count(*) FROM parts WHERE stream = $1", f"mentor-{mentor.id}") == 0
    assert await owner.fetchval("SELECT sealed FROM mentors WHERE id = $1", mentor.id) is None
    assert (await mentor_erasing.survey(pool, other.id)).parts == 6
    with pytest.raises(AlreadyThere):
        await mentors.add(pool, mentor, BY)
    # Without the guard anybody's would go.
    body = await owner.fetchval("SELECT pg_get_functiondef('erase_mentor'::regproc)")
    await owner.execute(
        body.replace("IF NOT EXISTS (SELECT FROM events", "IF false AND NOT EXISTS (SELECT FROM events")
    )
    await mentor_erasing.delete(pool, other.id)
    assert (await mentor_erasing.survey(pool, other.id)).parts == 0


async def test_a_restored_record_forgets_the_mentor_again(pool: Any, tmp_path: Path) -> None:
    mentor, listed = lina(), tmp_path / "destroyed-keys"
    await mentors.add(pool, mentor, BY)
    await erasing.destroy(pool.keys, [f"mentor-{mentor.id}"], listed)
    assert await mentor_erasing.order_again(pool, listed, BY.at) == [mentor.id]
    assert await mentor_erasing.order_again(pool, listed, BY.at) == []
    assert [each.reason for each in await erasing.under_way(pool)] == ["restored"]


async def test_a_mentor_on_call_is_not_forgotten_and_no_shift_is_left_of_one_who_is(pool: Any) -> None:
    mentor = lina()
    await mentors.add(pool, mentor, BY)
    for days in (-2, 2):
        begins = BY.at + timedelta(days=days)
        shift = Shift(str(uuid4()), "duty", None, mentor.id, begins, begins + timedelta(hours=12))
        await rota.add(pool, [shift], "+33612", BY)
    with pytest.raises(mentor_erasing.StillOnCall):
        await mentor_erasing.order(pool, mentor.id, "person-asked", BY)
    assert await mentors.mentors(pool) == [mentor], "nothing has changed"
    await rota.drop(pool, shift.id, BY)
    await mentor_erasing.order(pool, mentor.id, "person-asked", BY)
    await mentor_erasing.delete(pool, mentor.id)
    assert await pool.fetchval("SELECT count(*) FROM shifts") == 0


async def test_what_a_restored_copy_brings_back_goes_again_at_once(pool: Any, tmp_path: Path) -> None:
    person, mentor, listed = await registered(pool), lina(), tmp_path / "destroyed-keys"
    await mentors.add(pool, mentor, BY)
    listed.write_text(f"person-{person}\nmentor-{mentor.id}\n")
    assert await mentor_erasing.put_right(pool, listed, BY.at) == (2, [person, mentor.id])
    assert await mentor_erasing.put_right(pool, listed, BY.at) == (0, [])
