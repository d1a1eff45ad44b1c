"""The team's board, and the rota: what follows and when, in whose hands it is; who is on call, and when nobody is."""

import re
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from journeys import clock
from journeys.app.reading import ZONE, today_of
from journeys.app.rota import end, holes
from journeys.app.syncing import at_work, under_way
from journeys.domain.record import instant_text
from journeys.domain.rota import Gap, Shift
from journeys.i18n import format_date
from journeys.store import mentors, rota, staff
from journeys.store.mentors import Mentor
from tests.web.conftest import BY, Ground


def alert(about: str, at: datetime | None, **more: Any) -> dict[str, Any]:
    return {"kind": "escalation", "id": f"a {about}", "about": f"milestone {about}", "role": "referent",
            "at": at.isoformat() if at else None, "since": clock.now().isoformat(), "note": "follow-up",
            "then": "supervisor", **more}  # fmt: skip


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html).replace("\xa0", " "))


async def test_the_board_says_what_follows_when_and_in_whose_hands_it_is(ground: Ground) -> None:
    aline = await ground.member("aline", "referent", sites=("nanterre",))
    sam = await ground.member("sam", "supervisor", sites=("nanterre",), password=True)
    soon, later = clock.now() + timedelta(hours=3), clock.now() + timedelta(days=3)
    await ground.journey(aline, site="nanterre", name="Zoé Tard", board=(
        alert("cv", later, note="acknowledged", held_by=sam), alert("exit-plan", soon, digest=soon.isoformat()),
    ))  # fmt: skip
    await ground.journey(aline, site="nanterre", name="Ali Attend", board=(
        alert("cv", later + timedelta(hours=1), note="snoozed", held_by=aline),
    ))  # fmt: skip
    await ground.journey(aline, name="Léo Nullepart", board=(alert("cv", None),))
    await ground.journey(aline, site="lyon", name="Luc Ailleurs", board=(alert("cv", soon),))
    browser = await ground.entered("sam")
    shown = (await browser.get("/alertes/tableau")).text
    rows = [text_of(row) for row in shown.split("<tr>")[2:]]
    assert [next(name for name in ("Zoé", "Ali", "Léo") if name in row) for row in rows] == ["Zoé", "Zoé", "Ali", "Léo"]
    assert "Luc Ailleurs" not in shown, "another site's"
    assert "alerte transmise (responsable)" in rows[0] and "à dire avec le message groupé" in rows[0]
    assert "prise en charge par Sam, suite" in rows[1] and "mise en attente par Aline, suite" in rows[2]
    assert "redite à chaque point" in rows[3]
    assert "snooze-escalation" in shown and "reassign-escalation" in shown and "acknowledge-escalation" in shown
    only = (await browser.get("/alertes/tableau?site=aucun")).text
    assert "Léo Nullepart" in only and "Zoé Tard" not in only


async def test_what_was_put_off_until_before_its_next_step_is_asked_for_again(ground: Ground) -> None:
    aline = await ground.member("aline", "referent")
    await ground.member("sam", "supervisor", password=True)
    later, ago, soon = (clock.now() + timedelta(days=days) for days in (3, -1, 1))
    for name, until in (("Zoé Encore", soon), ("Ali Fini", ago)):
        held = alert("cv", later, note="snoozed", held_by=aline, held_until=instant_text(until))
        await ground.journey(aline, name=name, board=(held,))
    browser = await ground.entered("sam")
    first, second = (text_of(row) for row in (await browser.get("/alertes")).text.split('<li class="item ')[1:])
    assert "Ali Fini" in first and "late" in first and "en charge" in first
    assert "Zoé Encore" in second and "calm" in second and "en charge" not in second
    board = text_of((await browser.get("/alertes/tableau")).text)
    assert board.count("mise en attente par Aline") == 1


