"""Data that a person wrote -> a model, and what the model refuses, line by line and in words."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from journeys.authoring.findings import Finding, Params
from journeys.authoring.french import key_meant, moment_meant
from journeys.authoring.schema import node_at
from journeys.authoring.yaml_text import Path, Tree
from journeys.domain.moments import parse_duration, parse_lead, parse_moment, parse_stretch

Shape = TypeVar("Shape", bound=BaseModel)
_LONGEST = 100
"""Characters of what was typed in which another meaning is sought."""


def shaped(tree: Tree, model: type[Shape], first: str) -> tuple[Shape | None, list[Finding]]:
    """The data as this model, or why it is not one; `first` is the key that an empty file is told to begin with."""
    if tree.data is None:
        return None, [tree.finding((), "empty-file", {"first": first})]
    try:
        return model.model_validate(tree.data), []
    except ValidationError as error:
        said = error.errors(include_url=False)
    found = [one for detail in said if (one := _translated(tree, model, detail)) is not None]
    return None, sorted(_once(found), key=lambda one: (one.line, one.column))


def _once(found: list[Finding]) -> list[Finding]:
    return list({(one.where, one.code): one for one in found}.values())


def _translated(tree: Tree, model: type[BaseModel], detail: ErrorDetails) -> Finding | None:
    """One error of pydantic as a finding; None for an echo of another one."""
    where: Path = tuple(part for part in detail["loc"] if part != "[key]")
    given, context = detail["input"], detail.get("ctx", {})
    if detail["type"] in ("too_short", "too_long") and _echo(detail["type"], given, context):
        return None
    if given is None and detail["type"] == "extra_forbidden" and _is_text(node_at(where[:-1], model)):
        return tree.finding(where, "text-cut", {"name": str(where[-1])})
    if given is None and detail["type"] not in ("missing", "extra_forbidden"):
        return tree.finding(where, "empty-value", {"name": str(where[-1]) if where else ""})
    code, params = _code_of(model, detail["type"], where, given, context, detail["loc"][-1:] == ("[key]",))
    return tree.finding(where, code, params)


def _is_text(node: dict[str, Any]) -> bool:
    """Whether a part is a text in two languages: what follows a comma inside it is taken for a key without value."""
    return {"fr", "en"} <= set(node.get("properties", {}))


def _echo(kind: str, given: Any, context: dict[str, Any]) -> bool:
    """Pydantic counts only the valid items, so a list with one bad item is also `too short`."""
    if not hasattr(given, "__len__"):
        return False
    return bool(len(given) >= context["min_length"] if kind == "too_short" else len(given) <= context["max_length"])


def _code_of(
    model: type[BaseModel], kind: str, where: Path, given: Any, context: dict[str, Any], is_key: bool
) -> tuple[str, dict[str, Params]]:
    said = str(given)
    match kind:
        case "extra_forbidden":
            known = tuple(node_at(where[:-1], model).get("properties", {}))
            name = str(where[-1])
            return "unknown-key", {"name": name, "known": known, "meant": key_meant(name, known)}
        case "missing":
            return "missing-key", {"name": str(where[-1])}
        case "string_pattern_mismatch":
            return _pattern(context["pattern"], str(where[-1]) if is_key else said)
        case "value_error":
            return _value(node_at(where, model), said)
        case "string_type":
            return "not-text", {}
        case "tuple_type" | "list_type":
            return "not-list", {"example": said if isinstance(given, str) else "a, b"}
        case "model_type" | "model_attributes_type" | "dict_type":
            return "not-group", {"example": _example(node_at(where, model))}
        case "date_type" | "date_parsing" | "date_from_datetime_parsing" | "date_from_datetime_inexact":
            return "bad-date", {"given": said}
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


def _value(node: dict[str, Any], given: str) -> tuple[str, dict[str, Params]]:
    if r"\d{2}:" in node.get("pattern", ""):
        return "bad-time", {"given": given}
    code = _BY_EXAMPLE.get((node.get("examples") or [""])[0], "bad-text")
    if code == "bad-moment" and _DAY.fullmatch(given):
        return "moment-is-day", {"given": given}
    return code, {"given": given, "meant": _meant(code, given)}


_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}")
_READ: dict[str, Callable[[str], Any]] = {
    "bad-duration": parse_duration, "bad-moment": parse_moment, "bad-stretch": parse_stretch, "bad-lead": parse_lead,
}  # fmt: skip


def _meant(code: str, given: str) -> str:
    """The text in the words of the language, where it was typed in French; empty where that cannot be read either."""
    try:
        read = _READ[code](moment_meant(given[:_LONGEST]))
    except (KeyError, ValueError):
        return ""
    return f"{read} before" if code == "bad-lead" else str(read)


def _example(node: dict[str, Any]) -> str:
    if "properties" not in node:
        return "a: …, b: …"
    keys = node.get("required") or list(node["properties"])[:3]
    return ", ".join(f"{key}: …" for key in keys)
