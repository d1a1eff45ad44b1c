"""Exports written by hand, without the programme that makes them: small ones, of which each byte is chosen."""

import hmac
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.audit.corrupting import SEED, Target, dumps, note, proof, tree

ORIGIN = "release-journeys/by-hand"
DAY = "2027-05-12T08:00:00.000000Z"


class Log:
    """A log, event by event, with its checkpoints."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.notes: list[str] = []
        self.parts: list[dict[str, Any]] = []
        self.histories: list[dict[str, Any]] = []
        self.ends: dict[str, tuple[int, str]] = {}

    def add(
        self, stream: str, kind: str = "NoteAdded", data: dict[str, Any] | None = None, *, at: str = DAY,
        state: str | None = None, key: str | None = None,
    ) -> None:  # fmt: skip
        """An event; `state`: it has a text, of which this became; `key`: that it is said to have been under."""
        seq, prev = self.ends.get(stream, (0, "0" * 64))
        salt, text = b"s" * 32, f"text {len(self.entries)}"
        commitment = hmac.new(salt, text.encode(), "sha256").hexdigest()
        entry = dumps({
            "v": 1, "stream": stream, "seq": seq + 1, "kind": kind, "kind_v": 1, "recorded_at": at, "occurred_at": at,
            "actor": "somebody", "role": "referent", "command": None, "rule": "test", "caused_by": None,
            "programme": None, "data": data or {}, "parts": {"text": commitment} if state else {}, "prev": prev,
        })  # fmt: skip
        if state:
            shown = {"text": text, "salt": salt.hex()} if state == "shown" else {"key": key} if key else {}
            self.parts.append({"position": len(self.entries), "name": "text", "state": state, **shown})
        self.entries.append(entry)
        self.ends[stream] = (seq + 1, sha256(entry).hexdigest())

    def revoke(self, vkey: str) -> None:
        self.add("system", "CheckpointKeyRevoked", {"vkey": vkey})

    def snapshot(self, at: str = DAY) -> None:
        lines = self._heads()
        self.add("system", "HeadsSnapshot", {"size": len(self.entries), "count": len(lines), "root": tree(lines).hex()},
                 at=at)  # fmt: skip

    def note(self, seed: bytes = SEED, origin: str = ORIGIN) -> str:
        """A checkpoint of what there is."""
        return note(origin, len(self.entries), tree(self.entries), seed)

    def sign(self, seed: bytes = SEED) -> str:
        self.notes.append(self.note(seed))
        return self.notes[-1]

    def write(self, folder: Path, **manifest: Any) -> Target:
        """All of it."""
        target = self._begun(folder, {"kind": "log", **manifest}, self.notes, self.entries)
        target.store(self.entries, tiles=True, signed=False)
        target.put("heads.txt", b"".join(self._heads()))
        target.put_lines("parts.jsonl", self.parts)
        target.put_lines("histories.jsonl", self.histories)
        target.seal()
        return target

    def write_journey(
        self, folder: Path, stream: str, snapshot: int | None = None, *, beside: Sequence[int] = (), **manifest: Any
    ) -> Target:
        """One journey under the last checkpoint, with the snapshot at this place, else the last; `beside`: places of
        what is shown with it."""
        snapshots = [at for at, entry in enumerate(self.entries) if b'"HeadsSnapshot"' in entry]
        known = (snapshots if snapshot is None else [snapshot])[-1:]
        own = [at for at, entry in enumerate(self.entries) if f'"stream":"{stream}"'.encode() in entry]
        revoked = [at for at, entry in enumerate(self.entries) if b'"CheckpointKeyRevoked"' in entry]
        shown = sorted([*own, *known, *revoked, *beside])
        target = self._begun(folder, {"kind": "journey", "journey": stream, **manifest}, self.notes[-1:],
                             [self.entries[at] for at in shown])  # fmt: skip
        target.put_lines("headers.jsonl", [
            {"position": at, "header": self.entries[at].decode(),
             "proof": [each.hex() for each in proof(at, self.entries)]} for at in shown
        ])  # fmt: skip
        target.put_lines("parts.jsonl", [line for line in self.parts if line["position"] in own])
        target.put_lines("histories.jsonl", [])
        for at in known:
            before = Log()
            for entry in self.entries[:at]:
                before._take(entry)
            lines = before._heads()
            index = next((n for n, line in enumerate(lines) if line.startswith(f"{stream} ".encode())), None)
            if index is not None:
                _, seq, hash = lines[index].decode().split()
                target.put("head.json", dumps({
                    "snapshot": at, "index": index, "seq": int(seq), "hash": hash,
                    "proof": [each.hex() for each in proof(index, lines)],
                }))  # fmt: skip
        target.seal()
        return target

    def _take(self, entry: bytes) -> None:
        header = json.loads(entry)
        self.ends[header["stream"]] = (header["seq"], sha256(entry).hexdigest())

    def _heads(self) -> list[bytes]:
        return [f"{stream} {seq} {hash}\n".encode() for stream, (seq, hash) in sorted(self.ends.items())]

    def _begun(self, folder: Path, manifest: dict[str, Any], notes: list[str], entries: list[bytes]) -> Target:
        folder.mkdir()
        body = {"format": "release-journeys-export", "version": 1, "origin": ORIGIN, "size": len(self.entries),
                "made_at": DAY, "disclosed": True, "digest": "", **manifest}  # fmt: skip
        (folder / "manifest.json").write_bytes(dumps(body))
        target = Target(folder)
        target.put_lines("checkpoints.jsonl", [{"note": each, "made_at": DAY} for each in notes])
        target.put("checkpoint", notes[-1].encode())
        target.put("ocel2.json", b"{}")
        for name in {"envelope", *(json.loads(entry)["kind"] for entry in entries)}:
            target.put(f"schemas/{name}.v1.json", b"{}")
        return target
