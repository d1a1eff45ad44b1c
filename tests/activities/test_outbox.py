"""The outbox of one machine: complete files that only who has the key reads, each message once."""

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest

from journeys.app.outbox import laid, opened, seal_up_letters
from journeys.channels import outbox as rooms
from journeys.channels.letter import BadAddress, Fate, Letter, compose
from journeys.channels.outbox import FileOutbox, LyingLetters
from journeys.store.journal import read_all
from journeys.store.keys import Keys, person_key
from journeys.store.letters import journeys_of, seal_letter
from tests.activities.conftest import Life

Lay: TypeAlias = Callable[[Path], FileOutbox]


def letter(id: str | None = None, body: str = "Bonjour\n", about: str | None = None) -> Letter:
    return Letter(
        id=id or str(uuid.uuid4()), to="eloise@example.org", subject="Rappel", body=body, lang="fr",
        at=datetime(2027, 5, 12, tzinfo=UTC), about=about,
    )  # fmt: skip


@pytest.fixture
def keys(journal_pool: Any) -> Keys:
    found: Keys = journal_pool.keys
    return found


@pytest.fixture
def lay(keys: Keys) -> Callable[[Path], FileOutbox]:
    return lambda folder: FileOutbox(folder, partial(seal_letter, keys))


async def test_a_letter_lies_sealed_in_a_folder_that_only_its_owner_opens(tmp_path: Path, lay: Lay, keys: Keys) -> None:
    folder, sent = tmp_path / "deep" / "outbox", letter()
    assert (await lay(folder).send(sent)).fate is Fate.SENT
    (file,) = folder.iterdir()
    assert file.name == f"{sent.id}.sealed"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600
    assert not any(word in file.read_bytes() for word in (b"Bonjour", b"eloise", b"Rappel"))
    ((found,), closed) = await laid(folder, keys)
    assert (found.id, found.to, found.subject, found.text, closed) == (sent.id, sent.to, "Rappel", "Bonjour\n", 0)
    assert found.at == sent.at and found.whole == compose(sent, "journeys@localhost")


