"""What was late, and by how much, is read off the journal; what was taken in time is not in it."""

from datetime import UTC, datetime, timedelta
from typing import get_args

from journeys.app.cli.lateness import WORDS
from journeys.domain import agenda
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.agenda import DueKind
from journeys.store.lateness import DUES, What, lateness
from tests.activities.conftest import Life
from tests.domain.given import OTHER_REFERENT, day, paris, plan, released
from tests.domain.given import given as lived
from tests.domain.test_chases import missed


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


def test_no_kind_of_due_is_forgotten() -> None:
    assert set(DUES) == set(DueKind)
    assert {what for what, _ in DUES.values()} == set(get_args(What)) == set(WORDS)
    kinds = [kind for _, several in DUES.values() for kind in several]
    assert len(kinds) == len(set(kinds)) and all(hasattr(e, kind) for kind in kinds)


def test_each_due_is_taken_by_an_event_that_is_known_to_take_it() -> None:
    away = lived(
        ("2027-01-11 10:00", plan("2027-03-01")),
        ("2027-01-12 10:00", c.PauseMessages(until=day("2027-01-20"))),
        ("2027-01-13 10:00", c.Transfer(to=OTHER_REFERENT)),
    )
    taken = set[DueKind]()
    for life in (away, missed(), released()):
        while (due := agenda.first(life.state)) is not None and due.at < paris("2027-06-01 12:00"):
            life.when(due.at)
            assert life.new[0].kind in DUES[due.kind][1], due
            taken.add(due.kind)
    assert len(taken) > 9
