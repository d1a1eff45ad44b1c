"""Mail to staff that does not arrive, with a real mail server: it is seen, and its alerts go on."""

import email
import hashlib
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

import activities.reading
import journeys.issuing
from journeys.audit.messages import Fate, sendings
from journeys.channels.dsn import read
from journeys.channels.letter import Fate as Left
from journeys.channels.letter import Letter, Sent
from journeys.domain import commands as c
from journeys.domain.events import EscalationReady
from journeys.domain.invariants import check
from journeys.issuing import send_receipts
from journeys.store import deliveries, journal, staff, staff_letters
from journeys.store.deliveries import Receipt
from tests.activities.conftest import PROGRAMME, Life, Postman, make_life
from tests.activities.test_digests import ASKED, EVENING, HALF_PAST_NINE, round_at
from tests.activities.test_escalations import on_call
from tests.activities.test_mail import Inbox, mailer, serving
from tests.channels.test_dsn import report


class Refusing(Inbox):
    """A mail server that knows nobody of these names."""

    def __init__(self, *gone: str) -> None:
        super().__init__()
        self.gone, self.recipients = set(gone), list[str]()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.partition("@")[0] in self.gone:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        self.recipients.append(address)
        return "250 ok"

    @property
    def ids(self) -> list[str]:
        """Of the letters that it took."""
        heads = [str(email.message_from_bytes(each)["Message-ID"]) for each in self.taken]
        return [head.strip("<>").partition("@")[0] for head in heads]


@contextmanager
def mailed(life: Life, *gone: str) -> Iterator[Refusing]:
    """Letters of this life leave by SMTP."""
    inbox = Refusing(*gone)
    with serving(inbox) as port:
        life.use(mailer=mailer(port))
        yield inbox


@pytest_asyncio.fixture
async def server(life: Life) -> AsyncIterator[Refusing]:
    with mailed(life) as inbox:
        yield inbox


async def comes_back(life: Life, id: str, status: str = "5.1.1") -> int:
    """A report on a letter, as `journeys bounced` takes it; how many receipts still wait."""
    raw = report(status=status, id=id)
    said, content = read(raw), hashlib.sha256(raw + uuid.uuid4().bytes).digest()
    receipt = Receipt(f"dsn-{content.hex()}", said.message, None, "bounced", said.reason, life.now)
    await deliveries.keep(life.pool, receipt, content)
    return await send_receipts(life.pool, life.resources.ring, life.give, life.now)


async def claire(life: Life) -> staff.Member:
    found = await staff.member(life.pool, life.referent)
    assert found is not None
    return found


async def beside(life: Life) -> Life:
    """Another journey with the same people around it."""
    other = await make_life(life.pool)
    other.resources, other.referent, other.supervisor = life.resources, life.referent, life.supervisor
    other.person = life.person
    await other.plan()
    return other


async def on_shift(life: Life, number: str | None = "06 12 34 56 78", *, texts: bool = True) -> Postman:
    """The referent is on call, by this phone, when the step is missed."""
    phone = Postman(name="sms")
    if texts:
        life.use(texter=phone)
    await on_call(life, life.referent, datetime(2027, 5, 13, 6, 0, tzinfo=UTC), 36, number)
    return phone


async def kinds(life: Life) -> list[str]:
    rows = await life.pool.fetch("SELECT kind FROM events WHERE stream = $1 ORDER BY seq", f"staff-{life.referent}")
    return [row["kind"] for row in rows]


async def test_an_alert_whose_mail_comes_back_goes_on_to_whoever_is_next(life: Life, server: Refusing) -> None:
    assert (await life.settle(await life.missed()))["told"] == [life.referent]
    assert server.recipients == ["claire@example.org"]
    assert await comes_back(life, server.ids[0]) == 0
    known = await claire(life)
    assert (known.mail_failed, known.mail_failed_at) == ("mail-5-1-1", life.now)
    assert (await kinds(life))[-1] == "MailFailed"
    (alert,) = life.state.escalations.values()
    assert alert.told == () and alert.step == 0, "nobody is told of the step any more"
    (effect,) = life.effects("tell")
    result = await life.settle(effect)
    assert (result["told"], result["role"]) == ([life.supervisor], "supervisor")
    assert server.recipients == ["claire@example.org", "karim@example.org"]
    events = [each.event() for each in await journal.read_all(life.pool, life.stream)]
    assert [each.code for each in check(events, complete=False, book=life.book)] == []
    assert any(isinstance(each.data, EscalationReady) and each.data.returned for each in events)


