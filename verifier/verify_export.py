#!/usr/bin/env python3
"""Check an export of the record of release journeys, without the programme that made it.

One file: Python 3.11 or later and the package `cryptography`; no database, no network, nothing of the project.

    python verify_export.py EXPORT --key VKEY [--checkpoint HELD ...] [--revoked VKEY] [--json] [--lang en]
    python verify_export.py EXPORT --self-test

--key         the public key (`name+id+key`), from whom you trust; without it, or a held checkpoint, an export can
              only agree with itself
--checkpoint  a checkpoint that you kept from earlier: this export must hold everything that it covers; for what came
              behind it, it vouches for nothing
--revoked     a key that counts no more, whatever name of the log it signs under: the last checkpoint must be another's
--self-test   corrupt copies of this export in a temporary folder, in each way that is known, and show each caught

Exit codes: 0 all holds; 2 wrong usage; 3 tampered; 4 incomplete; 5 holds, and parts were erased; 6 cannot be verified
(no key that you trust signed it, or a version that this file does not know). The gravest is told.

What the files are: README of the project, docs/exports.md. Trees: RFC 6962. Checkpoints and tiles: C2SP signed-note,
tlog-checkpoint, tlog-tiles.
"""

from __future__ import annotations

import argparse
import base64
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
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
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
FRESH = timedelta(days=2)
"""How much older than an export of a journey its snapshot may be: there is one a day."""
LINE, NOTE = 4_000_000, 20_000
LARGEST = {
    "manifest.json": 32_000_000, "checkpoint": NOTE, "checkpoints.jsonl": 1 << 30, "heads.txt": 1 << 30,
    "headers.jsonl": 1 << 32, "head.json": LINE, "histories.jsonl": 1 << 30, "parts.jsonl": 1 << 36,
    "ocel2.json": 1 << 36, "schemas/": LINE, "histories/": 1 << 30, "tile/": WIDTH * HASH, "tile/entries/": 17_000_000,
}  # fmt: skip
"""How large a file can be, by its name or its folder."""
_ALWAYS = {
    "checkpoint", "checkpoints.jsonl", "histories.jsonl", "ocel2.json", "parts.jsonl", "schemas/envelope.v1.json",
}  # fmt: skip
FILES = {"log": _ALWAYS | {"heads.txt"}, "journey": _ALWAYS | {"headers.jsonl"}}
"""What an export of each kind must have, tiles aside."""
ERASURES = {"ErasureOrdered", "PersonErased", "MentorErased", "StaffErased", "PartnerErased"}
OF_SOMEBODY = ("journey-", "person-", "mentor-", "staff-", "partner-")
"""Streams that lose their texts when somebody is forgotten; others never do."""
OF_A_PERSON = {"ErasureOrdered", "PersonErased"}
"""Facts of a person's own stream that account for what is gone of their journeys too."""
OF_ACCOUNTS = {"BankLineResolved", "NoticeResolved"}
"""Facts on `system` whose texts go with the key of what accounting keeps of somebody."""
ACCOUNTS = re.compile(r"finance-[0-9a-f-]{36}")
"""Such a key, by its id."""
TELLING = {*ERASURES, "JourneyPlanned", "RetentionApplied"}
"""Kinds that account for texts that are gone, or say whose they were."""
RECENT = 200_000
HOLES = 10_000
"""Gaps in streams that are remembered, to tell what comes later from what is put in."""
SWAPS = 10_000
"""Texts that fit no commitment that are remembered, to find the one that they were taken from."""
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
    "checkpoint-place": (TAMPERED, "l'attestation de {size} événements n'est pas à sa place, ou de trop",
                         "the checkpoint of {size} events is out of its place, or one too many"),
    "no-checkpoint": (INCOMPLETE, "l'export n'a pas d'attestation", "the export has no checkpoint"),
    "unknown-key": (UNVERIFIABLE,
                    "aucune clé de confiance n'a signé la dernière attestation ({what}) : "
                    "à partir de la place {since}, personne ne répond de l'export",
                    "no key that you trust signed the last checkpoint ({what}): "
                    "from place {since} on nobody vouches for the export"),
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
    "part-missing": (INCOMPLETE,
                     "{stream} {seq} : le texte « {part} » manque, et aucun effacement inscrit n'en rend compte",
                     "{stream} {seq}: the text “{part}” is missing, and no erasure on record accounts for it"),
    "part-unreadable": (UNVERIFIABLE,
                        "{stream} {seq} : le texte « {part} » n'a pas pu être ouvert par qui a fait l'export",
                        "{stream} {seq}: the text “{part}” could not be opened by whoever made the export"),
    "part-erased": (ERASED, "{stream} {seq} : le texte « {part} » a été effacé",
                    "{stream} {seq}: the text “{part}” was erased"),
    "proof": (TAMPERED, "{stream} {seq} : la preuve ne le montre pas à la place {position}",
              "{stream} {seq}: the proof does not show it at place {position}"),
    "history-changed": (TAMPERED, "l'historique du passage {run} n'est pas celui que le journal a noté",
                        "the history of run {run} is not the one that the log noted"),
    "history-of-nothing": (TAMPERED, "un historique est annoncé pour le passage {run}, que le journal ne nomme pas ici",
                           "a history is announced of run {run}, which the log does not name here"),
    "history-missing": (INCOMPLETE, "rien ne dit ce qu'est devenu l'historique du passage {run}",
                        "nothing says what became of the history of run {run}"),
    "history-erased": (ERASED, "l'historique du passage {run} a été effacé", "the history of run {run} was erased"),
    "history-unreadable": (UNVERIFIABLE, "l'historique du passage {run} n'a pas pu être ouvert par qui a fait l'export",
                           "the history of run {run} could not be opened by whoever made the export"),
    "malformed": (TAMPERED, "l'export est mal formé ({why})", "the export is malformed ({why})"),
    "held-elsewhere": (UNVERIFIABLE, "l'attestation gardée ({where}, {size} événements) se compare à un export complet",
                       "the held checkpoint ({where}, {size} events) compares with the whole log only"),
    "no-snapshot": (INCOMPLETE, "rien de récent ne montre où finit ce parcours (dernier relevé : {day})",
                    "nothing recent shows where this journey ends (last snapshot: {day})"),
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
    "log-begun": ("place {position} : le journal a été recommencé sous un autre nom, avec {size} événements, alors que "
                  "{held} étaient attestés sous {former} ; ce qui était au-delà est perdu",
                  "place {position}: the log was begun anew under another name, with {size} events, where {held} were "
                  "signed under {former}; what was behind them is lost"),
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
            self.findings.append((code, _told(place)))

    def odd(self, code: str, **place: Any) -> None:
        if sum(known == code for known, _ in self.notices) < TOLD:
            self.notices.append((code, _told(place)))

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
        told = ", ".join(f"{name} {_shown(value)}" for name, value in self.said.items())
        verdict = {
            HOLDS: ("tout concorde", "all holds"), TAMPERED: ("FALSIFIÉ", "TAMPERED"),
            INCOMPLETE: ("INCOMPLET", "INCOMPLETE"), ERASED: ("tout concorde ; des textes ont été effacés",
                                                             "all holds; texts were erased"),
            UNVERIFIABLE: ("NON VÉRIFIABLE", "CANNOT BE VERIFIED"),
        }[self.exit][at]  # fmt: skip
        return "\n".join([*lines, f"{verdict} ({told})"])


