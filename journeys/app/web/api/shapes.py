"""What the API answers: one model a thing, in the words of the domain. Instants are RFC 3339, amounts integer cents."""

from datetime import date, datetime
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from journeys.app.cohorts import own_days
from journeys.contract import Answer
from journeys.domain.programme import Programme
from journeys.domain.record import Instant
from journeys.store.cohorts import CohortRow
from journeys.store.cohorts import Member as Placed
from journeys.store.mentors import Mentor
from journeys.store.partners import Partner
from journeys.store.staff import Member
from journeys.store.views import JourneyRow

A_JOURNEY: Final = "01a21169-ea00-7de2-a5e5-25f019c99f5d"
A_COMMAND: Final = "01a2116a-1000-7b3c-9c1e-5f0c2f1d8a77"
A_PERSON: Final = "01a21169-e9f0-7c11-8d2a-0b6f4a3e9c21"
SOMEBODY: Final = "01a20000-0000-7000-8000-000000000a11"


class Shape(BaseModel):
    """Base of all: what is not named here is not answered."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": fields})


def example_of(shape: type[BaseModel]) -> Any:
    """The example that OpenAPI shows of a shape."""
    more: Any = shape.model_config.get("json_schema_extra") or {}
    return more.get("example")


_JOURNEY: Final[dict[str, Any]] = {
    "id": A_JOURNEY, "status": "active", "programme": "auxilia", "phase": "outside", "seq": 42,
    "next_due": "2027-05-12T15:00:00Z", "late": 1, "person": A_PERSON, "name": "Samir Benali",
    "referent": SOMEBODY, "site": None,
}  # fmt: skip
_ITEM: Final[dict[str, Any]] = {
    "journey": A_JOURNEY, "kind": "deadline", "id": "5b0f2c1e-8f37-5d6a-9f0e-3b1a2c4d5e6f", "about": "lodging-asked",
    "text": "request for lodging", "at": "2027-05-12T15:00:00Z", "since": None, "role": "referent", "amount": None,
    "note": "", "otherwise": "missed on 12 May 2027 at 17:00, then an escalation (caseworker)",
}  # fmt: skip
_ANSWER: Final[dict[str, Any]] = {
    "command": A_COMMAND, "outcome": "accepted", "code": None, "details": {}, "first": 43, "last": 44, "seq": 44,
}  # fmt: skip


class Journey(Shape):
    """A journey as lists show it."""

    model_config = _example(**_JOURNEY)

    id: str
    status: Literal["planned", "active", "suspended", "closed"]
    programme: str
    phase: str | None
    seq: int
    """The last event. It is the ETag of the journey; send it back as `If-Match`."""
    next_due: Instant | None
    late: int
    """Open items past their due."""
    person: str
    name: str | None
    """None once the person was erased."""
    referent: str | None
    site: str | None

    @classmethod
    def of(cls, row: JourneyRow) -> Self:
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class Item(Shape):
    """Something that waits for somebody."""

    model_config = _example(**_ITEM)

    journey: str
    kind: str
    id: str
    about: str
    text: str
    """What it is, in the reader's language."""
    at: datetime | None
    since: datetime | None
    role: str
    """Whose turn it is; several roles apart by a comma and a space; of an escalation that was handed on, the id of that
    member of staff."""
    amount: int | None
    note: str
    otherwise: str
    """What happens if nobody acts."""
    wish: datetime | None = None
    """The time that the person wishes for an appointment instead."""
    held_by: str | None = None
    """Who took an escalation in charge, or put it off."""
    held_until: datetime | None = None
    """Until when, where that is before `at`, when its next step comes."""
    summons: bool = False
    """The appointment is a summons: the person may not decline it, and an excuse wants its justification."""
    digest: datetime | None = None
    """When the daily message leaves with which an escalation is told, until it is."""


class Whole(Journey):
    """A journey with what waits on it and the state that its events fold to."""

    model_config = _example(**_JOURNEY, waiting=[_ITEM], state={"status": "active", "seq": 42})

    waiting: list[Item]
    state: dict[str, Any]
    """Ids, codes, instants and cents, as the core holds them; not part of what the version number promises."""


class Journeys(Shape):
    model_config = _example(journeys=[_JOURNEY], next=A_JOURNEY)

    journeys: list[Journey]
    next: str | None
    """The cursor of the next page; None on the last one."""


