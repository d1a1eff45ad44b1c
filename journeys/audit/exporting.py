"""The record as files that somebody else can check without us: see docs/exports.md and verifier/verify_export.py."""

import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, TypeAlias
from uuid import UUID

from journeys.audit.process_log import ProcessLog
from journeys.domain import directory, events
from journeys.domain.directory import (
    OF_ACCOUNTS,
    CheckpointKeyRevoked,
    HeadsSnapshot,
    HistoryKept,
    LogBegun,
    read_fact,
)
from journeys.domain.events import JourneyPlanned
from journeys.domain.record import Event, Payload, instant_text
from journeys.evidence.heads import HeadLine
from journeys.evidence.tiles import TooLong, bundle, entries_path, tile_path
from journeys.evidence.tree import (
    HASH_BYTES,
    WIDTH,
    Growing,
    inclusion,
    leaf_hash,
    range_hash,
)
from journeys.store import checkpoints, exporting, histories, sequencing
from journeys.store.canonical import canonical
from journeys.store.checkpoints import Signed
from journeys.store.database import Connection, Pool
from journeys.store.exporting import Entry
from journeys.store.journal import StoredPart
from journeys.store.keys import Lost, finance_key
from journeys.store.signing import KeyRing
from journeys.store.treasury import STREAM

FORMAT: Final = "release-journeys-export"
VERSION: Final = 1
ENVELOPE: Final = 1

Progress = Callable[[int, int], None]
Held: TypeAlias = dict[str, bytes]
"""The files of an export that lies on no disk, by their path."""


class NothingSigned(Exception):
    """There is no checkpoint that an export could stand under."""


