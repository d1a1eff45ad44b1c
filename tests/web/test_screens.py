"""Screens over rows of the lists: releases, programmes, absences, mentors."""

import csv
import io
import json
import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from journeys import clock
from journeys.app.reading import today_of
from journeys.app.web.paging import A_PAGE
from journeys.store import mentors, staff
from journeys.store.mentors import Mentor
from tests.web.conftest import BY, Ground


def deadline(code: str, at: str) -> dict[str, Any]:
    return {"kind": "deadline", "id": f"{code}/1", "about": code, "at": at, "role": "referent", "then": "referent"}


async def leaving(ground: Ground, referent: str, day: date, name: str, *board: dict[str, Any], site: str = "") -> str:
    """A planned journey with its release."""
    id = await ground.journey(referent, name=name, board=board, site=site or None)
    row = await ground.house.writing.fetchval("SELECT summary FROM journeys WHERE id = $1", id)
    summary = {**json.loads(row), "seq": 1, "status": "planned", "dates": {"release": day.isoformat()}}
    await ground.house.writing.execute("SELECT view_put($1, $2)", f"journey-{id}", json.dumps(summary))
    return id


async def test_releases_say_what_is_not_ready_before_them(ground: Ground) -> None:
    aline, bob = await ground.member("aline", "referent", password=True), await ground.member("bob", "referent")
    today = today_of(clock.now())
    soon, later = today + timedelta(days=12), today + timedelta(days=40)
    before, after = f"{soon - timedelta(days=2)}T17:00:00+00:00", f"{soon + timedelta(days=9)}T17:00:00+00:00"
    await leaving(ground, aline, later, "Zoé Tard", site="nanterre")
    await leaving(ground, aline, soon, "Ali Prêt", deadline("exit-plan", before), deadline("first-meeting", after))
    await leaving(ground, aline, today - timedelta(days=1), "Léo Hier")
    await leaving(ground, aline, today + timedelta(days=300), "Max Loin")
    await leaving(ground, bob, soon, "Bob Autre")
    browser = await ground.entered("aline")
    shown = (await browser.get("/sorties")).text
    names = ["Léo Hier", "Ali Prêt", "Zoé Tard"]
    assert sorted(names, key=shown.index) == names and "Max Loin" not in shown and "Bob Autre" not in shown
    ready = shown[shown.index("Ali Prêt") : shown.index("Zoé Tard")].lower()
    assert "exit plan" in ready or "plan de sortie" in ready
    assert "first meeting" not in ready and "premier entretien" not in ready, "due after the release"
    assert "reach-milestone" in ready and "passée, à confirmer" in shown and "confirm-date?date=release" in shown
    unready = (await browser.get("/sorties?manque=1")).text
    assert "Ali Prêt" in unready and "Zoé Tard" not in unready
    assert "Max Loin" in (await browser.get("/sorties?periode=tout")).text
    assert "Zoé Tard" not in (await browser.get("/sorties?periode=28")).text
    assert "Ali Prêt" not in (await browser.get("/sorties?site=nanterre")).text
    answer = await browser.get("/sorties.csv?periode=28")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\N{BYTE ORDER MARK}")), delimiter=";"))
    assert [row[2] for row in rows[1:]] == ["Léo Hier", "Ali Prêt"] and rows[2][0] == soon.isoformat() and rows[2][6]


