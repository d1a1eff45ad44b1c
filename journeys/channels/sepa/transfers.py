"""Transfers out: a batch as pain.001.001.09, for the SEPA credit transfer of the EPC's customer-to-bank guidelines.

The same batch is the same bytes on every machine; what was written is read back before anybody gets it.
"""

import io
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from journeys.channels.iban import WrongIban, check
from journeys.channels.sepa.binding import bind, conforming, written
from journeys.channels.sepa.reader import Chain, pieces
from journeys.domain.banking import MOST_TRANSFERS, Account, Batch, FileRefused, Transfer

MESSAGE: Final = "pain.001.001.09"
CHAIN: Final[Chain] = ("CstmrCdtTrfInitn", "PmtInf", "CdtTrfTxInf")
MOST_CENTS: Final = 999_999_999_99
NAME: Final = 70
ABOUT: Final = 140

_ID: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,33}[A-Za-z0-9])?")
_LATIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
_INSTEAD: Final = str.maketrans(
    {
        "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d",
        "Đ": "D", "’": "'", "‘": "'", "ʼ": "'", "`": "'", "“": "'", "”": "'", '"': "'", "«": "'", "»": "'", "–": "-",
        "—": "-", "‐": "-", "‑": "-", "_": "-", "&": "+", "€": "EUR", ";": ",", "°": "o",
    }
)  # fmt: skip


def latin(text: str, most: int) -> str:
    """A text in the letters that every bank takes: accents fall, what is unknown becomes a point. At most so long."""
    plain = unicodedata.normalize("NFKD", " ".join(text.translate(_INSTEAD).split()))
    kept = (each if each in _LATIN else "." for each in plain if not unicodedata.combining(each))
    return "".join(kept)[:most].strip()


def refusal(transfer: Transfer) -> str | None:
    """Why this transfer cannot stand in a file: a code, or None."""
    if _ID.fullmatch(transfer.reference) is None:
        return "reference"
    if not 0 < transfer.amount <= MOST_CENTS:
        return "amount"
    if not any(each.isalnum() for each in latin(transfer.name, NAME)):
        return "name-not-latin"
    found = check(transfer.iban)
    return found.code if isinstance(found, WrongIban) else None


def as_written(batch: Batch) -> Batch:
    """The batch as its file says it: latin letters, IBAN without spaces, whole seconds; our own ids do not travel."""
    debtor = replace(batch.debtor, name=latin(batch.debtor.name, NAME), iban=_bare(batch.debtor.iban))
    transfers = tuple(
        replace(each, payment="", name=latin(each.name, NAME), iban=_bare(each.iban), about=latin(each.about, ABOUT))
        for each in batch.transfers
    )
    created = batch.created.astimezone(UTC).replace(microsecond=0)
    return replace(batch, created=created, debtor=debtor, transfers=transfers)


def render(batch: Batch) -> bytes:
    """The file. Raises ValueError for a batch that no bank would take (see `refusal` for its transfers)."""
    _check(batch)
    asked = as_written(batch)
    content = _bytes(asked)
    if read(content) != asked:
        raise RuntimeError(f"batch {batch.message}: the file does not say what was asked")
    return content


def read(content: bytes) -> Batch:
    """The batch of a file of ours. Raises FileRefused."""
    from pyiso20022.pain.pain_001_001_09 import (
        CreditTransferTransaction34,
        CustomerCreditTransferInitiationV09,
        PaymentInstruction30,
    )

    kinds = dict(
        zip(
            CHAIN, (CustomerCreditTransferInitiationV09, PaymentInstruction30, CreditTransferTransaction34), strict=True
        )
    )
    head: Any = None
    block: Any = None
    bound_transfers = []
    for piece in pieces(io.BytesIO(content), {MESSAGE: CHAIN}):
        bound = bind(piece, kinds[piece.name])
        match piece.name:
            case "CstmrCdtTrfInitn":
                head = bound.grp_hdr
            case "PmtInf" if block is None:
                block = bound
            case "PmtInf":
                raise FileRefused("out-of-order", piece.line, element=piece.name)
            case _:
                bound_transfers.append(bound)
    if block is None:
        raise FileRefused("empty")
    with conforming(piece):
        batch = Batch(
            message=head.msg_id,
            created=head.cre_dt_tm.to_datetime().astimezone(UTC),
            execute_on=block.reqd_exctn_dt.dt.to_date(),
            debtor=Account(block.dbtr.nm, block.dbtr_acct.id.iban, block.dbtr_agt.fin_instn_id.bicfi),
            transfers=tuple(_transfer_of(each) for each in bound_transfers),
        )
    said = {(each.nb_of_txs, each.ctrl_sum) for each in (head, block)}
    if said != {(str(len(batch.transfers)), _euro(batch.total))}:
        raise FileRefused("does-not-add-up")
    return batch


