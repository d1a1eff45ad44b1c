"""The imaginary bank: it reads our file, and what it writes is read back, fate by fate."""

import importlib.util
import io
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyiso20022
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiso20022.camt import camt_053_001_08, camt_054_001_08
from pyiso20022.pain import pain_002_001_10
from xsdata.formats.dataclass.parsers import XmlParser

from journeys.channels.sepa.transfers import render
from journeys.domain.banking import Line, StatementHead
from journeys.local.bank_files import Fate, Plan, advice, report, returns, statement
from tests.sepa.made import batch, lines, read, reports, transfer

AT = datetime(2027, 1, 5, 9, tzinfo=UTC)
DAY = date(2027, 1, 5)
FATES = tuple(Fate)
TRANSFERS = tuple(transfer(number, 1000 + number) for number in range(len(FATES)))
CONTENT = render(batch(*TRANSFERS))
BY_FATE = dict(zip(FATES, TRANSFERS, strict=True))
PLAN = Plan({each.reference: fate for fate, each in BY_FATE.items()})


def test_every_fate_is_answered_as_it_is_meant() -> None:
    said = {each.reference: (each.answer, each.reason) for each in reports(report(CONTENT, PLAN, AT))}
    answers = {fate: said.get(each.reference) for fate, each in BY_FATE.items()}
    accepted = ("accepted", None)
    assert answers == {
        Fate.SETTLE: accepted, Fate.ACCEPT: accepted, Fate.REJECT: ("rejected", "AC04"), Fate.RETURN: accepted,
        Fate.SILENCE: None, Fate.CLOSE: ("close", None), Fate.NO_MATCH: ("no-match", None),
        Fate.UNCHECKED: ("unchecked", None), Fate.DOUBLE: accepted, Fate.SHORT: accepted,
    }  # fmt: skip


def test_every_fate_is_booked_as_it_is_meant() -> None:
    booked = Counter((each.reference, each.cents) for each in lines(statement([CONTENT], PLAN, DAY, opening=5000)))
    expected = {
        (BY_FATE[Fate.SETTLE].reference, -1000): 1,
        (BY_FATE[Fate.RETURN].reference, -1003): 1,
        (BY_FATE[Fate.DOUBLE].reference, -1008): 2,
        (BY_FATE[Fate.SHORT].reference, -1008): 1,
    }
    assert booked == expected
    for content in (returns([CONTENT], PLAN, DAY, opening=0), advice([CONTENT], PLAN, DAY)):
        (back,) = lines(content)
        assert (back.reference, back.cents, back.returned, back.reason, back.iban) == (
            BY_FATE[Fate.RETURN].reference, 1003, True, "AC04", TRANSFERS[0].iban,
        )  # fmt: skip


@pytest.mark.parametrize("level", ["file", "batch"])
def test_everything_refused_at_once(level: Any) -> None:
    plan = Plan(whole=level, reason="DU01")
    last = reports(report(CONTENT, plan, AT))[-1]
    assert (last.level, last.answer, last.reason, last.message) == (level, "rejected", "DU01", "LOT-20270104-1")
    assert lines(statement([CONTENT], plan, DAY, opening=0)) == []


def test_booked_as_one_or_split() -> None:
    total = -sum(each.amount for each in TRANSFERS)
    (one,) = lines(statement([CONTENT], Plan(booked="as-one"), DAY, opening=0))
    assert (one.cents, one.batch) == (total, "LOT-20270104-1")
    many = lines(statement([CONTENT], Plan(booked="split"), DAY, opening=0))
    assert [(each.reference, each.cents) for each in many] == [(each.reference, -each.amount) for each in TRANSFERS]


@given(
    st.lists(st.sampled_from(FATES), min_size=1, max_size=8),
    st.sampled_from(["one-by-one", "split", "as-one"]),
    st.integers(-(10**9), 10**9),
)
@settings(max_examples=15, deadline=None)
def test_any_plan_reads_back_and_is_always_the_same(fates: list[Fate], booked: Any, opening: int) -> None:
    made = tuple(transfer(number, 500 + number) for number in range(len(fates)))
    content = render(batch(*made))
    plan = Plan({each.reference: fate for each, fate in zip(made, fates, strict=True)}, booked=booked)
    day = statement([content], plan, DAY, opening=opening)
    assert day == statement([content], plan, DAY, opening=opening)
    head, *rest = read(day)
    assert isinstance(head, StatementHead)
    assert head.opening == opening
    assert head.closing == opening + sum(each.cents for each in rest if isinstance(each, Line))
    answered = [each for each in reports(report(content, plan, AT)) if each.level == "transfer"]
    assert len(answered) == sum(fate is not Fate.SILENCE for fate in fates)


def _validator() -> Any:
    """The library's own rules of its classes; its package would ask for lxml and a spreadsheet."""
    path = Path(pyiso20022.__file__).parent / "tools" / "validation.py"
    spec = importlib.util.spec_from_file_location("iso_validation", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ISO20022Validator()


@pytest.mark.parametrize(
    ("content", "module"),
    [
        (report(CONTENT, PLAN, AT), pain_002_001_10),
        (statement([CONTENT], PLAN, DAY, opening=-7), camt_053_001_08),
        (statement([CONTENT], Plan(booked="split"), DAY, opening=0), camt_053_001_08),
        (advice([CONTENT], PLAN, DAY), camt_054_001_08),
    ],
    ids=range(4),
)
def test_what_it_writes_keeps_the_rules_of_the_messages(content: bytes, module: Any) -> None:
    document = XmlParser().parse(io.BytesIO(content), module.Document)
    result = _validator().validate(document)
    assert result.is_valid, str(result)
