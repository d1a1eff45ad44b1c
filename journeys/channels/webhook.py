"""Webhooks out: one signed message to a host that the operator allowed, as Standard Webhooks says it.

https://www.standardwebhooks.com: the headers webhook-id, webhook-timestamp and webhook-signature, which holds
`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`, once for each secret that counts.
"""

import asyncio
import base64
import hmac
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

import httpx

from journeys.channels.checks import host_allowed

TIMEOUT_SECONDS: Final = 15.0
LONGEST_URL: Final = 2_000

_GONE: Final = 410
_OVERLOADED: Final = frozenset({429, 503})
_MOST_ADDRESSES: Final = 4
_NAT64: Final = ip_network("64:ff9b::/96")

Resolve = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a message; `reason` is a code when it was not taken."""

    taken: bool
    reason: str = ""
    after_seconds: float | None = None
    """How long the receiver asks to be left alone, where it is overloaded or away for a while."""

    @property
    def gone(self) -> bool:
        """The receiver wants no more messages."""
        return self.reason == f"status-{_GONE}"


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the system's order. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class Messenger:
    """Posts messages to `hosts` (`host`, or `host:port`) only, each once; it answers, it never raises.

    By https, or by http to a loopback address or `localhost` that stands in `hosts` itself. A name must lead to public
    addresses: what it leads to is looked at, and the connection goes to what was looked at. Redirects are not
    followed, proxies and passwords of the environment not used; of the answer only the status is read, and of one that
    is overloaded when to come back.
    """

    hosts: tuple[str, ...]
    timeout_seconds: float = TIMEOUT_SECONDS
    trust: ssl.SSLContext | None = None
    """Whom to trust with TLS; None means the known authorities."""
    resolve: Resolve = resolve

    def refuses(self, url: str) -> str | None:
        """Why nothing is posted to this address, as a code; None when something may be."""
        plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_URL
        try:
            parts = httpx.URL(url if plain else "")
        except httpx.InvalidURL:
            return "not-a-url"
        host = parts.raw_host.decode()
        if parts.scheme not in ("http", "https") or not host or parts.fragment or parts.userinfo:
            return "not-a-url"
        if parts.scheme == "http" and not _is_loopback(host):
            return "not-https"
        return None if host_allowed(url, self.hosts) else "host-not-allowed"

    async def post(self, url: str, *, id: str, at: datetime, body: bytes, secrets: Sequence[bytes]) -> Posted:
        """Post one message.

        Args:
            id: the same each time that the message is posted; no full stop in it. at: when it is posted.
            secrets: a signature for each.
        """
        if (refused := self.refuses(url)) is not None:
            return Posted(False, refused)
        seconds = int(at.timestamp())
        headers = {
            "content-type": "application/json",
            "user-agent": "release-journeys",
            "webhook-id": id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": " ".join(signature(secret, id, seconds, body) for secret in secrets),
        }
        try:
            async with asyncio.timeout(self.timeout_seconds):
                return await self._post(httpx.URL(url), headers, body)
        except (TimeoutError, httpx.TimeoutException):
            return Posted(False, "timeout")
        except (httpx.HTTPError, OSError):
            return Posted(False, "unreachable")

    async def _post(self, url: httpx.URL, headers: dict[str, str], body: bytes) -> Posted:
        addresses = await self._addresses(url)
        if not addresses:
            return Posted(False, "address-not-allowed")
        failure: httpx.ConnectError | None = None
        async with self._client() as client:
            for address in addresses[:_MOST_ADDRESSES]:
                try:
                    return await _post_to(client, url, address, headers, body)
                except httpx.ConnectError as error:
                    failure = error
        raise failure or httpx.ConnectError("no address")

    async def _addresses(self, url: httpx.URL) -> list[str]:
        """Where the name leads; none when any of it is where a name must not lead."""
        host = url.raw_host.decode()
        if _literal(host) is not None:
            return [host]
        found = await self.resolve(host, url.port or (443 if url.scheme == "https" else 80))
        allowed = _is_loopback if host == "localhost" else is_public
        return found if all(allowed(address) for address in found) else []

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=self.timeout_seconds, verify=self.trust or _authorities()
        )


async def _post_to(
    client: httpx.AsyncClient, url: httpx.URL, address: str, headers: dict[str, str], body: bytes
) -> Posted:
    """To this address, under the name that the URL says: its certificate must be for the name."""
    request = client.build_request(
        "POST",
        url.copy_with(host=address),
        content=body,
        headers={**headers, "host": url.netloc.decode()},
        extensions={"sni_hostname": url.raw_host.decode()},
    )
    response = await client.send(request, stream=True)
    await response.aclose()
    if response.is_success:
        return Posted(True)
    if response.is_redirect:
        return Posted(False, "redirect")
    after = response.headers.get("retry-after", "") if response.status_code in _OVERLOADED else ""
    return Posted(False, f"status-{response.status_code}", retry_after(after, datetime.now(UTC)))


def retry_after(said: str, now: datetime) -> float | None:
    """The seconds of a `Retry-After` (RFC 9110: seconds, or a date); None when it says nothing that can be read."""
    said = said.strip()
    if said.isascii() and said.isdecimal():
        return float(said[:12])
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    return max((until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds(), 0.0)


@cache
def _authorities() -> ssl.SSLContext:
    """Read once: it takes longer than a message."""
    return httpx.create_ssl_context(trust_env=False)


def signature(secret: bytes, id: str, seconds: int, body: bytes) -> str:
    """One signature of Standard Webhooks: `v1,` and base64."""
    digest = hmac.digest(secret, f"{id}.{seconds}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def is_public(address: str) -> bool:
    """Whether an address is of the internet at large, also when it carries another one within."""
    found = _literal(address)
    match found:
        case None:
            return False
        case IPv4Address():
            return found.is_global and not found.is_multicast
        case IPv6Address():
            inner = (
                found.ipv4_mapped or found.sixtofour or (IPv4Address(found.packed[-4:]) if found in _NAT64 else None)
            )
            return found.is_global and not found.is_multicast if inner is None else is_public(str(inner))


def _is_loopback(host: str) -> bool:
    found = _literal(host)
    return host == "localhost" if found is None else found.is_loopback


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
