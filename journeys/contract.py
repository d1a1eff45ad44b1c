"""What crosses between workflow, activities and entry points: names, inputs and results. Data only."""

from enum import StrEnum
from typing import Any, Final, Literal

from journeys.domain.commands import Command
from journeys.domain.record import Frozen, Instant

WORKFLOW: Final = "journey"
TASK_QUEUE: Final = "journeys"

COMMAND: Final = "command"
"""The update that carries every signed command; its update id is the command id."""

STATE: Final = "state"
AGENDA: Final = "agenda"

APPEND: Final = "journal.append"
DELIVER: Final = "reminders.deliver"
TELL: Final = "escalations.tell"
CHECK: Final = "milestones.check"
INSTRUCT: Final = "grants.instruct"
ENQUIRE: Final = "grants.enquire"
HOUSEKEEPING: Final = "housekeeping"
WAKE: Final = "fleet.wake"

CONTROL: Final = "control"
"""The daily control of the money: its workflow and its schedule."""
CONTROL_MONEY: Final = "control.money"

DIGESTS: Final = "digests"
"""The telling of alerts that are not urgent, in one letter a day and recipient: its workflow and its schedule."""
SEND_DIGESTS: Final = "digests.send"

ARCHIVE: Final = "archive"
"""The daily keeping of histories: its workflow and its schedule."""
ARCHIVE_HISTORIES: Final = "archive.histories"

VERIFICATION: Final = "verification"
"""The nightly verification of everything: its workflow and its schedule."""
VERIFY_ALL: Final = "verification.all"
REPLAYING: Final = "replaying"
"""The replay of every history, when somebody asks for it: its workflow, and the id of the one under way."""
REPLAY_ALL: Final = "replaying.all"
RETENTION: Final = "retention"
"""The daily look at what has been kept long enough: its workflow and its schedule."""
RETENTION_ROUND: Final = "retention.round"

CHECKPOINTS: Final = "checkpoints"
"""The keeping of the log and of its signed checkpoints: its workflow and its schedule."""
KEEP_CHECKPOINTS: Final = "checkpoints.keep"

ERASURE: Final = "erasure"
"""The workflow that forgets a person; its id is `erasure-` and the person's id."""
ERASURE_CLOSE: Final = "erasure.close"
ERASURE_SURVEY: Final = "erasure.survey"
ERASURE_DESTROY: Final = "erasure.destroy"
ERASURE_DELETE: Final = "erasure.delete"
ERASURE_RUNS: Final = "erasure.runs"
ERASURE_LETTERS: Final = "erasure.letters"
ERASURE_CERTIFY: Final = "erasure.certify"

WEBHOOK: Final = "webhook"
"""The workflow that tells one system elsewhere; its id is `webhooks-` and the webhook's id."""
WEBHOOK_WAKE: Final = "wake"
"""The signal that makes it try at once what waits to be tried again."""
WEBHOOK_DELIVER: Final = "webhooks.deliver"
WEBHOOK_STOP: Final = "webhooks.stop"
WEBHOOKS_BEGIN: Final = "webhooks.begin"


class Fate(StrEnum):
    """What became of a command that got no answer in time. Sending the same one again is safe whichever it is."""

    NOT_TAKEN = "not-taken"
    """It never reached the engine."""
    UNDER_WAY = "under-way"
    """The engine has taken it and is writing it down."""
    UNKNOWN = "unknown"


class Answer(Frozen):
    """What a caller gets for a command, for ever the same for the same id.

    `first` and `last` are the seqs of its events, 0 when it has none.
    """

    command: str
    outcome: Literal["accepted", "refused", "conflict", "unsigned"]
    code: str | None = None
    """Why it was refused: a code of the rule or right, told to people by the narration."""
    details: dict[str, Any] = {}
    first: int = 0
    last: int = 0
    seq: int = 0
    """Where the journey stood after it."""


class Answered(Frozen):
    """A command with the answer that goes to the journal beside its events."""

    command: Command
    answer: Answer


class Append(Frozen):
    """Offer events to a stream at the position that the workflow expects.

    `events` are headers without `prev`; `texts` are hashes of programmes and calendars wanted back.
    """

    stream: str
    expected: int
    """The seq of the last event folded; 0 for an empty stream."""
    events: tuple[dict[str, Any], ...] = ()
    answered: tuple[Answered, ...] = ()
    view: dict[str, Any] | None = None
    """What lists show after these events: `summary(state)`. None: what they show already, at the new seq."""
    texts: tuple[str, ...] = ()
    money: bool = False
    """The offer reserves a payment: the fund's row is locked and its rules are checked first."""


