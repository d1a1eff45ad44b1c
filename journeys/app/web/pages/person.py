"""One person's journey on one page: what happens next, what was done, and the story so far."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import stopping
from journeys.app.allowing import may, not_for
from journeys.app.finding import Loaded
from journeys.app.giving import may_give
from journeys.app.hours import said_zone, zone_among
from journeys.app.inbox import Waiting, in_order, is_turn_of, waiting
from journeys.app.papers import may_write
from journeys.app.proposing import next_tries, to_try_again
from journeys.app.web.gantt import gantt
from journeys.app.web.lines import line, release_words
from journeys.app.web.pages.commands import journey, journey_told
from journeys.app.web.pages.details import STANDS_FOR as CORRECTS
from journeys.app.web.pages.documents import brought, holding, offered
from journeys.app.web.policy import STAFF, SUPERVISION
from journeys.app.web.rendering import page
from journeys.app.web.story import QUIET, told_days
from journeys.app.web.visit import Visit, door
from journeys.audit.narrating import PLUMBING
from journeys.audit.reading import Recorded
from journeys.domain.handbook import Handbook
from journeys.i18n import N_, capital
from journeys.narration import command_word, spoken
from journeys.narration.telling import Speech

router = APIRouter()

SHOWN_COMING = 8
SHOWN_DAYS = 12
OFTEN: Final = ("add-note", "log-contact", "book-appointment")
"""What is done most often stands at the top of the page as well."""
REFERRING: Final = "send-referral"
"""Whoever may refer somebody is shown whom to ask next."""

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        N_("Suivi"),
        ("add-note", "log-contact", "book-appointment", "answer-appointment", "add-evidence", "record-situation",
         "measure-outcome"),
    ),
    (
        N_("Étapes et dates"),
        ("reach-milestone", "waive-milestone", "reschedule-milestone", "expect-date", "move-date", "confirm-date",
         "cancel-date"),
    ),
    (N_("Aides"), ("request-grant", "change-grant", "cancel-grant", "submit-receipt")),
    (
        N_("Autour de la personne"),
        ("propose-mentor", "match-mentor", "end-mentor", "send-referral", "give-consent", "withdraw-consent",
         "record-wishes", "pause-messages", "resume-messages", "opt-out", "opt-in"),
    ),
    (
        N_("Le parcours"),
        ("suspend", "resume", "transfer", "assign-referent", "correct", "change-programme", "close", "reopen",
         "record-death", "request-erasure"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """A milestone with where it stands."""

    label: str
    state: str
    when: date | datetime | None
    tone: str
    optional: bool
    code: str


@router.get("/parcours/{id}")
async def screen(id: str, visit: Visit = door(STAFF)) -> Response:
    every = visit.request.query_params.get("tout") == "1"
    told: list[list[int]] = []
    shown: set[int] = set()

    def choose(events: Sequence[Recorded], book: Handbook) -> Container[int]:
        told.extend(_by_day(events, book, every))
        shown.update(seq for day in told[: None if every else SHOWN_DAYS] for seq in day)
        return shown | holding(events)

    loaded, names, story = await journey_told(visit, id, choose, None if every else SHOWN_COMING)
    place = loaded.row.place
    programmes = {**await visit.house.programmes(), loaded.row.programme: loaded.book.programme}
    zone = zone_among(visit.house.zones, loaded.state.site, loaded.book.programme)
    items = in_order(waiting(loaded.row, visit.now))
    mine = _mine(visit, loaded, items)
    speech = Speech(loaded.book, names, visit.lang, loaded.state)
    return page(
        visit, "person.html",
        loaded=loaded, row=loaded.row, state=loaded.state, book=loaded.book, names=names,
        title=_title(visit, loaded),
        lines=[line(visit, item, programmes, names, mine=item in mine) for item in items],
        steps=_steps(visit, loaded),
        coming=story.coming,
        coming_count=story.ahead,
        days=told_days(story.days, shown),
        day_count=len(told),
        speech=speech, zone=zone, where=said_zone(zone, visit.lang),
        actions=(actions := _actions(visit, loaded)), often=OFTEN,
        documents=brought(visit, loaded, story, speech),
        papers=offered(visit, loaded, story, speech),
        erases=stopping.may(visit.actor, "order-erasure") and visit.admitted(SUPERVISION),
        may={name: label for _, found in actions for name, label in found},
        every=every,
        picture=gantt(loaded, visit.now, visit.lang),
        again=to_try_again(loaded) if may(visit.actor, loaded, REFERRING) else [],
        version=loaded.state.seq,
        place=place,
        gives=may_give(visit.actor, loaded),
        corrects=may(visit.actor, loaded, CORRECTS) and not loaded.state.erasing,
        hands_over=visit.admitted(SUPERVISION) and not loaded.state.erasing,
        writes=loaded.state.is_open and may_write(visit.actor, loaded),
    )  # fmt: skip


@router.get("/parcours/{id}/relances")
async def next_ones(id: str, visit: Visit = door(STAFF)) -> Response:
    """Whom to ask where somebody said no: the person's page fetches this once it is shown, and it is a page itself."""
    loaded = await journey(visit, id)
    await visit.done()
    if not may(visit.actor, loaded, REFERRING):
        raise not_for(REFERRING, loaded.book.programme)
    return page(visit, "next-tries.html", row=loaded.row, tries=await next_tries(visit.house.writing, loaded))


