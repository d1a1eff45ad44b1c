"""Conservation: what falls due by the rules of retention within their horizon, why, and what keeps it; reads only."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import retaining
from journeys.app.web.policy import RETAINING, SUPERVISION
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.i18n import text
from journeys.narration import duration_words
from journeys.store.directory import names_of

router = APIRouter()

HERE: Final = "/controle/conservation"


@router.get(HERE)
async def screen(visit: Visit = door(RETAINING)) -> Response:
    """Names stand there only of those whom the visitor sees anyway."""
    settings, lang, say = visit.house.settings, visit.lang, text(visit.lang)
    planned = await retaining.plan(visit.house.writing, settings, visit.now)
    names = await names_of(visit.connection, [each.standing.person for each in planned.people])
    going = set(planned.going)
    return page(
        visit, "retention.html", planned=planned,
        people=[(each, names.get(each.standing.person), retaining.why(each, lang), retaining.holds(each, lang),
                 each in going) for each in planned.people],
        rows=[(say(retaining.WHAT[each.rule]), each) for each in planned.rows],
        rules=retaining.rules_told(planned.rules, settings.reads_kept_months, lang),
        ahead=duration_words(planned.rules.ahead, lang), orders=visit.admitted(SUPERVISION),
    )  # fmt: skip
