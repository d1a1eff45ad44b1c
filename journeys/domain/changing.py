"""Other rules for a journey under way: what is open and has no place in them is ended, what has one goes on.

A code means the same before and after: a milestone of the same code is the same milestone, whatever else is said of it.
"""

from journeys.domain import commands as c
from journeys.domain import escalation, milestones, release
from journeys.domain import events as e
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import Subject
from journeys.domain.handbook import Handbook
from journeys.domain.programme import Contact
from journeys.domain.state import Escalation, Status

WHY = milestones.OTHER_RULES


def change(work: Deciding, body: c.ChangeProgramme) -> None:
    before, after = work.book, work.shelf.get((body.programme, body.calendar))
    if after is None:
        raise Refusal("unknown-programme")
    if (body.programme, body.calendar) == (work.state.programme, work.state.calendar):
        raise Refusal("same-programme", programme=after.programme.programme)
    _must_fit(work, body, after)
    other = _other_grids(work, before, after)
    work.fact(
        e.ProgrammeChanged(
            name=after.programme.programme, programme=body.programme, calendar=body.calendar,
            before=work.state.programme, watch_from=body.watch_from, grids=other,
        )
    )  # fmt: skip
    work.book = after
    _end_phases(work)
    _end_dates(work, body)
    _end_windows(work, other)
    _end_alerts(work, before)


def _must_fit(work: Deciding, body: c.ChangeProgramme, after: Handbook) -> None:
    """Refuse what would leave money, a check or the beginning of the journey without rules."""
    programme, state = after.programme, work.state
    unknown = sorted(body.dates.keys() - programme.dates.keys())
    if unknown:
        raise Refusal("unknown-date", date=unknown[0], known=", ".join(programme.dates))
    for name, on in body.dates.items():
        known = state.dates.get(name)
        if known is not None and not known.cancelled:
            raise Refusal("date-expected", date=name, on=known.on.isoformat())
        if on < work.today:
            raise Refusal("date-passed", date=name, on=on.isoformat())
    begins = programme.active_from
    waits = state.status is Status.PLANNED and begins != "start"
    if waits and begins not in body.dates and (begins not in state.dates or state.dates[begins].cancelled):
        raise Refusal("date-missing", date=begins)
    for grant in state.grants.values():
        if grant.kind not in programme.grants:
            raise Refusal("grant-without-rules", grant=grant.kind, programme=programme.programme)
    for code, milestone in state.milestones.items():
        if milestone.checking is not None and code not in programme.milestones:
            raise Refusal("check-under-way", milestone=code)


def _other_grids(work: Deciding, before: Handbook, after: Handbook) -> tuple[str, ...]:
    """Contacts of the journey that both or only the new rules have, in other windows than before."""
    known, told = before.programme.contacts, after.programme.contacts
    return tuple(code for code in work.state.contacts if code in told and not _same_grid(known.get(code), told[code]))


def _same_grid(before: Contact | None, after: Contact) -> bool:
    return before is not None and (before.start, before.cadence) == (after.start, after.cadence)


def _end_phases(work: Deciding) -> None:
    for code, phase in work.state.phases.items():
        if not phase.completed and code not in work.book.programme.phases:
            work.follow(e.PhaseCompleted(phase=code), WHY)


def _end_dates(work: Deciding, body: c.ChangeProgramme) -> None:
    for name, known in list(work.state.dates.items()):
        if known.open and name not in work.book.programme.dates:
            work.follow(e.DateCancelled(date=name, why=WHY), WHY)
            escalation.resolve_about(work, release.date_about(name), WHY)
    for name, on in body.dates.items():
        work.follow(e.DateExpected(date=name, on=on), WHY)


def _end_windows(work: Deciding, other_grids: tuple[str, ...]) -> None:
    """An open window stays open only on the grid that opened it."""
    for code, known in list(work.state.contacts.items()):
        if known.open and (code in other_grids or code not in work.book.programme.contacts):
            work.follow(e.ContactCancelled(contact=code, window=known.window, why=WHY), WHY)


def _end_alerts(work: Deciding, before: Handbook) -> None:
    """An alert about what has no place any more ends; one whose ladder reads otherwise begins that ladder anew."""
    for id, known in list(work.state.escalations.items()):
        if not _has_place(work, known.about):
            work.follow(e.EscalationResolved(escalation=id, how=WHY), WHY)
        elif not _same_ladder(work, before, known):
            work.follow(e.EscalationResolved(escalation=id, how=WHY), WHY)
            named = known.ladder if known.ladder in work.book.programme.ladders else None
            escalation.raise_about(work, named, known.about, held=known.held, rule=WHY, to=known.assigned)


def _has_place(work: Deciding, about: Subject) -> bool:
    programme = work.book.programme
    match about.kind:
        case "milestone":
            return about.id in programme.milestones
        case "contact":
            return about.id in programme.contacts
        case _:
            return True


def _same_ladder(work: Deciding, before: Handbook, known: Escalation) -> bool:
    old, new = before.programme.ladders.get(known.ladder), work.book.programme.ladders.get(known.ladder)
    return new is not None and old == new
