"""What people who think in French type in a programme, in the words of its language: for “did you mean”."""

import re
from typing import Final

_KEYS: Final = {
    "due": ("echeance", "delai", "pour"), "remind": ("rappel", "rappels"), "needs": ("apres", "besoins"),
    "label": ("libelle", "nom", "titre", "intitule"), "check": ("constat", "verification"), "missed": ("manque",),
    "milestones": ("etapes", "etape", "jalons", "jalon"), "contacts": ("suivis", "suivi"), "ladders": ("alertes",),
    "ends": ("fin", "terme"), "grants": ("aides", "bourses"), "measures": ("mesures",), "guards": ("gardes",),
    "closings": ("issues",),
    "clock": ("heures", "horaires"), "purposes": ("objets",), "cap": ("plafond",), "fund": ("fonds",),
    "levels": ("accords",), "receipts": ("justificatifs",), "cadence": ("rythme", "frequence"), "by": ("qui",),
    "means": ("moyens",), "enter": ("debut",), "leave": ("fin",), "steps": ("paliers",), "to": ("vers", "a"),
    "when": ("quand",), "template": ("modele",), "evidence": ("preuve", "preuves", "pieces"), "good": ("bon", "bonnes"),
}  # fmt: skip

_WORDS: Final = (
    (r"jours? (?:ouvr[ée]s?|ouvrables?|travaill[ée]s?)", "working days"), (r"minutes?|min", "minutes"),
    (r"heures?|h", "hours"), (r"jours?|j", "days"), (r"semaines?", "weeks"), (r"mois", "months"),
    (r"avant", "before"), (r"apr[èe]s", "after"), (r"tou(?:te)?s les|chaque", "every"),
    (r"pendant|jusqu.[àa]", "until"),
    (r"au|[àa]|d[èe]s", "at"), (r"d[ée]but", "start"), (r"la|les?|une?|du|des?|the|an?", ""),
)  # fmt: skip
"""In the order in which they are tried: the longer before the shorter."""


def key_meant(typed: str, known: tuple[str, ...]) -> str:
    """The known key that this French word stands for, or an empty text."""
    plain = typed.lower().translate(str.maketrans("éèêëàâîïôûùç", "eeeeaaiiouuc"))
    return next((key for key in known if plain in _KEYS.get(key, ())), "")


def moment_meant(typed: str) -> str:
    """`10 jours ouvrés avant release` -> `10 working days before release`; what comes of it may not be readable."""
    said = re.sub(r"(\d)([a-z])", r"\1 \2", re.sub(r"\b[ld]['’]", "", typed.lower()))
    for french, word in _WORDS:
        said = re.sub(rf"(?<![\w-])(?:{french})(?![\w-])", word, said)
    return re.sub(r"every (?=[a-z])", "every 1 ", " ".join(said.split()))
