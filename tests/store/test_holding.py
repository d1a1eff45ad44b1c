"""What is held about a person is known table by table: the next table cannot be forgotten."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg

from journeys.app.registers import ABOUT_NOBODY, ABOUT_OTHERS, NOT_HANDED, Held, as_report
from journeys.store import bank_files, erasing, holding, people, reads
from journeys.store.directory import By
from journeys.store.holding import Whose
from journeys.store.keys import finance_key
from journeys.store.sealing import sealed_by
from journeys.store.signing import KeyRing
from tests.store import test_bank
from tests.store.test_bank import HEAD, PAYEE, Bank, answer, out

BY = By(actor="system", role="system", at=datetime.now(UTC))
LEADS_TO_SOMEBODY = ("person", "people", "journey", "stream", "payment", "link", "mentor")
"""Columns by which a row is a person's; `message` too, where it is an id."""


async def tables(connection: Any, schema: str, prefix: str) -> dict[str, bool]:
    """The tables of a schema, and whether a row of each leads to somebody."""
    rows = await connection.fetch(
        "SELECT $2 || c.table_name AS name, array_agg(c.column_name::text) AS names, bool_or(c.column_name = 'message'"
        " AND c.data_type = 'uuid') AS of_a_message FROM information_schema.columns c"
        " JOIN pg_class t ON t.oid = format('%I.%I', c.table_schema, c.table_name)::regclass"
        " WHERE c.table_schema = $1 AND t.relkind IN ('r', 'p') AND NOT t.relispartition GROUP BY 1", schema, prefix,
    )  # fmt: skip
    return {row["name"]: row["of_a_message"] or not {*row["names"]}.isdisjoint(LEADS_TO_SOMEBODY) for row in rows}


async def all_tables(owner: Any, pool: Any) -> dict[str, bool]:
    """Those of the journal, of the simulated bank beside it, and of the database of keys."""
    keys = await asyncpg.connect(pool.keys.dsn)
    try:
        return {
            **await tables(owner, "public", ""), **await tables(owner, "bank", "bank."),
            **await tables(keys, "public", "keys."),
        }  # fmt: skip
    finally:
        await keys.close()


async def forgotten_tables(owner: Any, pool: Any) -> set[str]:
    """Tables that nobody has said whether they are handed over; or of which it was said that they are nobody's, and
    that have a column which leads to a person."""
    there = await all_tables(owner, pool)
    told = {*holding.ROWS, *holding.OTHERWISE, *(table for tables in NOT_HANDED.values() for table in tables)}
    leading = {name for name, leads in there.items() if leads}
    return (leading - told - _STREAMS_OF_THE_HOUSE) | there.keys() - told - ABOUT_NOBODY - ABOUT_OTHERS


_STREAMS_OF_THE_HOUSE = {"funds"}
"""Whose stream is a fund's."""


async def test_each_table_is_handed_over_or_said_not_to_be(owner: Any, pool: Any) -> None:
    assert await forgotten_tables(owner, pool) == set()
    named = [*holding.ROWS, *holding.OTHERWISE, *ABOUT_NOBODY, *ABOUT_OTHERS,
             *(table for tables in NOT_HANDED.values() for table in tables)]  # fmt: skip
    assert len(named) == len({*named})
    assert {*named} <= (await all_tables(owner, pool)).keys(), "a table that is gone"
    # The next one.
    await owner.execute("CREATE TABLE later (id uuid, person uuid)")
    await owner.execute("CREATE TABLE later_still (id uuid, of_what text)")
    await owner.execute("CREATE TABLE bank.later (id uuid)")
    assert await forgotten_tables(owner, pool) == {"later", "later_still", "bank.later"}


