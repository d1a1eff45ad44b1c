"""Read a programme file: the model, the text to store, and what is wrong in it, line by line."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from journeys.authoring.calendars import is_calendar
from journeys.authoring.findings import FileInvalid, Finding, few, nearest
from journeys.authoring.rules import RuleInvalid, read_rule, rule_names
from journeys.authoring.shaping import shaped
from journeys.authoring.templates import reminders as shipped_reminders
from journeys.authoring.yaml_text import Path, Tree, YamlInvalid, read_bytes, read_tree
from journeys.domain import feasibility
from journeys.domain.calendar import is_zone
from journeys.domain.moments import elapsed
from journeys.domain.programme import Clock, Programme
from journeys.domain.sending import LONGEST_SPREAD

PROGRAMMES = File(__file__).resolve().parents[2] / "programmes"
"""The programmes that are shipped: beside the package, in a checkout and in a wheel."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class ProgrammeFile:
    """A programme that can run.

    `text` is what the store keeps under `sha256` (hex): compact JSON in file order, without what equals a
    default of its format, with the rules that it names as they are now; `compile_programme(text)` equals `programme`.
    `findings` are warnings.
    """

    programme: Programme
    text: str
    sha256: str
    findings: tuple[Finding, ...]
    source: File


class ProgrammeInvalid(FileInvalid):
    """A programme file has errors, or the file (`source`) of a rule that it names."""


class ProgrammeNotFound(LookupError):
    """No such programme, or a file that cannot be opened."""

    def __init__(self, asked: str, known: tuple[str, ...], readable: bool = True) -> None:
        super().__init__(f"no programme {asked!r}")
        self.asked, self.known, self.readable = asked, known, readable

    def near(self, known: tuple[str, ...]) -> str:
        """What was probably meant: the file of that name without its ending, else the known name most like it."""
        beside = (f"{self.asked}{ending}" for ending in (".yaml", ".yml"))
        return next((name for name in beside if _is_there(name)), "") or nearest(self.asked, known)

    def message(self, lang: str = "fr") -> str:
        if not self.readable:
            folder = File(self.asked).is_dir()
            english = "is a folder" if folder else "cannot be read"
            french = "est un dossier" if folder else "ne peut pas être lu"
            return f"“{self.asked}” {english}" if lang == "en" else f"« {self.asked} » {french}"
        if lang == "en":
            return f"there is no programme “{self.asked}”"
        return f"il n’y a pas de programme « {self.asked} »"

    def remedy(self, lang: str = "fr") -> str:
        near, named = self.near(self.known), ", ".join(self.known)
        if lang == "en":
            return (f"Did you mean “{near}”? " if near else "") + f"Shipped: {named}; or give the path of a file."
        return (
            f"Vouliez-vous dire « {near} » ? " if near else ""
        ) + f"Livrés : {named} ; ou donnez le chemin d’un fichier."


def programme_names() -> tuple[str, ...]:
    """The names of the programmes that are shipped, sorted."""
    return tuple(sorted(file.stem for file in PROGRAMMES.glob("*.yaml")))


def read_programme(path_or_name: str | File, reminders: feasibility.Templates | None = None) -> ProgrammeFile:
    """Read and check a programme, by the name of a shipped one or by path.

    Args:
        reminders: the templates that it may have sent before a deadline; those that are shipped.

    Raises ProgrammeNotFound, and ProgrammeInvalid when anything in it cannot work.
    """
    source = _find(path_or_name)
    try:
        raw = read_bytes(source)
    except OSError as error:
        raise ProgrammeNotFound(str(path_or_name), programme_names(), readable=False) from error
    return check_programme(raw, source, reminders)


def check_programme(raw: bytes, source: File, reminders: feasibility.Templates | None = None) -> ProgrammeFile:
    """The same for bytes already read; `source` is only named. Raises ProgrammeInvalid."""
    try:
        tree = read_tree(raw)
    except YamlInvalid as error:
        raise ProgrammeInvalid(source, (error.finding,)) from error
    programme, wrong = shaped(tree, Programme, "programme")
    if programme is None:
        raise ProgrammeInvalid(source, few(wrong))
    shipped = shipped_reminders()
    found = sorted(
        [
            *_impossible(programme, tree, shipped if reminders is None else reminders),
            *_rules(programme, tree),
            *_texts(programme, tree),
        ],
        key=lambda one: (one.line, one.column),
    )
    if any(one.severity == "error" for one in found):
        raise ProgrammeInvalid(source, few(found))
    programme = _with_rules(programme)
    text = programme_text(programme)
    return ProgrammeFile(programme, text, hashlib.sha256(text.encode()).hexdigest(), few(found), source)


