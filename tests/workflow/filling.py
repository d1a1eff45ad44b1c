"""What fills the sinks that a journey alone does not: the bank's files, a letter on paper, a kept history, the web."""

import asyncio
import hashlib
import io
import json
import zlib
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities import Resources
from activities.archive import Archive
from activities.paper import Paper
from journeys import temporal
from journeys.app import reconciling
from journeys.app.web import serving
from journeys.app.web.house import open_house
from journeys.channels.letter import Fate, Letter
from journeys.channels.sepa.receiving import received
from journeys.channels.sepa.transfers import render
from journeys.contract import Run
from journeys.domain.banking import Account
from journeys.settings import load_settings
from journeys.store import bank_files, paper_letters, sessions
from journeys.store.bank_files import Incoming
from journeys.store.directory import By
from tests.conftest import RealStack
from tests.sepa.made import OURS, camt053, details, entry
from tests.workflow.conftest import RING, Engine

HOUSE = Account("Association Exemple", OURS)


class OnlyOurs:
    """The engine's list is everybody's; this keeps the runs of one journey."""

    def __init__(self, engine: Engine) -> None:
        self._runs, self._stream = temporal.EndedRuns(engine.client), engine.stream

    async def ended(self) -> AsyncIterator[Run]:
        async for run in self._runs.ended():
            if run.stream == self._stream:
                yield run

    async def history(self, run: Run) -> bytes | None:
        return await self._runs.history(run)

    async def runs(self, stream: str) -> bool:
        return await self._runs.runs(stream)

    async def forget(self, stream: str) -> None:
        await self._runs.forget(stream)


@dataclass(frozen=True)
class Said:
    """The words that are to be found nowhere."""

    name: str
    iban: str
    note: str


async def bank_day(engine: Engine, said: Said) -> None:
    """What waits goes to the bank in a file, and a file of the bank comes back: the payment, and one nobody knows."""
    by = By(actor=engine.supervisor, role="finance", at=datetime.now(UTC))
    [waiting] = await engine.pool.fetch(
        "SELECT t.reference, t.amount FROM transfers t JOIN payments p ON p.id = t.payment WHERE p.stream = $1",
        engine.stream,
    )
    given = await reconciling.give_out(engine.pool, RING, HOUSE, render, datetime.now(UTC).date(), by)
    assert said.iban.encode() in given.content and said.name.encode() in given.content
    whom = (
        f"<RltdPties><Cdtr><Pty><Nm>{said.name}</Nm></Pty></Cdtr><CdtrAcct><Id><IBAN>{said.iban}</IBAN></Id></CdtrAcct>"
        f"</RltdPties><RmtInf><Ustrd>{said.note}</Ustrd></RmtInf>"
    )
    amount = f"{waiting['amount'] / 100:.2f}"
    unknown = f"INCONNU{uuid4().hex[:12]}"
    statement = camt053(
        entry(amount, more=details(waiting["reference"], whom)), entry("3.21", more=details(unknown, whom))
    )
    digest = hashlib.sha256(statement).hexdigest()
    pieces = received(io.BytesIO(statement))
    await reconciling.take_in(engine.pool, RING, Incoming(digest, pieces), HOUSE, by, "file")

    async def client() -> Client:
        return engine.client

    told = await reconciling.tell(engine.pool, RING, client, engine.queue, await engine.now(), digest)
    assert told.taken == 1, told
    [odd] = [row for row in await bank_files.exceptions(engine.pool, RING) if row.reference == unknown]
    assert (odd.name, odd.iban) == (said.name, said.iban) and said.note in odd.about
    await bank_files.resolve(engine.pool, odd, "not-ours", said.note, by)


async def on_paper(engine: Engine, said: Said) -> None:
    """A letter that somebody prints and posts."""
    letter = Letter(
        id=str(uuid4()), to=said.name, subject=said.note, body=f"{said.name}, {said.note}", lang="fr",
        at=datetime.now(UTC), about=engine.stream,
    )  # fmt: skip
    assert (await Paper(engine.pool).send(letter)).fate is Fate.SENT
    await paper_letters.posted(engine.pool, letter.id, By(actor=engine.referent, role="referent", at=letter.at))


async def keep_history(engine: Engine, resources: Resources) -> None:
    """The runs of a journey that has ended, kept."""
    assert await ActivityEnvironment().run(Archive(resources).keep) >= 1


async def browse(stack: RealStack, database: str, engine: Engine, said: Said, home: Path) -> None:
    """Pages asked for, forms sent, addresses mistyped and an error that quotes what was typed, at a real server."""
    settings = load_settings(data_dir=home / "web", signing_key=RING.keys["test"].hex(), signing_key_id="test")
    async with open_house(settings, database, stack.temporal) as house:
        server = serving.server_of(house, "127.0.0.1", 0)
        running = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.05)
        [socket] = server.servers[0].sockets
        base = f"http://127.0.0.1:{socket.getsockname()[1]}"
        cookie = {"session": await sessions.open_session(engine.pool, engine.referent, "password")}
        same = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(base_url=base, cookies=cookie, headers=same, timeout=30) as browser:
            for path in (f"/recherche?q={said.name}", f"/{said.name}", f"/lien/{said.iban}", f"/parcours/{said.note}"):
                await browser.get(path, headers={"User-Agent": said.note, "Referer": f"{base}/{said.name}"})
            await browser.post("/connexion", data={"handle": said.name, "password": said.note})
            failed = await browser.get(f"/recherche?q={said.name} {STUMBLE}")
            assert failed.status_code == 500 and said.name not in failed.text
        reader, writer = await asyncio.open_connection("127.0.0.1", socket.getsockname()[1])
        writer.write(f"{said.note} / HTTP/9.9\r\n{said.name}\r\n\r\n".encode())
        with suppress(ConnectionError):
            await writer.drain()
            await reader.read(1_000)
        writer.close()
        server.should_exit = True
        await running


STUMBLE = "trébuche"
"""Whoever searches for this meets an error."""


def opened(kept: bytes) -> bytes:
    """A kept history with every layer taken off that needs no key: what was deflated, what is text for bytes."""
    plain = kept
    for start in range(min(len(kept), 200)):
        with suppress(zlib.error):
            plain += zlib.decompress(kept[start:])
            break
    else:
        return plain
    found: list[Any] = [json.loads(plain[len(kept) :])]
    for each in found:  # grows while it is read
        if isinstance(each, dict):
            found += each.values()
        elif isinstance(each, list):
            found += each
        elif isinstance(each, str):
            with suppress(ValueError):
                plain += b64decode(each, validate=True)
    return plain