class NotInTheLog(Exception):
    """The journey has no event under the last checkpoint."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    size: int
    """Of the log, by its last checkpoint."""
    events: int
    files: int
    bytes: int
    digest: str
    """Of the manifest: whoever hears it elsewhere knows that the export is the one that was made."""


@dataclass(slots=True)
class Folder:
    """The files of an export, each with its digest for the manifest; on a disk for their owner only."""

    root: Path | Held
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, path: str, content: bytes) -> None:
        with self.open(path) as file:
            file.write(content)

    def open(self, path: str) -> "_Counted":
        """A file to be written from its beginning."""
        if isinstance(self.root, dict):
            return _Counted(self, path, _InMemory(self.root, path))
        target = self.root / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return _Counted(self, path, os.fdopen(descriptor, "wb"))

    def seal(self, body: dict[str, Any]) -> str:
        """The manifest: what is in the folder, and a digest of the manifest itself, which is returned."""
        whole = {**body, "files": dict(sorted(self.files.items()))}
        digest = hashlib.sha256(canonical(whole)).hexdigest()
        self.write("manifest.json", canonical({**whole, "digest": digest}))
        return digest


class _InMemory(BytesIO):
    """A file whose content is held once it is closed."""

    def __init__(self, held: Held, path: str) -> None:
        super().__init__()
        self._held, self._path = held, path

    def close(self) -> None:
        if not self.closed:
            self._held[self._path] = self.getvalue()
        super().close()


class _Counted:
    def __init__(self, folder: Folder, path: str, file: IO[bytes]) -> None:
        self._folder, self._path, self._file = folder, path, file
        self._digest, self._size = hashlib.sha256(), 0

    def __enter__(self) -> "_Counted":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._folder.files[self._path] = {"sha256": self._digest.hexdigest(), "size": self._size}

    def write(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)
        self._size += len(content)


async def export_log(
    pool: Pool,
    ring: KeyRing | None,
    root: Path | Held,
    now: datetime,
    *,
    disclose: bool,
    progress: Progress = lambda done, all: None,
) -> Exported:
    """Everything under the last checkpoint, into a directory that is empty, or held in memory.

    Args:
        ring: what opens histories. disclose: with the texts of parts and their salts, and with the histories; else it
            is only said which there are.

    Raises:
        NothingSigned. TooLong: an event that no bundle can hold. OSError: it cannot be written.
    """
    folder = Folder(root)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        signed = await _last(connection)
        tree, heads, kinds = Growing(), dict[str, HeadLine](), set[tuple[str, int]]()
        runs: list[str] = []
        with folder.open("parts.jsonl") as parts, folder.open("ocel2.json") as ocel:
            process = ProcessLog(ocel.write)
            async for page in _bundles(connection, signed.size):
                _write_bundle(folder, tree, page)
                full = tree.grow([leaf_hash(entry.header) for entry in page])
                await _write_tiles(connection, folder, [(tile.level, tile.n, tile.hashes) for tile in full])
                read = _read(page)
                await _write_parts(connection, parts, read, disclose)
                for entry in page:
                    heads[entry.stream] = HeadLine(entry.stream, entry.seq, hashlib.sha256(entry.header).digest())
                for _, header in read:
                    kinds.add((header["kind"], header["kind_v"]))
                    process.add(header)
                    runs += _run_of(header)
                progress(tree.size, signed.size)
            process.end()
        for level, hashes in enumerate(tree.edge):
            if hashes:
                folder.write(tile_path(level, signed.size // WIDTH ** (level + 1), len(hashes) // HASH_BYTES), hashes)
        folder.write("heads.txt", b"".join(line.text() for line in sorted(heads.values())))
        await _write_histories(pool, ring, folder, runs, disclose)
        await _write_checkpoints(connection, folder, signed)
    _write_schemas(folder, kinds)
    return _sealed(folder, signed, now, tree.size, kind="log", disclosed=disclose)


async def export_journey(
    pool: Pool, ring: KeyRing | None, root: Path | Held, stream: str, now: datetime, *, disclose: bool
) -> Exported:
    """One journey: its headers, each with the proof that it stands in the log, and that it ended there.

    Other journeys are not named: of the last snapshot of heads only this journey's line is shown, with its proof. Of
    the person only that they are to be forgotten, where it was ordered.

    Raises: as `export_log`; NotInTheLog.
    """
    folder = Folder(root)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        signed = await _last(connection)
        log = await sequencing.head(connection)
        own = await exporting.entries_of(connection, stream, signed.size)
        if not own:
            raise NotInTheLog(stream)
        said = await exporting.facts_of_the_log(connection, signed.size)
        kept = await exporting.histories_of(connection, stream, signed.size)
        read = _read(own)
        whose = _person(read)
        erased = await exporting.erasures_of(connection, whose, signed.size) if whose is not None else []
        shown = sorted([*own, *_shown(said), *kept, *erased], key=lambda entry: entry.position)
        with folder.open("headers.jsonl") as file:
            for entry in shown:
                proof = await sequencing.hashes(connection, log, inclusion(entry.position, signed.size))
                shown_as = {"position": entry.position, "header": entry.header.decode(errors="replace")}
                line = {**shown_as, "proof": [each.hex() for each in proof]}
                file.write(canonical(line) + b"\n")
        kinds = {(header["kind"], header["kind_v"]) for _, header in _read(shown)}
        with folder.open("parts.jsonl") as parts:
            await _write_parts(connection, parts, read, disclose)
        with folder.open("ocel2.json") as ocel:
            process = ProcessLog(ocel.write)
            for _, header in read:
                process.add(header)
            process.end()
        await _write_head(connection, folder, stream, said)
        runs = [run for _, header in _read(kept) for run in _run_of(header)]
        await _write_histories(pool, ring, folder, runs, disclose)
        await _write_checkpoints(connection, folder, signed, only_last=True)
    _write_schemas(folder, kinds)
    return _sealed(folder, signed, now, len(own), kind="journey", journey=stream, disclosed=disclose)


def _sealed(folder: Folder, signed: Signed, now: datetime, events: int, **more: Any) -> Exported:
    digest = folder.seal({
        "format": FORMAT, "version": VERSION, "origin": signed.origin, "size": signed.size,
        "made_at": instant_text(now), **more,
    })  # fmt: skip
    size = sum(each["size"] for each in folder.files.values())
    return Exported(signed.size, events, len(folder.files), size, digest)


async def _last(connection: Connection) -> Signed:
    signed = await checkpoints.last(connection, (await sequencing.head(connection)).origin)
    if signed is None:
        raise NothingSigned
    return signed


async def _bundles(connection: Connection, size: int) -> AsyncIterator[list[Entry]]:
    """The entries by bundles, the last one as far as it goes."""
    for begin in range(0, size, WIDTH * exporting.BUNDLES):
        page = await exporting.entries(connection, begin, min(begin + WIDTH * exporting.BUNDLES, size))
        for at in range(0, len(page), WIDTH):
            yield page[at : at + WIDTH]


def _write_bundle(folder: Folder, tree: Growing, page: Sequence[Entry]) -> None:
    try:
        folder.write(entries_path(tree.size // WIDTH, len(page)), bundle(entry.header for entry in page))
    except TooLong as error:
        raise TooLong(f"places {page[0].position} to {page[-1].position}: {error}") from None


async def _write_tiles(connection: Connection, folder: Folder, full: Sequence[tuple[int, int, bytes]]) -> None:
    """As they are stored: where they are not those of the entries, whoever checks is to see where."""
    for level, n, hashes in full:
        folder.write(tile_path(level, n), await exporting.tile(connection, level, n) or hashes)


def _read(page: Iterable[Entry]) -> list[tuple[Entry, dict[str, Any]]]:
    """The entries whose header says what an event says. Of others only the bytes go out: whoever checks names them."""
    return [(entry, header) for entry in page if (header := _header(entry)) is not None]


def _header(entry: Entry) -> dict[str, Any] | None:
    try:
        header = json.loads(entry.header)
        if b"\\u" in entry.header:
            json.dumps(header, ensure_ascii=False).encode()  # Half a character cannot be written again.
    except (ValueError, RecursionError):
        return None
    whole = isinstance(header, dict) and all(isinstance(header.get(name), kind) for name, kind in _FIELDS.items())
    return header if whole and all(isinstance(name, str) for name in header["parts"]) else None


_FIELDS: Final[dict[str, type]] = {
    "stream": str, "seq": int, "kind": str, "kind_v": int, "recorded_at": str, "occurred_at": str, "actor": str,
    "role": str, "data": dict, "parts": dict,
}  # fmt: skip
"""Of a header, what is read here."""


def _person(read: Iterable[tuple[Entry, dict[str, Any]]]) -> str | None:
    """Whose journey these headers say it is; None where none says it."""
    said = (header["data"].get("person") for _, header in read if header["kind"] == JourneyPlanned.__name__)
    person = next(said, None)
    return person if isinstance(person, str) else None


def _run_of(header: dict[str, Any]) -> list[str]:
    """The run whose history a fact says is kept."""
    run = header["data"].get("run") if header["kind"] == HistoryKept.__name__ else None
    try:
        return [str(UUID(run))] if isinstance(run, str) else []
    except ValueError:
        return []


async def _write_parts(
    connection: Connection, file: _Counted, page: Sequence[tuple[Entry, dict[str, Any]]], disclose: bool
) -> None:
    """What became of every part that an event commits to: shown, withheld, erased (not there, or its key destroyed), or
    not to be opened here. Whether it may be gone the events say; of a text of somebody's accounts by that key."""
    promised = [(entry, name) for entry, header in page for name in sorted(header["parts"])]
    kept = await exporting.parts_of(connection, [entry for entry, _ in promised])
    for entry, name in promised:
        line: dict[str, Any] = {"position": entry.position, "name": name}
        part = kept.get((entry.stream, entry.seq, name))
        match part:
            case None:
                line["state"] = "erased"
            case str(key):
                accounts = entry.stream == STREAM and entry.kind in OF_ACCOUNTS and key.startswith(finance_key(""))
                line |= {"state": "erased", "key": key} if accounts else {"state": "erased"}
            case StoredPart(lost=Lost.NO_KEY):
                line["state"] = "unreadable"
            case _ if not disclose:
                line["state"] = "withheld"
            case _:
                line |= {"state": "shown", "text": part.text, "salt": part.salt.hex()}
        file.write(canonical(line) + b"\n")


