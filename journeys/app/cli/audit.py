"""`journeys audit`: what was true, what was known, the story, the replay, and whether every account agrees."""

from typing import TYPE_CHECKING

import typer

from journeys.app.cli import audit_questions
from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group, option
from journeys.app.failures import Exit, Failure, Said

if TYPE_CHECKING:
    from journeys.audit.verifying import Sources


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

    @command(room, "replay", "Rejoue l'historique du moteur avec le code d'aujourd'hui.",
             "Replays the engine's history with today's code.")  # fmt: skip
    async def replay(ctx: typer.Context, id: str = argument(*audit_questions.ID)) -> int:
        return await _replay(at(ctx), id)

    @command(
        room,
        "verify",
        "Compare le journal, les listes, le moteur et son historique (sortie 6 s'ils se contredisent).",
        "Compares journal, lists, engine and its history (exit 6 when they disagree).",
    )
    async def verify(
        ctx: typer.Context,
        id: str = argument("un parcours ; sans lui, tous", "a journey; all without it", "[ID]", None),
        strict: bool = option(
            "--strict",
            "sortie 1 si un compte n'a pas pu être comparé",
            "exit 1 when an account was not compared",
            False,
        ),
    ) -> int:
        return await _verify(at(ctx), id, strict)

    audit_questions.add_to(room)


async def _show(desk: Desk, id: str, as_of: str | None, known_at: str | None) -> None:
    from journeys.app.failures import usage
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

    row = await find_journey(await desk.pool(), id)
    found = await replay(await desk.client(), row.stream, _workflows())
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
        if not found.complete:
            out.line(
                out.t("Le début n'est plus gardé par le moteur.", "The beginning is no longer kept by the engine.")
            )

    out.result(found.as_json(), show)
    return Exit.BROKEN if found.failed is not None else Exit.DONE


def _workflows() -> tuple[type, ...]:
    from workflows.journey import JourneyWorkflow

    return (JourneyWorkflow,)


async def _sources(desk: Desk) -> "Sources":
    """Every account that can be had; without Temporal the rest is compared all the same."""
    from journeys.audit.verifying import Sources
    from journeys.settings import SettingsError
    from journeys.temporal import Unreachable

    pool = await desk.pool()
    try:
        client = await desk.client()
    except Unreachable:
        client = None
    try:
        ring = desk.ring()
    except SettingsError:
        ring = None
    return Sources(pool=pool, ring=ring, client=client, workflows=_workflows())


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
