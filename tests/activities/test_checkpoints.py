"""The notary's rounds: signed, kept here and outside, delivered, tried again; and its workflow on the real server."""

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.worker import Worker

from activities.checkpoints import Checkpoints
from activities.notary import Notary, letter_of
from journeys import contract, temporal
from journeys.audit.log_account import verify_log
from journeys.channels.letter import Fate, Sent
from journeys.channels.parties import Delivery, Directory, Mailbox, System
from journeys.channels.webhook import Messenger
from journeys.evidence.note import Checkpoint, Signer, open_checkpoint
from journeys.store import checkpoints, sequencing
from journeys.store.database import open_pool
from journeys.store.journal import append
from journeys.store.signing import KeyRing
from tests.activities.conftest import Postman
from tests.conftest import RealStack
from tests.store.samples import new_stream, plain
from tests.webhooks import receiving
from workflows import checkpoints as workflow

pytestmark = pytest.mark.asyncio

NOW = datetime(2027, 5, 12, 7, 30, tzinfo=UTC)
RING = KeyRing("test", {"test": b"0" * 32})


@pytest_asyncio.fixture
async def notary(journal_pool: Any, database_url: str, tmp_path: Path) -> AsyncIterator[Notary]:
    sequencer = await open_pool(database_url, role="journeys_sequencer", largest=2)
    await append(journal_pool, RING, plain(new_stream(), 0, 3))
    yield Notary(sequencer, journal_pool, tmp_path / "own", b"5" * 32)
    await sequencer.close()


async def test_a_round_places_signs_and_keeps(notary: Notary, journal_pool: Any) -> None:
    found = await notary.round(NOW)
    # The three, the key that begins to sign, and where every stream ended.
    assert found.placed == 5 and found.made is not None and found.made.size == 5
    kept = Directory(notary.held).latest(found.made.origin)
    assert kept == found.made.note
    assert open_checkpoint(kept, [Signer(found.made.origin, b"5" * 32).verifier])[0].size == 5
    assert (await notary.round(NOW + timedelta(minutes=1))).made is None
    day = await notary.round(NOW + timedelta(days=1))
    assert day.placed == 1 and day.made is not None, "the snapshot of the next day"


async def test_a_directory_outside_gets_each_and_stops_a_restored_log(
    notary: Notary, journal_pool: Any, tmp_path: Path
) -> None:
    share = tmp_path / "share"
    outside = replace(notary, parties=(Directory(share),))
    first = await outside.round(NOW)
    assert first.made is not None and set(first.failed) == {Directory(share).id}, "a share that is away is not made"
    standing = (await checkpoints.standings(notary.pool, first.made.origin))[Directory(share).id]
    assert (standing.reason, standing.failures) == ("directory-unwritable", 1)
    share.mkdir()
    assert (await outside.round(NOW + timedelta(seconds=30))).failed == {}
    assert Directory(share).latest(first.made.origin) is None, "not yet tried again"
    assert (await outside.round(NOW + timedelta(minutes=2))).failed == {}
    assert Directory(share).latest(first.made.origin) == first.made.note
    standing = (await checkpoints.standings(notary.pool, first.made.origin))[Directory(share).id]
    assert (standing.reason, standing.size) == (None, 5)
    # A machine restored as a whole: neither table nor own file know; the share does.
    ahead = Signer(first.made.origin, b"5" * 32).sign(Checkpoint(first.made.origin, 99, first.made.root))
    next(share.iterdir()).joinpath("checkpoint").write_text(ahead)
    refused = (await outside.round(NOW + timedelta(minutes=3))).refused
    assert refused is not None and (refused.code, refused.where) == ("smaller", str(share))
    next(notary.held.iterdir()).joinpath("checkpoint").write_bytes(b"\xff")
    refused = (await notary.round(NOW + timedelta(minutes=3))).refused
    assert refused is not None and (refused.code, refused.where) == ("unreadable-copy", str(notary.held))


async def test_mail_goes_out_once_a_day_and_again_after_a_failure(notary: Notary, journal_pool: Any) -> None:
    postman = Postman(answers=[Sent(Fate.NOTHING_LEFT, "refused"), Sent(Fate.SENT)])
    telling = replace(notary, parties=(Mailbox("auditeur@example.org", postman, *letter_of("fr")),))
    assert (await telling.round(NOW)).failed and len(postman.letters) == 1
    for minutes in (2, 3, 60):
        await append(journal_pool, RING, plain(new_stream(), 0))
        assert not (await telling.round(NOW + timedelta(minutes=minutes))).failed
    assert len(postman.letters) == 2
    assert "release-journeys/" in postman.letters[1].body and postman.letters[1].subject.startswith("Empreinte")
    assert (await telling.round(NOW + timedelta(days=1, minutes=5))).failed == {} and len(postman.letters) == 3
    # A clock that ran ahead for one round holds nothing up.
    assert (await telling.round(NOW + timedelta(days=400))).failed == {} and len(postman.letters) == 4
    await append(journal_pool, RING, plain(new_stream(), 0))
    assert (await telling.round(NOW + timedelta(days=2))).failed == {} and len(postman.letters) == 5
    snapshot = await checkpoints.last_snapshot(notary.pool)
    assert snapshot is not None and snapshot.at == NOW + timedelta(days=2)


