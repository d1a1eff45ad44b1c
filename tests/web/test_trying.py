"""Programmes compared and tried from a page: bounded, one simulation at a time, and the pages go on meanwhile."""

import asyncio
import time

import httpx

from journeys.app.publishing import keep, rules
from journeys.app.web.trials import MOST, Bench
from journeys.authoring.reading import read_programme
from tests.web.conftest import BY, NOW, Ground, form


async def sent(ground: Ground, handle: str = "sam", /, **typed: str) -> httpx.Response:
    token = await ground.session(await ground.member(handle, "supervisor"))
    usual = {"programme": "sortie-seche", "participants": "20", "seed": "1", "behaviour": "", "begin": "2027-01-01"}
    async with ground.browser(token) as browser:
        return await browser.post("/essai", data=form(token, **{**usual, **typed}))


async def test_a_programme_is_tried_while_the_pages_go_on(ground: Ground) -> None:
    running = asyncio.create_task(sent(ground))
    longest = 0.0
    async with ground.browser() as browser:
        while not running.done():
            began = time.monotonic()
            assert (await browser.get("/healthz")).status_code == 200
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.05)
    answer = await running
    assert answer.status_code == 200 and 'class="weeks"' in answer.text and "<style" not in answer.text, answer.text
    assert "20 vies imaginaires" in answer.text and "Charge de travail" in answer.text and "Alertes" in answer.text
    assert longest < 1.5, longest
    assert await ground.house.writing.fetchval("SELECT count(*) FROM journeys") == 0


async def test_only_one_is_run_at_a_time_and_what_was_chosen_is_kept(ground: Ground) -> None:
    assert ground.house.bench._taken.acquire(blocking=False)
    answer = await sent(ground, participants="33")
    assert answer.status_code == 409 and "ne autre simulation est en cours" in answer.text
    assert 'value="33"' in answer.text
    ground.house.bench._taken.release()


async def test_one_that_takes_too_long_is_stopped_and_the_next_may_run(ground: Ground) -> None:
    ground.house.bench = Bench(longest_seconds=0.2)
    answer = await sent(ground, participants=str(MOST))
    assert answer.status_code == 422 and "trop longtemps" in answer.text, answer.text
    assert ground.house.bench._taken.acquire(blocking=False), "the bench is free again"


WRONG = {
    "participants": (str(MOST + 1), "0", "beaucoup"), "seed": ("-1",), "begin": ("hier", "1800-01-01"),
    "programme": ("/etc/passwd", ""), "behaviour": ("../auxilia", "/etc/passwd"),
}  # fmt: skip


async def test_what_is_wrong_is_said_beside_its_field(ground: Ground) -> None:
    for field, words in WRONG.items():
        for number, word in enumerate(words):
            answer = await sent(ground, f"{field}{number}", **{field: word})
            assert answer.status_code == 422 and f'href="#f-{field}"' in answer.text, (field, word)
            assert f'id="e-{field}"' in answer.text and 'class="weeks"' not in answer.text


async def test_two_programmes_and_two_versions_are_compared_in_words(ground: Ground) -> None:
    first = read_programme("auxilia").text
    known = [
        rules(text, NOW.date()) for text in (first, first.replace("6 months after release", "8 months after release"))
    ]
    for each in known:
        await keep(ground.house.writing, each, BY)
    token = await ground.session(await ground.member("aline", "referent"))
    async with ground.browser(token) as browser:
        page = (await browser.get("/programmes/auxilia/comparer")).text
        assert "version du" in page and known[0].programme_hash in page and known[1].programme_hash not in page
        versions = (await browser.get(f"/programmes/auxilia/comparer?avec={known[0].programme_hash}")).text
        assert "6 mois après" in versions and "8 mois après" in versions, versions
        other = (await browser.get("/programmes/auxilia/comparer?avec=concienta")).text
        assert "Retiré" in other and "Ajouté" in other
        same = (await browser.get("/programmes/auxilia/comparer?avec=auxilia")).text
        assert "disent la même chose" in same
        for strange in ("nowhere", "9" * 64, "z" * 64, known[0].calendar_hash, "/etc/passwd"):
            answer = await browser.get("/programmes/auxilia/comparer", params={"avec": strange})
            assert answer.status_code == 422 and 'id="e-avec"' in answer.text, strange
        assert (await browser.get("/programmes/nowhere/comparer")).status_code == 404
