"""Rows of cloned journeys, brought into the database in batches; each batch is one transaction.

Written as the append writes them: events linked, parts with their salts, signed commands, the head of each stream,
the ledger of what was reserved and settled, and the row of the lists through `view_put`.
"""

import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from benchmarks.crowd.around import Participant
from benchmarks.crowd.patterns import Clone
from journeys.domain.directory import PERSON_FIELDS, PersonRegistered
from journeys.domain.fund import Account, Move, postings
from journeys.domain.record import NO_EVENT, SYSTEM, Event, Part
from journeys.store import vault
from journeys.store.canonical import canonical
from journeys.store.database import Connection
from journeys.store.directory import RULE
from journeys.store.keys import Keys, finance_key, person_key
from journeys.store.offer import is_accounting, place_of_part
from journeys.store.payments import KINDS, rebuild
from journeys.store.people import stream_of
from journeys.store.signing import KeyRing
from journeys.store.vault import Details

SECONDS: Final = 600.0
"""How long one statement of a batch may take."""

_EVENTS: Final = ("stream", "seq", "kind", "header")
_PARTS: Final = ("stream", "seq", "name", "sealed")
_COMMANDS: Final = ("stream", "id", "signed", "signature", "key", "first", "last", "answer")
_STREAMS: Final = ("stream", "seq", "hash")
_PEOPLE: Final = ("id", "sealed", "reference_token")
_TOKENS: Final = ("person", "token")


@dataclass(frozen=True, slots=True)
class Keyed:
    """Stands for a connection where only its keys are asked for."""

    keys: Keys


