"""How long a short message is: its alphabet, its units, into how many segments it is cut (3GPP TS 23.038, 23.040)."""

from dataclasses import dataclass
from typing import Final, Literal

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
"""Two units each: a sign of its own comes before."""
_PLAINER: Final = str.maketrans({
    "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...", "œ": "oe", "Œ": "OE",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u00ad": None, "\u200b": None, "\ufeff": None,
})  # fmt: skip
"""Signs of typesetting, each of which alone would more than halve what a segment holds."""

_ONE: Final = {"gsm-7": 160, "ucs-2": 70}
_EACH: Final = {"gsm-7": 153, "ucs-2": 67}
"""Of several, each says of which message it is a part."""


@dataclass(frozen=True, slots=True)
class Length:
    """How a text travels."""

    alphabet: Literal["gsm-7", "ucs-2"]
    units: int
    """Septets, or 16-bit units."""
    segments: int


def plain(text: str) -> str:
    """The same words without the signs of typesetting, without spaces at the ends of lines and blank lines."""
    lines = (" ".join(line.split()) for line in text.translate(_PLAINER).splitlines())
    return "\n".join(line for line in lines if line)


def length(text: str) -> Length:
    """How a text travels. No sign is cut in two, so that a segment may stay a unit short."""
    alphabet: Literal["gsm-7", "ucs-2"] = "gsm-7" if set(text) <= _BASIC | _EXTENDED else "ucs-2"
    sizes = [_size(sign, alphabet) for sign in text]
    units = sum(sizes)
    if units <= _ONE[alphabet]:
        return Length(alphabet, units, 1)
    segments, free = 1, _EACH[alphabet]
    for size in sizes:
        if size > free:
            segments, free = segments + 1, _EACH[alphabet]
        free -= size
    return Length(alphabet, units, segments)


def _size(sign: str, alphabet: str) -> int:
    if alphabet == "gsm-7":
        return 2 if sign in _EXTENDED else 1
    return 2 if ord(sign) > 0xFFFF else 1
