"""Whatever people ask and however time passes, every invariant holds after every step. See lives.py.

LIVES=1000 searches through so many lives instead of 25.
"""

import os
from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from journeys.domain import deciding, plan
from journeys.domain import events as e
from journeys.domain.commands import BODIES
from journeys.domain.programme import Programme
from tests.domain.lives import SEEDS, MadeUp, made_up_commands, play

DRAWS = st.randoms(use_true_random=False)


class Lives(RuleBasedStateMachine):
    """One made-up life an example."""

    @initialize(draw=DRAWS)
    def begins(self, draw: Random) -> None:
        self.life = MadeUp(draw)

    @rule(draw=DRAWS)
    def waits(self, draw: Random) -> None:
        self.life.waits(draw)

    @rule(draw=DRAWS)
    def fails(self, draw: Random) -> None:
        self.life.fails(draw)

    @rule(draw=DRAWS)
    def asks(self, draw: Random) -> None:
        self.life.asks(draw)

    @rule(draw=DRAWS)
    def asks_more(self, draw: Random) -> None:
        for _ in range(3):
            self.life.asks(draw)

    @rule(draw=DRAWS)
    def comes_out(self, draw: Random) -> None:
        self.life.begins(draw)

    @rule(draw=DRAWS)
    def spends(self, draw: Random) -> None:
        self.life.spends(draw)

    @rule(draw=DRAWS)
    def meets(self, draw: Random) -> None:
        self.life.meets(draw)

    @rule(draw=DRAWS)
    def approves(self, draw: Random) -> None:
        self.life.approves(draw)

    @rule(draw=DRAWS)
    def answers(self, draw: Random) -> None:
        self.life.answers(draw)

    @invariant()
    def holds(self) -> None:
        self.life.moves_on()
        self.life.holds()

    def teardown(self) -> None:
        for case in RARE:
            if hasattr(self, "life") and self.life.reached[case]:
                event(case)


# A search takes as long as its processor lets it, and half a minute of it takes minutes where eight others want it too.
PATIENCE = pytest.mark.timeout(900)
TestLives = Lives.TestCase
TestLives.pytestmark = [PATIENCE]
TestLives.settings = settings(
    max_examples=int(os.environ.get("LIVES", "25")), stateful_step_count=30, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip

RARE = (
    "night", "clocks change", "outage", "long outage", "late fact", "answered again",
    "deliver deferred", "deliver unknown", "tell untold", "instruct unknown", "instruct unsent", "enquire unknown",
    "enquire settled", "check failed", "check unknown",
    "JourneySuspended", "JourneyResumed", "JourneyClosed", "JourneyReopened", "PersonDied", "DateUnconfirmed",
    "DeadlineMissed", "DeadlineCorrected", "ContactMissed", "ContactCorrected", "EscalationClimbed", "ReviewDue",
    "GrantApproved", "GrantReopened", "GrantExpired", "GrantCompleted", "PaymentBlocked", "PaymentReturned",
    "ReceiptOverdue", "MessageSuppressed", "MessageDeferred", "JourneyTransferred", "MentorEnded", "OptedOut",
    "MessagesPaused", "CommandRefused", "ProgrammeChanged", "OutcomeMeasured", "ClosingWanted",
    "moved by the person", "message of a day after rest",
)  # fmt: skip
"""What a search that finds nothing must at least have tried."""


def test_every_command_is_made_up() -> None:
    assert made_up_commands() == BODIES.keys()


@PATIENCE
def test_seeded_lives_hold_and_reach_every_rare_case() -> None:
    reached: Counter[str] = Counter()
    for seed in SEEDS:
        reached += play(seed).reached
    assert [case for case in RARE if not reached[case]] == []


def from_seed(first: int) -> list[int]:
    """Every seed, and first the one that is known to find it."""
    assert first in SEEDS
    return [first, *(seed for seed in SEEDS if seed != first)]


@pytest.mark.parametrize("kind", [e.PhaseEntered, e.GrantApproved])
def test_a_fact_wrongly_held_to_move_no_plan_is_found(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_MOVE_NO_PLAN", plan._MOVE_NO_PLAN | {kind})
    with pytest.raises(AssertionError):
        for seed in SEEDS:
            play.__wrapped__(seed)  # Not one that was kept from another test.


def test_milestones_wrongly_held_to_move_no_other_plan_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Programme, "awaited", property(lambda _: frozenset()))
    with pytest.raises(AssertionError):
        for seed in from_seed(91):
            play.__wrapped__(seed)


def test_a_fact_wrongly_held_to_move_one_plan_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    known = plan.moved_by
    monkeypatch.setattr(
        deciding, "moved_by", lambda data, rules: plan.VALUES if isinstance(data, e.ContactMade) else known(data, rules)
    )
    with pytest.raises(AssertionError):
        for seed in from_seed(49):
            play.__wrapped__(seed)
