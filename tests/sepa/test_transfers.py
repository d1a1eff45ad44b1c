"""Transfers out: valid by the standard's own schema, the same bytes for ever, nothing lost on the way."""

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sepaxml
import xmlschema
from hypothesis import given, settings
from pyiso20022.pain.pain_001_001_09 import (
    CreditTransferTransaction34,
    CustomerCreditTransferInitiationV09,
    Document,
    PaymentInstruction30,
)
from xsdata.formats.dataclass.parsers import XmlParser

from journeys.channels.sepa import transfers
from journeys.channels.sepa.binding import bind
from journeys.channels.sepa.reader import pieces
from journeys.channels.sepa.transfers import as_written, latin, read, refusal, render
from journeys.domain.banking import Batch, FileRefused
from tests.sepa.made import OURS, batch, batches, transfer

ROOT = Path(__file__).parents[2]
FIXED = "fac89e98"


@pytest.fixture(scope="module")
def valid() -> Callable[[bytes], bool]:
    """Whether a file is valid by the schema of ISO 20022."""
    schema = xmlschema.XMLSchema(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd")
    return lambda content: bool(schema.is_valid(content.decode()))


@given(batches)
@settings(max_examples=30, deadline=None)
def test_any_batch_is_valid_says_what_was_asked_and_is_always_the_same(
    valid: Callable[[bytes], bool], made: Batch
) -> None:
    content = render(made)
    assert valid(content)
    assert content == render(made)
    back = read(content)
    assert back == as_written(made)
    assert [(each.reference, each.amount, each.iban) for each in back.transfers] == [
        (each.reference, each.amount, each.iban) for each in made.transfers
    ]
    assert (back.message, back.execute_on, back.total) == (made.message, made.execute_on, made.total)


def test_the_schema_bites(valid: Callable[[bytes], bool]) -> None:
    content = render(batch())
    assert valid(content)
    assert not valid(content.replace(b"<ChrgBr>SLEV</ChrgBr>", b"<ChrgBr>MINE</ChrgBr>"))
    assert not valid(content.replace(b"<NbOfTxs>1</NbOfTxs>", b""))


def test_the_bytes_are_those_of_the_first_day() -> None:
    """A batch is rendered once and its digest recorded; another version of a library must not write it otherwise."""
    assert hashlib.sha256(render(batch(transfer(1), transfer(2, 99)))).hexdigest()[:8] == FIXED


def test_another_process_writes_the_same_bytes() -> None:
    script = (
        "import hashlib; from tests.sepa.made import *; from journeys.channels.sepa.transfers import render;"
        "print(hashlib.sha256(render(batch(transfer(1), transfer(2, 99)))).hexdigest()[:8])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == FIXED


def test_what_the_scheme_asks_for() -> None:
    text = render(batch(transfer(1, 120000), transfer(2, 1))).decode()
    for part in (
        "<MsgId>LOT-20270104-1</MsgId><CreDtTm>2027-01-04T09:30:00Z</CreDtTm><NbOfTxs>2</NbOfTxs>"
        "<CtrlSum>1200.01</CtrlSum>",
        "<PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg><NbOfTxs>2</NbOfTxs><CtrlSum>1200.01</CtrlSum>"
        "<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf><ReqdExctnDt><Dt>2027-01-05</Dt></ReqdExctnDt>",
        f"<DbtrAcct><Id><IBAN>{OURS}</IBAN></Id></DbtrAcct>",
        "<BICFI>AGRIFRPP</BICFI>",
        "<ChrgBr>SLEV</ChrgBr>",
        '<InstdAmt Ccy="EUR">1200.00</InstdAmt>',
        '<InstdAmt Ccy="EUR">0.01</InstdAmt>',
        "<Cdtr><Nm>Zoe Lefevre</Nm></Cdtr>",
        "<Ustrd>Aide no 3 - loyer</Ustrd>",
    ):
        assert part in text
    assert text.count("<PmtInf>") == 1
    for never in ("PstlAdr", "AdrLine", "payment-1"):
        assert never not in text


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Zoé Lefèvre-Çelik", "Zoe Lefevre-Celik"),
        ("Œuvre d’Ål & fils", "OEuvre d'Al + fils"),
        ("  deux\tmots\n", "deux mots"),
        ("50 €", "50 EUR"),
        ("Łukasz Đorđe Straße", "Lukasz Dorde Strasse"),
        ("<b>&amp;", ".b.+amp,"),
        ("Владимир", "........"),
        ("ﬁn", "fin"),
    ],
)
def test_letters_that_every_bank_takes(said: str, written: str) -> None:
    assert latin(said, 70) == written


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 100_000_000_000}, "amount"),
        ({"reference": ""}, "reference"),
        ({"reference": "a b"}, "reference"),
        ({"reference": "R" * 36}, "reference"),
        ({"name": "Владимир"}, "name-not-latin"),
        ({"name": " "}, "name-not-latin"),
        ({"iban": "FR7630006000011234567890188"}, "iban-key"),
    ],
)
def test_a_transfer_that_no_bank_takes_is_named_and_never_written(changed: dict[str, object], code: str) -> None:
    wrong = replace(transfer(), **changed)  # type: ignore[arg-type]
    assert refusal(wrong) == code
    with pytest.raises(ValueError, match=code):
        render(batch(transfer(2), wrong))


