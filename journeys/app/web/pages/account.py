"""My account: roles and sites, open sessions, tokens of my programs, password, and the codes of a telephone."""

from collections.abc import Sequence
from datetime import timedelta

import segno
from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from journeys.app.failures import Failure, usage
from journeys.app.passwords import refuse_weak
from journeys.app.web.policy import STAFF
from journeys.app.web.proof import require_proof
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import COOKIE, Visit, door, drop_cookie, set_cookie
from journeys.identifiers import is_uuid, uuid7
from journeys.store import accounts, sessions, tokens

router = APIRouter()


@router.get("/compte")
async def account(visit: Visit = door(STAFF)) -> Response:
    return await _account(visit)


@router.post("/compte/mot-de-passe")
async def change_password(visit: Visit = door(STAFF)) -> Response:
    """A new password, for the old one; every other session ends."""
    form, me, pool = await visit.request.form(), visit.visitor, visit.house.writing
    await visit.done()
    old, new, repeated = (str(form.get(name, "")) for name in ("old", "new", "repeated"))
    try:
        refuse_weak(new, me.handle, me.name, "new")
        if new != repeated:
            raise usage("not-the-same", "ce n'est pas le même mot de passe", "this is not the same password",
                        field="repeated")  # fmt: skip
        if not await accounts.prove(pool, me.id, old, ""):
            raise usage("wrong-password", "ce n'est pas le mot de passe actuel", "this is not the present password",
                        field="old")  # fmt: skip
    except Failure as failure:
        return await _account(visit, [failure], 422)
    await accounts.set_password(pool, me.id, new)
    await sessions.close_all(pool, me.id)
    answer = go("/compte?note=mot-de-passe")
    set_cookie(visit.request, answer, COOKIE, await sessions.open_session(pool, me.id, "password"))
    return answer


@router.post("/compte/sessions")
async def end_all(visit: Visit = door(STAFF)) -> Response:
    """End every session of mine, this one as well."""
    await visit.done()
    await sessions.close_all(visit.house.writing, visit.visitor.id)
    answer = go("/connexion")
    drop_cookie(visit.request, answer, COOKIE)
    return answer


@router.get("/compte/code")
async def codes(visit: Visit = door(STAFF)) -> Response:
    """A fresh secret, to be read by a telephone."""
    await require_proof(visit)
    return await _codes(visit, accounts.new_secret())


@router.post("/compte/code")
async def confirm_codes(visit: Visit = door(STAFF)) -> Response:
    """From here a code is asked at each login: the first one shows that the telephone has the secret."""
    await require_proof(visit)
    form = await visit.request.form()
    secret, code = str(form.get("secret", "")), str(form.get("code", ""))
    await visit.done()
    if not accounts.is_secret(secret):
        return go("/compte/code")
    if not await accounts.set_totp(visit.house.writing, visit.visitor.id, secret, code):
        wrong = usage("wrong-code", "ce code n'est pas celui du moment", "this is not the code of the moment",
                      field="code")  # fmt: skip
        return await _codes(visit, secret, [wrong], 422)
    return go("/compte?note=code")


@router.post("/compte/code/retirer")
async def remove_codes(visit: Visit = door(STAFF)) -> Response:
    await require_proof(visit)
    await visit.done()
    await accounts.remove_totp(visit.house.writing, visit.visitor.id)
    return go("/compte?note=sans-code")


@router.post("/compte/jetons")
async def make_token(visit: Visit = door(STAFF)) -> Response:
    """A token for a program of mine, shown on this page and never again."""
    await require_proof(visit)
    form = await visit.request.form()
    name, days = str(form.get("name", "")).strip(), str(form.get("days", "")).strip()
    wrong = []
    if not name or len(name) > 80 or not name.isprintable():
        wrong.append(usage("missing", "dites à quoi il sert, en quelques mots", "say what it is for, in a few words",
                           field="name"))  # fmt: skip
    if not days.isascii() or not days.isdecimal() or not 1 <= int(days[:9]) <= tokens.LONGEST.days:
        wrong.append(usage("not-a-number", "un nombre de jours, 366 au plus", "a number of days, 366 at most",
                           field="days"))  # fmt: skip
    if wrong:
        return await _account(visit, wrong, 422)
    await visit.done()
    made = await tokens.make(visit.house.writing, uuid7(visit.now), visit.visitor.id, name, timedelta(days=int(days)))
    return await _account(visit, made=made)


@router.post("/compte/jetons/retirer")
async def revoke_token(visit: Visit = door(STAFF)) -> Response:
    """End one of my tokens at once."""
    id = str((await visit.request.form()).get("id", ""))
    await visit.done()
    done = await tokens.revoke(visit.house.writing, visit.visitor.id, id) if is_uuid(id) else False
    return go("/compte?note=jeton#jetons" if done else "/compte#jetons")


async def _account(
    visit: Visit, failures: Sequence[Failure] = (), status: int = 200, *, made: str | None = None
) -> Response:
    await visit.done()
    pool, me = visit.house.writing, visit.visitor
    return page(
        visit, "account.html", status, failures=failures, means=await accounts.means(pool, me.id),
        sessions=await sessions.open_sessions(pool, me.id, visit.token),
        tokens=await tokens.tokens_of(pool, me.id), made=made, longest=tokens.LONGEST.days,
        note=visit.request.query_params.get("note", "") if status == 200 else "",
    )  # fmt: skip


async def _codes(visit: Visit, secret: str, failures: Sequence[Failure] = (), status: int = 200) -> Response:
    await visit.done()
    issuer = visit.house.settings.association or visit.say("Parcours de sortie")
    address = accounts.address_of(secret, visit.visitor.handle, issuer)
    drawn = segno.make(address, error="m").svg_inline(
        border=4, omitsize=True, svgclass="qr", lineclass=None, light="#fff"
    )
    grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return page(visit, "codes.html", status, secret=secret, grouped=grouped, drawn=Markup(drawn), failures=failures)
