"""What people wrote, made ready for paper: every character comes out as itself, or as its number; none is a command.

The typesetter gets text as data, in runs, so nothing in it can be markup. What it could still do is fail: PDF/UA
forbids a character that no font can show. `SHOWN` holds those that the fonts inside typst can; any other comes out
as its number, `[U+1F600]`, so that nothing is lost and nobody is misled.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, Final

BREAK: Final = 0
"""A place where a word that is longer than a line may be cut; it puts no character into the text."""
NEW_LINE: Final = 1

Run = str | int | list[str]
"""A text, `BREAK`, `NEW_LINE`, or in a list what stands for characters that cannot be shown."""

_LONGEST_WORD: Final = 32
_PIECE: Final = 8
_TAB: Final = "\N{NO-BREAK SPACE}" * 4
_LINE_ENDS: Final = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_WORDS: Final = re.compile(rf"\S{{{_LONGEST_WORD + 1},}}")
_JOINERS: Final = frozenset("\u200c\u200d\u2060")
_SELECTORS: Final = frozenset(map(chr, range(0xFE00, 0xFE10)))
_RANGES: Final = """
20-7E A0-377 37A-37F 384-38A 38C 38E-3A1 3A3-4FF 510-513 51A-51D 531-556 559-58A 58D-58F 591-5C7 5D0-5EA 5EF-5F4
606-60C 615 61B 61F 621-63A 640-655 65A 660-66D 674 679-67B 67E-680 683-684 686-687 691 698 6A4 6A9 6AF 6BE 6CC
6F0-6F9 900-97F E3F E81-E82 E84 E87-E88 E8A E8D E94-E97 E99-E9F EA1-EA3 EA5 EA7 EAA-EAB EAD-EB9 EBB-EBC EC8-ECD
10D0-10FF 13A0-13F5 13F8-13FD 1AB0-1ACE 1D00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D
1F5F-1F7D 1F80-1FB4 1FB6-1FC4 1FC6-1FD3 1FD6-1FDB 1FDD-1FEF 1FF2-1FF4 1FF6-1FFE 2000-2027 202F-2040 2042
2044-2052 2054-2060 2070-2071 2074-208E 2090-209C 20A0-20C0 20D0-20F0 2100-211E 2120 2122 2124 2126-2151
2153-2184 2189 2190-23FF 2422-2423 2460-262F 2638-268B 2690-269C 26A0-26A7 26AA-26B2 2701-2704 2706-2709
270C-2727 2729-274B 274D 274F-2752 2756 2758-275E 2761-277F 2794 2798-27AF 27B1-2B73 2B76-2B95 2B97-2BFF
2C60-2CF3 2CF9-2CFF 2E02-2E05 2E08-2E0A 2E17-2E18 2E1F 2E22-2E25 2E2E 3012 3016-3017 301A-301B 3030 3036 306E
A46A-A46B A640-A641 A648-A649 A656-A657 A708-A716 A71B-A727 A72D A730 A735 A765 A789-A78E A790-A791 A793 A7AA
A7F8-A7F9 AB52 AB66 AB70-ABBF FB00-FB06 FB13-FB17 FB1D-FB36 FB38-FB3C FB3E FB40-FB41 FB43-FB44 FB46-FB4F
FB52-FB81 FB8A-FB95 FB9E-FB9F FBAA-FBAD FBE8-FBE9 FBFC-FBFF FE00-FE01 FE20-FE2F FE66 FE70-FE74 FE76-FEFC FFFC-
FFFD 10140-1018E 102E0-102FB 1D106-1D107 1D400-1D454 1D456-1D49C 1D49E-1D49F 1D4A2 1D4A5-1D4A6 1D4A9-1D4AC
1D4AE-1D4B9 1D4BB 1D4BD-1D4C3 1D4C5-1D505 1D507-1D50A 1D50D-1D514 1D516-1D51C 1D51E-1D539 1D53B-1D53E
1D540-1D544 1D546 1D54A-1D550 1D552-1D6A5 1D6A8-1D7CB 1D7CE-1D7FF 1EE00-1EE03 1EE05-1EE1F 1EE21-1EE22 1EE24
1EE27 1EE29-1EE32 1EE34-1EE37 1EE39 1EE3B 1EE42 1EE47 1EE49 1EE4B 1EE4D-1EE4F 1EE51-1EE52 1EE54 1EE57 1EE59
1EE5B 1EE5D 1EE5F 1EE61-1EE62 1EE64 1EE67-1EE6A 1EE6C-1EE72 1EE74-1EE77 1EE79-1EE7C 1EE7E 1EE80-1EE89
1EE8B-1EE9B 1EEA1-1EEA3 1EEA5-1EEA9 1EEAB-1EEBB 1EEF0-1EEF1 1F12F 1F6D1 1F780-1F7D8 1F7E0-1F7EB 1F800-1F80B
1F810-1F847 1F850-1F859 1F860-1F887 1F890-1F8AD 1F8B0-1F8B1
"""
"""Code points that the fonts inside typst show; without controls, private ones, and what turns the reading
direction (an amount must not read backwards). `tests/documents/test_verbatim.py` holds it against those fonts."""


def _code_points(ranges: str) -> Iterator[int]:
    for each in ranges.split():
        first, _, last = each.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


SHOWN: Final = frozenset(map(chr, _code_points(_RANGES)))
_PLAIN: Final = frozenset(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x180)])) | set("‘’“”–—…•€\u202f") - {"\xad"}


class Care(IntEnum):
    """How much is asked of the fonts; the next step is taken when the typesetter refuses the one before."""

    FULL = 0
    UNCOMBINED = 1
    """Marks that combine are shown as numbers: their letter may stand in a font that lacks them."""
    LATIN = 2
    """Only letters that every font has."""

    def shows(self, sign: str) -> bool:
        match self:
            case Care.FULL:
                return sign in SHOWN
            case Care.UNCOMBINED:
                return sign in SHOWN and not unicodedata.category(sign).startswith("M") and sign not in _JOINERS
            case Care.LATIN:
                return sign in _PLAIN


def prepared(data: Any, care: Care = Care.FULL) -> Any:
    """The same data with every text in runs; keys, numbers and booleans as they are."""
    match data:
        case str():
            return runs(data, care)
        case dict():
            return {key: prepared(value, care) for key, value in data.items()}
        case list() | tuple():
            return [prepared(value, care) for value in data]
        case _:
            return data


def runs(text: str, care: Care = Care.FULL) -> list[Run]:
    """A text as runs for the layout."""
    found: list[Run] = []
    for nth, line in enumerate(_LINE_ENDS.split(text)):
        if nth:
            found.append(NEW_LINE)
        for shown, signs in _grouped(line.replace("\t", _TAB), care.shows):
            if shown:
                found += _broken(signs)
            else:
                found.append([_numbers(signs)])
    return found


def one_line(text: str) -> str:
    """The text for a title of the file's properties: one line, no control, no more than a shelf mark needs."""
    said = "".join(
        signs if shown else _numbers(signs) for shown, signs in _grouped(" ".join(text.split()), SHOWN.__contains__)
    )
    return said if len(said) <= 200 else said[:199] + "…"


