"""A cohort played in the pure core alone: every step of every life, on whatever day the demonstration is begun."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from journeys.authoring.calendars import calendar_text
from journeys.domain import agenda
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.commands import Command
from journeys.domain.decide import Outcome
from journeys.domain.directory import Holder
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.offer import make_offer
from journeys.domain.recipients import Circle, resolve
from journeys.domain.record import SYSTEM, Event, Part, Payload
from journeys.domain.rights import funds_of, line_of
from journeys.domain.state import EffectKnown, PaymentStatus, State
from journeys.local.acting import Actors, Names, NotThere, Script, end_of
from journeys.local.bank_days import bank_day_after, fate_of
from journeys.local.bank_files import Fate
from journeys.local.lives import Life, Lives, Step, When

A_BIT = timedelta(milliseconds=5)
_WAITING = (PaymentStatus.INSTRUCTED, PaymentStatus.UNKNOWN)


@dataclass
class Rehearsed:
    """What a life came to, and each step that did not go as the file says."""

    life: Life
    state: State
    events: list[Event[Payload]] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)


def make_names(lives: Lives) -> Names:
    def ids(handles: object) -> dict[str, str]:
        return {handle: str(uuid.uuid5(uuid.NAMESPACE_DNS, str(handle))) for handle in handles}  # type: ignore[attr-defined]

    return Names(ids(lives.cohort.staff), ids(lives.cohort.mentors), ids(lives.cohort.partners))


def rehearse(lives: Lives, life: Life, begun: datetime) -> Rehearsed:
    """Play one life from `begun` (aware UTC)."""
    book = open_handbook(lives.programme.text, calendar_text("Europe/Paris", "FR", begun.year))
    return _Play(lives, life, book, begun).play()


@dataclass
class _Play:
    lives: Lives
    life: Life
    book: Handbook
    now: datetime
    fates: dict[str, tuple[Fate, ...]] = field(default_factory=dict)
    told_of: dict[str, str] = field(default_factory=dict)
    """What the bank said last of each payment in a file."""

    def play(self) -> Rehearsed:
        self.stream = f"journey-{uuid.uuid4()}"
        self.names = make_names(self.lives)
        self.told = Rehearsed(self.life, State(stream=self.stream))
        self.person = str(uuid.uuid4())
        start = self.book.calendar.day(self.now)
        self.start = start
        script = Script(self.lives.cohort, self.life, self.book.calendar, start)
        self.actors = Actors(self.lives.cohort, self.life, self.names, self.person)
        dates = {name: day for name, day in script.days.items() if name != "start"}
        plan = c.Plan(
            person=self.person, programme="0" * 64, calendar="1" * 64, site=self.life.site, dates=dates,
            referent=self.names.staff[self.life.referent],
        )  # fmt: skip
        self._give(plan, {}, self.names.staff[self.life.referent], ("referent",), None, self.now)
        end = end_of(self.lives.cohort, self.book.calendar, start)
        while (planned := script.next()) is not None and planned[0] < end:
            self._pass_until(planned[0])
            self._step(planned[1], script)
        self._pass_until(end)
        return self.told

    def _step(self, step: Step, script: Script) -> None:
        at = self.now.astimezone(self.book.calendar.zone)
        try:
            acted = self.actors.act(step, script, self.told.state)
        except NotThere as missing:
            self.told.surprises.append(f"{at:%d.%m %H:%M} {step.do}: nothing there for {missing.what}")
            return
        id, code = self._give(acted.body, acted.texts, acted.actor, acted.roles, acted.happened, self.now)
        if code != step.refused:
            self.told.surprises.append(f"{at:%d.%m %H:%M} {step.do} {step.given}: {code} instead of {step.refused}")
        elif code is None:
            script.learn(acted.body)
            if step.do == "request-grant":
                self.fates[id] = step.bank
            if step.name is not None:
                self.actors.opened[step.name] = id

    def _give(
        self, body: c.Body, texts: dict[str, str], actor: str, roles: tuple[str, ...], happened: datetime | None,
        at: datetime,
    ) -> tuple[str, str | None]:  # fmt: skip
        parts = {name: Part(text=value, salt="ab" * 32) for name, value in texts.items()}
        command = Command(
            id=str(uuid.uuid4()),
            stream=self.stream,
            body=body,
            actor=actor,
            roles=roles,
            parts=parts,
            occurred_at=happened or at,
            signed_at=at,
            commitments={name: part.commitment() for name, part in parts.items()},
        )
        while True:
            offer = make_offer(self.told.state, self.book, [command], [], self.now)
            self._take(offer.state, offer.events)
            if offer.decided:
                refused = offer.decided[0].refused
                self._act()
                return command.id, None if refused is None else refused.code

    def _pass_until(self, instant: datetime) -> None:
        while self.fates and (day := bank_day_after(self.book.calendar, self.now)) < instant:
            self._come_to(day)
            self._hold_bank_day()
        self._come_to(instant)

    def _hold_bank_day(self) -> None:
        """The bank says the next thing of every transfer that it has, and gets what waits."""
        for id, known in list(self.told_of.items()):
            if (fate := self._fate(id)) is Fate.SILENCE:
                continue
            said = {"accepted": "settled", "settled": "returned" if fate is Fate.RETURN else None}.get(known)
            if said is not None:
                self._hear(id, said)
        for id, payment in list(self.told.state.payments.items()):
            if id not in self.told_of and payment.pay_by == "sepa" and payment.status in _WAITING:
                self.told_of[id] = "accepted"
                if self._fate(id) is not Fate.SILENCE:
                    self._hear(id, "accepted")

    def _fate(self, id: str) -> Fate:
        known = self.told.state.payments[id]
        reserved = next(
            each.data for each in self.told.events
            if isinstance(each.data, e.PaymentReserved) and each.data.payment == id
        )  # fmt: skip
        return fate_of(self.fates[known.grant], known.number, replaces=reserved.replaces is not None)

    def _hear(self, id: str, said: str) -> None:
        self.told_of[id] = said
        body = c.RecordReceipt(of="payment", id=id, said=said, reason="ac04" if said == "returned" else None)
        _, code = self._give(body, {}, SYSTEM, (SYSTEM,), None, self.now)
        if code is not None:
            self.told.surprises.append(f"{self.now:%d.%m %H:%M} the bank said {said}: {code}")

    def _come_to(self, instant: datetime) -> None:
        while True:
            due = agenda.first(self.told.state)
            if due is None or due.at > instant:
                break
            self.now = max(self.now, due.at) + A_BIT
            offer = make_offer(self.told.state, self.book, [], [], self.now)
            assert offer.events, f"the agenda stands still at {due}"
            self._take(offer.state, offer.events)
            self._act()
        self.now = max(self.now, instant)

    def _take(self, state: State, events: tuple[Event[Payload], ...]) -> None:
        self.told.state = state
        self.told.events += events

    def _act(self) -> None:
        while effects := agenda.pending(self.told.state):
            outcomes = [self._outcome(seq, effect) for seq, effect in effects.items()]
            offer = make_offer(self.told.state, self.book, [], outcomes, self.now)
            self._take(offer.state, offer.events)

    def _outcome(self, seq: int, effect: EffectKnown) -> Outcome:
        match effect.kind:
            case "deliver":
                return Outcome(seq, "sent", "outbox")
            case "tell":
                return self._tell(seq, effect)
            case "instruct":
                return Outcome(seq, "queued")
            case "enquire":
                said = self.told_of.get(effect.id)
                silent = said is not None and self._fate(effect.id) is Fate.SILENCE
                return Outcome(seq, "unknown" if silent else said or "queued")
            case _:
                return Outcome(seq, "passed")

    def _tell(self, seq: int, effect: EffectKnown) -> Outcome:
        data = effect.data
        state = self.told.state
        found = resolve(
            str(data["to"]),
            data.get("fallback", ()),
            Circle(
                referent=state.referent, site=state.site, roster=self._roster(),
                mentor=state.match.mentor if state.match is not None else None,
                lines={role: line_of(role, self.book.programme) for role in self.book.programme.roles},
                money=funds_of(state),
            ),
        )  # fmt: skip
        if found.vacant:
            return Outcome(seq, "untold", "vacant")
        return Outcome(seq, "told", told=found.people, role=found.role)

    def _roster(self) -> tuple[Holder, ...]:
        today = self.book.calendar.day(self.now)
        script = Script(self.lives.cohort, self.life, self.book.calendar, self.start)

        def day(when: When) -> object:
            return script.day(when, rolled=False)

        return tuple(
            Holder(
                self.names.staff[handle], frozenset(member.roles), frozenset(member.sites),
                any(day(away.since) <= today <= day(away.until) for away in member.away),  # type: ignore[operator]
                next((self.names.staff[a.deputy] for a in member.away if a.deputy), None),
            )
            for handle, member in self.lives.cohort.staff.items()
        )  # fmt: skip


NOON = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
