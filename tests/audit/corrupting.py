"""Corrupts exports. It shares no code with the verifier, nor with what wrote them: its tree is the definition's."""

import base64
import json
import random
import shutil
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED = b"5" * 32
"""The log's own key: whoever attacks has it."""


def tree(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there."""
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\1" + tree(leaves[:k]) + tree(leaves[k:])).digest()


def proof(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1: what shows that a leaf stands at its place."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if index < k:
        return [*proof(index, leaves[:k]), tree(leaves[k:])]
    return [*proof(index - k, leaves[k:]), tree(leaves[:k])]


def note(origin: str, size: int, root: bytes, seed: bytes = SEED) -> str:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    id = sha256(origin.encode() + b"\n\x01" + key.public_key().public_bytes_raw()).digest()[:4]
    return f"{text}\n— {origin} {base64.b64encode(id + key.sign(text.encode())).decode()}\n"


def of_nothing(root: bytes, origin: str) -> str:
    """A checkpoint of no events, signed by nobody."""
    root_text, five = base64.b64encode(root).decode(), base64.b64encode(bytes(5)).decode()
    return f"{origin}\n0\n{root_text}\n\n— x {five}\n"


def vkey(origin: str, seed: bytes = SEED) -> str:
    public = b"\x01" + Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    id = sha256(origin.encode() + b"\n" + public).hexdigest()[:8]
    return f"{origin}+{id}+{base64.b64encode(public).decode()}"


def dumps(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Target:
    """An export whose files are read, changed and written again; at most 512 entries."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
        self.origin: str = self.manifest["origin"]

    @property
    def bundles(self) -> list[Path]:
        return sorted((self.folder / "tile" / "entries").rglob("[0-9]*"), key=str)

    def entries(self) -> list[bytes]:
        found = []
        for path in (each for each in self.bundles if each.is_file()):
            blob = path.read_bytes()
            while blob:
                length = int.from_bytes(blob[:2], "big")
                found.append(blob[2 : 2 + length])
                blob = blob[2 + length :]
        return found

    def store(self, entries: list[bytes], *, tiles: bool, signed: bool) -> None:
        """Bundles anew, on wish the tree and the last checkpoint too."""
        shutil.rmtree(self.folder / "tile" / ("entries" if not tiles else ""), ignore_errors=True)
        self.manifest["size"] = len(entries)
        for n, at in enumerate(range(0, len(entries), 256)):
            chunk = entries[at : at + 256]
            name = f"{n:03d}" + ("" if len(chunk) == 256 else f".p/{len(chunk)}")
            self.put(f"tile/entries/{name}", b"".join(len(each).to_bytes(2, "big") + each for each in chunk))
            if tiles:
                self.put(f"tile/0/{name}", b"".join(sha256(b"\0" + each).digest() for each in chunk))
        full = [tree(entries[at : at + 256]) for at in range(0, len(entries) - 255, 256)]
        if tiles and full:
            self.put(f"tile/1/000.p/{len(full)}", b"".join(full))
        if signed:
            heads = {json.loads(each)["stream"]: each for each in entries if each.endswith(b"}")}
            ends = [
                f"{stream} {json.loads(each)['seq']} {sha256(each).hexdigest()}\n" for stream, each in heads.items()
            ]
            self.put("heads.txt", "".join(sorted(ends)).encode())
            self.sign(len(entries), tree(entries))

    def sign(self, size: int, root: bytes) -> None:
        self.put("checkpoint", note(self.origin, size, root).encode())
        line = {"note": note(self.origin, size, root), "made_at": "2027-05-12T08:00:00.000000Z"}
        self.put("checkpoints.jsonl", dumps(line) + b"\n")

    def put(self, path: str, content: bytes) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(content)

    def put_lines(self, path: str, lines: Iterable[Any]) -> None:
        self.put(path, b"".join(dumps(line) + b"\n" for line in lines))

    def lines(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / path).read_text().splitlines()]

    def seal(self, **changes: Any) -> None:
        """A manifest that fits what is there."""
        found = [path for path in self.folder.rglob("*") if path.is_file() and path.name != "manifest.json"]
        files = {
            str(path.relative_to(self.folder)): {"sha256": sha256(content).hexdigest(), "size": len(content)}
            for path, content in ((path, path.read_bytes()) for path in found)
        }
        body = {**self.manifest, "files": {**files, **changes.pop("files", {})}, **changes}
        body.pop("digest")
        self.put("manifest.json", dumps({**body, "digest": sha256(dumps(body)).hexdigest()}))


