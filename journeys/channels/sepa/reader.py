"""The hardened front before every file of a bank: bytes in, checked pieces out, one at a time.

No document type, so no entity can be declared and nothing outside the file is ever opened; UTF-8 only; one namespace of
ISO 20022; bounds on the file, on depth, on a single token and on a single piece. Whatever is wrong is a `FileRefused`
with its line.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final
from xml.parsers import expat
from xml.parsers.expat import errors

from journeys.domain.banking import FileRefused

SPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"

Event = tuple[str, dict[str, str]] | str
"""An element begins, with its local name and plain attributes; or the innermost one ends, with its text."""

Chain = tuple[str, ...]
"""Elements inside one another, outermost first: `("BkToCstmrStmt", "Stmt", "Ntry")`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is read at all."""

    file_bytes: int = 256_000_000
    depth: int = 32
    token_bytes: int = 1_000_000
    """A tag with its attributes, a comment, an instruction."""
    text: int = 2_000
    """Characters of one element; the standard allows 500."""
    piece: int = 1_000_000
    """Starts and ends in one piece: an entry that is split into some 20,000 transfers."""


BOUNDS: Final = Bounds()


@dataclass(frozen=True, slots=True)
class Piece:
    """An element of the chain, with its content as events; one that holds others of the chain comes without them."""

    message: str
    """`camt.053.001.08`"""
    name: str
    line: int
    """Where it begins in the file."""
    events: list[Event]


_CHUNK: Final = 1 << 16
_TRAILERS: Final = frozenset({"AddtlStmtInf", "AddtlNtfctnInf"})
_NEVER_READ: Final = frozenset({"SplmtryData"})
_ENDS_EARLY: Final = (errors.codes[errors.XML_ERROR_NO_ELEMENTS], errors.codes[errors.XML_ERROR_UNCLOSED_TOKEN])
_NO_SUCH_ENTITY: Final = errors.codes[errors.XML_ERROR_UNDEFINED_ENTITY]
_EURO: Final = re.compile(r"[0-9]{1,16}(\.[0-9]{1,2})?")
_MANY_DECIMALS: Final = re.compile(r"[0-9]+\.[0-9]{3,}")


def pieces(
    source: BinaryIO, chains: Mapping[str, Chain], unread: frozenset[str] = frozenset(), bounds: Bounds = BOUNDS
) -> Iterator[Piece]:
    """Read a file once, from front to back. Memory is that of one piece.

    Args:
        chains: for each message that is taken, the elements that come as pieces.
        unread: elements that are passed over with all that is in them.

    Raises:
        FileRefused: at whatever is wrong, also after pieces were given: what was read before must not be kept.
    """
    cutter = _Cutter(chains, unread | _NEVER_READ, bounds)
    decoder = codecs.getincrementaldecoder("utf-8")()
    fed, lines = 0, 1
    while chunk := source.read(_CHUNK):
        fed += len(chunk)
        if fed > bounds.file_bytes:
            raise cutter.refused("too-large", most=str(bounds.file_bytes))
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise FileRefused("not-utf-8", lines + chunk[: error.start].count(b"\n")) from None
        lines += chunk.count(b"\n")
        cutter.feed(chunk)
        if fed - cutter.parser.CurrentByteIndex > bounds.token_bytes + _CHUNK:
            raise cutter.refused("too-long")
        yield from cutter.taken()
    cutter.feed(b"", last=True)
    yield from cutter.taken()


class _Cutter:
    """What the parser tells, cut into pieces."""

    def __init__(self, chains: Mapping[str, Chain], unread: frozenset[str], bounds: Bounds) -> None:
        self.parser = expat.ParserCreate("utf-8", "}")
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declared
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self._chains, self._unread, self._bounds = chains, unread, bounds
        self._message, self._prefix = "", ""
        self._chain: Chain = ()
        self._depth = 0
        self._passing = 0
        """Depth of the subtree that is passed over; 0 when none is."""
        self._open: list[Piece | None] = []
        """The chain's elements that are open; None once their head was given."""
        self._taken: list[Piece] = []
        self._text: list[str] = []
        self._length = 0
        self._currency: str | None = None

    def refused(self, code: str, line: int | None = None, **details: str) -> FileRefused:
        return FileRefused(code, line or self.parser.CurrentLineNumber, **details)

    def taken(self) -> list[Piece]:
        """The pieces that are complete, each given once."""
        taken, self._taken = self._taken, []
        return taken

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        if b"\0" in chunk:
            raise self.refused("wrong-encoding", encoding="UTF-16")
        try:
            self.parser.Parse(chunk, last)
        except expat.ExpatError as error:
            if error.code in _ENDS_EARLY and last:
                raise FileRefused("truncated", error.lineno) from None
            code = "entity" if error.code == _NO_SUCH_ENTITY else "malformed"
            raise FileRefused(code, error.lineno, what=expat.ErrorString(error.code)) from None

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
            raise self.refused("wrong-encoding", encoding=encoding)

    def _doctype(self, *_: Any) -> None:
        raise self.refused("entity")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._bounds.depth:
            raise self.refused("too-deep")
        if self._passing:
            return
        if self._depth == 1:
            self._root(name)
            return
        space, _, local = name.rpartition("}")
        if local in self._unread:
            self._passing = self._depth
            return
        if space != self._prefix:
            raise self.refused("wrong-namespace", space=space)
        if self._depth == len(self._open) + 2:
            self._step(local)
        self._record((local, _plain(attributes) if attributes else attributes))
        self._text, self._length = [], 0
        self._currency = attributes.get("Ccy")

    def _root(self, name: str) -> None:
        space, _, local = name.rpartition("}")
        self._message = space.removeprefix(SPACE)
        if local != "Document" or self._message == space:
            raise self.refused("wrong-namespace", space=space)
        if self._message not in self._chains:
            raise self.refused("other-message", message=self._message)
        self._prefix, self._chain = space, self._chains[self._message]

    def _step(self, local: str) -> None:
        """A child of the innermost open element of the chain: the next of the chain, or part of its head."""
        level = len(self._open)
        if level < len(self._chain) and local == self._chain[level]:
            self._give_head()
            self._open.append(Piece(self._message, local, self.parser.CurrentLineNumber, []))
        elif not self._open:
            raise self.refused("other-message", message=f"{self._message}/{local}")
        elif self._open[-1] is None:
            if local not in _TRAILERS:
                raise self.refused("out-of-order", element=local)
            self._passing = self._depth

    def _give_head(self) -> None:
        if self._open and (head := self._open[-1]) is not None:
            head.events.append("")
            self._taken.append(head)
            self._open[-1] = None

    def _record(self, event: Event) -> None:
        if self._passing:
            return
        piece = self._open[-1]
        assert piece is not None
        piece.events.append(event)
        if len(piece.events) > self._bounds.piece:
            raise self.refused("too-long")

    def _characters(self, text: str) -> None:
        if self._passing or not self._open:
            return
        self._text.append(text)
        self._length += len(text)
        if self._length > self._bounds.text:
            raise self.refused("too-long")

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._passing:
            if self._passing == self._depth + 1:
                self._passing = 0
            return
        if not self._depth:
            return
        text = "".join(self._text)
        if self._currency is not None:
            self._check_amount(text.strip())
        self._text, self._length, self._currency = [], 0, None
        if self._depth == len(self._open):
            self._give_head()
            self._open.pop()
        else:
            self._record(text)

    def _check_amount(self, text: str) -> None:
        """The scheme knows cents and no more; the schema would allow five decimals."""
        if self._currency == "EUR" and _EURO.fullmatch(text) is None:
            code = "third-decimal" if _MANY_DECIMALS.fullmatch(text) else "not-an-amount"
            raise self.refused(code, amount=text[:40])


def _plain(attributes: dict[str, str]) -> dict[str, str]:
    """Without those of other namespaces: `xsi:type` would choose a class."""
    return {name: value for name, value in attributes.items() if "}" not in name}


def reference(said: str | None, piece: Piece) -> str | None:
    """An EndToEndId as it is matched: none where the bank says that there is none. Raises FileRefused when too long."""
    if said is not None and len(said) > 35:
        raise FileRefused("unreadable", piece.line, element="EndToEndId")
    return None if said in ("", "NOTPROVIDED") else said
