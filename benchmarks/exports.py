"""Verifying an export of a million events, against a bare pass that reads, hashes and parses the same lines.

python -m benchmarks.exports [--events N] [--events-a-minute N] [--keep DIR]. Headers are those of played notes, some
700 bytes each; every third promises a text, shown beside it. A checkpoint is signed each minute in which something was
noted, as the product does: a house of 20,000 journeys notes some 30 a minute at work, a small one a few. The texts are
no lines of the bare pass, and yet of what is verified. What is measured is `verifier/verify_export.py` as a process of
its own, its memory with it.
"""

import argparse
import hashlib
import hmac
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.ground import ROOT
from benchmarks.measuring import machine
from journeys.audit.exporting import Folder, _write_schemas
from journeys.audit.process_log import ProcessLog
from journeys.domain.record import instant_text
from journeys.evidence.heads import HeadLine, heads_root
from journeys.evidence.note import Checkpoint, Signer
from journeys.evidence.tiles import bundle, entries_path, tile_path, unbundled
from journeys.evidence.tree import HASH_BYTES, WIDTH, Growing, leaf_hash
from journeys.store.canonical import canonical

VERIFIER: Final = ROOT / "verifier" / "verify_export.py"
A_STREAM: Final = 140
A_MINUTE: Final = 30
A_DAY: Final = 14_000
"""Events between two snapshots of heads: eight hours of them."""
A_TEXT: Final = 3
TEXT: Final = "Vu ce matin au local, il va mieux et demande des nouvelles. "
SIGNER: Final = Signer("release-journeys/benchmark", b"7" * 32)
BEGAN: Final = datetime(2027, 1, 4, 8, tzinfo=UTC)


def headers(count: int) -> Iterator[tuple[bytes, bytes | None]]:
    """Journeys side by side, 500 at a time, linked, each with the salt of its text; a snapshot of heads a day."""
    open_streams: list[tuple[str, int, str]] = []
    heads: dict[str, HeadLine] = {}
    system = (0, "0" * 64)
    for nth in range(count):
        if nth % A_DAY == A_DAY - 1:
            stream, (seq, prev) = "system", system
            data: dict[str, object] = {"size": nth, "count": len(heads), "root": heads_root(heads.values()).hex()}
        else:
            slot = nth % 500
            if slot >= len(open_streams):
                open_streams.append((f"journey-{uuid.UUID(int=nth)}", 0, "0" * 64))
            stream, seq, prev = open_streams[slot]
            if seq == A_STREAM:
                stream, seq, prev = f"journey-{uuid.UUID(int=nth)}", 0, "0" * 64
            data = {"note": str(uuid.UUID(int=nth)), "about": {"kind": "journey", "id": stream[8:]}}
        at = instant_text(BEGAN + timedelta(seconds=nth))
        salt = None if nth % A_TEXT or stream == "system" else nth.to_bytes(32)
        header = canonical({
            "v": 1, "stream": stream, "seq": seq + 1, "kind": "HeadsSnapshot" if stream == "system" else "NoteAdded",
            "kind_v": 1, "recorded_at": at, "occurred_at": at, "actor": str(uuid.UUID(int=7)), "role": "referent",
            "command": str(uuid.UUID(int=nth)), "rule": None, "caused_by": None, "programme": "a" * 64, "data": data,
            "parts": {} if salt is None else {"text": hmac.new(salt, TEXT.encode(), "sha256").hexdigest()},
            "prev": prev,
        })  # fmt: skip
        link = hashlib.sha256(header).digest()
        heads[stream] = HeadLine(stream, seq + 1, link)
        if stream == "system":
            system = (seq + 1, link.hex())
        else:
            open_streams[slot] = (stream, seq + 1, link.hex())
        yield header, salt


def make(root: Path, count: int, a_minute: int = A_MINUTE) -> None:
    """An export as `journeys audit export` writes it."""
    folder, tree, heads = Folder(root), Growing(), dict[str, HeadLine]()
    notes: list[bytes] = []
    waiting: list[bytes] = []

    def flush() -> None:
        n = (tree.size - 1) // WIDTH
        folder.write(entries_path(n, len(waiting)), bundle(waiting))
        waiting.clear()

    with folder.open("ocel2.json") as ocel, folder.open("parts.jsonl") as parts:
        process = ProcessLog(ocel.write)
        for nth, (header, salt) in enumerate(headers(count)):
            if salt is not None:
                shown = {"position": nth, "name": "text", "state": "shown", "text": TEXT, "salt": salt.hex()}
                parts.write(canonical(shown) + b"\n")
            waiting.append(header)
            for tile in tree.grow([leaf_hash(header)]):
                folder.write(tile_path(tile.level, tile.n), tile.hashes)
            read = json.loads(header)
            process.add(read)
            heads[read["stream"]] = HeadLine(read["stream"], read["seq"], hashlib.sha256(header).digest())
            if len(waiting) == WIDTH:
                flush()
            if tree.size % a_minute == 0 or tree.size == count:
                note = SIGNER.sign(Checkpoint(SIGNER.name, tree.size, tree.root()))
                made = instant_text(BEGAN + timedelta(seconds=tree.size))
                notes.append(canonical({"note": note, "made_at": made}) + b"\n")
        if waiting:
            flush()
        process.end()
    for level, hashes in enumerate(tree.edge):
        if hashes:
            folder.write(tile_path(level, count // WIDTH ** (level + 1), len(hashes) // HASH_BYTES), hashes)
    folder.write("heads.txt", b"".join(line.text() for line in sorted(heads.values())))
    folder.write("histories.jsonl", b"")
    folder.write("checkpoints.jsonl", b"".join(notes))
    folder.write("checkpoint", json.loads(notes[-1])["note"].encode())
    _write_schemas(folder, {("NoteAdded", 1), ("HeadsSnapshot", 1)})
    folder.seal({"format": "release-journeys-export", "version": 1, "origin": SIGNER.name, "size": count,
                 "made_at": instant_text(BEGAN), "kind": "log", "disclosed": True})  # fmt: skip


def bare(root: Path) -> float:
    """Read, hash and parse every line, and nothing else; seconds of processor."""
    begun = time.process_time()
    for path in sorted((root / "tile" / "entries").rglob("*")):
        if path.is_file():
            for entry in unbundled(path.read_bytes()):
                hashlib.sha256(entry).digest()
                json.loads(entry)
    return time.process_time() - begun


def verified(root: Path) -> float:
    """Seconds of processor of the whole process."""
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = subprocess.run([sys.executable, str(VERIFIER), str(root), "--key", SIGNER.verifier.vkey()], check=False)
    if found.returncode:
        raise RuntimeError(found)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.exports", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--events-a-minute", type=int, default=A_MINUTE)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    root = given.keep or Path(tempfile.mkdtemp(prefix="export-"))
    try:
        if not (root / "manifest.json").exists():
            root.mkdir(exist_ok=True)
            make(root, given.events, given.events_a_minute)
        for _ in range(given.rounds):
            reference, ours = bare(root), verified(root)
            print(f"bare {reference:.1f} s, verified {ours:.1f} s, {given.events / ours:,.0f} events a second,"
                  f" ratio {ours / reference:.2f}", flush=True)  # fmt: skip
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        print(f"memory of the verifier {memory:.0f} MB; {machine()}")
    finally:
        if given.keep is None:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
