"""Cohorts by hand: places and a waiting list, a day moved for all, and what is refused."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.days import paris_today

from .conftest import Journeys

TODAY = paris_today()
JURY, OPENING, LATER = ((TODAY + timedelta(days=n)).isoformat() for n in (40, 80, 50))
OPENS = ("--date", f"opening={OPENING}")
AS_SAM, AS_ALINE = ("--as", "sam"), ("--as", "aline")


@pytest.fixture
def promotion(here: Journeys) -> str:
    """A cohort of one place, by name."""
    name = f"Promotion {uuid.uuid4().hex[:6]}"
    done = here("cohort", "open", name, "-p", "actice", "--places", "1", "--date", f"jury={JURY}",
                "--date", f"opening={OPENING}", *AS_SAM, "--json")  # fmt: skip
    assert done.code == 0, done.out + done.err
    return name


def test_a_cohort_by_hand(here: Journeys, started: Callable[..., str], promotion: str) -> None:
    first, second = started("--cohort", promotion, programme="actice"), started(*OPENS, programme="actice")
    twice = here("cohort", "join", promotion, first, *AS_ALINE, "--json")
    assert twice.error["code"] == "cohort-joined"
    assert here("cohort", "leave", promotion, first, *AS_ALINE).code == 0
    assert here("cohort", "join", promotion, first, *AS_ALINE, "--json").json["told"] == 0
    waits = here("cohort", "join", promotion, second, *AS_ALINE)
    assert waits.code == 0 and "est complète" in waits.out and "rang 1" in waits.out
    (listed,) = [row for row in here("cohort", "list", "--json").json["cohorts"] if row["name"] == promotion]
    assert (listed["places"], listed["taken"], listed["waiting"]) == (1, 1, 1)

    foreseen = here("cohort", "move-date", promotion, "jury", "--to", LATER, "--json").json
    assert (foreseen["applied"], foreseen["before"], foreseen["journeys"]) == (False, JURY, [first])
    moved = here("cohort", "move-date", promotion, "jury", "--to", LATER, "--apply", *AS_SAM, "--json").json
    assert (moved["applied"], moved["told"], moved["waiting"], moved["refused"]) == (True, 1, 0, {})
    (inside, _) = here("cohort", "show", promotion, "--json").json["journeys"]
    assert (inside["journey"], inside["own_days"]) == (first, {}), "the journey has the cohort's days"

    left = here("cohort", "leave", promotion, first, *AS_ALINE)
    assert left.code == 0 and "a maintenant une place" in left.out
    shown = here("cohort", "show", promotion)
    assert "places prises 1 sur 1" in shown.out and "a une place" in shown.out and first not in shown.out
    assert here("cohort", "places", promotion, "2", *AS_SAM).code == 0
    here("cohort", "join", promotion, first, *AS_ALINE)
    few = here("cohort", "places", promotion, "1", *AS_SAM, "--json")
    assert (few.code, few.error["code"], few.error["details"]["taken"]) == (4, "places-taken", 2)
    assert here("rebuild", "--json").json["cohorts"] >= 1
    assert here("cohort", "close", promotion, *AS_SAM).code == 0
    assert here("audit", "verify", second, "--strict").code == 0


def test_what_is_refused_says_so_and_changes_nothing(
    here: Journeys, started: Callable[..., str], promotion: str
) -> None:
    inside, outside = started(*OPENS, programme="actice"), started()
    assert here("cohort", "join", promotion, inside, *AS_ALINE).code == 0
    for programme, code in (("auxilia", "other-programme"), ("actice", "unknown-cohort")):
        wanted = promotion if programme == "auxilia" else "nulle part"
        said = here("start", "-p", programme, "--person", "Essai Refus", "--cohort", wanted, *AS_ALINE, "--json")
        assert said.error["code"] == code
    assert not here("person", "list", "Essai Refus", "--json").json["people"], "nobody is registered for it"
    for words, code, exit in (
        (("move-date", promotion, "jury", "--to", "2020-01-01", "--apply", *AS_SAM), "shared-date-past", 4),
        (("move-date", promotion, "opening", "--to", TODAY.isoformat(), *AS_SAM), "dates-out-of-order", 4),
        (("move-date", promotion, "jury", "--to", LATER, "--apply", *AS_ALINE), "no-right", 4),
        (("places", promotion, "0", *AS_SAM), "places-impossible", 4),
        (("join", promotion, inside, *AS_ALINE), "cohort-joined", 4),
        (("join", promotion, inside, "--as", "fin"), "no-right", 4),
        (("join", promotion, outside, *AS_ALINE), "other-programme", 4),
        (("leave", promotion, outside, *AS_ALINE), "not-in-cohort", 4),
        (("show", "nulle part"), "unknown-cohort", 3),
        (("open", promotion, "-p", "actice", "--places", "3", *AS_SAM), "taken", 5),
        (("open", "Autre", "-p", "auxilia", "--places", "3", *AS_SAM), "no-shared-date", 4),
        (("open", "Autre", "-p", "actice", "--places", "3", "--date", "jury", *AS_SAM), "not-a-named-date", 2),
    ):
        said = here("cohort", *words, "--json")
        assert (said.code, said.error["code"]) == (exit, code), words
    told = here("cohort", "move-date", promotion, "jury", "--to", "2020-01-01", "--apply", *AS_SAM)
    assert "déjà passé" in told.err and "pour personne" in told.err
    (row,) = [row for row in here("cohort", "list", "--json").json["cohorts"] if row["name"] == promotion]
    assert (row["dates"]["jury"], row["taken"], row["places"]) == (JURY, 1, 1)
