"""What the documents say is there: links, commands, variables, programmes, rooms, dependencies, pictures."""

import re
import shlex
import tomllib
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from journeys.app.cli.commands import application
from journeys.app.cli.main import run
from journeys.app.fields import fields_of
from journeys.authoring.reading import read_programme
from journeys.domain.commands import BODIES
from journeys.domain.events import KINDS
from journeys.settings import PREFIX, Settings, unknown_variables
from tests.__main__ import runs, weights
from tests.architecture.test_imports import ALLOWED
from tests.conftest import allowed_seconds

ROOT = Path(__file__).parent.parent.parent
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GUIDES = [
    *(ROOT / name for name in ("README.md", "LISEZMOI.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs" / "guide").glob("*.md")),
]
EVERYWHERE = {"--as": 1, "--lang": 1, "--json": 0, "--help": 0}
"""Options that every command takes, with how many words follow."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def each_document(paths: list[Path] = DOCUMENTS) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=name_of)


# --- links


def prose(path: Path) -> str:
    """A document without its code blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The anchors of its headings, as forges make them."""
    headings = re.findall(r"^#+ +(.+)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@each_document()
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        meant = (path.parent / file).resolve() if file else path
        if not meant.exists() or (anchor and anchor not in anchors(meant)):
            broken.append(target)
    assert broken == []


def test_every_decision_is_in_the_index_with_its_title() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    rows = dict(re.findall(r"^\| (\d{4}) \| (.+) \|$", index, flags=re.MULTILINE))
    titles = {}
    for nth, path in enumerate(DECISIONS, 1):
        number, _, title = path.read_text().splitlines()[0].removeprefix("# ").partition(". ")
        assert int(number) == int(path.name[:4]) == nth, f"{path.name} is not the decision number {nth}"
        titles[path.name[:4]] = f"[{title}]({path.name})"
    assert rows == titles


@each_document(DECISIONS)
def test_a_decision_says_why_what_follows_and_what_else_there_was(path: Path) -> None:
    text = path.read_text()
    assert all(f"**{part}" in text for part in ("Context", "Decision", "Consequences", "Alternatives"))


def test_rooms_that_are_no_packages_share_no_file_name() -> None:
    """Whichever rooms one run has, pytest takes two such files of one name for the same module."""
    rooms = [room for room in (ROOT / "tests").iterdir() if room.is_dir() and not (room / "__init__.py").exists()]
    names = Counter(path.name for room in rooms for path in room.glob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_room_of_the_tests_is_allowed_its_seconds() -> None:
    rooms = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert allowed_seconds().keys() == rooms
    assert {room for run in runs(browser=True) for room in run} == rooms


@pytest.mark.parametrize(("browser", "minutes"), [(True, 11.0), (False, 8.5)])
def test_each_run_is_allowed_less_than_make_test_may_take(browser: bool, minutes: float) -> None:
    seconds = weights(browser)
    assert max(sum(seconds[room] for room in run) for run in runs(browser)) < minutes * 60


# --- commands


def shown_commands(path: Path) -> Iterator[str]:
    """Lines of code blocks, and code within a sentence, that begin with `journeys `."""
    blocks = re.findall(r"^```sh\n(.*?)^```", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    for line in "".join(blocks).splitlines():
        if line.startswith("journeys "):
            yield line
    for span in re.findall(r"`([^`\n]+)`", prose(path)):
        if span.startswith("journeys ") and "{" not in span:
            yield span


COMMANDS = [
    pytest.param(line, id=f"{path.name}: {line}") for path in GUIDES for line in dict.fromkeys(shown_commands(path))
]


def without_common(words: list[str]) -> list[str]:
    rest, following = [], iter(words)
    for word in following:
        if word in EVERYWHERE:
            for _ in range(EVERYWHERE[word]):
                next(following)
        else:
            rest.append(word)
    return rest


@cache
def command_line() -> Any:
    """All that `journeys` takes, put together once: 20 ms."""
    return typer.main.get_command(application())


def taken_apart(line: str) -> tuple[list[str], set[str], set[str]]:
    """The path to the subcommand, the options typed, and those that the command line knows there."""
    words = without_common(shlex.split(line, comments=True)[1:])
    command = command_line()
    path: list[str] = []
    while words and hasattr(command, "commands"):
        path.append(words.pop(0))
        assert path[-1] in command.commands, f"no such command: journeys {' '.join(path)}"
        command = command.commands[path[-1]]
    typed = {word.partition("=")[0] for word in words if word.startswith("-")}
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    if path == ["do"]:
        name = next((word for word in words[1:2] if word in BODIES), None)
        path += ["ID", name] if name is not None else []
        known |= _fields(name)
    return path, typed, known


def _fields(name: str | None) -> set[str]:
    """What `journeys do ID name` takes."""
    always = {"--on", "--occurred", "--command-id", "--seen"}
    if name is None:
        return always
    return always | {field.option for field in fields_of(name)}


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_shown_can_be_typed(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    path, typed, known = taken_apart(line)
    assert typed <= known
    assert run([*path, "--help"]) == 0
    assert capsys.readouterr().out


def test_a_command_that_is_not_there_is_noticed() -> None:
    with pytest.raises(AssertionError, match="no such command"):
        taken_apart("journeys audit exprot out")
    _, typed, known = taken_apart("journeys do Benali close --outcome completed --because x")
    assert typed - known == {"--because"}


@each_document(GUIDES)
def test_every_make_target_shown_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    shown = re.findall(r"(?:`|^    )make ([a-z-]+)", path.read_text(), flags=re.MULTILINE)
    assert shown
    assert set(shown) <= targets


# --- the two readmes


def test_the_french_readme_is_no_poorer_copy() -> None:
    english, french = GUIDES[:2]
    for what in (
        lambda path: [len(found) for found in re.findall(r"^(#+) ", prose(path), flags=re.MULTILINE)],
        lambda path: [taken_apart(line)[:2] for line in shown_commands(path)],
        lambda path: re.findall(r"JOURNEYS_[A-Z_]+", path.read_text()),
        lambda path: len(re.findall(r"^\|", path.read_text(), flags=re.MULTILINE)),
        lambda path: len(re.findall(r"^- ", path.read_text(), flags=re.MULTILINE)),
    ):
        assert what(french) == what(english)


# --- settings


@each_document()
def test_every_variable_named_exists(path: Path) -> None:
    named = set(re.findall(r"\bJOURNEYS_[A-Z0-9_]*[A-Z0-9]", path.read_text()))
    of_compose = set(re.findall(r"^([A-Z_]+)=", (ROOT / "deploy" / "env.example").read_text(), flags=re.MULTILINE))
    assert unknown_variables(dict.fromkeys(named - of_compose, "")) == {}


def settings_variables(model: Any = Settings, prefix: str = PREFIX) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            yield from settings_variables(field.annotation, f"{prefix}{name.upper()}__")
        else:
            yield field.validation_alias or prefix + name.upper()


@each_document(GUIDES[:2])
def test_every_setting_is_documented(path: Path) -> None:
    assert [name for name in settings_variables() if f"`{name}`" not in path.read_text()] == []


# --- programmes, the example of a test


def yaml_blocks(path: Path) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", path.read_text(), flags=re.DOTALL | re.MULTILINE)


@each_document(GUIDES[:2])
def test_every_programme_shown_can_run(path: Path, tmp_path: Path) -> None:
    shown = yaml_blocks(path)
    assert len(shown[0].splitlines()) == 3
    for text in shown:
        file = tmp_path / "shown.yaml"
        file.write_text(text)
        assert read_programme(str(file)).findings == ()


def test_the_example_of_a_test_is_a_test() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", GUIDES[2].read_text(), flags=re.DOTALL | re.MULTILINE)
    written: dict[str, Any] = {}
    exec(code, written)
    (example,) = (each for name, each in written.items() if name.startswith("test_"))
    example()


# --- the overview


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading of the overview."""
    text = (ROOT / "docs" / "overview.md").read_text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ][1:]


