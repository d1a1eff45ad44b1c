"""What happens when somebody asks for something, or when time passes. Every rule of a journey is reached from here.

`decide` is pure: the same state, command and instant give the same events. Read it as the programme's handbook:
one case a command, each a small function of its subject; one case a due; one case an outcome.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from journeys.domain import (
    agenda,
    appointments,
    changing,
    chases,
    closing,
    contacts,
    escalation,
    grants,
    mentoring,
    messages,
    milestones,
    payments,
    person,
    referrals,
    release,
    rights,
)
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.agenda import Due, DueKind
from journeys.domain.commands import Command
from journeys.domain.consequences import settle, take_phase
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.handbook import NO_OTHERS, Handbook, Shelf
from journeys.domain.record import Event, Payload
from journeys.domain.state import State, Status

CLOSED_ALLOWS = frozenset(
    {
        "reopen", "correct", "settle-payment", "cancel-payment", "settle-doubt",
        "submit-receipt", "accept-receipt", "refuse-receipt",
        "waive-receipt", "measure-outcome", "record-receipt", "opt-out", "opt-in", "pause-messages", "resume-messages",
        "record-wishes",
        "withdraw-consent", "request-erasure", "acknowledge-escalation", "snooze-escalation", "reassign-escalation",
        "resolve-escalation", "sync", "erase",
    }
)  # fmt: skip
"""What may still be asked of a closed journey (invariant 11)."""

TOLD_AHEAD = timedelta(minutes=5)
"""Clocks of entry points may run so much ahead of the journey's."""

MOST_EVENTS = 100
"""A decision about time stops here and goes on in the next offer."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an effect of this journey came to. `answer` and the rest are the activity's own words."""

    effect: int
    answer: str
    reason: str = ""
    told: tuple[str, ...] = ()
    role: str = ""
    until: datetime | None = None
    wording: str | None = None
    """Of the template with whose words a message left."""
    last_resort: bool = False
    """It went on paper, which the person did not ask for: nothing else reaches them."""
    zone: str | None = None
    """Where staff, mentors or partners work in whose hours it was put off, where that is not the programme's zone."""
    passed: tuple[str, ...] = ()
    """Why each channel that comes before will never take it, or is known to reach nobody."""
    put_off: tuple[str, ...] = ()
    """Who of several has not got it yet and is asked again from `until` on."""
    passed_by: tuple[str, ...] = ()
    """Which of the person's channels each of `passed` is about: sms, mail."""
    alive: tuple[str, ...] = ()
    """Those of which it is not known that they reach nobody."""
    by: str | None = None
    """The one by which a message left."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """The fund refused a reservation that the rules of the journey allowed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    events: tuple[Event[Payload], ...]
    book: Handbook
    """The rules in force after them."""
    state: State
    """What is known after them."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule or a right forbids it; `code` names which one."""

    code: str
    details: dict[str, str | int | None]


Decision = Accepted | Refused


def decide(
    state: State, asked: Command | Tick | Outcome | Blocked, now: datetime, book: Handbook, shelf: Shelf = NO_OTHERS
) -> Decision:
    """Decide on what is known. The state that is given is not changed.

    `shelf`: the rules that a command may put in force instead of `book`.
    """
    work = Deciding(state.copy(), book, now, state.stream, shelf=shelf)
    try:
        match asked:
            case Command():
                _decide_command(work, asked)
            case Tick():
                _take_dues(work)
            case Outcome():
                _take_outcome(work, asked)
            case Blocked():
                _take_dues(work, blocked=asked.reason)
            case _:
                assert_never(asked)
    except Refusal as refusal:
        return Refused(refusal.code, refusal.details)
    return Accepted(tuple(work.events), work.book, work.state)


def refusal_event(state: State, command: Command, refused: Refused, now: datetime, book: Handbook) -> Event[Payload]:
    """The fact that somebody asked for what is forbidden."""
    work = Deciding(state.copy(), book, now, state.stream, command.actor, next(iter(command.roles), "none"), command)
    work.fact(e.CommandRefused(name=command.name, code=refused.code, details=refused.details), parts=False)
    return work.events[0]


# --- commands


def _decide_command(work: Deciding, command: Command) -> None:
    if work.state.status is Status.NONE:
        work.stream = command.stream
    _must_be_possible(work, command)
    role = rights.acting_role(command, work.state, work.book.programme)
    if role is None:
        raise Refusal("no-right", command=command.name)
    work.actor, work.role, work.command, work.occurred_at = command.actor, role, command, command.occurred_at
    _do(work, command.body)
    settle(work, _began(command.body))


def _began(body: c.Body) -> milestones.Began:
    """What a command lets run that waited or was held."""
    match body:
        case c.ConfirmDate(date=date):
            return milestones.Began(date=date)
        case c.Resume():
            return milestones.Began(resumed=True)
        case c.ChangeProgramme():
            return milestones.Began(rules=True)
        case _:
            return milestones.NOTHING_NEW


