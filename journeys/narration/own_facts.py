"""What is noted on a person's own stream, and on that of a mentor: what it was and what it says, in words to them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from journeys.i18n import N_, format_date, format_instant, text
from journeys.narration.words import spoken

KINDS: Final[Mapping[str, str]] = {
    "PersonRegistered": N_("votre inscription"),
    "PersonChanged": N_("ce qui est noté de vous a changé"),
    "ChannelDead": N_("un moyen ne vous atteint plus"),
    "ChannelAlive": N_("un moyen vous atteint de nouveau"),
    "LetterPosted": N_("une lettre postée ou remise"),
    "PersonExported": N_("ce qui est gardé sur vous a été remis"),
    "PersonErased": N_("votre effacement"),
    "MessagesPaused": N_("les messages en pause"),
    "MessagesResumed": N_("la pause des messages est finie"),
    "OptedOut": N_("plus de messages"),
    "OptedIn": N_("de nouveau des messages"),
    "WishesRecorded": N_("comment vous voulez être joint"),
    "PersonDied": N_("un décès"),
    "ErasureRequested": N_("un effacement demandé"),
    "ErasureOrdered": N_("un effacement décidé"),
    "MentorAdded": N_("votre inscription comme mentor"),
    "MentorChanged": N_("combien de personnes vous pouvez suivre comme mentor"),
    "MentorDescribed": N_("ce qui aide à vous proposer comme mentor"),
    "MentorErased": N_("votre effacement comme mentor"),
    "ShiftSet": N_("une astreinte pour vous"),
    "ShiftDropped": N_("une astreinte retirée"),
}
"""Each kind of fact that these streams have."""

_LABELS: Final[Mapping[str, str]] = {
    "reference": N_("Référence"), "first_name": N_("Prénom"), "last_name": N_("Nom"), "name": N_("Nom"),
    "birth_date": N_("Date de naissance"), "email": N_("Courriel"), "phone": N_("Téléphone"),
    "language": N_("Langue des messages"), "zone": N_("Fuseau horaire"), "place": N_("Ville"),
    "languages": N_("Langues parlées"), "interests": N_("Centres d'intérêt"), "channel": N_("Moyen"),
    "reason": N_("Raison"), "why": N_("Raison"), "on": N_("Jour"), "until": N_("Jusqu'au"), "begins": N_("Début"),
    "ends": N_("Fin"), "role": N_("Rôle"), "site": N_("Site"), "capacity": N_("Places"),
    "available": N_("Disponible"), "journeys": N_("Parcours"), "documents": N_("Documents"),
}  # fmt: skip
"""What a fact, or a text of it, says. What is not here are ids."""
_ERASED: Final = N_("(texte effacé)")
_TAKEN_AWAY: Final = N_("(retiré)")


def fact_words(data: Mapping[str, Any], texts: Mapping[str, str | None], lang: str, zone: ZoneInfo) -> str:
    """`Téléphone : 06 12 34 56 78, Moyen : SMS`: the texts of a fact, then what else it says."""
    _ = text(lang)
    colon = ": " if lang == "en" else "\N{NO-BREAK SPACE}: "
    said = [(name, _(_ERASED) if words is None else words or _(_TAKEN_AWAY)) for name, words in texts.items()]
    said += [(name, _value(value, lang, zone)) for name, value in data.items() if value is not None]
    return ", ".join(f"{_(_LABELS[name])}{colon}{words}" for name, words in said if name in _LABELS)


def _value(value: Any, lang: str, zone: ZoneInfo) -> str:
    """A day, an instant, a number, yes or no, a code."""
    _ = text(lang)
    match value:
        case bool():
            return _("oui") if value else _("non")
        case str():
            try:
                at = datetime.fromisoformat(value)
            except ValueError:
                return spoken(value, lang)
            return format_instant(at, lang, zone) if at.tzinfo is not None else format_date(at.date(), lang)
        case _:
            return str(value)