@dataclass(slots=True)
class Batch:
    """Rows by table, and how many of each were made so far."""

    ring: KeyRing
    events: list[tuple[Any, ...]] = field(default_factory=list)
    parts: list[tuple[Any, ...]] = field(default_factory=list)
    commands: list[tuple[Any, ...]] = field(default_factory=list)
    streams: list[tuple[Any, ...]] = field(default_factory=list)
    people: list[tuple[str, Details]] = field(default_factory=list)
    whose: dict[str, str] = field(default_factory=dict)
    """The person of each stream."""
    views: list[tuple[str, str]] = field(default_factory=list)
    moves: list[tuple[str, str, str, str, int, str, int]] = field(default_factory=list)
    """kind, fund, payment, person, cents, stream, seq."""
    under_way: list[tuple[str, int, str]] = field(default_factory=list)

    def add_journey(self, clone: Clone, kinds: Sequence[str], person: str) -> None:
        stream, key = clone.stream, self.ring.keys[self.ring.current_id]
        self.events += [
            (stream, seq, kind, header) for seq, (kind, header) in enumerate(zip(kinds, clone.headers, strict=True), 1)
        ]
        self.parts += [(stream, *part) for part in clone.parts]
        self.whose[stream] = person
        self.commands += [
            (stream, id, signed, hmac.digest(key, signed, "sha256").hex(), self.ring.current_id, first, last, answer)
            for id, signed, first, last, answer in clone.commands
        ]
        self.streams.append((stream, len(clone.headers), clone.head))
        self.views.append((stream, clone.view))
        self.moves += [
            (kind, fund, payment, person, cents, stream, seq) for seq, kind, payment, fund, cents in clone.moves
        ]
        self.under_way += clone.under_way

    def add_person(self, one: Participant, at: datetime, salts: Iterable[bytes]) -> None:
        """As `people.register` records them, a little before the journey."""
        stream, texts = stream_of(one.id), one.texts
        known = tuple(name for name in PERSON_FIELDS if name in texts)
        parts = {name: Part(text=texts[name], salt=salt.hex()) for name, salt in zip(known, salts, strict=False)}
        event = Event[PersonRegistered](
            stream=stream, seq=1, kind=PersonRegistered.__name__, kind_v=PersonRegistered.VERSION, recorded_at=at,
            occurred_at=at, actor=SYSTEM, role=SYSTEM, rule=RULE, data=PersonRegistered(fields=known),
            parts={name: part.commitment() for name, part in parts.items()},
        )  # fmt: skip
        header = canonical({**event.header(), "prev": NO_EVENT})
        self.events.append((stream, 1, event.kind, header))
        self.parts += [(stream, 1, name, part.text, bytes.fromhex(part.salt)) for name, part in parts.items()]
        self.whose[stream] = one.id
        self.streams.append((stream, 1, sha256(header).digest()))
        plain: dict[str, Any] = {name: text for name, text in texts.items() if name != "birth_date"}
        self.people.append((one.id, Details(**plain, birth_date=one.birth_date)))

    async def _sealed_parts(self, keys: Keys) -> list[tuple[Any, ...]]:
        await keys.assign_all({stream: id for stream, id in self.whose.items() if stream.startswith("journey-")})
        kinds = {(stream, seq): kind for stream, seq, kind, _ in self.events}
        wanted = [
            (
                finance_key(self.whose[stream]) if is_accounting(kinds[stream, seq], name)
                else person_key(self.whose[stream]),
                salt + text.encode(), place_of_part(stream, seq, name),
            )
            for stream, seq, name, text, salt in self.parts
        ]  # fmt: skip
        return [
            (stream, seq, name, each)
            for (stream, seq, name, _, _), each in zip(self.parts, await keys.seal_all(wanted), strict=True)
        ]

    async def load(self, connection: Connection, keys: Keys) -> None:
        """Bring the rows in. They are all new: nothing is looked for before."""
        at = Keyed(keys)
        people = [
            (id, await vault.seal(at, id, known), await vault.reference_token(at, known.reference))
            for id, known in self.people
        ]
        tokens = [(id, token) for id, known in self.people for token in await vault.tokens_of(at, known)]
        parts = await self._sealed_parts(keys)
        async with connection.transaction():
            for table, columns, rows in (
                ("people", _PEOPLE, people),
                ("person_tokens", _TOKENS, tokens),
                ("streams", _STREAMS, self.streams),
                ("events", _EVENTS, self.events),
                ("parts", _PARTS, parts),
                ("commands", _COMMANDS, self.commands),
            ):
                await connection.copy_records_to_table(table, records=rows, columns=columns, timeout=SECONDS)
            await connection.execute(
                "SELECT view_put(v.stream, v.view::jsonb) FROM unnest($1::text[], $2::text[]) AS v (stream, view)",
                [stream for stream, _ in self.views],
                [view for _, view in self.views],
                timeout=SECONDS,
            )
            await self._load_payments(connection)
            # Last: the fund's row is locked until the end.
            await self._load_ledger(connection)

    async def _load_payments(self, connection: Connection) -> None:
        """The rows of payments and receipts, as a rebuild writes them."""
        said: dict[str, list[dict[str, Any]]] = {}
        for stream, _, kind, header in self.events:
            if kind in KINDS:
                said.setdefault(stream, []).append(json.loads(header))
        for stream, headers in said.items():
            await rebuild(connection, stream, headers)

    async def _load_ledger(self, connection: Connection) -> None:
        if not self.moves:
            return
        ids = await connection.fetch(
            """
            INSERT INTO ledger_transactions (kind, fund, payment, person, amount, stream, seq)
            SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::int[])
            RETURNING id, kind, fund, person, amount
            """,
            *map(list, zip(*self.moves, strict=True)),
            timeout=SECONDS,
        )
        entries, changes = [], dict[str, int]()
        for row in ids:
            for account, cents in postings(Move(row["kind"]), row["amount"]).items():
                entries.append((row["id"], account.value, row["fund"], row["person"], cents))
                if account is Account.AVAILABLE:
                    changes[row["fund"]] = changes.get(row["fund"], 0) + cents
        await connection.copy_records_to_table(
            "ledger_entries", records=entries, columns=("transaction", "account", "fund", "person", "cents"),
            timeout=SECONDS,
        )  # fmt: skip
        for fund, change in sorted(changes.items()):
            await connection.execute("UPDATE funds SET balance = balance + $2 WHERE code = $1", fund, change)
