"""An imaginary bank that reads our file of transfers and writes what a real one would answer.

Nothing is kept: the same file and the same plan give the same bytes. Its names and accounts are those of the file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Literal

from journeys.channels.sepa.binding import written
from journeys.channels.sepa.transfers import MESSAGE, read
from journeys.domain.banking import Batch, Transfer


class Fate(StrEnum):
    """What becomes of one transfer."""

    SETTLE = "settle"
    """Accepted, then booked."""
    ACCEPT = "accept"
    """Accepted, and not booked (yet)."""
    REJECT = "reject"
    RETURN = "return"
    """Booked, and booked back by the payee's bank."""
    SILENCE = "silence"
    """Never mentioned."""
    CLOSE = "close"
    """Held: the payee's bank knows nearly this name."""
    NO_MATCH = "no-match"
    UNCHECKED = "unchecked"
    DOUBLE = "double"
    """Booked twice."""
    SHORT = "short"
    """Booked with one cent less than was asked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The fate of each transfer by its reference, and of the file as a whole."""

    fates: Mapping[str, Fate] = field(default_factory=dict)
    usual: Fate = Fate.SETTLE
    whole: Literal["file", "batch"] | None = None
    """Refuses everything at once, at this level; nothing is booked."""
    reason: str = "AC04"
    """ISO code of refusals and returns."""
    booked: Literal["one-by-one", "split", "as-one"] = "one-by-one"
    """An entry for each transfer; or one for all, with its transfers named as they were asked, or without a word."""

    def fate(self, transfer: Transfer) -> Fate:
        return self.fates.get(transfer.reference, self.usual)


_STATUS: Final = {
    Fate.REJECT: "RJCT",
    Fate.CLOSE: "RVMC",
    Fate.NO_MATCH: "RVNM",
    Fate.UNCHECKED: "RVNA",
}
_BOOKED: Final = frozenset({Fate.SETTLE, Fate.RETURN, Fate.DOUBLE, Fate.SHORT})
_TAKEN: Final = _BOOKED | {Fate.ACCEPT}
_REPORT: Final = "pain.002.001.10"
_STATEMENT: Final = "camt.053.001.08"
_ADVICE: Final = "camt.054.001.08"


def report(content: bytes, plan: Plan, at: datetime) -> bytes:
    """The answer to a file, pain.002: refused as a whole, or one status for each transfer that is not kept silent."""
    from pyiso20022.pain import pain_002_001_10 as p

    batch = read(content)
    refused = [_status_reason(plan.reason, "")]
    block = p.OriginalPaymentInstruction32(
        orgnl_pmt_inf_id=batch.message,
        pmt_inf_sts="RJCT" if plan.whole == "batch" else None,
        sts_rsn_inf=refused if plan.whole == "batch" else [],
        tx_inf_and_sts=[
            _transfer_status(each, plan)
            for each in batch.transfers
            if plan.whole is None and plan.fate(each) is not Fate.SILENCE
        ],
    )
    taken = all(plan.fate(each) in _TAKEN for each in batch.transfers)
    whole = "RJCT" if plan.whole else "ACCP" if taken else "PART"
    document = p.Document(
        cstmr_pmt_sts_rpt=p.CustomerPaymentStatusReportV10(
            grp_hdr=p.GroupHeader86(msg_id=f"R{batch.message}"[:35], cre_dt_tm=_instant(at)),
            orgnl_grp_inf_and_sts=p.OriginalGroupHeader17(
                orgnl_msg_id=batch.message,
                orgnl_msg_nm_id=MESSAGE,
                grp_sts=whole,
                sts_rsn_inf=refused if plan.whole == "file" else [],
            ),
            orgnl_pmt_inf_and_sts=[] if plan.whole == "file" else [block],
        )
    )
    return written(document, _REPORT, indent=" ")


def statement(contents: Iterable[bytes], plan: Plan, on: date, *, opening: int, number: int = 1) -> bytes:
    """The account's day `on`, camt.053: what of these files is booked, from `opening` cents to the closing balance."""
    batches = [read(content) for content in contents]
    entries = [entry for batch in batches for entry in _debits(batch, plan)]
    return _statement(batches[0], entries, on, opening, number)


