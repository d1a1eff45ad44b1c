"""The door itself: who comes in, by password or through the provider, how they prove it anew, and how they leave."""

from typing import Final

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from journeys.app.failures import Exit, Failure, Said
from journeys.app.web.entering import let_in, proved
from journeys.app.web.pages import account
from journeys.app.web.policy import PUBLIC, STAFF
from journeys.app.web.proof import confirm_page, unpacked
from journeys.app.web.provider import FLOW_SECONDS, Provider, interrupted
from journeys.app.web.rendering import go, local_path, page
from journeys.app.web.visit import COOKIE, NotEntered, Visit, cookie_name, door, drop_cookie, set_cookie
from journeys.store import accounts, identities, sessions

router = APIRouter()
router.routes.extend(account.router.routes)

FLOW: Final = "flow"


@router.get("/connexion")
async def login(visit: Visit = door(PUBLIC)) -> Response:
    back = local_path(visit.request.query_params.get("suite"))
    return go(back) if visit.known is not None else await _login(visit, back)


@router.post("/connexion")
async def enter(visit: Visit = door(PUBLIC)) -> Response:
    """Password, and code where one was set up."""
    typed = await _typed(visit)
    back, handle = local_path(typed.get("suite")), typed.get("handle", "").strip().lower()
    await visit.done()
    staff = await accounts.check(visit.house.writing, handle, typed.get("password", ""), typed.get("code", ""))
    if staff is None:
        structlog.get_logger().info("login refused", address=_address(visit.request))
        return await _login(visit, back, handle, 422)
    structlog.get_logger().info("login", staff=staff, how="password")
    return await let_in(visit, staff, "password", back)


@router.get("/connexion/fournisseur")
async def to_provider(visit: Visit = door(PUBLIC)) -> Response:
    """On to the provider, with what must come back kept in this browser."""
    await visit.done()
    provider = _provider(visit)
    url, flow = await provider.begin(_return(visit.request), local_path(visit.request.query_params.get("suite")))
    return _away(visit, url, provider.sealed(flow))


@router.post("/connexion/fournisseur")
async def prove_by_provider(visit: Visit = door(STAFF)) -> Response:
    """To the provider for a proof: it asks for the password again. A filled form waits here meanwhile."""
    typed = await _typed(visit)
    await visit.done()
    provider, form = _provider(visit), typed.get("again", "")
    kept = await sessions.keep_form(visit.house.writing, visit.token, form) if form else ""
    url, flow = await provider.begin(
        _return(visit.request), local_path(typed.get("suite")), again=kept, proving=visit.visitor.id
    )
    return _away(visit, url, provider.sealed(flow))


@router.get("/connexion/retour")
async def back_from_provider(visit: Visit = door(PUBLIC)) -> Response:
    """Back from the provider: a member of staff enters, or has proved who they are; nobody else."""
    await visit.done()
    provider = _provider(visit)
    flow = provider.unsealed(visit.request.cookies.get(cookie_name(visit.request, FLOW), ""))
    who = await provider.finish(flow, _return(visit.request), visit.request.query_params)
    staff = await identities.member_of(visit.house.writing, who.issuer, who.subject, who.verified_email)
    if staff is None:
        structlog.get_logger().info("login refused", how="provider", address=_address(visit.request))
        raise _not_staff(provider)
    if flow.proving is None:
        structlog.get_logger().info("login", staff=staff, how="provider")
        answer = await let_in(visit, staff, "provider", flow.back)
    elif visit.known is None or not staff == flow.proving == visit.visitor.id:
        raise interrupted()
    else:
        form = await sessions.take_form(visit.house.writing, visit.token, flow.again) if flow.again else ""
        answer = await proved(visit, flow.back, unpacked(form))
    drop_cookie(visit.request, answer, FLOW)
    return answer


@router.get("/confirmer")
async def confirm(visit: Visit = door(STAFF)) -> Response:
    return await confirm_page(visit, local_path(visit.request.query_params.get("suite")), [])


@router.post("/confirmer")
async def prove(visit: Visit = door(STAFF)) -> Response:
    """The proof itself: the code if one was typed, else the password."""
    typed = await _typed(visit)
    back, again = local_path(typed.get("suite")), unpacked(typed.get("again", ""))
    await visit.done()
    password, code = typed.get("password", ""), typed.get("code", "")
    if not await accounts.prove(visit.house.writing, visit.visitor.id, password, code):
        return await confirm_page(visit, back, again, [WRONG_PROOF], 422)
    return await proved(visit, back, again)


@router.post("/deconnexion")
async def logout(visit: Visit = door(PUBLIC)) -> Response:
    """End the session at once, here, in the database and at the provider that opened it."""
    known, request = visit.known, visit.request
    await visit.done()
    await sessions.close(visit.house.writing, request.cookies.get(cookie_name(request), ""))
    to: str | None = "/connexion"
    provider: Provider | None = request.app.state.provider
    if known is not None and known.how == "provider" and provider is not None:
        to = await provider.leaving(f"{_here(request)}/connexion") or to
    answer = RedirectResponse(to or "/connexion", status_code=303)
    drop_cookie(request, answer, COOKIE)
    return answer


WRONG: Final = Failure(
    Exit.REFUSED, "wrong-login",
    Said("identifiant, mot de passe ou code : quelque chose n'est pas juste",
         "handle, password or code: something is not right"),
    Said(f"vérifiez et recommencez ; après {accounts.MOST_FAILURES} essais le compte reste fermé un quart d'heure. "
         "Mot de passe oublié : l'administration en pose un nouveau",
         f"check and try again; after {accounts.MOST_FAILURES} tries the account stays shut for a quarter of an hour. "
         "Password forgotten: the administration sets a new one"),
)  # fmt: skip
WRONG_PROOF: Final = Failure(
    Exit.REFUSED, "wrong-proof", Said("mot de passe ou code : ce n'est pas juste", "password or code: not right"),
    Said("rien n'a été fait ; recommencez. "
         f"Après {accounts.MOST_FAILURES} essais le compte reste fermé un quart d'heure",
         "nothing was done; try again. "
         f"After {accounts.MOST_FAILURES} tries the account stays shut for a quarter of an hour"),
)  # fmt: skip


async def _login(visit: Visit, back: str, handle: str = "", status: int = 200) -> Response:
    await visit.done()
    local = await accounts.any_account(visit.house.writing)
    failures = [WRONG] if status != 200 else []
    return page(visit, "login.html", status, back=back, handle=handle, failures=failures, local=local,
                provider=visit.request.app.state.provider)  # fmt: skip


async def _typed(visit: Visit) -> dict[str, str]:
    return {name: value for name, value in (await visit.request.form()).items() if isinstance(value, str)}


def _provider(visit: Visit) -> Provider:
    provider: Provider | None = visit.request.app.state.provider
    if provider is None:
        raise NotEntered("/")
    return provider


def _away(visit: Visit, url: str, flow: str) -> Response:
    answer = RedirectResponse(url, status_code=303)
    set_cookie(visit.request, answer, FLOW, flow, FLOW_SECONDS)
    return answer


def _here(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _return(request: Request) -> str:
    return f"{_here(request)}/connexion/retour"


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _not_staff(provider: Provider) -> Failure:
    return Failure(
        Exit.REFUSED, "not-staff",
        Said(f"votre compte chez {provider.label} n'est celui de personne dans l'équipe",
             f"your account at {provider.label} belongs to nobody on the staff"),
        Said("demandez à l'administration de noter votre adresse dans l'équipe, puis reconnectez-vous",
             "ask the administration to note your address on the staff, then log in again"),
    )  # fmt: skip
