"""`journeys audit deadlines|duties|diff`: what was owed, who did what, and what changed in between."""

from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.looks import looked
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.failures import Exit, Failure, Said

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from journeys.audit.reading import JourneyRecord

ID: Final = ("id, début d'id, référence ou nom", "id, its beginning, reference or name", "ID")
_ALL: Final = ("un parcours ; sans lui, tous", "a journey; all without it", "[ID]", None)


def add_to(room: typer.Typer) -> None:
    """Declare the commands."""

    @command(room, "deadlines",
             "Ce qui était dû : tenu, manqué, annulé, à venir, ou passé sans trace (sortie 6).",
             "What was owed: met, missed, cancelled, to come, or passed without a trace (exit 6).")  # fmt: skip
    async def deadlines(ctx: typer.Context, id: str = argument(*_ALL)) -> int:
        return await _deadlines(at(ctx), id)

    @command(room, "duties",
             "Qui a demandé, accordé, versé, justifié, et avec quel droit à ce moment (sortie 6 si l'un manque).",
             "Who requested, approved, paid, justified, and with which right then (exit 6 when one is missing).",
    )  # fmt: skip
    async def duties(ctx: typer.Context, id: str = argument(*_ALL)) -> int:
        return await _duties(at(ctx), id)

    @command(room, "diff", "Ce qui a changé d'un parcours entre deux moments.",
             "What changed of a journey between two moments.")  # fmt: skip
    async def diff(
        ctx: typer.Context,
        id: str = argument(*ID),
        first: str = argument("premier jour ou instant", "first day or instant", "T1"),
        second: str = argument("second jour ou instant", "second day or instant", "T2"),
        as_of: bool = option(
            "--as-of",
            "ce qui était vrai, d'après ce qu'on sait aujourd'hui (sinon : ce qu'on savait)",
            "what was true, by what is known today (otherwise: what was known)",
            False,
        ),
    ) -> None:
        await _diff(at(ctx), id, first, second, as_of)


async def record_of(desk: Desk, id: str) -> "JourneyRecord":
    """The whole record of a journey. Raises Failure: not found, or not readable."""
    from journeys.app.finding import find_journey
    from journeys.audit.journal_account import BROKEN_FOLD
    from journeys.audit.reading import Unreadable, read_record
    from journeys.domain.evolve import fold

    pool = await desk.pool()
    row = await find_journey(pool, id)
    try:
        record = await read_record(pool, row.stream)
        fold(record.events)
    except Unreadable as error:
        raise _unreadable(row.stream, error.seq) from None
    except BROKEN_FOLD:
        raise _unreadable(row.stream) from None
    await looked(desk, row.id, "audit")
    return record


def _unreadable(stream: str, seq: int | None = None) -> Failure:
    """`seq`: of the first event that cannot be read; None: each can, but they do not follow one another."""
    id = stream.partition("-")[2]
    what = (
        Said(f"le parcours {stream} ne peut pas être lu : ses événements ne se suivent pas",
             f"the journey {stream} cannot be read: its events do not follow one another")
        if seq is None else
        Said(f"le parcours {stream} ne peut pas être lu à partir de l'événement {seq}",
             f"the journey {stream} cannot be read from event {seq} on")
    )  # fmt: skip
    remedy = Said(f"voyez « journeys audit verify {id} »", f"see “journeys audit verify {id}”")
    return Failure(Exit.BROKEN, "unreadable", what, remedy)


async def _each(desk: Desk, id: str | None, look: "Callable[[JourneyRecord], Awaitable[None]]") -> list[str]:
    """Look at one journey, or at every one there is; ids of those that cannot be read and were passed over.

    Raises Failure: the one that was asked for cannot be found, or read.
    """
    from journeys.audit.journal_account import BROKEN_FOLD
    from journeys.audit.reading import Unreadable, read_record
    from journeys.store.evidence import each_journey

    if id is not None:
        record = await record_of(desk, id)
        try:
            await look(record)
        except BROKEN_FOLD:
            raise _unreadable(record.stream) from None
        return []
    await looked(desk, None, "audit")
    pool, unread = await desk.pool(), list[str]()
    async for stream in each_journey(pool):
        try:
            await look(await read_record(pool, stream))
        except (Unreadable, *BROKEN_FOLD):
            unread.append(stream.removeprefix("journey-"))
    return unread


def _show_unread(desk: Desk, unread: list[str]) -> None:
    out = desk.out
    for id in unread:
        out.line(out.t(f"! {id} ne peut pas être lu ; voyez « journeys audit verify {id} »",
                       f"! {id} cannot be read; see “journeys audit verify {id}”"))  # fmt: skip


def instant_of(desk: Desk, text: str | None, field: str) -> Any:
    """An instant, or the end of a day; now when nothing was said."""
    from datetime import time

    from journeys.app.reading import at_local, read_day, read_instant

    if text is None:
        return desk.now
    if " " in text.strip() or "T" in text:
        return read_instant(text, field)
    return at_local(read_day(text, field), time(23, 59, 59), field)


