"""Programmes put in force, and the calendar of a journey: texts kept under the hashes that signed commands carry."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from journeys.app.failures import Exit, Failure, Said, not_found, usage
from journeys.authoring.calendars import calendar_text
from journeys.authoring.findings import FileInvalid
from journeys.authoring.reading import (
    ProgrammeFile,
    ProgrammeInvalid,
    ProgrammeNotFound,
    programme_names,
    read_programme,
)
from journeys.authoring.templates import readers_of, template_names
from journeys.authoring.templates import reminders as shipped_reminders
from journeys.channels.wording import read_text
from journeys.domain.feasibility import Templates
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.programme import Programme, compile_programme
from journeys.store import programmes, publishing, templates
from journeys.store.database import Connection, Pool
from journeys.store.directory import By
from journeys.store.programmes import Published

_MOST_SHOWN: Final = 5
_HASH: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Rules:
    """A programme and a calendar as texts, each with its SHA-256, and both compiled."""

    programme_text: str
    programme_hash: str
    calendar_text: str
    calendar_hash: str
    book: Handbook

    @property
    def named(self) -> dict[str, str]:
        """The fields by which a command names them."""
        return {"programme": self.programme_hash, "calendar": self.calendar_hash}

    @property
    def programme(self) -> Programme:
        return self.book.programme


async def programme_text_of(pool: Pool, asked: str) -> str:
    """The text meant by a name (the programme in force, else the shipped one) or a path. Raises Failure."""
    in_force = await programmes.published(pool, asked)
    if in_force is not None:
        return (await programmes.texts_of(pool, [in_force.sha256]))[in_force.sha256]
    known = {each.name for each in await programmes.all_published(pool)} | set(programme_names())
    return read(asked, tuple(sorted(known)), await reminders(pool)).text


async def reminders(connection: Pool | Connection) -> Templates:
    """Templates that a programme may have sent before a deadline, with those for whom each has words: those that are
    shipped, as they read now, and an association's own."""
    edited, shipped = await templates.all_in_force(connection), shipped_reminders()
    own = {name: text for name, text in edited.items() if name in shipped or name not in template_names()}
    return {**shipped, **{name: readers_of(read_text(name, text)) for name, text in own.items()}}


def read(
    asked: str, known: tuple[str, ...] | None = None, reminders: Templates | None = None
) -> ProgrammeFile:  # fmt: skip
    """A programme's file by name or path. Raises Failure: unknown (with the nearest names), or with its errors."""
    try:
        return read_programme(asked, reminders)
    except ProgrammeNotFound as error:
        raise _unknown(asked, known or error.known, error) from None
    except ProgrammeInvalid as error:
        raise _invalid(error) from None


def rules(text: str, today: date, start: date | None = None) -> Rules:
    """The programme with the calendar that a journey begun now freezes: ten years from its first one."""
    programme = compile_programme(text)
    first_year = min(today, start or today).year
    calendar = calendar_text(programme.clock.zone, programme.clock.calendar, first_year)
    book = open_handbook(text, calendar)
    return Rules(text, _sha256(text), calendar, _sha256(calendar), book)


async def keep(pool: Pool, known: Rules, by: By) -> None:
    """Put the programme in force and keep its calendar; what is there already stays as it is."""
    await publishing.publish(pool, known.programme.programme, known.programme_text, by)
    await publishing.keep(pool, "calendar", known.programme.clock.calendar, known.calendar_text)


async def shelve(pool: Pool, known: Rules) -> None:
    """Keep both texts for journeys to name, and put nothing in force."""
    await publishing.keep(pool, "programme", known.programme.programme, known.programme_text)
    await publishing.keep(pool, "calendar", known.programme.clock.calendar, known.calendar_text)


async def text_asked(pool: Pool, asked: str) -> str:
    """A programme's text by its SHA-256, else as `programme_text_of`. Raises Failure."""
    if not _HASH.fullmatch(asked):
        return await programme_text_of(pool, asked)
    if (text := await text_of_hash(pool, asked)) is None:
        raise not_found("unknown-programme", "ces règles ne sont plus là", "these rules are not there any more",
                        field="programme", remedy=Said("choisissez de nouveau le programme",
                                                       "choose the programme again"))  # fmt: skip
    return text


async def text_of_hash(pool: Pool, sha256: str) -> str | None:
    """The programme's text of this SHA-256: one that was kept, else one that is shipped."""
    if not _HASH.fullmatch(sha256):
        return None
    kept = await programmes.text_of(pool, sha256)
    return kept or next((text for text in map(shipped, programme_names()) if _sha256(text) == sha256), None)


@cache
def shipped(name: str) -> str:
    """The text of a shipped programme, read once a process. Raises Failure."""
    return read(name).text


async def offered(pool: Pool) -> dict[str, tuple[str, Programme]]:
    """By name, every programme in force and every shipped one, with the SHA-256 of its text."""
    found = {name: (each.sha256, known) for name, (each, known) in (await in_force(pool)).items()}
    for name in programme_names():
        if name not in found:
            found[name] = (_sha256(shipped(name)), compile_programme(shipped(name)))
    return dict(sorted(found.items()))


async def in_force(pool: Pool) -> dict[str, tuple[Published, Programme]]:
    """Every programme in force, by name."""
    return {each.name: (each, compile_programme(text)) for each, text in await programmes.all_with_texts(pool)}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unknown(asked: str, known: tuple[str, ...], error: ProgrammeNotFound) -> Failure:
    if not error.readable:
        return usage("unreadable-programme", error.message("fr"), error.message("en"), field="programme",
                     remedy=Said(error.remedy("fr"), error.remedy("en")))  # fmt: skip
    near, named = error.near(known), ", ".join(known)
    return not_found(
        "unknown-programme",
        error.message("fr"),
        error.message("en"),
        field="programme",
        remedy=Said(
            (f"Vouliez-vous dire « {near} » ? " if near else "")
            + f"Connus : {named} ; ou donnez le chemin d'un fichier.",
            (f"Did you mean “{near}”? " if near else "") + f"Known: {named}; or give the path of a file.",
        ),
    )


def errors_told(error: FileInvalid, lang: str) -> str:
    """What is wrong in a file, a line each: where, what and what to write; the first few, and how many more."""
    errors = [one for one in error.findings if one.severity == "error"]
    lines = [f"  {one.located(error.source, lang)}" for one in errors]
    more = len(lines) - _MOST_SHOWN
    return "\n".join(lines[:_MOST_SHOWN] + ([f"  … {more}"] if more > 0 else []))


def _invalid(error: ProgrammeInvalid) -> Failure:
    return Failure(
        Exit.USAGE,
        "invalid-programme",
        Said(f"le programme {error.source} ne peut pas servir :\n{errors_told(error, 'fr')}",
             f"the programme {error.source} cannot be used:\n{errors_told(error, 'en')}"),
        Said(f"corrigez le fichier, puis : journeys programme validate {error.source}",
             f"correct the file, then: journeys programme validate {error.source}"),
        field="programme",
        more={"findings": [one.as_json("en") for one in error.findings]},
    )  # fmt: skip
