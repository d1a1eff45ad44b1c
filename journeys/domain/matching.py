"""What a bank's line or answer says of a payment that we know: what its journey is told, or why a person must look."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from journeys.domain.banking import Line, Report
from journeys.domain.notices import Said
from journeys.domain.state import PaymentStatus


class Trouble(StrEnum):
    """Why a person must look at a line."""

    UNKNOWN_REFERENCE = "unknown-reference"
    """It names no payment of ours, or none at all; of an answer: no file of ours."""
    WRONG_AMOUNT = "wrong-amount"
    WRONG_IBAN = "wrong-iban"
    DOUBLED = "doubled"
    """The same payment left, or came back, once before."""
    NEVER_SENT = "never-sent"
    """Its file was given to nobody."""
    CONTRADICTED = "contradicted"
    """It left although it was rejected or never was; or is rejected although it left."""
    UNEXPECTED_MONEY = "unexpected-money"
    """Money came in that nobody expects."""
    UNSPLIT = "unsplit"
    """A batch booked as one sum: nobody can tell which of its transfers left."""
    REFUSED = "refused"
    """The journey would not take what the line says of it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A payment, as it is known when a line comes."""

    payment: str
    stream: str
    amount: int
    """Cents."""
    iban: str | None = field(repr=False)
    """None: nobody can read it any more."""
    status: PaymentStatus
    reference: str
    """What travels with the money."""
    given: bool = True
    """The file that holds it was given out."""
    left: bool = False
    """An earlier line shows that the money left."""
    back: bool = False
    """An earlier line shows that it came back."""
    told: frozenset[Said] = frozenset()
    """What its journey was told, or is to be told, by earlier lines."""

    @property
    def rejected(self) -> bool:
        return "rejected" in self.told or self.status is PaymentStatus.REJECTED


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comes of a line for one payment. Neither trouble nor anything said: it agrees with what is known."""

    says: tuple[Said, ...] = ()
    trouble: Trouble | None = None


AGREES: Final = Verdict()

_NEVER: Final = frozenset({PaymentStatus.RESERVED, PaymentStatus.CANCELLED, PaymentStatus.BLOCKED})
_WAITS: Final = frozenset({PaymentStatus.INSTRUCTED, PaymentStatus.UNKNOWN})


def match_line(line: Line, known: Known | None) -> Verdict:
    """Judge a booked line against the payment that its reference names.

    Only a line that names a payment with its amount, and its IBAN where both sides tell one, says anything of it. Money
    that comes back although nobody saw it leave did leave: then both are said. What the bank books as its own charge
    agrees, unless it names a payment.
    """
    if known is None and line.fee is not None:
        return AGREES
    if line.batch is not None and line.reference is None:
        return Verdict(trouble=Trouble.UNSPLIT)
    if known is None:
        came_in = line.cents > 0 and not line.returned
        return Verdict(trouble=Trouble.UNEXPECTED_MONEY if came_in else Trouble.UNKNOWN_REFERENCE)
    if line.cents > 0 and not line.returned:
        return Verdict(trouble=Trouble.UNEXPECTED_MONEY)
    if abs(line.cents) != known.amount:
        return Verdict(trouble=Trouble.WRONG_AMOUNT)
    if line.iban is not None and known.iban is not None and line.iban != known.iban:
        return Verdict(trouble=Trouble.WRONG_IBAN)
    if not known.given:
        return Verdict(trouble=Trouble.NEVER_SENT)
    return _came_back(known) if line.cents > 0 else _left(known)


def _left(known: Known) -> Verdict:
    if known.left:
        return Verdict(trouble=Trouble.DOUBLED)
    if known.rejected or known.status in _NEVER:
        return Verdict(trouble=Trouble.CONTRADICTED)
    return Verdict(says=("settled",)) if known.status.open and not known.back else AGREES


def _came_back(known: Known) -> Verdict:
    if known.back:
        return Verdict(trouble=Trouble.DOUBLED)
    if known.rejected or known.status is PaymentStatus.RETURNED:
        return AGREES
    if known.status in _NEVER:
        return Verdict(trouble=Trouble.CONTRADICTED)
    return Verdict(says=("returned",) if known.left or not known.status.open else ("settled", "returned"))


def match_report(report: Report, known: Known | None) -> Verdict:
    """Judge an answer against a payment that it is about: the one that it names, or each of its file or block.

    No answer proves that money left, and `pending` says nothing: silence and patience are not success.
    """
    if known is None:
        return Verdict(trouble=Trouble.UNKNOWN_REFERENCE)
    if not known.given:
        return Verdict(trouble=Trouble.NEVER_SENT)
    match report.answer:
        case "pending":
            return AGREES
        case "rejected" if known.rejected or known.back or known.status is PaymentStatus.RETURNED:
            return AGREES
        case "rejected" if known.left or not known.status.open:
            return Verdict(trouble=Trouble.CONTRADICTED)
        case "rejected":
            return Verdict(says=("rejected",))
        case answer:
            settled = known.rejected or known.left or known.back or answer in known.told
            still = known.status in _WAITS if answer == "accepted" else known.status.open
            return Verdict(says=(answer,)) if still and not settled else AGREES


# --- whether a line was seen before


@dataclass(frozen=True, slots=True)
class Identity:
    """By what a line is known again in another file. Digests: nothing can be read from them."""

    exact: bytes
    """With the bank's own reference where it gives one. Two lines of this identity are one."""
    alike: bytes
    """Without it. Lines alike are one where a file leaves the bank's reference out."""


class Counted:
    """Gives each line of one statement its identity: equal lines of the same statement are apart, by their number."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._seen: dict[bytes, int] = {}

    def of(self, line: Line) -> Identity:
        """The identity of the next line."""
        said = (self._account, line.booked_on, line.cents, line.reference, line.batch, line.returned)
        # Some banks begin their references anew each day; a reference of ours names its payment on any day.
        day = line.booked_on if line.reference is None else None
        exact = (self._account, line.bank_reference, day, line.cents, line.reference, line.batch, line.returned)
        alike = self._numbered("alike", said)
        return Identity(self._numbered("exact", exact) if line.bank_reference is not None else alike, alike)

    def _numbered(self, kind: str, said: tuple[object, ...]) -> bytes:
        plain = _digest(kind, *said)
        self._seen[plain] = nth = self._seen.get(plain, 0) + 1
        return plain if nth == 1 else _digest(kind, *said, nth)


def identity_of(report: Report) -> Identity:
    """An answer that says the same of the same is one answer."""
    exact = _digest("report", report.level, report.message, report.batch, report.reference, report.code, report.reason)
    return Identity(exact, exact)


def _digest(*said: object) -> bytes:
    return hashlib.sha256(repr([None if each is None else str(each) for each in said]).encode()).digest()


def seen_before(identity: Identity, bank_reference: str | None, stored: Mapping[bytes, bool]) -> bool:
    """Whether a line is one of those stored.

    Args:
        stored: by exact identity and by likeness, whether it stands there without a bank's reference.
    """
    if identity.exact in stored:
        return True
    bare = stored.get(identity.alike)
    return bare is not None and (bare or bank_reference is None)