async def test_the_next_alert_is_not_sent_there_until_the_address_is_another_one(
    life: Life, server: Refusing
) -> None:  # fmt: skip
    await life.settle(await life.missed())
    await comes_back(life, server.ids[0])
    other = await make_life(life.pool)
    other.resources, other.referent, other.supervisor = life.resources, life.referent, life.supervisor
    other.person = life.person
    await other.plan()
    assert (await other.settle(await other.missed()))["told"] == [life.supervisor]
    await staff.change(life.pool, life.referent, name="Claire Martin", email="claire@ailleurs.example", phone=None,
                       by=life.by)  # fmt: skip
    assert (await claire(life)).mail_failed is None
    third = await make_life(life.pool)
    third.resources, third.referent, third.supervisor = life.resources, life.referent, life.supervisor
    third.person = life.person
    await third.plan()
    assert (await third.settle(await third.missed()))["told"] == [life.referent]
    assert server.recipients[-1] == "claire@ailleurs.example"


async def test_a_report_on_a_letter_to_the_address_of_before_says_nothing_of_the_new_one(
    life: Life, server: Refusing
) -> None:  # fmt: skip
    await life.settle(await life.missed())
    await staff.change(life.pool, life.referent, name="Claire Martin", email="claire@ailleurs.example", phone=None,
                       by=life.by)  # fmt: skip
    await comes_back(life, server.ids[0])
    assert (await claire(life)).mail_failed is None
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.referent], "the alert was told to nobody all the same"
    assert server.recipients[-1] == "claire@ailleurs.example"
    await comes_back(life, server.ids[0])
    assert not life.effects("tell"), "a second report on the same letter"


async def test_the_alert_of_one_who_left_meanwhile_is_told_again(life: Life, server: Refusing) -> None:
    await life.settle(await life.missed())
    await staff.set_active(life.pool, life.referent, False, life.by)
    await comes_back(life, server.ids[0])
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.supervisor]


async def test_a_full_mailbox_is_passed_over_once_and_no_longer(life: Life, server: Refusing) -> None:
    await life.settle(await life.missed())
    await comes_back(life, server.ids[0], "5.2.2")
    assert (await claire(life)).mail_failed == "mail-5-2-2"
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.supervisor]
    other = await beside(life)
    assert (await other.settle(await other.missed()))["told"] == [life.referent]
    assert (await claire(life)).mail_failed is None


async def test_an_alert_of_which_every_letter_came_back_is_told_again(life: Life, server: Refusing) -> None:
    """Two full mailboxes: the second report finds that nobody else was told."""
    noor = await life.hire(str(uuid.uuid4()), "noor", "supervisor")
    await life.away(life.referent)
    assert set((await life.settle(await life.missed()))["told"]) == {life.supervisor, noor}
    life.use(duty_address="astreinte@example.org")
    await comes_back(life, server.ids[0], "5.2.2")
    assert not life.effects("tell")
    await comes_back(life, server.ids[1], "5.2.2")
    assert life.effects("tell")


# --- on call


async def test_a_text_that_comes_back_says_nothing_of_the_mailbox(life: Life, server: Refusing) -> None:
    phone = await on_shift(life)
    await life.settle(await life.missed())
    (text,) = phone.letters
    assert text.id == server.ids[0], "the gateway names it as the mail server does"
    said: tuple[deliveries.Said, ...] = ("bounced", "delivered")
    for one in said:
        reason = "dead-number" if one == "bounced" else None
        receipt = Receipt(f"{one}-{text.id}", text.id, None, one, reason, life.now)
        await deliveries.keep(life.pool, receipt, hashlib.sha256(one.encode()).digest())
        assert await send_receipts(life.pool, life.resources.ring, life.give, life.now) == 0
    assert (await claire(life)).mail_failed is None and not life.effects("tell")
    rows = await life.pool.fetch(
        "SELECT outcome FROM message_receipt_outcomes JOIN message_receipts USING (event) WHERE message = $1"
        " ORDER BY position", text.id,
    )  # fmt: skip
    assert [row["outcome"] for row in rows] == ["unknown-message", "taken"]


