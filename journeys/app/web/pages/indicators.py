"""Indicateurs: what came of the journeys that one may see; also as a table file and as the report for a funder."""

import asyncio
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import figures
from journeys.app.failures import Failure
from journeys.app.figures import BYS, Asked, Counted, Words
from journeys.app.reading import today_of
from journeys.app.web.pages.caseload import address_of, as_file
from journeys.app.web.pages.documents import PDF, handed_over, sender_of
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.indicators.definitions import Indicator
from journeys.indicators.figures import Cell, Shown

router = APIRouter()

FIELDS: Final = ("par", "de", "a")


@dataclass(frozen=True, slots=True)
class _Found:
    counted: Counted
    words: Words
    failures: tuple[Failure, ...]


@router.get("/indicateurs")
async def screen(visit: Visit = door(READERS)) -> Response:
    found, programmes = await _found(visit), await visit.house.programmes()
    query = visit.request.query_params
    return page(
        visit, "indicators.html", 422 if found.failures else 200, counted=found.counted, words=found.words,
        failures=found.failures, bys=BYS, programmes=programmes, typed={name: query.get(name, "") for name in FIELDS},
        labels={"par": visit.say("Par"), "de": visit.say("Sorties à partir de"), "a": visit.say("Sorties jusqu'à")},
        scope=_scope(visit, found.words), address=lambda: address_of(visit),
    )  # fmt: skip


@router.get("/indicateurs.csv")
async def file(visit: Visit = door(READERS)) -> Response:
    """The same for a spreadsheet: numbers alone in their cells."""
    found = _readable(await _found(visit))
    words, counted, say = found.words, found.counted, visit.say
    head = (say("Indicateur"), words.by(counted.asked.by), say("Compté"), say("Parmi"), say("Unité"), say("Part"),
            say("Pas connu"), say("Trop récent"), say("Remarque"))  # fmt: skip
    return as_file("indicateurs", head, (
        (words.title(indicator), label, *_numbers(words, cell, indicator))
        for indicator, told in counted.lines()
        for label, cell in (
            *((words.group(counted.asked.by, each.key), each.cell) for each in told.groups),
            (say("Ensemble"), told.total),
        )
    ))  # fmt: skip


@router.get("/indicateurs.pdf")
async def report(visit: Visit = door(READERS)) -> Response:
    """The report, to be sent on: it says whose journeys it is about, and of which day."""
    found = _readable(await _found(visit))
    await visit.done()
    made = await asyncio.to_thread(
        figures.report, found.counted, found.words, _scope(visit, found.words), sender=sender_of(visit)
    )
    return handed_over(made, visit.say("indicateurs-{day}.pdf", day=today_of(visit.now).isoformat()), PDF)


async def _found(visit: Visit) -> _Found:
    """What the address asks for; what cannot be read of it is told, and everything shown."""
    query, failures = visit.request.query_params, list[Failure]()
    programme = query.get("programme") or None
    try:
        asked = figures.asked_for(
            query.get("par") or "programme", programme, query.get("de", ""), query.get("a", ""), FIELDS
        )
    except Failure as failure:
        asked = Asked(programme=programme)
        failures.append(failure.beside_its_field())
    await figures.count_anew(visit.house.writing, figures.AT_ONCE)
    counted = await figures.counted(visit.connection, asked, visit.now, visit.visible)
    return _Found(counted, Words(visit.lang, await visit.house.programmes()), tuple(failures))


def _readable(found: _Found) -> _Found:
    """A file is of what was asked for, or there is none. Raises Failure."""
    if found.failures:
        raise found.failures[0]
    return found


def _scope(visit: Visit, words: Words) -> str:
    return figures.scope_words(words, visit.lines, visit.visitor.sites, visit.visitor.name)


def _numbers(words: Words, cell: Cell, indicator: Indicator) -> tuple[str, ...]:
    """The cells of a line; a figure that is not shown leaves them empty and says why."""

    def plain(number: int) -> str:
        return f"{number / 100:.2f}" if indicator.unit == "cents" else str(number)

    shown, count = cell.shown, cell.count
    unit = {"journeys": words.say("parcours"), "things": words.say("faits"), "cents": "EUR"}[indicator.unit]
    if shown is Shown.FIGURE:
        return (plain(count.yes), plain(count.among), unit, f"{count.share:.4f}", plain(count.unknown),
                str(count.young), "")  # fmt: skip
    unknown = plain(count.unknown) if shown is Shown.NOBODY else ""
    why = "" if shown is Shown.NOBODY else words.found(cell, indicator)
    return "", "", unit, "", unknown, str(count.young), why
