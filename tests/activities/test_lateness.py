"""What was late, and by how much, is read off the journal; what was taken in time is not in it."""

from datetime import UTC, datetime, timedelta

from journeys.store.lateness import lateness
from tests.activities.conftest import Life


async def test_dues_taken_in_time_are_not_late(life: Life) -> None:
    since = await life.pool.fetchval("SELECT now()")
    await life.reminded()
    await life.missed()
    assert (await lateness(life.pool, since)).found == ()


async def test_what_waited_for_the_end_of_an_outage_is_told_with_its_delay(life: Life) -> None:
    """Down from Monday to the Saturday of the week after: reminders of the 12th, a deadline of the 13th at 18:00."""
    since = await life.pool.fetchval("SELECT now()")
    await life.until(datetime(2027, 5, 22, 8, 0, tzinfo=UTC))
    found = await lateness(life.pool, since)
    by_what = {each.what: each for each in found.found}
    assert by_what["reminder"].count == 2
    assert by_what["deadline"].longest == timedelta(days=8, hours=16)
    assert by_what["deadline"].stream == life.stream
    assert (found.journeys, found.begins) == (1, datetime(2027, 5, 12, 7, 0, tzinfo=UTC))
    assert found.longest == timedelta(days=10, hours=1)
    assert found.dropped == 2, "both reminders are of no use any more"
    assert (await lateness(life.pool, since, timedelta(days=9))).count == 2
