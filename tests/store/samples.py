"""Events, commands and offers for the tests of the store."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from journeys.contract import Answer, Answered, Append
from journeys.domain.commands import AddNote, AnyBody, Command, MoveDate
from journeys.domain.record import Event, Instant, Payload
from journeys.store.signing import KeyRing, draw_parts, sign

NOW = datetime(2027, 5, 12, 7, 30, tzinfo=UTC)
ACTOR = "0190b5a0-0000-7000-8000-00000000000a"


class NoteAdded(Payload):
    id: str = "n"


class PaymentSettled(Payload):
    payment: str


class PaymentRejected(Payload):
    payment: str


class PaymentReturned(Payload):
    payment: str


class ReceiptPartAccepted(Payload):
    receipt: str
    payment: str
    amount: int
    by: Instant = NOW


def new_stream(kind: str = "journey") -> str:
    return f"{kind}-{uuid4()}"


def header(stream: str, seq: int, data: Payload | None = None, **fields: Any) -> dict[str, Any]:
    data = data or NoteAdded()
    return Event(
        stream=stream, seq=seq, kind=type(data).__name__, kind_v=1, recorded_at=NOW, occurred_at=NOW,
        actor=ACTOR, role="referent", rule="test", data=data, **fields,
    ).header()  # fmt: skip


def signed(
    stream: str,
    ring: KeyRing,
    *,
    id: str | None = None,
    note: str = "Vu au parloir",
    body: AnyBody | None = None,
    **fields: Any,
) -> Command:
    texts = {"text": note} if body is None else {}
    parts, commitments = draw_parts(texts)
    command = Command(
        id=id or str(uuid4()), stream=stream, body=body or AddNote(), actor=ACTOR, roles=("referent",),
        occurred_at=NOW, signed_at=NOW, parts=parts, commitments=commitments, **fields,
    )  # fmt: skip
    return sign(command, ring)


def move(on: date = date(2027, 6, 1)) -> MoveDate:
    return MoveDate(date="release", on=on)


def answered(command: Command, first: int, last: int | None = None) -> Answered:
    last = first if last is None else last
    answer = Answer(command=command.id, outcome="accepted", first=first, last=last, seq=last)
    return Answered(command=command, answer=answer)


def view(seq: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": "ignored", "person": str(uuid4()), "programme": "auxilia", "status": "active",
        "phase": "follow-up", "referent": ACTOR, "site": "lyon", "seq": seq,
        "next_due": "2027-06-01T16:00:00.000000Z", "late": 0,
        "board": [], **changes,
    }  # fmt: skip


def noted(stream: str, expected: int, ring: KeyRing, **fields: Any) -> Append:
    """One signed note at the expected position, with its view."""
    command = signed(stream, ring, **fields)
    event = header(stream, expected + 1, command=command.id, parts=dict(command.commitments))
    return Append(
        stream=stream,
        expected=expected,
        events=(event,),
        answered=(answered(command, expected + 1),),
        view=view(expected + 1, person=str(uuid5(NAMESPACE_URL, stream))),
    )


def plain(stream: str, expected: int, count: int = 1) -> Append:
    """Events by the system, without command or view."""
    return Append(
        stream=stream,
        expected=expected,
        events=tuple(header(stream, expected + n) for n in range(1, count + 1)),
    )
