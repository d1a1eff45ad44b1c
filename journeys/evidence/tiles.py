"""Where tiles and entries of a log stand, and how entries are bundled: C2SP tlog-tiles."""

import struct
from collections.abc import Iterable
from typing import Final

from journeys.evidence.tree import WIDTH

LONGEST_ENTRY: Final = 65_535


class TooLong(ValueError):
    """An entry that no bundle can hold."""


def tile_path(level: int, n: int, width: int = WIDTH) -> str:
    """`tile/0/x001/067`, with `.p/W` behind it for a partial one."""
    return f"tile/{level}/{_place(n, width)}"


def entries_path(n: int, width: int = WIDTH) -> str:
    """`tile/entries/x001/067`, with `.p/W` behind it for a partial one."""
    return f"tile/entries/{_place(n, width)}"


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries one after the other, each behind its length (two bytes, big-endian). Raises TooLong."""
    found = bytearray()
    for entry in entries:
        if len(entry) > LONGEST_ENTRY:
            raise TooLong(f"{len(entry)} bytes")
        found += struct.pack(">H", len(entry)) + entry
    return bytes(found)


def unbundled(content: bytes) -> list[bytes]:
    """The entries of a bundle. Raises ValueError where it is cut off."""
    found, at = [], 0
    while at < len(content):
        if at + 2 > len(content):
            raise ValueError("a bundle ends within a length")
        (length,) = struct.unpack_from(">H", content, at)
        at += 2 + length
        if at > len(content):
            raise ValueError("a bundle ends within an entry")
        found.append(content[at - length : at])
    return found


def _place(n: int, width: int) -> str:
    digits = str(n)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    place = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return place if width == WIDTH else f"{place}.p/{width}"
