"""A command as whoever knows the person issues it: an id, its parts drawn, signed; and what is forwarded."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, TypeGuard

import structlog

from journeys.contract import Answer
from journeys.domain import cohort as rules
from journeys.domain import events as e
from journeys.domain import notices
from journeys.domain.commands import (
    AnyBody,
    Command,
    DeclineTransfer,
    ExpectDate,
    MoveDate,
    OptIn,
    OptOut,
    RecordReceipt,
    RetryPayment,
)
from journeys.domain.recipients import NOBODY_THERE
from journeys.domain.record import SYSTEM, Cause
from journeys.identifiers import following_id, forwarded_id, uuid7
from journeys.store import (
    bank_files,
    cohorts,
    deliveries,
    journal,
    payments,
    people,
    provider,
    signing_keys,
    silences,
    staff,
    staff_letters,
    treasury,
    views,
)
from journeys.store.bank_files import Telling
from journeys.store.database import AWAY, Pool
from journeys.store.deliveries import Reply, ReplyOutcome, Waiting
from journeys.store.directory import By, NotFound
from journeys.store.journal import answered, known_answer
from journeys.store.provider import Named, Notice, Outcome
from journeys.store.signing import KeyRing, draw_parts, sign
from journeys.store.staff_letters import About, Kept
from journeys.store.treasury import STREAM

# --- several things in one round


class Unfinished(Exception):
    """Parts of a round failed and were named; the others are done. Its text names no person."""


class Round:
    """Things done one after the other: one that fails stops no other, and the round ends with an error that names it.

    Args:
        through: errors that end the round at once, since nothing else could be done either.
    """

    def __init__(self, through: tuple[type[Exception], ...] = ()) -> None:
        self._through = through
        self._failed: list[str] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """One of them; what it raises is told in the log, with its place, and named by `end`."""
        try:
            yield
        except self._through:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {error}" if isinstance(error, Unfinished) else type(error).__name__
            self._failed.append(f"{name} ({said})")
            structlog.get_logger("journeys.round").exception("part of a round failed", part=name)

    def end(self) -> None:
        """Raises Unfinished: some parts failed."""
        if self._failed:
            raise Unfinished(", ".join(self._failed))


def _heard(answer: Answer | None) -> TypeGuard[Answer]:
    """Whether a journey has judged what it was told; else it is told again."""
    return answer is not None and answer.outcome != "unsigned"


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


def forwarded(ring: KeyRing, told: people.OwnFact, stream: str, now: datetime) -> Command:
    """What a person's stream took, for one of their journeys; forwarded again it is the same."""
    cause = Cause(told.stream, told.seq)
    return issue(
        ring, stream=stream, body=told.body, actor=SYSTEM, roles=(SYSTEM,), now=now, id=forwarded_id(stream, cause),
        occurred_at=told.occurred_at, caused_by=cause,
    )  # fmt: skip


async def tell_of_people(
    pool: Pool, ring: KeyRing, send: Callable[[Command], Awaitable[Answer | None]], now: datetime
) -> None:
    """Tell every open journey what was said of its person on their own stream, where it has not answered that.

    An entry point tells them at once; the engine may have been away then, or a journey, and some began since. One
    journey is told one thing after the other, in the order in which it was said, and only what is still the last word.

    Args:
        send: sends a signed command; None when no answer comes.
    """
    wanted = {
        forwarded_id(each.journey, Cause(each.person, each.seq)): each for each in await people.to_be_heard(pool, now)
    }
    heard = await answered(pool, {id: each.journey for id, each in wanted.items()})
    newest, owed = dict[str, int](), dict[str, list[people.Owed]]()
    for id, each in wanted.items():
        if id not in heard:
            owed.setdefault(each.journey, []).append(each)
        elif each.wish:
            newest[each.journey] = max(newest.get(each.journey, 0), each.seq)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def tell(journey: str) -> None:
        async with limit:
            for each in owed[journey]:
                if each.wish and each.seq < newest.get(journey, 0):
                    continue  # Told after a later one, it would undo what that says.
                fact = await people.own_fact(pool, each.person, each.seq)
                if fact is None:
                    continue
                if not _heard(await send(forwarded(ring, fact, journey, now))):
                    return

    # Drawn, so that those who do not answer never hold up the same ones.
    with suppress(TimeoutError):
        async with asyncio.timeout(_TELLING_SECONDS):
            await asyncio.gather(*map(tell, random.sample(list(owed), len(owed))))


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


