"""`journeys letters`: messages on paper, printed and noted as posted from the command line."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from activities.paper import Paper
from journeys.channels.letter import Fate, Letter
from journeys.store.database import open_pool
from tests.app.conftest import Journeys, Up
from tests.web.test_papers import words


def laid(up: Up, journey: str) -> str:
    """A letter on paper that waits; its id."""
    letter = Letter(
        id=str(uuid.uuid4()), to="Samir Benali", subject="Rendez-vous", body="Bonjour Samir,", lang="fr",
        at=datetime.now(UTC), about=f"journey-{journey}",
    )  # fmt: skip

    async def lay() -> None:
        pool = await open_pool(str(up.found["database_url"]), largest=2)
        try:
            assert (await Paper(pool).send(letter)).fate is Fate.SENT
        finally:
            await pool.close()

    asyncio.run(lay())
    return letter.id


def test_a_letter_is_listed_printed_and_posted(
    here: Journeys, up: Up, started: Callable[..., str], tmp_path: Path
) -> None:
    journey = started()
    id = laid(up, journey)
    listed = here("letters", "list", "--as", "aline")
    assert listed.code == 0 and id[:13] in listed.out and "à poster" in listed.out
    (found,) = [each for each in here("letters", "list", "--as", "aline", "--json").json["letters"] if each["id"] == id]
    assert (found["journey"], found["to_post"], found["why"]) == (journey, True, None)
    file = tmp_path / "lettre.pdf"
    assert here("letters", "print", id[:13], "--pdf", str(file), "--as", "aline").code == 0
    assert "Bonjour Samir" in words(file.read_bytes()) and "Aline R." in words(file.read_bytes())
    assert here("letters", "print", id, "--pdf", str(file), "--as", "aline", "--json").error["code"] == "file-exists"
    posted = here("letters", "posted", id[:13], "--as", "aline")
    assert posted.code == 0 and "la lettre est partie" in posted.out
    assert id not in here("letters", "list", "--as", "aline", "--json").out
    assert here("letters", "posted", id, "--as", "aline").code == 3


def test_only_who_sees_the_journey_and_may_post_does(here: Journeys, up: Up, started: Callable[..., str]) -> None:
    id = laid(up, started())
    assert here("letters", "posted", id, "--as", "fin").code == 4, "finance posts no letters"
    assert here("letters", "list", "--as", "fin").code == 4
    assert here("letters", "posted", id, "--as", "bob", "--json").error["code"] == "no-letter", "aline leads it"
    assert id not in here("letters", "list", "--as", "bob", "--json").out
    assert here("letters", "posted", id, "--as", "sam").code == 0, "supervisors see them all"


def test_what_is_not_for_posting_any_more_is_refused(
    here: Journeys, up: Up, started: Callable[..., str], tmp_path: Path
) -> None:  # fmt: skip
    journey = started()
    id = laid(up, journey)
    assert here("do", journey, "opt-out", "--as", "aline").code == 0
    assert "pas à poster" in here("letters", "list", "--as", "aline").out
    for words_ in (("posted", id), ("print", id, "--pdf", str(tmp_path / "x.pdf"))):
        said = here("letters", *words_, "--as", "aline", "--json")
        assert (said.code, said.error["code"]) == (4, "letter-not-for-posting")
