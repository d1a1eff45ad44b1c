"""Who opens a file leaves a line; who may read the lines; what nobody can do with them."""

from typing import Any

import asyncpg
import httpx
import pytest

from journeys.app.web.visit import LOOKS, look_of
from journeys.store import reads
from journeys.store.database import open_pool
from journeys.store.reads import Read
from tests.web.conftest import Ground
from tests.web.scene import Scene

SOMEBODY = "01a2116a-1000-7b3c-9c1e-5f0c2f1d8a77"


async def told(scene: Scene) -> list[tuple[str, str | None, str, str]]:
    await scene.house.write_looks()
    found = await reads.noted(scene.house.writing)
    return [(each.who, each.read.journey, each.read.look, each.read.entry) for each in found]


async def test_who_opens_a_file_leaves_a_line_and_who_is_not_let_in_leaves_none(scene: Scene) -> None:
    own, foreign = scene.journeys["own"], scene.journeys["colleague"]
    token = await scene.ground.session(scene.people["aline"].id)
    async with scene.ground.browser(token) as browser:
        for path in (f"/parcours/{own}", f"/parcours/{own}/audit", f"/parcours/{own}/synthese.pdf"):
            assert (await browser.get(path)).status_code == 200, path
        assert (await browser.get(f"/parcours/{foreign}")).status_code == 404
        assert (await browser.get("/parcours")).status_code == 200
        assert (await browser.get("/controle/consultations")).status_code == 403
    found = await told(scene)
    name = scene.people["aline"].name
    assert found == [(name, own, "paper", "web"), (name, own, "audit", "web"), (name, own, "file", "web")]
    aude = await scene.ground.session(scene.people["aude"].id)
    async with scene.ground.browser(aude) as browser:
        answer: httpx.Response = await browser.get(
            f"/controle/consultations?parcours={own}&par={scene.people['aline'].id}"
        )
        assert answer.status_code == 200 and answer.text.count("une synthèse ou un reçu") == 1
        none = await browser.get(f"/controle/consultations?par={scene.people['ada'].id}")
        assert "ouvert de dossier." in none.text, none.text[-1500:]


async def test_lines_wait_for_a_database_that_is_away(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    house, written = ground.house, reads.note
    journey = await ground.journey(await ground.member("aline", "referent"))

    async def away(*_: Any) -> None:
        raise OSError("away")

    monkeypatch.setattr(reads, "note", away)
    house.looked(Read(SOMEBODY, ("referent",), journey, "file", "web"))
    with pytest.raises(OSError, match="away"):
        await house.write_looks()
    monkeypatch.setattr(reads, "note", written)
    await house.write_looks()
    await house.write_looks()
    assert [each.read.journey for each in await reads.noted(house.writing)] == [journey]


async def test_nobody_changes_reads_or_drops_a_line(ground: Ground) -> None:
    house = ground.house
    await reads.note(house.reading, [Read(SOMEBODY, ("referent",), None, "export", "web")])
    looks = await open_pool(ground.owner, role="journeys_looks", largest=1)
    changes = (
        "DELETE FROM reads", "UPDATE reads SET login = 'x'", "TRUNCATE reads",
        "INSERT INTO reads (at, login, roles, look, entry) SELECT now(), 'x', '{}', 'file', 'cli'",
    )  # fmt: skip
    uses = ("SELECT * FROM reads", "INSERT INTO reads (login, roles, look, entry) SELECT 'x', '{}', 'file', 'cli'")
    for pool in (house.reading, house.writing, looks):
        for statement in (*changes, *(uses if pool is not looks else ())):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(statement)
    assert len(await looks.fetch("SELECT * FROM reads")) == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await looks.execute("SELECT reads_by_month(12)")
    await looks.close()
    owner = await asyncpg.connect(ground.owner)
    month = await owner.fetchval("SELECT tableoid::regclass::text FROM reads")
    for statement in ("DELETE FROM reads", "UPDATE reads SET login = 'x'", "TRUNCATE reads", f"TRUNCATE {month}",
                      f"DELETE FROM {month}"):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)
    # The guards taken away from outside, one after the other: the role, then what holds the owner too.
    undone = owner.transaction()
    await undone.start()
    await owner.execute("GRANT DELETE ON reads TO journeys_looks")
    await owner.execute("SET LOCAL ROLE journeys_looks")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        async with owner.transaction():
            await owner.execute("DELETE FROM reads")
    await owner.execute("RESET ROLE")
    await owner.execute("ALTER TABLE reads DISABLE TRIGGER append_only")
    await owner.execute("SET LOCAL ROLE journeys_looks")
    assert await owner.execute("DELETE FROM reads") == "DELETE 1"
    await undone.rollback()
    await owner.close()


