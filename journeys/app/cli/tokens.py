"""`journeys staff token`, `login`, `logout`: tokens of programs, and the one with which this command line acts."""

import dataclasses
from datetime import timedelta
from typing import Any

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group, option
from journeys.app.failures import usage


def add_to_staff(staff: typer.Typer) -> None:
    """Declare `staff token …`."""
    room = group(
        "Les jetons des programmes : chacun agit comme la personne à qui il est.",
        "Tokens of programs: each acts as the person whose it is.",
    )
    staff.add_typer(room, name="token")

    @command(room, "add", "Fait un jeton et le montre, une seule fois.", "Makes a token and shows it, once.")
    async def add(
        ctx: typer.Context,
        handle: str = argument("à qui", "whose", "PSEUDO"),
        name: str = option("--name", "à quoi il sert", "what it is for", ...),
        days: int = option("--days", "jours de validité, 366 au plus", "days that it lasts, 366 at most", 90, min=1,
                           max=366),
    ) -> None:  # fmt: skip
        await _add(at(ctx), handle, name, days)

    @command(room, "list", "Les jetons de quelqu'un.", "Somebody's tokens.")
    async def list_(ctx: typer.Context, handle: str = argument("à qui", "whose", "PSEUDO")) -> None:
        await _list(at(ctx), handle)

    @command(room, "revoke", "Retire un jeton, sur-le-champ.", "Revokes a token, at once.")
    async def revoke(
        ctx: typer.Context,
        handle: str = argument("à qui", "whose", "PSEUDO"),
        id: str = argument("le jeton : id, ou son début, ou son nom", "the token: id, its beginning, or name", "JETON"),
    ) -> None:
        await _revoke(at(ctx), handle, id)


def add_to(app: typer.Typer) -> None:
    """Declare `login` and `logout`."""

    @command(
        app, "login", "Garde un jeton : ensuite, sans --as, on agit comme la personne à qui il est.",
        "Keeps a token: from then on, without --as, one acts as the person whose it is.",
    )  # fmt: skip
    async def login(
        ctx: typer.Context,
        stdin: bool = option("--stdin", "lire le jeton sur l'entrée", "read the token from stdin", False),
    ) -> None:
        await _login(at(ctx), stdin)

    @command(app, "logout", "Oublie le jeton gardé ici.", "Forgets the token kept here.")
    def logout(ctx: typer.Context) -> None:
        _logout(at(ctx))


async def _add(desk: Desk, handle: str, name: str, days: int) -> None:
    from journeys.app.entry import clean_text
    from journeys.app.finding import find_staff
    from journeys.identifiers import uuid7
    from journeys.store import tokens

    pool = await desk.pool()
    member = await find_staff(pool, handle, "PSEUDO")
    await desk.keeper()
    called = clean_text(name.strip(), "--name")[:80]
    if not called:
        raise usage("no-name", "--name : dites à quoi il sert", "--name: say what it is for", field="--name")
    id = uuid7(desk.now)
    token = await tokens.make(pool, id, member.id, called, timedelta(days=days))
    out = desk.out

    def show() -> None:
        out.line(token)
        out.note(out.t(f"Jeton de {member.name}, valable {days} jours. Notez-le : il n'est montré qu'ici.",
                       f"Token of {member.name}, valid for {days} days. Note it: it is shown here only."))  # fmt: skip

    out.result({"token": {"id": id, "staff": member.id, "name": called, "token": token}}, show)


async def _list(desk: Desk, handle: str) -> None:
    from journeys.app.finding import find_staff
    from journeys.identifiers import short
    from journeys.store import tokens

    pool = await desk.pool()
    member = await find_staff(pool, handle, "PSEUDO")
    await desk.keeper()
    found = await tokens.tokens_of(pool, member.id)
    out = desk.out
    heads = ("id", out.t("nom", "name"), out.t("fait", "made"), out.t("jusqu'au", "until"),
             out.t("dernier usage", "last used"), "")  # fmt: skip
    rows = [
        (short(each.id), each.name, f"{each.created_at:%Y-%m-%d}", f"{each.expires_at:%Y-%m-%d}",
         f"{each.used_at:%Y-%m-%d %H:%M} UTC" if each.used_at else "",
         "" if each.open else out.t("retiré", "revoked") if each.revoked_at else out.t("expiré", "expired"))
        for each in found
    ]  # fmt: skip
    out.result({"tokens": [dataclasses.asdict(each) for each in found]}, lambda: out.table(heads, rows))


async def _revoke(desk: Desk, handle: str, asked: str) -> None:
    from journeys.app.finding import find_staff, pick
    from journeys.store import tokens

    pool = await desk.pool()
    member = await find_staff(pool, handle, "PSEUDO")
    await desk.keeper()
    known = {each.id: each.name for each in await tokens.tokens_of(pool, member.id) if each.open}
    id = pick(asked, known, "token", "JETON")
    await tokens.revoke(pool, member.id, id)
    desk.out.result(
        {"revoked": id},
        lambda: desk.out.line(desk.out.t(f"« {known[id]} » est retiré.", f"“{known[id]}” is revoked.")),
    )


async def _login(desk: Desk, stdin: bool) -> None:
    token = _read(desk, stdin)
    member = await desk.bearer(token)
    desk.keep_token(token)
    out = desk.out
    found: dict[str, Any] = {"staff": {"id": member.id, "handle": member.handle, "roles": list(member.roles)}}
    out.result(found, lambda: out.line(out.t(f"Vous agissez comme {member.name}.", f"You act as {member.name}.")))


def _read(desk: Desk, stdin: bool) -> str:
    """From a terminal unseen, else the first line of stdin. Raises Failure."""
    import getpass
    import sys

    if stdin:
        return sys.stdin.readline().strip()
    if not sys.stdin.isatty():
        raise usage("no-terminal", "il n'y a pas de terminal pour taper le jeton ; ajoutez --stdin",
                    "there is no terminal to type the token on; add --stdin", field="--stdin")  # fmt: skip
    return getpass.getpass(desk.out.t("Jeton : ", "Token: ")).strip()


def _logout(desk: Desk) -> None:
    gone = desk.forget_token()
    out = desk.out
    fr, en = ("Le jeton est oublié ; il reste valable jusqu'à ce qu'il soit retiré.",
              "The token is forgotten; it stays valid until it is revoked.")  # fmt: skip
    if not gone:
        fr, en = "Aucun jeton n'était gardé ici.", "No token was kept here."
    out.result({"forgotten": gone}, lambda: out.line(out.t(fr, en)))
