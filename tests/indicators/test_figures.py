"""Which sums are told: none of few people, none from which such a sum follows by subtraction."""

from random import Random

import pytest

from journeys.app.figures import Words
from journeys.indicators.definitions import INDICATORS
from journeys.indicators.figures import LEAST, Cell, Count, Figures, Shown, guarded, table


def of(known: int, yes: int | None = None, young: int = 0) -> Count:
    yes = known if yes is None else yes
    return Count(yes=yes, no=known - yes, unknown=1, known=known, young=young)


def told(*known: int) -> Figures:
    """A total and groups a, b, c …, each of so many people."""
    groups = {"abcdefgh"[place]: of(each, young=3) for place, each in enumerate(known)}
    return guarded("x", of(sum(known)), groups)


F, N, W, B = Shown.FIGURE, Shown.NOBODY, Shown.FEW, Shown.HELD_BACK


@pytest.mark.parametrize(
    ("known", "total", "groups"),
    [
        ((), N, []),
        ((0, 0), N, [N, N]),
        ((5, 5), F, [F, F]),
        ((4,), W, [W]),
        ((4, 30), F, [W, B]),
        ((4, 30, 9), F, [W, F, B]),
        # Two groups of few people that make five together hide one another.
        ((4, 1, 9), F, [W, W, F]),
        ((2, 2, 9, 7), F, [W, W, F, B]),
        ((2, 1), W, [W, W]),
        ((4, 3), F, [W, W]),
        # Nobody is known of in the other group: the whole is the few.
        ((4, 0), W, [W, N]),
        ((1, 1, 1, 20), F, [W, W, W, B]),
    ],
)
def test_what_is_shown(known: tuple[int, ...], total: Shown, groups: list[Shown]) -> None:
    found = told(*known)
    assert (found.total.shown, [each.cell.shown for each in found.groups]) == (total, groups)


def test_when_groups_share_people_the_total_goes_rather_than_tell_a_few() -> None:
    """Somebody with two journeys is in two groups and once in the total."""
    found = guarded("x", of(5), {"a": of(4), "b": of(0)})
    assert (found.total.shown, found.total.count) == (Shown.HELD_BACK, Count())


def test_what_is_not_shown_has_no_figure_anywhere() -> None:
    found = told(4, 30, 9)
    for cell in (group.cell for group in found.groups if group.cell.shown is not Shown.FIGURE):
        assert cell.count == Count(young=3)
    assert told(0, 9).groups[0].cell.count == Count(unknown=1, young=3)


def subtracted(found: Figures, groups: dict[str | None, Count], total: Count) -> int | None:
    """How many people the total less the groups shown is about; None when nothing follows."""
    if found.total.shown is not Shown.FIGURE:
        return None
    shown = sum(groups[each.key].known for each in found.groups if each.cell.shown is Shown.FIGURE)
    return total.known - shown


def test_no_sum_of_few_people_follows_from_what_is_shown() -> None:
    draw, hidden = Random(8), 0
    for _ in range(3_000):
        groups: dict[str | None, Count] = {
            str(place): of(draw.choice([0, 1, 2, 3, 4, 5, 6, 9, 30])) for place in range(draw.randint(1, 7))
        }
        total = of(sum(count.known for count in groups.values()))
        found = guarded("x", total, groups)
        left = subtracted(found, groups, total)
        assert left is None or left == 0 or left >= LEAST, (groups, found)
        assert all(each.cell.count.known in (0, *range(LEAST, 31)) for each in found.groups)
        hidden += sum(each.cell.shown is Shown.HELD_BACK for each in found.groups)
    assert hidden > 500


def test_without_the_second_hiding_a_sum_of_few_would_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    from journeys.indicators import figures

    monkeypatch.setattr(figures, "_follows", lambda hidden, groups: False)
    groups: dict[str | None, Count] = {"a": of(4), "b": of(30)}
    assert subtracted(guarded("x", of(34), groups), groups, of(34)) == 4


def test_groups_stand_in_order_the_one_without_a_name_last() -> None:
    found = guarded("x", of(21), {None: of(7), "2027-03": of(7), "2027-01": of(7)})
    assert [each.key for each in found.groups] == ["2027-01", "2027-03", None]


def test_an_indicator_that_nobody_answers_is_told_as_such() -> None:
    [one] = table(["x"], {}, {})
    assert (one.total.shown, one.groups) == (Shown.NOBODY, ())
    assert of(8, 2).share == 0.25


def test_a_share_that_is_a_minimum_has_the_unknown_below() -> None:
    """Ten still there at six months, two of them back; ten that ended before, of which one return is known."""
    returns = Count(yes=3, no=8, unknown=9, known=11, least=True)
    assert (returns.among, returns.share) == (20, 0.15)
    assert Count(yes=3, no=8, unknown=9, known=11).share > 0.27
    cell = guarded("x", returns, {}).total
    code = next(each for each in INDICATORS if each.least)
    words = Words("fr", {})
    assert words.row("Ensemble", cell, code)[1:4] == ("3 sur 20", "au moins 15\N{NO-BREAK SPACE}%", "9")
    everybody = Cell(Shown.FIGURE, Count(yes=3, no=17, known=20, least=True))
    assert words.share(everybody) == "15\N{NO-BREAK SPACE}%", "of whom all is known there is no least"


def test_only_returns_to_custody_are_a_minimum() -> None:
    assert [each.code for each in INDICATORS if each.least] == ["custody-6-months"]
