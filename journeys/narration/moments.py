"""Moments and durations of a programme in plain words: `1 mois après « levée d'écrou »`."""

from typing import assert_never

from journeys.domain.handbook import Handbook
from journeys.domain.moments import AnchorKind, Duration, Moment, Side, Unit
from journeys.i18n import ngettext
from journeys.narration.telling import Speech

_UNITS = {
    Unit.MINUTE: lambda lang, n: ngettext(lang, "{n} minute", "{n} minutes", n),
    Unit.HOUR: lambda lang, n: ngettext(lang, "{n} heure", "{n} heures", n),
    Unit.DAY: lambda lang, n: ngettext(lang, "{n} jour", "{n} jours", n),
    Unit.WORKING_DAY: lambda lang, n: ngettext(lang, "{n} jour ouvré", "{n} jours ouvrés", n),
    Unit.WEEK: lambda lang, n: ngettext(lang, "{n} semaine", "{n} semaines", n),
    Unit.MONTH: lambda lang, n: ngettext(lang, "{n} mois", "{n} mois", n),
}


def duration_words(length: Duration, lang: str) -> str:
    """`10 jours ouvrés`."""
    return _UNITS[length.unit](lang, length.amount).format(n=length.amount)


def moment_words(moment: Moment, book: Handbook, lang: str) -> str:
    """`10 jours ouvrés avant « levée d'écrou »`."""
    speech = Speech(book, {}, lang, None)
    anchor, length = _anchor(speech, moment), duration_words(moment.offset, lang)
    match moment.side:
        case Side.AT:
            return speech.say("dès {anchor}", anchor=anchor)
        case Side.BEFORE:
            return speech.say("{length} avant {anchor}", length=length, anchor=anchor)
        case Side.AFTER:
            return speech.say("{length} après {anchor}", length=length, anchor=anchor)
        case _:
            assert_never(moment.side)


def _anchor(speech: Speech, moment: Moment) -> str:
    kind, name = moment.anchor.kind, moment.anchor.name
    match kind:
        case AnchorKind.START:
            return speech.say("le début du parcours")
        case AnchorKind.DATE:
            return speech.quoted(speech.date(name))
        case AnchorKind.MILESTONE_REACHED:
            return speech.say("la réussite de {milestone}", milestone=speech.milestone(name))
        case AnchorKind.MILESTONE_DUE:
            return speech.say("l'échéance de {milestone}", milestone=speech.milestone(name))
        case AnchorKind.PHASE:
            return speech.say("le début de la phase {phase}", phase=speech.phase(name))
        case _:
            assert_never(kind)
