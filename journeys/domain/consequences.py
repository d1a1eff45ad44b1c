"""What follows by itself from a fact: activation, phases, milestones found reached, and the new plan."""

from datetime import datetime

from journeys.domain import chases, milestones, release
from journeys.domain import events as e
from journeys.domain.deciding import Deciding
from journeys.domain.milestones import NOTHING_NEW, Began
from journeys.domain.plan import EVERY, SPREADS, moments
from journeys.domain.sending import SPREAD
from journeys.domain.state import Status


def settle(work: Deciding, began: Began = NOTHING_NEW) -> None:
    """Bring a journey to rest after a change."""
    if work.state.chases and work.state.is_open:
        chases.letters_that_never_left(work)
    # All else follows from what plans hang on: when nothing of that has changed, the journey is at rest already.
    if not work.moved or work.state.status is Status.NONE:
        return
    if work.state.is_open:
        while _moves_on(work) or milestones.reach_what_holds(work):
            pass
    if EVERY in work.moved and work.state.is_open:
        _replan_deadlines(work, began)
    _replan_moments(work)
    work.moved.clear()


def _moves_on(work: Deciding) -> bool:
    """Activate the journey, or move a phase. They hang on dates, milestones and phases, as plans do."""
    return EVERY in work.moved and (release.activate(work) or _move_phases(work))


def _move_phases(work: Deciding) -> bool:
    """Enter or complete one phase whose condition holds. True when there was one."""
    for code, phase in work.book.programme.phases.items():
        known = work.state.phases.get(code)
        if known is None and phase.enter_when and all(work.state.settled(m) for m in phase.enter_when):
            work.follow(e.PhaseEntered(phase=code, on=work.day), "enter-when", work.occurred_at)
            return True
        if known is None and phase.enter is None and not phase.enter_when and work.state.status is not Status.PLANNED:
            work.follow(e.PhaseEntered(phase=code, on=work.day), "active", work.occurred_at)
            return True
        if (
            known is not None
            and not known.completed
            and phase.leave_when
            and all(work.state.settled(m) for m in phase.leave_when)
        ):
            work.follow(e.PhaseCompleted(phase=code), "leave-when", work.occurred_at)
            return True
    return False


def take_phase(work: Deciding, key: str, at: datetime) -> None:
    """The moment has come at which a phase begins or ends."""
    _, code, way = key.split("/")
    if way == "enter":
        work.due(e.PhaseEntered(phase=code, on=work.book.calendar.day(at)), "phase", at)
    else:
        work.due(e.PhaseCompleted(phase=code), "phase", at)


def _replan_deadlines(work: Deciding, began: Began) -> None:
    """Plan again while deadlines that hang on others move: at most once for each milestone."""
    programme = work.book.programme
    for _ in programme.milestones:
        if not milestones.replan(work, began) or not programme.counted_from_due:
            return
        began = NOTHING_NEW


def _replan_moments(work: Deciding) -> None:
    nominal, looked_at = moments(work.state, work.book, work.now, work.moved), tuple(work.moved)
    planned = {key: _own(work, key, at) for key, at in nominal.items()}
    dropped = tuple(sorted(key for key in work.state.moments if key.startswith(looked_at) and key not in planned))
    changed = {key: at for key, at in sorted(planned.items()) if work.state.moments.get(key) != at}
    if dropped or changed:
        work.follow(e.MomentsPlanned(set=changed, dropped=dropped), "plan")


def _own(work: Deciding, key: str, at: datetime) -> datetime:
    """A moment as it is recorded: what thousands of journeys plan for one hour, each has for its own moment of the
    minutes after, where their programme spreads what can be spread. One that is on record stays as it is."""
    return work.spread(at, SPREAD) if key.startswith(SPREADS) and work.state.moments.get(key) != at else at
