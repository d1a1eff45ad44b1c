"""Papers: letters, receipts and summaries of journeys, reports of indicators, as accessible PDF."""

from journeys.documents.letter import Letter
from journeys.documents.receipt import Fact, Receipt, Signature
from journeys.documents.report import Entry, Report
from journeys.documents.summary import Section, Summary, journey_summary
from journeys.documents.typesetting import CannotTypeset, Document, render

__all__ = [
    "CannotTypeset", "Document", "Entry", "Fact", "Letter", "Receipt", "Report", "Section", "Signature", "Summary",
    "journey_summary", "render",
]  # fmt: skip
