"""The servers of one file of the room, and where they live."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.campaign import a_home
from tests.faults.servers import Servers, running_servers


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with a_home() as made:
        yield made


@pytest.fixture(scope="module")
def servers(home: Path) -> Iterator[Servers]:
    with running_servers(home / "data") as running:
        yield running
