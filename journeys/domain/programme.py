"""What an association writes down about its accompaniment: one programme, as data."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationInfo

from journeys.domain.moments import (
    AnchorKind,
    Duration,
    DurationField,
    LeadField,
    Moment,
    MomentField,
    StretchField,
    Unit,
)
from journeys.domain.money import EuroField


class Text(BaseModel):
    """Base of every part of a programme: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""A name inside a programme: lower-case letters, digits and hyphens."""

Path = tuple[str | int, ...]
"""The place of a part in a programme: `("phases", "inside", "enter")`."""

Origin = Literal["text", "default", "law"]
"""Where a rule comes from: the association's own text, a default of ours, or the law (then never shifted)."""


class Label(Text):
    """What people read, in French and English."""

    fr: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=200)]

    def in_(self, lang: str) -> str:
        return self.en if lang == "en" else self.fr


def _label(raw: Any) -> Any:
    return {"fr": raw, "en": raw} if isinstance(raw, str) else raw


LabelField = Annotated[Label, BeforeValidator(_label)]


def _clock_time(text: str) -> str:
    hours, minutes = int(text[:2]), int(text[3:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"“{text}” is not a time of day; write for example 09:00")
    return text


TimeOfDay = Annotated[str, StringConstraints(pattern=r"^\d{2}:\d{2}$"), AfterValidator(_clock_time)]


class Role(Text):
    """A role of this programme; `rights` names the line of the rights table when it is not its own name."""

    fr: str
    en: str
    rights: (
        Literal["referent", "supervisor", "finance", "mentor", "partner", "participant", "auditor", "duty"] | None
    ) = None


class Clock(Text):
    zone: str = "Europe/Paris"
    calendar: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?|[a-z][a-z0-9-]{0,39})$")] = "FR"
    """A country (`FR`), one of its subdivisions (`FR-974`), or a calendar of the association's own."""
    opens: TimeOfDay = "09:00"
    closes: TimeOfDay = "18:00"
    cut_off: TimeOfDay = "13:00"
    quiet_from: TimeOfDay = "20:00"
    quiet_to: TimeOfDay = "08:00"
    short_notice: DurationField = Duration(3, Unit.WORKING_DAY)
    late_message: DurationField = Duration(3, Unit.DAY)
    spread: DurationField | None = None
    """Over how long what has no exact hour leaves, each journey at its own moment of it."""
    digest: TimeOfDay | None = None
    """The hour of working days at which alerts that are not urgent are told, all of a recipient's in one letter; None:
    each by itself."""


class Saying(Text):
    """What a rule says, in French and English; longer than a label."""

    fr: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]

    def in_(self, lang: str) -> str:
        return self.en if lang == "en" else self.fr


class Ruling(Text):
    """What a rule of law or of social practice says, and since when.

    In force from `valid_from` to `valid_to`, both days included; None where no day is known, or none set.
    """

    says: Saying
    source: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=500)]
    valid_from: date | None = None
    valid_to: date | None = None


class RuleVersion(Ruling):
    """A rule in the version with which a programme was read."""

    label: LabelField


class DateRule(Text):
    """A date that the calendar hangs on besides `start`."""

    label: LabelField
    confirm_within: DurationField = Duration(1, Unit.WORKING_DAY)
    missed: Code | None = None
    shared: bool = False
    """A cohort's date: the same day for all, never shifted by a suspension."""
    origin: Origin = "text"
    rule: Code | None = None
    """The rule of law or practice that it follows: a name of `rules`."""


class Phase(Text):
    label: LabelField
    enter: MomentField | None = None
    enter_when: tuple[Code, ...] = ()
    leave: MomentField | None = None
    leave_when: tuple[Code, ...] = ()
    origin: Origin = "text"


class Roll(StrEnum):
    FORWARD = "forward"
    BACK = "back"
    NONE = "none"


class Check(StrEnum):
    """How a milestone is found to be reached."""

    HAND = "hand"
    EVIDENCE = "evidence"
    APPOINTMENT = "appointment"
    GRANT_SETTLED = "grant settled"
    SITUATION = "situation"
    MENTOR = "mentor"
    HTTP = "http"


class Reminder(Text):
    to: Code
    when: LeadField
    template: Code


