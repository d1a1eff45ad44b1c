"""What people ask of a journey: one frozen model a command, and the signed envelope that carries it.

A body holds codes, ids, dates and cents only. Free text and personal data travel as parts; `PARTS` names
those that a command may carry, `NEEDED` those that it must, `ASKED` those that every entry point asks for although
commands on record may lack them.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from journeys.domain.calendar import is_zone
from journeys.domain.events import Channel, ErasureReason
from journeys.domain.money import Cents
from journeys.domain.programme import Code
from journeys.domain.record import SYSTEM, Cause, Digest, Frozen, Id, Instant, Part, Stream, added, instant_text


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError(f"“{name}” is not a time zone; write for example Indian/Reunion")
    return name


StaffId = Id
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
"""A day that a person may mean: others are slips of the pen, and no calendar reaches them."""
When = Annotated[Instant, Field(ge=datetime(1900, 1, 2, tzinfo=UTC), le=datetime(2199, 12, 30, tzinfo=UTC))]
"""An instant that a person may mean."""
Offered = Annotated[tuple[When, ...], Field(max_length=4)]
"""Other times that would also suit: the person may move an appointment to one of them."""
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]
"""Where somebody lives, as a name of the time zone database: `Indian/Reunion`."""
Every = Literal["week", "two-weeks", "month"]
Window = Annotated[int, Field(ge=1, le=1_000_000)]
Number = Annotated[int, Field(ge=1, le=1_000_000)]


class Body(Frozen):
    """Base of each command's own fields."""

    PARTS: ClassVar[frozenset[str]] = frozenset()
    NEEDED: ClassVar[frozenset[str]] = frozenset()
    ASKED: ClassVar[frozenset[str]] = frozenset()


def _parts(*names: str) -> frozenset[str]:
    return frozenset(names)


# --- the life of a journey


class Plan(Body):
    """Begin a journey: everything that the first events need."""

    name: Literal["plan"] = "plan"
    person: Id
    programme: Digest
    calendar: Digest
    referent: StaffId
    site: Code | None = None
    start: Day | None = None
    """The day that `start` stands for; the day of the command when not given."""
    dates: dict[Code, Day] = {}
    watch_from: When | None = None
    """An import's line in time: nothing older is owed."""
    zone: Zone | None = added(None)
    """Where the person lives, when that is not the programme's own time zone."""
    happened: tuple[Code, ...] = added(())
    """Which of `dates` have happened already, each on its day: nobody is asked to confirm them."""


class ChangeProgramme(Body):
    """Put a journey under other rules: another programme, or a later text of its own."""

    name: Literal["change-programme"] = "change-programme"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    programme: Digest
    calendar: Digest
    dates: dict[Code, Day] = {}
    """Days of dates that the new programme hangs on and that are not known yet."""
    watch_from: When | None = None
    """Of what the new programme adds, nothing older is owed; without it, what lies in the past gets the least notice.
    """


class ExpectDate(Body):
    name: Literal["expect-date"] = "expect-date"
    date: Code
    on: Day


class MoveDate(Body):
    name: Literal["move-date"] = "move-date"
    PARTS = _parts("reason")
    date: Code
    on: Day


class ConfirmDate(Body):
    """The date has happened (on the day given, else the day of `occurred_at`)."""

    name: Literal["confirm-date"] = "confirm-date"
    date: Code
    on: Day | None = None


class CancelDate(Body):
    name: Literal["cancel-date"] = "cancel-date"
    PARTS = _parts("reason")
    date: Code


class Suspend(Body):
    name: Literal["suspend"] = "suspend"
    PARTS = _parts("reason")
    why: Literal["custody", "hospital", "unreachable", "asked"]
    until: Day | None = None


class Resume(Body):
    name: Literal["resume"] = "resume"
    PARTS = _parts("reason")


class Close(Body):
    name: Literal["close"] = "close"
    PARTS = _parts("reason")
    outcome: Code


class Reopen(Body):
    name: Literal["reopen"] = "reopen"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")


