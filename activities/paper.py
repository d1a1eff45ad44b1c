"""Letters on paper, as a channel: the words are laid down for whoever leads the journey to print and to post."""

from dataclasses import dataclass

from activities.failures import UNREACHABLE
from journeys.channels.letter import Fate, Letter, Sent
from journeys.store import paper_letters
from journeys.store.database import Pool
from journeys.store.paper_letters import Words


@dataclass(frozen=True, slots=True)
class Paper:
    """A `Mailer` whose addresses are names. The same id is laid down once."""

    pool: Pool
    name: str = "letter"

    async def send(self, letter: Letter) -> Sent:
        """See Mailer. Sent means made: that it was posted is told by who posts it."""
        try:
            laid = await paper_letters.lay(
                self.pool, letter, Words(letter.to, letter.subject, letter.body, letter.lang), letter.at, letter.until
            )
        except UNREACHABLE:
            return Sent(Fate.NOTHING_LEFT, "timeout")
        return Sent(Fate.SENT) if laid else Sent(Fate.REFUSED, "person-forgotten")
