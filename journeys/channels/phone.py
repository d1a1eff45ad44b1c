"""Phone numbers, checked before anything is sent to them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

OVERSEAS: Final = {
    "America/Guadeloupe": "GP", "America/Marigot": "MF", "America/St_Barthelemy": "BL", "America/Martinique": "MQ",
    "America/Cayenne": "GF", "America/Miquelon": "PM", "Indian/Reunion": "RE", "Indian/Mayotte": "YT",
    "Pacific/Noumea": "NC", "Pacific/Tahiti": "PF", "Pacific/Marquesas": "PF", "Pacific/Gambier": "PF",
    "Pacific/Wallis": "WF",
}  # fmt: skip
"""The region of each zone of France overseas: numbers are dialled there without the code that they have elsewhere."""

FRENCH: Final = ("FR", *dict.fromkeys(OVERSEAS.values()))

_DIALLED_AS_AT_HOME: Final = ("GP", "MQ", "GF", "RE", "YT")
"""Regions whose mobiles are dialled from all of them, and from the mainland, by ten digits."""
_SHORTEST: Final = 7
_LONGEST: Final = 40


@dataclass(frozen=True, slots=True)
class WrongNumber:
    """Why a text is no number that takes a short message."""

    code: Literal[
        "bad-number-shape", "bad-number-short", "bad-number-unknown", "bad-number-not-mobile", "bad-number-abroad"
    ]


def check(text: str, countries: Collection[str] | None = FRENCH, zone: str | None = None) -> str | WrongNumber:
    """The number as `+` and digits (E.164), or what is wrong: the first that is found.

    Whether anybody has it, and still has it, only its network knows.

    Args:
        countries: regions (ISO 3166) whose mobiles are written to; None: every one.
        zone: where its owner lives; a number without a country is read as it is dialled there, else as on the
            mainland.
    """
    import phonenumbers
    from phonenumbers import PhoneNumberType

    if len(text) > _LONGEST or any(sign.isalpha() for sign in text):
        return WrongNumber("bad-number-shape")
    try:
        number = _read(text, OVERSEAS.get(zone or "", "FR"))
    except phonenumbers.NumberParseException:
        return WrongNumber("bad-number-short" if _is_short(text) else "bad-number-shape")
    if not phonenumbers.is_valid_number(number):
        return WrongNumber("bad-number-short" if _is_short(text) else "bad-number-unknown")
    if phonenumbers.number_type(number) not in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE):
        return WrongNumber("bad-number-not-mobile")
    if countries is not None and phonenumbers.region_code_for_number(number) not in countries:
        return WrongNumber("bad-number-abroad")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def dialled(text: str, zone: str | None) -> str:
    """The number of somebody who lives there, for whoever writes to it and whoever hears it: as it is dialled from
    anywhere, in whatever country; as it was written where that is none."""
    found = check(text, None, zone)
    return text if isinstance(found, WrongNumber) else found


def _read(text: str, region: str) -> "PhoneNumber":
    """As it is dialled in a region, else as on the mainland: whoever moved overseas keeps `06…`."""
    import phonenumbers

    number = phonenumbers.parse(text, region)
    if region == "FR" or phonenumbers.is_valid_number(number):
        return _really(number)
    return _really(phonenumbers.parse(text, "FR"))


def _really(number: "PhoneNumber") -> "PhoneNumber":
    """`0690…` and `+33 690…` are of Guadeloupe, whoever wrote them down."""
    import phonenumbers

    if phonenumbers.is_valid_number(number) or number.country_code != 33:
        return number
    for region in _DIALLED_AS_AT_HOME:
        other = phonenumbers.parse(f"0{number.national_number}", region)
        if phonenumbers.is_valid_number(other):
            return other
    return number


def _is_short(text: str) -> bool:
    return 0 < sum(sign.isdecimal() for sign in text) < _SHORTEST
