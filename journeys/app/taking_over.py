"""A caseload taken over row by row, with a result per row: what fails in one touches no other."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from journeys.app.caseload import Case
from journeys.app.entry import Actor
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.finding import find_staff
from journeys.app.importing import Foreseen, Importer
from journeys.app.people_file import Row
from journeys.app.publishing import Rules, rules
from journeys.app.reading import today_of
from journeys.app.starting import Beginning, Starter
from journeys.i18n import Lang, format_date
from journeys.store.database import Pool
from journeys.store.signing import KeyRing
from journeys.store.staff import Member

if TYPE_CHECKING:
    from temporalio.client import Client

T = TypeVar("T")

NEXT: Final = 3
"""Dues that are shown of each journey."""
GOOD: Final = frozenset({"imported", "completed", "known"})
FORESEEN: Final = {
    "imported": Said("sera repris", "will be taken over"),
    "completed": Said("sera complété", "will be completed"),
    "known": Said("déjà repris, rien de nouveau", "taken over before, nothing new"),
}  # fmt: skip
DONE: Final = FORESEEN | {"imported": Said("repris", "taken over"), "completed": Said("complété", "completed")}
OTHERWISE: Final = {
    "duplicate": Said("déjà connu", "known already"), "refused": Said("refusé", "refused"),
    "failed": Said("erreur", "error"), "unknown": Said("sans réponse", "no answer"),
    "not-tried": Said("pas essayé", "not tried"),
}  # fmt: skip
BEHIND: Final = Said("Déjà fait", "Behind already")
COMING: Final = Said("Ensuite", "Next")
UNANSWERED: Final = Said(
    "Ne sera plus demandé, faute de réponse dans le fichier (écrivez le jour, « sans objet », ou"
    " « à faire le jj/mm/aaaa »)",
    "Will not be asked for any more, for want of an answer in the file (write the day, “not needed”, or"
    " “to do yyyy-mm-dd”)",
)
TOLD: Final = Said("Prévenus aussitôt", "Told at once")
NOBODY: Final = Said("personne", "nobody")


def outcome_of(failure: Failure) -> str:
    """What a row that was not taken came to."""
    if failure.code == "duplicate":
        return "duplicate"
    return "refused" if failure.exit is Exit.REFUSED else "failed"


async def row_by_row(
    rows: Sequence[tuple[Row, T]], one: Callable[[T], Awaitable[dict[str, Any]]],
    explained: Callable[[Exception], Failure], lang: Lang,
) -> list[dict[str, Any]]:  # fmt: skip
    """What `one` makes of each row of a file; what fails in one touches no other.

    Once nobody answers, no other is tried: `unknown` (whether it began is not known), then `not-tried`.
    """
    results: list[dict[str, Any]] = []
    silent = False
    for row, each in rows:
        result: dict[str, Any] = {"outcome": "not-tried"}
        if not silent:
            try:
                result = await one(each)
            except Failure as failure:
                result = {"outcome": outcome_of(failure), "error": failure.as_json(lang)}
            except Exception as error:
                told = explained(error)
                silent = told.exit is Exit.UNREACHABLE
                result = {"outcome": "unknown"} if silent else {"outcome": "failed", "error": told.as_json(lang)}
        results.append({"line": row.line, "name": row.label} | result)
    return results


def _not_theirs(leader: Member) -> Failure:
    return Failure(
        Exit.REFUSED, "no-right",
        Said(f"référent : vous ne pouvez pas reprendre un parcours que suivra {leader.name}",
             f"referent: you cannot take over a journey that {leader.name} will lead"),
        Said("laissez la case vide pour le suivre vous-même, ou donnez le fichier à cette personne ou à un responsable",
             "leave the cell empty to lead it yourself, or give the file to them or to a supervisor"),
        field="référent",
    )  # fmt: skip


def is_good(result: dict[str, Any]) -> bool:
    """Whether nobody has to look at a row again."""
    return result["outcome"] in GOOD and not result.get("differing")


def outcome_word(result: dict[str, Any], *, dry_run: bool) -> Said:
    """What a row came to, or will, in a word."""
    words = FORESEEN if dry_run else DONE
    return words.get(result["outcome"], OTHERWISE.get(result["outcome"], Said("", "")))


@dataclass(slots=True)
class TakingOver:
    """One file taken over, or only foreseen, under the rules of one programme."""

    pool: Pool
    ring: KeyRing
    text: str
    """Of the programme."""
    now: datetime
    watch: datetime
    """Nothing before it is asked for."""
    lang: Lang
    acts: Callable[[Member], Awaitable[Actor]]
    """Who takes over a journey that this member leads."""
    explained: Callable[[Exception], Failure]
    """An error in words."""
    client: "Callable[[], Awaitable[Client]]"
    task_queue: str
    dry_run: bool
    referent: str | None = None
    site: str | None = None
    """For empty cells."""
    _rules_by_year: dict[int, Rules] = field(default_factory=dict)

    async def rows(self, cases: Sequence[Case]) -> list[dict[str, Any]]:
        """A result a row, as `row_by_row` has them."""
        return await row_by_row([(case.row, case) for case in cases], self._taken, self.explained, self.lang)

    async def _taken(self, case: Case) -> dict[str, Any]:
        if case.failure is not None:
            raise case.failure
        assert case.row.details is not None
        named = case.row.referent or self.referent
        if named is None:
            raise usage("no-referent", "référent : case vide", "referent: empty cell", field="référent")
        leader = await find_staff(self.pool, named, "référent")
        actor = await self.acts(leader)
        start = case.start or case.first_day
        wanted = Beginning(
            details=case.row.details, referent=leader, dates=case.row.dates, start=start,
            site=case.row.site or self.site, watch_from=self.watch, happened=case.happened,
        )  # fmt: skip
        importer = Importer(Starter(self.pool, self.ring, self._rules(case.first_day), actor))
        foreseen = await importer.foresee(case, wanted, self.now)
        if foreseen.refused is not None:
            if foreseen.refused.code == "no-right" and actor.id != leader.id:
                raise _not_theirs(leader)
            raise foreseen.refused
        told = self._told(foreseen, leader)
        if self.dry_run or told["outcome"] == "known":
            return told
        journey = await importer.carry_out(foreseen, await self.client(), self.task_queue, self.now)
        return told | {"journey": journey}

    def _rules(self, first: date | None) -> Rules:
        today = today_of(self.now)
        year = min(today, first or today).year
        if year not in self._rules_by_year:
            self._rules_by_year[year] = rules(self.text, today, first)
        return self._rules_by_year[year]

    def _told(self, foreseen: Foreseen, leader: Member) -> dict[str, Any]:
        """What a row comes to, in words."""
        lang, milestones = self.lang, foreseen.book.programme.milestones
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
            "next": foreseen.coming(names, lang, NEXT),
            "told": foreseen.told(names, lang),
            "differing": [fact.column for fact in foreseen.differing],
        }  # fmt: skip
