"""Messages that a journey owes: judged once more, then sent; to the participant at most once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, TypeAlias

from temporalio import activity

from activities.effects import Step, carry_out, settled, waited
from activities.failures import not_called_for
from activities.letters import (
    Addressee,
    Matter,
    person_addressees,
    staff_addressee,
    template_of,
    volunteer_addressee,
)
from activities.posting import Envelope, note_given_up, post, post_to_person, write_letters
from activities.reading import Known, read_circle, read_handbook, read_journey
from activities.resources import Resources, Way
from journeys.channels.letter import HELD_BACK, Fate, Sent
from journeys.channels.wording import NoWording, Template, wording_of
from journeys.contract import DELIVER, Effect, EffectOutcome
from journeys.domain.calendar import Calendar, in_zone
from journeys.domain.decide import Outcome
from journeys.domain.events import MessageDeferred, MessageDue, MessageReady
from journeys.domain.handbook import Handbook
from journeys.domain.messages import PARTICIPANT, SUMMONS_UNREMINDED, leaves_at
from journeys.domain.person import KNOWN_DEAD
from journeys.domain.recipients import Verdict, Wishes, addressees, may_still_send, one_zone
from journeys.domain.state import Message
from journeys.store import attempts, people
from journeys.store.staff_letters import About

_SHORTEST_PAUSE: Final = timedelta(seconds=5)
_FIRST_PAUSE: Final = timedelta(minutes=15)
_LONGEST_PAUSE: Final = timedelta(hours=6)
_LEFT: Final = frozenset({"sent", "unknown"})
"""Answers after which somebody may have read the words."""
Look: TypeAlias = Callable[[], Outcome | None]
"""Asked again and again: the outcome of a message that must not leave now; None when it may."""


@dataclass(frozen=True, slots=True)
class Reminders:
    """Reminders, notices and approval requests."""

    resources: Resources

    @activity.defn(name=DELIVER)
    async def deliver(self, effect: Effect) -> EffectOutcome:
        """Send one message: sent (by which channel), failed, suppressed, unknown, or deferred until an instant.

        `perhaps` is deferred too: it may have left, and leaves once however often it is asked for.
        """
        begun = monotonic()
        effect = waited(effect)

        async def judge(known: Known) -> Step:
            called = known.at(effect.seq)
            if not isinstance(called, MessageDue | MessageReady):
                raise not_called_for(effect)
            id = called.message
            due = known.last(MessageDue, message=id)
            assert due is not None
            delivery = _Delivery(self.resources, effect, due, begun)
            doubtful = delivery.unknown if due.to == PARTICIPANT else None
            message = known.state.messages.get(id)
            if message is None:
                return settled(Outcome(effect.seq, "suppressed", "settled"), doubtful=doubtful)
            book = await read_handbook(self.resources.pool, known.state)
            to = await delivery.addressees(known, book)
            if (held := (await delivery.look(known, book, message, to))()) is not None:
                return settled(held, doubtful=doubtful)
            try:
                template = await template_of(self.resources, due.template)
                envelopes, refused = await delivery.letters(known, book, template, to)
            except NoWording as missing:
                return settled(Outcome(effect.seq, "failed", missing.code), doubtful=doubtful)
            if message.doubt and not (envelopes := await delivery.as_before(known, envelopes)):
                return settled(Outcome(effect.seq, "unknown", "left-before"), doubtful=doubtful)
            if not envelopes:
                return settled(Outcome(effect.seq, "failed", (*refused, "vacant")[0]), doubtful=doubtful)

            async def act() -> Outcome:
                done = await delivery.send(known, book, message, envelopes)
                if done.answer == "sent":
                    done = _with_known(done, to)
                return replace(done, wording=wording_of(template)) if done.answer in _LEFT else done

            return Step(act, doubtful)

        return await carry_out(self.resources, effect, "deliver", judge)


@dataclass(frozen=True, slots=True)
class _Delivery:
    """One message on its way out."""

    resources: Resources
    effect: Effect
    due: MessageDue
    begun: float
    """When this attempt began, by the stopwatch of this process."""

    @property
    def now(self) -> datetime:
        """When it would leave: what this attempt has taken until now is counted in."""
        return self.effect.at + timedelta(seconds=monotonic() - self.begun)

    async def unknown(self) -> Outcome:
        return Outcome(self.effect.seq, "unknown", "worker-lost")

    async def look(self, known: Known, book: Handbook, message: Message, to: Sequence[Addressee] = ()) -> Look:
        """Whether a message may leave, as far as is known now, at whatever moment it is asked."""
        wishes, zone = Wishes(), None
        if self.due.to != PARTICIPANT:
            zone = one_zone((each.zone for each in to), book.calendar)
        else:
            person = await people.person(self.resources.pool, known.state.person)
            if person is None:
                gone = Outcome(self.effect.seq, "suppressed", "person-gone")
                return lambda: gone
            wishes = Wishes(person.opted_out, person.paused_until, person.died, person.details.zone)

        def held_back() -> Outcome | None:
            verdict = may_still_send(known.state, message, wishes, book.calendar, self.now, zone)
            return _as_outcome(self.effect.seq, verdict, zone)

        return held_back

    async def letters(
        self, known: Known, book: Handbook, template: Template, to: Sequence[Addressee]
    ) -> tuple[list[Envelope], list[str]]:
        matter = Matter(
            known=known,
            book=book,
            about=self.due.about,
            template=template,
            message=self.due.message,
            at=self.effect.at,
        )
        written, refused = await write_letters(self.resources, matter, to)
        if len(written) == 1:
            about = (About(self.effect.stream, message=self.due.message),)
            written = [replace(written[0], about=about)]
        return written, refused

    async def as_before(self, known: Known, envelopes: list[Envelope]) -> list[Envelope]:
        """Of a message that may have left: what goes by the same channel to the same number, known again there."""
        tried = await attempts.last(self.resources.pool, self.due.message)
        if tried is None or await people.moved_since(self.resources.pool, known.state.person, *tried):
            return []
        return [each for each in envelopes if self.resources.ways[each.to.by].name == tried[0]]

    async def send(self, known: Known, book: Handbook, message: Message, envelopes: list[Envelope]) -> Outcome:
        """Send, after a last look at what may have changed while the letters were written."""
        if self.due.to == PARTICIPANT:
            fresh = await read_journey(self.resources.pool, self.effect.stream)
            look = await self.look(fresh, book, message)
            return look() or await self._to_person(known, message, envelopes, look, _hours(book, envelopes))
        done = await post(self.resources, envelopes)
        if not (done.sent or done.put_off):
            return Outcome(self.effect.seq, "failed", done.refused[0])
        late = [each for each in envelopes if each.to.key in done.put_off]
        until = self._asked_again_at(known, message, _hours(book, late), None)
        if until is None:
            await note_given_up(self.resources, late, done.of_recipient)
        if done.sent:
            put_off = tuple(done.put_off) if until is not None else ()
            return Outcome(self.effect.seq, "sent", self.resources.mailer.name, until=until, put_off=put_off)
        return self._again(known, message, _hours(book, late), (*done.again, *done.unknown)[0])

    async def _to_person(
        self, known: Known, message: Message, envelopes: list[Envelope], look: Look, hours: Calendar
    ) -> Outcome:
        """By the first channel that takes it. Each looks once more right before it leaves: it may have waited there."""
        ready = [replace(each, letter=replace(each.letter, may_leave=lambda: look() is None)) for each in envelopes]

        def given_up(sent: Sent) -> bool:
            asked_again = self._asked_again_at(known, message, hours, sent.after_seconds)
            return not (asked_again is not None or sent.perhaps or message.doubt or sent.reason == HELD_BACK)

        sent, by, passed = await post_to_person(self.resources, ready, self.effect.stream, self.effect.at, given_up)
        done = self._came_to(known, message, envelopes, look, hours, sent, by)
        took = by if done.answer == "sent" else None
        return replace(done, passed=tuple(passed.values()), passed_by=tuple(passed), by=took)

    def _came_to(
        self, known: Known, message: Message, envelopes: list[Envelope], look: Look, hours: Calendar, sent: Sent,
        by: Way | None,
    ) -> Outcome:  # fmt: skip
        """What became of it, as the journey is told."""
        match sent.fate:
            case Fate.SENT:
                paper = [each.to for each in envelopes if each.to.by == "letter" and not each.to.chosen]
                assert by is not None
                last = by == "letter" and bool(paper) and self.due.channel is None
                return Outcome(self.effect.seq, "sent", self.resources.ways[by].name, last_resort=last)
            case Fate.UNKNOWN:
                return Outcome(self.effect.seq, "unknown", sent.reason)
            case Fate.REFUSED:
                return Outcome(self.effect.seq, "unknown" if message.doubt else "failed", sent.reason)
            case Fate.NOTHING_LEFT if sent.reason == HELD_BACK and (held := look()) is not None:
                return held
            case Fate.NOTHING_LEFT:
                return self._again(known, message, hours, sent.reason, sent.after_seconds, perhaps=sent.perhaps)

    def _again(
        self, known: Known, message: Message, hours: Calendar, reason: str, after_seconds: float | None = None, *,
        perhaps: bool = False,
    ) -> Outcome:  # fmt: skip
        """Later, when the channel says or after a pause, while the message is still of use.

        Args:
            perhaps: it may have left all the same: where it is given up, that is what is known of it.
        """
        until = self._asked_again_at(known, message, hours, after_seconds)
        if until is None:
            return Outcome(self.effect.seq, "unknown" if perhaps else "failed", reason)
        return Outcome(self.effect.seq, "perhaps" if perhaps else "deferred", reason, until=until)

    def _asked_again_at(
        self, known: Known, message: Message, hours: Calendar, after_seconds: float | None
    ) -> datetime | None:
        """None where from then on, its recipient's quiet hours and days of rest counted in, it would be too late."""
        pause = _pause(known, self.due.message)
        if after_seconds is not None:
            pause = min(max(timedelta(seconds=after_seconds), _SHORTEST_PAUSE), _LONGEST_PAUSE)
        until = self.effect.at + pause
        return until if leaves_at(message, until, hours) is not None else None

    def _ways(self) -> tuple[Way, ...]:
        """By what a message to the person may go."""
        ways = tuple(self.resources.ways)
        return ways if self.due.channel is None else tuple(way for way in ways if way == self.due.channel)

    async def addressees(self, known: Known, book: Handbook) -> list[Addressee]:
        """Who gets it: the person, the one meant in particular, or whoever answers for the role today."""
        if self.due.to == PARTICIPANT:
            person = await people.person(self.resources.pool, known.state.person)
            return [] if person is None else person_addressees(person, self._ways())
        circle = await read_circle(self.resources, known.state, book, self.effect.at, self.due.about)
        line = circle.lines.get(self.due.to, self.due.to)
        now_or_never = ("supervisor",) if self.due.template == SUMMONS_UNREMINDED else ()
        found = addressees(self.due.to, circle, now_or_never).people
        keys = (self.due.person,) if self.due.person is not None else found
        match line:
            case "mentor" | "partner" as kind:
                known_ones = [await volunteer_addressee(self.resources, kind, key) for key in keys]
            case _:
                known_ones = [await staff_addressee(self.resources, key) for key in keys]
        return [each for each in known_ones if each is not None]


