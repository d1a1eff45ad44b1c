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


def test_letters_of_others_however_many_hide_none_of_their_own(
    here: Journeys, up: Up, started: Callable[..., str]
) -> None:
    theirs, mine = started(), started()
    older, id = laid(up, theirs), laid(up, mine)
    assert here("do", mine, "assign-referent", "--referent", "bob", "--reason", "il part", "--as", "sam").code == 0

    async def write(*statements: str) -> None:
        pool = await open_pool(str(up.found["database_url"]), largest=2)
        try:
            for each in statements:
                await pool.execute(each, older)
        finally:
            await pool.close()

    asyncio.run(write(
        "INSERT INTO paper_letters (message, journey, sealed, at) SELECT gen_random_uuid(), journey, sealed,"
        " at - interval '1 hour' FROM paper_letters, generate_series(1, 210) WHERE message = $1"
    ))  # fmt: skip
    try:
        listed = here("letters", "list", "--as", "bob", "--json").json["letters"]
        assert [each["id"] for each in listed] == [id]
        assert here("letters", "posted", id, "--as", "bob").code == 0
    finally:
        asyncio.run(write(
            "UPDATE paper_letters SET posted_at = at, posted_by = gen_random_uuid() WHERE posted_at IS NULL"
            " AND journey = (SELECT journey FROM paper_letters WHERE message = $1)"
        ))  # fmt: skip


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