async def test_one_letter_is_opened_by_its_id_and_no_other_is_looked_at(
    tmp_path: Path, lay: Lay, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = letter(body="mienne\n"), letter()
    for each in (mine, other):
        await lay(tmp_path / "outbox").send(each)
    (tmp_path / "secret.sealed").write_bytes((tmp_path / "outbox" / f"{mine.id}.sealed").read_bytes())

    def listing(*_: Any) -> Any:
        raise AssertionError("the whole folder is listed")

    monkeypatch.setattr("journeys.app.outbox.lying", listing)
    found = await opened(tmp_path / "outbox", keys, mine.id)
    assert found is not None and found.text == "mienne\n"
    for wrong in (mine.id[:13], str(uuid.uuid4()), "", "../secret", "."):
        assert await opened(tmp_path / "outbox", keys, wrong) is None, wrong
    assert await opened(tmp_path / "none", keys, mine.id) is None


async def test_a_folder_left_open_is_closed(tmp_path: Path, lay: Lay) -> None:
    tmp_path.chmod(0o755)
    await lay(tmp_path).send(letter())
    assert tmp_path.stat().st_mode & 0o777 == 0o700


async def test_the_same_id_is_laid_once(tmp_path: Path, lay: Lay, keys: Keys) -> None:
    outbox, id = lay(tmp_path), str(uuid.uuid4())
    await asyncio.gather(*(outbox.send(letter(id, "premier\n")) for _ in range(5)))
    await outbox.send(letter(id, "second\n"))
    assert [each.text for each in (await laid(tmp_path, keys))[0]] == ["premier\n"]


async def test_a_folder_that_cannot_be_is_nothing_left(tmp_path: Path, lay: Lay) -> None:
    (tmp_path / "file").write_text("")
    sent = await lay(tmp_path / "file" / "outbox").send(letter())
    assert (sent.fate, sent.reason) == (Fate.NOTHING_LEFT, "outbox-unwritable")


async def test_a_full_disk_leaves_no_half_letter(tmp_path: Path, lay: Lay, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("journeys.channels.outbox.os.fsync", full)
    assert (await lay(tmp_path).send(letter())).fate is Fate.NOTHING_LEFT
    assert list(tmp_path.iterdir()) == []


async def test_an_id_cannot_walk_out_of_the_folder(tmp_path: Path, lay: Lay) -> None:
    with pytest.raises(ValueError, match="UUID"):
        await lay(tmp_path / "outbox").send(letter("../out"))
    assert list(tmp_path.iterdir()) == []


async def test_a_bad_address_is_said_before_anything_is_written(tmp_path: Path, lay: Lay) -> None:
    sent = Letter(id=str(uuid.uuid4()), to="nobody", subject="", body="x", lang="fr", at=datetime.now(UTC))
    with pytest.raises(BadAddress):
        await lay(tmp_path / "outbox").send(sent)


async def test_what_tells_of_a_person_goes_with_their_key_and_nothing_more_is_laid(
    tmp_path: Path, lay: Lay, keys: Keys
) -> None:
    stream, person = f"journey-{uuid.uuid4()}", str(uuid.uuid4())
    await keys.assign(stream, person)
    await lay(tmp_path).send(letter(about=stream))
    await lay(tmp_path).send(letter())
    assert {each.key for each in (await laid(tmp_path, keys))[0]} == {person_key(person), "house"}
    await keys.destroy([person_key(person)])
    found, closed = await laid(tmp_path, keys)
    assert ([each.key for each in found], closed) == (["house"], 1)
    sent = await lay(tmp_path).send(letter(about=stream))
    assert (sent.fate, sent.reason) == (Fate.REFUSED, "person-forgotten")
    assert len(list(tmp_path.iterdir())) == 2


async def test_a_letter_is_of_the_journey_that_owed_it(life: Life) -> None:
    await life.reminded()
    told = [json.loads(each.header) for each in await read_all(life.pool, life.stream)]
    mine = next(each["data"]["message"] for each in told if each["kind"] == "MessageDue")
    asked = [mine, str(uuid.uuid4())]
    assert await journeys_of(life.pool, asked) == {mine: life.stream}
    assert await journeys_of(life.pool, asked, [life.person]) == {mine: life.stream}
    assert await journeys_of(life.pool, asked, [str(uuid.uuid4())]) == {}


async def test_letters_of_before_are_sealed_from_wherever_it_was_left(
    tmp_path: Path, life: Life, shared_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, owner = life.pool.keys, await asyncpg.connect(shared_database)
    await life.reminded()
    told = [json.loads(each.header) for each in await read_all(life.pool, life.stream)]
    mine = next(each["data"]["message"] for each in told if each["kind"] == "MessageDue")
    ids = [mine, *(str(uuid.uuid4()) for _ in range(3))]
    for id in ids:
        (tmp_path / f"{id}.eml").write_bytes(compose(letter(id), "journeys@localhost"))
    synced = rooms._sync

    def cut(folder: Path) -> None:
        synced(folder)
        if len(list(folder.glob("*.sealed"))) == 2:
            raise OSError("killed")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="killed"):
        patched.setattr(rooms, "_sync", cut)
        await seal_up_letters(tmp_path, keys, owner)
    assert len(list(tmp_path.glob("*.eml"))) == 3, "laid sealed before it goes"
    assert await seal_up_letters(tmp_path, keys, owner) == 3
    assert await seal_up_letters(tmp_path, keys, owner) == 0
    await owner.close()
    assert {file.suffix for file in tmp_path.iterdir()} == {".sealed"}
    found, closed = await laid(tmp_path, keys)
    assert sorted(each.id for each in found) == sorted(ids) and not closed
    of = {each.id: each.key for each in found}
    assert of.pop(ids[0]).startswith("person-") and set(of.values()) == {"house"}


async def test_a_letter_that_an_erasure_takes_meanwhile_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "gone.sealed").symlink_to(tmp_path / "taken")
    assert await LyingLetters(tmp_path).laid_before(datetime.now(UTC)) == 0