def _must_be_possible(work: Deciding, command: Command) -> None:
    """Nothing but a plan begins a journey, a closed one takes few commands, and no fact lies in the future."""
    if (work.state.status is Status.NONE) != (command.name == "plan"):
        raise Refusal("journey-exists" if command.name == "plan" else "unknown-journey")
    if work.state.status is Status.CLOSED and command.name not in CLOSED_ALLOWS:
        raise Refusal("closed", outcome=work.state.outcome)
    if command.occurred_at > work.now + TOLD_AHEAD:
        raise Refusal("in-the-future", field="occurred_at")


def _do(work: Deciding, body: c.Body) -> None:
    """One case a command, in the order of the handbook."""
    match body:
        case c.Plan():
            release.begin(work, body)
        case c.ChangeProgramme():
            changing.change(work, body)
        case c.ExpectDate():
            release.expect(work, body)
        case c.MoveDate():
            release.move(work, body)
        case c.ConfirmDate():
            release.confirm(work, body)
        case c.CancelDate():
            release.cancel(work, body)
        case c.Suspend():
            release.suspend(work, body)
        case c.Resume():
            release.resume(work)
        case c.Close():
            closing.close(work, body)
        case c.Reopen():
            closing.reopen(work)
        case c.Correct():
            _correct(work, body)
        case c.AssignReferent():
            release.assign_referent(work, body)
        case c.Transfer():
            release.ask_transfer(work, body)
        case c.AcceptTransfer():
            release.accept_transfer(work)
        case c.DeclineTransfer():
            release.decline_transfer(work)
        case c.CancelTransfer():
            release.cancel_transfer(work)
        case c.ReachMilestone():
            milestones.reach_by_hand(work, body)
        case c.WaiveMilestone():
            milestones.waive(work, body)
        case c.RescheduleMilestone():
            milestones.reschedule(work, body)
        case c.AddEvidence():
            milestones.add_evidence(work, body)
        case c.AddNote():
            assert work.command is not None
            work.fact(e.NoteAdded(note=work.command.id))
        case c.LogContact():
            contacts.log(work, body)
        case c.BookAppointment():
            appointments.book(work, body)
        case c.MoveAppointment():
            appointments.move(work, body)
        case c.AnswerAppointment():
            appointments.answer(work, body)
        case c.CloseAppointment():
            appointments.close(work, body)
        case c.NoteChase():
            chases.note(work, body)
        case c.AcknowledgeEscalation():
            escalation.acknowledge(work, body)
        case c.SnoozeEscalation():
            escalation.snooze(work, body)
        case c.ReassignEscalation():
            escalation.reassign(work, body)
        case c.ResolveEscalation():
            escalation.resolve(work, body)
        case c.RequestGrant():
            grants.request(work, body)
        case c.ChangeGrant():
            grants.change(work, body)
        case c.ReturnGrant():
            grants.send_back(work, body)
        case c.ApproveGrant():
            grants.approve(work, body)
        case c.RefuseGrant():
            grants.refuse(work, body)
        case c.CancelGrant():
            grants.cancel(work, body)
        case c.SettlePayment():
            payments.settle_by_hand(work, body)
        case c.CancelPayment():
            payments.cancel(work, body)
        case c.RetryPayment():
            payments.retry(work, body)
        case c.SettleDoubt():
            payments.settle_doubt(work, body)
        case c.SubmitReceipt():
            payments.submit(work, body)
        case c.AcceptReceipt():
            payments.accept(work, body)
        case c.RefuseReceipt():
            payments.refuse(work, body)
        case c.WaiveReceipt():
            payments.waive(work, body)
        case c.ProposeMentor():
            mentoring.propose(work, body)
        case c.MatchMentor():
            mentoring.match(work, body)
        case c.DeclineMentor():
            mentoring.decline(work, body)
        case c.EndMentor():
            mentoring.end(work, body)
        case c.SendReferral():
            referrals.send(work, body)
        case c.AcceptReferral():
            referrals.accept(work, body)
        case c.DeclineReferral():
            referrals.decline(work, body)
        case c.CancelReferral():
            referrals.cancel(work, body)
        case c.RecordSituation():
            person.record_situation(work, body)
        case c.MeasureOutcome():
            person.measure_by_hand(work, body)
        case c.GiveConsent():
            person.give_consent(work, body)
        case c.WithdrawConsent():
            person.withdraw_consent(work, body)
        case c.PauseMessages():
            person.pause_messages(work, body)
        case c.ResumeMessages():
            person.resume_messages(work)
        case c.OptOut():
            person.opt_out(work)
        case c.OptIn():
            person.opt_in(work)
        case c.RecordWishes():
            person.record_wishes(work, body)
        case c.RecordDeath():
            person.record_death(work, body)
        case c.RequestErasure():
            person.request_erasure(work)
        case c.Erase():
            closing.erase(work, body)
        case c.RecordReceipt():
            _record_receipt(work, body)
        case c.Sync():
            pass
        case _:
            raise Refusal("unknown-command", name=type(body).__name__)