def test_a_batch_that_no_bank_takes() -> None:
    for wrong in (
        replace(batch(), transfers=()),
        batch(transfer(1), transfer(1)),
        batch(message="LOT/1"),
        replace(batch(), message="L" * 36),
        replace(batch(), created=batch().created.replace(tzinfo=None)),
        replace(batch(), debtor=replace(batch().debtor, iban="FR76")),
        replace(batch(), transfers=tuple(transfer(number) for number in range(10_001))),
    ):
        with pytest.raises(ValueError, match="cannot be written"):
            render(wrong)


def test_a_refusal_names_no_person() -> None:
    with pytest.raises(ValueError, match="iban-key") as caught:
        render(batch(transfer(1, iban="FR7630006000011234567890188")))
    assert "Zoé" not in str(caught.value) and "FR76" not in str(caught.value)
    assert "Zoé" not in repr(transfer()) and "FR14" not in repr(transfer())


def test_a_file_that_says_something_else_is_never_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The read-back is what notices a library that writes wrongly."""
    as_it_is = transfers._bytes
    monkeypatch.setattr(transfers, "_bytes", lambda made: as_it_is(made).replace(b">12.34<", b">12.43<"))
    with pytest.raises(FileRefused, match="does-not-add-up"):
        render(batch(transfer(1), transfer(2, 50)))
    monkeypatch.setattr(transfers, "_bytes", lambda made: as_it_is(made).replace(b"Zoe", b"Zo."))
    with pytest.raises(RuntimeError, match="does not say what was asked"):
        render(batch())


@given(batches)
@settings(max_examples=20, deadline=None)
def test_our_binding_reads_what_xsdata_reads(made: Batch) -> None:
    content = render(made)
    whole = XmlParser().parse(io.BytesIO(content), Document).cstmr_cdt_trf_initn
    kinds = (CustomerCreditTransferInitiationV09, PaymentInstruction30, CreditTransferTransaction34)
    by_name = dict(zip(transfers.CHAIN, kinds, strict=True))
    bound = [
        bind(each, by_name[each.name]) for each in pieces(io.BytesIO(content), {transfers.MESSAGE: transfers.CHAIN})
    ]
    (block,) = whole.pmt_inf
    items = block.cdt_trf_tx_inf
    assert bound == [replace(whole, pmt_inf=[]), replace(block, cdt_trf_tx_inf=[]), *items]


def test_nobody_pays_for_these_libraries_before_a_file_is_there() -> None:
    script = (
        "import sys, journeys.app.cli, worker, journeys.local.bank_files;"
        "import journeys.channels.sepa.receiving, journeys.channels.sepa.transfers, journeys.channels.iban;"
        "print({'xsdata', 'pyiso20022', 'schwifty', 'pycountry'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
