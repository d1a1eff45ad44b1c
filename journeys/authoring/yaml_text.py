"""YAML written by people -> plain data, and the line of each part.

YAML 1.2, core schema: `no`, `09:00` and `2026-01-01` are texts. Refused because a programme never needs
them: anchors and aliases (a few lines can stand for gigabytes), tags, several documents, a key twice.
"""

import re
import unicodedata
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from journeys.authoring.findings import Finding, Params, Severity

LARGEST_FILE = 256 * 1024
"""Bytes. A programme of 300 milestones takes about a fifth of this."""

DEEPEST = 12
"""Levels of nesting. The deepest place of a programme has 6."""

_ODD_SPACES = ("\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{FIGURE SPACE}", "\N{EM SPACE}", "\N{EN SPACE}")
"""Pasted from a word processor as indentation: they look like spaces and are none to YAML."""

Path = tuple[str | int, ...]
"""Where a part stands: keys, and positions in lists counted from 0."""

_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
"""Bytes that stand in pictures, archives and documents, in no text of any encoding."""
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something begins in the file; both count from 1."""

    line: int
    column: int


class YamlInvalid(ValueError):
    """The text cannot be read as YAML of the kind that is accepted."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message("en"))
        self.finding = finding


@dataclass(slots=True)
class Tree:
    """Plain data with the place of each key and of each list item."""

    data: Any = None
    places: dict[Path, Place] = field(default_factory=dict)

    def place(self, path: Path) -> Place:
        """The place of a part, or of the nearest part around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Place(1, 1)

    def finding(self, where: Path, code: str, params: Mapping[str, Params], severity: Severity = "error") -> Finding:
        """What is wrong with a part, with its place."""
        place = self.place(where)
        return Finding(place.line, place.column, where, code, params, severity)


def read_bytes(source: File) -> bytes:
    """A file's content; of one too large only as much as shows it. Raises OSError."""
    with source.open("rb") as opened:
        return opened.read(LARGEST_FILE + 1)


def decode(raw: bytes) -> str:
    """UTF-8, with or without a byte order mark. Raises YamlInvalid when too large or in another encoding."""
    if len(raw) > LARGEST_FILE:
        _refuse("file-too-large", Place(1, 1), most=LARGEST_FILE // 1024)
    if _is_utf_16(raw[:200]):
        _refuse("utf-16", Place(1, 1))
    if b"\x00" in raw:
        _refuse("not-text-file", Place(1, 1))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if _CONTROL.search(raw):
            _refuse("not-text-file", Place(1, 1))
        before = raw[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        _refuse("not-utf-8", Place(before.count(b"\n") + 1, column))


def _is_utf_16(beginning: bytes) -> bool:
    """By its mark, or because every other byte of plain letters is zero."""
    even, odd = beginning[::2], beginning[1::2]
    return beginning.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or (
        len(beginning) > 8
        and any(one.count(0) > len(one) // 2 > 3 > other.count(0) for one, other in ((even, odd), (odd, even)))
    )


def read_tree(raw: bytes) -> Tree:
    """Read one YAML document. Raises YamlInvalid with the line of the first thing that is refused."""
    text = decode(raw)
    tree = Tree()
    events = YAML(typ="safe", pure=True).parse(text)
    try:
        _document(events, tree)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        _refuse(_syntax_code(error), place)
    except ReaderError as error:
        before = text[: error.position]
        _refuse("control-character", Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1))
    except YamlInvalid:
        raise
    except (ValueError, OverflowError):
        # Numbers that the parser itself cannot hold: `%YAML 999…`, an escape beyond Unicode.
        _refuse("yaml-syntax", Place(1, 1))
    return tree


def _syntax_code(error: MarkedYAMLError) -> str:
    told = f"{error.context} {error.problem}"
    for sign, code in (
        ("'\\t'", "yaml-tab"),
        ("mapping values are not allowed", "yaml-colon"),
        ("quoted scalar", "yaml-quote"),
        ("block mapping", "yaml-indent"),
        ("block collection", "yaml-indent"),
        ("flow ", "yaml-bracket"),
    ):
        if sign in told:
            return code
    return "yaml-syntax"


def _document(events: Iterator[Event], tree: Tree) -> None:
    documents = 0
    for event in events:
        match event:
            case DocumentStartEvent():
                documents += 1
                if documents > 1:
                    _refuse("several-documents", _at(event))
            case StreamEndEvent():
                return
            case ScalarEvent() | MappingStartEvent() | SequenceStartEvent() | AliasEvent():
                tree.places[()] = _at(event)
                tree.data = _node(event, events, (), tree)


def _node(event: Event, events: Iterator[Event], path: Path, tree: Tree) -> Any:
    _refuse_tricks(event)
    if len(path) > DEEPEST:
        _refuse("too-deep", _at(event), most=DEEPEST)
    match event:
        case MappingStartEvent():
            return _mapping(events, path, tree)
        case SequenceStartEvent():
            return _sequence(events, path, tree)
        case ScalarEvent():
            return _scalar(event)
    raise AssertionError(f"no YAML node begins with {event!r}")


def _mapping(events: Iterator[Event], path: Path, tree: Tree) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in events:
        if isinstance(key, MappingEndEvent):
            return found
        _refuse_tricks(key)
        if not isinstance(key, ScalarEvent):
            _refuse("key-not-text", _at(key))
        name = str(key.value)
        if name[:1] in _ODD_SPACES:
            _refuse("odd-space", _at(key))
        here = (*path, name)
        if name in found:
            _refuse("key-twice", _at(key), path=here, name=name, first=tree.places[here].line)
        tree.places[here] = _at(key)
        found[name] = _node(next(events), events, here, tree)
    raise AssertionError("the parser always ends a mapping")


def _sequence(events: Iterator[Event], path: Path, tree: Tree) -> list[Any]:
    found: list[Any] = []
    for event in events:
        if isinstance(event, SequenceEndEvent):
            return found
        here = (*path, len(found))
        tree.places[here] = _at(event)
        found.append(_node(event, events, here, tree))
    raise AssertionError("the parser always ends a sequence")


def _scalar(event: ScalarEvent) -> str | int | bool | None:
    text = str(event.value)
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t" for sign in text):
        _refuse("control-character", _at(event))
    if event.style is not None:
        return text
    match text:
        case "" | "~" | "null" | "Null" | "NULL":
            return None
        case "true" | "True" | "TRUE":
            return True
        case "false" | "False" | "FALSE":
            return False
    return int(text) if _INTEGER.fullmatch(text) else text


def _refuse_tricks(event: Event) -> None:
    if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
        _refuse("yaml-alias", _at(event))
    if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent) and event.tag not in (
        None,
        "!",
    ):
        _refuse("yaml-tag", _at(event))


def _at(event: Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1)


def _refuse(code: str, place: Place, path: Path = (), **params: Params) -> NoReturn:
    raise YamlInvalid(Finding(place.line, place.column, path, code, params))