async def test_many_releases_are_shown_page_by_page(ground: Ground) -> None:
    aline = await ground.member("aline", "referent", password=True)
    day = today_of(clock.now()) + timedelta(days=5)
    for number in range(A_PAGE + 2):
        await leaving(ground, aline, day + timedelta(days=number // 20), f"Ali Numéro{number:02d}")
    browser = await ground.entered("aline")
    first, second = (await browser.get("/sorties")).text, (await browser.get("/sorties?page=2")).text
    assert first.count('li class="item release') == A_PAGE and second.count('li class="item release') == 2
    assert f"{A_PAGE + 2} sorties" in first.replace("\xa0", " ") and "page=2" in first and "page=1" in second


async def test_a_programme_is_laid_along_time_for_the_days_chosen(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    browser = await ground.entered("aline")
    assert "/programmes/auxilia" in (await browser.get("/programmes")).text
    shown = (await browser.get("/programmes/auxilia?debut=2027-01-04&date-release=2027-05-12")).text
    assert "Inscription à France Travail</a>" in shown and "https://www.francetravail.fr/" in shown
    assert "<svg" in shown and "mardi 27 avril 2027" in shown, "the exit plan: ten working days, Ascension left out"
    assert "vendredi 12 novembre 2027" in shown, "the end of the follow-up, six months after"
    assert "Jusqu’à 300,00" in shown and "Au-delà : responsable et gestionnaire" in shown.replace("\xa0", " ")
    assert "10 jours ouvrés avant" in shown and "50 % dès l’accord" in shown
    for raw in ("before release", "after release", "at start", "follow-up<", "exit-plan<", "sepa"):
        assert raw not in shown, raw
    wrong = await browser.get("/programmes/auxilia?date-release=12+mai")
    assert wrong.status_code == 422 and "n’est pas une date" in wrong.text and 'value="12 mai"' in wrong.text
    assert "date-release :" not in wrong.text.replace("\xa0", " ")
    assert (await browser.get("/programmes/nowhere")).status_code == 404
    english = (await browser.get("/langue?lang=en&suite=/programmes/concienta")).headers["location"]
    assert "Team and absences" in (await browser.get(english)).text


@pytest.mark.parametrize(
    ("who", "about", "taken"),
    [("aline", "aline", True), ("aline", "bob", False), ("sam", "aline", True), ("sam", "luc", False),
     ("ada", "luc", True)],
)  # fmt: skip
async def test_absences_are_one_s_own_or_those_of_one_s_sites(
    ground: Ground, who: str, about: str, taken: bool
) -> None:
    ids = {
        "aline": await ground.member("aline", "referent", sites=("nanterre",), password=True),
        "bob": await ground.member("bob", "referent", sites=("nanterre",)),
        "luc": await ground.member("luc", "referent", sites=("lyon",)),
        "sam": await ground.member("sam", "supervisor", sites=("nanterre",), password=True),
        "ada": await ground.member("ada", "administrator", password=True),
    }
    today = today_of(clock.now())
    browser = await ground.entered(who)
    await browser.get("/equipe")
    days = {"first": today.isoformat(), "last": (today + timedelta(days=4)).isoformat()}
    deputy = ids["bob" if about != "bob" else "aline"]
    fields = {**browser.hidden("/equipe/absences"), **days, "staff": ids[about], "deputy": deputy}
    answer = await browser.post("/equipe/absences", fields)
    found = await staff.absences(ground.house.writing, today)
    if not taken:
        assert answer.status_code == 403 and found == []
        return
    assert answer.headers["location"] == "/equipe?note=absence" and [each.staff for each in found] == [ids[about]]
    shown = (await browser.get("/equipe?note=absence")).text
    assert "absence en cours" in shown and "remplacement" in shown
    dropped = await browser.send("/equipe/absences/supprimer")
    assert dropped.status_code == 303 and await staff.absences(ground.house.writing, today) == []


async def test_what_is_wrong_with_an_absence_is_said_beside_its_field(ground: Ground) -> None:
    id = await ground.member("aline", "referent", password=True)
    browser = await ground.entered("aline")
    await browser.get("/equipe")
    answer = await browser.send("/equipe/absences", first="demain", last="", deputy="")
    assert answer.status_code == 422 and 'id="e-first"' in answer.text and 'value="demain"' in answer.text
    assert "first :" not in answer.text.replace("\xa0", " ")
    answer = await browser.send("/equipe/absences", first="2027-05-12", last="2027-05-11", deputy=id)
    assert answer.status_code == 422 and "vant le premier jour" in answer.text and 'href="#f-last"' in answer.text
    answer = await browser.send("/equipe/absences", first="2027-05-12", last="", deputy=id)
    assert answer.status_code == 422 and "ne se remplace soi-même" in answer.text
    assert await ground.house.writing.fetchval("SELECT count(*) FROM absences") == 0


async def test_mentors_show_whom_they_accompany(ground: Ground) -> None:
    await ground.member("aline", "referent", password=True)
    busy, free = str(uuid.uuid4()), str(uuid.uuid4())
    for id, name, capacity in ((busy, "Mona", 2), (free, "Mehdi", 3)):
        mentor = Mentor(id=id, name=name, email=None, phone=None, language="fr", site=None, capacity=capacity)
        await mentors.add(ground.house.writing, mentor, BY)
    for kind, who in (("MentorMatched", busy), ("MentorMatched", busy), ("MentorMatched", free), ("MentorEnded", free)):
        await recorded(ground, kind, who)
    assert await mentors.matched(ground.house.writing) == {busy: 2}
    shown = (await (await ground.entered("aline")).get("/mentors")).text
    assert "2 sur 2" in shown and "complet" in shown and "0 sur 3" in shown


async def recorded(ground: Ground, kind: str, mentor: str) -> None:
    """An event as the journal stores it; only what the count reads."""
    stream = f"journey-{uuid.uuid4()}"
    await ground.house.writing.execute("INSERT INTO streams (stream, seq, hash) VALUES ($1, 1, $2)", stream, bytes(32))
    header = json.dumps({"kind": kind, "data": {"mentor": mentor}}).encode()
    await ground.house.writing.execute(
        "INSERT INTO events (stream, seq, kind, header) VALUES ($1, 1, $2, $3)", stream, kind, header
    )
