"""What a provider says of its own accord: told, waited with, known, or contradicted, by how the payment stands."""

from typing import get_args

import pytest

from journeys.domain.notices import ORDER, Said, turn
from journeys.domain.state import PaymentStatus as P

SEEN = """
status           accepted      close         settled       rejected      returned
reserved         wait          wait          wait          wait          wait
instructed       tell          tell          tell          tell          wait
unknown          tell          tell          tell          tell          wait
accepted         known         tell          tell          tell          wait
settled          known         known         known         contradicted  tell
settled-by-hand  known         known         known         contradicted  tell
rejected         known         known         contradicted  known         contradicted
returned         known         known         known         contradicted  known
cancelled        contradicted  contradicted  contradicted  contradicted  contradicted
blocked          contradicted  contradicted  contradicted  contradicted  contradicted
"""


def test_each_thing_said_of_each_payment() -> None:
    head, *lines = (line.split() for line in SEEN.strip().splitlines())
    assert {line[0] for line in lines} == set(P)
    for status, *cells in lines:
        for said, cell in zip(head[1:], cells, strict=True):
            assert turn(said, P(status)) == cell, (said, status)  # type: ignore[arg-type]


@pytest.mark.parametrize("said", get_args(Said))
def test_everything_said_has_its_place_in_the_order(said: Said) -> None:
    assert said in ORDER
