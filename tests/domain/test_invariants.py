"""The checker bites: records that hold are altered, and each alteration is found under its own name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from journeys.audit.journal_account import _rules
from journeys.domain import commands as c
from journeys.domain import escalation
from journeys.domain import events as e
from journeys.domain.invariants import Outage, Violation, check, check_fund
from journeys.domain.record import Cause, Event, Payload
from tests.domain.given import (
    FINANCE,
    FINANCE_2,
    REFERENT,
    STREAM,
    SUPERVISOR,
    Answer,
    Life,
    day,
    given,
    paris,
    plan,
    released,
)
from tests.domain.test_appointments import chosen
from tests.domain.test_chases import missed, no_answer
from tests.domain.test_closing import busy
from tests.domain.test_escalation import TOGETHER, WITHIN_HOURS
from tests.domain.test_grants import approve, approved, request
from tests.domain.test_payments import heard, small

Events = list[Event[Payload]]
Alter = Callable[[Events], Events]


# --- ways to alter a record


def _at(events: Events, kind: str, nth: int, **fields: Any) -> int:
    places = [
        i
        for i, event in enumerate(events)
        if event.kind == kind and all(getattr(event.data, name) == want for name, want in fields.items())
    ]
    return places[nth]


def renumber(events: Events) -> Events:
    """Close the gaps in seq, so that only what was altered is wrong."""
    new = {event.seq: place for place, event in enumerate(events, 1)}
    return [_moved(event, seq, new) for seq, event in enumerate(events, 1)]


def _moved(event: Event[Payload], seq: int, new: dict[int, int]) -> Event[Payload]:
    cause = event.caused_by
    if cause is not None and cause.stream == event.stream:
        cause = Cause(cause.stream, new.get(cause.seq, cause.seq))
    effect = getattr(event.data, "effect", None)
    data = event.data if effect is None else event.data.model_copy(update={"effect": new.get(effect, 10_000 + effect)})
    return event.model_copy(update={"seq": seq, "caused_by": cause, "data": data})


def drop(kind: str, nth: int = -1, **fields: Any) -> Alter:
    def alter(events: Events) -> Events:
        place = _at(events, kind, nth, **fields)
        return renumber(events[:place] + events[place + 1 :])

    return alter


def again(kind: str, nth: int = -1, **fields: Any) -> Alter:
    """The event happens once more, at the end."""
    return lambda events: [*events, _moved(events[_at(events, kind, nth, **fields)], len(events) + 1, {})]


def edit(of: str, nth: int = -1, **changes: Any) -> Alter:
    """Another content of the event's own fields, or of its envelope's."""

    def alter(events: Events) -> Events:
        place = _at(events, of, nth)
        event = events[place]
        outer = {name: value for name, value in changes.items() if name in type(event).model_fields}
        inner = {name: value for name, value in changes.items() if name in type(event.data).model_fields}
        data = event.data.model_copy(update=inner)
        return [*events[:place], event.model_copy(update={**outer, "data": data}), *events[place + 1 :]]

    return alter


def late(kind: str, by_: timedelta, nth: int = -1) -> Alter:
    """The event and all that follow are recorded later."""

    def alter(events: Events) -> Events:
        place = _at(events, kind, nth)
        return events[:place] + [
            event.model_copy(update={"recorded_at": event.recorded_at + by_}) for event in events[place:]
        ]

    return alter


# --- records that hold


def casework() -> Life:
    """Misses, a ladder that climbs, contacts, a suspension, a check, appointments: until July."""
    life = released().when("2027-03-10 10:00", c.Suspend(why="hospital")).when("2027-03-20 10:00", c.Resume())
    return life.when("2027-07-01")


def money() -> Life:
    return approved().when("2027-07-01")


def unsent() -> Life:
    return (
        small(instruct=None)
        .when("2027-03-02 11:01", Answer("instruct", "unsent"))
        .when("2027-03-02 11:16", Answer("instruct", "settled"))
    )


def closed() -> Life:
    return busy().when("2027-05-11 10:00", c.Close(outcome="completed")).when("2028-01-01")


def met() -> Life:
    return released().when("2027-03-02", c.ReachMilestone(milestone="first-meeting"))


def untold() -> Life:
    return released(tell=("untold", "vacant")).when("2027-03-04 18:00")


def woken() -> Life:
    """An escalation about a contact is given to somebody else in the night."""
    life = released().when("2027-03-14 18:00")
    give = c.ReassignEscalation(escalation=life.about("contact", "support"), to=REFERENT)
    return life.when("2027-03-14 23:00", give).when("2027-03-15 08:00")


def together() -> Life:
    """Alerts that are told with the digest of the morning, and climbed from."""
    return given(("2027-01-11 10:00", plan(None)), book=TOGETHER).when("2027-01-15 14:00")


def night() -> Life:
    return released().when("2027-03-02 22:00", c.RequestErasure()).when("2027-03-03 10:00")


def double() -> Life:
    """Approved by two people of the same role."""
    life = released().when("2027-03-02 10:00", request(110_000)).when("2027-03-02 11:00", approve(SUPERVISOR))
    return life.when("2027-03-02 12:00", approve(FINANCE)).when("2027-03-02 13:00", approve(FINANCE_2))


def chased() -> Life:
    """Called without answer, written to in vain, then told."""
    return missed().when("2027-03-22 11:00", no_answer).when("2027-03-23 10:00", no_answer)


def chased_at_the_end() -> Life:
    return missed().when("2027-03-22 11:00", c.Close(outcome="moved"))


@dataclass(frozen=True)
class Case:
    code: str
    invariant: int
    life: Callable[[], Life]
    alter: Alter


CASES = [
    Case("instructed-twice", 1, money, again("PaymentInstructed")),
    Case("released-after-instruction", 1, unsent, again("PaymentReleased")),
    Case("reserved-twice", 1, money, again("PaymentReserved")),
    Case("self-approval", 2, money, edit("GrantApprovalGiven", actor=REFERENT)),
    Case("approved-twice-by-one", 2, double, edit("GrantApprovalGiven", actor=SUPERVISOR)),
    Case("approval-of-something-else", 2, money, edit("GrantApprovalGiven", digest="f" * 64)),
    Case("approval-of-something-else", 2, money, edit("GrantApproved", digest="f" * 64)),
    Case("role-not-wanted", 2, money, edit("GrantApprovalGiven", role="referent")),
    Case("role-not-wanted", 2, money, edit("GrantApprovalGiven", role="supervisor", stands_for="supervisor")),
    Case("approvals-missing", 2, money, drop("GrantApprovalGiven")),
    Case("paid-without-approval", 2, money, drop("GrantApproved")),
    Case("paid-something-else", 2, money, edit("PaymentReserved", payee="e" * 64)),
    Case("paid-out-of-turn", 2, money, drop("PaymentReserved", 0)),
    Case("digest-of-something-else", 2, money, edit("GrantRequested", purpose="equipment")),
    Case("digest-of-something-else", 2, money, edit("GrantRequested", payee="e" * 64)),
    Case("instalments-do-not-add-up", 3, money, edit("GrantRequested", amount=50_001)),
    Case("another-amount", 3, money, edit("PaymentReserved", amount=1)),
    Case("over-the-grant", 3, money, edit("PaymentReserved", amount=50_000)),
    Case("opened-twice", 4, casework, again("DeadlineSet")),
    Case("opened-twice", 4, casework, again("JourneyPlanned")),
    Case("never-opened", 4, casework, drop("ContactDue", 0)),
    Case("never-opened", 4, money, drop("ReceiptDue", 0)),
    Case("closed-already", 4, casework, again("ContactMissed")),
    Case("closed-already", 4, closed, again("ReferralCancelled")),
    Case("closed-already", 4, money, again("GrantCompleted")),
    Case("still-open", 4, casework, edit("DateHappened", kind="DateCorrected")),
    Case("never-closed", 4, closed, drop("ReferralCancelled")),
    Case("never-closed", 4, closed, drop("ContactCancelled")),
    Case("second-outcome", 4, money, again("EscalationTold")),
    Case("second-outcome", 4, casework, again("MessageSent")),
    Case("no-outcome", 4, closed, drop("MessageSent")),
    Case("no-outcome", 8, closed, drop("EscalationTold")),
    Case("settled-twice", 4, money, again("MilestoneReached")),
    Case("two-deadlines", 4, released, again("DeadlineSet", milestone="law-term")),
    Case("deadline-of-a-settled-milestone", 4, met, again("DeadlineSet", milestone="first-meeting")),
    Case("missed-before-its-date", 5, casework, drop("DateHappened")),
    Case("missed-early", 5, casework, edit("DeadlineMissed", 0, recorded_at=paris("2027-02-01"))),
    Case("missed-late", 5, casework, late("DeadlineMissed", timedelta(minutes=6))),
    Case("raised-twice", 5, casework, again("EscalationRaised")),
    Case("never-raised", 5, casework, drop("EscalationRaised", 1)),
    Case("missed-without-next-step", 5, chased, drop("ChaseDue", 0)),
    Case("missed-without-next-step", 5, chased, drop("ChaseDue", 1)),
    Case("missed-without-next-step", 5, chased, drop("EscalationRaised", -1)),
    Case("never-closed", 4, chased_at_the_end, drop("ChaseCancelled")),
    Case("closed-already", 4, chased, again("ChasePassed")),
    Case("owed-twice", 6, casework, again("MessageDue")),
    Case("past-its-validity", 6, casework, edit("MessageDue", 0, valid_until=paris("2027-01-01"))),
    Case("in-quiet-hours", 6, night, edit("MessageReady", recorded_at=paris("2027-03-03 07:00"))),
    Case("climbed-while-suspended", 7, casework, drop("JourneyResumed")),
    Case("due-while-suspended", 7, casework, drop("JourneyResumed")),
    Case("contact-while-suspended", 7, casework, drop("JourneyResumed")),
    Case("ladder-lost-or-doubled", 7, casework, edit("JourneyResumed", ladders={})),
    Case("step-skipped", 8, casework, edit("EscalationClimbed", 0, step=2)),
    Case("told-nobody", 8, casework, edit("EscalationTold", told=())),
    Case("nobody-to-go-to", 8, untold, drop("EscalationClimbed")),
    Case("climbed-untold", 8, together, drop("EscalationReady")),
    Case("told-at-night", 6, woken, edit("EscalationReady", recorded_at=paris("2027-03-15 07:00"))),
    Case("gap", 9, casework, lambda events: events[:5] + events[6:]),
    Case("gap", 9, casework, lambda events: events[1:]),
    Case("another-stream", 9, casework, edit("ContactDue", stream="journey-of-somebody-else")),
    Case("time-runs-backwards", 9, casework, edit("ContactDue", recorded_at=paris("2026-01-01"))),
    Case("nobody-acted", 9, casework, edit("ContactDue", role="")),
    Case("neither-command-nor-rule", 9, casework, edit("ContactDue", rule=None)),
    Case("rule-by-a-person", 9, casework, edit("ContactDue", actor=REFERENT)),
    Case("caused-by-later", 9, casework, edit("EscalationRaised", 0, caused_by=Cause(STREAM, 9_999))),
    Case("time-not-offered", 9, chosen, edit("AppointmentMoved", at=paris("2027-03-23 10:00"))),
    Case("time-not-offered", 9, chosen, edit("AppointmentBooked", or_at=())),
    Case("after-closure", 11, closed, again("ContactDue")),
    Case("after-closure", 11, closed, again("PhaseEntered")),
    Case("escalation-left-open", 11, closed, drop("EscalationResolved")),
]  # fmt: skip


@cache
def held(played: Callable[[], Life]) -> Life:
    """Such a life, whose record holds: played and judged once for all that is altered in a copy of it."""
    life = played()
    assert life.violations(complete=life.state.status == "closed") == []
    return life


@pytest.mark.parametrize("case", CASES, ids=[f"{case.invariant} {case.code} {n}" for n, case in enumerate(CASES)])
def test_an_altered_record_is_found_out(case: Case) -> None:
    life = held(case.life)
    altered = case.alter(list(life.events))
    found = check(altered, book=life.book, outages=life.outages, complete=life.state.status == "closed", strict=True)
    assert (case.invariant, case.code) in {(violation.invariant, violation.code) for violation in found}, found


# --- messages that nobody should have got


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        (c.OptOut(), "opted-out"),
        (c.PauseMessages(until=day("2027-03-25")), "paused"),
        (c.Suspend(why="hospital"), "suspended"),
        (c.Close(outcome="moved"), "closed"),
        (c.RecordDeath(), "closed"),
    ],
)
def test_a_message_let_go_when_it_must_not_leave_is_found_out(stop: c.Body, code: str) -> None:
    """The participant's reminder waits until 11:00; at 10:00 something comes between; it is sent all the same."""
    life = released(deliver=None).when("2027-03-19 09:00")
    life.when("2027-03-19 09:01", Answer("deliver", "deferred", until="2027-03-19 11:00"))
    message = life.last("MessageDeferred").message
    life.when("2027-03-19 10:00", stop).when("2027-03-19 11:00")
    assert life.all("MessageSuppressed", message=message)
    found = check(_sent_all_the_same(life.events, message), book=life.book)
    assert {(violation.invariant, violation.code) for violation in found} == {(6, code)}, found


