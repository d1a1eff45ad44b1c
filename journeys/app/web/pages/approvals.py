"""À valider: grants to decide, what an approval binds, and what was decided."""

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.allowing import may
from journeys.app.approving import sight
from journeys.app.failures import Exit, Failure, Said
from journeys.app.finding import Loaded
from journeys.app.inbox import waits
from journeys.app.web.lines import line
from journeys.app.web.pages.commands import journey
from journeys.app.web.paging import A_SHEET, Paging, page_asked
from journeys.app.web.policy import DECIDING
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.rights import may_give
from journeys.domain.state import GrantKnown, GrantStatus
from journeys.identifiers import uuid7
from journeys.narration.telling import Speech
from journeys.store import views

router = APIRouter()


@router.get("/accords")
async def inbox(visit: Visit = door(DECIDING)) -> Response:
    number = page_asked(visit)
    found = await views.open_items(
        visit.connection, "grant", visit.visible, staff=(), roles=visit.visitor.roles, mine=True, limit=A_SHEET,
        offset=(number - 1) * A_SHEET,
    )  # fmt: skip
    past = await views.decided(visit.connection)
    programmes = await visit.house.programmes()
    return page(
        visit, "approvals.html",
        lines=[line(visit, waits(each.journey, each.item), programmes, {}) for each in found.items],
        paging=Paging(visit, number, found.mine, A_SHEET),
        past=[(each, datetime.fromisoformat(each.header["recorded_at"])) for each in past],
        what={"GrantApprovalGiven": visit.say("accord donné"), "GrantRefused": visit.say("refusée"),
              "GrantReturned": visit.say("renvoyée pour être revue")},
    )  # fmt: skip


@router.get("/parcours/{id}/aides/{grant}")
async def decision(id: str, grant: str, visit: Visit = door(DECIDING)) -> Response:
    """Everything that an approval is bound to, and the three answers."""
    loaded = await journey(visit, id)
    asked = loaded.state.grants.get(grant)
    if asked is None:
        raise Failure(Exit.NOT_FOUND, "unknown-grant", Said("cette aide n'existe pas", "there is no such grant"))
    shown = await sight(visit.connection, loaded.row, grant, loaded)
    return page(
        visit, "decision.html",
        loaded=loaded, row=loaded.row, id=grant, grant=asked, sight=shown,
        speech=Speech(loaded.book, {}, visit.lang, loaded.state),
        refusal=_why_not(visit, loaded, asked),
        committed=_committed(loaded, asked),
        justified=_justified(loaded, grant),
        command_ids=[uuid7(visit.now) for _ in range(3)],
        wanted=_wanted(asked),
        may={name for name in ("return-grant", "refuse-grant") if may(visit.actor, loaded, name, {"grant": grant})},
    )  # fmt: skip


def _wanted(grant: GrantKnown) -> list[str]:
    wanted = list(grant.needed)
    for each in grant.approvals:
        wanted.remove(each.stands_for)
    return wanted


def _committed(loaded: Loaded, asked: GrantKnown) -> Mapping[str, int]:
    """Cents of this kind of grant, asked or given, beside the programme's cap for one person."""
    cap = loaded.book.programme.grants[asked.kind].cap
    others = sum(each.amount for each in loaded.state.grants.values() if each.kind == asked.kind and each.over is None)
    return {"cap": int(cap), "all": others}


def _justified(loaded: Loaded, grant: str) -> Mapping[str, int] | None:
    """Of what was paid of a grant and wants a receipt, cents that receipts justify; None before there is any."""
    mine = [each for each in loaded.state.receipts.values() if each.grant == grant]
    if not mine:
        return None
    paid, justified = sum(each.amount for each in mine), sum(each.justified for each in mine)
    return {"paid": paid, "justified": justified, "missing": paid - justified}


def _why_not(visit: Visit, loaded: Loaded, asked: GrantKnown) -> str:
    """Why this visitor cannot approve, told before they try; empty when they can."""
    me, say = visit.visitor, visit.say
    programme = loaded.book.programme
    if asked.over is not None or asked.status is not GrantStatus.REQUESTED:
        return say("Cette demande n'attend plus d'accord.")
    if me.id in (asked.requester, asked.editor):
        return say("Vous avez fait cette demande ou modifié le bénéficiaire : l'accord revient à quelqu'un d'autre.")
    if any(each.actor == me.id for each in asked.approvals):
        return say("Vous avez déjà donné votre accord ; il manque celui d'une autre personne.")
    if not may_give("approve-grant", me, loaded.state, programme):
        return say("Votre rôle ne permet pas de donner cet accord.")
    if not may_give("approve-grant", me, loaded.state, programme, asked.fund):
        return say("Cette aide vient d'un fonds dont vous ne décidez pas.")
    return ""
