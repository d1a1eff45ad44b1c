"""`journeys staff token`, `login`, `logout`: what is made, kept, taken away, and as whom one acts."""

import stat
from collections.abc import Callable
from typing import Any

import pytest

from tests.app.conftest import Journeys, Up


@pytest.fixture
def out(here: Journeys) -> Any:
    yield here
    here("logout")


def made(here: Journeys, handle: str, name: str = "essai") -> str:
    said = here("staff", "token", "add", handle, "--name", name, "--json")
    assert said.code == 0, said.out
    token: str = said.json["token"]["token"]
    return token


def test_a_token_is_listed_and_revoked_by_its_name(out: Journeys) -> None:
    token = made(out, "bob", "tableau de bord")
    assert token.startswith("journeys_")
    listed = out("staff", "token", "list", "bob", "--json")
    assert token not in listed.out and next(each["name"] for each in listed.json["tokens"]) == "tableau de bord"
    assert out("staff", "token", "revoke", "bob", "tableau de bord", "--json").code == 0
    assert out("login", "--stdin", "--json", stdin=token + "\n").error["code"] == "token-ended"
    assert out("staff", "token", "revoke", "bob", "tableau de bord", "--json").code == 3
    assert out("staff", "token", "add", "bob", "--name", " ", "--json").code == 2


def test_after_login_one_acts_as_the_person_whose_token_it_is(
    out: Journeys, up: Up, started: Callable[..., str]
) -> None:
    id, of_bob, of_sam = started(), made(out, "bob"), made(out, "sam")
    assert out("do", id, "add-note", "--text", "x", "--json").error["code"] == "who"
    assert out("login", "--stdin", "--json", stdin=of_bob + "\n").json["staff"]["handle"] == "bob"
    kept = up.data_dir / "login.token"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert out("do", id, "add-note", "--text", "x", "--json").error["code"] == "no-right", "bob does not lead it"
    assert out("do", id, "add-note", "--text", "x", "--as", "aline", "--json").code == 0
    assert out("login", "--stdin", "--json", stdin=of_sam + "\n").code == 0
    assert out("do", id, "add-note", "--text", "x", "--json").code == 0
    assert out("staff", "token", "revoke", "sam", "essai", "--json").error["code"] == "no-right", "sam keeps no staff"
    assert out("logout", "--json").json == {"forgotten": True}
    assert out("staff", "token", "revoke", "sam", "essai", "--json").code == 0
    kept.write_text(of_sam)
    assert out("do", id, "add-note", "--text", "x", "--json").error["code"] == "token-ended"
    assert out("logout", "--json").json == {"forgotten": True}
    assert not kept.exists() and out("logout", "--json").json == {"forgotten": False}


@pytest.mark.parametrize("token", ["", "journeys_x", "é", "\x00"])
def test_what_is_no_token_is_not_kept(out: Journeys, up: Up, token: str) -> None:
    said = out("login", "--stdin", "--json", stdin=token + "\n")
    assert (said.code, said.error["code"]) == (4, "token-ended")
    assert not (up.data_dir / "login.token").exists()
