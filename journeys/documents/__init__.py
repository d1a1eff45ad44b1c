"""Papers: letters, receipts and summaries of journeys, reports of indicators, certificates, as accessible PDF."""

from journeys.documents.certificate import Certificate, Listed
from journeys.documents.letter import Letter
from journeys.documents.receipt import Fact, Receipt, Signature
from journeys.documents.report import Entry, Report
from journeys.documents.summary import Section, Summary, journey_summary
from journeys.documents.typesetting import CannotTypeset, Document, render

__all__ = [
    "CannotTypeset", "Certificate", "Document", "Entry", "Fact", "Letter", "Listed", "Receipt", "Report", "Section",
    "Signature", "Summary", "journey_summary", "render",
]  # fmt: skip
