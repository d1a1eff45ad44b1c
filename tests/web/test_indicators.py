"""Indicateurs: figures of the journeys that a visitor may see, small ones told to nobody; as table file and report."""

import io
import json
import re
from datetime import date

import asyncpg
import httpx
import pytest
from pypdf import PdfReader

from journeys.app import figures, publishing
from journeys.authoring.reading import read_programme
from journeys.indicators.definitions import VERSION
from journeys.store import counting, sessions
from journeys.store.database import open_pool
from tests.web.conftest import BY, Ground

pytestmark = pytest.mark.asyncio

NIGHT = "housed-first-night"


async def counted(ground: Ground, site: str | None, count: int, *, yes: int, begun: str = "2026-03-01") -> None:
    """So many journeys of a site, counted up to their last event; so many were housed on the first night."""
    referent = await ground.member(f"ref-{site}-{begun}-{count}", "referent")
    for place in range(count):
        id = await ground.journey(referent, site=site, name=f"Zoé {site} {place}")
        answer = {"code": NIGHT, "ripe": "2026-03-08", "yes": int(place < yes), "no": int(place >= yes), "unknown": 0}
        await ground.house.writing.execute(
            "INSERT INTO counted VALUES ($1, 1, $2, $3, $4)",
            id,
            VERSION,
            date.fromisoformat(begun),
            json.dumps([answer]),
        )


async def visit(ground: Ground, *roles: str, sites: tuple[str, ...] = ()) -> httpx.AsyncClient:
    return ground.browser(await ground.session(await ground.member("-".join((*roles, *sites)), *roles, sites=sites)))


def table(page: str, code: str = NIGHT) -> list[list[str]]:
    """The lines of an indicator's own table."""
    part = page.partition(f'<h2 id="{code}">')[2].partition("</table>")[0]
    lines = re.findall("<tr.*?</tr>", part.partition("<tbody>")[2])
    return [[re.sub("<[^>]*>", "", cell) for cell in re.findall("<t[hd].*?</t[hd]>", line)] for line in lines]


async def town(ground: Ground) -> None:
    await counted(ground, "lyon", 6, yes=3)
    await counted(ground, "nanterre", 4, yes=4)
    await counted(ground, "lille", 9, yes=2, begun="2026-05-01")


async def test_figures_by_group_and_none_of_few_people(ground: Ground) -> None:
    await town(ground)
    browser = await visit(ground, "auditor")
    answer = await browser.get("/indicateurs?par=site")
    assert answer.status_code == 200 and "Tous les parcours" in answer.text and "19 parcours comptés" in answer.text
    assert table(answer.text) == [
        ["lille", "2 sur 9", "22\xa0%", "0", "0"], ["lyon", "non montré", "", "", "0"],
        ["nanterre", "moins de 5", "", "", "0"], ["Ensemble", "9 sur 19", "47\xa0%", "0", "0"],
    ]  # fmt: skip
    assert table(answer.text, "no-show") == [["Ensemble", "—", "", "0", "0"]]
    by_month = await browser.get("/indicateurs?par=month&a=2026-04")
    assert table(by_month.text) == [
        ["mars 2026", "7 sur 10", "70\xa0%", "0", "0"],
        ["Ensemble", "7 sur 10", "70\xa0%", "0", "0"],
    ]


async def test_the_same_as_a_table_file(ground: Ground) -> None:
    await town(ground)
    answer = await (await visit(ground, "auditor")).get("/indicateurs.csv?par=site")
    lines = answer.text.lstrip("\ufeff").splitlines()
    assert lines[0].startswith("Indicateur;Site;Compté;Parmi;Unité;Part")
    assert lines[1:5] == [
        "Logés la nuit de la sortie;lille;2;9;parcours;0.2222;0;0;",
        "Logés la nuit de la sortie;lyon;;;parcours;;;0;non montré",
        "Logés la nuit de la sortie;nanterre;;;parcours;;;0;moins de 5",
        "Logés la nuit de la sortie;Ensemble;9;19;parcours;0.4737;0;0;",
    ]  # fmt: skip


