"""What a verification found: one account each for journal, view, workflow, history and replay, and the exit code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from journeys.audit.wording import ACCOUNTS, REASONS, VERDICTS, reason_fields
from journeys.i18n import capital, ngettext, text

INTEGRITY_BROKEN: Final = 6
NOT_COMPARED: Final = 1


class Verdict(StrEnum):
    AGREES = "agrees"
    DISAGREES = "disagrees"
    BEHIND = "behind"
    """It says nothing wrong, but less than the journal: run `sync`."""
    NOT_AVAILABLE = "not-available"
    ERASED = "erased"
    """It went with the person: by an order on record, and with their key."""


class AccountName(StrEnum):
    """The accounts, in the order in which they are told."""

    JOURNAL = "journal"
    VIEW = "view"
    WORKFLOW = "workflow"
    HISTORY = "history"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a journey, compared with the journal.

    `compared` counts events (history events for the replay); `reason` is a code of the wording, empty when it agrees.
    """

    name: AccountName
    verdict: Verdict
    compared: int = 0
    seq: int | None = None
    """Where it first differs, or how far it has come when it is behind."""
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def told(self, lang: str) -> str:
        """One line for people."""
        _ = text(lang)
        counted = ngettext(lang, "{count} événement comparé", "{count} événements comparés", self.compared)
        words = {"account": _(ACCOUNTS[self.name]), "verdict": _(VERDICTS[self.verdict])}
        line = _("{account} : {verdict}").format(**words)
        if self.compared:
            line = f"{line}, {counted.format(count=self.compared)}"
        return f"{line}. {self.why(lang)}".rstrip()

    def why(self, lang: str) -> str:
        """What is wrong, where, and what to do; empty when it agrees."""
        if not self.reason:
            return ""
        fields = reason_fields(self.reason, {**self.details, "seq": self.seq}, lang)
        return capital(text(lang)(REASONS[self.reason]).format_map(fields))

    def as_json(self) -> dict[str, Any]:
        return {
            "account": self.name.value, "verdict": self.verdict.value, "compared": self.compared, "seq": self.seq,
            "reason": self.reason or None, "details": dict(self.details),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verification:
    """The accounts of one journey."""

    journey: str
    """Its stream."""
    seq: int
    """Events in the journal."""
    accounts: tuple[Account, ...]

    def account(self, name: AccountName) -> Account:
        return next(account for account in self.accounts if account.name is name)

    @property
    def disagreeing(self) -> tuple[Account, ...]:
        return tuple(account for account in self.accounts if account.verdict is Verdict.DISAGREES)

    @property
    def behind(self) -> tuple[Account, ...]:
        return tuple(account for account in self.accounts if account.verdict is Verdict.BEHIND)

    def exit_code(self, *, strict: bool = False) -> int:
        """6 when an account disagrees; with `strict`, 1 when none does but one was not compared to the end; else 0.

        What went with a person is no gap.
        """
        return exit_code([self], strict=strict)

    def as_json(self) -> dict[str, Any]:
        return {
            "journey": self.journey.partition("-")[2],
            "seq": self.seq,
            "holds": not self.disagreeing,
            "accounts": [account.as_json() for account in self.accounts],
        }


def exit_code(verifications: Sequence[Verification], *, strict: bool = False) -> int:
    """The exit code for any number of journeys: see Verification.exit_code."""
    if any(each.disagreeing for each in verifications):
        return INTEGRITY_BROKEN
    whole = all(
        account.verdict in (Verdict.AGREES, Verdict.ERASED) for each in verifications for account in each.accounts
    )
    return NOT_COMPARED if strict and not whole else 0


def agrees(name: AccountName, compared: int) -> Account:
    """An account that says the same."""
    return Account(name, Verdict.AGREES, compared)


def disagrees(name: AccountName, reason: str, seq: int | None, compared: int = 0, **details: Any) -> Account:
    """An account that says something else."""
    return Account(name, Verdict.DISAGREES, compared, seq, reason, details)


def not_available(name: AccountName, reason: str, compared: int = 0, **details: Any) -> Account:
    """An account that could not be compared (to the end)."""
    return Account(name, Verdict.NOT_AVAILABLE, compared, None, reason, details)


def erased(name: AccountName) -> Account:
    """An account that went with the person."""
    return Account(name, Verdict.ERASED, reason="erased")
