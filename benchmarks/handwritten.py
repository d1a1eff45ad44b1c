"""Auxilia written by hand as an ordinary Temporal workflow: the reference for the length of a history.

One timer for each reminder, deadline, window, review, phase and measure; one ordinary activity for each event that is
recorded; and no task that can be avoided: what happens at one moment is recorded side by side, a settled deadline
cancels its timers in the task that records it, and nothing is computed in an activity. The terms are the constants
below: such a workflow knows one programme. It records the facts that an auditor of a journey asks for, under their
names; not those that only our own engine needs (`MECHANICS`). Suspensions, transfers, corrections and a moved
release, which the life played here does not have, are left out: they could only make it longer.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from journeys.domain.calendar import Calendar, compile_calendar
    from journeys.domain.moments import Duration, Moment, Side, parse_duration, parse_moment
    from journeys.domain.programme import Clock, Roll

RECORD, SEND, TELL, PAY, LOOK_UP = ("by-hand.record", "by-hand.send", "by-hand.tell", "by-hand.pay", "by-hand.look-up")
OPTIONS: dict[str, Any] = {"start_to_close_timeout": timedelta(seconds=60)}

MECHANICS = frozenset(
    {
        "MomentsPlanned", "ReminderTaken", "ReviewPlanned", "PaymentInstructed", "PaymentEnquired", "PaymentLookedUp",
        "DeadlineMoved", "MessageReady",
    }
)  # fmt: skip
"""Kinds of event that only an engine with one timer and effects by event needs."""

DUE = {
    "course-continued": "30 days before release",
    "exit-plan": "10 working days before release",
    "first-night": "2 working days before release",
    "lodging-asked": "2 months before release",
    "course-outside": "1 month after release",
    "same-trainer": "2 weeks after release",
    "stable-housing": "3 months after release",
    "first-meeting": "3 working days after release",
    "mentor-matched": "7 days after release",
    "rights-open": "1 month after release",
    "project-written": "2 months after release",
    "partner-met": "3 weeks after project-written reached",
    "cv-workshop": "4 weeks after project-written reached",
    "employer-aware": "5 weeks after partner-met reached",
    "work-trial": "6 weeks after partner-met reached",
    "review-3-months": "3 months after release",
    "final-review": "6 months after release",
}
INSIDE = ("course-continued", "exit-plan", "first-night", "lodging-asked")
FROM_THE_PLAN = ("first-meeting", "mentor-matched", "rights-open", "review-3-months", "final-review")
AT_RELEASE = ("course-outside", "same-trainer", "stable-housing")
IN_EMPLOYMENT = ("partner-met", "cv-workshop", "employer-aware", "work-trial")
"""Deadlines that end with the phase."""
URGENT = frozenset({"first-night", "first-meeting"})
QUIET = frozenset({"cv-workshop", "employer-aware", "letters", "correspondent", "company"})
"""Missed without an alert."""
REMINDERS = {
    "exit-plan": (("7 days", "referent"),),
    "first-meeting": (("1 day", "participant"), ("1 day", "referent")),
    "project-written": (("14 days", "participant"), ("3 days", "participant")),
}
CADENCES = {
    "support": (("1 week", "1 month"), ("2 weeks", "3 months"), ("1 month", "6 months")),
    "mentoring": (("2 weeks", "5 months"),),
    "course": (("2 weeks", "4 months"),),
    "letters": (("2 weeks", "2 months"),),
    "correspondent": (("2 weeks", "1 month"),),
    "company": (("1 month", "3 months"),),
    "at-work": (("2 weeks", "2 months"),),
}
BEGINS = {
    "course-continued": ("letters", "correspondent"),
    "course-outside": ("course",),
    "partner-met": ("company",),
    "job-kept": ("at-work",),
}
"""Contacts that begin once a milestone is reached."""
MEASURES = {
    "housed": (
        "housing",
        ("relay", "shared", "own"),
        ("at release", "3 months after release", "6 months after release"),
    ),
    "employed": ("job", ("fixed-term", "permanent"), ("6 weeks after release", "6 months after release")),
}
JOBS = ("subsidised", "fixed-term", "permanent")
KEPT = {
    "stable-housing": ("housing", ("shared", "own"), 30),
    "job-kept": ("job", JOBS, 30),
    "contract-kept": ("job", JOBS, 90),
}
"""The situation, its good values, and the days that one lasts."""
LADDERS: dict[bool, tuple[tuple[str, str], ...]] = {
    False: (("referent", "0 days"), ("supervisor", "3 working days"), ("duty", "5 working days")),
    True: (("referent", "0 days"), ("supervisor", "1 day"), ("duty", "1 working day")),
}
"""Who is told, and how long after the step before; the last step is repeated."""
REPEATS = 6
CAP, ONE_APPROVAL = 120_000, 30_000


class Start(BaseModel):
    """Input of the workflow: who, when, and the calendar's text."""

    person: str
    referent: str
    release: date
    calendar: str


