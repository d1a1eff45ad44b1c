"""Keeping it running: up, worker, migrate, rebuild, sync. The checks of `doctor` are in checkup."""

import asyncio
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli import checkup
from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.failures import Exit, Failure, Said, usage, why

if TYPE_CHECKING:
    from journeys.local.record import StackInfo
    from journeys.settings import Settings
    from journeys.store.sealing_up import SealedUp

_SYNC_SECONDS: Final = 60.0
WEB_COMMAND: Final = (sys.executable, "-m", "journeys.app.cli", "web", "--port", "{port}")
"""The application as a part of the stack."""


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""

    @command(
        app, "up",
        "Démarre tout sur cette machine (PostgreSQL, Temporal, worker) et reste au premier plan, jusqu'à Ctrl-C.",
        "Starts everything on this machine (PostgreSQL, Temporal, worker) and stays in the foreground until Ctrl-C.",
    )  # fmt: skip
    def up(
        ctx: typer.Context,
        ui: bool = option("--ui", "servir aussi les pages de Temporal", "serve Temporal's own pages too", False),
    ) -> int:
        return _up(at(ctx), ui)

    @command(app, "doctor", "Vérifie chaque partie et dit quoi faire.", "Checks every part and says what to do.")
    async def doctor(
        ctx: typer.Context,
        quick: bool = option(
            "--quick", "base, schéma et Temporal seulement", "database, schema and Temporal only", False
        ),
    ) -> int:
        return await checkup.doctor(at(ctx), quick)

    @command(app, "migrate", "Met le schéma de la base à jour.", "Brings the database's schema up to date.")
    async def migrate(ctx: typer.Context) -> None:
        await _migrate(at(ctx))

    @command(app, "rebuild", "Refait les listes à partir du journal.", "Makes the lists again from the journal.")
    async def rebuild(
        ctx: typer.Context, id: str = argument("un seul parcours", "one journey only", "[ID]", None)
    ) -> None:
        await _rebuild(at(ctx), id)

    @command(
        app, "sync",
        "Fait relire le journal aux parcours en retard ou sans workflow (après une panne, une restauration).",
        "Has late journeys, and those without a workflow, adopt the journal (after an outage or a restoration).",
    )  # fmt: skip
    async def sync(
        ctx: typer.Context,
        id: str = argument("un parcours", "a journey", "[ID]", None),
        every: bool = option("--all", "tous ceux qui en ont besoin", "all that need it", False),
    ) -> None:
        await _sync(at(ctx), id, every)

    @command(app, "worker", "Fait avancer les parcours (un processus par machine ou plus).",
             "Moves journeys forward (one process a machine, or more).")  # fmt: skip
    def worker(ctx: typer.Context) -> int:
        return _worker(at(ctx))

    @command(app, "web", "Sert les pages de l'application.", "Serves the pages of the application.")
    async def web(
        ctx: typer.Context,
        host: str = option("--host", "adresse où écouter", "address to listen on", "127.0.0.1"),
        port: int = option("--port", "port", "port", 8780),
    ) -> None:
        await _web(at(ctx), host, port)


# --- up


def _up(desk: Desk, ui: bool) -> int:
    """0 after a clean stop, 130 when interrupted before everything was ready."""
    from journeys import telemetry

    if desk.settings.database_url is not None:
        raise usage(
            "database-url",
            "DATABASE_URL est donné : « up » a sa propre base ; retirez la variable, ou lancez « journeys worker »",
            "DATABASE_URL is set: “up” starts its own database; unset it, or run “journeys worker”",
            field="DATABASE_URL",
        )
    telemetry.configure(form="console" if sys.stderr.isatty() else "json", level="WARNING")
    # A kill asks for the same orderly end as Ctrl-C, also while the parts are starting.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return asyncio.run(_run_stack(desk, ui))


async def _run_stack(desk: Desk, ui: bool) -> int:
    from journeys.local.stack import Stack
    from journeys.store.migrating import migrate

    settings = desk.settings

    async def after_start(info: "StackInfo") -> None:
        await migrate(info.database_url)
        settings.signing_keys()
        await _seal_up(settings, info.database_url)
        settings.checkpoint_seed()

    worker = [sys.executable, str(worker_file())]
    async with Stack.start(
        settings.data_dir, worker_command=worker, web_command=WEB_COMMAND, ui=ui, after_start=after_start
    ) as stack:
        told = asyncio.create_task(stack.until_told_to_end())
        await _sync_at_start(desk)
        await _welcome(desk, stack.info)
        await told
        desk.out.note(desk.out.t("Arrêt…", "Stopping…"))
    return Exit.DONE


