"""What is known of a journey: the fold of its events, nothing else. Frozen parts in slotted dataclasses."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Literal

from pydantic import TypeAdapter

from journeys.domain.events import PlannedInstalment, PlannedReminder, Subject
from journeys.domain.record import Cause

UNREACHED = Subject(kind="consent", id="address-dead")
"""What an alert about a number or an address that is dead is about."""

CAME_BACK = "came-back"
"""Why a channel by which a message came back reaches nobody."""


class Status(StrEnum):
    NONE = "none"
    PLANNED = "planned"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class DateKnown:
    """A date that the calendar hangs on."""

    on: date
    at: datetime | None = None
    """When it happened, as told; None while expected."""
    happened: bool = False
    cancelled: bool = False
    unconfirmed: bool = False
    """It passed, and nobody has said whether it happened."""
    told_by: Cause | None = None
    """The event of a cohort's stream that told this day, when one did."""

    @property
    def open(self) -> bool:
        return not (self.happened or self.cancelled)


@dataclass(frozen=True, slots=True)
class PhaseKnown:
    entered: date
    at: datetime
    completed: bool = False


@dataclass(frozen=True, slots=True)
class MilestoneKnown:
    """A milestone that something happened to. `number` counts its deadlines."""

    number: int = 0
    settled: Literal["reached", "waived"] | None = None
    on: date | None = None
    at: datetime | None = None
    due: datetime | None = None
    """Its last deadline, open or not: what `<milestone> due` hangs on."""
    rescheduled: date | None = None
    evidence: tuple[str, ...] = ()
    checking: str | None = None
    """The check under way."""
    missed: str | None = None
    """Its last deadline, when that was missed."""
    missed_day: date | None = None
    missed_at: datetime | None = None
    missed_nominal: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """An open deadline."""

    milestone: str
    nominal: datetime
    at: datetime
    day: date | None
    awaits: str | None
    held: bool
    reminders: tuple[PlannedReminder, ...]
    reminded: int = 0

    @property
    def next_reminder(self) -> PlannedReminder | None:
        return self.reminders[self.reminded] if self.reminded < len(self.reminders) else None


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is not settled yet. `effect` is the seq of the event that lets it go; None while deferred."""

    purpose: str
    to: str
    about: Subject
    urgent: bool
    valid_until: datetime
    effect: int | None
    data: dict[str, Any]
    """What its MessageDue said: what the activity that delivers it is given."""
    until: datetime | None = None
    doubt: bool = False
    """It may have left, and leaves once however often it is asked for."""
    zone: str | None = None
    """Where staff, mentors or partners work whom it was to reach; None: in the programme's zone, or not known yet."""


@dataclass(frozen=True, slots=True)
class ContactKnown:
    """A grid of windows: the last one opened, and whether it is open."""

    window: int
    opens: datetime
    closes: datetime
    open: bool = True
    made: bool = False
    missed: tuple[int, ...] = ()
    """Numbers of the windows that passed without a contact."""
    counted_from: int = 0
    """Windows of grids under former rules: the first of today's grid has the number after it."""


@dataclass(frozen=True, slots=True)
class Appointment:
    at: datetime
    minutes: int
    milestone: str | None
    contact: str | None
    summons: bool
    remind_at: datetime | None
    ask_at: datetime | None
    asked: bool = False
    outcome: str | None = None
    answer: str | None = None
    """What the person said of it since it was booked or moved: coming, other-time."""
    or_at: tuple[datetime, ...] = ()
    """Other times that were offered to the person when it was booked or moved, in order."""
    wish: datetime | None = None
    """The time that they wish instead, where they need another one and said which."""
    known: bool = False
    """The person chose a time of it, or knew of it when it was moved."""
    reminded: datetime | None = None
    """The last time of it of which the reminder has come."""
    untold: str | None = None
    """The template of the last message to the person that it is moved or off, or may be at other times, where a
    suspension held it back."""
    reminder: str | None = None
    """The last message that reminds of it."""
    booked: datetime | None = None
    """When it was; None in what was folded before this was kept."""

    @property
    def counts_on_it(self) -> bool:
        """Whether the person knows of it: by its reminder, which has left or has no time left, or as they said."""
        return self.known or self.remind_at is None or self.answer is not None


