"""The statement that the benchmark imports is one that the product takes, every line of it a transfer of ours."""

import io
import uuid
from typing import Any

from benchmarks.bank_import import BY, OURS, RING, sent, statement
from journeys.channels.sepa.receiving import received
from journeys.store import bank_files
from journeys.store.bank_files import Incoming


async def test_a_small_one_is_taken_whole(journal_pool: Any) -> None:
    payments = [str(uuid.uuid4()) for _ in range(30)]
    await sent(journal_pool, payments)
    content = "".join(statement(payments)).encode()
    file = Incoming("ab" * 32, received(io.BytesIO(content)))
    found = await bank_files.take_in(journal_pool, RING, file, OURS, BY)
    assert (found.lines, found.fresh, found.troubled) == (30, 30, 0)
    assert await bank_files.count_waiting(journal_pool) == 30
