"""The outbox of one machine: complete files that only their owner reads, each message once."""

import asyncio
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from journeys.channels.letter import BadAddress, Fate, Letter
from journeys.channels.outbox import FileOutbox


def letter(id: str | None = None, body: str = "Bonjour\n") -> Letter:
    return Letter(
        id=id or str(uuid.uuid4()), to="eloise@example.org", subject="Rappel", body=body, lang="fr",
        at=datetime(2027, 5, 12, tzinfo=UTC),
    )  # fmt: skip


async def test_a_letter_lies_in_a_folder_that_only_its_owner_opens(tmp_path: Path) -> None:
    folder, sent = tmp_path / "deep" / "outbox", letter()
    assert (await FileOutbox(folder).send(sent)).fate is Fate.SENT
    (file,) = folder.iterdir()
    assert file.name == f"{sent.id}.eml"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"Bonjour" in file.read_bytes()


async def test_a_folder_left_open_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    await FileOutbox(tmp_path).send(letter())
    assert tmp_path.stat().st_mode & 0o777 == 0o700


async def test_the_same_id_is_laid_once(tmp_path: Path) -> None:
    outbox, id = FileOutbox(tmp_path), str(uuid.uuid4())
    await asyncio.gather(*(outbox.send(letter(id, "premier\n")) for _ in range(5)))
    await outbox.send(letter(id, "second\n"))
    (file,) = tmp_path.iterdir()
    assert b"premier" in file.read_bytes()


async def test_a_folder_that_cannot_be_is_nothing_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sent = await FileOutbox(tmp_path / "file" / "outbox").send(letter())
    assert (sent.fate, sent.reason) == (Fate.NOTHING_LEFT, "outbox-unwritable")


async def test_a_full_disk_leaves_no_half_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("journeys.channels.outbox.os.fsync", full)
    assert (await FileOutbox(tmp_path).send(letter())).fate is Fate.NOTHING_LEFT
    assert list(tmp_path.iterdir()) == []


async def test_an_id_cannot_walk_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="UUID"):
        await FileOutbox(tmp_path / "outbox").send(letter("../out"))
    assert list(tmp_path.iterdir()) == []


async def test_a_bad_address_is_said_before_anything_is_written(tmp_path: Path) -> None:
    sent = Letter(id=str(uuid.uuid4()), to="nobody", subject="", body="x", lang="fr", at=datetime.now(UTC))
    with pytest.raises(BadAddress):
        await FileOutbox(tmp_path / "outbox").send(sent)
