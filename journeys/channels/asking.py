"""One question over HTTP to somebody whose answer counts: asked once, and what surely did not leave told apart."""

import asyncio
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal

import httpx

from journeys.channels.webhook import retry_after

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 20.0
"""For the whole of one question, however slowly its answer drips."""
MOST_BYTES: Final = 64_000

_WRITING: Final = ("http11.send_request_headers", "http2.send_connection_init", "http2.send_request_headers")
"""From here on something of the question may have left."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer."""

    status: int
    said: dict[str, Any] | None
    """The JSON object that it holds; None: it holds none, is packed, or is longer than `MOST_BYTES`."""
    after_seconds: float | None = None
    """How long it asks to be left alone (`Retry-After`)."""


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer, or one that broke off. `left`: something of the question may have left."""

    left: bool
    reason: Literal["timeout", "unreachable", "no-answer"]


@dataclass(frozen=True, slots=True)
class Line:
    """Asks each question once; it answers, it never raises.

    Redirects are not followed, proxies and passwords of the environment not used, nothing is sent again on a connection
    that broke, and no connection is used twice.
    """

    connect_seconds: float = CONNECT_SECONDS
    answer_seconds: float = ANSWER_SECONDS
    trust: ssl.SSLContext | None = None
    """Whom to trust with TLS; None means the known authorities."""

    async def ask(self, method: str, url: str, content: bytes | None, headers: dict[str, str]) -> Heard | Silent:
        """Ask once. `content` is JSON."""
        wrote = False

        async def trace(event: str, _: object) -> None:
            nonlocal wrote
            wrote = wrote or event.startswith(_WRITING)

        sent = {
            "accept": "application/json", "accept-encoding": "identity", "user-agent": "release-journeys",
            **({"content-type": "application/json"} if content is not None else {}), **headers,
        }  # fmt: skip
        try:
            async with asyncio.timeout(self.answer_seconds), self._client() as client:
                request = client.build_request(
                    method, url, content=content, headers=sent, extensions={
                        "trace": trace, "timeout": httpx.Timeout(self.answer_seconds, connect=self.connect_seconds
                    ).as_dict()},
                )  # fmt: skip
                return await _heard(await client.send(request, stream=True))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            # Only what fails before anything is written is sure not to have left.
            return Silent(wrote, "timeout" if isinstance(error, httpx.TimeoutException) else "unreachable")
        except (TimeoutError, httpx.TimeoutException):
            return Silent(True, "timeout")
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return Silent(True, "no-answer")

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            follow_redirects=False, trust_env=False, verify=self.trust or _authorities(),
            limits=httpx.Limits(max_keepalive_connections=0),
        )  # fmt: skip


@cache
def _authorities() -> ssl.SSLContext:
    """Read once: it takes longer than a question."""
    return httpx.create_ssl_context(trust_env=False)


async def _heard(response: httpx.Response) -> Heard:
    """So much of an answer as any has, as JSON; what is packed is not unpacked."""
    after = retry_after(response.headers.get("retry-after", ""), datetime.now(UTC))
    body = b""
    try:
        if response.headers.get("content-encoding", "identity") != "identity":
            return Heard(response.status_code, None, after)
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                return Heard(response.status_code, None, after)
    finally:
        await response.aclose()
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    return Heard(response.status_code, said if isinstance(said, dict) else None, after)