class Due(Shape):
    """Something that happens by itself unless something else happens first."""

    model_config = _example(at="2027-05-12T15:00:00Z", kind="deadline", id="5b0f2c1e-8f37-5d6a-9f0e-3b1a2c4d5e6f",
                            text="on 12 May 2027 at 17:00 the request for lodging counts as missed")  # fmt: skip

    at: Instant
    kind: str
    id: str
    text: str


class Agenda(Shape):
    model_config = _example(agenda=[example_of(Due)])

    agenda: list[Due]


class Cause(Shape):
    stream: str
    seq: int


class Recorded(Shape):
    """One event of a journey."""

    model_config = _example(
        seq=43, kind="MilestoneReached", recorded_at="2027-05-11T09:30:00Z", occurred_at="2027-05-11T09:30:00Z",
        actor=SOMEBODY, role="referent", command=A_COMMAND, rule=None, caused_by=None,
        data={"milestone": "lodging-asked", "on": "2027-05-11"}, text="Aline reached the request for lodging",
        texts={"note": "asked today"},
    )  # fmt: skip

    seq: int
    kind: str
    recorded_at: Instant
    occurred_at: Instant
    actor: str
    role: str
    command: str | None
    rule: str | None
    caused_by: Cause | None
    data: dict[str, Any]
    text: str | None
    """The event in the reader's language; None where there is nothing to tell."""
    texts: dict[str, str]
    """What people wrote with it, where it was not deleted."""


class History(Shape):
    model_config = _example(events=[example_of(Recorded)], next=43)

    events: list[Recorded]
    next: int | None
    """`after` of the next page; None on the last one."""


class Answered(Shape):
    """What became of a command: the same for ever for the same id."""

    model_config = _example(**_ANSWER)

    command: str
    outcome: Literal["accepted", "refused"]
    code: str | None
    """Why it was refused."""
    details: dict[str, Any]
    first: int
    """The first of its events; 0 when it has none."""
    last: int
    seq: int
    """Where the stream stood after it: the journey's, or for a command about the person the person's."""

    @classmethod
    def of(cls, answer: Answer) -> Self:
        return cls.model_validate(answer.model_dump())


class Warning(Shape):
    """What did not stop a command, and should be known."""

    model_config = _example(code="no-place", message="Take care: Le Relais has no place left (4 of 4).")

    code: Literal["no-place", "mentor-away", "overlap"]
    """`no-place`: the partner, or the mentor, already has as many as they have places for; `mentor-away`: the mentor is
    not available now; `overlap`: the person, or whoever leads the journey, has an appointment at that time already."""
    message: str
    """The same in the reader's language."""


class Done(Shape):
    """A command that was taken, and the journey as it stands now."""

    model_config = _example(answer=_ANSWER, journey={**_JOURNEY, "seq": 44}, warning=None)

    answer: Answered
    journey: Journey
    warning: Warning | None = None
    """As of this answer: of `send-referral` and `propose-mentor` that whoever is asked has no place left. The command
    was taken all the same."""


class CalledAgain(Shape):
    """What came of calling for one blocked payment again."""

    model_config = _example(payment=A_COMMAND, journey=A_JOURNEY, outcome="accepted", code=None)

    payment: str
    journey: str
    outcome: Literal["accepted", "refused", "conflict", "unsigned", "waiting"]
    """`waiting`: no answer yet; ask again with the same key."""
    code: str | None
    """Why it was refused."""


class Retried(Shape):
    model_config = _example(payments=[example_of(CalledAgain)], taken=1)

    payments: list[CalledAgain]
    taken: int
    """How many were accepted."""


class Taken(Shape):
    """A command that the engine has taken and not yet written: look it up, or send it again with the same key."""

    model_config = _example(command=A_COMMAND, journey=A_JOURNEY)

    command: str
    journey: str


class Instalment(Shape):
    amount: int
    when: str | None


class Approval(Shape):
    """A grant that waits for a decision, with all that an approval is bound to."""

    model_config = _example(
        journey=A_JOURNEY, grant=A_COMMAND, kind="bourse", purpose="training", amount=60000, pay_by="sepa",
        payee="Auto-école du Pont", iban="FR7630006000011234567890189",
        payee_changed_at="2027-05-12T15:00:00Z", payee_changed_by="Aline Roux", pay_from="2027-05-14T07:00:00Z",
        digest="3" * 64, decide_by="2027-05-25T15:00:00Z",
        instalments=[{"amount": 60000, "when": None}], needed=["supervisor", "finance"], given=["supervisor"],
        requester="Aline Roux",
    )  # fmt: skip

    journey: str
    grant: str
    kind: str
    purpose: str
    amount: int
    pay_by: str
    payee: str | None
    """The name of whoever is paid; None once it was deleted."""
    iban: str | None
    """The account that the money goes to, where it goes to one."""
    payee_changed_at: datetime | None
    """When somebody last set name or account anew after the request."""
    payee_changed_by: str | None
    pay_from: datetime | None
    """Nothing is paid before: somebody had time to see that the payee is another one."""
    digest: str
    """Send it back with `approve-grant`: an approval holds for exactly this."""
    decide_by: datetime
    instalments: list[Instalment]
    needed: list[str]
    given: list[str]
    requester: str


