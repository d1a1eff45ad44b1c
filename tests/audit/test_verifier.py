"""What somebody can write who makes an export by hand, with every key: the verifier is taken in by none of it."""

import json
import os
import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.audit.by_hand import DAY, ORIGIN, Log
from tests.audit.corrupting import SEED, Target, dumps, note, of_nothing, tree, vkey
from tests.audit.verifier import VERIFY, verified

SOMEBODY = UUID(int=7)
ACCOUNTS = f"finance-{SOMEBODY}"
ONE, OTHER = f"journey-{UUID(int=1)}", f"journey-{UUID(int=2)}"
OLD, NEW = SEED, b"6" * 32
OLD_KEY, NEW_KEY = vkey(ORIGIN, OLD), vkey(ORIGIN, NEW)


def life(changed: int = -1) -> Log:
    """Forty events of two journeys; another one at `changed`, and all behind it linked anew."""
    log = Log()
    for nth in range(40):
        log.add((ONE, OTHER)[nth % 2], data={"changed": nth == changed})
    return log


# --- what was signed


@pytest.mark.parametrize("last", [False, True])
def test_a_checkpoint_of_nothing_hides_nothing(tmp_path: Path, last: bool) -> None:
    genuine, log = life().sign(), life(changed=9)
    forged = of_nothing(bytes(32), ORIGIN)
    log.notes = [genuine, forged] if last else [forged, genuine]
    found = verified(log.write(tmp_path / "x").folder)
    assert (found.exit, found.counts["root"]) == (3, 1 if last else 2)
    assert found.counts["checkpoint-place"] == last


def test_an_empty_tree_that_was_signed_is_no_harm(tmp_path: Path) -> None:
    log = life()
    log.notes = [of_nothing(sha256(b"").digest(), ORIGIN)]
    log.sign()
    assert verified(log.write(tmp_path / "x").folder).exit == 0


def test_nothing_vouches_for_an_export_of_nothing(tmp_path: Path) -> None:
    log = Log()
    log.notes = [of_nothing(sha256(b"").digest(), ORIGIN)]
    assert verified(log.write(tmp_path / "x").folder).exit == 6


def test_a_held_checkpoint_vouches_for_what_it_covers_and_no_more(tmp_path: Path) -> None:
    half = note(ORIGIN, 20, tree(life().entries[:20]))
    genuine, log = life(), life(changed=25)
    whole = genuine.sign()
    log.sign(NEW)
    export, forged = (each.write(tmp_path / name).folder for name, each in (("genuine", genuine), ("forged", log)))

    def vouched(folder: Path, *held: str, keys: tuple[str, ...] = ()) -> tuple[int, list[Any]]:
        found = verified(folder, *held, keys=keys)
        return found.exit, [place["since"] for code, place in found.findings if code == "unknown-key"]

    assert vouched(export, whole) == (0, [])
    assert vouched(export, half) == vouched(forged, half) == vouched(forged, half, keys=(OLD_KEY,)) == (6, [20])
    assert vouched(forged, keys=(OLD_KEY,)) == (6, [0])
    assert vouched(forged, whole)[0] == 3
    log.notes = [note(ORIGIN, 30, tree(log.entries[:30])), log.notes[-1]]
    assert vouched(log.write(tmp_path / "rotated").folder, keys=(OLD_KEY,)) == (6, [30])


def test_a_signature_is_verified_only_where_something_hangs_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    for _ in range(200):
        log.add(ONE)
        log.sign()
    folder, seen, signed = log.write(tmp_path / "x").folder, list[bytes](), VERIFY.Key.signed
    monkeypatch.setattr(VERIFY.Key, "signed", lambda key, *said: (seen.append(said[1]), signed(key, *said))[1])
    found = verified(folder)
    assert (found.exit, found.said["checkpoints"], len(seen)) == (0, 200, 1)


