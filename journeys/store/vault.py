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

SHORTEST_BEGINNING: Final = 3
"""Letters of a word from which on its beginning finds it; a shorter word is found whole only."""
SHORTEST_NUMBER: Final = 6
"""Last digits of a phone number that find it."""


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
    zone: str = "Europe/Paris"
    place: str | None = None
    """Town or district."""
    languages: str | None = None
    """Those that they speak, with commas."""
    interests: str | None = None

    @property
    def name(self) -> str:
        return _called(self.first_name, self.last_name)

    @property
    def by_name(self) -> str:
        """Last and first name as lists are ordered and searched."""
        return search_form(f"{self.last_name} {self.first_name}")


ERASED: Final = Details(first_name="", last_name="")
"""Of whom nothing can be read any more."""


async def seal(connection: Pool | Connection, person: str, details: Details) -> bytes:
    """What stands in the row of a person. Raises NoKey: they were forgotten."""
    known = {name: value for name, value in asdict(details).items() if value is not None}
    plain = json.dumps(known, ensure_ascii=False, default=str).encode()
    sealed: bytes = await connection.keys.seal(person_key(person), plain, _place(person))
    return sealed


async def unseal(connection: Pool | Connection, rows: Sequence[tuple[str, bytes | None]]) -> list[Details | None]:
    """Rows of (person, what is sealed) read, in order; None where there is nothing, or its key is gone."""
    return [None if known is None else _details(known) for known in await _known(connection, rows)]


async def names(connection: Pool | Connection, rows: Iterable[tuple[str, bytes | None]]) -> list[str | None]:
    """First and last name of rows of (person, what is sealed), in order; None where they cannot be known."""
    return [
        None if known is None else _called(known["first_name"], known["last_name"])
        for known in await _known(connection, list(rows))
    ]


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


def _born(details: Details) -> str:
    return f"born:{details.birth_date}:{details.by_name}"


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isdigit())


async def _known(
    connection: Pool | Connection, rows: Sequence[tuple[str, bytes | None]]
) -> list[dict[str, Any] | None]:
    closed = [(sealed, _place(person)) for person, sealed in rows if sealed is not None and is_sealed(sealed)]
    opened = iter(await connection.keys.unseal_all(closed) if closed else ())
    return [None if sealed is None else _read(next(opened) if is_sealed(sealed) else sealed) for _, sealed in rows]


def _read(plain: bytes | Lost) -> dict[str, Any] | None:
    return None if isinstance(plain, Lost) else from_json(plain)


def _details(known: dict[str, Any]) -> Details:
    born = known.get("birth_date")
    return Details(**{**known, "birth_date": date.fromisoformat(born) if born else None})


def _called(first_name: str, last_name: str) -> str:
    return f"{first_name} {last_name}".strip()


def _place(person: str) -> str:
    return f"people/{person}"
