"""Who did what of a grant: each act, the role held then, and two duties of one person found out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from journeys.audit.duties import Breach, Career, Task, career, duties, told
from journeys.domain import directory as d
from journeys.domain import events as e
from journeys.domain.record import Event, Payload
from journeys.narration.telling import Speech
from tests.audit.lives import FINANCE, NAMES, REFERENT, START, SUPERVISOR, whole_life

Recorded = Event[Payload]
SINCE = START - timedelta(days=30)
ROLES = {REFERENT: "referent", SUPERVISOR: "supervisor", FINANCE: "finance"}


def _fact(data: Payload, at: datetime) -> Recorded:
    return Event(
        stream="staff-x", seq=1, kind=type(data).__name__, kind_v=1, recorded_at=at, occurred_at=at, actor="system",
        role="administrator", data=data,
    )  # fmt: skip


KNOWN: Mapping[str, Career] = {
    id: career([_fact(d.StaffAdded(roles=(role,), sites=()), SINCE)]) for id, role in ROLES.items()
}


def _acted(events: Sequence[Recorded], kind: type[Payload], actor: str, role: str, number: int = 0) -> list[Recorded]:
    """The same record, with somebody else behind one event."""
    place = [nth for nth, event in enumerate(events) if isinstance(event.data, kind)][number]
    other = events[place].model_copy(update={"actor": actor, "role": role})
    return [*events[:place], other, *events[place + 1 :]]


def test_each_act_is_there_with_the_role_that_was_held() -> None:
    [grant] = duties(whole_life().events, KNOWN)
    assert [(each.task, each.actor, each.held) for each in grant.duties[:4]] == [
        (Task.REQUESTED, REFERENT, True), (Task.APPROVED, SUPERVISOR, True), (Task.APPROVED, FINANCE, True),
        (Task.PAID, "system", None),
    ]  # fmt: skip
    assert grant.breaches == ()


@pytest.mark.parametrize(
    ("actor", "role", "number", "breach"),
    [
        (REFERENT, "referent", 0, Breach.SELF_APPROVAL),
        (SUPERVISOR, "supervisor", 1, Breach.TWICE),
        (SUPERVISOR, "finance", 1, Breach.NO_ROLE),
        ("01a20000-0000-7000-8000-000000000000", "finance", 1, Breach.NO_ROLE),
    ],
)
def test_what_one_person_may_not_do_alone_is_found(actor: str, role: str, number: int, breach: Breach) -> None:
    events = _acted(whole_life().events, e.GrantApprovalGiven, actor, role, number)
    [grant] = duties(events, KNOWN)
    assert breach in {each for each, _ in grant.breaches}
    seqs = [event.seq for event in events if isinstance(event.data, e.GrantApprovalGiven)]
    assert {seq for _, seq in grant.breaches} == {seqs[number]}


def test_a_role_counts_from_the_day_it_was_given_to_the_day_it_was_taken() -> None:
    days = [START + timedelta(days=n) for n in range(5)]
    known = career(
        [
            _fact(d.StaffAdded(roles=(), sites=()), days[0]), _fact(d.RoleGiven(given="finance"), days[1]),
            _fact(d.StaffLeft(), days[2]), _fact(d.StaffReturned(), days[3]),
            _fact(d.RoleTaken(taken="finance"), days[4]),
        ]
    )  # fmt: skip
    moment = timedelta(seconds=1)
    assert [known.held("finance", day) for day in days] == [False, True, False, True, False]
    assert [known.held("finance", day - moment) for day in days] == [False, False, True, False, True]


def test_whoever_changed_the_payee_may_not_approve() -> None:
    events = list(whole_life().events)
    place = next(nth for nth, event in enumerate(events) if isinstance(event.data, e.GrantApprovalGiven))
    asked = next(event.data for event in events if isinstance(event.data, e.GrantRequested))
    changed = e.GrantChanged(
        payee_changed=True,
        **{name: getattr(asked, name) for name in e.GrantChanged.model_fields if name in type(asked).model_fields},
    )
    note = events[place - 1].model_copy(
        update={"data": changed, "kind": "GrantChanged", "actor": SUPERVISOR, "role": "supervisor"}
    )
    events[place - 1] = note
    [grant] = duties(events, KNOWN)
    assert (Breach.EDITOR_APPROVED, events[place].seq) in grant.breaches


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_acts_are_told_in_words(lang: str) -> None:
    life = whole_life()
    [grant] = duties(life.events, KNOWN)
    lines = [told(each, Speech(life.book, NAMES, lang, life.state)) for each in grant.duties]
    assert "Claire Dupont" in lines[0]
    assert "Paul Martin" in lines[1]
    assert all("{" not in line for line in lines)
    unnamed = {id: name for id, name in NAMES.items() if id != SUPERVISOR}
    away = told(grant.duties[1], Speech(life.book, unnamed, lang, life.state))
    gone = told(grant.duties[1], Speech(life.book, unnamed, lang, life.state), {SUPERVISOR})
    said = "effacé" if lang == "fr" else "erased"
    assert said in gone and said not in away and "Martin" not in gone + away