def paragraphs(text: str) -> list[str]:
    """A text cut at its empty lines."""
    return [each for each in re.split(r"\n[ \t]*\n\s*", _LINE_ENDS.sub("\n", text).strip("\n")) if each.strip()]


def right_to_left(text: str) -> bool:
    """Whether the first letter that has a direction goes from right to left."""
    for sign in text:
        match unicodedata.bidirectional(sign):
            case "L":
                return False
            case "R" | "AL":
                return True
    return False


def _grouped(line: str, shows: Callable[[str], bool]) -> Iterator[tuple[bool, str]]:
    """Stretches that can be shown, and stretches that cannot; what joins or varies a sign goes with it."""
    start, shown = 0, True
    for at, sign in enumerate(line):
        if at and (sign in _SELECTORS or (not shown and sign in _JOINERS)):
            continue
        now = shows(sign)
        if now != shown:
            if at > start:
                yield shown, line[start:at]
            start, shown = at, now
    if start < len(line):
        yield shown, line[start:]


def _numbers(signs: str) -> str:
    return "[" + " ".join(f"U+{ord(sign):04X}" for sign in signs) + "]"


def _broken(text: str) -> Iterator[Run]:
    """The text with places to break in words that no line holds; never between a letter and its marks."""
    at = 0
    for word in _WORDS.finditer(text):
        last = word.start()
        for place in range(word.start() + _PIECE, word.end()):
            if place - last >= _PIECE and _may_break(text, place):
                yield text[at:place]
                yield BREAK
                at = last = place
    if at < len(text):
        yield text[at:]


def _may_break(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    return (
        before not in _JOINERS
        and after not in _JOINERS
        and after not in _SELECTORS
        and not unicodedata.category(after).startswith("M")
    )
