"""Escalations: always somebody to go to, resolved on the day itself; told at least once."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

import activities.escalations
import activities.reading
from journeys.app.allowing import must_reach
from journeys.app.failures import Failure
from journeys.channels.letter import Fate, Letter, Sent
from journeys.contract import Effect
from journeys.domain import commands as c
from journeys.domain.directory import Holder
from journeys.domain.neutral import tells_why
from journeys.domain.recipients import DESK, Circle, addressees, resolve
from journeys.domain.rota import Shift
from journeys.store import claims, mentors, rota, staff
from journeys.store.mentors import Mentor
from tests.activities.conftest import Life, Postman


async def test_the_referent_is_told_and_the_journal_says_who(life: Life) -> None:
    result = await life.settle(await life.missed())
    assert (result["answer"], result["told"], result["role"]) == ("told", [life.referent], "referent")
    (letter,) = life.postman.letters
    assert "papiers" in letter.body
    assert life.state.effects == {seq: known for seq, known in life.state.effects.items() if known.kind != "tell"}


async def test_an_absent_referent_is_stood_in_for_by_the_deputy(life: Life) -> None:
    deputy = await life.hire(str(uuid.uuid4()), "noor", "referent")
    effect = await life.missed()
    await life.away(life.referent, deputy)
    result = await life.run(effect)
    assert (result["told"], result["role"]) == ([deputy], "referent")
    assert life.postman.recipients == ["noor@example.org"]


async def test_without_a_deputy_the_steps_fallback_is_told(life: Life) -> None:
    effect = await life.missed()
    await life.away(life.referent)
    result = await life.run(effect)
    assert (result["told"], result["role"]) == ([life.supervisor], "supervisor")


async def test_a_deputy_who_is_away_stands_in_for_nobody(life: Life) -> None:
    deputy = await life.hire(str(uuid.uuid4()), "noor", "referent")
    effect = await life.missed()
    await life.away(life.referent, deputy)
    await life.away(deputy)
    assert (await life.run(effect))["role"] == "supervisor"


async def test_when_nobody_answers_the_ladder_climbs_at_once(life: Life) -> None:
    effect = await life.missed()
    await staff.set_active(life.pool, life.referent, False, life.by)
    await staff.set_active(life.pool, life.supervisor, False, life.by)
    result = await life.settle(effect)
    assert (result["answer"], result["reason"]) == ("untold", "vacant")
    (climbed,) = life.effects("tell")
    assert climbed.seq > effect.seq


async def test_without_resolution_on_the_day_the_absent_one_would_be_told(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard taken away: the letter goes to somebody who is not there."""
    effect = await life.missed()
    await life.away(life.referent)
    really = activities.reading.read_circle

    async def nobody_is_ever_away(*arguments: Any, **named: Any) -> Circle:
        circle = await really(*arguments, **named)
        present = [Holder(each.id, each.roles, each.sites) for each in circle.roster]
        return Circle(referent=circle.referent, site=circle.site, roster=tuple(present))

    monkeypatch.setattr(activities.escalations, "read_circle", nobody_is_ever_away)
    assert (await life.run(effect))["told"] == [life.referent]


async def test_the_desk_of_last_resort_is_never_vacant(life: Life) -> None:
    life.use(duty_address="astreinte@example.org")
    await life.settle(await life.missed())
    await life.until(datetime(2027, 5, 21, 9, 0, tzinfo=UTC))
    for effect in life.effects("tell"):
        await life.settle(effect)
    await life.until(datetime(2027, 6, 1, 9, 0, tzinfo=UTC))
    told = [await life.settle(effect) for effect in life.effects("tell")]
    assert (told[-1]["told"], told[-1]["role"]) == ([DESK], "duty")
    assert life.postman.recipients[-1] == "astreinte@example.org"


async def test_staff_of_the_role_come_before_the_address(life: Life) -> None:
    life.use(duty_address="astreinte@example.org")
    on_duty = await life.hire(str(uuid.uuid4()), "denise", "duty")
    circle = Circle(referent=life.referent, site=None, roster=tuple(await staff.roster(life.pool, life.now.date())))
    assert resolve("duty", (), circle).people == (on_duty,)