async def _write_histories(
    pool: Pool, ring: KeyRing | None, folder: Folder, runs: Sequence[str], disclose: bool
) -> None:
    """What became of the history of each run that the log names: shown, withheld, erased, altered, or not to be opened
    here for want of its key."""
    there = await histories.files(pool, runs)
    with folder.open("histories.jsonl") as file:
        for run in runs:
            state = "erased" if run not in there else "withheld"
            if disclose and ring is not None and run in there:
                try:
                    folder.write(f"histories/{run}.json", await histories.read(pool, ring, run))
                    state = "shown"
                except histories.Altered as found:
                    state = "erased" if found.why == "gone" else "altered"
                    if found.why == "sealed" and await exporting.history_key(pool, run) not in ring.keys:
                        state = "unreadable"
            file.write(canonical({"run": run, "state": state}) + b"\n")


async def _write_checkpoints(
    connection: Connection, folder: Folder, signed: Signed, *, only_last: bool = False
) -> None:
    with folder.open("checkpoints.jsonl") as file:
        for each in [signed] if only_last else await checkpoints.all_of(connection, signed.origin):
            file.write(canonical({"note": each.note, "made_at": instant_text(each.made_at)}) + b"\n")
    folder.write("checkpoint", signed.note.encode())


def _shown(said: Iterable[Entry]) -> list[Entry]:
    """Of what the log says of itself, what one journey needs: the last snapshot, keys that count no more, and the names
    that the log had."""
    snapshots = [entry for entry in said if entry.kind == HeadsSnapshot.__name__]
    wanted = (CheckpointKeyRevoked.__name__, LogBegun.__name__)
    return [*snapshots[-1:], *(entry for entry in said if entry.kind in wanted)]


