"""Account numbers, checked before anything hangs on them."""

from dataclasses import dataclass
from typing import Final, Literal

JOINED: Final = frozenset({"AL", "MD", "ME", "MK", "RS"})
"""In the area since October 2025, Serbia since 2026 (European Payments Council); schwifty does not know it yet."""


@dataclass(frozen=True, slots=True)
class WrongIban:
    """Why a text is no account that a SEPA transfer reaches."""

    code: Literal["iban-shape", "iban-country", "iban-length", "iban-key", "iban-outside-sepa"]


_VALUES: Final = {ord(letter): str(value) for value, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10)}


def key_holds(iban: str) -> bool:
    """Whether the key (ISO 7064) of an account in its normal form is right, wherever the account is."""
    turned = (iban[4:] + iban[:4]).translate(_VALUES)
    return turned.isascii() and turned.isdigit() and int(turned) % 97 == 1


def check(text: str) -> str | WrongIban:
    """The account in its normal form (no spaces, capitals), or what is wrong: the first that is found.

    The key (ISO 7064) finds every single wrong letter or digit and nearly all swapped ones. Whether the account exists
    and whose it is, only its bank knows.
    """
    from schwifty import IBAN, exceptions

    plain = "".join(text.split()).upper()
    if not (plain.isascii() and plain.isalnum()):
        return WrongIban("iban-shape")
    try:
        iban = IBAN(plain)
    except exceptions.InvalidCountryCode:
        return WrongIban("iban-country")
    except exceptions.InvalidLength:
        return WrongIban("iban-length")
    except exceptions.InvalidChecksumDigits:
        return WrongIban("iban-key")
    except exceptions.SchwiftyException:
        return WrongIban("iban-shape")
    return str(iban) if iban.in_sepa_zone or iban.country_code in JOINED else WrongIban("iban-outside-sepa")
