"""Reprendre des parcours: a caseload from a file, every row looked at first, then taken over."""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any, Final

import structlog
from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import taking_over
from journeys.app.caseload import model_of, read_caseload
from journeys.app.entry import Actor
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.people_file import Sheet, text_of
from journeys.app.publishing import programme_text_of
from journeys.app.reading import at_local, read_day, today_of
from journeys.app.taking_over import TakingOver
from journeys.app.telling import unanswered
from journeys.app.web.bodies import LARGEST_FIELD, file_of, typed_in
from journeys.app.web.pages.documents import handed_over
from journeys.app.web.pages.programmes import known_programmes
from journeys.app.web.policy import CASEWORK
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.contract import Fate
from journeys.domain.programme import compile_programme
from journeys.store import mentors
from journeys.store.database import LOST
from journeys.store.staff import Member
from journeys.temporal import Unreachable

router = APIRouter()

MOST: Final = 100
"""Rows of one file; more are for the command line."""


@router.get("/reprise")
async def form(visit: Visit = door(CASEWORK)) -> Response:
    return await _page(visit, dict(visit.request.query_params))


@router.get("/reprise/modele.csv")
async def model(visit: Visit = door(CASEWORK)) -> Response:
    """An empty file with every column of a programme."""
    asked = visit.request.query_params.get("programme", "")
    programme = (await known_programmes(visit)).get(asked)
    if programme is None:
        raise _choose()
    return handed_over(model_of(programme).encode(), f"reprise-{asked}.csv", "text/csv; charset=utf-8")


@router.post("/reprise")
async def take(visit: Visit = door(CASEWORK)) -> Response:
    """What each row comes to, nothing written; with `sure` and the text that was looked at, take the rows over.

    The same file once more does nothing twice.
    """
    sent = await visit.request.form()
    typed, sure = typed_in(sent), sent.get("sure") == "yes"
    try:
        if sure:
            sheet = Sheet(typed.get("name", ""), typed.get("text", "").encode())
        else:
            file = file_of(sent, "file")
            if file is None:
                raise usage("no-file", "choisissez un fichier", "choose a file", field="file")
            if (file.size or 0) > LARGEST_FIELD:
                raise _too_long()
            sheet = Sheet(file.filename or "", await file.read())
        return await _taken(visit, typed, sheet, sure)
    except Failure as failure:
        return await _page(visit, typed, [failure], 422)


async def _taken(visit: Visit, typed: Mapping[str, str], sheet: Sheet, sure: bool) -> Response:
    house, today, asked = visit.house, today_of(visit.now), typed.get("programme", "")
    if asked not in await known_programmes(visit):
        raise _choose()
    watch = typed.get("watch", "").strip() or today.isoformat()
    text = await programme_text_of(house.writing, asked)
    everyone = await mentors.mentors(house.writing)
    file = read_caseload(sheet, compile_programme(text), everyone, today, needs_referent=False)
    if len(file.cases) > MOST:
        raise _too_long()
    await visit.done()

    async def acts(_: Member) -> Actor:
        return visit.actor

    rows = await TakingOver(
        house.writing, house.ring, text, visit.now, at_local(read_day(watch, "watch"), time(), "watch"), visit.lang,
        acts, _explained, house.client, house.settings.task_queue, dry_run=not sure, referent=visit.visitor.id,
    ).rows(file.cases)  # fmt: skip
    visit.house.forget_programmes()
    return await _page(visit, typed, rows=rows, notes=file.notes, over=sure, sheet=sheet.name, text=text_of(sheet)[0])


def _explained(error: Exception) -> Failure:
    if isinstance(error, Unreachable):
        return unanswered(error.fate, error.command_id)
    if isinstance(error, LOST):
        return unanswered(Fate.UNKNOWN, None)
    structlog.get_logger().error("a row was not taken over", exc_info=error)
    return Failure(
        Exit.FAILED, "failed", Said("cette ligne n'a pas pu être reprise", "this row could not be taken over"),
        Said("prévenez la personne qui tient la machine", "tell whoever keeps the machine"),
    )  # fmt: skip


async def _page(
    visit: Visit, typed: Mapping[str, str], failures: Sequence[Failure] = (), status: int = 200, **shown: Any
) -> Response:
    rows = shown.pop("rows", None)
    return page(
        visit, "import.html", status, typed=typed, failures=failures, programmes=await known_programmes(visit),
        most=MOST, rows=rows, good=sum(map(taking_over.is_good, rows or ())),
        word=taking_over.outcome_word, said_of=taking_over, **{"over": False, **shown},
    )  # fmt: skip


def _choose() -> Failure:
    return usage("choose", "choisissez dans la liste", "choose from the list", field="programme")


def _too_long() -> Failure:
    return usage(
        "too-long", f"plus de {MOST} lignes, ou plus de 200 ko", f"more than {MOST} rows, or more than 200 kB",
        field="file",
        remedy=Said("partagez le fichier, ou demandez à qui tient la machine : journeys import",
                    "split the file, or ask whoever keeps the machine: journeys import"),
    )  # fmt: skip
