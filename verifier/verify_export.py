#!/usr/bin/env python3
"""Check an export of the record of release journeys, without the programme that made it.

One file: Python 3.11 or later and the package `cryptography`; no database, no network, nothing of the project.

    python verify_export.py EXPORT --key VKEY [--checkpoint HELD ...] [--revoked VKEY] [--json] [--lang en]
    python verify_export.py EXPORT --self-test

--key         the public key (`name+id+key`), from whom you trust; without it, or a held checkpoint, an export can
              only agree with itself
--checkpoint  a checkpoint that you kept from earlier: this export must hold everything that it covers
--revoked     a key that counts no more
--self-test   corrupt copies of this export in a temporary folder, in each way that is known, and show each caught

Exit codes: 0 all holds; 2 wrong usage; 3 tampered; 4 incomplete; 5 holds, and parts were erased; 6 cannot be verified
(no key that you trust signed it, or a version that this file does not know). The gravest is told.

What the files are: README of the project, docs/exports.md. Trees: RFC 6962. Checkpoints and tiles: C2SP signed-note,
tlog-checkpoint, tlog-tiles.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import shutil
import stat
import struct
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
except ImportError:  # pragma: no cover
    sys.exit("verify_export.py: the package `cryptography` is needed: pip install cryptography")

FORMAT, VERSION = "release-journeys-export", 1
HOLDS, USAGE, TAMPERED, INCOMPLETE, ERASED, UNVERIFIABLE = 0, 2, 3, 4, 5, 6
GRAVITY = [TAMPERED, INCOMPLETE, UNVERIFIABLE, ERASED]
CLASSES = {TAMPERED: "tampered", INCOMPLETE: "incomplete", UNVERIFIABLE: "unverifiable", ERASED: "erased"}
WIDTH, HASH = 256, 32
TOLD = 20
"""Findings of one kind that are told; the others are counted."""
SKEW_SECONDS = 5
LARGEST = {"manifest.json": 128_000_000, "tile": 17_000_000, "line": 4_000_000, "note": 20_000}
RECENT = 200_000
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z")

# code: (class, French, English)
WORDS: dict[str, tuple[int, str, str]] = {
    "manifest-missing": (INCOMPLETE, "il n'y a pas de manifest.json", "there is no manifest.json"),
    "manifest": (TAMPERED, "manifest.json n'est pas tel qu'il a été écrit", "manifest.json is not as it was written"),
    "future-format": (UNVERIFIABLE, "format {what} : plus récent que ce vérificateur",
                      "format {what}: newer than this verifier"),
    "path": (TAMPERED, "le chemin {path} sort du dossier ou n'est pas permis",
             "the path {path} leaves the folder or is not allowed"),
    "symlink": (TAMPERED, "{path} est un lien symbolique", "{path} is a symbolic link"),
    "not-a-file": (TAMPERED, "{path} n'est pas un fichier ordinaire", "{path} is no ordinary file"),
    "file-missing": (INCOMPLETE, "{path} manque", "{path} is missing"),
    "file-extra": (TAMPERED, "{path} est de trop", "{path} does not belong here"),
    "file-size": (TAMPERED, "{path} n'a pas la taille annoncée", "{path} has not the size that is announced"),
    "file-changed": (TAMPERED, "{path} a été modifié", "{path} was changed"),
    "file-oversized": (TAMPERED, "{path} est plus grand que ce fichier peut l'être", "{path} is larger than it can be"),
    "unreadable": (TAMPERED, "{path} ne peut pas être lu ({why})", "{path} cannot be read ({why})"),
    "bundle": (TAMPERED, "{path} est coupé ou mal formé", "{path} is cut off or malformed"),
    "header": (TAMPERED, "place {position} : ce n'est pas un événement", "place {position}: this is no event"),
    "future-version": (UNVERIFIABLE, "{stream} {seq} : version {what}, plus récente que ce vérificateur",
                       "{stream} {seq}: version {what}, newer than this verifier"),
    "unknown-kind": (UNVERIFIABLE, "{what} : l'export n'en donne pas le schéma",
                     "{what}: the export has no schema of it"),
    "edited": (TAMPERED, "{stream} {seq} : l'événement a été modifié (place {position})",
               "{stream} {seq}: the event was edited (place {position})"),
    "link": (TAMPERED, "{stream} {seq} : il ne suit pas celui d'avant, l'un des deux a été modifié",
             "{stream} {seq}: it does not follow the one before, one of the two was changed"),
    "dropped": (TAMPERED, "{stream} {seq} : l'événement a été retiré", "{stream} {seq}: the event was dropped"),
    "reordered": (TAMPERED, "{stream} {seq} : l'événement n'est pas dans l'ordre",
                  "{stream} {seq}: the event is out of order"),
    "spliced": (TAMPERED, "{stream} {seq} : un événement a été inséré (place {position})",
                "{stream} {seq}: an event was put in (place {position})"),
    "truncated": (INCOMPLETE, "l'export s'arrête à {held} événements ; {size} sont attestés",
                  "the export ends at {held} events; {size} were signed"),
    "beyond": (TAMPERED, "l'export a {held} événements ; seuls {size} sont attestés",
               "the export has {held} events; only {size} were signed"),
    "tile": (TAMPERED, "{path} n'est pas l'arbre de ces événements", "{path} is not the tree of these events"),
    "root": (TAMPERED, "l'attestation de {size} événements ne correspond pas à l'export",
             "the checkpoint of {size} events does not fit the export"),
    "note": (TAMPERED, "attestation illisible ({where})", "unreadable checkpoint ({where})"),
    "signature": (TAMPERED, "la signature de l'attestation de {size} événements est fausse",
                  "the signature of the checkpoint of {size} events is false"),
    "origin": (TAMPERED, "l'attestation de {size} événements est celle d'un autre journal ({what})",
               "the checkpoint of {size} events is that of another log ({what})"),
    "no-checkpoint": (INCOMPLETE, "l'export n'a pas d'attestation", "the export has no checkpoint"),
    "unknown-key": (UNVERIFIABLE, "aucune clé de confiance n'a signé la dernière attestation ({what})",
                    "no key that you trust signed the last checkpoint ({what})"),
    "no-trust": (UNVERIFIABLE, "sans --key ni --checkpoint, l'export ne peut que s'accorder avec lui-même",
                 "without --key or --checkpoint the export can only agree with itself"),
    "revoked-key": (TAMPERED, "l'attestation de {size} événements est signée par une clé qui ne compte plus",
                    "the checkpoint of {size} events is signed by a key that counts no more"),
    "fork": (TAMPERED,
             "deux attestations de {size} événements disent des choses différentes : le journal a été dédoublé",
             "two checkpoints of {size} events say different things: the log was forked"),
    "rewritten": (TAMPERED,
                  "l'attestation gardée ({where}, {size} événements) ne correspond pas : l'histoire a été récrite",
                  "the held checkpoint ({where}, {size} events) does not fit: history was written anew"),
    "shorter-than-held": (INCOMPLETE, "l'attestation gardée ({where}) couvre {size} événements ; l'export en a {held}",
                          "the held checkpoint ({where}) covers {size} events; the export has {held}"),
    "snapshot": (TAMPERED,
                 "{stream} {seq} : les suites ne finissaient pas là à {size} événements (une fin a été coupée)",
                 "{stream} {seq}: the streams did not end there at {size} events (a tail was cut)"),
    "heads": (TAMPERED, "heads.txt ne dit pas où finissent les suites ({stream})",
              "heads.txt does not say where the streams end ({stream})"),
    "part-changed": (TAMPERED, "{stream} {seq} : le texte « {part} » n'est pas celui auquel l'événement s'engage",
                     "{stream} {seq}: the text “{part}” is not the one that the event commits to"),
    "part-swapped": (TAMPERED, "{stream} {seq} : le texte « {part} » est celui d'un autre événement",
                     "{stream} {seq}: the text “{part}” is that of another event"),
    "part-of-nothing": (TAMPERED, "un texte est rangé à la place {position}, qui n'en annonce pas",
                        "a text stands at place {position}, which announces none"),
    "part-missing": (INCOMPLETE, "{stream} {seq} : rien ne dit ce qu'est devenu le texte « {part} »",
                     "{stream} {seq}: nothing says what became of the text “{part}”"),
    "part-erased": (ERASED, "{stream} {seq} : le texte « {part} » a été effacé",
                    "{stream} {seq}: the text “{part}” was erased"),
    "proof": (TAMPERED, "{stream} {seq} : la preuve ne le montre pas à la place {position}",
              "{stream} {seq}: the proof does not show it at place {position}"),
    "history-changed": (TAMPERED, "l'historique du passage {run} n'est pas celui que le journal a noté",
                        "the history of run {run} is not the one that the log noted"),
    "history-missing": (INCOMPLETE, "rien ne dit ce qu'est devenu l'historique du passage {run}",
                        "nothing says what became of the history of run {run}"),
    "history-erased": (ERASED, "l'historique du passage {run} a été effacé", "the history of run {run} was erased"),
    "history-unreadable": (UNVERIFIABLE, "l'historique du passage {run} n'a pas pu être ouvert par qui a fait l'export",
                           "the history of run {run} could not be opened by whoever made the export"),
    "malformed": (TAMPERED, "l'export est mal formé ({why})", "the export is malformed ({why})"),
    "held-elsewhere": (UNVERIFIABLE, "l'attestation gardée ({where}, {size} événements) se compare à un export complet",
                       "the held checkpoint ({where}, {size} events) compares with the whole log only"),
    "no-snapshot": (INCOMPLETE, "rien ne montre où finit ce parcours", "nothing shows where this journey ends"),
}  # fmt: skip
NOTICES = {
    "clock": ("{stream} {seq} : l'horloge avait reculé de {seconds} s",
              "{stream} {seq}: the clock had gone back by {seconds} s"),
    "checkpoint-clock": ("l'attestation de {size} événements porte une heure plus ancienne que celle d'avant",
                         "the checkpoint of {size} events says an earlier time than the one before"),
    "withheld": ("{count} texte(s) ne sont pas dans cet export, et n'ont pas été effacés",
                 "{count} text(s) are not in this export, and were not erased"),
    "histories-withheld": ("{count} historique(s) ne sont pas dans cet export, et n'ont pas été effacés",
                           "{count} historie(s) are not in this export, and were not erased"),
    "other-keys": ("{count} attestation(s) sont signées par d'autres clés",
                   "{count} checkpoint(s) are signed by other keys"),
    "since-snapshot": ("{count} événement(s) après le dernier relevé : rien ne prouve qu'il n'y en a pas d'autres",
                       "{count} event(s) since the last snapshot: nothing proves that there are no others"),
}  # fmt: skip


class Report:
    """What was found, by kind."""

    def __init__(self) -> None:
        self.findings: list[tuple[str, dict[str, Any]]] = []
        self.notices: list[tuple[str, dict[str, Any]]] = []
        self.counts: Counter[str] = Counter()
        self.said: dict[str, Any] = {}

    def wrong(self, code: str, **place: Any) -> None:
        self.counts[code] += 1
        if self.counts[code] <= TOLD:
            self.findings.append((code, place))

    def odd(self, code: str, **place: Any) -> None:
        if sum(known == code for known, _ in self.notices) < TOLD:
            self.notices.append((code, place))

    @property
    def exit(self) -> int:
        classes = {WORDS[code][0] for code in self.counts}
        return next((each for each in GRAVITY if each in classes), HOLDS)

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": CLASSES.get(self.exit, "holds"), **self.said, "counts": dict(self.counts),
            "findings": [{"class": CLASSES[WORDS[code][0]], "code": code, **place} for code, place in self.findings],
            "notices": [{"code": code, **place} for code, place in self.notices],
        }  # fmt: skip

    def text(self, lang: str) -> str:
        at = 0 if lang == "fr" else 1
        lines = [f"✗ [{code}] {_filled(WORDS[code][1:][at], place)}" for code, place in self.findings]
        more = {code: count - TOLD for code, count in self.counts.items() if count > TOLD}
        lines += [f"✗ [{code}] … +{count}" for code, count in more.items()]
        lines += [f"! [{code}] {_filled(NOTICES[code][at], place)}" for code, place in self.notices]
        told = ", ".join(f"{name} {value}" for name, value in self.said.items())
        verdict = {
            HOLDS: ("tout concorde", "all holds"), TAMPERED: ("FALSIFIÉ", "TAMPERED"),
            INCOMPLETE: ("INCOMPLET", "INCOMPLETE"), ERASED: ("tout concorde ; des textes ont été effacés",
                                                             "all holds; texts were erased"),
            UNVERIFIABLE: ("NON VÉRIFIABLE", "CANNOT BE VERIFIED"),
        }[self.exit][at]  # fmt: skip
        return "\n".join([*lines, f"{verdict} ({told})"])


def _filled(words: str, place: dict[str, Any]) -> str:
    shown = {name: str(value).encode("unicode_escape").decode()[:200] for name, value in place.items()}
    return re.sub(r"\{(\w+)\}", lambda found: shown.get(found[1], "?"), words)


# --- the tree (RFC 6962)


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: list[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256(b"").digest()
    while len(hashes) > 1:
        above = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes) - 1, 2)]
        hashes = above + hashes[len(hashes) - 1 :] if len(hashes) % 2 else above
    return hashes[0]


class Tree:
    """A tree that grows leaf by leaf; full tiles are handed to `full`."""

    def __init__(self, full: Callable[[int, int, bytes], None] = lambda level, n, hashes: None) -> None:
        self.levels: list[list[bytes]] = [[]]
        self.size = 0
        self._full = full

    def add(self, leaf: bytes) -> None:
        self.size += 1
        level, hash = 0, leaf
        while True:
            if level == len(self.levels):
                self.levels.append([])
            tile = self.levels[level]
            tile.append(hash)
            if len(tile) < WIDTH:
                return
            self._full(level, self.size // WIDTH ** (level + 1) - 1, b"".join(tile))
            hash = root_of(tile)
            self.levels[level] = []
            level += 1

    def root(self) -> bytes:
        right: list[bytes] = []
        for level in self.levels:
            whole = level + right
            right = [root_of(whole)] if whole else []
        return right[0] if right else root_of([])

    def partial(self) -> Iterator[tuple[int, int, bytes]]:
        for level, hashes in enumerate(self.levels):
            if hashes:
                yield level, self.size // WIDTH ** (level + 1), b"".join(hashes)


def included(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """RFC 9162, 2.1.3.2."""
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


# --- checkpoints (C2SP)


@dataclass(frozen=True)
class Key:
    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([1]) + self.public).decode()}"


@dataclass(frozen=True)
class Note:
    where: str
    origin: str
    size: int
    root: bytes
    text: bytes
    signatures: list[tuple[str, bytes]]

    def signed_by(self, keys: list[Key]) -> tuple[list[Key], bool]:
        """Those of the keys that signed it, and whether one of them signed something else."""
        good, false = [], False
        for name, blob in self.signatures:
            for key in keys:
                if (key.name, key.id) == (name, blob[:4]):
                    try:
                        Ed25519PublicKey.from_public_bytes(key.public).verify(blob[4:], self.text)
                        good.append(key)
                    except InvalidSignature:
                        false = True
        return good, false


def read_key(vkey: str) -> Key:
    """Raises ValueError."""
    name, _, rest = vkey.strip().partition("+")
    id, _, encoded = rest.partition("+")
    key = base64.b64decode(encoded.encode("ascii"), validate=True)
    if not re.fullmatch(r"[^\s+]{1,200}", name) or len(key) != 33 or key[0] != 1:
        raise ValueError("vkey")
    found = Key(name, key[1:])
    if found.id.hex() != id:
        raise ValueError("vkey")
    return found


def read_note(note: str, where: str) -> Note:
    """Raises ValueError."""
    text, blank, signatures = note.rpartition("\n\n")
    lines, signed = text.split("\n"), signatures.split("\n")
    if len(note) > LARGEST["note"] or not blank or signed.pop() != "" or not signed or len(lines) < 3 or not all(lines):
        raise ValueError("note")
    if not re.fullmatch(r"0|[1-9][0-9]{0,17}", lines[1]) or re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise ValueError("note")
    root = base64.b64decode(lines[2].encode("ascii"), validate=True)
    found = []
    for line in signed:
        dash, name, encoded = line.split(" ")
        blob = base64.b64decode(encoded.encode("ascii"), validate=True)
        if dash != "\N{EM DASH}" or len(blob) < 5:
            raise ValueError("note")
        found.append((name, blob))
    if len(root) != HASH:
        raise ValueError("note")
    return Note(where, lines[0], int(lines[1]), root, text.encode() + b"\n", found)


# --- files


class Gone(Exception):
    """A file that cannot be had; it was said already."""


class Folder:
    """The files of an export: only those that the manifest names, only ordinary ones, none through a link."""

    def __init__(self, root: Path, report: Report) -> None:
        self.root, self.report = root, report
        self.there: dict[str, int] = {}
        self.named: dict[str, tuple[str, int]] = {}
        self.read_whole: set[str] = set()
        self._walk(root, "")

    def _walk(self, folder: Path, prefix: str) -> None:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                path = prefix + entry.name
                mode = entry.stat(follow_symlinks=False)
                if entry.is_symlink():
                    self.report.wrong("symlink", path=path)
                elif stat.S_ISDIR(mode.st_mode):
                    if path.count("/") < 12:
                        self._walk(folder / entry.name, path + "/")
                    else:
                        self.report.wrong("path", path=path)
                elif stat.S_ISREG(mode.st_mode):
                    self.there[path] = mode.st_size
                else:
                    self.report.wrong("not-a-file", path=path)

    def manifest(self) -> dict[str, Any] | None:
        """The manifest, once it is known to be what was written."""
        if "manifest.json" not in self.there:
            self.report.wrong("manifest-missing")
            return None
        try:
            raw = self.bytes("manifest.json", LARGEST["manifest.json"], listed=False)
            found = json.loads(raw)
            if (found["format"], type(found["version"])) != (FORMAT, int):
                raise ValueError("format")
            if found["version"] > VERSION:
                self.report.wrong("future-format", what=found["version"])
                return None
            digest = found.pop("digest")
            if digest != hashlib.sha256(canonical(found)).hexdigest() or canonical({**found, "digest": digest}) != raw:
                raise ValueError("digest")
            for path, told in found["files"].items():
                if not _allowed(path):
                    self.report.wrong("path", path=path)
                else:
                    self.named[path] = (str(told["sha256"]), int(told["size"]))
            return dict(found)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.report.wrong("manifest")
            return None
        except Gone:
            return None

    def compare(self) -> None:
        """What is there against what should be."""
        for path in self.there.keys() - self.named.keys() - {"manifest.json"}:
            self.report.wrong("file-extra", path=path)
        for path, (_, size) in self.named.items():
            if path not in self.there:
                self.report.wrong("file-missing", path=path)
            elif self.there[path] != size:
                self.report.wrong("file-size", path=path)

    def compare_rest(self) -> None:
        """The files that nothing else read."""
        for path in sorted(self.named.keys() & self.there.keys() - self.read_whole):
            digest = hashlib.sha256()
            try:
                with self._open(path) as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
            except OSError as error:
                self.report.wrong("unreadable", path=path, why=error.strerror)
                continue
            if digest.hexdigest() != self.named[path][0]:
                self.report.wrong("file-changed", path=path)

    def bytes(self, path: str, largest: int, *, listed: bool = True) -> bytes:
        """A whole file. Raises Gone."""
        if path not in self.there or (listed and path not in self.named):
            raise Gone(path)
        if self.there[path] > largest:
            self.report.wrong("file-oversized", path=path)
            raise Gone(path)
        try:
            with self._open(path) as file:
                found: bytes = file.read(largest + 1)
        except OSError as error:
            self.report.wrong("unreadable", path=path, why=error.strerror)
            raise Gone(path) from None
        if listed:
            self.read_whole.add(path)
            if hashlib.sha256(found).hexdigest() != self.named[path][0]:
                self.report.wrong("file-changed", path=path)
        return found

    def lines(self, path: str) -> Iterator[Any]:
        """The JSON of each line of a file that the manifest names; its digest is compared at the end."""
        if path not in self.there or path not in self.named:
            return
        digest = hashlib.sha256()
        try:
            with self._open(path) as file:
                while line := file.readline(LARGEST["line"]):
                    digest.update(line)
                    try:
                        yield json.loads(line)
                    except (ValueError, RecursionError):
                        self.report.wrong("unreadable", path=path, why="JSON")
                        break
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            self.report.wrong("unreadable", path=path, why=error.strerror)
            return
        self.read_whole.add(path)
        if digest.hexdigest() != self.named[path][0]:
            self.report.wrong("file-changed", path=path)

    def _open(self, path: str) -> Any:
        return os.fdopen(os.open(self.root / path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")


def _allowed(path: object) -> bool:
    if not isinstance(path, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,250}", path):
        return False
    parts = PurePosixPath(path).parts
    return "/".join(parts) == path and not {"..", "."} & set(parts)


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def place(n: int, width: int = WIDTH) -> str:
    digits = str(n).zfill(-(-len(str(n)) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    found = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return found if width == WIDTH else f"{found}.p/{width}"


def unbundled(blob: bytes) -> list[bytes]:
    """Raises ValueError."""
    found, at, end = [], 0, len(blob)
    while at < end:
        if at + 2 > end:
            raise ValueError("length")
        (length,) = struct.unpack_from(">H", blob, at)
        at += 2 + length
        if at > end:
            raise ValueError("entry")
        found.append(blob[at - length : at])
    return found


# --- streams


@dataclass
class Streams:
    """Every stream so far: its end, what is missing, when it was written."""

    report: Report
    schemas: set[str]
    heads: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    clocks: dict[str, str] = field(default_factory=dict)
    missing: dict[str, set[int]] = field(default_factory=dict)
    kinds: set[tuple[str, int]] = field(default_factory=set)
    recent: deque[tuple[str, tuple[int, bytes] | None]] = field(default_factory=lambda: deque(maxlen=RECENT))

    def take(self, entry: bytes, position: int) -> dict[str, Any] | None:
        """One event against the one before it in its stream; its header, None when it is none."""
        try:
            header = json.loads(entry)
            stream, seq, prev, kind = header["stream"], header["seq"], header["prev"], header["kind"]
            version, recorded, parts = header["kind_v"], header["recorded_at"], header["parts"]
            if header["v"] != 1:
                self.report.wrong("future-version", stream=stream, seq=seq, what=header["v"])
            if not (type(seq) is type(version) is int and type(stream) is type(kind) is type(recorded) is str):
                raise ValueError("types")
            if type(parts) is not dict or type(header["data"]) is not dict:
                raise ValueError("types")
        except (ValueError, TypeError, KeyError, RecursionError):
            self.report.wrong("header", position=position)
            return None
        if (kind, version) not in self.kinds:
            self.kinds.add((kind, version))
            if f"schemas/{kind}.v{version}.json" not in self.schemas:
                self.report.wrong("unknown-kind", what=f"{kind}.v{version}"[:80])
        before = self.heads.get(stream)
        last, link = before if before is not None else (0, bytes(HASH))
        if seq == last + 1:
            if prev != link.hex():
                self.report.wrong("link", stream=stream, seq=seq)
        elif seq > last + 1:
            self.missing.setdefault(stream, set()).update(range(last + 1, min(seq, last + 100_000)))
        elif seq in self.missing.get(stream, ()):
            self.missing[stream].discard(seq)
            self.report.wrong("reordered", stream=stream, seq=seq)
        else:
            self.report.wrong("spliced", stream=stream, seq=seq, position=position)
        self.recent.append((stream, before))
        if seq > last:
            self.heads[stream] = (seq, hashlib.sha256(entry).digest())
        clock = self.clocks.get(stream, "")
        if recorded < clock:
            seconds = _seconds(recorded, clock)
            if seconds > SKEW_SECONDS:
                self.report.odd("clock", stream=stream, seq=seq, seconds=seconds)
        else:
            self.clocks[stream] = recorded
        return dict(header)

    def at(self, back: int) -> dict[str, tuple[int, bytes]] | None:
        """The ends of the streams so many events ago; None where that is too far."""
        if back > len(self.recent):
            return None
        found = dict(self.heads)
        for nth in range(1, back + 1):
            stream, before = self.recent[-nth]
            if before is None:
                found.pop(stream, None)
            else:
                found[stream] = before
        return found

    def end(self) -> None:
        for stream, missing in self.missing.items():
            for seq in sorted(missing)[: TOLD + 1]:
                self.report.wrong("dropped", stream=stream, seq=seq)


def _seconds(earlier: str, later: str) -> int:
    try:
        return int((datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds())
    except (ValueError, TypeError):
        return 0


def head_leaves(heads: dict[str, tuple[int, bytes]]) -> list[bytes]:
    return [leaf_hash(f"{stream} {seq} {hash.hex()}\n".encode()) for stream, (seq, hash) in sorted(heads.items())]


class Parts:
    """The texts beside the events, in their order."""

    def __init__(self, report: Report, lines: Iterator[Any]) -> None:
        self.report, self.lines, self.withheld = report, lines, 0
        self.wrong: list[tuple[str, str, dict[str, Any]]] = []
        self.next = self._read()

    def _read(self) -> tuple[int, str, dict[str, Any]] | None:
        for line in self.lines:
            try:
                found = (line["position"], line["name"], line)
                if type(found[0]) is int and type(found[1]) is str:
                    return found
            except (TypeError, KeyError):
                pass
            self.report.wrong("unreadable", path="parts.jsonl", why="line")
        return None

    def take(self, header: dict[str, Any], position: int) -> None:
        """The parts that an event commits to."""
        for name in sorted(header["parts"]):
            while self.next is not None and self.next[:2] < (position, name):
                self.report.wrong("part-of-nothing", position=self.next[0])
                self.next = self._read()
            where = {"stream": header["stream"], "seq": header["seq"], "part": name}
            if self.next is None or self.next[:2] != (position, name):
                self.report.wrong("part-missing", **where)
                continue
            self._judge(self.next[2], str(header["parts"][name]), where)
            self.next = self._read()

    def _judge(self, line: dict[str, Any], promised: str, where: dict[str, Any]) -> None:
        match line.get("state"):
            case "shown":
                try:
                    said = hmac.new(bytes.fromhex(line["salt"]), line["text"].encode(), "sha256").hexdigest()
                except (ValueError, TypeError, KeyError, AttributeError, UnicodeEncodeError):
                    said = ""
                if not hmac.compare_digest(said, promised):
                    self.wrong.append((said, promised, where))
            case "withheld":
                self.withheld += 1
            case "erased":
                self.report.wrong("part-erased", **where)
            case _:
                self.report.wrong("part-missing", **where)

    def end(self, reached: int | None = None) -> None:
        """`reached`: how far the events went, where they were cut off; what lies behind was said with that."""
        while self.next is not None:
            if reached is None or self.next[0] < reached:
                self.report.wrong("part-of-nothing", position=self.next[0])
            self.next = self._read()
        promised = {each for _, each, _ in self.wrong}
        for said, _, where in self.wrong:
            self.report.wrong("part-swapped" if said in promised else "part-changed", **where)
        if self.withheld:
            self.report.odd("withheld", count=self.withheld)


class Histories:
    """The histories of the engine's runs that the log names by their digest."""

    def __init__(self, folder: Folder, report: Report) -> None:
        self.folder, self.report, self.withheld = folder, report, 0
        self.states = {
            line["run"]: line.get("state") for line in folder.lines("histories.jsonl")
            if isinstance(line, dict) and isinstance(line.get("run"), str)
        }  # fmt: skip

    def take(self, data: dict[str, Any]) -> None:
        """A run whose history was kept."""
        run = str(data.get("run"))
        match self.states.get(run):
            case "shown":
                if self.folder.named.get(f"histories/{run}.json", ("", 0))[0] != data.get("digest"):
                    self.report.wrong("history-changed", run=run)
            case "withheld":
                self.withheld += 1
            case "erased":
                self.report.wrong("history-erased", run=run)
            case "unreadable":
                self.report.wrong("history-unreadable", run=run)
            case _:
                self.report.wrong("history-missing", run=run)

    def end(self) -> None:
        if self.withheld:
            self.report.odd("histories-withheld", count=self.withheld)


