"""Between XML and the classes of pyiso20022, by what xsdata knows of their fields.

Reading, xsdata's own parser does the same for documents of any kind, in twice the time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final

from journeys.channels.sepa.reader import SPACE, Piece
from journeys.domain.banking import FileRefused

Convert = Callable[[str], Any]

_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}
_WRONG: Final = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


@contextmanager
def conforming(piece: Piece) -> Iterator[None]:
    """What cannot be made of a piece is the fault of its file: FileRefused, with the line where the piece begins."""
    try:
        yield
    except _WRONG as error:
        raise FileRefused("unreadable", piece.line, element=piece.name) from error


@dataclass(slots=True)
class _Child:
    """One element of a class: its field, and what becomes of its content."""

    field: str
    many: bool
    kind: Any = None
    """A class of the library; None for a plain value."""
    convert: Convert = str


@dataclass(slots=True)
class _Shape:
    """One class of the library."""

    kind: Any
    children: dict[str, _Child]
    attributes: dict[str, _Child]
    text: _Child | None


def bind(piece: Piece, kind: Any) -> Any:
    """An object of the library's class `kind`. An unknown, doubled or missing element, an impossible value are refused.

    Raises:
        FileRefused: with the line where the piece begins.
    """
    with conforming(piece):
        return _bound(piece, kind)


def written(document: Any, message: str, indent: str | None = None) -> bytes:
    """An object of the library as a file of UTF-8; the same object is the same bytes."""
    from xsdata.formats.dataclass.serializers import XmlSerializer
    from xsdata.formats.dataclass.serializers.config import SerializerConfig

    config = SerializerConfig(encoding="UTF-8", xml_declaration=True, indent=indent)
    text: str = XmlSerializer(context=_context(), config=config).render(document, ns_map={None: SPACE + message})
    return text.encode()


def _bound(piece: Piece, kind: Any) -> Any:
    events = iter(piece.events)
    next(events)
    top = _Child(piece.name, False, kind)
    open_: list[tuple[_Child, _Shape | None, dict[str, Any]]] = [(top, _shape(kind), {})]
    bound: Any = None
    for event in events:
        if isinstance(event, tuple):
            name, attributes = event
            above = open_[-1][1]
            if above is None:
                raise ValueError("an element inside a plain value")
            child = above.children[name]
            shape = _shape(child.kind) if child.kind is not None else None
            values: dict[str, Any] = {}
            if attributes and shape is not None:
                for each, text in attributes.items():
                    of = shape.attributes[each]
                    values[of.field] = of.convert(text)
            open_.append((child, shape, values))
            continue
        child, shape, values = open_.pop()
        if shape is None:
            bound = child.convert(event)
        else:
            if shape.text is not None:
                values[shape.text.field] = shape.text.convert(event)
            bound = shape.kind(**values)
        if open_:
            _put(open_[-1][2], child, bound)
    return bound


@cache
def _context() -> Any:
    """What xsdata has learnt of the classes, once for the process."""
    from xsdata.formats.dataclass.context import XmlContext

    return XmlContext()


@cache
def _shape(kind: Any) -> _Shape:
    meta = _context().build(kind)
    elements = [var for each in meta.elements.values() for var in each]
    return _Shape(
        kind,
        {var.local_name: _Child(var.name, var.list_element, var.clazz, _convert(var)) for var in elements},
        {var.local_name: _Child(var.name, False, None, _convert(var)) for var in meta.attributes.values()},
        _Child(meta.text.name, False, None, _convert(meta.text)) if meta.text else None,
    )


def _put(values: dict[str, Any], child: _Child, bound: Any) -> None:
    if child.many:
        values.setdefault(child.field, []).append(bound)
    elif child.field in values:
        raise ValueError("an element twice")
    else:
        values[child.field] = bound


def _convert(var: Any) -> Convert:
    """How the text of a plain value is read."""
    from xsdata.models.datatype import XmlDate, XmlDateTime

    (kind,) = (*var.types, str)[:1]
    if kind is str:
        return str
    if kind is bool:
        return lambda text: _TRUTH[text.strip()]
    if kind is Decimal:
        return lambda text: Decimal(text.strip())
    if kind in (XmlDate, XmlDateTime):
        return lambda text: kind.from_string(text.strip())
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda text: kind(text.strip())
    return _unread


def _unread(_: str) -> Any:
    raise ValueError("a value of a type that no message here has")
