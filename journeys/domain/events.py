"""Every fact that a journey's stream can hold, one frozen model a kind. The class name is the stored kind.

Names are stable: a field may be added with a default, never renamed. Headers hold ids, codes, instants and cents;
texts and personal data are in parts, which the envelope commits to.
"""

from datetime import date as Day
from functools import cache
from typing import Any, Literal, NamedTuple, cast, get_args

from pydantic_core import SchemaValidator

from journeys.domain.record import Digest, Event, Instant, Payload, added

Value = Literal["yes", "no", "unknown"]


class Subject(Payload):
    """What a message, an escalation or a check is about: `milestone exit-plan`, `grant <id>`."""

    kind: Literal[
        "date", "milestone", "contact", "appointment", "grant", "payment", "receipt", "mentor", "referral", "transfer",
        "suspension", "review", "journey", "consent",
    ]  # fmt: skip
    id: str


# --- the life of a journey


class JourneyPlanned(Payload):
    person: str
    referent: str
    site: str | None
    name: str
    """The programme's own code."""
    programme: str
    calendar: str
    start: Day
    watch_from: Instant | None
    zone: str | None = added(None)
    """Where the person lives, when that is not the programme's own time zone."""


class ProgrammeChanged(Payload):
    """From here on the journey is under other rules. What was recorded stays as it is."""

    name: str
    programme: str
    """SHA-256 of its text, and of the calendar."""
    calendar: str
    before: str
    """SHA-256 of the programme that was in force."""
    watch_from: Instant | None
    grids: tuple[str, ...]
    """Contacts whose windows begin anew: they are counted on from the last one opened."""


class JourneyActivated(Payload):
    """The date named by `active_from` has happened."""


class PhaseEntered(Payload):
    phase: str
    on: Day


class PhaseCompleted(Payload):
    phase: str


class DateExpected(Payload):
    date: str
    on: Day


class DateMoved(Payload):
    date: str
    on: Day
    before: Day


class DateHappened(Payload):
    date: str
    on: Day


class DateCancelled(Payload):
    date: str
    why: str


class DateUnconfirmed(Payload):
    date: str
    on: Day


class DateCorrected(Payload):
    date: str
    on: Day
    before: Day


class MomentsPlanned(Payload):
    """What the calendar calls for besides deadlines: the difference to what was planned before."""

    set: dict[str, Instant]
    dropped: tuple[str, ...]


class JourneySuspended(Payload):
    why: str
    since: Day
    until: Day | None
    review_at: Instant


class MovedChase(NamedTuple):
    """A step after a missed appointment, and until when it waits for news."""

    chase: str
    by: Instant


class MovedHold(NamedTuple):
    """An alert that somebody took in hand: when its step now goes on without that, and until when they have it."""

    escalation: str
    planned: Instant
    until: Instant | None


class JourneyResumed(Payload):
    since: Day
    """The day from which the journey runs again."""
    status: Literal["planned", "active"]
    ladders: dict[str, Instant]
    """When each escalation that was held goes on."""
    windows: dict[str, Instant]
    """When each contact window that was held now closes."""
    review_at: Instant
    chases: tuple[MovedChase, ...] = added(())
    """Until when each step after a missed appointment now waits for news."""
    holds: tuple[MovedHold, ...] = added(())
    """Of the ladders, those whose step somebody took in hand."""


class JourneyClosed(Payload):
    outcome: str
    silent: bool
    on: Day
    ladders: dict[str, Instant] = {}
    """When each spent escalation about money is told again: a closed journey has no review."""


class ClosingWanted(Payload):
    """The programme has run its course: somebody is asked to close. No journey closes by itself."""

    outcome: str | None


class JourneyReopened(Payload):
    status: Literal["planned", "active"]
    review_at: Instant


class ReviewDue(Payload):
    found: tuple[str, ...]
    """Why somebody is asked to look: suspended-too-long, date-unconfirmed, ladder-spent, nothing-planned."""
    next_at: Instant


class ReviewPlanned(Payload):
    """The first review of a journey (each ReviewDue sets the next)."""

    at: Instant


class ReferentAssigned(Payload):
    referent: str
    site: str | None
    before: str | None


class TransferAsked(Payload):
    transfer: str
    to: str
    site: str | None
    remind_at: Instant
    accept_at: Instant


class TransferReminded(Payload):
    transfer: str


