"""`journeys audit`: what was true, what was known, the story, the replay, and whether every account agrees."""

from typing import TYPE_CHECKING

import typer

from journeys.app.cli import audit_questions, checkpoints, exporting, lateness, looks
from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group, option
from journeys.app.failures import Exit, Failure, Said, usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from journeys.audit.history import Shelf
    from journeys.audit.verifying import Sources
    from journeys.store.histories import Altered
    from journeys.store.signing import KeyRing


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group("Rendre compte : ce qui a été décidé, par qui, quand, selon quelle règle.",
                 "Account for it: what was decided, by whom, when, under which rule.")  # fmt: skip
    app.add_typer(room, name="audit")

    @command(room, "show", "Un parcours à une date : ce qui était vrai (--as-of) ou ce qu'on savait (--known-at).",
             "A journey on a date: what was true (--as-of) or what was known (--known-at).")  # fmt: skip
    async def show(
        ctx: typer.Context,
        id: str = argument(*audit_questions.ID),
        as_of: str = option(
            "--as-of",
            "ce qui était vrai ce jour-là, d'après ce qu'on sait aujourd'hui",
            "what was true then, by what is known today",
        ),
        known_at: str = option("--known-at", "ce qu'on savait ce jour-là", "what was known then"),
    ) -> None:
        await _show(at(ctx), id, as_of, known_at)

    @command(room, "narrate", "L'histoire d'un parcours, jour par jour.", "The story of a journey, day by day.")
    async def narrate(
        ctx: typer.Context,
        id: str = argument(*audit_questions.ID),
        details: bool = option("--details", "aussi chaque détail technique", "every technical detail too", False),
    ) -> None:
        await _narrate(at(ctx), id, details)

    @command(room, "replay", "Rejoue l'historique du moteur avec le code d'aujourd'hui : un parcours, ou tous.",
             "Replays the engine's history with today's code: a journey, or all.")  # fmt: skip
    async def replay(
        ctx: typer.Context,
        id: str = argument("un parcours ; sans lui, tous", "a journey; all without it", "[ID]", None),
        processes: int = option("--processes", "combien à la fois (tous)", "how many at once (all)", 2),
    ) -> int:
        return await (_replay(at(ctx), id) if id is not None else _replay_all(at(ctx), processes))

    @command(room, "archive", "Garde dès maintenant l'historique des exécutions terminées (sinon : chaque nuit).",
             "Keeps the history of runs that ended now (otherwise: each night).")  # fmt: skip
    async def archive(ctx: typer.Context) -> None:
        await _archive(at(ctx))

    @command(
        room,
        "verify",
        "Compare le journal, les listes, le moteur et son historique (sortie 6 s'ils se contredisent).",
        "Compares journal, lists, engine and its history (exit 6 when they disagree).",
    )
    async def verify(
        ctx: typer.Context,
        id: str = argument("un parcours ; sans lui, tous", "a journey; all without it", "[ID]", None),
        all: bool = option(
            "--all",
            "le journal d'ensemble : toutes les suites, l'arbre, les attestations, les fins",
            "the log of everything: all streams, the tree, the checkpoints, the heads",
            False,
        ),
        held: list[str] = option(  # noqa: B008
            "--held",
            "avec --all : le fichier d'une attestation gardée ailleurs (répétable)",
            "with --all: the file of a checkpoint held elsewhere (repeatable)",
            [],
            metavar="FILE",
        ),
        strict: bool = option(
            "--strict",
            "sortie 1 si un compte n'a pas pu être comparé",
            "exit 1 when an account was not compared",
            False,
        ),
    ) -> int:
        if all or held:
            return await checkpoints.verify_all(at(ctx), id, held)
        return await _verify(at(ctx), id, strict)

    audit_questions.add_to(room)
    looks.add_to(room)
    lateness.add_to(room)
    checkpoints.add_to(room)
    exporting.add_to(room)