async def _deadlines(desk: Desk, id: str | None) -> int:
    from journeys.audit.obligations import Obligation, counted, obligations, silent, told
    from journeys.audit.reading import read_names
    from journeys.domain.evolve import fold
    from journeys.narration.telling import Speech

    out, lang = desk.out, desk.out.lang
    whole: list[Obligation] = []
    shown: list[dict[str, Any]] = []
    lines: list[tuple[str, list[str]]] = []

    async def look(record: "JourneyRecord") -> None:
        found = obligations(record.events, record.book, desk.now)
        if odd := found if id is not None else silent(found):
            names = await read_names(await desk.pool(), record.events)
            speech = Speech(record.book, names, lang, fold(record.events))
            lines.append((record.stream.removeprefix("journey-"), [told(each, speech) for each in odd]))
        whole.extend(found)
        shown.append({"journey": record.stream.partition("-")[2], "obligations": [each.as_json() for each in found]})

    unread = await _each(desk, id, look)

    def show() -> None:
        for title, told_of in lines:
            out.heading(title)
            for line in told_of:
                out.line("  " + line)
        _show_unread(desk, unread)
        out.line(counted(whole, lang))

    out.result({"journeys": shown, "silent": len(silent(whole)), "unread": unread}, show)
    return Exit.BROKEN if silent(whole) or unread else Exit.DONE


async def _duties(desk: Desk, id: str | None) -> int:
    from journeys.audit.duties import BREACHES, GrantDuties, actors, careers, duties, told
    from journeys.audit.reading import read_names
    from journeys.domain.evolve import fold
    from journeys.narration.telling import Speech
    from journeys.store import staff

    out, lang, pool = desk.out, desk.out.lang, await desk.pool()
    whole: list[GrantDuties] = []
    shown: list[dict[str, Any]] = []
    lines: list[tuple[str, list[str]]] = []

    async def look(record: "JourneyRecord") -> None:
        state = fold(record.events)
        found = duties(record.events, await careers(pool, actors(record.events)))
        if not found:
            return
        names = await read_names(pool, record.events)
        erased = await staff.erased(pool, actors(record.events) - names.keys())
        speech = Speech(record.book, names, lang, state)
        told_of = list[tuple[str, list[str]]]()
        for grant in found:
            if id is None and not grant.breaches:
                continue
            acts = [told(each, speech, erased) for each in grant.duties]
            acts += [f"! {speech.say(BREACHES[breach])}" for breach, _ in grant.breaches]
            told_of.append((speech.grant(grant.grant), acts))
        lines.extend(told_of)
        whole.extend(found)
        shown.append({"journey": record.stream.partition("-")[2], "grants": [each.as_json() for each in found]})

    unread = await _each(desk, id, look)
    grants, breaches = len(whole), sum(len(each.breaches) for each in whole)

    def show() -> None:
        for title, acts in lines:
            out.heading(title)
            for line in acts:
                out.line("  " + line)
        _show_unread(desk, unread)
        out.line(out.t(f"{grants} aide(s), {breaches} manquement(s).", f"{grants} grant(s), {breaches} breach(es)."))

    out.result({"journeys": shown, "breaches": breaches, "unread": unread}, show)
    return Exit.BROKEN if breaches or unread else Exit.DONE


async def _diff(desk: Desk, id: str, first: str, second: str, as_of: bool) -> None:
    from journeys.app.reading import ZONE
    from journeys.audit.differing import difference
    from journeys.audit.narrating import narrate
    from journeys.audit.reading import read_names
    from journeys.audit.showing import told
    from journeys.i18n import format_instant

    record = await record_of(desk, id)
    instants = instant_of(desk, first, "T1"), instant_of(desk, second, "T2")
    found = difference(record.events, *instants, record.book.calendar, "as-of" if as_of else "known-at")
    names = await read_names(await desk.pool(), record.events)
    out, lang = desk.out, desk.out.lang
    story = narrate(record.events, record.parts, names, record.book, lang)

    def show() -> None:
        before, after = (format_instant(each.at, lang, ZONE) for each in (found.before, found.after))
        out.heading(out.t(f"Du {before} au {after}", f"From {before} to {after}"))
        for sign, facts in (("-", found.went), ("+", found.came)):
            for fact in facts:
                out.line(f"  {sign} {told(fact, record.book, names, lang)}")
        if not found.came and not found.went:
            out.line("  " + out.t("rien n'a changé", "nothing changed"))
        for day in story.days:
            each_told = [each for each in day.told if each.seq in found.between and not each.detail]
            if each_told:
                out.heading(day.title)
            for each in each_told:
                out.line(f"  {each.time:>7}  {each.text}")

    out.result(found.as_json(), show)
