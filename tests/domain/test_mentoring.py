"""Mentors: proposed, matched, declined, ended. (Their windows of contact: test_contacts.)"""

from journeys.domain import commands as c
from tests.domain.given import MENTOR, OTHER_MENTOR, by, released, said


def test_the_mentor_proposed_is_told_and_agrees() -> None:
    life = (
        released()
        .when("2027-03-02", c.ProposeMentor(mentor=MENTOR))
        .then(said("MentorProposed", mentor=MENTOR), said("MessageDue", to="mentor", person=MENTOR))
    )
    life.when("2027-03-03", by(MENTOR, c.MatchMentor(mentor=MENTOR))).then(
        "MentorMatched", "MilestoneReached", also=True
    )
    life.when("2027-03-04", c.ProposeMentor(mentor=OTHER_MENTOR)).refused("has-mentor")


def test_a_match_ends_the_other_proposals() -> None:
    life = (
        released()
        .when("2027-03-02", c.ProposeMentor(mentor=MENTOR))
        .when("2027-03-02", c.ProposeMentor(mentor=OTHER_MENTOR))
    )
    life.when("2027-03-03", c.MatchMentor(mentor=OTHER_MENTOR)).then(
        said("MentorMatched", mentor=OTHER_MENTOR),
        said("MentorProposalCancelled", mentor=MENTOR, why="matched"),
        also=True,
    )


def test_a_mentor_who_declines_is_to_be_replaced() -> None:
    life = released().when("2027-03-02", c.ProposeMentor(mentor=MENTOR))
    life.when("2027-03-02", c.ProposeMentor(mentor=MENTOR)).refused("mentor-proposed")
    life.when("2027-03-03", by(OTHER_MENTOR, c.DeclineMentor(mentor=MENTOR))).refused("no-right")
    life.when("2027-03-03", by(MENTOR, c.DeclineMentor(mentor=MENTOR))).then(
        "MentorDeclined", said("MessageDue", template="mentor-wanted", to="referent")
    )
    life.when("2027-03-03", c.MatchMentor(mentor=MENTOR)).refused("no-proposal")


def test_a_mentor_lost_is_asked_for_anew() -> None:
    life = released().when("2027-03-02", c.EndMentor()).refused("no-mentor")
    life.when("2027-03-02", c.ProposeMentor(mentor=MENTOR)).when("2027-03-03", c.MatchMentor(mentor=MENTOR))
    life.when("2027-03-09", c.EndMentor()).then(
        said("MentorEnded", why="by-hand"), "ContactCancelled", said("MessageDue", template="mentor-wanted")
    )