async def on_call(life: Life, who: str, begins: datetime, hours: int, phone: str | None = None) -> None:
    shift = Shift(str(uuid.uuid4()), "duty", None, who, begins, begins + timedelta(hours=hours))
    await rota.add(life.pool, [shift], phone, life.by)


async def last_effect(life: Life) -> Effect:
    """Climb to the last resort, on the morning of Friday, 21 May."""
    await life.settle(await life.missed())
    await life.until(datetime(2027, 5, 19, 7, 0, tzinfo=UTC))
    for effect in life.effects("tell"):
        await life.settle(effect)
    await life.until(datetime(2027, 5, 21, 9, 0, tzinfo=UTC))
    (last,) = life.effects("tell")
    return last


async def last_step(life: Life) -> dict[str, Any]:
    return await life.run(await last_effect(life))


def attempt(number: int, so_far: Sequence[Any] = ()) -> tuple[ActivityEnvironment, list[Any]]:
    """Temporal's environment of a try, which knows how far the one before came; and how far this one comes."""
    environment, heard = ActivityEnvironment(), list(so_far)
    environment.info = replace(environment.info, attempt=number, heartbeat_details=so_far)

    def hear(*details: Any) -> None:
        heard[:] = details

    environment.on_heartbeat = hear
    return environment, heard


@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_phone_that_takes_nothing_now_is_tried_again_alone(life: Life, comes_back: bool) -> None:
    life.use(texter=(phone := Postman(name="sms")))
    noor = await life.hire(str(uuid.uuid4()), "noor", "referent")
    await on_call(life, noor, datetime(2027, 5, 21, 6, 0, tzinfo=UTC), 12, "06 12 34 56 78")
    effect = await last_effect(life)
    life.postman.letters.clear()
    phone.answers = [Sent(Fate.NOTHING_LEFT, "sms-503")] * (3 if comes_back else 9)
    number, heard, result = 0, list[Any](), None
    while result is None:
        number += 1
        environment, heard = attempt(number, heard)
        with suppress(ApplicationError):
            result = await life.run(effect, environment)
    assert (result["answer"], result["told"], number) == ("told", [noor], 4 if comes_back else 8)
    assert len({text.id for text in phone.letters}) == 1 and len(phone.letters) == number
    assert life.postman.recipients == ["noor@example.org"], "the mail went once"


async def test_whoever_is_on_call_at_that_moment_is_told_by_phone_and_mail(life: Life) -> None:
    life.use(duty_address="astreinte@example.org", texter=(phone := Postman(name="sms")))
    noor = await life.hire(str(uuid.uuid4()), "noor", "referent")
    await on_call(life, noor, datetime(2027, 5, 21, 6, 0, tzinfo=UTC), 12, "06 12 34 56 78")
    await on_call(life, life.referent, datetime(2027, 5, 21, 18, 0, tzinfo=UTC), 12)
    result = await last_step(life)
    assert (result["told"], result["role"]) == ([noor], "duty")
    (text,) = phone.letters
    assert text.to == "+33612345678" and "Alerte, parcours" in text.body and "\n" not in text.body.strip()
    assert life.postman.recipients[-1] == "noor@example.org"


async def test_a_mentor_who_is_on_call_is_told_and_in_a_gap_the_last_resort(life: Life) -> None:
    life.use(duty_address="astreinte@example.org")
    pair = Mentor(id=str(uuid.uuid4()), name="Pair Aidant", email="pair@example.org", phone=None, language="fr",
                  site=None, capacity=2)  # fmt: skip
    await mentors.add(life.pool, pair, life.by)
    life.use(texter=(phone := Postman(name="sms")))
    await on_call(life, pair.id, datetime(2027, 5, 21, 6, 0, tzinfo=UTC), 12, "06 12 34 56 78")
    assert (await last_step(life))["told"] == [pair.id]
    assert life.postman.recipients[-1] == "pair@example.org"
    said, reference = life.postman.letters[-1].body, life.stream.removeprefix("journey-")[:13]
    for text in (said, phone.letters[-1].body):
        assert f"Parcours {reference}".lower() in text.lower() and "étape non atteinte" in text and "Claire" in text
        assert "accompagnez" not in text and tells_why(text) is None, "it is nobody of theirs"