def test_a_key_that_counts_no_more(tmp_path: Path) -> None:
    """Rotated as it should be; stolen; under another name of the log; and signing on after it was revoked."""
    log = life()
    log.sign(OLD)
    stolen = log.write(tmp_path / "stolen").folder
    log.revoke(OLD_KEY)
    log.sign(NEW)
    rotated = log.write(tmp_path / "rotated").folder
    elsewhere = vkey("release-journeys/former", OLD)

    assert verified(rotated, keys=(OLD_KEY, NEW_KEY), revoked=(OLD_KEY,)).exit == 0
    assert verified(rotated, keys=(NEW_KEY,)).exit == 0
    for keys, revoked in (((NEW_KEY,), OLD_KEY), ((OLD_KEY,), OLD_KEY), ((OLD_KEY, NEW_KEY), elsewhere)):
        found = verified(stolen, keys=keys, revoked=(revoked,))
        assert (found.exit, set(found.counts)) == (3, {"revoked-key"}), (keys, revoked)

    for name, told in (("same", OLD_KEY), ("named", elsewhere)):
        log = life()
        log.sign(OLD)
        log.revoke(told)
        log.sign(OLD)
        # A second revocation does not move the end of the first.
        log.revoke(told)
        log.sign(NEW)
        found = verified(log.write(tmp_path / name).folder, keys=(OLD_KEY, NEW_KEY))
        assert [(code, place["size"]) for code, place in found.findings] == [("revoked-key", 41)]
    log = life()
    log.revoke(elsewhere)
    log.sign(OLD)
    assert verified(log.write_journey(tmp_path / "one", ONE).folder).counts["revoked-key"] == 1


def test_a_log_begun_anew_is_told(tmp_path: Path) -> None:
    log, former = life(), "release-journeys/former"
    held = log.note(origin=former)
    log.add("system", "LogBegun", {"origin": ORIGIN, "former": former, "size": 40, "held": 55})
    log.sign()
    found = verified(log.write(tmp_path / "x").folder, held)
    told = {"position": 40, "size": 40, "held": 55, "former": former}
    assert (found.exit, found.notices) == (0, [("log-begun", told)])
    assert "55" in found.text("fr") and "former" in found.text("en")