def _hours(book: Handbook, envelopes: Sequence[Envelope]) -> Calendar:
    """Those of whom it goes to, as a look has them."""
    return in_zone(book.calendar, one_zone((each.to.zone for each in envelopes), book.calendar))


def _with_known(done: Outcome, to: Sequence[Addressee]) -> Outcome:
    """An outcome, and what is known of the channels of whom it went to."""
    dead = tuple(each.by for each in to if each.dead)
    return replace(
        done,
        passed=(*done.passed, *(KNOWN_DEAD for _ in dead)),
        passed_by=(*done.passed_by, *dead),
        alive=tuple(each.by for each in to if each.audience == "participant" and not each.dead),
    )


def _as_outcome(effect: int, verdict: Verdict, zone: str | None) -> Outcome | None:
    if verdict.never is not None:
        return Outcome(effect, "suppressed", verdict.never)
    if verdict.until is not None:
        return Outcome(effect, "deferred", "quiet-hours", until=verdict.until, zone=zone)
    return None


def _pause(known: Known, message: str) -> timedelta:
    """How long to wait for the channel: longer each time, so that an outage fills no journal."""
    before = sum(
        1
        for event in known.events
        if isinstance(event.data, MessageDeferred) and event.data.message == message and event.data.effect is not None
    )
    return min(_FIRST_PAUSE * (1 << min(before, 8)), _LONGEST_PAUSE)