async def test_the_phone_is_that_of_the_shift_in_which_they_are_told(life: Life) -> None:
    life.use(texter=(phone := Postman(name="sms")))
    noor = await life.hire(str(uuid.uuid4()), "noor", "referent")
    morning = datetime(2027, 5, 21, 6, 0, tzinfo=UTC)
    await on_call(life, noor, morning, 12, "06 12 34 56 78")
    for role, site in (("duty", "brive"), ("night", None)):
        other = Shift(str(uuid.uuid4()), role, site, noor, morning + timedelta(hours=1), morning + timedelta(hours=12))
        await rota.add(life.pool, [other], "06 99 99 99 99", life.by)
    assert (await last_step(life))["told"] == [noor]
    assert [text.to for text in phone.letters] == ["+33612345678"]


@pytest.mark.parametrize(
    ("hers", "of_the_shift", "dialled"),
    [
        ("06 22 22 22 22", "06 12 34 56 78", ["+33622222222"]),
        (None, "06 12 34 56 78", ["+33612345678"]),
        ("05 55 00 00 00", "06 12 34 56 78", ["+33612345678"]),
        (None, None, []),
    ],
)
async def test_who_stands_in_on_call_is_told_by_their_own_phone_else_by_that_of_the_shift(
    life: Life, hers: str | None, of_the_shift: str | None, dialled: list[str]
) -> None:
    """Never by the phone of who is away."""
    life.use(texter=(phone := Postman(name="sms")))
    sam = await life.hire(str(uuid.uuid4()), "sam", "referent", phone="06 99 99 99 99")
    dee = await life.hire(str(uuid.uuid4()), "dee", "referent", phone=hers)
    await on_call(life, sam, datetime(2027, 5, 21, 6, 0, tzinfo=UTC), 12, of_the_shift)
    effect = await last_effect(life)
    await life.away(sam, dee)
    assert (await life.run(effect))["told"] == [dee]
    assert [text.to for text in phone.letters] == dialled
    assert life.postman.recipients[-1] == "dee@example.org"


async def test_who_is_away_from_a_sites_rota_hides_nobody_of_every_sites(life: Life) -> None:
    life.use(texter=(phone := Postman(name="sms")))
    sam, noor = [await life.hire(str(uuid.uuid4()), name, "referent") for name in ("sam", "noor")]
    morning = datetime(2027, 5, 21, 6, 0, tzinfo=UTC)
    here = Shift(str(uuid.uuid4()), "duty", life.state.site, sam, morning, morning + timedelta(hours=12))
    await rota.add(life.pool, [here], None, life.by)
    await on_call(life, noor, morning, 12, "06 12 34 56 78")
    effect = await last_effect(life)
    await life.away(sam)
    assert (await life.run(effect))["told"] == [noor]
    assert [text.to for text in phone.letters] == ["+33612345678"]


async def test_where_nobody_is_on_call_the_last_resort_is_told(life: Life) -> None:
    life.use(duty_address="astreinte@example.org")
    await on_call(life, life.referent, datetime(2027, 5, 21, 18, 0, tzinfo=UTC), 12)
    assert (await last_step(life))["told"] == [DESK]


async def test_an_escalation_resolved_meanwhile_tells_nobody(life: Life) -> None:
    effect = await life.missed()
    await life.do(c.ReachMilestone(milestone="papers"))
    result = await life.run(effect)
    assert (result["answer"], result["reason"]) == ("untold", "resolved")
    assert life.postman.letters == []


async def test_reassigned_to_somebody_that_one_is_told(life: Life) -> None:
    await life.settle(await life.missed())
    other = await life.hire(str(uuid.uuid4()), "noor", "duty")
    (escalation,) = life.state.escalations
    await life.do(c.ReassignEscalation(escalation=escalation, to=other), actor=life.supervisor, role="supervisor")
    (effect,) = life.effects("tell")
    assert (await life.run(effect))["told"] == [other]


