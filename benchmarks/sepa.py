"""The files of a bank, each figure in a process of its own: python -m benchmarks.sepa [--rounds N] [--json].

Time is of the work alone, memory the most that its process ever had, the libraries among it. Never asserts.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.measuring import Figure, Target, alone, told
from journeys.channels.sepa.receiving import received
from journeys.channels.sepa.transfers import render
from journeys.domain.banking import Account, Batch, Transfer
from journeys.leaving import leave

TRANSFERS: Final = 10_000
LINES: Final = 100_000
ACCOUNT: Final = "FR7630006000011234567890189"
PAYEE: Final = "FR1420041010050500013M02606"
_DAY: Final = date(2027, 1, 5)

Taken = tuple[float, float, float]
"""Seconds, seconds of processor, and megabytes (10^6) at the most."""


def write_transfers() -> Taken:
    """A batch rendered, read back and compared."""
    debtor = Account("Association", ACCOUNT)
    transfers = tuple(
        Transfer(f"{each}", f"R{each:025d}", 30_000 + each, f"Prénom Nom {each}", PAYEE, "Aide n° 3")
        for each in range(TRANSFERS)
    )
    batch = Batch("LOT-1", datetime(2027, 1, 4, tzinfo=UTC), _DAY, debtor, transfers)
    return _taken(lambda: len(render(batch)))


def read_statement(path: Path) -> Taken:
    """A statement read to its end; nothing is kept."""

    def read() -> int:
        with path.open("rb") as source:
            return sum(1 for _ in received(source))

    return _taken(read)


def write_statement(path: Path, lines: int) -> None:
    """A camt.053.001.08 of so many debits, each an entry with the details that French banks give."""
    with path.open("w") as out:
        out.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
            "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2027-01-05T19:00:00</CreDtTm></GrpHdr>\n"
            f"<Stmt><Id>S1</Id><CreDtTm>2027-01-05T19:00:00</CreDtTm><Acct><Id><IBAN>{ACCOUNT}</IBAN></Id>"
            f"<Ccy>EUR</Ccy></Acct>{_balance('OPBD', lines * 30_000)}{_balance('CLBD', 0)}\n"
        )
        for each in range(lines):
            out.write(
                f'<Ntry><NtryRef>{each}</NtryRef><Amt Ccy="EUR">300.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
                f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{_DAY}</Dt></BookgDt><ValDt><Dt>{_DAY}</Dt></ValDt>"
                f"<AcctSvcrRef>B{each}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd>"
                "<SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>\n<NtryDtls><TxDtls><Refs>"
                f"<MsgId>LOT-1</MsgId><PmtInfId>LOT-1</PmtInfId><EndToEndId>R{each:025d}</EndToEndId></Refs>"
                '<Amt Ccy="EUR">300.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><AmtDtls><InstdAmt><Amt Ccy="EUR">300.00'
                "</Amt></InstdAmt></AmtDtls>\n<RltdPties><Dbtr><Pty><Nm>ASSOCIATION</Nm></Pty></Dbtr><Cdtr><Pty>"
                f"<Nm>PRENOM NOM {each}</Nm></Pty></Cdtr><CdtrAcct><Id><IBAN>{PAYEE}</IBAN></Id></CdtrAcct>"
                "</RltdPties><RltdAgts><CdtrAgt><FinInstnId><BICFI>PSSTFRPP</BICFI></FinInstnId></CdtrAgt>"
                "</RltdAgts><RmtInf><Ustrd>AIDE NO 3</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
            )
        out.write("</Stmt></BkToCstmrStmt></Document>\n")


def measure(rounds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "camt.053.xml"
        write_statement(path, LINES)
        size = path.stat().st_size / 1e6
        written = [_apart(write_transfers) for _ in range(rounds)]
        read = [_apart(read_statement, path) for _ in range(rounds)]
    return [
        alone("pain.001 of 10,000 transfers, written and read back", "s", [each[0] for each in written],
              Target("at most", 10), f"{median(each[1] for each in written):.1f} s of processor"),
        alone("memory of it", "MB", [each[2] for each in written], Target("at most", 300)),
        alone("camt.053 of 100,000 lines, read", "s", [each[0] for each in read], Target("at most", 60),
              f"{median(each[1] for each in read):.1f} s of processor, a file of {size:.0f} MB; the target is of the"
              " whole import"),
        alone("memory of reading it", "MB", [each[2] for each in read], Target("at most", 500)),
    ]  # fmt: skip


def _taken(work: Callable[[], int]) -> Taken:
    began, busy = time.perf_counter(), time.process_time()
    work()
    taken, busy = time.perf_counter() - began, time.process_time() - busy
    return taken, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _apart(work: Callable[..., Taken], *given: object) -> Taken:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(work, *given).result()


def _balance(code: str, cents: int) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{cents // 100}.{cents % 100:02d}</Amt>'
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{_DAY}</Dt></Dt></Bal>"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sepa", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    print(told(measure(given.rounds), as_json=given.json))
    leave(0)


if __name__ == "__main__":
    main()
