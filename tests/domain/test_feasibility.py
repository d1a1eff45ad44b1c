"""What cannot work in a programme, on the model itself: cycles, orders of moments, approvers, resorts."""

import time
from typing import Any

import pytest

from journeys.domain.feasibility import (
    APPROVERS,
    LAST_RESORT,
    MOST_CYCLES,
    REACHABLE,
    RIGHTS_LINES,
    findings,
    rights_of,
)
from journeys.domain.programme import Programme, Role

L = {"fr": "x", "en": "x"}
TEMPLATES = {
    "deadline-near": frozenset({"participant", "volunteer", "staff"}),
    "meeting-near": frozenset({"participant", "staff"}),
}


def programme(**parts: Any) -> Programme:
    return Programme.model_validate({"programme": "p", "label": L, "ends": "6 months after start", **parts})


def milestones(**written: dict[str, Any]) -> dict[str, Any]:
    return {name: {"label": L, **rest} for name, rest in written.items()}


def found(written: Programme) -> list[tuple[str, tuple[str | int, ...]]]:
    return [(one.code, one.path) for one in findings(written, TEMPLATES)]


def codes(written: Programme) -> set[str]:
    return {one.code for one in findings(written, TEMPLATES)}


def test_the_smallest_programme_can_run() -> None:
    assert found(programme()) == []


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"milestones": milestones(a={"needs": ["a"]})}, "a → a"),
        ({"milestones": milestones(a={"due": "1 day after a reached"})}, "a → a"),
        (
            {"milestones": milestones(a={"needs": ["b"]}, b={"needs": ["c"]}, c={"needs": ["a"]})},
            "a → b → c → a",
        ),
        (
            {"milestones": milestones(a={"due": "1 day after b due"}, b={"due": "1 day after a reached"})},
            "a → b → a",
        ),
        (
            {
                "milestones": milestones(a={"phase": "p"}),
                "phases": {"p": {"label": L, "enter_when": ["a"]}},
            },
            "a → phase p → a",
        ),
        (
            {
                "milestones": milestones(a={"due": "1 day after phase q"}, b={"phase": "p"}),
                "phases": {
                    "p": {"label": L, "enter": "at a reached"},
                    "q": {"label": L, "enter_when": ["b"]},
                },
            },
            "a → phase q → b → phase p → a",
        ),
        (
            {"phases": {"p": {"label": L, "enter": "at phase q"}, "q": {"label": L, "enter": "at phase p"}}},
            "phase p → phase q → phase p",
        ),
    ],
)
def test_what_depends_on_itself_is_named_link_by_link(parts: dict[str, Any], said: str) -> None:
    cycles = [one for one in findings(programme(**parts), TEMPLATES) if one.code == "depends-on-itself"]
    assert [one.params["cycle"] for one in cycles] == [said]


def test_a_phase_may_end_with_its_own_milestone() -> None:
    written = programme(
        milestones=milestones(a={"phase": "p", "due": "1 week after start"}),
        phases={"p": {"label": L, "enter": "at start", "leave_when": ["a"]}},
    )
    assert found(written) == []


def test_two_cycles_are_two_findings_and_a_thousand_are_a_few() -> None:
    two = milestones(a={"needs": ["b"]}, b={"needs": ["a"]}, c={"needs": ["d"]}, d={"needs": ["c"]})
    assert len(found(programme(milestones=two))) == 2
    names = [f"m{n}" for n in range(200)]
    dense = milestones(**{name: {"needs": names} for name in names})
    begun = time.monotonic()
    assert len(found(programme(milestones=dense))) == MOST_CYCLES
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("due", "enter", "impossible"),
    [
        ("2 days after start", "3 days after start", True),
        ("3 days after start", "3 days after start", False),
        ("2 days after start", "2 working days after start", False),
        ("1 day after start", "2 working days after start", True),
        ("4 weeks after start", "1 month after start", False),
        ("26 days after start", "1 month after start", True),
        ("10 days before release", "1 week before release", True),
        ("1 month before release", "4 weeks before release", False),
        ("10 days before release", "1 week after start", False),
        ("30 hours after start", "2 days after start", True),
    ],
)
def test_a_deadline_before_its_phase_is_found_only_when_it_is_certain(due: str, enter: str, impossible: bool) -> None:
    written = programme(
        dates={"release": {"label": L}},
        phases={"p": {"label": L, "enter": enter}},
        milestones=milestones(a={"phase": "p", "due": due}),
    )
    assert ("due-before-phase" in codes(written)) is impossible