def _check(batch: Batch) -> None:
    wrong = [f"transfer {each.reference}: {code}" for each in batch.transfers if (code := refusal(each))]
    if _ID.fullmatch(batch.message) is None:
        wrong.append("message")
    if not 0 < len(batch.transfers) <= MOST_TRANSFERS:
        wrong.append(f"{len(batch.transfers)} transfers")
    if len({each.reference for each in batch.transfers}) < len(batch.transfers):
        wrong.append("a reference twice")
    if batch.created.tzinfo is None:
        wrong.append("created without offset")
    if isinstance(found := check(batch.debtor.iban), WrongIban):
        wrong.append(f"debtor: {found.code}")
    if wrong:
        raise ValueError(f"batch {batch.message} cannot be written: {', '.join(wrong)}")


def _bare(iban: str) -> str:
    return "".join(iban.split()).upper()


def _euro(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _transfer_of(bound: Any) -> Transfer:
    return Transfer(
        payment="",
        reference=bound.pmt_id.end_to_end_id,
        amount=int(bound.amt.instd_amt.value.scaleb(2)),
        name=bound.cdtr.nm,
        iban=bound.cdtr_acct.id.iban,
        about="".join(bound.rmt_inf.ustrd) if bound.rmt_inf else "",
    )


def _bytes(batch: Batch) -> bytes:
    from pyiso20022.pain.pain_001_001_09 import Document

    return written(Document(cstmr_cdt_trf_initn=_initiation(batch)), MESSAGE)


def _initiation(batch: Batch) -> Any:
    """Head and one block; who asks for it is the holder of the account."""
    from pyiso20022.pain import pain_001_001_09 as p

    debtor = batch.debtor
    count, total = str(len(batch.transfers)), _euro(batch.total)
    return p.CustomerCreditTransferInitiationV09(
        grp_hdr=p.GroupHeader85(
            msg_id=batch.message,
            cre_dt_tm=_instant(batch.created),
            nb_of_txs=count,
            ctrl_sum=total,
            initg_pty=p.PartyIdentification135(nm=debtor.name),
        ),
        pmt_inf=[
            p.PaymentInstruction30(
                pmt_inf_id=batch.message,
                pmt_mtd=p.PaymentMethod3Code.TRF,
                btch_bookg=False,
                nb_of_txs=count,
                ctrl_sum=total,
                pmt_tp_inf=p.PaymentTypeInformation26(svc_lvl=[p.ServiceLevel8Choice(cd="SEPA")]),
                reqd_exctn_dt=p.DateAndDateTime2Choice(dt=_day(batch.execute_on)),
                dbtr=p.PartyIdentification135(nm=debtor.name),
                dbtr_acct=_account(debtor.iban),
                dbtr_agt=p.BranchAndFinancialInstitutionIdentification6(fin_instn_id=_bank(debtor.bic)),
                chrg_br=p.ChargeBearerType1Code.SLEV,
                cdt_trf_tx_inf=[_transaction(each) for each in batch.transfers],
            )
        ],
    )


def _transaction(transfer: Transfer) -> Any:
    from pyiso20022.pain import pain_001_001_09 as p

    return p.CreditTransferTransaction34(
        pmt_id=p.PaymentIdentification6(end_to_end_id=transfer.reference),
        amt=p.AmountType4Choice(instd_amt=p.ActiveOrHistoricCurrencyAndAmount(value=_euro(transfer.amount), ccy="EUR")),
        cdtr=p.PartyIdentification135(nm=transfer.name),
        cdtr_acct=_account(transfer.iban),
        rmt_inf=p.RemittanceInformation16(ustrd=[transfer.about]) if transfer.about else None,
    )


def _account(iban: str) -> Any:
    from pyiso20022.pain import pain_001_001_09 as p

    return p.CashAccount38(id=p.AccountIdentification4Choice(iban=iban))


def _bank(bic: str | None) -> Any:
    from pyiso20022.pain import pain_001_001_09 as p

    if bic is not None:
        return p.FinancialInstitutionIdentification18(bicfi=bic)
    return p.FinancialInstitutionIdentification18(othr=p.GenericFinancialIdentification1(id="NOTPROVIDED"))


def _instant(at: datetime) -> Any:
    from xsdata.models.datatype import XmlDateTime

    return XmlDateTime.from_datetime(at)


def _day(on: date) -> Any:
    from xsdata.models.datatype import XmlDate

    return XmlDate.from_date(on)
