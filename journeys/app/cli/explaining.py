"""Whatever went wrong, in the words of the command line."""

import os
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from journeys.app.failures import Exit, Failure, Said, usage
from journeys.settings import SettingsError


def explained(error: BaseException) -> Failure:
    """Any error in the words of the command line."""
    return _known(error) or _unexpected(error)


def _known(error: BaseException) -> Failure | None:
    """An error that has its own words, by the library that raises it; libraries are only looked up if loaded."""
    match error:
        case Failure():
            return error
        case SettingsError():
            return Failure(
                Exit.USAGE,
                "settings",
                Said(error.text("fr"), error.text("en")),
                Said(
                    "corrigez la variable d'environnement, puis recommencez",
                    "correct the environment variable, then try again",
                ),
                field=error.problems[0].variable,
            )
        case _:
            return _of_typer(error) or _of_store(error) or _of_temporal(error) or _of_stack(error)


def _of_typer(error: BaseException) -> Failure | None:
    """A wrong command line. The parser's own texts are English: told anew."""
    import typer

    if isinstance(error, typer.Abort):
        return Failure(Exit.INTERRUPTED, "interrupted", Said("interrompu", "interrupted"))
    if not isinstance(error, typer.TyperException):
        return None
    ctx: Any = getattr(error, "ctx", None)
    path = ctx.command_path if ctx is not None else "journeys"
    remedy = Said(f"voyez « {path} --help »", f"see “{path} --help”")
    kind, text = type(error).__name__, error.format_message()
    name = _parameter(error)
    match kind:
        case "NoArgsIsHelpError":
            return Failure(Exit.USAGE, "no-command", Said("dites quoi faire\n\n" + text, "say what to do\n\n" + text))
        case "MissingParameter":
            return usage("missing", f"il manque {name}", f"{name} is missing", field=name, remedy=remedy)
        case "NoSuchOption":
            option = str(getattr(error, "option_name", ""))
            near = ", ".join(sorted(getattr(error, "possibilities", None) or ()))
            said = (
                Said(f"Vouliez-vous dire {near} ? {remedy.fr}", f"Did you mean {near}? {remedy.en}") if near else remedy
            )
            return usage(
                "unknown-option", f"option inconnue : {option}", f"unknown option: {option}", field=option, remedy=said
            )
        case "BadOptionUsage":
            option = str(getattr(error, "option_name", ""))
            return usage("bad-option", f"{option} : il manque la valeur, ou il n'en faut pas",
                         f"{option}: the value is missing, or none is wanted", field=option, remedy=remedy)  # fmt: skip
        case "BadParameter":
            return usage(
                "bad-value",
                f"{name} : valeur refusée ({error})",
                f"{name}: value refused ({error})",
                field=name,
                remedy=remedy,
            )
        case _:
            return _of_words(text, remedy)


def _of_words(text: str, remedy: Said) -> Failure:
    """Unknown command, or too many words."""
    import re

    quoted = re.findall(r"'([^']*)'", text)
    if text.startswith("No such command"):
        near = f" Vouliez-vous dire « {quoted[1]} » ?" if len(quoted) > 1 else ""
        near_en = f" Did you mean “{quoted[1]}”?" if len(quoted) > 1 else ""
        return usage(
            "unknown-command",
            f"commande inconnue : {quoted[0]}.{near}",
            f"unknown command: {quoted[0]}.{near_en}",
            remedy=remedy,
        )
    if "extra argument" in text:
        extra = text.partition("(s) (")[2].rstrip(")") or text
        return usage("too-many-words", f"mots en trop : {extra}", f"too many words: {extra}", remedy=remedy)
    return usage("usage", text, text, remedy=remedy)


def _parameter(error: BaseException) -> str:
    parameter: Any = getattr(error, "param", None)
    if parameter is None:
        return str(getattr(error, "param_hint", None) or "")
    return (
        str(parameter.opts[0])
        if parameter.param_type_name == "option"
        else str(parameter.metavar or parameter.name.upper())
    )