async def _show(desk: Desk, id: str, as_of: str | None, known_at: str | None) -> None:
    from journeys.app.reading import ZONE
    from journeys.audit import showing
    from journeys.audit.reading import read_names
    from journeys.i18n import format_instant

    if as_of is not None and known_at is not None:
        raise usage(
            "as-of-or-known-at",
            "--as-of ou --known-at, pas les deux",
            "--as-of or --known-at, not both",
            field="--as-of",
        )
    record = await audit_questions.record_of(desk, id)
    asked = audit_questions.instant_of(desk, known_at or as_of, "--known-at" if known_at else "--as-of")
    look = showing.known_at if known_at is not None else showing.as_of
    began = record.events[0].recorded_at
    if asked < began and known_at is not None:
        raise Failure(
            Exit.NOT_FOUND,
            "before-the-journey",
            Said("le parcours n'était pas encore ouvert", "the journey had not begun"),
            Said(
                f"il commence le {format_instant(began, 'fr', ZONE)}",
                f"it begins on {format_instant(began, 'en', ZONE)}",
            ),
            field="--known-at",
        )
    shown = look(record.events, asked, record.book.calendar)
    names = await read_names(await desk.pool(), record.events)
    out, lang = desk.out, desk.out.lang

    def show() -> None:
        when = format_instant(asked, lang, ZONE)
        out.heading(
            out.t(f"Ce qu'on savait le {when}", f"What was known on {when}")
            if known_at is not None
            else out.t(f"Ce qui était vrai le {when}", f"What was true on {when}")
        )
        for fact in shown.facts:
            out.line("  " + showing.told(fact, record.book, names, lang))
        if shown.withdrawn:
            out.heading(out.t("Tenu pour vrai à l'époque, corrigé depuis", "Held true at the time, corrected since"))
            for fact in shown.withdrawn:
                out.line("  " + showing.told(fact, record.book, names, lang))

    out.result(shown.as_json(), show)


async def _narrate(desk: Desk, id: str, details: bool) -> None:
    from journeys.audit.narrating import narrate
    from journeys.audit.reading import read_names
    from journeys.i18n import capital

    record = await audit_questions.record_of(desk, id)
    names = await read_names(await desk.pool(), record.events)
    out, lang = desk.out, desk.out.lang
    story = narrate(record.events, record.parts, names, record.book, lang)

    def show() -> None:
        for day in story.days:
            told = [each for each in day.told if details or not each.detail]
            if not told:
                continue
            out.heading(day.title)
            for each in told:
                out.line(f"  {each.time:>7}  {each.text}")
                for note in filter(None, (each.because, each.learnt_late)):
                    out.line(f"           ({note})")
                for words in each.words:
                    out.line(f"           {words.label} : {words.shown}")
        if story.coming:
            out.heading(out.t("Ensuite, si personne n'agit", "Next, if nobody acts"))
            for coming in story.coming:
                out.line("  " + capital(coming.text))

    out.result(story.as_json(), show)


async def _replay(desk: Desk, id: str) -> int:
    from journeys.app.finding import find_journey
    from journeys.audit.replaying import replay
    from journeys.store.erasing import forgotten
    from journeys.store.histories import Altered

    row = await find_journey(await desk.pool(), id)
    if await forgotten(await desk.pool(), row.stream):
        raise Failure(Exit.NOT_FOUND, "erased", Said("les données de cette personne ont été effacées : il n'y a plus "
                      "rien à rejouer", "the data of this person were erased: there is nothing to replay any more"),
                      Said("« journeys audit verify » contrôle ce qui reste", "“journeys audit verify” checks what is "
                           "left"))  # fmt: skip
    try:
        found = await replay(
            await _client(desk), row.stream, _workflows(), await _shelf(desk), (await desk.pool()).keys
        )
    except Altered as altered:
        raise _not_replayed(altered) from None
    if found is None:
        raise Failure(Exit.NOT_FOUND, "no-history", Said("le moteur n'a plus l'historique de ce parcours",
                      "the engine has no history of this journey any more"),
                      Said("« journeys sync » en commence un nouveau", "“journeys sync” begins a new one"))  # fmt: skip
    out = desk.out

    def show() -> None:
        for run in found.runs:
            told = run.failure or out.t("identique", "the same")
            counted = out.t(f"{run.history_events} événements", f"{run.history_events} events")
            out.line(f"  {run.run_id}  {counted}  {told}")
        for gone in found.gone:
            out.line(f"  {gone}  " + out.t("effacé, sa durée de conservation était passée",
                                           "deleted, the time for which it was kept was over"))  # fmt: skip
        if not found.complete and not found.gone:
            out.line(out.t("Une partie n'est gardée nulle part.", "A part of it is kept nowhere."))

    out.result(found.as_json(), show)
    return Exit.BROKEN if found.failed is not None else Exit.DONE