class JourneyTransferred(Payload):
    transfer: str
    to: str
    site: str | None
    by_itself: bool


class TransferDeclined(Payload):
    transfer: str


class TransferCancelled(Payload):
    transfer: str
    why: str


# --- milestones and deadlines


class PlannedReminder(NamedTuple):
    """When a reminder leaves, and its place in the milestone's `remind` list."""

    at: Instant
    rule: int


class DeadlineSet(Payload):
    deadline: str
    """`<milestone>/<number>`."""
    milestone: str
    nominal: Instant
    at: Instant
    day: Day | None
    """The due day; None when the term counts hours."""
    awaits: str | None
    """The date that must have happened before this can be missed or reminded."""
    held: bool
    """Whether a suspension holds and shifts it."""
    reminders: tuple[PlannedReminder, ...]


class DeadlineMoved(Payload):
    deadline: str
    nominal: Instant
    at: Instant
    day: Day | None
    awaits: str | None
    held: bool
    reminders: tuple[PlannedReminder, ...]


class DeadlineMet(Payload):
    deadline: str


class DeadlineMissed(Payload):
    deadline: str


class DeadlineCancelled(Payload):
    deadline: str
    why: str


class DeadlineCorrected(Payload):
    """Missed as it seemed, met in time as was learnt later."""

    deadline: str


class ReminderTaken(Payload):
    """The moment of a reminder has come; one message follows for it, or none when it is no longer valid."""

    deadline: str
    index: int


class MilestoneReached(Payload):
    milestone: str
    how: str
    on: Day


class MilestoneWaived(Payload):
    milestone: str


class MilestoneCorrected(Payload):
    milestone: str
    to: Literal["reached", "open"]
    on: Day | None


class MilestoneRescheduled(Payload):
    """A person has fixed the day: from now on the deadline is this one, not the programme's."""

    milestone: str
    on: Day


class EvidenceAdded(Payload):
    milestone: str
    kind: str
    evidence: str


class NoteAdded(Payload):
    note: str


class CheckCalled(Payload):
    check: str
    milestone: str
    url: str
    at_deadline: bool


class CheckPassed(Payload):
    check: str
    effect: int


class CheckFailed(Payload):
    check: str
    effect: int


class CheckUnknown(Payload):
    check: str
    effect: int
    reason: str


# --- messages


Channel = Literal["mail", "sms", "letter"]
"""By what a person is written to."""


class MessageDue(Payload):
    message: str
    purpose: Literal["reminder", "notice", "approval"]
    to: str
    """A role of the programme; `staff` when not `participant`."""
    template: str
    about: Subject
    occurrence: str
    """Rule and occurrence: at most one message of each."""
    at: Instant
    """The moment owed."""
    valid_until: Instant
    urgent: bool
    person: str | None = None
    """The staff member meant, when it is one in particular."""
    channel: Channel | None = added(None)
    """The only one by which it goes; None: by those that the person has, in their order."""


class MessageDeferred(Payload):
    message: str
    until: Instant
    effect: int | None
    """The attempt that met quiet hours, when there was one."""
    doubt: bool = added(False)
    """Its channel failed and may have taken it all the same: asked for again, it knows it by its key."""
    zone: str | None = added(None)
    """The zone of those whom it was to reach, who are no participants, where theirs is not the programme's."""


class MessageReady(Payload):
    """The quiet hours of a deferred message are over: it goes out now."""

    message: str


class MessageSent(Payload):
    message: str
    channel: str
    effect: int
    wording: Digest | None = added(None)
    """SHA-256 of the words of its template when it left."""
    dead: tuple[str, ...] = added(())
    """Why other channels of the person will never reach them."""
    dead_by: tuple[str, ...] = added(())
    """Which channel each of `dead` is about: sms, mail."""
    news: tuple[str, ...] = added(())
    """Those of them that were not dead before."""
    mended: tuple[str, ...] = added(())
    """Channels that were dead before, and are so no more."""
    by: str | None = added(None)
    """The person's channel by which it left: sms, mail, letter."""


class MessageFailed(Payload):
    message: str
    reason: str
    effect: int


class MessageSuppressed(Payload):
    message: str
    reason: str
    effect: int | None = None


class MessageUnknown(Payload):
    message: str
    effect: int | None
    """None: it is not asked for again, and may have left before."""
    wording: Digest | None = added(None)
    """As in MessageSent, where it is known."""


