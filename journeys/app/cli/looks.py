"""`journeys audit reads`: who opened whose file; and the line that the command line leaves when it opens one."""

import getpass
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import at, command, option
from journeys.app.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeys.store.reads import Look


def add_to(room: typer.Typer) -> None:
    """Declare the command."""

    @command(room, "reads", "Qui a ouvert quels dossiers, quand et par où.",
             "Who opened which files, when and by which way.")  # fmt: skip
    async def reads(
        ctx: typer.Context,
        journey: str = option("--journey", "les consultations de ce parcours", "looks into this journey", metavar="ID"),
        by: str = option("--by", "celles de ce membre de l'équipe (pseudo)", "those of this member (handle)",
                         metavar="HANDLE"),
        limit: int = option("--limit", "combien", "how many", 100, min=1, max=10_000),
    ) -> None:  # fmt: skip
        await _reads(at(ctx), journey, by, limit)


async def looked(desk: Desk, journey: str | None, look: "Look") -> None:
    """Note that a file (None: all of them) was opened here, under the machine's account and whom `--as` names."""
    await looked_at_each(desk, [journey], look)


async def looked_at_each(desk: Desk, journeys: "Sequence[str | None]", look: "Look") -> None:
    """The same of several files at once."""
    from journeys.store import reads

    member = None
    if desk.acting_as is not None or desk.kept_token() is not None:
        # Whoever is not of the staff, or is not believed, is known by the machine's account.
        with suppress(Failure):
            member = await desk.member()
    staff, roles = (member.id, member.roles) if member is not None else (None, ())
    await reads.note(
        await desk.pool(), [reads.Read(staff, roles, journey, look, "cli", _login()) for journey in journeys]
    )


def _login() -> str:
    """The machine's account; its number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


async def _reads(desk: Desk, journey: str | None, by: str | None, limit: int) -> None:
    from journeys.app.finding import find_journey, find_staff
    from journeys.app.inbox import role_label
    from journeys.app.reading import ZONE
    from journeys.app.seeing_reads import ENTRIES, WORDS
    from journeys.domain.record import instant_text
    from journeys.i18n import format_instant, text
    from journeys.identifiers import short
    from journeys.store import reads

    await desk.keeper("auditor")
    pool, out, lang = await desk.pool(), desk.out, desk.out.lang
    of = (await find_journey(pool, journey)).id if journey is not None else None
    member = (await find_staff(pool, by, "--by")).id if by is not None else None
    found = await reads.noted(pool, journey=of, staff=member, limit=limit)
    alarms = await reads.many(pool, desk.settings.reads_an_hour)
    said = text(lang)

    def show() -> None:
        heads = (out.t("Quand", "When"), out.t("Qui", "Who"), out.t("Rôle", "Role"), out.t("Parcours", "Journey"),
                 out.t("Quoi", "What"), out.t("Par où", "Way"))  # fmt: skip
        out.table(heads, [
            (format_instant(each.at, lang, ZONE), each.who,
             ", ".join(role_label(role, lang) for role in each.read.roles),
             short(each.read.journey) if each.read.journey
             else out.t("tous", "all") if each.read.of_all else out.t("aucun", "none"),
             said(WORDS[each.read.look]), said(ENTRIES[each.read.entry]))
            for each in found
        ])  # fmt: skip
        for many in alarms:
            hour = format_instant(many.hour, lang, ZONE)
            out.line(out.t(f"! {many.who} : {many.files} dossiers dans l'heure du {hour}",
                           f"! {many.who}: {many.files} files in the hour of {hour}"))  # fmt: skip

    out.result(
        {
            "reads": [
                {"at": instant_text(each.at), "who": each.who, "staff": each.read.staff, "login": each.read.login,
                 "roles": list(each.read.roles), "journey": each.read.journey, "look": each.read.look,
                 "entry": each.read.entry}
                for each in found
            ],
            "alarms": [
                {"who": each.who, "staff": each.staff, "hour": instant_text(each.hour), "files": each.files}
                for each in alarms
            ],
        },
        show,
    )  # fmt: skip
