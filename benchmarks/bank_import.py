"""A statement of 100,000 lines taken in: python -m benchmarks.bank_import [LINES].

Each line is the debit of a transfer of ours, with its reference, amount, name and IBAN. The file is read by the
product's own reader in a process of its own, judged line by line, and written into PostgreSQL in one transaction;
seconds are those of the import alone, memory is the most that its process had.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from benchmarks.ground import Ground, Place
from benchmarks.measuring import Target, alone, keep_quiet, told
from journeys.channels.sepa.receiving import received
from journeys.domain.banking import reference_of
from journeys.domain.payee import Payee
from journeys.leaving import leave
from journeys.store import bank_files, bank_years
from journeys.store.bank_files import Incoming
from journeys.store.batches import place_of_transfer
from journeys.store.database import Pool, open_pool
from journeys.store.directory import By
from journeys.store.signing import KeyRing

LINES: Final = 100_000
OURS: Final = "FR7630006000011234567890189"
PAYEE: Final = Payee("Camille Durand", "FR1420041010050500013M02606")
RING: Final = KeyRing("bench", {"bench": b"b" * 32})
BY: Final = By(actor="00000000-0000-7000-8000-000000000001", role="finance", at=datetime(2027, 5, 13, 8, tzinfo=UTC))
_AT_ONCE: Final = 10_000

_HEAD: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>RELEVE-1</MsgId><CreDtTm>2027-05-12T19:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>RELEVE-1</Id><CreDtTm>2027-05-12T19:00:00Z</CreDtTm><Acct><Id><IBAN>{OURS}</IBAN></Id><Ccy>EUR</Ccy></Acct>
"""
_BALANCE: Final = (
    "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{cents}.00</Amt>"
    "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2027-05-12</Dt></Dt></Bal>\n"
)  # fmt: skip
_ENTRY: Final = (
    "<Ntry><Amt Ccy=\"EUR\">50.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
    "<BookgDt><Dt>2027-05-12</Dt></BookgDt><ValDt><Dt>2027-05-12</Dt></ValDt><AcctSvcrRef>B{nth}</AcctSvcrRef>"
    "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
    "<NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs><Amt Ccy=\"EUR\">50.00</Amt>"
    "<CdtDbtInd>DBIT</CdtDbtInd><RltdPties><Cdtr><Pty><Nm>{name}</Nm></Pty></Cdtr><CdtrAcct><Id><IBAN>{iban}</IBAN></Id>"
    "</CdtrAcct></RltdPties><RmtInf><Ustrd>Versement Association Exemple</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
)  # fmt: skip


def statement(payments: list[str]) -> Iterator[str]:
    """The file, piece by piece."""
    opening = 50 * len(payments)
    yield _HEAD + _BALANCE.format(code="OPBD", cents=opening) + _BALANCE.format(code="CLBD", cents=0)
    for nth, payment in enumerate(payments, start=1):
        yield _ENTRY.format(nth=nth, reference=reference_of(payment), name=PAYEE.name, iban=PAYEE.iban)
    yield "</Stmt></BkToCstmrStmt></Document>\n"


async def sent(pool: Pool, payments: list[str]) -> None:
    """These payments, in files that were given out."""
    for begin in range(0, len(payments), _AT_ONCE):
        some, batch = payments[begin : begin + _AT_ONCE], str(uuid.uuid4())
        await pool.execute(
            """
            INSERT INTO payments (id, stream, seq, grant_id, number, fund, person, amount, pay_by, reference, status,
                                  since, moved)
            SELECT id, 'journey-' || id, 1, id, 1, 'bench', id, 5000, 'sepa', reference, 'instructed', now(), 1
            FROM unnest($1::uuid[], $2::text[]) AS made (id, reference)
            """,
            some, list(map(reference_of, some)), timeout=60,
        )  # fmt: skip
        payees = [(PAYEE.text.encode(), place_of_transfer(each)) for each in some]
        await pool.execute(
            "INSERT INTO transfers (payment, reference, amount, sealed)"
            " SELECT id, reference, 5000, sealed"
            " FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS made (id, reference, sealed)",
            some, list(map(reference_of, some)), await bank_years.seal_all(pool, BY.at.year, payees), timeout=60,
        )  # fmt: skip
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO batch_transfers (payment, batch) SELECT unnest($1::uuid[]), $2", some, batch, timeout=60
            )
            await connection.execute(
                "INSERT INTO batches (id, message, execute_on, made_at, made_by, number, total, digest)"
                " VALUES ($1, $2, $3, $4, 'bench', $5, $6, sha256('bench'))",
                batch, reference_of(batch), date(2027, 5, 12), BY.at, len(some), 5_000 * len(some),
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO batch_givings (batch, given_at, given_by, seq) VALUES ($1, $2, 'bench', 1)", batch, BY.at
            )


async def child(dsn: str, path: Path) -> None:
    """The import, alone in its process: what it took goes to stdout."""
    pool = await open_pool(dsn, largest=1)
    since, spent = time.perf_counter(), time.process_time()
    with path.open("rb") as source:
        found = await bank_files.take_in(pool, RING, Incoming("ab" * 32, received(source)), OURS, BY)
    seconds = time.perf_counter() - since
    processor = time.process_time() - spent
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    waiting = await bank_files.count_waiting(pool)
    figures = {"seconds": seconds, "processor": processor, "memory": memory}
    print(json.dumps({**figures, "lines": found.fresh, "wrong": found.troubled, "told": waiting}))
    await pool.close()


def _secret(place: Place) -> str:
    """The key-encryption key: the child reads for whom transfers are."""
    assert place.settings.sealing_key is not None
    return place.settings.sealing_key.get_secret_value()


async def measure(lines: int) -> str:
    """The table of figures."""
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "camt.053.xml"
        async with Ground() as ground:
            place = await ground.place()
            payments = [str(uuid.uuid4()) for _ in range(lines)]
            await sent(place.pool, payments)
            with path.open("w") as file:
                file.writelines(statement(payments))
            dsn = place.settings.database_url or ""
            done = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-m", "benchmarks.bank_import", "--child", dsn, str(path)],
                check=True, capture_output=True, text=True, env={**os.environ, "JOURNEYS_SEALING_KEY": _secret(place)},
            )  # fmt: skip
            size = path.stat().st_size / 1e6
    found = json.loads(done.stdout)
    if (found["lines"], found["wrong"], found["told"]) != (lines, 0, lines):
        raise RuntimeError(f"not what the file says: {found}")
    said = f"a camt.053 of {lines:,} lines ({size:.0f} MB) imported"
    return told(
        [
            alone(
                said,
                "s",
                [found["seconds"]],
                Target("at most", 60),
                f"read, judged, written in one transaction; of processor {found['processor']:.0f} s",
            ),
            alone(f"{said}: the most memory of its process", "MB", [found["memory"]], Target("at most", 500), ""),
        ],
        as_json=False,
    )


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        asyncio.run(child(sys.argv[2], Path(sys.argv[3])))
    else:
        keep_quiet()
        print(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else LINES)))
    leave(0)


if __name__ == "__main__":
    main()
