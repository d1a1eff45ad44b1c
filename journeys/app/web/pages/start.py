"""Starting a journey: who, what the programme will do and when, check your answers, receipt."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.failures import Failure, usage
from journeys.app.people_file import details_of, wrong_in
from journeys.app.publishing import Rules, programme_text_of, rules
from journeys.app.reading import read_day, today_of
from journeys.app.starting import Beginning, Enrolled, Starter
from journeys.app.telling import refused_failure, unanswered
from journeys.app.web.pages.commands import journey_told
from journeys.app.web.pages.programmes import known_programmes
from journeys.app.web.policy import CASEWORK, STAFF
from journeys.app.web.rendering import go, page
from journeys.app.web.resending import Sent, resend_page
from journeys.app.web.visit import Visit, door
from journeys.audit.reading import Recorded
from journeys.domain.agenda import agenda
from journeys.domain.events import MessageDue
from journeys.domain.handbook import Handbook
from journeys.domain.offer import make_offer
from journeys.domain.programme import Programme
from journeys.domain.state import State
from journeys.i18n import capital
from journeys.identifiers import is_uuid, uuid7
from journeys.narration import what_happens_next
from journeys.store import staff, views
from journeys.temporal import Unreachable

router = APIRouter()

ABOUT_PERSON: Final = (
    "first_name", "last_name", "birth_date", "reference", "email", "phone", "language", "place", "languages",
    "interests",
)  # fmt: skip
NAMES: Final = ("first_name", "last_name")
SHOWN_DUES: Final = 12
SHOWN_FIRST: Final = 6
AT_FIRST: Final = timedelta(minutes=1)
"""What is owed so soon after the beginning belongs to it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A milestone of the preview with its day; `after`: it counts from a date that is only expected."""

    label: str
    at: datetime | None
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the programme will do, were the journey to begin now."""

    stages: tuple[Stage, ...]
    coming: tuple[str, ...]


@router.get("/nouveau")
async def form(visit: Visit = door(CASEWORK)) -> Response:
    typed = dict(visit.request.query_params)
    return await _form(visit, {"programme": "", "referent": visit.visitor.id, **typed})


@router.post("/nouveau")
async def check(visit: Visit = door(CASEWORK)) -> Response:
    """Read the form, try the plan against the rules, and show what would happen. Nothing is recorded yet."""
    typed = await _typed(visit)
    if typed.get("again"):
        return await _form(visit, typed)
    id = typed.get("journey", "")
    if is_uuid(id) and await views.journey(visit.connection, id) is not None:
        return go(f"/parcours/{id}/debut")
    id = id if is_uuid(id) else uuid7(visit.now)
    try:
        starter, wanted = await _read(visit, typed)
        wanted = await starter.at_home(wanted, await starter.known(wanted.details))
        preview = _preview(visit, starter, wanted)
    except _Several as several:
        return await _form(visit, typed, several.failures, 422)
    except Failure as failure:
        return await _form(visit, typed, [failure], 422)
    if typed.get("sure") != "yes":
        dates = [(starter.rules.programme.dates[name], day) for name, day in wanted.dates.items()]
        return page(
            visit, "start-check.html", typed=typed, wanted=wanted, rules=starter.rules, preview=preview, dates=dates,
            journey=uuid7(visit.now),
        )  # fmt: skip
    await visit.done()
    visit.house.forget_programmes()
    try:
        engine = await visit.house.client()
        begun = await starter.begin(engine, visit.house.settings.task_queue, wanted, visit.now, id)
    except Failure as failure:
        return await _form(visit, typed, [failure], 422)
    except Unreachable as error:
        return resend_page(visit, unanswered(error.fate, error.command_id), Sent({**typed, "journey": id}))
    return go(f"/parcours/{begun.id}/debut")


@router.get("/parcours/{id}/debut")
async def receipt(id: str, visit: Visit = door(STAFF)) -> Response:
    """What was begun: its number, who and what, what comes first, who was told. Opened again it does nothing."""
    told: dict[str, int] = {}

    def choose(events: Sequence[Recorded], _: Handbook) -> Container[int]:
        told.update(_messages(events))
        return set(told.values())

    loaded, names, story = await journey_told(visit, id, choose)
    begun = loaded.events[0]
    return page(
        visit, "start-receipt.html", row=loaded.row, state=loaded.state, begun=begun,
        programme=loaded.book.programme, names=names, by=names.get(begun.actor, ""),
        coming=story.coming[:SHOWN_FIRST], messages=[each.text for day in story.days for each in day.told],
    )  # fmt: skip


def _messages(events: Sequence[Recorded]) -> dict[str, int]:
    """The messages that the beginning called for, each with the seq of the last that is known of it."""
    begun = events[0].recorded_at
    last: dict[str, int] = {}
    for event in events:
        message = getattr(event.data, "message", None)
        if message in last or (isinstance(event.data, MessageDue) and event.recorded_at - begun < AT_FIRST):
            last[str(message)] = event.seq
    return last


