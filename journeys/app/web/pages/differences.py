"""Différences: what changed of a journey between two moments, and the facts between them."""

from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.failures import Failure
from journeys.app.reading import ZONE, read_instant
from journeys.app.web.pages.audit import KNOWN, TRUE
from journeys.app.web.pages.commands import journey_told
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.audit.differing import difference
from journeys.audit.showing import told

router = APIRouter()

A_MONTH: Final = timedelta(days=30)
_TYPED: Final = "%Y-%m-%dT%H:%M"
"""As a field for a moment holds it."""
_WITHIN: Final = {"du": timedelta(), "au": timedelta(minutes=1, microseconds=-1)}
"""A minute that is typed is meant whole."""


@router.get("/parcours/{id}/differences")
async def screen(id: str, visit: Visit = door(READERS)) -> Response:
    """`du` and `au` are moments of the local clock (without them: the last month); `vue` what is compared of them."""
    loaded, names, story = await journey_told(visit, id)
    query, failures = visit.request.query_params, list[Failure]()
    now, first = visit.now, loaded.events[0].recorded_at
    otherwise = {"du": max(first, now - A_MONTH), "au": now}
    asked = {field: _read(query.get(field, ""), field, at, failures) for field, at in otherwise.items()}
    way = TRUE if query.get("vue") == TRUE else KNOWN
    found = difference(
        loaded.events, asked["du"], asked["au"], loaded.book.calendar, "as-of" if way == TRUE else "known-at"
    )
    between = frozenset(found.between)
    days = [
        (day.title, lines)
        for day in story.days
        if (lines := [each for each in day.told if each.seq in between and not each.detail])
    ]
    typed = {field: query.get(field) or at.astimezone(ZONE).strftime(_TYPED) for field, at in otherwise.items()}
    return page(
        visit, "differences.html", 422 if failures else 200, row=loaded.row, way=way, typed=typed,
        failures={each.field: each for each in failures}, before=found.before.at, after=found.after.at, days=days,
        came=[told(fact, loaded.book, names, visit.lang) for fact in found.came],
        went=[told(fact, loaded.book, names, visit.lang) for fact in found.went],
    )  # fmt: skip


def _read(text: str, field: str, otherwise: datetime, failures: list[Failure]) -> datetime:
    """A moment that was typed; the other one where it was not, or cannot be read, which is told."""
    try:
        return read_instant(text, field) + _WITHIN[field] if text.strip() else otherwise
    except Failure as failure:
        failures.append(failure.beside_its_field())
        return otherwise