def test_moments_are_followed_through_other_milestones_and_phases() -> None:
    written = programme(
        phases={"p": {"label": L, "enter": "1 month after start"}},
        milestones=milestones(
            a={"due": "1 week after start"},
            b={"due": "1 week after a due", "phase": "p"},
            c={"due": "1 week before phase p"},
        ),
    )
    assert found(written) == [("due-before-phase", ("milestones", "b", "due"))]


def test_a_milestone_is_not_due_before_what_it_waits_for() -> None:
    through_need = programme(
        milestones=milestones(a={"due": "1 month after start"}, b={"due": "1 week after start", "needs": ["a"]})
    )
    through_phase = programme(
        phases={"p": {"label": L, "enter_when": ["a"]}},
        milestones=milestones(a={"due": "1 month after start"}, b={"due": "1 week after start", "phase": "p"}),
    )
    assert found(through_need) == found(through_phase) == [("dues-contradict", ("milestones", "b", "due"))]


def test_a_date_and_a_phase_may_bear_one_name() -> None:
    written = programme(
        dates={"jury": {"label": L}},
        phases={"jury": {"label": L, "enter": "1 week before jury", "leave": "at jury"}},
        milestones=milestones(a={"phase": "jury", "due": "1 day before jury"}),
    )
    assert found(written) == []


@pytest.mark.parametrize(
    ("last", "roles", "resort"),
    [
        ({"to": "duty"}, {}, True),
        ({"to": "night"}, {"night": {**L, "rights": "duty"}}, True),
        ({"to": "supervisor", "fallback": ["duty"]}, {}, True),
        ({"to": "supervisor"}, {}, False),
        ({"to": "duty"}, {"duty": {**L, "rights": "referent"}}, False),
    ],
)
def test_a_ladder_ends_at_a_role_that_is_never_vacant(
    last: dict[str, Any], roles: dict[str, Any], resort: bool
) -> None:
    steps = [{"to": "referent", "after": "0 hours"}, {**last, "after": "1 day"}]
    written = programme(roles=roles, ladders={"l": {"steps": steps}})
    assert ("no-last-resort" not in codes(written)) is resort


def test_hours_of_an_urgent_ladder_are_elapsed_and_those_of_another_are_worked() -> None:
    steps = [{"to": "referent", "after": "10 hours"}, {"to": "duty", "after": "1 working day"}]
    assert codes(programme(ladders={"l": {"urgent": True, "steps": steps}})) == set()
    far = [{"to": "referent", "after": "20 hours"}, {"to": "duty", "after": "1 working day"}]
    assert codes(programme(ladders={"l": {"urgent": True, "steps": far}})) == set()
    assert codes(programme(ladders={"l": {"steps": far}})) == {"steps-not-increasing"}


def test_a_step_that_may_come_before_the_digest_of_the_one_before_is_a_warning() -> None:
    steps = [{"to": "referent", "after": "0 hours"}, {"to": "supervisor", "after": "4 hours"},
             {"to": "duty", "after": "2 working days"}]  # fmt: skip
    digest = {"digest": "09:30"}
    (hint,) = findings(programme(clock=digest, ladders={"l": {"steps": steps}}), TEMPLATES)
    assert (hint.code, hint.path, hint.severity) == (
        "before-the-digest",
        ("ladders", "l", "steps", 1, "after"),
        "warning",
    )
    assert codes(programme(clock=digest, ladders={"l": {"urgent": True, "steps": steps}})) == set()
    assert codes(programme(ladders={"l": {"steps": steps}})) == set()
    later = [steps[0], {"to": "supervisor", "after": "12 hours"}, {"to": "duty", "after": "3 working days"}]
    assert codes(programme(clock=digest, ladders={"l": {"steps": later}})) == set()


