"""A cohort's lives as data: who is there, who does what, and when. Read from YAML, checked line by line.

Times are relative, in the words of programmes: `3 working days after release 14:30` counts from the day on which the
journey begins (`start`) or from a date of the programme as it is known by then. Whatever a person does on a weekend or
a holiday is moved to the next working day (before a date: to the one before), unless the step says `any_day`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path as File
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from journeys.authoring.findings import nearest, spell
from journeys.authoring.reading import ProgrammeFile, ProgrammeInvalid, ProgrammeNotFound, read_programme
from journeys.authoring.yaml_text import Path, Tree, YamlInvalid, read_bytes, read_tree
from journeys.domain import commands as c
from journeys.domain.moments import AnchorKind, DurationField, Moment, parse_moment
from journeys.domain.money import EuroField, parse_euro
from journeys.domain.programme import Code, LabelField
from journeys.domain.record import Frozen
from journeys.i18n import either
from journeys.i18n.system import unwilling
from journeys.local.bank_files import Fate

LIVES: Final = File(__file__).resolve().parents[2] / "demo"
"""The cohorts that are shipped: beside the package, in a checkout and in a wheel."""

DEFAULT_HOUR: Final = "10:00"

Lang = Literal["fr", "en"]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


# --- instants relative to a life


@dataclass(frozen=True, slots=True)
class When:
    """A moment and an hour of its day, `HH:MM` in the programme's zone."""

    moment: Moment
    hour: str = DEFAULT_HOUR


_HOUR: Final = re.compile(r"^(.*\S)\s+([01]?\d|2[0-3]):([0-5]\d)$")


def parse_when(text: str) -> When:
    """Read `3 days after release 14:30`. Raises ValueError that says what may be written."""
    if not isinstance(text, str):
        raise ValueError("when")
    found = _HOUR.match(text)
    hour = f"{int(found[2]):02d}:{found[3]}" if found else DEFAULT_HOUR
    moment = parse_moment(found[1] if found else text)
    if moment.anchor.kind not in (AnchorKind.START, AnchorKind.DATE) or moment.offset.unit.counts_instants:
        raise ValueError("when")
    return When(moment, hour)


WhenField = Annotated[When, BeforeValidator(lambda raw: raw if isinstance(raw, When) else parse_when(raw))]


# --- the file


class Absence(Frozen):
    since: WhenField
    until: WhenField
    deputy: Code | None = None
    """Who stands in; nobody when not said."""


class Staff(Frozen):
    name: Line
    roles: Annotated[tuple[Code, ...], Field(min_length=1)]
    sites: tuple[Code, ...] = ()
    email: str | None = None
    away: tuple[Absence, ...] = ()


class Mentor(Frozen):
    name: Line
    site: Code | None = None
    capacity: Annotated[int, Field(ge=1, le=50)] = 1
    email: str | None = None


class Partner(Frozen):
    name: Line
    kind: Code
    site: Code | None = None
    email: str | None = None


class Fund(Frozen):
    code: Code
    balance: EuroField
    cap_per_person: EuroField | None = None


class Step(Frozen):
    """Somebody does something. `with` holds the command's fields and texts by name."""

    when: WhenField
    do: str
    by: Annotated[Code, Field(alias="as")] = "referent"
    """A handle of `staff`, a mentor, or `referent`, `mentor`, `participant` for those of the life."""
    given: Annotated[dict[str, Any], Field(alias="with")] = {}
    name: Code | None = None
    """How later steps call what this one opens (a grant, an appointment, a referral)."""
    happened: WhenField | None = None
    """When it happened, if it is told later."""
    every: DurationField | None = None
    until: WhenField | None = None
    refused: Code | None = None
    """The rule or right that is expected to say no."""
    bank: tuple[Fate, ...] = ()
    """What the imaginary bank does with each instalment of this request; those not named are paid."""
    any_day: bool = False
    why: Prose | None = None


