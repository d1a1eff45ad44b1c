"""Lists for programs: what waits for a decision, what is escalated, the programmes in force, and who there is."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from journeys.app.approving import sight
from journeys.app.inbox import waits
from journeys.app.publishing import in_force
from journeys.app.reading import today_of
from journeys.app.web.api.entering import token_door
from journeys.app.web.api.shapes import (
    Absence,
    Approval,
    Approvals,
    Escalations,
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
)
from journeys.app.web.policy import DECIDING, READERS, STAFF
from journeys.app.web.visit import Visit
from journeys.store import mentors, partners, staff, views
from journeys.store.views import Listed, Place

router = APIRouter()

MOST: Final = 300
"""Lines of a page at most."""
_CURSOR: Final = (
    "^[01]_[01]_(~|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z)"
    "_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_[0-9a-z-]{1,36}$"
)
"""A place as `views.Place` holds it: what an item is sorted by."""


class Pages(BaseModel):
    """Which stretch of an inbox, as it stands when it is asked for."""

    model_config = ConfigDict(extra="forbid")

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
        visit.connection, "grant", visit.visible, staff=None, roles=visit.visitor.roles, mine=True,
        limit=pages.limit + 1, after=pages.after,
    )  # fmt: skip
    found = [await sight(visit.connection, each.journey, each.item["id"]) for each in waiting.items[: pages.limit]]
    return Approvals(approvals=[Approval.model_validate(each.as_json()) for each in found], next=pages.next(waiting))


@router.get("/escalations", tags=["inboxes"], summary="Open escalations", operation_id="listEscalations")
async def escalations(pages: Annotated[Pages, Query()], visit: Visit = token_door(READERS)) -> Escalations:
    """On journeys that the owner may look into; what somebody took charge of comes last."""
    me = visit.visitor
    waiting = await views.open_items(
        visit.connection, "escalation", visit.visible, staff=me.id, roles=me.roles, mine=False,
        limit=pages.limit + 1, after=pages.after,
    )  # fmt: skip
    programmes = await visit.house.programmes()
    found = [waits(each.journey, each.item).as_json(visit.lang, programmes) for each in waiting.items[: pages.limit]]
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
