"""The fields of each command, read off its model: what they are called, what may be typed, how it is read."""

import types
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from journeys.app.failures import Lang, Said, usage
from journeys.app.reading import ZONE, read_amount, read_day, read_days, read_instant, read_instants
from journeys.domain import document
from journeys.domain.commands import BODIES, INTERNAL, Body
from journeys.domain.payee import IBAN, PAYEE
from journeys.domain.record import Id

Kind = Literal[
    "day",
    "days",
    "instant",
    "instants",
    "amount",
    "choice",
    "number",
    "flag",
    "code",
    "text",
    "digest",
    "programme",
    "document",
    "staff",
    "mentor",
    "partner",
    "escalation",
    "grant",
    "payment",
    "receipt",
    "appointment",
    "referral",
    "chase",
]

_ID: Final = Id.__metadata__[0].pattern  # type: ignore[attr-defined]
_STAFF: Final = frozenset({"referent", "to"})
_OWN_ENTRIES: Final = frozenset({"plan"})
"""Commands with an entry of their own."""
NAMES_RULES: Final = "change-programme"
"""The command that names a programme: the entry point finds its text, and the calendar with it."""
FILLED_IN: Final = frozenset({"name", "calendar", "site_zone"})
"""What nobody types or sends."""

OF_APPOINTMENTS: Final = frozenset({"at", "or_at", "wish"})
"""Fields that hold the hours of an appointment."""

BESIDE: Final = {PAYEE: IBAN}
"""Of a part that is typed in two fields, the second."""

WORDS: Final[dict[str, Said]] = {
    "day": Said("DATE", "DATE"),
    "days": Said("NOM=JOUR,…", "NAME=DAY,…"),
    "instant": Said("DATE-HEURE", "DATE-TIME"),
    "instants": Said("DATE-HEURE,…", "DATE-TIME,…"),
    "amount": Said("EUROS", "EUROS"),
    "number": Said("NOMBRE", "NUMBER"),
    "code": Said("CODE", "CODE"),
    "text": Said("TEXTE", "TEXT"),
    "digest": Said("EMPREINTE", "DIGEST"),
    "programme": Said("PROGRAMME", "PROGRAMME"),
    "document": Said("FICHIER", "FILE"),
    "staff": Said("PSEUDO", "HANDLE"),
    "mentor": Said("MENTOR", "MENTOR"),
    "partner": Said("PARTENAIRE", "PARTNER"),
    "escalation": Said("ALERTE", "ESCALATION"),
    "grant": Said("AIDE", "GRANT"),
    "payment": Said("VERSEMENT", "PAYMENT"),
    "receipt": Said("JUSTIFICATIF", "RECEIPT"),
    "appointment": Said("RENDEZ-VOUS", "APPOINTMENT"),
    "referral": Said("ORIENTATION", "REFERRAL"),
    "chase": Said("RELANCE", "CHASE"),
}

_DEFAULTING: Final = frozenset(
    {"escalation", "grant", "payment", "receipt", "appointment", "referral", "chase", "digest", "mentor"}
)

