"""Contrôle of all journeys at once: what was owed, who did what of grants, and every history played again.

The first two show what the last verification of everything kept: no journal is read for a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.failures import Failure
from journeys.app.inbox import role_label
from journeys.app.reading import ZONE, at_local, read_day
from journeys.app.web.pages.answers import TONES
from journeys.app.web.pages.caseload import MOST, address_of, as_file, mine_first
from journeys.app.web.paging import A_PAGE, A_SHEET, Paging, page_asked
from journeys.app.web.policy import ANSWERING, OVERSEEING
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.audit.duties import BREACHES, TASKS, Breach, Task, who_acted
from journeys.audit.obligations import OUTCOMES, Outcome
from journeys.i18n import N_, capital, format_instant, format_money
from journeys.identifiers import is_uuid
from journeys.store import findings, replays, staff, views
from journeys.store.directory import names_of
from journeys.store.findings import Asked, DutiesLine, OwedLine, Seen
from journeys.store.reads import Read
from journeys.temporal import replay_now

router = APIRouter()

OWED: Final = "/controle/echeances"
DUTIES: Final = "/controle/aides"
REPLAYS: Final = "/controle/rejeux"
SHOWN: Final = 10
"""Replays that the page tells of."""

_WRONG: Final = (Outcome.SILENT, Outcome.MISSED)
_CHOICES: Final[Mapping[str, tuple[str, tuple[Outcome, ...]]]] = {
    "a-regarder": (N_("sans trace ou manquées"), _WRONG),
    "sans-trace": (N_("passées sans trace"), (Outcome.SILENT,)),
    "manquees": (N_("manquées"), (Outcome.MISSED,)),
    "tenues": (N_("tenues"), (Outcome.MET,)),
    "annulees": (N_("annulées"), (Outcome.CANCELLED,)),
    "a-venir": (N_("à venir"), (Outcome.OPEN,)),
    "toutes": (N_("toutes"), tuple(Outcome)),
}
_FIRST: Final = "a-regarder"


@dataclass(frozen=True, slots=True)
class _Filters:
    """What the address asks for, and what of it cannot be read."""

    asked: Asked
    typed: Mapping[str, str]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class _Act:
    when: datetime
    what: str
    held: bool | None


# --- what was owed


@router.get(OWED)
async def owed(visit: Visit = door(ANSWERING)) -> Response:
    """`issue` chooses outcomes; `site`, `referent`, `de` and `a` (days of the due) as well."""
    filters, number, choice = _filters(visit), min(page_asked(visit), MOST // A_PAGE), _choice(visit)
    found = await findings.owed(
        visit.connection, filters.asked, _CHOICES[choice][1], visit.visible, limit=A_PAGE,
        offset=(number - 1) * A_PAGE,
    )  # fmt: skip
    members = await _members(visit, filters, found)
    total = sum(found.counts.get(each, 0) for each in _CHOICES[choice][1])
    _looked(visit)
    return page(
        visit, "house-owed.html", 422 if filters.failures else 200, found=found, counts=found.counts,
        lines=[(whose, line, *_outcome(visit, line)) for whose, line in found.lines], members=members, choice=choice,
        choices=[(code, visit.say(words)) for code, (words, _) in _CHOICES.items()], total=total,
        paging=Paging(visit, number, min(total, MOST), A_PAGE), **_shared(visit, filters, members),
    )  # fmt: skip


@router.get(f"{OWED}.csv")
async def owed_file(visit: Visit = door(ANSWERING)) -> Response:
    """The same for a spreadsheet."""
    filters, say = _readable(_filters(visit)), visit.say
    found = await findings.owed(visit.connection, filters.asked, _CHOICES[_choice(visit)][1], visit.visible, limit=MOST)
    members = await _members(visit, filters, found)
    _looked(visit)
    head = (say("Parcours"), say("Personne"), say("Obligation"), say("Échéance"), say("Issue"), say("Noté le"),
            say("Remarque"), say("Référent"), say("Site"))  # fmt: skip
    return as_file("echeances", head, (
        (whose.journey, whose.name or say("personne effacée"), _words(visit, line), _written(line.due),
         _outcome(visit, line)[0], _written(line.at), _remark(visit, line), members.get(whose.referent or "", ""),
         whose.site or "")
        for whose, line in found.lines
    ))  # fmt: skip


def _outcome(visit: Visit, line: OwedLine) -> tuple[str, str, str]:
    """The outcome in words, its tone, and what is remarked of it."""
    outcome = Outcome(line.outcome)
    return visit.say(OUTCOMES[outcome]), TONES[outcome], _remark(visit, line)


def _remark(visit: Visit, line: OwedLine) -> str:
    if line.at is None or not (line.late or line.learnt_late):
        return ""
    when = format_instant(line.at, visit.lang, ZONE)
    return (visit.say("appris plus tard, le {when}", when=when) if line.learnt_late
            else visit.say("noté en retard, le {when}", when=when))  # fmt: skip


def _choice(visit: Visit) -> str:
    asked = visit.request.query_params.get("issue", _FIRST)
    return asked if asked in _CHOICES else _FIRST


# --- who did what of grants


@router.get(DUTIES)
async def duties(visit: Visit = door(ANSWERING)) -> Response:
    """`tout=1` shows the sound ones too; `site`, `referent`, `de` and `a` (days of the request) choose."""
    filters, number, every = _filters(visit), min(page_asked(visit), MOST // A_SHEET), _every(visit)
    found = await findings.duties(
        visit.connection, filters.asked, visit.visible, wrong_only=not every, limit=A_SHEET,
        offset=(number - 1) * A_SHEET,
    )  # fmt: skip
    members = await _members(visit, filters, found, _actors(found))
    erased = await staff.erased(visit.connection, _actors(found) - members.keys())
    total = found.counts["wrong"] + (found.counts["sound"] if every else 0)
    _looked(visit)
    return page(
        visit, "house-duties.html", 422 if filters.failures else 200, found=found, counts=found.counts, every=every,
        grants=[(whose, line, _acts(visit, line, members, erased), _breaches(visit, line))
                for whose, line in found.lines],
        total=total, paging=Paging(visit, number, min(total, MOST), A_SHEET), **_shared(visit, filters, members),
    )  # fmt: skip


@router.get(f"{DUTIES}.csv")
async def duties_file(visit: Visit = door(ANSWERING)) -> Response:
    """The same for a spreadsheet: a line for each act."""
    filters, say = _readable(_filters(visit)), visit.say
    found = await findings.duties(
        visit.connection, filters.asked, visit.visible, wrong_only=not _every(visit), limit=MOST
    )
    members = await _members(visit, filters, found, _actors(found))
    erased = await staff.erased(visit.connection, _actors(found) - members.keys())
    _looked(visit)
    head = (say("Parcours"), say("Personne"), say("Aide"), say("Montant"), say("À regarder"), say("Quand"),
            say("Acte"), say("Avait ce rôle à ce moment"), say("Référent"), say("Site"))  # fmt: skip
    return as_file("aides", head, (
        (whose.journey, whose.name or say("personne effacée"), _words(visit, line),
         format_money(line.amount, visit.lang), " ; ".join(_breaches(visit, line)), _written(act.when), act.what,
         "" if act.held is None else say("oui") if act.held else say("non"), members.get(whose.referent or "", ""),
         whose.site or "")
        for whose, line in found.lines for act in _acts(visit, line, members, erased)
    ))  # fmt: skip


def _acts(visit: Visit, line: DutiesLine, members: Mapping[str, str], erased: set[str]) -> list[_Act]:
    return [
        _Act(datetime.fromisoformat(act["at"]), capital(visit.say(TASKS[Task(act["task"])], who=who_acted(
            act["actor"], role_label(act["role"], visit.lang), members, erased, visit.lang
        ))), act["held"])
        for act in line.acts
    ]  # fmt: skip


def _breaches(visit: Visit, line: DutiesLine) -> list[str]:
    return [visit.say(BREACHES[Breach(each)]) for each in dict.fromkeys(line.breaches)]


def _actors(found: Seen[DutiesLine]) -> set[str]:
    return {act["actor"] for _, line in found.lines for act in line.acts if is_uuid(act["actor"])}


def _every(visit: Visit) -> bool:
    return visit.request.query_params.get("tout") == "1"


# --- every history played again


@router.get(REPLAYS)
async def replayed(visit: Visit = door(OVERSEEING)) -> Response:
    """How far the replay under way is, and what the last ones found."""
    pool = visit.house.writing
    known = await replays.last(pool, SHOWN)
    ended = next((each for each in known if each.found is not None), None)
    found = ended.found if ended is not None else None
    named = {each.journey for each in (*found.failed, *found.altered)} if found is not None else set()
    names = await views.called(visit.connection, sorted(named))
    members = await names_of(visit.connection, {each.staff for each in known})
    await visit.done()
    return page(
        visit, "house-replays.html", known=known, ended=ended, found=found, names=names, members=members,
        under_way=known[0] if known and known[0].found is None else None,
        asked=visit.request.query_params.get("note") == "demande",
    )  # fmt: skip


@router.post(REPLAYS)
async def replay(visit: Visit = door(OVERSEEING)) -> Response:
    """Have every history played again; one under way goes on."""
    await visit.done()
    await replay_now(await visit.house.client(), visit.visitor.id, visit.house.settings.task_queue)
    return go(f"{REPLAYS}?note=demande")


# --- shared


def _filters(visit: Visit) -> _Filters:
    query = visit.request.query_params
    typed = {name: query.get(name, "").strip() for name in ("site", "referent", "de", "a")}
    failures = list[Failure]()
    since, until = _day(typed, "de", timedelta(), failures), _day(typed, "a", timedelta(days=1), failures)
    referent = typed["referent"] if is_uuid(typed["referent"]) else None
    return _Filters(
        Asked(site=typed["site"] or None, referent=referent, since=since, until=until), typed, tuple(failures)
    )


def _day(typed: Mapping[str, str], name: str, later: timedelta, failures: list[Failure]) -> datetime | None:
    """The first instant of the day typed, or of the day after it."""
    if not typed[name]:
        return None
    try:
        return at_local(read_day(typed[name], name) + later, time(), name)
    except Failure as failure:
        failures.append(failure.beside_its_field())
        return None


def _readable(filters: _Filters) -> _Filters:
    """A file is of what was asked for, or there is none. Raises Failure."""
    if filters.failures:
        raise filters.failures[0]
    return filters


async def _members(
    visit: Visit, filters: _Filters, found: Seen[Any], also: set[str] | frozenset[str] = frozenset()
) -> Mapping[str, str]:
    """Who may be chosen, and whoever stands in these lines."""
    named = set(filter(None, (filters.asked.referent, *(whose.referent for whose, _ in found.lines)))) | also
    return await staff.referents(visit.connection, visit.visitor.sites, named)


def _shared(visit: Visit, filters: _Filters, members: Mapping[str, str]) -> dict[str, Any]:
    labels = {"de": visit.say("À partir du"), "a": visit.say("Jusqu'au")}
    return {
        "typed": filters.typed, "failures": filters.failures, "labels": labels, "choosable": mine_first(visit, members),
        "address": lambda: address_of(visit), "most": MOST, "again": visit.admitted(OVERSEEING),
        "words": lambda line: _words(visit, line),
    }  # fmt: skip


def _words(visit: Visit, line: OwedLine | DutiesLine) -> str:
    return capital(line.en if visit.lang == "en" else line.fr)


def _written(at: datetime | None) -> str:
    """An instant as a spreadsheet reads it, in the hour of Paris."""
    return at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if at is not None else ""


def _looked(visit: Visit) -> None:
    """The files of all were looked into, as far as one sees them: noted."""
    visit.house.looked(Read(visit.visitor.id, tuple(visit.visitor.roles), None, "audit", "web"))