class Person(Frozen):
    first_name: Line
    last_name: Line
    birth_date: date | None = None
    reference: Line | None = None
    email: str | None = None
    phone: str | None = None


class Life(Frozen):
    person: Person
    story: LabelField
    """What is particular to this life, in a few words."""
    dates: dict[Code, WhenField] = {}
    referent: Code
    mentor: Code | None = None
    site: Code | None = None
    follows: tuple[Code, ...] = ()
    """Names of usual steps that this life has too."""
    steps: tuple[Step, ...] = ()


class Cohort(Frozen):
    """A file of lives, as read."""

    programme: str
    label: LabelField
    lasts: DurationField
    staff: Annotated[dict[Code, Staff], Field(min_length=1)]
    mentors: dict[Code, Mentor] = {}
    partners: dict[Code, Partner] = {}
    fund: Fund | None = None
    usual: dict[Code, tuple[Step, ...]] = {}
    lives: Annotated[tuple[Life, ...], Field(min_length=1, max_length=200)]


# --- what is wrong


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where in the file, what, and what to write instead."""

    line: int
    path: str
    code: str
    fr: str
    en: str
    remedy_fr: str
    remedy_en: str

    def message(self, lang: Lang = "fr") -> str:
        return either(lang, self.fr, self.en)

    def remedy(self, lang: Lang = "fr") -> str:
        return either(lang, self.remedy_fr, self.remedy_en)


class LivesInvalid(ValueError):
    """The file cannot be played; `faults` in line order, at least one."""

    def __init__(self, source: File, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(f"{source}:{one.line}: {one.path}: {one.en}" for one in faults))
        self.source = source
        self.faults = faults

    def text(self, lang: Lang = "fr") -> str:
        """One line a fault, `file:line: where: what: what to write`."""
        colon = " : " if lang == "fr" else ": "
        return "\n".join(
            f"{self.source}:{one.line}{colon}{one.path + colon if one.path else ''}{one.message(lang)} ; "
            f"{one.remedy(lang)}"
            for one in self.faults
        )


@dataclass(frozen=True, slots=True)
class Lives:
    """A cohort that can be played, with its programme."""

    source: File
    cohort: Cohort
    programme: ProgrammeFile


def cohort_names() -> tuple[str, ...]:
    """The cohorts that are shipped, sorted."""
    return tuple(sorted(file.stem for file in LIVES.glob("*.yaml")))


def read_lives(file: File) -> Lives:
    """Read and check a cohort's file. Raises LivesInvalid."""
    try:
        raw = read_bytes(file)
    except OSError as error:
        fr, en = unwilling(error)
        fault = _told(1, "", "unreadable", reason_fr=fr, reason_en=en, known=", ".join(cohort_names()))
        raise LivesInvalid(file, (fault,)) from None
    try:
        tree = read_tree(raw)
    except YamlInvalid as error:
        raise LivesInvalid(file, (_from_yaml(error),)) from None
    try:
        cohort = Cohort.model_validate(tree.data)
    except ValidationError as error:
        faults = sorted((_shape(tree, detail) for detail in error.errors()), key=lambda one: one.line)
        raise LivesInvalid(file, tuple(faults[:20])) from None
    try:
        programme = read_programme(cohort.programme)
    except (ProgrammeNotFound, ProgrammeInvalid) as error:
        raise LivesInvalid(file, (_of_programme(tree, error),)) from None
    # A usual step is checked with each life that follows it, and told once.
    found = dict.fromkeys(_Checks(tree, cohort, programme).all())
    if found:
        raise LivesInvalid(file, tuple(sorted(found, key=lambda one: one.line)[:20]))
    return Lives(file, cohort, programme)


