"""Every kind of event comes from a decision: a command, time that passed, or what an effect came to."""

from journeys.domain import commands as c
from journeys.domain.events import KINDS
from tests.domain.given import Answer, Life, released
from tests.domain.test_closing import busy
from tests.domain.test_grants import approved, asked, on_grant
from tests.domain.test_properties import SEEDS, play


def _blocked() -> Life:
    """An approved grant whose programme has lowered its cap meanwhile cannot be: the fund's refusal is played."""
    life = approved(50_000)
    from journeys.domain.offer import make_offer
    from tests.domain.given import paris

    now = paris("2027-04-01 09:00")
    state = life.when("2027-04-01 08:59").state
    for _ in range(3):
        offer = make_offer(state, life.book, (), (), now, blocked="fund-cap")
        life.events += offer.events
        state = offer.state
    return life


def lives() -> list[Life]:
    """A few chosen lives, and the seeded ones."""
    waived = busy().when("2027-05-11", c.WaiveMilestone(milestone="rights-open")).when("2027-05-12", c.AddNote())
    returned = asked().when("2027-03-03", on_grant(c.ReturnGrant)).when("2027-03-04", on_grant(c.CancelGrant))
    checked = released(check=None).when("2027-03-03", c.ReachMilestone(milestone="account"))
    checked.when("2027-03-03", Answer("check", "unknown"))
    erased = released().when("2027-03-02", c.RequestErasure())
    return [waived, returned, checked, erased, _blocked(), *(play(seed) for seed in SEEDS)]


def test_every_kind_is_produced_by_a_decision() -> None:
    produced = {event.kind for life in lives() for event in life.events}
    assert sorted(KINDS.keys() - produced) == []
    assert produced <= KINDS.keys()
