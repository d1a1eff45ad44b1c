"""Papers: letters, receipts and summaries of journeys, as accessible PDF."""

from journeys.documents.letter import Letter
from journeys.documents.receipt import Fact, Receipt, Signature
from journeys.documents.summary import Section, Summary, journey_summary
from journeys.documents.typesetting import CannotTypeset, Document, render

__all__ = [
    "CannotTypeset", "Document", "Fact", "Letter", "Receipt", "Section", "Signature", "Summary", "journey_summary",
    "render",
]  # fmt: skip
