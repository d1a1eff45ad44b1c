"""The letters of a machine without a mail server: sealed on the disk, opened for who posts them, each look noted."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from journeys.channels.letter import Letter, compose
from tests.app.conftest import Journeys, Up


def test_letters_of_before_are_sealed_by_migrate_and_opened_by_who_may(
    here: Journeys, started: Callable[..., str], up: Up, tmp_path: Path
) -> None:
    letter = Letter(id=str(uuid.uuid4()), to="eloise@example.org", subject="Rappel de samedi", body="À dix heures.\n",
                    lang="fr", at=datetime(2027, 5, 12, 8, tzinfo=UTC))  # fmt: skip
    folder, whole = up.data_dir / "outbox", compose(letter, "journeys@localhost")
    folder.mkdir(exist_ok=True)
    (folder / f"{letter.id}.eml").write_bytes(whole)
    done = here("migrate")
    assert done.code == 0 and "1 message(s) scellés" in done.out
    assert here("migrate", "--json").json["letters"] == 0
    assert not list(folder.glob("*.eml"))
    assert b"eloise" not in (folder / f"{letter.id}.sealed").read_bytes()

    listed = here("outbox", "list", "--json")
    assert {"id": letter.id, "at": "2027-05-12T08:00:00.000000Z", "to": letter.to, "subject": letter.subject} in (
        listed.json["letters"]
    )
    assert "Rappel de samedi" in here("outbox", "list").out
    shown = here("outbox", "show", letter.id[:13], "--as", "sam")
    assert shown.code == 0 and "À dix heures." in shown.out and "eloise@example.org" in shown.out
    file = tmp_path / "message.eml"
    assert here("outbox", "show", letter.id, "--to", str(file)).code == 0 and file.read_bytes() == whole
    assert here("outbox", "show", letter.id, "--to", str(file), "--json").error["code"] == "file-exists"
    looks = here("audit", "reads", "--json").json["reads"]
    assert [(each["who"], each["look"]) for each in looks if each["look"] == "letters"][1] == ("Sam R.", "letters")

    assert here("outbox", "show", letter.id, "--as", "aline", "--json").error["code"] == "no-right"
    assert here("outbox", "show", "nothing", "--json").error["code"] == "no-letter"
    sealed = folder / f"{letter.id}.sealed"
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"!")
    assert here("outbox", "show", letter.id).code == 3 and here("outbox", "list", "--json").json["unreadable"] == 1
    (folder / f"{letter.id}.sealed").write_bytes(b"")
    assert here("outbox", "list", "--json").json["unreadable"] == 1
    sealed.unlink()
