"""Refusals of rules, rights and signatures, as an entry point tells them."""

from collections.abc import Mapping

from journeys.app.failures import Exit, Failure, Said
from journeys.contract import Answer
from journeys.domain.handbook import Handbook
from journeys.narration.refusals import refusal


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