async def test_one_that_leads_to_a_person_is_not_nobodys(owner: Any, pool: Any, monkeypatch: Any) -> None:
    monkeypatch.delitem(holding.ROWS, "paper_letters")
    monkeypatch.setattr("tests.store.test_holding.ABOUT_NOBODY", ABOUT_NOBODY | {"paper_letters"})
    assert await forgotten_tables(owner, pool) == {"paper_letters"}


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
    # Zoé is the mentor of the other one as well.
    await owner.execute(
        "INSERT INTO links (id, hash, journey, role, recipient, purpose, subject, language, expires_at, issued_at)"
        " VALUES (gen_random_uuid(), sha256('mentor'), $1, 'mentor', $2, 'contact', 'mentoring', 'fr',"
        " now() + interval '1 day', now())", journeys[other], zoe,
    )  # fmt: skip
    found = await holding.rows_of(pool, ring, Whose(zoe, [journeys[zoe]]))
    assert found.keys() == holding.ROWS.keys(), "each question can be asked as the writer"
    links = {row["role"]: row for row in found["links"]}
    assert {role: row["journey"] for role, row in links.items()} == {"participant": journeys[zoe], "mentor": None}
    assert links["mentor"]["subject"] is None and not any("hash" in row for row in links.values())
    assert [row["event"] for row in found["message_replies"]] == [zoe] and "people" not in found["message_replies"][0]
    assert [row["id"] for row in found["people"]] == [zoe]
    assert {"sealed", "reference_token"}.isdisjoint(found["people"][0])
    assert other not in str(found) and journeys[other] not in str(found)


async def test_a_line_matched_by_hand_is_handed_over_and_counted(pool: Any, ring: KeyRing) -> None:
    bank = Bank(pool, ring)
    (one, other), _ = await bank.given(50_00, 30_00)
    await bank.take(HEAD, replace(out(one), reference="TYPEDBYHAND"), out(other, 30_00), out(None, 3_00))
    [line] = [each for each in await bank_files.exceptions(pool, ring) if each.reference == "TYPEDBYHAND"]
    await bank_files.resolve(pool, line, "match", "référence recopiée", test_bank.BY, one)
    assert [each.id for each in await bank_files.lines_of(pool, ring, one)] == [line.id]
    whose = await pool.fetchval("SELECT person::text FROM payments WHERE id = $1", one)
    found = await holding.rows_of(pool, ring, Whose(whose, []))
    assert [row["reference"] for row in found["bank_lines"]] == [None], "somebody typed it"
    assert [(row["name"], row["reference"]) for row in found["bank_texts"]] == [(PAYEE.name, "TYPEDBYHAND")]
    assert (await erasing.survey(pool, whose)).bank.lines == 1
    assert [(row["how"], row["why"]) for row in found["bank_resolutions"]] == [("match", "référence recopiée")]
    sealed = await pool.fetchval("SELECT sealed FROM parts WHERE stream = 'system' AND name = 'why'")
    assert sealed_by(sealed) == finance_key(whose)


async def test_what_a_bank_answers_and_what_was_written_of_it_is_told_in_words(pool: Any, ring: KeyRing) -> None:
    bank = Bank(pool, ring)
    (one, other), batch = await bank.given(50_00, 30_00)
    whose = {row["id"]: row["person"] for row in await pool.fetch("SELECT id::text, person::text FROM payments")}
    await bank.take(answer(batch, "rejected", one, "AC04"), answer(batch, "rejected", other, "LOYER BENALI"))
    await bank.take(HEAD, replace(out(other), cents=-29_99))
    [line] = await bank_files.exceptions(pool, ring)
    await bank_files.resolve(pool, line, "noted", "vu avec Jean-Luc Benali", test_bank.BY)

    async def told(payment: str) -> list[tuple[str, ...]]:
        rows = await holding.rows_of(pool, ring, Whose(whose[payment], []))
        person = people.Person(
            id=whose[payment], details=people.Details(first_name="Zoé", last_name="Petit"), channel=None,
            opted_out=False, paused_until=None, died=False, died_on=None, erasure_requested=False,
        )  # fmt: skip
        report = as_report(Held(rows, [], [], [], []), [], person, "fr", sender="Auxilia")
        [section] = [each.table for each in report.entries if each.table.title == "Vos versements et la banque"]
        return [(what, state, said) for _, what, state, _, said in section.rows if what != "versement"]

    assert await told(one) == [("réponse de la banque", "AC04", "—")]
    answered, booked = sorted(await told(other), reverse=True)
    assert answered == ("réponse de la banque", "RJCT, LOYER BENALI", "—")
    assert booked[:2] == ("ligne de la banque", "vu avec Jean-Luc Benali")
    plain = await pool.fetch("SELECT reason FROM bank_lines UNION SELECT reason FROM bank_tellings")
    assert {row["reason"] for row in plain} == {None, "AC04"}, "what may name somebody is sealed"
    assert {row.reason for row in await bank_files.lines_of(pool, ring, other)} == {None, "LOYER BENALI"}


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