def _correct(work: Deciding, body: c.Correct) -> None:
    match body.what:
        case "date":
            release.correct(work, body)
        case "milestone":
            milestones.correct(work, body.id, body.to, body.on)
        case "contact":
            contacts.correct(work, body)
        case "appointment":
            appointments.correct(work, body)
        case "situation":
            person.correct_situation(work, body)
        case _:
            assert_never(body.what)


def _record_receipt(work: Deciding, body: c.RecordReceipt) -> None:
    if body.of == "payment":
        payments.said(work, body)
    elif body.of == "alert":
        escalation.came_back(work, body.id)
    else:
        messages.said(work, body)
        person.heard(work, body)


# --- time


def _take_dues(work: Deciding, blocked: str | None = None) -> None:
    """Take what is due one by one, folding between. A reserved payment ends the decision: its append is stricter."""
    while len(work.events) < MOST_EVENTS:
        due = agenda.first(work.state)
        if due is None or due.at > work.now:
            return
        if due.kind is DueKind.INSTALMENT and work.events:
            return
        _take(work, due, blocked)
        settle(work)
        if due.kind is DueKind.INSTALMENT:
            return


def _take(work: Deciding, due: Due, blocked: str | None) -> None:
    match due.kind:
        case DueKind.PHASE:
            take_phase(work, due.id, due.at)
        case DueKind.DATE:
            release.take_confirmation(work, due.id, due.at)
        case DueKind.KEPT:
            milestones.take_kept(work, due.id, due.at)
        case DueKind.MEASURE:
            person.take_measure(work, due.id, due.at)
        case DueKind.DEADLINE:
            milestones.take_deadline(work, due.id, due.at)
        case DueKind.CONTACT_CLOSES:
            contacts.take_closing(work, due.id, due.at)
        case DueKind.CONTACT_OPENS:
            contacts.take_opening(work, due.id, due.at)
        case DueKind.APPOINTMENT_ASKED:
            appointments.take_asking(work, due.id, due.at)
        case DueKind.GRANT_EXPIRES:
            grants.take_expiry(work, due.id, due.at)
        case DueKind.INSTALMENT:
            payments.take_instalment(work, due.id, due.at, blocked)
        case DueKind.PAYMENT_LOOKED_AT:
            payments.take_look(work, due.id, due.at)
        case DueKind.RECEIPT_LATE:
            payments.take_late_receipt(work, due.id, due.at)
        case DueKind.REFERRAL_EXPIRES:
            referrals.take_expiry(work, due.id, due.at)
        case DueKind.TRANSFER:
            release.take_transfer(work, due.at)
        case DueKind.ESCALATION:
            escalation.climb(work, due.id, due.at)
        case DueKind.PAUSE_ENDS:
            person.take_end_of_pause(work, due.at)
        case DueKind.ENDS:
            milestones.want_closing(work, None, due.at)
        case DueKind.REVIEW:
            release.take_review(work, due.at)
        case DueKind.REMINDER:
            messages.take_reminder(work, due.id, due.at)
        case DueKind.APPOINTMENT_REMINDER:
            appointments.take_reminder(work, due.id, due.at)
        case DueKind.MESSAGE:
            messages.ready(work, due.id, due.at)
        case DueKind.TELLING:
            escalation.tell_now(work, due.id, due.at)
        case DueKind.CHASE:
            chases.take(work, due.id, due.at)
        case _:
            assert_never(due.kind)


# --- outcomes of effects


def _take_outcome(work: Deciding, outcome: Outcome) -> None:
    """What an activity found. An effect that is settled already has no second outcome."""
    effect = work.state.effects.get(outcome.effect)
    if effect is None:
        return
    match effect.kind:
        case "deliver":
            found = person.found(work.state, outcome.passed, outcome.passed_by, outcome.alive, outcome.by)
            messages.delivered(
                work,
                outcome.effect,
                effect.id,
                outcome.answer,
                outcome.reason,
                outcome.until,
                outcome.wording,
                outcome.zone,
                found,
                outcome.put_off,
            )
            if outcome.answer == "failed" and effect.data["to"] == messages.PARTICIPANT:
                person.failed(work, outcome.reason)
            if found.news or (outcome.answer == "sent" and outcome.last_resort):
                person.unreached(work)
        case "tell" if outcome.answer == "told":
            escalation.told(work, outcome.effect, effect.id, outcome.told, outcome.role)
        case "tell" if outcome.answer == "deferred":
            escalation.told_later(work, outcome.effect, effect.id, outcome.zone)
        case "tell":
            escalation.untold(work, outcome.effect, effect.id, outcome.reason)
        case "check":
            milestones.checked(work, outcome.effect, effect.id, outcome.answer, outcome.reason)
        case "instruct":
            payments.instructed(work, outcome.effect, effect.id, outcome.answer, outcome.reason)
        case "enquire":
            payments.enquired(work, outcome.effect, effect.id, outcome.answer, outcome.reason)
        case _:
            assert_never(effect.kind)
    settle(work)
