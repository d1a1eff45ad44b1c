"""Answers to a file of transfers, on all three levels and in both versions."""

import pytest

from journeys.domain.banking import Report
from tests.sepa.made import refused, reports

REASON = "<StsRsnInf><Rsn><Cd>{}</Cd></Rsn><AddtlInf>COMPTE</AddtlInf><AddtlInf>CLOS</AddtlInf></StsRsnInf>"


def pain002(version: str = "10", group: str = "", *blocks: str, original: str = "pain.001.001.09") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.'
        f'{version}"><CstmrPmtStsRpt><GrpHdr><MsgId>A1</MsgId><CreDtTm>2027-01-05T09:00:00</CreDtTm></GrpHdr>\n'
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>LOT-1</OrgnlMsgId><OrgnlMsgNmId>{original}</OrgnlMsgNmId>{group}"
        f"</OrgnlGrpInfAndSts>\n{''.join(blocks)}</CstmrPmtStsRpt></Document>"
    ).encode()


def block(status: str = "", *transfers: str) -> str:
    inside = "\n".join(transfers)
    return (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>LOT-1</OrgnlPmtInfId>{status}\n{inside}</OrgnlPmtInfAndSts>\n"
    )  # fmt: skip


def about(reference: str, status: str, more: str = "") -> str:
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>{more}</TxInfAndSts>"
    )  # fmt: skip


@pytest.mark.parametrize("version", ["03", "10"])
def test_all_three_levels(version: str) -> None:
    content = pain002(
        version,
        "<GrpSts>PART</GrpSts>",
        block("<PmtInfSts>PART</PmtInfSts>", about("R1", "ACCP"), about("R2", "RJCT", REASON.format("AC04"))),
    )
    told = Report(
        position=1, level="file", message="LOT-1", batch=None, reference=None, answer="pending", code="PART",
        reason=None, about="",
    )  # fmt: skip
    assert reports(content) == [
        told,
        Report(2, "batch", "LOT-1", "LOT-1", None, "pending", "PART", None, ""),
        Report(3, "transfer", "LOT-1", "LOT-1", "R1", "accepted", "ACCP", None, ""),
        Report(4, "transfer", "LOT-1", "LOT-1", "R2", "rejected", "RJCT", "AC04", "COMPTE CLOS"),
    ]


def test_refused_as_a_whole() -> None:
    (file,) = reports(pain002("10", "<GrpSts>RJCT</GrpSts>" + REASON.format("AM05")))
    assert (file.level, file.answer, file.reason) == ("file", "rejected", "AM05")
    (batch,) = reports(pain002("10", "", block("<PmtInfSts>RJCT</PmtInfSts>" + REASON.format("DT01"))))
    assert (batch.level, batch.answer, batch.reason) == ("batch", "rejected", "DT01")


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("RVMC", "close"), ("RVNM", "no-match"), ("RVNA", "unchecked"), ("RCVC", "pending"), ("RVCM", "pending"),
        ("PDNG", "pending"), ("ACSC", "accepted"), ("ACTC", "accepted"), ("CANC", "rejected"), ("NEWC", "pending"),
    ],
)  # fmt: skip
def test_each_status_has_its_answer(code: str, answer: str) -> None:
    (report,) = reports(pain002("10", "", block("", about("R1", code))))
    assert (report.answer, report.code) == (answer, code)


def test_what_says_no_status_says_nothing() -> None:
    assert reports(pain002("10", "", block())) == []


def test_a_reason_of_the_banks_own() -> None:
    own = "<StsRsnInf><Rsn><Prtry>X9</Prtry></Rsn></StsRsnInf>"
    (report,) = reports(pain002("10", "", block("", about("NOTPROVIDED", "RJCT", own))))
    assert (report.reason, report.reference) == ("X9", None)


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (pain002(original="pain.008.001.08"), "other-original", 2),
        (pain002("03", "", block("", about("R1", "RVMC"))), "unreadable", 5),
        (pain002("10", "", block("", about("R1", "ACCP", "<Sent/>"))), "unreadable", 5),
        (pain002("10", "").replace(b"<OrgnlMsgId>LOT-1</OrgnlMsgId>", b""), "unreadable", 2),
        (pain002("10", "", block(), "<GrpHdr/>"), "out-of-order", 6),
    ],
    ids=range(5),
)
def test_bad_answers(content: bytes, code: str, line: int) -> None:
    assert refused(content) == (code, line)
