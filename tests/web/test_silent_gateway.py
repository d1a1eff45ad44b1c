"""A gateway that says nothing any more stands on the morning's page of whoever can ask it, and of nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest_asyncio

from journeys.app.cli import checkup
from tests.conftest import RealStack
from tests.web.office import Office, open_office

SAID = "on ne sait plus si les SMS arrivent"


@pytest_asyncio.fixture
async def office(stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(stack, journal_pool, database_url, tmp_path) as made:
        yield made


async def sees_it(office: Office, who: str) -> bool:
    answer = await (await office.enter(who)).client.get("/")
    assert answer.status_code == 200, answer.text
    return SAID in answer.text


async def failures(office: Office) -> list[str]:
    """What `journeys doctor` says is broken of the messages."""

    class Here:
        settings = office.house.settings
        now = office.house.now

        async def pool(self) -> Any:
            return office.house.writing

    return [each.found.en for each in await checkup._messages(cast(Any, Here())) if each.state == "failed"]


async def test_it_is_shown_until_the_gateway_speaks_again(office: Office) -> None:
    assert not await sees_it(office, "sam") and await failures(office) == []
    await office.house.writing.execute(
        "INSERT INTO channel_silences (channel, since, messages) VALUES ('sms', now() - interval '2 days', 7)"
    )
    assert await sees_it(office, "sam")
    assert any("has said nothing of any message" in each for each in await failures(office))
    for who in ("aline", "fin", "aude"):
        assert not await sees_it(office, who), who
    await office.house.writing.execute("UPDATE channel_silences SET ended_at = now()")
    assert not await sees_it(office, "sam") and await failures(office) == []