def _mine(visit: Visit, loaded: Loaded, items: Sequence[Waiting]) -> list[Waiting]:
    """Those that are the visitor's to act on, however far away: by their turn, or because they supervise."""
    me, leads = visit.visitor, visit.actor.leads(loaded.state.referent)
    supervises = any(loaded.book.line(role) == "supervisor" for role in me.roles)
    return [item for item in items if supervises or is_turn_of(item, leads, frozenset((*me.roles, *me.leaders)), me.id)]


def _title(visit: Visit, loaded: Loaded) -> str:
    words = release_words(visit, loaded.row.summary)
    status = loaded.state.status.value
    if status == "closed":
        label = loaded.book.programme.closings.get(loaded.state.outcome or "")
        outcome = label.label.in_(visit.lang) if label is not None else spoken(loaded.state.outcome or "", visit.lang)
        return visit.say("parcours clos : {outcome}", outcome=outcome)
    if status == "suspended":
        return visit.say("parcours suspendu")
    return words or spoken(status, visit.lang)


def _steps(visit: Visit, loaded: Loaded) -> list[Step]:
    """Milestones in the programme's order."""
    state = loaded.state
    due = {known.milestone: known.at for known in state.deadlines.values()}
    steps = []
    for code, known in loaded.book.programme.milestones.items():
        here = state.milestones.get(code)
        optional = not known.required
        label = capital(known.label.in_(visit.lang))
        if here is not None and here.settled == "reached":
            steps.append(Step(label, visit.say("fait"), here.on, "done", optional, code))
        elif here is not None and here.settled == "waived":
            steps.append(Step(label, visit.say("dispensé"), here.on, "done", optional, code))
        elif here is not None and here.missed is not None:
            steps.append(Step(label, visit.say("en retard"), here.missed_day, "late", optional, code))
        elif code in due:
            steps.append(Step(label, visit.say("à faire"), due[code], "soon", optional, code))
        else:
            steps.append(Step(label, visit.say("plus tard"), None, "calm", optional, code))
    return steps


def _by_day(events: Sequence[Recorded], book: Handbook, every: bool) -> list[list[int]]:
    """The seqs that are told, by day, the newest first: what people did and what it led to, or all but the plumbing."""
    left_out = frozenset(PLUMBING if every else (*QUIET, *PLUMBING))
    days: dict[date, list[int]] = {}
    for event in reversed(events):
        if type(event.data) not in left_out:
            days.setdefault(book.calendar.day(event.recorded_at), []).append(event.seq)
    return list(days.values())


def _actions(visit: Visit, loaded: Loaded) -> list[tuple[str, list[tuple[str, str]]]]:
    """What this visitor may do here, by subject; a right that only holds on one's own journeys counts there."""
    state, programme = loaded.state, loaded.book.programme
    closed = state.status.value == "closed"
    suspended = state.status.value == "suspended"

    def fits(command: str) -> bool:
        if state.erasing:
            return False
        match command:
            case "reopen":
                return closed
            case "resume":
                return suspended
            case "suspend":
                return not closed and not suspended
            case "end-mentor":
                return state.match is not None
            case "match-mentor":
                return bool(state.proposals)
            case "change-grant" | "cancel-grant":
                return any(grant.over is None for grant in state.grants.values())
            case "submit-receipt":
                return any(receipt.settled is None for receipt in state.receipts.values())
            case "request-grant":
                return bool(programme.grants) and not closed
            case "opt-in":
                return state.opted_out
            case "opt-out" | "record-wishes" | "withdraw-consent" | "correct" | "request-erasure":
                return True
            case "answer-appointment":
                return any(each.outcome is None and each.at > visit.now for each in state.appointments.values())
            case "resume-messages":
                return state.paused_until is not None
            case _:
                return not closed

    groups = [
        (
            visit.say(title),
            [
                (name, capital(command_word(name, visit.lang)))
                for name in names
                if may(visit.actor, loaded, name) and fits(name)
            ],
        )
        for title, names in GROUPS
    ]
    return [(title, found) for title, found in groups if found]
