"""Contrôle: what is shown of the log to whoever audits it, a refusal to sign among it; and what is taken away."""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
import pytest_asyncio

from activities.notary import Notary
from journeys import clock
from journeys.app.cli import checkup
from journeys.app.overseeing import stale
from journeys.app.web.pages import control
from journeys.channels.parties import Directory
from journeys.store import checkpoints, reads, verifications
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.keys import CannotUnwrap, Keys
from journeys.store.people import Details, change, register
from journeys.store.verifications import Found, HistoriesFound, Named, Verified
from tests.audit.corrupting import SEED, vkey
from tests.web.conftest import Ground, form

VERIFIER = Path(__file__).parents[2] / "verifier" / "verify_export.py"
AT = datetime.now(UTC) - timedelta(days=4)
LOG: dict[str, Any] = {
    "holds": True, "origin": "o", "size": 12, "waiting": 0, "streams": 3, "checkpoints": 2, "snapshots": 1,
    "findings": [], "notices": [],
}  # fmt: skip


@pytest_asyncio.fixture
async def notary(ground: Ground, tmp_path: Path) -> AsyncIterator[Notary]:
    """Who signs the log of this house, and delivers to a directory that is there and to one that is not."""
    sequencer = await open_pool(ground.owner, role="journeys_sequencer", largest=2)
    (tmp_path / "share").mkdir()
    parties = (Directory(tmp_path / "share"), Directory(tmp_path / "away"))
    ground.house.settings = ground.house.settings.model_copy(
        update={"checkpoint_directories": tuple(str(each.path) for each in parties)}
    )
    yield Notary(sequencer, ground.house.writing, tmp_path / "own", SEED, parties)
    await sequencer.close()


def verified(**changes: Any) -> Verified:
    sound: dict[str, Any] = {
        "at": AT, "seconds": 1.5, "log": LOG, "journeys": 2, "apart": Found(), "owed": {"met": 5}, "silent": Found(),
        "missed": Found(), "grants": 1, "breaches": Found(), "histories": HistoriesFound(kept=1),
    }  # fmt: skip
    return Verified(**(sound | changes))


def test_a_verification_is_stale_when_it_is_old_or_has_a_date_to_come() -> None:
    now = datetime.now(UTC)
    for hours, old in ((-400, True), (-1, True), (0, False), (25, False), (27, True)):
        assert stale(verified(at=now - timedelta(hours=hours)), now) is old, hours


def test_why_nobody_took_a_checkpoint_is_said_in_words() -> None:
    assert control._why("webhook", "status-503") == "l'autre système ne l'a pas pris"
    assert control._why("mail", "mail-550") == "le serveur de messagerie ne l'a pas pris"
    assert (
        control._why("webhook", "timeout") == control._why("mail", "mail-unreachable") == "il n'y a pas eu de réponse"
    )


async def test_how_the_log_stands_and_a_refusal_to_sign_said_loudly(ground: Ground, notary: Notary) -> None:
    token = await ground.session(await ground.member("aude", "auditor"))
    async with ground.browser(token) as aude:
        before = await aude.get("/controle")
        assert before.status_code == 200 and "aucune encore" in before.text and "Plus rien" not in before.text
        assert "rien n’a encore été remis" in before.text and "Pas encore faite" in before.text
        assert (await aude.get("/controle/attestation")).status_code == 404
        await notary.round(datetime.now(UTC))
        page = (await aude.get("/controle")).text
        assert str(notary.parties[0].address) in page and page.count('class="state done">remis<') == 1
        assert "PAS remis" in page and "le dossier n’est pas là" in page
        origin = await ground.house.writing.fetchval("SELECT origin FROM log_head")
        assert vkey(origin) in page and 'role="alert"' not in page
        taken = await aude.get("/controle/attestation")
        last = await checkpoints.last(ground.house.writing, origin)
        assert last is not None and taken.text == last.note
        assert taken.headers["content-disposition"].startswith("attachment")

        owner = await asyncpg.connect(ground.owner)
        refused = {"code": "smaller", "where": "/mnt/share", "held": 99, "size": 12, "at": "2026-11-27T04:00:00Z"}
        await owner.execute("UPDATE log_head SET refused = $1", json.dumps(refused))
        loud = (await aude.get("/controle")).text
        alert = loud.partition('role="alert"')[2].partition("</section>")[0]
        assert "Plus rien n’est attesté" in alert and "99 ont déjà été attestés (/mnt/share)" in alert
        assert "Sauvegarde" in alert, "and what to do"
        assert 'href="/controle">Le registre demande' in (await aude.get("/")).text
        by = By(actor="system", role="system", at=datetime.now(UTC))
        assert await checkpoints.begin_anew(notary.pool, notary.writer, "restauré", by)
        anew = (await aude.get("/controle")).text
        assert 'role="alert"' not in anew and anew.partition("Nom d’avant")[2].count(origin) == 2, "name and key"
        assert "Le registre demande" not in (await aude.get("/")).text
        # Nobody signs any more: what is new waits.
        await owner.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        await ground.member("zoe", "referent")
        await owner.execute("UPDATE events SET wall = wall - interval '1 hour'")
        assert "Les derniers faits ne sont pas attestés" in (await aude.get("/controle")).text
        await owner.close()


