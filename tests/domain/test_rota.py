"""The rota: who answers now, by day and by night, and where nobody does."""

from dataclasses import replace
from datetime import datetime

import pytest

from journeys.domain.directory import Holder
from journeys.domain.recipients import DESK, Circle, resolve
from journeys.domain.rota import Gap, Shift, gaps, on_call, uncovered
from tests.domain.given import paris

NOOR, SAM, PEER = "noor", "sam", "peer"


def shift(who: str, begins: str, ends: str, role: str = "night", site: str | None = None) -> Shift:
    return Shift(f"{who}/{begins}", role, site, who, paris(begins), paris(ends))


WEEK = (
    shift(NOOR, "2027-03-01 20:00", "2027-03-02 08:00"),
    shift(SAM, "2027-03-02 08:00", "2027-03-02 20:00"),
    shift(PEER, "2027-03-02 21:00", "2027-03-03 08:00"),
    shift(SAM, "2027-03-01 20:00", "2027-03-02 08:00", site="brive"),
)


@pytest.mark.parametrize(
    ("at", "site", "expected"),
    [
        ("2027-03-01 19:59", None, ()),
        ("2027-03-01 20:00", "lyon", ((NOOR,),)),
        ("2027-03-02 07:59", "lyon", ((NOOR,),)),
        ("2027-03-02 08:00", "lyon", ((SAM,),)),
        ("2027-03-01 22:00", "brive", ((SAM,), (NOOR,))),
        ("2027-03-02 20:30", "brive", ()),
        ("2027-03-03 02:00", None, ((PEER,),)),
    ],
)
def test_who_is_on_call(at: str, site: str | None, expected: tuple[tuple[str, ...], ...]) -> None:
    assert on_call(WEEK, site, paris(at)).get("night", ()) == expected


def test_gaps_are_what_no_shift_covers() -> None:
    begins, ends = paris("2027-03-01 18:00"), paris("2027-03-03 12:00")
    own = [each for each in WEEK if each.site is None]
    assert gaps(own, begins, ends) == [
        Gap(begins, paris("2027-03-01 20:00")),
        Gap(paris("2027-03-02 20:00"), paris("2027-03-02 21:00")),
        Gap(paris("2027-03-03 08:00"), ends),
    ]
    assert gaps([], begins, ends) == [Gap(begins, ends)]
    assert gaps([shift(NOOR, "2027-02-01 08:00", "2027-04-01 08:00")], begins, ends) == []
    overlapping = [*own, shift(NOOR, "2027-03-01 08:00", "2027-03-04 08:00")]
    assert gaps(overlapping, begins, ends) == []


def test_what_is_kept_for_every_site_covers_each() -> None:
    begins, ends = paris("2027-03-02 00:00"), paris("2027-03-02 20:00")
    kept = {("night", None), ("night", "brive")}
    assert uncovered(WEEK, kept, begins, ends) == {}
    gone = [each for each in WEEK if each.site is None]
    assert uncovered(gone, kept, begins, ends) == {}, "nobody is there at Brive: those of every site are told"
    alone = {("night", "brive"): [Gap(paris("2027-03-02 08:00"), ends)]}
    assert uncovered(WEEK[3:], {("night", "brive")}, begins, ends) == alone
    assert uncovered([], {("night", "brive")}, begins, ends) == {("night", "brive"): [Gap(begins, ends)]}


def circle(
    at: str, *, desk: bool = True, absent: frozenset[str] = frozenset(), site: str = "lyon", deputy: str | None = "dee"
) -> Circle:
    when: datetime = paris(at)
    return Circle(
        referent="referent", site=site, desk=desk, lines={"night": "duty"}, on_call=on_call(WEEK, site, when),
        roster=(
            Holder(NOOR, frozenset({"referent"}), frozenset(), absent=NOOR in absent, deputy=deputy),
            Holder("dee", frozenset({"duty"}), frozenset()),
            Holder(SAM, frozenset(), frozenset(), absent=SAM in absent, deputy=None),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "absent", "expected"),
    [
        ("2027-03-01 23:00", frozenset(), (NOOR,)),
        ("2027-03-01 23:00", frozenset({NOOR}), ("dee",)),  # her deputy, though she holds no role of the rota
        ("2027-03-02 10:00", frozenset(), (SAM,)),
        ("2027-03-02 20:30", frozenset(), ("dee",)),  # a gap: whoever is on duty
        ("2027-03-03 03:00", frozenset(), (PEER,)),  # a mentor is nobody of the staff
    ],
)
def test_who_is_told_at_that_moment(at: str, absent: frozenset[str], expected: tuple[str, ...]) -> None:
    assert resolve("night", (), circle(at, absent=absent)).people == expected


@pytest.mark.parametrize(
    ("absent", "deputy", "expected"),
    [
        (frozenset(), None, (SAM,)),
        (frozenset({SAM}), None, (NOOR,)),  # hers is for every site, and she is there
        (frozenset({SAM, NOOR}), "dee", ("dee",)),
        (frozenset({SAM, NOOR}), None, (DESK,)),  # nobody is on call, nor on duty
        (frozenset({NOOR}), None, (SAM,)),
    ],
)
def test_where_nobody_of_the_site_is_there_those_of_every_site_are_told(
    absent: frozenset[str], deputy: str | None, expected: tuple[str, ...]
) -> None:
    around = circle("2027-03-02 02:00", absent=absent, site="brive", deputy=deputy)
    nobody_on_duty = tuple(replace(each, roles=frozenset({"referent"})) for each in around.roster)
    assert resolve("night", (), replace(around, roster=nobody_on_duty)).people == expected


def test_in_a_gap_the_last_resort_is_never_vacant() -> None:
    around = circle("2027-03-02 20:30")
    nobody = Circle(referent="referent", site=None, roster=(), desk=True, lines=around.lines, on_call=around.on_call)
    assert resolve("night", (), nobody).people == (DESK,)
