"""What each key of a programme means, French first: shown by editors through the JSON Schema."""

_ORIGIN = (
    "d’où vient la règle : text (le texte de l’association), default (notre choix), law (la loi)",
    "where the rule comes from: text (the association’s own), default (ours), law (never shifted)",
)
_RULE = (
    "la règle de droit ou d’usage suivie ici (journeys rules list)",
    "the rule of law or practice that is followed here (journeys rules list)",
)
_LABEL = ("ce que les personnes lisent", "what people read")
_MISSED = ("l’échelle qui commence quand c’est manqué", "the ladder that begins when it is missed")
_GOOD = ("les valeurs qui comptent comme bonnes", "the values that count as good")

DESCRIPTIONS: dict[str, tuple[str, str]] = {
    "Programme": (
        "Un accompagnement écrit par une association.",
        "An accompaniment written by an association.",
    ),
    "Programme.programme": ("le nom du programme, sans espace", "the programme’s name, without spaces"),
    "Programme.format": ("la version de ce format : 1", "the version of this format: 1"),
    "Programme.label": _LABEL,
    "Programme.subject": ("qui suit le parcours", "whose journey it is"),
    "Programme.roles": (
        "les rôles nommés dans ce fichier ; duty n’est jamais vacant",
        "the roles named in this file; duty is never vacant",
    ),
    "Programme.clock": ("les heures et le calendrier", "hours and calendar"),
    "Programme.dates": (
        "ce sur quoi le calendrier s’accroche, outre start",
        "what the calendar hangs on besides start",
    ),
    "Programme.active_from": (
        "la date qui rend actif un parcours prévu",
        "the date that makes a planned journey active",
    ),
    "Programme.ends": ("le moment où l’on demande à quelqu’un de clore", "when someone is asked to close"),
    "Programme.phases": ("les phases, qui peuvent se chevaucher", "the phases, which may overlap"),
    "Programme.milestones": ("les étapes", "the milestones"),
    "Programme.contacts": ("les contacts réguliers", "regular contacts"),
    "Programme.ladders": ("les échelles d’alerte", "the ladders of escalation"),
    "Programme.appointments": (
        "ce qui suit un rendez-vous ou une convocation manqués",
        "what follows a missed appointment or summons",
    ),
    "Programme.grants": ("les aides", "the grants"),
    "Programme.situations": (
        "ce qui dure, et ses valeurs ; unknown est toujours possible",
        "what lasts, and its values; unknown is always allowed",
    ),
    "Programme.guards": (
        "ce qui ne se note pas de certaines personnes, et pourquoi",
        "what may not be noted of some people, and why",
    ),
    "Programme.measures": ("ce qui est mesuré, et quand", "what is measured, and when"),
    "Programme.referrals": ("les orientations vers un partenaire", "referrals to a partner"),
    "Programme.transfers": ("le changement de référent", "the hand-over to another referent"),
    "Programme.review": (
        "un parcours ouvert est revu au moins à cet intervalle",
        "an open journey is looked at at least so often",
    ),
    "Programme.suspension_review": ("le même intervalle pendant une suspension", "the same while suspended"),
    "Programme.suspension_missed": ("l’échelle de cette revue", "the ladder of that review"),
    "Programme.closings": ("les issues possibles", "the possible outcomes"),
    "Programme.rules": (
        "les règles nommées, reprises à la lecture : à ne pas écrire",
        "the rules named, taken over when the file is read: not to be written",
    ),
    "RuleVersion": (
        "Une règle, dans la version avec laquelle le programme a été lu.",
        "A rule, in the version with which the programme was read.",
    ),
    "RuleVersion.label": _LABEL,
    "RuleVersion.says": ("ce que dit la règle", "what the rule says"),
    "RuleVersion.source": ("le texte dont elle vient", "the text that it comes from"),
    "RuleVersion.url": ("où lire ce texte", "where to read that text"),
    "RuleVersion.valid_from": ("en vigueur depuis ce jour", "in force since this day"),
    "RuleVersion.valid_to": ("en vigueur jusqu’à ce jour", "in force until this day"),
    "Saying": ("Une phrase en français et en anglais.", "A sentence in French and English."),
    "Saying.fr": ("en français", "in French"),
    "Saying.en": ("en anglais", "in English"),
    "Label": ("Un texte en français et en anglais.", "A text in French and English."),
    "Label.fr": ("en français", "in French"),
    "Label.en": ("en anglais", "in English"),
    "Role": ("Un rôle de ce programme.", "A role of this programme."),
    "Role.fr": ("en français", "in French"),
    "Role.en": ("en anglais", "in English"),
    "Role.rights": (
        "la ligne du tableau des droits, si ce n’est pas le nom du rôle",
        "the line of the rights table, when it is not the role’s name",
    ),
    "Clock": ("Les heures et le calendrier.", "Hours and calendar."),
    "Clock.zone": ("le fuseau horaire", "the time zone"),
    "Clock.calendar": (
        "les jours non travaillés : un pays (FR) ou l’une de ses parties (FR-974)",
        "non-working days: a country (FR) or a subdivision (FR-974)",
    ),
    "Clock.opens": ("les rappels partent, les périodes s’ouvrent", "reminders leave, windows open"),
    "Clock.closes": (
        "une échéance tombe à cette heure de son jour",
        "a deadline falls due at this hour of its day",
    ),
    "Clock.cut_off": (
        "ce qui arrive plus tard compte du jour travaillé suivant",
        "what arrives later counts from the next working day",
    ),
    "Clock.quiet_from": (
        "aucun message à partir de cette heure ; s’il n’est pas urgent, aucun non plus le dimanche et les jours fériés",
        "no message from this hour; nor, unless urgent, on Sundays and public holidays",
    ),
    "Clock.quiet_to": ("jusqu’à cette heure", "until this hour"),
    "Clock.short_notice": (
        "délai minimal d’une échéance qui tomberait dans le passé",
        "least notice of a deadline that would fall in the past",
    ),
    "Clock.late_message": (
        "un message plus en retard que cela n’est plus envoyé",
        "a message later than this is not sent",
    ),
    "Clock.spread": (
        "sur combien de temps part ce qui n’a pas d’heure exacte (rappels en jours, points, fin des heures calmes ; "
        "échéances manquées et ce qui les suit : 4 minutes) : 30 minutes ; 2 hours au plus",
        "over how long leaves what has no exact hour (reminders in days, reviews, the end of quiet hours; "
        "missed deadlines and what follows them over 4 minutes): 30 minutes; 2 hours at most",
    ),
    "Clock.digest": (
        "l’heure des jours ouvrés où les alertes non urgentes partent, un seul message par personne : 09:30 ; "
        "sans elle, chacune part seule",
        "the hour of working days at which alerts that are not urgent leave, one message a person: 09:30; without it, "
        "each leaves by itself",
    ),
    "DateRule": ("Une date prévue, déplacée, puis arrivée.", "A date that is expected, moved, then happens."),
    "DateRule.label": _LABEL,
    "DateRule.confirm_within": (
        "délai pour confirmer la date une fois passée",
        "how long the date may stay unconfirmed once passed",
    ),
    "DateRule.missed": _MISSED,
    "DateRule.shared": (
        "la même date pour toute une promotion, jamais décalée ; dans le fichier, dans l’ordre des jours",
        "a cohort’s date, the same for all, never shifted; in the file, in the order of their days",
    ),
    "DateRule.origin": _ORIGIN,
    "DateRule.rule": _RULE,
    "Phase": ("Une phase.", "A phase."),
    "Phase.label": _LABEL,
    "Phase.enter": ("le moment où elle commence", "when it begins"),
    "Phase.enter_when": (
        "elle commence quand toutes ces étapes sont atteintes",
        "it begins once all these milestones are reached",
    ),
    "Phase.leave": ("le moment où elle finit", "when it ends"),
    "Phase.leave_when": (
        "elle finit quand toutes ces étapes sont atteintes",
        "it ends once all these milestones are reached",
    ),
    "Phase.origin": _ORIGIN,
    "Milestone": ("Une étape.", "A milestone."),
    "Milestone.label": _LABEL,
    "Milestone.phase": (
        "son échéance est posée quand cette phase commence",
        "its deadline is set when this phase begins",
    ),
    "Milestone.due": ("l’échéance", "the deadline"),
    "Milestone.roll": (
        "si le jour n’est pas travaillé : forward (après), back (avant), none",
        "off a non-working day: forward, back or none",
    ),
    "Milestone.required": (
        "false : facultative, annulée à la fin de la phase",
        "false: optional, cancelled when the phase ends",
    ),
    "Milestone.needs": (
        "les étapes sans lesquelles l’échéance n’est pas posée",
        "the milestones without which the deadline is not set",
    ),
    "Milestone.check": ("comment on constate qu’elle est atteinte", "how it is found to be reached"),
    "Milestone.evidence": (
        "les pièces demandées, avec check: evidence",
        "the documents asked for, with check: evidence",
    ),
    "Milestone.situation": (
        "la situation suivie, avec check: situation",
        "the situation that counts, with check: situation",
    ),
    "Milestone.good": _GOOD,
    "Milestone.kept": ("combien de temps la bonne valeur doit durer", "how long the good value must last"),
    "Milestone.url": (
        "l’adresse interrogée, avec check: http ; son hôte doit être autorisé",
        "the address asked, with check: http; its host must be allowed",
    ),
    "Milestone.remind": ("les rappels avant l’échéance", "the reminders before the deadline"),
    "Milestone.missed": _MISSED,
    "Milestone.closes": (
        "l’atteindre propose de clore avec cette issue",
        "reaching it asks for a closing with this outcome",
    ),
    "Milestone.shifts": (
        "false : une suspension ne décale pas l’échéance",
        "false: a suspension does not shift the deadline",
    ),
    "Milestone.origin": _ORIGIN,
    "Milestone.rule": _RULE,
    "Check": ("Comment une étape est constatée.", "How a milestone is found to be reached."),
    "Roll": ("Vers où glisse un jour non travaillé.", "Where a non-working day rolls to."),
    "Reminder": ("Un rappel.", "A reminder."),
    "Reminder.to": ("le rôle qui le reçoit", "the role that receives it"),
    "Reminder.when": ("combien de temps avant l’échéance", "how long before the deadline"),
    "Reminder.template": ("le modèle de message", "the message template"),
    "Contact": ("Des contacts réguliers : un par période.", "Regular contacts: one in each window."),
    "Contact.label": _LABEL,
    "Contact.start": ("le début de la première période", "when the first window opens"),
    "Contact.cadence": ("le rythme, qui s’allège avec le temps", "the cadence, which lightens with time"),
    "Contact.by": ("le rôle qui prend contact", "the role that makes the contact"),
    "Contact.means": ("les moyens possibles", "the possible means"),
    "Contact.missed": _MISSED,
    "Contact.origin": _ORIGIN,
    "Contact.rule": _RULE,
    "Ladder": ("À qui l’on s’adresse, et quand.", "Who is told, and when."),
    "Ladder.steps": (
        "les pas, du plus tôt au plus tard ; le dernier va à l’astreinte",
        "the steps, earliest first; the last goes to a duty role",
    ),
    "Ladder.acknowledged_for": (
        "combien de temps une prise en charge arrête la montée",
        "how long acknowledging stops the climb",
    ),
    "Ladder.snoozed_for": (
        "de combien un pas peut être mis en attente au-delà du moment prévu, en tout",
        "how far beyond its planned moment a step may be put off, in all",
    ),
    "Ladder.urgent": (
        "peut joindre l’équipe la nuit ; les heures comptent toutes",
        "may reach staff at night; all hours count",
    ),
    "Ladder.origin": _ORIGIN,
    "Step": ("Un pas d’une échelle.", "A step of a ladder."),
    "Step.to": ("le rôle prévenu", "the role that is told"),
    "Step.after": ("combien de temps après le manquement", "how long after the miss"),
    "Step.fallback": ("les rôles prévenus si personne n’est là", "the roles told when no one is there"),
    "Step.repeat": (
        "l’intervalle de répétition, au dernier pas seulement",
        "the interval of repetition, on the last step only",
    ),
    "Step.times": ("combien de répétitions", "how many repetitions"),
    "Appointments": ("Ce qui suit un rendez-vous manqué.", "What follows a missed appointment."),
    "Appointments.missed": (
        "les pas, dans l’ordre, jusqu’à des nouvelles de la personne ; puis, ou sans eux tout de suite, l’échelle de "
        "ce pour quoi il était fixé",
        "the steps, in order, until the person is heard of; then, or at once without them, the ladder of what it was "
        "for",
    ),
    "Appointments.summons_missed": (
        "l’échelle d’une convocation manquée, qui commence tout de suite ; sans elle, celle de ce pour quoi elle était",
        "the ladder of a missed summons, which begins at once; without it, that of what it was for",
    ),
    "Appointments.origin": _ORIGIN,
    "Chase": ("Un pas après un rendez-vous manqué.", "A step after a missed appointment."),
    "Chase.do": (
        "call (le référent appelle), letter (une lettre à poster), escalation (une échelle, en dernier)",
        "call (the caseworker calls), letter (a letter to post), escalation (a ladder, last)",
    ),
    "Chase.within": (
        "pour call et letter : sans nouvelle après ce délai, le pas suivant ; 2 working days si rien n’est dit",
        "for call and letter: without news after so long, the next step; 2 working days where nothing is said",
    ),
    "Chase.ladder": ("pour escalation : l’échelle", "for escalation: the ladder"),
    "Grant": ("Une aide.", "A grant."),
    "Grant.label": _LABEL,
    "Grant.fund": ("le fonds qui paie", "the fund that pays"),
    "Grant.cap": ("le plafond par personne", "the cap per person"),
    "Grant.purposes": ("à quoi elle peut servir", "what it may be used for"),
    "Grant.requested_by": ("les rôles qui peuvent la demander", "the roles that may ask for it"),
    "Grant.levels": ("qui approuve, selon le montant", "who approves, by amount"),
    "Grant.decide_within": ("le délai de décision", "the time to decide"),
    "Grant.instalments": ("les versements ; leurs parts font 100", "the instalments; their shares make 100"),
    "Grant.receipts": ("le délai pour les justificatifs", "the time for receipts"),
    "Grant.receipts_answered": (
        "le délai du gestionnaire pour répondre sur un justificatif",
        "the time that finance has to answer a receipt",
    ),
    "Grant.pay_by": ("comment elle est payée", "how it is paid"),
    "Grant.payee_changed": (
        "après un changement de bénéficiaire, le temps pendant lequel rien n’est versé",
        "after a change of the payee, how long nothing is paid",
    ),
    "Grant.missed": _MISSED,
    "Grant.origin": _ORIGIN,
    "Level": ("Qui approuve jusqu’à un montant.", "Who approves up to an amount."),
    "Level.up_to": (
        "jusqu’à ce montant ; le dernier niveau n’en a pas",
        "up to this amount; the last level has none",
    ),
    "Level.approvals": (
        "une personne différente pour chaque rôle nommé",
        "one distinct person for each role named",
    ),
    "Instalment": ("Un versement.", "An instalment."),
    "Instalment.share": ("sa part, en pour cent", "its share, in percent"),
    "Instalment.when": ("quand il est dû", "when it is due"),
    "Guard": (
        "Des valeurs d’une situation qui ne se notent pas de certaines personnes.",
        "Values of a situation that may not be noted of some people.",
    ),
    "Guard.says": ("ce que lit qui essaie de la noter", "what whoever tries is told"),
    "Guard.situation": ("la situation gardée", "the situation that is guarded"),
    "Guard.bars": ("les valeurs refusées", "the values that are refused"),
    "Guard.when": (
        "pour les seuls parcours où cette date est attendue ou a eu lieu ; sinon, pour tous",
        "only for journeys on which this date is expected or has happened; otherwise for all",
    ),
    "Guard.under": (
        "pour qui a moins que cet âge : le parcours ne commence pas sans la date « when »",
        "for whoever is younger: the journey does not begin without the date “when”",
    ),
    "Guard.needs": (
        "les étapes qui, toutes atteintes, lèvent le refus ; aucune : jamais",
        "the milestones that lift it once all are reached; none: never",
    ),
    "Guard.mentor": (
        "true : tant qu’elle vaut, la personne n’est le mentor de personne",
        "true: as long as it holds, the person is nobody’s mentor",
    ),
    "Guard.origin": _ORIGIN,
    "Measure": ("Un indicateur, constaté à des dates.", "An indicator, taken at moments."),
    "Measure.label": _LABEL,
    "Measure.situation": ("la situation mesurée", "the situation that is measured"),
    "Measure.good": _GOOD,
    "Measure.settle": ("combien de jours après on l’écrit", "how long after it is written down"),
    "Measure.at": ("les moments mesurés", "the moments measured"),
    "Measure.origin": _ORIGIN,
    "Closing": ("Une issue.", "An outcome."),
    "Closing.label": _LABEL,
    "Closing.silent": ("n’en prévenir personne, sauf pour l’argent", "tell no one, except about money"),
    "Referrals": ("Les orientations vers un partenaire.", "Referrals to a partner."),
    "Referrals.answer_within": ("le délai de réponse du partenaire", "how long the partner has to answer"),
    "Referrals.missed": _MISSED,
    "Transfers": ("Le changement de référent.", "The hand-over to another referent."),
    "Transfers.remind_after": ("après combien de temps on le rappelle", "after how long it is reminded"),
    "Transfers.accept_after": (
        "après combien de temps il est accepté d’office",
        "after how long it is accepted by itself",
    ),
}
