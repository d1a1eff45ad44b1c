"""Who may do what: one table, role by command. What is not in it is never allowed."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final, Protocol

from journeys.domain.commands import BODIES, INTERNAL, PERSONAL, Command
from journeys.domain.events import Subject
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
_DECIDING: Final = {"supervisor": _A, "finance": _A, "duty": _A}
_LADDER: Final = {**_CASEWORK, "finance": _A, "duty": _A}
_SUPERVISION: Final = {"supervisor": _A}
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
            "measure-outcome", "give-consent", "withdraw-consent", "record-death", "note-chase",
        ),
        _CASEWORK,
    ),
    **dict.fromkeys(("add-evidence", "add-note", "log-contact", "book-appointment", "close-appointment"), _MEETING),
    **dict.fromkeys(("match-mentor", "decline-mentor"), _MEETING),
    **dict.fromkeys(("accept-transfer", "decline-transfer"), _ADDRESSEE),
    **dict.fromkeys(("accept-referral", "decline-referral"), _ANSWER),
    **dict.fromkeys(
        (
            "pause-messages", "resume-messages", "opt-out", "opt-in", "record-wishes", "answer-appointment",
            "move-appointment",
        ),
        _OWN_CHOICE,
    ),
    **dict.fromkeys(("acknowledge-escalation", "snooze-escalation", "resolve-escalation"), _LADDER),
    **dict.fromkeys(("request-grant", "change-grant", "cancel-grant", "submit-receipt"), _CASEWORK),
    **dict.fromkeys(("approve-grant", "refuse-grant", "return-grant"), _DECIDING),
    **dict.fromkeys(
        (
            "settle-payment", "cancel-payment", "retry-payment", "settle-doubt", "accept-receipt", "refuse-receipt",
            "waive-receipt", "export-payments", "import-payments", "resolve-bank-line",
        ),
        _FINANCE,
    ),
    "reopen": {"supervisor": _A},
    "post-letter": _SUPERVISION | {"referent": _A},
    **dict.fromkeys(("open-cohort", "move-cohort-date", "set-cohort-places", "close-cohort"), _SUPERVISION),
    **dict.fromkeys(("join-cohort", "leave-cohort"), _CASEWORK),
    "stop-payments": {"supervisor": _A, "finance": _A, "administrator": _A},
    "resume-payments": {"supervisor": _A, "finance": _A},
    "change-programme": {"supervisor": _A},
    "edit-template": {"supervisor": _A, "administrator": _A},
    "assign-referent": {"supervisor": _A},
    "reassign-escalation": {"supervisor": _A, "duty": _A},
    "request-erasure": {**_CASEWORK, "administrator": _A},
    "order-erasure": {"supervisor": _A, "administrator": _A},
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


class Somebody(Protocol):
    """Who asks: an id, the roles held, the sites and funds they are for (none: all), for whom they stand in."""

    @property
    def id(self) -> str: ...
    @property
    def roles(self) -> tuple[str, ...]: ...
    @property
    def sites(self) -> tuple[str, ...]: ...
    @property
    def funds(self) -> tuple[str, ...]: ...
    @property
    def stands_in_for(self) -> tuple[str, ...]: ...


def reaches(roles: Iterable[str], programme: Programme | None = None) -> frozenset[Reach]:
    """What the holder of these roles may look into, of the journeys of a programme where one is given.

    A role that has no line of the table adds nothing.
    """
    return frozenset(READS.get(line_of(role, programme), Reach.NONE) for role in roles) - {Reach.NONE}


def sees(who: Somebody, state: State, programme: Programme | None) -> bool:
    """Whether somebody may look into this journey; row-level security says the same (a test compares them)."""
    led = state.referent in (who.id, *who.stands_in_for)
    asked = state.transfer is not None and state.transfer.to == who.id
    reach = reaches(who.roles, programme)
    return reached(reach, who.sites, who.funds, site=state.site, money=funds_of(state), own=led or asked)


def funds_of(state: State) -> frozenset[str]:
    """The funds from which money was ever asked on a journey."""
    return frozenset(grant.fund for grant in state.grants.values())


def reached(
    reach: frozenset[Reach], sites: Collection[str], funds: Collection[str], *, site: str | None,
    money: frozenset[str], own: bool,
) -> bool:  # fmt: skip
    """Whether somebody who reaches so far, for these sites and funds (none: all), may look into a journey.

    Args:
        site: the journey's. money: funds from which it was asked there. own: it is their own.
    """
    return (
        Reach.ALL in reach
        or (Reach.SITE in reach and (not sites or site is None or site in sites))
        or (Reach.MONEY in reach and bool(money) and (not funds or not money.isdisjoint(funds)))
        or (Reach.OWN in reach and own)
    )


def answers(
    lines: Collection[str], sites: Collection[str], funds: Collection[str], *, site: str | None, money: frozenset[str],
    fund: str | None, own: bool,
) -> bool:  # fmt: skip
    """Whether the holder of these lines may open a journey and act on an alert of it: only they are told of one, and
    only to them it is handed on. Who is asked to take it over may look into it, and act on nothing of it yet.

    Args:
        site: the journey's. money: funds from which it was asked there. own: they lead it, or stand in for who does.
        fund: the one whose money the alert is about, where it is about money.
    """
    acting = frozenset(lines)
    if fund is not None:
        money |= {fund}
        if funds and fund not in funds:
            acting -= BOUND_TO_FUNDS
    if not reached(reaches(acting), sites, funds, site=site, money=money, own=own):
        return False
    return covers("acknowledge-escalation", acting, None, own=own)


FORWARDED: Final = (
    INTERNAL
    | PERSONAL
    | {"expect-date", "move-date", "confirm-date", "cancel-date", "plan", "retry-payment", "decline-transfer"}
)
"""What the system itself may send: receipts, facts about a person, a cohort's dates, rows of an import, what was
blocked only because all payments were stopped, and the answer to a hand-over asked of somebody who left."""


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


def covers(name: str, roles: Iterable[str], programme: Programme | None, *, own: bool) -> bool:
    """Whether one of these roles may give a command of this name: on every journey, or on their own and this is one."""
    scopes = {right(line_of(role, programme), name) for role in roles}
    return Scope.ALLOWED in scopes or (Scope.OWN in scopes and own)


def may_give(name: str, who: Somebody, state: State, programme: Programme | None, fund: str | None = None) -> bool:
    """Whether a right may cover a command of this name by somebody here, whatever else it says.

    Args:
        fund: whose money it is about, where that is known.
    """
    roles = _free(who.roles, who.funds, fund, programme)
    return covers(name, roles, programme, own=_stands_by(name, who.id, who.stands_in_for, state))


BOUND_TO_FUNDS: Final = frozenset({"finance"})
"""Lines of the table whose holder may be bound to funds."""


def held(command: Command, state: State, programme: Programme | None) -> tuple[str, ...]:
    """The roles in which the actor may give this command: about another fund's money, none that is bound to funds."""
    if not command.funds:
        return command.roles
    body = command.body
    about = {name: getattr(body, name, "") for name in ("grant", "payment", "receipt")}
    return _free(command.roles, command.funds, fund_of(state, **about), programme)