class Correct(Body):
    """Put right a fact recorded wrongly. `what` says of which kind, `id` which one, the rest what is true."""

    name: Literal["correct"] = "correct"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    what: Literal["date", "milestone", "contact", "appointment", "situation"]
    id: Annotated[str, StringConstraints(max_length=80)]
    on: Day | None = None
    window: Window | None = None
    means: Code | None = None
    to: Code | None = None
    """milestone: reached, open; appointment: attended, missed, excused; contact: made, missed; situation: its value."""


class AssignReferent(Body):
    name: Literal["assign-referent"] = "assign-referent"
    PARTS = _parts("reason")
    referent: StaffId
    site: Code | None = None


class Transfer(Body):
    """Ask another referent (and site) to take over."""

    name: Literal["transfer"] = "transfer"
    PARTS = _parts("reason")
    to: StaffId
    site: Code | None = None


class AcceptTransfer(Body):
    name: Literal["accept-transfer"] = "accept-transfer"


class DeclineTransfer(Body):
    name: Literal["decline-transfer"] = "decline-transfer"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")


class CancelTransfer(Body):
    name: Literal["cancel-transfer"] = "cancel-transfer"
    PARTS = _parts("reason")


# --- milestones, evidence, notes


class ReachMilestone(Body):
    name: Literal["reach-milestone"] = "reach-milestone"
    PARTS = _parts("note")
    milestone: Code


class WaiveMilestone(Body):
    name: Literal["waive-milestone"] = "waive-milestone"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    milestone: Code


class RescheduleMilestone(Body):
    name: Literal["reschedule-milestone"] = "reschedule-milestone"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    milestone: Code
    on: Day


class AddEvidence(Body):
    name: Literal["add-evidence"] = "add-evidence"
    PARTS = _parts("description", "document")
    milestone: Code
    kind: Code


class AddNote(Body):
    name: Literal["add-note"] = "add-note"
    PARTS = _parts("text", "document")
    NEEDED = _parts("text")


# --- contacts and appointments


class LogContact(Body):
    name: Literal["log-contact"] = "log-contact"
    PARTS = _parts("note")
    contact: Code
    means: Code


class BookAppointment(Body):
    name: Literal["book-appointment"] = "book-appointment"
    PARTS = _parts("place", "note")
    at: When
    minutes: Annotated[int, Field(ge=5, le=24 * 60)] = 60
    milestone: Code | None = None
    contact: Code | None = None
    summons: bool = False
    or_at: Offered = added(())
    every: Every | None = added(None)
    """A series: again at the same hour of the clock, so often; on the next working day where that is none."""
    times: Annotated[int, Field(ge=1, le=26)] = added(1)
    """How many in all."""
    site_zone: Zone | None = added(None)
    """By whose clocks and days a series goes, at a site elsewhere than its programme; the entry point fills it in."""


class MoveAppointment(Body):
    """Another time. The person themselves may choose one of those that were offered, and offers none."""

    name: Literal["move-appointment"] = "move-appointment"
    PARTS = _parts("place", "reason")
    appointment: Id
    at: When
    or_at: Offered = added(())


class AnswerAppointment(Body):
    """What the person says of an appointment ahead: they will come, need another time, and which one they wish, or will
    not come to one that was freely agreed."""

    name: Literal["answer-appointment"] = "answer-appointment"
    PARTS = _parts("note")
    appointment: Id
    answer: Literal["coming", "other-time", "declined"]
    wish: When | None = added(None)


class CloseAppointment(Body):
    name: Literal["close-appointment"] = "close-appointment"
    PARTS = _parts("note")
    appointment: Id
    outcome: Literal["attended", "missed", "excused", "cancelled"]


class NoteChase(Body):
    """What a step after a missed appointment came to: the person was reached, or does not answer."""

    name: Literal["note-chase"] = "note-chase"
    PARTS = _parts("note")
    chase: Id
    result: Literal["reached", "no-answer"]