async def test_what_is_open_on_a_closed_journey_is_in_todays_list_of_who_leads_it(ground: Ground) -> None:
    aline = await ground.member("aline", "referent", password=True)
    soon = clock.now() + timedelta(days=1)
    receipt = {
        "kind": "receipt",
        "id": "r",
        "about": "g",
        "role": "referent",
        "at": instant_text(soon),
        "amount": 50_00,
    }
    late = {**receipt, "at": instant_text(clock.now() - timedelta(days=3))}
    for name, item, due in (
        ("Zoé Alerte", alert("cv", soon), soon), ("Ali Reçu", receipt, soon), ("Ida Retard", late, None),
        ("Eva Alerte", alert("cv", None), None), ("Léo Fini", None, None),
    ):  # fmt: skip
        id = await ground.journey(aline, name=name, granted=50_00, board=(item,) if item else ())
        await ground.house.writing.execute(
            "UPDATE journeys SET status = 'closed', next_due = $2 WHERE id = $1", id, due
        )
    await ground.journey(aline, name="Ida Ouverte")
    shown = text_of((await (await ground.entered("aline")).get("/")).text)
    assert "Zoé Alerte" in shown and "Ali Reçu" in shown and "Léo Fini" not in shown
    assert "Ida Retard" in shown, "its alert was settled by hand: nothing falls due of it any more"
    assert "Eva Alerte" in shown
    assert "1 personne accompagnée" in shown
    listed, moving = await at_work(ground.house.writing), await under_way(ground.house.writing)
    names = {row.name for row in listed if row.referent == aline}
    assert names - {row.name for row in moving} == {"Ida Retard", "Eva Alerte"} and "Léo Fini" not in names


async def test_what_a_suspension_holds_is_said_so_and_can_still_be_settled(ground: Ground) -> None:
    aline = await ground.member("aline", "referent")
    await ground.member("sam", "supervisor", password=True)
    await ground.journey(aline, board=(alert("cv", None, note="held", held_by=aline),))
    shown = (await (await ground.entered("sam")).get("/alertes/tableau")).text
    assert "suspendu : le délai reprendra avec le parcours" in text_of(shown)
    assert "Aline, parcours suspendu" in text_of(shown)
    assert "resolve-escalation" in shown and "acknowledge-escalation" not in shown and "snooze-escalation" not in shown


async def test_what_was_handed_to_somebody_is_in_their_lists_and_named(ground: Ground) -> None:
    aline, paul = await ground.member("aline", "referent"), await ground.member("paul", "supervisor", password=True)
    noor = await ground.member("noor", "duty", password=True)
    await ground.member("sam", "supervisor", password=True)
    journey = await ground.journey(aline, board=(alert("cv", clock.now() + timedelta(hours=3), role=paul),))
    browser = await ground.entered("paul")
    for page in ("/alertes?qui=moi", "/"):
        assert "Samir Benali" in (await browser.get(page)).text, page
    board = (await browser.get("/alertes/tableau")).text
    assert re.search(r"<td>Paul\b", board) and paul not in board
    assert "chez : Paul" in text_of((await browser.get("/alertes")).text)
    sam = await ground.entered("sam")
    for page in ("/alertes?qui=moi", "/"):
        assert "Samir Benali" not in (await sam.get(page)).text, page
    day = today_of(clock.now())
    await staff.set_absence(ground.house.writing, staff.Absence(paul, day, day, noor), BY)
    deputy = await ground.entered("noor")
    for page in ("/alertes?qui=moi", "/"):
        assert journey in (await deputy.get(page)).text, f"who stands in: {page}"


async def test_who_stands_in_finds_the_alerts_of_the_absent_among_their_own(ground: Ground) -> None:
    aline, noor = await ground.member("aline", "referent"), await ground.member("noor", "referent", password=True)
    await ground.journey(aline, board=(alert("cv", clock.now()),))
    day = today_of(clock.now())
    await staff.set_absence(ground.house.writing, staff.Absence(aline, day, day, noor), BY)
    browser = await ground.entered("noor")
    for page in ("/", "/alertes?qui=moi"):
        assert "Samir Benali" in (await browser.get(page)).text, page


