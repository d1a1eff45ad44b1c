"""The journal's account of itself: bytes, links, texts, signatures, and the rules that must hold of every record."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from journeys.audit.verdicts import Account, AccountName, agrees, disagrees, not_available
from journeys.domain import agenda
from journeys.domain.document import PART, read_document
from journeys.domain.events import read_event
from journeys.domain.evolve import evolve
from journeys.domain.handbook import Handbook
from journeys.domain.invariants import Outage, check
from journeys.domain.record import NO_EVENT, SYSTEM, Event, Payload
from journeys.domain.state import State
from journeys.store import erasing
from journeys.store.canonical import NotCanonical, canonical
from journeys.store.evidence import Head, RecordedCommand
from journeys.store.journal import StoredEvent, StoredPart
from journeys.store.keys import Lost
from journeys.store.signing import KeyRing, stored_holds

Recorded = Event[Payload]
BROKEN_FOLD = (LookupError, ValueError, TypeError, AttributeError, RecursionError)
"""What a fold raises over events that cannot follow one another."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the journal holds of one stream, read in one snapshot."""

    stream: str
    stored: Sequence[StoredEvent]
    kinds: Sequence[str]
    head: Head | None
    parts: Sequence[StoredPart]
    commands: Sequence[RecordedCommand]
    documents: Mapping[str, bool] = field(default_factory=dict)
    """Those kept, by digest: whether their bytes still have it."""
    forgotten: bool = False
    """Whether the person is: ordered on record, and their key destroyed. A journey that a restored copy brought back
    can be told so no more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at an event."""

    reason: str
    seq: int
    details: dict[str, Any]


def _wrong(reason: str, seq: int, **details: Any) -> Finding:
    return Finding(reason, seq, details)


def judge_journal(
    evidence: Evidence,
    events: Sequence[Recorded],
    book: Handbook | None,
    ring: KeyRing | None,
    outages: Sequence[Outage] | None,
) -> Account:
    """Compare the journal with itself; the first thing that is wrong is told.

    Args:
        events: those of the stored events that could be read, up to the first that could not.
        ring: the keys; None when this place has none.
        outages: when nothing ran; None when not known: then punctuality is not judged.
    """
    name, compared = AccountName.JOURNAL, len(evidence.stored)
    finding = next(_findings(evidence, events, book, ring, outages), None)
    if finding is not None:
        return disagrees(name, finding.reason, finding.seq, compared, **finding.details)
    if ring is None:
        return not_available(name, "no-keys", compared)
    unknown = sorted({command.key for command in evidence.commands} - ring.keys.keys())
    return not_available(name, "unknown-key", compared, key=unknown[0]) if unknown else agrees(name, compared)


def _findings(
    evidence: Evidence,
    events: Sequence[Recorded],
    book: Handbook | None,
    ring: KeyRing | None,
    outages: Sequence[Outage] | None,
) -> Iterator[Finding]:
    yield from _links(evidence)
    if len(events) < len(evidence.stored):
        yield _wrong("unreadable", evidence.stored[len(events)].seq)
        return
    yield from _texts(evidence, events)
    yield from _documents(evidence)
    yield from _signatures(evidence, events, ring)
    yield from _rules(events, book, outages)


# --- bytes and links


def _links(evidence: Evidence) -> Iterator[Finding]:
    """Each event in its place, in its canonical bytes, linked to the one before, up to the head."""
    link = NO_EVENT
    for place, (event, kind) in enumerate(zip(evidence.stored, evidence.kinds, strict=True), start=1):
        if event.seq != place:
            yield _wrong("gap", place)
            return
        header = _plain(event.header)
        if header is None:
            yield _wrong("not-canonical", place)
            return
        if (header.get("stream"), header.get("seq")) != (evidence.stream, place):
            yield _wrong("gap", place)
        if hashlib.sha256(event.header).digest() != event.hash:
            yield _wrong("hash", place)
        if header.get("prev") != link:
            yield _wrong("link", place)
        if header.get("kind") != kind:
            yield _wrong("kind", place)
        link = event.hash.hex()
    last = len(evidence.stored)
    if evidence.head is None or evidence.head.seq != last:
        yield _wrong("head", last, expected=evidence.head.seq if evidence.head is not None else 0)
    elif evidence.head.hash.hex() != link:
        yield _wrong("link", last)


