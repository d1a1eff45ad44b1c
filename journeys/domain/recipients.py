"""Who is told, and whether a message may still leave: judged on what is known at the moment of sending."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from journeys.domain.calendar import Calendar, in_zone
from journeys.domain.directory import Holder, reachable
from journeys.domain.messages import PARTICIPANT, leaves_at, why_not
from journeys.domain.rights import BOUND_TO_FUNDS, answers
from journeys.domain.state import Message, State

DESK: Final = "duty"
"""Stands for the address of last resort where no member of staff holds the role of the same name."""


NOBODY_THERE: Final = ("dead-number", "blocked-number", "mail-5-1-1", "mail-5-1-2", "mail-5-1-3", "mail-5-1-6")
"""How the reasons begin for which no journey writes there again: nobody has the number or the mailbox, or wants
nothing there. Not all of 5.1 (RFC 3463, 3.2): 5.1.7 and 5.1.8 are about who sends; 5.1.10 (RFC 7505) is among them."""


@dataclass(frozen=True, slots=True)
class Circle:
    """Who stands around a journey on one day."""

    referent: str
    site: str | None
    roster: tuple[Holder, ...]
    """Active staff, with who is away on that day and who stands in."""
    mentor: str | None = None
    desk: bool = False
    """Whether there is an address of last resort."""
    lines: Mapping[str, str] = field(default_factory=dict)
    """The line of the rights table that a programme's own role has, where it is not its own name."""
    fund: str | None = None
    """The fund whose money it is about, where it is about money."""
    money: frozenset[str] = frozenset()
    """The funds from which money was ever asked on the journey: who keeps them may open it."""
    on_call: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """Who is on call at this moment for a role, staff or mentors: they answer for it before all others. Several at
    once, and behind them those who answer where none of these does."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who answers for a role now: staff ids, a mentor's id, or `DESK`. `role` is the one in which they are told."""

    role: str
    line: str
    people: tuple[str, ...]

    @property
    def vacant(self) -> bool:
        return not self.people


def resolve(role: str, fallback: Iterable[str], circle: Circle) -> Resolution:
    """The first role of these that somebody answers for today who may open the journey and act on an alert of it; a
    vacant one of the first when nobody does. On call, and as a mentor, people act by phone and by a link.

    `role` may also be the id of a member of staff: then that one, or the deputy while away.
    """
    first: Resolution | None = None
    for wanted in (role, *fallback):
        found = _answering(wanted, circle, _acting(circle))
        if not found.vacant:
            return found
        first = first or found
    assert first is not None
    return first


def _acting(circle: Circle) -> frozenset[str]:
    """Those of the staff who may open the journey and act on an alert of it, by their own roles or in the stead of who
    leads it."""
    led = (circle.referent, *(each.deputy for each in circle.roster if each.id == circle.referent and each.absent))
    return frozenset(each.id for each in circle.roster if _may_act(each, circle, own=each.id in led))


def _may_act(holder: Holder, circle: Circle, *, own: bool) -> bool:
    lines = {circle.lines.get(role, role) for role in holder.roles}
    return answers(
        lines, holder.sites, holder.funds, site=circle.site, money=circle.money, fund=circle.fund, own=own
    )  # fmt: skip


def addressees(role: str, circle: Circle, fallback: Iterable[str] = ()) -> Resolution:
    """Who gets a message that can wait: those who answer for the role today, else those who hold it and are away.

    About money of which none of them decides it goes to those of every fund: somebody must know that nobody can.

    Args:
        fallback: roles that get it before those who are away.
    """
    answering = (_answering(wanted, circle) for wanted in (role, *fallback))
    found = next((each for each in answering if not each.vacant), Resolution(role, circle.lines.get(role, role), ()))
    back = replace(circle, roster=tuple(replace(holder, absent=False) for holder in circle.roster))
    for around in (back, replace(circle, fund=None), replace(back, fund=None)):
        if not found.vacant:
            break
        found = _answering(role, around)
    return found