async def _replay_all(desk: Desk, processes: int) -> int:
    from journeys.audit.replaying_all import replay_house
    from journeys.store.evidence import count_journeys

    if not 1 <= processes <= 64:
        raise usage("processes", "--processes : de 1 à 64", "--processes: 1 to 64", field="--processes")
    pool, out = await desk.pool(), desk.out
    label = Said("historiques rejoués", "histories replayed")
    with out.progress(label, await count_journeys(pool)) as bar:

        async def tell(done: int, number: int) -> None:
            bar(done, None)

        found = await replay_house(pool, _ring(desk), await _client(desk), _workflows(), processes, tell)
    altered = out.t("l'historique gardé n'est plus celui que le journal a noté",
                    "the kept history is not the one that the journal recorded")  # fmt: skip

    def show() -> None:
        for each in found.failed:
            out.line(f"  {each.journey}  {each.run}  {each.why}")
        for each in found.altered:
            out.line(f"  {each.journey}  {each.run}  {altered}")
        out.line(out.t(f"{found.journeys} parcours, {found.runs} exécutions du moteur rejouées, "
                       f"{found.history_events} événements du moteur, "
                       f"{len(found.failed)} qui ne suivent plus le même chemin, "
                       f"{len(found.altered)} dont l'historique gardé a changé, "
                       f"{len(found.gone)} dont l'historique est effacé, sa durée passée, "
                       f"{len(found.partial)} dont il manque une partie, {len(found.without)} sans historique, "
                       f"{found.erased} effacés avec leur personne.",
                       f"{found.journeys} journeys, {found.runs} runs replayed, "
                       f"{found.history_events} events of the engine, "
                       f"{len(found.failed)} that go another way now, "
                       f"{len(found.altered)} whose kept history was altered, "
                       f"{len(found.gone)} whose history is deleted, its time being over, "
                       f"{len(found.partial)} of which a part is missing, {len(found.without)} without a history, "
                       f"{found.erased} erased with their person."))  # fmt: skip

    out.result(found.as_json(), show)
    return Exit.BROKEN if found.wrong else Exit.DONE


async def _archive(desk: Desk) -> None:
    from temporalio.client import WorkflowFailureError

    from journeys.temporal import archive_now

    out = desk.out
    try:
        kept = await archive_now(await desk.client(), desk.settings.task_queue)
    except WorkflowFailureError:
        raise Failure(Exit.FAILED, "not-kept", Said("des historiques n'ont pas pu être gardés, tous les autres le sont",
                      "some histories could not be kept, all others are"),
                      Said("le journal du worker dit lesquels", "the worker's log says which")) from None  # fmt: skip
    out.result({"kept": kept}, lambda: out.line(out.t(f"{kept} historique(s) gardé(s).", f"{kept} history(ies) kept.")))


async def _client(desk: Desk) -> "Client | None":
    """The engine, where it answers; without it, what was kept is replayed all the same."""
    from journeys.temporal import Unreachable

    try:
        return await desk.client()
    except Unreachable:
        return None


