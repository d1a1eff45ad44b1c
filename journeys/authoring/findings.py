"""What is wrong in a file that a person wrote: where, what, and what to write, in French and English."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as File
from typing import Literal

from journeys.authoring.wording import REMEDIES, WORDING

Params = str | int | tuple[str, ...]
Severity = Literal["error", "warning"]

MOST_FINDINGS = 50
"""Beyond this a list of errors helps no one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or doubtful.

    `line` and `column` count from 1. `where` is the path as data (list positions from 0); `path` is how a
    person reads it: `ladders.follow-up.steps[2].to` is the second step.
    """

    line: int
    column: int
    where: tuple[str | int, ...]
    code: str
    params: Mapping[str, Params] = field(default_factory=dict)
    severity: Severity = "error"

    @property
    def path(self) -> str:
        return spell(self.where)

    def told(self, lang: str = "fr") -> str:
        """What is wrong, after its path where it has one."""
        return f"{self.path}: {self.message(lang)}" if self.where else self.message(lang)

    def located(self, source: File, lang: str = "fr") -> str:
        """File and line, what is wrong there, and what to write."""
        return f"{source}:{self.line}: {self.told(lang)} → {self.remedy(lang)}"

    def message(self, lang: str = "fr") -> str:
        """What is wrong."""
        return _write(WORDING, self.code, self.params, lang)

    def remedy(self, lang: str = "fr") -> str:
        """What to write instead."""
        said = _write(REMEDIES, self.code, self.params, lang)
        near = self._meant()
        if not near:
            return said
        said = said[:1].upper() + said[1:]
        return f"Did you mean “{near}”? {said}" if lang == "en" else f"Vouliez-vous dire « {near} » ? {said}"

    def _meant(self) -> str:
        """What was probably meant: as found where it was read, else the nearest known name, sought only when shown."""
        meant = self.params.get("meant")
        if isinstance(meant, str) and meant:
            return meant
        name, known = self.params.get("name", self.params.get("given")), self.params.get("known")
        if isinstance(name, str) and isinstance(known, tuple) and self.code in _NAMES_MISTYPED:
            return nearest(name, known)
        return ""

    def as_json(self, lang: str = "fr") -> dict[str, str | int]:
        return {
            "line": self.line,
            "column": self.column,
            "path": self.path,
            "code": self.code,
            "severity": self.severity,
            "message": self.message(lang),
            "remedy": self.remedy(lang),
        }


class FileInvalid(ValueError):
    """A file that cannot be used. `findings` say where and what to write, the warnings among them, in line order."""

    def __init__(self, source: File, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(f"{source}:{one.line}: {one.path}: {one.message('en')}" for one in findings))
        self.source = source
        self.findings = findings


def few(found: list[Finding]) -> tuple[Finding, ...]:
    """At most MOST_FINDINGS of them, the errors first to be kept, with how many more there are."""
    if len(found) <= MOST_FINDINGS:
        return tuple(found)
    worst = sorted(found, key=lambda one: one.severity != "error")[:MOST_FINDINGS]
    shown = sorted(worst, key=lambda one: (one.line, one.column))
    more: dict[str, Params] = {"more": len(found) - MOST_FINDINGS}
    severity: Severity = "error" if any(one.severity == "error" for one in found) else "warning"
    return (*shown, Finding(shown[-1].line, shown[-1].column, (), "more-findings", more, severity))


def spell(where: tuple[str | int, ...]) -> str:
    """`("steps", 0, "to")` -> `steps[1].to`: people count from one."""
    spelt = ""
    for part in where:
        if isinstance(part, int):
            spelt += f"[{part + 1}]"
        else:
            spelt += f".{part}" if spelt else part
    return spelt


def nearest(name: str, known: tuple[str, ...]) -> str:
    """The known name that looks most like this one, or an empty text."""
    found = get_close_matches(name.lower()[:80], known, n=1, cutoff=0.6)
    return found[0] if found else ""


_NAMES_MISTYPED = frozenset(
    {code for code in WORDING if code.startswith("unknown-")} | {"not-choice", "template-variable"}
)
"""Codes whose `name` (or `given`) is not among `known`."""
_LONGEST = 120
"""Characters quoted from the file: a person recognises it by its beginning."""
_MOST_NAMES = 40


def _write(texts: Mapping[str, tuple[str, str]], code: str, params: Mapping[str, Params], lang: str) -> str:
    french, english = texts[code]
    return (english if lang == "en" else french).format_map({key: _said(value, lang) for key, value in params.items()})


def _said(value: Params, lang: str) -> str:
    if isinstance(value, tuple):
        named = ", ".join(value[:_MOST_NAMES]) + (", …" if len(value) > _MOST_NAMES else "")
        return named or ("none" if lang == "en" else "aucun")
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in str(value))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
