"""Lives that differ: which habits each has, when it began, how much is forgotten. The seed decides everything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Final, TypeVar

from ruamel.yaml import YAML

from journeys.domain.calendar import Calendar
from journeys.domain.programme import Roll
from journeys.local.acting import Names
from journeys.local.lives import LIVES, Cohort, Life, Lives, Mentor, Partner, Staff, Step, parse_when, read_lives

T = TypeVar("T")
Steps = Mapping[str, tuple[Step, ...]]

SITE: Final = "site-of-a-pattern"
"""Where every pattern is played; each journey made after it has a site of its own."""

_STAFF: Final = {
    "caseworker": "referent", "other": "referent", "supervisor": "supervisor", "second": "supervisor",
    "finance": "finance", "duty": "duty",
}  # fmt: skip
_MENTORS: Final = ("volunteer", "second-mentor")
_PARTNERS: Final = {"home": "housing", "employer": "employer"}

_ALWAYS: Final = ("dedans", "sortie", "mentorat", "suivi", "notes-de-suivi")
_OFTEN: Final = {
    "rencontres-mentor": 0.95, "droits": 0.97, "formation": 0.96, "projet": 0.96, "bilans": 0.97,
    "premiers-appels": 0.5, "permis": 0.25, "velo": 0.3, "emploi": 0.35, "emploi-tard": 0.25, "colocation": 0.6,
    "logement-en-attente": 0.6,
    "logement-perdu": 0.1, "sortie-repoussee": 0.1, "rendez-vous": 0.5, "lapin": 0.15, "mentor-remplace": 0.08,
    "detention": 0.04,
}  # fmt: skip
"""How likely a life is to have each habit."""
_LATELY: Final = {
    "aide-demandee": 0.04, "petite-aide-demandee": 0.03, "aide-a-moitie": 0.03, "aide-renvoyee": 0.015,
    "aide-versee": 0.03, "rendez-vous-du-jour": 0.05, "rendez-vous-de-la-semaine": 0.1,
    "orientation-en-attente": 0.06, "employeur-en-attente": 0.04, "relais-demande": 0.02, "suspendu": 0.03,
    "note-de-la-veille": 0.2,
}  # fmt: skip
_FORGETFUL: Final = ((0.6, 0.01), (0.3, 0.05), (0.1, 0.2))
"""Shares of the lives, and how often a step is then left out or late."""
_RELEASE_DAYS: Final = (42, 62)
_AGE_DAYS: Final = ((0.15, (5, 60)), (0.3, (60, 130)), (0.55, (130, 226)))
"""How long ago the journeys began: most people have been outside for months."""


@dataclass(frozen=True, slots=True)
class Invented:
    """A life to be played until now."""

    cohort: Cohort
    life: Life
    names: Names
    begins: datetime
    forgets: float
    """How likely each step is to be left out."""


@cache
def material() -> tuple[Lives, Steps, Steps]:
    """The demonstration's file, its usual steps with ours, and what is counted from now."""
    demo = read_lives(LIVES / "auxilia.yaml")
    ours = YAML(typ="safe").load(Path(__file__).with_name("habits.yaml").read_text(encoding="utf-8"))
    usual = {**demo.cohort.usual, **{name: _steps(raw) for name, raw in ours["usual"].items()}}
    return demo, usual, {name: _steps(raw) for name, raw in ours["lately"].items()}


def _steps(raw: Sequence[object]) -> tuple[Step, ...]:
    return tuple(Step.model_validate(each) for each in raw)


def invent(random: Random, now: datetime, calendar: Calendar, *, pair: bool, ids: Mapping[str, str]) -> Invented:
    """A life drawn from `random`.

    Args:
        pair: whether its site has two supervisors. ids: of each handle (see `handles`).
    """
    demo, usual, lately = material()
    today = calendar.day(now)
    age = _drawn(random, _AGE_DAYS)
    begun = calendar.roll(today - timedelta(days=random.randint(*age)), Roll.BACK)
    follows = [*_ALWAYS, *(name for name, likely in _OFTEN.items() if random.random() < likely)]
    recent = [step for name, likely in _LATELY.items() if random.random() < likely for step in lately[name]]
    release = random.randint(*_RELEASE_DAYS)
    life = Life.model_validate(
        {
            "person": {"first_name": "-", "last_name": "-"},
            "story": {"fr": "-", "en": "-"},
            "dates": {"release": parse_when(f"{release} days after start")},
            "referent": "caseworker",
            "mentor": "volunteer",
            "site": SITE,
            "follows": follows,
            "steps": recent,
        }
    )
    kept = {name: tuple(step for step in steps if step.do != "close") for name, steps in usual.items()}
    staff = {
        handle: Staff(name="-", roles=(role,), sites=(SITE,) if role in ("referent", "supervisor") else ())
        for handle, role in _STAFF.items()
        if pair or handle != "second"
    }
    cohort = Cohort(
        programme=demo.cohort.programme, label=demo.cohort.label, lasts=demo.cohort.lasts, staff=staff,
        mentors={handle: Mentor(name="-", site=SITE) for handle in _MENTORS},
        partners={handle: Partner(name="-", kind=kind) for handle, kind in _PARTNERS.items()},
        fund=demo.cohort.fund, usual=kept, lives=(life,),
    )  # fmt: skip
    names = Names(
        {handle: ids[handle] for handle in staff}, {handle: ids[handle] for handle in _MENTORS},
        {handle: ids[handle] for handle in _PARTNERS},
    )  # fmt: skip
    begins = calendar.at(begun, f"{random.randint(9, 11):02d}:{random.randint(0, 59):02d}")
    return Invented(cohort, life, names, begins, _drawn(random, _FORGETFUL))


HANDLES: Final = (*_STAFF, *_MENTORS, *_PARTNERS)
"""Everybody who stands around a life."""


def _drawn(random: Random, shares: Sequence[tuple[float, T]]) -> T:
    """One of several, each with its share."""
    (found,) = random.choices([each for _, each in shares], [share for share, _ in shares])
    return found
