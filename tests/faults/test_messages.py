"""The reduced campaign of messages: one landed fault of each kind, an outage, and all is accounted for."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from journeys.domain import events as e
from journeys.domain.evolve import fold
from journeys.domain.handbook import open_handbook
from tests.domain.given import CALENDAR, STREAM, given, plan
from tests.faults.hastened import hastened
from tests.faults.messages import (
    Life,
    Message,
    _alerts,
    _asked_twice,
    _in_doubt,
    _overslept,
    _owed,
    campaign,
)
from tests.faults.servers import Servers
from tests.gateway.ledger import Way


def test_what_never_woke_was_never_told_or_never_ends_is_found_out() -> None:
    """The accounts alone, on a journey that went well and on what is missing of it."""
    life, begun = Life(steps=4), ("2027-01-11 10:00", plan(None))
    with hastened():
        book = open_handbook(life.programme().model_dump_json(), CALENDAR)
        asleep = given(begun, book=book)
        lived = given(begun, book=book).when(asleep.now + timedelta(seconds=life.seconds + 60))
    whole, rested = lived.events, lived.now
    told = [each.data.effect for each in whole if each.kind == "EscalationTold"]
    journey = uuid.UUID(STREAM.partition("-")[2])
    letters = {str(uuid.uuid5(uuid.uuid5(journey, f"tell/{effect}"), "somebody")) for effect in told}
    assert told and _owed(STREAM, life, whole) == _alerts(STREAM, whole, rested, letters) == []
    assert not _overslept(fold(whole), rested) and _overslept(fold(asleep.events), rested)

    assert _owed(STREAM, life, asleep.events)
    last = max(place for place, each in enumerate(whole) if isinstance(each.data, e.MessageDue))
    assert _owed(STREAM, life, whole[:last] + whole[last + 1 :])
    assert _alerts(STREAM, whole, rested, set())
    untold = next(place for place, each in enumerate(whole) if each.kind == "EscalationTold")
    assert _alerts(STREAM, whole[:untold], rested, letters)

    once = {"a": [Way.BUSY] * 2, "b": [Way.MUTE], "c": [Way.REFUSES] * 3}
    doubted = Message(whole[last].data, rested, fate="unknown")  # type: ignore[arg-type]
    assert _asked_twice(once) == [] and len(_asked_twice({"a": [Way.BUSY] * 3, "b": [Way.MUTE] * 2})) == 2
    assert _in_doubt({Way.MUTE: [doubted]}) == [] and _in_doubt({Way.MUTE: [doubted] * 3})


@pytest.mark.timeout(600)
async def test_every_message_is_accounted_for_whatever_falls(home: Path, servers: Servers) -> None:
    """What each guard is for is seen by `make campaign-messages`, which takes them away one after the other."""
    life = Life(steps=3, every=3, leads=(9, 7), late=9)
    tally = await campaign(home / "messages", servers, seed=7, journeys=12, life=life, each=1, outage=6)
    print("\n".join(tally.lines()))
    assert [str(each) for each in tally.wrong] == []
    assert tally.few(1) == []
