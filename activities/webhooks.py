"""Telling systems elsewhere: what each has not been told, in order for each journey, at least once."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failures import MAIL_UNAVAILABLE, translated
from activities.letters import staff_addressee, template_of
from activities.posting import Envelope, post
from activities.resources import Resources
from journeys import contract
from journeys.channels.letter import Letter
from journeys.channels.webhook import Posted
from journeys.channels.wording import VARIABLES, fill
from journeys.contract import Deliver, Delivered, StopWebhook
from journeys.domain.announcements import announce, message_id
from journeys.domain.programme import Label
from journeys.domain.recipients import DESK
from journeys.domain.record import SYSTEM
from journeys.store import staff, webhooks
from journeys.store.directory import By
from journeys.store.webhooks import Behind, MissingKey, State, Webhook

LOOK_SECONDS: Final = 1.0
"""How often the journal is looked at while there is nothing to tell."""

BUSY_SECONDS: Final = 300.0
"""After so long a delivery that always has something to tell ends, and the next one begins."""

_PAGE: Final = 200

_WHY: Final = {
    "gone": Label(
        fr="le système a répondu qu’il ne veut plus rien recevoir ; l’abonnement est terminé",
        en="the system answered that it wants no more; the subscription has ended",
    ),
    "failing": Label(
        fr="rien n’a été accepté depuis plus de trois jours ; l’abonnement est en pause, et à la reprise tout sera dit",
        en="nothing was taken for more than three days; the subscription is paused, and will tell all once resumed",
    ),
    "stuck": Label(
        fr="un parcours n’est pas accepté depuis plus de trois jours, les autres le sont ; nouvel essai chaque jour",
        en="one journey has not been taken for more than three days, others are; it is tried again every day",
    ),
}

_LINK: Final = "journeys webhook list"

_log = structlog.get_logger("journeys.activities")


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What the workflow of a webhook asks for."""

    resources: Resources

    @activity.defn(name=contract.WEBHOOK_DELIVER)
    async def deliver(self, asked: Deliver) -> Delivered:
        """Tell what is to be told, or wait for it; see `Deliver` for when it ends.

        Each event is posted, then the place reached is written: killed between the two, it is posted again, under the
        same id.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + asked.wait_seconds
        with translated():
            while True:
                activity.heartbeat()
                hook = await webhooks.webhook(self.resources.pool, asked.webhook)
                if hook is None or hook.state != "active":
                    return Delivered(state=hook.state if hook is not None else "ended")
                done = await _Round(self.resources, hook, asked, clock() + BUSY_SECONDS).tell()
                if done != Delivered() or clock() >= until or await _told_to_end():
                    return done

    @activity.defn(name=contract.WEBHOOK_STOP)
    async def stop(self, stopped: StopWebhook) -> None:
        """Pause or end a webhook, and tell the administrators by mail, in their absence the address of last resort.

        Raises:
            ApplicationError: MailUnavailable, when nobody could be told for now: run it again.
        """
        with translated():
            hook = await webhooks.webhook(self.resources.pool, stopped.webhook)
            if hook is None:
                return
            by = By(actor=SYSTEM, role=SYSTEM, at=datetime.now(UTC))
            states: dict[str, State] = {"gone": "ended", "failing": "paused"}
            # One that an administrator has resumed meanwhile has no trouble any more, and goes on.
            if stopped.why in states and hook.troubled_since is not None:
                await webhooks.set_state(self.resources.pool, hook.id, states[stopped.why], stopped.why, by)
            done = await post(self.resources, await self._letters(hook, stopped, by.at))
            if done.sent:
                return
            if done.again or done.unknown:
                raise ApplicationError("nobody could be told for now", type=MAIL_UNAVAILABLE)
            _log.error("webhook stopped and nobody can be told", webhook=hook.id, reason=stopped.why)

    @activity.defn(name=contract.WEBHOOKS_BEGIN)
    async def begin(self) -> int:
        """Have a workflow run for each active webhook; returns how many there are."""
        with translated():
            active = [hook.id for hook in await webhooks.webhooks(self.resources.pool) if hook.state == "active"]
            for id in active:
                await self.resources.begin(id)
            return len(active)

    async def _letters(self, hook: Webhook, stopped: StopWebhook, at: datetime) -> list[Envelope]:
        everyone = await staff.members(self.resources.pool)
        keys = [each.id for each in everyone if each.active and each.email and "administrator" in each.roles]
        envelopes = []
        for key in keys or [DESK]:
            to = await staff_addressee(self.resources, key)
            if to is None or not to.address:
                continue
            values = {
                **dict.fromkeys(VARIABLES["staff"], ""),
                "first_name": to.first_name,
                "reference": hook.id,
                "reason": f"{_WHY[stopped.why].in_(to.lang)} ({stopped.reason})",
                "link": _LINK,
                "association": self.resources.association,
            }
            text = fill(await template_of(self.resources, "webhook-stopped"), "staff", to.lang, values)
            id = str(uuid5(UUID(hook.id), f"{stopped.why}/{stopped.stream}/{at.date()}/{to.key}"))
            envelopes.append(Envelope(to, Letter(id=id, to=to.address, subject=text.subject, body=text.body,
                                                 lang=to.lang, at=at)))  # fmt: skip
        return envelopes


class _Round:
    """One pass over what is to be told."""

    def __init__(self, resources: Resources, hook: Webhook, asked: Deliver, until: float) -> None:
        self._resources = resources
        self._hook = hook
        self._asked = asked
        self._until = until
        self._taken: set[str] = set()
        self._count = 0
        self._failed: dict[str, str] = {}
        self._after: dict[str, float] = {}
        self._gone = False

    async def tell(self) -> Delivered:
        pool, clock = self._resources.pool, asyncio.get_running_loop().time
        while not self._is_over() and clock() < self._until and not activity.is_worker_shutdown():
            places = await webhooks.behind(
                pool, self._hook, first=self._asked.again, without=(*self._asked.without, *self._failed), limit=_PAGE
            )
            unwanted = [(place.stream, place.seen, place.head) for place in places if place.next is None]
            if unwanted:
                await webhooks.move(pool, self._hook.id, unwanted)
            if not places:
                break
            for place in places:
                if place.next is not None and not self._is_over() and clock() < self._until:
                    if not await self._look_again():
                        return await self._come_to()
                    await self._tell_journey(place)
        return await self._come_to()

    async def _look_again(self) -> bool:
        """Whether it is still active: an end and a new secret hold from the next journey on."""
        now = await webhooks.webhook(self._resources.pool, self._hook.id)
        if now is None or now.state != "active":
            return False
        self._hook = now
        return True

    async def _tell_journey(self, place: Behind) -> None:
        seen = place.seen
        for header in await webhooks.wanted(self._resources.pool, self._hook, place):
            if activity.is_worker_shutdown():
                return
            activity.heartbeat()
            posted = await self._post(header)
            if not posted.taken:
                self._failed[place.stream], self._gone = posted.reason, posted.gone
                if posted.after_seconds is not None:
                    self._after[place.stream] = posted.after_seconds
                _log.warning("webhook not taken", webhook=self._hook.id, journey=place.stream, reason=posted.reason)
                return
            await webhooks.move(self._resources.pool, self._hook.id, [(place.stream, seen, header["seq"])])
            seen = header["seq"]
            self._count += 1
            self._taken.add(place.stream)

    async def _post(self, header: dict[str, object]) -> Posted:
        at = datetime.now(UTC)
        try:
            secrets = webhooks.secrets_of(self._resources.ring, self._hook, at)
        except MissingKey:
            return Posted(False, "no-key")
        body = announce(header).model_dump_json().encode()
        return await self._resources.messenger.post(
            self._hook.url, id=message_id(header), at=at, body=body, secrets=secrets
        )

    def _is_over(self) -> bool:
        return self._gone or len(self._failed) >= self._asked.room

    async def _come_to(self) -> Delivered:
        now = datetime.now(UTC)
        if self._count:
            await webhooks.note_sent(self._resources.pool, self._hook.id, now)
        for reason in self._failed.values():
            await webhooks.note_trouble(self._resources.pool, self._hook.id, reason, now)
        return Delivered(
            state="gone" if self._gone else "active",
            taken=self._count,
            recovered=tuple(stream for stream in self._asked.again if stream in self._taken - self._failed.keys()),
            failed=self._failed,
            after_seconds=self._after,
        )


async def _told_to_end() -> bool:
    """Wait a little; True when the worker is to end meanwhile."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await activity.wait_for_worker_shutdown()
    except TimeoutError:
        return False
    return True
