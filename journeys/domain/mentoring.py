"""Mentors: proposed, matched, declined, ended; a mentor lost is asked for anew."""

from journeys.domain import commands as c
from journeys.domain import contacts, messages
from journeys.domain import events as e
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import Subject


def about(id: str) -> Subject:
    return Subject(kind="mentor", id=id)


def propose(work: Deciding, body: c.ProposeMentor) -> None:
    if work.state.match is not None:
        raise Refusal("has-mentor")
    if body.mentor in work.state.proposals.values():
        raise Refusal("mentor-proposed")
    assert work.command is not None
    work.fact(e.MentorProposed(proposal=work.command.id, mentor=body.mentor))
    messages.owe(
        work,
        "notice",
        "mentor",
        "mentor-proposed",
        about(body.mentor),
        f"proposal/{work.command.id}",
        person=body.mentor,
    )


def match(work: Deciding, body: c.MatchMentor) -> None:
    proposal = _proposal(work, body.mentor)
    work.fact(e.MentorMatched(proposal=proposal, mentor=body.mentor, on=work.day))
    for id, mentor in list(work.state.proposals.items()):
        work.follow(e.MentorProposalCancelled(proposal=id, mentor=mentor, why="matched"), "mentor")


def decline(work: Deciding, body: c.DeclineMentor) -> None:
    proposal = _proposal(work, body.mentor)
    work.fact(e.MentorDeclined(proposal=proposal, mentor=body.mentor))
    messages.owe(work, "notice", "referent", "mentor-wanted", about(body.mentor), f"declined/{proposal}")


def end(work: Deciding, body: c.EndMentor) -> None:
    """The mentor's open window is cancelled, and the referent is asked for a replacement."""
    known = work.state.match
    if known is None:
        raise Refusal("no-mentor")
    work.fact(e.MentorEnded(proposal=known.proposal, mentor=known.mentor, why="by-hand"))
    contacts.cancel_open(work, "mentor-ended", by="mentor")
    messages.owe(work, "notice", "referent", "mentor-wanted", about(known.mentor), f"ended/{known.proposal}")


def end_all(work: Deciding) -> None:
    """On closing."""
    for id, mentor in list(work.state.proposals.items()):
        work.follow(e.MentorProposalCancelled(proposal=id, mentor=mentor, why="closed"), "closing")
    known = work.state.match
    if known is not None:
        work.follow(e.MentorEnded(proposal=known.proposal, mentor=known.mentor, why="closed"), "closing")


def _proposal(work: Deciding, mentor: str) -> str:
    found = next((id for id, proposed in work.state.proposals.items() if proposed == mentor), None)
    if found is None:
        raise Refusal("no-proposal", mentor=mentor)
    return found