async def test_who_may_not_settle_an_alert_is_offered_nothing(ground: Ground) -> None:
    aline = await ground.member("aline", "referent")
    await ground.member("audrey", "auditor", password=True)
    await ground.journey(aline, board=(alert("cv", clock.now()),))
    shown = (await (await ground.entered("audrey")).get("/alertes/tableau")).text
    assert "Samir Benali" in shown and "/agir/" not in shown


async def test_nights_are_written_down_shown_and_struck_out_and_gaps_are_said(ground: Ground) -> None:
    noor = await ground.member("noor", "referent")
    await ground.member("sam", "supervisor", password=True)
    browser = await ground.entered("sam")
    assert "Personne d’astreinte" not in (await browser.get("/astreintes")).text, "no rota was begun"
    day = today_of(clock.now())
    answer = await browser.send(
        "/astreintes", who=noor, role="duty", first=day.isoformat(), last=(day + timedelta(days=2)).isoformat(),
        begins="20:00", ends="8h", phone="06 12 34 56 78",
    )  # fmt: skip
    assert answer.status_code == 303 and answer.headers["location"].endswith("&note=ajout"), answer.text
    begin = datetime.combine(day, datetime.min.time(), tzinfo=ZONE)
    kept = await rota.between(ground.house.writing, begin, begin + timedelta(days=4))
    assert [(each.shift.ends - each.shift.begins).total_seconds() / 3600 for each in kept] == [12, 12, 12]
    facts = [row["kind"] for row in await ground.house.writing.fetch(
        "SELECT kind FROM events WHERE stream = $1 ORDER BY seq", f"staff-{noor}")]  # fmt: skip
    assert facts[-3:] == ["ShiftSet"] * 3
    shown = text_of((await browser.get(answer.headers["location"])).text)
    assert "L’astreinte est notée" in shown and "06 12 34 56 78" in shown and "Noor" in shown
    assert "Personne d’astreinte dans les sept jours" in shown and "astreinte : du " in shown
    assert "Personne d’astreinte" in text_of((await browser.get("/alertes/tableau")).text)
    await browser.get(answer.headers["location"])
    assert (await browser.send("/astreintes/supprimer")).status_code == 303
    assert len(await rota.between(ground.house.writing, begin, begin + timedelta(days=4))) == 2


async def test_who_is_away_leaves_a_gap_unless_somebody_stands_in(ground: Ground) -> None:
    noor, jo = [await ground.member(name, "referent") for name in ("noor", "jo")]
    role, now, pool = f"night-{noor[:8]}", clock.now(), ground.house.writing
    begins = datetime.combine(today_of(now), datetime.min.time(), tzinfo=ZONE)
    shift = Shift(str(uuid.uuid4()), role, None, noor, begins, begins + timedelta(days=10))
    await rota.add(pool, [shift], None, BY)

    async def gaps() -> list[Gap]:
        return (await holes(pool, now)).get((role, None), [])

    assert not await gaps()
    second = today_of(now) + timedelta(days=2)
    await staff.set_absence(pool, staff.Absence(noor, second, second, None), BY)
    assert await gaps() == [Gap(*(datetime.combine(second + timedelta(days=number), datetime.min.time(), tzinfo=ZONE)
                                  for number in (0, 1)))]  # fmt: skip
    await staff.set_absence(pool, staff.Absence(noor, second, second, jo), BY)
    assert not await gaps()
    await staff.drop_absence(pool, noor, second, BY)
    await staff.set_absence(pool, staff.Absence(noor, today_of(now), second + timedelta(days=9), None), BY)
    assert await gaps() == [Gap(now, now + timedelta(days=7))], "a rota of somebody who is away is still one"
    await ground.member("sam", "supervisor", password=True)
    assert "Personne d’astreinte" in text_of((await (await ground.entered("sam")).get("/alertes/tableau")).text)