def _of_store(error: BaseException) -> Failure | None:
    """The database: not there, not ours, not willing; and what the store refuses."""
    if "journeys.store.database" not in sys.modules and "asyncpg" not in sys.modules:
        return None
    import asyncpg

    from journeys.app.telling import being_forgotten, locked
    from journeys.store.database import NotDurable, WrongSchema
    from journeys.store.directory import AlreadyThere, Forgotten, NotFound
    from journeys.store.keys import CannotUnwrap, NoKeysDatabase
    from journeys.store.migrating import ChangedMigration, MigrationError, NewerSchema

    match error:
        case WrongSchema(found=found, wanted=wanted):
            return _schema(found, wanted)
        case NotDurable(wrong=wrong):
            settings = ", ".join(f"{name} = {value}" for name, value in sorted(wrong.items()))
            return _unreachable("not-durable", f"cette base perdrait ce qu'elle confirme ({settings})",
                                f"this database would lose what it confirms ({settings})",
                                Said("remettez ces réglages à on", "set these to on"))  # fmt: skip
        case ChangedMigration(name=name):
            return Failure(
                Exit.FAILED,
                "changed-migration",
                Said(
                    f"{name} a changé depuis qu'elle a été appliquée à cette base",
                    f"{name} was changed after it was applied to this database",
                ),
                Said(
                    "remettez la version d'origine de ce fichier (celle de la version installée avant)",
                    "put the original file back (that of the version installed before)",
                ),
                field=name,
            )
        case NewerSchema():
            return Failure(
                Exit.FAILED,
                "newer-schema",
                Said("la base est plus récente que ce programme", "the database is newer than this program"),
                Said("mettez ce programme à jour", "update this program"),
            )
        case MigrationError():
            return Failure(Exit.FAILED, "migrations", Said(str(error), str(error)))
        case AlreadyThere(kind=kind, field=field):
            return Failure(
                Exit.CONFLICT,
                "taken",
                Said(f"{kind} : ce {field} est déjà pris", f"{kind}: this {field} is taken"),
                field=field,
            )
        case Forgotten():
            return being_forgotten()
        case NotFound(kind=kind, id=id):
            return Failure(Exit.NOT_FOUND, f"unknown-{kind}", Said(f"{kind} {id} : inconnu", f"{kind} {id}: unknown"))
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return _unreachable(
                "database-login",
                "la base refuse ce compte ou ce mot de passe",
                "the database refuses this account or password",
                Said("vérifiez DATABASE_URL et PGPASSWORD", "check DATABASE_URL and PGPASSWORD"),
            )
        case CannotUnwrap():
            return locked(error)
        case NoKeysDatabase():
            return _unreachable(
                "no-keys-database",
                "la base des clés n'existe pas : rien de ce qui est scellé ne peut être lu",
                "there is no database of keys: nothing that is sealed can be read",
                Said("vérifiez JOURNEYS_KEYS_DSN ; pour la créer la première fois : journeys migrate",
                     "check JOURNEYS_KEYS_DSN; to make it for the first time: journeys migrate"),
            )  # fmt: skip
        case asyncpg.InvalidCatalogNameError():
            return _unreachable(
                "no-database",
                "cette base n'existe pas sur le serveur",
                "there is no such database on the server",
                Said("vérifiez DATABASE_URL", "check DATABASE_URL"),
            )
        case asyncpg.InsufficientPrivilegeError():
            return _unreachable("database-rights", "ce compte n'a pas le droit de faire cela dans la base",
                                "this account has no right to do this in the database",
                                Said("« journeys migrate » demande le compte propriétaire",
                                     "“journeys migrate” wants the owner's account"))  # fmt: skip
        case asyncpg.DataError() | UnicodeEncodeError() if "surrogates not allowed" in str(error):
            return usage(
                "not-utf-8",
                "un des mots tapés contient un caractère qui n'est pas de l'UTF-8",
                "one of the words typed has a character that is not UTF-8",
                remedy=Said("tapez-le de nouveau", "type it again"),
            )
        case asyncpg.DiskFullError():
            return _unreachable(
                "disk-full",
                "le disque de la base est plein ; rien n'a été noté",
                "the database's disk is full; nothing was written",
                Said("libérez de la place, puis recommencez", "free some space, then try again"),
            )
        case (
            asyncpg.PostgresConnectionError()
            | asyncpg.CannotConnectNowError()
            | asyncpg.InterfaceError()
            | asyncpg.InternalClientError()
            | ConnectionError()
            | TimeoutError()
        ):
            return _no_database()
        case FileNotFoundError() | OSError() if _in_asyncpg(error):
            return _no_database()
    return None