ABOUT: Final[dict[str, Said]] = {
    "amount": Said("montant en euros : 600 ou 600,50", "amount in euros: 600 or 600.50"),
    "answer": Said(
        "viendra, demande une autre heure, ou ne viendra pas", "will come, asks for another time, or will not come"
    ),
    "appointment": Said("lequel ; sans lui, le seul qui est fixé", "which one; else the only one booked"),
    "at": Said(
        "jour et heure locale (du site, sinon du programme) : 2027-05-12 14:30",
        "day and local time (of the site, else the programme): 2027-05-12 14:30",
    ),
    "chase": Said("laquelle ; sans elle, la seule en cours", "which one; else the only one open"),
    "contact": Said("le suivi (code du programme)", "the contact (code of the programme)"),
    "date": Said("la date du programme, par exemple release", "the programme's date, such as release"),
    "dates": Said(
        "les dates du nouveau programme que le parcours n'a pas : jury=2027-05-12,examen=2027-06-01",
        "dates of the new programme that the journey has not: jury=2027-05-12,exam=2027-06-01",
    ),
    "description": Said("ce que c'est", "what it is"),
    "digest": Said(
        "l'empreinte affichée par « approvals » ; sans elle, l'actuelle",
        "the digest shown by “approvals”; else the present one",
    ),
    "document": Said(
        "le document : PDF, photo, Word ou OpenDocument", "the document: PDF, photo, Word or OpenDocument"
    ),
    "escalation": Said("laquelle ; sans elle, la seule ouverte", "which one; else the only one open"),
    "grant": Said(
        "l'aide (début d'id ; sans elle, la seule en cours) ; pour en demander une, son code",
        "the grant (beginning of its id; else the only open one); to request one, its code",
    ),
    "iban": Said(
        "l'IBAN du compte payé ; rien pour un bon, ni de la main à la main",
        "the IBAN of the account that is paid; none for a voucher or from hand to hand",
    ),
    "every": Said("pour une série : tous les combien", "for a series: how often"),
    "id": Said(
        "ce qu'il faut corriger : code de l'étape, de la date, du suivi, de la situation, ou id du rendez-vous",
        "what to correct: code of the milestone, date, contact, situation, or the appointment's id",
    ),
    "kind": Said(
        "le genre de pièce : exit-plan, ou un autre du programme",
        "the kind of evidence: exit-plan, or another of the programme",
    ),
    "channel": Said("par quel moyen d'abord : mail, sms, letter", "by what means first: mail, sms, letter"),
    "decision": Said("le maintenir, ou le retirer auprès de la banque", "keep it, or withdraw it at the bank"),
    "fate": Said("payé, ou jamais parti", "paid, or never paid"),
    "language": Said("la langue : fr ou en", "the language: fr or en"),
    "letter": Said("la lettre au partenaire", "the letter to the partner"),
    "means": Said("par quel moyen : meeting, phone, video…", "by what means: meeting, phone, video…"),
    "measure": Said("le constat (code du programme)", "the measure (code of the programme)"),
    "mentor": Said("le mentor (nom ou id)", "the mentor (name or id)"),
    "milestone": Said("l'étape (code ou libellé)", "the milestone (code or label)"),
    "minutes": Said("durée en minutes", "length in minutes"),
    "note": Said("une note", "a note"),
    "number": Said("le combientième constat : 1, 2…", "which one of the measure: 1, 2…"),
    "on": Said("le jour : 2027-05-12 ou 12/05/2027", "the day: 2027-05-12 or 12/05/2027"),
    "or_at": Said(
        "autres heures possibles : quatre au plus, une virgule entre elles",
        "other possible times: four at most, a comma between them",
    ),
    "outcome": Said("l'issue", "the outcome"),
    "partner": Said("le partenaire (nom ou id)", "the partner (name or id)"),
    "payee": Said("à qui l'argent est versé : son nom", "who is paid: their name"),
    "pay_by": Said("par quel moyen : sepa, voucher…", "by what means: sepa, voucher…"),
    "payment": Said("lequel ; sans lui, le seul en cours", "which one; else the only one under way"),
    "place": Said("le lieu", "the place"),
    "programme": Said("le nouveau programme (son nom)", "the new programme (its name)"),
    "purpose": Said("l'objet (code)", "the purpose (code)"),
    "reason": Said("la raison", "the reason"),
    "receipt": Said("lequel ; sans lui, le seul attendu", "which one; else the only one wanted"),
    "result": Said("la personne est jointe, ou ne répond pas", "the person was reached, or does not answer"),
    "referent": Said("qui accompagne (pseudo)", "who leads (handle)"),
    "referral": Said("laquelle ; sans elle, la seule sans réponse", "which one; else the only one without answer"),
    "signed_for": Said("qui a signé, ou le numéro du bon", "who signed, or the number of the voucher"),
    "since": Said("depuis quel jour", "since which day"),
    "site": Said("le site", "the site"),
    "situation": Said("la situation : housing, job…", "the situation: housing, job…"),
    "summons": Said("c'est une convocation", "it is a summons"),
    "text": Said("le texte", "the text"),
    "times": Said("pour une série : combien de fois en tout", "for a series: how many times in all"),
    "to": Said("à qui (pseudo) ; pour corriger : la bonne valeur", "to whom (handle); to correct: the right value"),
    "until": Said("jusqu'à quel jour", "until which day"),
    "value": Said("la valeur", "the value"),
    "watch_from": Said(
        "ne rien demander d'avant cette date (jour et heure locale)", "ask for nothing before this date (local time)"
    ),
    "what": Said("ce qui est corrigé", "what is corrected"),
    "why": Said("le motif", "the reason why"),
    "wish": Said(
        "l'heure que la personne propose : 2027-05-12 14:30", "the time that the person proposes: 2027-05-12 14:30"
    ),
    "zone": Said(
        "le fuseau horaire : Indian/Reunion, America/Cayenne…", "the time zone: Indian/Reunion, America/Cayenne…"
    ),
    "window": Said("le numéro de la période de suivi", "the number of the contact's window"),
}
"""What a field is for, in a few words; its kind says how it is written."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a command. `part`: a free text, or what is said of a document, kept apart from the event."""

    name: str
    kind: Kind
    required: bool
    part: bool = False
    choices: tuple[str, ...] = ()

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def defaults(self) -> bool:
        """Whether the only open one is taken when it is not typed."""
        return self.kind in _DEFAULTING

    def metavar(self, lang: Lang) -> str:
        if self.kind == "flag":
            return ""
        return "|".join(self.choices) if self.choices else WORDS[self.kind].in_(lang)

    def usage(self, lang: Lang) -> str:
        """As the help shows it: in brackets what may be left out."""
        text = f"{self.option} {self.metavar(lang)}".rstrip()
        return text if self.required and not self.defaults else f"[{text}]"