class Approvals(Shape):
    model_config = _example(approvals=[example_of(Approval)], next=None)

    approvals: list[Approval]
    next: str | None
    """The cursor of the next page; None on the last one."""


class Escalations(Shape):
    model_config = _example(escalations=[{**_ITEM, "kind": "escalation", "since": "2027-05-12T15:00:00Z"}], next=None)

    escalations: list[Item]
    next: str | None
    """The cursor of the next page; None on the last one."""


class ProgrammeInForce(Shape):
    """A programme, with the codes that commands name and what people call them."""

    model_config = _example(
        name="auxilia", label="Auxilia", sha256="9" * 64,
        dates={"release": "release"}, phases={"outside": "outside"},
        milestones={"lodging-asked": "request for lodging"},
        contacts={"support": "support"}, grants={"bourse": "grant"}, situations={"housing": ["none", "relay", "own"]},
        measures={"housed": "housed"}, closings={"completed": "completed"},
    )  # fmt: skip

    name: str
    label: str
    sha256: str
    dates: dict[str, str]
    phases: dict[str, str]
    milestones: dict[str, str]
    contacts: dict[str, str]
    grants: dict[str, str]
    situations: dict[str, list[str]]
    measures: dict[str, str]
    closings: dict[str, str]

    @classmethod
    def of(cls, name: str, sha256: str, known: Programme, lang: str) -> Self:
        def labels(table: Any) -> dict[str, str]:
            return {code: each.label.in_(lang) for code, each in table.items()}

        return cls(
            name=name, label=known.label.in_(lang), sha256=sha256, dates=labels(known.dates),
            phases=labels(known.phases), milestones=labels(known.milestones), contacts=labels(known.contacts),
            grants=labels(known.grants), measures=labels(known.measures), closings=labels(known.closings),
            situations={code: list(values) for code, values in known.situations.items()},
        )  # fmt: skip


class Programmes(Shape):
    model_config = _example(programmes=[example_of(ProgrammeInForce)])

    programmes: list[ProgrammeInForce]


class Absence(Shape):
    first_day: date
    last_day: date
    deputy: str | None


class StaffMember(Shape):
    """Somebody of the staff."""

    model_config = _example(id=SOMEBODY, handle="aline", name="Aline Roux", roles=["referent"], sites=[], absences=[])

    id: str
    handle: str
    name: str
    roles: list[str]
    sites: list[str]
    """None: every site."""
    absences: list[Absence]
    """Present and coming."""

    @classmethod
    def of(cls, member: Member, absences: list[Absence]) -> Self:
        return cls(id=member.id, handle=member.handle, name=member.name, roles=list(member.roles),
                   sites=list(member.sites), absences=absences)  # fmt: skip


class Staff(Shape):
    model_config = _example(staff=[example_of(StaffMember)])

    staff: list[StaffMember]


_COHORT: Final[dict[str, Any]] = {
    "id": A_JOURNEY, "name": "Promotion 2028", "programme": "actice", "places": 12, "taken": 12, "waiting": 3,
    "dates": {"jury": "2028-01-17", "opening": None}, "closed": False,
}  # fmt: skip


class CohortKnown(Shape):
    """Journeys of one programme with shared days, so many places, and a waiting list."""

    model_config = _example(**_COHORT)

    id: str
    name: str
    programme: str
    places: int
    taken: int
    waiting: int
    dates: dict[str, date | None]
    """The shared dates in their order; null: no day yet."""
    closed: bool

    @classmethod
    def of(cls, row: CohortRow) -> Self:
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields} | {"dates": dict(row.dates)})


class Cohorts(Shape):
    model_config = _example(cohorts=[_COHORT])

    cohorts: list[CohortKnown]


