"""Why a file of a bank, or an account number, is not taken: what is wrong, where, what to do."""

from typing import Final

from journeys.domain.banking import FileRefused
from journeys.i18n import N_, text

_ASK: Final = N_("Rien n'a été enregistré. Téléchargez le fichier de nouveau sur le site de la banque.")
_SHOW: Final = N_("Rien n'a été enregistré. Gardez le fichier et montrez-le à la banque ou à l'administrateur.")

FILES: Final = {
    "entity": (N_("Le fichier contient des définitions (DTD, entités) qu'un fichier de banque n'a jamais."), _SHOW),
    "malformed": (N_("Le fichier n'est pas du XML correct : abîmé en chemin, ou enregistré par un tableur."), _ASK),
    "truncated": (N_("Le fichier est coupé : sa fin manque."), _ASK),
    "empty": (N_("Le fichier est vide : il ne contient ni relevé ni réponse."), _ASK),
    "wrong-encoding": (N_("Le fichier n'est pas écrit en UTF-8 ({encoding})."), _ASK),
    "not-utf-8": (N_("Le fichier n'est pas écrit en UTF-8, comme le sont les fichiers de banque."), _ASK),
    "wrong-namespace": (
        N_("Ce n'est pas un fichier bancaire ISO 20022 (espace de noms « {space} »)."),
        N_("Rien n'a été enregistré. Choisissez un fichier pain.002, camt.053 ou camt.054."),
    ),
    "other-message": (
        N_("Ce type de fichier n'est pas lu ici ({message})."),
        N_("Rien n'a été enregistré. Sont lus : pain.002 (003, 010), camt.053 et camt.054 (002, 008)."),
    ),
    "other-original": (
        N_("Cette réponse ne parle pas d'un fichier de virements ({message})."),
        N_("Rien n'a été enregistré. Choisissez la réponse à un fichier pain.001."),
    ),
    "out-of-order": (N_("L'élément « {element} » n'est pas à sa place."), _SHOW),
    "unreadable": (N_("L'élément « {element} » qui commence à cette ligne n'est pas conforme."), _SHOW),
    "too-large": (
        N_("Le fichier est trop grand (au plus {most} octets)."),
        N_("Rien n'a été enregistré. Demandez à la banque un fichier par jour."),
    ),
    "too-deep": (N_("Les éléments du fichier sont trop emboîtés."), _SHOW),
    "too-long": (N_("Un élément du fichier est trop long."), _SHOW),
    "third-decimal": (N_("Un montant a plus de deux décimales ({amount})."), _SHOW),
    "not-an-amount": (N_("Ce n'est pas un montant : « {amount} »."), _SHOW),
    "other-currency": (
        N_("Une opération ou un compte n'est pas en euros ({currency})."),
        N_("Rien n'a été enregistré. Demandez à la banque le relevé du compte en euros."),
    ),
    "other-account": (
        N_("Ce relevé est celui d'un autre compte ({iban})."),
        N_("Rien n'a été enregistré. Téléchargez le relevé du compte de l'association."),
    ),
    "iban-key": (N_("L'IBAN {iban} d'une opération a une clé fausse : il a été abîmé en chemin."), _ASK),
    "no-iban": (N_("Le relevé ne dit pas de quel compte il parle (IBAN)."), _SHOW),
    "no-date": (N_("Une opération n'a pas de date de comptabilisation."), _SHOW),
    "does-not-add-up": (
        N_("Les opérations du relevé ne mènent pas du solde de début au solde de fin."),
        N_("Rien n'a été enregistré. Le relevé est incomplet : téléchargez-le de nouveau, entier."),
    ),
}

IBANS: Final = {
    "iban-shape": N_("Ce n'est pas un IBAN. Un IBAN français : FR, puis 25 chiffres ou lettres."),
    "iban-country": N_("Les deux premières lettres de l'IBAN ne sont pas un pays connu. Vérifiez-les sur le RIB."),
    "iban-length": N_("L'IBAN n'a pas la longueur de son pays (27 caractères en France). Vérifiez-le sur le RIB."),
    "iban-key": N_("La clé de l'IBAN est fausse : un chiffre est mal recopié. Vérifiez-le sur le RIB."),
    "iban-outside-sepa": N_(
        "Ce compte est hors de la zone SEPA : un virement ne peut pas l'atteindre. "
        "Demandez un autre compte, ou payez autrement."
    ),
}


TROUBLES: Final = {
    "unknown-reference": N_("aucun versement connu n'a cette référence"),
    "wrong-amount": N_("le montant n'est pas celui du versement"),
    "wrong-iban": N_("le compte n'est pas celui du bénéficiaire"),
    "doubled": N_("déjà parti, ou déjà revenu, une fois"),
    "never-sent": N_("son fichier n'a été donné à personne"),
    "contradicted": N_("contraire à ce que la banque a dit avant"),
    "unexpected-money": N_("argent reçu que personne n'attend"),
    "unsplit": N_("lot comptabilisé en une somme, sans détail"),
    "refused": N_("le parcours ne l'a pas pris"),
}


def gone_said(year: int | None, lang: str) -> str:
    """That name, account and words of a line went with their year; empty where they did not."""
    _ = text(lang)
    return "" if year is None else _("n'est plus gardé (année {year})").format(year=year)


def trouble_said(code: str, lang: str) -> str:
    """Why a person must look at a line of the bank."""
    return text(lang)(TROUBLES[code])


def file_refused(refused: FileRefused, lang: str) -> str:
    """`Ligne 12 : un montant a plus de deux décimales (1.005). Rien n'a été enregistré. …`"""
    _ = text(lang)
    what, remedy = (_(each) for each in FILES[refused.code])
    said = f"{what.format(**refused.details)} {remedy}"
    return said if refused.line is None else _("Ligne {line} : {said}").format(line=refused.line, said=said)


def iban_refused(code: str, lang: str) -> str:
    """What is wrong with an account number, and where to look."""
    return text(lang)(IBANS[code])
