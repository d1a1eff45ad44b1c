"""Mentors and partners are proposed best first, each with the reasons; those who cannot be, with what is against them.

The life from which it is known who was asked, declined or let the time pass is played, not made up.
"""

from typing import Any

import pytest

from journeys.domain import commands as c
from journeys.domain.proposing import (
    Before,
    Ground,
    House,
    Ranked,
    Sought,
    Volunteer,
    mentors,
    partners,
    tried,
    wordlist,
)
from tests.domain.given import MENTOR, OTHER_MENTOR, PARTNER, by, released

G = Ground
HERE = Sought(place="Nanterre", site="nanterre", languages=("arabe",), interests=("football", "cuisine"))


def volunteer(id: str, capacity: int = 3, accompanies: int = 0, **known: Any) -> Volunteer:
    return Volunteer(id=id, name=id, capacity=capacity, accompanies=accompanies, **known)


def house(id: str, *purposes: str, **known: Any) -> House:
    return House(id=id, name=id, purposes=purposes or ("housing",), **known)


def grounds(one: Ranked) -> list[Ground]:
    return [reason.ground for reason in one.reasons]


def test_language_comes_before_place_before_interests_before_room() -> None:
    found = mentors(
        HERE,
        [
            volunteer("busy", accompanies=2),
            volunteer("free"),
            volunteer("cook", interests=("Cuisine",), accompanies=2),
            volunteer("site", site="nanterre", accompanies=2),
            volunteer("town", place="NANTERRE", site="nanterre", accompanies=2),
            volunteer("speaks", languages=("français", "Arabe"), accompanies=2),
            volunteer("all", languages=("arabe",), place="Nanterre", interests=("football", "cuisine"), accompanies=2),
        ],
        Before(),
    )
    assert [each.id for each in found] == ["all", "speaks", "town", "site", "cook", "free", "busy"]
    assert grounds(found[0]) == [G.LANGUAGE, G.PLACE, G.INTERESTS, G.LOAD]
    assert found[0].reasons[2].words == ("football", "cuisine")
    assert (found[0].reasons[3].count, found[0].reasons[3].most) == (2, 3)


def test_who_cannot_be_proposed_comes_last_and_says_why() -> None:
    before = Before(asked={"asked"}, declined={"declined"}, former={"former"})
    found = mentors(
        HERE,
        [
            volunteer("full", 1, 1, languages=("arabe",)), volunteer("away", available=False, place="Nanterre"),
            volunteer("none", 0), volunteer("declined"), volunteer("asked"), volunteer("former", languages=("arabe",)),
            volunteer("other", languages=("wolof",)), volunteer("plain"),
        ],
        before,
    )  # fmt: skip
    assert [each.id for each in found if each.proposed] == ["plain", "other", "former"]
    assert {each.id: grounds(each)[0] for each in found if not each.proposed} == {
        "full": G.FULL, "away": G.AWAY, "none": G.FULL, "declined": G.DECLINED, "asked": G.ASKED,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wished", "spoken", "ground"),
    [
        (("français", "arabe"), ("arabe",), G.LANGUAGE),
        (("français", "arabe"), ("anglais",), None),
        (("arabe",), ("français",), G.NO_LANGUAGE),
        (("arabe",), (), None),
        (("français",), ("français",), None),
        ((), ("arabe",), None),
    ],
)
def test_what_everybody_speaks_is_no_reason(
    wished: tuple[str, ...], spoken: tuple[str, ...], ground: Ground | None
) -> None:
    [one] = mentors(Sought(languages=wished), [volunteer("a", languages=spoken)], Before())
    assert [each for each in grounds(one) if each in (G.LANGUAGE, G.NO_LANGUAGE)] == ([ground] if ground else [])


def test_partners_of_the_purpose_with_places_come_first_and_the_one_that_declined_does_not() -> None:
    before = Before(
        referrals={
            ("declined", "housing"): G.DECLINED, ("silent", "housing"): G.SILENT, ("asked", "housing"): G.ASKED,
            ("good", "training"): G.DECLINED,
        }
    )  # fmt: skip
    found = partners(
        HERE, "housing",
        [
            house("full", places=2, taken=3), house("declined"), house("asked"), house("silent", place="Nanterre"),
            house("few", places=3, taken=2), house("many", places=9), house("uncounted"), house("jobs", "employer"),
            house("good", "training", "Housing", place="nanterre", places=1),
        ],
        before, frozenset({"many/housing"}),
    )  # fmt: skip
    assert [each.id for each in found if each.proposed] == ["good", "many", "few", "uncounted", "silent"]
    assert grounds(found[1]) == [G.PLACES, G.CONSENT]
    assert {each.id: grounds(each)[0] for each in found if not each.proposed} == {
        "full": G.FULL, "declined": G.DECLINED, "asked": G.ASKED, "jobs": G.ELSEWHERE,
    }  # fmt: skip
    assert [each.proposed for each in partners(HERE, None, [house("declined")], before, frozenset())] == [True]


def test_what_was_tried_is_read_off_the_life() -> None:
    life = released().when("2027-03-02", c.ProposeMentor(mentor=MENTOR))
    assert tried(life.events).asked == {MENTOR}
    life.when("2027-03-03", by(MENTOR, c.DeclineMentor(mentor=MENTOR)))
    life.when("2027-03-04", c.ProposeMentor(mentor=OTHER_MENTOR))
    life.when("2027-03-05", c.MatchMentor(mentor=OTHER_MENTOR))
    life.when("2027-03-08", by(life.state.referent, c.EndMentor(), reason="départ"))
    before = tried(life.events)
    assert (before.asked, before.declined, before.former) == (set(), {MENTOR}, {OTHER_MENTOR})

    life.when("2027-03-09", c.SendReferral(partner=PARTNER, purpose="housing"))
    key = (PARTNER, "housing")
    assert tried(life.events).referrals == {key: G.ASKED}
    life.when("2027-06-09 10:00")
    assert tried(life.events).referrals == {key: G.SILENT}
    life.when("2027-06-09 10:01", c.SendReferral(partner=PARTNER, purpose="housing"))
    life.when("2027-06-09 10:02", by(PARTNER, c.DeclineReferral(referral=life.referral), reason="complet"))
    assert tried(life.events).referrals == {key: G.DECLINED}


def test_words_are_read_as_people_write_them() -> None:
    assert wordlist(" arabe, Anglais ; wolof/peul\n") == ("arabe", "Anglais", "wolof", "peul")
    assert wordlist(None) == ()
