"""`journeys webhook` before a real stack: who may, what is refused, the secret shown once, what becomes of it."""

import time
from collections.abc import Callable, Iterator

import pytest

from journeys.domain.announcements import TYPES
from tests.webhooks import Receiver, receiving

from .conftest import Journeys, Said

EVENT = ["--event", "journey.note_added"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as known:
        yield known


@pytest.fixture
def hooks(here: Journeys, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Journeys:
    """The command line where this receiver may be told; the workers of the stack may tell nobody."""
    monkeypatch.setenv("JOURNEYS_WEBHOOK_HOSTS", receiver.host)
    return here


def listed(hooks: Journeys, id: str) -> dict[str, object]:
    found: list[dict[str, object]] = hooks("webhook", "list", "--json").json["webhooks"]
    return next(each for each in found if each["id"] == id)


@pytest.mark.parametrize(
    ("words", "code", "name", "field"),
    [
        (["add"], 2, "missing", "URL"),
        (["add", "{url}"], 2, "no-event", "--event"),
        (["add", "{url}", "--event", "journey.note_aded"], 3, "unknown-event", "--event"),
        (["add", "{url}", "--event", "NoteAdded"], 3, "unknown-event", "--event"),
        (["add", "crm.example.org", *EVENT], 2, "not-a-url", "URL"),
        (["add", "https://a:b@crm.example.org/", *EVENT], 2, "not-a-url", "URL"),
        (["add", "http://crm.example.org/", *EVENT], 2, "not-https", "URL"),
        (["add", "https://crm.example.org/", *EVENT], 4, "host-not-allowed", "URL"),
        (["add", "http://127.0.0.1:1/", *EVENT], 4, "host-not-allowed", "URL"),
        (["end", "nobody"], 3, "unknown-webhook", "ABONNEMENT"),
        (["rotate", "00000000-0000-0000-0000-000000000000"], 3, "unknown-webhook", "ABONNEMENT"),
        (["resume"], 2, "missing", "ABONNEMENT"),
    ],
)
def test_what_is_typed_wrongly_changes_nothing(
    hooks: Journeys, receiver: Receiver, words: list[str], code: int, name: str, field: str
) -> None:
    before = hooks("webhook", "list", "--json").json
    said = hooks("webhook", *(word.format(url=receiver.url) for word in words), "--json")
    assert (said.code, said.error["code"] if name != "missing" else name, said.error["field"]) == (code, name, field), (
        said.out
    )
    assert said.error["message"]
    assert hooks("webhook", "list", "--json").json == before


def test_the_life_of_a_webhook(
    hooks: Journeys, receiver: Receiver, started: Callable[..., str], process: Callable[..., Said]
) -> None:
    made = hooks("webhook", "add", receiver.url, *EVENT, "--event", "journey.milestone_reached", "--json")
    assert made.code == 0, made.out
    id, secret = made.json["webhook"]["id"], made.json["secret"]
    assert secret.startswith("whsec_") and made.json["webhook"]["state"] == "active"
    assert made.json["webhook"]["events"] == ["journey.note_added", "journey.milestone_reached"]

    # The workers of this stack may tell nobody: what happens is kept, and the trouble is said.
    journey = started()
    assert hooks("do", journey, "add-note", "--text", "x", "--as", "aline").code == 0
    until = time.monotonic() + 20
    while listed(hooks, id)["trouble"] is None and time.monotonic() < until:
        time.sleep(0.2)
    assert listed(hooks, id)["trouble"] == "host-not-allowed"
    assert receiver.got == []
    doctor = hooks("doctor", "--json").json
    assert any(check["name"] == "webhooks" and "host-not-allowed" in check["found"] for check in doctor["checks"])

    rotated = hooks("webhook", "rotate", id[:13], "--json")
    assert rotated.code == 0 and rotated.json["secret"] != secret
    assert rotated.json["webhook"]["former_secret_until"]
    shown = hooks("webhook", "list")
    assert receiver.url in shown.out and "whsec_" not in shown.out
    again = hooks("webhook", "redeliver", receiver.url, journey, "--from", "2", "--json")
    assert again.code == 0, again.out
    assert hooks("webhook", "redeliver", id, journey, "--from", "0").code == 2
    assert hooks("webhook", "redeliver", id, "nobody at all").code == 3
    assert hooks("webhook", "resume", id).code == 0

    ended = hooks("webhook", "end", id, "--json")
    assert ended.code == 0 and ended.json["webhook"]["state"] == "ended"
    for word in ("end", "rotate", "resume"):
        assert hooks("webhook", word, id).code == 3, "an ended one is over"


def test_there_is_an_end_to_how_many(hooks: Journeys, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journeys.app.cli.webhooks.MOST_ACTIVE", 0)
    said = hooks("webhook", "add", receiver.url, *EVENT, "--json")
    assert (said.code, said.error["code"]) == (4, "too-many")


def test_only_an_administrator_once_there_is_one(hooks: Journeys, receiver: Receiver, up: object) -> None:
    assert hooks("staff", "add", "hadmin", "--name", "Hadès M.", "--role", "administrator").code == 0
    try:
        for words in (["add", receiver.url, *EVENT], ["list"]):
            said = hooks("webhook", *words, "--as", "aline", "--json")
            assert (said.code, said.error["code"]) == (4, "no-right")
            assert hooks("webhook", *words).code == 2
        made = hooks("webhook", "add", receiver.url, *EVENT, "--as", "hadmin", "--json")
        assert made.code == 0
        assert hooks("webhook", "end", made.json["webhook"]["id"], "--as", "hadmin").code == 0
    finally:
        assert hooks("staff", "change", "hadmin", "--left", "--as", "hadmin").code == 0


def test_the_types_are_listed(journeys: Journeys) -> None:
    assert journeys("webhook", "events").out.split() == list(TYPES)
    assert journeys("webhook", "events", "--json").json == {"events": list(TYPES)}
