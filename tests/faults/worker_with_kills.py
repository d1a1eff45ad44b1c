"""The worker, with places to die at and without some of its guards, both put in from outside.

Environment besides the worker's own: FAULTS_HOME (the orders), FAULTS_WITHOUT (guards, commas between),
FAULTS_EFFECT_SECONDS (after how long an attempt of an effect is given up; empty for the worker's own 60) and
FAULTS_HASTENED (anything: a minute of a programme lasts a second, see hastened.py).
"""

import os
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio import workflow
from temporalio.worker import (
    Interceptor,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

import worker
from activities import effects, grants, reminders
from activities.sepa import SepaTill
from journeys.channels.asking import Line
from journeys.channels.bank import BankAnswer, Order, SimulatedBank
from journeys.channels.letter import Fate, Letter, Sent
from journeys.channels.mail import SmtpMailer
from journeys.channels.provider import Provider
from journeys.channels.sms import Gateway
from journeys.contract import Append, Appended
from journeys.domain import gate, messages, recipients, sending
from journeys.domain import grants as rules
from journeys.domain.calendar import Calendar
from journeys.domain.commands import ApproveGrant, Command, RecordReceipt
from journeys.domain.deciding import Deciding
from journeys.domain.events import MessageBounced, MessageDelivered
from journeys.domain.recipients import Verdict
from journeys.domain.state import Message, State
from journeys.store import attempts, claims, journal, money, provider
from journeys.store.attempts import Attempt
from journeys.store.canonical import canonical
from journeys.store.claims import Claim
from journeys.store.database import Connection, Pool
from journeys.store.journal import Written
from journeys.store.money import MoneyOffer
from journeys.store.offer import Offer
from journeys.store.signing import KeyRing
from tests.faults.hastened import hastened
from tests.faults.points import Guard, MoneyPoint, Orders, Point, SendPoint

ORDERS = Orders(Path(os.environ["FAULTS_HOME"]))
WITHOUT = {Guard(name) for name in os.environ.get("FAULTS_WITHOUT", "").split(",") if name}
EFFECT_SECONDS = os.environ.get("FAULTS_EFFECT_SECONDS", "")

HASTE = ExitStack()
"""For as long as the process lives."""

SENDING: ContextVar[str] = ContextVar("sending", default="")
"""The journey whose message this task sends; empty for other effects."""

INSTRUCTING: ContextVar[str] = ContextVar("instructing", default="")
"""The journey whose payment this task instructs; empty for other effects."""


def put_in_the_payment() -> None:
    claim, settle, instruct = claims.claim, claims.settle, SimulatedBank.instruct

    async def claim_or_die(pool: Pool, journey: str, effect: int, kind: str, at: datetime) -> Claim:
        INSTRUCTING.set(journey if kind == "instruct" else "")
        if kind == "instruct":
            ORDERS.strike(Point.BEFORE_CLAIM, journey)
        found = await claim(pool, journey, effect, kind, at)
        if kind == "instruct":
            ORDERS.strike(Point.AFTER_CLAIM, journey)
        return Claim(fresh=True, attempts=found.attempts, outcome=None) if Guard.CLAIM in WITHOUT else found

    async def instruct_or_die(bank: SimulatedBank, order: Order) -> BankAnswer:
        key = str(uuid.uuid4()) if Guard.BANK_KEY in WITHOUT else order.payment
        ORDERS.tell_bank(order.payment, key)
        said = await instruct(bank, replace(order, payment=key))
        ORDERS.strike(Point.AFTER_BANK, INSTRUCTING.get())
        return said

    async def settle_or_die(pool: Pool, journey: str, effect: int, outcome: dict[str, Any]) -> dict[str, Any]:
        kept = await settle(pool, journey, effect, outcome)
        if INSTRUCTING.get():
            ORDERS.strike(Point.AFTER_OUTCOME, journey)
        return kept

    claims.claim, claims.settle = claim_or_die, settle_or_die
    SimulatedBank.instruct = instruct_or_die  # type: ignore[method-assign, assignment]


def put_in_the_tills() -> None:
    """The same in what pays: a provider, and the file of the day."""
    pay, use_key, queue = Provider.pay, provider.use_key, SepaTill.instruct

    async def pay_or_die(self: Provider, order: Order) -> BankAnswer:
        key = str(uuid.uuid4()) if Guard.BANK_KEY in WITHOUT else order.payment
        ORDERS.tell_bank(order.payment, key)
        said = await pay(self, replace(order, payment=key))
        ORDERS.strike(Point.AFTER_BANK, INSTRUCTING.get())
        return said

    async def use_key_or_die(*asked: Any) -> datetime | None:
        before = await use_key(*asked)
        ORDERS.strike(MoneyPoint.KEY_WRITTEN, INSTRUCTING.get())
        return before

    async def queue_or_die(self: SepaTill, order: Order) -> BankAnswer:
        said = await queue(self, order)
        ORDERS.strike(Point.AFTER_BANK, INSTRUCTING.get())
        return said

    Provider.pay, SepaTill.instruct = pay_or_die, queue_or_die  # type: ignore[method-assign]
    provider.use_key = use_key_or_die


def put_in_the_sending() -> None:
    """The same in what sends messages to a person."""
    claim, settle, begin, ended = claims.claim, claims.settle, attempts.begin, attempts.ended

    async def claim_and_know(pool: Pool, journey: str, effect: int, kind: str, at: datetime) -> Claim:
        SENDING.set(journey if kind == "deliver" else "")
        return await claim(pool, journey, effect, kind, at)

    async def begin_or_die(pool: Pool, message: str, stream: str, channel: str, at: datetime) -> Attempt | None:
        ORDERS.strike(SendPoint.BEFORE_ATTEMPT, stream)
        attempt = await begin(pool, message, stream, channel, at)
        if attempt is None and Guard.ATTEMPT in WITHOUT:
            attempt = Attempt(message, 0, at)
        ORDERS.strike(SendPoint.AFTER_ATTEMPT, stream)
        return attempt

    async def ended_or_die(pool: Pool, attempt: Attempt, *said: str) -> None:
        if attempt.number:
            await ended(pool, attempt, *said)
        ORDERS.strike(SendPoint.AFTER_END, SENDING.get())

    async def settle_or_die(pool: Pool, journey: str, effect: int, outcome: dict[str, Any]) -> dict[str, Any]:
        kept = await settle(pool, journey, effect, outcome)
        if SENDING.get():
            ORDERS.strike(SendPoint.AFTER_OUTCOME, journey)
        return kept

    def sends_or_dies(send: Callable[[Any, Letter], Awaitable[Sent]]) -> Callable[[Any, Letter], Awaitable[Sent]]:
        async def send_or_die(channel: Any, letter: Letter) -> Sent:
            sent = await send(channel, letter)
            if SENDING.get() and sent.fate is Fate.SENT:
                ORDERS.strike(SendPoint.AFTER_CHANNEL, SENDING.get())
            return sent

        return send_or_die

    claims.claim, claims.settle = claim_and_know, settle_or_die
    attempts.begin, attempts.ended = begin_or_die, ended_or_die
    for channel in (Gateway, SmtpMailer):
        channel.send = sends_or_dies(channel.send)  # type: ignore[attr-defined]


def hurry() -> None:
    """What the product waits in minutes, in seconds; and channels that it gives up in time for that."""
    reminders._FIRST_PAUSE, reminders._SHORTEST_PAUSE = (  # type: ignore[misc]
        timedelta(seconds=2), timedelta(seconds=0.5),
    )  # fmt: skip
    Line.__init__.__defaults__ = (1.0, 1.5, None)
    HASTE.enter_context(hastened())


def put_in_the_append() -> None:
    append, write, append_money = journal.append, journal.write, money._append

    async def append_or_die(pool: Pool, ring: KeyRing, request: Append) -> Appended:
        before, _, after = _points((event["kind"] for event in request.events), request.answered)
        for point in before:
            ORDERS.strike(point, request.stream)
        answer = await append(pool, ring, request)
        if answer.accepted:
            for point in after:
                ORDERS.strike(point, request.stream)
        return answer

    async def write_or_die(connection: Connection, offers: Sequence[Offer]) -> list[Written]:
        inside = {offer.stream: _points(offer.kinds, offer.commands)[1] for offer in offers}
        if not any(ORDERS.is_ordered(point, stream) for stream, points in inside.items() for point in points):
            return await write(connection, offers)
        async with connection.transaction():
            written = await write(connection, offers)
            for offer, one in zip(offers, written, strict=True):
                if one.outcome == "accepted":
                    for point in inside[offer.stream]:
                        ORDERS.strike(point, offer.stream)
        return written

    async def money_or_die(
        connection: Connection, taken: Sequence[tuple[MoneyOffer, list[dict[str, Any]]]]
    ) -> list[Any]:
        rows = await append_money(connection, taken)
        for (each, _), row in zip(taken, rows, strict=True):
            if row["outcome"] == "accepted":
                for point in _points(each.offer.kinds, each.offer.commands)[1]:
                    ORDERS.strike(point, each.stream)
        return rows

    journal.append, journal.write, money._append = append_or_die, write_or_die, money_or_die


def _points(kinds: Iterable[str], answered: Sequence[object]) -> tuple[list[Point], list[Point], list[Point]]:
    """What an append of these is a step of: the points before it, inside it and after it."""
    kinds = set(kinds)
    before, inside, after = [], [], []
    if answered:
        before.append(Point.APPEND_BEFORE)
        inside.append(Point.APPEND_INSIDE)
        after.append(Point.APPEND_AFTER)
    if "PaymentReserved" in kinds:
        inside.append(Point.RESERVE_INSIDE)
        after.append(Point.RESERVE_AFTER)
    if "PaymentInstructed" in kinds:
        before.append(Point.EVENT_BEFORE)
        inside.append(Point.EVENT_INSIDE)
        after.append(Point.EVENT_AFTER)
    return before, inside, after


def take_guards_away() -> None:
    """Those that stand in Python; the position is taken away in the database."""
    if Guard.CLAIM in WITHOUT:

        async def nothing_recorded(pool: Pool, journey: str, effect: int) -> None:
            return None

        claims.recorded = nothing_recorded
    if Guard.SIGNATURE in WITHOUT:

        def anybody(command: Command, ring: KeyRing) -> bytes | None:
            return canonical(command.signed_content())

        journal.signed_bytes = anybody  # type: ignore[attr-defined]
    if Guard.LOOK_UP in WITHOUT:

        def again(act: effects.Act, doubtful: effects.Act | None = None) -> effects.Step:
            return effects.Step(act)

        grants.Step = again  # type: ignore[attr-defined, assignment]
    if Guard.LOOK in WITHOUT:
        reminders.may_still_send = lambda *_: Verdict()  # type: ignore[attr-defined]
    if Guard.QUIET in WITHOUT:
        Calendar.quiet_until = lambda self, instant: None  # type: ignore[method-assign]
    if Guard.VALIDITY in WITHOUT:
        why_not, first_free = messages.why_not, sending.first_free

        def never_too_late(state: State, message: Message, now: datetime) -> str | None:
            return why_not(state, message, min(now, message.valid_until))

        messages.why_not = recipients.why_not = never_too_late  # type: ignore[attr-defined]
        messages.when_to_send = (  # type: ignore[attr-defined]
            lambda planned, calendar, spares, _: first_free(planned, calendar, spares)
        )
    if Guard.CLOSING in WITHOUT:
        asked = messages.why_not

        def closed_or_not(state: State, message: Message, now: datetime) -> str | None:
            reason = asked(state, message, now)
            return None if reason == "closed" else reason

        messages.why_not = recipients.why_not = closed_or_not  # type: ignore[attr-defined]
    if Guard.DOUBT in WITHOUT:
        delivered = messages.delivered

        def without_doubt(work: Deciding, effect: int, id: str, answer: str, *said: Any, **more: Any) -> None:
            delivered(work, effect, id, "deferred" if answer == "perhaps" else answer, *said, **more)

        messages.delivered = without_doubt
    if Guard.RECEIPTS in WITHOUT:

        def said_again(work: Deciding, body: RecordReceipt) -> None:
            arrived = body.said == "delivered"
            work.fact(MessageDelivered(message=body.id) if arrived else MessageBounced(message=body.id, reason="test"))

        messages.said = said_again
    if Guard.DIGEST in WITHOUT:
        approve, refusal = rules.approve, gate.refusal

        def whatever_was_seen(work: Deciding, body: ApproveGrant) -> None:
            known = work.state.grants.get(body.grant)
            approve(work, body.model_copy(update={"digest": known.digest}) if known is not None else body)

        rules.approve = whatever_was_seen
        gate.Proof.covers = _covers_whatever(gate.Proof.covers)  # type: ignore[method-assign]
        gate.refusal = lambda grant, approvals, *rest: refusal(
            grant, [replace(each, digest=grant.digest) for each in approvals], *rest
        )


def _covers_whatever(covers: Callable[..., bool]) -> Callable[..., bool]:
    def without_digest(self: gate.Proof, event: Any, name: str, **said: Any) -> bool:
        return covers(self, event, name, **{field: value for field, value in said.items() if field != "digest"})

    return without_digest


class _GivenUpSooner(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.start_to_close_timeout = timedelta(seconds=float(EFFECT_SECONDS))
        return super().start_activity(input)


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_GivenUpSooner(outbound))


class GivenUpSooner(Interceptor):
    """Temporal notices a dead worker only when an attempt of an effect has had its time: 60 s are long for a test."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return _Inbound


def shorten_effects() -> None:
    make: Callable[..., Any] = worker.make_worker
    worker.make_worker = lambda *a, **options: make(*a, **options, interceptors=[GivenUpSooner()])


if __name__ == "__main__":
    put_in_the_payment()
    put_in_the_tills()
    put_in_the_sending()
    put_in_the_append()
    if os.environ.get("FAULTS_HASTENED"):
        hurry()
    take_guards_away()
    if EFFECT_SECONDS:
        shorten_effects()
    worker.main()
