"""What activities work with: built once by the worker, handed to each of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from temporalio.client import Client

from activities.notary import Notary
from activities.paper import Paper
from activities.tills import Tills
from journeys.channels.checks import HttpChecks
from journeys.channels.letter import Mailer
from journeys.channels.webhook import Messenger
from journeys.channels.wording import TEMPLATES
from journeys.contract import Answer, Erasing, Run
from journeys.domain.commands import Command
from journeys.domain.retention import Retention
from journeys.store.database import Pool
from journeys.store.signing import KeyRing

Way = Literal["sms", "mail", "letter"]
"""A channel by which a person is written to."""


async def unconnected(command: Command) -> Answer:
    """Without a client nothing can be sent."""
    raise RuntimeError(f"no client to send {command.name} with")


async def nobody_begins(whose: object) -> None:
    """Without a client no workflow can be begun."""
    raise RuntimeError(f"no client to begin a workflow with ({whose})")


class Engine(Protocol):
    """What the engine tells of runs, and forgets of them."""

    def ended(self) -> AsyncIterator[Run]:
        """Each run of a journey that ended, as long as the engine knows it."""
        ...

    async def history(self, run: Run) -> bytes | None:
        """The exported history of a run; None when its retention was over in between."""
        ...

    async def runs(self, stream: str) -> bool:
        """Whether a journey runs now."""
        ...

    async def forget(self, stream: str) -> None:
        """Forget every run of a journey; none is left when this returns."""
        ...


class NoEngine:
    """Without a client no run is known."""

    async def ended(self) -> AsyncIterator[Run]:
        """None."""
        nothing: tuple[Run, ...] = ()
        for run in nothing:
            yield run

    async def history(self, run: Run) -> bytes | None:
        """None."""
        return None

    async def runs(self, stream: str) -> bool:
        """No."""
        return False

    async def forget(self, stream: str) -> None:
        """There is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Connections, channels and the few texts that belong to the operator."""

    pool: Pool
    """Acts as journeys_writer."""
    ring: KeyRing = field(repr=False)
    tills: Tills
    """What takes payments, by channel."""
    mailer: Mailer
    texter: Mailer | None = None
    """Sends short messages, to phone numbers; None: nobody does."""
    checks: HttpChecks = field(default_factory=lambda: HttpChecks(hosts=()))
    messenger: Messenger = field(default_factory=lambda: Messenger(hosts=()))
    notary: Notary | None = None
    """Keeps the log of everything; None where this worker does not."""
    answerable: bool = True
    """Whether a phone can answer a short message: not one that is sent under a name."""
    templates: Path = TEMPLATES
    kept: set[str] = field(default_factory=set)
    """Shipped templates whose words this process has had kept."""
    duty_address: str | None = None
    """The mail address of last resort, where no member of staff holds the role `duty`."""
    association: str = ""
    """How messages are signed; empty for no signature."""
    link: str = "journeys show {journey}"
    """Where staff look a journey up; `{journey}` stands for its id."""
    public_url: str | None = None
    """Where mentors, partners and participants reach the application; None: messages to them carry no link."""
    send: Callable[[Command], Awaitable[Answer]] = unconnected
    """Sends a signed command to its journey."""
    begin: Callable[[str], Awaitable[None]] = nobody_begins
    """Begins the telling of a webhook (its id) where none runs."""
    begin_erasure: Callable[[Erasing], Awaitable[None]] = nobody_begins
    """Begins an erasure where none runs."""
    destroyed: Path | None = None
    """The list of destroyed keys that no backup of a database brings back; None: this worker keeps none."""
    engine: Engine = field(default_factory=NoEngine)
    client: Client | None = None
    """From whom histories come that are to be replayed; None: only those that are kept."""
    replayable: Sequence[type] = ()
    """The workflows whose histories can be replayed."""
    retention: Retention | None = None
    """For how long what is kept is kept; None: this worker does not look."""
    reads_kept_months: int = 12
    """For how many months it is known who opened whose file."""
    lang: str = "fr"
    """The language of those whose own is not known."""

    @property
    def ways(self) -> Mapping[Way, Mailer]:
        """Who sends, by channel; the first that can reach a person is taken."""
        texter: dict[Way, Mailer] = {} if self.texter is None else {"sms": self.texter}
        return {**texter, "mail": self.mailer, "letter": Paper(self.pool)}
