"""Tables as files for a spreadsheet: semicolons, UTF-8 with its mark, and no cell that would be taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"-?[0-9]+([.,][0-9]+)?")


def as_csv(head: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    """The file. What only looks like a formula but is a number stays one."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(head)
    writer.writerows([_cell(text) for text in line] for line in lines)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
