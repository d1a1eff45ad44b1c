"""Messages: judged once more before they leave; to the participant at most once, whatever dies."""

import re
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

import activities.effects
import activities.posting
import activities.reminders
from activities.reminders import Reminders
from journeys.channels.letter import Fate, Sent
from journeys.channels.wording import shipped as templates_of
from journeys.channels.wording import template_text
from journeys.contract import Effect
from journeys.domain import commands as c
from journeys.domain.decide import Outcome
from journeys.domain.events import MessageSent
from journeys.domain.recipients import MAY_LEAVE
from journeys.issuing import issue
from journeys.store import claims, people, staff, templates
from journeys.store.claims import Claim
from journeys.store.signing import sign
from tests.activities.conftest import PROGRAMME, Life, make_life


async def test_a_reminder_reaches_the_participant_and_says_when(life: Life) -> None:
    result = await life.run(await life.reminded())
    assert (result["answer"], result["reason"]) == ("sent", "mail")
    (letter,) = life.postman.letters
    assert letter.to == "eloise@example.org"
    assert "13 mai 2027" in letter.body
    assert "Éloïse" in letter.body
    assert "Claire Martin" in letter.body
    assert not re.search("prison|probation|justice", letter.subject + letter.body, re.IGNORECASE)


async def test_a_letter_leaves_in_the_language_that_the_person_wished_for(life: Life) -> None:
    ring = life.resources.ring
    wish = issue(
        ring, stream=people.stream_of(life.person), body=c.RecordWishes(language="en"), actor=life.referent,
        roles=("referent",), now=life.now,
    )  # fmt: skip
    assert (await people.obey(life.pool, ring, wish, life.now)).outcome == "accepted"
    assert (await life.run(await life.reminded()))["answer"] == "sent"
    (letter,) = life.postman.letters
    assert letter.lang == "en" and letter.subject == "Reminder for 13 May 2027" and "Hello Éloïse" in letter.body


async def test_edited_words_are_what_leaves_and_the_record_says_which(lives_pool: Any) -> None:
    mine = f"own-{uuid.uuid4().hex[:8]}"
    reminders = [{"to": "participant", "when": "1 day before", "template": mine}]
    milestones: Any = PROGRAMME["milestones"]
    papers = {**milestones["papers"], "remind": reminders}
    life = await make_life(lives_pool, {**PROGRAMME, "milestones": {**milestones, "papers": papers}})
    await life.begin()
    first = template_text(templates_of("deadline-near")).replace('"deadline-near"', f'"{mine}"')
    assert await templates.edit(life.pool, mine, first, None, life.by)
    effect = await life.reminded()
    other = first.replace("arrive à sa date", "arrive bientôt")
    assert await templates.edit(life.pool, mine, other, None, life.by)
    assert not await templates.edit(life.pool, mine, other, None, life.by), "the same words again"
    result = await life.settle(effect)
    (letter,) = life.postman.letters
    assert "arrive bientôt" in letter.body
    assert await templates.text_of(life.pool, result["wording"]) == other
    sent = next(data for data in await life.facts() if isinstance(data, MessageSent))
    assert sent.wording == result["wording"]
    last, before = await templates.versions(life.pool, mine)
    assert (last.wording, last.by, before.before) == (result["wording"], life.supervisor, None)
    assert last.before == before.wording and await templates.text_of(life.pool, before.wording) == first
    with pytest.raises(templates.EditedSince):
        await templates.edit(life.pool, mine, first, None, life.by, seen=before.wording)


async def test_the_words_that_are_shipped_are_kept_too_once_they_left(life: Life) -> None:
    result = await life.run(await life.reminded())
    assert await templates.text_of(life.pool, result["wording"]) == template_text(templates_of("deadline-near"))


async def test_what_waited_for_a_worker_is_judged_when_it_is_carried_out(life: Life) -> None:
    """Called for at nine in the morning, and no worker before nine in the evening."""
    effect, environment = await life.reminded(), ActivityEnvironment()
    known = environment.info
    environment.info = replace(known, started_time=known.scheduled_time + timedelta(hours=12))
    found = await environment.run(Reminders(life.resources).deliver, effect)
    assert (found.result["answer"], found.result["reason"]) == ("deferred", "quiet-hours")
    assert found.result["until"] == "2027-05-13T06:00:00.000000Z"
    assert life.postman.letters == []


async def test_the_same_effect_twice_sends_once(life: Life) -> None:
    effect = await life.reminded()
    assert await life.run(effect) == await life.run(effect)
    assert len(life.postman.letters) == 1


