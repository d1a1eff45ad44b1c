"""Bad and hostile files: refused with a code and the line, whatever they try."""

import ast
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeys.channels.sepa.reader import Bounds, _Cutter
from journeys.channels.sepa.transfers import render
from journeys.domain.banking import FileRefused
from journeys.local.bank_files import Fate, Plan, advice, report, returns, statement
from journeys.narration.bank_files import FILES, file_refused
from tests.sepa.made import batch, camt053, details, entry, read, refused, transfer

GOOD = camt053(entry(more=details()), entry("1.00"))
LAUGHS = "\n".join(
    ["<!DOCTYPE Document [", '<!ENTITY a0 "ha">']
    + [f'<!ENTITY a{each} "{f"&a{each - 1};" * 10}">' for each in range(1, 12)]
    + ["]>"]
)
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'

JOURNEYS = Path(__file__).parents[2] / "journeys"


def with_doctype(doctype: str) -> bytes:
    return GOOD.replace(HEAD, HEAD + doctype.encode() + b"\n")


def test_the_good_one_is_taken() -> None:
    assert len(read(GOOD)) == 3
    assert len(read(b"\xef\xbb\xbf" + GOOD)) == 3
    assert len(read(GOOD.replace(HEAD, b""))) == 3


@pytest.mark.parametrize(
    "doctype",
    [
        LAUGHS,
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/evil.dtd">',
        '<!DOCTYPE Document [<!ENTITY % x SYSTEM "http://127.0.0.1:9/evil"> %x;]>',
        "<!DOCTYPE Document>",
    ],
)
def test_no_definitions_whatever_they_define(doctype: str) -> None:
    began = time.perf_counter()
    assert refused(with_doctype(doctype)) == ("entity", 2)
    assert time.perf_counter() - began < 1


def test_without_the_guard_an_entity_would_be_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Cutter, "_doctype", lambda *_: None)
    content = with_doctype('<!DOCTYPE Document [<!ENTITY x "R9">]>').replace(b">R1<", b">&x;<")
    assert getattr(read(content)[1], "reference", None) == "R9"


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (GOOD.replace(b">R1<", b">&x;<"), "entity", 5),
        (b"", "truncated", 1),
        (b"   \n", "truncated", 2),
        (b"hello", "malformed", 1),
        (b"PK\x03\x04", "malformed", 1),
        (GOOD.replace(b"</Ntry>", b"</Entry>", 1), "malformed", 5),
        (GOOD + b"<More/>", "malformed", 9),
        (GOOD.replace(b"UTF-8", b"ISO-8859-1"), "wrong-encoding", 1),
        (GOOD.replace(b">S1<", "é".join("><").encode("latin-1")), "not-utf-8", 3),
        (GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16"), "not-utf-8", 1),
        (GOOD.decode().replace(' encoding="UTF-8"', "").encode("utf-16-le"), "wrong-encoding", 1),
        (GOOD.replace(b"urn:iso:std:iso:20022:tech:xsd:", b"urn:somebody:"), "wrong-namespace", 2),
        (GOOD.replace(b' xmlns="urn', b' xmlns:x="urn'), "wrong-namespace", 2),
        (GOOD.replace(b"<Ntry>", b'<Ntry xmlns="urn:else">', 1), "wrong-namespace", 4),
        (GOOD.replace(b"<Amt", b'<Amt xmlns="urn:else"', 1), "wrong-namespace", 4),
        (GOOD.replace(b"Document", b"Paper"), "wrong-namespace", 2),
        (GOOD.replace(b"camt.053.001.08", b"camt.053.001.99"), "other-message", 2),
        (GOOD.replace(b"camt.053.001.08", b"pacs.008.001.08"), "other-message", 2),
        (GOOD.replace(b"BkToCstmrStmt", b"CstmrPmtStsRpt"), "other-message", 2),
        (b'<html xmlns="http://www.w3.org/1999/xhtml"/>', "wrong-namespace", 1),
        (GOOD.replace(b"<BkTxCd/>", b"<BkTxCd/><Sent>1</Sent>", 1), "unreadable", 4),
        (GOOD.replace(b"DBIT", b"BOTH", 1), "unreadable", 4),
        (GOOD.replace(b"<CdtDbtInd>DBIT</CdtDbtInd>", b"", 1), "unreadable", 4),
        (GOOD.replace(b"<BkTxCd/>", b'<Amt Ccy="EUR">9.99</Amt><BkTxCd/>', 1), "unreadable", 4),
        (GOOD.replace(b"2027-01-05<", b"2027-02-30<", 1), "unreadable", 4),
        (GOOD.replace(b"2027-01-05<", b"0000-00-00<", 1), "unreadable", 4),
        (GOOD.replace(b"<Cd>BOOK</Cd>", b"<Cd>BO<x/>OK</Cd>", 1), "unreadable", 4),
        (GOOD.replace(b"<Id><IBAN>", b"<Id><Other>").replace(b"</IBAN>", b"</Other>"), "unreadable", 3),
        (GOOD.replace(b"</Stmt>", b"<Id>S2</Id></Stmt>"), "out-of-order", 8),
    ],
    ids=range(29),
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(content: bytes, code: str, line: int) -> None:
    assert refused(content) == (code, line)


