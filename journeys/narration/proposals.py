"""Why a mentor or a partner is proposed, in a few words."""

from typing import Final

from journeys.domain.proposing import Ground, Reason
from journeys.i18n import N_, ngettext, text
from journeys.narration.words import spoken


def reason_told(reason: Reason, lang: str) -> str:
    """`même ville (Nanterre)`, `accompagne 1 personne sur 3`."""
    if reason.ground is Ground.LOAD:
        return _load(reason, lang)
    words = reason.says.in_(lang) if reason.says else ", ".join(spoken(word, lang) for word in reason.words)
    return text(lang)(_SAID[reason.ground]).format(words=words, count=reason.count, most=reason.most)


def _load(reason: Reason, lang: str) -> str:
    if not reason.count:
        _ = text(lang)
        return _("n'accompagne personne pour l'instant")
    told = ngettext(
        lang, "accompagne {count} personne sur {most}", "accompagne {count} personnes sur {most}", reason.count
    )
    return told.format(count=reason.count, most=reason.most)


_SAID: Final = {
    Ground.LANGUAGE: N_("parle {words}"),
    Ground.PLACE: N_("même ville ({words})"),
    Ground.SITE: N_("même site ({words})"),
    Ground.INTERESTS: N_("intérêts communs : {words}"),
    Ground.PLACES: N_("places libres : {count} sur {most}"),
    Ground.CONSENT: N_("accord déjà donné"),
    Ground.ACCEPTED: N_("a déjà accepté"),
    Ground.NO_LANGUAGE: N_("ne parle pas {words}"),
    Ground.FORMER: N_("a déjà accompagné cette personne"),
    Ground.SILENT: N_("n'a pas répondu la dernière fois"),
    Ground.AWAY: N_("pas disponible en ce moment"),
    Ground.FULL: N_("complet ({count} sur {most})"),
    Ground.DECLINED: N_("a décliné"),
    Ground.ASKED: N_("réponse attendue"),
    Ground.BARRED: N_("ne peut pas être mentor : {words}"),
    Ground.ELSEWHERE: N_("autre domaine : {words}"),
}
