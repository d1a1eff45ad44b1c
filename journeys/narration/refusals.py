"""Refusals, told: what stands in the way, and what to do instead."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from journeys.domain.handbook import Handbook
from journeys.i18n import N_, format_date, format_instant, format_money, text
from journeys.narration.words import command_word, role_word, spoken

_AMOUNTS: Final = frozenset({"amount", "already", "cap", "paid"})
_SPOKEN: Final = frozenset({"how", "status", "outcome", "why"})
_ZONE: Final = "Europe/Paris"

SENTENCES: Final = {
    # anything
    "no-right": N_(
        "Votre rôle ne permet pas cette demande sur ce parcours ({command}). "
        "Demandez au référent du parcours ou au responsable."
    ),
    "journey-exists": N_("Ce parcours existe déjà. Ouvrez-le au lieu d'en créer un autre."),
    "unknown-journey": N_("Ce parcours n'existe pas. Vérifiez son numéro dans la liste des parcours."),
    "closed": N_(
        "Le parcours est clos ({outcome}). Demandez au responsable de "
        "le rouvrir, ou corrigez un fait passé."
    ),
    "in-the-future": N_(
        "Le jour donné n'est pas encore venu. Donnez le jour où "
        "c'est arrivé, au plus tard aujourd'hui."
    ),
    "in-the-past": N_("Le moment donné est déjà passé. Donnez un moment à venir."),
    "unknown-command": N_("Cette demande n'est pas connue ({name}). Voyez la liste des demandes possibles."),
    "unknown-message": N_(
        "Aucun message parti de ce parcours ne porte ce numéro ({id}). "
        "Vérifiez le numéro du message."
    ),
    "unknown-receipt-kind": N_(
        "Ce retour n'est pas connu pour un message ({said}). "
        "Pour un message : remis, ou revenu."
    ),
    "correct-to": N_("Cette correction n'est pas possible ici. Valeurs possibles : {known}."),
    "opted-out-since": N_(
        "La personne a demandé l'arrêt des messages après cette reprise : elle ne vaut plus. "
        "Si elle les veut de nouveau, notez une reprise d'aujourd'hui."
    ),
    "id-used": N_("Ce numéro de demande a déjà servi pour autre chose. Refaites la demande avec un nouveau numéro."),
    "unsigned": N_("La signature de la demande n'est pas valable. Connectez-vous de nouveau et refaites la demande."),
    # dates
    "unknown-date": N_("La date « {date} » n'est pas dans ce programme. Dates du programme : {known}."),
    "date-missing": N_("Il manque une date pour ouvrir le parcours : « {date} ». Donnez le jour attendu."),
    "date-passed": N_(
        "La date « {date} » est déjà passée ({on}). Donnez un jour à "
        "venir, ou reprenez un parcours déjà commencé."
    ),
    "date-expected": N_("La date « {date} » est déjà attendue le {on}. Déplacez-la au lieu d'en noter une autre."),
    "date-happened": N_("La date « {date} » a déjà eu lieu le {on}. Si le jour est faux, corrigez-le."),
    "date-not-happened": N_(
        "La date « {date} » n'a pas encore eu lieu : il n'y a rien à "
        "corriger. Confirmez-la ou déplacez-la."
    ),
    "date-not-expected": N_("La date « {date} » n'est pas attendue. Notez d'abord le jour attendu."),
    "same-day": N_("C'est déjà le jour noté pour « {date} » ({on}). Donnez un autre jour."),
    "overtaken": N_("La promotion a donné un autre jour depuis pour « {date} » : celui-ci ne vaut plus."),
    # cohorts
    "no-shared-date": N_("Ce programme n'a aucune date commune à la promotion. Choisissez un autre programme."),
    "not-shared": N_("« {date} » n'est pas une date commune de cette promotion. Dates communes : {known}."),
    "shared-date-past": N_(
        "Le jour donné pour « {date} » est déjà passé ({on}) : rien n'a "
        "changé, pour personne. Donnez un jour à venir."
    ),
    "dates-out-of-order": N_(
        "« {first} » ({on}) doit venir avant « {then} » ({until}) : rien n'a "
        "changé, pour personne. Déplacez d'abord l'autre date."
    ),
    "cohort-joined": N_("Ce parcours est déjà dans cette promotion."),
    "in-another-cohort": N_("Ce parcours est déjà dans une promotion. Retirez-le d'abord de celle-ci."),
    "not-in-cohort": N_("Ce parcours n'est pas dans cette promotion."),
    "other-programme": N_("Ce parcours suit un autre programme que la promotion ({programme})."),
    "journey-over": N_("Le parcours est clos : il ne peut pas entrer dans une promotion."),
    "places-taken": N_(
        "{taken} places sont prises : on ne peut pas en garder {places}. "
        "Retirez d'abord quelqu'un, ou gardez plus de places."
    ),
    "same-places": N_("La promotion a déjà {places} places. Donnez un autre nombre."),
    "places-impossible": N_("{places} places : donnez un nombre de 1 à {most}."),
    "cohort-closed": N_("Cette promotion est close : rien n'y change plus."),
    # suspension, end, referent
    "suspended": N_("Le parcours est déjà suspendu. Reprenez-le d'abord."),
    "suspended-then": N_("Le parcours était suspendu jusqu'au {until}. Donnez un jour à partir de celui-là."),
    "not-suspended": N_("Le parcours n'est pas suspendu : il n'y a rien à reprendre."),
    "before-suspension": N_("La suspension n'a commencé que le {since}. Donnez un jour à partir de celui-là."),
    "referent-already": N_("Cette personne suit déjà le parcours. Choisissez quelqu'un d'autre, ou un autre site."),
    "transfer-open": N_("Une reprise du parcours est déjà demandée. Attendez la réponse, ou annulez la demande."),
    "no-transfer": N_("Aucune reprise du parcours n'est demandée."),
    "unknown-outcome": N_("L'issue « {outcome} » n'est pas dans ce programme. Issues possibles : {known}."),
    "not-closed": N_("Le parcours n'est pas clos : il n'y a rien à rouvrir."),
    "erasing": N_("Les données de cette personne s'effacent : rien ne s'ajoute plus à ses parcours."),
    "died": N_(
        "La personne est décédée le {on} : le parcours ne peut pas être "
        "rouvert. Si c'est une erreur, prévenez l'administration."
    ),
    # other rules
    "unknown-programme": N_("Ce programme n'est pas en vigueur ici. Publiez-le d'abord, puis refaites la demande."),
    "same-programme": N_("Le parcours suit déjà ces règles ({programme}). Il n'y a rien à changer."),
    "grant-without-rules": N_(
        "Le programme « {programme} » ne prévoit pas l'aide « {grant} », demandée sur ce parcours. Ajoutez-la "
        "au programme, ou gardez les règles actuelles."
    ),
    # milestones
    "unknown-milestone": N_("L'étape « {milestone} » n'est pas dans ce programme. Étapes du programme : {known}."),
    "already-settled": N_("L'étape « {milestone} » est déjà faite ou dispensée. Si c'est faux, corrigez-la."),
    "not-settled": N_("Il n'y a encore rien de noté à corriger. Notez d'abord ce qui est arrivé."),
    "checked-otherwise": N_(
        "L'étape « {milestone} » se constate d'elle-même "
        "({check}). Notez le fait qui la constate."
    ),
    "evidence-missing": N_("Il manque une pièce pour l'étape « {milestone} » : {evidence}. Joignez-la d'abord."),
    "check-under-way": N_("La vérification de l'étape « {milestone} » est en cours. Attendez sa réponse."),
    "no-custody": N_("Pour un porteur de projet ou un bénévole, la détention ne se note pas. Donnez une autre raison."),
    "fixed-by-law": N_("Le jour de l'étape « {milestone} » est fixé par la loi : il ne se déplace pas."),
    "unknown-evidence": N_("La pièce « {kind} » n'est pas attendue ici. Pièces attendues : {known}."),
    # contacts and appointments
    "summons-stands": N_(
        "C'est une convocation : l'heure ne se propose ni ne se décline. La personne peut demander une autre heure ; "
        "le référent la déplace."
    ),
    "justification-missing": N_(
        "L'absence à une convocation se justifie. Notez en quelques mots le justificatif, ou notez l'absence."
    ),
    "unknown-chase": N_("Cette relance n'est plus en cours ({id}). Voyez sur la page de la personne ce qui attend."),
    "unknown-contact": N_("Le contact « {contact} » n'est pas dans ce programme. Contacts du programme : {known}."),
    "unknown-means": N_("Le moyen « {means} » n'est pas prévu pour ce contact. Moyens possibles : {known}."),
    "unknown-window": N_(
        "Il n'y a pas de contact passé qui porte le numéro "
        "{window}. Voyez les contacts du parcours."
    ),
    "unknown-appointment": N_("Ce rendez-vous n'existe pas dans ce parcours. Voyez la liste des rendez-vous."),
    "appointment-ahead": N_("Le rendez-vous n'a pas encore eu lieu ({at}). Notez son issue après, ou annulez-le."),
    "appointment-past": N_("L'heure de ce rendez-vous est passée ({at}). Notez plutôt son issue."),
    "time-not-offered": N_("Cette heure n'est pas proposée pour ce rendez-vous ({at}). Demandez une autre heure."),
    "wish-though-coming": N_("Une autre heure ne se note qu'avec la demande d'une autre heure."),
    "appointment-settled": N_(
        "L'issue de ce rendez-vous est déjà notée ({outcome}). "
        "Si elle est fausse, corrigez-la."
    ),
    # escalations
    "unknown-escalation": N_("Cette alerte n'est pas ouverte. Voyez la liste des alertes ouvertes."),
    "acknowledged-too-long": N_(
        "Une alerte ne se prend en charge que jusqu'au {until}. "
        "Donnez ce jour ou un jour plus proche."
    ),
    "snoozed-too-long": N_(
        "Ce niveau de l'alerte ne se met en attente que jusqu'au {until}. "
        "Donnez ce jour ou un jour plus proche, ou prenez l'alerte en charge."
    ),
    "urgent-last-resort": N_(
        "L'alerte est urgente et personne ne vient après vous : elle ne se met pas en attente. "
        "Prenez-la en charge, ou confiez-la à quelqu'un."
    ),
    "nothing-to-snooze": N_(
        "Rien ne suit dans cette alerte avant le prochain point : il n'y a rien à mettre en attente. "
        "Prenez-la en charge, ou réglez-la."
    ),
    # grants
    "unknown-grant": N_("L'aide « {grant} » n'est pas dans ce programme. Aides possibles : {known}."),
    "unknown-grant-file": N_("Cette demande d'aide n'existe pas dans ce parcours. Voyez les aides du parcours."),
    "not-a-requester": N_("Le rôle « {role} » ne peut pas demander cette aide. Rôles qui le peuvent : {known}."),
    "unknown-channel": N_("Cette aide ne se verse pas par « {channel} ». Moyens possibles : {known}."),
    "unknown-purpose": N_("L'objet « {purpose} » n'est pas prévu pour cette aide. Objets possibles : {known}."),
    "no-amount": N_("Le montant doit être plus grand que zéro."),
    "no-level": N_(
        "Personne ne peut décider d'un montant de {amount}. Demandez "
        "moins, ou faites compléter le programme."
    ),
    "over-cap": N_(
        "Le montant demandé ({amount}) dépasse le plafond : {cap}, dont "
        "{already} déjà demandés ou accordés. Demandez moins."
    ),
    "below-paid": N_("{paid} sont déjà versés : le montant ne peut pas être plus petit."),
    "grant-over": N_("Cette demande est terminée ({how}). Faites-en une autre si besoin."),
    "grant-returned": N_("La demande attend un complément. Elle pourra être décidée quand elle aura été modifiée."),
    "grant-approved": N_("Cette aide est déjà accordée. Modifiez-la ou annulez-la si besoin."),
    "payment-under-way": N_("Un versement est en cours. Attendez qu'il soit réglé."),
    "self-approval": N_("On ne donne pas son accord à sa propre demande. Une autre personne doit décider."),
    "editor-approval": N_(
        "Qui a saisi le bénéficiaire du versement ne peut pas donner son "
        "accord. Une autre personne doit décider."
    ),
    "digest-changed": N_("La demande a changé depuis que vous l'avez lue. Relisez-la, puis décidez."),
    "approved-already": N_("Vous avez déjà donné votre accord. L'autre accord doit venir d'une autre personne."),
    "role-not-wanted": N_("Votre accord n'est pas attendu pour cette demande. Il manque l'accord de : {known}."),
    # payments and receipts
    "unknown-payment": N_("Ce versement n'existe pas dans ce parcours. Voyez les versements du parcours."),
    "payment-settled": N_("Ce versement ne peut plus changer ainsi ({status}). Voyez les versements du parcours."),
    "payment-at-bank": N_(
        "Le fichier de ce versement a été donné à la banque, et aucun relevé n'est arrivé depuis : "
        "il est peut-être parti. Importez d'abord un relevé plus récent."
    ),
    "payment-left": N_("Ce versement est déjà parti ({status}) : il ne peut plus être annulé."),
    "payment-not-blocked": N_("Ce versement n'est pas retenu ({status}) : il n'y a rien à redemander."),
    "no-doubt": N_("La banque n'a pas de doute sur ce versement ({status})."),
    "receipt-needed": N_(
        "Ce qui est remis à la personne ({channel}) a un reçu. "
        "Dites qui a signé, ou le numéro du bon."
    ),
    "unknown-receipt": N_("Ce justificatif n'est pas attendu dans ce parcours. Voyez les justificatifs du parcours."),
    "receipt-settled": N_("Ce justificatif est déjà réglé ({how})."),
    "receipt-submitted": N_("Un justificatif est déjà remis. Attendez la réponse du gestionnaire."),
    "receipt-not-submitted": N_("Aucun justificatif n'est encore remis."),
    "receipt-amount": N_("Le montant du justificatif ({amount}) doit être plus grand que zéro et au plus {known}."),
    # mentors and partners
    "has-mentor": N_("La personne a déjà un mentor. Mettez d'abord fin à ce mentorat."),
    "mentor-proposed": N_("Ce mentor est déjà proposé. Attendez la réponse."),
    "no-mentor": N_("La personne n'a pas de mentor en ce moment."),
    "no-proposal": N_("Ce mentor n'est pas proposé pour ce parcours. Proposez-le d'abord."),
    "referral-open": N_("Une orientation vers ce partenaire attend déjà une réponse ({purpose})."),
    "unknown-referral": N_("Cette orientation n'attend pas de réponse. Voyez les orientations du parcours."),
    # the person
    "unknown-situation": N_(
        "La situation « {situation} » n'est pas dans ce "
        "programme. Situations suivies : {known}."
    ),
    "unknown-value": N_("La valeur « {value} » n'est pas prévue. Valeurs possibles : {known}."),
    "guarded": N_("Ce programme ne le permet pas ici. {guard}"),
    "nothing-to-correct": N_("Rien n'est noté pour la situation « {situation} ». Notez-la d'abord."),
    "same-value": N_("C'est déjà ce qui est noté pour « {situation} » ({value}). Donnez une autre valeur."),
    "unknown-measure": N_("Le constat « {measure} » n'est pas dans ce programme. Constats du programme : {known}."),
    "measure-ahead": N_("Le jour du constat « {measure} » n'est pas encore venu. Notez-le à partir de ce jour."),
    "half-a-series": N_("Une série dit tous les combien et combien de fois (deux au moins)."),
    "no-wish": N_("Rien n'est dit : donnez un moyen, une langue ou un fuseau horaire."),
    "no-consent": N_("Aucun accord n'est noté pour ce partenaire ({purpose})."),
}  # fmt: skip
"""Every code that the rules of a journey refuse with. The places are the refusal's own details."""


