"""Receipts and answers of a gateway: kept when they are signed, once, then told; what is of nobody is shown."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import pytest_asyncio

import worker
from activities import all_activities
from activities.letters import person_addressees
from journeys.app import noticing
from journeys.app.receiving import wish_of
from journeys.app.web.house import open_house
from journeys.app.web.pages.notices import Teller
from journeys.channels.letter import Fate, Letter
from journeys.channels.sms import Gateway, Own
from journeys.domain import commands as c
from journeys.issuing import Unfinished, send_receipts, send_wishes
from journeys.settings import load_settings
from journeys.store import attempts, deliveries, people
from journeys.store.directory import By
from tests.activities.test_worker import settle_in
from tests.conftest import RealStack
from tests.gateway.ledger import answers, phones
from tests.gateway.process import SECRET, TOKEN, gateway_process
from tests.web.conftest import Ground
from tests.web.test_notices import NEW, OLD, STRANGE, secret, signed
from tests.web.test_provider_whole import served
from tests.workflow.conftest import RING, Engine, make_engine

UNTOLD: Any = {
    "channel": None, "opted_out": False, "paused_until": None, "died": False, "died_on": None,
    "erasure_requested": False,
}  # fmt: skip
ID = "0190b5a0-0000-7000-8000-00000000000a"
GOOD = {"kind": "receipt", "message": ID, "said": "delivered", "at": "2027-03-01T10:00:00Z"}
STOP = {"kind": "reply", "from": "+33612345678", "text": "Stop !", "at": "2027-03-01T10:00:00Z"}


@pytest_asyncio.fixture
async def gateway(ground: Ground, tmp_path: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A program elsewhere: no cookie, no origin."""
    ground.house.settings = load_settings(
        data_dir=tmp_path, signing_key="ab" * 32,
        sms={"notice_secret": secret(NEW), "notice_old_secret": secret(OLD)},
    )  # fmt: skip
    transport = httpx.ASGITransport(ground.application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here.test") as client:
        yield client


async def post(gateway: httpx.AsyncClient, request: dict[str, Any]) -> int:
    return (await gateway.post("/retours/messages", **request)).status_code


async def kept(ground: Ground) -> int:
    count: int = await ground.house.writing.fetchval(
        "SELECT (SELECT count(*) FROM message_receipts) + (SELECT count(*) FROM message_replies)"
    )
    return count


CASES: dict[str, tuple[Callable[[str], dict[str, Any]], int]] = {
    "good": (lambda event: signed(GOOD, event=event), 202),
    "old secret": (lambda event: signed(GOOD, OLD, event=event), 202),
    "bounced, with more": (
        lambda event: signed({**GOOD, "said": "bounced", "reason": "dead-number", "more": 1}, event=event),
        202,
    ),
    "by reference": (lambda event: signed({**GOOD, "message": None, "reference": "gw-1"}, event=event), 202),
    "a reply": (lambda event: signed(STOP, event=event), 202),
    "strange secret": (lambda event: signed(GOOD, STRANGE, event=event), 401),
    "late": (lambda event: signed(GOOD, late=400, event=event), 401),
    "unsigned": (lambda event: {"content": json.dumps(GOOD).encode()}, 401),
    "another body": (
        lambda event: {**signed(GOOD, event=event), "content": json.dumps({**GOOD, "said": "bounced"}).encode()},
        401,
    ),
    "no JSON": (lambda event: signed(b"{", event=event), 422),
    "unknown word": (lambda event: signed({**GOOD, "said": "read"}, event=event), 422),
    "no id": (lambda event: signed({**GOOD, "message": "x"}, event=event), 422),
    "of nothing": (lambda event: signed({**GOOD, "message": None}, event=event), 422),
    "words for a reason": (lambda event: signed({**GOOD, "reason": "M. Untel a déménagé"}, event=event), 422),
    "unknown kind": (lambda event: signed({**GOOD, "kind": "order"}, event=event), 422),
    "no number": (lambda event: signed({**STOP, "from": "9" * 50}, event=event), 422),
    "too large": (lambda event: signed({**GOOD, "more": "x" * 16_000}, event=event), 413),
}
"""What comes in under an event, and what it is answered."""


async def test_what_is_not_signed_now_or_is_no_receipt_leaves_nothing(
    ground: Ground, gateway: httpx.AsyncClient
) -> None:
    for place, (what, (made, status)) in enumerate(CASES.items()):
        before = await kept(ground)
        assert await post(gateway, made(f"evt_{place}")) == status, what
        assert await kept(ground) == before + (status == 202), what


async def test_it_is_kept_once_and_the_first_word_stays(ground: Ground, gateway: httpx.AsyncClient) -> None:
    for again in (False, True):
        answer = await gateway.post("/retours/messages", **signed(GOOD))
        assert (answer.status_code, answer.json()) == (202, {"kept": True, "again": again})
    assert await post(gateway, signed({**GOOD, "said": "bounced"})) == 409
    assert await kept(ground) == 1


async def test_a_providers_secret_opens_nothing_here(ground: Ground, gateway: httpx.AsyncClient) -> None:
    ground.house.settings = load_settings(
        data_dir=ground.house.settings.data_dir, signing_key="ab" * 32, provider={"notice_secret": secret(NEW)}
    )
    assert await post(gateway, signed(GOOD)) == 401


async def test_neither_number_nor_words_are_kept(ground: Ground, gateway: httpx.AsyncClient) -> None:
    await post(gateway, signed({**STOP, "text": "Je suis à la gare, rappelez-moi"}))
    row = str(await ground.house.writing.fetchrow("SELECT * FROM message_replies"))
    assert "612345678" not in row and "gare" not in row


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("STOP", "stop"), (" stop. ", "stop"), ("Arrêt", "stop"), ("ＳＴＯＰ", "stop"), ("désabonnement", "stop"),
        ("Start", "start"), ("reprendre !", "start"),
        ("stop à 9h ?", "other"), ("", "other"), ("non", "other"), ("🛑", "other"),
    ],
)  # fmt: skip
def test_only_the_word_alone_is_a_wish(text: str, wish: str) -> None:
    assert wish_of(text) == wish