# --- what was signed


@dataclass
class Trust:
    """What the auditor brought along."""

    keys: list[Key] = field(default_factory=list)
    held: list[Note] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)


class Signed:
    """The checkpoints of an export and those held: roots that the tree must have at their sizes."""

    def __init__(self, report: Report, trust: Trust, origin: str, size: int) -> None:
        self.report, self.trust, self.origin, self.size = report, trust, origin, size
        self.notes: list[Note] = []
        self.others = 0
        self.revoked: dict[str, int] = {}
        """From which place on a key counts no more, as the log says."""
        self._waiting: list[Note] = []
        self._signers: list[tuple[int, str]] = []
        self.vouched = False

    def read(self, folder: Folder) -> Note | None:
        """All of them; the last one."""
        clock = ""
        seen: dict[tuple[str, int], bytes] = {}
        for line in folder.lines("checkpoints.jsonl"):
            try:
                note = read_note(line["note"], "checkpoints.jsonl")
                made = line["made_at"]
                if not isinstance(made, str) or not INSTANT.fullmatch(made):
                    raise ValueError("made_at")
            except (ValueError, TypeError, KeyError, AttributeError, binascii.Error):
                self.report.wrong("note", where="checkpoints.jsonl")
                continue
            self._judge(note)
            if made < clock and _seconds(made, clock) > SKEW_SECONDS:
                self.report.odd("checkpoint-clock", size=note.size)
            clock = max(clock, made)
            if seen.setdefault((note.origin, note.size), note.root) != note.root:
                self.report.wrong("fork", size=note.size)
        last = max(self.notes, key=lambda each: each.size, default=None)
        try:
            shown = read_note(folder.bytes("checkpoint", LARGEST["note"]).decode(), "checkpoint")
            if last is not None and (shown.text, shown.signatures) != (last.text, last.signatures):
                self.report.wrong("note", where="checkpoint")
        except Gone:
            pass
        except (ValueError, UnicodeDecodeError, binascii.Error):
            self.report.wrong("note", where="checkpoint")
        if last is None:
            self.report.wrong("no-checkpoint")
        else:
            self._trusted(last)
        for held in self.trust.held:
            if held.origin != self.origin and held.origin not in {note.origin for note in self.notes}:
                self.report.wrong("origin", size=held.size, what=held.origin)
            if held.signed_by(self.trust.keys)[1]:
                self.report.wrong("signature", size=held.size)
            if any(note.size == held.size and note.root != held.root for note in self.notes):
                self.report.wrong("fork", size=held.size)
            if held.size > self.size:
                self.report.wrong("shorter-than-held", where=held.where, size=held.size, held=self.size)
        self._waiting = sorted([*self.notes, *self.trust.held], key=lambda each: each.size, reverse=True)
        return last

    def _judge(self, note: Note) -> None:
        good, false = note.signed_by(self.trust.keys)
        if false:
            self.report.wrong("signature", size=note.size)
        self.others += not good and bool(self.trust.keys)
        for key in good:
            if key.vkey in self.trust.revoked:
                self.report.wrong("revoked-key", size=note.size)
        for name, blob in note.signatures:
            self._signers.append((note.size, f"{name}+{blob[:4].hex()}"))
        self.notes.append(note)

    def _trusted(self, last: Note) -> None:
        good, _ = last.signed_by(self.trust.keys)
        good = [key for key in good if key.vkey not in self.trust.revoked]
        covered = any(held.size == last.size and held.root == last.root for held in self.trust.held)
        self.vouched = bool(good) or covered
        if not self.trust.keys and not self.trust.held:
            self.report.wrong("no-trust")
        elif self.trust.keys and not good and not covered:
            self.report.wrong("unknown-key", what=", ".join(name for name, _ in last.signatures))

    @property
    def next_size(self) -> int:
        """The next size at which a root is compared; -1 where there is none."""
        return self._waiting[-1].size if self._waiting else -1

    def compare(self, tree: Tree) -> None:
        """The roots at this size of the tree."""
        root = tree.root()
        while self._waiting and self._waiting[-1].size == tree.size:
            note = self._waiting.pop()
            if note.root != root:
                if note in self.trust.held:
                    self.report.wrong("rewritten", where=note.where, size=note.size)
                else:
                    self.report.wrong("root", size=note.size)

    def end(self, size: int, last: Note | None) -> None:
        for note in self._waiting:
            if note not in self.trust.held and note.size > size:
                self.report.wrong("truncated", held=size, size=note.size)
        if last is not None and size > last.size:
            self.report.wrong("beyond", held=size, size=last.size)
        for at, signer in self._signers:
            for vkey, since in self.revoked.items():
                if vkey.startswith(signer + "+") and at > since:
                    self.report.wrong("revoked-key", size=at)
        if self.others and self.vouched:
            self.report.odd("other-keys", count=self.others)


