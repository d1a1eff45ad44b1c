"""Statements and advices: exact to the cent, each entry once, split where the bank splits it."""

import io
from datetime import UTC, date, datetime

import pytest

from journeys.channels.sepa.receiving import received
from journeys.domain.banking import Line, StatementHead
from tests.sepa.made import OURS, PAYEES, balance, camt053, details, entry, lines, read, refused

PERIOD = "<FrToDt><FrDtTm>2027-01-04T00:00:00</FrDtTm><ToDtTm>2027-01-05T23:59:59</ToDtTm></FrToDt>"


def parties(version: str = "08", name: str = "ZOE LEFEVRE", iban: str = PAYEES[0], side: str = "Cdtr") -> str:
    inner = f"<Nm>{name}</Nm>"
    if version == "08":
        inner = f"<Pty>{inner}</Pty>"
    return (
        f"<RltdPties><{side}>{inner}</{side}><{side}Acct><Id><IBAN>{iban}</IBAN></Id></{side}Acct></RltdPties>"
    )  # fmt: skip


def test_the_head_comes_first_and_says_account_days_and_balances() -> None:
    content = camt053(
        entry(), head=balance("OPBD", "10.00", "DBIT") + balance("CLBD", "22.34", "DBIT") + balance("CLAV", "9.99")
    ).replace(b"<Acct>", PERIOD.encode() + b"<Acct>")
    assert read(content)[0] == StatementHead(
        id="S1", kind="camt.053", iban=OURS, currency="EUR", opening=-1000, closing=-2234,
        first_day=date(2027, 1, 4), last_day=date(2027, 1, 5), created=datetime(2027, 1, 5, 19),
    )  # fmt: skip


def test_the_day_before_counts_as_opening() -> None:
    head = read(camt053(head=balance("PRCD", "10.00") + balance("CLBD", "10.00")))[0]
    assert isinstance(head, StatementHead) and head.opening == 1000


@pytest.mark.parametrize("version", ["02", "08"])
def test_a_transfer_of_ours_in_both_versions(version: str) -> None:
    status = "BOOK" if version == "02" else "<Cd>BOOK</Cd>"
    told = parties(version) + "<RmtInf><Ustrd>Aide</Ustrd><Ustrd>3</Ustrd></RmtInf>"
    content = camt053(entry(more=details(more=told), status=status), version=version)
    content = content.replace(b"<BkTxCd/>", b"<AcctSvcrRef>B7</AcctSvcrRef><BkTxCd/>")
    assert lines(content) == [
        Line(
            position=1, booked_on=date(2027, 1, 5), cents=-1234, currency="EUR", reference="R1", iban=PAYEES[0],
            name="ZOE LEFEVRE", bank_reference="B7", returned=False, reason=None, about="Aide 3",
        )
    ]  # fmt: skip


