"""`journeys link`: what may be answered without an account, and the address to do so, told once."""

import os
import re
from collections.abc import Callable

from .conftest import Journeys


def test_a_link_is_made_replaced_and_taken_back(here: Journeys, started: Callable[..., str]) -> None:
    id, name = started(), f"Jeanne {os.urandom(4).hex()}"
    assert here("mentor", "add", name).code == 0
    (choice,) = here("link", id, "--json").json["links"]
    assert (choice["role"], choice["for"], choice["subject"]) == ("participant", "messages", "stop")
    assert here("do", id, "propose-mentor", "--mentor", name, "--as", "aline").code == 0
    waiting, _ = here("link", id, "--json").json["links"]
    assert (waiting["role"], waiting["for"], waiting["given"]) == ("mentor", "proposal", None)
    without = here("link", id, "--to", name, "--as", "aline", "--json")
    assert (without.code, without.error["field"]) == (2, "JOURNEYS_PUBLIC_URL")
    base = {"JOURNEYS_PUBLIC_URL": "https://parcours.example.org"}
    assert here("link", id, "--to", name, **base).code == 2, "somebody gives it"
    assert here("link", id, "--to", name, "--as", "bob", **base).code == 4, "bob does not lead this journey"
    assert here("link", id, "--to", "Personne", "--as", "aline", **base).code == 3
    made = here("link", id, "--to", name, "--as", "aline", **base)
    assert made.code == 0 and re.search(r"^https://parcours\.example\.org/lien/[\w-]{48}$", made.out, re.MULTILINE)
    assert here("link", id, "--json").json["links"][0]["given"] is not None
    assert here("link", id, "--to", name, "--revoke", "--as", "aline").out == "Retiré.\n"
    assert here("link", id, "--json").json["links"][0]["given"] is None