async def test_the_board_names_who_answers_now_and_the_gaps_agree_with_it(ground: Ground) -> None:
    sam, noor, dee = [await ground.member(name, "referent") for name in ("sam", "noor", "dee")]
    await ground.member("claire", "supervisor", password=True)
    browser, pool, now, today = await ground.entered("claire"), ground.house.writing, clock.now(), today_of(clock.now())
    begins, ends = now - timedelta(hours=1), now + timedelta(days=9)
    for who, site in ((sam, "brive"), (noor, None)):
        await rota.add(pool, [Shift(str(uuid.uuid4()), "duty", site, who, begins, ends)], None, BY)

    async def shown() -> str:
        return text_of((await browser.get("/alertes/tableau")).text)

    assert "Sam (" in (board := await shown()) and "Noor (" in board
    await staff.set_absence(pool, staff.Absence(sam, today, today + timedelta(days=9), None), BY)
    assert "Sam" not in (board := await shown()) and "Noor (" in board and "Personne d’astreinte" not in board
    await staff.set_absence(pool, staff.Absence(noor, today, today + timedelta(days=9), dee), BY)
    assert "Dee (remplace Noor" in (board := await shown()) and "Personne d’astreinte" not in board
    await staff.set_absence(pool, staff.Absence(dee, today, today + timedelta(days=9), None), BY)
    assert "astreinte en ce moment" not in (board := await shown()) and "Personne d’astreinte" in board


async def test_a_rota_whose_last_shift_is_over_is_a_gap_until_it_is_planned_on(ground: Ground) -> None:
    noor, now, pool = await ground.member("noor", "referent"), clock.now(), ground.house.writing
    await rota.add(pool, [Shift(str(uuid.uuid4()), "duty", "brive", noor, now, now + timedelta(hours=12))], None, BY)
    later = now + timedelta(days=200)
    assert await holes(pool, later) == {("duty", "brive"): [Gap(later, later + timedelta(days=7))]}
    await rota.add(pool, [Shift(str(uuid.uuid4()), "duty", "brive", noor, later, later + timedelta(days=8))], None, BY)
    assert await holes(pool, later) == {}
    assert await holes(pool, later + timedelta(days=8 + 367)) == {}


async def test_a_rota_that_is_ended_is_missed_by_nobody_until_somebody_is_planned_again(ground: Ground) -> None:
    noor, now, pool = await ground.member("noor", "referent"), clock.now(), ground.house.writing
    await ground.member("garde", "duty", password=True)
    before, coming = (Shift(str(uuid.uuid4()), "duty", "brive", noor, begins, begins + timedelta(hours=12))
                      for begins in (now - timedelta(days=9), now + timedelta(days=9)))  # fmt: skip
    await rota.add(pool, [before, coming], None, BY)
    browser = await ground.entered("garde")
    await browser.get("/astreintes")
    refused, day = await browser.send("/astreintes/terminer"), coming.begins.astimezone(ZONE).date()
    assert refused.status_code == 409, "one is planned in nine days"
    said = text_of(refused.text)
    assert f"la prochaine le {format_date(day, 'fr', weekday=True)}" in said and "Supprimez d’abord celles" in said
    await rota.drop(pool, coming.id, BY)
    assert ("duty", "brive") in await holes(pool, now)
    assert (await browser.send("/astreintes/terminer")).headers["location"] == "/astreintes?note=fin"
    assert "n’est plus tenue : personne" in text_of((await browser.get("/astreintes?note=fin")).text)
    typed = {**browser.hidden("/astreintes"), "role": "duty", "site": "brive"}
    assert (await browser.post("/astreintes/terminer", typed)).status_code == 422, "there is nothing left to end"
    assert await holes(pool, now) == {}
    facts = await pool.fetch("SELECT kind FROM events WHERE kind = 'RotaEnded'")
    assert len(facts) == 1
    for begins in (clock.now(), now - timedelta(days=1)):
        again = Shift(str(uuid.uuid4()), "duty", "brive", noor, begins, begins + timedelta(hours=30))
        await rota.add(pool, [again], None, BY)
        assert ("duty", "brive") in await holes(pool, now), "it is kept again, and its gap is told"
        by = replace(BY, at=clock.now())
        await end(pool, "duty", "brive", by)
        assert await holes(pool, now) == {}
        await rota.add(pool, [again], None, BY)
        assert await holes(pool, now) == {}, "what was noted before is no news"


