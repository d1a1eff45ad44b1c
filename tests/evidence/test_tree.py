"""The tree against the vectors of certificate transparency, and against the definition of RFC 6962 at many sizes."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeys.evidence import tree
from journeys.evidence.tree import Growing, Range

LEAVES = [bytes.fromhex(each) for each in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [bytes.fromhex(each) for each in (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)]  # fmt: skip
"""By size; from the tests of certificate-transparency-go."""

INCLUSIONS = {
    (0, 8): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
    (5, 8): ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
}  # fmt: skip
CONSISTENCIES = {
    (1, 1): [],
    (1, 8): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
             "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
    (6, 8): ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
             "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 5): ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
             "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
}  # fmt: skip


def hashes(count: int) -> list[bytes]:
    return [tree.leaf_hash(str(number).encode()) for number in range(count)]


def defined(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 writes it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return tree.node_hash(defined(leaves[:left]), defined(leaves[left:]))


def reader(leaves: list[bytes]) -> tree.ReadTile:
    """The tiles of a tree, the partial ones too."""
    growing = Growing()
    tiles = {(tile.level, tile.n): tile.hashes for tile in growing.grow(leaves)}
    tiles |= {(at, len(leaves) // 256 ** (at + 1)): edge for at, edge in enumerate(growing.edge) if edge}
    return lambda level, n: tiles[level, n]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_vectors(size: int) -> None:
    leaves = [tree.leaf_hash(each) for each in LEAVES[:size]]
    growing = Growing()
    growing.grow(leaves)
    assert tree.root_of(leaves) == growing.root() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSIONS)
def test_inclusion_is_that_of_the_vectors(index: int, size: int) -> None:
    read = reader([tree.leaf_hash(each) for each in LEAVES[:size]])
    proof = [tree.range_hash(each, read) for each in tree.inclusion(index, size)]
    assert [each.hex() for each in proof] == INCLUSIONS[index, size]
    assert tree.included(tree.leaf_hash(LEAVES[index]), index, size, proof, ROOTS[size])
    assert not tree.included(tree.leaf_hash(LEAVES[index]), index ^ 1, size, proof, ROOTS[size])


@pytest.mark.parametrize(("old", "new"), CONSISTENCIES)
def test_consistency_is_that_of_the_vectors(old: int, new: int) -> None:
    read = reader([tree.leaf_hash(each) for each in LEAVES[:new]])
    proof = [tree.range_hash(each, read) for each in tree.consistency(old, new)]
    assert [each.hex() for each in proof] == CONSISTENCIES[old, new]
    assert tree.consistent(old, ROOTS[old], new, ROOTS[new], proof)
    assert not tree.consistent(old, ROOTS[old + 1], new, ROOTS[new], proof)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 900), st.integers(0, 900), st.data())
def test_any_tree_by_the_definition(one: int, other: int, data: st.DataObject) -> None:
    old, new = sorted((one, other))
    leaves = hashes(new)
    read = reader(leaves)
    root, before = defined(leaves), defined(leaves[:old])
    assert tree.range_hash(Range(0, new), read) == root
    grown = Growing()
    grown.grow(leaves[:old])
    assert grown.root() == before
    again = Growing(grown.edge)
    again.grow(leaves[old:])
    assert (again.root(), again.size) == (root, new)
    ranges = tree.consistency(old, new)
    fetched = {key: read(*key) for key in tree.tiles_of(ranges)}
    proof = [tree.range_hash(each, lambda level, n: fetched[level, n]) for each in ranges]
    assert tree.consistent(old, before, new, root, proof)
    if old < new:
        assert not old or not tree.consistent(old, before, new, before, proof)
        index = data.draw(st.integers(0, new - 1))
        path = [tree.range_hash(each, read) for each in tree.inclusion(index, new)]
        assert tree.included(leaves[index], index, new, path, root)
        assert not tree.included(leaves[index - 1], index, new, path, root) or new == 1


@pytest.mark.parametrize("size", [255, 256, 257, 65_535, 65_536, 65_537])
def test_full_tiles_at_the_borders(size: int) -> None:
    growing = Growing()
    full = growing.grow(hashes(size))
    assert len([tile for tile in full if tile.level == 0]) == size // 256
    assert [tile.n for tile in full if tile.level == 0] == list(range(size // 256))
    assert growing.root() == tree.root_of(hashes(size))
    assert Growing(growing.edge).size == size


def test_what_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="no leaf"):
        tree.inclusion(3, 3)
    with pytest.raises(ValueError, match="grown"):
        tree.consistency(3, 2)
    assert not tree.consistent(3, ROOTS[3], 2, ROOTS[2], [])
    assert not tree.included(ROOTS[1], 0, 0, [], ROOTS[0])
