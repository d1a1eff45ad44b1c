"""Sending letters, each with its one-time link made to hold just before, and what a round of them came to."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from activities.failures import UNREACHABLE
from activities.letters import Addressee, Matter, write_letter
from activities.resources import Resources
from journeys.channels.letter import BadAddress, Fate, Letter, Sent
from journeys.store import links
from journeys.store.links import Drawn


@dataclass(frozen=True, slots=True)
class Envelope:
    """A letter for an addressee, ready to leave."""

    to: Addressee
    letter: Letter
    link: Drawn | None = None
    """The one-time link that the letter carries; it opens nothing before the letter leaves."""


@dataclass(slots=True)
class Round:
    """What became of each letter of a round."""

    sent: list[str] = field(default_factory=list)
    """Keys of those whose letter was taken."""
    again: list[str] = field(default_factory=list)
    """Reasons of those that may be tried again (for staff also where nobody knows)."""
    unknown: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Reasons of those that will never be taken."""


async def write_letters(
    resources: Resources, matter: Matter, addressees: Iterable[Addressee]
) -> tuple[list[Envelope], list[str]]:
    """The letters to those who have an address, and the reasons of the others. Raises NoWording."""
    ready, refused = [], []
    for to in addressees:
        if to.address:
            ready.append(Envelope(to, *await write_letter(resources, matter, to)))
        else:
            refused.append("no-address")
    return ready, refused


async def post(resources: Resources, envelopes: Iterable[Envelope]) -> Round:
    """Send each letter once."""
    done = Round()
    for envelope in envelopes:
        sent = await _try(resources, envelope)
        match sent.fate:
            case Fate.SENT:
                done.sent.append(envelope.to.key)
            case Fate.NOTHING_LEFT:
                done.again.append(sent.reason)
            case Fate.UNKNOWN:
                done.unknown.append(sent.reason)
            case Fate.REFUSED:
                done.refused.append(sent.reason)
    return done


async def _try(resources: Resources, envelope: Envelope) -> Sent:
    """A link that cannot be made to hold keeps its letter back: nobody is sent to an address that opens nothing."""
    try:
        if envelope.link is not None:
            await links.issue(resources.pool, envelope.link)
    except UNREACHABLE:
        return Sent(Fate.NOTHING_LEFT, "timeout")
    try:
        return await resources.mailer.send(envelope.letter)
    except BadAddress:
        return Sent(Fate.REFUSED, "bad-address")