async def _sync_at_start(desk: Desk) -> None:
    """Journeys that came back from another server, or whose dues passed meanwhile; what fails is said, not fatal."""
    from journeys.app.syncing import lagging, sync
    from journeys.temporal import Unreachable

    try:
        async with asyncio.timeout(_SYNC_SECONDS):
            pool, client = await desk.pool(), await desk.client()
            late = await lagging(pool, client, desk.now)
            if late:
                streams = [each.row.stream for each in late]
                await sync(pool, client, desk.ring(), streams, desk.now, desk.settings.task_queue)
                desk.out.note(
                    desk.out.t(
                        f"{len(late)} parcours ont relu le journal.", f"{len(late)} journeys adopted the journal."
                    )
                )
    except (Unreachable, TimeoutError):
        desk.out.note(desk.out.t("Des parcours n'ont pas répondu ; lancez plus tard « journeys sync --all ».",
                                 "Some journeys did not answer; run “journeys sync --all” later."))  # fmt: skip
    finally:
        await desk.close()


async def _welcome(desk: Desk, info: "StackInfo") -> None:
    from journeys.store import staff

    out = desk.out
    nobody = not await staff.members(await desk.pool())
    await desk.close()
    found = {
        "up": True,
        "data_dir": str(info.data_dir),
        "database_url": info.database_url,
        "temporal_address": info.temporal_address,
        "ui_url": info.ui_url,
        "web_url": info.web_url,
        "pid": info.pid,
    }

    def show() -> None:
        out.line(out.t("Prêt. Laissez cette fenêtre ouverte ; Ctrl-C arrête tout.",
                       "Ready. Leave this window open; Ctrl-C stops everything."))  # fmt: skip
        out.line(out.t(f"  pages        {info.web_url}", f"  pages        {info.web_url}"))
        out.line(out.t(f"  données      {info.data_dir}", f"  data         {info.data_dir}"))
        out.line(out.t(f"  base         {info.database_url}", f"  database     {info.database_url}"))
        out.line(f"  Temporal     {info.temporal_address}" + (f"   {info.ui_url}" if info.ui_url else ""))
        out.line(out.t(f"  journaux     {info.data_dir}/log", f"  logs         {info.data_dir}/log"))
        if nobody:
            out.line(out.t("Personne n'est encore dans l'équipe. Dans une autre fenêtre :",
                           "Nobody is on the staff yet. In another window:"))  # fmt: skip
        else:
            out.line(out.t("Dans une autre fenêtre :", "In another window:"))
        first = 'journeys staff add aline --name "Aline R." --role referent --email aline@example.org'
        out.line(f"  {first}" if nobody else "  journeys today")
        out.line("  journeys --help")

    out.result(found, show)
    sys.stdout.flush()


# --- worker, migrate, rebuild, sync


def worker_file() -> Path:
    """worker.py, beside the package: in a checkout and in an installation. Raises Failure."""
    import journeys

    path = Path(str(journeys.__file__)).parents[1] / "worker.py"
    if not path.is_file():
        raise Failure(Exit.FAILED, "no-worker", Said(f"worker.py manque ({path})", f"worker.py is missing ({path})"),
                      Said("réinstallez le logiciel", "reinstall the software"))  # fmt: skip
    return path


async def _web(desk: Desk, host: str, port: int) -> None:
    from journeys import telemetry
    from journeys.app.web.serving import serve

    telemetry.configure(level="WARNING")
    place, out = desk.place(), desk.out

    def begun() -> None:
        where = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        told = out.t(f"Les pages sont à {where} ; Ctrl-C arrête.", f"The pages are at {where}; Ctrl-C stops.")
        out.result({"address": where}, lambda: out.line(told))
        sys.stdout.flush()

    try:
        await serve(desk.settings, place.database_url, place.temporal_address, host, port, begun)
    except OSError as error:
        raise Failure(
            Exit.FAILED, "port-taken",
            Said(f"{host}:{port} ne peut pas être pris : {why(error).fr}",
                 f"{host}:{port} cannot be taken: {why(error).en}"),
            Said("donnez un autre port par --port", "give another port by --port"), field="--port",
        ) from None  # fmt: skip


