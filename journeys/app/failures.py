"""What an entry point tells a person who cannot have what they asked for: what, where, what to do, which exit."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

from journeys.i18n import either
from journeys.i18n.system import unwilling

Lang = Literal["fr", "en"]


class Exit(IntEnum):
    """How a process ends; a part of the interface."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    CONFLICT = 5
    BROKEN = 6
    UNREACHABLE = 7
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Said:
    """One text in both languages."""

    fr: str
    en: str

    def in_(self, lang: Lang) -> str:
        return either(lang, self.fr, self.en)


class Failure(Exception):
    """Nothing was done, and the person is told why. `code` is stable, for programs; `field` says where."""

    def __init__(
        self, exit: Exit, code: str, what: Said, remedy: Said | None = None, *, field: str | None = None,
        command: str | None = None, more: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(what.en)
        self.exit = exit
        self.code = code
        self.what = what
        self.remedy = remedy
        self.field = field
        self.command = command
        """Id of the command whose fate is unknown, or that was refused."""
        self.more = more or {}

    def beside_its_field(self) -> "Failure":
        """The same for a form, where it stands beside its field: without the field's name before it."""
        fr, en = (
            text.removeprefix(f"{self.field}{sign}") for text, sign in ((self.what.fr, " : "), (self.what.en, ": "))
        )
        return Failure(
            self.exit, self.code, Said(fr, en), self.remedy, field=self.field, command=self.command, more=self.more
        )

    def as_json(self, lang: Lang) -> dict[str, Any]:
        """The `error` object of every `--json` answer."""
        told: dict[str, Any] = {
            "code": self.code,
            "message": self.what.in_(lang),
            "field": self.field,
            "remedy": self.remedy.in_(lang) if self.remedy is not None else None,
        }
        if self.command is not None:
            told["command"] = self.command
        return told | self.more


def usage(code: str, fr: str, en: str, *, field: str | None = None, remedy: Said | None = None) -> Failure:
    """Something was typed wrongly."""
    return Failure(Exit.USAGE, code, Said(fr, en), remedy, field=field)


def not_found(code: str, fr: str, en: str, *, field: str | None = None, remedy: Said | None = None) -> Failure:
    """Something named does not exist, or the name fits several."""
    return Failure(Exit.NOT_FOUND, code, Said(fr, en), remedy, field=field)


def why(error: OSError) -> Said:
    """What the system would not do, in words; its own where it says what is rare."""
    return Said(*unwilling(error))
