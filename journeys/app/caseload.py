"""A caseload that was kept elsewhere, as a spreadsheet: what each cell tells of a programme, as back-dated facts."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from journeys.app.failures import Failure, Said, usage
from journeys.app.finding import nearest, pick
from journeys.app.people_file import COLUMNS, Row, Sheet, read_people, read_sheet_day
from journeys.domain import commands as c
from journeys.domain.directory import search_form
from journeys.domain.programme import Check, Label, Programme
from journeys.narration.words import spoken
from journeys.store.mentors import Mentor

TAKEN_OVER: Final = "Repris du suivi tenu avant ce logiciel"
"""The reason on record of what is put down without its evidence, or as not called for."""

_START: Final = ("début", "début du suivi", "start", "start date")
_SINCE: Final = ("depuis", "since")
_HAPPENED: Final = ("faite", "happened")
_MENTOR: Final = ("mentor",)
_NOT_YET: Final = frozenset(search_form(word) for word in ("", "non", "no", "pas encore", "not yet", "-"))
_DONE: Final = frozenset(
    search_form(word) for word in ("oui", "yes", "x", "fait", "faite", "done", "vrai", "true", "1")
)
_NEEDLESS: Final = frozenset(search_form(word) for word in ("sans objet", "n/a", "dispensé", "not needed", "waived"))
_TO_DO: Final = re.compile(r"(?:à faire|a faire|to do|due)\s*(?:le|pour le|avant le|on|by)?\s*:?\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known of a journey from before: the command that records it, on the day when it happened."""

    column: str
    """As the file names it."""
    day: date
    body: c.AnyBody
    reason: str | None = None

    @property
    def key(self) -> str:
        """The same for the same thing, whichever file tells it."""
        return f"import/{self.day}/{self.body.model_dump_json()}"


@dataclass(frozen=True, slots=True)
class Case:
    """One row: a person, where their journey stands, what is known of it. `failure` says why it cannot be used."""

    row: Row
    start: date | None = None
    happened: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    failure: Failure | None = None

    @property
    def first_day(self) -> date | None:
        """The earliest day that the row tells."""
        told = [fact.day for fact in self.facts] + [self.row.dates[name] for name in self.happened]
        return min([*told, *([self.start] if self.start else [])], default=None)


@dataclass(frozen=True, slots=True)
class Caseload:
    """All rows, and what was odd about the file itself."""

    cases: tuple[Case, ...]
    notes: tuple[Said, ...]


def read_caseload(
    path: Path | Sheet, programme: Programme, mentors: Iterable[Mentor], today: date, *, needs_referent: bool
) -> Caseload:  # fmt: skip
    """Read a file of people who are accompanied already. Raises Failure: it cannot be read at all."""
    columns = columns_of(programme)
    names = {name: field for field, called in columns.items() for name in called}
    file = read_people(path, tuple(programme.dates), needs_referent, names)
    heads = {field: called[0] for field, called in columns.items()} | dict(file.heads)
    reader = _Reader(programme, {mentor.id: mentor.name for mentor in mentors}, today, heads)
    return Caseload(tuple(reader.case(row) for row in file.rows), file.notes)


def columns_of(programme: Programme) -> dict[str, tuple[str, ...]]:
    """The names of each column that a programme adds to those of people, the French one first.

    Where a milestone and a contact are called alike, the word for their kind stands before the name.
    """
    fields: dict[str, tuple[str, ...]] = {"start": _START}
    for code, rule in programme.dates.items():
        called = _called(code, rule.label, COLUMNS.get(code, ()))
        fields[code] = called
        fields[f"happened/{code}"] = tuple(f"{name} {word}" for word in _HAPPENED for name in called)
    fields["mentor"] = _MENTOR
    fields["since/mentor"] = tuple(f"{name} {word}" for word in _SINCE for name in _MENTOR)
    for code in programme.situations:
        called = tuple(dict.fromkeys((spoken(code, "fr"), spoken(code, "en"), code)))
        fields[f"situation/{code}"] = called
        fields[f"since/{code}"] = tuple(f"{name} {word}" for word in _SINCE for name in called)
    for code, milestone in programme.milestones.items():
        fields[f"milestone/{code}"] = _called(code, milestone.label)
    for code, contact in programme.contacts.items():
        fields[f"contact/{code}"] = _called(code, contact.label)
    return _told_apart(fields)


def _called(code: str, label: Label, first: tuple[str, ...] = ()) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, label.fr, label.en, code)))


_KINDS: Final = {"milestone": ("étape", "milestone"), "contact": ("suivi", "contact"), "situation": ("situation",)}


