"""What travels between an account of the association and its bank: transfers out, statements and answers in.

The files themselves (ISO 20022) are read and written in `journeys/channels/sepa`. Names, IBAN and remittance texts are
personal data: they stand in sealed files and protected rows, never in events or logs.
"""

import base64
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

MOST_TRANSFERS = 10_000
"""Of one batch: what banks take in one file."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the association, as it stands in its contract with the bank."""

    name: str
    iban: str = field(repr=False)
    """Without spaces."""
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment in a batch."""

    payment: str
    """Our id of it; does not travel."""
    reference: str
    """EndToEndId, from the payment's id alone: by it the bank's answers find their payment again."""
    amount: int
    """Euro cents, more than nothing."""
    name: str = field(repr=False)
    iban: str = field(repr=False)
    about: str = field(repr=False)
    """What the payee reads on a statement; says nothing about prison."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One file of transfers, executed on one day. The same batch is the same bytes for ever."""

    message: str
    """MsgId and the id of its only block: at most 35 of letters, digits and -. Never used for other content."""
    created: datetime
    """Aware; travels in UTC, whole seconds."""
    execute_on: date
    debtor: Account
    transfers: tuple[Transfer, ...]

    @property
    def total(self) -> int:
        """Euro cents."""
        return sum(each.amount for each in self.transfers)


@dataclass(frozen=True, slots=True)
class StatementHead:
    """What a bank says of a statement (camt.053) or an advice (camt.054) before its lines."""

    id: str
    kind: Literal["camt.053", "camt.054"]
    iban: str
    """The account that it is about; whether it is ours, the caller judges."""
    currency: str | None
    """Of the account, where the bank says it; no line is in another currency than EUR."""
    opening: int | None
    """Booked balances in cents, negative when overdrawn; None where the bank says none (advices, pages of a day)."""
    closing: int | None
    first_day: date | None
    last_day: date | None
    created: datetime
    """As the bank wrote it; naive where the bank named no offset."""
    line: int | None = field(default=None, compare=False)
    """Where it begins in the file."""


@dataclass(frozen=True, slots=True)
class Line:
    """One movement that a bank booked. An entry that the bank splits into its transfers is one line for each."""

    position: int
    """Counted from 1 in its statement."""
    booked_on: date
    cents: int
    """Negative: left the account."""
    currency: str
    reference: str | None
    """EndToEndId of the transfer, where the bank gives it."""
    iban: str | None = field(repr=False)
    """Of the other side: who was paid, or from whom it came."""
    name: str | None = field(repr=False)
    bank_reference: str | None
    """The bank's own reference of the entry; the lines of one split entry share it."""
    returned: bool
    """Money of a transfer of ours that comes back (or never left, and is booked back)."""
    reason: str | None
    """ISO code of a return: AC01, AC04, MS03, …"""
    about: str = field(repr=False)
    batch: str | None = None
    """The message of a batch that is booked as one sum and not split: `cents` is then of all of it."""
    fee: str | None = None
    """Code by which the bank books what it takes for itself (CHRG, COMM, FEES); None: no such debit."""


Answer = Literal["accepted", "rejected", "pending", "close", "no-match", "unchecked"]
"""What a bank answers. `close`, `no-match`, `unchecked`: the payee's name beside the account. No answer proves that
money left: only a statement does."""


@dataclass(frozen=True, slots=True)
class Report:
    """One answer of a bank (pain.002) about a file of ours, its block, or one transfer in it."""

    position: int
    """Counted from 1 in its file."""
    level: Literal["file", "batch", "transfer"]
    message: str
    """MsgId of the file that it answers to."""
    batch: str | None
    """The block's id, on the levels batch and transfer."""
    reference: str | None
    """EndToEndId, on the level transfer."""
    answer: Answer
    code: str
    """The status as the bank wrote it: ACCP, RJCT, RVMC, …"""
    reason: str | None
    """ISO code of a refusal: AC01, AM04, …"""
    about: str = field(repr=False)
    """Further words of the bank: on a close match, the name that it knows."""


class FileRefused(Exception):
    """A file of a bank is not taken, and nothing of it: a code, the line in the file, and what stands there."""

    def __init__(self, code: str, line: int | None = None, **details: str) -> None:
        super().__init__(f"{code} (line {line})" if line is not None else code)
        self.code = code
        self.line = line
        self.details = {name: text[:80] for name, text in details.items()}


def reference_of(id: str) -> str:
    """What travels with the money (end-to-end id), or names a file: 26 letters and digits, from the id alone."""
    return base64.b32encode(UUID(id).bytes).decode().rstrip("=")
