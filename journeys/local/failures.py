"""What can go wrong with the embedded stack, in the words that a person reads: French, English."""

import errno
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Final

from journeys.i18n import either, format_instant
from journeys.settings import Language

REMEDY_VARIABLE = "JOURNEYS_DATA_DIR"
ZONE: Final = "Europe/Paris"
"""Days and hours that people read are those of Paris."""
ROOM_MEGABYTES: Final = 200
_FULL: Final = os.strerror(errno.ENOSPC)
_NOTHING_BYTES: Final = 256 * 1024


class LocalError(Exception):
    """Any of them: what is wrong, where, and what to do. `code` is stable, for `--json`."""

    code = "local"

    def __init__(self, *, fr: str, en: str) -> None:
        super().__init__(fr)
        self.fr = fr
        self.en = en

    def text(self, lang: Language = "fr") -> str:
        """The message in one of the two languages."""
        return either(lang, self.fr, self.en)

    def __str__(self) -> str:
        return self.fr


class AlreadyRunning(LocalError):
    """Another process runs the stack on the same data. `pid` and `since` (aware UTC) when known."""

    code = "already_running"

    def __init__(self, data_dir: Path, pid: int | None, since: datetime | None) -> None:
        self.pid = pid
        self.since = since
        super().__init__(
            fr=f"journeys tourne déjà sur {data_dir}{_who_fr(pid, since)} ; "
            f"utilisez-le, arrêtez-le, ou choisissez un autre dossier par {REMEDY_VARIABLE}",
            en=f"journeys is already running on {data_dir}{_who_en(pid, since)}; "
            f"use it, stop it, or choose another directory by {REMEDY_VARIABLE}",
        )


class DataDirUnusable(LocalError):
    """The data directory cannot be made, read or written."""

    code = "data_dir_unusable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            fr=f"le dossier des données ne peut pas servir : {path} ({reason}) ; "
            f"corrigez ses droits ou sa place, ou choisissez-en un autre par {REMEDY_VARIABLE}",
            en=f"the data directory cannot be used: {path} ({reason}); "
            f"correct its permissions or its space, or choose another by {REMEDY_VARIABLE}",
        )


class PathTooLong(LocalError):
    """The path of PostgreSQL's socket does not fit into the kernel's 107 bytes."""

    code = "path_too_long"

    def __init__(self, data_dir: Path, excess: int) -> None:
        super().__init__(
            fr=f"le chemin {data_dir} est trop long de {excess} octets pour la prise locale de PostgreSQL ; "
            f"choisissez un dossier au chemin plus court par {REMEDY_VARIABLE}",
            en=f"the path {data_dir} is {excess} bytes too long for PostgreSQL's local socket; "
            f"choose a directory with a shorter path by {REMEDY_VARIABLE}",
        )


class NoOrdinaryUser(LocalError):
    """Started as root, where PostgreSQL refuses to run and nothing lets it run as somebody else."""

    code = "no_ordinary_user"

    def __init__(self, blocked: Path | None, reason: str) -> None:
        where_fr = f"l'utilisateur 65534 ne peut pas atteindre {blocked}" if blocked else "setuid est refusé"
        where_en = f"user 65534 cannot reach {blocked}" if blocked else "setuid is refused"
        super().__init__(
            fr=f"PostgreSQL ne tourne pas en root, {where_fr} et un espace d'utilisateurs est refusé "
            f"({reason}) ; lancez journeys avec un utilisateur ordinaire, ou placez données et installation "
            f"dans des dossiers que tous peuvent traverser, par exemple {REMEDY_VARIABLE}=/var/lib/journeys",
            en=f"PostgreSQL does not run as root, {where_en} and a user namespace is refused ({reason}); "
            f"run journeys as an ordinary user, or put data and installation into directories that all may "
            f"traverse, for example {REMEDY_VARIABLE}=/var/lib/journeys",
        )


class OtherVersion(LocalError):
    """The data were written by another major version of PostgreSQL."""

    code = "other_version"

    def __init__(self, data: Path, found: str, wanted: int) -> None:
        super().__init__(
            fr=f"les données de {data} sont de PostgreSQL {found}, celui installé est le {wanted} ; "
            f"réinstallez l'ancienne version pour en faire une sauvegarde (pg_dump), ou choisissez un autre "
            f"dossier par {REMEDY_VARIABLE}",
            en=f"the data in {data} are of PostgreSQL {found}, the installed one is {wanted}; "
            f"reinstall the former version to dump them (pg_dump), or choose another directory by "
            f"{REMEDY_VARIABLE}",
        )


class StartFailed(LocalError):
    """A part did not start; `tail` holds the last lines that it wrote."""

    code = "start_failed"

    def __init__(self, part: str, log: Path, tail: str) -> None:
        self.part = part
        self.tail = tail
        super().__init__(
            fr=f"{part} n'a pas démarré ; voyez les dernières lignes de {log}, corrigez, relancez\n{tail}".rstrip(),
            en=f"{part} did not start; read the last lines of {log}, correct, start again\n{tail}".rstrip(),
        )


class NoSpace(LocalError):
    """The disk of the data directory is full."""

    code = "disk_full"

    def __init__(self, data_dir: Path, part: str) -> None:
        super().__init__(
            fr=f"{part} n'a pas démarré : le disque de {data_dir} est plein ; libérez de la place ({ROOM_MEGABYTES} Mo "
            f"suffisent pour commencer), puis relancez, ou choisissez un autre dossier par {REMEDY_VARIABLE}",
            en=f"{part} did not start: the disk of {data_dir} is full; free some space ({ROOM_MEGABYTES} MB are enough "
            f"to begin with), then start again, or choose another directory by {REMEDY_VARIABLE}",
        )


def failed_start(part: str, log: Path, tail: str) -> LocalError:
    """Why a part did not start. Where no space is left its log may be cut, so the disk is looked at too."""
    if _FULL in tail or is_full(log.parent):
        return NoSpace(log.parents[1], part)
    return StartFailed(part, log, tail)


def is_full(directory: Path) -> bool:
    """Whether nothing can be written to the disk of this directory; False when it cannot be looked at."""
    try:
        return shutil.disk_usage(directory).free < _NOTHING_BYTES
    except OSError:
        return False


class NotInstalled(LocalError):
    """The binaries of a part are not where its package should have put them."""

    code = "not_installed"

    def __init__(self, package: str) -> None:
        super().__init__(
            fr=f"les programmes du paquet {package} manquent ; réinstallez les dépendances (make install)",
            en=f"the programs of package {package} are missing; reinstall the dependencies (make install)",
        )


def _who_fr(pid: int | None, since: datetime | None) -> str:
    if pid is None or since is None:
        return ""
    return f" (processus {pid}, depuis le {format_instant(since, 'fr', ZONE)})"


def _who_en(pid: int | None, since: datetime | None) -> str:
    if pid is None or since is None:
        return ""
    return f" (process {pid}, since {format_instant(since, 'en', ZONE)})"
