"""The steps of forgetting somebody, one by one."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from activities.erasure import Erasure
from activities.resources import NoEngine
from journeys.contract import Answer, Erasing
from journeys.domain.commands import Command
from journeys.store import contact_erasing, erasing, paper_letters
from journeys.store.keys import person_key
from tests.activities.conftest import Life


class Running(NoEngine):
    """An engine in which every journey runs."""

    async def runs(self, stream: str) -> bool:
        return True


async def test_a_run_that_a_restored_engine_brought_back_is_not_waited_for(life: Life) -> None:
    async def send(command: Command) -> Answer:
        return Answer(command=command.id, outcome="refused", code="erasing")

    steps, asked = Erasure(replace(life.resources, send=send, engine=Running())), Erasing(person=life.person)
    await erasing.order(life.pool, life.person, "restored", life.by)
    assert not await steps.close(asked), "a payment may be under way"
    await erasing.destroy(life.pool.keys, [person_key(life.person)], None)
    assert await steps.close(asked), "nobody can tell it anything any more"
    # The database is the room's: nothing stays under way in it.
    await erasing.note(life.pool, life.person, await erasing.survey(life.pool, life.person))
    await erasing.certify(life.pool, life.person, life.by)
    assert await erasing.under_way(life.pool) == []


@pytest.mark.parametrize(
    ("kind", "known", "asked"), [("mentor", ("Lina",), []), ("mentor", (), ["mentor"]), ("staff", ("Lina",), ["staff"])]
)
async def test_the_whole_journal_is_searched_only_where_letters_are_not_found_by_a_name(
    monkeypatch: pytest.MonkeyPatch, kind: Any, known: tuple[str, ...], asked: list[str]
) -> None:
    searched = list[str]()

    async def owed(pool: Any, kind: str, id: str) -> list[str]:
        searched.append(kind)
        return []

    async def found_by(*_: Any) -> tuple[str, ...]:
        return known

    async def none(*_: Any) -> list[str]:
        return []

    monkeypatch.setattr(contact_erasing, "letters_owed", owed)
    monkeypatch.setattr(contact_erasing, "found_by", found_by)
    monkeypatch.setattr(contact_erasing, "on_paper", none)
    monkeypatch.setattr(paper_letters, "naming", none)
    resources: Any = SimpleNamespace(pool=None, mailer=None)
    assert await Erasure(resources)._letters(Erasing(person="m", kind=kind), remove=True) == 0
    assert searched == asked
