"""A provider of payments that misbehaves: a process of its own, with a ledger on disk.

    python -m tests.bank.server --ledger PATH [--port N] [--notices URL --secret whsec_…] [--seed N --drawn WAY,…]

Prints its port. It speaks docs/providers.md; whatever it has answered or told stands in its ledger before.
"""

import argparse
import base64
import hashlib
import hmac
import http.client
import json
import random
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

from tests.bank.ledger import MARK, TAKES, Way, open_ledger
from tests.loopback import LoopbackServer


@dataclass
class Bank:
    """What it does with an order, and what it tells later."""

    ledger: sqlite3.Connection
    token: str = "token"
    notices: str = ""
    secret: bytes = b""
    seed: int = 0
    drawn: tuple[Way, ...] = ()
    settle_seconds: float = 0.0
    late_seconds: float = 1.0
    hang_seconds: float = 30.0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def way_of(self, name: str, payment: str) -> Way:
        for way in Way:
            if f"{MARK}{way.upper()}" in name.upper():
                return way
        return random.Random(f"{self.seed}/{payment}").choice(self.drawn) if self.drawn else Way.ACCEPTS

    def take(self, key: str | None, asked: dict[str, Any]) -> tuple[int, dict[str, Any], Way]:
        """An order: taken at most once a key; without a key each is a payment of its own."""
        content = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        way = self.way_of(asked["name"], asked["payment"])
        with self.lock:
            self.ledger.execute("BEGIN IMMEDIATE")
            try:
                self.ledger.execute(
                    "INSERT INTO knocks VALUES (?, 1) ON CONFLICT (way) DO UPDATE SET count = count + 1", (way,)
                )
                known = self.ledger.execute("SELECT * FROM orders WHERE key = ?", (key,)).fetchone()
                if known is None and way is not Way.SILENCE:
                    self._write(key, asked, content, way)
                    known = self.ledger.execute("SELECT * FROM orders ORDER BY id DESC LIMIT 1").fetchone()
            finally:
                self.ledger.execute("COMMIT")
        if known is None:
            return 0, {}, way
        if known["content"] != content:
            return 409, {"error": "this key was used before with another content"}, way
        return 202, _told(known), way

    def _write(self, key: str | None, asked: dict[str, Any], content: str, way: Way) -> None:
        now = time.time()
        status, reason = ("accepted", None) if way in TAKES else ("rejected", "account-closed")
        self.ledger.execute(
            "INSERT INTO orders (key, payment, reference, amount, content, way, status, reason, taken_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (key, asked["payment"], asked["reference"], asked["amount"], content, way, status, reason, now),
        )
        if way not in TAKES:
            return
        self.ledger.execute(
            "INSERT INTO movements (reference, kind, cents) VALUES (?, 'paid', ?)",
            (asked["reference"], asked["amount"]),
        )
        due = now + self.settle_seconds
        if way is Way.RETURNS:
            self.ledger.execute(
                "INSERT INTO movements (reference, kind, cents) VALUES (?, 'returned', ?)",
                (asked["reference"], asked["amount"]),
            )
            self._notice(asked, "returned", due, "account-closed")
        event = self._notice(asked, "settled", due)
        if way is Way.TWICE:
            self._notice(asked, "settled", due, event=event)
            self._notice(asked, "settled", due)

    def _notice(
        self, asked: dict[str, Any], said: str, due: float, reason: str | None = None, event: str | None = None
    ) -> str:
        event = event or str(uuid.uuid4())
        at = datetime.fromtimestamp(due, UTC).isoformat().replace("+00:00", "Z")
        body = {"reference": asked["reference"], "amount": asked["amount"], "said": said, "at": at}
        body |= {"reason": reason} if reason else {}
        self.ledger.execute("INSERT INTO notices (event, body, due) VALUES (?, ?, ?)", (event, json.dumps(body), due))
        return event

    def find(self, reference: str) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self._settle()
            row = self.ledger.execute(
                "SELECT * FROM orders WHERE reference = ? ORDER BY id DESC LIMIT 1", (reference,)
            ).fetchone()
        return (200, _told(row)) if row is not None else (404, {"reference": reference, "status": "not-found"})

    def _settle(self) -> None:
        self.ledger.execute(
            "UPDATE orders SET status = 'settled' WHERE status = 'accepted' AND taken_at <= ?",
            (time.time() - self.settle_seconds,),
        )

    def tell_for_ever(self) -> None:
        """Tell what is due until it is taken; killed between, it is told again."""
        while True:
            with self.lock:
                rows = self.ledger.execute(
                    "SELECT id, event, body FROM notices WHERE told = 0 AND due <= ? ORDER BY id", (time.time(),)
                ).fetchall()
            for row in rows:
                if self._post(row["event"], row["body"].encode()):
                    with self.lock:
                        self.ledger.execute("UPDATE notices SET told = 1 WHERE id = ?", (row["id"],))
            time.sleep(0.05)

    def _post(self, event: str, body: bytes) -> bool:
        address, seconds = urlsplit(self.notices), str(int(time.time()))
        digest = hmac.digest(self.secret, f"{event}.{seconds}.".encode() + body, "sha256")
        headers = {
            "content-type": "application/json", "webhook-id": event, "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }  # fmt: skip
        try:
            line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
            line.request("POST", address.path, body, headers)
            return 200 <= line.getresponse().status < 300
        except OSError:
            return False


def _told(row: sqlite3.Row) -> dict[str, Any]:
    told = {name: row[name] for name in ("payment", "reference", "amount", "status")}
    return told | ({"reason": row["reason"]} if row["reason"] else {})


def serve(bank: Bank, port: int = 0) -> LoopbackServer:
    """The server, bound and not yet serving."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if not self._admitted():
                return
            status, told, way = bank.take(self.headers.get("idempotency-key"), asked)
            match way:
                case Way.SILENCE | Way.TIMES_OUT:
                    time.sleep(bank.hang_seconds)
                    self.close_connection = True
                case Way.ERROR:
                    self._say(500, {"error": "later"})
                case Way.LATE:
                    time.sleep(bank.late_seconds)
                    self._say(status, told)
                case _:
                    self._say(status, told)

        def do_GET(self) -> None:
            if self._admitted():
                self._say(*bank.find(self.path.rpartition("/")[2]))

        def _admitted(self) -> bool:
            if self.headers.get("authorization") == f"Bearer {bank.token}":
                return True
            self._say(401, {"error": "token"})
            return False

        def _say(self, status: int, said: dict[str, Any]) -> None:
            body = json.dumps(said).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = LoopbackServer(("127.0.0.1", port), Handler)
    if bank.notices:
        threading.Thread(target=bank.tell_for_ever, daemon=True).start()
    return server


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--ledger", type=Path, required=True)
    given.add_argument("--port", type=int, default=0)
    given.add_argument("--token", default="token")
    given.add_argument("--notices", default="", help="where what becomes of payments is told")
    given.add_argument("--secret", default="", help="whsec_…")
    given.add_argument("--seed", type=int, default=0)
    given.add_argument("--drawn", default="", help="ways to draw from where a payee's name says none; commas between")
    for name in ("settle", "late", "hang"):
        given.add_argument(f"--{name}-seconds", type=float, default=getattr(Bank, f"{name}_seconds"))
    said = given.parse_args()
    bank = Bank(
        open_ledger(said.ledger), said.token, said.notices, base64.b64decode(said.secret.removeprefix("whsec_")),
        said.seed, tuple(Way(way) for way in said.drawn.split(",") if way), said.settle_seconds, said.late_seconds,
        said.hang_seconds,
    )  # fmt: skip
    server = serve(bank, said.port)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
