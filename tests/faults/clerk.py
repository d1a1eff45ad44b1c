"""The command line of whoever handles the bank's files, with places to die at put in from outside.

clerk.py ARGUMENTS OF journeys …   (environment: FAULTS_HOME, the orders)
"""

import os
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


if __name__ == "__main__":
    put_in()
    main()