def _free(
    roles: tuple[str, ...], funds: tuple[str, ...], fund: str | None, programme: Programme | None
) -> tuple[str, ...]:
    """Those of the roles in which somebody for these funds acts where it is about this one's money."""
    if not funds or fund is None or fund in funds:
        return roles
    return tuple(role for role in roles if line_of(role, programme) not in BOUND_TO_FUNDS)


def fund_of(state: State, *, grant: str = "", payment: str = "", receipt: str = "") -> str | None:
    """The fund whose money these ids are about; None when it is none, or a grant that is not known."""
    if (paid := state.payments.get(payment)) is not None:
        grant = paid.grant
    if (shown := state.receipts.get(receipt)) is not None:
        grant = shown.grant
    known = state.grants.get(grant)
    return known.fund if known is not None else None


def fund_about(state: State, about: Subject) -> str | None:
    """The fund whose money an alert is about; None when it is about none."""
    return fund_of(state, **{about.kind: about.id}) if about.kind in ("grant", "payment", "receipt") else None


def _is_own(command: Command, state: State) -> bool:
    """Whether the journey is the actor's own for what this command says."""
    body = command.body
    if body.name == "plan":
        return body.referent == command.actor
    referral = body.referral if body.name in ("accept-referral", "decline-referral") else None
    return _stands_by(body.name, command.actor, command.stands_in_for, state, referral)


def _stands_by(
    name: str, actor: str, stands_in_for: tuple[str, ...], state: State, referral: str | None = None
) -> bool:
    """Whether somebody leads (or stands in for who leads), mentors, is asked to take over, was referred to (by this
    referral, where it is known which), or is the person of the journey."""
    if name in ("accept-transfer", "decline-transfer"):
        return state.transfer is not None and state.transfer.to == actor
    mentored = state.match is not None and state.match.mentor == actor
    proposed = actor in state.proposals.values() and name in ("match-mentor", "decline-mentor")
    referred = name in ("accept-referral", "decline-referral") and any(
        known.partner == actor for id, known in state.referrals.items() if referral in (None, id)
    )
    leads = actor == state.referent or state.referent in stands_in_for
    return leads or actor == state.person or mentored or proposed or referred


def uncovered() -> set[str]:
    """Commands without a line in the table (none but the system's own)."""
    return set(BODIES) - set(TABLE) - INTERNAL
