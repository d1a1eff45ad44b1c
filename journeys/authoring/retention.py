"""How long what is kept may be kept: the file of an association, or the one that is shipped, read and checked."""

from collections.abc import Iterator
from pathlib import Path as File
from typing import Final, get_args

from journeys.authoring.findings import FileInvalid, Finding, few
from journeys.authoring.shaping import shaped
from journeys.authoring.yaml_text import Tree, YamlInvalid, read_bytes, read_tree
from journeys.domain.retention import DAYS, LEAST, Retention, RuleName, too_short

SHIPPED: Final = File(__file__).resolve().parents[2] / "retention" / "association.yaml"
"""Beside the package, in a checkout and in a wheel."""


class RetentionInvalid(FileInvalid):
    """A file of retention rules has errors."""


def read_retention(source: File | None = None) -> Retention:
    """The rules of a file; None: those that are shipped. Raises OSError, RetentionInvalid with what is wrong."""
    source = source or SHIPPED
    try:
        tree = read_tree(read_bytes(source))
    except YamlInvalid as error:
        raise RetentionInvalid(source, (error.finding,)) from error
    found, wrong = shaped(tree, Retention, "retention")
    if found is not None:
        wrong = list(_doubts(found, tree))
    if found is None or wrong:
        raise RetentionInvalid(source, few(wrong))
    return found


def _doubts(found: Retention, tree: Tree) -> Iterator[Finding]:
    if found.ahead.unit not in DAYS:
        yield tree.finding(("ahead",), "retention-unit", {"given": str(found.ahead)})
    names: tuple[RuleName, ...] = get_args(RuleName)
    for name in names:
        rule, here = found.rules.of(name), ("rules", name)
        if rule.kept.unit not in DAYS:
            yield tree.finding((*here, "kept"), "retention-unit", {"given": str(rule.kept)})
        elif too_short(name, rule.kept):
            yield tree.finding((*here, "kept"), "retention-too-short",
                               {"given": str(rule.kept), "least": str(LEAST[name])})  # fmt: skip
        if (rule.source is None) == (rule.default is None):
            yield tree.finding(here, "retention-origin", {})
        elif rule.source is not None and (rule.url is None or rule.checked_on is None):
            yield tree.finding((*here, "source"), "retention-source", {})