@dataclass(frozen=True, slots=True)
class ChaseKnown:
    """An open step after a missed appointment."""

    appointment: str
    step: int
    do: Literal["call", "letter"]
    by: datetime
    since: datetime
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """An open escalation. `told` is the effect that tells the step's recipient, until it is settled."""

    ladder: str
    about: Subject
    to: str
    urgent: bool
    money: bool
    held: bool
    next_at: datetime | None
    raised_at: datetime
    step: int = 0
    repeat: int = 0
    acknowledged: bool = False
    assigned: str | None = None
    told: tuple[str, ...] = ()
    told_as: str = ""
    """The role in which they were told: the step's, or that of its fallback; whose id it is, where it was handed on to
    somebody; empty until somebody is."""
    fallback: tuple[str, ...] = ()
    tell_at: datetime | None = None
    """When a telling that waits is called for: the quiet hours are over, or its digest has left."""
    digest: datetime | None = None
    """When the digest leaves with which the step is told, until it is."""
    zone: str | None = None
    """Where those work who were to be told of the step; None: in the programme's zone, or not known yet."""
    since: datetime | None = None
    """When the step began, or was first taken in hand where nothing followed: what is planned counts from there. None
    in what was folded before this was kept."""
    snoozed: bool = False
    held_by: str = ""
    """Who took it in charge, or put it off."""
    held_since: datetime | None = None
    """When they did; None while nobody did, and in what was folded before this was kept."""
    held_until: datetime | None = None
    """Until when they have it; None while nobody has, and in what was folded before this was kept."""
    planned_at: datetime | None = None
    """When the step was to go on before anybody took it in hand; None while nobody did."""

    @property
    def spent(self) -> bool:
        """No step is left: it is told again at each review."""
        return self.next_at is None

    @property
    def planned(self) -> datetime | None:
        """When the step goes on, whatever somebody has it in hand for; None: nothing follows."""
        return self.planned_at or self.next_at

    @property
    def in_hand_until(self) -> datetime | None:
        """Until when somebody who took it in hand has it."""
        return self.held_until or self.next_at

    @property
    def roles(self) -> tuple[str, ...]:
        """Who is told of the step: whoever it was handed on to, the holders of its role, then its fallbacks."""
        return *((self.assigned,) if self.assigned is not None else ()), self.to, *self.fallback

    def awaits(self, telling: Mapping[str, Any]) -> bool:
        """Whether a telling, as its effect has it, is of the step in force, and to whoever has that now."""
        return (telling["step"], telling["repeat"], telling["person"]) == (self.step, self.repeat, self.assigned)


class GrantStatus(StrEnum):
    REQUESTED = "requested"
    RETURNED = "returned"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Approval:
    actor: str
    stands_for: str
    digest: str


@dataclass(frozen=True, slots=True)
class GrantKnown:
    """A grant; `over` once nothing can be paid from it any more."""

    kind: str
    purpose: str
    amount: int
    fund: str
    pay_by: str
    instalments: tuple[PlannedInstalment, ...]
    payee: str
    digest: str
    needed: tuple[str, ...]
    decide_by: datetime
    requester: str
    editor: str
    """Who last set the payee."""
    status: GrantStatus = GrantStatus.REQUESTED
    approvals: tuple[Approval, ...] = ()
    over: str | None = None
    paid_from: int = 0
    """Instalments up to this number were called for (reserved or blocked)."""
    pay_from: datetime | None = None
    """Nothing is paid before: the payee was changed, and somebody had to have time to see it."""
    again: tuple[int, ...] = ()
    """Instalments called for again, after what blocked them was mended."""
    asked: int = 0
    """The event that asked for these approvals."""

    @property
    def wanted(self) -> Counter[str]:
        """Roles whose approval it still waits for."""
        if self.over is not None or self.status is not GrantStatus.REQUESTED:
            return Counter()
        return Counter(self.needed) - Counter(given.stands_for for given in self.approvals)


