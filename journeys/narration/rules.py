"""The rule under which something followed by itself, in plain words."""

from typing import Final

from journeys.i18n import N_, text

RULES: Final = {
    "plan": N_("calendrier du programme"),
    "programme-changed": N_("passage à d'autres règles"),
    "erasure": N_("effacement d'une personne"),
    "review": N_("point régulier sur chaque parcours"),
    "active-from": N_("date qui fait commencer l'accompagnement"),
    "enter-when": N_("étapes qui ouvrent la phase"),
    "leave-when": N_("étapes qui terminent la phase"),
    "active": N_("début de l'accompagnement"),
    "phase": N_("calendrier des phases"),
    "confirm-within": N_("délai pour confirmer une date"),
    "ladder": N_("qui alerter, et dans quel ordre"),
    "told": N_("transmission de l'alerte"),
    "settled": N_("le sujet de l'alerte est réglé"),
    "approvals": N_("accords demandés pour ce montant"),
    "decide-within": N_("délai de décision"),
    "instalment": N_("échéancier des versements"),
    "payment-gate": N_("contrôle avant versement"),
    "payment": N_("suivi du versement"),
    "receipts": N_("justificatifs à remettre"),
    "receipts-answered": N_("délai de réponse sur un justificatif"),
    "closing": N_("clôture du parcours"),
    "reopening": N_("réouverture du parcours"),
    "death": N_("décès de la personne"),
    "deadline": N_("échéance de l'étape"),
    "late-fact": N_("fait appris après coup"),
    "milestone-closes": N_("étape qui termine le parcours"),
    "ends": N_("durée du programme"),
    "situation-kept": N_("situation tenue assez longtemps"),
    "check": N_("façon de constater l'étape"),
    "message": N_("règles d'envoi des messages"),
    "no-receipt": N_("message sans accusé de réception"),
    "quiet-hours": N_("heures de repos"),
    "digest": N_("un seul message par jour et par personne"),
    "reminder": N_("rappels de l'étape"),
    "contact": N_("rythme des contacts"),
    "contact-grid": N_("rythme des contacts"),
    "appointment": N_("rendez-vous tenu"),
    "appointment-declined": N_("rendez-vous décliné par la personne"),
    "appointment-missed": N_("suite d'un rendez-vous manqué"),
    "heard-of": N_("nouvelles de la personne"),
    "appointment-reminder": N_("rappel deux jours avant"),
    "appointment-outcome": N_("question le lendemain matin"),
    "mentor": N_("un seul mentor à la fois"),
    "answer-within": N_("délai de réponse du partenaire"),
    "consent": N_("accord de la personne"),
    "pause": N_("pause des messages"),
    "measure": N_("constats du programme"),
    "referent": N_("désignation d'un référent"),
    "remind-after": N_("rappel d'une reprise demandée"),
    "accept-after": N_("reprise sans réponse dans le délai"),
}
"""Every rule that the core names, by its first word."""


def rule_words(rule: str, lang: str) -> str:
    """`ladder/follow-up` as `qui alerter, et dans quel ordre`; a rule of a later version as a rule of the programme."""
    return text(lang)(RULES.get(rule.partition("/")[0], N_("règle du programme")))
