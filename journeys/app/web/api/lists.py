"""Lists for programs: what waits for a decision, what is escalated, the programmes in force, and who there is."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from journeys.app import figures
from journeys.app.approving import sight
from journeys.app.failures import not_found
from journeys.app.inbox import waits
from journeys.app.publishing import in_force
from journeys.app.reading import today_of
from journeys.app.web.api.entering import token_door
from journeys.app.web.api.shapes import (
    Absence,
    Approval,
    Approvals,
    CohortKnown,
    CohortMember,
    Cohorts,
    Escalations,
    Indicators,
    Item,
    Me,
    MentorKnown,
    Mentors,
    PartnerKnown,
    Partners,
    ProgrammeInForce,
    Programmes,
    Staff,
    StaffMember,
    WholeCohort,
)
from journeys.app.web.policy import DECIDING, READERS, STAFF
from journeys.app.web.visit import Visit
from journeys.domain.programme import Code
from journeys.domain.record import Id
from journeys.indicators.figures import By
from journeys.store import cohorts, mentors, partners, staff, views
from journeys.store.views import Listed, Place

router = APIRouter()

CohortId = Annotated[Id, Path(description="The cohort's id.")]
Month = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]

MOST: Final = 300
"""Lines of a page at most."""
_CURSOR: Final = (
    "^[01]_[01]_(~|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z)"
    "_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_[0-9a-z-]{1,36}$"
)
"""A place as `views.Place` holds it: what an item is sorted by."""


class Pages(BaseModel):
    """Which stretch of an inbox, as it stands when it is asked for."""

    cursor: str | None = Field(None, pattern=_CURSOR, description="`next` of the page before.")
    limit: int = Field(100, ge=1, le=MOST, description="Lines of a page at most.")

    @property
    def after(self) -> Place | None:
        """Where the page before ended."""
        if self.cursor is None:
            return None
        taken, others, moment, journey, item = self.cursor.split("_")
        return Place(taken == "1", others == "1", moment, journey, item)

    def next(self, found: Listed) -> str | None:
        """The cursor of the next page of a list of which one line more than this page has was asked for."""
        if len(found.items) <= self.limit:
            return None
        last = found.places[self.limit - 1]
        return f"{last.taken:d}_{last.others:d}_{last.moment}_{last.journey}_{last.item}"


@router.get("/me", tags=["who"], summary="Whose token it is", operation_id="getMe")
async def me(visit: Visit = token_door(STAFF)) -> Me:
    """The member of staff, with the roles and sites held now."""
    known = visit.visitor
    return Me(id=known.id, handle=known.handle, name=known.name, roles=list(known.roles), sites=list(known.sites))


@router.get("/approvals", tags=["inboxes"], summary="Grants to decide", operation_id="listApprovals")
async def approvals(pages: Annotated[Pages, Query()], visit: Visit = token_door(DECIDING)) -> Approvals:
    """Grants that wait for one of the owner's roles, the first to expire first: all that an approval is bound to."""
    waiting = await views.open_items(
        visit.connection, "grant", visit.visible, staff=(), roles=visit.visitor.roles, mine=True,
        limit=pages.limit + 1, after=pages.after,
    )  # fmt: skip
    found = [await sight(visit.connection, each.journey, each.item["id"]) for each in waiting.items[: pages.limit]]
    return Approvals(approvals=[Approval.model_validate(each.as_json()) for each in found], next=pages.next(waiting))


@router.get("/escalations", tags=["inboxes"], summary="Open escalations", operation_id="listEscalations")
async def escalations(pages: Annotated[Pages, Query()], visit: Visit = token_door(READERS)) -> Escalations:
    """On journeys that the owner may look into; what somebody took charge of comes last."""
    me = visit.visitor
    waiting = await views.open_items(
        visit.connection, "escalation", visit.visible, staff=me.leaders, roles=me.roles, mine=False,
        limit=pages.limit + 1, after=pages.after, now=visit.now,
    )  # fmt: skip
    programmes = await visit.house.programmes()
    found = [
        waits(each.journey, each.item, visit.now).as_json(visit.lang, programmes)
        for each in waiting.items[: pages.limit]
    ]
    return Escalations(escalations=[Item.model_validate(each) for each in found], next=pages.next(waiting))


