"""The references on Temporal: workflows that do as little as can be done with the same means."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

ROW = b"x" * 600
INSERT = "bare.insert"
INSERT_MANY = "bare.insert-many"
INSERT_WAITED = "bare.insert-waited"
TIMEOUT = timedelta(seconds=10)


@workflow.defn(name="bare")
class Bare:
    """Waits for ever, and answers updates."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def nothing(self) -> None:
        """An empty update: the least that Temporal can acknowledge."""

    @workflow.update
    async def insert(self) -> None:
        """An update that awaits one ordinary activity with one insert."""
        await workflow.execute_activity(INSERT, start_to_close_timeout=TIMEOUT)


class BareInput(BaseModel):
    """What a bare workflow is started with; `filling` makes it as long as what a journey gets."""

    batch: str
    rows: int
    filling: str


@workflow.defn(name="bare-begins")
class BareBegins:
    """Begins with one local activity that inserts so many rows, then waits for ever."""

    @workflow.run
    async def run(self, given: BareInput) -> None:
        await workflow.execute_local_activity(INSERT_MANY, given, start_to_close_timeout=TIMEOUT)
        await workflow.wait_condition(lambda: False)


class BareWaitsInput(BaseModel):
    """Until when a bare workflow waits."""

    batch: str
    until: datetime


@workflow.defn(name="bare-waits")
class BareWaits:
    """One timer, then one local activity that inserts a row."""

    @workflow.run
    async def run(self, given: BareWaitsInput) -> None:
        await workflow.sleep(given.until - workflow.now())
        await workflow.execute_local_activity(INSERT_WAITED, given.batch, start_to_close_timeout=TIMEOUT)


@dataclass(frozen=True, slots=True)
class BareRows:
    """The activities of the references, on the same pool as the product's."""

    pool: Any

    @activity.defn(name=INSERT)
    async def insert(self) -> None:
        await self.pool.execute("INSERT INTO bare (batch, body) VALUES ($1, $2)", "", ROW)

    @activity.defn(name=INSERT_MANY)
    async def insert_many(self, given: BareInput) -> None:
        await self.pool.execute(
            "INSERT INTO bare (batch, body) SELECT $1, each FROM unnest($2::bytea[]) AS each",
            given.batch,
            [ROW] * given.rows,
        )

    @activity.defn(name=INSERT_WAITED)
    async def insert_waited(self, batch: str) -> None:
        await self.pool.execute("INSERT INTO bare_waited (batch, body) VALUES ($1, $2)", batch, ROW)

    def all(self) -> list[Callable[..., Any]]:
        return [self.insert, self.insert_many, self.insert_waited]


def new_id() -> str:
    return f"bare-{uuid.uuid4()}"
