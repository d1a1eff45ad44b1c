"""One letter a day and recipient for what is not urgent: never twice, never lost, to whom it concerns that morning."""

import asyncio
import signal
import sys
import uuid
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

import activities.digests as digesting
from activities.digests import Digests, Sending, gather, send_one
from activities.escalations import Escalations
from journeys.channels.letter import Fate, Letter, Sent
from journeys.channels.outbox import FileOutbox
from journeys.contract import SendDigests
from journeys.domain import commands as c
from journeys.store import digests, staff
from tests.activities.conftest import PROGRAMME, Life, make_life

TOGETHER = {**deepcopy(PROGRAMME), "clock": {"digest": "09:30"}}
EVENING = datetime(2027, 5, 13, 16, 0, tzinfo=UTC)
"""Thursday, when the office closes: the step is missed."""
HALF_PAST_NINE = datetime(2027, 5, 14, 7, 30, tzinfo=UTC)
ASKED = HALF_PAST_NINE + timedelta(minutes=10)
"""Every journey has asked by then."""


@pytest_asyncio.fixture
async def life(journal_pool: Any) -> Life:
    made = await make_life(journal_pool, TOGETHER)
    await made.begin()
    await made.until(EVENING)
    assert not made.effects("tell"), "nobody is told in the evening"
    return made


async def another(life: Life, referent: str | None = None) -> Life:
    """Another journey that missed the same step, beside the first: one mailbox for all."""
    made = await make_life(life.pool, TOGETHER)
    made.postman, made.resources = life.postman, life.resources
    made.referent, made.supervisor = referent or life.referent, life.supervisor
    made.stream = made.state.stream = f"journey-{uuid.uuid4()}"
    await made.plan()
    await made.until(EVENING)
    return made


async def round_at(life: Life, at: datetime) -> int:
    found: int = await ActivityEnvironment().run(Digests(life.resources).send, SendDigests(at=at))
    return found


async def asks(life: Life, at: datetime = ASKED) -> dict[str, Any]:
    """The journey asks what came of its alert."""
    await life.until(at)
    (effect,) = life.effects("tell")
    return await life.settle(effect)


async def test_forty_alerts_are_one_letter_and_each_journey_knows_that_it_was_told(life: Life) -> None:
    others = [await another(life) for _ in range(39)]
    assert await round_at(life, HALF_PAST_NINE) == 1
    (letter,) = life.postman.letters
    assert letter.about == f"staff-{life.referent}", "sealed for its recipient alone where it is laid down"
    assert letter.subject == "40 alertes vous attendent" and letter.body.count("- Parcours") == 40
    assert "papiers" in letter.body and "prévenu ensuite : responsable" in letter.body
    for each in (life, *others):
        result = await asks(each)
        assert (result["answer"], result["told"], result["role"]) == ("told", [life.referent], "referent")
    assert len(life.postman.letters) == 1
    assert await round_at(life, ASKED) == 0


async def test_nobody_gets_a_letter_with_nothing_in_it_and_none_before_its_hour(life: Life) -> None:
    await life.hire(str(uuid.uuid4()), "noor", "referent")
    assert await round_at(life, HALF_PAST_NINE - timedelta(minutes=1)) == 0
    assert await round_at(life, HALF_PAST_NINE) == 1
    assert life.postman.recipients == ["claire@example.org"]


async def test_what_is_settled_before_is_not_told(life: Life) -> None:
    other = await another(life)
    await life.do(c.ReachMilestone(milestone="papers"))
    await other.do(c.ReachMilestone(milestone="papers"))
    assert await round_at(life, HALF_PAST_NINE) == 0 and not life.postman.letters


@pytest.mark.parametrize("how", ["acknowledged", "snoozed"])
async def test_what_somebody_has_in_hand_is_not_told_as_waiting(life: Life, how: str) -> None:
    other = await another(life)
    (alert,) = life.state.escalations
    late = date(2027, 5, 18)
    if how == "snoozed":
        await life.do(c.SnoozeEscalation(escalation=alert, until=late), reason="demain")
    else:
        await life.do(c.AcknowledgeEscalation(escalation=alert, until=late))
    assert await round_at(life, HALF_PAST_NINE) == 1
    (letter,) = life.postman.letters
    assert letter.body.count("- Parcours") == 1
    await life.until(ASKED)
    assert not life.effects("tell") and (await asks(other))["answer"] == "told"