def _answering(role: str, circle: Circle, acting: frozenset[str] | None = None) -> Resolution:
    """Who answers for a role now.

    Args:
        acting: of the staff who are not on call, only these; None: whoever it is.
    """
    line = circle.lines.get(role, role)

    def able(people: tuple[str, ...]) -> tuple[str, ...]:
        return people if acting is None else tuple(id for id in people if id in acting)

    if people := _on_call(role, line, circle):
        return Resolution(role, line, people)
    match line:
        case "referent":
            people = able(_one(circle.referent, circle))
        case "mentor":
            people = () if circle.mentor is None else (circle.mentor,)
        case "duty":
            people = _holders(role, line, circle, able) or ((DESK,) if circle.desk else ())
        case _ if any(holder.id == role for holder in circle.roster):
            people = able(_one(role, circle))
        case _:
            people = _holders(role, line, circle, able)
    return Resolution(role, line, people)


def _on_call(role: str, line: str, circle: Circle) -> tuple[str, ...]:
    """Those who are on call for the role, else for its line; who is away all the same has a deputy or nobody."""
    for name in dict.fromkeys((role, line)):
        for called in circle.on_call.get(name, ()):
            answering = (keeps(id, circle.roster) for id in called)
            if people := tuple(dict.fromkeys(id for id in answering if id is not None)):
                return people
    return ()


def _holders(
    role: str, line: str, circle: Circle, able: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> tuple[str, ...]:
    """At the journey's site, or anywhere when nobody answers there; of a line bound to funds, those of this fund."""
    bound = circle.fund is not None and line in BOUND_TO_FUNDS
    roster = [each for each in circle.roster if not bound or not each.funds or circle.fund in each.funds]
    for site in dict.fromkeys((circle.site, None)):
        for name in dict.fromkeys((role, line)):
            people = able(reachable(roster, name, site))
            if people:
                return people
    return ()


def keeps(id: str, roster: Iterable[Holder]) -> str | None:
    """Who answers for a shift: whoever is on call, or the deputy while away; None: nobody. Mentors are on no roster."""
    by_id = {holder.id: holder for holder in roster}
    return _present(id, by_id) if id in by_id else id


def _one(id: str, circle: Circle) -> tuple[str, ...]:
    found = _present(id, {holder.id: holder for holder in circle.roster})
    return () if found is None else (found,)


def _present(id: str, by_id: Mapping[str, Holder]) -> str | None:
    holder = by_id.get(id)
    if holder is None or not holder.absent:
        return None if holder is None else id
    deputy = by_id.get(holder.deputy or "")
    return None if deputy is None or deputy.absent else deputy.id


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person chose about messages over all their journeys, and where they live."""

    opted_out: bool = False
    paused_until: datetime | None = None
    died: bool = False
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`never`: why it must not leave any more. `until`: not before this instant. Neither: it may leave now."""

    never: str | None = None
    until: datetime | None = None


MAY_LEAVE: Final = Verdict()


def one_zone(zones: Iterable[str | None], calendar: Calendar) -> str | None:
    """The zone that all have in common, where it is not the calendar's own; those of several go by the calendar's."""
    found = {in_zone(calendar, zone).zone.key for zone in zones} or {calendar.zone.key}
    return found.pop() if len(found) == 1 and found != {calendar.zone.key} else None


def may_still_send(
    state: State, message: Message, wishes: Wishes, calendar: Calendar, now: datetime, zone: str | None = None
) -> Verdict:
    """Judge a message once more, right before it leaves.

    The journey's own rule first, then the person's choices (they reach the person's row before each journey), then
    the quiet hours and days of rest of the recipient's own zone. `wishes` concern messages to the participant only.

    Args:
        zone: where others work to whom it goes, where that is not the calendar's own.
    """
    reason = why_not(state, message, now)
    if reason is None and message.to == PARTICIPANT:
        reason = _not_wished(wishes, now)
    if reason is not None:
        return Verdict(never=reason)
    leaves = leaves_at(message, now, in_zone(calendar, wishes.zone if message.to == PARTICIPANT else zone))
    if leaves is None:
        return Verdict(never="too-late")
    return MAY_LEAVE if leaves == now else Verdict(until=leaves)


def _not_wished(wishes: Wishes, now: datetime) -> str | None:
    if wishes.died:
        return "died"
    if wishes.opted_out:
        return "opted-out"
    return "paused" if wishes.paused_until is not None and now < wishes.paused_until else None
