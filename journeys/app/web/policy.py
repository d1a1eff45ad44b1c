"""Who may open a route. Every route has a door with a policy; an application with one that has none is not built."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Mount

from journeys.domain.rights import READS, ROLES, TABLE, Reach


@dataclass(frozen=True, slots=True)
class Policy:
    """`roles` of whom one must be held; None: whoever comes, without a session."""

    name: str
    roles: frozenset[str] | None

    def admits(self, roles: Iterable[str]) -> bool:
        """Whether somebody with these roles may come in. A role of a programme's own counts as staff."""
        if self.roles is None:
            return True
        held = set(roles)
        return bool(held & self.roles) or (self is STAFF and bool(held - set(ROLES)))


SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

PUBLIC: Final = Policy("public", None)
"""Whoever comes: the login, what the browser needs to show it, and health."""
STAFF: Final = Policy("staff", frozenset(ROLES) - {"mentor", "partner", "participant"})
"""Everybody with a session and any role; which journeys they see, and what a command may do, is decided for each."""
ROTA: Final = Policy("rota", frozenset({"supervisor", "duty", "administrator"}))
"""Those who say who is on call."""
READERS: Final = Policy("readers", frozenset(role for role, reach in READS.items() if reach is not Reach.NONE))
"""Those who may look into some journey."""
SUPERVISING: Final = Policy("supervising", frozenset({"supervisor"}))
CASEWORK: Final = Policy("casework", frozenset({"referent", "supervisor"}))
SUPERVISION: Final = Policy("supervision", frozenset({"supervisor"}))
ACCOUNT: Final = Policy(
    "account", frozenset(role for role, reach in READS.items() if reach in (Reach.MONEY, Reach.ALL))
)
"""Those who may look at the association's account as a whole; whoever is bound to funds finds nothing there."""
BOOKS: Final = Policy("books", frozenset({"finance", "auditor"}))
"""Those who look into funds."""
OVERSEEING: Final = Policy("overseeing", frozenset({"auditor", "administrator"}))
"""Those who look at who looked."""
ANSWERING: Final = Policy("answering", frozenset({"supervisor", "duty", "auditor"}))
"""Those who look at what was owed, and at who did what, over all journeys that they see."""
AUDITING: Final = Policy("auditing", frozenset({"auditor"}))
"""Those to whom the whole record may be handed."""
POSTING: Final = Policy("posting", frozenset({"supervisor", "administrator"}))
"""Those who post what a machine without a mail server lays down."""
FORGETTING: Final = Policy("forgetting", frozenset(TABLE["order-erasure"]))
"""Those who have somebody of the house forgotten."""
RETAINING: Final = Policy("retaining", frozenset({*TABLE["order-erasure"], "auditor"}))
"""Those who look at what has been kept long enough."""
KEEPING: Final = Policy("keeping", frozenset({"finance"}))
STOPPING: Final = Policy("stopping", frozenset(TABLE["stop-payments"]))
WORDING: Final = Policy("wording", frozenset(TABLE["edit-template"]))
"""Those who may change what messages say."""
DECIDING: Final = Policy("deciding", frozenset({"supervisor", "finance", "duty"}))


NOTICES: Final = "/retours/paiements"
"""Where a provider of payments says what became of them: no page of ours sends there, and no cookie opens it."""

CODEC: Final = "/codec/decode"
"""Where Temporal's own pages have payloads opened: no page of ours sends there."""
RECEIPTS: Final = "/retours/messages"
"""The same for a gateway of short messages."""

MOUNTED: Final = frozenset({"/static", "/api/v1"})
"""What hangs on the application beside its routes: files that anybody may have, and the API, whose own routes are
checked where it is made."""


class Unguarded(Exception):
    """Routes without a policy: the application is not built."""


class Door:
    """A dependency that lets in whom its policy admits; `visit.door(policy)` makes one."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy


def policy_of(route: APIRoute) -> Policy | None:
    """The policy of the route's door; None when it has none."""
    return _found(route.dependant)


def check_doors(application: FastAPI) -> None:
    """Raises Unguarded unless every route has exactly the door that it needs."""
    naked = [
        getattr(route, "path", repr(route))
        for route in application.routes
        if not (isinstance(route, APIRoute) and policy_of(route) is not None)
        and not (isinstance(route, Mount) and route.path in MOUNTED)
    ]
    if naked:
        raise Unguarded(", ".join(naked))


def _found(dependant: Dependant) -> Policy | None:
    if isinstance(dependant.call, Door):
        return dependant.call.policy
    for inner in dependant.dependencies:
        if (found := _found(inner)) is not None:
            return found
    return None
