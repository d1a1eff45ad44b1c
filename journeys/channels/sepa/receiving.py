"""One door for whatever a bank sends: the file itself says what it is."""

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from journeys.channels.sepa import reports, statements
from journeys.channels.sepa.reader import BOUNDS, Bounds, pieces
from journeys.domain.banking import FileRefused, Line, Report, StatementHead

CHAINS = {**reports.CHAINS, **statements.CHAINS}
UNREAD = reports.UNREAD | statements.UNREAD


def received(source: BinaryIO, bounds: Bounds = BOUNDS) -> Iterator[StatementHead | Line | Report]:
    """Read a statement, an advice or a report, front to back, in the memory of one entry.

    Each statement's head comes before its lines. What is wrong near the end shows near the end: a caller stores all of
    a file in one transaction, or nothing.

    Raises:
        FileRefused: with a code and a line.
    """
    read = pieces(source, CHAINS, UNREAD, bounds)
    first = next(read, None)
    if first is None:
        raise FileRefused("empty", 1)
    read = chain([first], read)
    if first.message in reports.CHAINS:
        yield from reports.reports(read)
    else:
        yield from statements.statements(read)