def test_the_rooms_are_those_of_the_import_rules() -> None:
    told = {room.strip("`"): imports for room, _, imports in rows("Rooms, and who may import whom")}
    assert told.keys() == ALLOWED.keys()
    for room, imports in told.items():
        if room != "domain":
            assert {name for name in imports.split(", ") if name != "–"} == ALLOWED[room], room


def test_what_is_opened_and_closed_are_events() -> None:
    named = {
        word
        for row in rows("What is opened is closed")
        for cell in row
        for word in re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", cell)
    }
    assert len(named) > 80
    assert named <= KINDS.keys()


# --- dependencies, pictures


def test_every_dependency_has_its_reason_and_no_other_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        re.split(r"[=<>\[]", each)[0] for each in [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    }
    decision = (ROOT / "docs" / "decisions" / "0011-dependencies.md").read_text()
    listed = {
        name for row in re.findall(r"^\| ([a-z][^|]+) \|", decision, flags=re.MULTILINE) for name in row.split(", ")
    }
    assert listed - {"package"} == wanted


def shapes(file: Path) -> tuple[list[tuple[str, dict[str, str]]], list[str]]:
    """The elements of a picture with their places, and its texts."""
    elements = list(ElementTree.fromstring(file.read_text()).iter())
    return [(each.tag, {k: v for k, v in each.attrib.items() if k != "lang"}) for each in elements], [
        each.text or "" for each in elements
    ]


def test_the_picture_is_the_same_in_both_languages_and_told_in_words() -> None:
    (english, words), (french, mots) = (shapes(ROOT / "docs" / name) for name in ("journey.svg", "parcours.svg"))
    assert english == french
    assert words != mots
    root = english[0][1]
    assert root["role"] == "img"
    assert root["aria-labelledby"] == "title desc"
    for tag in ("title", "desc"):
        assert any(name.endswith(tag) and attributes.get("id") == tag for name, attributes in english)
    assert "prefers-color-scheme: dark" in (ROOT / "docs" / "journey.svg").read_text()