def two_of_a_stream(entries: list[bytes]) -> tuple[int, int]:
    """The places of an event and of the next of its stream, in the middle."""
    for at in range(40, len(entries)):
        stream = json.loads(entries[at])["stream"]
        later = [n for n in range(at + 1, len(entries)) if json.loads(entries[n])["stream"] == stream]
        if stream != "system" and later:
            return at, later[0]
    raise AssertionError("nothing to corrupt")


def changed(entry: bytes) -> bytes:
    return dumps({**json.loads(entry), "role": "somebody"})


def edit(target: Target) -> None:
    entries = target.entries()
    at, _ = two_of_a_stream(entries)
    entries[at] = changed(entries[at])
    target.store(entries, tiles=False, signed=False)


def edit_all_but_the_links(target: Target) -> None:
    entries = target.entries()
    at, _ = two_of_a_stream(entries)
    entries[at] = changed(entries[at])
    target.store(entries, tiles=True, signed=True)


def rehash(target: Target) -> None:
    entries = target.entries()
    at, _ = two_of_a_stream(entries)
    stream, entries[at] = json.loads(entries[at])["stream"], changed(entries[at])
    before = entries[at]
    for n in range(at + 1, len(entries)):
        header = json.loads(entries[n])
        if header["stream"] == stream:
            entries[n] = before = dumps({**header, "prev": sha256(before).hexdigest()})
    target.store(entries, tiles=True, signed=True)


def hide_behind_nothing(target: Target) -> None:
    """All written anew under the genuine last checkpoint, and before that one of no events, signed by nobody."""
    last = target.lines("checkpoints.jsonl")[-1]
    rehash(target)
    forged = {"note": of_nothing(bytes(32), target.origin), "made_at": last["made_at"]}
    target.put_lines("checkpoints.jsonl", [forged, last])
    target.put("checkpoint", last["note"].encode())


def drop(target: Target) -> None:
    entries = target.entries()
    del entries[two_of_a_stream(entries)[0]]
    target.store(entries, tiles=True, signed=True)


def reorder(target: Target) -> None:
    entries = target.entries()
    one, other = two_of_a_stream(entries)
    entries[one], entries[other] = entries[other], entries[one]
    target.store(entries, tiles=True, signed=True)


def truncate(target: Target) -> None:
    target.store(target.entries()[:-2], tiles=True, signed=False)


def cut_a_tail_and_sign(target: Target) -> None:
    """The last event of a stream taken out before the snapshot that knew it, everything signed anew."""
    entries = target.entries()
    snapshot = max(at for at, entry in enumerate(entries) if b'"HeadsSnapshot"' in entry)
    before = json.loads(entries[snapshot - 1])["stream"]
    assert before != "system"
    del entries[snapshot - 1]
    target.store(entries, tiles=True, signed=True)


def splice(target: Target) -> None:
    entries = target.entries()
    entries.insert(50, entries[two_of_a_stream(entries)[0]])
    target.store(entries, tiles=True, signed=True)


def fork(target: Target) -> None:
    lines = target.lines("checkpoints.jsonl")
    size = target.manifest["size"]
    lines.append({"note": note(target.origin, size, bytes(32)), "made_at": "2027-05-12T09:00:00.000000Z"})
    target.put_lines("checkpoints.jsonl", lines)


def unsign(target: Target) -> None:
    lines = target.lines("checkpoints.jsonl")
    dash = lines[-1]["note"].rindex(" ")
    blob = bytearray(base64.b64decode(lines[-1]["note"][dash + 1 :]))
    blob[40] ^= 1
    lines[-1]["note"] = lines[-1]["note"][: dash + 1] + base64.b64encode(blob).decode() + "\n"
    target.put_lines("checkpoints.jsonl", lines)
    target.put("checkpoint", lines[-1]["note"].encode())