async def transfers_unanswered(pool: Pool, ring: KeyRing, now: datetime) -> list[Command]:
    """Hand-overs asked of somebody who has left since: they are not answered, and would accept themselves.

    Issued again they are the same.
    """
    asked = [each for each in await staff.still_counted_on(pool) if each.transfer is not None]
    causes = [(f"journey-{each.journey}", Cause(staff.stream_of(each.member), each.since), each) for each in asked]
    wanted = {forwarded_id(stream, cause, str(each.transfer)): (stream, cause) for stream, cause, each in causes}
    told = await answered(pool, {id: stream for id, (stream, _) in wanted.items()})
    return [
        issue(
            ring, stream=stream, body=DeclineTransfer(), actor=SYSTEM, roles=(SYSTEM,), now=now, id=id,
            caused_by=cause, texts={"reason": "La personne ne fait plus partie de l'équipe."},
        )
        for id, (stream, cause) in wanted.items() if id not in told
    ]  # fmt: skip


# --- what the bank said


_AT_ONCE: Final = 8
_TELLING_SECONDS: Final = 120.0
"""So long a round tells journeys what was said of people: where many do not answer, the rest has its turn too."""
_REASON: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling journeys what the bank said of their payments."""

    taken: int
    refused: int
    """A person must look at these."""
    waiting: int
    """Not answered: told again later, under the same ids."""


def bank_said(ring: KeyRing, telling: Telling, now: datetime) -> Command:
    """What a line of the bank says of a payment, for its journey; issued again it is the same."""
    reason = (telling.reason or "").lower()
    body = RecordReceipt(
        of="payment", id=telling.payment, said=telling.said, reason=reason if _REASON.fullmatch(reason) else None
    )
    return issue(
        ring, stream=telling.stream, body=body, actor=SYSTEM, roles=(SYSTEM,), now=now, occurred_at=telling.at,
        caused_by=Cause(STREAM, telling.seq), id=following_id(telling.stream.removeprefix("journey-"), telling.key),
    )  # fmt: skip


async def send_waiting(
    pool: Pool, ring: KeyRing, send: Callable[[Command], Awaitable[Answer | None]], now: datetime,
    file: str | None = None, most: int | None = None,
) -> Told:  # fmt: skip
    """Tell journeys what the bank said of their payments and what they have not answered yet.

    One journey is told one thing after the other, in the order in which the bank said it. Once no answer comes, nobody
    else is told either: an engine that is away would be waited for once a journey.

    Args:
        send: sends a signed command; None when no answer comes.
        file: only what this file says, by its SHA-256. most: about so many things, and no more; None: all.
    """
    taken = refused = 0
    silent = False
    limit = asyncio.Semaphore(_AT_ONCE)

    async def tell(tellings: Sequence[Telling]) -> None:
        nonlocal taken, refused, silent
        async with limit:
            for telling in tellings:
                answer = None if silent else await send(bank_said(ring, telling, now))
                if not _heard(answer):
                    silent = True
                    return
                code = None if answer.outcome == "accepted" else answer.code or answer.outcome
                await bank_files.told(pool, telling, code, now)
                taken, refused = taken + (code is None), refused + (code is not None)

    while not silent and (most is None or taken + refused < most):
        waiting = await bank_files.waiting(pool, file=file)
        if not waiting:
            break
        by_stream: dict[str, list[Telling]] = {}
        for each in waiting:
            by_stream.setdefault(each.stream, []).append(each)
        await asyncio.gather(*map(tell, by_stream.values()))
    return Told(taken, refused, await bank_files.count_waiting(pool, file))


# --- what a provider of payments said


async def send_notices(
    pool: Pool, ring: KeyRing, send: Callable[[Command], Awaitable[Answer | None]], now: datetime
) -> int:
    """Tell journeys what a provider said of their payments of its own accord; how many notices still wait.

    What is said of one payment is told in the order in which it happens, whatever the order in which it came; what
    comes too early waits for what must have been before.

    Args:
        send: sends a signed command; None when no answer comes.
    """
    by_payment: dict[str, list[Notice]] = {}
    for notice in sorted(await provider.waiting(pool), key=lambda each: notices.ORDER.index(each.said)):
        by_payment.setdefault(notice.reference, []).append(notice)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def tell(mine: Sequence[Notice]) -> int:
        left = 0
        async with limit:
            for notice in mine:
                outcome = await _outcome_of(pool, ring, send, notice, now)
                if outcome is None:
                    left += 1
                else:
                    await provider.came_to(pool, notice, outcome[0], now, outcome[1])
        return left

    return sum(await asyncio.gather(*map(tell, by_payment.values())))


async def _outcome_of(
    pool: Pool, ring: KeyRing, send: Callable[[Command], Awaitable[Answer | None]], notice: Notice, now: datetime
) -> tuple[Outcome, str | None] | None:
    """What comes of a notice, with the code of a refusal; None while it waits."""
    named = await provider.named(pool, notice.reference)
    if named is None:
        return "unknown-reference", None
    if named.amount != notice.amount:
        return "wrong-amount", None
    turn = notices.turn(notice.said, named.status)
    if turn != "tell":
        return None if turn == "wait" else (turn, None)
    answer = await send(noticed(ring, notice, named, now))
    if not _heard(answer):
        return None
    if answer.outcome == "accepted":
        return "taken", None
    after = await provider.named(pool, notice.reference)
    # Refused because the payment has moved meanwhile: it is judged anew with the next round.
    return ("refused", answer.code) if after == named else None


def noticed(ring: KeyRing, notice: Notice, named: Named, now: datetime) -> Command:
    """A notice as a command to the journey of its payment; while the payment stands as it does, it is the same."""
    return issue(
        ring, stream=named.stream, actor=SYSTEM, roles=(SYSTEM,), now=now, occurred_at=notice.at,
        body=RecordReceipt(of="payment", id=named.payment, said=notice.said, reason=notice.reason),
        id=following_id(named.stream.removeprefix("journey-"), f"notice/{notice.event}/{named.status}"),
    )  # fmt: skip


# --- what a channel said of a message


_NAMED_WITHIN: Final = timedelta(minutes=10)
"""So long a receipt may come before what it names is written down."""


_OF_MAIL: Final = "dsn-"
"""How the ids of reports on mail begin: an alert goes to a phone and by mail under one id."""


async def send_receipts(
    pool: Pool, ring: KeyRing, send: Callable[[Command], Awaitable[Answer | None]], now: datetime
) -> int:
    """Tell journeys what channels said of their messages; how many receipts still wait.

    That a message failed is told before that it arrived, in whatever order they came: what has arrived stays so.

    Args:
        send: sends a signed command; None when no answer comes.

    Raises:
        Unfinished: some receipts failed; the others are done.
    """
    done, left = Round(through=AWAY), 0
    for receipt in sorted(await deliveries.waiting(pool), key=lambda each: each.said == "delivered"):
        with done.part(f"receipt {receipt.event}"):
            if not await _told_what_came(pool, ring, send, receipt, now):
                left += 1
    done.end()
    return left


async def _told_what_came(
    pool: Pool, ring: KeyRing, send: Callable[[Command], Awaitable[Answer | None]], receipt: Waiting, now: datetime
) -> bool:
    """Note what comes of a receipt; False while it waits."""
    if receipt.stream is None:
        kept = await staff_letters.of(pool, receipt.letter) if receipt.letter is not None else None
        if kept is not None and (receipt.said == "delivered" or receipt.event.startswith(_OF_MAIL)):
            if not await _mail_to_staff(pool, ring, send, receipt, kept, now):
                return False
            await deliveries.came_to(pool, receipt, "taken", now)
            return True
        if not receipt.named and datetime.now(UTC) - receipt.received_at <= _NAMED_WITHIN:
            return False
        await deliveries.came_to(pool, receipt, "unknown-message", now)
        return True
    answer = await send(received(ring, receipt, now))
    if not _heard(answer):
        return False
    outcome: deliveries.Outcome = "refused" if answer.outcome != "accepted" else "taken"
    await _told_of_the_person(pool, receipt, now)
    await deliveries.came_to(pool, receipt, outcome, now, answer.code)
    return True


async def _mail_to_staff(
    pool: Pool, ring: KeyRing, send: Callable[[Command], Awaitable[Answer | None]], receipt: Waiting, kept: Kept,
    now: datetime,
) -> bool:  # fmt: skip
    """Note that a letter to a member of staff came back, and have its alerts go on; False: not all are told yet."""
    if receipt.said != "bounced":
        return True
    by = By(actor=SYSTEM, role=SYSTEM, at=now, occurred_at=receipt.at)
    reason = receipt.reason or "mail-bounced"
    gone = reason.startswith(NOBODY_THERE)
    await staff.mail_failed(pool, kept.staff, reason, by, returned=gone, tried_at=kept.at)
    done = True
    for about in kept.about:
        of: Literal["message", "alert"] = "message" if about.message is not None else "alert"
        id = about.message if about.message is not None else await _alert_to_tell_again(pool, about, kept.staff)
        if id is None:
            continue
        if id == _NOT_YET:
            done = False
            continue
        command = issue(
            ring, stream=about.stream, actor=SYSTEM, roles=(SYSTEM,), now=now, occurred_at=receipt.at,
            body=RecordReceipt(of=of, id=id, said="bounced", reason=reason),
            id=following_id(about.stream.removeprefix("journey-"), f"receipt/{receipt.event}/{about.effect or id}"),
        )  # fmt: skip
        answer = await send(command)
        done = done and _heard(answer)
    return done


_NOT_YET: Final = "not-yet"
"""The journey has not noted yet that somebody was told."""


async def _alert_to_tell_again(pool: Pool, about: About, whose: str) -> str | None:
    """The alert of a letter that came back, where nobody else was told of its step; None: it has moved on."""
    events = [each.event() for each in await journal.read_all(pool, about.stream)]
    assert about.effect is not None
    id = getattr(events[about.effect - 1].data, "escalation", None) if about.effect <= len(events) else None
    mine = [each for each in events if id is not None and getattr(each.data, "escalation", None) == id]
    if any(isinstance(each.data, e.EscalationReady) and each.data.returned for each in mine if each.seq > about.effect):
        return None
    for event in reversed(mine):
        match event.data:
            case e.EscalationTold(told=told):
                return id if told and set(told) <= await staff.failing(pool, told) | {whose} else None
            case e.EscalationRaised() | e.EscalationReady() | e.EscalationDeferred():
                return _NOT_YET
            case e.EscalationClimbed() | e.EscalationReassigned():
                return _NOT_YET if event.seq <= about.effect else None
            case _:
                return None
    return None


async def _told_of_the_person(pool: Pool, receipt: Waiting, now: datetime) -> None:
    """What a receipt says of a person's number or mailbox, unless they have another one since: every journey of theirs
    is to know it."""
    if receipt.person is None or receipt.began_at is None or receipt.channel not in ("mail", "sms"):
        return
    bounced = receipt.said == "bounced"
    if bounced and not (receipt.reason or "").startswith(NOBODY_THERE):
        return
    by = By(actor=SYSTEM, role=SYSTEM, at=now, occurred_at=receipt.at)
    reason = receipt.reason if bounced else None
    channel: Literal["mail", "sms"] = "mail" if receipt.channel == "mail" else "sms"
    await people.note_channel(pool, receipt.person, channel, reason, by, tried_at=receipt.began_at)


def received(ring: KeyRing, receipt: Waiting, now: datetime) -> Command:
    """A receipt as a command to the journey of its message; told again it is the same."""
    assert receipt.stream is not None and receipt.message is not None
    return issue(
        ring, stream=receipt.stream, actor=SYSTEM, roles=(SYSTEM,), now=now, occurred_at=receipt.at,
        body=RecordReceipt(of="message", id=receipt.message, said=receipt.said, reason=receipt.reason),
        id=following_id(receipt.stream.removeprefix("journey-"), f"receipt/{receipt.event}"),
    )  # fmt: skip


# --- what a channel did not say


async def send_silences(
    pool: Pool, ring: KeyRing, send: Callable[[Command], Awaitable[Answer | None]], now: datetime, silence: timedelta
) -> silences.Quiet | None:
    """Tell journeys of each message of which nothing was said for too long, once; the channel, where it says nothing at
    all: then no journey is told, since it is not about its message.

    Args:
        send: sends a signed command; None when no answer comes. silence: after which nothing said means something.

    Raises:
        Unfinished: some journeys failed; the others are told.
    """
    quiet, found = await silences.look(pool, silence), await silences.untold(pool, silence)
    if quiet is not None:
        await silences.came_to(pool, [each.message for each in found], "with-channel", now)
        return quiet
    done = Round(through=AWAY)
    for each in found:
        with done.part(f"silence {each.message}"):
            answer = await send(unheard(ring, each, now))
            if _heard(answer):
                outcome: silences.Outcome = "told" if answer.outcome == "accepted" else "refused"
                await silences.came_to(pool, [each.message], outcome, now)
    done.end()
    return None


def unheard(ring: KeyRing, silent: silences.Silent, now: datetime) -> Command:
    """That a message is silent, as a command to its journey; told again it is the same."""
    return issue(
        ring, stream=silent.stream, actor=SYSTEM, roles=(SYSTEM,), now=now, occurred_at=now,
        body=RecordReceipt(of="message", id=silent.message, said="silent"),
        id=following_id(silent.stream.removeprefix("journey-"), f"silent/{silent.message}"),
    )  # fmt: skip


# --- what a phone answered


Noted = Sequence[people.OwnFact]
"""What was noted on people's own streams."""

