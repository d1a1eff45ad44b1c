"""Promotions: shared days, places, who is in and who waits; a day moved for all after a look at what that does."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import cohorts as acting
from journeys.app.cohorts import Known, own_days
from journeys.app.entry import clean_text
from journeys.app.failures import Exit, Failure, Said, not_found, usage
from journeys.app.finding import load
from journeys.app.publishing import offered, programme_text_of, rules
from journeys.app.reading import read_day, today_of
from journeys.app.web.acting import PATIENCE
from journeys.app.web.bodies import typed_in
from journeys.app.web.policy import CASEWORK, READERS, SUPERVISION
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.domain.programme import Programme
from journeys.domain.rights import covers
from journeys.identifiers import is_uuid, uuid7
from journeys.store import cohorts, views
from journeys.store.cohorts import CohortRow, Member
from journeys.store.directory import AlreadyThere
from journeys.store.views import JourneyRow

router = APIRouter()

OFFERED: Final = 500
"""Journeys at most that the form to join names."""


@dataclass(frozen=True, slots=True)
class Line:
    """A journey of the cohort, as the visitor sees it."""

    member: Member
    apart: tuple[tuple[str, date | None], ...]
    """Shared dates that it has on another day, or not at all."""
    leaves: bool
    """Whether the visitor may take it out."""


@router.get("/promotions")
async def listed(visit: Visit = door(READERS)) -> Response:
    rows, today = await cohorts.cohorts(visit.connection), today_of(visit.now)
    following = {
        row.id: min(((on, name) for name, on in row.dates if on is not None and on >= today), default=None)
        for row in rows
    }
    programmes = await visit.house.programmes()
    return page(
        visit, "cohorts.html", rows=rows, programmes=programmes, following=following,
        supervises=visit.admitted(SUPERVISION),
    )  # fmt: skip


@router.get("/promotions/ouvrir")
async def form(visit: Visit = door(SUPERVISION)) -> Response:
    return await _form(visit, dict(visit.request.query_params))


@router.post("/promotions/ouvrir")
async def begin(visit: Visit = door(SUPERVISION)) -> Response:
    """Open a cohort. Sent twice it opens one: the name is taken then."""
    typed = typed_in(await visit.request.form())
    pool = visit.house.writing
    try:
        of = rules(await programme_text_of(pool, _chosen(typed)), today_of(visit.now))
        by = acting.by(visit.actor, "open-cohort", of.book, visit.now)
        name = clean_text(typed.get("name", "").strip(), "name")
        if not name:
            raise usage("no-name", "il manque le nom", "the name is missing", field="name")
        days = {
            code: read_day(on, f"date-{code}")
            for code in of.programme.dates
            if (on := typed.get(f"date-{code}", "").strip())
        }
        await visit.done()
        row = await acting.begin(pool, uuid7(visit.now), name, of, _number(typed), days, by)
    except AlreadyThere:
        failure = usage("name-taken", "une promotion porte déjà ce nom", "a cohort has this name already", field="name")
        return await _form(visit, typed, [failure], 422)
    except Failure as failure:
        if failure.code == "no-right":
            raise
        return await _form(visit, typed, [failure], 422)
    visit.house.forget_programmes()
    return go(f"/promotions/{row.id}?note=ouverte")


@router.get("/promotions/{cohort}")
async def screen(cohort: str, visit: Visit = door(READERS)) -> Response:
    return await _screen(visit, await _row(visit, cohort))


@router.post("/promotions/{cohort}/dates")
async def move(cohort: str, visit: Visit = door(SUPERVISION)) -> Response:
    """Look at what moving a day would do; with `sure`, move it."""

    async def change(known: Known, typed: Mapping[str, str]) -> str | Response:
        name = typed.get("date", "")
        by = acting.by(visit.actor, "move-cohort-date", known.book, visit.now)
        on = read_day(typed.get("on", ""), "on")
        seen = await acting.foresee(visit.house.writing, known, name, on, visit.now)
        if typed.get("sure") != "yes":
            label = known.book.programme.dates[name].label
            return page(visit, "cohort-move.html", row=known.row, seen=seen, label=label)
        if typed.get("before", "") != (seen.before.isoformat() if seen.before is not None else ""):
            raise _moved_since()
        await acting.move(visit.house.writing, visit.house.ring, known, name, on, by)
        return "date"

    return await _changed(visit, cohort, change)


@router.post("/promotions/{cohort}/places")
async def resize(cohort: str, visit: Visit = door(SUPERVISION)) -> Response:
    async def change(known: Known, typed: Mapping[str, str]) -> str:
        by = acting.by(visit.actor, "set-cohort-places", known.book, visit.now)
        await acting.resize(visit.house.writing, visit.house.ring, known, _number(typed), by)
        return "places"

    return await _changed(visit, cohort, change)


@router.post("/promotions/{cohort}/clore")
async def end(cohort: str, visit: Visit = door(SUPERVISION)) -> Response:
    async def change(known: Known, typed: Mapping[str, str]) -> str:
        by = acting.by(visit.actor, "close-cohort", known.book, visit.now)
        if typed.get("sure") != "yes":
            raise usage("not-sure", "cochez la case pour clore", "tick the box to close it", field="sure")
        await acting.end(visit.house.writing, visit.house.ring, known, by)
        return "close"

    return await _changed(visit, cohort, change)


@router.post("/promotions/{cohort}/entrer")
async def join(cohort: str, visit: Visit = door(CASEWORK)) -> Response:
    async def change(known: Known, typed: Mapping[str, str]) -> str:
        loaded = await load(visit.connection, await _journey(visit, typed))
        by = acting.by_caseworker(visit.actor, "join-cohort", loaded, visit.now)
        member = await acting.join(visit.house.writing, visit.house.ring, known, loaded, by)
        return "entree" if member.rank is None else "attente"

    return await _changed(visit, cohort, change)


@router.post("/promotions/{cohort}/quitter")
async def leave(cohort: str, visit: Visit = door(CASEWORK)) -> Response:
    async def change(known: Known, typed: Mapping[str, str]) -> str:
        loaded = await load(visit.connection, await _journey(visit, typed))
        by = acting.by_caseworker(visit.actor, "leave-cohort", loaded, visit.now)
        given = await acting.leave(visit.house.writing, visit.house.ring, known, loaded.row.id, by)
        return "donnee" if given else "sortie"

    return await _changed(visit, cohort, change)


async def _changed(
    visit: Visit, cohort: str, change: Callable[[Known, Mapping[str, str]], Awaitable[str | Response]]
) -> Response:
    """Change a cohort by what was typed, and tell each journey its days.

    Args:
        change: what the next page says of it, or a page that asks first.
    """
    row, typed = await _row(visit, cohort), typed_in(await visit.request.form())
    try:
        known = await acting.known(visit.house.writing, row, visit.now)
        note = await change(known, typed)
    except Failure as failure:
        return await _refused(visit, row, typed, failure)
    if isinstance(note, Response):
        return note
    await visit.done()
    await _tell(visit, known)
    return go(f"/promotions/{row.id}?note={note}")


async def _form(
    visit: Visit, typed: Mapping[str, str], failures: Sequence[Failure] = (), status: int = 200
) -> Response:
    """The programmes that gather people, and for the one that is chosen what its cohort is to have."""
    gathering = {
        name: known
        for name, (_, known) in (await offered(visit.house.writing)).items()
        if any(rule.shared for rule in known.dates.values())
    }
    programme = gathering.get(typed.get("programme", ""))
    shared = {f"date-{code}": rule.label for code, rule in programme.dates.items() if rule.shared} if programme else {}
    return page(
        visit, "cohort-open.html", status, programmes=gathering, programme=programme, typed=typed, shared=shared,
        failures=[failure.beside_its_field() for failure in failures],
    )  # fmt: skip


def _chosen(typed: Mapping[str, str]) -> str:
    if not typed.get("programme"):
        raise usage("choose", "choisissez dans la liste", "choose from the list", field="programme")
    return typed["programme"]


def _number(typed: Mapping[str, str]) -> int:
    """The places that were typed. Raises Failure."""
    if not typed.get("places", "").strip().isdecimal():
        raise usage("not-a-number", "écrivez un nombre", "write a number", field="places")
    return min(int(typed["places"].strip()[:9]), 1_000_000)


async def _screen(
    visit: Visit, row: CohortRow, typed: Mapping[str, str] | None = None, failures: Sequence[Failure] = (),
    status: int = 200,
) -> Response:  # fmt: skip
    programmes = await visit.house.programmes()
    programme = programmes.get(row.programme)
    members = await cohorts.members(visit.connection, row.id)
    open_rows = await views.journeys(visit.connection, programme=row.programme, open_only=True, limit=OFFERED)
    theirs = {each.id for each in open_rows if _casework(visit, each, programme)}
    placed = await cohorts.placed(visit.connection, row.programme)
    lines = [Line(each, tuple(own_days(row, each).items()), each.journey in theirs) for each in members]
    return page(
        visit, "cohort.html", status, row=row, programme=programme, typed=typed or {},
        inside=[line for line in lines if line.member.rank is None],
        waiting=[line for line in lines if line.member.rank is not None],
        offered=sorted((each for each in open_rows if each.id in theirs - placed), key=lambda each: each.name or ""),
        label=lambda name: _label(visit, programme, name), supervises=visit.admitted(SUPERVISION),
        casework=visit.admitted(CASEWORK), note=visit.request.query_params.get("note", ""),
        failures=[failure.beside_its_field() for failure in failures],
    )  # fmt: skip


async def _refused(visit: Visit, row: CohortRow, typed: Mapping[str, str], failure: Failure) -> Response:
    """The page again, with what was typed and why nothing has changed; what no right covers is no matter of typing."""
    if failure.code == "no-right":
        raise failure
    status = 409 if failure.exit is Exit.CONFLICT else 422
    return await _screen(visit, row, typed, [failure], status)


async def _row(visit: Visit, id: str) -> CohortRow:
    row = await cohorts.cohort(visit.connection, id) if is_uuid(id) else None
    if row is None:
        raise not_found("unknown-cohort", "cette promotion n'existe pas", "there is no such cohort")
    return row


async def _journey(visit: Visit, typed: Mapping[str, str]) -> JourneyRow:
    id = typed.get("journey", "")
    row = await views.journey(visit.connection, id) if is_uuid(id) else None
    if row is None:
        raise usage("choose", "choisissez dans la liste", "choose from the list", field="journey")
    return row


def _casework(visit: Visit, row: JourneyRow, programme: Programme | None) -> bool:
    return covers("join-cohort", visit.actor.roles, programme, own=visit.actor.leads(row.referent))


def _label(visit: Visit, programme: Programme | None, name: str) -> str:
    known = programme.dates.get(name) if programme is not None else None
    return known.label.in_(visit.lang) if known is not None else name


async def _tell(visit: Visit, known: Known) -> None:
    """Each journey its days. Those that it does not have yet are shown beside it, and sent again by themselves."""
    house = visit.house
    await acting.tell(
        house.writing, house.ring, house.client, house.settings.task_queue, known, visit.now, patience=PATIENCE
    )


def _moved_since() -> Failure:
    return Failure(
        Exit.CONFLICT, "moved-since",
        Said("quelqu'un a déplacé cette date entre-temps ; rien n'a changé",
             "somebody has moved this date meanwhile; nothing has changed"),
        Said("regardez le jour noté, puis recommencez s'il le faut", "look at the day noted, then move it if need be"),
    )  # fmt: skip