def swap_parts(target: Target) -> None:
    lines = target.lines("parts.jsonl")
    one, other = [line for line in lines if line["state"] == "shown"][:2]
    one["text"], other["text"] = other["text"], one["text"]
    one["salt"], other["salt"] = other["salt"], one["salt"]
    target.put_lines("parts.jsonl", lines)


def change_a_part(target: Target) -> None:
    lines = target.lines("parts.jsonl")
    next(line for line in lines if line["state"] == "shown")["text"] += " non"
    target.put_lines("parts.jsonl", lines)


def forget_a_part(target: Target) -> None:
    target.put_lines("parts.jsonl", target.lines("parts.jsonl")[1:])


def delete_parts_by_hand(target: Target) -> None:
    """What an export says where somebody deleted the rows, and nobody ordered it."""
    lines = [{"position": each["position"], "name": each["name"], "state": "erased"}
             for each in target.lines("parts.jsonl")]  # fmt: skip
    target.put_lines("parts.jsonl", lines)


def lock_a_part(target: Target) -> None:
    """Whoever made the export had not its key."""
    first, *lines = target.lines("parts.jsonl")
    lines = [{"position": first["position"], "name": first["name"], "state": "unreadable"}, *lines]
    target.put_lines("parts.jsonl", lines)


def change_a_history(target: Target) -> None:
    next((target.folder / "histories").iterdir()).write_bytes(b"{}")


def find_a_history_altered(target: Target) -> None:
    """Whoever made the export says that what was kept does not fit what the journal noted."""
    lines = target.lines("histories.jsonl")
    lines[0]["state"] = "altered"
    (target.folder / "histories" / f"{lines[0]['run']}.json").unlink()
    target.put_lines("histories.jsonl", lines)


def announce_a_history(target: Target) -> None:
    lines = [*target.lines("histories.jsonl"), {"run": "0" * 36, "state": "withheld"}]
    target.put_lines("histories.jsonl", lines)


def forget_a_history(target: Target) -> None:
    target.put_lines("histories.jsonl", target.lines("histories.jsonl")[1:])


def take_a_bundle(target: Target) -> None:
    next(each for each in target.bundles if each.is_file()).unlink()


def future_envelope(target: Target) -> None:
    entries = target.entries()
    entries[-1] = dumps({**json.loads(entries[-1]), "v": 2})
    target.store(entries, tiles=True, signed=True)


def future_kind(target: Target) -> None:
    entries = target.entries()
    entries[-1] = dumps({**json.loads(entries[-1]), "kind_v": 7})
    target.store(entries, tiles=True, signed=True)


def deep_json(target: Target) -> None:
    entries = target.entries()
    entries[-1] = b'{"v":' + b"[" * 30_000
    target.store(entries, tiles=True, signed=True)


# name, what is done, exit code, the code of a finding
CORRUPTIONS: list[tuple[Callable[[Target], None], int, str]] = [
    (edit, 3, "edited"),
    (edit_all_but_the_links, 3, "link"),
    (hide_behind_nothing, 3, "root"),
    (drop, 3, "dropped"),
    (reorder, 3, "reordered"),
    (truncate, 4, "truncated"),
    (cut_a_tail_and_sign, 3, "snapshot"),
    (splice, 3, "spliced"),
    (fork, 3, "fork"),
    (unsign, 3, "signature"),
    (swap_parts, 3, "part-swapped"),
    (change_a_part, 3, "part-changed"),
    (forget_a_part, 4, "part-missing"),
    (delete_parts_by_hand, 4, "part-missing"),
    (lock_a_part, 6, "part-unreadable"),
    (change_a_history, 3, "history-changed"),
    (find_a_history_altered, 3, "history-changed"),
    (announce_a_history, 3, "history-of-nothing"),
    (forget_a_history, 4, "history-missing"),
    (take_a_bundle, 4, "truncated"),
    (future_envelope, 6, "future-version"),
    (future_kind, 6, "unknown-kind"),
    (deep_json, 3, "header"),
]


def flip(folder: Path, random: random.Random) -> Callable[[], None]:
    """One bit of one byte of some file; called, it is put back."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    path = random.choices(files, sizes)[0]
    content = path.read_bytes()
    at, bit = random.randrange(len(content)), random.randrange(8)
    path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
    return lambda: (path.write_bytes(content), None)[1]
