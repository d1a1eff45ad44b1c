"""What is held about a person is known table by table: the next table cannot be forgotten."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from journeys.app.registers import ABOUT_NOBODY, ABOUT_OTHERS, NOT_HANDED
from journeys.store import holding, people, reads
from journeys.store.directory import By
from journeys.store.holding import Whose
from journeys.store.signing import KeyRing

BY = By(actor="system", role="system", at=datetime.now(UTC))
LEADS_TO_SOMEBODY = ("person", "people", "journey", "stream", "payment", "link", "mentor")
"""Columns by which a row is a person's; `message` too, where it is an id."""


async def forgotten_tables(owner: Any) -> set[str]:
    """Tables that nobody has said whether they are handed over; or of which it was said that they are nobody's, and
    that have a column which leads to a person."""
    rows = await owner.fetch(
        "SELECT c.table_name, array_agg(c.column_name::text) AS names, bool_or(c.column_name = 'message'"
        " AND c.data_type = 'uuid') AS of_a_message FROM information_schema.columns c"
        " JOIN pg_class t ON t.oid = format('public.%I', c.table_name)::regclass"
        " WHERE c.table_schema = 'public' AND t.relkind IN ('r', 'p') AND NOT t.relispartition GROUP BY 1"
    )
    told = {*holding.ROWS, *holding.OTHERWISE, *(table for tables in NOT_HANDED.values() for table in tables)}
    leading = {
        row["table_name"] for row in rows if row["of_a_message"] or not {*row["names"]}.isdisjoint(LEADS_TO_SOMEBODY)
    }
    return (leading - told - _STREAMS_OF_THE_HOUSE) | {row["table_name"] for row in rows} - told - ABOUT_NOBODY - (
        ABOUT_OTHERS
    )


_STREAMS_OF_THE_HOUSE = {"funds"}
"""Whose stream is a fund's."""


async def test_each_table_is_handed_over_or_said_not_to_be(owner: Any) -> None:
    assert await forgotten_tables(owner) == set()
    named = [*holding.ROWS, *holding.OTHERWISE, *ABOUT_NOBODY, *ABOUT_OTHERS,
             *(table for tables in NOT_HANDED.values() for table in tables)]  # fmt: skip
    assert len(named) == len({*named})
    there = {
        row["tablename"] for row in await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }
    assert {*named} <= there, "a table that is gone"
    # The next one.
    await owner.execute("CREATE TABLE later (id uuid, person uuid)")
    await owner.execute("CREATE TABLE later_still (id uuid, of_what text)")
    assert await forgotten_tables(owner) == {"later", "later_still"}


async def test_one_that_leads_to_a_person_is_not_nobodys(owner: Any, monkeypatch: Any) -> None:
    monkeypatch.delitem(holding.ROWS, "paper_letters")
    monkeypatch.setattr("tests.store.test_holding.ABOUT_NOBODY", ABOUT_NOBODY | {"paper_letters"})
    assert await forgotten_tables(owner) == {"paper_letters"}


async def test_rows_are_a_persons_own_and_show_no_secret(pool: Any, owner: Any, ring: KeyRing) -> None:
    zoe, other = str(uuid4()), str(uuid4())
    journeys = {zoe: str(uuid4()), other: str(uuid4())}
    for person, journey in journeys.items():
        await people.register(pool, person, people.Details(first_name="Zoé", last_name=person[:8]), BY)
        await owner.execute(
            "INSERT INTO links (id, hash, journey, role, recipient, purpose, subject, language, expires_at, issued_at)"
            " VALUES (gen_random_uuid(), sha256($1::text::bytea), $1::text::uuid, 'participant', $2, 'messages', '',"
            " 'fr', now() + interval '1 day', now())", journey, person,
        )  # fmt: skip
        await owner.execute(
            "INSERT INTO message_replies (event, content, people, wish, at)"
            " VALUES ($1, sha256(''), ARRAY[$2, $3]::uuid[], 'stop', now())", person, person, str(uuid4()),
        )  # fmt: skip
    found = await holding.rows_of(pool, ring, Whose(zoe, [journeys[zoe]]))
    assert found.keys() == holding.ROWS.keys(), "each question can be asked as the writer"
    assert [row["journey"] for row in found["links"]] == [journeys[zoe]] and "hash" not in found["links"][0]
    assert [row["event"] for row in found["message_replies"]] == [zoe] and "people" not in found["message_replies"][0]
    assert [row["id"] for row in found["people"]] == [zoe]
    assert {"sealed", "reference_token"}.isdisjoint(found["people"][0])
    assert other not in str(found) and journeys[other] not in str(found)


async def test_who_looked_is_a_number_and_the_same_for_the_same_one(pool: Any, owner: Any) -> None:
    own, other, aline, sam = (str(uuid4()) for _ in range(4))
    noted = [
        reads.Read(sam, ("supervisor",), None, "export", "cli"), reads.Read(aline, ("referent",), own, "file", "web"),
        reads.Read(sam, ("supervisor",), own, "document", "web"),
        reads.Read(aline, ("referent",), other, "file", "web"),
        reads.Read(sam, ("supervisor",), None, "audit", "web"),
        reads.Read(sam, ("supervisor",), None, "letters", "cli"),
        reads.Read(None, (), own, "file", "cli", login="root"), reads.Read(aline, ("referent",), own, "audit", "web"),
    ]  # fmt: skip
    for each in noted:
        await reads.note(pool, [each])
    since = await owner.fetchval("SELECT min(at) FROM reads")
    seen = await reads.about(pool, [own], since)
    assert [(each.who, each.look) for each in seen] == [
        (1, "export"), (2, "file"), (1, "document"), (3, "file"), (2, "audit"),
    ], "a table of several files is not a look into each"  # fmt: skip
    assert [each.all for each in seen] == [True, False, False, False, False]
    assert [each.read.look for each in await reads.noted(pool, journey=own)] == [
        "audit", "file", "document", "file", "export",
    ]  # fmt: skip
    assert len(await reads.noted(pool)) == len(noted), "the house's own log has them all"
    later = await owner.fetchval("SELECT max(at) FROM reads")
    assert [each.look for each in await reads.about(pool, [own], later)] == ["file", "document", "file", "audit"]
    assert not any(id in str(seen) for id in (aline, sam, "root"))
