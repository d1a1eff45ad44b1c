"""`journeys start`: one person, or a file of people with a result for each row."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from journeys.app.cli.desk import Desk, actor_of
from journeys.app.cli.shape import at, command, named_date, option
from journeys.app.failures import Exit, Said, usage

if TYPE_CHECKING:
    from datetime import date, datetime

    from journeys.app.people_file import Row
    from journeys.app.publishing import Rules
    from journeys.store.people import Details


def add_to(app: typer.Typer) -> None:
    """Declare the command."""

    @command(
        app, "start",
        'Ouvre un parcours : --person "Samir Benali" --born 1999-04-02, ou un fichier entier : --file personnes.csv.',
        'Begins a journey: --person "Samir Benali" --born 1999-04-02, or a whole file: --file people.csv.',
    )  # fmt: skip
    async def start(
        ctx: typer.Context,
        programme: str = option("--programme -p", "nom ou chemin du programme", "name or path of the programme", ...),
        person: str = option("--person", "prénom et nom", "first and last name"),
        first_name: str = option(
            "--first-name",
            "prénom (avec --last-name, à la place de --person)",
            "first name (with --last-name, instead of --person)",
        ),
        last_name: str = option("--last-name", "nom", "last name"),
        born: str = option("--born --birth-date", "date de naissance", "birth date"),
        reference: str = option("--reference", "votre propre numéro", "your own number"),
        email: str = option("--email", "adresse de la personne", "the person's address"),
        phone: str = option("--phone", "téléphone de la personne", "the person's phone"),
        language: str = option("--language", "langue de la personne : fr ou en", "the person's language: fr or en"),
        release: str = option("--release", "date de sortie prévue", "expected release"),
        date: list[str] = option(  # noqa: B008
            "--date", "autre date du programme : NOM=2027-05-12", "another date of the programme: NAME=2027-05-12", []
        ),
        since: str = option("--start", "jour de début, si ce n'est pas aujourd'hui", "first day, if not today"),
        referent: str = option("--referent", "qui accompagne (pseudo)", "who leads (handle)"),
        site: str = option("--site", "site", "site"),
        watch_from: str = option(
            "--watch-from", "reprise : rien d'avant ce jour n'est dû", "import: nothing before this day is owed"
        ),
        cohort: str = option(
            "--cohort",
            "promotion où entrer : donne la date qui fait commencer, puis une place ou la liste d'attente",
            "cohort to join: gives the date that begins it, then a place or the waiting list",
        ),
        file: Path = option("--file", "fichier CSV, une personne par ligne", "CSV file, one person a row"),  # noqa: B008
    ) -> int:
        typed = {"first_name": first_name, "last_name": last_name, "birth_date": born, "reference": reference,
                 "email": email, "phone": phone, "language": language}  # fmt: skip
        dates = {"release": release} if release is not None else {}
        dates |= dict(named_date(each) for each in date)
        desk = at(ctx)
        if file is not None:
            if person or any(typed.values()):
                raise usage(
                    "file-or-person",
                    "--file ou une personne, pas les deux",
                    "--file or one person, not both",
                    field="--file",
                )
            if cohort is not None:
                raise usage(
                    "file-or-cohort",
                    "--cohort vaut pour une personne ; pour un fichier : « journeys cohort join » ensuite",
                    "--cohort is for one person; after a file: “journeys cohort join”",
                    field="--cohort",
                )
            return await _start_file(desk, programme, file, dates, since, referent, site, watch_from)
        return await _start_one(desk, programme, person, typed, dates, since, referent, site, watch_from, cohort)


async def _rules(desk: Desk, asked: str, since: "date | None") -> "Rules":
    from journeys.app.publishing import programme_text_of, rules
    from journeys.app.reading import today_of

    return rules(await programme_text_of(await desk.pool(), asked), today_of(desk.now), since)


def _dates(rules: "Rules", typed: dict[str, str]) -> dict[str, "date"]:
    """The programme's dates as typed. Raises Failure: not a date, or not one of the programme."""
    from journeys.app.finding import unknown_code
    from journeys.app.reading import read_day

    known = rules.programme.dates
    for name in typed:
        if name not in known:
            field = "--release" if name == "release" else "--date"
            raise unknown_code("date", name, known, field)
    return {
        name: read_day(text, f"--{name}" if name == "release" else f"--date {name}") for name, text in typed.items()
    }


