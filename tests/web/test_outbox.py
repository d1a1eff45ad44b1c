"""Messages déposés: everybody at the post sees what lies there; a letter opens for whoever sees whom it tells of."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from journeys.app.web.pages import outbox
from journeys.channels.letter import Letter, compose
from journeys.channels.outbox import SUFFIX, lay
from journeys.store import attempts, reads
from journeys.store.letters import seal_letter
from tests.web.conftest import Ground

AT = datetime(2027, 3, 1, 9, tzinfo=UTC)


async def laid(ground: Ground, about: str | None, words: str) -> str:
    """A letter that lies in the outbox, sealed under the key of whom it tells of."""
    letter = Letter(id=str(uuid.uuid4()), to="quelqu-un@example.org", subject=f"Objet {words}", body=f"{words}\n",
                    lang="fr", at=AT, about=about)  # fmt: skip
    sealed = await seal_letter(ground.house.writing.keys, letter, compose(letter, "journeys@localhost"))
    assert sealed is not None
    lay(ground.house.settings.outbox_dir, f"{letter.id}{SUFFIX}", sealed)
    return letter.id


def tells_of(streams: dict[str, str]) -> Any:
    """The journal as if these letters were of these journeys."""

    async def journeys_of(connection: Any, messages: Any, people: Any) -> dict[str, str]:
        return streams

    return journeys_of


async def test_a_letter_opens_for_whoever_sees_the_journey_and_is_noted(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, leader = ground.house, await ground.member("aline", "referent")
    here = await ground.journey(leader, site="nanterre", name="Inès Ici")
    there = await ground.journey(leader, site="lyon", name="Omar Ailleurs")
    keys = house.writing.keys
    for journey in (here, there):
        person = await house.writing.fetchval("SELECT person::text FROM journeys WHERE id = $1", journey)
        await keys.assign(f"journey-{journey}", person)
    mine, theirs = [await laid(ground, f"journey-{each}", each[:8]) for each in (here, there)]
    nobodys = await laid(ground, None, "contrôle")
    attempt = await attempts.begin(house.writing, str(uuid.uuid4()), f"journey-{here}", "outbox", AT)
    assert attempt is not None
    await attempts.ended(house.writing, attempt, "sent", "", "")

    async def opened(who: str, letter: str) -> Any:
        async with ground.browser(who) as browser:
            return await browser.get(f"/messages-deposes/{letter}")

    sam = await ground.session(await ground.member("sam", "supervisor", sites=("nanterre",)))
    ada = await ground.session(await ground.member("ada", "administrator"))
    for who, may in ((sam, {mine, nobodys}), (ada, {nobodys})):
        async with ground.browser(who) as browser:
            page = (await browser.get("/messages-deposes")).text
        assert {each for each in (mine, theirs, nobodys) if f"/messages-deposes/{each}" in page} == may
        assert page.count('class="state done">partis<') == 1 and "Ailleurs" not in page and "quelqu-un@" not in page
        for letter in (mine, theirs, nobodys):
            assert (await opened(who, letter)).status_code == (200 if letter in may else 404), (who, letter)
    shown = await opened(sam, mine)
    assert here[:8] in shown.text and "quelqu-un@example.org" in shown.text
    async with ground.browser(sam) as browser:
        file = await browser.get(f"/messages-deposes/{mine}/message.eml")
        assert file.headers["content-type"] == "message/rfc822" and b"Subject: Objet" in file.content
        for odd in (mine[:13], "nobody", "..%2F..%2Fetc%2Fpasswd"):
            assert (await browser.get(f"/messages-deposes/{odd}")).status_code == 404, odd
    await house.write_looks()
    looks = {(each.read.journey, each.read.look) for each in await reads.noted(house.writing)}
    assert looks == {(here, "letters"), (None, "letters")}, "nothing of what stayed sealed"

    # A letter to somebody of whom one journey is seen, which tells of another one.
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(outbox.letters, "journeys_of", tells_of({mine: f"journey-{there}"}))
        assert (await opened(sam, mine)).status_code == 404
        elsewhere.setattr(outbox.letters, "journeys_of", tells_of({mine: f"journey-{here}"}))
        assert (await opened(sam, mine)).status_code == 200

    # The guard taken away from outside: the same address opens the letter of another site.
    async def all_of_them(visit: Any, person: str) -> list[tuple[str, None]]:
        return [(there, None)]

    monkeypatch.setattr(outbox, "_journeys", all_of_them)
    assert (await opened(sam, theirs)).status_code == 200


async def test_a_digest_opens_for_its_recipient_alone(ground: Ground) -> None:
    sam, ada = [await ground.member(name, "supervisor") for name in ("sam", "ada")]
    digest = await laid(ground, f"staff-{sam}", "alertes")
    for who, may in ((sam, True), (ada, False)):
        async with ground.browser(await ground.session(who)) as browser:
            assert (f"/messages-deposes/{digest}" in (await browser.get("/messages-deposes")).text) is may
            assert (await browser.get(f"/messages-deposes/{digest}")).status_code == (200 if may else 404)


async def test_a_letter_of_somebody_forgotten_stays_sealed(ground: Ground) -> None:
    journey = await ground.journey(await ground.member("aline", "referent"))
    person = await ground.house.writing.fetchval("SELECT person::text FROM journeys WHERE id = $1", journey)
    keys = ground.house.writing.keys
    await keys.assign(f"journey-{journey}", person)
    letter = await laid(ground, f"journey-{journey}", "adieu")
    token = await ground.session(await ground.member("sam", "supervisor"))
    async with ground.browser(token) as browser:
        assert (await browser.get(f"/messages-deposes/{letter}")).status_code == 200
        await keys.destroy([f"person-{person}"])
        assert (await browser.get(f"/messages-deposes/{letter}")).status_code == 404
        assert (await browser.get("/messages-deposes")).status_code == 200
