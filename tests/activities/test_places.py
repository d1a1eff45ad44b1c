"""What a message says of a place, and to whom it is written: neutral, and whatever the script of a name."""

from datetime import timedelta
from typing import Any

import pytest

import activities.letters
from journeys.app.describing import described
from journeys.app.failures import Failure
from journeys.channels.letter import compose
from journeys.domain import commands as c
from journeys.store import people, sites
from journeys.store.sites import AGREED, Site
from tests.activities.conftest import Life

DESK = Site("lyon", "Accueil de la gare", "3 place de la Gare, Lyon", "Europe/Paris")


async def told(life: Life, place: str) -> str:
    """What a letter about an appointment there says to the person."""
    await life.do(c.BookAppointment(at=life.now + timedelta(days=4)), place=place)
    await life.until(life.now + timedelta(days=2, hours=1))
    for effect in life.effects("deliver", to="participant"):
        if life.state.messages[effect.details["id"]].about.kind == "appointment":
            await life.settle(effect)
    return life.postman.letters[-1].body


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("12 rue des Lilas", "12 rue des Lilas"),
        ("Mairie, rue de la Justice", "Mairie, rue de la Justice"),
        ("Maison d’arrêt de Nanterre, parloir 2", AGREED.fr),
        ("MAISON D'ARRET de Nanterre", AGREED.fr),
        ("Tribunal judiciaire, 2 cours Mirabeau", AGREED.fr),
        ("", DESK.place),
    ],
)
async def test_a_place_that_says_why_is_not_said_and_no_other_is_said_in_its_stead(
    life: Life, place: str, said: str
) -> None:
    await sites.describe(life.pool, DESK, life.by)
    body = await told(life, place)
    assert said in body and "parloir" not in body and "arr" not in body.lower().replace("arrive", "")
    assert (DESK.place in body) is (not place), "whoever goes there instead misses it"


async def test_without_the_guard_the_letter_says_it(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    async def as_noted(_: Any, place: str, *__: Any) -> str:
        return place

    monkeypatch.setattr(activities.letters, "said_outside", as_noted)
    assert "Maison d’arrêt" in await told(life, "Maison d’arrêt de Nanterre")


@pytest.mark.parametrize(
    ("name", "address", "zone", "code"),
    [
        ("Maison d’arrêt de Nanterre", "", "Europe/Paris", "not-neutral"),
        ("Accueil", "2 rue de la Prison", "Europe/Paris", "not-neutral"),
        ("2e accueil du tribunal", "2 rue du Tribunal", "Europe/Paris", "not-neutral"),
        ("Accueil du SPIP", "2 rue de la Libération", "Europe/Paris", "not-neutral"),
        ("Accueil\nBcc: x", "", "Europe/Paris", "not-a-line"),
        ("", "", "Europe/Paris", "missing-value"),
        ("Accueil", "", "Indian/Nowhere", "unknown-zone"),
    ],
)
def test_a_site_is_named_neutrally_or_not_at_all(name: str, address: str, zone: str, code: str) -> None:
    with pytest.raises(Failure) as caught:
        described("lyon", name, address, zone)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "name",
    [
        "Нурия",
        "نورية",
        "مه\u200cناز",
        "李明",
        "Ngọc Ánh",
        "Þórunn",
        "👩🏽‍🦱",
        "O'Brien\r\nBcc: x@example.org",
        "a" * 80,
        "\u202eabc",
    ],
)
async def test_a_name_in_any_script_is_written_as_it_is_and_adds_no_header(life: Life, name: str) -> None:
    await people.change(life.pool, life.person, people.Details(
        first_name=name, last_name="D", email="eloise@example.org"), life.by)  # fmt: skip
    assert (await life.run(await life.reminded()))["answer"] == "sent"
    (letter,) = life.postman.letters
    raw = compose(letter, "suivi@association.example")
    heads = raw.partition(b"\r\n\r\n")[0]
    assert b"\nBcc" not in heads
    assert name.split("\r")[0].replace("\u202e", "") in letter.body


def test_the_address_of_a_site_may_be_in_a_street_of_every_town() -> None:
    assert described("lyon", "Accueil", "12 place de la Libération, Lyon", "Europe/Paris").address
