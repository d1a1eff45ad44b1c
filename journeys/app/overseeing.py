"""How it stands with the log of everything: signed how far, held by whom, or refused, and why; and its last check."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from journeys.app.failures import Said
from journeys.channels.parties import party_id
from journeys.settings import Settings
from journeys.store import checkpoints, sequencing
from journeys.store.checkpoints import Begun, Keys, Refusal, Refused, Signed, Snapshot, Standing
from journeys.store.database import Pool
from journeys.store.verifications import Verified

SIGNED_WITHIN: Final = timedelta(minutes=15)
"""A worker signs every minute: what waits longer says that none does."""
STALE: Final = timedelta(hours=26)
"""Everything is verified every night, and where streams end is noted every day."""
_AHEAD: Final = timedelta(minutes=5)
"""Two clocks may lie so far apart."""


@dataclass(frozen=True, slots=True)
class PartyState:
    """Somebody outside who holds checkpoints."""

    kind: str
    """`directory`, `mail` or `webhook`."""
    address: str | None
    """None: the settings of this place do not name it; another's did."""
    standing: Standing | None
    """None: it was never tried."""


@dataclass(frozen=True, slots=True)
class LogState:
    """The log of everything as it stands."""

    origin: str
    size: int
    waiting: int
    """Events without a place yet."""
    last: Signed | None
    unsigned_since: datetime | None
    """When the first event behind the last checkpoint was stored."""
    refusal: Refusal | None
    snapshot: Snapshot | None
    parties: tuple[PartyState, ...]
    keys: Keys
    begun: tuple[Begun, ...] = ()
    """Each time that it went on under a new name, the last one last."""

    @property
    def unsigned(self) -> int:
        """Events behind the last checkpoint."""
        return self.size + self.waiting - (self.last.size if self.last is not None else 0)

    def behind(self, now: datetime) -> bool:
        """Whether what is new waits for a signature for too long."""
        return self.unsigned_since is not None and is_old(self.unsigned_since, SIGNED_WITHIN, now)


async def log_state(pool: Pool, settings: Settings) -> LogState:
    """Read how the log stands. What is said of those outside is what the worker noted."""
    log = await sequencing.head(pool)
    last = await checkpoints.last(pool, log.origin)
    return LogState(
        log.origin, log.size, await sequencing.waiting(pool), last,
        await checkpoints.unsigned_since(pool, last.size if last is not None else 0),
        await checkpoints.refusal(pool), await checkpoints.last_snapshot(pool),
        _parties(settings, await checkpoints.standings(pool, log.origin)), await checkpoints.keys(pool),
        (await checkpoints.names(pool)).begun,
    )  # fmt: skip


def _parties(settings: Settings, standings: dict[str, Standing]) -> tuple[PartyState, ...]:
    named = {
        party_id(kind, address): PartyState(kind, address, standings.get(party_id(kind, address)))
        for kind, addresses in (
            ("directory", settings.checkpoint_directories), ("mail", settings.checkpoint_mails),
            ("webhook", settings.checkpoint_webhooks),
        )
        for address in addresses
    }  # fmt: skip
    others = {id: PartyState(id.partition("-")[0], None, each) for id, each in standings.items() if id not in named}
    return (*named.values(), *(others[id] for id in sorted(others)))


def stale(found: Verified | None, now: datetime) -> bool:
    """Whether the last verification of everything is missing, too old, or dated by a clock that ran ahead."""
    return found is None or is_old(found.at, STALE, now) or is_ahead(found.at, now)


def is_old(at: datetime, period: timedelta, now: datetime) -> bool:
    """Whether what is done once a period is overdue."""
    return now - at > period


def is_ahead(at: datetime, now: datetime) -> bool:
    """Whether a clock that ran ahead dated it."""
    return at - now > _AHEAD


def told(refused: Refused | Refusal) -> Said:
    """Why nothing is signed."""
    where = f"{refused.where} ({refused.held})" if refused.held else refused.where
    match refused.code:
        case "smaller":
            return Said(f"le journal d'ensemble n'a que {refused.size} événements, et {refused.held} ont déjà été"
                        f" attestés ({refused.where}) : une sauvegarde plus ancienne a été restaurée, ou la fin a été"
                        " coupée",
                        f"the log has only {refused.size} events, and {refused.held} were signed already"
                        f" ({refused.where}): an older backup was restored, or the tail was cut")  # fmt: skip
        case "inconsistent":
            return Said(f"le journal d'ensemble ne contient plus ce qui a été attesté : {where}",
                        f"the log no longer holds what was signed: {where}")  # fmt: skip
        case "broken-tree":
            return Said(f"l'arbre enregistré a perdu une partie qu'il faut pour le comparer à {where}",
                        f"the tree as stored lost a part that comparing it with {where} needs")  # fmt: skip
        case "unreadable-copy":
            return Said(f"l'attestation gardée dans {where} n'est signée par aucune clé connue",
                        f"the checkpoint held in {where} is signed by no known key")  # fmt: skip
        case "other-name":
            return Said(f"il a été attesté sous un autre nom, et aucun fait n'explique le changement : {where} ; une"
                        " base plus ancienne a été restaurée, ou le nom a été changé",
                        f"it was signed under another name, and no fact explains the change: {where}; an older"
                        " database was restored, or the name was changed")  # fmt: skip
        case "unreadable-fact":
            return Said(f"le fait {where}, qui dit quelles clés ou quels noms comptent, ne peut plus être lu",
                        f"the fact {where}, which says which keys or names count, can no longer be read")  # fmt: skip
        case "revoked-key":
            return Said("la clé d'attestation de ce poste ne compte plus", "the key of checkpoints here counts no more")


REMEDY: Final = Said(
    "plus rien n'est attesté avant que ce soit compris : « journeys audit verify --all », puis « Sauvegarde » dans"
    " LISEZMOI",
    "nothing is signed until this is understood: “journeys audit verify --all”, then “Backup” in the README",
)