class Milestone(Text):
    label: LabelField
    phase: Code | None = None
    due: MomentField | None = None
    roll: Roll = Roll.FORWARD
    required: bool = True
    needs: tuple[Code, ...] = ()
    check: Check = Check.HAND
    evidence: tuple[Code, ...] = ()
    situation: Code | None = None
    good: tuple[Code, ...] = ()
    kept: DurationField | None = None
    url: str | None = None
    """For `check: http`: asked with the milestone's and the journey's ids; its host must be allowed in the settings."""
    remind: tuple[Reminder, ...] = ()
    missed: Code | None = None
    closes: Code | None = None
    """Reaching it asks for (never makes) a closing with this outcome."""
    shifts: bool = True
    """False for a fixed date or a term of law: a suspension does not shift it."""
    origin: Origin = "text"
    rule: Code | None = None

    @property
    def shifted_by_suspension(self) -> bool:
        return self.shifts and self.origin != "law"


class Contact(Text):
    """A grid of windows, one contact made in each."""

    label: LabelField
    start: MomentField
    cadence: Annotated[tuple[StretchField, ...], Field(min_length=1, max_length=20)]
    by: Code = "referent"
    means: tuple[Code, ...] = ("meeting", "phone", "video")
    missed: Code | None = None
    origin: Origin = "text"
    rule: Code | None = None


class Step(Text):
    to: Code
    after: DurationField
    fallback: tuple[Code, ...] = ()
    repeat: DurationField | None = None
    times: Annotated[int, Field(ge=0, le=100)] = 0


class Ladder(Text):
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]
    acknowledged_for: DurationField = Duration(5, Unit.WORKING_DAY)
    snoozed_for: DurationField = Duration(3, Unit.WORKING_DAY)
    """How long a step may be put off in all, counted from when it was planned to go on."""
    urgent: bool = False
    origin: Origin = "text"


class Chase(Text):
    """One step after a missed appointment, until the person is heard of."""

    do: Literal["call", "letter", "escalation"]
    """The referent calls; a letter goes on paper; a ladder begins."""
    within: DurationField | None = None
    """For a call or a letter: after so long without news the next step comes."""
    ladder: Code | None = None
    """For an escalation; None: the ladder of what the appointment was for."""


class Appointments(Text):
    missed: Annotated[tuple[Chase, ...], Field(max_length=10)] = ()
    """What follows a missed one that was freely agreed, step by step; after the last comes the ladder, as without."""
    summons_missed: Code | None = None
    """The ladder of a missed summons, which begins at once; None: that of what it was for."""
    origin: Origin = "text"


class Level(Text):
    """Who must approve up to an amount (the last level has no bound): one distinct person for each role named."""

    up_to: EuroField | None = None
    approvals: Annotated[tuple[Code, ...], Field(min_length=1, max_length=10)]


class Instalment(Text):
    share: Annotated[int, Field(ge=1, le=100)]
    when: MomentField | None = None


PayBy = Literal["sepa", "http", "voucher", "hand"]
"""A file for the bank, the interface of a provider, a voucher, from hand to hand."""


class Grant(Text):
    label: LabelField
    fund: Code
    cap: EuroField
    purposes: Annotated[tuple[Code, ...], Field(min_length=1)]
    requested_by: tuple[Code, ...] = ("referent",)
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=10)]
    decide_within: DurationField = Duration(10, Unit.WORKING_DAY)
    instalments: Annotated[tuple[Instalment, ...], Field(min_length=1, max_length=60)] = (Instalment(share=100),)
    receipts: DurationField | None = None
    receipts_answered: DurationField = Duration(10, Unit.WORKING_DAY)
    """How long finance has to accept or refuse a receipt that was submitted."""
    pay_by: tuple[PayBy, ...] = ("sepa",)
    payee_changed: DurationField = Duration(2, Unit.WORKING_DAY)
    """How long nothing is paid after somebody changed the payee: an approver has time to see it, a fraud to be told."""
    missed: Code | None = None
    origin: Origin = "text"

    def approvals(self, amount: int) -> tuple[str, ...] | None:
        """The roles that must approve so many cents; None when no level reaches so far."""
        return next((each.approvals for each in self.levels if each.up_to is None or amount <= each.up_to), None)


