"""Two programmes, or two versions of one, side by side in plain words: what is new, gone, said otherwise."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.failures import usage
from journeys.app.publishing import offered, rules, text_asked, text_of_hash
from journeys.app.reading import today_of
from journeys.app.web.pages.programmes import known_programmes, unknown
from journeys.app.web.policy import READERS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.i18n import format_date
from journeys.narration.apart import Apart, apart
from journeys.store import programmes

router = APIRouter()


@router.get("/programmes/{name}/comparer")
async def screen(name: str, visit: Visit = door(READERS)) -> Response:
    """`avec`: the name of the programme that is compared with, or the SHA-256 of a former text."""
    await visit.done()
    pool, today, known = visit.house.writing, today_of(visit.now), await known_programmes(visit)
    if name not in known:
        raise unknown()
    after = rules(await text_asked(pool, name), today)
    choices, asked = await _choices(visit, name, after.programme_hash), visit.request.query_params.get("avec", "")
    in_force = {sha256: other for other, (sha256, _) in (await offered(pool)).items()}
    asked = in_force.get(asked, asked)
    chosen = asked in known or await text_of_hash(pool, asked) is not None
    failures = [] if chosen or not asked else [usage("choose", "choisissez dans la liste", "choose from the list",
                                                     field="avec")]  # fmt: skip
    before = rules(await text_asked(pool, asked), today) if chosen else None
    if before is not None and asked not in [code for code, _ in choices]:
        choices.append(
            (asked, visit.say("{programme} (autre version)", programme=before.programme.label.in_(visit.lang)))
        )
    found = apart(before.book, after.book, visit.lang) if before is not None else []
    return page(
        visit, "compare.html", 422 if failures else 200, name=name, after=after.programme,
        before=before.programme if before is not None else None, asked=asked, choices=choices, failures=failures,
        sections=_sections(found), called=dict(choices).get(asked, ""),
    )  # fmt: skip


def _sections(found: list[Apart]) -> dict[str, list[Apart]]:
    sections: dict[str, list[Apart]] = {}
    for each in found:
        sections.setdefault(each.section, []).append(each)
    return {section: sorted(each, key=lambda one: _ORDER.index(one.how)) for section, each in sections.items()}


_ORDER: Final = ("otherwise", "new", "gone")


async def _choices(visit: Visit, name: str, in_force: str) -> list[tuple[str, str]]:
    """Former versions of the programme, then the other programmes: what the address says, and what is read."""
    known = await known_programmes(visit)
    former = [
        (each.sha256, visit.say("{programme}, version du {day}", programme=known[name].label.in_(visit.lang),
                                day=format_date(today_of(each.at), visit.lang)))
        for each in await programmes.versions(visit.house.writing, name) if each.sha256 != in_force
    ]  # fmt: skip
    return former + [(other, each.label.in_(visit.lang)) for other, each in known.items() if other != name]
