"""The journey of one person: one loop, one timer. It decides, offers to the journal, folds what the journal says."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, RetryState

with workflow.unsafe.imports_passed_through():
    from journeys import contract
    from journeys.contract import Answer, Answered, Append, Appended, Begin, Effect, EffectOutcome
    from journeys.domain.agenda import Due, agenda, first, is_over, pending
    from journeys.domain.commands import Command
    from journeys.domain.decide import Outcome
    from journeys.domain.events import read_event
    from journeys.domain.evolve import fold
    from journeys.domain.handbook import Handbook, Shelf, kept_once, open_handbook
    from journeys.domain.offer import Decided, Offer, make_offer
    from journeys.domain.state import EffectKnown, State, dump, load
    from journeys.domain.summary import summary

APPEND_OPTIONS: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=5),
    "local_retry_threshold": timedelta(seconds=5),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=50), backoff_coefficient=2, maximum_interval=timedelta(seconds=10)
    ),
}
"""An append is tried until it is answered: a lost database must not hold a task slot longer than the threshold."""

HISTORY_LIMIT = 1_000
"""Continue as new after so many history events (a six-month life has fewer). A worker that takes over from a dead one
must replay each journey that is asked within one task timeout; at 3,000 it began again and again, callers waited 24 s.
"""

EFFECT_LIMIT = timedelta(minutes=10)
"""No effect outlives this; trying again later is a due of the journey, not a retry of Temporal."""

EFFECT_OPTIONS: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=60),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(seconds=60)
    ),
}


@dataclass(slots=True)
class Waiting:
    """A command whose caller waits for its answer."""

    command: Command
    answer: Answer | None = None


@workflow.defn(name=contract.WORKFLOW)
class JourneyWorkflow:
    """The only writer of a journey's stream."""

    @workflow.init
    def __init__(self, begin: Begin) -> None:
        # What a run before handed on is trusted, what somebody starts a run with is not: the journal says it.
        handed_on = begin.state is not None and workflow.info().continued_run_id is not None
        self._history_limit = begin.history_limit
        self._state = load(begin.state) if begin.state and handed_on else State(stream=workflow.info().workflow_id)
        self._texts = begin.texts if handed_on else {}
        self._book: Handbook | None = _open(self._state, self._texts)
        self._queue: list[Waiting] = []
        self._outcomes: list[Outcome] = []
        self._running: dict[int, asyncio.Task[None]] = {}
        self._timer: tuple[datetime, asyncio.Task[None]] | None = None
        self._blocked: str | None = None

    # --- what others may ask

    @workflow.update(name=contract.COMMAND)
    async def command(self, command: Command) -> Answer:
        """Queue a signed command and wait until its outcome is durable."""
        waiting = Waiting(command)
        self._queue.append(waiting)
        await workflow.wait_condition(lambda: waiting.answer is not None)
        assert waiting.answer is not None
        return waiting.answer

    @command.validator
    def _is_for_this_journey(self, command: Command) -> None:
        if command.stream != workflow.info().workflow_id:
            raise ApplicationError("the command is for another journey", type="WrongStream", non_retryable=True)
        if not command.signature:
            raise ApplicationError("the command is not signed", type="Unsigned", non_retryable=True)

    @workflow.query(name=contract.STATE)
    def state(self) -> dict[str, Any]:
        """What is known, with its seq: compared with the journal by `audit verify`."""
        return dump(self._state)

    @workflow.query(name=contract.AGENDA)
    def agenda_query(self) -> list[dict[str, str]]:
        """Everything that happens by itself unless something else happens first, in order."""
        return [{"at": due.at.isoformat(), "kind": due.kind.name.lower(), "id": due.id} for due in agenda(self._state)]

    # --- the loop

    @workflow.run
    async def run(self, begin: Begin) -> None:
        """Sleep until a command or the first due; decide, append, fold, act; until nothing is left to happen."""
        self._start_effects()  # Those that the run before no longer began: no command or due will wake them.
        while True:
            await self._sleep()
            await self._turn()
            self._start_effects()
            if self._is_over():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self._is_over():
                    return
            if self._continues() and not self._running and not self._queue and not self._outcomes:
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._queue:
                    workflow.continue_as_new(
                        Begin(state=dump(self._state), texts=self._texts, history_limit=self._history_limit)
                    )

    async def _sleep(self) -> None:
        """Until a command or an outcome waits, the first due has come, or a long history may be left behind."""
        due = first(self._state)
        self._set_timer(due)
        if due is not None and due.at <= workflow.now():
            return
        await workflow.wait_condition(
            lambda: bool(
                self._queue
                or self._outcomes
                or (self._timer is not None and self._timer[1].done())
                or (self._continues() and not self._running)
            )
        )

    def _set_timer(self, due: Due | None) -> None:
        """Keep the timer while the first due stays the same; it costs an action to set it anew."""
        if self._timer is not None:
            at, task = self._timer
            if due is not None and at == due.at and not task.done():
                return
            task.cancel()
            self._timer = None
        if due is not None and due.at > workflow.now():
            sleeping = workflow.sleep(due.at - workflow.now(), summary=f"{due.kind.name.lower()} {due.id}".strip())
            self._timer = (due.at, asyncio.create_task(sleeping))

    async def _turn(self) -> None:
        """One offer: until the journal takes it, adopt what it holds and decide again."""
        while True:
            if self._book is None and not await self._learn():
                return
            assert self._book is not None
            waiting = list(self._queue)
            shelf = await self._shelf(waiting)
            offer = make_offer(
                self._state,
                self._book,
                [w.command for w in waiting],
                self._outcomes,
                workflow.now(),
                self._blocked,
                shelf,
            )
            if offer.is_empty:
                del self._outcomes[: offer.outcomes]
                return
            if not offer.events and not any(_is_recorded(decided) for decided in offer.decided):
                self._give(waiting, offer)
                return
            answer = await self._append(_request(offer))
            if answer.accepted:
                self._give(waiting, offer)
                del self._outcomes[: offer.outcomes]
                self._blocked = None
                return
            self._drop(answer)

    async def _learn(self) -> bool:
        """Ask the journal who this is: its events, and the texts of its programme and calendar."""
        asked = [w.command.body for w in self._queue if w.command.body.name == "plan"]
        texts = tuple(hash for body in asked for hash in (body.programme, body.calendar))
        await self._append(Append(stream=self._state.stream, expected=self._state.seq, texts=texts))
        if self._book is not None:
            return True
        if self._state.seq == 0 and asked and set(texts[:2]) <= self._texts.keys():
            self._texts = {hash: self._texts[hash] for hash in texts[:2]}
            self._book = open_handbook(self._texts[texts[0]], self._texts[texts[1]])
            return True
        code = "unknown-programme" if asked else "unknown-journey"
        for waiting in self._queue:
            waiting.answer = Answer(command=waiting.command.id, outcome="refused", code=code)
        self._queue.clear()
        return False

    async def _shelf(self, waiting: list[Waiting]) -> Shelf:
        """The rules that a waiting command may put in force: asked of the journal, which alone says what they are."""
        named = {
            (body.programme, body.calendar)
            for each in waiting
            if (body := each.command.body).name == "change-programme"
        }
        missing = {hash for pair in named for hash in pair} - self._texts.keys()
        if missing:
            await self._append(
                Append(stream=self._state.stream, expected=self._state.seq, texts=tuple(sorted(missing)))
            )
        return {
            pair: open_handbook(self._texts[pair[0]], self._texts[pair[1]])
            for pair in sorted(named)
            if set(pair) <= self._texts.keys()
        }

    async def _append(self, request: Append) -> Appended:
        """Offer, and fold every event of the answer, page by page."""
        answer = await self._call(request)
        self._adopt(answer)
        page = answer
        while page.more:
            page = await self._call(Append(stream=request.stream, expected=self._state.seq))
            self._adopt(page)
        return answer

    async def _call(self, request: Append) -> Appended:
        label = f"{len(request.events)} events behind {request.expected}"
        answer: Appended = await workflow.execute_local_activity(
            contract.APPEND, request, result_type=Appended, summary=label, **APPEND_OPTIONS
        )
        return answer

    def _adopt(self, answer: Appended) -> None:
        self._texts |= kept_once(answer.texts)
        if answer.events:
            self._state = fold([read_event(header) for header in answer.events], self._state)
        known = self._state
        changed = any(header["kind"] == "ProgrammeChanged" for header in answer.events)
        if (self._book is None or changed) and known.programme in self._texts and known.calendar in self._texts:
            self._texts = {hash: self._texts[hash] for hash in (known.programme, known.calendar)}
            self._book = open_handbook(self._texts[known.programme], self._texts[known.calendar])

    def _drop(self, answer: Appended) -> None:
        """The journal refused the offer: commands with a bad signature and those answered before leave the queue."""
        self._blocked = answer.blocked
        told = {known.command: known for known in answer.known}
        told |= {id: Answer(command=id, outcome="unsigned", code="unsigned") for id in answer.unsigned}
        for waiting in list(self._queue):
            known = told.get(waiting.command.id)
            if known is not None:
                waiting.answer = known
                self._queue.remove(waiting)

    def _give(self, waiting: list[Waiting], offer: Offer) -> None:
        """Every caller whose command was in the offer gets its own outcome."""
        for asked, decided in zip(waiting, offer.decided, strict=False):
            asked.answer = _answer(decided, self._state.seq)
            self._queue.remove(asked)

    # --- effects

    def _start_effects(self) -> None:
        """Start every effect without outcome, unless this run is about to be left behind."""
        if self._continues():
            return
        for seq, effect in pending(self._state).items():
            if seq not in self._running:
                self._running[seq] = asyncio.create_task(self._run_effect(seq, effect))

    async def _run_effect(self, seq: int, effect: EffectKnown) -> None:
        """Touch the world through an activity; whatever comes of it is an outcome of the journey."""
        outcome: Outcome | None = None
        called = workflow.now()
        while outcome is None:
            given = Effect(
                stream=self._state.stream,
                seq=seq,
                at=workflow.now(),
                details={"kind": effect.kind, "id": effect.id, "data": effect.data},
            )
            try:
                found: EffectOutcome = await workflow.execute_activity(
                    _activity_of(effect),
                    given,
                    result_type=EffectOutcome,
                    schedule_to_close_timeout=EFFECT_LIMIT,
                    summary=f"{effect.kind} {seq}",
                    priority=_priority_of(effect),
                    **EFFECT_OPTIONS,
                )
                outcome = _outcome(seq, found.result)
            except ActivityError as error:
                if not self._begins_again(effect, called, given.at, error):
                    outcome = Outcome(seq, "unknown", "no-answer")
                elif self._continues() and workflow.patched("waited-for-a-worker"):
                    # Without outcome: the next run asks. Waiting here would keep every other effect from beginning.
                    del self._running[seq]
                    return
        self._outcomes.append(outcome)
        del self._running[seq]

    def _begins_again(self, effect: EffectKnown, called: datetime, begun: datetime, error: ActivityError) -> bool:
        """Whether an effect that came to no end in its time is asked for again; else nobody knows what became of it.

        Staff are told at least once: a mail server that is away must not make every ladder climb. What the journal
        calls for no more would be refused again at once: its outcome makes this run adopt what stands there instead. A
        message that only waited for a worker has not left, and the record of its attempts tells it from one that may
        have: it is asked for while it is of use, and once after, so that it is said to have been too late. A check asks
        nothing of anybody but an answer: once more, when there is a worker again. Of money every doubt is looked into
        (`enquire`).

        Args:
            called: when it was called for. begun: when it was asked for last.
        """
        if effect.kind == "tell":
            refused = error.retry_state is RetryState.NON_RETRYABLE_FAILURE
            return not (refused and workflow.patched("told-unless-refused"))
        if effect.kind not in ("deliver", "check") or not workflow.patched("waited-for-a-worker"):
            return False
        if error.retry_state is RetryState.NON_RETRYABLE_FAILURE:
            return False
        message = self._state.messages.get(effect.id) if effect.kind == "deliver" else None
        return begun <= (message.valid_until if message is not None else called)

    # --- the end

    def _is_over(self) -> bool:
        nothing_waits = not (self._queue or self._outcomes or self._running)
        return nothing_waits and (self._book is None or is_over(self._state))

    def _continues(self) -> bool:
        limit = HISTORY_LIMIT if self._history_limit is None else self._history_limit
        if workflow.info().get_current_history_length() >= limit:
            return True
        return workflow.info().is_continue_as_new_suggested()


