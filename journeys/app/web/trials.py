"""Simulations asked for from a page: one at a time, in a process of its own, for so long and no longer."""

import asyncio
import multiprocessing
import os
import resource
import threading
from multiprocessing.connection import Connection
from typing import Final

from journeys.app.failures import Exit, Failure, Said
from journeys.app.trying import tried
from journeys.simulation.running import Trial
from journeys.simulation.tally import Tally

MOST: Final = 200
"""Lives of one simulation from a page; more are for the command line."""
LONGEST_SECONDS: Final = 60.0
_NICE: Final = 10
_MEMORY: Final = 1_000_000_000
"""Bytes."""


class Bench:
    """Where simulations run. The pages go on meanwhile."""

    def __init__(self, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._longest = longest_seconds
        self._taken = threading.Lock()

    async def run(self, trial: Trial) -> Tally:
        """What was counted. Raises Failure: another one runs, it took too long, or the rules turn in circles."""
        if not self._taken.acquire(blocking=False):
            raise _BUSY
        # The thread gives the bench back, also when nobody waits for it any more.
        return await asyncio.shield(asyncio.to_thread(self._run, trial))

    def _run(self, trial: Trial) -> Tally:
        # Spawned, not forked: the server has threads.
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe(duplex=False)
        child = context.Process(target=_play, args=(there, trial, self._longest), daemon=True)
        try:
            child.start()
            there.close()
            if not here.poll(self._longest):
                raise _TOO_LONG
            found: Tally | tuple[str, str, str, str] = here.recv()
        except EOFError:
            raise _BROKE from None
        finally:
            if child.pid is not None:
                child.kill()
                child.join()
            here.close()
            self._taken.release()
        if isinstance(found, tuple):
            raise Failure(Exit.FAILED, "stuck", Said(*found[:2]), Said(*found[2:]))
        return found


def _play(there: Connection, trial: Trial, seconds: float) -> None:
    """In the process of its own: behind everybody else, and with an end even if nobody waits."""
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    try:
        found: Tally | tuple[str, str, str, str] = tried(trial, 1, lambda played: None)
    except Failure as failure:
        remedy = failure.remedy or Said("", "")
        found = (failure.what.fr, failure.what.en, remedy.fr, remedy.en)
    there.send(found)


_BUSY: Final = Failure(
    Exit.CONFLICT, "busy",
    Said("une autre simulation est en cours ; celle-ci n'a pas commencé",
         "another simulation is running; this one has not begun"),
    Said("attendez une minute, puis recommencez : ce que vous avez choisi est gardé",
         "wait a minute, then try again: what you chose is kept"),
)  # fmt: skip
_TOO_LONG: Final = Failure(
    Exit.FAILED, "too-long",
    Said("la simulation durait trop longtemps et a été arrêtée", "the simulation took too long and was stopped"),
    Said("essayez avec moins de personnes, ou demandez-la à qui tient la machine : journeys programme simulate",
         "try with fewer people, or ask whoever keeps the machine for it: journeys programme simulate"),
)  # fmt: skip
_BROKE: Final = Failure(
    Exit.FAILED, "stopped",
    Said("la simulation s'est arrêtée avant la fin", "the simulation ended before its time"),
    Said("essayez avec moins de personnes", "try with fewer people"),
)  # fmt: skip