def _told(place: dict[str, Any]) -> dict[str, Any]:
    """Values as they are told: what an export says may be of any size and shape."""
    return {
        name: value if value is None or (type(value) is int and abs(value) < 1 << 63) else str(value)[:300]
        for name, value in place.items()
    }


def _shown(value: Any) -> str:
    return str(value).encode("unicode_escape").decode()[:200]


def _filled(words: str, place: dict[str, Any]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: _shown(place.get(found[1], "?")), words)


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
    """A tree that grows leaf by leaf; full tiles are handed to `full`. Its right edge is remembered: each leaf costs
    about one hash, a root about one for each level."""

    def __init__(self, full: Callable[[int, int, bytes], None] = lambda level, n, hashes: None) -> None:
        self.levels: list[list[bytes]] = [[]]
        """The hashes of the tile that is being filled at each level."""
        self.edges: list[list[bytes]] = [[]]
        """The roots of the perfect subtrees of that tile, the largest first."""
        self.size = 0
        self._full = full

    def add(self, leaf: bytes) -> None:
        self.size += 1
        level, hash = 0, leaf
        while True:
            if level == len(self.levels):
                self.levels.append([])
                self.edges.append([])
            tile, edge = self.levels[level], self.edges[level]
            at = len(tile)
            tile.append(hash)
            while at & 1:
                hash, at = node_hash(edge.pop(), hash), at >> 1
            if len(tile) < WIDTH:
                edge.append(hash)
                return
            self._full(level, self.size // WIDTH ** (level + 1) - 1, b"".join(tile))
            self.levels[level] = []
            level += 1

    def root(self) -> bytes:
        right: bytes | None = None
        for edge in self.edges:
            for hash in reversed(edge):
                right = hash if right is None else node_hash(hash, right)
        return root_of([]) if right is None else right

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

    def signed(self, signature: bytes, text: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True

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

    def signed_by(self, keys: Collection[Key]) -> tuple[list[Key], bool]:
        """Those of the keys that signed it, and whether a signature is said to be one's and is not."""
        good, false = [], False
        for name, blob in self.signatures:
            named = [key for key in keys if (key.name, key.id) == (name, blob[:4])]
            found = [key for key in named if key.signed(blob[4:], self.text)]
            good += found
            false |= bool(named) and not found
        return good, false

    def names(self, hints: Collection[tuple[str, bytes]]) -> bool:
        """Whether it says that one of these keys, by name and id, signed it."""
        return any((name, blob[:4]) in hints for name, blob in self.signatures)

    def under_its_names(self, publics: Collection[bytes]) -> list[Key]:
        """Public keys under each name that signed this: a key is the same one under whatever name."""
        return [Key(name, public) for name in {name for name, _ in self.signatures} for public in publics]


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
    if len(note) > NOTE:
        raise ValueError("note")
    text, blank, signatures = note.rpartition("\n\n")
    lines, signed = text.split("\n"), signatures.split("\n")
    if not blank or signed.pop() != "" or not signed or len(lines) < 3 or not all(lines):
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
        """By path, digest and size."""
        self.read_whole: set[str] = set()
        self.unfit: set[str] = set()
        """Those of another size than announced, or larger than they can be: no digest says anything of these."""
        self._absent: set[str] = set()
        self._walk(root, "")

    def _walk(self, folder: Path, prefix: str) -> None:
        try:
            with os.scandir(folder) as entries:
                found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError as error:
            self.report.wrong("unreadable", path=prefix.rstrip("/") or ".", why=error.strerror)
            return
        for name, seen in sorted(found, key=lambda each: each[0]):
            path = prefix + name
            if stat.S_ISLNK(seen.st_mode):
                self.report.wrong("symlink", path=path)
            elif stat.S_ISDIR(seen.st_mode):
                if path.count("/") < 12:
                    self._walk(folder / name, path + "/")
                else:
                    self.report.wrong("path", path=path)
            elif stat.S_ISREG(seen.st_mode):
                self.there[path] = seen.st_size
            else:
                self.report.wrong("not-a-file", path=path)

    def manifest(self) -> dict[str, Any] | None:
        """The manifest, once it is known to be what was written."""
        path = "manifest.json"
        if path not in self.there:
            self.report.wrong("manifest-missing")
            return None
        if self.there[path] > largest(path):
            self.report.wrong("file-oversized", path=path)
            return None
        try:
            raw = self._read(path)
            found = json.loads(raw)
            if (found["format"], type(found["version"])) != (FORMAT, int):
                raise ValueError("format")
            if found["version"] > VERSION:
                self.report.wrong("future-format", what=found["version"])
                return None
            digest = found.pop("digest")
            if digest != hashlib.sha256(canonical(found)).hexdigest() or canonical({**found, "digest": digest}) != raw:
                raise ValueError("digest")
            if not (_is_size(found["size"]) and type(found["origin"]) is str and INSTANT.fullmatch(found["made_at"])):
                raise ValueError("types")
            datetime.fromisoformat(found["made_at"])
            for path, told in found["files"].items():
                if not (_is_size(told["size"]) and type(told["sha256"]) is str):
                    raise ValueError("types")
                if not _allowed(path):
                    self.report.wrong("path", path=path)
                else:
                    self.named[path] = (told["sha256"], told["size"])
            return dict(found)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.report.wrong("manifest")
            return None
        except Gone:
            return None

    def compare(self, kind: str, size: int) -> None:
        """What is there against what should be. What belongs to no such export is named, and looked at no more."""
        for path in sorted(FILES[kind] - self.named.keys() - self.there.keys()):
            self._missing(path)
        for path in sorted(self.there.keys() - self.named.keys() - {"manifest.json"}):
            self.report.wrong("file-extra", path=path)
        for path, (_, told) in list(self.named.items()):
            if not _belongs(path, kind, size):
                self.report.wrong("file-extra", path=path)
                del self.named[path]
            elif path not in self.there:
                self._missing(path)
            elif self.there[path] != told:
                self.report.wrong("file-size", path=path)
                self.unfit.add(path)
            elif told > largest(path):
                self.report.wrong("file-oversized", path=path)
                self.unfit.add(path)

    def compare_used(self, used: Collection[str]) -> None:
        """Schemas and histories that nothing in the export wants, once all of it was read."""
        for path in sorted(self.named.keys() - used - FILES["log"]):
            if path.startswith(("schemas/", "histories/")):
                self.report.wrong("file-extra", path=path)

    def compare_rest(self) -> None:
        """The files that nothing else read."""
        for path in sorted((self.named.keys() & self.there.keys()) - self.read_whole - self.unfit):
            digest = hashlib.sha256()
            try:
                with self._open(path) as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
            except OSError as error:
                self.report.wrong("unreadable", path=path, why=error.strerror)
                continue
            self._compare_digest(path, digest.hexdigest())

    def has(self, path: str) -> bool:
        """Whether a file is there to be read."""
        return path in self.there and path in self.named and self.there[path] <= largest(path)

    def content(self, path: str) -> bytes:
        """A whole file. Raises Gone."""
        if path not in self.there and path not in self.named:
            self._missing(path)
        if not self.has(path):
            raise Gone(path)
        found: bytes = self._read(path)
        self._compare_digest(path, hashlib.sha256(found).hexdigest())
        return found

    def raw_lines(self, path: str) -> Iterator[bytes]:
        """Each line of a file; its digest is compared at the end, unless its size says enough."""
        if not self.has(path):
            return
        digest, fit = hashlib.sha256(), path not in self.unfit
        try:
            with self._open(path) as file:
                while line := file.readline(LINE):
                    if fit:
                        digest.update(line)
                    yield line
        except OSError as error:
            self.report.wrong("unreadable", path=path, why=error.strerror)
            return
        self._compare_digest(path, digest.hexdigest())

    def lines(self, path: str) -> Iterator[Any]:
        """The JSON of each line of a file, up to the first that is none."""
        readable = True
        for line in self.raw_lines(path):
            if readable:
                try:
                    found = json.loads(line)
                except (ValueError, RecursionError):
                    self.report.wrong("unreadable", path=path, why="JSON")
                    readable = False
                else:
                    yield found
            elif path in self.unfit:
                return

    def _read(self, path: str) -> Any:
        try:
            with self._open(path) as file:
                return file.read(self.there[path] + 1)
        except OSError as error:
            self.report.wrong("unreadable", path=path, why=error.strerror)
            raise Gone(path) from None

    def _compare_digest(self, path: str, digest: str) -> None:
        self.read_whole.add(path)
        if path not in self.unfit and digest != self.named[path][0]:
            self.report.wrong("file-changed", path=path)

    def _missing(self, path: str) -> None:
        if path not in self._absent:
            self._absent.add(path)
            self.report.wrong("file-missing", path=path)

    def _open(self, path: str) -> Any:
        return os.fdopen(os.open(self.root / path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")


def largest(path: str) -> int:
    """How large a file of this name can be."""
    folders = ("tile/entries/", "tile/", "schemas/", "histories/")
    return LARGEST[next((folder for folder in folders if path.startswith(folder)), path)]


def _is_size(value: object) -> bool:
    return type(value) is int and value >= 0


def _belongs(path: str, kind: str, size: int) -> bool:
    """Whether an export of this kind, of a log of this size, can have such a file."""
    if path in FILES[kind] or (kind == "journey" and path == "head.json"):
        return True
    if path.startswith("tile/"):
        return kind == "log" and _is_tile(path, size)
    return re.fullmatch(r"schemas/[A-Za-z]+\.v[0-9]+\.json|histories/[0-9a-f-]{36}\.json", path) is not None


def _is_tile(path: str, size: int) -> bool:
    found = re.fullmatch(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/[0-9]{1,3})?", path)
    if found is None:
        return False
    level, n = 0 if found[1] == "entries" else int(found[1]), int(re.sub("[x/]", "", found[2]))
    width = min(WIDTH, size // WIDTH**level - n * WIDTH)
    return width > 0 and path == f"tile/{found[1]}/{place(n, width)}"


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
    missing: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """The gaps of each stream, first and last, in their order."""
    holes: int = 0
    kinds: set[tuple[str, int]] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    """Streams of somebody that hold an erasure: their texts may be gone; and keys of accounts that the log says were
    destroyed."""
    whose: dict[str, str] = field(default_factory=dict)
    """By journey, the stream of its person."""
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
            if len(stream) > 200 or len(kind) > 200 or len(recorded) > 200:
                raise ValueError("length")
        except (ValueError, TypeError, KeyError, RecursionError):
            self.report.wrong("header", position=position)
            return None
        if (kind, version) not in self.kinds:
            self.meet(kind, version)
        if kind in TELLING:
            self._account(stream, kind, header["data"])
        before = self.heads.get(stream)
        last, link = before if before is not None else (0, bytes(HASH))
        if seq == last + 1:
            if prev != link.hex():
                self.report.wrong("link", stream=stream, seq=seq)
        elif seq > last + 1:
            self._skipped(stream, last + 1, seq - 1)
        elif self._comes_late(stream, seq):
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

    def _account(self, stream: str, kind: str, data: dict[str, Any]) -> None:
        """What accounts for texts that are gone: an erasure, of a journey also its person's; the end of accounts."""
        if kind == "JourneyPlanned" and stream.startswith("journey-"):
            self.whose.setdefault(stream, f"person-{data.get('person')}"[:200])
        if kind in ERASURES and stream.startswith(OF_SOMEBODY):
            self.erased.add(stream)
        keys = data.get("keys")
        for key in keys if type(keys) is list else ():
            if type(key) is str and ACCOUNTS.fullmatch(key):
                own = kind == "PersonErased" and stream == key.replace("finance", "person", 1)
                if own or (stream, kind) == ("system", "RetentionApplied"):
                    self.erased.add(key)

    def gone(self) -> set[str]:
        """Of what texts may be gone: as `erased`, with the journeys of persons who are forgotten."""
        return self.erased | {journey for journey, person in self.whose.items() if person in self.erased}

    def meet(self, kind: str, version: int) -> None:
        """A version of a kind, whose schema must be there."""
        if (kind, version) not in self.kinds and _schema(kind, version) not in self.schemas:
            self.report.wrong("unknown-kind", what=f"{kind}.v{version}"[:80])
        self.kinds.add((kind, version))

    def wanted(self) -> set[str]:
        """The schemas of what was met."""
        return {_schema(kind, version) for kind, version in self.kinds}

    def _skipped(self, stream: str, first: int, last: int) -> None:
        if self.holes < HOLES:
            self.holes += 1
            self.missing.setdefault(stream, []).append((first, last))
        else:
            self.report.wrong("dropped", stream=stream, seq=first)

    def _comes_late(self, stream: str, seq: int) -> bool:
        """Whether an event is one that was missing, which it then is no more."""
        gaps = self.missing.get(stream, [])
        at = bisect_right(gaps, seq, key=lambda gap: gap[0]) - 1
        if at < 0 or seq > gaps[at][1] or self.holes >= HOLES:
            return False
        first, last = gaps[at]
        left = [gap for gap in ((first, seq - 1), (seq + 1, last)) if gap[0] <= gap[1]]
        gaps[at : at + 1] = left
        self.holes += len(left) - 1
        return True

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
        for stream, gaps in self.missing.items():
            for seq in islice(chain.from_iterable(range(first, last + 1) for first, last in gaps), TOLD + 1):
                self.report.wrong("dropped", stream=stream, seq=seq)


def _schema(kind: str, version: int) -> str:
    return f"schemas/{kind}.v{version}.json"


def _seconds(earlier: str, later: str) -> int:
    try:
        return int((datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds())
    except (ValueError, TypeError):
        return 0


def _is_old(then: object, now: str) -> bool:
    """Whether something is older than a snapshot may be; also where nobody can tell."""
    try:
        return datetime.fromisoformat(now) - datetime.fromisoformat(str(then)) > FRESH
    except (ValueError, TypeError):
        return True


def head_leaves(heads: dict[str, tuple[int, bytes]]) -> list[bytes]:
    return [leaf_hash(f"{stream} {seq} {hash.hex()}\n".encode()) for stream, (seq, hash) in sorted(heads.items())]


class Parts:
    """The texts beside the events, in their order."""

    def __init__(self, report: Report, lines: Iterator[Any]) -> None:
        self.report, self.lines, self.withheld = report, lines, 0
        self.wrong: list[tuple[str, str, dict[str, Any]]] = []
        self.gone: dict[str, list[dict[str, Any]]] = {}
        """What is said to be erased, by stream, or by the key of somebody's accounts: the first of each, and how many
        more."""
        self.more: Counter[str] = Counter()
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
            self._judge(self.next[2], str(header["parts"][name]), where, header["kind"])
            self.next = self._read()

    def _judge(self, line: dict[str, Any], promised: str, where: dict[str, Any], kind: str) -> None:
        match line.get("state"):
            case "shown":
                try:
                    said = hmac.new(bytes.fromhex(line["salt"]), line["text"].encode(), "sha256").hexdigest()
                except (ValueError, TypeError, KeyError, AttributeError, UnicodeEncodeError):
                    said = ""
                if said != promised and len(self.wrong) < SWAPS:
                    self.wrong.append((said, promised, where))
                elif said != promised:
                    self.report.wrong("part-changed", **where)
            case "withheld":
                self.withheld += 1
            case "erased":
                of, key = where["stream"], line.get("key")
                if of == "system" and kind in OF_ACCOUNTS and type(key) is str and ACCOUNTS.fullmatch(key):
                    of = key
                told = self.gone.setdefault(of, [])
                if len(told) < TOLD:
                    told.append(where)
                else:
                    self.more[of] += 1
            case "unreadable":
                self.report.wrong("part-unreadable", **where)
            case _:
                self.report.wrong("part-missing", **where)

    def end(self, erased: Collection[str], reached: int | None = None) -> None:
        """
        Args:
            erased: the streams whose texts may be gone, and the keys of accounts that are: of others none may.
            reached: how far the events went, where they were cut off; what lies behind was said with that.
        """
        for of, told in self.gone.items():
            code = "part-erased" if of in erased else "part-missing"
            for where in told:
                self.report.wrong(code, **where)
            self.report.counts[code] += self.more[of]
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
    """The histories of the engine's runs that the log names by their digest, in its order."""

    def __init__(self, folder: Folder, report: Report) -> None:
        self.folder, self.report, self.withheld = folder, report, 0
        self.used: set[str] = set()
        """The files that the log knows."""
        self.lines = folder.lines("histories.jsonl")
        self.next = self._read()

    def _read(self) -> tuple[str, Any] | None:
        for line in self.lines:
            if isinstance(line, dict) and isinstance(line.get("run"), str):
                return line["run"], line.get("state")
            self.report.wrong("unreadable", path="histories.jsonl", why="line")
        return None

    def take(self, data: dict[str, Any]) -> None:
        """A run whose history was kept."""
        run, state = str(data.get("run")), None
        path = f"histories/{run}.json"
        if self.next is not None and self.next[0] == run:
            state = self.next[1]
            self.next = self._read()
        if path in self.folder.named:
            self.used.add(path)
            if self.folder.named[path][0] != data.get("digest"):
                self.report.wrong("history-changed", run=run)
        match state:
            case "shown" if path in self.folder.named:
                pass
            case "withheld":
                self.withheld += 1
            case "erased":
                self.report.wrong("history-erased", run=run)
            case "unreadable":
                self.report.wrong("history-unreadable", run=run)
            case "altered":
                self.report.wrong("history-changed", run=run)
            case _:
                self.report.wrong("history-missing", run=run)

    def end(self, whole: bool) -> None:
        """`whole`: the log was not cut off."""
        while self.next is not None:
            if whole:
                self.report.wrong("history-of-nothing", run=self.next[0])
            self.next = self._read()
        if self.withheld:
            self.report.odd("histories-withheld", count=self.withheld)


# --- what was signed


@dataclass
class Trust:
    """What the auditor brought along."""

    keys: list[Key] = field(default_factory=list)
    held: list[Note] = field(default_factory=list)
    revoked: set[bytes] = field(default_factory=set)
    """Public keys: one that counts no more does not under another name of the log either."""


class Signed:
    """The checkpoints of an export, in their order while the tree grows, and those held: roots that the tree must have.

    One note is in memory at a time. The root of the last checkpoint fixes every entry, and so every root before it: a
    note before it whose root is that of the tree says nothing more, whoever signed it, and its signature is left alone.
    A signature is verified where something hangs on it:
    - the last note, by the keys that are trusted and those that are revoked: it vouches for everything;
    - where it does not, the last before it that names a trusted key and fits, to say how far somebody vouches;
    - a note whose root is not that of the tree, to say whether a trusted key signed it;
    - a note that names a key behind the place where the log revoked that.
    """

    def __init__(self, folder: Folder, report: Report, trust: Trust, origin: str) -> None:
        self.folder, self.report, self.trust, self.origin = folder, report, trust, origin
        self.count = self.others = 0
        self.last: Note | None = None
        """The largest that was read."""
        self.next_size = -1
        """The next size at which a root is compared; -1 where there is none. Behind the tree's, after `compare`."""
        self._revoked: dict[bytes, int] = {}
        """From which place on a public key counts no more, as the log said first."""
        self._former: set[str] = set()
        """Names that the log had before it was begun anew."""
        self._good = [key for key in trust.keys if key.public not in trust.revoked]
        self._hints = {(key.name, key.id) for key in self._good}
        self._given = {(key.name, key.id) for key in trust.keys}
        self._fitting: deque[Note] = deque(maxlen=2)
        """The last two that name a trusted key and fit."""
        self._false: Note | None = None
        self._covered = -1
        """How many events a held checkpoint that fits vouches for; -1 where there is none."""
        self._held = sorted(trust.held, key=lambda each: each.size, reverse=True)
        self._notes = self._read()
        self._next = next(self._notes, None)

    def _read(self) -> Iterator[Note]:
        """Those that stand in their place."""
        clock = ""
        for line in self.folder.lines("checkpoints.jsonl"):
            try:
                note, made = read_note(line["note"], "checkpoints.jsonl"), line["made_at"]
                if not isinstance(made, str) or not INSTANT.fullmatch(made):
                    raise ValueError("made_at")
            except (ValueError, TypeError, KeyError, AttributeError):
                self.report.wrong("note", where="checkpoints.jsonl")
                continue
            self.count += 1
            if made < clock and _seconds(made, clock) > SKEW_SECONDS:
                self.report.odd("checkpoint-clock", size=note.size)
            clock = max(clock, made)
            if note.origin != self.origin:
                self.report.wrong("origin", size=note.size, what=note.origin)
            before = [self.last] if self.last is not None else []
            if before and note.size < before[0].size:
                self.report.wrong("checkpoint-place", size=note.size)
                continue
            if any(each.size == note.size and each.root != note.root for each in [*before, *self.trust.held]):
                self.report.wrong("fork", size=note.size)
            self.others += bool(self._given) and not note.names(self._given)
            self.last = note
            yield note

    # --- what the log says

    def revoke(self, data: dict[str, Any], position: int) -> None:
        """A key counts no more from here on; said again, it does so from the first time on."""
        with suppress(ValueError):
            self._revoked.setdefault(read_key(str(data.get("vkey"))).public, position)

    def begin_anew(self, data: dict[str, Any], position: int) -> None:
        """The log went on under another name, with less than was signed."""
        self._former.add(str(data.get("former")))
        told = {name: data.get(name) for name in ("size", "held", "former")}
        self.report.odd("log-begun", position=position, **told)

    # --- roots

    def compare(self, tree: Tree) -> None:
        """The roots at this size of the tree."""
        root = tree.root()
        while self._next is not None and self._next.size == tree.size:
            self._judge(self._next, root)
            self._next = next(self._notes, None)
        while self._held and self._held[-1].size == tree.size:
            held = self._held.pop()
            if held.root == root:
                self._covered = held.size
            else:
                self.report.wrong("rewritten", where=held.where, size=held.size)
        self.next_size = min((each.size for each in [self._next, *self._held[-1:]] if each is not None), default=-1)

    def _judge(self, note: Note, root: bytes) -> None:
        if note.root != root:
            self.report.wrong("root", size=note.size)
            if note.signed_by(self.trust.keys)[1]:
                self.report.wrong("signature", size=note.size)
                self._false = note
        elif note.names(self._hints):
            self._fitting.append(note)
        self._judge_signer(note)

    def _judge_signer(self, note: Note) -> None:
        over = [public for public, since in self._revoked.items() if note.size > since]
        if over and note.signed_by(note.under_its_names(over))[0]:
            self.report.wrong("revoked-key", size=note.size)

    # --- the end

    def end(self, size: int) -> None:
        """The log is over, with so many events: what still waits is larger, and else was not compared."""
        while self._next is not None:
            if self._next.size > size:
                self.report.wrong("truncated", held=size, size=self._next.size)
            else:
                self.report.wrong("root", size=self._next.size)
            self._next = next(self._notes, None)
        for held in self._held:
            if held.size > size:
                self.report.wrong("shorter-than-held", where=held.where, size=held.size, held=size)
            else:
                self.report.wrong("rewritten", where=held.where, size=held.size)
        self._conclude(size)

    def only(self) -> Note | None:
        """The one that an export of a journey has: there is no tree that others could be compared with."""
        for each in self._notes:
            self.report.wrong("checkpoint-place", size=each.size)
        return self.last

    def end_of_a_journey(self, size: int) -> None:
        """As `end`; `size` is what the manifest says of the log."""
        if self.last is not None:
            for held in self._held:
                self._compare_held(held, self.last)
            self._judge_signer(self.last)
            if size < self.last.size:
                self.report.wrong("truncated", held=size, size=self.last.size)
        self._conclude(size)

    def _compare_held(self, held: Note, last: Note) -> None:
        if held.size > last.size:
            self.report.wrong("shorter-than-held", where=held.where, size=held.size, held=last.size)
        elif held.size < last.size:
            self.report.wrong("held-elsewhere", where=held.where, size=held.size, held=last.size)
        elif held.root != last.root:
            self.report.wrong("rewritten", where=held.where, size=held.size)
        else:
            self._covered = held.size

    def _conclude(self, size: int) -> None:
        trust, last = self.trust, self.last
        for held in trust.held:
            if held.origin not in {self.origin, *self._former}:
                self.report.wrong("origin", size=held.size, what=held.origin)
            if held.signed_by(trust.keys)[1]:
                self.report.wrong("signature", size=held.size)
        if not trust.keys and not trust.held:
            self.report.wrong("no-trust")
        if last is None:
            self.report.wrong("no-checkpoint")
            return
        if size > last.size:
            self.report.wrong("beyond", held=size, size=last.size)
        self._compare_shown(last)
        good, false = last.signed_by(self._good)
        over, false_too = last.signed_by(last.under_its_names(trust.revoked))
        if (false or false_too) and last is not self._false:
            self.report.wrong("signature", size=last.size)
        vouched = bool(good) or self._covered >= last.size
        if over and not good:
            self.report.wrong("revoked-key", size=last.size)
        elif not vouched and (trust.keys or trust.held):
            names = ", ".join(name for name, _ in last.signatures)
            self.report.wrong("unknown-key", what=names, since=self._vouched_before(last))
        if self.others and vouched:
            self.report.odd("other-keys", count=self.others)

    def _vouched_before(self, last: Note) -> int:
        """How many events somebody vouches for where nobody does for the last checkpoint."""
        signed = [note.size for note in self._fitting if note is not last and note.signed_by(self._good)[0]]
        return max([0, self._covered, *signed])

    def _compare_shown(self, last: Note) -> None:
        try:
            shown = read_note(self.folder.content("checkpoint").decode(), "checkpoint")
            if (shown.text, shown.signatures) != (last.text, last.signatures):
                self.report.wrong("note", where="checkpoint")
        except Gone:
            pass
        except ValueError:
            self.report.wrong("note", where="checkpoint")


# --- the whole log


def verify_log(folder: Folder, manifest: dict[str, Any], report: Report, trust: Trust) -> None:
    size: int = manifest["size"]

    def compare_tile(level: int, n: int, hashes: bytes) -> None:
        path = f"tile/{level}/{place(n, len(hashes) // HASH)}"
        if level == 0:
            return
        try:
            if folder.content(path) != hashes:
                report.wrong("tile", path=path)
        except Gone:
            pass

    streams = Streams(report, {path for path in folder.named if path.startswith("schemas/")})
    parts = Parts(report, folder.lines("parts.jsonl"))
    histories = Histories(folder, report)
    signed = Signed(folder, report, trust, manifest["origin"])
    tree, snapshots = Tree(compare_tile), 0
    signed.compare(tree)
    for n in range(-(-size // WIDTH)):
        width = min(WIDTH, size - n * WIDTH)
        path = f"tile/entries/{place(n, width)}"
        try:
            entries = unbundled(folder.content(path))
        except Gone:
            break
        except ValueError:
            report.wrong("bundle", path=path)
            break
        if len(entries) > width:
            report.wrong("bundle", path=path)
        kept = _leaves(folder, n, width)
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
                    if header["kind"] == "HeadsSnapshot":
                        snapshots += 1
                        _compare_snapshot(header, position, streams, report)
                    _take_fact(header, position, signed)
            if tree.size == signed.next_size:
                signed.compare(tree)
        if len(entries) < width:
            break
    if tree.size == size:
        for level, n, hashes in tree.partial():
            compare_tile(level, n, hashes)
    else:
        report.wrong("truncated", held=tree.size, size=size)
    signed.end(tree.size)
    whole = "truncated" not in report.counts
    streams.end()
    parts.end(streams.gone(), None if whole else tree.size)
    histories.end(whole)
    if whole:
        _compare_heads(folder, streams, report)
        folder.compare_used(streams.wanted() | histories.used)
    report.said |= {"events": tree.size, "streams": len(streams.heads), "checkpoints": signed.count,
                    "snapshots": snapshots, "held": len(trust.held)}  # fmt: skip


def _leaves(folder: Folder, n: int, width: int) -> bytes | None:
    try:
        return folder.content(f"tile/0/{place(n, width)}")
    except Gone:
        return None


def _take_fact(header: dict[str, Any], position: int, signed: Signed) -> None:
    """What the log says of its keys and names."""
    match header["kind"]:
        case "CheckpointKeyRevoked":
            signed.revoke(header["data"], position)
        case "LogBegun":
            signed.begin_anew(header["data"], position)


def _compare_snapshot(header: dict[str, Any], position: int, streams: Streams, report: Report) -> None:
    """Where the streams ended, against where the log says that they did."""
    data = header["data"]
    back = position + 1 - data["size"] if type(data.get("size")) is int else -1
    heads = streams.at(back) if back > 0 else None
    if heads is None or (len(heads), root_of(head_leaves(heads)).hex()) != (data.get("count"), data.get("root")):
        report.wrong("snapshot", stream=header["stream"], seq=header["seq"], size=data.get("size"))


def _compare_heads(folder: Folder, streams: Streams, report: Report) -> None:
    """Both in the order of the streams, line by line."""
    if not folder.has("heads.txt"):
        return
    found = (f"{stream} {seq} {hash.hex()}\n".encode() for stream, (seq, hash) in sorted(streams.heads.items()))
    wanted = next(found, None)
    for line in folder.raw_lines("heads.txt"):
        while wanted is not None and wanted < line:
            _wrong_head(wanted, report)
            wanted = next(found, None)
        if line == wanted:
            wanted = next(found, None)
        else:
            _wrong_head(line, report)
    while wanted is not None:
        _wrong_head(wanted, report)
        wanted = next(found, None)


def _wrong_head(line: bytes, report: Report) -> None:
    report.wrong("heads", stream=line.partition(b" ")[0].decode(errors="replace"))


# --- one journey


def verify_journey(folder: Folder, manifest: dict[str, Any], report: Report, trust: Trust) -> None:
    """The headers of a journey, each with its proof, and where the journey ended at the last snapshot; of its person
    only what says that they are forgotten."""
    wanted: str = manifest["journey"]
    if not re.fullmatch(r"journey-[0-9a-f-]{36}", wanted):
        raise ValueError("journey")
    streams = Streams(report, {path for path in folder.named if path.startswith("schemas/")})
    parts = Parts(report, folder.lines("parts.jsonl"))
    histories = Histories(folder, report)
    signed = Signed(folder, report, trust, manifest["origin"])
    last = signed.only()
    snapshots: dict[int, dict[str, Any]] = {}
    began: tuple[int, object] | None = None
    erasures: list[tuple[str, Any, int]] = []
    events = 0
    for line in folder.lines("headers.jsonl"):
        try:
            entry, position = line["header"].encode(), line["position"]
            proof = [bytes.fromhex(each) for each in line["proof"]]
            header = json.loads(entry)
            if type(position) is not int or type(header["data"]) is not dict or type(header["kind_v"]) is not int:
                raise ValueError("types")
            stream, kind = str(header["stream"]), str(header["kind"])
        except (TypeError, KeyError, ValueError, AttributeError, RecursionError):
            report.wrong("unreadable", path="headers.jsonl", why="line")
            continue
        if last is None or not included(leaf_hash(entry), position, last.size, proof, last.root):
            report.wrong("proof", stream=stream, seq=header.get("seq"), position=position)
        if stream == wanted:
            found = streams.take(entry, position)
            began = began or (position, header.get("recorded_at"))
            events += 1
            if found is not None and found["parts"]:
                parts.take(found, position)
            continue
        streams.meet(kind, header["kind_v"])
        if stream == "system" and kind == "HeadsSnapshot":
            snapshots[position] = header
        elif stream == "system" and kind in ("CheckpointKeyRevoked", "LogBegun"):
            _take_fact(header, position, signed)
        elif stream == "system" and kind == "HistoryKept" and header["data"].get("journey") == wanted:
            histories.take(header["data"])
        elif stream.startswith("person-") and kind in OF_A_PERSON:
            erasures.append((stream, header.get("seq"), position))
        else:
            report.wrong("spliced", stream=stream, seq=header.get("seq"), position=position)
    for stream, seq, position in erasures:
        if stream == streams.whose.get(wanted):
            streams.erased.add(stream)
        else:
            report.wrong("spliced", stream=stream, seq=seq, position=position)
    streams.end()
    parts.end(streams.gone())
    histories.end(whole=True)
    signed.end_of_a_journey(manifest["size"])
    folder.compare_used(streams.wanted() | histories.used)
    report.said |= {"journey": wanted, "events": events, "checkpoints": signed.count, "held": len(trust.held),
                    "log": manifest["size"], "made": manifest["made_at"][:10]}  # fmt: skip
    _compare_tail(folder, manifest["made_at"], streams, snapshots, wanted, began, report)


def _compare_tail(
    folder: Folder,
    made: str,
    streams: Streams,
    snapshots: dict[int, dict[str, Any]],
    wanted: str,
    began: tuple[int, object] | None,
    report: Report,
) -> None:
    """Where the journey ended at the last snapshot. One is taken each day, so an older one hides what came since; one
    in which the journey does not stand is in order only where it has just begun."""
    position, snapshot = max(snapshots.items(), default=(-1, dict[str, Any](data={})))
    at, day = snapshot["data"], str(snapshot.get("recorded_at", "-"))[:10]
    report.said |= _told({"snapshot": at.get("size"), "snapshot_day": day})
    old = not snapshots or _is_old(snapshot.get("recorded_at"), made)
    if old:
        report.wrong("no-snapshot", day=day)
    end, digest = streams.heads.get(wanted, (0, b""))
    if "head.json" not in folder.named:
        if began is not None and began[0] > position and not _is_old(began[1], made):
            report.odd("since-snapshot", count=end)
        elif not old:
            report.wrong("no-snapshot", day=day)
        return
    try:
        said = json.loads(folder.content("head.json"))
        seq, hash, index = said["seq"], said["hash"], said["index"]
        proof = [bytes.fromhex(each) for each in said["proof"]]
        if said["snapshot"] != position or type(seq) is not int:
            raise ValueError("head")
        leaf = leaf_hash(f"{wanted} {seq} {hash}\n".encode())
        fits = included(leaf, index, at["count"], proof, bytes.fromhex(at["root"]))
    except (Gone, ValueError, TypeError, KeyError, RecursionError):
        report.wrong("no-snapshot", day=day)
        return
    if not fits or end < seq or (end == seq and digest.hex() != hash):
        report.wrong("snapshot", stream=wanted, seq=seq, size=at.get("size"))
    if end > seq:
        report.odd("since-snapshot", count=end - seq)


# --- the command


LOOKS = {"log": verify_log, "journey": verify_journey}


def verify(root: Path, trust: Trust) -> Report:
    """Look at everything; never raises for what stands in the export."""
    report = Report()
    with _last_resort(report):
        folder = Folder(root, report)
        manifest = folder.manifest()
        if manifest is None:
            return report
        kind = str(manifest.get("kind"))
        if kind not in LOOKS:
            report.wrong("malformed", why="kind")
            return report
        folder.compare(kind, manifest["size"])
        with _last_resort(report):
            LOOKS[kind](folder, manifest, report, trust)
        folder.compare_rest()
    return report


@contextmanager
def _last_resort(report: Report) -> Iterator[None]:
    """Whatever nobody thought of is a finding: whoever made the export can have meant it to happen."""
    try:
        yield
    except Exception as error:
        report.wrong("malformed", why=type(error).__name__)


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
    try:
        if given.export.is_symlink() or not given.export.is_dir():
            parser.error(f"{given.export}: not a folder")
    except OSError as error:
        parser.error(f"{given.export}: {error.strerror}")
    trust = Trust()
    for vkey in [*given.key, *given.revoked]:
        try:
            read_key(vkey)
        except ValueError:
            parser.error(f"{vkey[:80]}: not a key (name+id+key)")
    trust.keys = [read_key(each) for each in given.key]
    trust.revoked = {read_key(each).public for each in given.revoked}
    for path in given.checkpoint:
        try:
            trust.held.append(read_note(path.read_text(encoding="utf-8"), str(path)))
        except (OSError, ValueError) as error:
            parser.error(f"{path}: not a checkpoint ({type(error).__name__})")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    if given.self_test:
        return self_test(given.export, given.lang)
    report = verify(given.export, trust)
    print(json.dumps(report.as_json(), ensure_ascii=False, indent=1) if given.json else report.text(given.lang))
    return report.exit


# --- self-test: each known corruption, in a copy


class Copy:
    """An export signed anew by a key of the test: what somebody could make who has the record and the key."""

    def __init__(self, source: Path, target: Path) -> None:
        self.root = target
        shutil.copytree(source, target, symlinks=True)
        self.files = json.loads((target / "manifest.json").read_bytes())
        notes = [json.loads(line) for line in (target / "checkpoints.jsonl").read_bytes().splitlines()]
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

    def held(self, size: int) -> Note:
        """What somebody kept of the entries as they are."""
        return read_note(self.note(size, self.roots({size})[size]), "held")

    def roots(self, sizes: Collection[int]) -> dict[int, bytes]:
        """The roots at these sizes, as far as the entries go."""
        tree = Tree()
        found = {0: tree.root()}
        for entry in self.entries:
            tree.add(leaf_hash(entry))
            if tree.size in sizes:
                found[tree.size] = tree.root()
        return found

    def sign(self) -> None:
        """Every checkpoint anew, over the entries as they are."""
        roots = self.roots({size for size, _ in self.sizes})
        notes = [(self.note(size, roots[size]), made) for size, made in self.sizes if size in roots]
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
    raise LookupError("no stream with two events")


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


def _relink(copy: Copy) -> None:
    """Everything after an edit linked anew, the tree made anew."""
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


def _rehash(copy: Copy) -> None:
    """The same, with all checkpoints signed anew."""
    _relink(copy)
    copy.sign()


def _hide_behind_nothing(copy: Copy) -> None:
    """The last checkpoint as it was, and before it one of no events at all, under a name that nobody knows."""
    last = (copy.root / "checkpoints.jsonl").read_bytes().splitlines()[-1]
    _relink(copy)
    root, signature = (base64.b64encode(each).decode() for each in (bytes(HASH), bytes(5)))
    forged = f"{copy.origin}\n0\n{root}\n\n\N{EM DASH} x {signature}\n"
    line = canonical({"note": forged, "made_at": copy.sizes[0][1]})
    copy.write("checkpoints.jsonl", line + b"\n" + last + b"\n")


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
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    lines[-1]["note"] = lines[-1]["note"].replace(f"\n{copy.sizes[-1][0]}\n", f"\n{copy.sizes[-1][0] - 1}\n")
    path.write_bytes(b"".join(canonical(line) + b"\n" for line in lines))


def _swap_parts(copy: Copy) -> None:
    path = copy.root / "parts.jsonl"
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
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
    ("re-hash, behind a checkpoint of nothing", _hide_behind_nothing, True, TAMPERED, "root"),
    ("false signature", _false_signature, True, TAMPERED, "signature"),
    ("wrong key", lambda copy: None, True, UNVERIFIABLE, "unknown-key"),
    ("revoked key", lambda copy: None, True, TAMPERED, "revoked-key"),
    ("only a held checkpoint of half of it", lambda copy: None, True, UNVERIFIABLE, "unknown-key"),
    ("file and its line gone", lambda copy: (copy.root / "heads.txt").unlink(), True, INCOMPLETE, "file-missing"),
    ("swapped parts", _swap_parts, True, TAMPERED, "part-swapped"),
    ("one bit", _one_bit, False, TAMPERED, "file-changed"),
    ("missing file", _missing, False, INCOMPLETE, "file-missing"),
    ("extra file", lambda copy: copy.write("more.txt", b""), False, TAMPERED, "file-extra"),
    ("symbolic link", lambda copy: (copy.root / "link").symlink_to("/"), False, TAMPERED, "symlink"),
    ("future version", _future, True, UNVERIFIABLE, "future-format"),
]


SELF_TEST = {
    "journey": ("L'export d'un seul parcours ne peut pas être mis à l'épreuve : prenez un export de tout le journal.",
                "An export of one journey cannot be put to the test: take one of the whole log."),
    "does-not-hold": ("Cet export ne concorde pas lui-même : vérifiez-le d'abord.",
                      "This export does not hold itself: verify it first."),
    "nothing": ("rien dans cet export sur quoi l'essayer", "nothing in this export to try it on"),
}  # fmt: skip


def self_test(export: Path, lang: str) -> int:
    """Each corruption of a copy must be caught and named; 0 when all are, USAGE where there is nothing to corrupt."""
    said = {name: words[0 if lang == "fr" else 1] for name, words in SELF_TEST.items()}
    holds = verify(export, Trust())
    if holds.exit in (TAMPERED, INCOMPLETE) or "journey" in holds.said:
        print(said["journey" if "journey" in holds.said else "does-not-hold"], file=sys.stderr)
        return USAGE
    missed = 0
    for name, corrupt, sealed, exit, code in CORRUPTIONS:
        with tempfile.TemporaryDirectory(prefix="verify-") as home:
            try:
                copy = Copy(export, Path(home) / "export")
                trust = Trust([copy.key])
                if name == "wrong key":
                    trust.keys = [Key(copy.origin, bytes(31) + b"\x01")]
                if name == "revoked key":
                    trust.revoked = {copy.key.public}
                if name == "only a held checkpoint of half of it":
                    trust.keys, trust.held = [], [copy.held(len(copy.entries) // 2)]
                if code == "rewritten":
                    trust.held = [copy.held(len(copy.entries))]
                corrupt(copy)
                if sealed:
                    copy.seal()
            except (StopIteration, LookupError):
                print(f"-  {name}: {said['nothing']}")
                continue
            except (OSError, ValueError) as error:
                print(f"{name}: {type(error).__name__}", file=sys.stderr)
                return USAGE
            found = verify(copy.root, trust)
            caught = found.exit == exit and code in found.counts
            missed += not caught
            told = ", ".join(found.counts) or "nothing"
            print(f"{'✓' if caught else '✗'}  {name}: exit {found.exit} ({told})")
    return TAMPERED if missed else HOLDS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
