"""What a bank booked: camt.053 (statements) and camt.054 (advices, where French banks tell rejects and returns)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final, Literal

from journeys.channels.iban import key_holds
from journeys.channels.sepa.binding import bind, conforming
from journeys.channels.sepa.reader import Piece, reference
from journeys.domain.banking import FileRefused, Line, StatementHead

CHAINS: Final = {
    "camt.053.001.02": ("BkToCstmrStmt", "Stmt", "Ntry"),
    "camt.053.001.08": ("BkToCstmrStmt", "Stmt", "Ntry"),
    "camt.054.001.02": ("BkToCstmrDbtCdtNtfctn", "Ntfctn", "Ntry"),
    "camt.054.001.08": ("BkToCstmrDbtCdtNtfctn", "Ntfctn", "Ntry"),
}
UNREAD: Final = frozenset(
    {
        "NtryRef", "ValDt", "Avlbty", "Chrgs", "Intrst", "CardTx", "TechInptChanl", "AddtlInfInd", "PstlAdr",
        "CtctDtls", "CtryOfRes", "RltdAgts", "RltdDts", "RltdPric", "RltdQties", "FinInstrmId", "Tax", "CorpActn",
        "SfkpgAcct", "CshDpst", "Purp", "LclInstrm", "RltdRmtInf", "UltmtDbtr", "UltmtCdtr", "InitgPty", "OrgnlBkTxCd",
        "Orgtr", "Svcr", "Ownr", "TxsSummry", "InstdAmt", "CntrValAmt", "AnncdPstngAmt", "PrtryAmt", "Strd", "Prxy",
        "MsgRcpt", "OrgnlBizQry", "RptgSrc", "RptgSeq", "RltdAcct", "CdtLine", "SubTp",
    }
)  # fmt: skip
"""What nothing here asks for: half the time of a statement is saved by passing it over."""

_OPENING: Final = ("OPBD", "PRCD")
_FEES: Final = frozenset({"CHRG", "COMM", "FEES", "COME"})
"""Families and sub-families of the bank's own charges."""
_GIVEN_BACK: Final = frozenset({"RRTN", "RPCR", "RRCT", "RJCT", "RTRN"})
"""Families and sub-families of bank transaction codes by which a transfer of ours comes back."""


@dataclass(slots=True)
class _Sum:
    """What the lines of one statement come to, beside what its head says."""

    head: StatementHead
    whole: bool
    """The head's balances are those of these lines alone (not one page of several)."""
    lines: int = 0
    cents: int = 0

    def check(self) -> None:
        """Raises FileRefused when opening balance and lines are not the closing balance."""
        opening, closing = self.head.opening, self.head.closing
        if self.whole and opening is not None and closing is not None and opening + self.cents != closing:
            raise FileRefused("does-not-add-up", self.head.line, statement=self.head.id, lines=str(self.lines))


def statements(pieces: Iterator[Piece]) -> Iterator[StatementHead | Line]:
    """Each statement's head, then its booked lines, one at a time. Raises FileRefused, also at the very end."""
    kinds: dict[str, Any] = {}
    message: Any = None
    running: _Sum | None = None
    for piece in pieces:
        kinds = kinds or _kinds(piece.message)
        bound = bind(piece, kinds[piece.name])
        if piece.name == "Ntry":
            assert running is not None
            with conforming(piece):
                lines = list(_lines_of(bound, piece, running))
            running.lines += len(lines)
            running.cents += sum(each.cents for each in lines)
            yield from lines
        elif piece.name in ("Stmt", "Ntfctn"):
            if running is not None:
                running.check()
            with conforming(piece):
                running = _head_of(bound, piece, message)
            yield running.head
        else:
            message = bound.grp_hdr
    if running is None:
        raise FileRefused("empty", 1)
    running.check()


# --- head