# --- the whole log


def verify_log(folder: Folder, manifest: dict[str, Any], report: Report, trust: Trust) -> None:
    size = int(manifest["size"])

    def compare_tile(level: int, n: int, hashes: bytes) -> None:
        path = f"tile/{level}/{place(n, len(hashes) // HASH)}"
        if level == 0:
            return
        try:
            if folder.bytes(path, WIDTH * HASH) != hashes:
                report.wrong("tile", path=path)
        except Gone:
            pass

    streams = Streams(report, {path for path in folder.named if path.startswith("schemas/")})
    parts = Parts(report, folder.lines("parts.jsonl"))
    histories = Histories(folder, report)
    signed = Signed(report, trust, str(manifest["origin"]), size)
    last = signed.read(folder)
    tree, snapshots = Tree(compare_tile), 0
    for n in range(-(-size // WIDTH)):
        width = min(WIDTH, size - n * WIDTH)
        path = f"tile/entries/{place(n, width)}"
        try:
            entries = unbundled(folder.bytes(path, LARGEST["tile"]))
        except Gone:
            break
        except ValueError:
            report.wrong("bundle", path=path)
            break
        if len(entries) > width:
            report.wrong("bundle", path=path)
        kept = _leaves(folder, n, width, report)
        for nth, entry in enumerate(entries):
            position = tree.size
            leaf = leaf_hash(entry)
            tree.add(leaf)
            header = streams.take(entry, position)
            if kept is not None and kept[nth * HASH : nth * HASH + HASH] != leaf:
                said = header or {"stream": "?", "seq": "?"}
                report.wrong("edited", stream=said["stream"], seq=said["seq"], position=position)
            if header is not None:
                if header["parts"]:
                    parts.take(header, position)
                if header["stream"] == "system":
                    if header["kind"] == "HistoryKept":
                        histories.take(header["data"])
                    snapshots += _log_fact(header, position, streams, signed, report)
            if tree.size == signed.next_size:
                signed.compare(tree)
        if len(entries) < width:
            break
    for level, n, hashes in tree.partial():
        compare_tile(level, n, hashes)
    if tree.size != size:
        report.wrong("truncated", held=tree.size, size=size)
    streams.end()
    parts.end(tree.size if tree.size < size else None)
    histories.end()
    signed.end(tree.size, last)
    if not report.counts.keys() & {"truncated", "file-missing"}:
        _compare_heads(folder, streams, report)
    report.said |= {"events": tree.size, "streams": len(streams.heads), "checkpoints": len(signed.notes),
                    "snapshots": snapshots, "held": len(trust.held)}  # fmt: skip


def _leaves(folder: Folder, n: int, width: int, report: Report) -> bytes | None:
    try:
        return folder.bytes(f"tile/0/{place(n, width)}", WIDTH * HASH)
    except Gone:
        return None


def _log_fact(header: dict[str, Any], position: int, streams: Streams, signed: Signed, report: Report) -> int:
    """What the log says of itself; 1 for a snapshot that was compared."""
    data = header["data"]
    if header["kind"] == "CheckpointKeyRevoked":
        signed.revoked[str(data.get("vkey"))] = position
    if header["kind"] != "HeadsSnapshot":
        return 0
    place = {"stream": header["stream"], "seq": header["seq"], "size": data.get("size")}
    back = position + 1 - data["size"] if type(data.get("size")) is int else -1
    heads = streams.at(back) if back > 0 else None
    if heads is None or (len(heads), root_of(head_leaves(heads)).hex()) != (data.get("count"), data.get("root")):
        report.wrong("snapshot", **place)
    return 1


def _compare_heads(folder: Folder, streams: Streams, report: Report) -> None:
    try:
        said = folder.bytes("heads.txt", LARGEST["manifest.json"]).decode().splitlines()
    except Gone:
        return
    except UnicodeDecodeError:
        report.wrong("unreadable", path="heads.txt", why="UTF-8")
        return
    found = [f"{stream} {seq} {hash.hex()}" for stream, (seq, hash) in sorted(streams.heads.items())]
    if said != found:
        for line in sorted(set(said) ^ set(found))[:TOLD]:
            report.wrong("heads", stream=line.split(" ")[0])


# --- one journey


def verify_journey(folder: Folder, manifest: dict[str, Any], report: Report, trust: Trust) -> None:
    """The headers of a journey, each with its proof, and where the journey ended at the last snapshot."""
    wanted = str(manifest["journey"])
    streams = Streams(report, {path for path in folder.named if path.startswith("schemas/")})
    parts = Parts(report, folder.lines("parts.jsonl"))
    histories = Histories(folder, report)
    signed = Signed(report, trust, str(manifest["origin"]), int(manifest["size"]))
    last = signed.read(folder)
    snapshots: dict[int, dict[str, Any]] = {}
    first: int | None = None
    events = 0
    for line in folder.lines("headers.jsonl"):
        try:
            entry, position = line["header"].encode(), line["position"]
            proof = [bytes.fromhex(each) for each in line["proof"]]
            header = json.loads(entry)
            if type(position) is not int or type(header) is not dict:
                raise ValueError("types")
        except (TypeError, KeyError, ValueError, AttributeError, RecursionError):
            report.wrong("unreadable", path="headers.jsonl", why="line")
            continue
        if last is None or not included(leaf_hash(entry), position, last.size, proof, last.root):
            report.wrong("proof", stream=header.get("stream"), seq=header.get("seq"), position=position)
        if header.get("stream") == wanted:
            found = streams.take(entry, position)
            first = position if first is None else first
            events += 1
            if found is not None and found["parts"]:
                parts.take(found, position)
        elif header.get("kind") == "HeadsSnapshot" and header.get("stream") == "system":
            snapshots[position] = header["data"]
        elif header.get("kind") == "CheckpointKeyRevoked" and header.get("stream") == "system":
            signed.revoked[str(header["data"].get("vkey"))] = position
        elif header.get("kind") == "HistoryKept" and header["data"].get("journey") == wanted:
            histories.take(header["data"])
        else:
            report.wrong("spliced", stream=header.get("stream"), seq=header.get("seq"), position=position)
    streams.end()
    parts.end()
    histories.end()
    signed.end(int(manifest["size"]), last)
    for held in trust.held:
        if last is not None and held.size == last.size and held.root != last.root:
            report.wrong("rewritten", where=held.where, size=held.size)
        elif last is not None and held.size < last.size:
            report.wrong("held-elsewhere", where=held.where, size=held.size, held=last.size)
    if first is not None and snapshots and first > max(snapshots) and "head.json" not in folder.named:
        report.odd("since-snapshot", count=events)
    else:
        _compare_tail(folder, streams, snapshots, wanted, report)
    report.said |= {"journey": wanted, "events": events, "checkpoints": len(signed.notes), "held": len(trust.held)}


def _compare_tail(
    folder: Folder, streams: Streams, snapshots: dict[int, dict[str, Any]], wanted: str, report: Report
) -> None:
    try:
        said = json.loads(folder.bytes("head.json", LARGEST["line"]))
        seq, hash, at = said["seq"], said["hash"], snapshots[said["snapshot"]]
        proof = [bytes.fromhex(each) for each in said["proof"]]
        leaf = leaf_hash(f"{wanted} {seq} {hash}\n".encode())
        if not included(leaf, said["index"], at["count"], proof, bytes.fromhex(at["root"])):
            report.wrong("snapshot", stream=wanted, seq=seq, size=at["size"])
    except (Gone, ValueError, TypeError, KeyError, RecursionError):
        report.wrong("no-snapshot")
        return
    end, digest = streams.heads.get(wanted, (0, b""))
    if end < seq or (end == seq and digest.hex() != hash):
        report.wrong("snapshot", stream=wanted, seq=seq, size=at["size"])
    if end > seq:
        report.odd("since-snapshot", count=end - seq)


# --- the command


def verify(root: Path, trust: Trust) -> Report:
    """Look at everything; never raises for what stands in the export."""
    report = Report()
    folder = Folder(root, report)
    manifest = folder.manifest()
    if manifest is None:
        return report
    folder.compare()
    try:
        look = {"log": verify_log, "journey": verify_journey}[manifest["kind"]]
        look(folder, manifest, report, trust)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        report.wrong("malformed", why=type(error).__name__)
    folder.compare_rest()
    return report


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS
    )
    parser.add_argument("export", type=Path, metavar="EXPORT")
    parser.add_argument("--key", action="append", default=[], metavar="VKEY")
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, metavar="HELD")
    parser.add_argument("--revoked", action="append", default=[], metavar="VKEY")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--lang", choices=["fr", "en"], default="fr")
    parser.add_argument("--self-test", action="store_true")
    given = parser.parse_args(arguments)
    if given.export.is_symlink() or not given.export.is_dir():
        parser.error(f"{given.export}: not a folder")
    trust = Trust()
    for vkey in [*given.key, *given.revoked]:
        try:
            read_key(vkey)
        except (ValueError, binascii.Error, UnicodeEncodeError):
            parser.error(f"{vkey[:80]}: not a key (name+id+key)")
    trust.keys, trust.revoked = [read_key(each) for each in given.key], {each.strip() for each in given.revoked}
    for path in given.checkpoint:
        try:
            trust.held.append(read_note(path.read_text(encoding="utf-8"), str(path)))
        except (OSError, ValueError, binascii.Error) as error:
            parser.error(f"{path}: not a checkpoint ({type(error).__name__})")
    if given.self_test:
        return self_test(given.export)
    report = verify(given.export, trust)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    print(json.dumps(report.as_json(), ensure_ascii=False, indent=1) if given.json else report.text(given.lang))
    return report.exit


