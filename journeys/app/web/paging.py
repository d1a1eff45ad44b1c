"""Long lists by pages: which one the address asks for, and the addresses of its neighbours."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from journeys.app.web.visit import Visit

A_PAGE: Final = 50
"""Rows of a table."""
A_SHEET: Final = 25
"""Lines of a list, which carry their actions."""


@dataclass(frozen=True, slots=True)
class Paging:
    """One page of a list of `total`; `number` counts from 1."""

    visit: Visit
    number: int
    total: int
    size: int

    @property
    def pages(self) -> int:
        return max(-(-self.total // self.size), 1)

    def at(self, number: int) -> str:
        """The address of another page, its filters kept."""
        kept = {key: value for key, value in self.visit.request.query_params.items() if key != "fait" and value}
        return f"{self.visit.request.url.path}?{urlencode({**kept, 'page': str(number)})}"


def page_asked(visit: Visit) -> int:
    """The page that the address asks for; the first where it does not say."""
    asked = visit.request.query_params.get("page", "")
    return max(int(asked), 1) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
