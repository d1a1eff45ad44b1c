"""schemathesis against the application on a real installation: every operation, right and wrong data, every check."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import hypothesis
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schwifty import IBAN

from journeys.identifiers import is_uuid
from tests.api.site import Site
from tests.web.office import PDF

FEW: Final = 8
"""Operations that a short run asks, beside every read."""
MANY: Final = 60

# JSON Schema has no bounds for days: those that the model's descriptions name (1900 to 2199) are drawn here.
schemathesis.openapi.format("date", st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(str))
schemathesis.openapi.format(
    "date-time",
    st.datetimes(datetime(1900, 1, 3), datetime(2199, 12, 29), timezones=st.just(UTC)).map(
        lambda at: at.isoformat(timespec="milliseconds")
    ),
)
# Nor has it a key of account numbers: those that are drawn here have the right one.
schemathesis.openapi.format(
    "iban", st.from_regex("[0-9]{18}", fullmatch=True).map(lambda account: str(IBAN.from_bban("DE", account)))
)


@dataclass
class Found:
    """What was asked, and what did not hold."""

    operations: int = 0
    cases: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def check_all(
    site: Site, *, examples: int, seed: int, commands: int | None = None, only: Sequence[str] = ("",)
) -> Found:
    """Ask each operation with so many cases of right data and as many of wrong data.

    Args:
        commands: ask only so many of the commands, drawn by the seed; None: all.
        only: ask the operations whose address ends in one of these.
    """
    found, chance = Found(), random.Random(seed)
    schema = schemathesis.openapi.from_url(f"{site.url}/api/v1/openapi.json")
    # A journey that somebody else has changed since is as right an answer as a refusal by a rule.
    accepting = schema.config.checks.positive_data_acceptance
    accepting.expected_statuses = [*accepting.expected_statuses, "412"]
    every: list[Any] = [each.ok() for each in schema.get_all_operations()]
    if commands is not None:
        of_commands = [each for each in every if "/commands/" in each.path]
        left_out = {each.path for each in of_commands} - {each.path for each in chance.sample(of_commands, commands)}
        every = [each for each in every if each.path not in left_out]
    for operation in [each for each in every if each.path.endswith(tuple(only))]:
        found.operations += 1
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _check(site, operation, mode, examples, seed, found)
    return found


def _check(site: Site, operation: Any, mode: Any, examples: int, seed: int, found: Found) -> None:
    headers = {"Authorization": f"Bearer {site.tokens['supervisor']}"}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples, database=None, deadline=None, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        found.cases += 1
        _meant(site, case, mode)
        answer = case.call_and_validate(headers=headers)
        found.statuses[answer.status_code] = found.statuses.get(answer.status_code, 0) + 1

    try:
        ask()
    except hypothesis.errors.Unsatisfiable:
        # Nothing can be wrong with an operation that takes nothing.
        pass
    except BaseExceptionGroup as failure:
        found.failures.append(f"{operation.label} ({mode.value}): {failure!r:.1500}")


def _meant(site: Site, case: Any, mode: Any) -> None:
    """A journey that is there instead of one drawn by chance, in three of four; nobody is born in the future; a zone
    is one that there is; months are in their order; a document is one."""
    id = (case.path_parameters or {}).get("id")
    if isinstance(id, str) and is_uuid(id) and int(id[:2], 16) % 4:
        case.path_parameters["id"] = site.journeys[int(id[2:6], 16) % len(site.journeys)]
    if mode is GenerationMode.POSITIVE and case.media_type == "multipart/form-data":
        case.body["document"] = PDF
    if mode is GenerationMode.POSITIVE and isinstance(case.body, dict) and isinstance(case.body.get("person"), dict):
        born = case.body["person"].get("birth_date")
        if isinstance(born, str) and born > str(date.today()):
            case.body["person"]["birth_date"] = "1999-04-02"
    if mode is GenerationMode.POSITIVE and isinstance(case.body, dict) and case.body.get("zone"):
        case.body["zone"] = "Indian/Reunion"
    if mode is GenerationMode.NEGATIVE and any(value in (None, [], {}) for value in (case.query or {}).values()):
        # Nothing of it would be sent, so nothing would be wrong.
        hypothesis.reject()
    months = case.query if mode is GenerationMode.POSITIVE else None
    if months and {"from", "to"} <= months.keys():
        months["from"], months["to"] = sorted((months["from"], months["to"]))
