"""Who may do what: one table, role by command. What is not in it is never allowed."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from journeys.domain.commands import BODIES, INTERNAL, PERSONAL, Body, Command
from journeys.domain.programme import Programme
from journeys.domain.record import SYSTEM
from journeys.domain.state import State


class Scope(StrEnum):
    """How far a right reaches."""

    ALLOWED = "allowed"
    OWN = "own"
    """On one's own journeys: those one leads, mentors, was asked to take over, or was referred to."""
    NEVER = "never"


ROLES: Final = (
    "referent", "supervisor", "finance", "duty", "mentor", "partner", "participant", "administrator", "auditor",
)  # fmt: skip
"""The lines of the table. A programme's own role names the line that it has (`rights:`)."""

_A, _O, _N = Scope.ALLOWED, Scope.OWN, Scope.NEVER
_CASEWORK: Final = {"referent": _O, "supervisor": _A}
_MEETING: Final = {**_CASEWORK, "mentor": _O}
_GRANT_FILE: Final = {**_CASEWORK, "finance": _A}
_DECIDING: Final = {"supervisor": _A, "finance": _A, "duty": _A}
_LADDER: Final = {**_CASEWORK, "finance": _A, "duty": _A}
_FINANCE: Final = {"finance": _A}
_OWN_CHOICE: Final = {**_CASEWORK, "participant": _O}
_ADDRESSEE: Final = {"referent": _O, "supervisor": _A}
_ANSWER: Final = {"partner": _O, **_CASEWORK}

TABLE: Final[dict[str, dict[str, Scope]]] = {
    **dict.fromkeys(
        (
            "plan", "expect-date", "move-date", "confirm-date", "cancel-date", "suspend", "resume", "close", "correct",
            "transfer", "cancel-transfer", "reach-milestone", "waive-milestone", "reschedule-milestone",
            "propose-mentor", "end-mentor", "send-referral", "cancel-referral", "record-situation",
            "measure-outcome", "give-consent", "withdraw-consent", "record-death",
        ),
        _CASEWORK,
    ),
    **dict.fromkeys(("add-evidence", "add-note", "log-contact", "book-appointment", "close-appointment"), _MEETING),
    **dict.fromkeys(("match-mentor", "decline-mentor"), _MEETING),
    **dict.fromkeys(("accept-transfer", "decline-transfer"), _ADDRESSEE),
    **dict.fromkeys(("accept-referral", "decline-referral"), _ANSWER),
    **dict.fromkeys(
        ("pause-messages", "resume-messages", "opt-out", "opt-in", "answer-appointment", "move-appointment"),
        _OWN_CHOICE,
    ),
    **dict.fromkeys(("acknowledge-escalation", "resolve-escalation"), _LADDER),
    **dict.fromkeys(("request-grant", "change-grant", "cancel-grant", "submit-receipt"), _CASEWORK),
    **dict.fromkeys(("approve-grant", "refuse-grant", "return-grant"), _DECIDING),
    **dict.fromkeys(
        ("settle-payment", "cancel-payment", "accept-receipt", "refuse-receipt", "waive-receipt"), _FINANCE
    ),
    "reopen": {"supervisor": _A},
    "change-programme": {"supervisor": _A},
    "assign-referent": {"supervisor": _A},
    "reassign-escalation": {"supervisor": _A, "duty": _A},
    "request-erasure": {**_CASEWORK, "administrator": _A},
}  # fmt: skip


class Reach(StrEnum):
    """Which journeys a role may look into."""

    OWN = "own"
    """Those one leads, was asked to take over, or leads for an absent colleague."""
    SITE = "site"
    """Those of one's own sites and those without a site; all, for whoever works on every site."""
    MONEY = "money"
    """Those from which money was asked; for whoever is bound to funds, from these."""
    ALL = "all"
    NONE = "none"


READS: Final[dict[str, Reach]] = {
    "referent": Reach.OWN,
    "supervisor": Reach.SITE,
    "finance": Reach.MONEY,
    "duty": Reach.ALL,
    "auditor": Reach.ALL,
    "administrator": Reach.NONE,
    "mentor": Reach.NONE,
    "partner": Reach.NONE,
    "participant": Reach.NONE,
}
"""Reading, role by role. Mentors, partners and participants act through one-time links and look into no file."""


def reaches(roles: Iterable[str]) -> frozenset[Reach]:
    """What the holder of these roles may look into; a role that is not in the table adds nothing."""
    return frozenset(READS.get(role, Reach.NONE) for role in roles) - {Reach.NONE}


FORWARDED: Final = INTERNAL | PERSONAL | {"expect-date", "move-date", "confirm-date", "cancel-date", "plan"}
"""What the system itself may send: receipts, facts about a person, a cohort's dates, rows of an import."""


def right(role: str, command: str) -> Scope:
    """One cell of the table."""
    return TABLE.get(command, {}).get(role, _N)


def line_of(role: str, programme: Programme | None) -> str:
    """The line of the table that a role has: its own name, or what its programme says."""
    known = programme.roles.get(role) if programme is not None else None
    return known.rights if known is not None and known.rights is not None else role


def acting_role(command: Command, state: State, programme: Programme | None) -> str | None:
    """The role under which the actor may give this command on this journey; None when no right covers it."""
    if command.by_system:
        return SYSTEM if command.name in FORWARDED else None
    for role in held(command, state, programme):
        match right(line_of(role, programme), command.name):
            case Scope.ALLOWED:
                return role
            case Scope.OWN if _is_own(command, state):
                return role
            case _:
                continue
    return None


BOUND_TO_FUNDS: Final = frozenset({"finance"})
"""Lines of the table whose holder may be bound to funds."""


def held(command: Command, state: State, programme: Programme | None) -> tuple[str, ...]:
    """The roles in which the actor may give this command: about another fund's money, none that is bound to funds."""
    fund = _fund_of(command.body, state)
    if not command.funds or fund is None or fund in command.funds:
        return command.roles
    return tuple(role for role in command.roles if line_of(role, programme) not in BOUND_TO_FUNDS)


def _fund_of(body: Body, state: State) -> str | None:
    """The fund whose money a command is about; None when it is about none, or about a grant that is not known."""
    id = getattr(body, "grant", None)
    if (payment := state.payments.get(getattr(body, "payment", ""))) is not None:
        id = payment.grant
    if (receipt := state.receipts.get(getattr(body, "receipt", ""))) is not None:
        id = receipt.grant
    grant = state.grants.get(id or "")
    return grant.fund if grant is not None else None


def _is_own(command: Command, state: State) -> bool:
    """Whether the actor leads (or stands in for who leads), mentors, is asked to take over, was referred to, or is
    the person of the journey."""
    actor, body = command.actor, command.body
    if body.name == "plan":
        return body.referent == actor
    if body.name in ("accept-transfer", "decline-transfer"):
        return state.transfer is not None and state.transfer.to == actor
    mentored = state.match is not None and state.match.mentor == actor
    proposed = actor in state.proposals.values() and body.name in ("match-mentor", "decline-mentor")
    referred = body.name in ("accept-referral", "decline-referral") and _referred_to(state, body.referral) == actor
    leads = actor == state.referent or state.referent in command.stands_in_for
    return leads or actor == state.person or mentored or proposed or referred


def _referred_to(state: State, referral: str) -> str | None:
    known = state.referrals.get(referral)
    return known.partner if known is not None else None


def uncovered() -> set[str]:
    """Commands without a line in the table (none but the system's own)."""
    return set(BODIES) - set(TABLE) - INTERNAL