@pytest.mark.parametrize("version", ["02", "08"])
def test_an_advice_of_a_return_in_both_versions(version: str) -> None:
    back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    status = "BOOK" if version == "02" else "<Cd>BOOK</Cd>"
    more = details(more=parties(version) + back)
    content = camt053(entry(sign="CRDT", more=more, status=status), version=version)
    content = content.replace(b"camt.053", b"camt.054").replace(b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn")
    content = content.replace(b"Stmt>", b"Ntfctn>")
    head, line = read(content)
    assert isinstance(head, StatementHead) and head.kind == "camt.054" and head.opening is None
    assert isinstance(line, Line)
    assert (line.cents, line.returned, line.reason, line.iban) == (1234, True, "AC04", PAYEES[0])


@pytest.mark.parametrize(
    "family",
    [
        "<Cd>ICDT</Cd><SubFmlyCd>RRTN</SubFmlyCd>",
        "<Cd>RRCT</Cd><SubFmlyCd>ESCT</SubFmlyCd>",
        "<Cd>ICDT</Cd><SubFmlyCd>RPCR</SubFmlyCd>",
    ],
)
def test_a_return_is_known_by_its_transaction_code(family: str) -> None:
    code = f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly>{family}</Fmly></Domn></BkTxCd>"
    (line,) = lines(camt053(entry(sign="CRDT", more=details())).replace(b"<BkTxCd/>", code.encode()))
    assert line.returned and line.reason is None
    (line,) = lines(camt053(entry(sign="DBIT", more=details())).replace(b"<BkTxCd/>", code.encode()))
    assert not line.returned


@pytest.mark.parametrize(
    ("family", "sign", "fee"),
    [
        ("<Cd>MDOP</Cd><SubFmlyCd>CHRG</SubFmlyCd>", "DBIT", "CHRG"),
        ("<Cd>ICDT</Cd><SubFmlyCd>COMM</SubFmlyCd>", "DBIT", "COMM"),
        ("<Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd>", "DBIT", None),
        ("<Cd>MCOP</Cd><SubFmlyCd>CHRG</SubFmlyCd>", "CRDT", None),
    ],
)
def test_a_charge_of_the_bank_is_known_by_its_transaction_code(family: str, sign: str, fee: str | None) -> None:
    code = f"<BkTxCd><Domn><Cd>ACMT</Cd><Fmly>{family}</Fmly></Domn></BkTxCd>"
    (line,) = lines(camt053(entry(sign=sign)).replace(b"<BkTxCd/>", code.encode()))
    assert line.fee == fee


def test_a_return_that_names_its_own_parties_never_shows_our_account_as_the_other_side() -> None:
    both = parties(iban=OURS, name="ASSOCIATION").replace("</RltdPties>", "")
    both = both.replace("Cdtr", "Dbtr", 0) + parties(side="Dbtr").replace("<RltdPties>", "")
    both = both.replace("<RltdPties>", "<RltdPties>", 1)
    cdtr, dbtr = both.split("</CdtrAcct>")
    ordered = "<RltdPties>" + dbtr.replace("</RltdPties>", "") + cdtr.replace("<RltdPties>", "") + "</CdtrAcct>"
    more = details(more=ordered + "</RltdPties>" + "<RtrInf><Rsn><Cd>AC01</Cd></Rsn></RtrInf>")
    (line,) = lines(camt053(entry(sign="CRDT", more=more)))
    assert (line.iban, line.name) == (PAYEES[0], "ZOE LEFEVRE")


def test_money_from_somebody_else_is_no_return() -> None:
    (line,) = lines(camt053(entry(sign="CRDT", more=details("NOTPROVIDED", parties(side="Dbtr")))))
    assert (line.cents, line.returned, line.reference, line.iban) == (1234, False, None, PAYEES[0])


def split(*parts: tuple[str, str], batch: str = "<Btch><PmtInfId>LOT-1</PmtInfId></Btch>") -> str:
    inside = "".join(
        f'<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs><Amt Ccy="EUR">{amount}</Amt>'
        "<CdtDbtInd>DBIT</CdtDbtInd></TxDtls>"
        for name, amount in parts
    )
    return f"<NtryDtls>{batch}{inside}</NtryDtls>"


def test_a_split_entry_is_one_line_for_each_transfer() -> None:
    got = lines(camt053(entry("30.00", more=split(("R1", "10.00"), ("R2", "20.00"))), entry("1.00")))
    assert [(each.position, each.reference, each.cents, each.batch) for each in got] == [
        (1, "R1", -1000, None), (2, "R2", -2000, None), (3, None, -100, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        split(("R1", "10.00"), ("R2", "19.99")),
        split(),
        "<NtryDtls><Btch><MsgId>LOT-1</MsgId></Btch></NtryDtls>",
        "<NtryDtls>"
        + "<TxDtls><Refs><PmtInfId>LOT-1</PmtInfId></Refs></TxDtls>" * 2
        + "</NtryDtls>",
    ],
    ids=["not to the cent", "no transfers", "message only", "no amounts"],
)  # fmt: skip
def test_what_is_not_split_to_the_cent_is_one_line_of_the_batch(more: str) -> None:
    (line,) = lines(camt053(entry("30.00", more=more)))
    assert (line.cents, line.batch, line.reference) == (-3000, "LOT-1", None)


def test_what_is_not_booked_is_no_line() -> None:
    assert lines(camt053(entry(status="<Cd>PDNG</Cd>"), entry(status="<Cd>INFO</Cd>"))) == []


def test_several_statements_each_with_its_own_lines() -> None:
    one = camt053(entry(), entry())
    stmt = one[one.index(b"<Stmt>") : one.index(b"</Stmt>") + 7]
    got = read(one.replace(b"</BkToCstmrStmt>", stmt.replace(b">S1<", b">S2<") + b"</BkToCstmrStmt>"))
    assert [getattr(each, "id", None) or each.position for each in got] == ["S1", 1, 2, "S2", 1, 2]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (camt053(entry("12.345")), "third-decimal", 4),
        (camt053(entry(), entry("12.340")), "third-decimal", 6),
        (camt053(entry(more=split(("R1", "12.341")))), "third-decimal", 5),
        (camt053(entry("-12.34")), "not-an-amount", 4),
        (camt053(entry("1e3")), "not-an-amount", 4),
        (camt053(entry("NaN")), "not-an-amount", 4),
        (camt053(entry("12,34")), "not-an-amount", 4),
        (camt053(entry("")), "not-an-amount", 4),
        (camt053(entry(), entry(currency="CHF")), "other-currency", 6),
        (camt053(entry(), currency="USD"), "other-currency", 3),
        (camt053(entry().replace("<BookgDt><Dt>2027-01-05</Dt></BookgDt>", "")), "no-date", 4),
        (camt053().replace(f"<IBAN>{OURS}</IBAN>".encode(), b"<Othr><Id>1</Id></Othr>"), "no-iban", 3),
        (camt053(entry().replace("<Dt>2027-01-05</Dt>", "")), "unreadable", 4),
        (camt053(entry().replace("2027-01-05", "12027-01-05")), "unreadable", 4),
        (camt053(entry(more=details("R" * 36))), "unreadable", 4),
        (camt053(entry(), head=balance("OPBD", "20.00") + balance("CLBD", "7.67")), "does-not-add-up", 3),
        (camt053(entry(more=details(more=parties(iban="FR7730006000011234567890189")))), "iban-key", 4),
        (camt053().replace(b"<Stmt>", b"<!--").replace(b"</Stmt>", b"-->"), "empty", 1),
    ],
    ids=range(18),
)  # fmt: skip
def test_bad_statements(content: bytes, code: str, line: int | None) -> None:
    assert refused(content) == (code, line)