def _head_of(bound: Any, piece: Piece, message: Any) -> _Sum:
    account = bound.acct
    if not account.id.iban:
        raise FileRefused("no-iban", piece.line)
    if account.ccy not in (None, "EUR"):
        raise FileRefused("other-currency", piece.line, currency=account.ccy)
    kind: Literal["camt.053", "camt.054"] = "camt.053" if piece.name == "Stmt" else "camt.054"
    balances = {} if kind == "camt.054" else _balances(bound.bal, piece)
    period = bound.fr_to_dt
    head = StatementHead(
        id=bound.id,
        kind=kind,
        iban=_bare(account.id.iban),
        currency=account.ccy,
        opening=next((balances[code] for code in _OPENING if code in balances), None),
        closing=balances.get("CLBD"),
        first_day=_date_of(period.fr_dt_tm) if period else None,
        last_day=_date_of(period.to_dt_tm) if period else None,
        created=_instant(bound.cre_dt_tm or message.cre_dt_tm),
        line=piece.line,
    )
    pages = (getattr(bound, "stmt_pgntn", None), message.msg_pgntn)
    return _Sum(head, whole=all(each is None or (each.pg_nb == "1" and each.last_pg_ind) for each in pages))


def _balances(balances: Any, piece: Piece) -> dict[str, int]:
    return {
        each.tp.cd_or_prtry.cd: _cents(each.amt, each.cdt_dbt_ind, piece)
        for each in balances
        if each.tp.cd_or_prtry.cd is not None
    }


# --- lines


def _lines_of(entry: Any, piece: Piece, running: _Sum) -> Iterator[Line]:
    """The lines of one entry: one for each transfer where the bank splits it to the cent, else one for all of it."""
    status = getattr(entry.sts, "cd", None) or getattr(entry.sts, "value", None)
    if status != "BOOK":
        return
    before, own = running.lines, running.head.iban
    cents = _cents(entry.amt, entry.cdt_dbt_ind, piece)
    details = [tx for each in entry.ntry_dtls for tx in each.tx_dtls]
    plain = Line(
        position=before + 1,
        booked_on=_booked_on(entry.bookg_dt, piece),
        cents=cents,
        currency="EUR",
        reference=None,
        iban=None,
        name=None,
        bank_reference=entry.acct_svcr_ref,
        returned=cents > 0 and (bool(entry.rvsl_ind) or _gives_back(entry.bk_tx_cd)),
        reason=None,
        about=entry.addtl_ntry_inf or "",
        fee=_fee(entry.bk_tx_cd) if cents < 0 else None,
    )
    if len(details) == 1:
        yield _detailed(plain, details[0], own, piece)
        return
    parts = [part for tx in details if (part := _part(tx, entry, piece)) is not None]
    if details and len(parts) == len(details) and sum(parts) == cents:
        for number, (tx, part) in enumerate(zip(details, parts, strict=True), before + 1):
            yield _detailed(replace(plain, position=number, cents=part), tx, own, piece)
    else:
        yield replace(plain, batch=_batch(entry))


def _part(tx: Any, entry: Any, piece: Piece) -> int | None:
    """What one transfer of a split entry came to, in the account's currency; None when the bank does not say."""
    amount = getattr(tx, "amt", None)
    if amount is None and tx.amt_dtls is not None and tx.amt_dtls.tx_amt is not None:
        amount = tx.amt_dtls.tx_amt.amt
    direction = getattr(tx, "cdt_dbt_ind", None) or entry.cdt_dbt_ind
    return None if amount is None else _cents(amount, direction, piece)


def _detailed(line: Line, tx: Any, own: str, piece: Piece) -> Line:
    """The line with what the bank says of its one transfer."""
    refs, back = tx.refs, tx.rtr_inf
    returned = line.returned or (line.cents > 0 and (back is not None or _gives_back(tx.bk_tx_cd)))
    name, iban = _other_side(tx.rltd_pties, own, paid=line.cents < 0 or returned)
    if iban is not None and not key_holds(iban):
        raise FileRefused("iban-key", piece.line, iban=f"{iban[:4]}…{iban[-4:]}")
    about = " ".join(tx.rmt_inf.ustrd) if tx.rmt_inf else ""
    return replace(
        line,
        reference=reference(refs.end_to_end_id, piece) if refs else None,
        iban=iban,
        name=name,
        bank_reference=(refs.acct_svcr_ref if refs else None) or line.bank_reference,
        returned=returned,
        reason=(back.rsn.cd or back.rsn.prtry) if back is not None and back.rsn is not None else None,
        about=about or tx.addtl_tx_inf or line.about,
        fee=line.fee or (_fee(tx.bk_tx_cd) if line.cents < 0 else None),
    )


