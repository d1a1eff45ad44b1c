"""`audit verify` with its replay, against Temporal's Replayer alone on the same history."""

import time

from temporalio.worker import Replayer

from benchmarks.actions import COHORT, LIFE, play_ours
from benchmarks.ground import Ground
from benchmarks.measuring import Figure, Target, compared, in_turns
from journeys import temporal
from journeys.audit.history import read_chain
from journeys.audit.verifying import Sources, verify
from journeys.local.lives import LIVES, read_lives
from workflows.journey import JourneyWorkflow


async def measure(ground: Ground, rounds: int) -> list[Figure]:
    place = await ground.place(time_skipping=True)
    lives = read_lives(LIVES / f"{COHORT}.yaml")
    played = await play_ours(place, lives, lives.cohort.lives[LIFE])
    sources = Sources(place.pool, place.ring, place.client, (JourneyWorkflow,), ())
    chain = await read_chain(place.client, played.stream)
    if chain is None:
        raise RuntimeError("no history")

    async def ours() -> float:
        begun = time.perf_counter()
        verification = await verify(sources, played.stream)
        took = time.perf_counter() - begun
        if len(verification.accounts) != 5:
            raise RuntimeError(verification)
        return took * 1000

    async def alone() -> float:
        begun = time.perf_counter()
        spoken = temporal.JourneysPlugin(place.client.data_converter)
        replayer = Replayer(workflows=[JourneyWorkflow], plugins=[spoken])
        for history in chain.histories:
            await replayer.replay_workflow(history)
        return (time.perf_counter() - begun) * 1000

    # Somebody has to answer for the workflow: the journey is closed, so that its worker replays it to answer.
    async with place.worker(played.queue):
        turns = await in_turns(ours, alone, rounds=rounds)
        verification = await verify(sources, played.stream)
    return [
        compared(
            "audit verify with replay, against the Replayer alone", "ms",
            [(mine, reference) for mine, reference in turns], Target("at most", 1.5),
            f"{sum(len(history.events) for history in chain.histories)} history events, {verification.seq} events; "
            + ", ".join(f"{account.name.value} {account.verdict.value}" for account in verification.accounts),
        )
    ]  # fmt: skip
