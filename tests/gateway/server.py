"""A gateway of short messages that misbehaves: a process of its own, with a ledger on disk.

    python -m tests.gateway.server --ledger PATH [--port N] [--notices URL --secret whsec_…] [--seed N --drawn WAY,…]

Prints its port. It speaks docs/gateways.md; whatever it has answered or told stands in its ledger before.
"""

import argparse
import base64
import hashlib
import hmac
import http.client
import json
import sqlite3
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.gateway.ledger import MARK, NEVER, NOT_AT_FIRST, Way, open_ledger
from tests.loopback import LoopbackServer

Answer = tuple[int, dict[str, Any], dict[str, str]]


@dataclass
class Gateway:
    """What it does with a message, and what it tells later."""

    ledger: sqlite3.Connection
    token: str = "token"
    notices: str = ""
    secret: bytes = b""
    seed: int = 0
    drawn: tuple[Way, ...] = ()
    late_seconds: float = 1.0
    hang_seconds: float = 30.0
    retry_seconds: int = 2
    lock: threading.RLock = field(default_factory=threading.RLock)

    def way_of(self, text: str, key: str) -> Way:
        for way in sorted(Way, key=len, reverse=True):
            if f"{MARK}{way.upper()}" in text.upper():
                return way
        return self._next_way(key) if self.drawn else Way.ACCEPTS

    def _next_way(self, key: str) -> Way:
        """One after the other, so that a few messages meet them all; the same message always meets the same."""
        with self.lock:
            row = self.ledger.execute("SELECT way FROM asked WHERE key = ?", (key,)).fetchone()
            if row is not None:
                return Way(row["way"])
            number = self.ledger.execute("SELECT count(DISTINCT key) FROM asked").fetchone()[0]
            return self.drawn[(self.seed + number) % len(self.drawn)]

    def take(self, key: str, asked: dict[str, Any]) -> tuple[Answer, Way]:
        """A message: sent on at most once a key."""
        way = self.way_of(asked["text"], key)
        content = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        with self.lock:
            self.ledger.execute("BEGIN IMMEDIATE")
            try:
                before = self.ledger.execute("SELECT count(*) FROM asked WHERE key = ?", (key,)).fetchone()[0]
                self.ledger.execute("INSERT INTO asked VALUES (?, ?)", (key, way))
                known = self.ledger.execute("SELECT * FROM messages WHERE key = ?", (key,)).fetchone()
                if known is None and way not in NEVER and not (way in NOT_AT_FIRST and not before):
                    self._send_on(key, asked, content, way)
                    known = self.ledger.execute("SELECT * FROM messages WHERE key = ?", (key,)).fetchone()
            finally:
                self.ledger.execute("COMMIT")
        if known is not None and known["content"] != content:
            return (409, {"error": "this key was used before with another content"}, {}), way
        return self._answer(key, known, way, again=bool(before)), way

    def _answer(self, key: str, known: sqlite3.Row | None, way: Way, *, again: bool) -> Answer:
        if way is Way.REFUSES:
            return 200, {"message": key, "status": "rejected", "reason": "dead-number"}, {}
        if way is Way.BUSY and known is None:
            return 429, {"error": "slower"}, {"Retry-After": str(self.retry_seconds)}
        if known is None or (way is Way.ERROR_AFTER and not again):
            return 500, {"error": "later"}, {}
        return 202, {"message": key, "status": "accepted", "reference": f"gw-{known['id']}"}, {}

    def _send_on(self, key: str, asked: dict[str, Any], content: str, way: Way) -> None:
        self.ledger.execute(
            "INSERT INTO messages (key, number, text, content, at) VALUES (?, ?, ?, ?, ?)",
            (key, asked["to"], asked["text"], content, time.time()),
        )
        match way:
            case Way.MUTE:
                return
            case Way.BOUNCES:
                self._receipt(key, "bounced", "dead-number")
            case Way.BACKWARDS:
                self._receipt(key, "bounced", "phone-off")
                self._receipt(key, "delivered")
            case Way.TWICE:
                event = self._receipt(key, "delivered")
                self._receipt(key, "delivered", event=event)
                self._receipt(key, "delivered")
            case Way.WRONG:
                self._receipt(str(uuid.uuid4()), "delivered")
                self._receipt(key, "bounced", "dead-number", forged=True)
                self._receipt(key, "read")
                self._receipt(key, "delivered")
            case Way.STOPS:
                self._receipt(key, "delivered")
                self._notice({"kind": "reply", "from": asked["to"], "text": " Stop. "})
            case _:
                self._receipt(key, "delivered")

    def _receipt(self, key: str, said: str, reason: str = "", event: str = "", *, forged: bool = False) -> str:
        body = {"kind": "receipt", "message": key, "said": said, **({"reason": reason} if reason else {})}
        return self._notice(body, event, forged=forged)

    def _notice(self, said: dict[str, Any], event: str = "", *, forged: bool = False) -> str:
        event, now = event or str(uuid.uuid4()), time.time()
        body = json.dumps({**said, "at": datetime.fromtimestamp(int(now), UTC).isoformat().replace("+00:00", "Z")})
        self.ledger.execute(
            "INSERT INTO notices (event, body, forged, due) VALUES (?, ?, ?, ?)", (event, body, forged, now)
        )
        return event

    def tell_for_ever(self) -> None:
        """Tell what is due, in order, until it is taken or refused for good; killed between, it is told again."""
        while True:
            with self.lock:
                rows = self.ledger.execute(
                    "SELECT id, event, body, forged FROM notices WHERE told = 0 AND due <= ? ORDER BY id",
                    (time.time(),),
                ).fetchall()
            for row in rows:
                status = self._post(row["event"], row["body"].encode(), b"not the secret" if row["forged"] else None)
                with self.lock:
                    self.ledger.execute(
                        "UPDATE notices SET told = ?, status = ? WHERE id = ?",
                        (200 <= status < 300 or status in (401, 409, 413, 422), status, row["id"]),
                    )
            time.sleep(0.05)

    def _post(self, event: str, body: bytes, secret: bytes | None) -> int:
        address, seconds = urlsplit(self.notices), str(int(time.time()))
        digest = hmac.digest(secret or self.secret, f"{event}.{seconds}.".encode() + body, "sha256")
        headers = {
            "content-type": "application/json", "webhook-id": event, "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }  # fmt: skip
        try:
            line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
            line.request("POST", address.path, body, headers)
            return line.getresponse().status
        except OSError:
            return 0


def serve(gateway: Gateway, port: int = 0) -> LoopbackServer:
    """The server, bound and not yet serving."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            said = self.rfile.read(length := int(self.headers["content-length"]))
            if len(said) < length:  # Whoever asked was killed while asking.
                self.close_connection = True
                return
            asked = json.loads(said)
            if self.headers.get("authorization") != f"Bearer {gateway.token}" or self.path != "/messages":
                self._say(401, {"error": "token"}, {})
                return
            answer, way = gateway.take(self.headers["idempotency-key"], asked)
            match way:
                case Way.SILENCE | Way.TIMES_OUT:
                    time.sleep(gateway.hang_seconds)
                    self.close_connection = True
                case Way.SLOW:
                    time.sleep(gateway.late_seconds)
                    self._say(*answer)
                case _:
                    self._say(*answer)

        def _say(self, status: int, said: dict[str, Any], headers: dict[str, str]) -> None:
            body = json.dumps(said).encode()
            try:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = LoopbackServer(("127.0.0.1", port), Handler)
    if gateway.notices:
        threading.Thread(target=gateway.tell_for_ever, daemon=True).start()
    return server


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--ledger", type=Path, required=True)
    given.add_argument("--port", type=int, default=0)
    given.add_argument("--token", default="token")
    given.add_argument("--notices", default="", help="where what becomes of messages is told")
    given.add_argument("--secret", default="", help="whsec_…")
    given.add_argument("--seed", type=int, default=0)
    given.add_argument(
        "--drawn", default="", help="ways that messages meet in turn where a text says none; commas between"
    )
    for name, kind in (("late", float), ("hang", float), ("retry", int)):
        given.add_argument(f"--{name}-seconds", type=kind, default=getattr(Gateway, f"{name}_seconds"))
    said = given.parse_args()
    gateway = Gateway(
        open_ledger(said.ledger), said.token, said.notices, base64.b64decode(said.secret.removeprefix("whsec_")),
        said.seed, tuple(Way(way) for way in said.drawn.split(",") if way), said.late_seconds, said.hang_seconds,
        said.retry_seconds,
    )  # fmt: skip
    server = serve(gateway, said.port)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