def watch_from_of(text: str | None) -> "datetime | None":
    """The first instant of a day that was typed. Raises Failure."""
    from datetime import time

    from journeys.app.reading import at_local, read_day

    return at_local(read_day(text, "--watch-from"), time(), "--watch-from") if text is not None else None


# --- one person


async def _start_one(
    desk: Desk, programme: str, person: str | None, typed: dict[str, Any], dates: dict[str, str], since: str | None,
    referent: str | None, site: str | None, watch_from: str | None, cohort: str | None,
) -> int:  # fmt: skip
    from journeys.app.cli.cohorts import let_in
    from journeys.app.cohorts import find, must_take
    from journeys.app.finding import find_staff
    from journeys.app.reading import read_day
    from journeys.app.starting import Beginning, Starter
    from journeys.identifiers import short

    details = _details(person, typed)
    first_day = read_day(since, "--start") if since is not None else None
    watch = watch_from_of(watch_from)
    pool = await desk.pool()
    rules = await _rules(desk, programme, first_day)
    days = _dates(rules, dates)
    joined = await find(pool, cohort, desk.now) if cohort is not None else None
    if joined is not None:
        await must_take(pool, joined, rules.programme.programme, desk.now)
        first = rules.programme.active_from
        on = dict(joined.row.dates).get(first)
        days = ({first: on} if on is not None else {}) | days
    named = referent or desk.acting_as
    if named is None:
        raise usage(
            "no-referent",
            "dites qui accompagne : --referent PSEUDO",
            "say who leads: --referent HANDLE",
            field="--referent",
        )
    leader = await find_staff(pool, named, "--referent")
    actor = await desk.actor() if desk.acting_as is not None else actor_of(leader)
    wanted = Beginning(details=details, referent=leader, dates=days, start=first_day, site=site, watch_from=watch)
    starter = Starter(pool, desk.ring(), rules, actor)
    begun = await starter.begin(await desk.client(), desk.settings.task_queue, wanted, desk.now)
    found = await _rows(desk, [begun.id])
    out = desk.out

    def show() -> None:
        out.line(out.t(f"Le parcours de {begun.name} est ouvert : {short(begun.id)}",
                       f"The journey of {begun.name} has begun: {short(begun.id)}"))  # fmt: skip
        out.line(f"  journeys show {short(begun.id)}")

    told = {"journeys": found, "person": begun.person, "command": begun.answer.command}
    if joined is None:
        out.result(told, show)
    else:
        if not out.json:
            show()
        await let_in(desk, joined, begun.id, actor, told)
    return Exit.DONE


def _details(person: str | None, typed: dict[str, Any]) -> "Details":
    from journeys.app.people_file import details_of

    known = {name: text for name, text in typed.items() if text is not None}
    if person is not None:
        if "first_name" in known or "last_name" in known:
            raise usage("name-twice", "--person, ou --first-name et --last-name, pas les deux",
                        "--person, or --first-name and --last-name, not both", field="--person")  # fmt: skip
        first, _, last = person.strip().partition(" ")
        if not last.strip():
            raise usage(
                "half-a-name",
                f"--person : « {person} » ; écrivez le prénom puis le nom, entre guillemets",
                f"--person: “{person}”; write first name and last name, between quotes",
                field="--person",
            )
        known |= {"first_name": first, "last_name": last.strip()}
    for name in ("first_name", "last_name"):
        if not str(known.get(name, "")).strip():
            raise usage(
                "no-name", 'dites qui : --person "Prénom Nom"', 'say who: --person "First Last"', field="--person"
            )
    called = {name: f"--{name.replace('_', '-')}" for name in typed} | {"birth_date": "--born"}
    if person is not None:
        called |= {"first_name": "--person", "last_name": "--person"}
    return details_of(known, called)


