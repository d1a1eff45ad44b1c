"""Staff of every role and a real journey of every scope, over the real engine: what the matrix is asked of."""

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, Final

import httpx
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from journeys import contract, temporal
from journeys.app.entry import Actor, give, make_command
from journeys.app.publishing import rules
from journeys.app.starting import Beginning, Starter
from journeys.app.web.application import make_application
from journeys.app.web.house import House, open_house
from journeys.app.web.visit import csrf_of
from journeys.authoring.reading import read_programme
from journeys.contract import Answer, Append, Appended
from journeys.domain import cohort
from journeys.domain import commands as c
from journeys.domain.cohort import Deciding
from journeys.domain.directory import CohortOpened
from journeys.settings import load_settings
from journeys.store import cohorts, journal, sessions, staff, treasury
from journeys.store.people import Details
from journeys.store.staff import Absence, Member
from tests.conftest import RealStack
from tests.days import paris_today
from tests.web.conftest import BY, Ground
from tests.web.pace import Unhurried
from tests.workflow.conftest import World
from workflows.journey import JourneyWorkflow

FUND: Final = "parvis-solidaire"
OTHER_FUND: Final = "fonds-du-rhone"
HERE, ELSEWHERE = "nanterre", "lyon"
CAST: Final[dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "aline": ("referent", (HERE,), ()), "sam": ("supervisor", (HERE,), ()), "fin": ("finance", (HERE,), (FUND,)),
    "garde": ("duty", (), ()), "aude": ("auditor", (), ()), "ada": ("administrator", (), ()),
    "mona": ("mentor", (), ()), "pat": ("partner", (), ()), "paul": ("participant", (), ()),
    "bob": ("referent", (), ()), "carl": ("referent", (ELSEWHERE,), ()), "dora": ("referent", (ELSEWHERE,), ()),
}  # fmt: skip
"""Handle: role, sites, funds. The first of a role stands for it."""
FAMILY: Final = "Matriciel"
"""The word that finds every person of the scene."""


class Desk(World):
    """The world of the workflow's tests, over a journal that trusts the house's keys."""

    ring: Any = None

    @activity.defn(name=contract.APPEND)
    async def append(self, request: Append) -> Appended:
        return await journal.append(self.pool, self.ring, request)


