"""A receiver of webhooks on a loopback port: it checks what it gets with the library that receivers use."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from journeys.store import webhooks
from journeys.store.signing import KeyRing


@dataclass
class Got:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def holds(self, secret: str) -> bool:
        try:
            Webhook(secret).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return True


@dataclass
class Receiver:
    """Answers by script: a status for each request, or what `answer` says of it; 204 when nothing is said."""

    port: int = 0
    scheme: str = "http"
    got: list[Got] = field(default_factory=list)
    script: list[int] = field(default_factory=list)
    answer: Callable[[Got], int] | None = None
    slow_seconds: float = 0.0
    retry_after: str | None = None
    """A header of each answer."""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}/in"

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.got]

    def take(self, got: Got) -> int:
        self.got.append(got)
        time.sleep(self.slow_seconds)
        if self.answer is not None:
            return self.answer(got)
        return self.script.pop(0) if self.script else 204


@contextmanager
def receiving(wrap: Callable[[Any], Any] = lambda socket: socket, scheme: str = "http") -> Iterator[Receiver]:
    known = Receiver(scheme=scheme)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers["content-length"]))
            status = known.take(Got(headers, body))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{known.url}/elsewhere")
            if known.retry_after is not None:
                self.send_header("Retry-After", known.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = wrap(server.socket)
    known.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()


def secret_of(ring: KeyRing, hook: webhooks.Webhook) -> str:
    """As it was handed to the receiver."""
    return webhooks.written(webhooks.secret_of(ring, hook.id, hook.origin))
