"""What cannot work in a programme although every line of it can be read: `journeys programme validate`.

Each rule says where (a path into the programme), what (a code) and with which names; the sentences that a
person reads are in `journeys.authoring.wording`. Nothing here guesses: moments are compared only when they
hang on the same anchor, and only when they are in the wrong order on every calendar.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from journeys.domain.moments import Anchor, AnchorKind, Duration, Moment, Side, Unit
from journeys.domain.programme import Check, Grant, Guard, Ladder, Milestone, Path, Phase, Programme, Step
from journeys.domain.rights import ROLES, Scope, right

Params = str | int | tuple[str, ...]

RIGHTS_LINES = frozenset(ROLES) - {"administrator"}
"""Lines of the rights table that a role of a programme can have; administrators serve all programmes."""
APPROVERS = frozenset(line for line in RIGHTS_LINES if right(line, "approve-grant") is not Scope.NEVER)
"""Lines that may approve a grant."""
REQUESTERS = frozenset(line for line in RIGHTS_LINES if right(line, "request-grant") is not Scope.NEVER)
"""Lines that may ask for a grant."""
REACHABLE = frozenset({"referent", "supervisor", "finance", "mentor", "duty"})
"""Lines to whom an escalation may go: people who act for the association."""
MENTOR = "mentor"
"""The line of the rights table whose contacts begin once a match is made."""
LAST_RESORT = "duty"
"""The line of the rights table that is never vacant."""
MOST_WINDOWS = 1_000
"""Contact windows of one grid: a journey keeps each of them."""
MOST_CYCLES = 20
"""Cycles told at once: who has more has one mistake, many times."""
UNKNOWN = "unknown"
"""Allowed for every situation, and never a good value."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """Something that cannot work (`error`) or that its author has probably not meant (`warning`)."""

    path: Path
    code: str
    params: dict[str, Params] = field(default_factory=dict)
    severity: Literal["error", "warning"] = "error"


Templates = Mapping[str, frozenset[str]]
"""Templates that suit a reminder, by name: for whom each has words (participant, volunteer, staff)."""


def findings(programme: Programme, templates: Templates) -> list[Impossible]:
    """Everything that cannot work. `templates` are those that suit a reminder.

    Returns an empty list for a programme that can run. Never raises.
    """
    return [
        *_clock(programme),
        *_names(programme, templates),
        *_reminded(programme, templates),
        *_roles(programme),
        *_cycles(programme),
        *_moments(programme),
        *_phases(programme),
        *_milestones(programme),
        *_dues(programme),
        *_contacts(programme),
        *_chases(programme),
        *(found for name, ladder in programme.ladders.items() for found in _ladder(programme, name, ladder)),
        *(found for name, grant in programme.grants.items() for found in _grant(programme, name, grant)),
        *_end(programme),
    ]


def rights_of(programme: Programme, role: str) -> str | None:
    """The line of the rights table for a role of this programme; None when it has none."""
    written = programme.roles.get(role)
    if written is None:
        return None
    return written.rights or (role if role in RIGHTS_LINES else None)


# Names


def _names(programme: Programme, templates: Templates) -> Iterator[Impossible]:
    known = _known(programme, templates)
    for path, kind, name in _uses(programme):
        if name not in known[kind]:
            yield Impossible(path, f"unknown-{kind}", {"name": name, "known": known[kind]})
    for path, moment in programme.moments():
        yield from _anchor(programme, path, moment.anchor)
    yield from _situation_values(programme)
    for kind in ("dates", "milestones", "phases"):
        if "start" in getattr(programme, kind):
            yield Impossible((kind, "start"), "reserved-name", {"name": "start"})


def _known(programme: Programme, templates: Templates) -> dict[str, tuple[str, ...]]:
    return {
        "template": tuple(sorted(templates)),
        "date": ("start", *programme.dates),
        "role": tuple(programme.roles),
        "milestone": tuple(programme.milestones),
        "phase": tuple(programme.phases),
        "ladder": tuple(programme.ladders),
        "situation": tuple(programme.situations),
        "closing": tuple(programme.closings),
    }


def _uses(programme: Programme) -> Iterator[tuple[Path, str, str]]:
    """Each place that names something: path, kind, name."""
    yield ("active_from",), "date", programme.active_from
    for name, phase in programme.phases.items():
        yield from _each(("phases", name, "enter_when"), "milestone", phase.enter_when)
        yield from _each(("phases", name, "leave_when"), "milestone", phase.leave_when)
    for name, milestone in programme.milestones.items():
        yield from _uses_of_milestone(("milestones", name), milestone)
    for name, contact in programme.contacts.items():
        yield ("contacts", name, "by"), "role", contact.by
    for name, ladder in programme.ladders.items():
        for at, step in enumerate(ladder.steps):
            here = ("ladders", name, "steps", at)
            yield (*here, "to"), "role", step.to
            yield from _each((*here, "fallback"), "role", step.fallback)
    for name, grant in programme.grants.items():
        yield from _each(("grants", name, "requested_by"), "role", grant.requested_by)
        for at, level in enumerate(grant.levels):
            yield from _each(("grants", name, "levels", at, "approvals"), "role", level.approvals)
    for name, measure in programme.measures.items():
        yield ("measures", name, "situation"), "situation", measure.situation
    for name, guard in programme.guards.items():
        yield ("guards", name, "situation"), "situation", guard.situation
        yield from _each(("guards", name, "needs"), "milestone", guard.needs)
    yield from _ladders_used(programme)


def _uses_of_milestone(here: Path, milestone: Milestone) -> Iterator[tuple[Path, str, str]]:
    yield from _each((*here, "needs"), "milestone", milestone.needs)
    if milestone.phase is not None:
        yield (*here, "phase"), "phase", milestone.phase
    if milestone.situation is not None:
        yield (*here, "situation"), "situation", milestone.situation
    if milestone.closes is not None:
        yield (*here, "closes"), "closing", milestone.closes
    for at, reminder in enumerate(milestone.remind):
        yield (*here, "remind", at, "to"), "role", reminder.to
        yield (*here, "remind", at, "template"), "template", reminder.template


def _ladders_used(programme: Programme) -> Iterator[tuple[Path, str, str]]:
    for kind in ("dates", "milestones", "contacts", "grants"):
        for name, part in getattr(programme, kind).items():
            if part.missed is not None:
                yield (kind, name, "missed"), "ladder", part.missed
    for at, chase in enumerate(programme.appointments.missed):
        if chase.ladder is not None:
            yield ("appointments", "missed", at, "ladder"), "ladder", chase.ladder
    if programme.appointments.summons_missed is not None:
        yield ("appointments", "summons_missed"), "ladder", programme.appointments.summons_missed
    if programme.referrals.missed is not None:
        yield ("referrals", "missed"), "ladder", programme.referrals.missed
    if programme.suspension_missed is not None:
        yield ("suspension_missed",), "ladder", programme.suspension_missed


def _each(path: Path, kind: str, names: Iterable[str]) -> Iterator[tuple[Path, str, str]]:
    for at, name in enumerate(names):
        yield (*path, at), kind, name


def _anchor(programme: Programme, path: Path, anchor: Anchor) -> Iterator[Impossible]:
    match anchor.kind:
        case AnchorKind.START:
            return
        case AnchorKind.DATE if anchor.name in programme.dates:
            return
        case AnchorKind.DATE if anchor.name in programme.milestones:
            yield Impossible(path, "bare-milestone", {"name": anchor.name})
        case AnchorKind.DATE if anchor.name in programme.phases:
            yield Impossible(path, "bare-phase", {"name": anchor.name})
        case AnchorKind.DATE:
            yield Impossible(path, "unknown-date", {"name": anchor.name, "known": ("start", *programme.dates)})
        case AnchorKind.PHASE if anchor.name not in programme.phases:
            yield Impossible(path, "unknown-phase", {"name": anchor.name, "known": tuple(programme.phases)})
        case AnchorKind.MILESTONE_REACHED | AnchorKind.MILESTONE_DUE if anchor.name not in programme.milestones:
            known = tuple(programme.milestones)
            yield Impossible(path, "unknown-milestone", {"name": anchor.name, "known": known})
        case AnchorKind.MILESTONE_DUE if programme.milestones[anchor.name].due is None:
            yield Impossible(path, "anchor-without-due", {"name": anchor.name})


def _situation_values(programme: Programme) -> Iterator[Impossible]:
    for kind in ("milestones", "measures"):
        for name, part in getattr(programme, kind).items():
            values = programme.situations.get(part.situation or "")
            if values is None:
                continue
            for at, value in enumerate(part.good):
                here = (kind, name, "good", at)
                if value == UNKNOWN:
                    yield Impossible(here, "unknown-is-good", {"known": values})
                elif value not in values:
                    params: dict[str, Params] = {"name": value, "situation": part.situation, "known": values}
                    yield Impossible(here, "unknown-value", params)
    for name, guard in programme.guards.items():
        yield from _guard(programme, name, guard)
    for name, values in programme.situations.items():
        if not values:
            yield Impossible(("situations", name), "empty-list")


def _guard(programme: Programme, name: str, guard: Guard) -> Iterator[Impossible]:
    values = (*programme.situations.get(guard.situation, guard.bars), UNKNOWN)
    for at, value in enumerate(guard.bars):
        if value not in values:
            params: dict[str, Params] = {"name": value, "situation": guard.situation, "known": values[:-1]}
            yield Impossible(("guards", name, "bars", at), "unknown-value", params)
    if guard.when is not None and guard.when not in programme.dates:
        known = tuple(programme.dates)
        yield Impossible(("guards", name, "when"), "unknown-date", {"name": guard.when, "known": known})
    if guard.under is not None and guard.when is None:
        yield Impossible(("guards", name, "under"), "age-without-date", {})


# Reminders

_READS: Mapping[str, str] = {"participant": "participant", "mentor": "volunteer"}
"""For whom a template must have words, by the line of whoever is reminded; staff for every other one."""


def _reminded(programme: Programme, templates: Templates) -> Iterator[Impossible]:
    """Reminders that would reach nobody: no such role can be written to, or the template has no words for it."""
    reminded = _reminded_roles(programme)
    for name, milestone in programme.milestones.items():
        for at, reminder in enumerate(milestone.remind):
            here: Path = ("milestones", name, "remind", at)
            line = rights_of(programme, reminder.to)
            if line is None:
                continue
            if reminder.to not in reminded:
                told: dict[str, Params] = {"name": reminder.to, "known": reminded}
                yield Impossible((*here, "to"), "reminds-nobody", told)
                continue
            reader, words = _READS.get(line, "staff"), templates.get(reminder.template)
            if words is not None and reader not in words:
                known = tuple(sorted(each for each, readers in templates.items() if reader in readers))
                params: dict[str, Params] = {"name": reminder.template, "role": reminder.to, "known": known}
                yield Impossible((*here, "template"), "reminder-without-words", params)


def _reminded_roles(programme: Programme) -> tuple[str, ...]:
    """Roles to whom a reminder can go."""
    written = {role: rights_of(programme, role) for role in programme.roles}
    return tuple(
        role for role, line in written.items()
        if line not in (None, "partner") and (line != "participant" or role == "participant")
    )  # fmt: skip


# Roles and hours


def _roles(programme: Programme) -> Iterator[Impossible]:
    for name in programme.roles:
        if rights_of(programme, name) is None:
            yield Impossible(
                ("roles", name), "role-without-rights", {"name": name, "known": tuple(sorted(RIGHTS_LINES))}
            )


def _clock(programme: Programme) -> Iterator[Impossible]:
    clock = programme.clock
    if clock.opens >= clock.closes:
        yield Impossible(("clock", "closes"), "closes-before-opens", {"opens": clock.opens, "closes": clock.closes})
    elif not clock.opens <= clock.cut_off <= clock.closes:
        params: dict[str, Params] = {"cut_off": clock.cut_off, "opens": clock.opens, "closes": clock.closes}
        yield Impossible(("clock", "cut_off"), "cut-off-outside", params)


# Cycles

_Link = tuple[str, str]
"""A part that waits or is waited for: ("phases" or "milestones", its name)."""


def _cycles(programme: Programme) -> Iterator[Impossible]:
    waits = _waits(programme)
    for _ in range(MOST_CYCLES):
        cycle = _first_cycle(waits)
        if cycle is None:
            return
        first, second = cycle[0], cycle[1]
        path = waits[first].pop(second)
        said = " → ".join(f"phase {name}" if kind == "phases" else name for kind, name in cycle)
        yield Impossible(path, "depends-on-itself", {"name": first[1], "cycle": said})


def _waits(programme: Programme) -> dict[_Link, dict[_Link, Path]]:
    """For each phase and milestone: what it waits for, and the place that says so."""
    waits: dict[_Link, dict[_Link, Path]] = {}
    for name, milestone in programme.milestones.items():
        here = ("milestones", name)
        links = waits.setdefault(here, {})
        for at, need in enumerate(milestone.needs):
            if need in programme.milestones:
                links.setdefault(("milestones", need), (*here, "needs", at))
        if milestone.due is not None and (link := _link(programme, milestone.due.anchor)):
            links.setdefault(link, (*here, "due"))
        if milestone.phase in programme.phases:
            links.setdefault(("phases", milestone.phase), (*here, "phase"))
    for name, phase in programme.phases.items():
        here = ("phases", name)
        links = waits.setdefault(here, {})
        for at, need in enumerate(phase.enter_when):
            if need in programme.milestones:
                links.setdefault(("milestones", need), (*here, "enter_when", at))
        if phase.enter is not None and (link := _link(programme, phase.enter.anchor)):
            links.setdefault(link, (*here, "enter"))
    return waits


def _link(programme: Programme, anchor: Anchor) -> _Link | None:
    match anchor.kind:
        case AnchorKind.PHASE if anchor.name in programme.phases:
            return ("phases", anchor.name)
        case AnchorKind.MILESTONE_REACHED | AnchorKind.MILESTONE_DUE if anchor.name in programme.milestones:
            return ("milestones", anchor.name)
    return None


def _first_cycle(waits: dict[_Link, dict[_Link, Path]]) -> list[_Link] | None:
    """One cycle `a, b, ..., a` where each waits for the next, a milestone first where there is one."""
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        ring: list[_Link] = list(reversed(error.args[1]))[:-1]
        order = {link: at for at, link in enumerate(waits)}
        turn = min(range(len(ring)), key=lambda at: order[ring[at]])
        ring = ring[turn:] + ring[:turn]
        return [*ring, ring[0]]
    return None


# Moments


@dataclass(frozen=True, slots=True)
class _Span:
    """Days after a root, at the earliest and at the latest, over all calendars."""

    root: Anchor
    earliest: float
    latest: float

    def surely_before(self, other: "_Span") -> bool:
        return self.root == other.root and self.latest < other.earliest


def _span(programme: Programme, moment: Moment | None, followed: frozenset[Anchor] = frozenset()) -> _Span | None:
    """Follow `x due` and `phase x` back to start, a date or a fact. None when the way leads nowhere."""
    if moment is None or moment.anchor in followed:
        return None
    anchor = moment.anchor
    root: _Span | None
    match anchor.kind:
        case AnchorKind.MILESTONE_DUE:
            named = programme.milestones.get(anchor.name)
            root = _span(programme, named.due if named else None, followed | {anchor})
        case AnchorKind.PHASE if anchor.name in programme.phases and programme.phases[anchor.name].enter:
            root = _span(programme, programme.phases[anchor.name].enter, followed | {anchor})
        case _:
            root = _Span(anchor, 0, 0)
    if root is None or moment.side is Side.AT:
        return root
    least, most = _days(moment.offset)
    if moment.side is Side.BEFORE:
        least, most = -most, -least
    return _Span(root.root, root.earliest + least, root.latest + most)


def _days(length: Duration) -> tuple[float, float]:
    """A duration in days, at least and at most."""
    amount = length.amount
    match length.unit:
        case Unit.MINUTE:
            return amount / 1440, amount / 1440
        case Unit.HOUR:
            return amount / 24, amount / 24
        case Unit.DAY:
            return amount, amount
        case Unit.WEEK:
            return 7 * amount, 7 * amount
        case Unit.WORKING_DAY:
            # Five of seven, and up to twelve public holidays in a year, two of them in one week.
            return amount, amount if amount == 0 else math.ceil(amount * 1.5) + 5
        case Unit.MONTH:
            return (math.floor(amount * 30.4) - 2, math.ceil(amount * 30.5) + 1) if amount else (0, 0)


def _moments(programme: Programme) -> Iterator[Impossible]:
    for path, moment in programme.moments():
        span = _span(programme, moment)
        if span is None or span.latest >= 0:
            continue
        if span.root.kind is AnchorKind.START:
            yield Impossible(path, "before-start", {"moment": str(moment)})
        elif span.root.kind is not AnchorKind.DATE:
            yield Impossible(path, "before-fact", {"moment": str(moment), "anchor": str(span.root)})


# Phases and milestones


def _phases(programme: Programme) -> Iterator[Impossible]:
    for name, phase in programme.phases.items():
        if phase.enter is None and not phase.enter_when:
            yield Impossible(("phases", name), "phase-never-begins", {"name": name, "held": _held(programme, name)})
        enter, leave = _span(programme, phase.enter), _span(programme, phase.leave)
        if enter and leave and enter.root == leave.root and leave.latest <= enter.earliest:
            params: dict[str, Params] = {"enter": str(phase.enter), "leave": str(phase.leave)}
            yield Impossible(("phases", name, "leave"), "phase-ends-before", params)


def _held(programme: Programme, phase: str) -> tuple[str, ...]:
    return tuple(name for name, milestone in programme.milestones.items() if milestone.phase == phase)


def _milestones(programme: Programme) -> Iterator[Impossible]:
    for name, milestone in programme.milestones.items():
        here = ("milestones", name)
        for key in _missing_for_check(milestone):
            yield Impossible(here, "check-needs", {"key": key, "check": milestone.check.value})
        for key in _unused_by_check(milestone):
            yield Impossible((*here, key), "check-ignores", {"key": key, "check": milestone.check.value}, "warning")
        if milestone.check is Check.GRANT_SETTLED and not programme.grants:
            yield Impossible((*here, "check"), "no-grant-to-settle", {"name": name})
        if milestone.url is not None and not milestone.url.startswith(("https://", "http://")):
            yield Impossible((*here, "url"), "url-not-web", {"url": milestone.url})
        if milestone.remind and milestone.due is None:
            yield Impossible((*here, "remind"), "remind-without-due", {"name": name})


_READ_BY: Mapping[Check, tuple[str, ...]] = {
    Check.EVIDENCE: ("evidence",),
    Check.SITUATION: ("situation", "good", "kept"),
    Check.HTTP: ("url",),
}
"""What a check reads of its milestone: each of them is needed, and of use to no other check."""


def _missing_for_check(milestone: Milestone) -> list[str]:
    return [key for key in _READ_BY.get(milestone.check, ()) if not getattr(milestone, key)]


def _unused_by_check(milestone: Milestone) -> list[str]:
    return [
        key
        for check, keys in _READ_BY.items()
        if check is not milestone.check
        for key in keys
        if getattr(milestone, key)
    ]


def _dues(programme: Programme) -> Iterator[Impossible]:
    end = _span(programme, programme.ends)
    for name, milestone in programme.milestones.items():
        due = _span(programme, milestone.due)
        if due is None:
            continue
        here = ("milestones", name, "due")
        phase = programme.phases.get(milestone.phase or "")
        if phase is not None:
            yield from _due_in_phase(programme, here, milestone, due, phase)
        waited = (*milestone.needs, *(phase.enter_when if phase else ()))
        for need in dict.fromkeys(waited):
            needed = programme.milestones.get(need)
            other = _span(programme, needed.due) if needed else None
            if needed and other and due.surely_before(other):
                params: dict[str, Params] = {
                    "due": str(milestone.due),
                    "need": need,
                    "other": str(needed.due),
                }
                yield Impossible(here, "dues-contradict", params)
        if end and end.surely_before(due):
            yield Impossible(here, "due-after-end", {"due": str(milestone.due), "ends": str(programme.ends)}, "warning")


def _due_in_phase(
    programme: Programme, here: Path, milestone: Milestone, due: _Span, phase: Phase
) -> Iterator[Impossible]:
    enter, leave = _span(programme, phase.enter), _span(programme, phase.leave)
    params: dict[str, Params] = {"due": str(milestone.due), "phase": str(milestone.phase)}
    if enter and due.surely_before(enter):
        yield Impossible(here, "due-before-phase", {**params, "enter": str(phase.enter)})
    if leave and not milestone.required and leave.surely_before(due):
        yield Impossible(here, "due-after-phase", {**params, "leave": str(phase.leave)})


# Contacts, ladders, grants, end


def _contacts(programme: Programme) -> Iterator[Impossible]:
    sought = any(milestone.check is Check.MENTOR for milestone in programme.milestones.values())
    for name, contact in programme.contacts.items():
        if not contact.means:
            yield Impossible(("contacts", name, "means"), "empty-list")
        if rights_of(programme, contact.by) == MENTOR and not sought:
            yield Impossible(("contacts", name, "by"), "mentor-never-sought", {"name": contact.by}, "warning")
        before, windows = 0.0, 0.0
        for at, stretch in enumerate(contact.cadence):
            here = ("contacts", name, "cadence", at)
            every, until = _typical(stretch.every), _typical(stretch.until)
            if until <= before:
                yield Impossible(here, "cadence-stands-still", {"stretch": str(stretch)})
                break
            if every > 1.1 * (until - before):
                yield Impossible(here, "cadence-no-window", {"stretch": str(stretch)})
            windows += (until - before) / every
            before = until
        if windows > MOST_WINDOWS:
            yield Impossible(("contacts", name, "cadence"), "too-many-windows", {"most": MOST_WINDOWS})


def _typical(length: Duration, hours_a_day: float = 24) -> float:
    """A duration in days, as it usually comes out; enough to order two of them."""
    match length.unit:
        case Unit.MINUTE:
            return length.amount / 60 / hours_a_day
        case Unit.HOUR:
            return length.amount / hours_a_day
        case Unit.WORKING_DAY:
            return length.amount * 1.4
        case Unit.MONTH:
            return length.amount * 30.4
        case Unit.WEEK:
            return length.amount * 7
        case Unit.DAY:
            return length.amount


def _ladder(programme: Programme, name: str, ladder: Ladder) -> Iterator[Impossible]:
    here: Path = ("ladders", name, "steps")
    hours = 24.0 if ladder.urgent else _open_hours(programme)
    for at, step in enumerate(ladder.steps):
        last = at == len(ladder.steps) - 1
        if at > 0:
            before = ladder.steps[at - 1].after
            if _typical(step.after, hours) <= _typical(before, hours):
                params: dict[str, Params] = {"after": str(step.after), "before": str(before)}
                yield Impossible((*here, at, "after"), "steps-not-increasing", params)
            elif _may_pass_digest(programme, ladder, at, _typical(step.after, hours) - _typical(before, hours)):
                yield Impossible((*here, at, "after"), "before-the-digest", {}, "warning")
        yield from _repeat((*here, at), step, last)
        yield from _step_roles(programme, (*here, at), step)
    if not any(rights_of(programme, role) == LAST_RESORT for role in (ladder.steps[-1].to, *ladder.steps[-1].fallback)):
        resorts = tuple(role for role in programme.roles if rights_of(programme, role) == LAST_RESORT)
        yield Impossible((*here, len(ladder.steps) - 1), "no-last-resort", {"name": name, "known": resorts})


def _may_pass_digest(programme: Programme, ladder: Ladder, at: int, days: float) -> bool:
    """Whether a step comes so soon after the one before that no digest may tell of that one in time."""
    grouped = programme.clock.digest is not None and not ladder.urgent
    before = rights_of(programme, ladder.steps[at - 1].to)
    return grouped and before != MENTOR and ladder.steps[at].after.unit.counts_instants and days < 1


def _chases(programme: Programme) -> Iterator[Impossible]:
    """Steps after a missed appointment: keys that serve nothing, what would never come, and terms that no day ends."""
    steps = programme.appointments.missed
    for at, step in enumerate(steps):
        here: Path = ("appointments", "missed", at)
        useless = "within" if step.do == "escalation" else "ladder"
        if getattr(step, useless) is not None:
            yield Impossible((*here, useless), "chase-ignores", {"key": useless, "do": step.do})
        if step.do == "escalation" and at < len(steps) - 1:
            yield Impossible((*here, "do"), "escalation-not-last")
        if step.do != "escalation" and step.within is not None and step.within.unit.counts_instants:
            yield Impossible((*here, "within"), "chase-in-hours", {"given": str(step.within)})


def _open_hours(programme: Programme) -> float:
    """Working hours of a day: what the hours of a ladder that is not urgent count in."""
    opens, closes = programme.clock.opens, programme.clock.closes
    minutes = (int(closes[:2]) - int(opens[:2])) * 60 + int(closes[3:]) - int(opens[3:])
    return minutes / 60 if minutes > 0 else 24.0


def _repeat(here: Path, step: Step, last: bool) -> Iterator[Impossible]:
    match (step.repeat, step.times):
        case (None, 0):
            return
        case (None, _):
            yield Impossible((*here, "times"), "times-without-repeat")
        case _ if not last:
            yield Impossible((*here, "repeat"), "repeat-not-last")
        case (_, 0):
            yield Impossible((*here, "repeat"), "repeat-without-bound")
        case (Duration(amount=0), _):
            yield Impossible((*here, "repeat"), "repeat-at-once")


def _step_roles(programme: Programme, here: Path, step: Step) -> Iterator[Impossible]:
    for path, role in (
        ((*here, "to"), step.to),
        *(((*here, "fallback", at), to) for at, to in enumerate(step.fallback)),
    ):
        rights = rights_of(programme, role)
        if rights is not None and rights not in REACHABLE:
            yield Impossible(path, "step-not-staff", {"name": role, "known": _roles_with(programme, REACHABLE)})


def _roles_with(programme: Programme, lines: frozenset[str]) -> tuple[str, ...]:
    return tuple(role for role in programme.roles if rights_of(programme, role) in lines)


def _grant(programme: Programme, name: str, grant: Grant) -> Iterator[Impossible]:
    here: Path = ("grants", name)
    for key in ("requested_by", "pay_by"):
        if not getattr(grant, key):
            yield Impossible((*here, key), "empty-list")
    yield from _may(programme, (*here, "requested_by"), grant.requested_by, "cannot-request", REQUESTERS)
    for at, level in enumerate(grant.levels):
        where = (*here, "levels", at, "approvals")
        yield from _may(programme, where, level.approvals, "cannot-approve", APPROVERS)
    yield from _level_bounds(here, grant)
    if (total := sum(instalment.share for instalment in grant.instalments)) != 100:
        yield Impossible((*here, "instalments"), "shares-not-100", {"total": total})


def _may(
    programme: Programme, here: Path, roles: tuple[str, ...], code: str, lines: frozenset[str]
) -> Iterator[Impossible]:
    for at, role in enumerate(roles):
        rights = rights_of(programme, role)
        if rights is not None and rights not in lines:
            yield Impossible((*here, at), code, {"name": role, "known": _roles_with(programme, lines)})


def _level_bounds(here: Path, grant: Grant) -> Iterator[Impossible]:
    below = 0
    for at, level in enumerate(grant.levels[:-1]):
        if level.up_to is None:
            yield Impossible((*here, "levels", at), "level-without-bound")
        elif level.up_to <= below:
            yield Impossible((*here, "levels", at, "up_to"), "levels-not-increasing")
        elif level.up_to >= grant.cap:
            yield Impossible((*here, "levels", at + 1), "level-never-used", {"level": at + 2}, "warning")
        below = level.up_to or below
    if grant.levels[-1].up_to is not None:
        yield Impossible((*here, "levels", len(grant.levels) - 1, "up_to"), "last-level-bounded")


def _end(programme: Programme) -> Iterator[Impossible]:
    closes = any(milestone.closes is not None for milestone in programme.milestones.values())
    if programme.ends is None and not closes:
        yield Impossible((), "never-ends", {}, "warning")
