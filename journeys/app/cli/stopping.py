"""`journeys payments stop`, `resume`, `control`: the switch for every payment, and what the daily control found."""

import dataclasses

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import at, command, option


def add_to(room: typer.Typer) -> None:
    """Declare the commands in the group of payments."""

    @command(room, "stop", "Arrête tous les versements, tout de suite.", "Stops every payment, at once.")
    async def stop(ctx: typer.Context, why: str = option("--why", "pourquoi", "why", ...)) -> None:
        await _stop(at(ctx), why)

    @command(room, "resume", "Laisse repartir les versements ; ceux qui étaient retenus sont redemandés.",
             "Lets payments go on; those held back are called for again.")  # fmt: skip
    async def resume(ctx: typer.Context, why: str = option("--why", "pourquoi", "why", ...)) -> None:
        await _resume(at(ctx), why)

    @command(room, "control", "Ce que le contrôle du jour a trouvé ; --now le refait.",
             "What the daily control found; --now makes it anew.")  # fmt: skip
    async def control(
        ctx: typer.Context, now: bool = option("--now", "contrôle maintenant", "controls now", False)
    ) -> int:
        return await _control(at(ctx), now)


async def _stop(desk: Desk, why: str) -> None:
    from journeys.app import stopping
    from journeys.store import treasury

    said = stopping.reason(why, "--why")
    done = await treasury.stop(await desk.pool(), said, stopping.by(await desk.actor(), "stop-payments", desk.now))
    await _standing(desk, done)


async def _standing(desk: Desk, changed: bool, found: "dict[str, int] | None" = None) -> None:
    """Whether payments are stopped now."""
    from journeys.app.stopping import told
    from journeys.store import treasury

    out, stop = desk.out, await treasury.stopped(await desk.pool())
    if not changed:
        out.note(out.t("Rien n'a changé.", "Nothing has changed."))
    shown = dataclasses.asdict(stop) if stop is not None else None
    line = told(stop).in_(out.lang) if stop else out.t("Les versements ne sont pas arrêtés.", "Payments go on.")
    out.ahead.clear()
    out.result({"stopped": shown, "changed": changed, **(found or {})}, lambda: out.line(line))


async def _resume(desk: Desk, why: str) -> None:
    from journeys.app import stopping

    said, out = stopping.reason(why, "--why"), desk.out
    by = stopping.by(await desk.actor(), "resume-payments", desk.now)
    done = await stopping.resume(await desk.pool(), desk.ring(), desk.client, desk.settings.task_queue, said, by)
    if done is None:
        await _standing(desk, False)
        return
    again, waiting = done
    out.note(out.t(f"{again} versement(s) redemandé(s), {waiting} sans réponse encore.",
                   f"{again} payment(s) called for again, {waiting} not answered yet."))  # fmt: skip
    await _standing(desk, True, {"again": again, "waiting": waiting})


async def _control(desk: Desk, anew: bool) -> int:
    from journeys.app.controlling import told
    from journeys.app.failures import Exit
    from journeys.app.reading import ZONE
    from journeys.i18n import format_instant
    from journeys.identifiers import uuid7
    from journeys.store import controlling

    pool, out = await desk.pool(), desk.out
    if anew:
        made = await controlling.control(pool, desk.now)
        await controlling.keep(pool, f"{controlling.BY_HAND}{uuid7(desk.now)}", made)
    found = await controlling.last(pool)
    if found is None:
        out.result({"control": None}, lambda: out.line(
            out.t("Aucun contrôle n'a encore été fait : ajoutez --now, ou voyez si un worker tourne.",
                  "No control was made yet: add --now, or look whether a worker runs.")))  # fmt: skip
        return Exit.DONE

    def show() -> None:
        out.line(out.t(f"Contrôle du {format_instant(found.at, out.lang, ZONE)}",
                       f"Control of {format_instant(found.at, out.lang, ZONE)}"))  # fmt: skip
        for each in found.findings:
            out.line(f"{'✗' if each.alarm else '·'} {told(each, out.lang)}")
        if not found.alarms:
            out.line(out.t("✓ Rien d'anormal.", "✓ Nothing is wrong."))

    told_as = [{"code": each.code, "alarm": each.alarm, "count": each.count, "about": each.about, "since": each.since}
               for each in found.findings]  # fmt: skip
    out.result({"control": {"at": found.at, "alarms": found.alarms, "findings": told_as}}, show)
    return Exit.FAILED if found.alarms else Exit.DONE
