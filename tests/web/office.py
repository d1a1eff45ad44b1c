"""A whole office for the pages: a real engine and worker, staff with sessions, a journey of a known person."""

import html
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx

from journeys.app.web.application import make_application
from journeys.app.web.house import open_house
from journeys.domain import commands as c
from journeys.settings import load_settings
from journeys.store.people import Details, register
from tests.conftest import RealStack
from tests.web.conftest import BY, Ground, form
from tests.web.pace import Unhurried
from tests.workflow.conftest import RING, Engine, make_engine

PDF = b"%PDF-1.7\n" + b"a signed plan \xff\x00" * 200
PNG = b"\x89PNG\r\n\x1a\n" + bytes(300)
_COMMAND = re.compile(r'name="(command|seen)" value="([^"]*)"')


def zipped(*names: str, **stored: str) -> bytes:
    """A ZIP archive with these members, as word processors write it."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in stored.items():
            archive.writestr(zipfile.ZipInfo(name), text)
        for name in names:
            archive.writestr(name, "x" * 50)
    return made.getvalue()


@dataclass
class Office(Ground):
    """A ground whose engine answers."""

    engine: Engine
    staff: dict[str, str]
    journey_id: str

    @property
    def stream(self) -> str:
        return f"journey-{self.journey_id}"

    @property
    def path(self) -> str:
        return f"/parcours/{self.journey_id}"

    async def enter(self, handle: str) -> "Desk":
        """Somebody at their desk."""
        token = await self.session(self.staff[handle])
        return Desk(self, token, self.browser(token))

    async def kept(self) -> list[tuple[str, int]]:
        """Digest of each document kept, and how many hold it."""
        rows = await self.house.writing.fetch(
            "SELECT encode(digest, 'hex') AS digest, (SELECT count(*) FROM document_holds h"
            " WHERE h.stream = d.stream AND h.digest = d.digest) AS holds FROM documents d ORDER BY stored_at"
        )
        return [(row["digest"], row["holds"]) for row in rows]


@dataclass
class Desk:
    """One member's browser."""

    office: Office
    token: str
    client: httpx.AsyncClient

    async def get(self, path: str = "") -> httpx.Response:
        return await self.client.get(self.office.path + path)

    async def open(self, command: str, query: str = "") -> dict[str, str]:
        """The hidden fields of a command's form."""
        page = await self.get(f"/agir/{command}{query}")
        assert page.status_code == 200, page.text
        return form(self.token, **{name: html.unescape(value) for name, value in _COMMAND.findall(page.text)})

    async def send(
        self, command: str, file: tuple[str, bytes] | None = None, hidden: dict[str, str] | None = None, **typed: str
    ) -> httpx.Response:
        """Fill a command's form with a file and send it."""
        fields = {**(hidden or await self.open(command)), **typed}
        # What a browser says of the type is never believed.
        files = {"document": (*file, "text/html")} if file is not None else {"document": ("", b"")}
        return await self.client.post(f"{self.office.path}/agir/{command}", data=fields, files=files)

    async def show(self, name: str = "plan.pdf", content: bytes = PDF) -> httpx.Response:
        """Show a document for the exit plan."""
        return await self.send("add-evidence", (name, content), milestone="exit-plan", kind="exit-plan")


@asynccontextmanager
async def open_office(
    stack: RealStack, pool: Any, database_url: str, home: Path, **settings: Any
) -> AsyncIterator[Office]:
    """Aline leads a journey, Bob another; Sam supervises, Fin pays, Aude reads all."""
    engine = await make_engine(stack, pool)
    known = load_settings(
        data_dir=home, signing_key=RING.keys["test"].hex(), signing_key_id="test", task_queue=engine.queue,
        association="Auxilia", **settings,
    )  # fmt: skip
    async with open_house(known, database_url, stack.temporal) as house, engine.worker():
        ground = Ground(house, make_application(house, pace=Unhurried()), database_url)
        roles = {"aline": "referent", "bob": "referent", "sam": "supervisor", "fin": "finance", "aude": "auditor"}
        staff = {handle: await ground.member(handle, role) for handle, role in roles.items()}
        engine.referent, engine.supervisor, engine.finance = staff["aline"], staff["sam"], staff["fin"]
        person, now = engine.person, datetime.now(UTC)
        await register(house.writing, person, Details(first_name="Samir", last_name="Benali"), BY)
        plan = c.Plan(
            person=person, programme=engine.programme, calendar=engine.calendar, referent=engine.referent,
            dates={"release": now.date() + timedelta(days=40)},
        )  # fmt: skip
        answer = await engine.send(engine.command(plan, now))
        assert answer.outcome == "accepted"
        yield Office(house, ground.application, database_url, engine, staff, engine.stream.removeprefix("journey-"))
