"""A played life as the journal would hold it, with signed commands, for tests that tamper with it."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from journeys.audit.journal_account import Evidence
from journeys.contract import Answer
from journeys.domain.record import NO_EVENT
from journeys.store.canonical import canonical
from journeys.store.evidence import Head, RecordedCommand
from journeys.store.journal import StoredEvent, StoredPart
from journeys.store.signing import KeyRing, sign, signed_bytes
from tests.audit.lives import Life

RING = KeyRing("k1", {"k1": b"1" * 32})
WALL = datetime(2027, 1, 4, tzinfo=UTC)


def stored(headers: list[dict[str, Any]]) -> list[StoredEvent]:
    """Linked as the journal links them."""
    events, link = [], NO_EVENT
    for header in headers:
        content = canonical({**header, "prev": link})
        hash = hashlib.sha256(content).digest()
        events.append(StoredEvent(header["seq"], content, hash, WALL))
        link = hash.hex()
    return events


def evidence_of(life: Life) -> Evidence:
    events = stored([event.header() for event in life.events])
    commands = []
    for command, decided in life.commands:
        signed = sign(command, RING)
        content = signed_bytes(signed, RING)
        assert content is not None
        answer = Answer(command=command.id, outcome="accepted", first=decided.first, last=decided.last)
        commands.append(
            RecordedCommand(
                command.id, content, signed.signature, signed.key, decided.first or None, decided.last or None, answer
            )
        )
    salts = bytes.fromhex("ab" * 32)
    parts = [StoredPart(seq, name, text, salts) for (seq, name), text in life.texts.items()]
    head = Head(len(events), events[-1].hash)
    return Evidence(life.stream, events, [event.kind for event in life.events], head, parts, commands)
