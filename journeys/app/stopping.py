"""The switch that stops every payment: who may turn it, what is told while it holds, and what is called for again."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from journeys.app.allowing import who_may
from journeys.app.entry import Actor, clean_text, give, must_be_trusted
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.reading import ZONE
from journeys.domain.rights import Scope, right
from journeys.i18n import format_instant
from journeys.issuing import retries_owed
from journeys.store import treasury
from journeys.store.database import Pool
from journeys.store.directory import By
from journeys.store.signing import KeyRing
from journeys.store.treasury import Stop

if TYPE_CHECKING:
    from temporalio.client import Client

Act = Literal["stop-payments", "resume-payments", "order-erasure", "edit-template", "post-letter"]


def may(actor: Actor, act: Act) -> bool:
    """Whether one of the actor's roles may do this."""
    return any(right(role, act) is Scope.ALLOWED for role in actor.roles)


def by(actor: Actor, act: Act, now: datetime) -> By:
    """Who does it, in which role. Raises Failure (refused)."""
    for role in actor.roles:
        if right(role, act) is Scope.ALLOWED:
            return By(actor=actor.id, role=role, at=now)
    raise Failure(
        Exit.REFUSED, "no-right",
        Said("votre rôle ne permet pas cela : rien n'a changé", "your role does not allow this: nothing has changed"),
        Said(f"demandez-le à qui peut le faire : {who_may(act, 'fr')}",
             f"ask one of those who may: {who_may(act, 'en')}"),
    )  # fmt: skip


def reason(typed: str, field: str) -> str:
    """Why, as typed. Raises Failure (usage): nothing."""
    why = clean_text(typed.strip(), field)
    if not why:
        raise usage("no-reason", f"{field} : dites pourquoi", f"{field}: say why", field=field)
    return why


def told(stop: Stop) -> Said:
    """Who stopped the payments, since when, why."""
    since = {lang: format_instant(stop.since, lang, ZONE) for lang in ("fr", "en")}
    return Said(
        f"Tous les versements sont arrêtés depuis le {since['fr']} par {stop.name or 'le système'} : {stop.why}",
        f"All payments have been stopped since {since['en']} by {stop.name or 'the system'}: {stop.why}",
    )


async def resume(
    pool: Pool, ring: KeyRing, client: "Callable[[], Awaitable[Client]]", task_queue: str, why: str, by: By,
    patience: timedelta | None = None,
) -> tuple[int, int] | None:  # fmt: skip
    """Let payments go on, and call again for those that were blocked by nothing else.

    Returns how many are called for again, and how many the engine has not answered: the housekeeping sends these again
    within ten minutes of its return. None: payments were not stopped.

    Raises Failure: nobody trusts this process's key; nothing has changed.
    """
    from journeys.temporal import Unreachable

    await must_be_trusted(pool, ring)
    if not await treasury.resume(pool, why, by):
        return None
    owed, taken = await retries_owed(pool, ring, by.at), 0
    try:
        temporal = await client() if owed else None
        for command in owed:
            assert temporal is not None
            answer = await give(pool, temporal, command, task_queue, patience)
            taken += answer.outcome == "accepted"
    except Unreachable:
        pass
    return taken, len(await retries_owed(pool, ring, by.at))
