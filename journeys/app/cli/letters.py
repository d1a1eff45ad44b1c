"""`journeys letters`: messages that go on paper, to be printed and posted."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.files import check, write
from journeys.app.cli.looks import looked
from journeys.app.cli.shape import argument, at, command, group, option
from journeys.app.failures import Said, not_found, usage

if TYPE_CHECKING:
    from journeys.app.entry import Actor
    from journeys.app.finding import Loaded
    from journeys.store.paper_letters import Waiting

_ID: Final = ("numéro de la lettre, ou son début", "the letter's number, or its beginning", "ID")


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group("Les lettres à poster : des messages pour qui n'a ni téléphone ni courriel, ou préfère le papier.",
                 "Letters to post: messages for whoever has neither phone nor mail, or prefers paper.")  # fmt: skip
    app.add_typer(room, name="letters")

    @command(room, "list", "Celles qui attendent, la plus ancienne en tête.", "Those that wait, the oldest first.")
    async def list_(ctx: typer.Context) -> None:
        await _list(at(ctx))

    @command(room, "print", "Une lettre en PDF, à imprimer.", "A letter as PDF, to print.")
    async def print_(
        ctx: typer.Context,
        id: str = argument(*_ID),
        pdf: str = option("--pdf", "le fichier à écrire", "the file to write", ..., metavar="FICHIER"),
        force: bool = option("--force", "remplace le fichier s'il existe", "replaces the file if there is one", False),
    ) -> None:
        await _print(at(ctx), id, Path(pdf), force)

    @command(room, "posted", "Noter qu'une lettre est postée, ou remise.", "Note that a letter was posted, or given.")
    async def posted(
        ctx: typer.Context,
        id: str = argument(*_ID),
        on: str | None = option(
            "--on", "quel jour, si ce n'est pas maintenant", "on which day, if not now", metavar="DATE"
        ),
    ) -> None:
        await _posted(at(ctx), id, on)


async def _list(desk: Desk) -> None:
    from journeys.app.reading import ZONE
    from journeys.i18n import format_instant
    from journeys.identifiers import short
    from journeys.narration import spoken
    from journeys.store import views

    found, out = await _seen(desk, await desk.actor()), desk.out
    names = await views.called(await desk.pool(), [each.journey for each in found])
    if found:
        await looked(desk, None, "letters")
    rows = [
        (short(each.message), names[each.journey] or "—", format_instant(each.at, out.lang, ZONE),
         out.t("à poster", "to post") if each.why is None
         else out.t(f"pas à poster : {spoken(each.why, 'fr')}", f"not to post: {spoken(each.why, 'en')}"))
        for each in found
    ]  # fmt: skip

    def show() -> None:
        if rows:
            out.table((out.t("N°", "No."), out.t("Pour", "For"), out.t("Faite le", "Made on"),
                       out.t("État", "State")), rows)  # fmt: skip
        else:
            out.line(out.t("Aucune lettre n'attend.", "No letter is waiting."))

    out.result({"letters": [_as_json(each, names[each.journey]) for each in found]}, show)


async def _print(desk: Desk, id: str, file: Path, force: bool) -> None:
    from journeys.app import posting
    from journeys.store import staff

    check(file, force, "--pdf")
    actor, out, pool = await desk.actor(), desk.out, await desk.pool()
    letter, loaded = await _one(desk, actor, id)
    found, words = await posting.to_post(pool, letter.message, desk.now)
    await looked(desk, loaded.row.id, "paper")
    me = await staff.member(pool, actor.id)
    hand = posting.hand(desk.settings.association, actor.name, actor.roles, me.phone if me is not None else None)
    write(file, posting.printed(loaded, found, words, hand), force, "--pdf")
    out.result({**_as_json(found, loaded.row.name), "file": str(file)},
               lambda: out.line(out.t(f"Lettre écrite : {file}", f"Letter written: {file}")))  # fmt: skip


async def _posted(desk: Desk, id: str, on: str | None) -> None:
    from journeys.app import posting
    from journeys.app.reading import read_day
    from journeys.app.stopping import by
    from journeys.store import paper_letters

    actor, out, pool = await desk.actor(), desk.out, await desk.pool()
    who = by(actor, "post-letter", desk.now)
    day = read_day(on, "--on") if on else None
    letter, loaded = await _one(desk, actor, id)
    found = await posting.was_posted(pool, pool, letter.message, desk.now, day)
    await paper_letters.posted(pool, found.message, who, day)
    said = out.t("C'est noté : la lettre est partie.", "Noted: the letter has left.")
    out.result(_as_json(found, loaded.row.name), lambda: out.line(said))


async def _seen(desk: Desk, actor: "Actor", beginning: str = "") -> "list[Waiting]":
    """The letters of journeys into which somebody may look, who may post letters. Raises Failure: no such right.

    Args:
        beginning: only those whose id begins so.
    """
    from journeys.app.stopping import by
    from journeys.store import paper_letters, sessions

    by(actor, "post-letter", desk.now)
    async with sessions.seeing_as(await desk.pool(), actor.id) as connection:
        return await paper_letters.waiting(connection, desk.now, beginning=beginning)


async def _one(desk: Desk, actor: "Actor", id: str) -> "tuple[Waiting, Loaded]":
    """The letter of a number, or of its beginning. Raises Failure: none, or several."""
    from journeys.app.finding import load
    from journeys.store import views

    found = await _seen(desk, actor, id.lower()) if id else []
    if not found:
        raise not_found(
            "no-letter", f"aucune lettre « {id} » n'attend ici", f"no letter “{id}” waits here",
            remedy=Said("voyez « journeys letters list »", "see “journeys letters list”"),
        )  # fmt: skip
    if len(found) > 1:
        raise usage("ambiguous", f"plusieurs lettres commencent par « {id} » ; donnez-en plus",
                    f"several letters begin with “{id}”; give more of it")  # fmt: skip
    row = await views.journey(await desk.pool(), found[0].journey)
    assert row is not None, "a letter is of a journey"
    return found[0], await load(await desk.pool(), row)


def _as_json(each: "Waiting", name: str | None) -> dict[str, Any]:
    from journeys.domain.record import instant_text

    return {"id": each.message, "journey": each.journey, "name": name, "at": instant_text(each.at),
            "to_post": each.why is None, "why": each.why}  # fmt: skip
