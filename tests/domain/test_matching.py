"""A bank's line against the payment it names: whatever comes, nothing is said that the line does not show."""

from dataclasses import replace
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.domain.banking import Answer, Line, Report
from journeys.domain.matching import (
    AGREES,
    Counted,
    Known,
    Trouble,
    Verdict,
    identity_of,
    match_line,
    match_report,
    seen_before,
)
from journeys.domain.notices import ORDER, Said
from journeys.domain.state import PaymentStatus

IBANS = ("FR1420041010050500013M02606", "DE89370400440532013000")
SENT = Known("p", "journey-j", 50_00, IBANS[0], PaymentStatus.INSTRUCTED, "REF")
DEBIT = Line(1, date(2027, 5, 12), -50_00, "EUR", "REF", IBANS[0], "L. Martin", "B1", False, None, "Versement")
CREDIT = replace(DEBIT, cents=50_00, returned=True, bank_reference="B2")
REPORT = Report(1, "transfer", "M", "M", "REF", "accepted", "ACCP", None, "")

knowns = st.builds(
    Known, st.just("p"), st.just("journey-j"), st.sampled_from((50_00, 49_99)), st.sampled_from((*IBANS, None)),
    st.sampled_from(PaymentStatus), st.just("REF"), given=st.booleans(), left=st.booleans(), back=st.booleans(),
    told=st.frozensets(st.sampled_from(ORDER)),
)  # fmt: skip
lines = st.builds(
    Line, st.just(1), st.dates(date(2027, 5, 10), date(2027, 5, 12)), st.sampled_from((-50_00, 50_00, -49_99, -1, 7)),
    st.just("EUR"), st.sampled_from(("REF", None, "OTHER")), st.sampled_from((*IBANS, None)), st.none(),
    st.sampled_from((None, "B1", "B2")), st.booleans(), st.none(), st.just(""), st.sampled_from((None, "M")),
)  # fmt: skip
reports = st.builds(
    Report, st.just(1), st.sampled_from(("file", "batch", "transfer")), st.just("M"), st.just("M"), st.just("REF"),
    st.sampled_from(get_args(Answer)), st.just("X"), st.none(), st.just(""),
)  # fmt: skip


@pytest.mark.parametrize(
    ("line", "known", "verdict"),
    [
        (DEBIT, SENT, Verdict(("settled",))),
        (replace(DEBIT, iban=None), SENT, Verdict(("settled",))),
        (DEBIT, replace(SENT, iban=None), Verdict(("settled",))),
        (DEBIT, replace(SENT, status=PaymentStatus.BY_HAND), AGREES),
        (DEBIT, replace(SENT, back=True), AGREES),
        (CREDIT, SENT, Verdict(("settled", "returned"))),
        (CREDIT, replace(SENT, left=True), Verdict(("returned",))),
        (CREDIT, replace(SENT, status=PaymentStatus.SETTLED), Verdict(("returned",))),
        (CREDIT, replace(SENT, told=frozenset({"rejected"})), AGREES),
        (CREDIT, replace(SENT, status=PaymentStatus.RETURNED), AGREES),
        (DEBIT, None, Verdict(trouble=Trouble.UNKNOWN_REFERENCE)),
        (CREDIT, None, Verdict(trouble=Trouble.UNKNOWN_REFERENCE)),
        (replace(CREDIT, returned=False), None, Verdict(trouble=Trouble.UNEXPECTED_MONEY)),
        (replace(CREDIT, returned=False), SENT, Verdict(trouble=Trouble.UNEXPECTED_MONEY)),
        (replace(DEBIT, cents=-50_01), SENT, Verdict(trouble=Trouble.WRONG_AMOUNT)),
        (replace(DEBIT, iban=IBANS[1]), SENT, Verdict(trouble=Trouble.WRONG_IBAN)),
        (DEBIT, replace(SENT, left=True), Verdict(trouble=Trouble.DOUBLED)),
        (CREDIT, replace(SENT, left=True, back=True), Verdict(trouble=Trouble.DOUBLED)),
        (DEBIT, replace(SENT, given=False), Verdict(trouble=Trouble.NEVER_SENT)),
        (DEBIT, replace(SENT, told=frozenset({"rejected"})), Verdict(trouble=Trouble.CONTRADICTED)),
        (DEBIT, replace(SENT, status=PaymentStatus.CANCELLED), Verdict(trouble=Trouble.CONTRADICTED)),
        (CREDIT, replace(SENT, status=PaymentStatus.BLOCKED), Verdict(trouble=Trouble.CONTRADICTED)),
        (replace(DEBIT, reference=None, batch="M"), None, Verdict(trouble=Trouble.UNSPLIT)),
    ],
)  # fmt: skip
def test_a_line(line: Line, known: Known | None, verdict: Verdict) -> None:
    assert match_line(line, known) == verdict