async def test_whole_months_are_dropped_and_never_the_last_six(ground: Ground) -> None:
    owner, pool = await asyncpg.connect(ground.owner), ground.house.writing
    for months in (5, 7, 13, 14):
        month = await owner.fetchrow(
            "SELECT to_char(m, 'YYYY_MM') AS name, m::text || 'Z' AS first,"
            " (m + interval '1 month')::text || 'Z' AS last"
            " FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => $1) AS m) AS month",
            months,
        )
        await owner.execute(
            f"CREATE TABLE reads_{month['name']} PARTITION OF reads"
            f" FOR VALUES FROM ('{month['first']}') TO ('{month['last']}')"
        )
    before = await owner.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'reads'::regclass")
    with pytest.raises(asyncpg.CheckViolationError):
        await reads.by_month(pool, 5)
    assert await reads.by_month(pool, 12) == 2
    assert await reads.by_month(pool, 12) == 0
    assert await reads.by_month(pool, 6) == 1
    assert await owner.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'reads'::regclass") == before - 3
    await owner.execute(
        "INSERT INTO reads (at, login, roles, look, entry) SELECT now() - interval '4 years', 'x', '{}', 'file', 'cli'"
    )
    assert await reads.by_month(pool, 36) == 1
    assert await reads.noted(pool) == []
    await owner.close()


async def test_many_different_files_in_an_hour_are_told(ground: Ground) -> None:
    pool, me = ground.house.writing, await ground.member("aline", "referent")
    journeys = [await ground.journey(me) for _ in range(3)]
    await reads.note(pool, [Read(me, ("referent",), each, "file", "web") for each in journeys * 2])
    assert await reads.many(pool, 3) == []
    assert [(each.who, each.files) for each in await reads.many(pool, 2)] == [("Aline", 3)]


def test_every_address_of_a_journey_has_its_kind_of_look(ground: Ground) -> None:
    ways = {
        path.partition("{id}/")[2].partition("/")[0]
        for route in ground.application.routes
        if (path := getattr(route, "path", "")).startswith("/parcours/{id}/")
    }
    assert ways - set(LOOKS) <= {"debut"}, "say in LOOKS what these open"
    assert look_of("/parcours/{id}") == "file" and look_of("/parcours/{id}/documents/{seq}") == "document"


async def test_what_was_owed_and_who_did_what_are_pages_of_a_journey(scene: Scene) -> None:
    fund = scene.journeys["fund"]
    token = await scene.ground.session(scene.people["aude"].id)
    async with scene.ground.browser(token) as browser:
        owed = await browser.get(f"/parcours/{fund}/obligations")
        assert owed.status_code == 200 and "passée sans" not in owed.text
        assert owed.text.count('<th scope="row">') > 2
        duties = await browser.get(f"/parcours/{fund}/roles")
        assert duties.status_code == 200 and 'class="plain"' in duties.text, duties.text[-1500:]
        audit = (await browser.get(f"/parcours/{fund}/audit")).text
        assert f"/parcours/{fund}/roles" in audit and f"/parcours/{fund}/differences" in audit
        between = await browser.get(f"/parcours/{fund}/differences")
        assert (
            between.status_code == 200 and "<ins>" in between.text and "rien n’a été noté" not in between.text.lower()
        )
        before = await browser.get(f"/parcours/{fund}/differences?du=2020-01-01T10:00&au=2020-02-01T10:00&vue=savait")
        assert "Rien n’a changé." in before.text and "Rien n’a été noté." in before.text
        wrong = await browser.get(f"/parcours/{fund}/differences?du=hier&au=2020-02-01T10:00")
        assert wrong.status_code == 422 and 'id="e-du"' in wrong.text and 'value="hier"' in wrong.text
    assert [each[2] for each in await told(scene)] == ["audit"] * 6
