"""What idle journeys cost the worker that has them in its cache."""

import asyncio
from pathlib import Path

from benchmarks.commands import planned, started
from benchmarks.ground import Ground, Worker
from benchmarks.measuring import Figure, Target, alone

IDLE = 1_000
WARM = 30
"""Journeys before the first look: programme compiled, pools open, buffers grown."""
SETTLE_SECONDS = 3


async def measure(ground: Ground, rounds: int) -> list[Figure]:
    """One round: a process that has once held a thousand journeys does not give everything back."""
    place = await ground.place()
    async with place.worker() as worker:
        await planned(place, worker, WARM)
        ours = await _grown(worker, planned(place, worker, IDLE - WARM))
    async with place.worker() as worker:
        await started(place.client, worker, WARM)
        bare = await _grown(worker, started(place.client, worker, IDLE - WARM))
    scale = IDLE / (IDLE - WARM)
    return [
        alone(
            "memory that 1,000 idle cached journeys add to the worker", "MB", [ours * scale], Target("at most", 150),
            f"1,000 bare workflows add {bare * scale:.0f} MB",
        )
    ]  # fmt: skip


async def _grown(worker: Worker, work: object) -> float:
    before = await _resident(worker)
    await work  # type: ignore[misc]
    return await _resident(worker) - before


async def _resident(worker: Worker) -> float:
    """Megabytes (10^6) of the process that are in memory, once it is at rest."""
    await asyncio.sleep(SETTLE_SECONDS)
    for line in Path(f"/proc/{worker.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("the worker is gone")
