"""The keys that workers announce: an entry point with another one knows it before it writes."""

from typing import Any

from journeys.store.signing import KeyRing
from journeys.store.signing_keys import announce, hold

OLD, NEW = b"o" * 32, b"n" * 32
BOTH = KeyRing("new", {"new": NEW, "old": OLD})


async def test_before_any_worker_began_nothing_is_known(pool: Any) -> None:
    assert await hold(pool, BOTH)


async def test_a_key_that_the_workers_have_is_known_by_its_bytes_not_by_its_id(pool: Any) -> None:
    await announce(pool, BOTH)
    assert await hold(pool, KeyRing("old", {"old": OLD}))
    assert not await hold(pool, KeyRing("old", {"old": NEW}))
    assert not await hold(pool, KeyRing("other", {"other": OLD}))


async def test_a_key_that_was_taken_away_holds_no_more(pool: Any) -> None:
    await announce(pool, BOTH)
    await announce(pool, KeyRing("new", {"new": NEW}))
    assert not await hold(pool, KeyRing("old", {"old": OLD}))
    assert await hold(pool, BOTH)


async def test_what_is_kept_is_not_the_key(pool: Any) -> None:
    await announce(pool, BOTH)
    assert NEW not in [row["proof"] for row in await pool.fetch("SELECT proof FROM signing_keys")]
