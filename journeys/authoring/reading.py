"""Read a programme file: the model, the text to store, and what is wrong in it, line by line."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from journeys.authoring.calendars import is_calendar, is_zone
from journeys.authoring.findings import FileInvalid, Finding, Params, Severity, nearest
from journeys.authoring.schema import node_at
from journeys.authoring.templates import template_names
from journeys.authoring.yaml_text import Path, Tree, YamlInvalid, read_bytes, read_tree
from journeys.domain import feasibility
from journeys.domain.programme import Programme

PROGRAMMES = File(__file__).resolve().parents[2] / "programmes"
"""The programmes that are shipped: beside the package, in a checkout and in a wheel."""

MOST_FINDINGS = 50
"""Beyond this a list of errors helps no one."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class ProgrammeFile:
    """A programme that can run.

    `text` is what the store keeps under `sha256` (hex): compact JSON in file order, without what equals a
    default of its format; `compile_programme(text)` equals `programme`. `findings` are warnings.
    """

    programme: Programme
    text: str
    sha256: str
    findings: tuple[Finding, ...]
    source: File


class ProgrammeInvalid(FileInvalid):
    """A programme file has errors."""


class ProgrammeNotFound(LookupError):
    """No such programme, or a file that cannot be opened."""

    def __init__(self, asked: str, known: tuple[str, ...], readable: bool = True) -> None:
        super().__init__(f"no programme {asked!r}")
        self.asked, self.known, self.readable = asked, known, readable

    def message(self, lang: str = "fr") -> str:
        if not self.readable:
            english, french = "cannot be read", "ne peut pas être lu"
            return f"“{self.asked}” {english}" if lang == "en" else f"« {self.asked} » {french}"
        if lang == "en":
            return f"there is no programme “{self.asked}”"
        return f"il n’y a pas de programme « {self.asked} »"

    def remedy(self, lang: str = "fr") -> str:
        near, named = nearest(self.asked, self.known), ", ".join(self.known)
        if lang == "en":
            return (f"Did you mean “{near}”? " if near else "") + f"Shipped: {named}; or give the path of a file."
        return (
            f"Vouliez-vous dire « {near} » ? " if near else ""
        ) + f"Livrés : {named} ; ou donnez le chemin d’un fichier."


def programme_names() -> tuple[str, ...]:
    """The names of the programmes that are shipped, sorted."""
    return tuple(sorted(file.stem for file in PROGRAMMES.glob("*.yaml")))


def read_programme(path_or_name: str | File) -> ProgrammeFile:
    """Read and check a programme, by the name of a shipped one or by path.

    Raises ProgrammeNotFound, and ProgrammeInvalid when anything in it cannot work.
    """
    source = _find(path_or_name)
    try:
        raw = read_bytes(source)
    except OSError as error:
        raise ProgrammeNotFound(str(path_or_name), programme_names(), readable=False) from error
    return check_programme(raw, source)


def check_programme(raw: bytes, source: File) -> ProgrammeFile:
    """The same for bytes already read; `source` is only named. Raises ProgrammeInvalid."""
    try:
        tree = read_tree(raw)
    except YamlInvalid as error:
        raise ProgrammeInvalid(source, (error.finding,)) from error
    programme, shape = _shape(tree)
    if programme is None:
        raise ProgrammeInvalid(source, shape)
    found = sorted([*_impossible(programme, tree), *_one_language(tree)], key=lambda one: (one.line, one.column))
    if any(one.severity == "error" for one in found):
        raise ProgrammeInvalid(source, _few(found))
    text = programme_text(programme)
    return ProgrammeFile(programme, text, hashlib.sha256(text.encode()).hexdigest(), _few(found), source)


def programme_text(programme: Programme) -> str:
    """The text to store: compact JSON in file order. Defaults are left out: a format never changes them."""
    written = {"format": programme.format, **programme.model_dump(mode="json", exclude_defaults=True)}
    return json.dumps(written, ensure_ascii=False, separators=(",", ":"))


def _find(path_or_name: str | File) -> File:
    if isinstance(path_or_name, str) and _NAME.fullmatch(path_or_name):
        shipped = PROGRAMMES / f"{path_or_name}.yaml"
        if shipped.is_file():
            return shipped
    given = File(path_or_name)
    if "\x00" in str(given) or not given.exists():
        raise ProgrammeNotFound(str(path_or_name), programme_names())
    return given


def _few(found: list[Finding]) -> tuple[Finding, ...]:
    if len(found) <= MOST_FINDINGS:
        return tuple(found)
    worst = sorted(found, key=lambda one: one.severity != "error")[:MOST_FINDINGS]
    shown = sorted(worst, key=lambda one: (one.line, one.column))
    more: dict[str, Params] = {"more": len(found) - MOST_FINDINGS}
    severity: Severity = "error" if any(one.severity == "error" for one in found) else "warning"
    return (*shown, Finding(shown[-1].line, shown[-1].column, (), "more-findings", more, severity))


# What the model refuses


def _shape(tree: Tree) -> tuple[Programme | None, tuple[Finding, ...]]:
    if tree.data is None:
        return None, (tree.finding((), "empty-file", {"first": "programme"}),)
    try:
        return Programme.model_validate(tree.data), ()
    except ValidationError as error:
        said = error.errors(include_url=False)
    found = [one for detail in said if (one := _translated(tree, detail)) is not None]
    return None, _few(sorted(_once(found), key=lambda one: (one.line, one.column)))


