"""The fleet's round: what was brought for a command that was never taken goes, what has grown is counted anew."""

import hashlib
import uuid
from datetime import date

import asyncpg

from activities.fleet import CUT_OFF, Fleet
from journeys.domain import commands as c
from journeys.domain.document import Document
from journeys.store import documents
from tests.activities.conftest import Life


async def test_what_was_cut_off_goes_and_what_the_journal_took_stays(life: Life, shared_database: str) -> None:
    taken, lost = b"%PDF-1.7 taken", b"%PDF-1.7 lost"
    digest = hashlib.sha256(taken).hexdigest()
    told = Document(digest=digest, name="a.pdf", kind="pdf", size=len(taken)).as_part()
    noted = await life.do(c.AddNote(), text="vu", document=told)
    await documents.keep(life.pool, life.stream, noted.command, digest, taken)
    await documents.keep(life.pool, life.stream, str(uuid.uuid4()), hashlib.sha256(lost).hexdigest(), lost)

    await Fleet(life.resources).wake()
    assert len(await documents.standing(life.pool, life.stream)) == 2, "not a day old"
    owner = await asyncpg.connect(shared_database)
    await owner.execute("UPDATE document_holds SET held_at = held_at - $1::interval", CUT_OFF)
    await owner.close()
    await Fleet(life.resources).wake()
    assert await documents.standing(life.pool, life.stream) == {digest: True}


async def test_a_journey_that_has_grown_is_counted_with_the_next_round(life: Life) -> None:
    async def counted() -> tuple[int, date | None]:
        row = await life.pool.fetchrow("SELECT seq, begun FROM counted WHERE journey = $1", life.stream[8:])
        return row["seq"], row["begun"]

    await Fleet(life.resources).wake()
    assert await counted() == (life.state.seq, life.state.start)
    await life.do(c.AddNote(), text="vu")
    assert (await counted())[0] < life.state.seq
    await Fleet(life.resources).wake()
    assert await counted() == (life.state.seq, life.state.start)
