"""What the database itself holds to when a person is forgotten."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from journeys.store import erasing, people
from journeys.store.directory import By, NotFound

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
    assert await erasing.under_way(pool) == [person]
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