class MessageDelivered(Payload):
    message: str


class MessageBounced(Payload):
    message: str
    reason: str


class MessageSilent(Payload):
    """It left, and its channel, which says what arrives, has said nothing for too long."""

    message: str


# --- contacts and appointments


class ContactDue(Payload):
    contact: str
    window: int
    opens: Instant
    closes: Instant


class ContactMade(Payload):
    contact: str
    window: int
    means: str


class ContactMissed(Payload):
    contact: str
    window: int
    spans: int
    """How many windows passed without a contact (more than one after an outage)."""


class ContactCancelled(Payload):
    contact: str
    window: int
    why: str


class ContactCorrected(Payload):
    contact: str
    window: int
    to: Literal["made", "missed"]
    means: str | None


class ContactLogged(Payload):
    """A contact beside the one that its window asked for."""

    contact: str
    means: str


class AppointmentBooked(Payload):
    appointment: str
    at: Instant
    minutes: int
    milestone: str | None
    contact: str | None
    summons: bool
    remind_at: Instant | None
    ask_at: Instant
    """When the referent is asked how it went."""
    or_at: tuple[Instant, ...] = added(())
    """Other times that are offered to the person, in order."""


class AppointmentMoved(Payload):
    appointment: str
    at: Instant
    remind_at: Instant | None
    ask_at: Instant
    or_at: tuple[Instant, ...] = added(())
    """Other times that are offered from here on; those offered before are not any more."""


class AppointmentAnswered(Payload):
    """The person says that they will come, need another time, or will not come; a later answer stands."""

    appointment: str
    answer: Literal["coming", "other-time", "declined"]
    wish: Instant | None = added(None)
    """The time that they wish."""


class AppointmentReminded(Payload):
    """The moment of an appointment's reminder has come."""

    appointment: str


class AppointmentAsked(Payload):
    """Nobody has said how the appointment went: the referent is asked, again after `again_at`."""

    appointment: str
    again_at: Instant | None


class AppointmentAttended(Payload):
    appointment: str


class AppointmentMissed(Payload):
    appointment: str


class AppointmentExcused(Payload):
    appointment: str


class AppointmentCancelled(Payload):
    appointment: str
    why: str


class AppointmentCorrected(Payload):
    appointment: str
    to: Literal["attended", "missed", "excused"]


class ChaseDue(Payload):
    """After a missed appointment somebody tries to hear of the person: by a call, by a letter."""

    chase: str
    appointment: str
    step: int
    """Its place among the programme's steps, from 0."""
    do: Literal["call", "letter"]
    by: Instant
    """When the next step comes, without news."""
    message: str | None
    """The message that is the letter."""


class ChaseDone(Payload):
    """The person was heard of: reached, contact-made, seen, answered."""

    chase: str
    how: str


class ChasePassed(Payload):
    """No news: no-answer, too-late, not-sent. The next step follows."""

    chase: str
    why: str


class ChaseCancelled(Payload):
    """There is nothing to chase any more: the appointment was not missed after all, or the journey is closed."""

    chase: str
    why: str


# --- escalations


class EscalationRaised(Payload):
    escalation: str
    ladder: str
    about: Subject
    to: str
    fallback: tuple[str, ...]
    urgent: bool
    money: bool
    held: bool
    """Whether a suspension holds the climb."""
    next_at: Instant | None


class EscalationClimbed(Payload):
    escalation: str
    step: int
    repeat: int
    to: str
    fallback: tuple[str, ...]
    next_at: Instant | None


class EscalationAcknowledged(Payload):
    """Somebody has it in hand until `until`; the ladder goes on then, or at `next_at`."""

    escalation: str
    until: Instant
    next_at: Instant | None = added(None)
    """When the ladder goes on, where that was planned for later."""


class EscalationSnoozed(Payload):
    """It is put off: the ladder goes on at `until`, or at `next_at`. Parts: why."""

    escalation: str
    until: Instant
    next_at: Instant | None = added(None)
    """When the ladder goes on, where that was planned for later."""


class EscalationReassigned(Payload):
    escalation: str
    to: str


class EscalationResolved(Payload):
    escalation: str
    how: str


