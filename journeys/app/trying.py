"""Trying a programme before it is adopted: what every entry point does around a simulation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from journeys.app.failures import Exit, Failure, Said, not_found
from journeys.app.publishing import errors_told, rules
from journeys.domain.handbook import Handbook
from journeys.domain.programme import Programme
from journeys.simulation.reading import (
    BehaviourFile,
    BehaviourInvalid,
    BehaviourNotFound,
    behaviour_names,
    own_behaviour,
    read_behaviour,
)
from journeys.simulation.running import Stuck, Trial, simulate
from journeys.simulation.tally import Tally


@dataclass(frozen=True, slots=True)
class Prepared:
    """A trial, the rules that it plays by, and the file that says how people behave."""

    trial: Trial
    book: Handbook
    behaviour: BehaviourFile


def prepared(text: str, behaviour: str | None, day: date, participants: int, seed: int) -> Prepared:
    """The trial of a programme's text from a day on. `behaviour`: a name, a path, None for its own. Raises Failure."""
    known = rules(text, day)
    read = _behaviour(behaviour or own_behaviour(known.programme), known.programme)
    trial = Trial(
        known.programme_text, known.programme_hash, known.calendar_text, known.calendar_hash, read.behaviour,
        participants, seed, day,
    )  # fmt: skip
    return Prepared(trial, known.book, read)


def _behaviour(asked: str, programme: Programme) -> BehaviourFile:
    """A behaviour by name or path. Raises Failure: unknown, or with what is wrong in the file, line by line."""
    try:
        return read_behaviour(asked, programme)
    except BehaviourNotFound:
        named = ", ".join(behaviour_names())
        raise not_found(
            "unknown-behaviour", f"--behaviour : il n'y a pas de comportement « {asked} »",
            f"--behaviour: there is no behaviour “{asked}”", field="behaviour",
            remedy=Said(f"Livrés : {named} ; ou donnez le chemin d'un fichier.",
                        f"Shipped: {named}; or give the path of a file."),
        ) from None  # fmt: skip
    except BehaviourInvalid as error:
        raise Failure(
            Exit.USAGE, "invalid-behaviour",
            Said(f"le comportement {error.source} ne peut pas servir :\n{errors_told(error, 'fr')}",
                 f"the behaviour {error.source} cannot be used:\n{errors_told(error, 'en')}"),
            field="behaviour", more={"findings": [one.as_json("en") for one in error.findings]},
        ) from None  # fmt: skip


def tried(trial: Trial, processes: int, told: Callable[[int], None]) -> Tally:
    """What was counted. Raises Failure when one life shows that the programme's rules turn in circles."""
    try:
        return simulate(trial, processes, told)
    except Stuck as stuck:
        raise Failure(
            Exit.FAILED, "stuck",
            Said(f"la vie n° {stuck.number} du tirage {trial.seed} tourne en rond : {stuck.why}",
                 f"life no. {stuck.number} of draw {trial.seed} turns in circles: {stuck.why}"),
            Said("c'est un défaut des règles : gardez le fichier et ce tirage, et signalez-le",
                 "this is a defect of the rules: keep the file and this draw, and report it"),
        ) from stuck  # fmt: skip
