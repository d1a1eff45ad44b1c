"""Rules of law and practice: whole and dated, taken over into the text of a programme, and told when they are old."""

import json
from datetime import date
from pathlib import Path

import pytest

from journeys.authoring.reading import ProgrammeInvalid, check_programme, programme_names, read_programme
from journeys.authoring.rules import RULES, Concern, RuleInvalid, concerns, months_between, read_rule, rule_names
from journeys.domain.programme import compile_programme

SPIP = """\
programme: essai
label: {fr: Essai, en: Trial}
dates: {release: {label: {fr: sortie, en: release}}}
milestones:
  seen: {label: {fr: vu, en: seen}, due: 1 month after release, closes: completed, origin: law, rule: %s}
"""

RULE = """\
rule: essai
label: {fr: Essai, en: Trial}
versions:
  - says: {fr: Sept jours., en: Seven days.}
    source: Code, art. 1
    url: https://example.org/1
    valid_from: 2020-01-01
    valid_to: 2024-12-31
    checked_on: 2024-06-01
    to_confirm: false
  - says: {fr: Huit jours., en: Eight days.}
    source: Code, art. 1
    url: https://example.org/2
    valid_from: 2025-01-01
    checked_on: 2026-05-28
    to_confirm: false
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of rules with one in it, which programmes are read with."""
    folder = tmp_path / "rules"
    (folder / "fr").mkdir(parents=True)
    (folder / "fr" / "essai.yaml").write_text(RULE, encoding="utf-8")
    monkeypatch.setattr("journeys.authoring.reading.rule_names", lambda: rule_names.__wrapped__(folder))
    monkeypatch.setattr("journeys.authoring.reading.read_rule", lambda name: read_rule.__wrapped__(name, folder))
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "fr" / "essai.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def written(name: str = "essai") -> bytes:
    return (SPIP % name).encode()


# --- those that are shipped


@pytest.mark.parametrize("name", rule_names())
def test_every_rule_that_is_shipped_is_whole(name: str) -> None:
    rule = read_rule(name)
    assert rule.current.url.startswith("http") and rule.current.checked_on <= date(2100, 1, 1)
    assert rule.current.says.fr != rule.current.says.en
    assert rule.current.doubt is not None or not rule.current.to_confirm, (
        "what is to be confirmed says what is in doubt"
    )


def test_every_term_of_law_in_a_programme_that_is_shipped_names_its_rule() -> None:
    named = set()
    for name in programme_names():
        programme = read_programme(name).programme
        assert all(part.rule for _, part in programme.ruled() if part.origin == "law")
        assert programme.rules == {rule: read_rule(rule).as_read() for rule in programme.rules}
        named |= set(programme.rules)
    assert {"spip-summons", "domiciliation", "health-cover", "job-centre", "rsa-resumption"} <= named


# --- a programme is read with its rules


def test_the_text_of_a_programme_holds_the_version_that_is_in_force(rules: Path) -> None:
    file = check_programme(written(), rules / "x.yaml")
    assert file.findings == ()
    held = json.loads(file.text)["rules"]["essai"]
    assert (held["says"]["fr"], held["valid_from"]) == ("Huit jours.", "2025-01-01")
    assert compile_programme(file.text) == file.programme


def test_another_version_is_another_text_and_a_check_alone_is_not(rules: Path) -> None:
    before = check_programme(written(), rules / "x.yaml")
    edit(rules, "checked_on: 2026-05-28\n    to_confirm: false", "checked_on: 2026-11-28\n    to_confirm: true")
    assert check_programme(written(), rules / "x.yaml").sha256 == before.sha256
    edit(rules, "Huit jours.", "Dix jours.")
    after = check_programme(written(), rules / "x.yaml")
    assert after.sha256 != before.sha256
    assert compile_programme(before.text).rules["essai"].says.fr == "Huit jours."


def test_a_programme_that_names_no_rule_has_the_text_that_it_had() -> None:
    plain = written().replace(b", origin: law, rule: essai", b"")
    assert "rules" not in json.loads(check_programme(plain, Path("x.yaml")).text)


