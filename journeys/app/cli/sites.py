"""`journeys site`: the neutral name and address by which messages name each site, and its zone."""

from dataclasses import asdict

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group, option


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group("Les sites : leur nom et leur adresse dans les messages, leur fuseau.",
                 "Sites: their name and address in messages, their zone.")  # fmt: skip
    app.add_typer(room, name="site")

    @command(room, "list", "Les sites décrits.", "Sites that were described.")
    async def list_(ctx: typer.Context) -> None:
        await _list(at(ctx))

    @command(room, "describe", "Dit comment un site est nommé dans les messages.",
             "Says how a site is named in messages.")  # fmt: skip
    async def describe(
        ctx: typer.Context,
        code: str = argument("code du site", "code of the site", "SITE"),
        name: str = option("--name", "nom neutre", "neutral name", ...),
        address: str = option("--address", "adresse", "address", ""),
        zone: str = option("--zone", "fuseau : Indian/Reunion…", "zone: Indian/Reunion…", "Europe/Paris"),
    ) -> None:
        await _describe(at(ctx), code, name, address, zone)


async def _list(desk: Desk) -> None:
    from journeys.store import sites

    found, out = await sites.sites(await desk.pool()), desk.out
    heads = (out.t("site", "site"), out.t("nom", "name"), out.t("adresse", "address"), out.t("fuseau", "zone"))
    out.result({"sites": [asdict(each) for each in found]}, lambda: out.table(
        heads, [(each.code, each.name, each.address, each.zone) for each in found]))  # fmt: skip


async def _describe(desk: Desk, code: str, name: str, address: str, zone: str) -> None:
    from journeys.app.describing import described
    from journeys.store import sites

    wanted = described(code, name, address, zone)
    changed = await sites.describe(await desk.pool(), wanted, await desk.keeper())
    out = desk.out
    out.result({"site": asdict(wanted), "changed": changed}, lambda: out.line(
        out.t(f"« {code} » se dit : {wanted.place}", f"“{code}” is called: {wanted.place}")))  # fmt: skip
