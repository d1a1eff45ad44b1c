"""The file of retention rules: whole, each time with where it comes from; what is wrong is said by line and path."""

from pathlib import Path

import pytest

from journeys.authoring.retention import SHIPPED, RetentionInvalid, read_retention
from journeys.settings import Settings, SettingsError, load_settings
from worker import _retention as of_a_worker

TEXT = SHIPPED.read_text(encoding="utf-8")


def test_the_file_that_is_shipped_says_of_each_time_who_says_so() -> None:
    found = read_retention()
    assert {name for name in type(found.rules).model_fields if found.rules.of(name).source} == {"people", "bank"}  # type: ignore[arg-type]
    assert str(found.rules.people.kept) == "24 months" and "2023-095" in (found.rules.people.source or "")
    assert found.rules.people.daily == "propose", "people go when somebody says so, until a file says otherwise"


def test_a_file_of_before_a_rule_came_is_still_one_and_has_what_is_shipped(tmp_path: Path) -> None:
    source = tmp_path / "mine.yaml"
    source.write_text(TEXT.partition("  digests:\n")[0], encoding="utf-8")
    assert read_retention(source) == read_retention()


@pytest.mark.parametrize(
    ("old", "new", "path", "code"),
    [
        ("kept: 24 months", "kept: 2 months", "rules.people.kept", "retention-too-short"),
        ("kept: 24 months", "kept: 24 working days", "rules.people.kept", "retention-unit"),
        ("kept: 24 months", "kept: 2 ans", "rules.people.kept", "bad-duration"),
        ("kept: 24 months", "kept: 24", "rules.people.kept", "bad-duration"),
        ("ahead: 30 days", "ahead: 8 hours", "ahead", "retention-unit"),
        ("daily: propose", "daily: sometimes", "rules.people.daily", "not-choice"),
        ("    checked_on: 2026-11-28\n", "", "rules.people.source", "retention-source"),
        ("    url: http", "    default: {fr: a, en: b}\n    url: http", "rules.people", "retention-origin"),
        ("at_most: 20", "at_most: 0", "at_most", "too-small"),
        ("at_most: 20", "at_moost: 20", "at_moost", "unknown-key"),
        ("  forms:\n", "  formes:\n", "rules.formes", "unknown-key"),
        ("ahead: 30 days", "ahead: 30 days\nahead: 40 days", "ahead", "key-twice"),
    ],
)
def test_what_is_wrong_is_said_by_line_and_path(tmp_path: Path, old: str, new: str, path: str, code: str) -> None:
    assert old in TEXT
    source = tmp_path / "mine.yaml"
    source.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RetentionInvalid) as caught:
        read_retention(source)
    found = next(one for one in caught.value.findings if one.code == code)
    assert found.path == path and found.message("fr") != found.message("en") and found.remedy("fr")
    assert source.read_text().splitlines()[found.line - 1].strip().startswith(path.rpartition(".")[2])


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"- a\n", b"rules: [", "é".encode("latin-1")])
def test_what_is_no_such_file_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "mine.yaml"
    source.write_bytes(content)
    with pytest.raises(RetentionInvalid):
        read_retention(source)


def test_a_worker_does_not_begin_with_rules_that_cannot_be_used(tmp_path: Path) -> None:
    source = tmp_path / "mine.yaml"
    source.write_text(TEXT.replace("24 months", "1 day"), encoding="utf-8")

    def settings(file: Path) -> Settings:
        return load_settings(data_dir=tmp_path, retention=file)

    with pytest.raises(SettingsError, match=r"JOURNEYS_RETENTION : .*mine\.yaml:\d+: rules\.people\.kept"):
        of_a_worker(settings(source))
    with pytest.raises(SettingsError, match="JOURNEYS_RETENTION : ce fichier ne peut pas être lu : il n'existe pas"):
        of_a_worker(settings(tmp_path / "none.yaml"))
    assert of_a_worker(load_settings(data_dir=tmp_path)) == read_retention()