async def test_it_is_handed_on_only_to_somebody_who_would_be_told(life: Life) -> None:
    """The same rule says who is told and who may be given it: else it would be accepted, and told to others."""
    await life.missed()
    (escalation,) = life.state.escalations
    noor, away = [await life.hire(str(uuid.uuid4()), handle, "referent") for handle in ("noor", "zoe")]
    others = [await life.hire(str(uuid.uuid4()), role, role) for role in ("auditor", "finance", "administrator")]
    await life.do(c.Transfer(to=noor), reason="je change de site")
    duty = await life.hire(str(uuid.uuid4()), "denise", "duty")
    today = datetime.now(UTC).date()
    absence = staff.Absence(life.referent, today - timedelta(days=1), today + timedelta(days=1), away)
    await staff.set_absence(life.pool, absence, life.by)

    loaded = cast(Any, SimpleNamespace(state=life.state, book=life.book))
    for id in (life.referent, life.supervisor, duty, away):
        await must_reach(life.pool, loaded, c.ReassignEscalation(escalation=escalation, to=id))
    for id in (noor, *others, str(uuid.uuid4())):
        with pytest.raises(Failure, match="could do nothing"):
            await must_reach(life.pool, loaded, c.ReassignEscalation(escalation=escalation, to=id))


async def test_who_could_neither_open_nor_act_is_not_told_in_the_stead_of_who_is_away(life: Life) -> None:
    treasurer = await life.hire(str(uuid.uuid4()), "fanny", "finance")
    effect = await life.missed()
    await life.away(life.referent, treasurer)
    await staff.set_sites(life.pool, life.supervisor, ("lille",), life.by)
    result = await life.settle(effect)
    assert (result["answer"], result["reason"]) == ("untold", "vacant")
    assert life.effects("tell"), "the next step is told at once"
    assert life.postman.recipients == []


@pytest.mark.parametrize("role", ["referent", "supervisor"])
async def test_reassigned_to_somebody_absent_the_step_or_its_fallback_is_told(life: Life, role: str) -> None:
    other = await life.hire(str(uuid.uuid4()), "noor", "referent")
    await life.settle(await life.missed())
    (escalation,) = life.state.escalations
    await life.do(c.ReassignEscalation(escalation=escalation, to=other), actor=life.supervisor, role="supervisor")
    (effect,) = life.effects("tell")
    await life.away(other)
    if role == "supervisor":
        await life.away(life.referent)
    result = await life.run(effect)
    assert (result["told"], result["role"]) == ([getattr(life, role)], role)


async def test_a_worker_that_died_in_between_tells_again(life: Life) -> None:
    effect = await life.missed()
    await claims.claim(life.pool, effect.stream, effect.seq, "tell", effect.at)
    assert (await life.run(effect))["answer"] == "told"
    assert len(life.postman.letters) == 1


async def test_a_mail_server_that_is_down_is_tried_again_with_the_same_letter(life: Life) -> None:
    effect = await life.missed()
    life.postman.answers = [Sent(Fate.NOTHING_LEFT, "mail-unreachable"), Sent(Fate.UNKNOWN, "mail-no-answer")]
    for _ in range(2):
        with pytest.raises(ApplicationError) as caught:
            await life.run(effect)
        assert (caught.value.type, caught.value.non_retryable) == ("MailUnavailable", False)
    assert (await life.run(effect))["answer"] == "told"
    assert len({letter.id for letter in life.postman.letters}) == 1


@pytest.mark.parametrize("by_phone", [False, True])
async def test_what_may_have_left_each_time_is_told_after_a_few_copies(life: Life, by_phone: bool) -> None:
    """A mail server that was away and then says too late that it took the letter; a gateway that answers unclearly."""
    life.use(texter=(phone := Postman(name="sms")))
    noor = await life.hire(str(uuid.uuid4()), "noor", "referent")
    await on_call(life, noor, datetime(2027, 5, 21, 6, 0, tzinfo=UTC), 12, "06 12 34 56 78" if by_phone else None)
    effect = await last_effect(life)
    life.postman.letters.clear()
    phone.answers = [Sent(Fate.UNKNOWN, "sms-timeout")] * 20
    away, late = Sent(Fate.NOTHING_LEFT, "mail-unreachable"), Sent(Fate.UNKNOWN, "mail-no-answer")
    life.postman.answers = [Sent(Fate.REFUSED, "mail-550")] * 20 if by_phone else [away, away, *[late] * 20]
    number, heard, result = 0, list[Any](), None
    while result is None and number < 12:
        number += 1
        environment, heard = attempt(number, heard)
        with suppress(ApplicationError):
            result = await life.run(effect, environment)
    tries = 4 if by_phone else 6
    assert result is not None and (result["answer"], result["told"], number) == ("told", [noor], tries)
    copies = phone.letters if by_phone else life.postman.letters
    assert len(copies) == tries and len({copy.id for copy in copies}) == 1


