"""Sixteen browsers at once: each on a connection that stays open, asking its next page when it has the one before."""

import asyncio
import gzip
import http.client
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median, quantiles
from typing import Any, Final

AT_A_TIME: Final = 16
EMPTY: Final = "/vide"
"""The benchmark's own page: behind the same login, in the same layout, with nothing in it."""
MEASURES: Final = "/mesures"
SCREEN: Final = "X-Screen"
"""The header by which the server files what it measured."""
_BROWSER: Final = {"Accept-Encoding": "gzip, deflate, br", "Accept-Language": "fr", "Sec-Fetch-Site": "same-origin"}
_LINKED: Final = re.compile(r'(?:href|src)="(/static/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Asker:
    """A person with a session, and the addresses that they open, one after the other."""

    token: str
    paths: tuple[str, ...]

    def at(self, *paths: str) -> "Asker":
        return Asker(self.token, paths)


@dataclass(frozen=True, slots=True)
class Turn:
    """A screen asked so many times, sixteen at a time."""

    server: float
    """p95 inside the application, in ms."""
    middle: float
    """Median inside the application, in ms."""
    client: float
    """p95 at the browser, in ms."""
    cpu: float
    """Of the server's process, in ms a page."""
    queries: int
    """Most of one page."""
    pages: int
    away: int
    """Of them those that said after two seconds that the database did not answer; their time counts."""


class Refused(Exception):
    """A page was not shown: nothing can be said about its speed."""


async def take_turn(port: int, screen: str, askers: Sequence[Asker], pages: int) -> Turn:
    """Ask a screen `pages` times by sixteen browsers; the askers take turns when they are fewer."""
    await _measured(port)
    browsers = [_browse(port, screen, asker, pages) for asker in islice(cycle(askers), AT_A_TIME)]
    client = [seconds for found in await asyncio.gather(*browsers) for seconds in found]
    told = await _measured(port)
    seen = told["seen"][screen]
    server = [each["seconds"] for each in seen]
    return Turn(
        1000 * p95(server), 1000 * median(server), 1000 * p95(client), 1000 * told["cpu_seconds"] / len(seen),
        max(each["queries"] for each in seen), len(seen), sum(each["status"] == 503 for each in seen),
    )  # fmt: skip


def p95(values: Sequence[float]) -> float:
    """What 95 of 100 stay below."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


async def _measured(port: int) -> dict[str, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(port, MEASURES, "", ""))
    _, body = await _answer(reader)
    writer.close()
    told: dict[str, Any] = json.loads(body)
    return told


async def _browse(port: int, screen: str, asker: Asker, pages: int) -> list[float]:
    """Seconds of each page at the browser, from the first byte sent to the last one had."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    for path in islice(cycle(asker.paths), pages):
        begun = time.perf_counter()
        writer.write(_request(port, path, screen, asker.token))
        head, _ = await _answer(reader)
        took.append(time.perf_counter() - begun)
        if not _SHOWN.match(head):
            raise Refused(f"{path}: {head.partition(chr(13))[0]}")
    writer.close()
    return took


def _request(port: int, path: str, screen: str, token: str) -> bytes:
    headers = {"Host": f"127.0.0.1:{port}", "Cookie": f"session={token}", SCREEN: screen, **_BROWSER}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


_SHOWN: Final = re.compile(r"(?is)HTTP/1.1 (200 |503 |303 .*^location: /parcours/)", re.MULTILINE)
"""A page, the way to the one person whom a search found, or the word that the database does not answer."""


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Head and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = re.search(r"(?im)^content-length: *(\d+)", head)
    if length is None:
        raise Refused("an answer without a length")
    return head, await reader.readexactly(int(length[1]))


def first_visit(port: int, path: str, token: str) -> dict[str, int]:
    """Bytes that a browser which knows nothing yet downloads for a page, by address: bodies as they came."""
    body, weighs = _download(port, path, token)
    found = {path: weighs}
    for linked in dict.fromkeys(_LINKED.findall(body.decode())):
        found[linked] = _download(port, linked, token)[1]
    return found


def _download(port: int, path: str, token: str) -> tuple[bytes, int]:
    """A body in clear, and the bytes that it took on the way."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Cookie": f"session={token}", **_BROWSER})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise Refused(f"{path}: {answer.status}")
    return gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body, len(body)