# --- self-test: each known corruption, in a copy


class Copy:
    """An export signed anew by a key of the test: what somebody could make who has the record and the key."""

    def __init__(self, source: Path, target: Path) -> None:
        self.root = target
        shutil.copytree(source, target, symlinks=True)
        self.files = json.loads((target / "manifest.json").read_bytes())
        notes = [json.loads(line) for line in (target / "checkpoints.jsonl").read_text().splitlines()]
        self.sizes = [(read_note(each["note"], "").size, each["made_at"]) for each in notes]
        self.origin = self.files["origin"]
        self.entries: list[bytes] = []
        for n in range(-(-self.files["size"] // WIDTH)):
            width = min(WIDTH, self.files["size"] - n * WIDTH)
            self.entries += unbundled((target / f"tile/entries/{place(n, width)}").read_bytes())
        self.secret = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"self-test").digest())
        self.key = Key(self.origin, self.secret.public_key().public_bytes_raw())
        self.sign()
        self.seal()

    def note(self, size: int, root: bytes) -> str:
        text = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        line = base64.b64encode(self.key.id + self.secret.sign(text.encode())).decode()
        return f"{text}\n\N{EM DASH} {self.origin} {line}\n"

    def root_at(self, size: int) -> bytes:
        tree = Tree()
        for entry in self.entries[:size]:
            tree.add(leaf_hash(entry))
        return tree.root()

    def sign(self) -> None:
        """Every checkpoint anew, over the entries as they are."""
        reached = [(size, made) for size, made in self.sizes if size <= len(self.entries)]
        notes = [(self.note(size, self.root_at(size)), made) for size, made in reached]
        self.write(
            "checkpoints.jsonl", b"".join(canonical({"note": note, "made_at": made}) + b"\n" for note, made in notes)
        )
        self.write("checkpoint", notes[-1][0].encode())

    def rebuild(self, *, tiles: bool = True) -> None:
        """Bundles (and tiles) of the entries as they are, and where the streams end."""
        heads: dict[str, tuple[int, bytes]] = {}
        for entry in self.entries:
            header = json.loads(entry)
            heads[header["stream"]] = (header["seq"], hashlib.sha256(entry).digest())
        lines = [f"{stream} {seq} {hash.hex()}\n" for stream, (seq, hash) in sorted(heads.items())]
        self.write("heads.txt", "".join(lines).encode())
        shutil.rmtree(self.root / "tile/entries")
        if tiles:
            shutil.rmtree(self.root / "tile")
        self.files["size"] = len(self.entries)
        found: list[tuple[int, int, bytes]] = []
        tree = Tree(lambda level, n, hashes: found.append((level, n, hashes)))
        for at in range(0, len(self.entries), WIDTH):
            chunk = self.entries[at : at + WIDTH]
            blob = b"".join(struct.pack(">H", len(entry)) + entry for entry in chunk)
            self.write(f"tile/entries/{place(at // WIDTH, len(chunk))}", blob)
            for entry in chunk:
                tree.add(leaf_hash(entry))
        for level, n, hashes in [*found, *tree.partial()] if tiles else []:
            self.write(f"tile/{level}/{place(n, len(hashes) // HASH)}", hashes)

    def write(self, path: str, content: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def seal(self) -> None:
        """The manifest of what is there."""
        files = {}
        for path in sorted(self.root.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.name != "manifest.json":
                content = path.read_bytes()
                name = path.relative_to(self.root).as_posix()
                files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        body = {**{key: value for key, value in self.files.items() if key != "digest"}, "files": files}
        digest = hashlib.sha256(canonical(body)).hexdigest()
        self.write("manifest.json", canonical({**body, "digest": digest}))


def _victim(copy: Copy) -> int:
    """An event that another of its stream follows."""
    seen: dict[str, int] = {}
    for at, entry in enumerate(copy.entries):
        stream = json.loads(entry)["stream"]
        if stream in seen and stream != "system":
            return seen[stream]
        seen[stream] = at
    raise SystemExit("self-test: the export has no stream with two events")


def _edited(copy: Copy, at: int) -> bytes:
    header = json.loads(copy.entries[at])
    return canonical({**header, "actor": header["actor"] + "x"})


def _edit(copy: Copy) -> None:
    at = _victim(copy)
    copy.entries[at] = _edited(copy, at)
    copy.rebuild(tiles=False)


def _edit_with_the_tree(copy: Copy) -> None:
    at = _victim(copy)
    copy.entries[at] = _edited(copy, at)
    copy.rebuild()
    copy.sign()


def _rehash(copy: Copy) -> None:
    """Everything after an edit linked anew, tree and checkpoints made and signed anew."""
    at = _victim(copy)
    stream = json.loads(copy.entries[at])["stream"]
    copy.entries[at] = _edited(copy, at)
    link = hashlib.sha256(copy.entries[at]).hexdigest()
    for nth in range(at + 1, len(copy.entries)):
        header = json.loads(copy.entries[nth])
        if header["stream"] == stream:
            copy.entries[nth] = canonical({**header, "prev": link})
            link = hashlib.sha256(copy.entries[nth]).hexdigest()
    copy.rebuild()
    copy.sign()


def _drop(copy: Copy) -> None:
    del copy.entries[_victim(copy)]
    copy.rebuild()
    copy.sign()


def _reorder(copy: Copy) -> None:
    at = _victim(copy)
    stream = json.loads(copy.entries[at])["stream"]
    other = next(n for n in range(at + 1, len(copy.entries)) if json.loads(copy.entries[n])["stream"] == stream)
    copy.entries[at], copy.entries[other] = copy.entries[other], copy.entries[at]
    copy.rebuild()
    copy.sign()


def _truncate(copy: Copy) -> None:
    copy.entries = copy.entries[:-1]
    copy.rebuild()


def _splice(copy: Copy) -> None:
    at = _victim(copy)
    copy.entries.insert(at + 1, copy.entries[at])
    copy.rebuild()
    copy.sign()


def _fork(copy: Copy) -> None:
    size = copy.sizes[-1][0]
    with (copy.root / "checkpoints.jsonl").open("ab") as file:
        note = copy.note(size, hashlib.sha256(b"another tree").digest())
        file.write(canonical({"note": note, "made_at": copy.sizes[-1][1]}) + b"\n")


def _false_signature(copy: Copy) -> None:
    path = copy.root / "checkpoints.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[-1]["note"] = lines[-1]["note"].replace(f"\n{copy.sizes[-1][0]}\n", f"\n{copy.sizes[-1][0] - 1}\n")
    path.write_bytes(b"".join(canonical(line) + b"\n" for line in lines))


def _swap_parts(copy: Copy) -> None:
    path = copy.root / "parts.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    shown = [line for line in lines if line["state"] == "shown"]
    one, other = shown[0], next(line for line in shown if line["text"] != shown[0]["text"])
    for name in ("text", "salt"):
        one[name], other[name] = other[name], one[name]
    path.write_bytes(b"".join(canonical(line) + b"\n" for line in lines))


def _one_bit(copy: Copy) -> None:
    path = copy.root / "heads.txt"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _missing(copy: Copy) -> None:
    (copy.root / "checkpoints.jsonl").unlink()


def _future(copy: Copy) -> None:
    copy.files["version"] = VERSION + 1


CORRUPTIONS: list[tuple[str, Callable[[Copy], None], bool, int, str]] = [
    # name, what is done, whether the manifest is made anew, the exit code and the code of the finding that must come
    ("edit", _edit, True, TAMPERED, "edited"),
    ("edit, tree and checkpoints made anew", _edit_with_the_tree, True, TAMPERED, "link"),
    ("drop", _drop, True, TAMPERED, "dropped"),
    ("reorder", _reorder, True, TAMPERED, "reordered"),
    ("truncate", _truncate, True, INCOMPLETE, "truncated"),
    ("splice", _splice, True, TAMPERED, "spliced"),
    ("fork", _fork, True, TAMPERED, "fork"),
    ("re-hash of everything, against a held checkpoint", _rehash, True, TAMPERED, "rewritten"),
    ("false signature", _false_signature, True, TAMPERED, "signature"),
    ("wrong key", lambda copy: None, True, UNVERIFIABLE, "unknown-key"),
    ("revoked key", lambda copy: None, True, TAMPERED, "revoked-key"),
    ("swapped parts", _swap_parts, True, TAMPERED, "part-swapped"),
    ("one bit", _one_bit, False, TAMPERED, "file-changed"),
    ("missing file", _missing, False, INCOMPLETE, "file-missing"),
    ("extra file", lambda copy: copy.write("more.txt", b""), False, TAMPERED, "file-extra"),
    ("symbolic link", lambda copy: (copy.root / "link").symlink_to("/"), False, TAMPERED, "symlink"),
    ("future version", _future, True, UNVERIFIABLE, "future-format"),
]


def self_test(export: Path) -> int:
    """Each corruption of a copy must be caught and named; 0 when all are."""
    missed = 0
    for name, corrupt, sealed, exit, code in CORRUPTIONS:
        with tempfile.TemporaryDirectory(prefix="verify-") as home:
            copy = Copy(export, Path(home) / "export")
            held = read_note(copy.note(len(copy.entries), copy.root_at(len(copy.entries))), "held")
            try:
                corrupt(copy)
            except (StopIteration, IndexError):
                print(f"-  {name}: nothing in this export to try it on")
                continue
            if sealed:
                copy.seal()
            trust = Trust([copy.key])
            if name == "wrong key":
                trust.keys = [Key(copy.origin, bytes(31) + b"\x01")]
            if name == "revoked key":
                trust.revoked = {copy.key.vkey}
            if code == "rewritten":
                trust.held = [held]
            found = verify(copy.root, trust)
            caught = found.exit == exit and code in found.counts
            missed += not caught
            told = ", ".join(found.counts) or "nothing"
            print(f"{'✓' if caught else '✗'}  {name}: exit {found.exit} ({told})")
    return TAMPERED if missed else HOLDS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