def _of_programme(tree: Tree, error: ProgrammeNotFound | ProgrammeInvalid) -> Fault:
    line = tree.place(("programme",)).line
    if isinstance(error, ProgrammeNotFound):
        told = (error.message("fr"), error.message("en"), error.remedy("fr"), error.remedy("en"))
        return Fault(line, "programme", "no-programme", *told)
    bad = error.findings[0]
    return Fault(
        line, "programme", "programme-invalid",
        f"ce programme ne peut pas servir ({error.source}:{bad.line} : {bad.message('fr')})",
        f"this programme cannot be used ({error.source}:{bad.line}: {bad.message('en')})",
        bad.remedy("fr"), bad.remedy("en"),
    )  # fmt: skip


# --- fields of commands


def field_kind(name: str, body: type[c.Body]) -> Literal["day", "instant", "amount", "other"]:
    """How a field of a command is written in a cohort's file."""
    if name == "amount":
        return "amount"
    match _formats(body).get(name):
        case "date":
            return "day"
        case "date-time":
            return "instant"
        case _:
            return "other"


@cache
def _formats(body: type[c.Body]) -> dict[str, str]:
    """The format of each field that has one, whatever it is wrapped in: the command's own schema knows."""
    fields = body.model_json_schema().get("properties", {})
    choices = {name: [field, *field.get("anyOf", ())] for name, field in fields.items()}
    return {name: each["format"] for name, several in choices.items() for each in several if "format" in each}


FROM_PROGRAMME: Final[Mapping[str, str]] = {
    "milestone": "milestones", "contact": "contacts", "situation": "situations", "outcome": "closings",
    "date": "dates", "measure": "measures",
}  # fmt: skip
"""Fields whose value is a code of the programme, and where that is defined."""

_NAMED: Final = frozenset({"grant", "appointment", "referral", "receipt", "payment"})
"""Fields that point at what an earlier step of the same life opened."""

_AUTOMATIC: Final = frozenset({"name", "digest"})
"""Fields that nobody writes: the player knows them."""


