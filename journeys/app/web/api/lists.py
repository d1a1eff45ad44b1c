"""Lists for programs: what waits for a decision, what is escalated, the programmes in force, and who there is."""

from typing import Final

from fastapi import APIRouter

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

router = APIRouter()

MOST: Final = 300
"""Lines of a list; one that is longer is worked through from its beginning."""


@router.get("/me", tags=["who"], summary="Whose token it is", operation_id="getMe")
async def me(visit: Visit = token_door(STAFF)) -> Me:
    """The member of staff, with the roles and sites held now."""
    known = visit.visitor
    return Me(id=known.id, handle=known.handle, name=known.name, roles=list(known.roles), sites=list(known.sites))


@router.get("/approvals", tags=["inboxes"], summary="Grants to decide", operation_id="listApprovals")
async def approvals(visit: Visit = token_door(DECIDING)) -> Approvals:
    """Grants that wait for one of the owner's roles, the first to expire first: all that an approval is bound to."""
    waiting = await views.open_items(
        visit.connection, "grant", visit.visible, staff=None, roles=visit.visitor.roles, mine=True, limit=MOST
    )
    found = [await sight(visit.connection, each.journey, each.item["id"]) for each in waiting.items]
    return Approvals(
        approvals=sorted(
            (Approval.model_validate(each.as_json()) for each in found), key=lambda each: (each.decide_by, each.grant)
        )
    )


@router.get("/escalations", tags=["inboxes"], summary="Open escalations", operation_id="listEscalations")
async def escalations(visit: Visit = token_door(READERS)) -> Escalations:
    """On journeys that the owner may look into; what somebody took charge of comes last."""
    me = visit.visitor
    waiting = await views.open_items(
        visit.connection, "escalation", visit.visible, staff=me.id, roles=me.roles, mine=False, limit=MOST
    )
    programmes = await visit.house.programmes()
    found = [waits(each.journey, each.item).as_json(visit.lang, programmes) for each in waiting.items]
    return Escalations(escalations=[Item.model_validate(each) for each in found])


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
