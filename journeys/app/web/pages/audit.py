"""Contrôle: a journey step by step through time: what was true or known then, what changed, why, and what agrees."""

from datetime import datetime
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.finding import Loaded
from journeys.app.web.pages.commands import journey_told
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.audit.showing import as_of, known_at, told
from journeys.audit.verdicts import Verification
from journeys.audit.verifying import Sources, verify
from journeys.audit.wording import ACCOUNTS, VERDICTS
from journeys.i18n import capital, text
from journeys.temporal import Unreachable

router = APIRouter()

KNOWN: Final = "savait"
TRUE: Final = "vrai"


@router.get("/parcours/{id}/audit")
async def screen(id: str, visit: Visit = door(READERS)) -> Response:
    """`n` is the event looked at, `vue` whether what was known or what was true, `controle` compares the accounts."""
    loaded, names, story = await journey_told(visit, id)
    query = visit.request.query_params
    last = len(loaded.events)
    asked = query.get("n", "")
    number = min(max(int(asked), 1), last) if asked.isdecimal() and len(asked) < 9 else last
    way = TRUE if query.get("vue") == TRUE else KNOWN
    steps = {each.seq: each for day in story.days for each in day.told}
    event = loaded.events[number - 1]
    before = _facts(loaded, number - 1, way, names, visit.lang) if number > 1 else []
    now = _facts(loaded, number, way, names, visit.lang)
    controlled = query.get("controle") in ("journal", "moteur")
    return page(
        visit, "audit.html",
        row=loaded.row, number=number, last=last, way=way, event=event, step=steps[number],
        cause=steps.get(event.caused_by.seq) if event.caused_by and event.caused_by.stream == event.stream else None,
        facts=now, came=[each for each in now if each not in before], went=[each for each in before if each not in now],
        at=event.recorded_at, who=names.get(event.actor, ""), role=event.role,
        accounts=_told(await _compared(visit, loaded, query["controle"]), visit.lang) if controlled else None,
        first=loaded.events[0].recorded_at, book=loaded.book,
    )  # fmt: skip


def _facts(loaded: Loaded, number: int, way: str, names: dict[str, str], lang: str) -> list[str]:
    """What held right after an event, in the words of the audit."""
    at: datetime = loaded.events[number - 1].recorded_at
    calendar = loaded.book.calendar
    # Several events may share an instant: what was known after this one, not after the last of them.
    shown = as_of(loaded.events, at, calendar) if way == TRUE else known_at(loaded.events[:number], at, calendar)
    return [told(fact, loaded.book, names, lang) for fact in shown.facts]


async def _compared(visit: Visit, loaded: Loaded, how: str) -> Verification:
    """Journal and lists; with `moteur` also the engine's answer and its history. The visitor may see this journey."""
    house = visit.house
    client = None
    if how == "moteur":
        try:
            client = await house.client()
        except Unreachable:
            client = None
    return await verify(Sources(house.writing, house.ring, client), loaded.row.stream)


def _told(verification: Verification, lang: str) -> list[tuple[str, str, str, int, str]]:
    """Each account: its name, its verdict in words and as a code, events compared, and why."""
    _ = text(lang)
    return [
        (capital(_(ACCOUNTS[each.name])), _(VERDICTS[each.verdict]), each.verdict.value, each.compared, each.why(lang))
        for each in verification.accounts
    ]
