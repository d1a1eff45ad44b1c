"""A line of Today's list: what would end an alert stands on it, and who reads it is told as such."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.web.conftest import Ground


def alert(about: str, role: str) -> dict[str, Any]:
    at = datetime.now(UTC) + timedelta(days=30)
    return {"kind": "escalation", "id": f"a {about}", "about": about, "at": at.isoformat(), "role": role,
            "note": "default", "then": "supervisor"}  # fmt: skip


async def test_an_alert_leads_to_what_ends_its_matter_whoever_s_turn_it_is(ground: Ground) -> None:
    aline = await ground.member("aline", "referent")
    later = datetime.now(UTC) + timedelta(days=2)
    await ground.journey(aline, board=(
        alert("milestone lodging-asked", "referent"), alert("contact support", "supervisor"),
        {"kind": "deadline", "id": "d", "about": "exit-plan", "at": later.isoformat(), "role": "referent",
         "then": "referent"},
    ))  # fmt: skip
    async with ground.browser(await ground.session(aline)) as browser:
        mine, coming, others = (await browser.get("/")).text.split("<section ")[1:4]
    assert "/agir/reach-milestone?milestone=lodging-asked" in mine and "/agir/acknowledge-escalation" in mine
    assert ", alerte transmise (responsable)" in mine
    assert "puis alerte (vous)" in coming
    assert "/agir/log-contact?contact=support" in others and "/agir/acknowledge-escalation" not in others
    assert "au tour de" in others and "au tour de" not in mine + coming
