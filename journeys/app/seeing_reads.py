"""How looks into files are told: what was opened, and by which way."""

from collections.abc import Mapping
from typing import Final

from journeys.i18n import N_
from journeys.store.reads import Entry, Look

WORDS: Final[Mapping[Look, str]] = {
    "file": N_("le dossier"), "form": N_("un formulaire"), "details": N_("les coordonnées"),
    "document": N_("un document déposé"), "paper": N_("une synthèse ou un reçu"), "letters": N_("le courrier"),
    "links": N_("les liens"), "audit": N_("le contrôle"), "events": N_("tous les faits"), "export": N_("un export"),
    "history": N_("ce que garde Temporal"),
}  # fmt: skip
ENTRIES: Final[Mapping[Entry, str]] = {
    "web": N_("les pages"), "api": N_("un programme (API)"), "cli": N_("la ligne de commande"),
}  # fmt: skip
