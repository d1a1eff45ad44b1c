"""The Merkle tree of RFC 6962 (section 2.1) with SHA-256: how it grows by tiles, its roots, its proofs.

Hashes are 32 bytes. A proof is first a list of ranges of leaves, each the hash of one subtree; `range_hash` reads
these from tiles. So what must be fetched is known before anything is hashed.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

HASH_BYTES: Final = 32
HEIGHT: Final = 8
"""Levels of the tree in one level of tiles."""
WIDTH: Final = 2**HEIGHT
"""Hashes in a full tile."""
EMPTY_ROOT: Final = sha256(b"").digest()


class Tile(NamedTuple):
    """Hashes side by side: leaves at level 0, above it the roots of full tiles of the level below."""

    level: int
    n: int
    hashes: bytes


class Range(NamedTuple):
    """The leaves of a subtree: from `begin`, without `end`."""

    begin: int
    end: int


ReadTile = Callable[[int, int], bytes]
"""Level and n to the hashes of a tile, a partial one among them."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees together."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root above the hashes of subtrees of one size (the last may be smaller); of leaves, the tree's."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        above = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def split(hashes: bytes) -> list[bytes]:
    """The hashes of a tile, one by one."""
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


class Growing:
    """The right edge of a tree: everything that more leaves need to know of those before.

    Args:
        edge: the hashes of the partial tile of each level, from the leaves up; nothing for an empty tree.
    """

    def __init__(self, edge: Sequence[bytes] = ()) -> None:
        self._levels = [bytearray(level) for level in edge]
        self._size: int = sum(len(level) // HASH_BYTES * WIDTH**at for at, level in enumerate(self._levels))

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._size

    @property
    def edge(self) -> tuple[bytes, ...]:
        return tuple(bytes(level) for level in self._levels)

    def grow(self, leaves: Iterable[bytes]) -> list[Tile]:
        """Add leaves (their hashes); the tiles that became full, those below before those above."""
        full: list[Tile] = []
        for leaf in leaves:
            self._size += 1
            self._add(0, leaf, full)
        return full

    def _add(self, level: int, hash: bytes, full: list[Tile]) -> None:
        if level == len(self._levels):
            self._levels.append(bytearray())
        tile = self._levels[level]
        tile += hash
        if len(tile) == WIDTH * HASH_BYTES:
            full.append(Tile(level, self._size // WIDTH ** (level + 1) - 1, bytes(tile)))
            tile.clear()
            self._add(level + 1, root_of(split(full[-1].hashes)), full)

    def root(self) -> bytes:
        """The root of the whole tree."""
        right: list[bytes] = []
        for level in self._levels:
            whole = [*split(bytes(level)), *right]
            right = [root_of(whole)] if whole else []
        return right[0] if right else EMPTY_ROOT


# --- proofs


def inclusion(index: int, size: int) -> list[Range]:
    """What proves that a leaf is in a tree: RFC 6962, PATH(m, D[n]), from the leaf up. Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    found: list[Range] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _left(end - begin)
        if index < middle:
            found.append(Range(middle, end))
            end = middle
        else:
            found.append(Range(begin, middle))
            begin = middle
    return found[::-1]


def consistency(old: int, new: int) -> list[Range]:
    """What proves that a tree only grew: RFC 6962, PROOF(m, D[n]); nothing for an empty or the same tree."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} cannot have grown from one of {old}")
    return _subproof(old, Range(0, new), whole=True) if 0 < old < new else []


def _subproof(old: int, range: Range, *, whole: bool) -> list[Range]:
    begin, end = range
    if begin + old == end:
        return [] if whole else [range]
    middle = begin + _left(end - begin)
    if begin + old <= middle:
        return [*_subproof(old, Range(begin, middle), whole=whole), Range(middle, end)]
    return [*_subproof(old - (middle - begin), Range(middle, end), whole=False), Range(begin, middle)]


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows a leaf (its hash) in the tree of this root: RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        return False
    at, last, hash = index, size - 1, leaf
    for each in proof:
        if last == 0:
            return False
        if at % 2 or at == last:
            hash = node_hash(each, hash)
            while at % 2 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            hash = node_hash(hash, each)
        at, last = at >> 1, last >> 1
    return last == 0 and hash == root


def consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the new tree holds the whole old one at its beginning: RFC 9162, 2.1.4.2."""
    if old == new or old == 0:
        return not proof and old <= new and (old_root == new_root if old == new else old_root == EMPTY_ROOT)
    if old > new or not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    at, last = old - 1, new - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            before, after = node_hash(each, before), node_hash(each, after)
            while at % 2 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, each)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


# --- hashes of ranges, out of tiles


def range_hash(range: Range, tile: ReadTile) -> bytes:
    """The root of the subtree over a range that a proof names (or of the whole tree: from 0)."""
    hash: bytes | None = None
    for height, index in reversed(_perfect(range)):
        found = _node(height, index, tile)
        hash = found if hash is None else node_hash(found, hash)
    return EMPTY_ROOT if hash is None else hash


def tiles_of(ranges: Iterable[Range]) -> set[tuple[int, int]]:
    """Level and n of the tiles in which `range_hash` reads."""
    return {
        (height // HEIGHT, index << height % HEIGHT >> HEIGHT)
        for each in ranges
        for height, index in _perfect(each)
    }  # fmt: skip


def _left(size: int) -> int:
    """The largest power of two below the size: how many leaves the left subtree has."""
    return 1 << (size - 1).bit_length() - 1


def _perfect(range: Range) -> list[tuple[int, int]]:
    """Height and place of the perfect subtrees of which a range is made, from the left."""
    found, begin = [], range.begin
    while begin < range.end:
        height = (range.end - begin).bit_length() - 1
        found.append((height, begin >> height))
        begin += 1 << height
    return found


def _node(height: int, index: int, tile: ReadTile) -> bytes:
    level, within = divmod(height, HEIGHT)
    first = index << within
    at = first % WIDTH * HASH_BYTES
    hashes = tile(level, first // WIDTH)[at : at + (HASH_BYTES << within)]
    return root_of(split(hashes))
