"""`journeys audit deadlines|duties|diff`: what was owed, who did what, and what changed in between."""

from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.looks import looked
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.failures import Exit, Failure, Said

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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

    row = await find_journey(await desk.pool(), id)
    record = await _read(desk, row.stream)
    await looked(desk, row.id, "audit")
    return record


async def _read(desk: Desk, stream: str) -> "JourneyRecord":
    from journeys.audit.reading import Unreadable, read_record

    try:
        return await read_record(await desk.pool(), stream)
    except Unreadable as error:
        id = stream.partition("-")[2]
        raise Failure(
            Exit.BROKEN, "unreadable",
            Said(f"le parcours {stream} ne peut pas être lu à partir de l'événement {error.seq}",
                 f"the journey {stream} cannot be read from event {error.seq} on"),
            Said(f"voyez « journeys audit verify {id} »", f"see “journeys audit verify {id}”"),
        ) from None  # fmt: skip


async def _records(desk: Desk, id: str | None) -> "AsyncIterator[JourneyRecord]":
    """One journey, or every one there is."""
    from journeys.store.evidence import each_journey

    if id is not None:
        yield await record_of(desk, id)
        return
    await looked(desk, None, "audit")
    async for stream in each_journey(await desk.pool()):
        yield await _read(desk, stream)


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
    async for record in _records(desk, id):
        found = obligations(record.events, record.book, desk.now)
        whole += found
        odd = found if id is not None else silent(found)
        shown.append({"journey": record.stream.partition("-")[2], "obligations": [each.as_json() for each in found]})
        if odd:
            names = await read_names(await desk.pool(), record.events)
            speech = Speech(record.book, names, lang, fold(record.events))
            lines.append((record.stream.removeprefix("journey-"), [told(each, speech) for each in odd]))

    def show() -> None:
        for title, told_of in lines:
            out.heading(title)
            for line in told_of:
                out.line("  " + line)
        out.line(counted(whole, lang))

    out.result({"journeys": shown, "silent": len(silent(whole))}, show)
    return Exit.BROKEN if silent(whole) else Exit.DONE


async def _duties(desk: Desk, id: str | None) -> int:
    from journeys.audit.duties import BREACHES, actors, careers, duties, told
    from journeys.audit.reading import read_names
    from journeys.domain.evolve import fold
    from journeys.narration.telling import Speech
    from journeys.store import staff

    out, lang, pool = desk.out, desk.out.lang, await desk.pool()
    shown: list[dict[str, Any]] = []
    lines: list[tuple[str, list[str]]] = []
    grants = breaches = 0
    async for record in _records(desk, id):
        found = duties(record.events, await careers(pool, actors(record.events)))
        grants += len(found)
        breaches += sum(len(each.breaches) for each in found)
        if found:
            shown.append({"journey": record.stream.partition("-")[2], "grants": [each.as_json() for each in found]})
            names = await read_names(pool, record.events)
            erased = await staff.erased(pool, actors(record.events) - names.keys())
            speech = Speech(record.book, names, lang, fold(record.events))
        for grant in found:
            if id is None and not grant.breaches:
                continue
            acts = [told(each, speech, erased) for each in grant.duties]
            acts += [f"! {speech.say(BREACHES[breach])}" for breach, _ in grant.breaches]
            lines.append((speech.grant(grant.grant), acts))

    def show() -> None:
        for title, acts in lines:
            out.heading(title)
            for line in acts:
                out.line("  " + line)
        out.line(out.t(f"{grants} aide(s), {breaches} manquement(s).", f"{grants} grant(s), {breaches} breach(es)."))

    out.result({"journeys": shown, "breaches": breaches}, show)
    return Exit.BROKEN if breaches else Exit.DONE


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
