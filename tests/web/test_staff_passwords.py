"""`journeys staff password` and `journeys staff sessions`: how the first person gets in, and how one is put out."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.app.conftest import Said, in_this_process
from tests.web.conftest import PASSWORD, Ground

ROOT = Path(__file__).parents[2]


def here(ground: Ground, home: Path) -> dict[str, str]:
    """What leads a command line to the database of the test."""
    return {"DATABASE_URL": ground.owner, "JOURNEYS_DATA_DIR": str(home), "JOURNEYS_SIGNING_KEY": "ab" * 32}


async def journeys(ground: Ground, home: Path, *words: str, typed: str = "") -> Said:
    """The command line, in a thread of this process."""
    return await asyncio.to_thread(in_this_process, *words, stdin=typed, **here(ground, home))


async def its_own(ground: Ground, home: Path, *words: str, typed: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process, whose passwords cost what they should."""
    environment = {**os.environ, **here(ground, home), "PYTHONPATH": str(ROOT)}
    asked = [sys.executable, "-c", "from journeys.app.cli import main; main()", *words]
    return await asyncio.to_thread(
        subprocess.run, asked, input=typed, capture_output=True, text=True, env=environment, timeout=60
    )


async def test_a_password_from_stdin_lets_in_and_ends_the_sessions(ground: Ground, tmp_path: Path) -> None:
    await ground.member("aline", "referent", password=True)
    browser = await ground.entered("aline")
    done = await its_own(ground, tmp_path, "staff", "password", "aline", "--stdin", typed="trois chats gris ensemble\n")
    assert done.returncode == 0, done.stderr
    assert "trois chats" not in done.stdout + done.stderr
    kept = await ground.house.writing.fetchval("SELECT password FROM accounts")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$"), "the second choice of RFC 9106"
    assert (await browser.get("/compte")).status_code == 303
    assert (await ground.person().log_in("aline", PASSWORD)).status_code == 422
    assert (await ground.person().log_in("aline", "trois chats gris ensemble")).status_code == 303

    told = await journeys(ground, tmp_path, "staff", "sessions", "aline", "--json")
    assert [each["how"] for each in told.json["sessions"]] == ["password"]
    assert (await journeys(ground, tmp_path, "staff", "sessions", "aline", "--end")).code == 0
    assert await ground.house.writing.fetchval("SELECT count(*) FROM sessions") == 0


async def test_what_is_weak_or_cannot_be_typed_changes_nothing(ground: Ground, tmp_path: Path) -> None:
    await ground.member("aline", "referent")
    for weak in ("court", "aline et les autres", "motdepasse2026"):
        done = await journeys(ground, tmp_path, "staff", "password", "aline", "--stdin", typed=f"{weak}\n")
        assert done.code == 2 and weak not in done.err, done.err
    done = await journeys(ground, tmp_path, "staff", "password", "aline")
    assert done.code == 2 and "--stdin" in done.err
    assert await ground.house.writing.fetchval("SELECT count(*) FROM accounts") == 0


async def test_only_the_administration_sets_passwords(ground: Ground, tmp_path: Path) -> None:
    await ground.member("aline", "referent")
    await ground.member("claire", "administrator")
    asked = ("staff", "password", "claire", "--stdin")
    assert (await journeys(ground, tmp_path, *asked, typed=f"{PASSWORD}\n")).code == 2, "nobody says who"
    assert (await journeys(ground, tmp_path, *asked, "--as", "aline", typed=f"{PASSWORD}\n")).code == 4
    assert (await journeys(ground, tmp_path, *asked, "--as", "claire", typed=f"{PASSWORD}\n")).code == 0
