"""HTTP checks of milestones: a question to a host that the operator allowed, with bounds on everything."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx

TIMEOUT_SECONDS: Final = 5.0
MOST_BYTES: Final = 64_000

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found; `reason` is a code when it is unknown."""

    answer: Literal["passed", "failed", "unknown"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HttpChecks:
    """Asks `GET url?journey=…&milestone=…&check=…`; 200 with JSON `{"passed": true}` (or false) is an answer.

    `hosts` are `host` (the scheme's own port) or `host:port`. Redirects are not followed: where they lead was not
    allowed. Proxies and passwords of the environment are not used.
    """

    hosts: tuple[str, ...]
    timeout_seconds: float = TIMEOUT_SECONDS

    async def ask(self, url: str, *, journey: str, milestone: str, check: str) -> Checked:
        """Ask once; whatever the world does is an answer."""
        if not self.allows(url):
            return Checked("unknown", "host-not-allowed")
        ids = {"journey": journey, "milestone": milestone, "check": check}
        try:
            async with asyncio.timeout(self.timeout_seconds):
                return await _ask(httpx.URL(url).copy_merge_params(ids))
        except (TimeoutError, httpx.TimeoutException):
            return Checked("unknown", "timeout")
        except httpx.HTTPError:
            return Checked("unknown", "unreachable")

    def allows(self, url: str) -> bool:
        """Whether the operator allowed this host, by http or https, without a password in the address."""
        return host_allowed(url, self.hosts)


def host_allowed(url: str, hosts: Iterable[str]) -> bool:
    """Whether an address, by http or https and without a password, leads to one of `hosts`."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return False
    if parts.scheme not in _DEFAULT_PORTS or "@" in parts.netloc or not parts.hostname or port is None:
        return False
    names = {f"{parts.hostname}:{port}"}
    if port == _DEFAULT_PORTS[parts.scheme]:
        names.add(parts.hostname)
    return not names.isdisjoint(hosts)


async def _ask(url: httpx.URL) -> Checked:
    async with (
        httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=TIMEOUT_SECONDS) as client,
        client.stream("GET", url, headers={"Accept": "application/json"}) as response,
    ):
        if response.is_redirect:
            return Checked("unknown", "redirect")
        if response.status_code != 200:
            return Checked("unknown", f"status-{response.status_code}")
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                return Checked("unknown", "too-long")
    return _read(body)


def _read(body: bytes) -> Checked:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return Checked("unknown", "not-json")
    passed = said.get("passed") if isinstance(said, dict) else None
    if not isinstance(passed, bool):
        return Checked("unknown", "no-answer")
    return Checked("passed" if passed else "failed")