_MOST_TOLD: Final = 100
"""So many answers a round tells journeys of: one that does not answer costs half a minute."""

_WORST_FIRST: Final[tuple[ReplyOutcome, ...]] = ("refused", "taken", "forgotten", "known")


async def send_wishes(
    pool: Pool, ring: KeyRing, send: Callable[[Command], Awaitable[Answer | None]], now: datetime
) -> int:
    """Note every STOP, or START, that a phone answered, then tell the journeys; how many still wait.

    All are noted before any journey is told: one that does not answer holds up nobody's STOP. So many journeys are told
    in a round.

    Args:
        send: sends a signed command; None when no answer comes.

    Raises:
        Unfinished: some answers failed; the others are done.
    """
    done = Round(through=AWAY)
    noted, left = await _note_all(pool, ring, done, now)
    left += len(noted[_MOST_TOLD:])
    for reply, outcome, wishes in noted[:_MOST_TOLD]:
        with done.part(f"reply {reply.event}"):
            if await _tell_wishes(pool, ring, send, wishes, now):
                await deliveries.reply_came_to(pool, reply.event, outcome, now)
            else:
                left += 1
    done.end()
    return left


async def note_wishes(pool: Pool, ring: KeyRing, now: datetime) -> None:
    """Note every STOP, or START, that a phone answered; for that no engine is needed.

    Raises:
        Unfinished: some answers failed; the others are noted.
    """
    done = Round(through=AWAY)
    await _note_all(pool, ring, done, now)
    done.end()