async def test_the_report_says_whose_journeys_and_of_which_day(ground: Ground) -> None:
    await town(ground)
    browser = await visit(ground, "supervisor", sites=("lyon", "nanterre"))
    answer = await browser.get("/indicateurs.pdf?par=site&de=2026-01&a=2026-03")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/pdf"
    assert "attachment" in answer.headers["content-disposition"]
    pdf = PdfReader(io.BytesIO(answer.content))
    text = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pdf.pages)).replace("’", "'")
    for words in (
        "Indicateurs au", "parcours que voit Supervisor-lyon-nanterre (ceux de lyon et nanterre ou sans site)",
        "sorties de janvier 2026 à mars 2026", "10 parcours comptés", "Logés la nuit de la sortie 7 sur 10 70 %",
        "On compte : parcours où le logement", "Âge demandé : une semaine", "moins de 5", "non montré",
        "Moins de 5 personnes ne sont jamais montrées",
    ):  # fmt: skip
        assert words in text, (words, text)
    assert "lille" not in text and "sur 6" not in text and "4 sur 4" not in text
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]


async def test_what_cannot_be_read_is_said_beside_its_field(ground: Ground) -> None:
    browser = await visit(ground, "auditor")
    for query, field in (("de=hier", "de"), ("a=2026-13", "a"), ("par=nom", "par"), ("de=2026-05&a=2026-04", "a")):
        answer = await browser.get(f"/indicateurs?{query}")
        assert answer.status_code == 422, query
        assert f'href="#f-{field}"' in answer.text and f'id="f-{field}"' in answer.text, query
        for file in ("csv", "pdf"):
            assert (await browser.get(f"/indicateurs.{file}?{query}")).status_code == 422, query


async def test_each_role_counts_what_it_sees(ground: Ground) -> None:
    await town(ground)
    await counted(ground, None, 5, yes=0)

    async def total(*roles: str, sites: tuple[str, ...] = ()) -> str:
        return table((await (await visit(ground, *roles, sites=sites)).get("/indicateurs")).text)[-1][1]

    assert await total("auditor") == await total("supervisor") == "9 sur 24"
    assert await total("supervisor", sites=("lyon",)) == "3 sur 11"
    assert await total("finance") == await total("referent") == "—"
    assert (await (await visit(ground, "administrator")).get("/indicateurs")).status_code == 403


async def test_the_database_counts_only_what_a_session_may_see_and_without_its_policy_all(ground: Ground) -> None:
    await town(ground)
    token = await ground.session(await ground.member("only-lyon", "supervisor", sites=("lyon",)))
    web = await open_pool(ground.owner, role="journeys_web")

    async def seen() -> tuple[int, int]:
        """Of the sums, and of the answers themselves."""
        async with web.acquire() as connection, connection.transaction():
            await sessions.enter(connection, token)
            found = await counting.sums(connection, "site", counting.Cohort(), date(2027, 1, 1))
            return sum(each.known for each in found if each.whole), await connection.fetchval(
                "SELECT count(*) FROM counted"
            )

    owner = await asyncpg.connect(ground.owner)
    try:
        assert await seen() == (6, 6)
        await owner.execute("ALTER POLICY visit ON journeys USING (true)")
        assert await seen() == (19, 19)
    finally:
        await owner.close()
        await web.close()


async def test_a_page_counts_a_few_and_tells_of_the_others(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of the lists without a record: none can be counted, and each page has looked at no more than its share."""
    referent = await ground.member("lea", "referent")
    for _ in range(3):
        await ground.journey(referent)
    monkeypatch.setattr(figures, "AT_ONCE", 2)
    looked: list[int] = []
    count_anew = figures.count_anew

    async def look(*given: object) -> int:
        looked.append(await count_anew(*given))  # type: ignore[arg-type]
        return looked[-1]

    monkeypatch.setattr(figures, "count_anew", look)
    answer = await (await visit(ground, "auditor")).get("/indicateurs")
    assert looked == [2] and "3 parcours ont changé depuis leur dernier comptage" in answer.text


async def test_it_says_what_each_programme_counts(ground: Ground) -> None:
    await publishing.keep(ground.house.writing, publishing.rules(read_programme("auxilia").text, date(2027, 1, 4)), BY)
    ground.house.forget_programmes()
    shown = (await (await visit(ground, "auditor")).get("/indicateurs")).text.replace("’", "'")
    assert re.search(r"Auxilia[^«]*«\s*logé\s*»\s*: hébergement relais, .* et logement à soi\.", shown), shown
    assert (await (await visit(ground, "duty")).get("/indicateurs?programme=nowhere")).status_code == 200
