"""Sending letters, each with its one-time link made to hold just before, and what a round of them came to; to a person
by one channel, and by the next only where that one surely will not take it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from activities.failures import UNREACHABLE, through_a_loss
from activities.letters import Addressee, Matter, draw_answer, write_letter
from activities.resources import Resources, Way
from journeys.channels.letter import BadAddress, Fate, Letter, Sent
from journeys.channels.wording import NoWording
from journeys.domain.recipients import DESK, NOBODY_THERE
from journeys.domain.record import SYSTEM
from journeys.store import attempts, links, people, staff, staff_letters
from journeys.store.directory import By
from journeys.store.links import Drawn
from journeys.store.staff_letters import About

_NOBODY_THERE: Final[Mapping[Way, str]] = {"sms": "dead-number", "mail": "bad-address", "letter": "no-address"}
"""Why a channel is passed over that is known to reach nobody."""

UNFORESEEN: Final = "unforeseen"
"""Why a letter did not leave that a fault of ours kept back: the worker's log says where."""

TRIES_IN_DOUBT: Final = 4
"""So often something is sent to staff of which nobody knows whether it was taken; then what may have left counts as
told. Few enough for one call of the engine, however long each of them is waited for."""

_AT_ONCE: Final = 3

_log = structlog.get_logger("journeys.activities")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A letter for an addressee, ready to leave."""

    to: Addressee
    letter: Letter
    links: tuple[Drawn, ...] = ()
    """The one-time links that the letter carries; they open nothing before the letter leaves."""
    about: tuple[About, ...] = ()
    """What it tells a member of staff of."""


@dataclass(slots=True)
class Round:
    """What became of each letter of a round."""

    sent: list[str] = field(default_factory=list)
    """Keys of those whose letter was taken."""
    again: list[str] = field(default_factory=list)
    """Reasons of those that may be tried again (for staff also where nobody knows)."""
    unknown: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    """Keys of those of which nobody knows whether their letter was taken."""
    refused: list[str] = field(default_factory=list)
    """Reasons of those that will never be taken."""
    put_off: dict[str, str] = field(default_factory=dict)
    """Those whose letter was not taken for sure and may be tried again: the reason by their key."""
    of_recipient: dict[str, str] = field(default_factory=dict)
    """Of whom among these their mail server said it."""


async def write_letters(
    resources: Resources, matter: Matter, addressees: Iterable[Addressee]
) -> tuple[list[Envelope], list[str]]:
    """The letters to those who have an address, and the reasons of the others.

    Raises:
        NoWording: but where only a short message has no words.
    """
    ready, refused = [], []
    drawn: dict[tuple[str, str], Drawn | None] = {}
    """One link a person, by whatever channels they are written to: a second one would revoke the first."""
    for to in addressees:
        if not to.address:
            refused.append("no-address")
            continue
        if to.dead:
            refused.append(_NOBODY_THERE[to.by])
            continue
        try:
            if (whose := (to.audience, to.key)) not in drawn:
                drawn[whose] = draw_answer(resources, matter, to)
            ready.append(Envelope(to, *await write_letter(resources, matter, to, drawn[whose])))
        except NoWording as missing:
            if missing.code != "no-text":
                raise
            refused.append(missing.code)
    return ready, refused


async def post(resources: Resources, envelopes: Iterable[Envelope]) -> Round:
    """Send each letter once, a few side by side: what goes wrong with one, or takes long, keeps none of the others
    back, and a mail server that lets nobody in more than a few times lets all of them leave."""
    done, ready, limit = Round(), list(envelopes), asyncio.Semaphore(_AT_ONCE)

    async def leave(envelope: Envelope) -> Sent:
        async with limit:
            return await _apart(resources, envelope)

    for envelope, sent in zip(ready, await asyncio.gather(*map(leave, ready)), strict=True):
        match sent.fate:
            case Fate.SENT:
                done.sent.append(envelope.to.key)
            case Fate.NOTHING_LEFT:
                done.again.append(sent.reason)
                done.put_off[envelope.to.key] = sent.reason
                if sent.of_recipient:
                    done.of_recipient[envelope.to.key] = sent.reason
            case Fate.UNKNOWN:
                done.unknown.append(sent.reason)
                done.doubtful.append(envelope.to.key)
                done.put_off[envelope.to.key] = sent.reason
            case Fate.REFUSED:
                done.refused.append(sent.reason)
    return done


async def _apart(resources: Resources, envelope: Envelope) -> Sent:
    """Send one letter once. What nobody foresaw of it is logged with its place and counts as a refusal, which the house
    sees and the next one in line is told after; tried again it would only go wrong again."""
    try:
        return await send(resources, envelope)
    except Exception:
        _log.exception("letter failed", letter=envelope.letter.id)
    sent = Sent(Fate.REFUSED, UNFORESEEN)
    if _is_mail_to_staff(envelope.to):
        await _noted_of_staff(resources, envelope.to.key, sent, envelope.letter.at)
    return sent


async def note_given_up(resources: Resources, envelopes: Iterable[Envelope], reasons: Mapping[str, str]) -> None:
    """Note of staff whose letters were put off until they are of no use any more that mail does not reach them.

    Args:
        reasons: what their mail server said of them, by their key; what is our own outage, or in doubt, is none.
    """
    for envelope in envelopes:
        if envelope.to.key in reasons and _is_mail_to_staff(envelope.to):
            refused = Sent(Fate.REFUSED, reasons[envelope.to.key])
            await _noted_of_staff(resources, envelope.to.key, refused, envelope.letter.at)


def _is_mail_to_staff(to: Addressee) -> bool:
    return to.audience == "staff" and to.by == "mail" and to.key != DESK


async def send(resources: Resources, envelope: Envelope) -> Sent:
    """Send one letter once.

    A link that cannot be made to hold keeps its letter back: nobody is sent to an address that opens nothing.
    """
    to, letter = envelope.to, envelope.letter
    to_staff = _is_mail_to_staff(to)
    try:
        for link in envelope.links:
            await links.issue(resources.pool, link)
        if to_staff:
            await staff_letters.note(resources.pool, letter.id, to.key, envelope.about)
    except UNREACHABLE:
        return Sent(Fate.NOTHING_LEFT, "timeout")
    try:
        sent = await resources.ways[to.by].send(letter)
    except BadAddress:
        sent = Sent(Fate.REFUSED, "bad-address")
    if to_staff:
        await _noted_of_staff(resources, to.key, sent, letter.at)
    elif to.audience == "staff" and to.by == "sms" and sent.fate is Fate.SENT:
        await _known_by_its_receipt(resources, letter.id, to.key)
    return sent


async def _known_by_its_receipt(resources: Resources, letter: str, id: str) -> None:
    """The phone's receipt names a text that may have gone by no mail; if it did, that is noted already."""
    try:
        await staff_letters.note(resources.pool, letter, id, ())
    except UNREACHABLE:
        _log.warning("text to staff not noted", staff=id)