def test_a_rule_that_is_not_known_is_told_with_the_one_meant(rules: Path) -> None:
    with pytest.raises(ProgrammeInvalid) as found:
        check_programme(written("esai"), rules / "x.yaml")
    [one] = found.value.findings
    assert (one.code, one.line, one.path) == ("unknown-rule", 5, "milestones.seen.rule")
    assert "« essai »" in one.remedy("fr") and "“essai”" in one.remedy("en")


def test_a_term_of_law_without_a_rule_is_a_note(rules: Path) -> None:
    [one] = check_programme(written().replace(b", rule: essai", b""), rules / "x.yaml").findings
    assert (one.code, one.severity) == ("law-without-rule", "warning")


def test_nobody_writes_the_text_of_a_rule_into_a_programme(rules: Path) -> None:
    own = b"rules: {essai: {label: {fr: a, en: b}, says: {fr: a, en: b}, source: me, url: 'https://example.org'}}\n"
    with pytest.raises(ProgrammeInvalid) as found:
        check_programme(written() + own, rules / "x.yaml")
    assert [one.code for one in found.value.findings] == ["rules-are-elsewhere"]


def test_a_broken_rule_is_told_by_its_own_file(rules: Path) -> None:
    edit(rules, "valid_from: 2025-01-01", "valid_from: soon")
    with pytest.raises(ProgrammeInvalid) as found:
        check_programme(written(), rules / "x.yaml")
    [one] = found.value.findings
    assert found.value.source == rules / "fr" / "essai.yaml"
    assert (one.code, one.path) == ("bad-date", "versions[2].valid_from")


# --- files that are wrong


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("rule: essai", "rule: autre", "rule-other-name", 1),
        ("valid_to: 2024-12-31", "valid_to: 2019-12-31", "rule-ends-before", 8),
        ("valid_from: 2025-01-01", "valid_from: 2024-06-01", "rule-versions-order", 14),
        ("    valid_to: 2024-12-31\n", "", "rule-versions-order", 13),
        ("    valid_from: 2020-01-01\n", "", "rule-without-day", 9),
        ("to_confirm: false\n  -", "to_confirm: perhaps\n  -", "not-yes-no", 10),
        ("url: https://example.org/1", "url: somewhere", "bad-text", 6),
        ("    source: Code, art. 1\n    url: https://example.org/1", "    url: https://example.org/1",
         "missing-key", 4),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_gives_line_and_remedy(rules: Path, old: str, new: str, code: str, line: int) -> None:
    edit(rules, old, new)
    with pytest.raises(RuleInvalid) as found:
        read_rule.__wrapped__("essai", rules)
    one = found.value.findings[0]
    assert (one.code, one.line) == (code, line)
    assert one.remedy("fr") and one.remedy("en")


def test_a_rule_that_is_not_there() -> None:
    with pytest.raises(LookupError):
        read_rule("none-such", RULES)


# --- which of them somebody should look at


@pytest.mark.parametrize(
    ("old", "new", "today", "expected"),
    [
        ("", "", date(2026, 11, 27), ()),
        ("", "", date(2026, 11, 28), (Concern.OLD,)),
        ("to_confirm: false\n", "to_confirm: true\n", date(2026, 6, 1), (Concern.UNCONFIRMED,)),
        ("valid_from: 2025-01-01", "valid_from: 2027-01-01", date(2026, 6, 1), (Concern.NOT_BEGUN,)),
        ("valid_from: 2025-01-01", "valid_from: 2025-01-01\n    valid_to: 2026-05-31", date(2026, 6, 1),
         (Concern.EXPIRED,)),
        ("valid_from: 2025-01-01", "valid_from: 2025-01-01\n    valid_to: 2026-06-01", date(2026, 6, 1), ()),
    ],
)  # fmt: skip
def test_what_should_be_looked_at_again(
    rules: Path, old: str, new: str, today: date, expected: tuple[Concern, ...]
) -> None:
    edit(rules, old, new)
    assert concerns(read_rule.__wrapped__("essai", rules), today) == expected


def test_months_are_whole() -> None:
    assert months_between(date(2026, 1, 31), date(2026, 2, 28)) == 0
    assert months_between(date(2025, 11, 28), date(2026, 11, 28)) == 12
