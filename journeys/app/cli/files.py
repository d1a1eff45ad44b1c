"""Files that a command writes: whole or not at all, and never over another one unasked."""

import os
from pathlib import Path
from typing import Final

from journeys.app.failures import Exit, Failure, Said, usage, why

_OWNER_ONLY: Final = 0o600


def check(file: Path, force: bool, field: str) -> None:
    """Raises Failure when nothing can be written there, before anything is read."""
    if not file.name or file.is_dir():
        raise usage("is-a-folder", f"{field} : {file} est un dossier ; donnez le nom d'un fichier",
                    f"{field}: {file} is a folder; give the name of a file", field=field)  # fmt: skip
    if not file.parent.is_dir():
        raise usage("no-folder", f"{field} : le dossier {file.parent} n'existe pas",
                    f"{field}: there is no folder {file.parent}", field=field)  # fmt: skip
    if file.exists() and not force:
        raise _taken(file, field)


def _taken(file: Path, field: str) -> Failure:
    return Failure(
        Exit.CONFLICT,
        "file-exists",
        Said(
            f"{field} : {file} existe déjà ; rien n'a été écrit",
            f"{field}: {file} is there already; nothing was written",
        ),
        Said(
            "donnez un autre nom, ou ajoutez --force pour le remplacer",
            "give another name, or add --force to replace it",
        ),
        field=field,
    )


def write(file: Path, made: bytes, force: bool, field: str) -> None:
    """The whole file or none; only its owner reads it. Raises Failure."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(made)
            if force:
                os.replace(beside, file)
            else:
                os.link(beside, file)
        finally:
            beside.unlink(missing_ok=True)
    except FileExistsError:
        raise _taken(file, field) from None
    except OSError as error:
        raise Failure(
            Exit.FAILED,
            "cannot-write",
            Said(f"{field} : {file} ne peut pas être écrit : {why(error).fr}",
                 f"{field}: {file} cannot be written: {why(error).en}"),
            Said("choisissez un dossier où vous pouvez écrire", "choose a folder where you may write"),
            field=field,
        ) from None  # fmt: skip
