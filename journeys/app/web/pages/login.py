"""The door itself: who comes in, how they prove it again, and how they leave."""

from typing import Final

import segno
from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from journeys.app.web.policy import PUBLIC, STAFF
from journeys.app.web.rendering import go, local_path, page
from journeys.app.web.visit import Visit, cookie_name, door
from journeys.store import accounts, sessions
from journeys.store.accounts import SHORTEST

router = APIRouter()

_LONGEST_PASSWORD: Final = 1_000


@router.get("/connexion")
async def form(visit: Visit = door(PUBLIC)) -> Response:
    return page(visit, "login.html", back=local_path(visit.request.query_params.get("suite")), handle="", tried=None)


@router.post("/connexion")
async def enter(visit: Visit = door(PUBLIC)) -> Response:
    """Open a session. What was wrong is not told apart, so that nobody learns which handles there are."""
    typed = await _typed(visit)
    handle, back = typed.get("handle", "").strip().lower(), local_path(typed.get("suite"))
    await visit.done()
    tried = await accounts.check(
        visit.house.writing, handle, typed.get("password", "")[:_LONGEST_PASSWORD], typed.get("code", "")
    )
    if tried.staff is None:
        status = 200 if tried.wants_code else 422
        return page(visit, "login.html", status, back=back, handle=handle, tried=tried)
    token = await sessions.open_session(visit.house.writing, tried.staff, "password")
    return _with_session(visit, go(back), token)


@router.get("/confirmer")
async def confirm(visit: Visit = door(STAFF)) -> Response:
    return await _confirm(visit, local_path(visit.request.query_params.get("suite")), wrong=False)


@router.post("/confirmer")
async def prove(visit: Visit = door(STAFF)) -> Response:
    """Prove again who one is; the session goes on under another token."""
    typed = await _typed(visit)
    back, handle = local_path(typed.get("suite")), visit.visitor.handle
    tried = await accounts.check(
        visit.house.writing, handle, typed.get("password", "")[:_LONGEST_PASSWORD], typed.get("code", "")
    )
    if tried.staff is None:
        return await _confirm(visit, back, wrong=True)
    await visit.done()
    fresh = await sessions.renew(visit.house.writing, visit.request.cookies.get(cookie_name(visit.request), ""))
    return _with_session(visit, go(back), fresh) if fresh is not None else go("/connexion")


@router.post("/deconnexion")
async def leave(visit: Visit = door(STAFF)) -> Response:
    """End the session at once, here and in the database."""
    name = cookie_name(visit.request)
    await visit.done()
    await sessions.close(visit.house.writing, visit.request.cookies.get(name, ""))
    answer = go("/connexion")
    answer.delete_cookie(name, path="/")
    return answer


@router.get("/compte")
async def account(visit: Visit = door(STAFF)) -> Response:
    return await _account(visit)


@router.post("/compte/mot-de-passe")
async def change_password(visit: Visit = door(STAFF)) -> Response:
    """A new password, given with the present one; every other session ends."""
    typed = await _typed(visit)
    house, me = visit.house, visit.visitor
    tried = await accounts.check(house.writing, me.handle, typed.get("present", ""), typed.get("code", ""))
    fresh = typed.get("fresh", "")
    if tried.staff is None:
        return await _account(visit, 422, wrong="present")
    if not SHORTEST <= len(fresh) <= _LONGEST_PASSWORD or me.handle in fresh.lower():
        return await _account(visit, 422, wrong="fresh")
    await visit.done()
    await accounts.set_password(house.writing, me.id, fresh)
    return _with_session(visit, go("/compte?change=1"), await sessions.open_session(house.writing, me.id, "password"))


@router.post("/compte/code")
async def change_code(visit: Visit = door(STAFF)) -> Response:
    """Have the account ask for codes, once one has been typed that fits."""
    typed = await _typed(visit)
    if await accounts.has_code(visit.house.writing, visit.visitor.id):
        return await _account(visit, 409)
    secret = typed.get("secret", "")
    if not await accounts.set_code(visit.house.writing, visit.visitor.id, secret, typed.get("code", "")):
        return await _account(visit, 422, wrong="code", secret=secret)
    return go("/compte?code=1")


@router.post("/compte/sessions")
async def end_sessions(visit: Visit = door(STAFF)) -> Response:
    """End every session of one's own, this one included."""
    await visit.done()
    await sessions.close_all(visit.house.writing, visit.visitor.id)
    return go("/connexion")


async def _confirm(visit: Visit, back: str, *, wrong: bool) -> Response:
    code = await accounts.has_code(visit.house.writing, visit.visitor.id)
    return page(visit, "confirm.html", 422 if wrong else 200, back=back, wrong=wrong, wants_code=code)


async def _account(visit: Visit, status: int = 200, wrong: str = "", secret: str = "") -> Response:
    has_code = await accounts.has_code(visit.house.writing, visit.visitor.id)
    secret = secret if accounts.is_secret(secret) else accounts.fresh_secret()
    issuer = visit.house.settings.association or "Parcours"
    picture = segno.make(accounts.address_of(secret, visit.visitor.handle, issuer))
    return page(
        visit, "account.html", status, wrong=wrong, has_code=has_code, secret=secret, shortest=SHORTEST,
        picture=Markup(picture.svg_inline(scale=4, omitsize=True, svgclass="qr", lineclass=None)),
    )  # fmt: skip


async def _typed(visit: Visit) -> dict[str, str]:
    return {key: value for key, value in (await visit.request.form()).items() if isinstance(value, str)}


def _with_session(visit: Visit, answer: Response, token: str) -> Response:
    answer.set_cookie(
        cookie_name(visit.request), token, httponly=True, samesite="lax", path="/",
        secure=visit.request.url.scheme == "https",
    )  # fmt: skip
    return answer