async def test_what_is_taken_in_charge_after_its_hour_is_in_the_letter_as_the_journey_takes_it(life: Life) -> None:
    (alert,) = life.state.escalations
    await life.until(HALF_PAST_NINE + timedelta(minutes=1))
    await life.do(c.AcknowledgeEscalation(escalation=alert, until=date(2027, 5, 18)))
    assert await round_at(life, HALF_PAST_NINE + timedelta(minutes=2)) == 1
    assert (await asks(life))["answer"] == "told" and len(life.postman.letters) == 1


async def test_of_what_a_suspension_holds_the_letter_says_nothing_of_what_follows(life: Life) -> None:
    await life.do(c.Suspend(why="hospital"))
    assert await round_at(life, HALF_PAST_NINE) == 1
    (letter,) = life.postman.letters
    assert letter.body.count("- Parcours") == 1 and "prévenu ensuite" not in letter.body


async def test_who_is_away_that_morning_is_stood_in_for(life: Life) -> None:
    deputy = await life.hire(str(uuid.uuid4()), "noor", "referent")
    await life.away(life.referent, deputy)
    await round_at(life, HALF_PAST_NINE)
    assert life.postman.recipients == ["noor@example.org"]
    assert (await asks(life))["told"] == [deputy]


async def test_without_deputy_the_fallback_has_it_in_a_digest(life: Life) -> None:
    await life.away(life.referent)
    await round_at(life, HALF_PAST_NINE)
    result = await asks(life)
    assert (result["told"], result["role"]) == ([life.supervisor], "supervisor")


async def test_nobody_at_all_climbs_at_once(life: Life) -> None:
    for id in (life.referent, life.supervisor):
        await staff.set_active(life.pool, id, False, life.by)
    assert await round_at(life, HALF_PAST_NINE) == 0
    assert (await asks(life))["reason"] == "vacant"
    assert life.state.escalations[next(iter(life.state.escalations))].step == 1


async def test_where_no_round_ran_the_journeys_see_to_it_themselves(life: Life) -> None:
    other = await another(life)
    for each in (life, other):
        assert (await asks(each))["answer"] == "told"
    assert len(life.postman.letters) == 1, "one letter all the same"


async def test_an_alert_that_comes_after_the_digest_of_the_day_waits_for_the_next(life: Life) -> None:
    await round_at(life, HALF_PAST_NINE)
    late = await another(life)
    assert (await asks(late))["answer"] == "deferred"
    (alert,) = late.state.escalations.values()
    assert alert.digest == HALF_PAST_NINE + timedelta(days=4), "on Tuesday, after Whitsun"
    assert await round_at(life, HALF_PAST_NINE + timedelta(days=4)) == 1
    assert (await asks(late, ASKED + timedelta(days=4)))["answer"] == "told"
    assert len({letter.id for letter in life.postman.letters}) == 2


