"""The page of what has been kept long enough: who is named to whom, why, and that looking changes nothing."""

from datetime import timedelta
from pathlib import Path

import pytest

from journeys import clock
from journeys.store import erasing
from tests.web.conftest import Ground


async def test_who_falls_due_is_told_with_why_and_named_only_to_who_sees_them(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {}
    people = {handle: await ground.member(handle, role, sites=sites)
              for handle, role, sites in (("sam", "supervisor", ("nanterre",)), ("aude", "auditor", ()),
                                          ("ada", "administrator", ()), ("aline", "referent", ()))}  # fmt: skip
    journey = await ground.journey(people["aline"], site="lyon", name="Samir Conservé")
    for later in (0, 800):
        monkeypatch.setattr(clock, "_offset", timedelta(days=later))
        for handle, id in people.items():
            async with ground.browser(await ground.session(id)) as browser:
                answer = await browser.get("/controle/conservation")
            assert answer.status_code == (403 if handle == "aline" else 200), answer.text
            pages[handle, later] = answer.text
    assert "Samir Conservé" in pages["aude", 800] and "Samir Conservé" not in pages["aude", 0]
    assert "Samir Conservé" not in pages["sam", 800] and "Samir Conservé" not in pages["ada", 800]
    assert "Un parcours est ouvert" in pages["sam", 800], "that somebody elsewhere falls due is said without a name"
    assert f"/parcours/{journey}/effacement" not in pages["aude", 800], "whoever reads only is not led to it"
    assert "2023-095" in pages["ada", 0] and "Par défaut." in pages["ada", 0]
    assert await erasing.erasures(ground.house.writing) == []


async def test_rules_that_cannot_be_used_are_told_on_the_page(ground: Ground, tmp_path: Path) -> None:
    broken = tmp_path / "mine.yaml"
    broken.write_text("retention: mine\n", encoding="utf-8")
    ground.house.settings = ground.house.settings.model_copy(update={"retention": broken})
    async with ground.browser(await ground.session(await ground.member("aude", "auditor"))) as browser:
        answer = await browser.get("/controle/conservation")
    assert answer.status_code in (400, 422) and "mine.yaml:1" in answer.text and "rules" in answer.text
