"""A programme tried on people who do not exist, before anybody is put under it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from journeys.app.failures import Failure, usage
from journeys.app.publishing import programme_text_of
from journeys.app.reading import read_day, today_of
from journeys.app.trying import Prepared, prepared
from journeys.app.web.bodies import typed_in
from journeys.app.web.pages.programmes import known_programmes
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.trials import MOST
from journeys.app.web.visit import Visit, door
from journeys.simulation.drawing import weeks
from journeys.simulation.reading import behaviour_labels, behaviour_names
from journeys.simulation.tally import Tally
from journeys.simulation.telling import limits, tables, workload

router = APIRouter()

USUALLY: Final = 100
LARGEST_SEED: Final = 999_999


@router.get("/essai")
async def form(visit: Visit = door(READERS)) -> Response:
    return await _page(visit, dict(visit.request.query_params))


@router.post("/essai")
async def run(visit: Visit = door(READERS)) -> Response:
    """Play, then show what was counted beneath the form."""
    typed, wrong = typed_in(await visit.request.form()), list[Failure]()
    programmes = await known_programmes(visit)
    await visit.done()
    if typed.get("programme") not in programmes:
        wrong.append(usage("choose", "choisissez dans la liste", "choose from the list", field="programme"))
    if typed.get("behaviour") and typed["behaviour"] not in behaviour_names():
        wrong.append(usage("choose", "choisissez dans la liste", "choose from the list", field="behaviour"))
    participants = _whole(typed, "participants", MOST, wrong)
    seed = _whole(typed, "seed", LARGEST_SEED, wrong)
    day = _day(visit, typed, wrong)
    if wrong:
        return await _page(visit, typed, wrong, 422)
    try:
        text = await programme_text_of(visit.house.writing, typed["programme"])
        ready = await asyncio.to_thread(prepared, text, typed.get("behaviour") or None, day, participants, seed)
        tally = await visit.house.bench.run(ready.trial)
    except Failure as failure:
        return await _page(visit, typed, [failure], 409 if failure.code == "busy" else 422)
    return await _page(visit, typed, found=(ready, tally))


def _whole(typed: Mapping[str, str], name: str, most: int, wrong: list[Failure]) -> int:
    word = typed.get(name, "").strip()
    if not (word.isascii() and word.isdecimal() and len(word) < 10 and 1 <= int(word) <= most):
        wrong.append(usage("out-of-bounds", f"un nombre de 1 à {most}", f"a number from 1 to {most}", field=name))
        return 1
    return int(word)


def _day(visit: Visit, typed: Mapping[str, str], wrong: list[Failure]) -> date:
    try:
        day = read_day(typed.get("begin", ""), "begin")
    except Failure as failure:
        wrong.append(failure.beside_its_field())
        return today_of(visit.now)
    if not 2000 <= day.year <= 2150:
        wrong.append(usage("out-of-bounds", "un jour entre 2000 et 2150", "a day between 2000 and 2150", field="begin"))
    return day


async def _page(
    visit: Visit, typed: Mapping[str, str], failures: Sequence[Failure] = (), status: int = 200,
    found: tuple[Prepared, Tally] | None = None,
) -> Response:  # fmt: skip
    programmes = await known_programmes(visit)
    usual = {"programme": "", "participants": str(USUALLY), "seed": "1", "behaviour": "",
             "begin": today_of(visit.now).isoformat()}  # fmt: skip
    return page(
        visit, "trial.html", status, programmes=programmes, typed={**usual, **typed}, failures=failures, most=MOST,
        behaviours=_behaviours(visit), labels_of=_labels(visit), found=_told(visit, *found) if found else None,
    )  # fmt: skip


def _told(visit: Visit, ready: Prepared, tally: Tally) -> Mapping[str, object]:
    programme, lang = ready.book.programme, visit.lang
    title = visit.say("Charge de travail par semaine")
    return {
        "programme": programme, "day": ready.trial.day, "lives": tally.lives,
        "behaviour": ready.behaviour.behaviour.label.in_(lang),
        "tables": tables(tally, programme, lang), "limits": limits(ready.behaviour, programme, lang),
        "picture": Markup(weeks(workload(tally, programme, lang), title, lang)),
    }  # fmt: skip


def _behaviours(visit: Visit) -> list[tuple[str, str]]:
    """Those that are shipped, by name."""
    return [(name, label.in_(visit.lang)) for name, label in behaviour_labels().items()]


def _labels(visit: Visit) -> dict[str, str]:
    say = visit.say
    return {"programme": say("Programme"), "participants": say("Personnes imaginaires"), "seed": say("Tirage"),
            "behaviour": say("Comment les gens agissent"), "begin": say("Premier jour")}  # fmt: skip