# --- escalations


class AcknowledgeEscalation(Body):
    name: Literal["acknowledge-escalation"] = "acknowledge-escalation"
    PARTS = _parts("note")
    escalation: Id
    until: Day | None = None


class SnoozeEscalation(Body):
    name: Literal["snooze-escalation"] = "snooze-escalation"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    escalation: Id
    until: Day


class ReassignEscalation(Body):
    name: Literal["reassign-escalation"] = "reassign-escalation"
    PARTS = _parts("reason")
    escalation: Id
    to: StaffId


class ResolveEscalation(Body):
    name: Literal["resolve-escalation"] = "resolve-escalation"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    escalation: Id


# --- grants, payments, receipts


class RequestGrant(Body):
    name: Literal["request-grant"] = "request-grant"
    PARTS = _parts("payee", "note")
    NEEDED = _parts("payee")
    grant: Code
    purpose: Code
    amount: Cents
    pay_by: Code | None = None


class ChangeGrant(Body):
    """Edit a request (or an approved grant: it is then reopened); every approval is void."""

    name: Literal["change-grant"] = "change-grant"
    PARTS = _parts("payee", "note")
    grant: Id
    amount: Cents | None = None
    purpose: Code | None = None


class ReturnGrant(Body):
    name: Literal["return-grant"] = "return-grant"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    grant: Id


class ApproveGrant(Body):
    """Give one approval, bound to what the approver saw: the digest of amount, instalments, payee, purpose, journey."""

    name: Literal["approve-grant"] = "approve-grant"
    PARTS = _parts("note")
    grant: Id
    digest: Digest


class RefuseGrant(Body):
    name: Literal["refuse-grant"] = "refuse-grant"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    grant: Id


class CancelGrant(Body):
    name: Literal["cancel-grant"] = "cancel-grant"
    PARTS = _parts("reason")
    grant: Id


class SettlePayment(Body):
    """Settle by hand a payment whose fate is known from elsewhere, or that was handed over against a receipt.

    `fate`: that it was paid, or that it never was (a statement without it, the bank's word): then it may be replaced.
    `signed_for`: who signed, or the number of the voucher; needed for what is paid by hand or by voucher.
    """

    name: Literal["settle-payment"] = "settle-payment"
    PARTS = _parts("reason", "signed_for")
    NEEDED = _parts("reason")
    payment: Id
    fate: Literal["paid", "never-paid"] = "paid"


class RetryPayment(Body):
    """Call again for a payment that was blocked, once what blocked it is mended. No rule is left out."""

    name: Literal["retry-payment"] = "retry-payment"
    PARTS = _parts("reason")
    payment: Id


class SettleDoubt(Body):
    """Answer the bank's doubt about who holds the account: keep the payment, or withdraw it at the bank."""

    name: Literal["settle-doubt"] = "settle-doubt"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    payment: Id
    decision: Literal["keep", "withdraw"]


class CancelPayment(Body):
    """Cancel a reserved payment that was never instructed."""

    name: Literal["cancel-payment"] = "cancel-payment"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    payment: Id


class SubmitReceipt(Body):
    name: Literal["submit-receipt"] = "submit-receipt"
    PARTS = _parts("description", "document")
    receipt: Id
    amount: Cents


class AcceptReceipt(Body):
    name: Literal["accept-receipt"] = "accept-receipt"
    PARTS = _parts("reason")
    receipt: Id
    amount: Cents | None = None
    """What of it is justified; all that was submitted, where nothing is said."""


class RefuseReceipt(Body):
    name: Literal["refuse-receipt"] = "refuse-receipt"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    receipt: Id


class WaiveReceipt(Body):
    name: Literal["waive-receipt"] = "waive-receipt"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    receipt: Id


# --- mentors and partners


class ProposeMentor(Body):
    name: Literal["propose-mentor"] = "propose-mentor"
    PARTS = _parts("note")
    mentor: Id


class MatchMentor(Body):
    name: Literal["match-mentor"] = "match-mentor"
    mentor: Id


