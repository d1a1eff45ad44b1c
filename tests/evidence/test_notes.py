"""Notes against those of golang's sumdb and of C2SP; tiles and bundles; what is not one."""

import pytest

from journeys.evidence import heads, note, tiles, tree
from journeys.evidence.note import BadNote, Checkpoint, Signer

NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAID = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
SIGNER = Signer("release-journeys/test", b"7" * 32)
CHECKPOINT = Checkpoint("release-journeys/test", 3, bytes(range(32)))


def test_a_signature_of_golangs_own_tests_holds() -> None:
    import base64

    key = note.read_vkey(NEUMANN)
    blob = base64.b64decode(SIGNATURE)
    assert key.vkey() == NEUMANN and blob[:4] == key.id and key.holds(SAID.encode(), blob[4:])


def test_the_checkpoint_of_the_specification_is_read() -> None:
    text = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE"
        "+xeMcTOAYQ8=\n"
    )
    assert note.unsigned(text).size == 20852163


def test_a_note_is_borne_out_by_its_key_only() -> None:
    signed = SIGNER.sign(CHECKPOINT)
    known = [note.read_vkey(SIGNER.verifier.vkey())]
    assert note.open_checkpoint(signed, known) == (CHECKPOINT, SIGNER.verifier)
    # A witness's signature stands beside it.
    witnessed = signed + f"— PeterNeumann {SIGNATURE}\n"
    assert note.open_checkpoint(witnessed, known)[0] == CHECKPOINT
    with pytest.raises(BadNote, match="unknown-key"):
        note.open_checkpoint(signed, [note.read_vkey(NEUMANN)])
    with pytest.raises(BadNote, match="bad-signature"):
        note.open_checkpoint(signed.replace("\n3\n", "\n2\n"), known)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a\n1\n\n",
        "a\n01\nAAAA\n\n— a AAAAAAAAAA==\n",
        "a\n1\nAAAA\n\n- a AAAAAAAAAA==\n",
        "a\n-1\nx\n\n— a AAAA\n",
    ],
)
def test_what_is_not_a_checkpoint(text: str) -> None:
    with pytest.raises(BadNote, match="malformed"):
        note.unsigned(text)


@pytest.mark.parametrize(
    "vkey", ["", "a", "a+b+c", NEUMANN[:-1], NEUMANN.replace("c74f20a3", "c74f20a4"), "a b" + NEUMANN]
)
def test_what_is_not_a_key(vkey: str) -> None:
    with pytest.raises(BadNote, match="not-a-vkey"):
        note.read_vkey(vkey)


def test_where_tiles_stand() -> None:
    assert tiles.tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tiles.entries_path(5, 112) == "tile/entries/005.p/112"


def test_bundles_hold_entries_verbatim() -> None:
    entries = [b"", b"{}", b"x" * tiles.LONGEST_ENTRY]
    assert tiles.unbundled(tiles.bundle(entries)) == entries
    with pytest.raises(tiles.TooLong):
        tiles.bundle([b"x" * (tiles.LONGEST_ENTRY + 1)])
    for cut in (1, 3):
        with pytest.raises(ValueError, match="ends within"):
            tiles.unbundled(tiles.bundle([b"ab"])[:cut])


def test_heads_are_a_tree_in_the_order_of_streams() -> None:
    lines = [heads.HeadLine("system", 2, b"1" * 32), heads.HeadLine("fund-a", 1, b"2" * 32)]
    assert heads.heads_root(lines) == heads.heads_root(lines[::-1])
    assert heads.heads_root(lines) == tree.root_of([tree.leaf_hash(line.text()) for line in lines[::-1]])
    assert heads.heads_root([]) == tree.EMPTY_ROOT