class EscalationDeferred(Payload):
    """The telling that event `effect` called for waits: until the quiet hours end, or for a digest."""

    escalation: str
    step: int
    until: Instant
    effect: int
    digest: Instant | None = added(None)
    """When the digest leaves with which it is told; `until` is then when the journey asks what came of it."""
    zone: str | None = added(None)
    """The zone of those who were to be told, where theirs is not the programme's."""


class EscalationReady(Payload):
    """The quiet hours are over, or the digest has left: the step's recipient is told now, or was."""

    escalation: str
    step: int
    returned: bool = added(False)
    """The mail by which the step was told came back: whoever is next is told."""


class EscalationTold(Payload):
    escalation: str
    step: int
    told: tuple[str, ...]
    role: str
    """The role in which they were told: the step's, or that of its fallback; the id of whom it was handed on to."""
    effect: int


class EscalationUntold(Payload):
    escalation: str
    step: int
    reason: str
    effect: int


# --- grants, payments, receipts


class PlannedInstalment(Payload):
    amount: int
    when: str | None
    """The programme's moment; None: at once."""


class GrantRequested(Payload):
    grant: str
    kind: str
    purpose: str
    amount: int
    fund: str
    pay_by: str
    instalments: tuple[PlannedInstalment, ...]
    payee: str
    """Commitment of the payee's part."""
    digest: str
    approvals: tuple[str, ...]
    decide_by: Instant


class GrantChanged(Payload):
    grant: str
    purpose: str
    amount: int
    instalments: tuple[PlannedInstalment, ...]
    payee: str
    payee_changed: bool
    digest: str
    approvals: tuple[str, ...]
    decide_by: Instant
    pay_from: Instant | None = None
    """Nothing is paid before: somebody had time to see that the payee is another one."""


class GrantReopened(Payload):
    """An edit after the approval: approvals are void, unpaid instalments wait."""

    grant: str
    purpose: str
    amount: int
    instalments: tuple[PlannedInstalment, ...]
    payee: str
    payee_changed: bool
    digest: str
    approvals: tuple[str, ...]
    decide_by: Instant
    called: int
    """How many instalments of the new plan stand for what was paid already."""
    pay_from: Instant | None = None
    """As in GrantChanged."""


class GrantReturned(Payload):
    grant: str


class GrantApprovalGiven(Payload):
    grant: str
    digest: str
    stands_for: str
    """The role of the level that this approval fills."""


class GrantApproved(Payload):
    grant: str
    digest: str


class GrantRefused(Payload):
    grant: str


class GrantExpired(Payload):
    grant: str


class GrantCancelled(Payload):
    grant: str
    why: str


class GrantCompleted(Payload):
    grant: str


class GrantEnded(Payload):
    grant: str
    why: str


class PaymentReserved(Payload):
    payment: str
    grant: str
    number: int
    amount: int
    fund: str
    person: str
    pay_by: str
    digest: str
    payee: str
    replaces: str | None = None
    """The payment of this grant that was rejected or came back, and that this one makes good."""


class PaymentBlocked(Payload):
    payment: str
    grant: str
    number: int
    amount: int
    reason: str
    fund: str = ""
    person: str = ""
    pay_by: str = ""


class PaymentRetried(Payload):
    """A blocked payment is called for again: a new one is reserved if every rule holds now."""

    payment: str
    grant: str
    number: int


class PaymentInstructed(Payload):
    payment: str
    effect: int
    look_at: Instant | None = None
    """When to look whether it went through, where the channel takes it without a word."""


class PaymentHeld(Payload):
    """Nothing left for the bank (it could not be reached): tried again at `retry_at`."""

    payment: str
    effect: int
    retry_at: Instant
    reason: str | None = added(None)
    """Code of why: the till's own."""


class PaymentReleased(Payload):
    """A held payment goes out again: nothing of it had left before."""

    payment: str


class PaymentAccepted(Payload):
    payment: str
    look_at: Instant


class PaymentUnknown(Payload):
    payment: str
    look_at: Instant


class PaymentEnquired(Payload):
    """The bank is asked what became of the payment; it is never instructed again."""

    payment: str


class PaymentLookedUp(Payload):
    """The bank has been asked; what it said follows."""

    payment: str
    effect: int
    look_at: Instant | None = None
    """It still waits where it was put: looked at again then."""


class PaymentDoubted(Payload):
    """The bank compared name and account: `close`, `no-match`, or it could not (`unchecked`). Finance settles it."""

    payment: str
    answer: str