class Fact(BaseModel):
    """What is recorded: one row of the record."""

    kind: str
    about: str
    at: datetime
    by: str
    command: str = ""
    details: dict[str, str] = {}


class Asked(BaseModel):
    """What every update carries: who asks, under which id."""

    id: str
    by: str
    role: str


class Grant:
    """A grant as far as it has come."""

    def __init__(self, asked: Asked, amount: int, expiry: "asyncio.Task[None]") -> None:
        self.id, self.requester, self.amount, self.expiry = asked.id, asked.by, amount, expiry
        needed = ["supervisor"] if amount <= ONE_APPROVAL else ["supervisor", "finance"]
        self.needed = set(needed)
        self.approvers: set[str] = set()
        self.over = False
        self.paid = 0


@workflow.defn(name="auxilia-by-hand")
class AuxiliaByHand:
    """A journey, its rules in the order in which a life meets them."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        self._start = start
        self._calendar: Calendar = compile_calendar(start.calendar, Clock())
        self._days: dict[str, date] = {"start": self._calendar.day(workflow.now()), "release": start.release}
        self._released = False
        self._settled: set[str] = set()
        self._phases: set[str] = set()
        self._evidence: set[str] = set()
        self._values: dict[str, tuple[str, date]] = {}
        self._good_since: dict[str, date] = {}
        self._mentor: str | None = None
        self._grants: dict[str, Grant] = {}
        self._receipts: dict[str, asyncio.Task[None]] = {}
        self._closed = False
        self._closing_wanted = False
        self._made: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @workflow.run
    async def run(self, start: Start) -> None:
        """Plan, let the tasks of the journey run until it is closed and nothing is left that may still happen."""
        self._begin("confirm", self._confirmation())
        self._begin("review", self._reviews())
        await self._record(
            self._fact("JourneyPlanned", start.person),
            self._fact("DateExpected", "release"),
            self._enter("inside"),
            *(self._set(code) for code in (*FROM_THE_PLAN, *INSIDE)),
        )
        await workflow.wait_condition(lambda: self._closed and not self._tasks)
        await workflow.wait_condition(workflow.all_handlers_finished)

    # --- dates

    @workflow.update
    async def confirm_date(self, asked: Asked, date: str) -> None:
        """The release has happened: what hangs on it begins."""
        self._released = True
        self._stop("confirm")
        self._days["release"] = self._today()
        facts = [
            self._fact("DateHappened", date, asked),
            self._fact("JourneyActivated", ""),
            self._enter("first-days"),
            self._enter("housing"),
            self._complete("inside"),
            *(self._set(code) for code in AT_RELEASE),
        ]
        self._begin("first-days", self._later("1 month after release", lambda: [self._complete("first-days")]))
        self._begin("follow-up", self._follow_up())
        self._begin("ends", self._end())
        for measure, (_, _, moments) in MEASURES.items():
            for number, moment in enumerate(moments, 1):
                self._begin(f"{measure}/{number}", self._measure(measure, number, moment))
        self._begin("contact/support", self._contact("support", self._days["release"]))
        await self._record(*facts)

    async def _confirmation(self) -> None:
        await self._until(self._calendar.closing(self._calendar.add_working_days(self._days["release"], 1)))
        await self._record(self._fact("DateUnconfirmed", "release"))
        self._escalate("date release", urgent=False)

    # --- phases, measures, reviews, the end

    def _enter(self, phase: str) -> Fact:
        self._phases.add(phase)
        return self._fact("PhaseEntered", phase)

    def _complete(self, phase: str) -> Fact:
        self._phases.discard(phase)
        return self._fact("PhaseCompleted", phase)

    async def _later(self, moment: str, facts: Callable[[], list[Fact]]) -> None:
        await self._until(self._calendar.midnight(self._day(moment)))
        await self._record(*facts())

    async def _follow_up(self) -> None:
        await self._later("3 months after release", lambda: [self._enter("follow-up")])
        await self._later("6 months after release", lambda: [self._complete("follow-up")])

    async def _end(self) -> None:
        await self._until(self._calendar.closing(self._day("6 months after release")))
        await self._want_closing("ends")

    async def _want_closing(self, why: str) -> None:
        if not self._closing_wanted:
            self._closing_wanted = True
            await asyncio.gather(
                self._record(self._fact("ClosingWanted", why)), self._owe("notice", "referent", "closing")
            )

    async def _measure(self, measure: str, number: int, moment: str) -> None:
        """The value on a day, written down a week later; also after the journey was closed."""
        day = self._day(moment)
        await self._until(self._calendar.closing(day + timedelta(days=7)))
        situation, good, _ = MEASURES[measure]
        value = self._values.get(situation)
        answer = "unknown" if value is None or value[1] > day else "yes" if value[0] in good else "no"
        await self._record(self._fact("OutcomeMeasured", f"{measure}/{number}", value=answer))

    async def _reviews(self) -> None:
        months = 0
        while True:
            months += 1
            await self._until(
                self._calendar.opening(self._calendar.add(self._days["start"], parse_duration(f"{months} months")))
            )
            await self._record(self._fact("ReviewDue", ""))

    # --- milestones

    @workflow.update
    async def reach_milestone(self, asked: Asked, milestone: str) -> None:
        """A milestone is reached, by hand or on its evidence."""
        if milestone == "exit-plan" and not self._evidence:
            await self._record(self._fact("CommandRefused", "no-evidence", asked))
            return
        await self._reach(milestone, asked)

    @workflow.update
    async def add_evidence(self, asked: Asked, milestone: str) -> None:
        """Evidence for a milestone."""
        self._evidence.add(milestone)
        await self._record(self._fact("EvidenceAdded", milestone, asked))

    async def _reach(self, code: str, asked: Asked | None = None) -> None:
        """Everything that follows from it is recorded at once, each by its own activity."""
        self._settled.add(code)
        self._days[f"{code} reached"] = self._today()
        facts = [self._fact("MilestoneReached", code, asked)]
        if self._stop(f"deadline/{code}"):
            facts.append(self._fact("DeadlineMet", code))
        facts += self._resolve(f"milestone {code}")
        for contact in BEGINS.get(code, ()):
            self._begin(f"contact/{contact}", self._contact(contact, self._today()))
        match code:
            case "first-meeting":
                facts += [self._enter("project"), self._set("project-written")]
            case "project-written":
                facts += [self._enter("employment"), self._set("partner-met"), self._set("cv-workshop")]
            case "partner-met" if "employment" in self._phases:
                facts += [self._set("work-trial"), self._set("employer-aware")]
            case "job-kept":
                facts.append(self._complete("employment"))
                for each in IN_EMPLOYMENT:
                    if self._stop(f"deadline/{each}"):
                        facts.append(self._fact("DeadlineCancelled", each))
            case "stable-housing":
                facts.append(self._complete("housing"))
            case _:
                pass
        wanted = [self._want_closing("completed")] if code == "final-review" else []
        await asyncio.gather(self._record(*facts), *wanted)

    def _set(self, code: str) -> Fact:
        """Set a deadline: its timer and those of its reminders run from now on."""
        day = self._day(DUE[code])
        if day <= self._today():
            day = self._calendar.add_working_days(self._today(), 3)
        self._begin(f"deadline/{code}", self._deadline(code, day))
        return self._fact("DeadlineSet", code, due=day.isoformat())

    async def _deadline(self, code: str, day: date) -> None:
        due = self._calendar.closing(day)
        moments = [
            (self._calendar.opening(self._calendar.add(day, parse_duration(lead), -1)), to)
            for lead, to in REMINDERS.get(code, ())
        ]
        reminders = [
            asyncio.create_task(self._remind(code, at, to)) for at, to in moments if at > workflow.now()
        ]  # fmt: skip
        try:
            await self._until(due)
        finally:
            for reminder in reminders:
                reminder.cancel()
        await self._record(self._fact("DeadlineMissed", code))
        if code not in QUIET:
            self._escalate(f"milestone {code}", urgent=code in URGENT)

    async def _remind(self, code: str, at: datetime, to: str) -> None:
        await self._until(at)
        # What is on its way is not called back when the deadline is met meanwhile.
        await asyncio.shield(self._owe("reminder", to, code))

    # --- escalations

    def _escalate(self, about: str, *, urgent: bool) -> None:
        self._begin(f"escalation/{about}", self._climb(about, urgent))

    def _resolve(self, about: str) -> list[Fact]:
        return [self._fact("EscalationResolved", about)] if self._stop(f"escalation/{about}") else []

    async def _climb(self, about: str, urgent: bool) -> None:
        await self._record(self._fact("EscalationRaised", about))
        steps = LADDERS[urgent]
        for number in range(len(steps) + REPEATS):
            role, after = steps[min(number, len(steps) - 1)]
            if number:
                await self._until(self._calendar.term_end(workflow.now(), parse_duration(after)))
                await self._record(self._fact("EscalationClimbed", about, to=role))
            told: list[str] = await workflow.execute_activity(
                TELL, args=[about, role], result_type=list[str], **OPTIONS
            )
            await self._record(self._fact("EscalationTold" if told else "EscalationUntold", about, to=role))

    # --- situations, contacts, the mentor

    @workflow.update
    async def record_situation(self, asked: Asked, situation: str, value: str) -> None:
        """Housing or job since today; a good value that lasts reaches its milestone."""
        self._values[situation] = (value, self._today())
        for code, (watched, good, days) in KEPT.items():
            if watched != situation or code in self._settled:
                continue
            if value not in good:
                self._stop(f"kept/{code}")
            elif f"kept/{code}" not in self._tasks:
                self._begin(f"kept/{code}", self._kept(code, days))
        await self._record(self._fact("SituationChanged", f"{situation} {value}", asked))

    async def _kept(self, code: str, days: int) -> None:
        await self._until(self._calendar.opening(self._today() + timedelta(days=days)))
        await self._reach(code)

    @workflow.update
    async def log_contact(self, asked: Asked, contact: str, means: str) -> None:
        """A contact made: for the open window, or besides."""
        made = self._made.get(contact)
        if made is None or made.is_set():
            await self._record(self._fact("ContactLogged", contact, asked))
            return
        made.set()
        await self._record(self._fact("ContactMade", contact, asked), *self._resolve(f"contact {contact}"))

    async def _contact(self, contact: str, first: date) -> None:
        """One window after the other: a timer until it opens, one until it closes."""
        for opens, closes in self._windows(contact, first):
            await self._until(self._calendar.opening(opens))
            made = self._made[contact] = asyncio.Event()
            closing = asyncio.create_task(self._until(self._calendar.closing(closes)))
            waiting = asyncio.create_task(made.wait())
            await self._record(self._fact("ContactDue", contact))
            try:
                await workflow.wait([closing, waiting], return_when=asyncio.FIRST_COMPLETED)
            finally:
                closing.cancel()
                waiting.cancel()
            if not made.is_set():
                made.set()
                await self._record(self._fact("ContactMissed", contact))
                if contact not in QUIET:
                    self._escalate(f"contact {contact}", urgent=False)

    def _windows(self, contact: str, first: date) -> Iterator[tuple[date, date]]:
        """First and last day of each window; a stub under half an interval joins the window before."""
        begins, last = first, None
        for every, until in CADENCES[contact]:
            end = self._calendar.add(first, parse_duration(until))
            step, base, count = parse_duration(every), begins, 0
            while begins < end:
                count += 1
                ends = self._calendar.add(base, Duration(step.amount * count, step.unit))
                if last is not None and ends > end and (end - begins) * 2 < ends - begins:
                    last, begins = (last[0], end), end
                    break
                if last is not None:
                    yield last[0], last[1] - timedelta(days=1)
                last = (begins, min(ends, end))
                begins = last[1]
        if last is not None:
            yield last[0], last[1] - timedelta(days=1)

    @workflow.update
    async def propose_mentor(self, asked: Asked, mentor: str) -> None:
        """Propose a mentor, who is asked."""
        await asyncio.gather(
            self._record(self._fact("MentorProposed", mentor, asked)), self._owe("notice", "mentor", "mentor-proposed")
        )

    @workflow.update
    async def match_mentor(self, asked: Asked, mentor: str) -> None:
        """The mentor has said yes: the milestone is reached, the windows begin."""
        self._mentor = mentor
        self._begin("contact/mentoring", self._contact("mentoring", self._today()))
        await asyncio.gather(self._record(self._fact("MentorMatched", mentor, asked)), self._reach("mentor-matched"))

    # --- money

    @workflow.update
    async def request_grant(self, asked: Asked, amount: int, purpose: str) -> None:
        """Ask for money; the approvers are told, and a term runs."""
        if sum(grant.amount for grant in self._grants.values() if not grant.over) + amount > CAP:
            await self._record(self._fact("CommandRefused", "over-cap", asked))
            return
        expiry = self._begin(f"grant/{asked.id}", self._expire(asked.id))
        grant = self._grants[asked.id] = Grant(asked, amount, expiry)
        approvers = [self._owe("approval", role, asked.id) for role in sorted(grant.needed)]
        await asyncio.gather(self._record(self._fact("GrantRequested", asked.id, asked, purpose=purpose)), *approvers)

    async def _expire(self, id: str) -> None:
        await self._until(self._calendar.term_end(workflow.now(), parse_duration("10 working days")))
        self._grants[id].over = True
        await self._record(self._fact("GrantExpired", id))
        self._escalate(f"grant {id}", urgent=False)

    @workflow.update
    async def approve_grant(self, asked: Asked, grant: str) -> None:
        """An approval by one more person who may; with the last of them the payments begin."""
        known = self._grants[grant]
        if asked.by == known.requester or asked.by in known.approvers or asked.role not in known.needed:
            await self._record(self._fact("CommandRefused", "self-approval", asked))
            return
        known.approvers.add(asked.by)
        known.needed.discard(asked.role)
        facts = [self._fact("GrantApprovalGiven", grant, asked)]
        if not known.needed:
            self._stop(f"grant/{grant}")
            facts.append(self._fact("GrantApproved", grant))
            for number in (1, 2):
                self._begin(f"payment/{grant}/{number}", self._pay(known, number))
        await self._record(*facts)

    async def _pay(self, grant: Grant, number: int) -> None:
        """Record, instruct once, look up until it is settled, then ask for the receipt."""
        if number == 2:
            day = self._calendar.roll(self._day("1 month after release"), Roll.FORWARD)
            await self._until(self._calendar.opening(day))
        payment = f"{grant.id}/{number}"
        await self._record(self._fact("PaymentReserved", payment))
        said: str = await workflow.execute_activity(PAY, payment, result_type=str, **OPTIONS)
        if said == "accepted":
            await self._record(self._fact("PaymentAccepted", payment))
        while said == "accepted":
            await self._until(self._calendar.term_end(workflow.now(), parse_duration("1 working day"), "09:00"))
            said = await workflow.execute_activity(LOOK_UP, payment, result_type=str, **OPTIONS)
        if said != "settled":
            await self._record(self._fact("PaymentRejected", payment))
            self._escalate(f"payment {payment}", urgent=False)
            return
        grant.paid += 1
        facts = [self._fact("PaymentSettled", payment), self._fact("ReceiptDue", payment)]
        self._receipts[payment] = self._begin(f"receipt/{payment}", self._receipt(payment))
        if grant.paid == 2:
            facts.append(self._fact("GrantCompleted", grant.id))
            await asyncio.gather(self._record(*facts), self._reach("grant-used"))
            return
        await self._record(*facts)

    async def _receipt(self, payment: str) -> None:
        await self._until(self._calendar.closing(self._today() + timedelta(days=30)))
        await self._record(self._fact("ReceiptOverdue", payment))
        self._escalate(f"receipt {payment}", urgent=False)

    @workflow.update
    async def submit_receipt(self, asked: Asked, payment: str) -> None:
        """A receipt was handed in; finance is told."""
        self._stop(f"receipt/{payment}")
        facts = [self._fact("ReceiptSubmitted", payment, asked), *self._resolve(f"receipt {payment}")]
        await asyncio.gather(self._record(*facts), self._owe("notice", "finance", payment))

    @workflow.update
    async def accept_receipt(self, asked: Asked, payment: str) -> None:
        """Finance accepts a receipt."""
        await self._record(self._fact("ReceiptAccepted", payment, asked))

    # --- closing

    @workflow.update
    async def close(self, asked: Asked, outcome: str) -> None:
        """Stop everything but what is still owed: measures of days before, receipts, payments."""
        self._closed = True
        facts = [self._fact("JourneyClosed", outcome, asked)]
        for name in list(self._tasks):
            if not name.startswith((*MEASURES, "receipt/", "payment/")):
                facts += [self._fact("DeadlineCancelled", name)] if name.startswith("deadline/") else []
                self._stop(name)
        facts += [self._fact("MentorEnded", self._mentor)] if self._mentor is not None else []
        await self._record(*facts)

    # --- means

    def _fact(self, kind: str, about: str, asked: Asked | None = None, **details: str) -> Fact:
        by, command = (asked.by, asked.id) if asked is not None else ("system", "")
        return Fact(kind=kind, about=about, at=workflow.now(), by=by, command=command, details=details)

    async def _record(self, *facts: Fact) -> None:
        """One activity for each event, side by side."""
        await asyncio.gather(*(workflow.execute_activity(RECORD, fact, **OPTIONS) for fact in facts))

    async def _owe(self, purpose: str, to: str, about: str) -> None:
        """A message: recorded as due, held back in the quiet hours, sent, recorded as sent."""
        await self._record(self._fact("MessageDue", f"{purpose} {about}", to=to))
        quiet_until = self._calendar.quiet_until(workflow.now())
        if quiet_until is not None:
            await self._record(self._fact("MessageDeferred", f"{purpose} {about}", to=to))
            await self._until(quiet_until)
        sent: bool = await workflow.execute_activity(SEND, args=[to, purpose, about], result_type=bool, **OPTIONS)
        await self._record(self._fact("MessageSent" if sent else "MessageFailed", f"{purpose} {about}", to=to))

    async def _until(self, at: datetime) -> None:
        left = at - workflow.now()
        if left > timedelta(0):
            await asyncio.sleep(left.total_seconds())

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Something that goes on by itself until it is done or stopped."""
        task = self._tasks[name] = asyncio.create_task(work)
        task.add_done_callback(lambda done: self._tasks.pop(name) if self._tasks.get(name) is done else None)
        return task

    def _stop(self, name: str) -> bool:
        """Stop it with its timers. False when it was over."""
        task = self._tasks.pop(name, None)
        return task is not None and task.cancel()

    def _today(self) -> date:
        return self._calendar.day(workflow.now())

    def _day(self, text: str) -> date:
        """The local day of a moment in the programme's words; before a release it is rolled back, else forward."""
        moment: Moment = parse_moment(text)
        name = moment.anchor.name
        anchor = self._days[name if name in self._days else f"{name} reached"]
        sign = -1 if moment.side is Side.BEFORE else 1
        day = self._calendar.add(anchor, moment.offset, sign)
        return self._calendar.roll(day, Roll.BACK if sign < 0 else Roll.FORWARD) if text in DUE.values() else day