def _once(found: list[Finding]) -> list[Finding]:
    return list({(one.where, one.code): one for one in found}.values())


def _translated(tree: Tree, detail: ErrorDetails) -> Finding | None:
    """One error of pydantic as a finding; None for an echo of another one."""
    where: Path = tuple(part for part in detail["loc"] if part != "[key]")
    given, context = detail["input"], detail.get("ctx", {})
    if detail["type"] in ("too_short", "too_long") and _echo(detail["type"], given, context):
        return None
    if given is None and detail["type"] != "missing":
        return tree.finding(where, "empty-value", {"name": str(where[-1]) if where else ""})
    code, params = _code_of(detail["type"], where, given, context, detail["loc"][-1:] == ("[key]",))
    return tree.finding(where, code, params)


def _echo(kind: str, given: Any, context: dict[str, Any]) -> bool:
    """Pydantic counts only the valid items, so a list with one bad item is also `too short`."""
    if not hasattr(given, "__len__"):
        return False
    return bool(len(given) >= context["min_length"] if kind == "too_short" else len(given) <= context["max_length"])


def _code_of(
    kind: str, where: Path, given: Any, context: dict[str, Any], is_key: bool
) -> tuple[str, dict[str, Params]]:
    said = str(given)
    match kind:
        case "extra_forbidden":
            known = tuple(node_at(where[:-1]).get("properties", {}))
            return "unknown-key", {
                "name": str(where[-1]),
                "known": known,
                "nearest": nearest(str(where[-1]), known),
            }
        case "missing":
            return "missing-key", {"name": str(where[-1])}
        case "string_pattern_mismatch":
            return _pattern(context["pattern"], str(where[-1]) if is_key else said)
        case "value_error":
            return _value(where, said)
        case "string_type":
            return "not-text", {}
        case "tuple_type" | "list_type":
            return "not-list", {"example": said if isinstance(given, str) else "a, b"}
        case "model_type" | "model_attributes_type" | "dict_type":
            return "not-group", {"example": _example(where)}
        case "bool_type" | "bool_parsing":
            return "not-yes-no", {"given": said}
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return "not-number", {"given": said}
        case "literal_error" | "enum":
            known = tuple(re.findall(r"'([^']*)'", context["expected"])) or (str(context["expected"]),)
            return "not-choice", {"given": said, "known": known}
        case "greater_than_equal":
            return "too-small", {"given": said, "least": str(context["ge"])}
        case "less_than_equal":
            return "too-big", {"given": said, "most": str(context["le"])}
        case "too_short":
            return "too-few", {"least": context["min_length"]}
        case "too_long":
            return "too-many", {"most": context["max_length"]}
        case "string_too_short":
            return "text-empty", {}
        case "string_too_long":
            return "text-too-long", {"most": context["max_length"]}
    return "not-accepted", {}


def _pattern(pattern: str, given: str) -> tuple[str, dict[str, Params]]:
    if r"\d{2}:" in pattern:
        return "bad-time", {"given": given}
    if "[A-Z]{2}" in pattern:
        return "bad-calendar", {"given": given}
    if pattern.startswith("^[a-z]"):
        return "bad-code", {"given": given, "example": _as_code(given)}
    return "bad-text", {"given": given}


def _as_code(given: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", given.lower().translate(str.maketrans("éèêëàâäîïôöùûüç", "eeeeaaaiioouuuc")))
    plain = plain.strip("-0123456789")[:40].rstrip("-")
    return plain or "cv"


_BY_EXAMPLE = {
    "10 working days": "bad-duration",
    "10 working days before release": "bad-moment",
    "7 days before": "bad-lead",
    "every 1 week until 1 month": "bad-stretch",
    "1200 EUR": "bad-amount",
}
"""The kinds of text of `moments` and `money`, by the example that their schema carries."""


def _value(where: Path, given: str) -> tuple[str, dict[str, Params]]:
    node = node_at(where)
    if r"\d{2}:" in node.get("pattern", ""):
        return "bad-time", {"given": given}
    return _BY_EXAMPLE.get((node.get("examples") or [""])[0], "bad-text"), {"given": given}


def _example(where: Path) -> str:
    node = node_at(where)
    if "properties" not in node:
        return "a: …, b: …"
    keys = node.get("required") or list(node["properties"])[:3]
    return ", ".join(f"{key}: …" for key in keys)


# What cannot work


def _impossible(programme: Programme, tree: Tree) -> Iterator[Finding]:
    for one in feasibility.findings(programme, template_names()):
        yield tree.finding(one.path, one.code, one.params, one.severity)
    if not is_zone(programme.clock.zone):
        yield tree.finding(("clock", "zone"), "unknown-zone", {"name": programme.clock.zone})
    if not is_calendar(programme.clock.calendar):
        yield tree.finding(("clock", "calendar"), "unknown-calendar", {"name": programme.clock.calendar})


def _one_language(tree: Tree) -> Iterator[Finding]:
    for where, given in _labels(tree.data, ()):
        if isinstance(given, str):
            yield tree.finding(where, "one-language", {}, "warning")


def _labels(data: Any, where: Path) -> Iterator[tuple[Path, Any]]:
    """Each `label` of the file; a phase or a role may bear that name, but then its value is not a text."""
    if not isinstance(data, dict):
        return
    for key, value in data.items():
        if key == "label":
            yield (*where, key), value
        yield from _labels(value, (*where, key))