def commands() -> dict[str, type[Body]]:
    """The commands that people give to a journey that exists."""
    return {name: kind for name, kind in BODIES.items() if name not in INTERNAL | _OWN_ENTRIES}


def fields_of(name: str) -> list[Field]:
    """The fields of a command, its own first, then its texts."""
    body = BODIES[name]
    own = [
        _field(key, info.annotation, info.metadata, info.is_required())
        for key, info in body.model_fields.items()
        if key not in FILLED_IN
    ]
    texts = [
        Field(part, "document" if part == document.PART else "text", part in body.NEEDED | body.ASKED, part=True)
        for part in sorted(body.PARTS, key=lambda part: (part == document.PART, part))
    ]
    return own + [field for text in texts for field in (text, *_beside(text.name))]


def _beside(part: str) -> list[Field]:
    """The field whose words go into a part beside its own."""
    return [Field(BESIDE[part], "text", False, part=True)] if part in BESIDE else []


def read_field(known: Field, word: str, called: str, zone: ZoneInfo = ZONE) -> Any:
    """What was typed in a field, by its kind; a word whose meaning hangs on the journey as it stands.

    Args:
        called: the field's name for whoever typed.
        zone: of the journey, in whose hours those of its appointments are typed.

    Raises Failure (usage).
    """
    word = word.strip()
    zone = zone if known.name in OF_APPOINTMENTS else ZONE
    match known.kind:
        case "day":
            return read_day(word, called)
        case "days":
            return read_days(word, called)
        case "instant":
            return read_instant(word, called, zone)
        case "instants":
            return read_instants(word, called, zone)
        case "amount":
            return read_amount(word, called)
        case "number":
            if not word.isdecimal() or len(word) > 9:
                raise usage("not-a-number", f"{called} : « {word[:60]} » n'est pas un nombre entier",
                            f"{called}: “{word[:60]}” is not a whole number", field=called)  # fmt: skip
            return int(word)
        case "flag":
            if word.lower() not in _YES | _NO:
                raise usage("not-yes-or-no", f"{called} : oui ou non", f"{called}: yes or no", field=called)
            return word.lower() in _YES
        case _:
            return word


_YES: Final = frozenset({"true", "oui", "yes", "1", "on"})
_NO: Final = frozenset({"", "false", "non", "no", "0"})


def _field(name: str, annotation: Any, metadata: list[Any], required: bool) -> Field:
    base, more = _bare(annotation)
    patterns = {getattr(each, "pattern", None) for each in (*metadata, *more)}
    kind: Kind
    if get_origin(base) is Literal:
        return Field(name, "choice", required, choices=tuple(map(str, get_args(base))))
    if base is bool:
        kind = "flag"
    elif base is date:
        kind = "day"
    elif base is int:
        kind = "amount" if name == "amount" else "number"
    elif get_origin(base) is dict:
        kind = "days"
    elif get_origin(base) is tuple:
        kind = "instants"
    elif base is AwareDatetime:
        kind = "instant"
    elif _ID in patterns:
        kind = "staff" if name in _STAFF else name  # type: ignore[assignment]
    elif name in ("digest", "programme"):
        kind = "digest" if name == "digest" else "programme"
    else:
        kind = "code" if any(patterns - {None}) else "text"
    return Field(name, kind, required)


def _bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type without `None` and without its constraints, and those constraints."""
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(each for each in get_args(annotation) if each is not type(None))
    if get_origin(annotation) is Annotated:
        base, *more = get_args(annotation)
        return base, tuple(more)
    return annotation, ()