class PaymentStatus(StrEnum):
    RESERVED = "reserved"
    INSTRUCTED = "instructed"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    BY_HAND = "settled-by-hand"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    BLOCKED = "blocked"

    @property
    def open(self) -> bool:
        return self in (
            PaymentStatus.RESERVED,
            PaymentStatus.INSTRUCTED,
            PaymentStatus.ACCEPTED,
            PaymentStatus.UNKNOWN,
        )

    @property
    def counts(self) -> bool:
        """Whether it counts against the cap: reserved or paid, and not come back."""
        return self.open or self in (PaymentStatus.SETTLED, PaymentStatus.BY_HAND)


@dataclass(frozen=True, slots=True)
class PaymentKnown:
    grant: str
    number: int
    amount: int
    status: PaymentStatus = PaymentStatus.RESERVED
    look_at: datetime | None = None
    held_since: datetime | None = None
    """When it first could not leave."""
    pay_by: str = ""
    reason: str = ""
    """What blocked it."""
    doubt: str | None = None
    """What the bank said of name and account, until finance has answered."""
    replaced: bool = False
    """Another payment makes it good, or calls for it again."""


@dataclass(frozen=True, slots=True)
class ReceiptKnown:
    payment: str
    grant: str
    amount: int
    by: datetime
    justified: int = 0
    """Cents accepted so far; of a settled receipt, what is missing was never justified."""
    submitted: int | None = None
    answer_by: datetime | None = None
    """When finance should have answered what was submitted; None once that was said, or nothing waits."""
    overdue: bool = False
    settled: str | None = None

    @property
    def missing(self) -> int:
        """Cents that nothing justifies yet."""
        return self.amount - self.justified


@dataclass(frozen=True, slots=True)
class Match:
    proposal: str
    mentor: str
    since: date


@dataclass(frozen=True, slots=True)
class ReferralKnown:
    partner: str
    purpose: str
    answer_by: datetime


@dataclass(frozen=True, slots=True)
class TransferKnown:
    transfer: str
    to: str
    site: str | None
    remind_at: datetime
    accept_at: datetime
    reminded: bool = False


@dataclass(frozen=True, slots=True)
class Suspended:
    """One suspension; `until_day` is the day from which the journey ran again."""

    why: str
    since: date
    at: datetime
    expected_end: date | None = None
    until_day: date | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a situation since a day."""

    value: str
    since: date


@dataclass(frozen=True, slots=True)
class EffectKnown:
    """An effect without outcome; its key in the state is the seq of the event that calls for it."""

    kind: Literal["deliver", "tell", "check", "instruct", "enquire"]
    id: str
    data: dict[str, Any]
    """What the activity is given: the calling event's own data, completed from what is known."""