class CohortMember(Shape):
    """A journey of a cohort."""

    model_config = _example(journey=A_JOURNEY, name="Inès Kaddour", rank=None, since="2027-12-01T09:00:00Z",
                            status="active", own_days={"jury": "2028-01-20"})  # fmt: skip

    journey: str
    name: str | None
    rank: int | None
    """On the waiting list, 1 for the next; null: it has a place."""
    since: Instant
    status: str
    own_days: dict[str, date | None]
    """Shared dates that it has on another day than its cohort, or not at all."""

    @classmethod
    def of(cls, row: CohortRow, member: Placed) -> Self:
        return cls(journey=member.journey, name=member.person, rank=member.rank, since=member.since,
                   status=member.status, own_days=own_days(row, member))  # fmt: skip


class WholeCohort(CohortKnown):
    """A cohort with those of its journeys that the token's owner may look into; `taken` and `waiting` count all."""

    model_config = _example(**_COHORT, journeys=[example_of(CohortMember)])

    journeys: list[CohortMember]


class Figure(Shape):
    """One figure, or why there is none: `few` and `held-back` keep small numbers from telling of somebody."""

    model_config = _example(shown="figure", young=4, unknown=2, counted=12, among=20, people=20, share=0.6)

    shown: str
    young: int
    """Journeys for which it is too soon."""
    unknown: int | None = None
    """Of how many nothing is known."""
    counted: int | None = None
    among: int | None = None
    people: int | None = None
    share: float | None = None


class Group(Figure):
    model_config = _example(key="auxilia", label="Auxilia", **example_of(Figure))

    key: str | None
    label: str


class IndicatorKnown(Shape):
    """An indicator with its definition in the reader's language."""

    model_config = _example(
        code="housed-at-3-months", title="Housed three months after the release", unit="journeys",
        counted="whoever had a roof of their own on that day", among="releases that took place",
        age="three months since the release", least=False, total=example_of(Figure), groups=[example_of(Group)],
    )  # fmt: skip

    code: str
    title: str
    unit: str
    """What is counted: journeys, things or cents."""
    least: bool
    """Whether `share` is the least that is so: `among` holds those of whom nothing is known."""
    counted: str
    among: str
    age: str
    total: Figure
    groups: list[Group]


class Indicators(Shape):
    """What came of the journeys that the token's owner may look into."""

    model_config = _example(
        by="programme", programme=None, as_of="2027-05-12", least=5, journeys=48, ahead=3, grown=0,
        indicators=[example_of(IndicatorKnown)], **{"from": None, "to": None},
    )  # fmt: skip

    by: str
    programme: str | None
    from_: str | None = Field(alias="from")
    to: str | None
    as_of: date
    least: int
    """Fewer than so many people are not told of."""
    journeys: int
    ahead: int
    """Journeys whose release is still ahead: not counted yet."""
    grown: int
    """Journeys that have grown since they were counted."""
    indicators: list[IndicatorKnown]


class PartnerKnown(Shape):
    """An organisation to which people are referred."""

    model_config = _example(id=SOMEBODY, name="Le Relais", kind="housing", email=None, phone=None, site=None,
                            place="Nanterre", purposes=["housing"], places=4)  # fmt: skip

    id: str
    name: str
    kind: str
    email: str | None
    phone: str | None
    site: str | None
    place: str | None
    purposes: list[str]
    """What people are referred for; none: the kind."""
    places: int | None
    """People at once; null where nobody counts them."""

    @classmethod
    def of(cls, partner: Partner) -> Self:
        return cls.model_validate({name: getattr(partner, name) for name in cls.model_fields})


class Partners(Shape):
    model_config = _example(partners=[example_of(PartnerKnown)])

    partners: list[PartnerKnown]


class MentorKnown(Shape):
    """A volunteer or peer; `capacity` counts people at once."""

    model_config = _example(id=SOMEBODY, name="Karim", email=None, phone=None, site=None, capacity=2, available=True,
                            place="Nanterre", languages="français, arabe", interests="football")  # fmt: skip

    id: str
    name: str
    email: str | None
    phone: str | None
    site: str | None
    capacity: int
    available: bool
    place: str | None
    languages: str | None
    interests: str | None

    @classmethod
    def of(cls, mentor: Mentor) -> Self:
        return cls.model_validate({name: getattr(mentor, name) for name in cls.model_fields})


class Mentors(Shape):
    model_config = _example(mentors=[example_of(MentorKnown)])

    mentors: list[MentorKnown]


class Me(Shape):
    """Whose token it is, and what they hold now."""

    model_config = _example(id=SOMEBODY, handle="aline", name="Aline Roux", roles=["referent"], sites=[])

    id: str
    handle: str
    name: str
    roles: list[str]
    sites: list[str]
