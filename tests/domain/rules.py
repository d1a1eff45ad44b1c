"""house.yaml, otherwise: the rules that a journey under way may be put under."""

from pathlib import Path

from journeys.domain.handbook import Handbook
from tests.domain.given import book_of

HOUSE = Path(__file__).with_name("house.yaml").read_text()


def other(*edits: tuple[str, str], name: str = "house") -> Handbook:
    """house.yaml with some of its text replaced."""
    text = HOUSE
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after, 1)
    return book_of(text.replace("programme: house", f"programme: {name}", 1))


def without(*starts: str) -> Handbook:
    """house.yaml without the lines that begin so."""
    lines = [line for line in HOUSE.splitlines() if not line.strip().startswith(starts)]
    return book_of("\n".join(lines))
