"""Whom money is for, on the pages: an account is checked where it is typed, and seen before it is paid."""

import html
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from journeys.domain import events as e
from tests.conftest import RealStack
from tests.web.office import Desk, Office, open_office

GOOD, OTHER = "FR7630006000011234567890189", "FR76 3000 4000 0312 3456 7890 143"
ASKED = {"grant": "bourse", "purpose": "training", "amount": "600"}


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


async def asked(office: Office) -> int:
    return sum(isinstance(event.data, e.GrantRequested | e.GrantChanged) for event in await office.engine.events())


def plain(text: str) -> str:
    return html.unescape(text).replace("’", "'").replace("\u00a0", " ").replace("\u202f", " ")


async def refused(desk: Desk, command: str, **typed: str) -> str:
    """What the page says when a form is not taken."""
    answer = await desk.send(command, **typed)
    assert answer.status_code == 422, answer.text
    return plain(answer.text)


async def test_what_is_wrong_with_an_account_is_said_beside_it_and_the_approver_sees_what_changed(
    office: Office,
) -> None:
    aline, sam = await office.enter("aline"), await office.enter("sam")
    page = await refused(aline, "request-grant", payee="École du Pont", iban=GOOD[:-1] + "8", **ASKED)
    assert "La clé de l'IBAN est fausse" in page and 'value="École du Pont"' in page
    assert "il manque l'IBAN" in await refused(aline, "request-grant", payee="École du Pont", **ASKED)
    assert await asked(office) == 0
    assert (await aline.send("request-grant", payee="École du Pont", iban=GOOD, **ASKED)).status_code == 303
    (grant,) = [event.command for event in await office.engine.events() if isinstance(event.data, e.GrantRequested)]

    shown = plain((await sam.get(f"/aides/{grant}")).text)
    assert "École du Pont" in shown and "FR76 3000 6000 0112 3456 7890 189" in shown and "modifié" not in shown
    hidden = {"grant": str(grant)}
    await refused(aline, "change-grant", iban=OTHER, **hidden)
    await refused(aline, "change-grant", payee="Autre école", **hidden)
    assert await asked(office) == 1
    assert (await aline.send("change-grant", payee="Autre école", iban=OTHER, **hidden)).status_code == 303
    shown = plain((await sam.get(f"/aides/{grant}")).text)
    assert "Autre école" in shown and OTHER in shown
    assert "Bénéficiaire modifié" in shown and "par Aline" in shown and "Rien n'est versé avant le" in shown
