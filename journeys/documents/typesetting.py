"""From a document to the bytes of a tagged PDF/UA-1: same document, language and instant, same bytes.

Nothing is read from the machine: no font of the system, no file, no network, no clock.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, assert_never
from zoneinfo import ZoneInfo

import typst

from journeys.documents import certificate, letter, receipt, report, summary
from journeys.documents.certificate import Certificate
from journeys.documents.letter import Letter
from journeys.documents.receipt import Receipt
from journeys.documents.report import Report
from journeys.documents.summary import Summary
from journeys.documents.verbatim import Care, one_line, prepared
from journeys.i18n import language

Document = Letter | Receipt | Summary | Report | Certificate

LAYOUT: Final = Path(__file__).with_name("layout.typ")


class CannotTypeset(RuntimeError):
    """The typesetter refused. Its own words quote the document, so they are told without what they quote."""


class _NotInFonts(CannotTypeset):
    """A character or a cluster that no font shows."""


def render(document: Document, lang: str, at: datetime, *, zone: str = "Europe/Paris") -> bytes:
    """A document as PDF.

    Args:
        lang: `fr` or `en`; of the fixed words, and what a screen reader is told.
        at: when it is made (aware); printed on it, and the only time in its properties.
        zone: where the hours are read.

    Raises:
        CannotTypeset: the typesetter refused.
    """
    if at.tzinfo is None:
        raise ValueError("the instant of a document must be aware")
    spoken = language(lang)
    kind, title, sheet = _sheet(document, spoken, at, ZoneInfo(zone))
    layout = LAYOUT.read_bytes()
    for care in Care:
        try:
            return typeset(layout, kind, title, prepared(sheet, care), spoken, at)
        except _NotInFonts:
            if care is Care.LATIN:
                raise
    raise AssertionError("every care was tried")


def _sheet(document: Document, lang: str, at: datetime, zone: ZoneInfo) -> tuple[str, str, dict[str, Any]]:
    match document:
        case Letter():
            return "letter", letter.title_of(document, lang), letter.sheet_of(document, lang)
        case Receipt():
            return "receipt", receipt.title_of(document, lang), receipt.sheet_of(document, lang, at, zone)
        case Summary():
            return "summary", document.title, summary.sheet_of(document, lang, at, zone)
        case Report():
            return "report", document.title, report.sheet_of(document, lang, at, zone)
        case Certificate():
            return "certificate", document.title, certificate.sheet_of(document, lang, at, zone)
    assert_never(document)


def typeset(layout: bytes, kind: str, title: str, sheet: Mapping[str, Any], lang: str, at: datetime) -> bytes:
    """Fill a layout in. The sheet goes in as data; nothing of it is ever part of the source.

    Raises:
        CannotTypeset: with where in the layout, never with what stands in the document.
    """
    given = {
        "kind": kind,
        "title": one_line(title),
        "lang": lang,
        "sheet": json.dumps(sheet, ensure_ascii=True),
    }
    compiler = typst.Compiler(layout, root=LAYOUT.parent, font_paths=_fonts(), ignore_system_fonts=True)
    try:
        made = compiler.compile(format="pdf", sys_inputs=given, pdf_standards=["ua-1"], timestamp=int(at.timestamp()))
    except typst.TypstError as error:
        if "could not be displayed" in error.message:
            raise _NotInFonts("the fonts have no sign for a character of the document") from None
        raise CannotTypeset(_unquoted(error.message)) from None
    assert isinstance(made, bytes)
    return made


def _unquoted(message: str) -> str:
    """Without what stands between the first quote and the last: it is other people's text."""
    before, quote, rest = message.partition("`")
    return before + "…" + rest.rpartition("`")[2] if quote else before


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
