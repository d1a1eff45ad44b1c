"""Programmes: what each one plans, for whom, when; laid along time for days that somebody chooses."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.failures import Exit, Failure, Said
from journeys.app.publishing import offered, programme_text_of, rules
from journeys.app.reading import read_day, today_of
from journeys.app.web.gantt import programme_gantt
from journeys.app.web.policy import READERS, SUPERVISING
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.forecast import forecast
from journeys.domain.programme import Programme
from journeys.narration.programmes import Rules

router = APIRouter()

AHEAD: Final = timedelta(days=90)
"""How far a date of the programme is put where none is chosen."""


@router.get("/programmes")
async def screen(visit: Visit = door(READERS)) -> Response:
    in_force = await visit.house.programmes()
    return page(visit, "programmes.html", programmes=await known_programmes(visit), in_force=in_force)


@router.get("/programmes/{name}")
async def one(name: str, visit: Visit = door(READERS)) -> Response:
    """The address carries the days: `debut`, and `date-…` for each date of the programme."""
    await visit.done()
    if name not in await known_programmes(visit):
        raise unknown()
    known = rules(await programme_text_of(visit.house.writing, name), today_of(visit.now))
    days, typed, failures = _days(visit, known.programme)
    found = forecast(known.book, days.pop("debut"), days)
    return page(
        visit, "programme.html", 422 if failures else 200,
        name=name, programme=known.programme, changes=visit.admitted(SUPERVISING),
        told=Rules(known.book, visit.lang), found=found, typed=typed,
        failures=failures, picture=programme_gantt(known.programme, found, today_of(visit.now), visit.lang),
        labels_of={"debut": visit.say("Début du parcours"),
                   **{f"date-{code}": each.label.in_(visit.lang) for code, each in known.programme.dates.items()}},
    )  # fmt: skip


async def known_programmes(visit: Visit) -> dict[str, Programme]:
    """Those in force, and those shipped that nobody has begun yet."""
    return {name: known for name, (_, known) in (await offered(visit.house.writing)).items()}


def _days(visit: Visit, programme: Programme) -> tuple[dict[str, date], Mapping[str, str], list[Failure]]:
    """The days to date by (`debut` and each date's code), as typed, and what cannot be read."""
    today, query = today_of(visit.now), visit.request.query_params
    days, typed, failures = {"debut": today}, {}, []
    days |= dict.fromkeys(programme.dates, today + AHEAD)
    for code in days:
        field = code if code == "debut" else f"date-{code}"
        typed[field] = query.get(field, "").strip() or days[code].isoformat()
        try:
            day = read_day(typed[field], field)
            days[code] = min(max(day, date(1950, 1, 1)), date(2190, 1, 1))
        except Failure as failure:
            failures.append(failure.beside_its_field())
    return days, typed, failures


def unknown() -> Failure:
    """There is no such programme."""
    return Failure(
        Exit.NOT_FOUND, "unknown-programme", Said("ce programme n'existe pas", "there is no such programme"),
        Said("choisissez dans la liste des programmes", "choose from the list of programmes"),
    )  # fmt: skip
