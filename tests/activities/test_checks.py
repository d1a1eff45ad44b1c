"""HTTP checks against a real server: only allowed hosts, no redirect, bounds on time and size."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from journeys.channels.checks import MOST_BYTES, HttpChecks
from tests.activities.conftest import PROGRAMME, Life, make_life

IDS = {"journey": "j", "milestone": "m", "check": "c"}


@dataclass
class Site:
    """Answers by path, and what it was asked."""

    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}/{path}"


ANSWERS: dict[str, tuple[int, bytes]] = {
    "/yes": (200, b'{"passed": true, "more": 1}'),
    "/no": (200, b'{"passed": false}'),
    "/text": (200, b"yes"),
    "/list": (200, b"[true]"),
    "/number": (200, b'{"passed": 1}'),
    "/deep": (200, b"[" * 60_000),
    "/empty": (200, b""),
    "/broken": (500, b'{"passed": true}'),
    "/gone": (404, b'{"passed": true}'),
    "/huge": (200, b'{"passed": true}' + b" " * (MOST_BYTES + 1)),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    known = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append(self.path)
            path = urlsplit(self.path).path
            if path == "/slow":
                time.sleep(1.0)
                path = "/yes"
            if path == "/elsewhere":
                self.send_response(302)
                self.send_header("Location", known.url("yes"))
                self.end_headers()
                return
            code, body = ANSWERS[path]
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield known
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("yes", "passed", ""),
        ("no", "failed", ""),
        ("text", "unknown", "not-json"),
        ("list", "unknown", "no-answer"),
        ("number", "unknown", "no-answer"),
        ("deep", "unknown", "not-json"),
        ("empty", "unknown", "not-json"),
        ("broken", "unknown", "status-500"),
        ("gone", "unknown", "status-404"),
        ("huge", "unknown", "too-long"),
        ("elsewhere", "unknown", "redirect"),
    ],
)
async def test_what_a_site_says(site: Site, path: str, answer: str, reason: str) -> None:
    found = await HttpChecks((site.host,)).ask(site.url(path), **IDS)
    assert (found.answer, found.reason) == (answer, reason)


async def test_a_redirect_is_not_followed(site: Site) -> None:
    site.asked.clear()
    await HttpChecks((site.host,)).ask(site.url("elsewhere"), **IDS)
    assert len(site.asked) == 1


async def test_the_site_is_told_which_journey_and_keeps_its_own_question(site: Site) -> None:
    site.asked.clear()
    await HttpChecks((site.host,)).ask(site.url("yes?kind=job"), **IDS)
    asked = parse_qs(urlsplit(site.asked[0]).query)
    assert asked == {"kind": ["job"], "journey": ["j"], "milestone": ["m"], "check": ["c"]}


async def test_a_host_that_is_not_allowed_is_not_even_called(site: Site) -> None:
    site.asked.clear()
    found = await HttpChecks(("emploi.example.org",)).ask(site.url("yes"), **IDS)
    assert (found.answer, found.reason) == ("unknown", "host-not-allowed")
    assert site.asked == []


async def test_without_the_list_it_would_be_called(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard taken away."""
    site.asked.clear()
    monkeypatch.setattr(HttpChecks, "allows", lambda *_: True)
    assert (await HttpChecks(()).ask(site.url("yes"), **IDS)).answer == "passed"
    assert len(site.asked) == 1


async def test_patience_has_an_end(site: Site) -> None:
    begun = time.monotonic()
    found = await HttpChecks((site.host,), timeout_seconds=0.2).ask(site.url("slow"), **IDS)
    assert (found.answer, found.reason) == ("unknown", "timeout")
    assert time.monotonic() - begun < 0.9


async def test_nobody_there_is_unknown() -> None:
    found = await HttpChecks(("127.0.0.1:1",)).ask("http://127.0.0.1:1/", **IDS)
    assert (found.answer, found.reason) == ("unknown", "unreachable")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://emploi.example.org/x", True),
        ("http://emploi.example.org:80/x", True),
        ("https://EMPLOI.example.org/x", True),
        ("https://emploi.example.org:8443/x", False),
        ("https://emploi.example.org@evil.example/x", False),
        ("https://user:pass@emploi.example.org/x", False),
        ("https://evil.example/emploi.example.org", False),
        ("https://sub.emploi.example.org/x", False),
        ("https://emploi.example.org.evil.example/x", False),
        ("ftp://emploi.example.org/x", False),
        ("file:///etc/passwd", False),
        ("//emploi.example.org/x", False),
        ("https://", False),
        ("https://[::1", False),
        ("https://emploi.example.org:99999/x", False),
        ("https://127.0.0.1:8080/x", True),
        ("https://127.0.0.1/x", False),
    ],
)
def test_which_hosts_are_allowed(url: str, allowed: bool) -> None:
    assert HttpChecks(("emploi.example.org", "127.0.0.1:8080")).allows(url) is allowed


@pytest.mark.parametrize(("path", "answer", "reached"), [("yes", "passed", True), ("no", "failed", False)])
async def test_a_journey_asks_and_records_what_it_heard(
    lives_pool: Any, site: Site, path: str, answer: str, reached: bool
) -> None:
    rights: dict[str, Any] = PROGRAMME["milestones"]["rights"]  # type: ignore[index]
    milestones = {"rights": {**rights, "url": site.url(path), "missed": "follow-up"}}
    life: Life = await make_life(lives_pool, {**PROGRAMME, "milestones": milestones})
    life.use(checks=HttpChecks((site.host,)))
    await life.begin()
    (deadline,) = life.state.deadlines.values()
    await life.until(deadline.at)
    (effect,) = life.effects("check")
    assert (await life.settle(effect))["answer"] == answer
    assert life.state.settled("rights") is reached
    assert bool(life.state.escalations) is not reached
