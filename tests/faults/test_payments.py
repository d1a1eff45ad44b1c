"""The reduced campaign of payments: one landed fault of each kind; without the digest it fails."""

from pathlib import Path

from tests.faults.payments import KINDS, campaign, without
from tests.faults.points import Guard
from tests.faults.servers import Servers


async def test_every_cent_is_paid_once_whatever_falls(home: Path, servers: Servers) -> None:
    tally = await campaign(home / "payments", servers, seed=7, payments=36, each=1)
    print("\n".join(tally.lines()))
    assert [str(each) for each in tally.wrong] == []
    assert [kind for kind in KINDS if not tally.landed[kind]] == []


async def test_without_a_guard_it_fails(home: Path, servers: Servers) -> None:
    """The others are taken away in test_faults, and that of the lock in tests/store; `make campaign-payments`: all."""
    assert await without(home / "digest", servers, frozenset({Guard.DIGEST}))