class DeclineMentor(Body):
    name: Literal["decline-mentor"] = "decline-mentor"
    PARTS = _parts("reason")
    mentor: Id


class EndMentor(Body):
    name: Literal["end-mentor"] = "end-mentor"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")


class SendReferral(Body):
    name: Literal["send-referral"] = "send-referral"
    PARTS = _parts("letter")
    partner: Id
    purpose: Code


class AcceptReferral(Body):
    name: Literal["accept-referral"] = "accept-referral"
    PARTS = _parts("note")
    referral: Id


class DeclineReferral(Body):
    name: Literal["decline-referral"] = "decline-referral"
    PARTS = _parts("reason")
    NEEDED = _parts("reason")
    referral: Id


class CancelReferral(Body):
    name: Literal["cancel-referral"] = "cancel-referral"
    PARTS = _parts("reason")
    referral: Id


# --- the person: situations, measures, consent, messages


class RecordSituation(Body):
    name: Literal["record-situation"] = "record-situation"
    PARTS = _parts("note")
    situation: Code
    value: Code
    since: Day | None = None


class MeasureOutcome(Body):
    """Write down by hand what a measure found on its day, when it was unknown."""

    name: Literal["measure-outcome"] = "measure-outcome"
    PARTS = _parts("note")
    measure: Code
    number: Number
    value: Literal["yes", "no", "unknown"]


class GiveConsent(Body):
    name: Literal["give-consent"] = "give-consent"
    partner: Id
    purpose: Code


class WithdrawConsent(Body):
    name: Literal["withdraw-consent"] = "withdraw-consent"
    partner: Id
    purpose: Code


class PauseMessages(Body):
    name: Literal["pause-messages"] = "pause-messages"
    PARTS = _parts("reason")
    ASKED = _parts("reason")
    until: Day


class ResumeMessages(Body):
    name: Literal["resume-messages"] = "resume-messages"


class OptOut(Body):
    name: Literal["opt-out"] = "opt-out"


class OptIn(Body):
    name: Literal["opt-in"] = "opt-in"


class RecordWishes(Body):
    """How the person wants to be reached, and where they live; what is not said stays as it was."""

    name: Literal["record-wishes"] = "record-wishes"
    PARTS = _parts("note")
    channel: Channel | None = None
    language: Literal["fr", "en"] | None = None
    zone: Zone | None = None


class RecordDeath(Body):
    name: Literal["record-death"] = "record-death"
    on: Day | None = None


class RequestErasure(Body):
    name: Literal["request-erasure"] = "request-erasure"
    PARTS = _parts("reason")


# --- the system's own


class Sync(Body):
    """Offer nothing, adopt what the journal holds."""

    name: Literal["sync"] = "sync"


class Erase(Body):
    """The person's erasure was ordered: the journey ends."""

    name: Literal["erase"] = "erase"
    reason: ErasureReason


class RecordReceipt(Body):
    """What a channel or the bank said later about a message, the mail that told of an alert, or a payment.

    `silent`: a channel that says what arrives has said nothing for too long.
    """

    name: Literal["record-receipt"] = "record-receipt"
    of: Literal["message", "payment", "alert"]
    id: Id
    said: Literal[
        "delivered",
        "bounced",
        "silent",
        "accepted",
        "settled",
        "rejected",
        "returned",
        "close",
        "no-match",
        "unchecked",
    ]
    reason: Code | None = None


PersonBody = PauseMessages | ResumeMessages | OptOut | OptIn | RecordWishes | RecordDeath | RequestErasure
"""Commands about the person: appended to the person's stream, then forwarded to each of their journeys."""