@dataclass(slots=True)
class State:
    """A journey as folded from its events up to `seq`."""

    stream: str = ""
    seq: int = 0
    hash_at: datetime | None = None
    """`recorded_at` of the last event: time never runs backwards within a stream."""
    status: Status = Status.NONE
    person: str = ""
    referent: str = ""
    site: str | None = None
    name: str = ""
    programme: str = ""
    calendar: str = ""
    start: date | None = None
    started_at: datetime | None = None
    watch_from: datetime | None = None
    outcome: str | None = None
    silent: bool = False
    closed_on: date | None = None
    review_at: datetime | None = None
    closing_wanted: bool = False
    dates: dict[str, DateKnown] = field(default_factory=dict)
    phases: dict[str, PhaseKnown] = field(default_factory=dict)
    milestones: dict[str, MilestoneKnown] = field(default_factory=dict)
    deadlines: dict[str, Deadline] = field(default_factory=dict)
    moments: dict[str, datetime] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    left: dict[str, str | None] = field(default_factory=dict)
    """What a channel has said since of each message that left, or may have left, in their order: None, `delivered`,
    `bounced`, or `silent` once nothing was said for too long."""
    to_person: tuple[str, ...] = ()
    """Which of these went to the person."""
    left_by: dict[str, str] = field(default_factory=dict)
    """By which channel, where that was recorded."""
    gone: dict[str, str] = field(default_factory=dict)
    """The person's channels by which nobody is reached, and why; empty: one of which it was not recorded which."""
    asked_anew: tuple[str, ...] = ()
    """Which of them the open alert about them is about."""
    acted_after: int = 0
    """How many had left when the person last answered about an appointment, or moved one."""
    contacts: dict[str, ContactKnown] = field(default_factory=dict)
    appointments: dict[str, Appointment] = field(default_factory=dict)
    chases: dict[str, ChaseKnown] = field(default_factory=dict)
    escalations: dict[str, Escalation] = field(default_factory=dict)
    grants: dict[str, GrantKnown] = field(default_factory=dict)
    payments: dict[str, PaymentKnown] = field(default_factory=dict)
    receipts: dict[str, ReceiptKnown] = field(default_factory=dict)
    proposals: dict[str, str] = field(default_factory=dict)
    """Mentor of each open proposal."""
    match: Match | None = None
    referrals: dict[str, ReferralKnown] = field(default_factory=dict)
    transfer: TransferKnown | None = None
    suspensions: tuple[Suspended, ...] = ()
    situations: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    """Values by day, the latest last."""
    measured: dict[str, str] = field(default_factory=dict)
    """Answer of each `measure/number`."""
    consents: frozenset[str] = frozenset()
    """`partner/purpose` pairs."""
    opted_out: bool = False
    paused_until: datetime | None = None
    zone: str | None = None
    """Where the person lives, as a name of the time zone database; None: in the programme's own."""
    died_on: date | None = None
    erasure_asked: bool = False
    erasing: bool = False
    """All that is known of the person goes, or is gone."""
    effects: dict[int, EffectKnown] = field(default_factory=dict)
    first_due: Any = field(default=None, compare=False, repr=False)
    """Memory of the agenda: (seq, its first due). Not part of what is known."""

    @property
    def is_open(self) -> bool:
        return self.status is not Status.NONE and self.status is not Status.CLOSED

    @property
    def suspended(self) -> Suspended | None:
        """The suspension under way."""
        last = self.suspensions[-1] if self.suspensions else None
        return last if last is not None and last.until_day is None else None

    def holds(self, known: Deadline | Escalation) -> bool:
        """Whether a suspension holds it: until it ends, no time of it runs."""
        return known.held and self.suspended is not None

    def copy(self) -> "State":
        """A copy whose own containers may be changed; their frozen parts are shared."""
        values: list[Any] = [value.copy() if type(value) is dict else value for value in _FIELDS(self)]
        return State(*values)

    def settled(self, milestone: str) -> bool:
        known = self.milestones.get(milestone)
        return known is not None and known.settled is not None

    def reached(self, milestone: str) -> date | None:
        """The day on which a milestone was reached."""
        known = self.milestones.get(milestone)
        return known.on if known is not None and known.settled == "reached" else None

    def situation(self, name: str, on: date | None = None) -> Value | None:
        """The value of a situation (on a day), or None when nothing was ever said."""
        known = [value for value in self.situations.get(name, ()) if on is None or value.since <= on]
        return known[-1] if known else None


_FIELDS = attrgetter(*(field.name for field in fields(State)))
_ADAPTER: TypeAdapter[State] = TypeAdapter(State)


def dump(state: State) -> dict[str, Any]:
    """The state as plain JSON data, for continue-as-new and queries."""
    plain: dict[str, Any] = _ADAPTER.dump_python(state, mode="json")
    plain["consents"] = sorted(plain["consents"])
    del plain["first_due"]
    return plain


def load(plain: dict[str, Any]) -> State:
    """Read back what `dump` wrote."""
    return _ADAPTER.validate_python(plain)
