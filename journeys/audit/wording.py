"""The words of a verification: accounts, verdicts, and each reason with what to do."""

from collections.abc import Mapping
from typing import Any, Final

from journeys.i18n import N_, text

ACCOUNTS: Final = {
    "journal": N_("journal"),
    "view": N_("listes"),
    "workflow": N_("réponse du moteur"),
    "history": N_("historique du moteur"),
    "replay": N_("rejeu avec le code d'aujourd'hui"),
}

VERDICTS: Final = {
    "agrees": N_("d'accord"),
    "disagrees": N_("PAS d'accord"),
    "behind": N_("en retard"),
    "not-available": N_("pas comparé"),
    "erased": N_("effacé"),
}

LOG_FINDINGS: Final = {
    "place-missing": N_("La place {position} du journal d'ensemble est vide."),
    "event-missing": N_("{stream}, événement {seq} : il a été retiré (place {position})."),
    "not-a-header": N_("{stream}, événement {seq} : son écriture n'est pas lisible."),
    "gap": N_("{stream}, événement {seq} : on attendait le {expected}."),
    "link": N_("{stream}, événement {seq} : il ne s'enchaîne pas avec celui d'avant."),
    "elsewhere": N_("{stream}, événement {seq} : il est rangé sous un autre nom ou une autre place que les siens."),
    "hash": N_("{stream}, événement {seq} : son empreinte ne correspond pas à son contenu."),
    "tile": N_("L'arbre enregistré (niveau {level}, tuile {n}) n'est pas celui des événements."),
    "tiles": N_("L'arbre enregistré n'a pas ses {count} tuiles."),
    "edge": N_("Le journal d'ensemble devrait compter {size} événements ; l'arbre en a {held}, ou son bord est faux."),
    "root": N_("L'attestation {where} ({size} événements) ne correspond pas au journal d'ensemble."),
    "beyond": N_("L'attestation {where} couvre {size} événements ; le journal d'ensemble n'en a que {held}."),
    "note": N_("L'attestation {where} n'est signée par aucune clé connue, ou dit autre chose que sa ligne ({reason})."),
    "revoked": N_("L'attestation {where} ({size} événements) est signée par une clé qui ne comptait plus."),
    "snapshot": N_(
        "{stream}, événement {seq} : les fins des suites à {size} événements n'étaient pas celles qu'il dit."
    ),
    "head": N_("{stream} devrait finir à l'événement {expected} ; il finit au {seq}."),
    "not-a-fact": N_("{stream}, événement {seq} : ce qu'il dit du journal d'ensemble ne peut pas être lu."),
    "name": N_(
        "{where} : le nom « {name} » n'est pas celui du journal d'ensemble, et aucun fait ne l'explique. "
        "Une base plus ancienne a été restaurée, ou le nom a été changé."
    ),
    "part": N_("{stream}, événement {seq} : le texte « {part} » n'est pas celui qui a été déposé."),
    "part-gone": N_(
        "{stream}, événement {seq} : le texte « {part} » n'est plus là, et aucun fait ne dit qu'il a été effacé."
    ),
    "part-no-key": N_(
        "{stream}, événement {seq} : le texte « {part} » ne s'ouvre pas : la clé n'est pas dans la base des clés."
    ),
    "part-of-nothing": N_("{stream}, événement {seq} : un texte « {part} » y est rangé, et il n'en annonce pas."),
    "key-locked": N_(
        "La clé {key} ne s'ouvre pas avec la clé de scellement donnée ici : rien sous elle n'est comparé."
    ),
    "row-altered": N_("{stream} : ce qui en est su ne s'ouvre pas, alors que sa clé est là : sa ligne a été changée."),
    "row-no-key": N_("{stream} : ce qui en est su ne s'ouvre pas : la clé n'est pas dans la base des clés."),
    "row-erased": N_("{stream} : ce qui en est su n'est plus là, et aucun fait ne dit qu'il a été effacé."),
    "unlogged": N_("{count} événements sont écrits ; {size} ont une place et {waiting} l'attendent."),
}
"""What is wrong with the log of everything."""

LOG_NOTICES: Final = {
    "clock": N_("{stream}, événement {seq} : l'horloge avait reculé de {seconds} s."),
    "checkpoint-clock": N_(
        "L'attestation {where} porte une heure plus ancienne que celle d'avant : une horloge a reculé."
    ),
}
"""What is odd, and proves nothing."""