def programme_text(programme: Programme) -> str:
    """The text to store: compact JSON in file order. Defaults are left out: a format never changes them."""
    written = {"format": programme.format, **programme.model_dump(mode="json", exclude_defaults=True)}
    return json.dumps(written, ensure_ascii=False, separators=(",", ":"))


def _is_there(name: str | File) -> bool:
    """Whether there is such a path; never so for what cannot be the name of one."""
    try:
        return File(name).exists()
    except (OSError, ValueError):
        return False


def _find(path_or_name: str | File) -> File:
    if isinstance(path_or_name, str) and _NAME.fullmatch(path_or_name):
        shipped = PROGRAMMES / f"{path_or_name}.yaml"
        if shipped.is_file():
            return shipped
    if not _is_there(path_or_name):
        raise ProgrammeNotFound(str(path_or_name), programme_names())
    return File(path_or_name)


# What cannot work


def _impossible(programme: Programme, tree: Tree, reminders: feasibility.Templates) -> Iterator[Finding]:
    for one in feasibility.findings(programme, reminders):
        yield tree.finding(one.path, one.code, one.params, one.severity)
    if not is_zone(programme.clock.zone):
        yield tree.finding(("clock", "zone"), "unknown-zone", {"name": programme.clock.zone})
    spread = programme.clock.spread
    if spread is not None and (not spread.unit.counts_instants or elapsed(spread) > LONGEST_SPREAD):
        yield tree.finding(("clock", "spread"), "spread-too-long", {"given": str(spread)})
    if not _at_work(programme.clock):
        yield tree.finding(("clock", "digest"), "digest-out-of-hours", {"given": str(programme.clock.digest)})
    if not is_calendar(programme.clock.calendar):
        yield tree.finding(("clock", "calendar"), "unknown-calendar", {"name": programme.clock.calendar})


def _at_work(clock: Clock) -> bool:
    """Whether staff read what leaves at the hour of the digest."""
    hour, quiet = clock.digest, (clock.quiet_from, clock.quiet_to)
    if hour is None:
        return True
    by_night = quiet[0] <= hour < quiet[1] if quiet[0] <= quiet[1] else hour >= quiet[0] or hour < quiet[1]
    return clock.opens <= hour < clock.closes and not by_night


def _with_rules(programme: Programme) -> Programme:
    """The programme with each rule that it names, as the rule is now: so its text, and a journey's hash, holds them."""
    named = dict.fromkeys(part.rule for _, part in programme.ruled() if part.rule)
    try:
        rules = {name: read_rule(name).as_read() for name in named}
    except RuleInvalid as error:
        raise ProgrammeInvalid(error.source, error.findings) from error
    return programme.model_copy(update={"rules": rules})


def _rules(programme: Programme, tree: Tree) -> Iterator[Finding]:
    if programme.rules:
        yield tree.finding(("rules",), "rules-are-elsewhere", {})
    for where, part in programme.ruled():
        if part.rule is None:
            if part.origin == "law":
                yield tree.finding((*where, "origin"), "law-without-rule", {"known": rule_names()}, "warning")
        elif part.rule not in rule_names():
            yield tree.finding((*where, "rule"), "unknown-rule", {"name": part.rule, "known": rule_names()})


def _texts(programme: Programme, tree: Tree) -> Iterator[Finding]:
    """Texts that say nothing, or nothing to half of those who read them."""
    for where, given in _labels(tree.data, ()):
        if isinstance(given, str):
            yield tree.finding(where, "one-language", {}, "warning")
        for language, text in given.items() if isinstance(given, dict) else ():
            if isinstance(text, str) and not text.strip():
                yield tree.finding((*where, language), "text-empty", {})
    for name, role in programme.roles.items():
        for language, text in (("fr", role.fr), ("en", role.en)):
            if not text.strip():
                yield tree.finding(("roles", name, language), "text-empty", {})


def _labels(data: Any, where: Path) -> Iterator[tuple[Path, Any]]:
    """Each `label` of the file; a phase or a role may bear that name, but then its value is not a text."""
    if not isinstance(data, dict):
        return
    for key, value in data.items():
        if key == "label":
            yield (*where, key), value
        yield from _labels(value, (*where, key))