def returns(contents: Iterable[bytes], plan: Plan, on: date, *, opening: int, number: int = 2) -> bytes:
    """A later day of the account, camt.053: what comes back of these files, each with the reason of its return."""
    batches = [read(content) for content in contents]
    return _statement(batches[0], _credits(batches, plan), on, opening, number)


def advice(contents: Iterable[bytes], plan: Plan, on: date, *, number: int = 1) -> bytes:
    """The same returns told beforehand, camt.054, as French banks do."""
    from pyiso20022.camt import camt_054_001_08 as c

    batches = [read(content) for content in contents]
    name = f"AVIS-{number}"
    document = c.Document(
        bk_to_cstmr_dbt_cdt_ntfctn=c.BankToCustomerDebitCreditNotificationV08(
            grp_hdr=c.GroupHeader81(msg_id=name, cre_dt_tm=_evening(on)),
            ntfctn=[
                c.AccountNotification17(
                    id=name,
                    cre_dt_tm=_evening(on),
                    acct=_account(c, batches[0].debtor.iban),
                    ntry=[entry.written(c, on) for entry in _credits(batches, plan)],
                )
            ],
        )
    )
    return written(document, _ADVICE, indent=" ")


def _transfer_status(transfer: Transfer, plan: Plan) -> Any:
    from pyiso20022.pain import pain_002_001_10 as p

    fate = plan.fate(transfer)
    reasons = {
        Fate.REJECT: [_status_reason(plan.reason, "")],
        Fate.CLOSE: [_status_reason(None, f"{transfer.name[:1]} {transfer.name.split()[-1]}")],
    }
    return p.PaymentTransaction105(
        orgnl_end_to_end_id=transfer.reference,
        tx_sts=_STATUS.get(fate, "ACCP"),
        sts_rsn_inf=reasons.get(fate, []),
    )


def _status_reason(code: str | None, words: str) -> Any:
    from pyiso20022.pain import pain_002_001_10 as p

    return p.StatusReasonInformation12(
        rsn=p.StatusReason6Choice(cd=code) if code else None, addtl_inf=[words] if words else []
    )