def _in_asyncpg(error: BaseException) -> bool:
    return any("asyncpg" in frame.filename for frame in traceback.extract_tb(error.__traceback__))


def _no_database() -> Failure:
    return _unreachable(
        "database", "la base de données ne répond pas", "the database does not answer",
        Said("vérifiez que « journeys up » tourne, ou DATABASE_URL ; puis « journeys doctor »",
             "check that “journeys up” runs, or DATABASE_URL; then “journeys doctor”"),
    )  # fmt: skip


def _schema(found: int, wanted: int) -> Failure:
    if found > wanted:
        remedy = Said(
            "mettez à jour ce programme : la base est plus récente", "update this program: the database is newer"
        )
    else:
        remedy = Said(
            "lancez « journeys migrate » (ou relancez « journeys up »)",
            "run “journeys migrate” (or restart “journeys up”)",
        )
    return _unreachable("wrong-schema", f"le schéma de la base est en version {found}, il faut la {wanted}",
                        f"the database's schema has version {found}, {wanted} is wanted", remedy)  # fmt: skip


def _unreachable(code: str, fr: str, en: str, remedy: Said) -> Failure:
    return Failure(Exit.UNREACHABLE, code, Said(fr, en), remedy)


def _of_temporal(error: BaseException) -> Failure | None:
    """Temporal: silent, or refusing the shape of a command."""
    if "journeys.temporal" not in sys.modules:
        return None
    from temporalio.service import RPCError

    from journeys.app.telling import unanswered
    from journeys.contract import Fate
    from journeys.temporal import Malformed, Unreachable

    match error:
        case Unreachable():
            failure = unanswered(error.fate, error.command_id)
            return _disk_full_meanwhile(failure) or failure
        case RPCError():
            failure = unanswered(Fate.UNKNOWN, None)
            return _disk_full_meanwhile(failure) or failure
        case Malformed():
            return usage(
                "malformed",
                f"la commande n'a pas la bonne forme : {error}",
                f"the command has the wrong shape: {error}",
            )
    return None


def _disk_full_meanwhile(failure: Failure) -> Failure | None:
    """The embedded servers do not answer because they cannot write: what was sent may have been noted before."""
    from journeys.local.failures import is_full
    from journeys.settings import load_settings

    settings = load_settings()
    if not settings.embedded or not is_full(settings.data_dir):
        return None
    return Failure(
        Exit.UNREACHABLE, "disk-full",
        Said(f"pas de réponse : le disque de {settings.data_dir} est plein ; {failure.what.fr}",
             f"no answer: the disk of {settings.data_dir} is full; {failure.what.en}"),
        Said("libérez de la place, puis recommencez", "free some space, then try again"),
        command=failure.command, more=failure.more,
    )  # fmt: skip


def _of_stack(error: BaseException) -> Failure | None:
    """The embedded stack."""
    if "journeys.local.failures" not in sys.modules:
        return None
    from journeys.local.failures import AlreadyRunning, LocalError

    if not isinstance(error, LocalError):
        return None
    exit = Exit.CONFLICT if isinstance(error, AlreadyRunning) else Exit.FAILED
    return Failure(exit, error.code, Said(error.text("fr"), error.text("en")), field="JOURNEYS_DATA_DIR")


def _unexpected(error: BaseException) -> Failure:
    """Ours to repair: what and where goes to a file of the data directory; never the text, which may quote a row."""
    where = _write_down(error)
    kind = type(error).__name__
    seen = Said(f" ; détails dans {where}", f"; details in {where}") if where else Said("", "")
    return Failure(
        Exit.FAILED, "unexpected",
        Said(f"erreur inattendue ({kind}){seen.fr}", f"unexpected error ({kind}){seen.en}"),
        Said("recommencez ; si cela revient, transmettez ce fichier à qui entretient le logiciel",
             "try again; if it comes back, hand this file to whoever maintains the software"),
    )  # fmt: skip


def _write_down(error: BaseException) -> str | None:
    from journeys.settings import load_settings
    from journeys.telemetry import by_place

    try:
        folder = load_settings().data_dir / "log"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "cli.log"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {by_place(error)}\n")
    except (OSError, SettingsError):
        return None
    return str(path)
