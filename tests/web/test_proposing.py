"""Whom to ask next, on the pages: choices sorted with the reasons, and the next one where somebody said no."""

import html
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
import pytest_asyncio

from benchmarks.pages.served import ENVELOPE
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.store import mentors, partners, people
from tests.conftest import RealStack
from tests.web.conftest import BY, form
from tests.web.office import Office, open_office


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


def choices(page: str, field: str) -> list[str]:
    found = re.search(rf'<select id="f-{field}".*?</select>', page, re.DOTALL)
    assert found is not None, page
    options = re.findall(r"<option[^>]*>(.*?)</option>", found[0])
    return [html.unescape(option).replace("\xa0", " ").replace("’", "'") for option in options][1:]


def words(page: str) -> str:
    """What is read of a page."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)))


ASKED: ContextVar[list[str] | None] = ContextVar("ASKED", default=None)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The questions that pages ask of the database meanwhile, as `make bench-web` counts them; nobody else's."""

    def noting(method: str) -> Any:
        plain = getattr(asyncpg.Connection, method)

        async def noted(self: Any, query: str, *args: Any, **more: Any) -> Any:
            if (asked := ASKED.get()) is not None and not query.lstrip().startswith(ENVELOPE):
                asked.append(query)
            return await plain(self, query, *args, **more)

        return patch.object(asyncpg.Connection, method, noted)

    with ExitStack() as patches:
        for method in ("fetch", "fetchrow", "fetchval", "execute"):
            patches.enter_context(noting(method))
        asked: list[str] = []
        ASKED.set(asked)
        yield asked
        ASKED.set(None)


def house(name: str, kind: str = "housing", **known: Any) -> partners.Partner:
    return partners.Partner(
        id=str(uuid.uuid4()), name=name, kind=kind, email=None, phone=None, language="fr", site=None, **known
    )


async def test_the_forms_offer_the_best_first_and_the_page_the_next_one(office: Office) -> None:
    pool, engine = office.house.writing, office.engine
    samir = (await people.search(pool, "Benali"))[0]
    await people.change(pool, samir.id, replace(samir.details, place="Nanterre", languages="arabe"), BY)
    first, second, jobs = (
        house("Foyer Un", place="Nanterre", places=2),
        house("Foyer Deux", places=3),
        house("Job", "jobs"),
    )
    for partner in (jobs, second, first):
        await partners.add(pool, partner, BY)
    for name, known in (("Abel", {}), ("Lina", {"languages": "français, arabe"}), ("Rose", {"available": False})):
        mentor = mentors.Mentor(id=str(uuid.uuid4()), name=name, email=None, phone=None, language="fr", site=None,
                                capacity=2, **known)  # fmt: skip
        await mentors.add(pool, mentor, BY)
    aline = await office.enter("aline")

    offered = choices((await aline.get("/agir/propose-mentor")).text, "mentor")
    assert offered[0] == "Lina — parle arabe, n'accompagne personne pour l'instant"
    assert [line.partition(" — ")[0] for line in offered] == ["Lina", "Abel", "Rose"]
    assert "pas disponible en ce moment" in offered[2]

    form = (await aline.get("/agir/send-referral?purpose=housing")).text
    assert [line.partition(" — ")[0] for line in choices(form, "partner")] == ["Foyer Un", "Foyer Deux", "Job"]
    assert "même ville (Nanterre), places libres : 2 sur 2" in choices(form, "partner")[0]
    plain = (await aline.get("/agir/send-referral")).text
    assert choices(plain, "purpose") == ["Jobs", "Logement"]

    sent = await aline.send("send-referral", partner=first.id, purpose="housing", letter="Une place ?")
    assert sent.status_code == 303, sent.text
    assert "À proposer à" not in (await aline.get()).text
    assert "1 sur 2" in (await aline.client.get("/partenaires")).text
    referral = next(event.data.referral for event in await engine.events() if isinstance(event.data, e.ReferralSent))
    await aline.send("decline-referral", referral=referral, reason="complet")
    await aline.get()  # The key of the person is remembered for half a minute.
    with counted() as questions:
        page = (await aline.get()).text
    assert 3 < len(questions) <= 5, questions
    assert "Orientation sans suite : logement. Choisir un autre partenaire" in words(page)
    assert choices((await aline.get("/agir/send-referral?purpose=housing")).text, "partner")[0].startswith("Foyer Deux")
    fetched = re.search(r'hx-get="[^"]*(/relances)" hx-trigger="load" hx-select="#relances"', page)
    assert fetched is not None, page
    page = (await aline.get(fetched[1])).text
    assert 'id="relances"' in page and "hx-get" not in page, "what is fetched does not fetch itself again"
    assert "Orientation sans suite" in page and "Orienter vers Foyer Deux" in page
    link = html.unescape(re.search(r'href="[^"]*(/agir/send-referral\?purpose=housing[^"]*)"', page)[1])  # type: ignore[index]
    again = (await aline.get(link)).text
    assert choices(again, "partner")[0].startswith("Foyer Deux") and "a décliné" in choices(again, "partner")[1]
    assert re.search(rf'value="{second.id}" selected', again)
    auditor = await office.enter("aude")
    assert "sans suite" not in (await auditor.get()).text, "who may not refer is not asked to"
    assert (await auditor.get("/relances")).status_code == 403
    assert "Langues et intérêts" in (await aline.client.get("/mentors")).text


async def test_a_mentor_who_ends_is_followed_by_the_next(office: Office) -> None:
    pool, engine = office.house.writing, office.engine
    ids = [str(uuid.uuid4()), str(uuid.uuid4())]
    for id, name in zip(ids, ("Abel", "Lina"), strict=True):
        await mentors.add(pool, mentors.Mentor(id=id, name=name, email=None, phone=None, language="fr", site=None,
                                               capacity=1), BY)  # fmt: skip
    aline = await office.enter("aline")
    await aline.send("propose-mentor", mentor=ids[0])
    assert choices((await aline.get("/agir/match-mentor")).text, "mentor") == ["Abel"]
    await aline.send("match-mentor", mentor=ids[0])
    assert "Proposer Lina" not in (await aline.get()).text
    answer = await engine.do(c.EndMentor(), actor=engine.referent, roles=("referent",), reason="départ")
    assert answer.outcome == "accepted"
    await aline.get()  # The key of the person is remembered for half a minute.
    with counted() as questions:
        page = (await aline.get()).text
    assert 3 < len(questions) <= 5, questions
    assert "Plus de mentor. Choisir un autre mentor" in words(page)
    page = (await aline.get("/relances")).text
    assert "Plus de mentor" in page and "Proposer Lina" in page


async def test_where_somebody_lives_and_what_they_speak_is_asked_at_the_start(office: Office) -> None:
    aline = await office.enter("aline")
    typed = {"programme": "auxilia", "first_name": "Ada", "last_name": "Neuve", "reference": "N-1", "place": "Nanterre",
             "languages": "français, wolof", "interests": "football", "date-release": "2099-05-04",
             "referent": office.staff["aline"]}  # fmt: skip
    shown = await aline.client.post("/nouveau", data=form(aline.token, **typed))
    assert "français, wolof" in shown.text and "Nanterre" in shown.text, shown.text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', shown.text))
    begun = await aline.client.post("/nouveau", data={**hidden, "sure": "yes"})
    assert begun.status_code == 303, begun.text
    details = (await people.search(office.house.writing, "Neuve"))[0].details
    assert (details.place, details.languages, details.interests) == ("Nanterre", "français, wolof", "football")
