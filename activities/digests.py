"""Alerts that are not urgent, told in one letter a day and recipient: gathered, written down, sent, never twice a day.

A journey whose alert waits for a digest asks a few minutes later what came of it, and sees to it where nobody did.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Final
from uuid import UUID, uuid5

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.effects import by_now
from activities.failures import MAIL_UNAVAILABLE, UNREACHABLE, translated
from activities.letters import Addressee, Matter, at_hour, staff_addressee, template_of, values_for
from activities.posting import TRIES_IN_DOUBT, Envelope, send
from activities.reaching import CALLS, reach
from activities.reading import Known, read_circle, read_handbook, read_journey
from activities.resources import Resources
from journeys import contract
from journeys.channels.letter import Fate, Letter, Sent
from journeys.channels.wording import Template
from journeys.domain.calendar import Calendar, in_zone
from journeys.domain.escalation import in_hand
from journeys.domain.events import EscalationClimbed, EscalationDeferred, EscalationRaised, EscalationReassigned
from journeys.domain.programme import Label
from journeys.domain.recipients import DESK
from journeys.domain.state import Escalation
from journeys.domain.summary import next_told
from journeys.store import digests
from journeys.store.digests import Digest, Line, Waits
from journeys.store.staff import stream_of
from journeys.store.staff_letters import About

TEMPLATE: Final = "escalation"
_A_DAY: Final = timedelta(days=1)
_SETTLED: Final = Sent(Fate.SENT, "settled-meanwhile")
_LETTERS: Final = UUID("2d0c8f0e-5a0b-4c53-8a53-0f5a0f3c9b62")

_SUBJECT: Final = (
    Label(fr="Une alerte vous attend", en="One alert is waiting for you"),
    Label(fr="{count} alertes vous attendent", en="{count} alerts are waiting for you"),
)
_BODY: Final = Label(
    fr="Bonjour {name},\n\n{lines}\n\nDites que vous vous en chargez, mettez en attente, ou passez la main{board}.\n\n"
    "{association}\n",
    en="Hello {name},\n\n{lines}\n\nSay that you take it, put it off, or hand it on{board}.\n\n{association}\n",
)
_BOARD: Final = Label(fr=" : {address}", en=": {address}")
_LINE: Final = Label(
    fr="- Parcours {reference} : {what}{day}{then}\n  {link}", en="- Journey {reference}: {what}{day}{then}\n  {link}"
)
_DAY: Final = Label(fr=", attendu le {date}", en=", expected on {date}")
_THEN: Final = Label(
    fr=". Si personne n’agit, prévenu ensuite : {who}, le {day} à {hour}.",
    en=". If nobody acts, told next: {who}, on {day} at {hour}.",
)


class Sending(Enum):
    """What became of a try to send a recipient's digest."""

    DONE = auto()
    """It has left, its address will never take it, or nothing was left to tell."""
    LATER = auto()
    """The office is closed."""
    AGAIN = auto()
    """It has not left, as far as is known, or somebody else is sending it."""


class Digests:
    """What the workflow of the digests asks for."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @activity.defn(name=contract.SEND_DIGESTS)
    async def send(self, asked: contract.SendDigests) -> int:
        """Gather what is due, and send what was gathered; how many digests left.

        Raises:
            ApplicationError: MailUnavailable, when one could not leave; or what went wrong with a journey or a
                recipient, once all others are done. Run it again.
        """
        with translated():
            at = by_now(asked.at)
            failures: list[Exception] = []
            await gather(self._resources, at, failures)
            tries = []
            for each in await digests.unsent(self._resources.pool):
                with _apart(failures, recipient=each):
                    tries.append(await send_one(self._resources, each, at))
            if failures:
                raise failures[0]
            if Sending.AGAIN in tries:
                raise ApplicationError("a digest could not leave for now", type=MAIL_UNAVAILABLE)
            return tries.count(Sending.DONE)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An alert for one recipient's digest."""

    recipient: str
    line: Line
    due: bool
    """Its hour has come, and its office is open."""
    day: date
    closes: datetime


@contextmanager
def _apart(failures: list[Exception], **of_what: str) -> Iterator[None]:
    """What goes wrong with one keeps nothing from the others, unless the store is away for all: logged, and kept."""
    try:
        yield
    except Exception as error:
        if isinstance(error, UNREACHABLE):
            raise
        structlog.get_logger().exception("one of a digest failed", **of_what)
        failures.append(error)