def _other_side(parties: Any, own: str, *, paid: bool) -> tuple[str | None, str | None]:
    """Name and account of who was paid; of who pays when money came in.

    A return names the parties of the original transfer, or of itself, as each bank likes: never our own account.
    """
    if parties is None:
        return None, None
    sides = [(parties.cdtr, parties.cdtr_acct), (parties.dbtr, parties.dbtr_acct)]
    for party, account in sides if paid else reversed(sides):
        known = getattr(party, "pty", party)
        name = known.nm if known is not None else None
        iban = _bare(account.id.iban) if account is not None and account.id.iban else None
        if iban != own and (name, iban) != (None, None):
            return name, iban
    return None, None


def _batch(entry: Any) -> str | None:
    """The message of a batch booked as one sum, where the bank names it."""
    for each in entry.ntry_dtls:
        if each.btch is not None and (named := each.btch.pmt_inf_id or each.btch.msg_id):
            return str(named)
    named = {tx.refs.pmt_inf_id or tx.refs.msg_id for each in entry.ntry_dtls for tx in each.tx_dtls if tx.refs}
    return str(named.pop()) if len(named) == 1 and None not in named else None


def _gives_back(code: Any) -> bool:
    return not _GIVEN_BACK.isdisjoint(_families(code))


def _fee(code: Any) -> str | None:
    return next((each for each in _families(code) if each in _FEES), None)


def _families(code: Any) -> tuple[str, ...]:
    """Family and sub-family of a bank transaction code, as far as the bank gives them."""
    family = code.domn.fmly if code is not None and code.domn is not None else None
    return () if family is None else tuple(each for each in (family.cd, family.sub_fmly_cd) if each)


def _booked_on(at: Any, piece: Piece) -> date:
    if at is None:
        raise FileRefused("no-date", piece.line)
    return _date_of(at.dt_tm) if at.dt is None else date(at.dt.year, at.dt.month, at.dt.day)


def _cents(amount: Any, direction: Any, piece: Piece) -> int:
    if amount.ccy != "EUR":
        raise FileRefused("other-currency", piece.line, currency=amount.ccy)
    cents = int(amount.value.scaleb(2))
    return cents if direction.value == "CRDT" else -cents


def _bare(iban: str) -> str:
    return "".join(iban.split()).upper()


def _instant(at: Any) -> datetime:
    instant: datetime = at.to_datetime()
    return instant.astimezone(UTC) if instant.tzinfo is not None else instant


def _date_of(at: Any) -> date:
    """The day as the bank wrote it, in its own offset."""
    day: date = at.to_datetime().date()
    return day


def _kinds(message: str) -> dict[str, Any]:
    from pyiso20022.camt import camt_053_001_02, camt_053_001_08, camt_054_001_02, camt_054_001_08

    v = {
        "camt.053.001.02": (camt_053_001_02, "BankToCustomerStatementV02", "AccountStatement2", "ReportEntry2"),
        "camt.053.001.08": (camt_053_001_08, "BankToCustomerStatementV08", "AccountStatement9", "ReportEntry10"),
        "camt.054.001.02": (
            camt_054_001_02, "BankToCustomerDebitCreditNotificationV02", "AccountNotification2", "ReportEntry2",
        ),
        "camt.054.001.08": (
            camt_054_001_08, "BankToCustomerDebitCreditNotificationV08", "AccountNotification17", "ReportEntry10",
        ),
    }  # fmt: skip
    module, *names = v[message]
    return dict(zip(CHAINS[message], (getattr(module, name) for name in names), strict=True))