async def test_what_has_missed_two_digests_is_told_alone(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    await round_at(life, HALF_PAST_NINE)
    late = await another(life)
    assert (await asks(late))["answer"] == "deferred"

    async def never(*given: Any) -> bool:
        return False

    monkeypatch.setattr(digests, "begin", never)
    assert (await asks(late, ASKED + timedelta(days=4)))["answer"] == "told"
    assert life.postman.letters[-1].subject.startswith("À reprendre en main") and len(life.postman.letters) == 2


async def test_killed_between_the_letter_and_its_record_the_same_letter_leaves_again(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await another(life)
    really = digests.end

    async def dies(*given: Any) -> None:
        monkeypatch.setattr(digests, "end", really)
        raise OSError("killed")

    monkeypatch.setattr(digests, "end", dies)
    with pytest.raises(ApplicationError):
        await round_at(life, HALF_PAST_NINE)
    late = await another(life)
    assert await round_at(life, HALF_PAST_NINE) == 1
    first, second = life.postman.letters
    assert first == second, "by its id a mail server, the outbox and its reader know that it is the same"
    assert [(await asks(each))["answer"] for each in (life, other, late)] == ["told", "told", "deferred"]


DIES = """
import asyncio, os, signal, sys
from datetime import datetime
from pathlib import Path
from temporalio.testing import ActivityEnvironment
from activities import Resources
from activities.digests import Digests
from activities.tills import Tills
from journeys.channels.outbox import FileOutbox
from journeys.contract import SendDigests
from journeys.store import digests
from journeys.store.database import open_pool
from journeys.store.signing import KeyRing

async def die(*given):
    os.kill(os.getpid(), signal.SIGKILL)

async def seal(letter, text):
    return letter.body.encode()

async def main():
    digests.end = die
    pool = await open_pool(sys.argv[1])
    resources = Resources(pool=pool, ring=KeyRing("test", {"test": bytes(32)}), tills=Tills({}),
                          mailer=FileOutbox(Path(sys.argv[2]), seal, sender="a@example.org"))
    await ActivityEnvironment().run(Digests(resources).send, SendDigests(at=datetime.fromisoformat(sys.argv[3])))

asyncio.run(main())
"""


async def test_a_process_killed_after_the_letter_left_leaves_one_letter_and_every_alert_told(
    life: Life, tmp_path: Path, database_url: str
) -> None:
    others = [await another(life) for _ in range(2)]
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, database_url, str(tmp_path), HALF_PAST_NINE.isoformat()
    )
    assert await killed.wait() == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1, "it had left"
    assert await life.pool.fetchval("SELECT count(*) FROM digests WHERE tried AND ended_at IS NULL") == 1

    async def seal(letter: Letter, text: bytes) -> bytes:
        return letter.body.encode()

    for each in (life, *others):
        each.use(mailer=FileOutbox(tmp_path, seal, sender="a@example.org"))
    assert await round_at(life, HALF_PAST_NINE + timedelta(minutes=1)) == 1
    assert len(list(tmp_path.iterdir())) == 1
    assert [(await asks(each))["answer"] for each in (life, *others)] == ["told"] * 3


async def test_killed_while_gathering_nothing_is_lost_or_doubled(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    really = digests.begin

    async def dies(*given: Any) -> bool:
        await really(*given)
        monkeypatch.setattr(digests, "begin", really)
        raise OSError("killed")

    monkeypatch.setattr(digests, "begin", dies)
    with pytest.raises(ApplicationError):
        await round_at(life, HALF_PAST_NINE)
    assert await round_at(life, HALF_PAST_NINE) == 1 and len(life.postman.letters) == 1


async def test_a_mail_server_that_is_away_is_tried_again_and_what_came_meanwhile_goes_along(life: Life) -> None:
    life.postman.answers = [Sent(Fate.NOTHING_LEFT, "mail-unreachable")]
    with pytest.raises(ApplicationError) as caught:
        await round_at(life, HALF_PAST_NINE)
    assert caught.value.type == "MailUnavailable"
    other = await another(life)
    assert await round_at(life, HALF_PAST_NINE) == 1
    assert life.postman.letters[-1].body.count("- Parcours") == 2
    assert [(await asks(each))["answer"] for each in (life, other)] == ["told", "told"]


async def test_an_address_that_is_refused_for_good_falls_back(life: Life) -> None:
    life.postman.answers = [Sent(Fate.REFUSED, "mail-550")] * 2
    await round_at(life, HALF_PAST_NINE)
    result = await asks(life)
    assert (result["told"], result["role"]) == ([life.supervisor], "supervisor")


async def test_after_the_office_has_closed_nothing_leaves_before_it_opens(life: Life) -> None:
    night = datetime(2027, 5, 14, 20, 0, tzinfo=UTC)
    assert await round_at(life, night) == 0 and await round_at(life, night + timedelta(days=1)) == 0
    assert await round_at(life, HALF_PAST_NINE + timedelta(days=4)) == 1


@pytest.fixture
def gathered(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """How often a journey that asks gathers; nothing comes of it."""
    times: list[bool] = []

    async def gathers(*_: Any) -> bool:
        times.append(True)
        return True

    monkeypatch.setattr("activities.escalations.gather", gathers)
    return times


async def test_where_no_digest_may_leave_yet_none_is_gathered(life: Life, gathered: list[bool]) -> None:
    """Thousands of journeys that ask one after the other would each look through all that waits."""
    await life.until(ASKED)
    (effect,) = life.effects("tell")
    night = effect.model_copy(update={"at": datetime(2027, 5, 14, 20, 0, tzinfo=UTC)})
    assert (await life.run(night))["answer"] == "deferred" and not gathered
    assert (await asks(life))["answer"] == "deferred" and not gathered, "what was answered stays"


async def test_by_day_the_journey_that_asks_gathers(life: Life, gathered: list[bool]) -> None:
    assert (await asks(life))["answer"] == "deferred" and gathered == [True]


async def test_a_mail_server_back_in_the_evening_gets_the_digest_in_the_morning(life: Life) -> None:
    """What an activity has waited, its tries that failed included, counts: nothing leaves by the hour it began at."""
    life.postman.answers = [Sent(Fate.NOTHING_LEFT, "mail-unreachable")]
    with pytest.raises(ApplicationError):
        await round_at(life, HALF_PAST_NINE)
    environment = ActivityEnvironment()
    known = environment.info
    environment.info = replace(known, started_time=known.scheduled_time + timedelta(hours=13))
    assert await environment.run(Digests(life.resources).send, SendDigests(at=HALF_PAST_NINE)) == 0
    await life.until(ASKED)
    (effect,) = life.effects("tell")
    assert (await environment.run(Escalations(life.resources).tell, effect)).result["answer"] == "deferred"
    assert len(life.postman.letters) == 1, "none in the evening"


@pytest_asyncio.fixture
async def two(life: Life) -> Life:
    """Nobody leads it any more: two supervisors are told."""
    await life.hire(str(uuid.uuid4()), "noor", "supervisor")
    await staff.set_active(life.pool, life.referent, False, life.by)
    return life


async def test_who_has_a_digest_is_told_and_whose_may_have_left_gets_it_the_next_day(two: Life) -> None:
    two.postman.answers = [Sent(Fate.SENT), Sent(Fate.UNKNOWN, "mail-unknown")]
    with pytest.raises(ApplicationError):
        await round_at(two, HALF_PAST_NINE)
    had, not_sure = two.postman.letters
    assert had.to != not_sure.to
    await two.until(ASKED)
    (effect,) = two.effects("tell")
    night = effect.model_copy(update={"at": datetime(2027, 5, 14, 20, 0, tzinfo=UTC)})
    result = await two.run(night)
    assert result["answer"] == "told" and len(result["told"]) == 1
    await two.settle(effect)
    assert await round_at(two, night.at) == 0
    assert await round_at(two, HALF_PAST_NINE + timedelta(days=4)) == 1, "on Tuesday, after Whitsun"
    (again,) = two.postman.letters[2:]
    assert (again.id, again.to, again.body) == (not_sure.id, not_sure.to, not_sure.body), "as it was"
    assert await round_at(two, ASKED + timedelta(days=4)) == 0


async def test_a_digest_of_which_nobody_ever_knows_whether_it_left_is_not_sent_without_end(life: Life) -> None:
    life.postman.answers = [Sent(Fate.UNKNOWN, "mail-no-answer")] * 20
    assert await gather(life.resources, HALF_PAST_NINE)
    tried = [await send_one(life.resources, life.referent, HALF_PAST_NINE) for _ in range(4)]
    assert tried == [Sending.AGAIN] * 3 + [Sending.DONE]
    assert (await asks(life))["answer"] == "told" and len(life.postman.letters) == 4
    assert await round_at(life, ASKED) == 0


async def test_whose_digest_has_not_left_has_it_gathered_anew_though_another_was_told(two: Life) -> None:
    two.postman.answers = [Sent(Fate.SENT), Sent(Fate.NOTHING_LEFT, "mail-unreachable")]
    with pytest.raises(ApplicationError):
        await round_at(two, HALF_PAST_NINE)
    assert await round_at(two, HALF_PAST_NINE + timedelta(minutes=1)) == 1
    assert len({each.to for each in two.postman.letters}) == 2 and len(two.postman.letters) == 3
    assert len((await asks(two))["told"]) == 2


async def test_one_journey_or_recipient_that_goes_wrong_stops_no_other(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    noor = await life.hire(str(uuid.uuid4()), "noor", "referent")
    other = await another(life, noor)
    karim = await life.hire(str(uuid.uuid4()), "jo", "referent")
    third = await another(life, karim)
    really_read, really_written = digesting.read_handbook, digesting.staff_addressee

    async def not_read(pool: Any, state: Any) -> Any:
        if state.stream == life.stream:
            raise ValueError("a programme that cannot be read any more")
        return await really_read(pool, state)

    async def not_written(resources: Any, id: str) -> Any:
        if id == noor:
            raise ValueError("a letter that cannot be written")
        return await really_written(resources, id)

    monkeypatch.setattr(digesting, "read_handbook", not_read)
    monkeypatch.setattr(digesting, "staff_addressee", not_written)
    with pytest.raises(ApplicationError, match="log says where"):
        await round_at(life, HALF_PAST_NINE)
    assert life.postman.recipients == ["jo@example.org"] and (await asks(third))["answer"] == "told"
    monkeypatch.undo()
    assert await round_at(life, HALF_PAST_NINE) == 2
    assert [(await asks(each))["answer"] for each in (life, other)] == ["told", "told"]


async def test_a_digest_of_which_all_is_settled_leaves_the_day_to_another(life: Life) -> None:
    assert await gather(life.resources, HALF_PAST_NINE)
    await life.do(c.ReachMilestone(milestone="papers"))
    late = await another(life)
    await round_at(life, HALF_PAST_NINE)
    assert not life.postman.letters
    assert await round_at(life, HALF_PAST_NINE + timedelta(minutes=5)) == 1
    assert (await asks(late))["answer"] == "told" and len(life.postman.letters) == 1


async def test_a_letter_that_takes_long_to_leave_holds_nobody_else_up(life: Life) -> None:
    assert await gather(life.resources, HALF_PAST_NINE)
    noor = await life.hire(str(uuid.uuid4()), "noor", "referent")
    await another(life)
    other = await another(life, noor)
    leaving = await digests.open_one(life.pool, life.referent)
    assert leaving is not None
    async with digests.taken(life.pool, leaving) as held:
        assert held is not None
        async with asyncio.timeout(5):
            assert await gather(life.resources, HALF_PAST_NINE)
            assert await send_one(life.resources, life.referent, HALF_PAST_NINE) is Sending.AGAIN
            assert await send_one(life.resources, noor, HALF_PAST_NINE) is Sending.DONE
    assert (await asks(other))["answer"] == "told"


async def test_a_digest_that_has_left_is_neither_changed_nor_sent_again(life: Life) -> None:
    await round_at(life, HALF_PAST_NINE)
    for statement in ("UPDATE digests SET fate = NULL, ended_at = NULL", "DELETE FROM digests"):
        with pytest.raises(Exception, match="has left"):
            await life.pool.execute(f"{statement} WHERE recipient = $1", life.referent)


async def test_without_the_line_of_the_day_a_second_letter_leaves(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard taken away: whoever had the digest of the day has another."""
    await round_at(life, HALF_PAST_NINE)
    late = await another(life)
    really = digests.begin

    async def of_another_day(connection: Any, recipient: str, day: Any, *given: Any) -> bool:
        return await really(connection, recipient, day - timedelta(days=700), *given)

    monkeypatch.setattr(digests, "begin", of_another_day)
    assert (await asks(late))["answer"] == "told"
    assert len(life.postman.letters) == 2