def test_a_file_cut_off_anywhere_is_never_taken() -> None:
    end = GOOD.index(b"</Document>") + len(b"</Document>")
    for cut in range(0, end, 7):
        code, line = refused(GOOD[:cut])
        assert code == "truncated", cut
        assert line == GOOD[:cut].count(b"\n") + 1


@pytest.mark.parametrize(
    ("content", "bounds", "code"),
    [
        (GOOD, Bounds(file_bytes=len(GOOD) - 1), "too-large"),
        (GOOD, Bounds(depth=5), "too-deep"),
        (GOOD.replace(b"<BkTxCd/>", b"<SplmtryData>" * 40 + b"</SplmtryData>" * 40, 1), Bounds(), "too-deep"),
        (GOOD, Bounds(piece=10), "too-long"),
        (GOOD.replace(b">S1<", b">" + b"x" * 30_000 + b"<"), Bounds(), "too-long"),
        (GOOD.replace(b"<Sts>", b"<!-- " + b"x" * 400_000 + b" --><Sts>", 1), Bounds(token_bytes=100_000), "too-long"),
        (GOOD.replace(b'Ccy="EUR"', b'Ccy="' + b"E" * 400_000 + b'"', 1), Bounds(token_bytes=100_000), "too-long"),
    ],
    ids=range(7),
)
def test_bounds(content: bytes, bounds: Bounds, code: str) -> None:
    assert refused(content, bounds)[0] == code


def test_the_same_within_bounds_is_taken() -> None:
    assert len(read(GOOD, Bounds(file_bytes=len(GOOD), depth=10))) == 3


def test_another_class_is_not_chosen_from_outside() -> None:
    chosen = b'<Amt xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Document"'
    assert len(read(GOOD.replace(b"<Amt", chosen, 1))) == 3


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=3))
@settings(max_examples=120, deadline=None)
def test_broken_anyhow_a_file_is_taken_or_refused_and_nothing_else(at: int, noise: bytes) -> None:
    content = GOOD[:at] + noise + GOOD[at + len(noise) :]
    try:
        read(content)
        return
    except FileRefused as error:
        why = error
    assert all(file_refused(why, lang) for lang in ("fr", "en"))


def _rich() -> tuple[bytes, ...]:
    """One file of each kind with all that is read."""
    content = render(batch(transfer(1), transfer(2)))
    plan = Plan(usual=Fate.RETURN)
    at = datetime(2027, 1, 5, 9, tzinfo=UTC)
    return (
        returns([content], plan, at.date(), opening=0),
        statement([content], Plan(booked="split"), at.date(), opening=-7),
        advice([content], plan, at.date()),
        report(content, Plan(usual=Fate.REJECT), at),
    )


RICH = _rich()
PLAIN = re.compile(rb"<(\w+)[^<>/]*>[^<>]*</\1>")
ODD = (b"", b" ", b"0", b"-1", b"NaN", b"1e9", b"true", b"0000-00-00", b"99999-01-01T00:00:00", b"2027-01-05T24:00:00",
       b"2027-01-05T19:00:00+14:00", "é".encode() * 300)  # fmt: skip


@given(st.sampled_from(RICH), st.integers(0, 10_000), st.sampled_from([None, *ODD]))
@settings(max_examples=120, deadline=None)
def test_any_value_gone_or_odd_is_taken_or_refused_and_nothing_else(content: bytes, at: int, odd: bytes | None) -> None:
    found = list(PLAIN.finditer(content))
    one = found[at % len(found)]
    start = content.index(b">", one.start()) + 1
    end = content.rindex(b"</", one.start(), one.end())
    changed = content[: one.start()] + content[one.end() :] if odd is None else content[:start] + odd + content[end:]
    try:
        read(changed)
        return
    except FileRefused as error:
        why = error
    assert why.line is None or why.line <= content.count(b"\n") + 1
    assert file_refused(why, "fr")


def test_every_refusal_has_its_words() -> None:
    """Codes as they stand in the source, each with the details that its sentence asks for."""
    told = {}
    for path in [*(JOURNEYS / "channels" / "sepa").glob("*.py"), JOURNEYS / "store" / "bank_files.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("FileRefused", "refused") and isinstance(node.args[0], ast.Constant):
                given = {str(keyword.arg): "?" for keyword in node.keywords}
                told[node.args[0].value] = FileRefused(node.args[0].value, 3, **given)
    told |= {
        code: FileRefused(code, 3, what="?", amount="?") for code in ("malformed", "third-decimal", "not-an-amount")
    }
    assert told.keys() == FILES.keys()
    for error in told.values():
        assert file_refused(error, "fr").startswith("Ligne 3\u00a0: ")
        assert "Rien n’a été enregistré" in file_refused(error, "fr")
        assert "Nothing was recorded" in file_refused(error, "en")
