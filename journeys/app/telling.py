"""Refusals of rules, rights and signatures, and commands without an answer, as an entry point tells them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from journeys.app.failures import Exit, Failure, Said, not_found
from journeys.contract import Answer, Fate
from journeys.domain.handbook import Handbook
from journeys.narration.refusals import refusal
from journeys.store.directory import Forgotten, NotFound

if TYPE_CHECKING:
    from journeys.store.keys import CannotUnwrap


def locked(error: "CannotUnwrap") -> Failure:
    """The key-encryption key here is not the one under which the keys are kept."""
    return Failure(
        Exit.UNREACHABLE, "wrong-sealing-key",
        Said(f"la clé de scellement donnée ici n'ouvre pas la base des clés ({error.id} y est gardée sous"
             f" {error.kek or '?'}) : rien de ce qui en dépend ne peut être lu",
             f"the sealing key that is given here does not open the database of keys ({error.id} is kept there under"
             f" {error.kek or '?'}): nothing that hangs on it can be read"),
        Said("reprenez le dossier « sealing » de la sauvegarde, ou la bonne JOURNEYS_SEALING_KEY ; une clé d'avant se"
             " donne par JOURNEYS_SEALING_OLD_KEYS",
             "take the directory “sealing” from the backup, or the right JOURNEYS_SEALING_KEY; a former key is stated"
             " by JOURNEYS_SEALING_OLD_KEYS"),
        field="JOURNEYS_SEALING_KEY",
    )  # fmt: skip


def refused_failure(
    code: str, details: Mapping[str, str | int | None], book: Handbook | None, command: str | None = None
) -> Failure:
    """A rule or a right forbids it."""
    return Failure(
        Exit.NOT_FOUND if code == "unknown-journey" else Exit.REFUSED,
        code,
        Said(refusal(code, details, "fr", book), refusal(code, details, "en", book)),
        field=str(details["field"]) if details.get("field") else None,
        command=command,
        more={"details": dict(details)} if details else None,
    )


def failure_of(answer: Answer, book: Handbook | None) -> Failure | None:
    """What an answer says, if it is not that the command was taken."""
    match answer.outcome:
        case "accepted":
            return None
        case "refused":
            return refused_failure(answer.code or "refused", answer.details, book, answer.command)
        case "conflict":
            return Failure(
                Exit.CONFLICT,
                answer.code or "conflict",
                Said(
                    "cet identifiant de commande a déjà servi pour autre chose ; rien n'a changé",
                    "this command id was used for something else; nothing has changed",
                ),
                Said(
                    "renvoyez exactement la même commande, ou retirez --command-id",
                    "send exactly the same command again, or leave out --command-id",
                ),
                field="--command-id",
                command=answer.command,
            )
        case "unsigned":
            return unsigned(answer.command)


def missing(error: NotFound) -> Failure:
    """What somebody acts on is not there, or they are being forgotten."""
    if isinstance(error, Forgotten):
        return being_forgotten()
    return not_found(
        f"unknown-{error.kind}",
        "ce que vous demandez n'est pas, ou n'est plus, ici ; rien n'a changé",
        "what you ask for is not here, or not any more; nothing has changed",
        remedy=Said("revenez à la liste et recommencez", "go back to the list and try again"),
    )


def being_forgotten() -> Failure:
    """Nothing is done any more about somebody who is being forgotten."""
    return refused_failure("erasing", {}, None)


def unsigned(command: str | None = None) -> Failure:
    """The workers do not have the key with which this process signs."""
    return Failure(
        Exit.REFUSED,
        "unsigned",
        Said(
            "la signature n'est pas reconnue : cette machine signe avec une autre clé que celles des workers",
            "the signature does not hold: this machine signs with a key that the workers do not have",
        ),
        Said(
            "donnez à toutes les machines la même clé (JOURNEYS_SIGNING_KEY ou le fichier signing.key)",
            "give all machines the same key (JOURNEYS_SIGNING_KEY or the file signing.key)",
        ),
        command=command,
    )


def unanswered(fate: Fate, command: str | None, code: str = "temporal") -> Failure:
    """No answer came in time: what became of the request, and that sending the same one again is safe."""
    what, remedy = _FATES[fate]
    return Failure(Exit.UNREACHABLE, code, what, remedy, command=command, more={"fate": fate.value})


_FATES: Final = {
    Fate.NOT_TAKEN: (
        Said("le moteur ne répond pas ; la demande n'a pas été prise, rien n'a changé",
             "the engine does not answer; the request was not taken, nothing has changed"),
        Said("renvoyez-la dans un instant ; si cela dure, « journeys doctor » dit à qui tient la machine ce qui manque",
             "send it again in a moment; if it lasts, “journeys doctor” tells whoever keeps the machine what is away"),
    ),
    Fate.UNDER_WAY: (
        Said("la demande est prise, elle est en train d'être écrite ; la confirmation n'est pas encore arrivée",
             "the request is taken and being written down; the confirmation has not come yet"),
        Said("regardez le parcours dans un instant ; renvoyer la même demande est sans risque : "
             "elle n'aura d'effet qu'une fois",
             "look at the journey in a moment; sending the same request again is safe: it has its effect only once"),
    ),
    Fate.UNKNOWN: (
        Said("le moteur ne répond pas ; on ne sait pas si la demande a été prise",
             "the engine does not answer; whether the request was taken is not known"),
        Said("renvoyez la même demande : elle n'aura d'effet qu'une fois",
             "send the same request again: it has its effect only once"),
    ),
}  # fmt: skip
