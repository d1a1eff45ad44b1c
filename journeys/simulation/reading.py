"""A behaviour file: how people behave under a programme, by the name of a shipped one or by path."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as File

from journeys.authoring.findings import FileInvalid, few
from journeys.authoring.shaping import shaped
from journeys.authoring.yaml_text import YamlInvalid, read_bytes, read_tree
from journeys.domain.programme import Label, Programme
from journeys.simulation.behaviour import Behaviour

USUAL = "usual"
"""The behaviour of programmes that have none of their own name."""

BEHAVIOURS = File(__file__).resolve().parents[2] / "programmes" / "behaviours"
"""Those that are shipped."""


@dataclass(frozen=True, slots=True)
class BehaviourFile:
    """A behaviour, with the names in it that the programme has not: they are left aside."""

    behaviour: Behaviour
    source: File
    unknown: tuple[str, ...]
    still: tuple[str, ...]
    """Situations that the programme measures and that change for nobody: no value of theirs is named."""


class BehaviourInvalid(FileInvalid):
    """A behaviour file has errors."""


class BehaviourNotFound(LookupError):
    """No such behaviour, or a file that cannot be opened."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked)
        self.asked = asked


def behaviour_names() -> tuple[str, ...]:
    """The names of the behaviours that are shipped, sorted."""
    return tuple(sorted(file.stem for file in BEHAVIOURS.glob("*.yaml")))


@cache
def behaviour_labels() -> Mapping[str, Label]:
    """What each shipped behaviour is called, by its name; read once a process."""
    return {name: _shipped_label(name) for name in behaviour_names()}


def _shipped_label(name: str) -> Label:
    behaviour, wrong = shaped(read_tree(read_bytes(BEHAVIOURS / f"{name}.yaml")), Behaviour, "label")
    assert behaviour is not None, wrong
    return behaviour.label


def own_behaviour(programme: Programme) -> str:
    """The name of the behaviour that a programme is tried with unless another is named: its own, else the usual one."""
    return programme.programme if programme.programme in behaviour_names() else USUAL


def read_behaviour(path_or_name: str, programme: Programme) -> BehaviourFile:
    """Read a behaviour for a programme. Raises BehaviourNotFound, BehaviourInvalid."""
    source = BEHAVIOURS / f"{path_or_name}.yaml" if path_or_name in behaviour_names() else File(path_or_name)
    try:
        tree = read_tree(read_bytes(source))
    except (OSError, ValueError) as error:
        if isinstance(error, YamlInvalid):
            raise BehaviourInvalid(source, (error.finding,)) from error
        raise BehaviourNotFound(path_or_name) from error
    behaviour, wrong = shaped(tree, Behaviour, "label")
    if behaviour is None:
        raise BehaviourInvalid(source, few(wrong))
    return BehaviourFile(behaviour, source, tuple(_unknown(behaviour, programme)), tuple(_still(behaviour, programme)))


def _still(behaviour: Behaviour, programme: Programme) -> list[str]:
    measured = dict.fromkeys(measure.situation for measure in programme.measures.values())
    named = {name: {step.to for step in steps} for name, steps in behaviour.situations.items()}
    return [name for name in measured if not named.get(name, set()) & set(programme.situations[name])]


def _unknown(behaviour: Behaviour, programme: Programme) -> list[str]:
    told: dict[str, tuple[set[str], set[str]]] = {
        "dates": (set(behaviour.dates), set(programme.dates)),
        "milestones": (set(behaviour.milestones), set(programme.milestones)),
        "contacts": (set(behaviour.contacts), set(programme.contacts)),
        "grants": (set(behaviour.grants), set(programme.grants)),
        "situations": (set(behaviour.situations), set(programme.situations)),
        "leaving.monthly": (set(behaviour.leaving.monthly), set(programme.closings)),
    }
    return [f"{where}.{name}" for where, (named, known) in told.items() for name in sorted(named - known)]
