"""What a bank answers to a file of transfers: pain.002, about the file, its block, or one transfer."""

from collections.abc import Iterator
from typing import Any, Final, Literal

from journeys.channels.sepa.binding import bind
from journeys.channels.sepa.reader import Chain, Piece, reference
from journeys.domain.banking import Answer, FileRefused, Report

CHAIN: Final[Chain] = ("CstmrPmtStsRpt", "OrgnlPmtInfAndSts", "TxInfAndSts")
CHAINS: Final = {"pain.002.001.03": CHAIN, "pain.002.001.10": CHAIN}
UNREAD: Final = frozenset({"InitgPty", "DbtrAgt", "CdtrAgt", "FwdgAgt", "ChrgsInf", "OrgnlTxRef", "NbOfTxsPerSts"})

ANSWERS: Final[dict[str, Answer]] = {
    "RJCT": "rejected", "CANC": "rejected",
    "ACTC": "accepted", "ACCP": "accepted", "ACSP": "accepted", "ACWC": "accepted", "ACWP": "accepted",
    "ACFC": "accepted", "ACSC": "accepted", "ACCC": "accepted", "PRES": "accepted",
    "RVMC": "close", "RVNM": "no-match", "RVNA": "unchecked",
}  # fmt: skip
"""Status codes (ISO external code sets of payment and verification status). ACSC and ACCC say that it was settled,
which this house believes from a statement only. Every other code leaves the matter open: PDNG, RCVD, PART, PATC, RCVC
(the name matches), RVCM and RVNC (some do not, or not yet; the transfers say which)."""


def reports(pieces: Iterator[Piece]) -> Iterator[Report]:
    """Every status in the order of the file. Raises FileRefused."""
    message = ""
    batch: str | None = None
    position = 0
    kinds: dict[str, Any] = {}
    for piece in pieces:
        kinds = kinds or _kinds(piece.message)
        bound = bind(piece, kinds[piece.name])
        level: Literal["file", "batch", "transfer"]
        about: str | None = None
        match piece.name:
            case "CstmrPmtStsRpt":
                level, bound, batch = "file", bound.orgnl_grp_inf_and_sts, None
                message, status = bound.orgnl_msg_id, bound.grp_sts
                if not bound.orgnl_msg_nm_id.startswith("pain.001"):
                    raise FileRefused("other-original", piece.line, message=bound.orgnl_msg_nm_id)
            case "OrgnlPmtInfAndSts":
                level, status = "batch", bound.pmt_inf_sts
                batch = bound.orgnl_pmt_inf_id
            case _:
                level, status = "transfer", bound.tx_sts
                about = reference(bound.orgnl_end_to_end_id, piece)
        if status is None:
            continue
        code = str(getattr(status, "value", status))
        reasons = bound.sts_rsn_inf
        position += 1
        yield Report(
            position=position,
            level=level,
            message=message,
            batch=batch,
            reference=about,
            answer=ANSWERS.get(code, "pending"),
            code=code,
            reason=next((each.rsn.cd or each.rsn.prtry for each in reasons if each.rsn), None),
            about=" ".join(text for each in reasons for text in each.addtl_inf),
        )
    if not kinds:
        raise FileRefused("empty")


def _kinds(message: str) -> dict[str, Any]:
    from pyiso20022.pain import pain_002_001_03 as v03
    from pyiso20022.pain import pain_002_001_10 as v10

    kinds = {
        "pain.002.001.03": (
            v03.CustomerPaymentStatusReportV03, v03.OriginalPaymentInformation1, v03.PaymentTransactionInformation25,
        ),
        "pain.002.001.10": (
            v10.CustomerPaymentStatusReportV10, v10.OriginalPaymentInstruction32, v10.PaymentTransaction105,
        ),
    }  # fmt: skip
    return dict(zip(CHAIN, kinds[message], strict=True))