@pytest.mark.parametrize(
    ("answer", "known", "verdict"),
    [
        ("accepted", SENT, Verdict(("accepted",))),
        ("accepted", replace(SENT, status=PaymentStatus.UNKNOWN), Verdict(("accepted",))),
        ("accepted", replace(SENT, status=PaymentStatus.ACCEPTED), AGREES),
        ("accepted", replace(SENT, told=frozenset({"accepted"})), AGREES),
        ("accepted", replace(SENT, left=True), AGREES),
        ("accepted", replace(SENT, told=frozenset({"rejected"})), AGREES),
        ("rejected", SENT, Verdict(("rejected",))),
        ("rejected", replace(SENT, told=frozenset({"rejected"})), AGREES),
        ("rejected", replace(SENT, status=PaymentStatus.RETURNED), AGREES),
        ("rejected", replace(SENT, left=True), Verdict(trouble=Trouble.CONTRADICTED)),
        ("rejected", replace(SENT, status=PaymentStatus.BY_HAND), Verdict(trouble=Trouble.CONTRADICTED)),
        ("rejected", None, Verdict(trouble=Trouble.UNKNOWN_REFERENCE)),
        ("rejected", replace(SENT, given=False), Verdict(trouble=Trouble.NEVER_SENT)),
        ("pending", SENT, AGREES),
        ("close", SENT, Verdict(("close",))),
        ("no-match", replace(SENT, told=frozenset({"no-match"})), AGREES),
        ("unchecked", replace(SENT, status=PaymentStatus.SETTLED), AGREES),
    ],
)  # fmt: skip
def test_an_answer(answer: Answer, known: Known | None, verdict: Verdict) -> None:
    assert match_report(replace(REPORT, answer=answer), known) == verdict


@given(lines, st.none() | knowns)
def test_a_line_speaks_only_for_what_it_shows(line: Line, known: Known | None) -> None:
    verdict = match_line(line, known)
    assert verdict.trouble is None or not verdict.says, "what a person must look at is told to nobody"
    if verdict.says:
        assert known is not None and known.given
        assert abs(line.cents) == known.amount
        assert line.iban is None or known.iban in (None, line.iban)
        assert verdict.says in ((("settled",),) if line.cents < 0 else (("returned",), ("settled", "returned")))
        assert "settled" not in verdict.says or (known.status.open and not known.left)


@given(reports, st.none() | knowns)
def test_an_answer_never_proves_that_money_left(report: Report, known: Known | None) -> None:
    verdict = match_report(report, known)
    assert {"settled", "returned"}.isdisjoint(verdict.says) and len(verdict.says) <= 1
    assert verdict.trouble is None or not verdict.says
    if verdict.says:
        assert known is not None and known.given and known.status.open and not known.left


@given(st.lists(st.sampled_from((DEBIT, CREDIT)), max_size=6))
def test_whatever_comes_and_however_often_it_leaves_once_and_comes_back_once(came: list[Line]) -> None:
    known, said = SENT, list[Said]()
    for line in came:
        verdict = match_line(line, known)
        said += verdict.says
        if verdict.trouble is None:
            known = replace(known, left=known.left or line.cents < 0, back=known.back or line.cents > 0)
    assert said.count("settled") <= 1 and said.count("returned") <= 1
    assert ("settled" in said) == bool(came)
    assert ("returned" in said) == (CREDIT in came)
    assert said == sorted(said, key=ORDER.index)


@given(st.lists(lines, max_size=8))
def test_a_file_again_is_known_line_by_line_and_equal_lines_of_it_are_apart(came: list[Line]) -> None:
    first, again = Counted(IBANS[0]), Counted(IBANS[0])
    identities = [first.of(line) for line in came]
    assert len({each.exact for each in identities}) == len(came)
    stored = {each.exact: line.bank_reference is None for each, line in zip(identities, came, strict=True)}
    assert all(seen_before(again.of(line), line.bank_reference, stored) for line in came)


@given(lines, lines)
def test_lines_apart_by_what_counts_are_not_one(one: Line, other: Line) -> None:
    def counts(line: Line) -> tuple[object, ...]:
        return line.cents, line.reference, line.returned, line.batch

    same = Counted("A").of(one).exact == Counted("A").of(other).exact
    assert not same or (counts(one) == counts(other) and one.bank_reference == other.bank_reference)
    assert Counted("A").of(one).exact != Counted("B").of(one).exact


@given(reports, reports)
def test_answers_are_one_when_they_say_the_same_of_the_same(one: Report, other: Report) -> None:
    def said(report: Report) -> tuple[object, ...]:
        return report.level, report.message, report.batch, report.reference, report.code, report.reason

    assert (identity_of(one) == identity_of(other)) == (said(one) == said(other))