@router.get("/programmes", tags=["programmes"], summary="Programmes in force", operation_id="listProgrammes")
async def programmes(visit: Visit = token_door(STAFF)) -> Programmes:
    """Each with the codes that commands name."""
    await visit.done()
    found = await in_force(visit.house.writing)
    return Programmes(
        programmes=[
            ProgrammeInForce.of(name, published.sha256, known, visit.lang)
            for name, (published, known) in sorted(found.items())
        ]
    )


@router.get("/cohorts", tags=["cohorts"], summary="Cohorts", operation_id="listCohorts")
async def cohort_list(visit: Visit = token_door(READERS)) -> Cohorts:
    """All cohorts, the open ones first: days and places. Who is in them is told one by one."""
    return Cohorts(cohorts=[CohortKnown.of(row) for row in await cohorts.cohorts(visit.connection)])


@router.get("/cohorts/{id}", tags=["cohorts"], summary="A cohort", operation_id="getCohort")
async def one_cohort(id: CohortId, visit: Visit = token_door(READERS)) -> WholeCohort:
    """Its days and places, and its journeys: those with a place, then those that wait, in their order."""
    row = await cohorts.cohort(visit.connection, id)
    if row is None:
        raise not_found("unknown-cohort", "cette promotion n'existe pas", "there is no such cohort")
    members = [CohortMember.of(row, each) for each in await cohorts.members(visit.connection, id)]
    return WholeCohort(**CohortKnown.of(row).model_dump(), journeys=members)


class Counting(BaseModel):
    """Which journeys are counted, and by what."""

    by: By = Field("programme", description="What the figures are grouped by.")
    programme: Code | None = Field(None, description="Of this programme.")
    first: Month | None = Field(None, alias="from", description="Releases from this month on.")
    last: Month | None = Field(None, alias="to", description="Releases up to this month.")


@router.get("/indicators", tags=["indicators"], summary="Indicators", operation_id="getIndicators")
async def indicators(asked: Annotated[Counting, Query()], visit: Visit = token_door(READERS)) -> Indicators:
    """What came of the journeys that the owner may look into, as the page shows it: small numbers are not told."""
    wanted = figures.asked_for(asked.by, asked.programme, asked.first or "", asked.last or "", ("by", "from", "to"))
    await figures.count_anew(visit.house.writing, figures.AT_ONCE)
    counted = await figures.counted(visit.connection, wanted, visit.now, visit.visible)
    words = figures.Words(visit.lang, await visit.house.programmes())
    return Indicators.model_validate(figures.as_json(counted, words))


@router.get("/staff", tags=["who"], summary="The staff", operation_id="listStaff")
async def team(visit: Visit = token_door(STAFF)) -> Staff:
    """Who is on the staff, with present and coming absences."""
    away: dict[str, list[Absence]] = {}
    for each in await staff.absences(visit.connection, today_of(visit.now)):
        absence = Absence(first_day=each.first_day, last_day=each.last_day, deputy=each.deputy)
        away.setdefault(each.staff, []).append(absence)
    members = [each for each in await staff.members(visit.connection) if each.active]
    return Staff(staff=[StaffMember.of(each, away.get(each.id, [])) for each in members])


@router.get("/partners", tags=["who"], summary="Partners", operation_id="listPartners")
async def partner_list(visit: Visit = token_door(READERS)) -> Partners:
    """Organisations to which people are referred."""
    found = [each for each in await partners.partners(visit.connection) if each.active]
    return Partners(partners=[PartnerKnown.of(each) for each in found])


@router.get("/mentors", tags=["who"], summary="Mentors", operation_id="listMentors")
async def mentor_list(visit: Visit = token_door(READERS)) -> Mentors:
    """Volunteers and peers."""
    return Mentors(mentors=[MentorKnown.of(each) for each in await mentors.mentors(visit.connection)])
