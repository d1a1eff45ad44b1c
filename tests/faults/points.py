"""Where a worker may be killed, and how the campaign orders it: a file asks for a death, its new place tells of it."""

import os
import signal
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Point(StrEnum):
    """A step of a payment or of an append at which the worker dies."""

    RESERVE_INSIDE = "reservation: inside its transaction"
    RESERVE_AFTER = "reservation: committed, not answered"
    BEFORE_CLAIM = "payment: before the claim"
    AFTER_CLAIM = "payment: claimed, bank not told"
    AFTER_BANK = "payment: the bank took it"
    AFTER_OUTCOME = "payment: outcome recorded"
    EVENT_BEFORE = "payment: before its event is appended"
    EVENT_INSIDE = "payment: inside the transaction of its event"
    EVENT_AFTER = "payment: event committed, not answered"
    APPEND_BEFORE = "append: before the transaction"
    APPEND_INSIDE = "append: inside the transaction"
    APPEND_AFTER = "append: committed, not answered"


class MoneyPoint(StrEnum):
    """A step between the reservation and the bank's files at which a worker, or whoever handles the files, dies."""

    KEY_WRITTEN = "provider: key written, nothing sent"
    BATCH_INSIDE = "file: inside the transaction that makes it"
    BATCH_AFTER = "file: made, given to nobody"
    GIVEN_AFTER = "file: given out on record, not handed over"
    IMPORT_INSIDE = "statement: inside its transaction"
    IMPORT_AFTER = "statement: stored, nobody told"
    TOLD = "statement: a journey told, not noted"


class SendPoint(StrEnum):
    """A step of a message at which the worker that sends it dies."""

    BEFORE_ATTEMPT = "message: claimed, its attempt not written"
    AFTER_ATTEMPT = "message: its attempt written, nothing sent"
    AFTER_CHANNEL = "message: the channel took it, nothing noted"
    AFTER_END = "message: the end of the attempt noted, the effect has no outcome"
    AFTER_OUTCOME = "message: the outcome recorded, the journey not told"


AnyPoint = Point | MoneyPoint | SendPoint

PAYMENT = tuple(point for point in Point if not point.startswith("append"))
APPEND = tuple(point for point in Point if point.startswith("append"))


class Guard(StrEnum):
    """What a negative control takes away."""

    LOCK = "lock"
    """A fund's row is locked before money is promised."""
    DIGEST = "digest"
    """An approval is for what the approver saw."""

    POSITION = "position"
    """The append checks the position that the workflow expects."""
    CLAIM = "claim"
    """An effect is claimed before it touches the world."""
    BANK_KEY = "bank-key"
    """The bank knows a payment again by its id."""
    SIGNATURE = "signature"
    """Commands must be signed."""
    LOOK_UP = "look-up"
    """A payment whose fate is unknown is looked up, not instructed again."""
    ATTEMPT = "attempt"
    """An attempt to send that is on record, and did not fail, keeps the message from leaving again."""
    LOOK = "look"
    """A message is judged once more right before it leaves."""
    QUIET = "quiet"
    """Nights are spared."""
    VALIDITY = "validity"
    """What comes too late is not sent."""
    CLOSING = "closing"
    """A journey that is closed writes to the person no more."""
    DOUBT = "doubt"
    """What may have left before it was given up is told as unknown, not as never sent."""
    RECEIPTS = "receipts"
    """What was said of a message already is not noted again."""
    NOTICES = "notices"
    """What a gateway tells is believed where it is signed."""


@dataclass(frozen=True)
class Orders:
    """The deaths ordered from the workers of one queue, in files under `home`."""

    home: Path

    def prepare(self) -> None:
        for name in ("ordered", "landed"):
            (self.home / name).mkdir(parents=True, exist_ok=True)

    def order(self, point: AnyPoint, stream: str = "") -> None:
        """The next worker that comes to `point` (for this journey, when one is named) dies there, once."""
        draft = self.home / point.name
        draft.write_text(stream)
        draft.rename(self._ordered(point))

    def take_back(self, point: AnyPoint) -> bool:
        """Withdraw an order; False when it was carried out."""
        try:
            self._ordered(point).unlink()
        except FileNotFoundError:
            return False
        return True

    def landed(self, point: AnyPoint | None = None) -> int:
        """How many workers died at `point`, or in all."""
        return sum(1 for each in (self.home / "landed").iterdir() if point is None or each.suffix == f".{point.name}")

    def strike(self, point: AnyPoint, stream: str) -> None:
        """Called by a worker at a point: die here when that was ordered."""
        if not self.is_ordered(point, stream):
            return
        try:
            # One of several workers gets it; the campaign sees that it landed before the process is gone.
            self._ordered(point).rename(self.home / "landed" / f"{stream}-{os.getpid()}.{point.name}")
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def is_ordered(self, point: AnyPoint, stream: str) -> bool:
        try:
            return self._ordered(point).read_text() in ("", stream)
        except FileNotFoundError:
            return False

    def tell_bank(self, payment: str, key: str) -> None:
        """Note that the bank is told to pay; kept in a file because the worker may die of the next step."""
        descriptor = os.open(self.home / "bank", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(descriptor, f"{payment} {key}\n".encode())
        os.close(descriptor)

    def told_bank(self) -> list[tuple[str, str]]:
        """Each time that the bank was told: the payment, and the key under which."""
        file = self.home / "bank"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(payment, key) for payment, _, key in (line.partition(" ") for line in lines)]

    def _ordered(self, point: AnyPoint) -> Path:
        return self.home / "ordered" / point.name