async def test_an_address_that_is_refused_for_good_falls_back(life: Life) -> None:
    effect = await life.missed()
    life.postman.answers = [Sent(Fate.REFUSED, "mail-550")]
    result = await life.run(effect)
    assert (result["told"], result["role"]) == ([life.supervisor], "supervisor")


class Faulty(Postman):
    """A mailer that one address breaks."""

    async def send(self, letter: Letter) -> Sent:
        if letter.to == "noor@example.org":
            raise IndexError("string index out of range")
        return await super().send(letter)


async def test_a_letter_that_goes_wrong_keeps_no_other_back_and_the_house_hears_of_it(life: Life) -> None:
    life.use(mailer=(post := Faulty()))
    around = [await life.hire(str(uuid.uuid4()), handle, "referent") for handle in ("adele", "noor", "zoe")]
    for who in around:
        await on_call(life, who, datetime(2027, 5, 21, 6, 0, tzinfo=UTC), 12)
    result = await last_step(life)
    assert set(result["told"]) == {around[0], around[2]}
    assert sorted(post.recipients)[-1] == "zoe@example.org" and len(post.recipients) == len(set(post.recipients))
    noor = await staff.member(life.pool, around[1])
    assert noor is not None and noor.mail_failed == "unforeseen"


async def test_nobody_who_can_ever_be_reached_is_said(life: Life) -> None:
    effect = await life.missed()
    life.postman.answers = [Sent(Fate.REFUSED, "mail-550")] * 2
    assert (await life.run(effect))["reason"] == "undeliverable"


# --- the pure part

A, B, C, D = "a", "b", "c", "d"


def holder(
    id: str, role: str, *sites: str, absent: bool = False, deputy: str | None = None, funds: tuple[str, ...] = ()
) -> Holder:
    return Holder(id, frozenset({role}), frozenset(sites), absent, deputy, frozenset(funds))


def circle(*roster: Holder, site: str | None = "lyon", **more: Any) -> Circle:
    return Circle(referent=A, site=site, roster=roster, **more)


