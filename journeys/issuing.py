"""A command as whoever knows the person issues it: an id, its parts drawn, signed; and what is forwarded."""

from collections.abc import Mapping
from datetime import date, datetime

from journeys.domain import cohort as rules
from journeys.domain.commands import AnyBody, Command, ExpectDate, MoveDate, PersonBody, RetryPayment
from journeys.domain.record import SYSTEM, Cause
from journeys.identifiers import forwarded_id, uuid7
from journeys.store import cohorts, payments, treasury
from journeys.store.database import Pool
from journeys.store.journal import answered
from journeys.store.signing import KeyRing, draw_parts, sign


def issue(
    ring: KeyRing,
    *,
    stream: str,
    body: AnyBody,
    actor: str,
    roles: tuple[str, ...],
    now: datetime,
    funds: tuple[str, ...] = (),
    stands_in_for: tuple[str, ...] = (),
    texts: Mapping[str, str] | None = None,
    id: str | None = None,
    occurred_at: datetime | None = None,
    seen: int | None = None,
    caused_by: Cause | None = None,
) -> Command:
    """A signed command.

    Args:
        stream: of the journey, or of the person. texts: the free texts, by part.
        now: of the entry point's clock. occurred_at: when it happened, if not now.
        id: to send a command again; a new one is drawn otherwise.

    Raises:
        ValueError: parts that the command does not carry, or lacks.
    """
    parts, commitments = draw_parts(texts or {})
    command = Command(
        id=id or uuid7(now),
        stream=stream,
        body=body,
        actor=actor,
        roles=roles,
        funds=funds,
        stands_in_for=stands_in_for,
        occurred_at=occurred_at or now,
        seen=seen,
        signed_at=now,
        caused_by=caused_by,
        parts=parts,
        commitments=commitments,
    )
    return sign(command, ring)


def forwarded(ring: KeyRing, told: Command, seq: int, stream: str, now: datetime) -> Command:
    """What a person's stream took as its event `seq`, for one of their journeys; forwarded again it is the same."""
    assert isinstance(told.body, PersonBody)
    cause = Cause(told.stream, seq)
    return issue(
        ring, stream=stream, body=told.body, actor=SYSTEM, roles=(SYSTEM,), now=now, id=forwarded_id(stream, cause),
        occurred_at=told.occurred_at, caused_by=cause,
    )  # fmt: skip


async def days_owed(pool: Pool, ring: KeyRing, cohort: str, now: datetime, today: date) -> list[Command]:
    """A cohort's days that its open journeys neither have nor have answered; issued again they are the same."""
    there = {each.journey: each.dates for each in await cohorts.members(pool, cohort) if each.is_open}
    wanted = {
        forwarded_id(f"journey-{each.journey}", Cause(cohorts.stream_of(cohort), each.since.seq), each.date): each
        for each in rules.owed(await cohorts.folded(pool, cohort), today)
        if each.journey in there and there[each.journey].get(each.date) != each.on
    }
    told = await answered(pool, {id: f"journey-{each.journey}" for id, each in wanted.items()})
    return [
        issue(
            ring, stream=f"journey-{each.journey}", actor=SYSTEM, roles=(SYSTEM,), now=now, id=id,
            body=(MoveDate if each.date in there[each.journey] else ExpectDate)(date=each.date, on=each.on),
            occurred_at=each.since.at, caused_by=Cause(cohorts.stream_of(cohort), each.since.seq),
        )
        for id, each in wanted.items() if id not in told
    ]  # fmt: skip


async def retries_owed(pool: Pool, ring: KeyRing, now: datetime) -> list[Command]:
    """Payments blocked only because all were stopped, called for again since they go on.

    Issued again they are the same.
    """
    cause = await treasury.last_resumed(pool)
    if cause is None:
        return []
    wanted = {
        forwarded_id(stream, cause, payment): (stream, payment)
        for stream, payment in await payments.stopped_by_the_switch(pool)
    }
    told = await answered(pool, {id: stream for id, (stream, _) in wanted.items()})
    return [
        issue(
            ring, stream=stream, body=RetryPayment(payment=payment), actor=SYSTEM, roles=(SYSTEM,), now=now, id=id,
            caused_by=cause,
        )
        for id, (stream, payment) in wanted.items() if id not in told
    ]  # fmt: skip