async def gather(resources: Resources, at: datetime, failures: list[Exception] | None = None) -> bool:
    """Write a digest down for everybody for whom an alert is due now, with all that waits for them today.

    Who is told is judged now: an absent recipient's deputy, else the fallback. False: somebody else is gathering.

    Args:
        failures: takes what went wrong with a journey or a recipient, which the digests of the others do without.
    """
    failures = [] if failures is None else failures
    waiting = await digests.waiting(resources.pool, at + _A_DAY)
    if not any(each.digest <= at for each in waiting):
        return True
    async with digests.gathering(resources.pool) as connection:
        if connection is None:
            return False
        found: dict[str, list[_Candidate]] = defaultdict(list)
        for each in waiting:
            with _apart(failures, stream=each.stream):
                for candidate in await _candidates(resources, each, at):
                    found[candidate.recipient].append(candidate)
        for recipient, several in sorted(found.items()):
            first = next((each for each in several if each.due), None)
            if first is None:
                continue
            with _apart(failures, recipient=recipient):
                async with connection.transaction():
                    lines = [each.line for each in several]
                    await digests.begin(connection, recipient, first.day, at, first.closes, lines)
        return True


async def _candidates(resources: Resources, waits: Waits, at: datetime) -> list[_Candidate]:
    """Those who would be told of an alert now, and whose digest with it has not ended; none where its digest leaves
    another day, or somebody had it in hand before that and still has."""
    known = await read_journey(resources.pool, waits.stream)
    alert = known.state.escalations.get(waits.escalation)
    if alert is None or alert.digest is None or in_hand(known.state, alert, alert.digest, at):
        return []
    book = await read_handbook(resources.pool, known.state)
    calls = calls_for(known, waits.escalation)
    ended = {each.recipient for each in await digests.told(resources.pool, waits.stream, calls) if each.fate}
    circle = await read_circle(
        resources, known.state, book, at, alert.about, by_phone=True, came_back=known.came_back(waits.escalation)
    )
    async for reached in reach(resources, alert.roles, circle, at):
        mailed = {each.key: each for each in reached.addressees if each.address and each.by == "mail"}
        if mailed and {each.audience for each in reached.addressees} == {"staff"}:
            line = Line(waits.stream, calls[0], reached.resolution.role)
            hours = [(key, in_zone(book.calendar, each.zone)) for key, each in sorted(mailed.items())]
            return [_candidate(key, line, alert.digest, here, at) for key, here in hours
                    if key not in ended and here.day(alert.digest) <= here.day(at)]  # fmt: skip
        if mailed:
            return []  # A volunteer is written to about each matter.
    return []


def _candidate(recipient: str, line: Line, digest: datetime, here: Calendar, at: datetime) -> _Candidate:
    """An alert in the hours of the recipient's own zone: the digest leaves when it was planned for, or as soon as their
    office is open."""
    day = here.day(at)
    return _Candidate(recipient, line, digest <= at and is_open(here, at), day, here.closing(day))


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Whether staff are at work."""
    day = calendar.day(at)
    open_now = calendar.works(day) and calendar.opening(day) <= at < calendar.closing(day)
    return open_now and calendar.quiet_until(at) is None


def calls_for(known: Known, escalation: str) -> list[int]:
    """Seqs of the events that called for a step to be told, the newest first: it may have been put off since."""
    found = []
    for event in reversed(known.events):
        match event.data:
            case EscalationDeferred(escalation=id, effect=effect) if id == escalation:
                found.append(effect)
            case (
                EscalationRaised(escalation=id) | EscalationClimbed(escalation=id) | EscalationReassigned(escalation=id)
            ) if id == escalation:
                return found
    return found


async def send_one(resources: Resources, recipient: str, at: datetime) -> Sending:
    """Send a recipient's digest, if it has not left; by one sender at a time, and not when the office is closed."""
    digest = await digests.open_one(resources.pool, recipient)
    if digest is None:
        return Sending.AGAIN
    if at > digest.until and (digest := await _as_todays(resources, digest, at)) is None:
        return Sending.LATER
    written = await _written(resources, digest, at)
    before = await digests.trying(resources.pool, recipient)
    if before is None:
        return Sending.AGAIN
    async with digests.taken(resources.pool, digest) as connection:
        if connection is None:
            return Sending.AGAIN
        if written is None and not before:
            await digests.let_go(connection, digest)
            return Sending.DONE
        sent = await send(resources, written) if isinstance(written, Envelope) else written or _SETTLED
        match sent.fate:
            case Fate.SENT:
                await digests.end(connection, digest, "sent", sent.reason)
                return Sending.DONE
            case Fate.REFUSED:
                await digests.end(connection, digest, "refused", sent.reason)
                return Sending.DONE
            case Fate.NOTHING_LEFT if not before:
                await digests.let_go(connection, digest)
            case Fate.UNKNOWN if await digests.doubted(connection, digest) >= TRIES_IN_DOUBT:
                await digests.end(connection, digest, "sent", sent.reason)
                return Sending.DONE
            case _:
                structlog.get_logger().warning("nobody knows whether a digest left: it is sent again, as it was")
        return Sending.AGAIN