# --- entries of an account


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry: its sum, and the transfers that it names."""

    cents: int
    """Negative: leaves the account."""
    id: str
    named: Sequence[Transfer]
    batch: str | None = None
    returned: str | None = None
    """ISO code of a return."""

    def written(self, c: Any, on: date) -> Any:
        """As the classes of a camt message; `c` is its module."""
        back = self.returned is not None
        family = c.BankTransactionCodeStructure6(cd="RRCT" if back else "ICDT", sub_fmly_cd="RRTN" if back else "ESCT")
        return c.ReportEntry10(
            amt=_amount(c, abs(self.cents)),
            cdt_dbt_ind=_direction(c, self.cents),
            sts=c.EntryStatus1Choice(cd="BOOK"),
            bookg_dt=c.DateAndDateTime2Choice(dt=_day(on)),
            val_dt=c.DateAndDateTime2Choice(dt=_day(on)),
            acct_svcr_ref=self.id,
            bk_tx_cd=c.BankTransactionCodeStructure4(domn=c.BankTransactionCodeStructure5(cd="PMNT", fmly=family)),
            ntry_dtls=[self._details(c)],
        )

    def _details(self, c: Any) -> Any:
        batch = c.BatchInformation2(msg_id=self.batch, pmt_inf_id=self.batch) if self.batch else None
        return c.EntryDetails9(btch=batch, tx_dtls=[self._transaction(c, each) for each in self.named])

    def _transaction(self, c: Any, transfer: Transfer) -> Any:
        cents = abs(self.cents) if len(self.named) == 1 else transfer.amount
        back = None
        if self.returned is not None:
            back = c.PaymentReturnReason5(rsn=c.ReturnReason5Choice(cd=self.returned))
        return c.EntryTransaction10(
            refs=c.TransactionReferences6(end_to_end_id=transfer.reference),
            amt=_amount(c, cents),
            cdt_dbt_ind=_direction(c, self.cents),
            rltd_pties=c.TransactionParties6(
                cdtr=c.Party40Choice(pty=c.PartyIdentification135(nm=transfer.name)),
                cdtr_acct=c.CashAccount38(id=c.AccountIdentification4Choice(iban=transfer.iban)),
            ),
            rmt_inf=c.RemittanceInformation16(ustrd=[transfer.about]) if transfer.about else None,
            rtr_inf=back,
        )


def _debits(batch: Batch, plan: Plan) -> list[_Entry]:
    if plan.whole is not None:
        return []
    out = [each for each in batch.transfers if plan.fate(each) in _BOOKED]
    total = -sum(each.amount for each in out)
    match plan.booked:
        case "one-by-one":
            return [entry for each in out for entry in _debits_of(each, plan.fate(each))]
        case "split":
            return [_Entry(total, batch.message, out, batch.message)] if out else []
        case "as-one":
            return [_Entry(total, batch.message, (), batch.message)] if out else []


def _debits_of(transfer: Transfer, fate: Fate) -> list[_Entry]:
    cents = -transfer.amount + (1 if fate is Fate.SHORT else 0)
    times = 2 if fate is Fate.DOUBLE else 1
    return [_Entry(cents, f"D{number}{transfer.reference}"[:35], [transfer]) for number in range(times)]


def _credits(batches: Sequence[Batch], plan: Plan) -> list[_Entry]:
    return [
        _Entry(each.amount, f"C{each.reference}"[:35], [each], returned=plan.reason)
        for batch in batches
        for each in batch.transfers
        if plan.whole is None and plan.fate(each) is Fate.RETURN
    ]


def _statement(batch: Batch, entries: Sequence[_Entry], on: date, opening: int, number: int) -> bytes:
    from pyiso20022.camt import camt_053_001_08 as c

    name = f"RELEVE-{number}"
    closing = opening + sum(entry.cents for entry in entries)
    document = c.Document(
        bk_to_cstmr_stmt=c.BankToCustomerStatementV08(
            grp_hdr=c.GroupHeader81(msg_id=name, cre_dt_tm=_evening(on)),
            stmt=[
                c.AccountStatement9(
                    id=name,
                    elctrnc_seq_nb=Decimal(number),
                    cre_dt_tm=_evening(on),
                    fr_to_dt=c.DateTimePeriod1(
                        fr_dt_tm=_instant(datetime.combine(on, time(0), UTC)),
                        to_dt_tm=_instant(datetime.combine(on, time(23, 59), UTC)),
                    ),
                    acct=_account(c, batch.debtor.iban),
                    bal=[_balance(c, "OPBD", opening, on), _balance(c, "CLBD", closing, on)],
                    ntry=[entry.written(c, on) for entry in entries],
                )
            ],
        )
    )
    return written(document, _STATEMENT, indent=" ")


def _balance(c: Any, code: str, cents: int, on: date) -> Any:
    return c.CashBalance8(
        tp=c.BalanceType13(cd_or_prtry=c.BalanceType10Choice(cd=code)),
        amt=_amount(c, abs(cents)),
        cdt_dbt_ind=_direction(c, cents),
        dt=c.DateAndDateTime2Choice(dt=_day(on)),
    )


def _account(c: Any, iban: str) -> Any:
    return c.CashAccount39(id=c.AccountIdentification4Choice(iban=iban), ccy="EUR")


def _amount(c: Any, cents: int) -> Any:
    return c.ActiveOrHistoricCurrencyAndAmount(value=Decimal(cents).scaleb(-2), ccy="EUR")


def _direction(c: Any, cents: int) -> Any:
    return c.CreditDebitCode.DBIT if cents < 0 else c.CreditDebitCode.CRDT


def _evening(on: date) -> Any:
    return _instant(datetime.combine(on, time(19), UTC))


def _instant(at: datetime) -> Any:
    from xsdata.models.datatype import XmlDateTime

    return XmlDateTime.from_datetime(at.replace(microsecond=0))


def _day(on: date) -> Any:
    from xsdata.models.datatype import XmlDate

    return XmlDate.from_date(on)