class Measure(Text):
    label: LabelField
    situation: Code
    good: Annotated[tuple[Code, ...], Field(min_length=1)]
    settle: DurationField = Duration(7, Unit.DAY)
    at: Annotated[tuple[MomentField, ...], Field(min_length=1, max_length=50)]
    origin: Origin = "text"


class Guard(Text):
    """What may not be noted of some people: values of a situation, unless something was reached before."""

    says: Saying
    """Told to whoever tries."""
    situation: Code
    bars: Annotated[tuple[Code, ...], Field(min_length=1)]
    when: Code | None = None
    """For journeys on which this date is expected or has happened; None: for all."""
    under: Annotated[int, Field(ge=1, le=120)] | None = None
    """For whoever is younger, in years: their journey does not begin without the date `when`."""
    needs: tuple[Code, ...] = ()
    """Milestones that lift it once all are reached; none: it is never lifted."""
    mentor: bool = False
    """Whether they may be nobody's mentor either, as long as it holds."""
    origin: Origin = "text"


class Closing(Text):
    label: LabelField
    silent: bool = False


class Referrals(Text):
    answer_within: DurationField = Duration(10, Unit.WORKING_DAY)
    missed: Code | None = None


class Transfers(Text):
    """A hand-over to another referent: reminded, then accepted by itself."""

    remind_after: DurationField = Duration(5, Unit.DAY)
    accept_after: DurationField = Duration(10, Unit.DAY)


STANDARD_CLOSINGS: dict[str, Closing] = {
    "completed": Closing(label=Label(fr="terminé", en="completed")),
    "moved": Closing(label=Label(fr="déménagement", en="moved away")),
    "custody": Closing(label=Label(fr="réincarcération", en="returned to custody")),
    "lost": Closing(label=Label(fr="perdu de vue", en="lost contact")),
    "withdrawn": Closing(label=Label(fr="abandon", en="withdrawn"), silent=True),
    "deceased": Closing(label=Label(fr="décès", en="deceased"), silent=True),
}
STANDARD_ROLES: dict[str, Role] = {
    "participant": Role(fr="personne accompagnée", en="participant"),
    "referent": Role(fr="référent", en="caseworker"),
    "mentor": Role(fr="mentor bénévole", en="volunteer mentor"),
    "supervisor": Role(fr="responsable", en="supervisor"),
    "finance": Role(fr="gestionnaire", en="finance"),
    "duty": Role(fr="astreinte", en="duty desk"),
}


STANDARD_LADDERS: dict[str, Ladder] = {
    "standard": Ladder(
        steps=(
            Step(to="referent", after=Duration(0, Unit.HOUR), fallback=("supervisor",)),
            Step(to="supervisor", after=Duration(3, Unit.WORKING_DAY)),
            Step(to="duty", after=Duration(8, Unit.WORKING_DAY), repeat=Duration(10, Unit.WORKING_DAY), times=6),
        ),
        origin="default",
    )
}
"""For what an author gave no ladder (an unconfirmed date, a review): nothing is silent."""


def _with(standard: dict[str, Any]) -> Any:
    return lambda raw: {**standard, **raw} if isinstance(raw, dict) else raw


def _closings(raw: Any, info: ValidationInfo) -> Any:
    """The standard ones beside the author's; only of a participant may it be said that they are back in custody."""
    if not isinstance(raw, dict):
        return raw
    own = {} if raw == STANDARD_CLOSINGS else raw
    of_all = info.data.get("subject", "participant") == "participant"
    return {code: known for code, known in STANDARD_CLOSINGS.items() if of_all or code != "custody"} | own


