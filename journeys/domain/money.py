"""Amounts of money: integer cents, never a float."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

Cents = Annotated[int, Field(ge=0, le=100_000_000_00)]
"""An amount in euro cents."""

_EURO = re.compile(r"^(\d{1,9})(?:[.,](\d{1,2}))?(?: ?(?:EUR|€))?$")


def parse_euro(text: str | int) -> int:
    """Read `1200 EUR`, `1200`, `1200,50 €` into cents. Raises ValueError that says what may be written."""
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise ValueError(f"“{text}” is not an amount; write for example 1200 EUR")
    found = _EURO.match(" ".join(str(text).replace("\u202f", " ").replace("\u00a0", " ").split()))
    if found is None:
        raise ValueError(f"“{text}” is not an amount in euros; write for example 1200 EUR or 85,50 EUR, without a sign")
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def format_euro(cents: int, lang: str = "fr") -> str:
    """Write cents as a person reads them: `1 200,50 €` or `€1,200.50`."""
    sign, whole, rest = "-" if cents < 0 else "", abs(cents) // 100, abs(cents) % 100
    if lang == "en":
        return f"{sign}€{whole:,}.{rest:02d}"
    return f"{sign}{whole:,}".replace(",", "\u202f") + f",{rest:02d}\u00a0€"


def split(cents: int, shares: list[int]) -> list[int]:
    """Split an amount by percentages; the last part takes the rest of the cents."""
    parts = [cents * share // 100 for share in shares[:-1]]
    return [*parts, cents - sum(parts)]


def _euro_text(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d} EUR"


EuroField = Annotated[
    int,
    BeforeValidator(parse_euro),
    PlainSerializer(_euro_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+([.,]\d{1,2})?( EUR| €)?$", "examples": ["1200 EUR"]}),
]
"""An amount as programmes write it, kept in cents."""