def _open(state: State, texts: dict[str, str]) -> Handbook | None:
    """The handbook that a run before handed on."""
    return open_handbook(texts[state.programme], texts[state.calendar]) if texts else None


def _request(offer: Offer) -> Append:
    return Append(
        stream=offer.state.stream,
        expected=offer.expected,
        events=tuple(event.header() for event in offer.events),
        answered=tuple(
            Answered(command=decided.command, answer=_answer(decided, offer.state.seq)) for decided in offer.decided
        ),
        view=summary(offer.state, offer.book).model_dump(mode="json") if offer.shows_anew else None,
        money=offer.money,
    )


def _is_recorded(decided: Decided) -> bool:
    """Whether the journal keeps this command's answer: not when there is no journey that could hold it."""
    return decided.refused is None or decided.first > 0


def _answer(decided: Decided, seq: int) -> Answer:
    refused = decided.refused
    return Answer(
        command=decided.command.id,
        outcome="accepted" if refused is None else "refused",
        code=refused.code if refused is not None else None,
        details=refused.details if refused is not None else {},
        first=decided.first,
        last=decided.last,
        seq=decided.last or seq,
    )


def _activity_of(effect: EffectKnown) -> str:
    match effect.kind:
        case "deliver":
            return contract.DELIVER
        case "tell":
            return contract.TELL
        case "check":
            return contract.CHECK
        case "instruct":
            return contract.INSTRUCT
        case "enquire":
            return contract.ENQUIRE
        case _:
            assert_never(effect.kind)


def _priority_of(effect: EffectKnown) -> Priority:
    """Which effects a worker takes up first where many wait: urgent alerts before all, messages after all."""
    match effect.kind:
        case "tell" if effect.data.get("urgent"):
            return Priority(priority_key=1)
        case "deliver":
            return Priority(priority_key=5)
        case _:
            return Priority.default


def _outcome(seq: int, result: dict[str, Any]) -> Outcome:
    until = result.get("until")
    return Outcome(
        effect=seq,
        answer=str(result["answer"]),
        reason=str(result.get("reason") or ""),
        told=tuple(result.get("told") or ()),
        role=str(result.get("role") or ""),
        until=datetime.fromisoformat(until) if until else None,
        wording=result.get("wording"),
        last_resort=bool(result.get("last_resort")),
        passed=tuple(result.get("passed") or ()),
        put_off=tuple(result.get("put_off") or ()),
        passed_by=tuple(result.get("passed_by") or ()),
        alive=tuple(result.get("alive") or ()),
        by=result.get("by"),
        zone=result.get("zone"),
    )