def refusal(code: str, details: Mapping[str, str | int | None], lang: str, book: Handbook | None = None) -> str:
    """Why something is refused, and what to do instead. With the rules at hand, labels stand for codes."""
    sentence = SENTENCES.get(code)
    if sentence is None:
        return text(lang)(N_("Une règle s'y oppose ({code}).")).format(code=spoken(code, lang))
    fields = _Fields({name: _told(name, value, lang, book) for name, value in details.items()})
    return text(lang)(sentence).format_map(fields)


class _Fields(dict[str, str]):
    """Details of an old refusal may lack what today's sentence names."""

    def __missing__(self, key: str) -> str:
        return "…"


def _told(name: str, value: str | int | None, lang: str, book: Handbook | None) -> str:
    match name, value:
        case _, None:
            return spoken("unknown", lang)
        case _, int() if name in _AMOUNTS or name == "known":
            return format_money(value, lang)
        case (("on" | "until" | "since"), str()):
            return format_date(date.fromisoformat(value), lang)
        case "at", str():
            zone = book.calendar.zone if book is not None else _ZONE
            return format_instant(datetime.fromisoformat(value), lang, zone)
        case "command", str():
            return command_word(value, lang)
        case "known", str():
            return ", ".join(_label(each, lang, book) for each in value.split(", "))
        case "guard", str() if book is not None and value in book.programme.guards:
            return book.programme.guards[value].says.in_(lang)
        case _, str() if name in _SPOKEN or name in ("check", "evidence"):
            return ", ".join(_label(each, lang, book, spell=True) for each in value.split(", "))
        case _, str():
            return _label(value, lang, book)
    return str(value)


def _label(code: str, lang: str, book: Handbook | None, *, spell: bool = False) -> str:
    """With the rules at hand a label; without them the code, which is what a person has to type."""
    if book is None:
        return spoken(code, lang) if spell else code
    programme = book.programme
    for table in (programme.milestones, programme.dates, programme.contacts, programme.grants, programme.measures,
                  programme.closings):  # fmt: skip
        known = table.get(code)
        if known is not None:
            return known.label.in_(lang)
    role = programme.roles.get(code)
    if role is not None:
        return role.en if lang == "en" else role.fr
    return role_word(code, lang)
