"""The guide for authors: whoever follows it sees what it shows, in both languages, and its table names every key."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from journeys.authoring.reading import read_programme
from tests.app.conftest import Journeys
from tests.authoring.guide import BEGIN, GUIDES, SECTIONS, blocks, entered, keys_of_the_schema, reference

PLAYED = ("validate", "show", "simulate", "diff")
"""Commands of `journeys programme` that need nothing but the file."""


def typed(line: str, journeys: Journeys, lang: str) -> str:
    """What a line of a window answers; of those that need servers, nothing."""
    match shlex.split(line):
        case ["cp", source, target]:
            shutil.copy(source, target)
        case ["journeys", "programme", played, *words] if played in PLAYED:
            beside = ("--processes", "1") if played == "simulate" else ()
            return journeys("programme", played, *words, *beside, JOURNEYS_LANG=lang).out
    return ""


@pytest.mark.parametrize("lang", GUIDES)
def test_whoever_follows_the_guide_sees_what_it_shows(
    lang: str, tmp_path: Path, nowhere: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said, shown = "", 0
    for block in blocks(GUIDES[lang]):
        file = Path(block.file)
        if block.language == "yaml":
            file.write_text(entered(file.read_text() if file.exists() else "", block.text))
            if file.stem.startswith("escale"):
                assert all(one.code == "never-ends" for one in read_programme(file).findings), block.line
        elif block.language == "sh":
            said = "".join(typed(line, nowhere, lang) for line in block.text.splitlines())
        elif block.language == "text":
            at = 0
            for part in block.text.split("…\n"):
                found = said.find(part, at)
                assert found >= 0, f"line {block.line}: not shown:\n{part}\nbut:\n{said}"
                at, shown = found + len(part), shown + 1
    assert shown > 10
    assert read_programme("escale-2.yaml").findings == ()


def test_both_guides_write_the_same_files_and_give_the_same_commands() -> None:
    french, english = (
        [
            (block.file, re.sub(r" +#.*", "", block.text))
            for block in blocks(guide)
            if block.language == "yaml"
        ]
        for guide in GUIDES.values()
    )  # fmt: skip
    assert french == english
    french, english = (
        [
            shlex.split(line)[:3]
            for block in blocks(guide)
            if block.language == "sh"
            for line in block.text.splitlines()
            if line.startswith("journeys programme")
        ]
        for guide in GUIDES.values()
    )  # fmt: skip
    assert [words for words in french if "--lang" not in words] == [words for words in english if "--lang" not in words]


@pytest.mark.parametrize("lang", GUIDES)
def test_its_table_is_that_of_the_schema(lang: str) -> None:
    _, begin, table = GUIDES[lang].read_text(encoding="utf-8").partition(BEGIN)
    assert begin and table.strip() == reference(lang).strip(), "write it anew: python -m tests.authoring.guide"
    named = len(re.findall(r"^\| `\w+` \|", table, flags=re.MULTILINE))
    assert named == len(keys_of_the_schema()), "a group of keys is missing from SECTIONS"
    assert len(SECTIONS) == len(re.findall(r"^### ", table, flags=re.MULTILINE))


def test_a_key_typed_again_takes_the_place_of_the_former() -> None:
    before = "programme: a\nmilestones:\n  one:\n    due: at start\n  two: {due: at start}\nclock: {}\n"
    added = "milestones:\n  one: {due: at end}\n  three: {}\nclock: {zone: x}\n"
    expected = (
        "programme: a\nmilestones:\n  one: {due: at end}\n  two: {due: at start}\n  three: {}\nclock: {zone: x}\n"
    )
    assert entered(before, added) == expected
