"""How long what is kept may be kept: rules as data, what falls due by them, and what stands against its going."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from journeys.domain.calendar import plainly_added
from journeys.domain.moments import Duration, DurationField, Unit
from journeys.domain.programme import Code, Saying, Text

RuleName = Literal[
    "people", "unstarted", "mentors", "letters", "histories", "bank", "sessions", "tokens", "forms", "digests",
    "shifts", "verifications",
]  # fmt: skip
FORGETTING: Final[tuple[RuleName, ...]] = ("people", "unstarted", "mentors")
"""By which somebody is forgotten; by the others rows and files go."""


class Keeping(Text):
    """For how long one kind of thing is kept, who says so, and what the daily round does when that is over.

    Either somebody says so (`source`, with where and when it was read), or it is a default of ours (`default`, why).
    """

    kept: DurationField
    daily: Literal["propose", "apply"] = "propose"
    source: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=500)] | None = None
    checked_on: date | None = None
    default: Saying | None = None


BANK: Final = Keeping(
    kept=Duration(120, Unit.MONTH),
    source="Code de commerce, art. L123-22 : les documents comptables et les pièces justificatives sont conservés"
    " pendant dix ans",
    url="https://www.doctrine.fr/l/texts/codes/LEGITEXT000005634379/articles/LEGIARTI000006219326",
    checked_on=date(2026, 11, 29),
)  # fmt: skip
"""As the file that is shipped says it: for one that was written before there was this rule."""


def _a_year(fr: str, en: str) -> Keeping:
    return Keeping(kept=Duration(12, Unit.MONTH), daily="apply", default=Saying(fr=fr, en=en))


class Rules(Text):
    """What each is counted from stands here; how long it lasts stands in the file.

    What has a value here came later: a file of before is still one.
    """

    people: Keeping
    """A person, from the last fact that the record has about them: in their journeys, or about themselves."""
    unstarted: Keeping
    """A person who never had a journey, from the last fact about them."""
    mentors: Keeping
    """A mentor, from the last fact about them, in their own stream or a journey's."""
    letters: Keeping
    """A letter that lies in the outbox of a machine without a mail server, from when it was laid there."""
    histories: Keeping
    """The kept history of a run of the engine, from the end of the run; that of an open journey stays."""
    bank: Keeping = BANK
    """What went to the bank, and came from it, in a year: from the end of that year. What accounting keeps of somebody
    who is forgotten: from the end of the year of their last payment."""
    sessions: Keeping
    """A session of somebody who worked here, from its end."""
    tokens: Keeping
    """A token of a program, from when it ended or was taken back."""
    forms: Keeping
    """A form kept at the login, from when it was left."""
    digests: Keeping = _a_year(
        "Aucun texte trouvé. Un an, comme les consultations : on voit encore qui a été averti de quoi.",
        "No text was found. A year, as who opened whose file: one still sees who was told of what.",
    )
    """That a daily letter left, with which alerts, from its day; one with an alert of an open journey stays."""
    shifts: Keeping = _a_year(
        "Aucun texte trouvé. Un an après une astreinte, on sait encore qui devait répondre.",
        "No text was found. A year after a shift on call one still knows who had to answer.",
    )
    """A shift on call, from its end."""
    verifications: Keeping = _a_year(
        "Aucun texte trouvé. Un an de vérifications de nuit montre depuis quand quelque chose ne va pas.",
        "No text was found. A year of nightly verifications shows since when something is wrong.",
    )
    """What a verification of everything found, or a replay of every history, from its hour; the last of each stays."""

    def of(self, name: RuleName) -> Keeping:
        """The rule of a name."""
        found: Keeping = getattr(self, name)
        return found


class Retention(Text):
    """All rules, how far ahead one looks, and how many a day forgets at most."""

    retention: Code
    ahead: DurationField = Duration(30, Unit.DAY)
    at_most: Annotated[int, Field(ge=1, le=500)] = 20
    """A slip of the file, or of a clock, forgets so many in a day and no more."""
    rules: Rules


LEAST: Final[dict[RuleName, Duration]] = {
    "people": Duration(6, Unit.MONTH),
    "unstarted": Duration(1, Unit.MONTH),
    "mentors": Duration(6, Unit.MONTH),
    "letters": Duration(1, Unit.WEEK),
    "histories": Duration(12, Unit.MONTH),
    "bank": Duration(120, Unit.MONTH),
    "sessions": Duration(1, Unit.DAY),
    "tokens": Duration(1, Unit.MONTH),
    "forms": Duration(1, Unit.DAY),
    "digests": Duration(1, Unit.MONTH),
    "shifts": Duration(1, Unit.MONTH),
    "verifications": Duration(1, Unit.MONTH),
}
"""No rule may say less: a slip must not make go what is still worked with."""
DAYS: Final = frozenset({Unit.DAY, Unit.WEEK, Unit.MONTH})
"""What a rule may be counted in."""
_SOME_DAY: Final = date(2001, 1, 1)


def too_short(name: RuleName, kept: Duration) -> bool:
    """Whether a rule says less than it may."""
    return plainly_added(_SOME_DAY, kept) < plainly_added(_SOME_DAY, LEAST[name])


class Hold(StrEnum):
    """Why somebody stays although the time is over."""

    JOURNEY = "journey-open"
    AHEAD = "still-due"
    """Something of a closed journey still falls due by itself: a measure, say."""
    REQUEST = "request-open"
    """Somebody asked for something and has no answer."""
    ALERT = "alert-open"
    MONEY = "payment-open"
    """Money is under way, or what became of it is not known."""
    RECEIPT = "receipt-owed"
    MENTORING = "mentor-counted-on"
    """A mentor accompanies somebody, or has yet to answer."""
    ON_CALL = "on-call"
    """A mentor is on call that day, or will be."""
    ERASING = "erasing"
    """They are being forgotten already."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the record says of a person, or of a mentor, as far as it matters here."""

    person: str
    """Their id."""
    last: date
    """The day (of Paris) of the last fact about them."""
    journeys: int
    """A person's own."""
    journey: str | None = None
    """One of them, on whose pages the person is found."""
    holds: frozenset[Hold] = frozenset()
    kind: Literal["person", "mentor"] = "person"


@dataclass(frozen=True, slots=True)
class Falling:
    """That somebody's time is over, or will be."""

    rule: RuleName
    due: date
    """From this day on they may go."""
    standing: Standing

    def goes(self, today: date) -> bool:
        """Whether they go on a day: the time is over, and nothing stands against it."""
        return self.due <= today and not self.standing.holds


def falling(standing: Standing, rules: Rules) -> Falling:
    """When somebody's time is over; of whom is being forgotten, on the day when that was ordered."""
    of_people: RuleName = "people" if standing.journeys else "unstarted"
    name = "mentors" if standing.kind == "mentor" else of_people
    if Hold.ERASING in standing.holds:
        return Falling(name, standing.last, standing)
    return Falling(name, plainly_added(standing.last, rules.of(name).kept), standing)


def falling_until(standings: Iterable[Standing], rules: Rules, until: date) -> list[Falling]:
    """Those whose time is over on a day at the latest, longest over first."""
    found = (falling(each, rules) for each in standings)
    return sorted(
        (each for each in found if each.due <= until), key=lambda each: (each.due, each.standing.person, each.rule)
    )