async def _noted_of_staff(resources: Resources, id: str, sent: Sent, at: datetime) -> None:
    """Whether mail to a member of staff is taken is shown to the house; lost, it is found again by the next letter."""
    try:
        if sent.fate is Fate.REFUSED:
            by = By(actor=SYSTEM, role=SYSTEM, at=at)
            await staff.mail_failed(resources.pool, id, sent.reason, by, returned=False)
        elif sent.fate is Fate.SENT:
            await staff.mail_taken(resources.pool, id)
    except UNREACHABLE:
        _log.warning("mail to staff not noted", staff=id, fate=sent.fate)


async def post_to_person(
    resources: Resources, envelopes: Iterable[Envelope], stream: str, at: datetime, given_up: Callable[[Sent], bool]
) -> tuple[Sent, Way | None, dict[Way, str]]:
    """Send one message to a person by the first channel that takes it; what became of it, by which channel, and why
    each of those before will never take it.

    Each attempt is written down before it begins: a message that left, or may have left, by any channel and at any
    time, never leaves again.

    Args:
        given_up: of a channel that takes nothing now, whether it is not asked again: then the next one is. Not paper,
            which would come after: nobody would notice that the person was not reached.
    """
    sent, by = Sent(Fate.REFUSED, "no-address"), None
    away: tuple[Sent, Way | None] | None = None
    passed: dict[Way, str] = {}
    for envelope in envelopes:
        if away is not None and envelope.to.by == "letter":
            continue
        by = envelope.to.by
        try:
            attempt = await attempts.begin(resources.pool, envelope.letter.id, stream, resources.ways[by].name, at)
        except UNREACHABLE:
            return Sent(Fate.NOTHING_LEFT, "timeout"), by, passed
        if attempt is None:
            return Sent(Fate.UNKNOWN, "left-before"), by, passed
        sent = await send(resources, envelope)
        try:
            await through_a_loss(attempts.ended, resources.pool, attempt, sent.fate, sent.reason, sent.reference)
        except UNREACHABLE:
            # What became of it is told all the same; that it is not written down here keeps it from leaving again.
            _log.warning("attempt without its end", message=attempt.message)
        if sent.fate is Fate.NOTHING_LEFT and given_up(sent):
            away = away or (sent, by)
        elif sent.fate is not Fate.REFUSED:
            return sent, by, passed
        else:
            passed[by] = sent.reason
            if sent.reason.startswith(NOBODY_THERE):
                await _noted(resources, envelope.to, sent.reason, at, attempt.began_at)
    return *(away or (sent, by)), passed


async def _noted(resources: Resources, to: Addressee, reason: str, at: datetime, tried_at: datetime) -> None:
    """That a channel reaches the person no more is a fact of theirs, unless it was changed while it was asked; lost, it
    is found again by the next message."""
    if to.by == "letter":
        return
    by = By(actor=SYSTEM, role=SYSTEM, at=at)
    try:
        await through_a_loss(people.note_channel, resources.pool, to.key, to.by, reason, by, tried_at=tried_at)
    except UNREACHABLE:
        _log.warning("dead channel not noted", person=to.key, channel=to.by)
