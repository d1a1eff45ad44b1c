"""The command line of whoever handles the bank's files, with places to die at put in from outside.

Reads the arguments of `journeys` as JSON, a line a command, and runs each in a process of its own; answers its exit
code (-9 when it was killed). The modules are loaded once. Environment: FAULTS_HOME, the orders and the log.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from journeys.app import reconciling
from journeys.app.cli import main
from journeys.domain.directory import BankFileImported, BatchMade
from journeys.store import bank_files, batches
from tests.faults.points import MoneyPoint, Orders

ORDERS = Orders(Path(os.environ["FAULTS_HOME"]))


def put_in() -> None:
    """Before the product's own functions are called, or right after them."""
    make, give_out, take_in, told = batches.make, batches.give_out, bank_files.take_in, bank_files.told
    record_batch, record_file = batches.record, bank_files.record

    async def record_or_die(connection: Any, stream: str, facts: Any, by: Any, *more: Any) -> int:
        record = record_batch if isinstance(facts[0].data, BatchMade) else record_file
        seq = await record(connection, stream, facts, by, *more)
        match facts[0].data:
            case BatchMade():
                ORDERS.strike(MoneyPoint.BATCH_INSIDE, "")
            case BankFileImported():
                ORDERS.strike(MoneyPoint.IMPORT_INSIDE, "")
            case _:
                pass
        return seq

    async def make_or_die(*asked: Any) -> Any:
        made = await make(*asked)
        ORDERS.strike(MoneyPoint.BATCH_AFTER, "")
        return made

    async def give_or_die(*asked: Any) -> bytes:
        content = await give_out(*asked)
        ORDERS.strike(MoneyPoint.GIVEN_AFTER, "")
        return content

    async def take_or_die(*asked: Any) -> Any:
        taken = await take_in(*asked)
        ORDERS.strike(MoneyPoint.IMPORT_AFTER, "")
        return taken

    async def told_or_die(*asked: Any) -> None:
        ORDERS.strike(MoneyPoint.TOLD, "")
        await told(*asked)

    batches.record = bank_files.record = record_or_die
    batches.make, batches.give_out = make_or_die, give_or_die
    bank_files.take_in, bank_files.told = take_or_die, told_or_die
    assert reconciling.batches is batches and reconciling.bank_files is bank_files


def run(words: list[str]) -> int:
    """One command, in a child: what it says goes into the log."""
    child = os.fork()
    if not child:
        log = os.open(ORDERS.home / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(log, f"{' '.join(words)}\n".encode())
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.argv = ["journeys", *words]
        try:
            main()
        finally:
            os._exit(70)  # It leaves by itself.
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    put_in()
    for line in sys.stdin:
        print(run(json.loads(line)), flush=True)
