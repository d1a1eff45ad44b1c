"""The record for tools of process mining: OCEL 2.0 as JSON, written event by event. Pseudonyms only.

Objects are streams (a journey, a fund, …), people, those who acted, and what events are about: grants, payments,
receipts, appointments, mentors, referrals. https://www.ocel-standard.org
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

ABOUT: Final = ("person", "grant", "payment", "receipt", "appointment", "mentor", "partner", "referral", "fund")
"""Keys of an event's data that name an object of this type."""


class ProcessLog:
    """Writes one log: `add` for each event, then `end`."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._objects: dict[str, str] = {}
        self._kinds: set[str] = set()
        self._first = True
        write(b'{"events":[')

    def add(self, header: dict[str, Any]) -> None:
        """One event by its header."""
        self._kinds.add(header["kind"])
        event = {
            "id": f"{header['stream']}/{header['seq']}",
            "type": header["kind"],
            "time": header["occurred_at"],
            "attributes": [
                {"name": "role", "value": header["role"]}, {"name": "recorded_at", "value": header["recorded_at"]},
            ],
            "relationships": [
                {"objectId": id, "qualifier": qualifier} for id, qualifier in dict.fromkeys(self._related(header))
            ],
        }  # fmt: skip
        self._write((b"" if self._first else b",") + b"\n" + _json(event))
        self._first = False

    def end(self) -> None:
        """Objects and types."""
        self._write(b'\n],\n"objects":[')
        for nth, (id, kind) in enumerate(sorted(self._objects.items())):
            each = {"id": id, "type": kind, "attributes": [], "relationships": []}
            self._write((b",\n" if nth else b"\n") + _json(each))
        attributes = [{"name": "role", "type": "string"}, {"name": "recorded_at", "type": "time"}]
        kinds = [{"name": kind, "attributes": attributes} for kind in sorted(self._kinds)]
        types = [{"name": kind, "attributes": []} for kind in sorted(set(self._objects.values()))]
        self._write(b'\n],\n"eventTypes":' + _json(kinds) + b',\n"objectTypes":' + _json(types) + b"}\n")

    def _related(self, header: dict[str, Any]) -> Iterator[tuple[str, str]]:
        stream = header["stream"]
        yield self._object(stream, stream.partition("-")[0]), "of"
        yield self._object(f"agent:{header['actor']}", "agent"), "by"
        for kind in ABOUT:
            id = header["data"].get(kind)
            if isinstance(id, str) and id:
                yield self._object(f"{kind}:{id}", kind), "about"

    def _object(self, id: str, kind: str) -> str:
        self._objects[id] = kind
        return id


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