class PaymentDoubtSettled(Payload):
    """Finance looked: `keep` the payment, or `withdraw` it at the bank (its rejection is then waited for)."""

    payment: str
    decision: str


class PaymentSettled(Payload):
    payment: str


class PaymentRejected(Payload):
    payment: str
    reason: str


class PaymentSettledByHand(Payload):
    payment: str


class PaymentCancelled(Payload):
    payment: str
    why: str


class PaymentReturned(Payload):
    payment: str
    reason: str


class ReceiptDue(Payload):
    receipt: str
    payment: str
    grant: str
    amount: int
    by: Instant


class ReceiptOverdue(Payload):
    receipt: str


class ReceiptSubmitted(Payload):
    receipt: str
    amount: int
    answer_by: Instant | None = None
    """When finance should have answered. None in what was recorded before there was such a term."""


class ReceiptUnanswered(Payload):
    """Finance has not said whether the receipt is accepted."""

    receipt: str


class ReceiptAccepted(Payload):
    receipt: str
    amount: int
    payment: str | None = None
    """None in what was recorded before the ledger told justified money apart."""


class ReceiptPartAccepted(Payload):
    """So many cents are justified; the rest of the receipt is still owed, by a new day."""

    receipt: str
    payment: str
    amount: int
    by: Instant


class ReceiptRefused(Payload):
    receipt: str


class ReceiptWaived(Payload):
    receipt: str
    why: str


# --- mentors and partners


class MentorProposed(Payload):
    proposal: str
    mentor: str


class MentorMatched(Payload):
    proposal: str
    mentor: str
    on: Day


class MentorDeclined(Payload):
    proposal: str
    mentor: str


class MentorProposalCancelled(Payload):
    proposal: str
    mentor: str
    why: str


class MentorEnded(Payload):
    proposal: str
    mentor: str
    why: str


class ReferralSent(Payload):
    referral: str
    partner: str
    purpose: str
    named: bool
    """With the person's consent; otherwise the referral carries no name."""
    answer_by: Instant


class ReferralAccepted(Payload):
    referral: str


class ReferralDeclined(Payload):
    referral: str


class ReferralExpired(Payload):
    referral: str


class ReferralCancelled(Payload):
    referral: str
    why: str


# --- the person


class SituationChanged(Payload):
    situation: str
    value: str
    since: Day


class SituationCorrected(Payload):
    situation: str
    value: str
    since: Day


class OutcomeMeasured(Payload):
    measure: str
    number: int
    day: Day
    value: Value


class ConsentGiven(Payload):
    partner: str
    purpose: str


class ConsentWithdrawn(Payload):
    partner: str
    purpose: str


class MessagesPaused(Payload):
    until: Instant


class MessagesResumed(Payload):
    by_itself: bool = False


class OptedOut(Payload):
    pass


class OptedIn(Payload):
    pass


class WishesRecorded(Payload):
    """How the person wants to be reached, and where they live; None: as before."""

    channel: Channel | None
    language: Literal["fr", "en"] | None
    zone: str | None


class PersonDied(Payload):
    on: Day


class ErasureRequested(Payload):
    pass


ErasureReason = Literal["person-asked", "kept-long-enough", "by-mistake", "ordered", "restored"]
"""Why a person is forgotten: they asked for it, their data were kept for as long as they may, they should never have
been registered, a court or authority orders it; or a copy of before an erasure was restored (said by the system only).
A code: a text would have to be forgotten too."""


class ErasureOrdered(Payload):
    """From here on nothing happens but what money under way still needs; then all that is known of the person goes."""

    reason: ErasureReason


class CommandRefused(Payload):
    """Somebody asked for what a rule or a right forbids."""

    name: str
    code: str
    details: dict[str, str | int | None]


