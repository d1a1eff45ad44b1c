"""Where every stream ended at one moment, as one hash: a tail that is cut off later shows."""

from collections.abc import Iterable
from typing import NamedTuple

from journeys.evidence.tree import leaf_hash, root_of


class HeadLine(NamedTuple):
    """The end of a stream: its name, the seq of its last event, the hash of that."""

    stream: str
    seq: int
    hash: bytes

    def text(self) -> bytes:
        """The line that is hashed: `stream seq hash`."""
        return f"{self.stream} {self.seq} {self.hash.hex()}\n".encode()


def heads_root(lines: Iterable[HeadLine]) -> bytes:
    """The root of the RFC 6962 tree over the lines in the order of their streams.

    A tree, so that the end of one stream can be shown without naming the others.
    """
    return root_of([leaf_hash(line.text()) for line in sorted(lines)])
