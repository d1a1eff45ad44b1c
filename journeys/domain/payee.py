"""Whom money is for: a name and, where a transfer goes there, an account; written as one text, so that one commitment
covers both."""

import re
from dataclasses import dataclass, field
from typing import Final

PAYEE: Final = "payee"
"""The part of a command, and the field of the name."""
IBAN: Final = "iban"
"""The field of the account: what is typed there goes into the part."""
WITH_ACCOUNT: Final = frozenset({"sepa", "http"})
"""Channels that pay into an account."""

_ACCOUNT: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}")
"""What looks like an IBAN. Whether it is one, `journeys.channels.iban` says before it is written down."""


@dataclass(frozen=True, slots=True)
class Payee:
    """A name, and an IBAN in its normal form (capitals, no spaces) where money goes to an account."""

    name: str
    iban: str | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """As the part `payee` holds it: `NAME, FR76 3000 …`."""
        return self.name if self.iban is None else f"{self.name}, {grouped(self.iban)}"


def read_payee(text: str) -> Payee:
    """A payee as it is written: an account is what follows the last comma and looks like one, or the whole text.

    The name is empty where only an account was written.
    """
    name, _, last = text.rpartition(",")
    plain = "".join(last.split()).upper()
    if _ACCOUNT.fullmatch(plain):
        return Payee(name.strip(), plain)
    return Payee(text.strip())


def grouped(iban: str) -> str:
    """An IBAN in groups of four, as people compare it."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
