"""Rules of law and of social practice as dated data: read by name, and which of them somebody should look at again.

A rule is a file of `rules/<country>/` with its versions in the order of time; the last one is in force, and is what a
programme that names the rule is read with. No clock decides: the same files always give the same text.
"""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path as File
from typing import Annotated

from pydantic import Field

from journeys.authoring.findings import FileInvalid, Finding, few
from journeys.authoring.shaping import shaped
from journeys.authoring.yaml_text import Tree, YamlInvalid, read_bytes, read_tree
from journeys.domain.programme import Code, LabelField, RuleVersion, Ruling, Saying, Text

RULES = File(__file__).resolve().parents[2] / "rules"
"""The rules that are shipped, a folder for each country: beside the package, in a checkout and in a wheel."""

MONTHS = 6
"""A rule that nobody has compared with its source for so long is old."""


class Version(Ruling):
    """A version as its file has it, with what is known of it."""

    checked_on: date
    """When somebody last compared it with its source."""
    to_confirm: bool
    """Whether somebody who knows should still confirm it."""
    doubt: Saying | None = None
    """What is not sure."""


class Rule(Text):
    """A rule with its versions, earliest first."""

    rule: Code
    label: LabelField
    versions: Annotated[tuple[Version, ...], Field(min_length=1, max_length=50)]

    @property
    def current(self) -> Version:
        return self.versions[-1]

    def as_read(self) -> RuleVersion:
        """What a programme that names it is read with; what is known of it is left out: to check it changes none."""
        return RuleVersion(label=self.label, **{name: getattr(self.current, name) for name in Ruling.model_fields})


class RuleInvalid(FileInvalid):
    """A rule's file has errors."""


class Concern(StrEnum):
    """Why somebody should look at a rule again."""

    OLD = "old"
    EXPIRED = "expired"
    NOT_BEGUN = "not-begun"
    UNCONFIRMED = "unconfirmed"


@lru_cache(maxsize=8)
def rule_names(folder: File = RULES) -> tuple[str, ...]:
    """The names of all rules, sorted."""
    return tuple(sorted(file.stem for file in folder.glob("*/*.yaml")))


@lru_cache(maxsize=256)
def read_rule(name: str, folder: File = RULES) -> Rule:
    """Read one rule by its name. Raises LookupError where there is none, RuleInvalid with what is wrong in its file."""
    source = next(folder.glob(f"*/{name}.yaml"), None)
    if source is None:
        raise LookupError(name)
    try:
        tree = read_tree(read_bytes(source))
    except YamlInvalid as error:
        raise RuleInvalid(source, (error.finding,)) from error
    rule, wrong = shaped(tree, Rule, "rule")
    found = wrong if rule is None else list(_doubts(rule, source, tree))
    if rule is None or found:
        raise RuleInvalid(source, few(found))
    return rule


def concerns(rule: Rule, today: date, months: int = MONTHS) -> tuple[Concern, ...]:
    """Why this rule should be looked at again on a day; empty when there is no reason."""
    current = rule.current
    return tuple(
        concern
        for concern, holds in (
            (Concern.EXPIRED, current.valid_to is not None and current.valid_to < today),
            (Concern.NOT_BEGUN, current.valid_from is not None and current.valid_from > today),
            (Concern.OLD, months_between(current.checked_on, today) >= months),
            (Concern.UNCONFIRMED, current.to_confirm),
        )
        if holds
    )


def months_between(since: date, until: date) -> int:
    """Whole months from one day to another."""
    return (until.year - since.year) * 12 + until.month - since.month - (until.day < since.day)


def _doubts(rule: Rule, source: File, tree: Tree) -> Iterator[Finding]:
    if rule.rule != source.stem:
        yield tree.finding(("rule",), "rule-other-name", {"name": rule.rule})
    before: Version | None = None
    for at, version in enumerate(rule.versions):
        here = ("versions", at)
        if version.valid_from and version.valid_to and version.valid_to < version.valid_from:
            yield tree.finding((*here, "valid_to"), "rule-ends-before", {})
        if version.valid_from is None and not version.to_confirm:
            yield tree.finding((*here, "to_confirm"), "rule-without-day", {})
        if before is not None and not _follows(before, version):
            yield tree.finding((*here, "valid_from"), "rule-versions-order", {})
        before = version


def _follows(before: Version, after: Version) -> bool:
    return after.valid_from is not None and before.valid_to is not None and before.valid_to < after.valid_from
