"""Lives made up as they go: whatever people may ask, time that passes or stands still, and a world that answers badly.

Everything is drawn from a `random.Random` that the caller owns: Hypothesis gives one that it can shrink, the test of
the rare cases a seeded one.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from journeys.domain import agenda
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.calendar import Calendar
from journeys.domain.consequences import settle
from journeys.domain.decide import Outcome
from journeys.domain.deciding import Deciding
from journeys.domain.events import read_event
from journeys.domain.evolve import fold
from journeys.domain.handbook import Handbook
from journeys.domain.invariants import Outage, check
from journeys.domain.messages import hours_of
from journeys.domain.offer import make_offer
from journeys.domain.plan import EVERY
from journeys.domain.record import Part
from journeys.domain.state import State, dump, load
from journeys.domain.summary import summary
from tests.domain.given import (
    DUTY,
    FINANCE,
    FINANCE_2,
    MENTOR,
    OTHER_MENTOR,
    OTHER_REFERENT,
    PARIS,
    PARTNER,
    PERSON,
    REFERENT,
    ROLES,
    STREAM,
    SUPERVISOR,
    Life,
    book_of,
    house,
    paris,
    usual_actor,
)
from tests.domain.rules import other, without

PROGRAMMES = Path(__file__).parents[2] / "programmes"
ANSWERS = {
    "deliver": ("sent", "sent", "failed", "suppressed", "deferred", "unknown", ""),
    "tell": ("told", "told", "untold"),
    "check": ("passed", "failed", "unknown"),
    "instruct": ("settled", "accepted", "unknown", "rejected", "unsent"),
    "enquire": ("settled", "accepted", "unknown", "rejected"),
}
ZONES = (None, "Indian/Reunion", "Pacific/Tahiti")
"""Where people live."""
STAFF = (REFERENT, OTHER_REFERENT, SUPERVISOR, FINANCE, FINANCE_2, DUTY, MENTOR, PARTNER, PERSON)
NOBODY = str(UUID(int=0xFFFF))


SEEDS = range(49, 139)
"""The rarest case comes with one of these alone."""
STEPS = 90


_OTHERS = ("house-without", "house-otherwise", "house-softly", "auxilia", "concienta", "exemple-trois-lignes")
"""What a journey may be put under while it is under way."""


@cache
def _programme(name: str) -> Handbook:
    match name:
        case "house":
            return house()
        case "house-without":
            return without("visit:", "support:", "rights-open:")
        case "house-softly":
            steps = "[{do: call}, {do: letter, within: 3 working days}]"
            return other(("grants:\n", f"appointments: {{missed: {steps}, summons_missed: urgent}}\ngrants:\n"))
        case "house-otherwise":
            return other(
                ("every 1 week until 1 month", "every 3 days until 1 month"),
                ("due: 6 weeks after", "due: 2 weeks after"),
                ("{to: supervisor, after: 3 working days}, ", ""),
                ("when: 7 days before", "when: 3 days before"),
                ("fund: parvis, cap: 300 EUR", "fund: parvis, cap: 900 EUR"),
            )  # fmt: skip
        case _:
            return book_of((PROGRAMMES / f"{name}.yaml").read_text())


class MadeUp(Life):
    """A life whose every step is drawn."""

    def __init__(self, draw: Random) -> None:
        name = draw.choice(["house", "house", "house-softly", "auxilia", "concienta", "exemple-trois-lignes"])
        book = _programme(name)
        super().__init__(book, dict.fromkeys(ANSWERS))
        self.shelf = {(f"{number}" * 64, "1" * 64): _programme(each) for number, each in enumerate(_OTHERS, 2)}
        self.reached: Counter[str] = Counter()
        """The rare cases met on the way."""
        self.judged = 0
        """Events of the record when it was last judged as a whole."""
        self.answered: list[int] = []
        self.ways: dict[str, tuple[Calendar, bool]] = {}
        """Where each message goes, as the hours there, and whether it is urgent."""
        self.let_go: dict[int, tuple[str, datetime]] = {}
        """Each message let go, by the seq of the event, and when."""
        self.now = paris("2027-01-04 08:00") + timedelta(minutes=draw.randrange(60 * 24 * 90))
        on = {name: self._day(draw, 0, 60) for name in book.programme.dates}
        watch_from = draw.choice([None, None, None, self.now])
        self._try(draw, self._plan(on, watch_from), REFERENT, self.now)

    def _plan(self, on: dict[str, Any], watch_from: datetime | None) -> c.Plan:
        return c.Plan(
            person=PERSON,
            programme="0" * 64,
            calendar="1" * 64,
            referent=REFERENT,
            dates=on,
            watch_from=watch_from,
            zone=ZONES[self.now.minute % 3],
        )

    # --- steps

    def waits(self, draw: Random) -> None:
        """Time passes, and everything that falls due is taken in time."""
        target = self.now + draw.choice(
            [timedelta(minutes=10), timedelta(hours=5), timedelta(days=1), timedelta(days=9)]
        )
        while (due := agenda.first(self.state)) is not None and due.at <= target:
            self._offer(max(due.at, self.now), (), ())
        self.now = target
        self._note_time(target)

    def fails(self, draw: Random) -> None:
        """Nothing runs for a while; on return everything is taken at once."""
        length = timedelta(hours=draw.choice([1, 11, 30, 24 * 4, 24 * 20, 24 * 70]))
        begun = self.now
        self._outage(begun, begun + length)
        self._offer(begun + length, (), ())

    def asks(self, draw: Random) -> None:
        """Somebody asks for something, usually something that makes sense."""
        fitting = sorted(_fitting(self.state))
        name = draw.choice(_LIKELY) if draw.random() < 0.8 else draw.choice(sorted(c.BODIES.keys() - {"erase"}))
        name = draw.choice(fitting) if fitting and draw.random() < 0.4 else name
        body = self._body(draw, name)
        actor = usual_actor(name) if draw.random() < 0.85 else draw.choice(STAFF)
        before = draw.choice([0, 0, 0, 0, 60, 60 * 24, 60 * 24 * 9, 60 * 24 * 400])
        ahead = draw.choice([0] * 20 + [60 * 24])
        self._try(draw, body, actor, self.now - timedelta(minutes=before) + timedelta(minutes=ahead))

    def spends(self, draw: Random) -> None:
        """Money is asked for."""
        self._try(draw, _request(self, draw), draw.choice([REFERENT, REFERENT, SUPERVISOR]), self.now)
        self.approves(draw)
        if self.state.grants and draw.random() < 0.3:
            self._try(draw, c.ChangeGrant(grant=list(self.state.grants)[-1], amount=20_000), SUPERVISOR, self.now)

    def meets(self, draw: Random) -> None:
        """An appointment with other times that would suit; the person takes one of them, or one of their own."""
        at = self.now + timedelta(days=draw.choice([1, 4, 20]))
        booked = c.BookAppointment(at=at, or_at=_others(self, draw))
        self._try(draw, booked, REFERENT, self.now)
        if self.state.appointments:
            chosen = draw.choice([*booked.or_at, *booked.or_at, at + timedelta(hours=1)])
            self._try(
                draw, c.MoveAppointment(appointment=list(self.state.appointments)[-1], at=chosen), PERSON, self.now
            )

    def begins(self, draw: Random) -> None:
        """The person comes out on the day expected."""
        for name, known in list(self.state.dates.items()):
            if known.open:
                while self.now.astimezone(PARIS).date() < known.on:
                    self.waits(draw)
                self._try(draw, c.ConfirmDate(date=name, on=known.on), REFERENT, self.now)

    def approves(self, draw: Random) -> None:
        """Approvers go through what waits for them; some hold several roles, and some try twice."""
        for id, grant in list(self.state.grants.items()):
            for actor in (SUPERVISOR, FINANCE, SUPERVISOR, FINANCE_2):
                roles = draw.choice([ROLES[actor], ROLES[actor], ("supervisor", "finance")])
                if grant.over is None and draw.random() < 0.65:
                    self._try(draw, c.ApproveGrant(grant=id, digest=grant.digest), actor, self.now, roles)

    def answers(self, draw: Random) -> None:
        """The world answers some effects, in any order; sometimes it answers again what it has answered."""
        waiting = list(self.state.effects.items())
        draw.shuffle(waiting)
        outcomes = []
        for seq, effect in waiting[: draw.choice([1, 3, 100])]:
            answer = draw.choice(ANSWERS[effect.kind])
            until = self.now + timedelta(hours=draw.choice([-1, 2, 12, 200]))
            outcomes.append(Outcome(seq, answer, "because", ("somebody",), "referent", until))
            self.reached[f"{effect.kind} {answer}"] += 1
            self.answered.append(seq)
        if self.answered and draw.random() < 0.3:
            outcomes.append(Outcome(draw.choice(self.answered), "sent"))
            self.reached["answered again"] += 1
        self._offer(self.now, (), tuple(outcomes))

    # --- one offer after the other

    def _try(
        self, draw: Random, body: c.Body, actor: str, occurred: datetime, roles: tuple[str, ...] | None = None
    ) -> None:
        self._commands += 1
        names = body.NEEDED | (body.PARTS if draw.random() < 0.5 else frozenset())
        parts = {name: Part(text="because", salt=f"{self._commands:064x}") for name in sorted(names)}
        command = c.Command(
            id=str(UUID(int=0x2000_0000 + self._commands)), stream=STREAM, body=body, actor=actor,
            roles=roles or ROLES[actor], occurred_at=occurred, signed_at=self.now, parts=parts,
            commitments={name: part.commitment() for name, part in parts.items()},
        )  # fmt: skip
        if occurred < self.now - timedelta(days=1):
            self.reached["late fact"] += 1
        self._offer(self.now, (command,), ())

    def _offer(self, now: datetime, commands: tuple[c.Command, ...], outcomes: tuple[Outcome, ...]) -> None:
        """Offers until everything has its answer and nothing is due any more."""
        self.now = now
        for _ in range(60):
            offer = make_offer(self.state, self.book, commands, outcomes, now, self._blocked(commands), self.shelf)
            self._is_under(offer.book)
            self.state = offer.state
            self.events += offer.events
            self._note(offer.events)
            commands, outcomes = commands[len(offer.decided) :], outcomes[offer.outcomes :]
            due = agenda.first(self.state)
            if not (commands or outcomes or (due is not None and due.at <= now)):
                break
        else:
            raise AssertionError(f"the agenda does not move on: {agenda.agenda(self.state)[:3]}")
        self._note_time(now)

    def _blocked(self, commands: tuple[c.Command, ...]) -> str | None:
        """Now and then the fund refuses a reservation."""
        due = agenda.first(self.state)
        is_money = due is not None and due.kind is agenda.DueKind.INSTALMENT and due.at <= self.now
        return "fund-cap" if is_money and self.state.seq % 5 == 0 and not commands else None

    def moves_on(self) -> None:
        """An open journey always has a due, and it lies ahead."""
        due = agenda.first(self.state)
        if self.state.is_open:
            assert due is not None, "nothing will ever happen"
            assert due.at > self.now, f"{due} at {self.now}"
            summary(self.state, self.book)

    def holds(self) -> None:
        """Every invariant, and that it stands."""
        self.stands()
        self.judge()

    def stands(self) -> None:
        """What was stored folds to the same state, which survives being written and read, and nothing is left to do."""
        new = [read_event(event.header()) for event in self.events[self.read.seq :]]
        self.read = fold(new, self.read)
        plain = dump(self.state)
        assert dump(self.read) == plain
        assert dump(load(plain)) == plain
        self._rests()

    def judge(self) -> None:
        """Every invariant over the whole record: what was once broken in it stays so, however much is added."""
        complete = agenda.is_over(self.state)
        found = check(self.events, book=self.book, outages=self.outages, complete=complete, strict=True)
        assert not found, found
        self.judged = len(self.events)

    def _rests(self) -> None:
        """Planning again finds nothing new, whenever that is: so a fact on which no plan hangs needs none."""
        work = Deciding(self.state.copy(), self.book, self.now, self.state.stream, moved={EVERY})
        settle(work)
        assert not work.events, work.events

    # --- what was met on the way

    def _outage(self, begins: datetime, ends: datetime) -> None:
        self.outages.append(Outage(begins, ends))
        self.reached["outage"] += 1
        if ends - begins > timedelta(days=10):
            self.reached["long outage"] += 1

    def _note_time(self, now: datetime) -> None:
        if self.book.calendar.quiet_until(now) is not None:
            self.reached["night"] += 1
        local = now.astimezone(PARIS)
        if (local - timedelta(days=1)).utcoffset() != local.utcoffset():
            self.reached["clocks change"] += 1

    def _note(self, events: tuple[Any, ...]) -> None:
        for event in events:
            self.reached[event.kind] += 1
            self._spares_rest(event)
            if event.kind == "AppointmentMoved" and event.actor == PERSON:
                self.reached["moved by the person"] += 1

    def _spares_rest(self, event: Any) -> None:
        """Nothing that can wait is let go on a Sunday or a holiday of where it goes to."""
        match event.data:
            case e.MessageDue(message=id, to=to, urgent=urgent):
                self.ways[id] = (hours_of(self.state, self.book.calendar, to), urgent)
                self.let_go[event.seq] = (id, event.recorded_at)
            case e.MessageReady(message=id):
                self.let_go[event.seq] = (id, event.recorded_at)
            case e.MessageSent(effect=effect):
                id, at = self.let_go[effect]
                hours, urgent = self.ways[id]
                assert urgent or not hours.rests(hours.day(at)), event
                self.reached["message of a day after rest"] += hours.rests(hours.day(at - timedelta(days=1)))
            case _:
                pass

    # --- drawing

    def _day(self, draw: Random, low: int, high: int) -> Any:
        return (self.now + timedelta(days=draw.randint(low, high))).astimezone(PARIS).date()

    def _body(self, draw: Random, name: str) -> c.Body:
        return _BODIES[name](self, draw)

    def _one(self, draw: Random, known: Any) -> str:
        """One of these ids, or now and then one that nobody knows."""
        ids = sorted(known)
        return draw.choice(ids) if ids and draw.random() < 0.93 else NOBODY

    def _code(self, draw: Random, known: Any) -> str:
        codes = sorted(known)
        return draw.choice(codes) if codes and draw.random() < 0.95 else "no-such-thing"

    def _milestone(self, draw: Random) -> str:
        return self._code(draw, self.book.programme.milestones)

    def _date(self, draw: Random) -> str:
        return self._code(draw, self.book.programme.dates)


def _fitting(state: State) -> set[str]:
    """Commands for which something is open."""
    fits = {
        "accept-transfer decline-transfer cancel-transfer": state.transfer,
        "match-mentor decline-mentor": state.proposals,
        "end-mentor": state.match,
        "accept-referral decline-referral cancel-referral": state.referrals,
        "close-appointment move-appointment answer-appointment correct": state.appointments,
        "note-chase": state.chases,
        "submit-receipt accept-receipt refuse-receipt waive-receipt": state.receipts,
        "settle-payment cancel-payment retry-payment settle-doubt record-receipt change-grant": state.payments,
        "return-grant refuse-grant cancel-grant change-grant": state.grants,
        "withdraw-consent send-referral": state.consents,
        "correct measure-outcome": state.contacts,
        "acknowledge-escalation snooze-escalation reassign-escalation resolve-escalation": state.escalations,
        "resume": state.suspended,
        "reopen": state.outcome,
    }
    return {name for names, found in fits.items() if found for name in names.split()}


_LIKELY = (
    "change-programme",
    "confirm-date", "confirm-date", "move-date", "suspend", "correct", "correct", "reach-milestone", "reach-milestone",
    "reach-milestone", "add-evidence", "log-contact",
    "log-contact", "book-appointment", "close-appointment", "close-appointment", "note-chase",
    "acknowledge-escalation",
    "resolve-escalation", "reassign-escalation", "request-grant", "request-grant", "request-grant", "change-grant",
    "submit-receipt", "accept-receipt", "retry-payment", "settle-doubt",
    "propose-mentor", "match-mentor", "end-mentor", "send-referral",
    "give-consent", "record-situation", "record-situation", "opt-out", "opt-in", "pause-messages", "record-receipt",
    "transfer", "waive-milestone", "reschedule-milestone", "move-appointment", "answer-appointment", "close",
    "expect-date",
)  # fmt: skip


def _correct(life: MadeUp, draw: Random) -> c.Correct:
    match draw.choice(["date", "milestone", "contact", "appointment", "situation"]):
        case "date":
            return c.Correct(what="date", id=life._date(draw), on=life._day(draw, -9, 1))
        case "milestone":
            on = draw.choice([None, life._day(draw, -20, 1)])
            return c.Correct(what="milestone", id=life._milestone(draw), to=draw.choice(["open", "reached"]), on=on)
        case "contact":
            code = life._code(draw, life.book.programme.contacts)
            known = life.state.contacts.get(code)
            window = draw.randint(1, known.window + 1) if known is not None else None
            return c.Correct(what="contact", id=code, window=window, to=draw.choice(["made", "missed"]), means="phone")
        case "appointment":
            to = draw.choice(["attended", "missed", "excused", "cancelled"])
            return c.Correct(what="appointment", id=life._one(draw, life.state.appointments), to=to)
        case _:
            situation = life._code(draw, life.book.programme.situations)
            value = life._code(draw, life.book.programme.situations.get(situation, ()))
            return c.Correct(what="situation", id=situation, to=value)


def _change(life: MadeUp, draw: Random) -> c.ChangeProgramme:
    (programme, calendar), book = draw.choice(sorted(life.shelf.items(), key=lambda each: each[0]))
    missing = book.programme.dates.keys() - life.state.dates.keys()
    return c.ChangeProgramme(
        programme=programme, calendar=calendar, dates={name: life._day(draw, -1, 60) for name in sorted(missing)},
        watch_from=draw.choice([None, None, life.now]),
    )  # fmt: skip


def _situation(life: MadeUp, draw: Random) -> c.RecordSituation:
    situation = life._code(draw, life.book.programme.situations)
    value = draw.choice(["unknown", life._code(draw, life.book.programme.situations.get(situation, ()))])
    return c.RecordSituation(situation=situation, value=value, since=draw.choice([None, life._day(draw, -60, 1)]))


def _request(life: MadeUp, draw: Random) -> c.RequestGrant:
    kind = life._code(draw, life.book.programme.grants)
    rule = life.book.programme.grants.get(kind)
    purposes = rule.purposes if rule is not None else ()
    return c.RequestGrant(
        grant=kind, purpose=life._code(draw, purposes), amount=draw.choice([0, 1, 29_999, 50_001, 100_000, 120_000])
    )


def _receipt(life: MadeUp, draw: Random) -> c.RecordReceipt:
    owed = [data.message for data in life.all("MessageDue")]
    if not owed or (life.state.payments and draw.random() < 0.7):
        said = draw.choice(["settled", "rejected", "returned", "returned"])
        return c.RecordReceipt(of="payment", id=life._one(draw, life.state.payments), said=said)
    return c.RecordReceipt(of="message", id=draw.choice(owed), said=draw.choice(["delivered", "bounced", "silent"]))


def _appointment(life: MadeUp, draw: Random) -> c.BookAppointment:
    return c.BookAppointment(
        at=life.now + timedelta(hours=draw.choice([-5, 3, 30, 24 * 5, 24 * 30])),
        minutes=draw.choice([5, 60, 1440]),
        milestone=draw.choice([None, life._milestone(draw)]),
        contact=draw.choice([None, life._code(draw, life.book.programme.contacts)]),
        summons=draw.random() < 0.2,
        or_at=_others(life, draw),
    )


def _others(life: MadeUp, draw: Random) -> tuple[datetime, ...]:
    """Other times that would also suit."""
    hours = draw.choice([(), (50,), (50, 26), (24 * 9, 24 * 20), (-2,)])
    return tuple(life.now + timedelta(hours=each) for each in hours)


def _moved(life: MadeUp, draw: Random) -> c.MoveAppointment:
    at = life.now + timedelta(hours=draw.choice([-1, 9, 200]))
    return c.MoveAppointment(appointment=life._one(draw, life.state.appointments), at=at, or_at=_others(life, draw))


def _cents(draw: Random) -> int:
    return draw.choice([0, 1, 5_000, 20_000, 60_000, 120_000])


_CLOSINGS = ("completed", "completed", "lost", "custody", "withdrawn", "moved", "no-such-thing")
_BODIES: dict[str, Callable[[MadeUp, Random], c.Body]] = {
    "plan": lambda life, draw: life._plan({}, None),
    "change-programme": lambda life, draw: _change(life, draw),
    "expect-date": lambda life, draw: c.ExpectDate(date=life._date(draw), on=life._day(draw, -2, 40)),
    "move-date": lambda life, draw: c.MoveDate(date=life._date(draw), on=life._day(draw, -2, 60)),
    "confirm-date": lambda life, draw: c.ConfirmDate(
        date=life._date(draw), on=draw.choice([None, life._day(draw, -9, 1)])
    ),
    "cancel-date": lambda life, draw: c.CancelDate(date=life._date(draw)),
    "suspend": lambda life, draw: c.Suspend(
        why=draw.choice(["custody", "hospital", "unreachable", "asked"]),
        until=draw.choice([None, life._day(draw, -1, 30)]),
    ),
    "resume": lambda life, draw: c.Resume(),
    "close": lambda life, draw: c.Close(outcome=draw.choice(_CLOSINGS)),
    "reopen": lambda life, draw: c.Reopen(),
    "correct": _correct,
    "assign-referent": lambda life, draw: c.AssignReferent(referent=draw.choice([REFERENT, OTHER_REFERENT])),
    "transfer": lambda life, draw: c.Transfer(to=draw.choice([REFERENT, OTHER_REFERENT]), site="north"),
    "accept-transfer": lambda life, draw: c.AcceptTransfer(),
    "decline-transfer": lambda life, draw: c.DeclineTransfer(),
    "cancel-transfer": lambda life, draw: c.CancelTransfer(),
    "reach-milestone": lambda life, draw: c.ReachMilestone(milestone=life._milestone(draw)),
    "waive-milestone": lambda life, draw: c.WaiveMilestone(milestone=life._milestone(draw)),
    "reschedule-milestone": lambda life, draw: c.RescheduleMilestone(
        milestone=life._milestone(draw), on=life._day(draw, -1, 60)
    ),
    "add-evidence": lambda life, draw: c.AddEvidence(milestone=life._milestone(draw), kind="exit-plan"),
    "add-note": lambda life, draw: c.AddNote(),
    "log-contact": lambda life, draw: c.LogContact(
        contact=life._code(draw, life.book.programme.contacts), means=draw.choice(["meeting", "phone", "pigeon"])
    ),
    "book-appointment": _appointment,
    "move-appointment": _moved,
    "answer-appointment": lambda life, draw: c.AnswerAppointment(
        appointment=life._one(draw, life.state.appointments),
        answer=draw.choice(["coming", "other-time", "declined"]),
        wish=draw.choice([None, life.now + timedelta(hours=draw.choice([-1, 30]))]),
    ),
    "close-appointment": lambda life, draw: c.CloseAppointment(
        appointment=life._one(draw, life.state.appointments),
        outcome=draw.choice(["attended", "missed", "excused", "cancelled"]),
    ),
    "note-chase": lambda life, draw: c.NoteChase(
        chase=life._one(draw, life.state.chases), result=draw.choice(["reached", "no-answer"])
    ),
    "acknowledge-escalation": lambda life, draw: c.AcknowledgeEscalation(
        escalation=life._one(draw, life.state.escalations), until=draw.choice([None, life._day(draw, -1, 9)])
    ),
    "snooze-escalation": lambda life, draw: c.SnoozeEscalation(
        escalation=life._one(draw, life.state.escalations), until=life._day(draw, -1, 6)
    ),
    "reassign-escalation": lambda life, draw: c.ReassignEscalation(
        escalation=life._one(draw, life.state.escalations), to=OTHER_REFERENT
    ),
    "resolve-escalation": lambda life, draw: c.ResolveEscalation(escalation=life._one(draw, life.state.escalations)),
    "request-grant": _request,
    "change-grant": lambda life, draw: c.ChangeGrant(
        grant=life._one(draw, life.state.grants), amount=draw.choice([None, _cents(draw)])
    ),
    "return-grant": lambda life, draw: c.ReturnGrant(grant=life._one(draw, life.state.grants)),
    "approve-grant": lambda life, draw: c.ApproveGrant(grant=life._one(draw, life.state.grants), digest="0" * 64),
    "refuse-grant": lambda life, draw: c.RefuseGrant(grant=life._one(draw, life.state.grants)),
    "cancel-grant": lambda life, draw: c.CancelGrant(grant=life._one(draw, life.state.grants)),
    "settle-payment": lambda life, draw: c.SettlePayment(payment=life._one(draw, life.state.payments)),
    "cancel-payment": lambda life, draw: c.CancelPayment(payment=life._one(draw, life.state.payments)),
    "retry-payment": lambda life, draw: c.RetryPayment(payment=life._one(draw, life.state.payments)),
    "settle-doubt": lambda life, draw: c.SettleDoubt(
        payment=life._one(draw, life.state.payments), decision=draw.choice(["keep", "withdraw"])
    ),
    "submit-receipt": lambda life, draw: c.SubmitReceipt(
        receipt=life._one(draw, life.state.receipts), amount=_cents(draw)
    ),
    "accept-receipt": lambda life, draw: c.AcceptReceipt(
        receipt=life._one(draw, life.state.receipts), amount=draw.choice([None, _cents(draw)])
    ),
    "refuse-receipt": lambda life, draw: c.RefuseReceipt(receipt=life._one(draw, life.state.receipts)),
    "waive-receipt": lambda life, draw: c.WaiveReceipt(receipt=life._one(draw, life.state.receipts)),
    "propose-mentor": lambda life, draw: c.ProposeMentor(mentor=draw.choice([MENTOR, OTHER_MENTOR])),
    "match-mentor": lambda life, draw: c.MatchMentor(mentor=draw.choice([MENTOR, OTHER_MENTOR])),
    "decline-mentor": lambda life, draw: c.DeclineMentor(mentor=draw.choice([MENTOR, OTHER_MENTOR])),
    "end-mentor": lambda life, draw: c.EndMentor(),
    "send-referral": lambda life, draw: c.SendReferral(partner=PARTNER, purpose=draw.choice(["training", "care"])),
    "accept-referral": lambda life, draw: c.AcceptReferral(referral=life._one(draw, life.state.referrals)),
    "decline-referral": lambda life, draw: c.DeclineReferral(referral=life._one(draw, life.state.referrals)),
    "cancel-referral": lambda life, draw: c.CancelReferral(referral=life._one(draw, life.state.referrals)),
    "record-situation": _situation,
    "measure-outcome": lambda life, draw: c.MeasureOutcome(
        measure=life._code(draw, life.book.programme.measures), number=draw.randint(1, 4), value="yes"
    ),
    "give-consent": lambda life, draw: c.GiveConsent(partner=PARTNER, purpose=draw.choice(["training", "care"])),
    "withdraw-consent": lambda life, draw: c.WithdrawConsent(partner=PARTNER, purpose="training"),
    "pause-messages": lambda life, draw: c.PauseMessages(until=life._day(draw, -1, 20)),
    "resume-messages": lambda life, draw: c.ResumeMessages(),
    "opt-out": lambda life, draw: c.OptOut(),
    "opt-in": lambda life, draw: c.OptIn(),
    "record-wishes": lambda life, draw: c.RecordWishes(zone=draw.choice(["Europe/Paris", "Pacific/Noumea"])),
    "record-death": lambda life, draw: c.RecordDeath(on=draw.choice([None, life._day(draw, -30, 1)])),
    "request-erasure": lambda life, draw: c.RequestErasure(),
    "sync": lambda life, draw: c.Sync(),
    "erase": lambda life, draw: c.Erase(reason="person-asked"),
    "record-receipt": _receipt,
}


def made_up_commands() -> set[str]:
    return set(_BODIES)


@cache
def play(seed: int, steps: int = STEPS) -> MadeUp:
    """One seeded life: mostly casework, now and then a long silence. Played once for all tests."""
    draw = Random(seed)
    life = MadeUp(draw)
    if draw.random() < 0.7:
        life.begins(draw)
    moves = (
        [life.waits] * 5
        + [life.asks] * 12
        + [life.spends, life.approves, life.meets]
        + [life.answers] * 4
        + [life.fails]
    )
    for step in range(steps):
        draw.choice(moves)(draw)
        life.moves_on()
        if step % 3 == 0:
            life.stands()
            # The whole is read each time: where it has grown by a fifth, and where nothing may be left open.
            if len(life.events) >= life.judged * 1.2 or (agenda.is_over(life.state) and len(life.events) > life.judged):
                life.judge()
    life.holds()
    return life