class _Several(Exception):
    def __init__(self, failures: list[Failure]) -> None:
        super().__init__(len(failures))
        self.failures = failures


async def _typed(visit: Visit) -> dict[str, str]:
    return {key: value.strip() for key, value in (await visit.request.form()).items() if isinstance(value, str)}


async def _form(
    visit: Visit, typed: Mapping[str, str], failures: list[Failure] | None = None, status: int = 200
) -> Response:
    programmes = await known_programmes(visit)
    programme = programmes.get(typed.get("programme", ""))
    dates = programme.dates if programme is not None else {}
    members = [each for each in await staff.members(visit.house.writing) if each.active and "referent" in each.roles]
    return page(
        visit, "start.html", status, typed=typed,
        failures=[failure.beside_its_field() for failure in failures or []], programmes=programmes,
        programme=programme, members=members, sites=visit.visitor.sites,
        inputs=labels(visit) | {f"date-{code}": each.label.in_(visit.lang) for code, each in dates.items()},
    )  # fmt: skip


async def _read(visit: Visit, typed: Mapping[str, str]) -> tuple[Starter, Beginning]:
    """The beginning that was typed. Raises _Several, Failure."""
    wrong: list[Failure] = []
    for name in ("programme", "first_name", "last_name", "referent"):
        if not typed.get(name):
            wrong.append(usage("missing", "à remplir", "to be filled in", field=name))
    about = {name: typed[name] for name in ABOUT_PERSON if typed.get(name)}
    wrong += wrong_in(about, _FIELDS)
    known = typed.get("programme", "")
    found: Rules | None = None
    dates: dict[str, date] = {}
    # A name only: on the command line a programme may also be a path, which a visitor must not name.
    if known and known not in await known_programmes(visit):
        wrong.append(usage("choose", "choisissez dans la liste", "choose from the list", field="programme"))
    elif known:
        text = await programme_text_of(visit.house.writing, known)
        found = rules(text, today_of(visit.now))
        for name in found.programme.dates:
            if typed.get(f"date-{name}"):
                day = _noted(wrong, lambda name=name: read_day(typed[f"date-{name}"], f"date-{name}"))
                if day is not None:
                    dates[name] = day
    referent = typed.get("referent", "")
    leader = await staff.member(visit.house.writing, referent) if is_uuid(referent) else None
    if typed.get("referent") and leader is None:
        wrong.append(usage("choose", "choisissez dans la liste", "choose from the list", field="referent"))
    if wrong or found is None or leader is None:
        raise _Several(wrong)
    house, details = visit.house, details_of(about, _FIELDS)
    wanted = Beginning(details=details, referent=leader, dates=dates, site=typed.get("site") or None)
    return Starter(house.writing, house.ring, found, visit.actor), wanted


_FIELDS: Final = {name: name for name in ABOUT_PERSON}


def _noted(wrong: list[Failure], read: Any) -> Any:
    try:
        return read()
    except Failure as failure:
        wrong.append(failure)
        return None


def _preview(visit: Visit, starter: Starter, wanted: Beginning) -> Preview:
    """The plan decided by the pure core, unsent. Raises Failure when a rule or right refuses it."""
    now, book = visit.now, starter.rules.book
    command = starter.planned(wanted, Enrolled(uuid7(now), wanted.details.zone), uuid7(now), now)
    offer = make_offer(State(stream=command.stream), book, [command], [], now)
    if offer.decided and (refused := offer.decided[0].refused) is not None:
        raise refused_failure(refused.code, refused.details, book)
    state = offer.state
    due = {known.milestone: known for known in state.deadlines.values()}
    stages = [
        Stage(
            capital(milestone.label.in_(visit.lang)),
            due[code].at if code in due else None,
            _after(visit, book.programme, due[code].awaits if code in due else None),
        )
        for code, milestone in book.programme.milestones.items()
    ]
    names = {wanted.referent.id: wanted.referent.name}
    coming = [capital(what_happens_next(each, state, book, names, visit.lang)) for each in agenda(state)[:SHOWN_DUES]]
    return Preview(tuple(sorted(stages, key=lambda stage: (stage.at is None, stage.at or now))), tuple(coming))


def _after(visit: Visit, programme: Programme, awaits: str | None) -> str:
    if awaits is None:
        return ""
    return visit.say("si {date} a lieu ce jour-là", date=programme.dates[awaits].label.in_(visit.lang))


def labels(visit: Visit) -> dict[str, str]:
    """What each field about a person, and of a beginning, is called."""
    say = visit.say
    return {
        "programme": say("Programme"), "first_name": say("Prénom"), "last_name": say("Nom"),
        "birth_date": say("Date de naissance"), "reference": say("Votre référence"), "email": say("Courriel"),
        "phone": say("Téléphone"), "place": say("Ville"), "languages": say("Langues parlées"),
        "interests": say("Centres d'intérêt"), "language": say("Langue des messages"), "referent": say("Référent"),
        "site": say("Site"),
    }  # fmt: skip