async def test_a_system_elsewhere_is_told_signed(notary: Notary) -> None:
    secret = b"k" * 32
    with receiving() as receiver:
        party = System(receiver.url, Messenger(hosts=(receiver.host,)), (secret,))
        found = await replace(notary, parties=(party,)).round(datetime.now(UTC))
        assert found.failed == {} and found.made is not None
        (got,) = receiver.got
        assert got.holds(f"whsec_{base64.b64encode(secret).decode()}")
        assert json.loads(got.body) == {
            "type": "checkpoint", "origin": found.made.origin, "size": 5, "note": found.made.note,
        }  # fmt: skip
        delivery = Delivery(found.made.origin, 5, found.made.note, NOW)
        assert await party.deliver(replace(delivery, origin="release-journeys/anew")) == ""
        assert len(set(receiver.ids)) == 2, "a log of another name is no repeat"
        assert await replace(party, keys=()).deliver(delivery) == "no-key"
        assert await replace(party, messenger=Messenger(hosts=())).deliver(delivery) == "host-not-allowed"


async def test_a_log_whose_name_was_changed_by_hand_is_not_signed(
    notary: Notary, journal_pool: Any, tmp_path: Path
) -> None:
    """What nobody reads under the new name still stands on this disk, and with those outside."""
    share, other = tmp_path / "share", tmp_path / "share" / "release-journeys_of-others"
    other.mkdir(parents=True)
    strange = Signer("release-journeys/of-others", b"6" * 32)
    other.joinpath("checkpoint").write_text(strange.sign(Checkpoint(strange.name, 99, b"0" * 32)))
    outside = replace(notary, parties=(Directory(share),))
    made = (await outside.round(NOW)).made
    assert made is not None, "another's log on one share is none of ours"
    await notary.pool.execute("UPDATE log_head SET origin = 'release-journeys/anew'")
    await append(journal_pool, RING, plain(new_stream(), 0))
    for where in (notary, replace(outside, held=tmp_path / "new")):
        refused = (await where.round(NOW + timedelta(minutes=1))).refused
        assert refused is not None and refused.code == "other-name" and made.origin in refused.where
    held = await checkpoints.refusal(notary.pool)
    assert held is not None and held.held == 5
    found = await verify_log(journal_pool, None, outside.copies("release-journeys/anew"))
    assert {each.details["name"] for each in found.findings if each.code == "name"} == {made.origin}


async def test_without_a_key_places_are_given_and_nothing_is_signed(notary: Notary) -> None:
    found = await replace(notary, seed=None).round(NOW)
    assert (found.placed, found.made) == (3, None) and not notary.held.exists()


async def test_a_run_of_the_workflow_makes_many_rounds_in_one_activity(
    notary: Notary, journal_pool: Any, stack: RealStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.checkpoints.LOOK_SECONDS", 0.05)
    assert temporal.CHECKPOINTS_INTERVAL.total_seconds() > workflow.SECONDS
    client = await Client.connect(stack.temporal, data_converter=temporal.DATA_CONVERTER)
    queue = f"q-{uuid.uuid4()}"
    async with Worker(
        client, task_queue=queue, workflows=[workflow.CheckpointsWorkflow], activities=[Checkpoints(notary).keep],
        workflow_runner=temporal.sandbox_runner(),
    ):  # fmt: skip
        handle = await client.start_workflow(
            contract.CHECKPOINTS, contract.KeepCheckpoints(seconds=4, every=0.2), id=queue, task_queue=queue,
            result_type=int,
        )  # fmt: skip
        origin = (await sequencing.head(notary.pool)).origin
        for many in range(3):
            await append(journal_pool, RING, plain(new_stream(), 0))
            async with asyncio.timeout(20):
                # Until it is signed: one round places twice, so that what is placed may be of the round before.
                while len(await checkpoints.all_of(notary.pool, origin)) <= many:
                    await asyncio.sleep(0.05)
        assert await handle.result() >= 3
    scheduled = [
        e async for e in handle.fetch_history_events() if e.HasField("activity_task_scheduled_event_attributes")
    ]
    assert len(scheduled) == 1
    assert (await sequencing.head(notary.pool)).size == 8
    try:
        for _ in range(2):
            await temporal.keep_checkpoints(client, queue)
        made = await client.get_schedule_handle(contract.CHECKPOINTS).describe()
        assert made.info.num_actions >= 1, "it runs at once, not only at the next tenth minute"
    finally:
        await client.get_schedule_handle(contract.CHECKPOINTS).delete()
