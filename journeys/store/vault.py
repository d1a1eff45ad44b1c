"""What is known of people, sealed under each one's key; and the tokens by which they are found."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from pydantic_core import from_json

from journeys.domain.directory import search_form
from journeys.store.database import Connection, Pool
from journeys.store.keys import Lost, person_key

Row: TypeAlias = Mapping[str, Any]

Known: TypeAlias = Mapping[str, Any]
"""What is known of somebody, by the name of each field."""

SHORTEST_BEGINNING: Final = 3
"""Letters of a word from which on its beginning finds it; a shorter word is found whole only."""
SHORTEST_NUMBER: Final = 6
"""Last digits of a phone number that find it."""


UNSAID_ZONE: Final = "Europe/Paris"
"""Where somebody lives of whom nothing else was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is known of a person."""

    first_name: str
    last_name: str
    birth_date: date | None = None
    reference: str | None = None
    """The operator's own number; unique."""
    email: str | None = None
    phone: str | None = None
    language: str = "fr"
    zone: str = UNSAID_ZONE
    place: str | None = None
    """Town or district."""
    languages: str | None = None
    """Those that they speak, with commas."""
    interests: str | None = None

    @property
    def name(self) -> str:
        return called(self.first_name, self.last_name)

    @property
    def by_name(self) -> str:
        """Last and first name as lists are ordered and searched."""
        return search_form(f"{self.last_name} {self.first_name}")


ERASED: Final = Details(first_name="", last_name="")
"""Of whom nothing can be read any more."""


async def seal(connection: Pool | Connection, person: str, details: Details) -> bytes:
    """What stands in the row of a person. Raises NoKey: they were forgotten."""
    return await shut(connection, person_key(person), place_of(person), asdict(details))


async def unseal(connection: Pool | Connection, rows: Sequence[tuple[str, bytes | None]]) -> list[Details | None]:
    """Rows of (person, what is sealed) read, in order; None where there is nothing, or its key is gone."""
    found = await opened(connection, [(place_of(person), sealed) for person, sealed in rows])
    return [None if known is None else details_of(known) for known in found]


async def shut(connection: Pool | Connection, key: str, place: str, known: Known) -> bytes:
    """What is known, without what is None, as one sealed value for one place only. Raises NoKey: it was destroyed."""
    said = {name: value for name, value in known.items() if value is not None}
    sealed: bytes = await connection.keys.seal(key, json.dumps(said, ensure_ascii=False, default=str).encode(), place)
    return sealed


async def opened(connection: Pool | Connection, rows: Sequence[tuple[str, bytes | None]]) -> list[Known | None]:
    """Rows of (place, what is sealed) read, in order; None where there is nothing, or its key is gone."""
    closed = [(sealed, place) for place, sealed in rows if sealed is not None and is_sealed(sealed)]
    plain = iter(await connection.keys.unseal_all(closed) if closed else ())
    return [None if sealed is None else _read(next(plain) if is_sealed(sealed) else sealed) for _, sealed in rows]


async def names(connection: Pool | Connection, rows: Iterable[tuple[str, bytes | None]]) -> list[str | None]:
    """First and last name of rows of (person, what is sealed), in order; None where they cannot be known."""
    found = await opened(connection, [(place_of(person), sealed) for person, sealed in rows])
    return [None if known is None else called(known["first_name"], known["last_name"]) for known in found]


async def tokens_of(connection: Pool | Connection, details: Details) -> list[bytes]:
    """By what a person is found: each word of the name and its beginnings, the whole name, the ends of the phone
    number, name with birth date."""
    words = details.by_name.split()
    said = {f"word:{word[:length]}" for word in words for length in (*range(SHORTEST_BEGINNING, len(word)), len(word))}
    number = _digits(details.phone or "")
    said.add(f"name:{details.by_name}")
    said |= {f"phone:{number[-length:]}" for length in range(SHORTEST_NUMBER, len(number) + 1)}
    if details.birth_date is not None:
        said.add(_born(details))
    found: list[bytes] = await connection.keys.token_of(*sorted(said))
    return found


async def word_tokens(connection: Pool | Connection, words: str) -> list[bytes]:
    """What people have whose names have each of these words (as `search_form` gives them), or words that begin so."""
    asked = sorted(set(words.split()))
    found: list[bytes] = await connection.keys.token_of(*(f"word:{word}" for word in asked)) if asked else []
    return found


async def name_tokens(connection: Pool | Connection, names: Sequence[str]) -> list[bytes]:
    """What people have who are called so (last and first name, as `search_form` gives them), in order."""
    found: list[bytes] = await connection.keys.token_of(*(f"name:{name}" for name in names)) if names else []
    return found


async def phone_tokens(connection: Pool | Connection, digits: str) -> list[bytes]:
    """What people have whose phone number ends so; none for fewer than six digits."""
    found: list[bytes] = await connection.keys.token_of(f"phone:{digits}") if len(digits) >= SHORTEST_NUMBER else []
    return found


async def reference_token(connection: Pool | Connection, reference: str | None) -> bytes | None:
    """What stands for the operator's own number."""
    return None if reference is None else (await connection.keys.token_of(f"reference:{reference}"))[0]


async def born_tokens(connection: Pool | Connection, details: Details) -> list[bytes]:
    """What people have who are called so and were born that day; none where the day is not known."""
    found: list[bytes] = await connection.keys.token_of(_born(details)) if details.birth_date is not None else []
    return found


def is_sealed(stored: bytes) -> bool:
    """Whether these bytes were sealed; what was there before is JSON."""
    return stored[:1] != b"{"


def by_name(rows: Iterable[Row], names: Iterable[str | None]) -> list[tuple[Row, str | None]]:
    """Rows with their names, by name; those without one last, in the order in which they came."""
    return sorted(zip(rows, names, strict=True), key=lambda each: (each[1] is None, search_form(each[1] or "")))


def called(first_name: str, last_name: str) -> str:
    """A name as pages say it."""
    return f"{first_name} {last_name}".strip()


def _born(details: Details) -> str:
    return f"born:{details.birth_date}:{details.by_name}"


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isdigit())


def details_of(known: Known) -> Details:
    """What `opened` gave of a person."""
    born = known.get("birth_date")
    return Details(**{**known, "birth_date": date.fromisoformat(born) if born else None})


def place_of(person: str) -> str:
    """Where what is known of a person stands."""
    return f"people/{person}"


def _read(plain: bytes | Lost) -> Known | None:
    if isinstance(plain, Lost):
        return None
    known: Known = from_json(plain)
    return known