@pytest.mark.parametrize("role", sorted(RIGHTS_LINES))
def test_only_approvers_approve(role: str) -> None:
    written = programme(
        roles={role: L},
        grants={"g": {"label": L, "fund": "f", "cap": 100, "purposes": ["x"], "levels": [{"approvals": [role]}]}},
    )
    assert ("cannot-approve" in codes(written)) is (role not in APPROVERS)


@pytest.mark.parametrize("role", sorted(RIGHTS_LINES))
def test_escalations_go_to_those_who_act(role: str) -> None:
    steps = [{"to": role, "after": "0 hours"}, {"to": "duty", "after": "1 day"}]
    written = programme(roles={role: L}, ladders={"l": {"steps": steps}})
    assert ("step-not-staff" in codes(written)) is (role not in REACHABLE)


def test_the_lines_of_the_rights_table_are_those_of_the_format() -> None:
    for line in RIGHTS_LINES:
        assert Role.model_validate({**L, "rights": line}).rights == line
    assert {*APPROVERS, *REACHABLE, LAST_RESORT} <= RIGHTS_LINES
    written = programme(roles={"peer": {**L, "rights": "mentor"}, "stray": L})
    assert [rights_of(written, role) for role in ("peer", "duty", "stray", "nobody")] == [
        "mentor",
        "duty",
        None,
        None,
    ]


def test_a_milestone_no_one_can_reach() -> None:
    no_grant = programme(milestones=milestones(a={"check": "grant settled"}))
    assert found(no_grant) == [("no-grant-to-settle", ("milestones", "a", "check"))]
    never = programme(phases={"p": {"label": L}}, milestones=milestones(a={"phase": "p"}))
    assert found(never) == [("phase-never-begins", ("phases", "p"))]


def test_a_closing_milestone_ends_a_programme_too() -> None:
    assert codes(programme(ends=None)) == {"never-ends"}
    assert codes(programme(ends=None, milestones=milestones(a={"closes": "completed"}))) == set()


def test_every_ladder_named_must_exist() -> None:
    written = programme(
        dates={"release": {"label": L, "missed": "a"}},
        milestones=milestones(m={"missed": "b"}),
        contacts={"c": {"label": L, "start": "at start", "cadence": ["every 1 week until 1 month"], "missed": "c"}},
        grants={
            "g": {
                "label": L,
                "fund": "f",
                "cap": 1,
                "purposes": ["x"],
                "levels": [{"approvals": ["finance"]}],
                "missed": "d",
            }
        },
        referrals={"missed": "e"},
        suspension_missed="f",
    )
    missing = [one.params["name"] for one in findings(written, TEMPLATES) if one.code == "unknown-ladder"]
    assert missing == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("to", "template", "code"),
    [
        ("participant", "meeting-near", None), ("referent", "meeting-near", None), ("mentor", "deadline-near", None),
        ("mentor", "meeting-near", "reminder-without-words"), ("peer", "meeting-near", "reminder-without-words"),
        ("partner", "deadline-near", "reminds-nobody"), ("host", "deadline-near", "reminds-nobody"),
        ("elder", "deadline-near", "reminds-nobody"),
    ],
)  # fmt: skip
def test_a_reminder_has_somebody_to_reach_and_words_for_them(to: str, template: str, code: str | None) -> None:
    roles = {name: L | {"rights": line} for name, line in
             (("peer", "mentor"), ("host", "partner"), ("elder", "participant"))}  # fmt: skip
    usual = dict.fromkeys(("participant", "referent", "mentor", "partner"), L)
    remind = [{"to": to, "when": "1 day before", "template": template}]
    written = programme(roles=usual | roles, milestones=milestones(a={"due": "1 week after start", "remind": remind}))
    key = "to" if code == "reminds-nobody" else "template"
    assert found(written) == ([(code, ("milestones", "a", "remind", 0, key))] if code else [])