def test_roots_at_every_size_and_what_they_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    entries, full = [str(n).encode() for n in range(600)], list[tuple[int, int, bytes]]()
    tree_of, sizes = VERIFY.Tree(lambda *tile: full.append(tile)), {*range(1, 40), *range(250, 260), 511, 512, 513, 600}
    assert tree_of.root() == sha256(b"").digest()
    hashed: list[int] = []
    plain = VERIFY.node_hash
    for size, entry in enumerate(entries, 1):
        tree_of.add(VERIFY.leaf_hash(entry))
        if size in sizes:
            with monkeypatch.context() as patch:
                patch.setattr(VERIFY, "node_hash", lambda *pair: (hashed.append(1), plain(*pair))[1])
                assert tree_of.root() == tree(entries[:size]), size
    assert len(hashed) < 10 * len(sizes)
    leaves = [sha256(b"\0" + entry).digest() for entry in entries]
    assert full == [(0, n, b"".join(leaves[n * 256 : n * 256 + 256])) for n in range(2)]
    assert [(level, n, len(hashes) // 32) for level, n, hashes in tree_of.partial()] == [(0, 2, 88), (1, 0, 2)]


# --- what crashes nothing


def sealed_as(target: Target, path: str, digest: str, size: Any) -> None:
    """The manifest says so of a file."""
    body = json.loads((target.folder / "manifest.json").read_bytes())
    body["files"][path] = {"sha256": digest, "size": size}
    body.pop("digest")
    target.put("manifest.json", dumps({**body, "digest": sha256(dumps(body)).hexdigest()}))


@pytest.fixture
def target(tmp_path: Path) -> Target:
    log = life()
    log.snapshot()
    log.sign()
    return log.write(tmp_path / "export")


def test_sizes_that_are_none(target: Target) -> None:
    for size in (float("inf"), 1e400, -1, "1", True):
        sealed_as(target, "ocel2.json", "0" * 64, size)
        assert verified(target.folder).counts == {"manifest": 1}, size
    target.seal(size=float("inf"))
    assert verified(target.folder).counts == {"manifest": 1}
    target.seal(made_at="2027-99-12T08:00:00.000000Z")
    assert verified(target.folder).counts == {"manifest": 1}


def test_a_folder_that_cannot_be_read(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one of mode 000 is to anybody but root."""
    plain = os.scandir

    def scandir(folder: Path) -> Any:
        if folder.name == "tile":
            raise PermissionError(13, "Permission denied")
        return plain(folder)

    monkeypatch.setattr(VERIFY.os, "scandir", scandir)
    found = verified(target.folder)
    assert found.exit == 3 and ("unreadable", {"path": "tile", "why": "Permission denied"}) in found.findings


@pytest.mark.parametrize("path", ["parts.jsonl", "checkpoints.jsonl", "heads.txt", "ocel2.json", "tile/000"])
def test_a_file_without_end_is_not_read(target: Target, path: str) -> None:
    """One that is larger than announced, and one that is announced to be larger than it can be."""
    (target.folder / "tile" / "000").touch()
    target.seal()
    os.truncate(target.folder / path, 1 << 40)
    assert verified(target.folder).exit == 3
    sealed_as(target, path, "0" * 64, 1 << 40)
    found = verified(target.folder)
    assert found.counts["file-extra" if path == "tile/000" else "file-oversized"] == 1


def test_gaps_in_a_stream_take_no_room() -> None:
    report = VERIFY.Report()
    streams = VERIFY.Streams(report, {"schemas/NoteAdded.v1.json"})

    def take(seq: int) -> None:
        streams.take(dumps({
            "v": 1, "stream": ONE, "seq": seq, "prev": "0" * 64, "kind": "NoteAdded", "kind_v": 1,
            "recorded_at": DAY, "parts": {}, "data": {},
        }), 0)  # fmt: skip

    tracemalloc.start()
    for nth in range(50):
        take(1 + nth * 100_001)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    take(100_000)
    take(100_000)
    streams.end()
    assert report.counts == {"reordered": 1, "spliced": 1, "dropped": VERIFY.TOLD + 1}
    assert report.findings[2][1]["seq"] == 2


@pytest.mark.parametrize("error", [MemoryError, RecursionError, ZeroDivisionError])
def test_what_nobody_thought_of_is_a_finding(
    target: Target, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setitem(VERIFY.LOOKS, "log", fails)
    assert verified(target.folder).counts == {"malformed": 1}
    monkeypatch.setattr(VERIFY.Folder, "_walk", fails)
    assert verified(target.folder).findings == [("malformed", {"why": error.__name__})]


def test_findings_are_told_whatever_they_are_about(target: Target) -> None:
    entries = target.entries()
    deep: Any = "\x1b[2J"
    for _ in range(400):
        deep = [deep]
    entries[-1] = dumps({**json.loads(entries[-1]), "v": deep})
    target.store(entries, tiles=True, signed=True)
    target.seal()
    found = verified(target.folder)
    assert found.exit == 6 and "\x1b" not in found.text("fr") and len(json.dumps(found.as_json())) < 2_000


# --- which files there are


@pytest.mark.parametrize(
    "path", ["heads.txt", "ocel2.json", "checkpoint", "parts.jsonl", "histories.jsonl", "checkpoints.jsonl",
             "schemas/envelope.v1.json", "tile/0/000.p/41"],
)  # fmt: skip
def test_a_file_that_the_manifest_forgets_too(target: Target, path: str) -> None:
    (target.folder / path).unlink()
    target.seal()
    found = verified(target.folder)
    assert found.exit == 4 and ("file-missing", {"path": path}) in found.findings


@pytest.mark.parametrize(
    "path", ["more.txt", "headers.jsonl", "head.json", "tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/1",
             "schemas/Other.v1.json", "histories/" + "0" * 36 + ".json"],
)  # fmt: skip
def test_a_file_that_does_not_belong_though_the_manifest_lists_it(target: Target, path: str) -> None:
    target.put(path, b"x")
    target.seal()
    found = verified(target.folder)
    assert found.findings == [("file-extra", {"path": path})]


def test_a_file_of_a_whole_log_does_not_belong_to_a_journey(tmp_path: Path) -> None:
    log = life()
    log.snapshot()
    log.sign()
    target = log.write_journey(tmp_path / "x", ONE)
    assert verified(target.folder).exit == 0
    target.put("heads.txt", b"")
    target.seal()
    assert verified(target.folder).findings == [("file-extra", {"path": "heads.txt"})]
    (target.folder / "heads.txt").unlink()
    (target.folder / "ocel2.json").unlink()
    target.seal()
    assert verified(target.folder).findings == [("file-missing", {"path": "ocel2.json"})]


# --- texts that are gone


@pytest.mark.parametrize(
    ("stream", "kind", "code"),
    [
        (ONE, "ErasureOrdered", "part-erased"), (ONE, "NoteAdded", "part-missing"),
        *((f"{kind.lower()}-{SOMEBODY}", f"{kind}Erased", "part-erased")
          for kind in ("Person", "Mentor", "Staff", "Partner")),
        ("system", "ErasureOrdered", "part-missing"), (f"fund-{SOMEBODY}", "ErasureOrdered", "part-missing"),
    ],
)  # fmt: skip
def test_a_text_is_gone_lawfully_only_where_its_own_stream_says_so(
    tmp_path: Path, stream: str, kind: str, code: str
) -> None:
    log = Log()
    for _ in range(30):
        log.add(stream, state="erased")
    log.add(OTHER, "ErasureOrdered")
    log.add(stream, kind)
    log.snapshot()
    log.sign()
    expected = {"part-erased": 5, "part-missing": 4}[code]
    exports = [log.write(tmp_path / "all")]
    if stream == ONE:
        exports.append(log.write_journey(tmp_path / "one", ONE))
    for target in exports:
        found = verified(target.folder)
        assert (found.exit, found.counts) == (expected, {code: 30})
        assert "+10" in found.text("fr")


@pytest.mark.parametrize(
    ("person", "kind", "code", "alone"),
    [
        (SOMEBODY, "ErasureOrdered", "part-erased", {"part-erased"}),
        (SOMEBODY, "PersonErased", "part-erased", {"part-erased"}),
        (SOMEBODY, "PersonChanged", "part-missing", {"part-missing", "spliced"}),
        (UUID(int=8), "ErasureOrdered", "part-missing", {"part-missing", "spliced"}),
    ],
)  # fmt: skip
def test_the_texts_of_a_journey_are_gone_lawfully_with_its_person(
    tmp_path: Path, person: UUID, kind: str, code: str, alone: set[str]
) -> None:
    """As of one that a restored copy brought back: it could not be told that its person is forgotten."""
    log = Log()
    log.add(ONE, "JourneyPlanned", {"person": str(SOMEBODY)}, state="erased")
    log.add("system", "JourneyPlanned", {"person": str(SOMEBODY)}, state="shown")
    log.add(OTHER, "JourneyPlanned", {"person": 7}, state="shown")
    log.add(f"person-{person}", kind)
    told = len(log.entries) - 1
    log.snapshot()
    log.sign()
    assert verified(log.write(tmp_path / "all").folder).counts == {code: 1}
    assert set(verified(log.write_journey(tmp_path / "one", ONE, beside=[told]).folder).counts) == alone
    assert set(verified(log.write_journey(tmp_path / "bare", ONE).folder).counts) == {"part-missing"}


@pytest.mark.parametrize(
    ("written", "key", "stream", "kind", "keys", "code"),
    [
        ("BankLineResolved", ACCOUNTS, "system", "RetentionApplied", [ACCOUNTS], "part-erased"),
        ("NoticeResolved", ACCOUNTS, f"person-{SOMEBODY}", "PersonErased", [ACCOUNTS], "part-erased"),
        ("NoticeResolved", ACCOUNTS, f"person-{UUID(int=8)}", "PersonErased", [ACCOUNTS], "part-missing"),
        ("NoticeResolved", ACCOUNTS, ONE, "RetentionApplied", [ACCOUNTS], "part-missing"),
        ("BankLineResolved", ACCOUNTS, "system", "RetentionApplied", [7, "finance-"], "part-missing"),
        ("BankLineResolved", ACCOUNTS, "system", "RetentionApplied", 7, "part-missing"),
        ("BankLineResolved", None, "system", "RetentionApplied", [ACCOUNTS], "part-missing"),
        ("BankLineResolved", f"person-{SOMEBODY}", f"person-{SOMEBODY}", "PersonErased", [], "part-missing"),
        ("FundOpened", ACCOUNTS, "system", "RetentionApplied", [ACCOUNTS], "part-missing"),
    ],
)  # fmt: skip
def test_what_was_written_of_somebodys_accounts_is_gone_lawfully_with_their_key(
    tmp_path: Path, written: str, key: str | None, stream: str, kind: str, keys: Any, code: str
) -> None:
    log = Log()
    log.add("system", written, state="erased", key=key)
    log.add(stream, kind, {"keys": keys})
    log.sign()
    assert verified(log.write(tmp_path / "x").folder).counts == {code: 1}


# --- where a journey ends


@pytest.mark.parametrize(
    ("snapshot", "made", "counts", "noticed"),
    [
        # Of before the journey, of its beginning, of three days later.
        (1, "2027-05-13", {}, ["since-snapshot"]), (1, "2027-05-16", {"no-snapshot": 1}, []),
        (12, "2027-05-13", {}, ["since-snapshot"]), (12, "2027-05-16", {"no-snapshot": 1}, ["since-snapshot"]),
        (23, "2027-05-16", {}, []), (23, "2027-05-18", {"no-snapshot": 1}, []),
    ],
)  # fmt: skip
def test_an_older_snapshot_hides_nothing(
    tmp_path: Path, snapshot: int, made: str, counts: dict[str, int], noticed: list[str]
) -> None:
    log = Log()
    log.add("system")
    log.snapshot()
    for at in (DAY, "2027-05-15T08:00:00.000000Z"):
        for _ in range(10):
            log.add(ONE)
        log.snapshot(at)
    log.sign()
    found = verified(log.write_journey(tmp_path / "x", ONE, snapshot, made_at=f"{made}T09:00:00.000000Z").folder)
    assert (found.exit, found.counts) == (4 if counts else 0, counts)
    assert [code for code, _ in found.notices] == noticed
    day = "2027-05-15" if snapshot == 23 else "2027-05-12"
    assert {"log": 24, "made": made, "snapshot": snapshot, "snapshot_day": day}.items() <= found.said.items()
    assert day in found.text("fr")


def test_a_journey_that_stands_in_no_snapshot_has_just_begun(tmp_path: Path) -> None:
    log = life()
    log.snapshot()
    log.sign()
    target = log.write_journey(tmp_path / "x", ONE)
    (target.folder / "head.json").unlink()
    target.seal()
    assert verified(target.folder).counts == {"no-snapshot": 1}


# --- the test of itself


def test_what_cannot_be_put_to_the_test_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = life()
    log.snapshot()
    log.sign()
    one, all = log.write_journey(tmp_path / "one", ONE).folder, log.write(tmp_path / "all").folder
    assert VERIFY.main([str(one), "--self-test"]) == 2 and "un seul parcours" in capsys.readouterr().err
    assert VERIFY.main([str(all), "--self-test", "--lang", "en"]) == 0
    assert "-  swapped parts: nothing in this export" in capsys.readouterr().out
    (all / "tile" / "entries" / "000.p" / "41").unlink()
    assert VERIFY.main([str(all), "--self-test"]) == 2 and "vérifiez-le" in capsys.readouterr().err
