"""A whole installation for programs: `journeys up`, the application on a port of its own, staff of every role."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from journeys.domain.rights import ROLES
from journeys.identifiers import uuid7
from journeys.settings import load_settings
from journeys.store import mentors, partners, sessions, staff, tokens, treasury
from journeys.store.database import open_pool
from journeys.store.directory import By
from journeys.store.keys import Keys
from journeys.store.mentors import Mentor
from journeys.store.partners import Partner
from journeys.store.staff import Member
from tests.app.conftest import REPOSITORY, gone_up, plain_environment
from tests.days import paris_today

STAFF_ROLES = tuple(role for role in ROLES if role not in ("participant",))


def fresh() -> str:
    """A UUIDv7."""
    return uuid7(datetime.now(UTC))


@dataclass
class Site:
    """Where it is, and who there is."""

    url: str
    data_dir: Path
    database: str
    temporal: str
    staff: dict[str, str] = field(default_factory=dict)
    """Id by role."""
    tokens: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    journeys: list[str] = field(default_factory=list)
    partner: str = ""
    mentor: str = ""

    def client(self, role: str | None = "referent", **headers: str) -> httpx.Client:
        """A program with a role's token, or with none; it reads no certificates, which takes 30 ms and helps nobody."""
        brought = {"Authorization": f"Bearer {self.tokens[role]}"} if role is not None else {}
        return httpx.Client(
            base_url=f"{self.url}/api/v1", headers={**brought, "Accept-Language": "en", **headers}, timeout=60,
            verify=False,
        )  # fmt: skip

    def start(self, **more: Any) -> str:
        """Begin a journey of a person never seen before; its id."""
        key = fresh()
        name = uuid.uuid4().hex[:10]
        body = {
            "programme": "auxilia", "person": {"first_name": "Essai", "last_name": f"N{name}"},
            "referent": self.staff["referent"], "dates": {"release": str(paris_today() + timedelta(days=60))}, **more,
        }  # fmt: skip
        with self.client() as program:
            answer = program.post("/journeys", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text
        return key

    @asynccontextmanager
    async def pool(self) -> AsyncIterator[Any]:
        """The store as the application's writer, with its keys."""
        keys = Keys.beside(self.database, load_settings(data_dir=self.data_dir))
        pool = await open_pool(self.database, largest=1, keys=keys)
        try:
            yield pool
        finally:
            await pool.close()

    def query(self, ask: Any) -> Any:
        """Ask the store as the application's writer."""

        async def asked() -> Any:
            async with self.pool() as pool:
                return await ask(pool)

        return asyncio.run(asked())


@contextmanager
def open_site(journeys: int = 4) -> Iterator[Site]:
    """Start everything; nothing is left afterwards."""
    with gone_up() as up, (up.data_dir.parent / "server").open("w") as errors:
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("server_process.py")), str(up.data_dir)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=REPOSITORY,
            env=plain_environment(JOURNEYS_DATA_DIR=str(up.data_dir)),
        )  # fmt: skip
        assert server.stdin is not None and server.stdout is not None
        try:
            port = server.stdout.readline().strip()
            assert port, Path(errors.name).read_text()
            site = Site(f"http://127.0.0.1:{port}", up.data_dir, up.found["database_url"], up.found["temporal_address"])
            site.query(lambda pool: _settle(site, pool))
            site.journeys = [site.start() for _ in range(journeys)]
            yield site
        finally:
            server.stdin.close()
            server.wait(30)
            if os.environ.get("KEEP_LOGS"):
                sys.stderr.write(Path(errors.name).read_text()[-20_000:])


async def _settle(site: Site, pool: Any) -> None:
    """Staff of every role with a token and a session each, a mentor, a partner, a fund."""
    by = By(actor="system", role="system", at=datetime.now(UTC))
    for role in STAFF_ROLES:
        id = site.staff[role] = fresh()
        member = Member(id=id, handle=f"{role[:6]}-api", name=role.capitalize(), email=None, phone=None, language="fr",
                        roles=(role,), sites=(), active=True)  # fmt: skip
        await staff.add(pool, member, by)
        site.tokens[role] = await tokens.make(pool, fresh(), id, "essai")
        site.sessions[role] = await sessions.open_session(pool, id, "password")
    site.mentor, site.partner = fresh(), fresh()
    await mentors.add(pool, Mentor(id=site.mentor, name="Karim", email=None, phone=None, language="fr", site=None,
                                   capacity=40), by)  # fmt: skip
    await partners.add(pool, Partner(id=site.partner, name="Le Relais", kind="housing", email=None, phone=None,
                                     language="fr", site=None), by)  # fmt: skip
    await treasury.open_fund(pool, fresh(), "parvis-solidaire", cap_per_person=120_000, balance=100_000_000, by=by)