class Programme(Text):
    """A whole programme. Every key of `phases`, `milestones`, ... is a code that events use."""

    programme: Code
    format: Literal[1] = 1
    label: LabelField
    subject: Literal["participant", "project_holder", "volunteer"] = "participant"
    roles: Annotated[dict[Code, Role], BeforeValidator(_with(STANDARD_ROLES))] = STANDARD_ROLES
    clock: Clock = Clock()
    dates: dict[Code, DateRule] = {}
    active_from: Code = "start"
    ends: MomentField | None = None
    phases: Annotated[dict[Code, Phase], Field(max_length=50)] = {}
    milestones: Annotated[dict[Code, Milestone], Field(max_length=300)] = {}
    contacts: Annotated[dict[Code, Contact], Field(max_length=50)] = {}
    ladders: Annotated[dict[Code, Ladder], BeforeValidator(_with(STANDARD_LADDERS)), Field(max_length=50)] = (
        STANDARD_LADDERS
    )
    appointments: Appointments = Appointments()
    grants: Annotated[dict[Code, Grant], Field(max_length=50)] = {}
    situations: dict[Code, tuple[Code, ...]] = {}
    guards: Annotated[dict[Code, Guard], Field(max_length=50)] = {}
    measures: Annotated[dict[Code, Measure], Field(max_length=50)] = {}
    referrals: Referrals = Referrals()
    transfers: Transfers = Transfers()
    review: DurationField = Duration(1, Unit.MONTH)
    suspension_review: DurationField = Duration(1, Unit.MONTH)
    suspension_missed: Code | None = None
    closings: Annotated[dict[Code, Closing], BeforeValidator(_closings), Field(validate_default=True)] = (
        STANDARD_CLOSINGS
    )
    rules: dict[Code, RuleVersion] = {}
    """The rules that the parts above name, as they were when the file was read: filled in then, never by authors."""

    @cached_property
    def found_reached(self) -> tuple[tuple[Code, Milestone], ...]:
        """The milestones that are found reached in what is known, without waiting."""
        return tuple(
            (code, each)
            for code, each in self.milestones.items()
            if each.check in (Check.MENTOR, Check.GRANT_SETTLED)
            or (each.check is Check.SITUATION and each.kept is None and each.situation is not None)
        )

    @cached_property
    def on_situations(self) -> tuple[tuple[Code, Milestone, Code], ...]:
        """The milestones that a situation settles, each with the situation's name."""
        return tuple(
            (code, each, each.situation)
            for code, each in self.milestones.items()
            if each.check is Check.SITUATION and each.situation is not None
        )

    @cached_property
    def awaited(self) -> frozenset[Code]:
        """The milestones that something here waits for: with another one reached, everything is planned as before."""
        needed = {need for each in self.milestones.values() for need in each.needs}
        phases = {code for each in self.phases.values() for code in (*each.enter_when, *each.leave_when)}
        kept = {code for code, _, _ in self.on_situations}
        return frozenset(self._anchors(AnchorKind.MILESTONE_REACHED) | needed | phases | kept)

    @cached_property
    def counted_from_due(self) -> frozenset[Code]:
        """The milestones from whose deadline something here is counted."""
        return frozenset(self._anchors(AnchorKind.MILESTONE_DUE))

    def _anchors(self, kind: AnchorKind) -> set[Code]:
        return {each.anchor.name for _, each in self.moments() if each.anchor.kind is kind}

    def moments(self) -> Iterator[tuple[Path, Moment]]:
        """Every moment written here, with its place."""
        if self.ends is not None:
            yield ("ends",), self.ends
        for name, phase in self.phases.items():
            if phase.enter is not None:
                yield ("phases", name, "enter"), phase.enter
            if phase.leave is not None:
                yield ("phases", name, "leave"), phase.leave
        for name, milestone in self.milestones.items():
            if milestone.due is not None:
                yield ("milestones", name, "due"), milestone.due
        for name, contact in self.contacts.items():
            yield ("contacts", name, "start"), contact.start
        for name, grant in self.grants.items():
            for at, instalment in enumerate(grant.instalments):
                if instalment.when is not None:
                    yield ("grants", name, "instalments", at, "when"), instalment.when
        for name, measure in self.measures.items():
            for at, moment in enumerate(measure.at):
                yield ("measures", name, "at", at), moment

    def ruled(self) -> Iterator[tuple[tuple[str, str], DateRule | Milestone | Contact]]:
        """Each part that may follow a rule, with its place: (`milestones`, its code)."""
        yield from ((("dates", code), each) for code, each in self.dates.items())
        yield from ((("milestones", code), each) for code, each in self.milestones.items())
        yield from ((("contacts", code), each) for code, each in self.contacts.items())


@lru_cache(maxsize=256)
def compile_programme(text: str) -> Programme:
    """Read a programme from the text that the store keeps under its SHA-256 (canonical JSON); once per process."""
    return Programme.model_validate_json(text)