def test_the_account_is_given_for_the_caller_to_judge() -> None:
    (head,) = read(camt053(iban=PAYEES[1]))
    assert isinstance(head, StatementHead) and head.iban == PAYEES[1]


def test_cents_are_exact_up_to_the_largest() -> None:
    got = lines(camt053(*(entry(amount) for amount in ("0.01", "0.1", "1", "9999999999999.99", "0.29", "1.15"))))
    assert [each.cents for each in got] == [-1, -10, -100, -999999999999999, -29, -115]


def test_an_instant_with_an_offset_is_told_in_utc() -> None:
    content = camt053().replace(b"<CreDtTm>2027-01-05T19:00:00</CreDtTm>", b"")
    (head,) = read(content)
    assert isinstance(head, StatementHead) and head.created == datetime(2027, 1, 5, 18, tzinfo=UTC)


def test_a_page_of_several_is_not_held_against_its_balances() -> None:
    content = camt053(entry(), head=balance("OPBD", "20.00") + balance("CLBD", "1.00"))
    assert refused(content) == ("does-not-add-up", 3)
    page = "<{0}><PgNb>1</PgNb><LastPgInd>{1}</LastPgInd></{0}>"
    for name, before in (("StmtPgntn", b"<CreDtTm>2027-01-05T19:00:00</CreDtTm>"), ("MsgPgntn", b"</GrpHdr>")):
        first = content.replace(before, page.format(name, "false").encode() + before)
        assert len(read(first)) == 2
        only = content.replace(before, page.format(name, "true").encode() + before)
        assert refused(only) == ("does-not-add-up", 3)


class _Counted(io.BytesIO):
    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(size)
        self.taken += len(chunk)
        return chunk


def test_lines_come_while_the_file_is_being_read() -> None:
    content = camt053(*(entry(more=details(f"R{number}")) for number in range(3000)))
    source = _Counted(content)
    got = received(source)
    assert isinstance(next(got), StatementHead) and isinstance(next(got), Line)
    assert source.taken < len(content) / 4
    assert sum(1 for _ in got) == 2999