async def _as_todays(resources: Resources, digest: Digest, at: datetime) -> Digest | None:
    """One of another day that may have left, with the lines that it has, though nobody waits for it any more; None
    where the office is closed, or its recipient had one today."""
    to, lines = await staff_addressee(resources, digest.recipient), await digests.lines(resources.pool, digest)
    if not lines:
        return None
    book = await read_handbook(resources.pool, (await read_journey(resources.pool, lines[0].stream)).state)
    here = in_zone(book.calendar, to.zone if to is not None else None)
    day = here.day(at)
    if not is_open(here, at):
        return None
    async with resources.pool.acquire() as connection, connection.transaction():
        await digests.begin(connection, digest.recipient, day, at, here.closing(day), ())
    found = await digests.open_one(resources.pool, digest.recipient)
    return found if found is not None and at <= found.until else None


async def _written(resources: Resources, digest: Digest, at: datetime) -> Envelope | Sent | None:
    """The letter; or why it can never leave; None with nothing left to tell."""
    to = await staff_addressee(resources, digest.recipient)
    if to is None or not to.address:
        return Sent(Fate.REFUSED, "no-address")
    template = await template_of(resources, TEMPLATE)
    lines = await digests.lines(resources.pool, digest)
    told = [await _told(resources, line, to, template, at) for line in lines]
    alerts = [each for each in told if each is not None]
    if not alerts:
        return None
    count = len(alerts)
    board = _BOARD.in_(to.lang).format(address=f"{resources.public_url}/alertes") if resources.public_url else ""
    letter = Letter(
        id=str(uuid5(_LETTERS, f"{digest.recipient}/{digest.at.isoformat()}")), to=to.address,
        subject=_SUBJECT[count > 1].in_(to.lang).format(count=count),
        body=_BODY.in_(to.lang).format(
            name=to.first_name, lines="\n".join(text for _, text in sorted(alerts)), board=board,
            association=resources.association,
        ),
        lang=to.lang, at=at, about=None if to.key == DESK else stream_of(to.key),
    )  # fmt: skip
    return Envelope(to, letter, about=tuple(About(line.stream, effect=line.effect) for line in lines))


async def _told(
    resources: Resources, line: Line, to: Addressee, template: Template, at: datetime
) -> tuple[datetime, str] | None:
    """An alert as the letter says it, with since when it is open; None where it is settled meanwhile."""
    known = await read_journey(resources.pool, line.stream)
    called = known.at(line.effect)
    alert = known.state.escalations.get(called.escalation) if isinstance(called, CALLS) else None
    if alert is None:
        return None
    book = await read_handbook(resources.pool, known.state)
    matter = Matter(
        known=known, book=book, about=alert.about, template=template,
        message=str(uuid5(_LETTERS, f"{line.stream}/{line.effect}")), at=at, step=alert.step,
    )  # fmt: skip
    values = await values_for(resources, matter, to)
    what = next((values[name] for name in ("milestone", "contact", "grant") if values[name]), "")
    text = _LINE.in_(to.lang).format(
        reference=values["reference"], what=f"{what} ({values['reason']})" if what else values["reason"],
        day=_DAY.in_(to.lang).format(date=values["date"]) if values["date"] else "",
        then=_then(matter, alert, to), link=values["link"],
    )  # fmt: skip
    return alert.raised_at, text


def _then(matter: Matter, alert: Escalation, to: Addressee) -> str:
    """Who is told next, and when, if nobody acts; nothing while a suspension holds it."""
    if alert.next_at is None or matter.known.state.holds(alert):
        return ""
    role = next_told(matter.book, alert)
    known = matter.book.programme.roles.get(role)
    who = role if known is None else known.en if to.lang == "en" else known.fr
    day, hour = at_hour(matter, alert.next_at, to)
    return _THEN.in_(to.lang).format(who=who, day=day, hour=hour)