@dataclass
class Scene:
    """The house, its people by handle, its journeys by scope."""

    ground: Ground
    client: Client
    people: dict[str, Member] = field(default_factory=dict)
    journeys: dict[str, str] = field(default_factory=dict)
    grants: dict[str, str] = field(default_factory=dict)
    """The grant that was asked, by scope."""
    cohort: str = ""
    """One of two places, in which are a journey of here and one of elsewhere; a third waits."""
    kept: dict[str, str] = field(default_factory=dict)
    """The open session of a role. The limit of pace looks through all that it met in the last minute."""

    @property
    def house(self) -> House:
        return self.ground.house

    def name(self, scope: str) -> str:
        """What the person of a scope is called, as pages show it."""
        return f"Zoé {scope.capitalize()} {FAMILY}"

    def holder(self, role: str) -> Member:
        """The one who stands for a role."""
        return next(each for each in self.people.values() if role in each.roles)

    async def browser(self, role: str | None) -> httpx.AsyncClient:
        """A browser with the session of a role, or of nobody."""
        if role is not None and role not in self.kept:
            holder = self.holder(role).id
            self.kept[role] = await sessions.open_session(self.house.writing, holder, "password")
        return self.ground.browser(self.kept[role] if role else None)

    def actor(self, handle: str) -> Actor:
        member = self.people[handle]
        return Actor(member.id, member.name, member.roles, member.sites, member.funds)

    async def do(self, handle: str, scope: str, body: Any, **texts: str) -> Answer:
        """Give a command as somebody, past every page. It must be accepted; then the engine has noted it, too."""
        stream = f"journey-{self.journeys[scope]}"
        command = make_command(
            self.house.ring, stream=stream, body=body, actor=self.actor(handle), now=self.house.now, texts=texts
        )
        answer = await give(self.house.writing, self.client, command, self.house.settings.task_queue)
        assert answer.outcome == "accepted", (scope, body.name, answer)
        # Heard from the journal, it may come before the engine's own history holds it.
        await self.client.get_workflow_handle(stream).get_update_handle(command.id, result_type=Answer).result()
        return answer

    async def begin(self, scope: str, leader: str, site: str | None, programme: str) -> None:
        known = rules(programme, self.house.now.date())
        wanted = Beginning(
            details=Details(first_name="Zoé", last_name=f"{scope.capitalize()} {FAMILY}"), site=site,
            referent=self.people[leader], dates={"release": paris_today() + timedelta(days=40)},
        )  # fmt: skip
        starter = Starter(self.house.writing, self.house.ring, known, self.actor("sam"))
        begun = await starter.begin(self.client, self.house.settings.task_queue, wanted, self.house.now)
        self.journeys[scope] = begun.id

    async def _gather(self, *scopes: str) -> None:
        self.cohort = str(uuid.uuid4())
        fact = CohortOpened(programme="auxilia", places=2, order=("release",), dates={})
        await cohorts.open_cohort(self.house.writing, self.cohort, "Promotion", fact, BY)
        for scope in scopes:

            def join(work: Deciding, journey: str = self.journeys[scope]) -> None:
                cohort.join(work, journey, "auxilia", over=False)

            await cohorts.change(self.house.writing, self.cohort, join, BY)

    async def settle(self) -> "Scene":
        """Everybody and everything in place."""
        for handle, (role, sites, funds) in CAST.items():
            member = Member(id=str(uuid.uuid4()), handle=handle, name=handle.capitalize(), email=None, phone=None,
                            language="fr", roles=(role,), sites=sites, active=True, funds=funds)  # fmt: skip
            await staff.add(self.house.writing, member, BY)
            self.people[handle] = member
        for code in (FUND, OTHER_FUND):
            await treasury.open_fund(
                self.house.writing, str(uuid.uuid4()), code, cap_per_person=None, balance=1_000_000, by=BY
            )
        today = paris_today()
        away = Absence(self.people["dora"].id, today - timedelta(1), today + timedelta(1), self.people["aline"].id)
        await staff.set_absence(self.house.writing, away, BY)
        usual, other = programmes()
        for scope, leader, site, programme in (
            ("own", "aline", HERE, usual), ("colleague", "bob", HERE, usual), ("nowhere", "bob", None, usual),
            ("elsewhere", "carl", ELSEWHERE, usual), ("fund", "carl", ELSEWHERE, usual),
            ("other-fund", "carl", ELSEWHERE, other), ("absent", "dora", ELSEWHERE, usual),
            ("former", "aline", ELSEWHERE, usual), ("asked", "carl", ELSEWHERE, usual),
            ("closed", "aline", HERE, usual),
        ):  # fmt: skip
            await self.begin(scope, leader, site, programme)
        for scope in ("fund", "other-fund"):
            body = c.RequestGrant(grant="bourse", purpose="training", amount=60_000)
            self.grants[scope] = (
                await self.do("carl", scope, body, payee="École, FR76 3000 6000 0112 3456 7890 189")
            ).command
        await self.do("sam", "former", c.AssignReferent(referent=self.people["carl"].id))
        await self.do("carl", "asked", c.Transfer(to=self.people["aline"].id))
        await self.do("sam", "closed", c.Close(outcome="lost"))
        await self._gather("own", "elsewhere", "colleague")
        return self


@cache
def programmes() -> tuple[str, str]:
    """The usual programme, and the same under another name whose grants come from another fund."""
    usual = read_programme("auxilia").text
    other = json.loads(usual)
    other["programme"] = "auxilia-rhone"
    other["grants"]["bourse"]["fund"] = OTHER_FUND
    return usual, json.dumps(other)


@asynccontextmanager
async def open_scene(stack: RealStack, database_url: str, data_dir: Any) -> AsyncIterator[Scene]:
    """A scene with a worker of its own."""
    settings = load_settings(data_dir=data_dir, signing_key="ab" * 32, task_queue=f"matrix-{uuid.uuid4()}")
    async with open_house(settings, database_url, stack.temporal) as house:
        desk = Desk(house.writing)
        desk.ring = house.ring
        client = await house.client()
        async with Worker(
            client, task_queue=settings.task_queue, workflows=[JourneyWorkflow], activities=desk.activities(),
            workflow_runner=temporal.sandbox_runner(),
        ):  # fmt: skip
            application = make_application(house, pace=Unhurried())
            yield await Scene(Ground(house, application, database_url), client).settle()


def token_in(browser: httpx.AsyncClient) -> str:
    """What the forms of this browser carry."""
    return csrf_of(browser.cookies.get("session") or browser.cookies["before"])


@contextmanager
def short_streams(monkeypatch: Any) -> Iterator[None]:
    """Server-sent events that end after a few looks."""
    from journeys.app.web.pages import changes

    with monkeypatch.context() as patch:
        patch.setattr(changes, "LOOK_SECONDS", 0.01)
        patch.setattr(changes, "LONGEST_SECONDS", 0.03)
        yield