AnyBody = Annotated[
    Plan | ExpectDate | MoveDate | ConfirmDate | CancelDate | Suspend | Resume | Close | Reopen | Correct
    | ChangeProgramme | AssignReferent | Transfer | AcceptTransfer | DeclineTransfer | CancelTransfer
    | ReachMilestone | WaiveMilestone | RescheduleMilestone | AddEvidence | AddNote
    | LogContact | BookAppointment | MoveAppointment | AnswerAppointment | CloseAppointment | NoteChase
    | AcknowledgeEscalation | SnoozeEscalation | ReassignEscalation | ResolveEscalation
    | RequestGrant | ChangeGrant | ReturnGrant | ApproveGrant | RefuseGrant | CancelGrant
    | SettlePayment | CancelPayment | RetryPayment | SettleDoubt
    | SubmitReceipt | AcceptReceipt | RefuseReceipt | WaiveReceipt
    | ProposeMentor | MatchMentor | DeclineMentor | EndMentor
    | SendReferral | AcceptReferral | DeclineReferral | CancelReferral
    | RecordSituation | MeasureOutcome | GiveConsent | WithdrawConsent
    | PauseMessages | ResumeMessages | OptOut | OptIn | RecordWishes | RecordDeath | RequestErasure
    | Sync | Erase | RecordReceipt,
    Field(discriminator="name"),
]  # fmt: skip

BODIES: dict[str, type[Body]] = {
    kind.model_fields["name"].default: kind for kind in get_args(get_args(AnyBody)[0]) if issubclass(kind, Body)
}
"""Every command by its name, in the order of the handbook."""

INTERNAL = frozenset({"sync", "erase", "record-receipt"})
"""Commands that only the system sends."""

PERSONAL = frozenset(kind.model_fields["name"].default for kind in get_args(PersonBody))


class Command(Frozen):
    """A command in its signed envelope.

    The signature is an HMAC-SHA256 over the RFC 8785 bytes of `signed_content()`, made by the entry point that
    authenticated the actor. It is checked inside the append, so it never travels through a decision.
    """

    id: Id
    stream: Stream
    body: AnyBody
    actor: str
    roles: tuple[str, ...]
    """What the actor held when signing."""
    funds: tuple[str, ...] = ()
    """The funds to which the actor was bound when signing; none: every fund."""
    stands_in_for: tuple[str, ...] = ()
    """Absent colleagues whose deputy the actor was when signing: the journeys that they lead are the actor's own."""
    occurred_at: When
    seen: int | None = None
    """The seq that the person had before their eyes."""
    signed_at: Instant
    caused_by: Cause | None = None
    key: str = ""
    signature: str = ""
    parts: dict[str, Part] = {}
    commitments: dict[str, Digest] = {}

    @property
    def name(self) -> str:
        return self.body.name

    @property
    def by_system(self) -> bool:
        return self.actor == SYSTEM

    def fields(self) -> dict[str, Any]:
        """The body's own fields, as they are signed and stored."""
        return self.body.model_dump(mode="json", exclude={"name"})

    def signed_content(self) -> dict[str, Any]:
        """What the signature covers: everything but the texts of parts, which their commitments stand for."""
        bound = {"funds": list(self.funds)} if self.funds else {}
        if self.stands_in_for:
            bound["stands_in_for"] = list(self.stands_in_for)
        return bound | {
            "stream": self.stream,
            "id": self.id,
            "name": self.name,
            "fields": self.fields(),
            "commitments": dict(self.commitments),
            "actor": self.actor,
            "roles": list(self.roles),
            "occurred_at": instant_text(self.occurred_at),
            "seen": self.seen,
            "time": instant_text(self.signed_at),
            "caused_by": list(self.caused_by) if self.caused_by else None,
            "key": self.key,
        }

    @model_validator(mode="after")
    def _parts_are_known(self) -> Self:
        kind = type(self.body)
        if strange := self.commitments.keys() - kind.PARTS:
            raise ValueError(f"{self.name} carries no {', '.join(sorted(strange))}")
        if missing := kind.NEEDED - self.commitments.keys():
            raise ValueError(f"{self.name} needs {', '.join(sorted(missing))}")
        if self.parts.keys() - self.commitments.keys():
            raise ValueError("a part without its commitment")
        return self
