"""Files that no programme can be, at the command line: where, what and what to write, in both languages, at once."""

import re
import time
from pathlib import Path

import pytest

from tests.app.conftest import Journeys

HEAD = "programme: x\nlabel: {fr: a, en: b}\nends: 6 months after start\n"
AB = "{{label: {{fr: a, en: b}}, {0}}}"


def milestones(*parts: str) -> bytes:
    return (HEAD + "milestones:\n" + "".join(f"  m{n}: {AB.format(part)}\n" for n, part in enumerate(parts))).encode()


FILES: dict[str, tuple[bytes, int, str]] = {
    "a cycle": (milestones("due: 1 day after m1 reached", "due: 1 day after m0 reached"), 5, "m0 → m1 → m0"),
    "a cycle of three hundred": (milestones(*(f"needs: [m{(n + 1) % 300}]" for n in range(300))), 5, "m0 → m1"),
    "a deadline before its phase": (
        milestones("phase: p, due: 3 days after start")
        + b"phases:\n  p: {label: {fr: p, en: p}, enter: 1 month after start}\n",
        5,
        "3 days after start",
    ),
    "a deadline before that of what it needs": (
        milestones("due: 3 days after start, needs: [m1]", "due: 2 weeks after start"), 5, "2 weeks after start",
    ),
    "5,000 milestones": (milestones(*["due: 1 day after start"] * 5_000), 1, "256"),
    "3,000 short ones": (
        HEAD.encode() + b"milestones:\n" + b"".join(b" m%d: {label: x}\n" % n for n in range(3_000)), 4, "300",
    ),
    "UTF-16": (HEAD.encode("utf-16"), 1, "UTF-8"),
    "Latin-1": (HEAD.replace("fr: a", "fr: étape").encode("latin-1"), 2, "UTF-8"),
    "a bomb of references": (b'a: &a ["x", "x"]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n', 1, "&"),
    "a bomb of brackets": (b"a: " + b"[" * 100_000, 1, "12"),
    "half a language": (HEAD.replace(", en: b", "").encode(), 2, "en"),
    "a tab": (HEAD.encode() + b"milestones:\n\tm: {label: x}\n", 5, ""),
    "a key twice": (HEAD.encode() + b"label: x\n", 4, "2"),
    "a key with a slip": (HEAD.encode() + b"milestone: {}\n", 4, "milestones"),
    "nothing": (b"", 1, "programme:"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, 1, "UTF-8"),
    "random bytes": (bytes(range(128, 256)) * 40, 1, "UTF-8"),
    "50 MB": ((HEAD + "# x\n").encode() * 800_000, 1, "256"),
}  # fmt: skip
"""For each: what stands in it, the line that is told, a part of what is said about it."""


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_with_line_and_remedy_at_once(name: str, tmp_path: Path, nowhere: Journeys) -> None:
    raw, line, part = FILES[name]
    file = tmp_path / "essai.yaml"
    file.write_bytes(raw)
    said = {}
    for lang, sign in (("fr", "erreur"), ("en", "error")):
        begun = time.process_time()
        said[lang] = nowhere("programme", "validate", str(file), "--lang", lang)
        assert time.process_time() - begun < 3
        found = re.search(rf"{re.escape(str(file))}:{line}:\d+: {sign}: (.+)\n    → (.+)\n", said[lang].out)
        assert found and said[lang].code == 2 and said[lang].err == "", said[lang]
        assert part in found[1] + found[2]
    assert said["fr"].out != said["en"].out
    assert len(said["fr"].out) < 20_000


def test_who_starts_tries_or_compares_a_bad_file_is_told_the_same(tmp_path: Path, nowhere: Journeys) -> None:
    file = tmp_path / "essai.yaml"
    file.write_bytes(FILES["a cycle"][0])
    for words in (("simulate", str(file)), ("show", str(file)), ("diff", str(file), "auxilia")):
        said = nowhere("programme", *words)
        assert said.code == 2 and f"{file}:5: milestones.m0.due: " in said.err and " → retirez" in said.err, said


def test_a_folder_and_no_file_at_all(tmp_path: Path, nowhere: Journeys) -> None:
    folder = nowhere("programme", "validate", str(tmp_path))
    assert folder.code == 2 and "est un dossier" in folder.err
    for name in (str(tmp_path / "none.yaml"), "a" * 5_000, "a\0b"):
        absent = nowhere("programme", "validate", name)
        assert absent.code == 3 and "chemin d’un fichier" in absent.err


def test_a_file_named_without_its_ending_is_proposed(
    tmp_path: Path, nowhere: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("essai.yml").write_text(HEAD)
    for words in (("validate", "essai"), ("simulate", "essai")):
        said = nowhere("programme", *words)
        assert said.code == 3 and "Vouliez-vous dire « essai.yml »" in said.err, said


def test_texts_in_one_language_are_noted_and_can_be_used(tmp_path: Path, nowhere: Journeys) -> None:
    file = tmp_path / "essai.yaml"
    file.write_text("programme: x\nlabel: Essai\nends: 6 months after start\n")
    said = nowhere("programme", "validate", str(file), "--lang", "en")
    assert said.code == 0 and f"{file}:2:1: note: label: " in said.out and "{fr: …, en: …}" in said.out