REASONS: Final = {
    # journal
    "gap": N_("L'événement {seq} manque ou n'est pas à sa place. Restaurez le journal d'une copie saine."),
    "not-canonical": N_("L'écriture de l'événement {seq} a changé. Restaurez le journal d'une copie saine."),
    "hash": N_(
        "L'empreinte de l'événement {seq} ne correspond pas à son "
        "contenu. Restaurez le journal d'une copie saine."
    ),
    "link": N_("L'événement {seq} ne s'enchaîne pas avec celui d'avant. Restaurez le journal d'une copie saine."),
    "kind": N_("L'événement {seq} est rangé sous un autre nom que le sien. Restaurez le journal d'une copie saine."),
    "head": N_(
        "Le journal devrait finir à l'événement {expected} ; il finit "
        "au {seq}. Restaurez-le d'une copie saine."
    ),
    "unreadable": N_(
        "L'événement {seq} ne peut pas être lu par cette version. Mettez "
        "le programme à jour, ou restaurez le journal."
    ),
    "beside-unreadable": N_(
        "Ce qui est rangé à côté des événements ne peut pas être lu. Restaurez le journal d'une copie saine."
    ),
    "not-foldable": N_("L'événement {seq} ne peut pas suivre ceux d'avant. Restaurez le journal d'une copie saine."),
    "part": N_("Le texte « {part} » de l'événement {seq} n'est pas celui qui a été déposé."),
    "part-gone": N_(
        "Le texte « {part} » de l'événement {seq} n'est plus là, et aucun fait ne dit "
        "qu'il a été effacé. Reprenez-le d'une copie saine."
    ),
    "part-no-key": N_(
        "Le texte « {part} » de l'événement {seq} ne s'ouvre pas : la clé n'est pas dans la base des clés. "
        "Vérifiez que c'est la bonne, et qu'elle n'est pas ancienne."
    ),
    "document-missing": N_("Le document joint à l'événement {seq} n'est plus là. Reprenez-le d'une copie saine."),
    "document-altered": N_("Le document joint à l'événement {seq} n'est plus celui qui a été déposé. "
                           "Reprenez-le d'une copie saine."),
    "key-locked": N_(
        "La clé {key} ne s'ouvre pas avec la clé de scellement donnée ici. Vérifiez celle-ci ; si c'est la "
        "bonne, la base des clés a été modifiée : reprenez-la d'une copie saine."
    ),
    "part-of-nothing": N_("Un texte « {part} » est rangé à l'événement {seq}, qui n'en annonce pas."),
    "signature": N_("La signature de la demande à l'origine de l'événement {seq} n'est pas valable."),
    "unsigned-event": N_(
        "L'événement {seq} se réclame d'une demande qui n'est pas "
        "au registre des demandes signées."
    ),
    "command-elsewhere": N_("La demande signée à l'origine de l'événement {seq} dit autre chose : {field}."),
    "command-range": N_("La demande signée à l'origine de l'événement {seq} annonce d'autres événements."),
    "rules-missing": N_("Le programme ou le calendrier du parcours n'est plus dans la base. Publiez-les de nouveau."),
    "invariant": N_("Règle {number} non tenue à l'événement {seq} : {rule} ({code})."),
    "no-keys": N_("Les signatures n'ont pas été comparées : les clés ne sont pas données à ce poste."),
    "unknown-key": N_("Les signatures n'ont pas toutes été comparées : la clé {key} n'est pas donnée à ce poste."),
    # view and workflow
    "unsound": N_("Le journal n'est pas en état d'être comparé : voir plus haut."),
    "no-row": N_("Le parcours manque dans les listes. Lancez « journeys rebuild »."),
    "row": N_("Les listes disent autre chose que le journal : {field}. Lancez « journeys rebuild »."),
    "payment-row": N_(
        "Les listes disent autre chose d'un versement que le journal : {payment}. "
        "Lancez « journeys rebuild »."
    ),
    "ledger": N_("Le registre des fonds et le journal ne disent pas la même chose à l'événement {seq} ({move})."),
    "row-seq": N_("Les listes s'arrêtent à l'événement {seq}, le journal à {head}. Lancez « journeys rebuild »."),
    "state": N_("À l'événement {seq}, le moteur tient autre chose pour vrai que le journal : {field}."),
    "beyond": N_(
        "Le moteur connaît l'événement {seq}, le journal finit à "
        "{head} : le journal a perdu des événements."
    ),
    "behind": N_("Il s'arrête à l'événement {seq}, le journal à {head}. Lancez « journeys sync »."),
    "no-client": N_("Le moteur n'a pas été interrogé."),
    "no-workflow": N_("Le moteur ne connaît pas ce parcours. Lancez « journeys sync »."),
    "unreachable": N_("Le moteur ne répond pas. Vérifiez qu'il tourne, avec « journeys doctor »."),
    "no-answer": N_(
        "Le moteur n'a pas pu répondre pour ce parcours. Vérifiez qu'un "
        "exécutant tourne, avec « journeys doctor »."
    ),
    "strange-answer": N_("La réponse du moteur ne peut pas être lue."),
    # history
    "history-event": N_("L'événement {seq} n'est pas le même dans l'historique du moteur et dans le journal."),
    "history-lacks": N_("L'événement {seq} manque dans l'historique du moteur."),
    "retention": N_("Le début de l'historique n'est plus gardé par le moteur ; le reste a été comparé."),
    "kept-altered": N_(
        "L'historique gardé d'une exécution terminée n'est pas celui dont le journal a noté l'empreinte."
    ),
    "kept-gone": N_("L'historique gardé d'une exécution terminée a été effacé."),
    "history-unreadable": N_("L'historique du moteur ne peut pas être lu."),
    "erased": N_("Cela a été effacé avec les données de la personne, comme le journal le dit."),
    # replay
    "replay": N_("Avec le code d'aujourd'hui, l'exécution {run} prend un autre chemin : {failure}"),
    "no-code": N_("Le code du moteur n'a pas été donné pour le rejeu."),
}  # fmt: skip

INVARIANTS: Final = {
    1: N_("un seul ordre par versement"),
    2: N_("accords de personnes distinctes, liés à ce qu'elles ont lu"),
    3: N_("plafonds et comptes justes"),
    4: N_("ce qui est ouvert est clos une seule fois"),
    5: N_("échéance passée, alerte ouverte à temps"),
    6: N_("pas de message quand il n'en faut pas"),
    7: N_("rien ne se perd ; un parcours ouvert attend toujours quelque chose"),
    8: N_("une alerte a toujours quelqu'un"),
    9: N_("chaque fait dit qui, dans quel rôle, et pourquoi"),
    10: N_("journal, listes et moteur disent la même chose"),
    11: N_("après la clôture, seulement ce qui est permis"),
    12: N_("après l'effacement, plus rien de personnel"),
}


def reason_fields(reason: str, details: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """The places of a reason's sentence; an invariant is told in words."""
    if reason != "invariant":
        return dict(details)
    number = int(details["number"])
    return {**details, "rule": text(lang)(INVARIANTS[number])}