async def _rows(desk: Desk, ids: list[str]) -> list[dict[str, Any]]:
    from journeys.app.cli.listing import row_json
    from journeys.store import views

    pool = await desk.pool()
    return [row_json(row) for id in ids if (row := await views.journey(pool, id)) is not None]


# --- a file


async def _start_file(
    desk: Desk, programme: str, path: Path, dates: dict[str, str], since: str | None, referent: str | None,
    site: str | None, watch_from: str | None,
) -> int:  # fmt: skip
    from journeys.app.cli.explaining import explained
    from journeys.app.people_file import read_people
    from journeys.app.reading import read_day
    from journeys.app.taking_over import row_by_row

    first_day = read_day(since, "--start") if since is not None else None
    watch = watch_from_of(watch_from)
    rules = await _rules(desk, programme, first_day)
    common = _dates(rules, dates)
    file = read_people(path, tuple(rules.programme.dates), needs_referent=referent is None and desk.acting_as is None)
    for note in file.notes:
        desk.out.note(note.in_(desk.out.lang))

    async def one(row: "Row") -> dict[str, Any]:
        return await _start_row(desk, rules, row, common, first_day, referent, site, watch)

    results = await row_by_row([(row, row) for row in file.rows], one, explained, desk.out.lang)
    failed = sum(result["outcome"] != "started" for result in results)
    started = await _rows(desk, [result["journey"] for result in results if result["outcome"] == "started"])
    desk.out.result({"journeys": started, "rows": results, "started": len(results) - failed, "failed": failed},
                    lambda: _print_rows(desk, results, failed))  # fmt: skip
    if any(result["outcome"] == "unknown" for result in results):
        desk.out.note(
            desk.out.t(
                "Plus de réponse : vérifiez avec « journeys doctor », puis redonnez le même fichier.",
                "No more answer: check with “journeys doctor”, then give the same file again.",
            )
        )
        return Exit.UNREACHABLE
    return Exit.FAILED if failed else Exit.DONE


async def _start_row(
    desk: Desk, rules: "Rules", row: "Row", common: dict[str, "date"], first_day: "date | None", referent: str | None,
    site: str | None, watch: "datetime | None",
) -> dict[str, Any]:  # fmt: skip
    """One row's result. Raises Failure, and whatever servers that are away raise."""
    from journeys.app.finding import find_staff
    from journeys.app.starting import Beginning, Starter

    if row.failure is not None:
        raise row.failure
    assert row.details is not None
    pool = await desk.pool()
    named = row.referent or referent or desk.acting_as
    if named is None:
        raise usage("no-referent", "référent : case vide", "referent: empty cell", field="référent")
    leader = await find_staff(pool, named, "référent")
    actor = await desk.actor() if desk.acting_as is not None else actor_of(leader)
    wanted = Beginning(details=row.details, referent=leader, dates=common | row.dates, start=first_day,
                       site=row.site or site, watch_from=watch)  # fmt: skip
    starter = Starter(pool, desk.ring(), rules, actor)
    begun = await starter.begin(await desk.client(), desk.settings.task_queue, wanted, desk.now)
    return {"outcome": "started", "journey": begun.id, "person": begun.person}


def _print_rows(desk: Desk, results: list[dict[str, Any]], failed: int) -> None:
    from journeys.identifiers import short

    out = desk.out
    words = {
        "started": Said("ouvert", "started"), "duplicate": Said("déjà connu", "known already"),
        "refused": Said("refusé", "refused"), "failed": Said("erreur", "error"),
        "unknown": Said("sans réponse", "no answer"), "not-tried": Said("pas essayé", "not tried"),
    }  # fmt: skip
    rows = []
    for result in results:
        error = result.get("error")
        told = (
            short(result.get("journey", ""))
            if error is None
            else " → ".join(filter(None, (error["message"], error["remedy"])))
        )
        rows.append((str(result["line"]), result["name"], words[result["outcome"]].in_(out.lang), told))
    out.table((out.t("ligne", "line"), out.t("personne", "person"), out.t("résultat", "result"), ""), rows)
    out.line(
        out.t(f"{len(results) - failed} ouvert(s), {failed} non.", f"{len(results) - failed} started, {failed} not.")
    )
