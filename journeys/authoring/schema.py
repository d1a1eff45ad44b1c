"""The JSON Schema of a programme (draft 2020-12) with descriptions: for editors, and `programme schema`."""

from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from journeys.authoring.descriptions import DESCRIPTIONS
from journeys.domain.moments import Duration, Unit
from journeys.domain.programme import Programme

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ONE_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
_LABEL = {"$ref": "#/$defs/Label"}


def programme_schema(lang: str = "fr") -> dict[str, Any]:
    """A schema that accepts what `read_programme` can read, before the rules of feasibility.

    Descriptions are in French or English. A new dict at each call.
    """
    schema: dict[str, Any] = Programme.model_json_schema(mode="validation")
    for name, model in [("Programme", schema), *schema["$defs"].items()]:
        for key, part in model.get("properties", {}).items():
            model["properties"][key] = _part(part) | {"description": describe(name, key, lang)}
        if name in DESCRIPTIONS:
            model["description"] = _in(DESCRIPTIONS[name], lang)
        else:
            model.pop("description", None)
    return {"$schema": DIALECT, **schema}


def describe(model: str, key: str, lang: str = "fr") -> str:
    """What a key means. Raises KeyError for a key that no one has described: a test keeps the table whole."""
    return _in(DESCRIPTIONS[f"{model}.{key}"], lang)


def node_at(where: tuple[str | int, ...], model: type[BaseModel] = Programme) -> dict[str, Any]:
    """The part of a model's schema for a place of its file; an empty dict where there is none."""
    whole = _plain(model)
    node = whole
    for part in where:
        node = _resolved(node, whole)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            named = node.get("patternProperties", {})
            node = node.get("properties", {}).get(part) or next(iter(named.values()), {})
    return _resolved(node, whole)


@lru_cache(maxsize=4)
def _plain(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(mode="validation")


def _resolved(node: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    for choice in node.get("anyOf", ()):
        if choice.get("type") != "null":
            node = choice
            break
    if "$ref" in node:
        found: dict[str, Any] = whole["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        return found
    return node


def _part(part: dict[str, Any]) -> dict[str, Any]:
    """Say what validators accept beside the declared type: a label in one text, an amount as a number."""
    part = {key: value for key, value in part.items() if key != "title"}
    if "default" in part:
        part["default"] = _written(part["default"])
    if part == _LABEL:
        return {"anyOf": [_LABEL, _ONE_TEXT]}
    if part.get("examples") == ["1200 EUR"]:
        return {"anyOf": [part, {"type": "integer", "minimum": 0}]}
    if "anyOf" in part:
        part["anyOf"] = [_part(choice) for choice in part["anyOf"]]
    if "patternProperties" in part:
        part["additionalProperties"] = False
    return part


def _written(default: Any) -> Any:
    """A default as an author would write it: pydantic gives a duration as its two fields."""
    if not isinstance(default, dict):
        return default
    if default.keys() == {"amount", "unit"}:
        return str(Duration(default["amount"], Unit(default["unit"])))
    return {key: _written(value) for key, value in default.items()}


def _in(text: tuple[str, str], lang: str) -> str:
    return text[1] if lang == "en" else text[0]
