"""Batches made up, and files of banks in the words of their standards."""

import io
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from journeys.channels.sepa.reader import BOUNDS, Bounds
from journeys.channels.sepa.receiving import received
from journeys.domain.banking import Account, Batch, FileRefused, Line, Report, StatementHead, Transfer

OURS = "FR7630006000011234567890189"
PAYEES = (
    "FR1420041010050500013M02606", "DE89370400440532013000", "BE68539007547034", "ES9121000418450200051332",
    "GB29NWBK60161331926819", "RS35260005601001611379",
)  # fmt: skip
CREATED = datetime(2027, 1, 4, 9, 30, tzinfo=UTC)


def transfer(number: int = 1, amount: int = 1234, **other: str) -> Transfer:
    known = {"name": "Zoé Lefèvre", "iban": PAYEES[0], "about": "Aide n° 3 – loyer"} | other
    return Transfer(f"payment-{number}", f"R{number:025d}", amount, known["name"], known["iban"], known["about"])


def batch(*transfers: Transfer, **other: str) -> Batch:
    return Batch(
        other.get("message", "LOT-20270104-1"),
        CREATED,
        date(2027, 1, 5),
        Account("Association Élan", OURS, "AGRIFRPP"),
        transfers or (transfer(),),
    )


_names = st.text(min_size=1, max_size=90).map(lambda text: f"A{text}")
_transfers = st.builds(
    lambda number, amount, name, iban, about: transfer(number, amount, name=name, iban=iban, about=about),
    st.integers(0, 10**9), st.integers(1, 999_999_999_99), _names, st.sampled_from(PAYEES), st.text(max_size=200),
)  # fmt: skip
batches = st.builds(
    lambda message, seconds, days, bic, transfers: Batch(
        message,
        CREATED + timedelta(seconds=seconds),
        date(2027, 1, 4) + timedelta(days=days),
        Account("Les Amis & Cie", OURS, bic),
        tuple(transfers),
    ),
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,33}[A-Za-z0-9])?", fullmatch=True),
    st.integers(0, 10**8), st.integers(0, 1000), st.sampled_from([None, "AGRIFRPP", "BNPAFRPPXXX"]),
    st.lists(_transfers, min_size=1, max_size=6, unique_by=lambda each: each.reference),
)  # fmt: skip


def entry(amount: str = "12.34", *, more: str = "", sign: str = "DBIT", status: str = "<Cd>BOOK</Cd>",
          currency: str = "EUR") -> str:  # fmt: skip
    """One entry of a statement, on two lines."""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>{status}</Sts>\n'
        f"<BookgDt><Dt>2027-01-05</Dt></BookgDt><BkTxCd/>{more}</Ntry>\n"
    )


def details(reference: str = "R1", more: str = "") -> str:
    return f"<NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>{more}</TxDtls></NtryDtls>"


def camt053(*entries: str, head: str = "", currency: str = "EUR", version: str = "08", iban: str = OURS) -> bytes:
    """A statement whose first entry begins on line 4."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2027-01-05T19:00:00+01:00</CreDtTm></GrpHdr>\n"
        f"<Stmt><Id>S1</Id><CreDtTm>2027-01-05T19:00:00</CreDtTm><Acct><Id><IBAN>{iban}</IBAN></Id>"
        f"<Ccy>{currency}</Ccy></Acct>{head}\n{''.join(entries)}</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def balance(code: str, amount: str, sign: str = "CRDT") -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>'
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>2027-01-05</Dt></Dt></Bal>"
    )


def read(content: bytes, bounds: Bounds = BOUNDS) -> list[StatementHead | Line | Report]:
    return list(received(io.BytesIO(content), bounds))


def lines(content: bytes) -> list[Line]:
    return [each for each in read(content) if isinstance(each, Line)]


def reports(content: bytes) -> list[Report]:
    return [each for each in read(content) if isinstance(each, Report)]


def refused(content: bytes, bounds: Bounds = BOUNDS) -> tuple[str, int | None]:
    """Code and line of the refusal."""
    try:
        read(content, bounds)
    except FileRefused as error:
        return error.code, error.line
    raise AssertionError("the file was taken")