def _plain(header: bytes) -> dict[str, Any] | None:
    """The header when its bytes are the canonical ones."""
    try:
        read = json.loads(header)
        return read if isinstance(read, dict) and canonical(read) == header else None
    except (ValueError, NotCanonical, RecursionError):
        return None


def read_events(stored: Sequence[StoredEvent]) -> list[Recorded]:
    """The events up to the first that cannot be read."""
    events: list[Recorded] = []
    for each in stored:
        try:
            events.append(read_event(each.read()))
        except BROKEN_FOLD:
            break
    return events


# --- texts and signatures


def _texts(evidence: Evidence, events: Sequence[Recorded]) -> Iterator[Finding]:
    """Each text is the one that its event commits to. One that is gone is missed unless an erasure is on record, of the
    journey or of its person."""
    for part in evidence.parts:
        promised = events[part.seq - 1].parts.get(part.name) if part.seq <= len(events) else None
        reason = judge_part(part, promised)
        if reason is not None:
            yield _wrong(reason, part.seq, part=part.name)
    if evidence.forgotten or any(type(event.data).__name__ in erasing.FACTS for event in events):
        return
    there = {(part.seq, part.name) for part in evidence.parts}
    for event in events:
        for name in sorted(event.parts):
            if (event.seq, name) not in there:
                yield _wrong("part-gone", event.seq, part=name)


def judge_part(part: StoredPart, promised: str | None) -> str | None:
    """What is wrong with a text that is there, as a code; None: it is the one that its event commits to."""
    if promised is None:
        return "part-of-nothing"
    if part.lost is Lost.NO_KEY:
        return "part-no-key"
    return None if part.commitment() == promised else "part"


def _documents(evidence: Evidence) -> Iterator[Finding]:
    """Each document that is still spoken of is kept, byte for byte."""
    for part in evidence.parts:
        document = read_document(part.text) if part.name == PART else None
        match evidence.documents.get(document.digest, None) if document is not None else True:
            case None:
                yield _wrong("document-missing", part.seq)
            case False:
                yield _wrong("document-altered", part.seq)


def _signatures(evidence: Evidence, events: Sequence[Recorded], ring: KeyRing | None) -> Iterator[Finding]:
    """Every event that names a command stands under a signed one that says the same of who and what."""
    commands = {command.id: command for command in evidence.commands}
    if ring is not None:
        for command in evidence.commands:
            known = command.key in ring.keys
            if known and not stored_holds(command.signed, command.signature, command.key, ring):
                yield _wrong("signature", command.first or 0)
    for event in events:
        if event.command is None:
            continue
        found = commands.get(event.command)
        if found is None:
            yield _wrong("unsigned-event", event.seq)
            continue
        if not (found.first or 0) <= event.seq <= (found.last or 0):
            yield _wrong("command-range", event.seq)
        try:
            otherwise = _said_otherwise(json.loads(found.signed), event)
        except BROKEN_FOLD:
            yield _wrong("signature", event.seq)
            continue
        if otherwise is not None:
            yield _wrong("command-elsewhere", event.seq, field=otherwise)


def _said_otherwise(signed: dict[str, Any], event: Recorded) -> str | None:
    """The first field of an event that its signed command does not bear out."""
    borne = {
        "stream": signed["stream"] == event.stream,
        "id": signed["id"] == event.command,
        "actor": signed["actor"] == event.actor,
        "role": event.role in (*signed["roles"], *([SYSTEM] if event.actor == SYSTEM else []))
        or (not signed["roles"] and event.role == "none"),
        "parts": event.parts.items() <= signed["commitments"].items(),
    }
    return next((field for field, holds in borne.items() if not holds), None)


# --- the rules


def _rules(events: Sequence[Recorded], book: Handbook | None, outages: Sequence[Outage] | None) -> Iterator[Finding]:
    state = State()
    for event in events:
        try:
            evolve(state, event)
        except BROKEN_FOLD:
            yield _wrong("not-foldable", event.seq)
            return
    if book is None:
        yield _wrong("rules-missing", 1)
        return
    first = agenda.first(state)
    violations = check(
        events, complete=agenda.is_over(state), book=book, outages=outages,
        next_due=lambda _: first.at if first is not None else None,
    )  # fmt: skip
    for broken in violations:
        yield _wrong("invariant", broken.seq, number=broken.invariant, code=broken.code)