async def _shelf(desk: Desk) -> "Shelf | None":
    from journeys.audit.history import Shelf

    ring = _ring(desk)
    return Shelf(await desk.pool(), ring) if ring is not None else None


def _ring(desk: Desk) -> "KeyRing | None":
    """The keys, where this place has them."""
    from journeys.settings import SettingsError

    try:
        return desk.ring()
    except SettingsError:
        return None


def _not_replayed(found: "Altered") -> Failure:
    """Why there is nothing to replay: kept histories went when their time was over; or one is not what it was, and the
    record does not hold."""
    if found.why == "gone":
        return Failure(
            Exit.NOT_FOUND, "kept-gone",
            Said("l'historique gardé de ce parcours a été effacé, sa durée de conservation étant passée : il n'y a "
                 "plus rien à rejouer", "the kept history of this journey was deleted, as the time for which it was "
                 "kept was over: there is nothing to replay any more"),
            Said("« journeys audit verify » contrôle ce qui reste", "“journeys audit verify” checks what is left"),
            field=found.run,
        )  # fmt: skip
    return Failure(
        Exit.BROKEN, "kept-altered",
        Said(f"l'historique gardé de l'exécution {found.run} n'est plus celui que le journal a noté",
             f"the kept history of run {found.run} is not the one that the journal recorded"),
        Said("voyez « journeys audit verify »", "see “journeys audit verify”"), field=found.run,
    )  # fmt: skip


def _workflows() -> tuple[type, ...]:
    from workflows.journey import JourneyWorkflow

    return (JourneyWorkflow,)


async def _sources(desk: Desk) -> "Sources":
    """Every account that can be had; without Temporal the rest is compared all the same."""
    from journeys.audit.verifying import Sources

    pool, client = await desk.pool(), await _client(desk)
    return Sources(pool=pool, ring=_ring(desk), client=client, workflows=_workflows())


async def _verify(desk: Desk, id: str | None, strict: bool) -> int:
    from journeys.app.finding import find_journey
    from journeys.audit.verdicts import Verdict, Verification, exit_code
    from journeys.audit.verifying import verify_all
    from journeys.store import cohorts

    pool = await desk.pool()
    streams = [(await find_journey(pool, id)).stream] if id is not None else None
    out, lang = desk.out, desk.out.lang
    found: list[Verification] = [each async for each in verify_all(await _sources(desk), streams)]
    gathered, apart = await cohorts.apart(pool) if id is None else (0, [])
    code = Exit.BROKEN if apart else exit_code(found, strict=strict)

    def show() -> None:
        for each in found:
            odd = [account for account in each.accounts if account.verdict is not Verdict.AGREES]
            if id is not None or odd:
                out.heading(each.journey.removeprefix("journey-"))
                for account in each.accounts if id is not None else odd:
                    out.line("  " + account.told(lang))
        compared = sum(account.compared for each in found for account in each.accounts)
        wrong = sum(bool(each.disagreeing) for each in found)
        out.line(out.t(f"{len(found)} parcours, {compared} événements comparés, {wrong} en désaccord.",
                       f"{len(found)} journeys, {compared} events compared, {wrong} disagreeing."))  # fmt: skip
        if gathered:
            out.line(out.t(f"{gathered} promotion(s) comparée(s) à leur journal, {len(apart)} en désaccord.",
                           f"{gathered} cohort(s) compared with their journal, {len(apart)} disagreeing."))  # fmt: skip
        for cohort in apart:
            out.line(out.t(f"  {cohort} : la liste ne dit pas ce que dit le journal ; « journeys rebuild » la refait",
                           f"  {cohort}: the list does not say what the journal says; “journeys rebuild” makes it "
                           "again"))  # fmt: skip

    shown = {"holds": code != Exit.BROKEN, "journeys": [each.as_json() for each in found]}
    if id is None:
        shown["cohorts"] = {"compared": gathered, "disagreeing": apart}
    out.result(shown, show)
    return code