class Appended(Frozen):
    """What the journal holds from the expected position on.

    `accepted`: the offer was stored whole. Otherwise nothing of it was: fold `events`, drop the commands named in
    `unsigned` and `known`, and decide again.
    """

    accepted: bool
    events: tuple[dict[str, Any], ...] = ()
    """Headers as stored, in order, beginning after `expected`; at most a page of them."""
    more: bool = False
    """There is another page after these: append again (with no events) from its end."""
    unsigned: tuple[str, ...] = ()
    """Command ids whose signature or parts do not hold."""
    known: tuple[Answer, ...] = ()
    """Answers that commands of these ids got before (outcome `conflict` when the content differs), or get now because
    of what was locked (`payment-at-bank`): those are not kept, and the same command may be given again."""
    texts: dict[str, str] = {}
    """Programmes and calendars by hash: those wanted, and those that `events` name. An accepted offer was decided by
    them, so they do not come a second time: each stays in the history and in the worker for as long as the journey."""
    blocked: str | None = None
    """Why the fund refused the reservation (a code), when it did."""


class Begin(Frozen):
    """Input of a journey's run: nothing for a new or a returning one, what was folded when it continues."""

    state: dict[str, Any] | None = None
    texts: dict[str, str] = {}
    history_limit: int | None = None
    """Only for tests: continue as new after so many history events."""


class Effect(Frozen):
    """Input of an activity that touches the world; its id is (journey, seq of the event that calls for it)."""

    stream: str
    seq: int
    at: Instant
    """The workflow's time."""
    details: dict[str, Any]
    """What the calling event says; see the activity."""


class EffectOutcome(Frozen):
    """What an effect's activity found: becomes an unsigned command of the run."""

    seq: int
    result: dict[str, Any]


class KeepCheckpoints(Frozen):
    """Keep the log for so many seconds, a round every so many."""

    seconds: float
    every: float


class Controlling(Frozen):
    """Input of a control or a verification: the id of its run, under which it is kept once, and the workflow's time."""

    run: str
    at: Instant


class Replaying(Frozen):
    """Input of a replay of every history: the id of the member of staff who asked for it."""

    by: str


class ReplayAll(Frozen):
    """Input of its activity: the run under which what is found is kept once, who asked, and the workflow's time."""

    run: str
    by: str
    at: Instant


class SendDigests(Frozen):
    """Input of a round of digests: the workflow's time."""

    at: Instant


class Run(Frozen):
    """A run of a journey that ended, as the engine lists it."""

    id: str
    stream: str
    events: int
    """Of its history."""
    closed_at: Instant


class Retained(Frozen):
    """What a round of the retention found, and what it did of it as its rules say."""

    due: int
    """People and mentors whose time is over."""
    held: int
    """Of these, those who stay, and why is told where people look."""
    gone: dict[str, int] = {}
    """By rule, how many went; whoever is among them is being forgotten then."""


class Erasing(Frozen):
    """Input of an erasure, and of each of its steps."""

    person: str
    """Their id."""
    kind: Literal["person", "mentor", "staff", "partner"] = "person"
    step_seconds: float | None = None
    """Only for tests: how long a step whose worker is gone is waited for."""


class Held(Frozen):
    """A journey whose next event was not taken, `failures` times since `since`; not tried again before `until`."""

    failures: int
    since: Instant
    until: Instant
    reason: str


class Subscription(Frozen):
    """Input of a webhook's run: what the run before knew, nothing for a new one."""

    webhook: str
    held: dict[str, Held] = {}
    """By stream; few."""
    taken_at: Instant | None = None
    """When the last event was taken."""
    history_limit: int | None = None
    """Only for tests: continue as new after so many history events."""


class Deliver(Frozen):
    """Input of a delivery: tell what is to be told; where there is nothing, wait for it."""

    webhook: str
    again: tuple[str, ...] = ()
    """Streams that failed before and are due: these first."""
    without: tuple[str, ...] = ()
    """Streams that failed before and are not due."""
    room: int
    """Give up when so many streams have failed."""
    wait_seconds: float


class Delivered(Frozen):
    """What became of a delivery."""

    state: Literal["active", "paused", "ended", "gone"] = "active"
    """`gone`: the receiver said that it wants no more."""
    taken: int = 0
    recovered: tuple[str, ...] = ()
    """Those of `again` that were taken."""
    failed: dict[str, str] = {}
    """Streams whose next event was not taken, with a code."""
    after_seconds: dict[str, float] = {}
    """Of these, how long the receiver asks to be left alone, where it says so."""


class StopWebhook(Frozen):
    """Input of what happens when it does not go on: by itself (`gone`, `failing`), or for one journey (`stuck`)."""

    webhook: str
    why: Literal["gone", "failing", "stuck"]
    reason: str
    stream: str = ""
