"""The JSON Schema that editors use: complete, and in agreement with the reader."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from journeys.authoring.descriptions import DESCRIPTIONS
from journeys.authoring.reading import PROGRAMMES
from journeys.authoring.schema import DIALECT, node_at, programme_schema
from journeys.authoring.shaping import _BY_EXAMPLE
from journeys.authoring.yaml_text import read_tree

FILES = [*sorted(PROGRAMMES.glob("*.yaml")), *sorted((Path(__file__).parent / "programmes").glob("*.yaml"))]


@pytest.mark.parametrize("source", FILES, ids=lambda source: source.stem)
def test_the_schema_accepts_every_programme_that_can_run(source: Path) -> None:
    validator = Draft202012Validator(programme_schema())
    assert [error.message for error in validator.iter_errors(read_tree(source.read_bytes()).data)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("milestones", "exit-plan", "due"), "soon"),
        (("milestones", "exit-plan", "colour"), "blue"),
        (("milestones", "Exit plan"), {"label": "x"}),
        (("grants", "bourse", "cap"), "much"),
        (("clock", "opens"), "9h"),
        (("format",), 2),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(path: tuple[str, ...], value: Any) -> None:
    data = read_tree((PROGRAMMES / "auxilia.yaml").read_bytes()).data
    part = data
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert list(Draft202012Validator(programme_schema()).iter_errors(data))


def test_the_tool_that_authors_use_agrees(tmp_path: Path) -> None:
    schema = tmp_path / "programme.schema.json"
    schema.write_text(json.dumps(programme_schema()), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--schemafile", schema, PROGRAMMES / "auxilia.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_key_is_described_in_both_languages_and_nothing_else_is() -> None:
    french, english = programme_schema("fr"), programme_schema("en")
    Draft202012Validator.check_schema(french)
    assert french["$schema"] == DIALECT
    named = set()
    for name, model in [("Programme", french), *french["$defs"].items()]:
        named |= {name, *(f"{name}.{key}" for key in model.get("properties", {}))}
        assert all(part["description"] for part in model.get("properties", {}).values())
    assert named == set(DESCRIPTIONS)
    assert french["properties"]["phases"]["description"] != english["properties"]["phases"]["description"]


def test_each_kind_of_text_is_known_by_the_example_of_its_schema() -> None:
    places: dict[str, tuple[str | int, ...]] = {
        "bad-duration": ("review",),
        "bad-moment": ("milestones", "x", "due"),
        "bad-lead": ("milestones", "x", "remind", 0, "when"),
        "bad-stretch": ("contacts", "x", "cadence", 0),
        "bad-amount": ("grants", "x", "levels", 0, "up_to"),
    }
    assert {code: _BY_EXAMPLE[node_at(where)["examples"][0]] for code, where in places.items()} == {
        code: code for code in places
    }