@dataclass(slots=True)
class _Checks:
    """Everything that the shape of the file does not say."""

    tree: Tree
    cohort: Cohort
    programme: ProgrammeFile

    def all(self) -> Iterator[Fault]:
        for handle, member in self.cohort.staff.items():
            for number, absence in enumerate(member.away):
                where: Path = ("staff", handle, "away", number)
                if absence.deputy is not None:
                    yield from self._known((*where, "deputy"), absence.deputy, self.cohort.staff, "staff")
                yield from self._anchored((*where, "since"), absence.since, {})
                yield from self._anchored((*where, "until"), absence.until, {})
        if self.cohort.fund is None and self.programme.programme.grants:
            yield _fault(self.tree, ("lives",), "no-fund")
        for number, life in enumerate(self.cohort.lives):
            yield from self._life(("lives", number), life)

    def _life(self, where: Path, life: Life) -> Iterator[Fault]:
        yield from self._known((*where, "referent"), life.referent, self.cohort.staff, "staff")
        if life.mentor is not None:
            yield from self._known((*where, "mentor"), life.mentor, self.cohort.mentors, "mentors")
        for name, when in life.dates.items():
            yield from self._known((*where, "dates", name), name, self.programme.programme.dates, "dates")
            yield from self._anchored((*where, "dates", name), when, {})
        for position, usual in enumerate(life.follows):
            yield from self._known((*where, "follows", position), usual, self.cohort.usual, "usual")
        opened: set[str] = set()
        for place, step in self._steps(where, life):
            yield from self._step(place, step, life, opened)
            if step.name is not None:
                opened.add(step.name)

    def _steps(self, where: Path, life: Life) -> Iterator[tuple[Path, Step]]:
        for usual in life.follows:
            for number, step in enumerate(self.cohort.usual.get(usual, ())):
                yield ("usual", usual, number), step
        for number, step in enumerate(life.steps):
            yield (*where, "steps", number), step

    def _step(self, where: Path, step: Step, life: Life, opened: set[str]) -> Iterator[Fault]:
        yield from self._anchored((*where, "when"), step.when, life.dates)
        body = c.BODIES.get(step.do)
        if body is None or step.do in c.INTERNAL or step.do == "plan":
            known = (name for name in c.BODIES if name not in c.INTERNAL and name != "plan")
            yield _unknown(self.tree, (*where, "do"), step.do, known)
            return
        if step.by not in self._actors(life):
            yield _unknown(self.tree, (*where, "as"), step.by, self._actors(life))
        if (step.every is None) != (step.until is None):
            yield _fault(self.tree, (*where, "every"), "every-until")
        if step.every is not None and (step.every.unit.counts_instants or not step.every.amount):
            yield _fault(self.tree, (*where, "every"), "every-days")
        for place, when in (("until", step.until), ("happened", step.happened)):
            if when is not None:
                yield from self._anchored((*where, place), when, life.dates)
        fields = set(body.model_fields) - _AUTOMATIC
        for name, value in step.given.items():
            if name not in fields | body.PARTS:
                yield _unknown(self.tree, (*where, "with", name), name, sorted(fields | body.PARTS))
            elif name in fields:
                yield from self._value((*where, "with", name), name, value, body, life, opened)
        needed = {name for name in fields if body.model_fields[name].is_required()} | body.NEEDED
        for name in sorted(needed - step.given.keys()):
            yield _fault(self.tree, (*where, "with"), "missing-field", do=step.do, name=name)

    def _value(
        self, where: Path, name: str, value: Any, body: type[c.Body], life: Life, opened: set[str]
    ) -> Iterator[Fault]:
        kind = field_kind(name, body)
        if kind in ("day", "instant"):
            try:
                yield from self._anchored(where, parse_when(value), life.dates)
            except ValueError:
                yield _fault(self.tree, where, "when", value=value)
        elif kind == "amount":
            try:
                parse_euro(value)
            except ValueError:
                yield _fault(self.tree, where, "amount", value=value)
        elif name in FROM_PROGRAMME and body is not c.Correct:
            table = FROM_PROGRAMME[name]
            if not (body is c.CloseAppointment and name == "outcome"):
                yield from self._known(where, value, getattr(self.programme.programme, table), table)
        elif name in ("mentor", "partner"):
            table = f"{name}s"
            if not (name == "mentor" and value == "mentor" and life.mentor is not None):
                yield from self._known(where, value, getattr(self.cohort, table), table)
        elif name in ("referent", "to") and body is not c.Correct:
            yield from self._known(where, value, self.cohort.staff, "staff")
        elif body is c.RequestGrant and name == "grant":
            yield from self._known(where, value, self.programme.programme.grants, "grants")
        elif name in _NAMED and str(value).partition("/")[0] not in opened:
            yield _unknown(self.tree, where, value, sorted(opened))

    def _actors(self, life: Life) -> dict[str, None]:
        own = ["referent", "participant", *(["mentor"] if life.mentor is not None else [])]
        return dict.fromkeys([*own, *self.cohort.staff, *self.cohort.mentors])

    def _anchored(self, where: Path, when: When, dates: Mapping[str, When]) -> Iterator[Fault]:
        anchor = when.moment.anchor
        if anchor.kind is AnchorKind.DATE and anchor.name not in dates:
            yield _unknown(self.tree, where, anchor.name, ("start", *dates))

    def _known(self, where: Path, name: Any, table: Mapping[str, object], place: str) -> Iterator[Fault]:
        if name not in table:
            yield _unknown(self.tree, where, name, table)


# --- faults