async def test_what_a_phone_took_is_not_told_again_and_next_goes_there_alone(life: Life, server: Refusing) -> None:
    phone = await on_shift(life)
    await life.settle(await life.missed())
    assert await comes_back(life, server.ids[0]) == 0
    assert (await claire(life)).mail_failed == "mail-5-1-1" and not life.effects("tell")
    other = await beside(life)
    assert (await other.settle(await other.missed()))["told"] == [life.referent]
    assert len(phone.letters) == 2 and server.recipients == ["claire@example.org"]
    alone = phone.letters[-1].id
    receipt = Receipt(f"delivered-{alone}", alone, None, "delivered", None, life.now)
    await deliveries.keep(life.pool, receipt, hashlib.sha256(b"delivered").digest())
    assert await send_receipts(life.pool, life.resources.ring, life.give, life.now) == 0
    found = "SELECT outcome FROM message_receipt_outcomes WHERE event = $1"
    assert await life.pool.fetchval(found, receipt.event) == "taken", "nothing strange to the doctor"


@pytest.mark.parametrize(("number", "texts"), [(None, True), ("01 42 34 56 78", True), ("06 12 34 56 78", False)])
async def test_who_is_on_call_without_a_phone_that_takes_texts_is_passed_over(
    life: Life, server: Refusing, number: str | None, texts: bool
) -> None:
    await on_shift(life, number, texts=texts)
    assert (await life.settle(await life.missed()))["told"] == [life.referent]
    await comes_back(life, server.ids[0])
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.supervisor]
    other = await beside(life)
    assert (await other.settle(await other.missed()))["told"] == [life.supervisor]


@pytest.mark.parametrize("status", ["5.1.1", "5.2.2"])
async def test_an_alert_goes_round_no_circle_where_the_phone_is_dead_too(
    life: Life, server: Refusing, status: str
) -> None:
    phone = await on_shift(life)
    phone.answers = [Sent(Left.REFUSED, "dead-number")] * 9
    assert (await life.settle(await life.missed()))["told"] == [life.referent]
    await comes_back(life, server.ids[0], status)
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.supervisor]
    assert len(phone.letters) == 1


@pytest.mark.parametrize("status", ["5.1.1", "5.2.2"])
async def test_what_comes_back_at_night_is_told_again_in_the_morning(
    life: Life, server: Refusing, status: str
) -> None:  # fmt: skip
    await life.settle(await life.missed())
    await life.until(datetime(2027, 5, 13, 21, 0, tzinfo=UTC))
    await comes_back(life, server.ids[0], status)
    assert not life.effects("tell")
    await life.until(datetime(2027, 5, 14, 6, 0, tzinfo=UTC))
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.supervisor]


async def test_an_alert_that_somebody_has_in_hand_is_not_told_again(life: Life, server: Refusing) -> None:
    await life.settle(await life.missed())
    (id,) = life.state.escalations
    await life.do(c.AcknowledgeEscalation(escalation=id))
    assert await comes_back(life, server.ids[0]) == 0
    assert not life.effects("tell") and (await claire(life)).mail_failed == "mail-5-1-1"