def test_a_notice_after_a_silent_closing_is_found_out() -> None:
    life = (
        released().when("2027-03-02 22:00", c.RequestErasure()).when("2027-03-02 23:00", c.Close(outcome="withdrawn"))
    )
    message = life.last("MessageDue", template="erasure-asked").message
    found = check(_sent_all_the_same(life.when("2027-03-03 09:00").events, message), book=life.book)
    assert {(violation.invariant, violation.code) for violation in found} == {(6, "closed-silently")}, found


def _sent_all_the_same(events: Events, message: str) -> Events:
    """Instead of being suppressed, a deferred message is let go and sent."""
    kept = renumber(
        [
            event
            for event in events
            if not (event.kind in ("MessageReady", "MessageSuppressed") and event.data.message == message)  # type: ignore[attr-defined]
        ]
    )
    last = kept[-1].model_copy(
        update={"command": None, "rule": "message", "actor": "system", "role": "system", "caused_by": None}
    )
    at = max(last.recorded_at, paris("2027-03-03 09:00"))
    ready = last.model_copy(
        update={"seq": last.seq + 1, "recorded_at": at, "kind": "MessageReady", "data": e.MessageReady(message=message)}
    )
    data = e.MessageSent(message=message, channel="mail", effect=ready.seq)
    return [*kept, ready, ready.model_copy(update={"seq": ready.seq + 1, "kind": "MessageSent", "data": data})]


