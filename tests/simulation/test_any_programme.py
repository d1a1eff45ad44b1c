"""No valid programme can wedge a journey: every one made up, with every life made up, ends with everything closed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from journeys.authoring.templates import reminders
from journeys.domain import agenda, feasibility, invariants
from journeys.domain.handbook import Handbook
from journeys.domain.programme import Programme
from journeys.simulation.behaviour import Behaviour
from journeys.simulation.running import one_life
from tests.simulation.test_simulating import book_of, trial

LENGTHS = (
    "30 minutes", "4 hours", "1 day", "3 days", "2 working days", "10 working days", "1 week", "3 weeks", "1 month",
    "2 months",
)  # fmt: skip
LADDERS = ("standard", "quick", "long")
BY_ITSELF = ("hand", "hand", "hand", "evidence", "appointment", "situation", "mentor", "grant settled")
CHOSEN: Counter[str] = Counter()
"""What the programmes that were played had."""
GROUND = trial("auxilia", participants=2)
"""All that a trial needs beside the programme."""
CALENDAR = book_of(GROUND).calendar


class Author:
    """Writes a programme; whatever it may write is drawn."""

    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.dates = [f"day-{n}" for n in range(draw.randint(0, 2))]
        self.milestones: dict[str, Any] = {}
        self.phases: dict[str, Any] = {}

    def length(self) -> str:
        return self.draw.choice(LENGTHS)

    def anchor(self) -> str:
        known = ["start", *self.dates]
        known += [f"{code} reached" for code in self.milestones]
        known += [f"{code} due" for code, each in self.milestones.items() if "due" in each]
        known += [f"phase {code}" for code in self.phases]
        return self.draw.choice(known)

    def moment(self) -> str:
        side = self.draw.random()
        if side < 0.2:
            return f"at {self.anchor()}"
        if side < 0.35 and self.dates:
            return f"{self.length()} before {self.draw.choice(self.dates)}"
        return f"{self.length()} after {self.anchor()}"

    def write(self) -> Mapping[str, Any]:
        draw = self.draw
        for n in range(draw.randint(0, 3)):
            self.phases[f"phase-{n}"] = self._phase()
        for n in range(draw.randint(1, 7)):
            self.milestones[f"step-{n}"] = self._milestone()
        if self.milestones and draw.random() < 0.5:
            next(iter(self.phases.values()), {})["leave_when"] = [draw.choice(list(self.milestones))]
        if draw.random() < 0.7:
            draw.choice(list(self.milestones.values()))["closes"] = "completed"
        raw: dict[str, Any] = {
            "programme": "made-up", "label": "x", "phases": self.phases, "milestones": self.milestones,
            "dates": {name: {"label": name, "confirm_within": self.length(), **self._missed()} for name in self.dates},
            "active_from": draw.choice(["start", *self.dates]),
            "situations": {"job": ["none", "good"]},
            "contacts": {f"contact-{n}": self._contact() for n in range(draw.randint(0, 2))},
            "ladders": {
                "quick": {"urgent": True, "steps": [{"to": "referent", "after": "0 hours", "fallback": ["supervisor"]},
                                                    {"to": "duty", "after": "4 hours", "repeat": "1 day", "times": 2}]},
                "long": {"steps": [{"to": "referent", "after": "0 hours"},
                                   {"to": "supervisor", "after": "3 working days"},
                                   {"to": "duty", "after": "2 months"}]},
            },
            "grants": {f"grant-{n}": self._grant() for n in range(draw.randint(0, 2))},
            "guards": {
                f"guard-{n}": {
                    "says": {"fr": "x", "en": "x"}, "situation": "job", "bars": draw.sample(["none", "good"], 1),
                    **({"when": draw.choice(self.dates)} if self.dates and draw.random() < 0.5 else {}),
                    "needs": draw.sample(list(self.milestones), min(len(self.milestones), draw.randint(0, 1))),
                }
                for n in range(draw.randint(0, 2))
            },
            "measures": {f"measure-{n}": {"label": "x", "situation": "job", "good": ["good"], "settle": "2 days",
                                          "at": [self.moment()]} for n in range(draw.randint(0, 2))},
            "review": draw.choice(["1 week", "1 month"]),
        }  # fmt: skip
        if draw.random() < 0.7:
            raw["ends"] = f"{draw.choice(['2 months', '6 months'])} after {draw.choice(['start', *self.dates])}"
        return raw

    def _missed(self) -> dict[str, str]:
        return {"missed": self.draw.choice(LADDERS)} if self.draw.random() < 0.8 else {}

    def _phase(self) -> dict[str, Any]:
        phase: dict[str, Any] = {"label": "x"}
        phase["enter"] = self.moment()
        if self.draw.random() < 0.3:
            phase["leave"] = self.moment()
        return phase

    def _milestone(self) -> dict[str, Any]:
        draw = self.draw
        found: dict[str, Any] = {"label": "x", "check": draw.choice(BY_ITSELF), "required": draw.random() < 0.8}
        if draw.random() < 0.85:
            found["due"] = self.moment()
            found["roll"] = draw.choice(["forward", "back", "none"])
            if draw.random() < 0.5:
                found["remind"] = [{"to": draw.choice(["referent", "participant"]), "when": f"{self.length()} before",
                                    "template": "deadline-near"}]  # fmt: skip
        if draw.random() < 0.4 and self.phases:
            found["phase"] = draw.choice(list(self.phases))
        if draw.random() < 0.4 and self.milestones:
            found["needs"] = draw.sample(list(self.milestones), 1)
        match found["check"]:
            case "evidence":
                found["evidence"] = ["paper"]
            case "situation":
                found |= {"situation": "job", "good": ["good"]} | ({"kept": "2 weeks"} if draw.random() < 0.5 else {})
        if draw.random() < 0.2 and "due" in found:
            found["origin"] = "law"
        return found | self._missed()

    def _contact(self) -> dict[str, Any]:
        cadence = self.draw.choice(
            [["every 1 week until 1 month", "every 1 month until 3 months"], ["every 2 days until 2 weeks"]]
        )
        return {"label": "x", "start": self.moment(), "cadence": cadence,
                "by": self.draw.choice(["referent", "mentor"]), **self._missed()}  # fmt: skip

    def _grant(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "label": "x", "fund": "f", "cap": "500 EUR", "purposes": ["food"],
            "levels": [{"up_to": "100 EUR", "approvals": ["supervisor"]}, {"approvals": ["supervisor", "finance"]}],
            "decide_within": self.draw.choice(["2 working days", "10 working days"]),
        }  # fmt: skip
        if self.draw.random() < 0.5:
            found["instalments"] = [{"share": 40}, {"share": 60, "when": self.moment()}]
        if self.draw.random() < 0.6:
            found["receipts"] = "30 days"
        return found | self._missed()


def people(draw: Random) -> Behaviour:
    """How everybody behaves: from those who do all in time to those who do nothing."""
    in_time = draw.choice([0, 20, 60, 100])
    return Behaviour.model_validate({
        "label": "x", "every_milestone": {"in_time": in_time, "late": draw.choice([0, (100 - in_time) // 2])},
        "every_contact": draw.choice([0, 50, 100]), "alerts": {"taken": draw.choice([0, 60, 100])},
        "every_grant": {"often": 90, "refused": draw.choice([0, 20]), "justified": draw.choice([0, 80]), "unknown": 20,
                        "after": {"least": "1 day", "most": "50 days"}},
        "lead": {"least": "1 day", "most": "60 days"}, "longest": "9 months",
        "dates": {name: {"often": 40, "earlier": "10 days", "later": "40 days", "forgotten": 30}
                  for name in ("day-0", "day-1")},
        "situations": {"job": [{"to": "good", "monthly": 40}, {"to": "none", "monthly": 20}]},
        "leaving": {"monthly": {"lost": draw.choice([0, 10])}}, "away": {"monthly": draw.choice([0, 25]), "lasts": {
            "least": "2 days", "most": "60 days"}}, "mentor_lost": 20,
    })  # fmt: skip


def written(draw: Random) -> Programme:
    """A programme that `programme validate` accepts; what it refuses is written anew."""
    while True:
        try:
            programme = Programme.model_validate(Author(draw).write())
        except ValidationError as error:
            raise AssertionError(f"the author writes what no author can: {error}") from error
        found = feasibility.findings(programme, reminders())
        if not any(one.severity == "error" for one in found):
            return programme


@given(st.integers(min_value=0, max_value=2**32))
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_every_life_under_every_programme_ends_with_everything_closed(seed: int) -> None:
    draw = Random(seed)
    programme = written(draw)
    book = Handbook(programme, CALENDAR)
    ground = replace(GROUND, seed=seed, behaviour=people(draw))
    for number in range(ground.participants):
        moments = list(one_life(ground, book, number))
        for moment in moments:
            state = moment.offer.state
            assert not state.is_open or agenda.first(state) is not None, "an open journey waits for nothing"
        events = [event for moment in moments for event in moment.offer.events]
        CHOSEN.update(event.kind for event in events)
        assert agenda.is_over(moments[-1].offer.state), "it never ends"
        assert invariants.check(events, complete=True, book=book, outages=(), strict=True) == []


def test_the_programmes_made_up_had_something_of_everything() -> None:
    """Behind the search above: what it met."""
    if not CHOSEN:
        test_every_life_under_every_programme_ends_with_everything_closed()
    met = ("DeadlineMissed", "DeadlineMoved", "ContactMissed", "EscalationClimbed", "GrantExpired", "PaymentSettled",
           "ReceiptOverdue", "JourneySuspended", "DateMoved", "DateUnconfirmed", "PhaseCompleted", "OutcomeMeasured",
           "MentorEnded", "MilestoneReached", "ClosingWanted")  # fmt: skip
    assert [kind for kind in met if not CHOSEN[kind]] == []
