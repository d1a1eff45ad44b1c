"""How people behave, as data: what is done, when, and how often it is not. Every figure is an assumption."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from journeys.domain.moments import Duration, DurationField, Unit
from journeys.domain.programme import Code, LabelField

Percent = Annotated[int, Field(ge=0, le=100)]


_MINUTES = {
    Unit.MINUTE: 1, Unit.HOUR: 60, Unit.DAY: 1_440, Unit.WORKING_DAY: 2_016, Unit.WEEK: 10_080, Unit.MONTH: 43_200,
}  # fmt: skip


def minutes(duration: Duration) -> int:
    """Its length for a draw: a working day is a fifth of a week, a month thirty days."""
    return duration.amount * _MINUTES[duration.unit]


class Assumed(BaseModel):
    """Base of every part: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(Assumed):
    """Between a shortest and a longest time, each as likely."""

    least: DurationField = Duration(0, Unit.DAY)
    most: DurationField

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if minutes(self.least) > minutes(self.most):
            raise ValueError(f"“{self.least}” is longer than “{self.most}”")
        return self


class Moved(Assumed):
    """A date that is expected: for whom, when, how often it moves before it happens, how often nobody confirms it."""

    expected: Percent = 100
    """People for whom there is such a day at all."""
    lead: Span | None = None
    """How long after the plan it lies, where that is not the `lead` of all dates."""
    often: Percent = 0
    earlier: DurationField = Duration(0, Unit.DAY)
    later: DurationField = Duration(0, Unit.DAY)
    forgotten: Percent = 0
    """Confirmed late, by up to two weeks."""


class Done(Assumed):
    """What somebody should do before a deadline: in time, late, or never."""

    in_time: Percent = 80
    late: Percent = 15
    early_by: Span = Span(most=Duration(10, Unit.DAY))
    late_by: Span = Span(least=Duration(1, Unit.DAY), most=Duration(20, Unit.DAY))

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        if self.in_time + self.late > 100:
            raise ValueError("in_time and late are more than 100 together")
        return self


class Meeting(Assumed):
    """What becomes of an appointment."""

    missed: Percent = 12
    excused: Percent = 6
    noted_after: Span = Span(most=Duration(3, Unit.DAY))
    reached: Percent = 60
    """Of those who missed one, how many a call or a letter reaches."""
    reached_after: Span = Span(least=Duration(1, Unit.HOUR), most=Duration(2, Unit.DAY))


class Asked(Assumed):
    """A grant: whether it is asked for, how much of its cap, and how fast somebody decides and accounts for it."""

    often: Percent = 60
    share: tuple[Percent, Percent] = (30, 100)
    after: Span = Span(least=Duration(20, Unit.DAY), most=Duration(90, Unit.DAY))
    refused: Percent = 8
    decided_after: Span = Span(least=Duration(1, Unit.DAY), most=Duration(9, Unit.DAY))
    justified: Percent = 90
    justified_after: Span = Span(least=Duration(3, Unit.DAY), most=Duration(28, Unit.DAY))
    waived_after: Span = Span(least=Duration(60, Unit.DAY), most=Duration(120, Unit.DAY))
    """How long finance waits for a receipt that is overdue."""
    unknown: Percent = 2
    """Of payments whose fate the bank does not say at once."""


class Alert(Assumed):
    """An alert: taken in charge by whoever is told, then settled, or left to climb."""

    taken: Percent = 70
    after: Span = Span(least=Duration(2, Unit.HOUR), most=Duration(3, Unit.DAY))
    settled_after: Span = Span(least=Duration(1, Unit.DAY), most=Duration(10, Unit.DAY))


class Step(Assumed):
    """What a situation changes into, and how often in a month."""

    to: Code
    monthly: Percent


class Leaving(Assumed):
    """How many leave in a month, by the way they leave."""

    monthly: dict[Code, Percent] = {}


class Away(Assumed):
    """A suspension: how many in a month, and how long."""

    monthly: Percent = 2
    why: Annotated[str, Field(pattern="^(custody|hospital|unreachable|asked)$")] = "custody"
    lasts: Span = Span(least=Duration(15, Unit.DAY), most=Duration(90, Unit.DAY))


class Behaviour(Assumed):
    """How the people of one programme behave. A name that the programme has not is left aside, and said to be."""

    label: LabelField
    lead: Span = Span(least=Duration(30, Unit.DAY), most=Duration(90, Unit.DAY))
    """How long before its first expected date a journey is planned."""
    dates: dict[Code, Moved] = {}
    milestones: dict[Code, Done] = {}
    every_milestone: Done = Done()
    contacts: dict[Code, Percent] = {}
    """Windows in which a contact is made."""
    every_contact: Percent = 85
    appointments: Meeting = Meeting()
    grants: dict[Code, Asked] = {}
    every_grant: Asked = Asked()
    alerts: Alert = Alert()
    mentor: Done = Done(in_time=70, late=20)
    mentor_lost: Percent = 3
    """Of matches, in a month."""
    situations: dict[Code, tuple[Step, ...]] = {}
    leaving: Leaving = Leaving()
    away: Away = Away()
    closed_after: Span = Span(least=Duration(1, Unit.DAY), most=Duration(21, Unit.DAY))
    """How long somebody takes to close a journey that asks for it."""
    longest: DurationField = Duration(24, Unit.MONTH)
    """However it goes, nobody is accompanied longer: then somebody closes."""
