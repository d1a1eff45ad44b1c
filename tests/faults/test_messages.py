"""The reduced campaign of messages: one landed fault of each kind, an outage, and all is accounted for."""

from pathlib import Path

import pytest

from tests.faults.messages import Life, campaign
from tests.faults.servers import Servers


@pytest.mark.timeout(600)
async def test_every_message_is_accounted_for_whatever_falls(home: Path, servers: Servers) -> None:
    """What each guard is for is seen by `make campaign-messages`, which takes them away one after the other."""
    life = Life(steps=3, every=3, leads=(9, 7), late=9)
    tally = await campaign(home / "messages", servers, seed=7, journeys=12, life=life, each=1, outage=6)
    print("\n".join(tally.lines()))
    assert [str(each) for each in tally.wrong] == []
    assert tally.few(1) == []