@pytest.mark.parametrize(
    ("role", "fallback", "around", "expected"),
    [
        ("referent", (), circle(holder(A, "referent")), ("referent", (A,))),
        ("referent", (), circle(holder(B, "referent")), ("referent", ())),
        ("referent", ("supervisor",), circle(holder(B, "supervisor")), ("supervisor", (B,))),
        ("supervisor", (), circle(holder(B, "supervisor", "lyon"), holder(C, "supervisor", "lille")),
         ("supervisor", (B,))),
        ("supervisor", (), circle(holder(C, "supervisor", "lille")), ("supervisor", ())),
        ("supervisor", ("duty",), circle(holder(C, "supervisor", "lille"), desk=True), ("duty", (DESK,))),
        ("supervisor", (), circle(holder(C, "supervisor", "lille"), site=None), ("supervisor", (C,))),
        ("supervisor", (), circle(holder(B, "supervisor"), holder(C, "supervisor", "lyon")), ("supervisor", (B, C))),
        ("supervisor", (), circle(holder(B, "supervisor", "lyon", absent=True), holder(C, "supervisor", "lille")),
         ("supervisor", ())),
        ("supervisor", (), circle(holder(B, "supervisor", "lyon", absent=True), holder(C, "supervisor")),
         ("supervisor", (C,))),
        ("supervisor", (), circle(holder(B, "supervisor", absent=True, deputy=C), holder(C, "finance")),
         ("supervisor", ())),
        ("supervisor", ("duty",), circle(holder(B, "supervisor", absent=True, deputy=C), holder(C, "referent"),
                                         holder(D, "duty")), ("duty", (D,))),
        ("supervisor", (), circle(holder(B, "supervisor", absent=True, deputy=C), holder(C, "duty")),
         ("supervisor", (C,))),
        ("supervisor", (), circle(holder(B, "supervisor", absent=True, deputy=A), holder(A, "referent")),
         ("supervisor", (A,))),
        ("referent", (), circle(holder(A, "referent", absent=True, deputy=C), holder(C, "referent", "lille")),
         ("referent", (C,))),
        ("referent", ("supervisor",), circle(holder(A, "referent", absent=True, deputy=C), holder(C, "finance"),
                                             holder(B, "supervisor")), ("supervisor", (B,))),
        ("mentor", (), circle(holder(A, "referent"), mentor=D), ("mentor", (D,))),
        ("mentor", ("referent",), circle(holder(A, "referent")), ("referent", (A,))),
        ("duty", (), circle(desk=True), ("duty", (DESK,))),
        ("duty", (), circle(holder(B, "duty"), desk=True), ("duty", (B,))),
        ("duty", (), circle(), ("duty", ())),
        ("chef", (), circle(holder(B, "supervisor"), lines={"chef": "supervisor"}), ("chef", (B,))),
        ("coach", (), circle(holder(A, "referent"), lines={"coach": "referent"}), ("coach", (A,))),
        ("finance", (), circle(holder(B, "finance", funds=("main",)), holder(C, "finance", funds=("other",)),
                               holder(D, "finance"), fund="main"), ("finance", (B, D))),
        ("treasurer", (), circle(holder(B, "treasurer", funds=("other",)), holder(C, "treasurer", "lille"), fund="main",
                                 lines={"treasurer": "finance"}), ("treasurer", (C,))),
        ("finance", ("duty",), circle(holder(B, "finance", funds=("other",)), desk=True, fund="main"),
         ("duty", (DESK,))),
        ("supervisor", (), circle(holder(B, "supervisor", funds=("other",)), fund="main"), ("supervisor", (B,))),
        ("finance", (), circle(holder(B, "finance", funds=("other",)), money=frozenset({"other"})), ("finance", (B,))),
        ("finance", (), circle(holder(B, "finance", funds=("other",)), money=frozenset({"main"})), ("finance", ())),
        ("finance", (), circle(holder(B, "finance")), ("finance", ())),
        (B, (), circle(holder(B, "finance"), money=frozenset({"main"})), (B, (B,))),
        (B, ("referent",), circle(holder(B, "supervisor", "lille"), holder(A, "referent")), ("referent", (A,))),
        (B, ("referent",), circle(holder(B, "finance", absent=True), holder(A, "referent")), ("referent", (A,))),
    ],
)  # fmt: skip
def test_who_answers_for_a_role(
    role: str, fallback: tuple[str, ...], around: Circle, expected: tuple[str, tuple[str, ...]]
) -> None:
    found = resolve(role, fallback, around)
    assert (found.role, found.people) == expected


def test_a_message_that_can_wait_reaches_the_absent_when_nobody_else_answers() -> None:
    assert addressees("supervisor", circle(holder(B, "supervisor", absent=True))).people == (B,)
    assert addressees("supervisor", circle(holder(B, "supervisor", absent=True), holder(C, "supervisor"))).people == (
        C,
    )


def test_a_message_may_have_a_fallback_before_the_absent() -> None:
    around = circle(holder(A, "referent", absent=True), holder(B, "supervisor"))
    assert addressees("referent", around, ("supervisor",)).people == (B,)
    assert addressees("referent", around).people == (A,)
    assert addressees("referent", circle(holder(A, "referent", absent=True)), ("supervisor",)).people == (A,)


def test_a_message_about_money_reaches_the_absent_of_its_fund_before_those_of_others() -> None:
    away, other = holder(B, "finance", absent=True, funds=("main",)), holder(C, "finance", funds=("other",))
    assert addressees("finance", circle(away, other, fund="main")).people == (B,)
    assert addressees("finance", circle(other, fund="main")).people == (C,)


def test_an_escalation_never_waits_for_the_absent() -> None:
    assert resolve("supervisor", (), circle(holder(B, "supervisor", absent=True))).vacant


async def test_what_is_raised_at_night_is_told_in_the_morning(life: Life) -> None:
    await life.until(datetime(2027, 5, 13, 21, 0, tzinfo=UTC))
    assert life.effects("tell") == []
    await life.until(datetime(2027, 5, 14, 6, 0, tzinfo=UTC))
    (effect,) = life.effects("tell")
    result = await life.settle(effect)
    assert (result["answer"], result["told"], result["role"]) == ("told", [life.referent], "referent")
    assert life.effects("tell") == []
