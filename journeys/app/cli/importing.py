"""`journeys import`: a caseload that was kept elsewhere, seen row by row first, then taken over."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from journeys.app.cli.desk import Desk, actor_of
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.cli.starting import Silence, outcome_of, watch_from_of
from journeys.app.failures import Exit, Failure, Said, usage

if TYPE_CHECKING:
    from datetime import date, datetime

    from journeys.app.caseload import Case
    from journeys.app.importing import Foreseen
    from journeys.app.publishing import Rules
    from journeys.store.staff import Member

_NEXT = 3
"""Dues that are shown of each journey."""


def add_to(app: typer.Typer) -> None:
    """Declare the command."""

    @command(
        app, "import",
        "Reprend des parcours déjà en cours, d'un fichier CSV. Essayez d'abord avec --dry-run ; --model donne un"
        " fichier vide avec toutes les colonnes.",
        "Takes over journeys that are under way, from a CSV file. Try with --dry-run first; --model gives an empty"
        " file with every column.",
    )  # fmt: skip
    async def import_(
        ctx: typer.Context,
        file: Path = argument("fichier CSV, une personne par ligne", "CSV file, one person a row", "FICHIER", None),  # noqa: B008
        programme: str = option("--programme -p", "nom ou chemin du programme", "name or path of the programme", ...),
        dry_run: bool = option("--dry-run", "dire ce qui se passerait, sans rien écrire",
                               "say what would happen, write nothing", False),
        model: bool = option("--model", "un fichier vide avec toutes les colonnes de ce programme",
                             "an empty file with every column of this programme", False),
        watch_from: str = option("--watch-from", "rien d'avant ce jour n'est réclamé (aujourd'hui sinon)",
                                 "nothing before this day is asked for (today otherwise)"),
        referent: str = option("--referent", "qui accompagne, quand la case est vide", "who leads, for an empty cell"),
        site: str = option("--site", "site, quand la case est vide", "site, for an empty cell"),
    ) -> int:  # fmt: skip
        desk = at(ctx)
        if model:
            return await _model(desk, programme)
        if file is None:
            prepare = f"journeys import --model -p {programme}"
            raise usage(
                "no-file", "FICHIER : donnez le fichier à reprendre", "FICHIER: give the file to take over",
                field="FICHIER", remedy=Said(f"pour en préparer un : {prepare}", f"to prepare one: {prepare}"),
            )  # fmt: skip
        return await _Import(desk, dry_run, referent, site).run(file, programme, watch_from)


async def _model(desk: Desk, programme: str) -> int:
    from journeys.app.caseload import columns_of, model_of
    from journeys.app.publishing import programme_text_of
    from journeys.domain.programme import compile_programme

    known = compile_programme(await programme_text_of(await desk.pool(), programme))
    desk.out.result({"columns": {name: list(called) for name, called in columns_of(known).items()}},
                    lambda: desk.out.raw(model_of(known)))  # fmt: skip
    return Exit.DONE


@dataclass(slots=True)
class _Import:
    desk: Desk
    dry_run: bool
    referent: str | None
    site: str | None
    rules_by_year: "dict[int, Rules]" = field(default_factory=dict)
    text: str = ""

    async def run(self, path: Path, programme: str, watch_from: str | None) -> int:
        from journeys.app.caseload import read_caseload
        from journeys.app.publishing import programme_text_of
        from journeys.app.reading import today_of
        from journeys.domain.programme import compile_programme
        from journeys.store import mentors

        desk, pool = self.desk, await self.desk.pool()
        today = today_of(desk.now)
        watch = watch_from_of(watch_from or today.isoformat())
        assert watch is not None
        self.text = await programme_text_of(pool, programme)
        file = read_caseload(
            path, compile_programme(self.text), await mentors.mentors(pool), today,
            needs_referent=self.referent is None and desk.acting_as is None,
        )  # fmt: skip
        for note in file.notes:
            desk.out.note(note.in_(desk.out.lang))
        results: list[dict[str, Any]] = []
        silent = False
        for case in file.cases:
            known = {"line": case.row.line, "name": case.row.label}
            if silent:
                results.append(known | {"outcome": "not-tried"})
                continue
            try:
                results.append(known | await self._row(case, watch))
            except Silence:
                silent = True
                results.append(known | {"outcome": "unknown"})
        good = sum(result["outcome"] in _GOOD and not result.get("differing") for result in results)
        desk.out.result({"rows": results, "dry_run": self.dry_run, "done": good, "failed": len(results) - good},
                        lambda: self._print(results, good))  # fmt: skip
        if silent:
            desk.out.note(desk.out.t(
                "Plus de réponse : vérifiez avec « journeys doctor », puis redonnez le même fichier.",
                "No more answer: check with “journeys doctor”, then give the same file again.",
            ))  # fmt: skip
            return Exit.UNREACHABLE
        return Exit.DONE if good == len(results) else Exit.FAILED

    async def _row(self, case: "Case", watch: "datetime") -> dict[str, Any]:
        """One row's result; what fails in it touches no other."""
        try:
            return await self._taken(case, watch)
        except Failure as failure:
            return {"outcome": outcome_of(failure), "error": failure.as_json(self.desk.out.lang)}
        except Exception as error:
            from journeys.app.cli.explaining import explained

            told = explained(error)
            if told.exit is Exit.UNREACHABLE:
                raise Silence from error
            return {"outcome": "failed", "error": told.as_json(self.desk.out.lang)}

    async def _taken(self, case: "Case", watch: "datetime") -> dict[str, Any]:
        from journeys.app.finding import find_staff
        from journeys.app.importing import Importer
        from journeys.app.starting import Beginning, Starter

        if case.failure is not None:
            raise case.failure
        assert case.row.details is not None
        desk, pool = self.desk, await self.desk.pool()
        named = case.row.referent or self.referent or desk.acting_as
        if named is None:
            raise usage("no-referent", "référent : case vide", "referent: empty cell", field="référent")
        leader = await find_staff(pool, named, "référent")
        actor = await desk.actor() if desk.acting_as is not None else actor_of(leader)
        start = case.start or case.first_day
        wanted = Beginning(
            details=case.row.details, referent=leader, dates=case.row.dates, start=start,
            site=case.row.site or self.site, watch_from=watch, happened=case.happened,
        )  # fmt: skip
        importer = Importer(Starter(pool, desk.ring(), self._rules(case.first_day), actor))
        foreseen = await importer.foresee(case, wanted, desk.now)
        if foreseen.refused is not None:
            raise foreseen.refused
        told = self._told(foreseen, leader)
        if self.dry_run or told["outcome"] == "known":
            return told
        journey = await importer.carry_out(foreseen, await desk.client(), desk.settings.task_queue, desk.now)
        return told | {"journey": journey}

    def _rules(self, first: "date | None") -> "Rules":
        from journeys.app.publishing import rules
        from journeys.app.reading import today_of

        today = today_of(self.desk.now)
        year = min(today, first or today).year
        if year not in self.rules_by_year:
            self.rules_by_year[year] = rules(self.text, today, first)
        return self.rules_by_year[year]

    def _told(self, foreseen: "Foreseen", leader: "Member") -> dict[str, Any]:
        """What a row comes to, in words."""
        from journeys.i18n import format_date

        lang, milestones = self.desk.out.lang, foreseen.book.programme.milestones
        person = foreseen.state.person
        names = {leader.id: leader.name, person: foreseen.case.row.label}
        new = foreseen.known is None
        outcome = "imported" if new else "completed" if foreseen.facts else "known"
        return {
            "outcome": outcome,
            "facts": len(foreseen.facts),
            "journey": foreseen.known.row.id if foreseen.known is not None else None,
            "status": foreseen.state.status.value,
            "behind": [milestones[code].label.in_(lang) for code in foreseen.settled],
            "unanswered": [
                {"milestone": code, "label": milestones[code].label.in_(lang), "due": day.isoformat(),
                 "text": f"{milestones[code].label.in_(lang)} ({format_date(day, lang)})"}
                for code, day in foreseen.left_behind.items()
            ],
            "next": foreseen.coming(names, lang, _NEXT),
            "told": foreseen.told(names, lang),
            "differing": [fact.column for fact in foreseen.differing],
        }  # fmt: skip

    def _print(self, results: list[dict[str, Any]], good: int) -> None:
        out = self.desk.out
        words = _FORESEEN if self.dry_run else _DONE
        for result in results:
            word = words.get(result["outcome"], _OTHERWISE.get(result["outcome"], Said("", ""))).in_(out.lang)
            out.heading(out.t(f"Ligne {result['line']} · {result['name']} : {word}",
                              f"Line {result['line']} · {result['name']}: {word}"))  # fmt: skip
            self._print_row(result)
        bad = len(results) - good
        out.line()
        if self.dry_run:
            out.line(out.t(f"{good} ligne(s) prête(s), {bad} à revoir. Rien n'a été écrit.",
                           f"{good} row(s) ready, {bad} to be looked at. Nothing was written."))  # fmt: skip
        else:
            out.line(out.t(f"{good} ligne(s) reprise(s), {bad} à revoir.",
                           f"{good} row(s) taken over, {bad} to be looked at."))  # fmt: skip

    def _print_row(self, result: dict[str, Any]) -> None:
        out = self.desk.out
        if (error := result.get("error")) is not None:
            out.line("  " + " → ".join(filter(None, (error["message"], error["remedy"]))))
        if result.get("differing"):
            columns = ", ".join(result["differing"])
            out.line(out.t(
                f"  Le parcours dit autre chose, rien n'y a été changé : {columns} → « journeys show »,"
                " puis « journeys do … correct » si le fichier a raison",
                f"  The journey says otherwise, nothing was changed in it: {columns} → “journeys show”,"
                " then “journeys do … correct” if the file is right",
            ))  # fmt: skip
        if "facts" not in result:
            return
        if not self.dry_run:
            if result["outcome"] != "known":
                from journeys.identifiers import short

                out.line(out.t(f"  {short(result['journey'])}, {result['facts']} fait(s) noté(s)",
                               f"  {short(result['journey'])}, {result['facts']} fact(s) noted"))  # fmt: skip
            return
        self._list(out.t("Déjà fait", "Behind already"), [", ".join(result["behind"])] if result["behind"] else [])
        self._list(out.t("Ensuite", "Next"), result["next"])
        self._list(
            out.t("Ne sera plus demandé, faute de réponse dans le fichier (écrivez le jour, « sans objet », ou"
                  " « à faire le jj/mm/aaaa »)",
                  "Will not be asked for any more, for want of an answer in the file (write the day, “not needed”, or"
                  " “to do yyyy-mm-dd”)"),
            [", ".join(each["text"] for each in result["unanswered"])] if result["unanswered"] else [],
        )  # fmt: skip
        self._list(out.t("Prévenus aussitôt", "Told at once"), result["told"] or [out.t("personne", "nobody")])

    def _list(self, title: str, lines: list[str]) -> None:
        if lines:
            colon = self.desk.out.t(" :", ":")
            self.desk.out.line(f"  {title}{colon}")
            for line in lines:
                self.desk.out.line(f"    {line}")


_GOOD = frozenset({"imported", "completed", "known"})
_FORESEEN = {"imported": Said("sera repris", "will be taken over"),
             "completed": Said("sera complété", "will be completed"),
             "known": Said("déjà repris, rien de nouveau", "taken over before, nothing new")}  # fmt: skip
_DONE = _FORESEEN | {"imported": Said("repris", "taken over"), "completed": Said("complété", "completed")}
_OTHERWISE = {
    "duplicate": Said("déjà connu", "known already"), "refused": Said("refusé", "refused"),
    "failed": Said("erreur", "error"), "unknown": Said("sans réponse", "no answer"),
    "not-tried": Said("pas essayé", "not tried"),
}  # fmt: skip