async def test_a_worker_that_died_in_between_leaves_unknown_and_sends_nothing(life: Life) -> None:
    effect = await life.reminded()
    await claims.claim(life.pool, effect.stream, effect.seq, "deliver", effect.at)
    assert (await life.run(effect))["answer"] == "unknown"
    assert life.postman.letters == []


async def test_without_the_claim_a_died_worker_sends_twice(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard taken away: the test above would see the second letter."""

    async def never_seen(*_: Any) -> Claim:
        return Claim(fresh=True, attempts=(life.now,), outcome=None)

    effect = await life.reminded()
    await claims.claim(life.pool, effect.stream, effect.seq, "deliver", effect.at)
    monkeypatch.setattr(claims, "claim", never_seen)
    assert (await life.run(effect))["answer"] == "sent"
    assert len(life.postman.letters) == 1


async def test_a_staff_notice_is_told_again_after_a_died_worker(life: Life) -> None:
    await life.reminded()
    (effect,) = life.effects("deliver", to="referent")
    await claims.claim(life.pool, effect.stream, effect.seq, "deliver", effect.at)
    assert (await life.run(effect))["answer"] == "sent"
    assert life.postman.recipients == ["claire@example.org"]


async def _opted_out_by_person(life: Life) -> None:
    """The person's own row knows it before the journey does."""
    command = sign(
        c_command(life, c.OptOut()).model_copy(update={"stream": f"person-{life.person}"}), life.resources.ring
    )
    answer = await people.obey(life.pool, life.resources.ring, command, life.now)
    assert answer.outcome == "accepted"


def c_command(life: Life, body: Any) -> c.Command:
    return c.Command(
        id=str(uuid.uuid4()), stream=life.stream, body=body, actor=life.referent, roles=("referent",),
        occurred_at=life.now, signed_at=life.now,
    )  # fmt: skip


async def _opted_out(life: Life) -> None:
    await life.do(c.OptOut())


async def _paused(life: Life) -> None:
    await life.do(c.PauseMessages(until=life.now.date() + timedelta(days=2)))


async def _died(life: Life) -> None:
    await life.do(c.RecordDeath())


async def _closed(life: Life) -> None:
    await life.do(c.Close(outcome="moved"))


async def _suspended(life: Life) -> None:
    await life.do(c.Suspend(why="hospital"))


CHANGES = [
    (_opted_out, "opted-out"), (_opted_out_by_person, "opted-out"), (_paused, "paused"), (_died, "died"),
    (_closed, "closed"), (_suspended, "suspended"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), CHANGES)
async def test_what_changed_between_due_and_sending_holds_it_back(life: Life, change: Any, reason: str) -> None:
    effect = await life.reminded()
    await change(life)
    result = await life.run(effect)
    assert (result["answer"], result["reason"]) == ("suppressed", reason)
    assert life.postman.letters == []


@pytest.mark.parametrize(("change", "reason"), CHANGES)
async def test_without_the_second_look_it_would_leave(
    life: Life, monkeypatch: pytest.MonkeyPatch, change: Any, reason: str
) -> None:
    """The guard taken away."""
    effect = await life.reminded()
    await change(life)
    monkeypatch.setattr(activities.reminders, "may_still_send", lambda *_: MAY_LEAVE)
    assert (await life.run(effect))["answer"] == "sent"


async def test_an_opt_out_while_the_letter_is_written_still_counts(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    effect = await life.reminded()
    really_write = activities.posting.write_letters

    async def write_and_opt_out(*arguments: Any) -> Any:
        written = await really_write(*arguments)
        await life.do(c.OptOut())
        return written

    monkeypatch.setattr(activities.reminders, "write_letters", write_and_opt_out)
    assert (await life.run(effect))["reason"] == "opted-out"
    assert life.postman.letters == []


@pytest.mark.parametrize(
    ("place", "step"),
    [(claims, "recorded"), (activities.effects, "read_journey"), (activities.reminders, "write_letters")],
)
async def test_the_time_that_looking_up_folding_and_writing_take_counts(
    life: Life, monkeypatch: pytest.MonkeyPatch, place: Any, step: str
) -> None:
    effect = await life.reminded()
    really = getattr(place, step)

    async def for_days(*arguments: Any) -> Any:
        done = await really(*arguments)
        later = time.monotonic() + timedelta(days=3).total_seconds()
        monkeypatch.setattr(activities.reminders, "monotonic", lambda: later)
        return done

    monkeypatch.setattr(place, step, for_days)
    result = await life.run(effect)
    assert (result["answer"], result["reason"]) == ("suppressed", "too-late")
    assert life.postman.letters == []


async def test_quiet_hours_of_the_persons_own_zone_defer(life: Life) -> None:
    details = people.Details(
        first_name="Éloïse", last_name="D’Œuvre", email="eloise@example.org", zone="America/Cayenne"
    )
    await people.change(life.pool, life.person, details, life.by)
    effect = await life.reminded()
    result = await life.run(effect)
    assert result["answer"] == "deferred"
    # eight in the morning in Cayenne, which was four at the moment of sending
    assert result["until"] == "2027-05-12T11:00:00.000000Z"
    assert life.postman.letters == []


async def test_a_zone_that_is_none_counts_as_the_programmes(life: Life) -> None:
    details = people.Details(first_name="É", last_name="D", email="eloise@example.org", zone="Nowhere/Near")
    await people.change(life.pool, life.person, details, life.by)
    assert (await life.run(await life.reminded()))["answer"] == "sent"


async def test_a_deferred_message_leaves_later_by_an_effect_of_its_own(life: Life) -> None:
    effect = await life.reminded()
    life.postman.answers = [Sent(Fate.NOTHING_LEFT, "mail-unreachable"), Sent(Fate.NOTHING_LEFT, "mail-451")]
    first = await life.settle(effect)
    assert (first["answer"], first["until"]) == ("deferred", "2027-05-12T07:15:00.000000Z")
    await life.until(datetime(2027, 5, 12, 7, 15, tzinfo=UTC))
    (again,) = life.effects("deliver", to="participant")
    second = await life.settle(again)
    assert (second["answer"], second["until"]) == ("deferred", "2027-05-12T07:45:00.000000Z")
    await life.until(datetime(2027, 5, 12, 7, 45, tzinfo=UTC))
    (third,) = life.effects("deliver", to="participant")
    assert (await life.settle(third))["answer"] == "sent"


@pytest.mark.parametrize(
    ("sent", "answer"), [(Sent(Fate.REFUSED, "mail-550"), "sent"), (Sent(Fate.UNKNOWN, "mail-no-answer"), "unknown")]
)
async def test_a_refusal_goes_on_paper_and_doubt_stays_doubt(life: Life, sent: Sent, answer: str) -> None:
    effect = await life.reminded()
    life.postman.answers = [sent]
    assert (await life.run(effect))["answer"] == answer
    assert (await life.run(effect))["answer"] == answer
    assert len(life.postman.letters) == 1


async def test_a_person_who_was_forgotten_is_a_failure_that_says_so(life: Life) -> None:
    await people.change(life.pool, life.person, people.Details(first_name="", last_name=""), life.by)
    result = await life.run(await life.reminded())
    assert (result["answer"], result["reason"]) == ("failed", "no-address")


async def test_a_template_without_words_for_the_recipient_is_a_failure(life: Life, tmp_path: Any) -> None:
    life.use(templates=tmp_path)
    result = await life.run(await life.reminded())
    assert (result["answer"], result["reason"]) == ("failed", "no-template")


async def test_a_notice_to_an_absent_referent_goes_to_the_deputy(life: Life) -> None:
    deputy = await life.hire(str(uuid.uuid4()), "noor", "referent")
    await life.away(life.referent, deputy)
    await life.reminded()
    (effect,) = life.effects("deliver", to="referent")
    assert (await life.run(effect))["answer"] == "sent"
    assert life.postman.recipients == ["noor@example.org"]


async def test_a_notice_waits_in_the_mail_of_one_who_is_away_without_deputy(life: Life) -> None:
    await life.away(life.referent)
    await life.reminded()
    (effect,) = life.effects("deliver", to="referent")
    assert (await life.run(effect))["answer"] == "sent"
    assert life.postman.recipients == ["claire@example.org"]


@pytest.mark.parametrize("why", ["away", "unread"])
async def test_that_a_summons_was_not_reminded_waits_in_no_mail_that_nobody_reads(life: Life, why: str) -> None:
    if why == "away":
        await life.away(life.referent)
    else:
        await staff.mail_failed(life.pool, life.referent, "mail-5-1-1", life.by, returned=True)
    await life.do(c.BookAppointment(at=life.now + timedelta(days=4), summons=True))
    await life.do(c.OptOut())
    await life.until(life.now + timedelta(days=2))
    (effect,) = [
        each for each in life.effects("deliver", to="referent")
        if life.state.messages[each.details["id"]].data["template"] == "summons-unreminded"
    ]  # fmt: skip
    assert (await life.run(effect))["answer"] == "sent"
    assert life.postman.recipients == ["karim@example.org"]


async def test_a_notice_to_nobody_fails(life: Life) -> None:
    await staff.set_active(life.pool, life.referent, False, life.by)
    await life.reminded()
    (effect,) = life.effects("deliver", to="referent")
    result = await life.run(effect)
    assert (result["answer"], result["reason"]) == ("failed", "vacant")


async def test_only_finance_of_its_fund_is_asked_to_decide_on_a_grant(life: Life) -> None:
    """And of every fund where nobody decides on this one's money."""
    for handle, funds in (("main", ("main",)), ("both", ("main", "other")), ("every", ())):
        await life.hire(str(uuid.uuid4()), handle, "finance", funds=funds)
    await life.do(c.RequestGrant(grant="loan", purpose="rent", amount=20_000), payee="Bailleur, FR76 3000")
    (effect,) = life.effects("deliver", to="finance")
    assert (await life.run(effect))["answer"] == "sent"
    assert set(life.postman.recipients) == {"both@example.org", "every@example.org"}
    for member in await staff.members(life.pool):
        if member.email in ("both@example.org", "every@example.org"):
            await staff.set_funds(life.pool, member.id, ("main",), life.by)
    await life.do(c.RequestGrant(grant="loan", purpose="rent", amount=10_000), payee="Bailleur, FR76 3000")
    _, effect = life.effects("deliver", to="finance")
    await life.run(effect)
    assert set(life.postman.recipients[2:]) == {"main@example.org", "both@example.org", "every@example.org"}


async def test_staff_letters_name_the_journey_never_the_person(life: Life) -> None:
    await life.reminded()
    (effect,) = life.effects("deliver", to="referent")
    await life.run(effect)
    (letter,) = life.postman.letters
    assert life.stream[8:21] in letter.body
    assert "papiers" in letter.subject
    assert "loïse" not in letter.subject + letter.body


async def test_an_effect_that_no_event_calls_for_touches_nothing(life: Life) -> None:
    await life.reminded()
    forged = Effect(stream=life.stream, seq=1, at=life.now, details={"kind": "deliver", "id": "x"})
    with pytest.raises(ApplicationError) as caught:
        await life.run(forged)
    assert (caught.value.type, caught.value.non_retryable) == ("NotCalledFor", True)
    beyond = forged.model_copy(update={"seq": life.state.seq + 5})
    with pytest.raises(ApplicationError):
        await life.run(beyond)
    assert life.postman.letters == []
    assert await life.pool.fetchval("SELECT count(*) FROM claims WHERE journey = $1", life.stream) == 0


async def test_an_attempt_after_the_journey_gave_it_up_sends_nothing(life: Life) -> None:
    """Temporal gave up waiting; a worker that was only slow comes later."""
    effect = await life.reminded()
    await life.take(Outcome(effect.seq, "unknown", "no-answer"))
    with pytest.raises(ApplicationError) as caught:
        await life.run(effect)
    assert caught.value.type == "NotCalledFor"
    assert life.postman.letters == []


async def test_a_database_lost_while_the_letter_left_does_not_make_it_unknown(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, failures = claims.settle, [ConnectionResetError(), TimeoutError()]

    async def settle(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await really(*arguments)

    monkeypatch.setattr(claims, "settle", settle)
    assert (await life.run(await life.reminded()))["answer"] == "sent"
    assert len(life.postman.letters) == 1


async def test_a_lost_database_is_tried_again_and_says_nothing_personal(life: Life) -> None:
    effect = await life.reminded()
    await life.pool.close()
    with pytest.raises(ApplicationError) as caught:
        await life.run(effect)
    assert (caught.value.type, caught.value.non_retryable) == ("Unavailable", False)
    assert caught.value.__cause__ is None


async def test_another_time_and_the_end_are_told_with_their_entry_for_the_calendar(life: Life) -> None:
    booked = (await life.do(c.BookAppointment(at=life.now + timedelta(hours=30)))).command
    await life.do(c.MoveAppointment(appointment=booked, at=life.now + timedelta(hours=31)), place="12 rue des Lilas")
    (effect,) = life.effects("deliver", to="participant")
    assert (await life.settle(effect))["answer"] == "sent"
    await life.do(c.CloseAppointment(appointment=booked, outcome="cancelled"))
    (effect,) = life.effects("deliver", to="participant")
    assert (await life.settle(effect))["answer"] == "sent"
    changed, off = life.postman.letters
    assert "a changé" in changed.body and "12 rue des Lilas" in changed.body and "n’aura pas lieu" in off.body
    for letter, sequence, method in ((changed, 1, "PUBLISH"), (off, 2, "CANCEL")):
        entry = (letter.invitation or b"").decode().splitlines()
        assert {f"UID:{booked}@release-journeys", f"SEQUENCE:{sequence}", f"METHOD:{method}"} <= set(entry)