@pytest.mark.parametrize("gone", ["issuing", "reading"])
async def test_without_each_guard_nobody_hears_of_it(
    life: Life, server: Refusing, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:  # fmt: skip
    """A report that is not looked up among letters to staff is lost; one whose recipient is told again, too."""
    await life.settle(await life.missed())

    async def nobody(*_: Any) -> Any:
        return None

    if gone == "issuing":
        monkeypatch.setattr(journeys.issuing.staff_letters, "of", nobody)
        await comes_back(life, server.ids[0])
        assert not life.effects("tell") and (await claire(life)).mail_failed is None
        return
    await comes_back(life, server.ids[0])
    monkeypatch.setattr(activities.reading, "replace", lambda each, **_: each)
    (effect,) = life.effects("tell")
    assert (await life.settle(effect))["told"] == [life.referent]


async def test_who_is_refused_at_once_is_shown_until_a_letter_is_taken(life: Life) -> None:
    with mailed(life, "claire") as inbox:
        effect = await life.missed()
        result = await life.settle(effect)
        assert (result["told"], result["role"]) == ([life.supervisor], "supervisor")
        assert (await claire(life)).mail_failed == "mail-550"
        assert inbox.recipients == ["karim@example.org"]
    with mailed(life) as inbox:
        other = await make_life(life.pool)
        other.resources, other.referent, other.supervisor = life.resources, life.referent, life.supervisor
        other.person = life.person
        await other.plan()
        assert (await other.settle(await other.missed()))["told"] == [life.referent]
        assert (await claire(life)).mail_failed is None


async def approvers(life: Life, karim: Sent) -> tuple[str, str]:
    """An approval is wanted of Noor, whose mail is taken, and of Karim."""
    noor, other = [await life.hire(str(uuid.uuid4()), name, "finance") for name in ("noor", "idriss")]
    taken = life.postman.send

    async def send(letter: Letter) -> Sent:
        await taken(letter)
        return karim if letter.to == "idriss@example.org" else Sent(Left.SENT)

    life.postman.send = send  # type: ignore[method-assign]
    await life.do(c.RequestGrant(grant="loan", purpose="rent", amount=20_000), payee="FR76")
    return noor, other


async def test_who_of_several_could_not_have_a_message_is_asked_again_alone(life: Life) -> None:
    _, other = await approvers(life, Sent(Left.NOTHING_LEFT, "mail-450"))
    (effect,) = life.effects("deliver", to="finance")
    result = await life.settle(effect)
    assert (result["answer"], result["put_off"]) == ("sent", [other])
    (message,) = life.state.messages.values()
    assert message.data["person"] == other and message.until == datetime.fromisoformat(result["until"])
    life.postman.letters.clear()
    await life.until(message.until)
    (effect,) = life.effects("deliver", to="finance")
    assert (await life.settle(effect))["answer"] == "deferred"
    assert life.postman.recipients == ["idriss@example.org"], "nobody is told twice"


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (Sent(Left.NOTHING_LEFT, "mail-450", of_recipient=True), "mail-450"),
        (Sent(Left.NOTHING_LEFT, "mail-unreachable"), None), (Sent(Left.NOTHING_LEFT, "mail-login"), None),
        (Sent(Left.NOTHING_LEFT, "mail-421"), None), (Sent(Left.UNKNOWN, "mail-no-answer"), None),
    ],
)  # fmt: skip
async def test_who_of_several_never_gets_a_message_is_shown_as_mail_that_does_not_arrive_where_it_is_theirs(
    life: Life, left: Sent, shown: str | None
) -> None:
    _, other = await approvers(life, left)
    (effect,) = life.effects("deliver", to="finance")
    await life.settle(effect)
    (message,) = life.state.messages.values()
    last = message.valid_until - timedelta(minutes=1)
    await life.until(last)
    (effect,) = life.effects("deliver", to="finance")
    assert (await life.settle(effect))["answer"] == "failed" and not life.effects("deliver", to="finance")
    known = await staff.member(life.pool, other)
    assert known is not None and known.mail_failed == shown, "our own outage is nobody's mailbox"


async def test_a_reminder_to_staff_that_comes_back_is_said_among_the_messages(life: Life, server: Refusing) -> None:
    await life.reminded()
    (effect,) = life.effects("deliver", to="referent")
    await life.settle(effect)
    assert await comes_back(life, server.ids[0], "5.2.2") == 0
    events = [each.event() for each in await journal.read_all(life.pool, life.stream)]
    (found,) = [each for each in sendings(events, life.state, life.book) if each.fate is Fate.BOUNCED]
    assert (found.to, found.reason) == ("referent", "mail-5-2-2")


async def test_the_alerts_of_a_digest_that_comes_back_go_on_once_each_is_noted_as_told(lives_pool: Any) -> None:
    life = await make_life(lives_pool, {**deepcopy(PROGRAMME), "clock": {"digest": "09:30"}})
    await life.begin()
    await life.until(EVENING)
    with mailed(life) as inbox:
        assert await round_at(life, HALF_PAST_NINE) == 1
        life.now = HALF_PAST_NINE + timedelta(minutes=1)
        assert await comes_back(life, inbox.ids[0]) == 1, "the journey has not noted yet that it was told"
        await life.until(ASKED)
        (effect,) = life.effects("tell")
        assert (await life.settle(effect))["told"] == [life.referent]
        assert await send_receipts(life.pool, life.resources.ring, life.give, life.now) == 0
        (effect,) = life.effects("tell")
        assert (await life.settle(effect))["told"] == [life.supervisor]
        assert inbox.recipients == ["claire@example.org", "karim@example.org"]


async def test_old_letters_are_forgotten(life: Life, server: Refusing) -> None:
    await life.settle(await life.missed())
    assert await staff_letters.of(life.pool, server.ids[0]) is not None
    old = str(uuid.uuid4())
    await life.pool.execute(
        "INSERT INTO staff_letters (letter, staff, about, at) VALUES ($1, $2, '[]', now() - interval '31 days')",
        old, life.referent,
    )  # fmt: skip
    assert await staff_letters.of(life.pool, old) is not None
    await staff_letters.sweep(life.pool)
    assert await staff_letters.of(life.pool, server.ids[0]) is not None
    assert await staff_letters.of(life.pool, old) is None
