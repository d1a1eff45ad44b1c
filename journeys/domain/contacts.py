"""Contacts: a fixed grid of windows, one contact made in each."""

from datetime import date, datetime

from journeys.domain import chases, escalation
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import Subject
from journeys.domain.plan import Window, grid, opening
from journeys.domain.programme import Contact
from journeys.domain.sending import SPREAD


def about(code: str) -> Subject:
    return Subject(kind="contact", id=code)


def log(work: Deciding, body: c.LogContact) -> None:
    contact = _known(work, body.contact)
    if body.means not in contact.means:
        raise Refusal("unknown-means", means=body.means, known=", ".join(contact.means))
    made(work, body.contact, body.means)


def made(work: Deciding, code: str, means: str) -> None:
    """A contact was made on the day told."""
    open_for(work, code, work.day)
    work.fact(found(work, code, means, work.day))
    escalation.resolve_about(work, about(code), "contact-made")
    if work.book.line(work.book.programme.contacts[code].by) in chases.CASEWORKERS:
        chases.heard_of(work, "contact-made")


def open_for(work: Deciding, code: str, day: date) -> None:
    """A contact on a day of the window that comes next opens it, where its own moment has not come: early in the
    morning, or in the minutes after the opening hour over which openings are spread."""
    at = work.state.moments.get(opening(code))
    if at is None or work.state.suspended is not None or day > work.today:
        return
    window = _next(work, code, at)
    if window is not None and _holds(work, window, day):
        work.follow(_opened(work, code, window), "contact")


def found(work: Deciding, code: str, means: str, day: date) -> e.ContactMade | e.ContactCorrected | e.ContactLogged:
    """What a contact on a day stands for: the open window, one that was missed, or a contact besides."""
    known = work.state.contacts.get(code)
    if known is not None and known.open and day >= work.book.calendar.day(known.opens):
        return e.ContactMade(contact=code, window=known.window, means=means)
    window = _window_of(work, code, day)
    if known is not None and window is not None and window.number in known.missed:
        return e.ContactCorrected(contact=code, window=window.number, to="made", means=means)
    return e.ContactLogged(contact=code, means=means)


def correct(work: Deciding, body: c.Correct) -> None:
    """`correct` for a contact: a window's contact was made after all, or was not."""
    _known(work, body.id)
    known = work.state.contacts.get(body.id)
    number = body.window or (known.window if known is not None else 0)
    if known is None or number > known.window or (number == known.window and known.open):
        raise Refusal("unknown-window", window=number)
    was_missed = number in known.missed
    if body.to not in ("made", "missed") or (body.to == "missed") == was_missed:
        raise Refusal("correct-to", known="made" if was_missed else "missed")
    to = body.to
    work.fact(
        e.ContactCorrected(contact=body.id, window=number, to="made" if to == "made" else "missed", means=body.means)
    )
    if to == "made":
        escalation.resolve_about(work, about(body.id), "contact-made")


def take_opening(work: Deciding, key: str, at: datetime) -> None:
    """A window opens, at this journey's own moment. After an outage it is the first that was owed; those that are over
    are missed with it."""
    code = key.split("/")[1]
    window = _next(work, code, at)
    if window is None:
        work.due(e.MomentsPlanned(set={}, dropped=(key,)), "contact-grid", at)
        return
    work.due(_opened(work, code, window), "contact", at)


def _next(work: Deciding, code: str, at: datetime) -> Window | None:
    """The window that opens at the moment planned."""
    known = work.state.contacts.get(code)
    after = known.window if known is not None else 0
    windows = grid(work.state, work.book, code, after)
    return next((window for window in windows if work.spread(window.opens, SPREAD) >= at), None)


def _opened(work: Deciding, code: str, window: Window) -> e.ContactDue:
    closes = work.spread(window.closes, SPREAD)
    return e.ContactDue(contact=code, window=window.number, opens=window.opens, closes=closes)


def take_closing(work: Deciding, code: str, at: datetime) -> None:
    """A window closes without a contact; one missed contact stands for a whole span after an outage."""
    contact = work.book.programme.contacts[code]
    known = work.state.contacts[code]
    over = [w for w in grid(work.state, work.book, code, known.window) if w.closes <= work.now]
    work.due(e.ContactMissed(contact=code, window=known.window, spans=1 + len(over)), "contact", at)
    if contact.missed is not None:
        escalation.raise_about(work, contact.missed, about(code))


def cancel_open(work: Deciding, why: str, by: str | None = None) -> None:
    """Cancel open windows (of the contacts of one line of the rights table)."""
    for code, known in list(work.state.contacts.items()):
        if known.open and (by is None or work.book.line(work.book.programme.contacts[code].by) == by):
            work.follow(e.ContactCancelled(contact=code, window=known.window, why=why), "contact")


def _window_of(work: Deciding, code: str, day: date) -> Window | None:
    """The window that holds a day."""
    return next((window for window in grid(work.state, work.book, code) if _holds(work, window, day)), None)


def _holds(work: Deciding, window: Window, day: date) -> bool:
    calendar = work.book.calendar
    return calendar.day(window.opens) <= day <= calendar.day(window.closes)


def _known(work: Deciding, code: str) -> Contact:
    contact = work.book.programme.contacts.get(code)
    if contact is None:
        raise Refusal("unknown-contact", contact=code, known=", ".join(work.book.programme.contacts))
    return contact
