"""The door of programs: a token in `Authorization`, and what its owner may see and do at this moment."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param

from journeys.app.failures import Exit, Failure, Said
from journeys.app.web.api.problems import NO_TOKEN, Unreadable, Wrong, language_asked
from journeys.app.web.bodies import read_form
from journeys.app.web.house import House
from journeys.app.web.policy import PUBLIC, Door, Policy
from journeys.app.web.proof import WANTED
from journeys.app.web.visit import Visit
from journeys.store import accounts, tokens

CODE_HEADER: Final = "Journeys-Code"
"""The six digits of the moment, where money is approved or released."""

_BEARER: Final = HTTPBearer(
    auto_error=False, description="A token of a member of staff: it may what the member may, now. `journeys_…`"
)


class _TokenDoor(Door):
    async def __call__(
        self, request: Request, brought: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
    ) -> AsyncIterator[Visit]:
        house: House = request.app.state.house
        visit = Visit(house, request, language_asked(request), token="")
        try:
            await _enter(visit, brought.credentials if brought is not None else "")
            visit.lang = request.state.lang = language_asked(request, visit.visitor.language)
            request.state.stopped = visit.visitor.stopped
            if not visit.admitted(self.policy):
                raise _no_right(self.policy)
            _must_know_parameters(request)
            yield visit
            visit.note_looks("api")
        finally:
            await visit.done()


async def _enter(visit: Visit, token: str) -> None:
    """Who brings this token, and a connection that sees what they may see. Raises Failure: nobody that is known."""
    connection = await visit._open.enter_async_context(visit.house.reading.acquire())
    await visit._open.enter_async_context(connection.transaction())
    visit._connection = connection
    visit._visitor = await tokens.enter(connection, token) if token else None
    if visit._visitor is None:
        raise NO_TOKEN


async def read_upload(visit: Visit) -> None:
    """Read a form that may be long on its way: no connection is held meanwhile, and the token is looked at again."""
    await visit.done()
    await read_form(visit.request, visit.house.settings.largest_document)
    _, token = get_authorization_scheme_param(visit.request.headers.get("authorization"))
    await _enter(visit, token)


class _OpenDoor(Door):
    async def __call__(self, request: Request) -> None:
        _must_know_parameters(request)


def _must_know_parameters(request: Request) -> None:
    """Raises Unreadable for a parameter in the address that the route does not have, or that stands there twice.

    A filter that was mistyped must not be answered with everything.
    """
    sent = Counter(name for name, _ in request.query_params.multi_items())
    if not sent:
        return
    known = _parameters(request.scope["route"])
    wrong = [Wrong(field=name, code="unknown", message="no such parameter here") for name in sent if name not in known]
    wrong += [Wrong(field=name, code="twice", message="given twice") for name in known if sent[name] > 1]
    if wrong:
        raise Unreadable(wrong)


def _parameters(route: APIRoute) -> frozenset[str]:
    """What an address of this route may carry after its question mark."""
    queries, waiting = [], [route.dependant]
    while waiting:
        each = waiting.pop()
        queries += each.query_params
        waiting += each.dependencies
    return frozenset(field.alias for field in get_flat_params(Dependant(query_params=queries)))


def token_door(policy: Policy) -> Any:
    """The dependency of a route of the API: `visit: Visit = token_door(READERS)`."""
    return Depends(_TokenDoor(policy))


def open_door() -> Any:
    """The same for whoever comes."""
    return Depends(_OpenDoor(PUBLIC))


async def must_prove(visit: Visit, command: str) -> None:
    """Raises Failure where a command is about money and no right code of the moment came along.

    A token lies in a file; a code is shown by the telephone of whoever sits there, and opens once. The connection
    is given back before.
    """
    if command not in WANTED:
        return
    await visit.done()
    code, pool, me = visit.request.headers.get(CODE_HEADER, ""), visit.house.writing, visit.visitor.id
    if not code or not (await accounts.means(pool, me)).totp:
        raise _PROOF_WANTED
    if not await accounts.prove(pool, me, "", code):
        raise _WRONG_PROOF


_PROOF_WANTED: Final = Failure(
    Exit.REFUSED, "proof-wanted",
    Said("une décision d'argent demande une preuve fraîche, un jeton ne suffit pas ; rien n'a été fait",
         "a decision about money wants a fresh proof, a token is not enough; nothing was done"),
    Said("joignez l'en-tête Journeys-Code avec le code du moment (à mettre en place sur « Mon compte »), "
         "ou décidez dans les pages",
         "send the header Journeys-Code with the code of the moment (set up on “My account”), or decide in the pages"),
    field=CODE_HEADER,
)  # fmt: skip
_WRONG_PROOF: Final = Failure(
    Exit.REFUSED, "wrong-proof",
    Said("ce code n'est pas celui du moment, ou a déjà servi ; rien n'a été fait",
         "this is not the code of the moment, or it was used before; nothing was done"),
    Said(f"attendez le suivant ; après {accounts.MOST_FAILURES} essais le compte reste fermé un quart d'heure",
         f"wait for the next; after {accounts.MOST_FAILURES} tries the account stays shut for a quarter of an hour"),
    field=CODE_HEADER,
)  # fmt: skip


def _no_right(policy: Policy) -> Failure:
    return Failure(
        Exit.REFUSED, "no-right",
        Said("cette adresse n'est pas ouverte aux rôles de ce jeton", "this address is not open to this token's roles"),
        Said("les rôles sont ceux que la personne a maintenant ; l'administration les donne",
             "the roles are those that the person holds now; the administration gives them"),
        more={"needs": sorted(policy.roles or ())},
    )  # fmt: skip
