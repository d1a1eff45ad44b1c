"""Telling someone that something was missed: whoever answers for the step's role now, at least once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.digests import TEMPLATE, Sending, calls_for, gather, is_open, send_one
from activities.effects import Step, carry_out, settled, waited
from activities.failures import MAIL_UNAVAILABLE, not_called_for
from activities.letters import Matter, template_of
from activities.posting import TRIES_IN_DOUBT, Envelope, post, write_letters
from activities.reaching import CALLS, reach, roles_of
from activities.reading import Known, read_circle, read_handbook
from activities.resources import Resources
from journeys.channels.wording import NoWording
from journeys.contract import TELL, Effect, EffectOutcome
from journeys.domain.calendar import Calendar, in_zone
from journeys.domain.decide import Outcome
from journeys.domain.events import EscalationReady
from journeys.domain.recipients import Circle, Resolution, one_zone
from journeys.domain.sending import Spares, first_free
from journeys.store import digests, staff
from journeys.store.staff_letters import About

_PHONE_TRIES: Final = 8
"""So often, over two minutes, a phone is tried whose owner was told by mail."""
_DOUBT: Final = "doubt"
"""Among what a try hands on: once for each in which something may have left."""


@dataclass(frozen=True, slots=True)
class Escalations:
    """The steps of ladders."""

    resources: Resources
    gathering: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One of this worker's alerts gathers for all of them."""

    @activity.defn(name=TELL)
    async def tell(self, effect: Effect) -> EffectOutcome:
        """Tell the step's recipient: told (who, in which role), untold (vacant, undeliverable, resolved), or deferred
        (with the next digest).

        Raises:
            ApplicationError: MailUnavailable, when nobody could be told for now: run it again.
        """
        effect = waited(effect)

        async def judge(known: Known) -> Step:
            called = known.at(effect.seq)
            if not isinstance(called, CALLS):
                raise not_called_for(effect)
            open_one = known.state.escalations.get(called.escalation)
            if open_one is None:
                return settled(Outcome(effect.seq, "untold", "resolved"))
            with_digest = isinstance(called, EscalationReady) and open_one.digest is not None
            if with_digest and open_one.tell_at is not None:
                return settled(Outcome(effect.seq, "deferred"))
            roles = roles_of(called, open_one)
            book = await read_handbook(self.resources.pool, known.state)
            circle = await read_circle(
                self.resources, known.state, book, effect.at, open_one.about, by_phone=True,
                came_back=known.came_back(called.escalation),
            )  # fmt: skip
            try:
                template = await template_of(self.resources, TEMPLATE)
            except NoWording as missing:
                return settled(Outcome(effect.seq, "untold", missing.code))
            matter = Matter(
                known=known,
                book=book,
                about=open_one.about,
                template=template,
                message=str(uuid5(UUID(known.id), f"tell/{effect.seq}")),
                at=effect.at,
                step=open_one.step,
            )
            tries, reason = await self._tries(matter, effect.seq, roles, circle)
            if not tries:
                return settled(Outcome(effect.seq, "untold", reason))
            hours = None if open_one.urgent else book.calendar
            if with_digest:
                zone = _zone(tries[0][1], book.calendar)
                calls = calls_for(known, called.escalation)
                open_now = _may_leave(tries, book.calendar, effect.at)
                return Step(lambda: self._tell_together(effect, calls, tries, zone, hours, open_now))
            return Step(lambda: self._tell(effect, tries, hours))

        return await carry_out(self.resources, effect, "tell", judge)

    async def _tries(
        self, matter: Matter, effect: int, roles: Sequence[str], circle: Circle
    ) -> tuple[list[tuple[Resolution, list[Envelope]]], str]:
        """For each role that somebody answers for, the letters to them, in the order of the step; else why none."""
        tries, reason = [], "vacant"
        async for found in reach(self.resources, roles, circle, matter.at):
            try:
                envelopes, _ = await write_letters(self.resources, matter, found.addressees)
            except NoWording as missing:
                reason = missing.code
                continue
            about = (About(matter.known.state.stream, effect=effect),)
            tries.append((found.resolution, [replace(each, about=about) for each in envelopes]))
        return tries, reason

    async def _tell_together(
        self, effect: Effect, calls: Sequence[int], tries: Sequence[tuple[Resolution, list[Envelope]]],
        zone: str | None, hours: Calendar | None, open_now: bool,
    ) -> Outcome:  # fmt: skip
        """What came of the digest; it is seen to here where nobody did.

        Alone where it could never be told with one, and where it has been put off before: nothing waits for ever.

        Args:
            open_now: a digest to one of them may leave; where none may, none is gathered.
        """
        async with self.gathering:
            told = await digests.told(self.resources.pool, effect.stream, calls)
            if not told and open_now:
                if not await gather(self.resources, effect.at):
                    raise _not_now()
                told = await digests.told(self.resources.pool, effect.stream, calls)
        if not told:
            mailed = ([each for each in envelopes if each.to.by == "mail"] for _, envelopes in tries)
            first = next((envelopes for envelopes in mailed if envelopes), [])
            put_off_before = len(calls) > 1
            alone = put_off_before or not first or any(each.to.audience != "staff" for each in first)
            return await self._tell(effect, tries, hours) if alone else Outcome(effect.seq, "deferred", zone=zone)
        tried = [await send_one(self.resources, each.recipient, effect.at) for each in told if each.fate is None]
        ended = await digests.told(self.resources.pool, effect.stream, calls)
        if sent := [each for each in ended if each.fate == "sent"]:
            return Outcome(effect.seq, "told", told=tuple(each.recipient for each in sent), role=sent[0].role)
        if Sending.LATER in tried:
            return Outcome(effect.seq, "deferred", zone=zone)
        if len(ended) < len(told) or any(each.fate is None for each in ended):
            raise _not_now()
        return await self._tell(effect, tries, hours)

    async def _tell(
        self, effect: Effect, tries: Sequence[tuple[Resolution, list[Envelope]]], hours: Calendar | None
    ) -> Outcome:
        """Go on to the fallback only where the ones before can never be reached.

        A phone that takes nothing for now is tried again a few times, alone: nobody reads at night the mail that went.
        So is what may have left: a mail server that takes each letter and says so too late is no reason for dozens.

        Args:
            hours: the programme's, whose nights and days of rest are kept as they are where each is; None: none are.
        """
        before = activity.info().heartbeat_details
        taken, doubts = set(before) - {_DOUBT}, before.count(_DOUBT)
        tried, put_off = False, None
        for found, envelopes in tries:
            left = [each for each in envelopes if _address(each) not in taken]
            zone = None if hours is None else _zone(envelopes, hours)
            untouched = envelopes and len(left) == len(envelopes)
            if untouched and hours is not None and _rests(effect.at, in_zone(hours, zone)):
                put_off = Outcome(effect.seq, "deferred", zone=zone)
                if await self._fail(envelopes):
                    continue
                return put_off
            tried = tried or bool(envelopes)
            phones = await post(self.resources, [each for each in left if each.to.by == "sms"])
            taken |= {f"sms/{key}" for key in phones.sent}
            # What a phone took is told, whatever becomes of the mail that says it too.
            mails = await post(self.resources, [
                replace(each, about=()) if f"sms/{each.to.key}" in taken else each
                for each in left if each.to.by == "mail"
            ])  # fmt: skip
            taken |= {f"mail/{key}" for key in mails.sent}
            doubts += bool(phones.doubtful or mails.doubtful)
            if doubts >= TRIES_IN_DOUBT:
                taken |= {f"sms/{key}" for key in phones.doubtful} | {f"mail/{key}" for key in mails.doubtful}
            told = tuple(dict.fromkeys(each.to.key for each in envelopes if _address(each) in taken))
            if told and not (phones.again and activity.info().attempt < _PHONE_TRIES):
                return Outcome(effect.seq, "told", told=told, role=found.role)
            if told or phones.again or phones.unknown or mails.again or mails.unknown:
                activity.heartbeat(*sorted(taken), *[_DOUBT] * doubts)
                raise _not_now()
        return put_off if put_off is not None and not tried else Outcome(effect.seq, "untold", "undeliverable")

    async def _fail(self, envelopes: Sequence[Envelope]) -> bool:
        """Whether the last letter to each failed: nobody waits for their morning while somebody else may be told."""
        keys = {each.to.key for each in envelopes}
        return keys <= await staff.failing(self.resources.pool, sorted(keys))


def _may_leave(tries: Sequence[tuple[Resolution, list[Envelope]]], calendar: Calendar, at: datetime) -> bool:
    return any(
        is_open(in_zone(calendar, each.to.zone), at)
        for _, envelopes in tries for each in envelopes if each.to.by == "mail"
    )  # fmt: skip


def _zone(envelopes: Sequence[Envelope], calendar: Calendar) -> str | None:
    return one_zone((each.to.zone for each in envelopes), calendar)


def _rests(at: datetime, here: Calendar) -> bool:
    return first_free(at, here, Spares.REST) > at


def _address(envelope: Envelope) -> str:
    return f"{envelope.to.by}/{envelope.to.key}"


def _not_now() -> ApplicationError:
    return ApplicationError("nobody could be told for now", type=MAIL_UNAVAILABLE)