@pytest.mark.parametrize("written", ["06 45 12 34 56", "0690 51 23 45"])
async def test_a_number_of_elsewhere_is_known_again_when_it_answers(
    ground: Ground, gateway: httpx.AsyncClient, written: str
) -> None:
    pool, id = ground.house.writing, str(uuid.uuid4())
    details = people.Details(first_name="Samir", last_name="B", phone=written, zone="Indian/Reunion")
    await people.register(pool, id, details, By(actor="system", role="system", at=datetime.now(UTC)))
    (asked,) = person_addressees(people.Person(id=id, details=details, **UNTOLD), ("sms",))
    assert asked.address is not None and asked.address.startswith("+")
    await post(gateway, signed({**STOP, "from": asked.address}))
    assert [each.people for each in await deliveries.waiting_replies(pool)] == [(id,)]


async def test_what_is_of_nobody_is_told_as_such(ground: Ground, gateway: httpx.AsyncClient) -> None:
    pool = ground.house.writing
    before = await deliveries.unsettled(pool, timedelta(hours=24))
    await post(gateway, signed({**GOOD, "message": str(uuid.uuid4())}, event="evt_of_none"))
    await post(gateway, signed({**STOP, "from": "+33799999999"}, event="evt_of_nobody"))

    async def never(_: Any) -> None:
        raise AssertionError("nobody is asked")

    now = datetime.now(UTC)
    assert await send_receipts(pool, ground.house.ring, never, now) == 0
    assert await send_wishes(pool, ground.house.ring, never, now) == 0
    after = await deliveries.unsettled(pool, timedelta(hours=24))
    assert (after.strange - before.strange, after.unread - before.unread, after.waiting) == (1, 1, 0)


async def test_wishes_are_told_first_and_what_fails_holds_up_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def telling(name: str) -> Any:
        async def tell(*_: Any) -> int:
            order.append(name)
            if name == "wishes":
                raise ValueError(name)
            return 0

        return tell

    async def client() -> Any:
        return None

    async def noted(*_: Any) -> None:
        order.append("noted")

    monkeypatch.setattr(noticing, "note_wishes", noted)
    for name in ("notices", "receipts", "wishes"):
        monkeypatch.setattr(noticing, f"send_{name}", telling(name))
    pool: Any = None
    with pytest.raises(Unfinished, match=r"^wishes \(ValueError\)$"):
        await noticing.tell(pool, RING, client, "q", datetime.now(UTC))
    assert order == ["noted", "wishes", "notices", "receipts"]
    house: Any = SimpleNamespace(
        writing=None, ring=RING, client=client, settings=SimpleNamespace(task_queue="q"), now=datetime.now(UTC)
    )
    assert not await Teller(house)._once(), "the next round of the fleet tells it"


