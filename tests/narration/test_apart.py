"""Two programmes side by side: what is new, gone and otherwise, in words and never in codes."""

import pytest

from journeys.domain.handbook import Handbook
from journeys.narration.apart import Apart, apart
from tests.domain.given import house
from tests.domain.rules import other, without


def told(before: Handbook, after: Handbook, lang: str = "fr") -> list[Apart]:
    return apart(before, after, lang)


def test_a_programme_says_the_same_as_itself() -> None:
    assert told(house(), house()) == []
    assert told(house(), other(("label: visite", "label: visite"))) == []


def test_what_is_gone_and_what_is_new_is_named_by_its_label() -> None:
    assert told(house(), without("visit:")) == [Apart("Étapes", "Visite", "gone")]
    [new] = told(without("visit:"), house())
    assert (new.name, new.how) == ("Visite", "new")
    assert "6 semaines après «\u00a0levée d’écrou\u00a0»" in new.after


@pytest.mark.parametrize(
    ("edit", "section", "facet", "before", "after"),
    [
        (("due: 6 weeks after release", "due: 8 weeks after release"), "Étapes", "échéance",
         "6 semaines après «\u00a0levée d’écrou\u00a0»", "8 semaines après «\u00a0levée d’écrou\u00a0»"),
        (("cap: 1200 EUR", "cap: 900 EUR"), "Aides", "plafond", "1\u202f200,00\u00a0€", "900,00\u00a0€"),
        (("{up_to: 300 EUR, approvals: [supervisor]}, ", ""), "Aides", "accords", None, None),
        (("review: 1 month", "review: 2 weeks"), "Programme", "point régulier", "1 mois", "2 semaines"),
        (("supervisor, after: 3 working days", "supervisor, after: 5 working days"), "Alertes", "paliers", None, None),
        (("every 1 week until 1 month", "every 2 weeks until 1 month"), "Suivis", "rythme", None, None),
        (("settle: 7 days", "settle: 9 days"), "Mesures", "noté après", "7 jours", "9 jours"),
    ],
)  # fmt: skip
def test_what_is_said_otherwise_is_told_with_both_sides(
    edit: tuple[str, str], section: str, facet: str, before: str | None, after: str | None
) -> None:
    [one] = told(house(), other(edit))
    assert (one.section, one.facet, one.how) == (section, facet, "otherwise")
    assert one.before != one.after
    assert before is None or (one.before, one.after) == (before, after)


def test_it_is_told_in_english_as_well() -> None:
    [one] = told(house(), other(("review: 1 month", "review: 2 weeks")), "en")
    assert (one.section, one.facet, one.before, one.after) == ("Programme", "regular review", "1 month", "2 weeks")