async def test_a_sealing_key_that_opens_nothing_is_said_on_pages(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await ground.session(await ground.member("aude", "auditor"))

    def locked(self: Keys, id: str, wrapped: bytes) -> bytes:
        raise CannotUnwrap(id, "k-other")

    async with ground.browser(token) as browser:
        assert (await browser.get("/")).status_code == 200
        monkeypatch.setattr(Keys, "_unwrap", locked)
        ground.house.reading.keys.terminate()
        ground.house.writing.keys.terminate()
        told = await browser.get("/")
    assert told.status_code == 503 and "clé de scellement" in told.text and "JOURNEYS_SEALING_KEY" in told.text


async def test_the_last_verification_with_its_verdicts_and_whom_they_are_about(ground: Ground) -> None:
    journey = await ground.journey(await ground.member("aline", "referent"), name="Inès Pasquier")
    gone = "01a2116a-1000-7b3c-9c1e-5f0c2f1d8a77"
    pool = ground.house.writing
    token = await ground.session(await ground.member("zoe", "auditor"))
    async with ground.browser(token) as browser:
        await verifications.keep(pool, "tonight", verified(at=datetime.now(UTC)))
        clock.set_offset(timedelta(minutes=-10))
        try:
            moved = (await browser.get("/controle")).text
        finally:
            clock.set_offset(timedelta())
        assert "Contrôle" in moved and "une horloge avançait" not in moved, "a simulated date is not held against it"
        await verifications.keep(pool, "ahead", verified(at=datetime.now(UTC) + timedelta(days=400)))
        assert "une horloge avançait" in (await browser.get("/controle")).text
    await verifications.keep(pool, "before", verified())
    finding = {"code": "hash", "stream": "system", "seq": 7, "position": 3}
    named = Named(journey=journey, count=2, at=AT)
    odd = verified(
        at=AT + timedelta(days=1), log=LOG | {"holds": False, "findings": [finding]}, owed={"silent": 2, "missed": 3},
        silent=Found(journeys=1, count=2, named=(named,)),
        missed=Found(journeys=60, count=61, named=(named, Named(journey=gone, count=1, at=AT))),
        apart=Found(journeys=1, count=1, named=(Named(journey=journey, count=1, code="view"),)),
        breaches=Found(journeys=1, count=1, named=(Named(journey=journey, count=1, code="self-approval"),)),
        histories=HistoriesFound(kept=4, gone=1, altered=(gone,), waiting=3, late=2),
    )  # fmt: skip
    assert odd.wrong == 1 + 1 + 2 + 1 + 1 + 2 and verified().wrong == 0
    await verifications.keep(pool, "last", odd)
    await verifications.keep(pool, "last", verified(at=AT + timedelta(days=2)))
    assert await verifications.last(pool) == odd, "once for a run"
    aude = await ground.session(await ground.member("aude", "auditor"))
    ada = await ground.session(await ground.member("ada", "administrator"))
    async with ground.browser(aude) as browser:
        page = (await browser.get("/controle")).text
        for way in ("obligations", "audit?controle=journal", "roles"):
            assert f'href="/parcours/{journey}/{way}">Inès Pasquier</a>' in page, way
        assert "system, événement 7" in page and f"exécution {gone}" in page and "Et 58 autres parcours" in page
        assert "passées sans trace 2" in page and "la même personne a demandé et accordé" in page.lower()
        assert re.search(r"nuit prochaine\s: 3", page) and "Elle a plus d’un jour" in page
        begun = await browser.post("/controle/verifier", data=form(aude))
        assert begun.status_code == 503, "no engine here"
    async with ground.browser(ada) as browser:
        page = await browser.get("/controle")
        assert page.status_code == 200 and "Pasquier" not in page.text and f"/parcours/{journey}" not in page.text
        assert journey[:8] in page.text and "/controle/export" not in page.text


@dataclass
class Desk:
    """What the doctor asks a desk for."""

    keeper: Notary
    now: datetime

    async def pool(self) -> Any:
        return self.keeper.writer

    @asynccontextmanager
    async def notary(self) -> AsyncIterator[Notary]:
        yield self.keeper


async def test_the_doctor_knows_what_is_overdue_and_a_clock_that_ran_ahead(ground: Ground, notary: Notary) -> None:
    async def said(at: datetime) -> list[tuple[str, str]]:
        desk = cast(Any, Desk(replace(notary, parties=notary.parties[:1]), at))
        checks = [*await checkup._log(desk), *await checkup._verification(desk)]
        return [(check.name, check.found.en) for check in checks if check.state == "failed"]

    now = datetime.now(UTC)
    await ground.member("zoe", "referent")
    await notary.round(now)
    await verifications.keep(notary.writer, "tonight", verified(at=now))
    assert await said(now) == []
    assert [(name, "clock ran ahead" in told) for name, told in await said(now - timedelta(hours=1))] == [
        ("log", True), ("parties", True), ("verification", True),
    ]  # fmt: skip
    await ground.member("yan", "referent")
    await replace(notary, parties=()).round(now + timedelta(minutes=1))
    assert [told for _, told in await said(now + timedelta(days=2))] == [
        "where every stream ends was not noted for a day",
        f"the last checkpoint was not delivered to {notary.parties[0].address}",
        "everything was not verified for a day",
    ]


async def test_an_export_is_taken_from_the_page_and_checked_elsewhere(
    ground: Ground, notary: Notary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, aude = ground.house, await ground.member("aude", "auditor")
    token, person = await ground.session(aude), await house.writing.fetchval("SELECT gen_random_uuid()::text")
    by = By(actor=aude, role="auditor", at=datetime.now(UTC))
    await register(house.writing, person, Details(first_name="Nour", last_name="Secret"), by)
    await change(house.writing, person, Details(first_name="Nour", last_name="Secrète"), by)
    async with ground.browser(token) as browser:
        assert "ne prouverait rien" in (await browser.get("/controle/export")).text
        assert (await browser.post("/controle/export", data=form(token))).status_code == 409
        await notary.round(datetime.now(UTC))
        shown = (await browser.get("/controle/export")).text
        assert "Avec les textes" in shown and 'href="/controle/verificateur"' in shown
        assert hashlib.sha256(VERIFIER.read_bytes()).hexdigest() in shown
        checker = await browser.get("/controle/verificateur")
        assert checker.headers["content-disposition"].startswith('attachment; filename="verify_export.py"')
        taken = tmp_path / "verify_export.py"
        taken.write_bytes(checker.content)
        plain = await browser.post("/controle/export", data=form(token))
        assert plain.status_code == 200 and plain.headers["content-type"] == "application/zip"
        files = zipfile.ZipFile(BytesIO(plain.content))
        manifest = json.loads(files.read("manifest.json"))
        assert manifest["disclosed"] is False and manifest["digest"][:12] in plain.headers["content-disposition"]
        assert not any("Secr" in files.read(each).decode(errors="replace") for each in files.namelist())
        assert hashlib.sha256(files.read("parts.jsonl")).hexdigest() == manifest["files"]["parts.jsonl"]["sha256"]
        files.extractall(tmp_path / "out")
        done = subprocess.run(
            [sys.executable, "-I", str(taken), str(tmp_path / "out"), "--key", vkey(manifest["origin"])],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

        await house.writing.execute("UPDATE sessions SET proved_at = clock_timestamp() - interval '11 minutes'")
        asked = await browser.post("/controle/export", data=form(token, disclose="1"))
        assert asked.status_code == 403 and asked.headers["content-type"].startswith("text/html"), "a proof anew"
        await house.writing.execute("UPDATE sessions SET proved_at = clock_timestamp()")
        told = await browser.post("/controle/export", data=form(token, disclose="1"))
        whole = zipfile.ZipFile(BytesIO(told.content))
        assert json.loads(whole.read("manifest.json"))["disclosed"] is True
        assert "Secrète" in whole.read("parts.jsonl").decode()
        monkeypatch.setattr(control, "MOST", 1)
        assert (await browser.post("/controle/export", data=form(token))).status_code == 422
        assert "plus que les 1 qu" in (await browser.get("/controle/export")).text
        assert (await browser.post("/controle/export", data=form(token, parcours="nobody"))).status_code == 404
    await house.write_looks()
    assert [(each.read.staff, each.read.look) for each in await reads.noted(house.writing)] == [(aude, "export")] * 2
    assert not [each for each in tmp_path.rglob("*parts.jsonl") if each.parent != tmp_path / "out"], "on no disk"


async def test_one_export_at_a_time(ground: Ground, notary: Notary) -> None:
    token = await ground.session(await ground.member("aude", "auditor"))
    await notary.round(datetime.now(UTC))
    async with ground.browser(token) as browser, control._ONE_AT_A_TIME:
        busy = await browser.post("/controle/export", data=form(token))
        assert busy.status_code == 409 and "utre export est en train" in busy.text