def _worker(desk: Desk) -> int:
    import importlib
    import os

    folder = str(worker_file().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    place = desk.place()
    # The worker reads its own settings: told where the embedded servers are, as `up` tells it.
    os.environ["DATABASE_URL"] = place.database_url
    if place.temporal_address is not None:
        os.environ["TEMPORAL_ADDRESS"] = place.temporal_address
        os.environ["JOURNEYS_DATA_DIR"] = str(desk.settings.data_dir)
    main: Any = importlib.import_module("worker").main
    return int(main() or 0)


async def _migrate(desk: Desk) -> None:
    from journeys.store import keys
    from journeys.store.migrating import migrate

    url = desk.place().database_url
    applied = await migrate(url) + await keys.prepare(keys.keys_dsn(desk.settings, url))
    sealed = await _seal_up(desk.settings, url)
    out = desk.out

    def show() -> None:
        for name in applied:
            out.line(f"  {name}")
        out.line(out.t(f"{len(applied)} migration(s) faite(s).", f"{len(applied)} migration(s) applied.") if applied
                 else out.t("Le schéma était à jour.", "The schema was up to date."))  # fmt: skip
        told = (
            (sealed.parts, "texte(s)", "text(s)"), (sealed.people, "personne(s)", "person(s)"),
            (sealed.staff, "membre(s) de l'équipe", "member(s) of staff"),
            (sealed.mentors, "mentor(s)", "mentor(s)"), (sealed.partners, "partenaire(s)", "partner(s)"),
            (sealed.stops, "motif(s) d'arrêt des versements", "reason(s) why payments were stopped"),
            (sealed.documents, "document(s)", "document(s)"), (sealed.letters, "message(s)", "message(s)"),
            (sealed.transfers, "virement(s)", "transfer(s)"),
            (sealed.batch_files, "fichier(s) pour la banque", "file(s) for the bank"),
            (sealed.bank_texts, "ligne(s) de la banque", "line(s) of the bank"),
        )  # fmt: skip
        for number, fr, en in told:
            if number:
                out.line(out.t(f"{number} {fr} scellés.", f"{number} {en} sealed."))
        if sealed.left:
            out.line(out.t(f"{sealed.left} texte(s) ou document(s) restent en clair : rien ne dit de qui.",
                           f"{sealed.left} text(s) or document(s) stay plain: nothing says whose."))  # fmt: skip
        if sealed.locked:
            out.line(out.t(f"{sealed.locked} virement(s), fichier(s) ou ligne(s) de la banque restent sous une clé de"
                           " signature qui n'est pas ici : indiquez-la (JOURNEYS_SIGNING_KEY, ou"
                           " JOURNEYS_SIGNING_OLD_KEYS), puis recommencez.",
                           f"{sealed.locked} transfer(s), file(s) or line(s) of the bank stay under a signing key that"
                           " is not here: state it (JOURNEYS_SIGNING_KEY, or JOURNEYS_SIGNING_OLD_KEYS), then try"
                           " again."))  # fmt: skip
        if sealed.wrapped:
            out.line(out.t(f"{sealed.wrapped} clé(s) reprises sous la nouvelle clé.",
                           f"{sealed.wrapped} key(s) kept under the new key now."))  # fmt: skip

    out.result({"applied": applied, **asdict(sealed)}, show)


async def _seal_up(settings: "Settings", url: str) -> "SealedUp":
    """Make the database of keys ready, and seal what was stored before there were any."""
    import asyncpg

    from journeys.app.entry import key_ring
    from journeys.app.outbox import seal_up_letters
    from journeys.settings import SettingsError
    from journeys.store.keys import Keys, prepare
    from journeys.store.sealing_up import seal_up

    keys = Keys.beside(url, settings)
    try:
        ring = key_ring(settings)
    except SettingsError:
        ring = None
    try:
        await prepare(keys.dsn)
        done = await seal_up(url, keys, ring)
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return replace(done, letters=await seal_up_letters(settings.outbox_dir, keys, connection))
        finally:
            await connection.close()
    finally:
        await keys.close()


async def _rebuild(desk: Desk, id: str | None) -> None:
    from collections.abc import Mapping, Sequence

    from journeys.app.finding import find_journey
    from journeys.domain.events import read_event
    from journeys.domain.evolve import fold
    from journeys.domain.handbook import Handbook, open_handbook
    from journeys.domain.state import State
    from journeys.domain.summary import summary
    from journeys.store import cohorts
    from journeys.store.rebuilding import rebuild

    pool = await desk.pool()
    only = (await find_journey(pool, id)).stream if id is not None else None

    def folded(headers: Sequence[dict[str, Any]], texts: Mapping[str, str]) -> tuple[State, Handbook]:
        state = fold(read_event(header) for header in headers)
        return state, open_handbook(texts[state.programme], texts[state.calendar])

    def shown(known: tuple[State, Handbook]) -> Mapping[str, Any]:
        return summary(*known).model_dump(mode="json")

    count = await rebuild(pool, folded, shown, only=only)
    groups = await cohorts.rebuild(pool) if only is None else 0
    out = desk.out
    out.result(
        {"rebuilt": count, "cohorts": groups},
        lambda: out.line(
            out.t(
                f"{count} parcours et {groups} promotions refaits.", f"{count} journeys and {groups} cohorts rebuilt."
            )
        ),
    )


async def _sync(desk: Desk, id: str | None, every: bool) -> None:
    from journeys.app.finding import find_journey
    from journeys.app.syncing import lagging, sync
    from journeys.store.contact_erasing import put_right

    if (id is None) == (not every):
        raise usage("sync-what", "dites quel parcours, ou --all", "say which journey, or --all", field="ID")
    pool, client = await desk.pool(), await desk.client()
    if id is not None:
        streams = {(await find_journey(pool, id)).stream: "asked"}
    else:
        await put_right(pool, desk.settings.destroyed_file, desk.now)
        streams = {each.row.stream: str(each.why) for each in await lagging(pool, client, desk.now)}
    answers = await sync(pool, client, desk.ring(), list(streams), desk.now, desk.settings.task_queue)
    found = [
        {
            "id": stream.removeprefix("journey-"),
            "why": why,
            "outcome": answers[stream].outcome,
            "seq": answers[stream].seq,
        }
        for stream, why in streams.items()
    ]
    out = desk.out
    out.result(
        {"synced": found}, lambda: out.line(out.t(f"{len(found)} parcours relus.", f"{len(found)} journeys synced."))
    )
