"""Lives played by the pure core, for the tests of narration and audit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from ruamel.yaml import YAML

from journeys.domain import agenda
from journeys.domain import commands as c
from journeys.domain.decide import Outcome
from journeys.domain.handbook import Handbook, open_handbook
from journeys.domain.offer import Decided, make_offer
from journeys.domain.programme import Programme
from journeys.domain.record import Event, Part, Payload
from journeys.domain.state import State

HOME = Path(__file__).parents[2]
CALENDAR = json.dumps(
    {"zone": "Europe/Paris", "name": "FR", "non_working": ["2027-01-01", "2027-05-01", "2027-05-08", "2027-07-14"]}
)
START = datetime(2027, 1, 4, 9, tzinfo=UTC)


def id_of(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


JOURNEY = f"journey-{id_of('journey')}"
PERSON, REFERENT, OTHER, SUPERVISOR, FINANCE, MENTOR, PARTNER = map(
    id_of, ("person", "referent", "other", "supervisor", "finance", "mentor", "partner")
)
NAMES = {
    PERSON: "Samir Haddad", REFERENT: "Claire Dupont", OTHER: "Luc Petit", SUPERVISOR: "Paul Martin",
    FINANCE: "Inès Roux", MENTOR: "Hélène Blanc", PARTNER: "Atelier du Pont",
}  # fmt: skip


@cache
def programme_text(name: str = "auxilia") -> str:
    raw = YAML(typ="safe").load((HOME / "programmes" / f"{name}.yaml").read_text())
    return Programme.model_validate(raw).model_dump_json()


@cache
def book(name: str = "auxilia") -> Handbook:
    return open_handbook(programme_text(name), CALENDAR)


def day(number: float) -> datetime:
    """The instant `number` days after the start."""
    return START + timedelta(days=number)


ANSWERS = {
    "deliver": ("sent", "mail"), "tell": ("told", ""), "instruct": ("accepted", ""), "enquire": ("settled", ""),
    "check": ("passed", ""),
}  # fmt: skip
_ROLE = {REFERENT: "referent", OTHER: "referent", SUPERVISOR: "supervisor", FINANCE: "finance"}


@dataclass
class Life:
    """A journey under way in the core alone."""

    book: Handbook
    stream: str = JOURNEY
    state: State = field(default_factory=State)
    events: list[Event[Payload]] = field(default_factory=list)
    texts: dict[tuple[int, str], str] = field(default_factory=dict)
    commands: list[tuple[c.Command, Decided]] = field(default_factory=list)
    now: datetime = START

    def until(self, at: datetime) -> None:
        """Let time pass."""
        while True:
            self._offer([])
            if self.state.effects:
                continue
            due = agenda.first(self.state)
            if due is None or due.at > at:
                break
            self.now = max(self.now, due.at)
        self.now = max(self.now, at)

    def do(
        self, number: float, body: c.Body, actor: str = REFERENT, *, told: float | None = None, **texts: str
    ) -> Decided:
        """Give a command on a day; `told` is the day on which it is recorded, when that is later."""
        self.until(day(number if told is None else told))
        parts = {name: Part(text=text, salt="ab" * 32) for name, text in texts.items()}
        command = c.Command(
            id=id_of(f"command {len(self.commands)}"), stream=self.stream, body=body, actor=actor,
            roles=(_ROLE[actor],), occurred_at=day(number), signed_at=self.now, parts=parts,
            commitments={name: part.commitment() for name, part in parts.items()},
        )  # fmt: skip
        while not (decided := self._offer([command])):
            pass
        for event in self.events[decided[0].first - 1 : decided[0].last]:
            self.texts |= {(event.seq, name): texts[name] for name in event.parts}
        self.commands.append((command, decided[0]))
        return decided[0]

    def _offer(self, commands: Sequence[c.Command]) -> tuple[Decided, ...]:
        outcomes = [
            Outcome(seq, *ANSWERS[effect.kind], told=(self.state.referent,), role=effect.data.get("to", ""))
            for seq, effect in self.state.effects.items()
        ]
        offer = make_offer(self.state, self.book, commands, outcomes, self.now)
        self.state = offer.state
        self.events += offer.events
        return offer.decided

    def grant(self) -> tuple[str, str]:
        """Id and digest of the last grant."""
        id, known = list(self.state.grants.items())[-1]
        return id, known.digest


def whole_life() -> Life:
    """A life with most of what can happen, and an end."""
    life = Life(book())
    life.do(
        0,
        c.Plan(
            person=PERSON,
            programme="0" * 64,
            calendar="1" * 64,
            referent=REFERENT,
            dates={"release": date(2027, 2, 15)},
        ),
    )
    life.do(2, c.MoveDate(date="release", on=date(2027, 2, 16)), reason="jugement reporté")
    life.do(5, c.AddEvidence(milestone="exit-plan", kind="exit-plan"), description="plan signé")
    life.do(6, c.ReachMilestone(milestone="exit-plan"))
    life.do(8, c.WaiveMilestone(milestone="lodging-asked"), reason="hébergé par sa sœur")
    life.do(9, c.AddNote(), text="Vu au parloir, confiant.")
    life.do(43, c.ConfirmDate(date="release"), told=44)
    life.do(44, c.ReachMilestone(milestone="first-meeting"), told=50)
    life.do(45, c.RecordSituation(situation="housing", value="relay"), told=60)
    life.do(61, c.RequestGrant(grant="bourse", purpose="training", amount=120_000), payee="FR7630001007941234567890185")
    id, digest = life.grant()
    life.do(61.1, c.ApproveGrant(grant=id, digest=digest), REFERENT)
    life.do(61.2, c.ApproveGrant(grant=id, digest=digest), SUPERVISOR)
    life.do(61.3, c.ApproveGrant(grant=id, digest=digest), FINANCE)
    life.do(62, c.ProposeMentor(mentor=MENTOR))
    life.do(63, c.MatchMentor(mentor=MENTOR))
    life.do(64, c.BookAppointment(at=day(68), contact="support"), place="au café")
    life.do(68.2, c.CloseAppointment(appointment=next(iter(life.state.appointments)), outcome="attended"))
    life.do(70, c.GiveConsent(partner=PARTNER, purpose="job"))
    life.do(70.1, c.SendReferral(partner=PARTNER, purpose="job"), letter="Bonjour")
    life.do(72, c.Suspend(why="custody", until=date(2027, 4, 1)))
    life.do(85, c.Resume())
    life.do(90, c.Correct(what="situation", id="housing", to="shared"), reason="erreur de saisie")
    life.do(91, c.Transfer(to=OTHER))
    life.do(92, c.EndMentor(), reason="déménagement")
    life.do(110, c.Correct(what="milestone", id="exit-plan", to="reached", on=date(2027, 1, 11)), reason="relu")
    life.do(120, c.PauseMessages(until=date(2027, 5, 10)))
    life.do(200, c.Close(outcome="completed"), SUPERVISOR)
    life.do(201, c.Reopen(), SUPERVISOR, reason="suite")
    life.do(202, c.RecordDeath(), SUPERVISOR)
    life.until(day(260))
    return life