AnyPayload = (
    JourneyPlanned | JourneyActivated | PhaseEntered | PhaseCompleted | DateExpected | DateMoved | DateHappened
    | DateCancelled
    | DateUnconfirmed | DateCorrected | MomentsPlanned | JourneySuspended | JourneyResumed | JourneyClosed
    | JourneyReopened | ClosingWanted | ReviewDue | ReviewPlanned | ReferentAssigned | TransferAsked | TransferReminded
    | ProgrammeChanged
    | JourneyTransferred
    | TransferDeclined | TransferCancelled
    | DeadlineSet | DeadlineMoved | DeadlineMet | DeadlineMissed | DeadlineCancelled | DeadlineCorrected
    | ReminderTaken | MilestoneReached | MilestoneWaived | MilestoneCorrected | MilestoneRescheduled | EvidenceAdded
    | NoteAdded
    | CheckCalled | CheckPassed | CheckFailed | CheckUnknown
    | MessageDue | MessageDeferred | MessageReady | MessageSent | MessageFailed | MessageSuppressed | MessageUnknown
    | MessageDelivered | MessageBounced | MessageSilent
    | ContactDue | ContactMade | ContactMissed | ContactCancelled | ContactCorrected | ContactLogged
    | AppointmentBooked | AppointmentMoved | AppointmentAnswered | AppointmentReminded | AppointmentAsked
    | AppointmentAttended | AppointmentMissed
    | AppointmentExcused | AppointmentCancelled | AppointmentCorrected
    | ChaseDue | ChaseDone | ChasePassed | ChaseCancelled
    | EscalationRaised | EscalationClimbed | EscalationAcknowledged | EscalationSnoozed | EscalationReassigned
    | EscalationResolved
    | EscalationDeferred | EscalationReady | EscalationTold | EscalationUntold
    | GrantRequested | GrantChanged | GrantReopened | GrantReturned | GrantApprovalGiven | GrantApproved | GrantRefused
    | GrantExpired | GrantCancelled | GrantCompleted | GrantEnded
    | PaymentReserved | PaymentBlocked | PaymentRetried
    | PaymentInstructed | PaymentHeld | PaymentReleased | PaymentAccepted
    | PaymentUnknown | PaymentEnquired | PaymentLookedUp | PaymentDoubted | PaymentDoubtSettled
    | PaymentSettled | PaymentRejected | PaymentSettledByHand | PaymentCancelled | PaymentReturned
    | ReceiptDue | ReceiptOverdue | ReceiptSubmitted | ReceiptUnanswered | ReceiptPartAccepted | ReceiptAccepted
    | ReceiptRefused | ReceiptWaived
    | MentorProposed | MentorMatched | MentorDeclined | MentorProposalCancelled | MentorEnded
    | ReferralSent | ReferralAccepted | ReferralDeclined | ReferralExpired | ReferralCancelled
    | SituationChanged | SituationCorrected | OutcomeMeasured | ConsentGiven | ConsentWithdrawn
    | MessagesPaused | MessagesResumed | OptedOut | OptedIn | WishesRecorded | PersonDied | ErasureRequested
    | ErasureOrdered | CommandRefused
)  # fmt: skip

KINDS: dict[str, type[Payload]] = {kind.__name__: kind for kind in get_args(AnyPayload)}
"""Every kind of a journey's stream by its stored name."""


class UnknownKind(ValueError):
    """An event of a kind (or a version of it) that this code does not know."""


@cache
def envelope(kind: type[Payload]) -> type[Event[Payload]]:
    """The model of an event of one kind, built once."""
    model = Event.__class_getitem__(kind)
    return cast("type[Event[Payload]]", model)


@cache
def _maker(kind: type[Payload]) -> SchemaValidator:
    return envelope(kind).__pydantic_validator__  # type: ignore[return-value]


def make_event(header: dict[str, Any]) -> Event[Payload]:
    """A new event from the fields of its envelope, `data` among them. Raises pydantic's ValidationError."""
    kind: type[Payload] = type(header["data"])
    event: Event[Payload] = _maker(kind).validate_python(header)
    return event


@cache
def _reader(kind: str) -> SchemaValidator:
    known = KINDS.get(kind)
    if known is None:
        raise UnknownKind(f"unknown event kind {kind!r}: this program is older than the record")
    # Asked without the model's own methods in between: a stream is read in thousands of events.
    return envelope(known).__pydantic_validator__  # type: ignore[return-value]


def read_event(header: dict[str, Any]) -> Event[Payload]:
    """Read an event from its header as the journal returned it. Raises UnknownKind or pydantic's ValidationError."""
    event: Event[Payload] = _reader(header["kind"]).validate_python(header)
    return event


def read_stored(kind: str, header: bytes) -> Event[Payload]:
    """Read an event from its stored bytes; `kind` is the journal's column."""
    event: Event[Payload] = _reader(kind).validate_json(header)
    return event