async def _note_all(
    pool: Pool, ring: KeyRing, done: Round, now: datetime
) -> tuple[list[tuple[Reply, ReplyOutcome, Noted]], int]:
    """Each answer with what comes of it and what journeys are to be told, as they came; how many could not be noted."""
    noted: list[tuple[Reply, ReplyOutcome, Noted]] = []
    left = after = 0
    while replies := await deliveries.waiting_replies(pool, after):
        after = replies[-1].position
        for reply in replies:
            with done.part(f"reply {reply.event}"):
                found = await note_wish(pool, ring, reply, now)
                if found is None:
                    left += 1
                else:
                    noted.append((reply, *found))
    return noted, left


async def note_wish(pool: Pool, ring: KeyRing, reply: Reply, now: datetime) -> tuple[ReplyOutcome, Noted] | None:
    """Note a STOP, or a START, of everybody who has the number: their own word, on their streams.

    Returns what comes of it, and what their journeys are to be told; None: nobody trusts this process's key yet.
    Noted again it is the same. Whoever is being forgotten is not changed any more, and is written to no more either.
    """
    if not reply.people:
        return "nobody", ()
    if reply.wish == "other":
        return "unread", ()
    if not await signing_keys.hold(pool, ring):
        return None
    came: set[ReplyOutcome] = {"known"}
    noted: list[people.OwnFact] = []
    for id in reply.people:
        person = await people.person(pool, id)
        if person is None:
            continue
        told = issue(
            ring, stream=people.stream_of(id), body=OptOut() if reply.wish == "stop" else OptIn(), actor=id,
            roles=("participant",), now=now, id=following_id(id, f"reply/{reply.event}"), occurred_at=reply.at,
        )  # fmt: skip
        # One that was noted here goes on to the journeys that have not heard of it yet.
        if person.opted_out is (reply.wish == "stop") and await known_answer(pool, told) is None:
            continue
        try:
            own = await people.obey(pool, ring, told, now)
        except NotFound:
            came.add("forgotten")
            continue
        if own.outcome == "accepted":
            came.add("taken")
            noted.append(people.OwnFact.of(told, own.first))
        elif own.code != people.OVERTAKEN:
            came.add("refused")
    return next(each for each in _WORST_FIRST if each in came), noted


async def _tell_wishes(
    pool: Pool, ring: KeyRing, send: Callable[[Command], Awaitable[Answer | None]], wishes: Noted, now: datetime
) -> bool:
    """Tell the journeys of those who wished something; False: not told everywhere yet."""
    for told in wishes:
        person = await people.person(pool, told.stream.removeprefix("person-"))
        # Told after a newer wish, it would undo that in the journeys.
        if person is None or person.opted_out is not isinstance(told.body, OptOut):
            continue
        for row in await views.journeys(pool, person=person.id):
            answer = await send(forwarded(ring, told, row.stream, now))
            if not _heard(answer):
                return False
    return True