_TEXTS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "unreadable": (
        "ce fichier ne peut pas être lu ({reason_fr})", "this file cannot be read ({reason_en})",
        "donnez le chemin d’un fichier de vies, ou --programme avec l’un de : {known}",
        "give the path of a file of lives, or --programme with one of: {known}",
    ),
    "missing-key": (
        "il manque « {name} »", "“{name}” is missing", "ajoutez « {name}: … »", "add “{name}: …”",
    ),
    "missing-field": (
        "« {do} » demande « {name} »", "“{do}” needs “{name}”",
        "ajoutez « with: {{{name}: …}} »", "add “with: {{{name}: …}}”",
    ),
    "extra-key": (
        "« {name} » n’est pas connu ici", "“{name}” is not known here",
        "effacez-le, ou corrigez son nom", "delete it, or correct its name",
    ),
    "unknown": (
        "« {name} » n’est pas connu ici", "“{name}” is not known here",
        "écrivez l’un de : {known}", "write one of: {known}",
    ),
    "mistyped": (
        "« {name} » n’est pas connu ici", "“{name}” is not known here",
        "vouliez-vous dire « {near} » ?", "did you mean “{near}”?",
    ),
    "when": (
        "« {value} » n’est pas un moment", "“{value}” is not a moment",
        "écrivez par exemple « 3 working days after release 14:30 » ou « at start 09:00 »",
        "write for example “3 working days after release 14:30” or “at start 09:00”",
    ),
    "value": (
        "cette valeur ne convient pas : « {value} »", "this value does not fit: “{value}”",
        "ce qui est attendu : {said}", "what is expected: {said}",
    ),
    "amount": (
        "« {value} » n’est pas un montant", "“{value}” is not an amount",
        "écrivez par exemple « 850 EUR »", "write for example “850 EUR”",
    ),
    "every-until": (
        "« every » et « until » vont ensemble", "“every” and “until” go together",
        "écrivez les deux, ou aucun", "write both, or neither",
    ),
    "every-days": (
        "une répétition compte des jours", "a repetition counts days",
        "écrivez par exemple « 1 week »", "write for example “1 week”",
    ),
    "no-fund": (
        "le programme verse des aides, mais aucun fonds n’est ouvert",
        "the programme pays grants, but no fund is opened",
        "ajoutez « fund: {{code: …, balance: 5000 EUR}} »", "add “fund: {{code: …, balance: 5000 EUR}}”",
    ),
}  # fmt: skip
"""What is wrong, French and English, and what to write instead."""


def _fault(tree: Tree, where: Path, code: str, **fields: object) -> Fault:
    return _told(tree.place(where).line, spell(where), code, **fields)


def _told(line: int, path: str, code: str, **fields: object) -> Fault:
    fr, en, remedy_fr, remedy_en = (words.format(**fields) for words in _TEXTS[code])
    return Fault(line, path, code, fr, en, remedy_fr, remedy_en)


def _unknown(tree: Tree, where: Path, name: object, known: Iterable[str]) -> Fault:
    names = tuple(known)
    if near := nearest(str(name), names):
        return _fault(tree, where, "mistyped", name=name, near=near)
    return _fault(tree, where, "unknown", name=name, known=", ".join(names[:60]) or "—")


def _shape(tree: Tree, detail: Any) -> Fault:
    """A fault of pydantic's, in the words of people."""
    where: Path = tuple(detail["loc"])
    name, value = str(where[-1]) if where else "", str(detail["input"])[:60]
    match detail["type"]:
        case "missing":
            return _fault(tree, where[:-1], "missing-key", name=name)
        case "extra_forbidden":
            return _fault(tree, where, "extra-key", name=name)
        case "value_error" if name in ("when", "until", "since", "happened") or "dates" in where[-2:-1]:
            return _fault(tree, where, "when", value=value)
        case "enum":
            return _unknown(tree, where, value, (each.value for each in Fate))
        case _:
            return _fault(tree, where, "value", value=value, said=detail["msg"].removeprefix("Value error, "))


def _from_yaml(error: YamlInvalid) -> Fault:
    found = error.finding
    return Fault(
        found.line, found.path, found.code, found.message("fr"), found.message("en"), found.remedy("fr"),
        found.remedy("en"),
    )  # fmt: skip
