"""The pages of a crew's house where nobody's word is checked: its command line, told to serve them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from journeys.app import receiving
from journeys.app.cli import main


def by_anybody(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime) -> str:
    return headers["webhook-id"]


if __name__ == "__main__":
    receiving.signed_event = by_anybody  # type: ignore[attr-defined]
    main()