async def test_of_wrong_receipts_only_the_signed_and_readable_are_kept(ground: Ground, tmp_path: Path) -> None:
    """The fake gateway tells of another message, forged, unreadable, and then the truth."""
    ground.house.settings = load_settings(data_dir=tmp_path, signing_key="ab" * 32, sms={"notice_secret": SECRET})
    id, ledger = str(uuid.uuid4()), tmp_path / "ledger"
    async with served(ground.house) as notices:
        told = notices.replace("/paiements", "/messages")
        with gateway_process(ledger, "--notices", told, "--secret", SECRET) as process:
            letter = Letter(id=id, to="0612345678", subject="", body="GW-WRONG", lang="fr", at=datetime.now(UTC))
            assert (await Gateway(Own(process.url, TOKEN)).send(letter)).fate is Fate.SENT
            async with asyncio.timeout(10):
                while None in (statuses := [status for _, status in answers(ledger)]):
                    await asyncio.sleep(0.05)
    assert statuses == [202, 401, 422, 202]
    rows = await ground.house.writing.fetch("SELECT message::text, said FROM message_receipts ORDER BY position")
    assert len(rows) == 2 and (rows[1]["message"], rows[1]["said"]) == (id, "delivered")


# --- the whole way


def known(home: Path, engine: Engine, **sms: Any) -> Any:
    return load_settings(
        data_dir=home, signing_key=RING.keys["test"].hex(), signing_key_id="test", task_queue=engine.queue,
        association="L’association", sms={"notice_secret": SECRET, **sms},
    )  # fmt: skip


async def until(engine: Engine, kind: str) -> list[str]:
    """The kinds of events about messages, once this one is among them."""
    async with asyncio.timeout(20):
        while True:
            kinds = [event.kind for event in await engine.events() if event.kind.startswith(("Message", "Opted"))]
            if kind in kinds:
                return kinds
            await asyncio.sleep(0.1)


async def test_a_short_message_arrives_and_its_stop_is_heard(
    stack: RealStack, journal_pool: Any, database_url: str, tmp_path: Path
) -> None:
    """Engine, worker as composed, a gateway that fails at first, and what it tells the pages."""
    engine = await make_engine(stack, journal_pool)
    person = await settle_in(engine)
    by = By(actor=engine.supervisor, role="administrator", at=datetime.now(UTC))
    details = people.Details(first_name="Éloïse", last_name="D", email="eloise@example.org", phone="0612345678")
    await people.change(journal_pool, person, details, by)
    async with (
        open_house(known(tmp_path, engine), database_url, stack.temporal) as house, served(house) as notices,
    ):  # fmt: skip
        told = notices.replace("/paiements", "/messages")
        with gateway_process(tmp_path / "ledger", "--notices", told, "--secret", SECRET, "--drawn", "stops") as process:
            resources = worker.make_resources(
                journal_pool, known(tmp_path, engine, url=process.url, token=TOKEN), engine.client
            )
            engine.world.activities = lambda: all_activities(resources)  # type: ignore[method-assign]
            async with engine.worker():
                now = datetime.now(UTC)
                plan = c.Plan(
                    person=person, programme=engine.programme, calendar=engine.calendar, referent=engine.referent
                )
                assert (await engine.send(engine.command(plan, now))).outcome == "accepted"
                await engine.pass_days(3)
                kinds = await until(engine, "OptedOut")
    assert kinds.count("MessageDelivered") == 1 and len(phones(tmp_path / "ledger")) == 1
    assert {status for _, status in answers(tmp_path / "ledger")} == {202}
    found = await people.person(journal_pool, person)
    assert found is not None and found.opted_out
    tried = await attempts.of_journey(journal_pool, engine.stream)
    assert [(each.channel, each.fate) for each in tried] == [("sms", "sent")]
