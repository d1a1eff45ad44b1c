"""`journeys import`: a caseload that was kept elsewhere, seen row by row first, then taken over."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from journeys.app.cli.desk import Desk, actor_of
from journeys.app.cli.shape import argument, at, command, option
from journeys.app.cli.starting import watch_from_of
from journeys.app.failures import Exit, Said, usage

if TYPE_CHECKING:
    from journeys.app.entry import Actor
    from journeys.store.staff import Member


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

    async def run(self, path: Path, programme: str, watch_from: str | None) -> int:
        from journeys.app.caseload import read_caseload
        from journeys.app.cli.explaining import explained
        from journeys.app.publishing import programme_text_of
        from journeys.app.reading import today_of
        from journeys.app.taking_over import TakingOver, is_good
        from journeys.domain.programme import compile_programme
        from journeys.store import mentors

        desk, pool = self.desk, await self.desk.pool()
        today = today_of(desk.now)
        watch = watch_from_of(watch_from or today.isoformat())
        assert watch is not None
        text = await programme_text_of(pool, programme)
        file = read_caseload(
            path, compile_programme(text), await mentors.mentors(pool), today,
            needs_referent=self.referent is None and desk.acting_as is None,
        )  # fmt: skip
        for note in file.notes:
            desk.out.note(note.in_(desk.out.lang))
        results = await TakingOver(
            pool, desk.ring(), text, desk.now, watch, desk.out.lang, self._acts, explained, desk.client,
            desk.settings.task_queue, self.dry_run, self.referent or desk.acting_as, self.site,
        ).rows(file.cases)  # fmt: skip
        good = sum(map(is_good, results))
        desk.out.result({"rows": results, "dry_run": self.dry_run, "done": good, "failed": len(results) - good},
                        lambda: self._print(results, good))  # fmt: skip
        if any(result["outcome"] == "unknown" for result in results):
            desk.out.note(desk.out.t(
                "Plus de réponse : vérifiez avec « journeys doctor », puis redonnez le même fichier.",
                "No more answer: check with “journeys doctor”, then give the same file again.",
            ))  # fmt: skip
            return Exit.UNREACHABLE
        return Exit.DONE if good == len(results) else Exit.FAILED

    async def _acts(self, leader: "Member") -> "Actor":
        return await self.desk.actor() if self.desk.acting_as is not None else actor_of(leader)

    def _print(self, results: list[dict[str, Any]], good: int) -> None:
        from journeys.app.taking_over import outcome_word

        out = self.desk.out
        for result in results:
            word = outcome_word(result, dry_run=self.dry_run).in_(out.lang)
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
        from journeys.app import taking_over as said

        unanswered = [each["text"] for each in result["unanswered"]]
        self._list(said.BEHIND, [", ".join(result["behind"])] if result["behind"] else [])
        self._list(said.COMING, result["next"])
        self._list(said.UNANSWERED, [", ".join(unanswered)] if unanswered else [])
        self._list(said.TOLD, result["told"] or [said.NOBODY.in_(out.lang)])

    def _list(self, title: Said, lines: list[str]) -> None:
        if lines:
            colon = self.desk.out.t(" :", ":")
            self.desk.out.line(f"  {title.in_(self.desk.out.lang)}{colon}")
            for line in lines:
                self.desk.out.line(f"    {line}")
