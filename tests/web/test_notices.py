"""Notices of a provider of payments: kept when they are signed, once, whatever comes of them; else nothing is."""

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from journeys.app import noticing
from journeys.channels.webhook import signature
from journeys.settings import load_settings
from tests.web.conftest import Ground

NEW, OLD, STRANGE = (letter * 32 for letter in (b"n", b"o", b"s"))
GOOD = {"reference": "A" * 26, "amount": 20_000, "said": "settled", "at": "2027-03-01T10:00:00Z"}


def secret(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


@pytest_asyncio.fixture
async def provider(ground: Ground, tmp_path: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A program elsewhere: no cookie, no origin."""
    ground.house.settings = load_settings(
        data_dir=tmp_path, signing_key="ab" * 32,
        provider={"notice_secret": secret(NEW), "notice_old_secret": secret(OLD)},
    )  # fmt: skip
    transport = httpx.ASGITransport(ground.application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here.test") as client:
        yield client


def signed(said: Any, key: bytes = NEW, *, event: str = "evt_1", late: int = 0, more: str = "") -> dict[str, Any]:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    seconds = int(time.time()) - late
    return {
        "content": body,
        "headers": {
            "webhook-id": event, "webhook-timestamp": str(seconds),
            "webhook-signature": f"{more}{signature(key, event, seconds, body)}",
        },
    }  # fmt: skip


async def post(provider: httpx.AsyncClient, request: dict[str, Any]) -> int:
    return (await provider.post("/retours/paiements", **request)).status_code


async def kept(ground: Ground) -> int:
    count: int = await ground.house.writing.fetchval("SELECT count(*) FROM provider_notices")
    return count


async def test_a_signed_notice_is_kept_once_and_answered(ground: Ground, provider: httpx.AsyncClient) -> None:
    for again in (False, True):
        answer = await provider.post("/retours/paiements", **signed(GOOD))
        assert (answer.status_code, answer.json()) == (202, {"kept": True, "again": again})
    assert await post(provider, signed({**GOOD, "said": "returned"})) == 409
    assert await kept(ground) == 1


CASES: dict[str, tuple[Callable[[str], dict[str, Any]], int]] = {
    "old secret": (lambda event: signed(GOOD, OLD, event=event), 202),
    "among other signatures": (lambda event: signed(GOOD, NEW, more="v1,AAAA v2,x ", event=event), 202),
    "with more": (lambda event: signed({**GOOD, "iban": "FR76", "more": [1]}, event=event), 202),
    "strange secret": (lambda event: signed(GOOD, STRANGE, event=event), 401),
    "late": (lambda event: signed(GOOD, late=400, event=event), 401),
    "early": (lambda event: signed(GOOD, late=-400, event=event), 401),
    "a name that is none": (lambda event: signed(GOOD, event="evt.1"), 401),
    "unsigned": (lambda event: {"content": json.dumps(GOOD).encode()}, 401),
    "another body": (
        lambda event: {**signed(GOOD, event=event), "content": json.dumps({**GOOD, "amount": 1}).encode()},
        401,
    ),
    "no JSON": (lambda event: signed(b"{", event=event), 422),
    "amount as text": (lambda event: signed({**GOOD, "amount": "20000"}, event=event), 422),
    "no amount": (lambda event: signed({**GOOD, "amount": 0}, event=event), 422),
    "unknown word": (lambda event: signed({**GOOD, "said": "paid"}, event=event), 422),
    "no reference": (lambda event: signed({**GOOD, "reference": "nowhere"}, event=event), 422),
    "no zone": (lambda event: signed({**GOOD, "at": "2027-03-01T10:00:00"}, event=event), 422),
    "too large": (lambda event: signed({**GOOD, "more": "x" * 16_000}, event=event), 413),
}
"""What comes in under an event, and what it is answered."""


async def test_what_is_not_signed_now_with_a_known_secret_leaves_nothing(
    ground: Ground, provider: httpx.AsyncClient
) -> None:
    for place, (what, (made, status)) in enumerate(CASES.items()):
        before = await kept(ground)
        assert await post(provider, made(f"evt_{place}")) == status, what
        assert await kept(ground) == before + (status == 202), what


async def test_without_a_secret_nobody_is_believed(ground: Ground, provider: httpx.AsyncClient) -> None:
    ground.house.settings = load_settings(data_dir=ground.house.settings.data_dir, signing_key="ab" * 32)
    for key in (NEW, b""):
        assert await post(provider, signed(GOOD, key)) == 401
    assert await kept(ground) == 0


async def test_without_the_signature_anybody_is_believed(
    ground: Ground, provider: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard taken away."""
    monkeypatch.setattr(noticing.hmac, "compare_digest", lambda one, other: True)
    assert await post(provider, signed(GOOD, STRANGE)) == 202
    assert await kept(ground) == 1


async def test_it_is_kept_before_it_is_answered(
    ground: Ground, provider: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that does not keep it: no 2xx, so that it comes again."""

    async def gone(*_: Any) -> bool:
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr(noticing.provider, "keep", gone)
        assert await post(provider, signed(GOOD)) == 503
    assert await post(provider, signed(GOOD)) == 202


async def test_nothing_of_a_person_is_kept(ground: Ground, provider: httpx.AsyncClient) -> None:
    await post(provider, signed({**GOOD, "name": "Samir Benali", "iban": "FR7630006000011234567890189"}))
    row = str(await ground.house.writing.fetchrow("SELECT * FROM provider_notices"))
    assert "Samir" not in row and "FR76" not in row