def _told_apart(fields: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    taken = {search_form(name) for names in COLUMNS.values() for name in names}
    found: dict[str, tuple[str, ...]] = {}
    for field, names in fields.items():
        own = tuple(name for name in names if field in COLUMNS or search_form(name) not in taken)
        before = _KINDS.get(field.partition("/")[0], ())
        found[field] = own + tuple(f"{word} {name}" for word in before for name in names)
        taken |= {search_form(name) for name in found[field]}
    return found


def model_of(programme: Programme) -> str:
    """An empty file with every column, as a spreadsheet of this country opens it."""
    of_people = [names[0] for field, names in COLUMNS.items() if field not in programme.dates and field != "release"]
    names = of_people + [names[0] for names in columns_of(programme).values()]
    return "\ufeff" + ";".join(f'"{name}"' if ";" in name or '"' in name else name for name in names) + "\r\n"


# --- one row


@dataclass(frozen=True, slots=True)
class _Reader:
    programme: Programme
    mentors: Mapping[str, str]
    today: date
    heads: Mapping[str, str]
    """What each field's column is called."""

    def case(self, row: Row) -> Case:
        if row.failure is not None or row.details is None:
            return Case(row, failure=row.failure)
        cells = {field: text for field, text in (row.cells or {}).items() if text}
        try:
            if row.details.reference is None and row.details.birth_date is None:
                raise _unrecognisable()
            happened = tuple(name for name in self.programme.dates if self._has_happened(cells, name, row.dates))
            start = self._past(cells["start"], self.heads["start"]) if "start" in cells else None
            facts = sorted(self._facts(cells), key=lambda fact: fact.day)
        except Failure as failure:
            return Case(row, failure=failure)
        return Case(row, start, happened, tuple(facts))

    def _has_happened(self, cells: Mapping[str, str], name: str, dates: Mapping[str, date]) -> bool:
        """A day behind has happened unless the row denies it; then the row must say what is expected now."""
        field = f"happened/{name}"
        on, said = dates.get(name), search_form(cells.get(field, ""))
        if on is None:
            if said in _DONE:
                head = self.heads[name]
                raise usage("missing-cell", f"{head} : écrivez le jour où elle a eu lieu",
                            f"{head}: write the day on which it happened", field=head)  # fmt: skip
            return False
        if said not in _DONE | _NOT_YET:
            raise _neither(self.heads[field], cells[field])
        denied = field in cells and said in _NOT_YET
        if denied and on < self.today:
            head = self.heads[name]
            raise usage(
                "date-passed", f"{head} : le {on:%d/%m/%Y} est passé et la case « {self.heads[field]} » dit non",
                f"{head}: {on} has passed and the cell “{self.heads[field]}” says no", field=head,
                remedy=Said("écrivez le jour désormais prévu, ou « oui » si elle a eu lieu",
                            "write the day that is expected now, or “yes” if it happened"),
            )  # fmt: skip
        if said in _DONE and on > self.today:
            head = self.heads[name]
            raise usage("in-the-future", f"{head} : le {on:%d/%m/%Y} n'est pas encore là, elle n'a pas pu avoir lieu",
                        f"{head}: {on} has not come yet, it cannot have happened", field=head)  # fmt: skip
        return said in _DONE or (on < self.today and not denied)

    def _facts(self, cells: Mapping[str, str]) -> Iterator[Fact]:
        for field, text in cells.items():
            kind, _, code = field.partition("/")
            head = self.heads[field]
            match kind:
                case "milestone":
                    yield from self._milestone(code, text, head)
                case "situation":
                    yield self._situation(code, text, head, cells)
                case "contact":
                    yield self._contact(code, text, head)
                case "mentor":
                    yield from self._mentor(text, head, cells)
                case "since" if (code if code == "mentor" else f"situation/{code}") not in cells:
                    what = self.heads[code if code == "mentor" else f"situation/{code}"]
                    raise usage("missing-cell", f"{what} : case vide, alors que « {head} » est remplie",
                                f"{what}: empty cell, though “{head}” is filled in", field=what)  # fmt: skip
                case _:
                    pass

    def _milestone(self, code: str, text: str, head: str) -> Iterator[Fact]:
        said = search_form(text)
        if said in _NOT_YET:
            return
        if said in _NEEDLESS:
            yield Fact(head, self.today, c.WaiveMilestone(milestone=code), TAKEN_OVER)
        elif (to_do := _TO_DO.fullmatch(text)) is not None:
            on = read_sheet_day(to_do[1], head)
            if on < self.today:
                raise usage("in-the-past", f"{head} : « {text} » est déjà passé ; écrivez un jour à venir",
                            f"{head}: “{text}” has passed; write a day ahead", field=head)  # fmt: skip
            yield Fact(head, self.today, c.RescheduleMilestone(milestone=code, on=on), TAKEN_OVER)
        elif said in _DONE:
            raise usage(
                "not-a-date", f"{head} : « {text} » ne dit pas quand ; écrivez le jour, même approximatif : 12/05/2027",
                f"{head}: “{text}” does not say when; write the day, even a rough one: 2027-05-12", field=head,
            )  # fmt: skip
        else:
            on = self._past(text, head, Said(f"s'il reste à faire, écrivez « à faire le {text} »",
                                             f"if it is still to be done, write “to do {text}”"))  # fmt: skip
            if self.programme.milestones[code].check is Check.HAND:
                yield Fact(head, on, c.ReachMilestone(milestone=code))
            else:
                yield Fact(head, on, c.Correct(what="milestone", id=code, to="reached", on=on), TAKEN_OVER)

    def _situation(self, code: str, text: str, head: str, cells: Mapping[str, str]) -> Fact:
        known = (*self.programme.situations[code], "unknown")
        value = _one_of(text, known, head)
        since = self._since(code, cells, head)
        return Fact(head, since, c.RecordSituation(situation=code, value=value, since=since))

    def _contact(self, code: str, text: str, head: str) -> Fact:
        """`12/05/2027`, with the means where there are several: `12/05/2027 téléphone`."""
        day, _, word = text.removesuffix(" 00:00:00").removesuffix(" 00:00").partition(" ")
        known = self.programme.contacts[code].means
        on = self._past(day, head)
        means = known[0] if not word and len(known) == 1 else _one_of(word.strip(" ()"), known, head)
        return Fact(head, on, c.LogContact(contact=code, means=means))

    def _mentor(self, text: str, head: str, cells: Mapping[str, str]) -> Iterator[Fact]:
        id = pick(text, dict(self.mentors), "mentor", head)
        since = self._since("mentor", cells, head)
        yield Fact(head, since, c.ProposeMentor(mentor=id))
        yield Fact(head, since, c.MatchMentor(mentor=id))

    def _since(self, code: str, cells: Mapping[str, str], head: str) -> date:
        column = self.heads[f"since/{code}"]
        if f"since/{code}" not in cells:
            raise usage("missing-cell", f"{column} : case vide, alors que « {head} » est remplie ; écrivez le jour",
                        f"{column}: empty cell, though “{head}” is filled in; write the day", field=column)  # fmt: skip
        return self._past(cells[f"since/{code}"], column)

    def _past(self, text: str, head: str, remedy: Said | None = None) -> date:
        on = read_sheet_day(text, head)
        if on > self.today:
            raise usage("in-the-future", f"{head} : le {on:%d/%m/%Y} n'est pas encore là",
                        f"{head}: {on} has not come yet", field=head, remedy=remedy)  # fmt: skip
        return on


def _one_of(text: str, codes: Iterable[str], head: str) -> str:
    """A code of the programme by itself or by its word. Raises Failure that names them all."""
    known = tuple(codes)
    words = {search_form(word): code for code in known for word in (code, spoken(code, "fr"), spoken(code, "en"))}
    if (found := words.get(search_form(text))) is not None:
        return found
    near = nearest(search_form(text), list(words)) if text else ""
    fr, en = (", ".join(dict.fromkeys(spoken(code, each) for code in known)) for each in ("fr", "en"))
    raise usage(
        "unknown-value", f"{head} : « {text} » n'est pas connu de ce programme" if text else f"{head} : dites comment",
        f"{head}: “{text}” is not known to this programme" if text else f"{head}: say how", field=head,
        remedy=Said((f"Vouliez-vous dire « {spoken(words[near], 'fr')} » ? " if near else "") + f"Écrivez : {fr}",
                    (f"Did you mean “{spoken(words[near], 'en')}”? " if near else "") + f"Write: {en}"),
    )  # fmt: skip


def _neither(head: str, text: str) -> Failure:
    return usage("not-yes-or-no", f"{head} : « {text} » ; écrivez oui ou non", f"{head}: “{text}”; write yes or no",
                 field=head)  # fmt: skip


def _unrecognisable() -> Failure:
    fr, en = (f"{COLUMNS['reference'][at]}, {COLUMNS['birth_date'][at]}" for at in (0, 1))
    return usage(
        "unrecognisable", f"{fr} : les deux cases sont vides", f"{en}: both cells are empty", field="reference",
        remedy=Said("remplissez l'une des deux : sans elle, le même fichier donné deux fois ouvrirait deux parcours",
                    "fill in one of them: without it, the same file given twice would begin two journeys"),
    )  # fmt: skip