async def test_a_form_sent_twice_writes_once(ground: Ground) -> None:
    noor = await ground.member("noor", "referent")
    await ground.member("garde", "duty", password=True)
    browser = await ground.entered("garde")
    await browser.get("/astreintes")
    fields = {**browser.hidden("/astreintes"), "who": noor, "role": "duty", "first": "2027-05-12", "begins": "08:00",
              "ends": "20:00"}  # fmt: skip
    for _ in range(2):
        assert (await browser.post("/astreintes", fields)).status_code == 303
    assert await ground.house.writing.fetchval("SELECT count(*) FROM shifts") == 1


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("who", "nobody", "choisissez"), ("role", "finance", "choisissez"), ("first", "demain", "n’est pas"),
        ("last", "2027-05-11", "avant le premier jour"), ("last", "2027-09-11", "62 jours"),
        ("begins", "midi", "n’est pas une heure"), ("ends", "25:00", "n’est pas une heure"),
        ("phone", "01 44 55 66 77", "mobile"), ("begins", "", "n’est pas une heure"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_beside_its_field(ground: Ground, field: str, typed: str, said: str) -> None:
    noor = await ground.member("noor", "referent")
    await ground.member("sam", "supervisor", password=True)
    browser = await ground.entered("sam")
    await browser.get("/astreintes")
    fields = {"who": noor, "role": "duty", "first": "2027-05-12", "last": "", "begins": "20:00", "ends": "08:00"}
    answer = await browser.send("/astreintes", **{**fields, field: typed})
    assert answer.status_code == 422 and f'id="e-{field}"' in answer.text and said in answer.text.replace("\xa0", " ")
    assert await ground.house.writing.fetchval("SELECT count(*) FROM shifts") == 0


async def test_a_supervisor_writes_the_rota_of_her_own_sites(ground: Ground) -> None:
    noor = await ground.member("noor", "referent", sites=("lyon",))
    await ground.member("sam", "supervisor", sites=("nanterre",), password=True)
    pair = Mentor(id="0" * 8 + "-0000-4000-8000-" + "1" * 12, name="Pair Aidant", email=None, phone="0612345678",
                  language="fr", site=None, capacity=3)  # fmt: skip
    await mentors.add(ground.house.writing, pair, BY)
    browser = await ground.entered("sam")
    shown = (await browser.get("/astreintes")).text
    assert "<option>nanterre</option>" in shown.replace(" selected", "") and "<option>lyon</option>" not in shown
    fields = {"role": "duty", "first": "2027-05-12", "begins": "20:00", "ends": "08:00"}
    assert (await browser.send("/astreintes", who=noor, site="lyon", **fields)).status_code == 403
    for site in ("lyon", "nanterre"):
        begins = clock.now() - timedelta(days=2)
        over = Shift(str(uuid.uuid4()), "duty", site, noor, begins, begins + timedelta(hours=12))
        await rota.add(ground.house.writing, [over], None, BY)
    warned = (await browser.get("/astreintes")).text
    assert "(lyon)" in text_of(warned) and "(nanterre)" in text_of(warned)
    assert re.findall(r'action="/astreintes/terminer">.*?name="site" value="(\w+)"', warned) == ["nanterre"]
    assert (await browser.send("/astreintes/terminer", site="lyon")).status_code == 403
    await browser.get("/astreintes")
    assert (await browser.send("/astreintes", who=pair.id, site="nanterre", **fields)).status_code == 303
    (kept,) = await rota.between(ground.house.writing, BY.at, datetime(2028, 1, 1, tzinfo=ZONE))
    assert kept.mentor and kept.phone == "0612345678"