async def _write_head(connection: Connection, folder: Folder, stream: str, said: Sequence[Entry]) -> None:
    """Where the journey ended at the last snapshot; nothing where it was not there yet."""
    snapshots = [entry for entry in said if entry.kind == HeadsSnapshot.__name__]
    if not snapshots:
        return
    try:
        fact = read_fact(snapshots[-1].kind, snapshots[-1].header).data
    except ValueError:
        return  # It goes out as it is, and proves nothing.
    assert isinstance(fact, HeadsSnapshot)
    lines = sorted(await sequencing.heads_at(connection, fact.size))
    index = next((at for at, line in enumerate(lines) if line.stream == stream), None)
    if index is None:
        return
    growing = Growing()
    tiles = {(tile.level, tile.n): tile.hashes for tile in growing.grow([leaf_hash(line.text()) for line in lines])}
    tiles |= {(at, len(lines) // WIDTH ** (at + 1)): hashes for at, hashes in enumerate(growing.edge)}
    proof = [range_hash(each, lambda level, n: tiles[level, n]) for each in inclusion(index, len(lines))]
    folder.write("head.json", canonical({
        "snapshot": snapshots[-1].position, "index": index, "seq": lines[index].seq, "hash": lines[index].hash.hex(),
        "proof": [each.hex() for each in proof],
    }))  # fmt: skip


def _write_schemas(folder: Folder, kinds: Iterable[tuple[str, int]]) -> None:
    """JSON Schema of each version of each kind of event that is in the export, and of the envelope."""
    models: dict[str, type[Payload]] = {**directory.KINDS, **events.KINDS}
    for kind, version in sorted(kinds):
        model = models.get(kind)
        if model is not None and version == model.VERSION:
            folder.write(f"schemas/{kind}.v{version}.json", _json(model.model_json_schema(mode="serialization")))
    folder.write(f"schemas/envelope.v{ENVELOPE}.json", _json(Event[Payload].model_json_schema(mode="serialization")))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
