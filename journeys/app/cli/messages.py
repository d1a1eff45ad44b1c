"""`journeys messages ID`, `journeys bounced FILE…`: where each message stands, and letters that came back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.looks import looked
from journeys.app.cli.shape import argument, at, command
from journeys.app.failures import Exit

if TYPE_CHECKING:
    from journeys.channels.dsn import Bounced


_FILES: Final = argument("fichiers .eml, ou - pour l'entrée", "files .eml, or - for the input", "FILE…")


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""

    @command(app, "messages", "Les messages d'un parcours : prévus, partis, arrivés, en doute, ou pas envoyés.",
             "The messages of a journey: planned, sent, delivered, in doubt, or not sent.")  # fmt: skip
    async def messages(
        ctx: typer.Context,
        id: str = argument("id, début d'id, référence ou nom", "id, its beginning, reference or name", "ID"),
    ) -> None:
        await _messages(at(ctx), id)

    @command(app, "bounced", "Noter des courriels revenus : les avis du serveur (RFC 3464), un fichier chacun, ou -.",
             "Note letters that came back: the reports of mail servers (RFC 3464), a file each, or -.")  # fmt: skip
    async def bounced(ctx: typer.Context, files: list[Path] = _FILES) -> int:
        return await _bounced(at(ctx), files)


async def _messages(desk: Desk, id: str) -> None:
    from datetime import timedelta

    from journeys.app.finding import find_journey, load
    from journeys.audit.messages import LOOKED_AT, counted, passed_over, sendings, told
    from journeys.audit.reading import read_names
    from journeys.narration.telling import Speech
    from journeys.store import attempts, deliveries

    pool, out = await desk.pool(), desk.out
    row = await find_journey(pool, id)
    loaded = await load(pool, row)
    await looked(desk, row.id, "file")
    silence = timedelta(hours=desk.settings.sms.silent_hours)
    found = sendings(
        loaded.events, loaded.state, loaded.book, await attempts.of_journey(pool, row.stream),
        await deliveries.silent_of(pool, row.stream, silence),
    )  # fmt: skip
    speech = Speech(loaded.book, await read_names(pool, loaded.events), out.lang, loaded.state)

    def show() -> None:
        for each in found:
            mark = "!" if each.fate in LOOKED_AT else " "
            line = f"{speech.when(each.at)}  {speech.recipient(each.to, each.person)}, {speech.about(each.about)}"
            out.line(f"{mark} {line}")
            out.line("    " + " · ".join([told(each, speech), *passed_over(each, speech)]))
        out.line(counted(found, out.lang) + ".")

    out.result({"journey": row.id, "messages": [each.as_json() for each in found]}, show)


async def _bounced(desk: Desk, files: list[Path]) -> int:
    import hashlib
    import sys

    from journeys.app import noticing
    from journeys.channels.dsn import NoReport, read
    from journeys.store import deliveries

    out, pool, kept, strange = desk.out, await desk.pool(), 0, list[str]()
    for file in files:
        try:
            raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
            said: Bounced = read(raw)
        except (NoReport, OSError):
            strange.append(str(file))
            continue
        content = hashlib.sha256(raw).digest()
        receipt = deliveries.Receipt(f"dsn-{content.hex()}", said.message, None, "bounced", said.reason, desk.now)
        kept += await deliveries.keep(pool, receipt, content)
    waits = await noticing.tell(pool, desk.ring(), desk.client, desk.settings.task_queue, desk.now)

    def show() -> None:
        out.line(out.t(f"{kept} courriel(s) revenu(s) noté(s).", f"{kept} letter(s) that came back noted."))
        for each in strange:
            out.line(out.t(f"{each} : ce n'est pas l'avis d'un courriel à nous revenu pour de bon.",
                           f"{each}: this is no report on a letter of ours that came back for good."))  # fmt: skip

    result: dict[str, Any] = {"noted": kept, "not_reports": strange, "waiting": waits}
    out.result(result, show)
    return Exit.USAGE if strange else Exit.DONE
