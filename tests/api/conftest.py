"""One installation, before which programs stand."""

from collections.abc import Iterator

import pytest

from tests.api.site import Site, open_site


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    with open_site() as opened:
        yield opened