# --- what needs more than the record


def test_without_the_rules_only_the_record_is_judged() -> None:
    life = held(casework)
    never_raised = renumber([event for event in life.events if event.kind != "EscalationRaised"])
    assert "never-raised" not in {violation.code for violation in check(never_raised)}


def test_an_outage_excuses_for_fifteen_minutes_after_its_end() -> None:
    life = released().after_outage("2027-03-08 10:00")
    assert check(life.events, book=life.book, outages=life.outages) == []
    assert {violation.code for violation in check(life.events, book=life.book)} == {"missed-late"}
    earlier = [Outage(life.outages[0].begins, paris("2027-03-08 09:40"))]
    assert {violation.code for violation in check(life.events, outages=earlier)} == {"missed-late"}
    assert check(life.events, outages=[Outage(life.outages[0].begins, paris("2027-03-08 09:46"))]) == []
    assert check(life.events, outages=None) == []


def test_a_record_from_when_every_step_waited_for_its_digest_is_not_condemned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missed on a Wednesday at ten, climbed from at two in the afternoon, and told on Thursday morning."""
    monkeypatch.setattr(escalation, "TO_ACT", timedelta(days=-9))
    monkeypatch.setattr(Life, "violations", lambda *_: [])
    life = given(("2027-01-11 10:00", plan(None)), book=WITHIN_HOURS).when("2027-01-14 12:00")
    assert life.all("EscalationDeferred", step=0, digest="2027-01-14 09:30")
    assert {each.code for each in check(life.events, book=life.book, strict=True)} == {"climbed-untold"}
    assert list(_rules(life.events, life.book, ())) == []


def test_an_open_journey_without_a_due_is_found_out() -> None:
    life = released()
    assert check(life.events, next_due=lambda events: None) == [Violation(7, len(life.events), "no-due")]
    ended = held(closed)
    assert check(ended.events, next_due=lambda events: None) == []


def test_a_cap_that_the_programme_sets_is_kept_over_all_its_grants() -> None:
    life = held(money)
    lower = life.book.programme.model_copy(
        update={"grants": {"bourse": life.book.programme.grants["bourse"].model_copy(update={"cap": 20_000})}}
    )
    found = check(life.events, book=replace(life.book, programme=lower))
    assert (3, "over-the-cap") in {(violation.invariant, violation.code) for violation in found}


# --- the fund, over all journeys


def test_a_fund_keeps_to_its_cap_per_person_in_every_prefix() -> None:
    """500 EUR reserved in three parts; the first came back before the others left."""
    life = approved().when("2027-03-09", heard("returned")).when("2027-07-01")
    assert sum(data.amount for data in life.all("PaymentReserved")) == 50_000
    assert check_fund(life.events, {"parvis": 33_500}) == []
    assert [violation.code for violation in check_fund(life.events, {"parvis": 33_499})] == ["over-the-cap"]
    assert check_fund(life.events, {"parvis": None}) == []
    assert {violation.code for violation in check_fund(life.events, {})} == {"unknown-fund"}


def test_a_fund_is_counted_over_all_journeys_of_a_person() -> None:
    first = held(money).events
    second = [
        event.model_copy(
            update={"stream": "journey-2", "data": event.data.model_copy(update={"payment": f"2-{event.seq}"})}
        )
        for event in first
        if event.kind == "PaymentReserved"
    ]
    assert check_fund([*first, *second], {"parvis": 100_000}) == []
    assert "over-the-cap" in {violation.code for violation in check_fund([*first, *second], {"parvis": 99_999})}


@pytest.mark.parametrize(
    ("kind", "code"), [("PaymentReserved", "not-a-new-payment"), ("PaymentReturned", "gave-back-twice")]
)
def test_a_fund_moves_once_for_each_payment(kind: str, code: str) -> None:
    life = approved().when("2027-03-09", heard("returned"))
    altered = again(kind)(list(life.events))
    assert code in {violation.code for violation in check_fund(altered, {"parvis": None})}
