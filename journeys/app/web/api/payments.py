"""Payments for programs: several blocked ones called for again at once."""

from fastapi import APIRouter, Request

from journeys.app import telling
from journeys.app.failures import not_found, usage
from journeys.app.retrying import AT_MOST, call_again
from journeys.app.web.api import bodies
from journeys.app.web.api.acting import Key
from journeys.app.web.api.commands import content
from journeys.app.web.api.entering import token_door
from journeys.app.web.api.shapes import CalledAgain, Retried
from journeys.app.web.policy import KEEPING
from journeys.app.web.visit import Visit
from journeys.contract import Fate
from journeys.store.payments import PaymentRow, blocked, payments
from journeys.temporal import Unreachable

router = APIRouter(tags=["commands"])


@router.post(
    "/payments/retry", summary="Call for blocked payments again", operation_id="retryPayments",
    openapi_extra={"requestBody": content("Retry", bodies.RETRY_EXAMPLE)},
)  # fmt: skip
async def retry(request: Request, key: Key, visit: Visit = token_door(KEEPING)) -> Retried:
    """Each goes through every rule anew, as a command of its own; one refusal stops none of the others."""
    given: bodies.Retry = await bodies.sent(request, bodies.Retry)
    rows, house = await _named(visit, given), visit.house
    await visit.done()
    try:
        done = await call_again(
            house.writing, house.ring, house.client, house.settings.task_queue, rows, given.why, visit.actor,
            visit.now, key,
        ) if rows else []  # fmt: skip
    except Unreachable:
        raise telling.unanswered(Fate.NOT_TAKEN, key, Fate.NOT_TAKEN.value) from None
    found = [CalledAgain.model_validate(each.as_json()) for each in done]
    return Retried(payments=found, taken=sum(each.outcome == "accepted" for each in found))


async def _named(visit: Visit, given: bodies.Retry) -> list[PaymentRow]:
    """Those that the visitor sees. Raises Failure."""
    if bool(given.payments) == (given.reason is not None):
        raise usage(
            "nothing-named", "dites lesquels : des versements, ou un motif", "say which: payments, or a reason",
            field="payments",
        )  # fmt: skip
    if given.reason is not None:
        return await blocked(visit.connection, reason=given.reason, fund=given.fund, limit=AT_MOST)
    rows = await payments(visit.connection, ids=given.payments, limit=AT_MOST)
    if missing := sorted({*given.payments} - {row.id for row in rows}):
        raise not_found("unknown-payment", f"« {missing[0]} » n'est pas un versement connu",
                        f"no payment “{missing[0]}”", field="payments")  # fmt: skip
    return rows
