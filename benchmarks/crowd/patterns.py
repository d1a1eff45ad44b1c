"""A life that was played, taken apart so that it can be written again for somebody else.

Every id, hash and site in its bytes becomes a slot. What the core derives is derived anew (UUIDv5 ids, the digests of
grants), commitments are made anew under new salts, links follow from the bytes. A hash or id of unknown origin is an
error, so that nothing is copied by accident.
"""

import hmac
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from random import Random
from typing import Any, Final

from benchmarks.crowd.inventing import SITE
from benchmarks.crowd.playing import Given, Played, Rules
from journeys.contract import Answer
from journeys.domain import events as e
from journeys.domain.fund import MOVE_OF_KIND
from journeys.domain.gate import digest
from journeys.domain.messages import PARTICIPANT
from journeys.domain.record import NO_EVENT, Event, Payload
from journeys.domain.summary import summary
from journeys.store.canonical import canonical

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SLOT: Final = re.compile(rf'({_UUID}|[0-9a-f]{{64}}|"{SITE}")')
_ID: Final = re.compile(_UUID)

Values = list[str]
"""What stands in each slot of one journey."""


@dataclass(frozen=True, slots=True)
class Form:
    """A text with holes."""

    text: str
    """With `%s` for each hole."""
    pick: Callable[[Values], Any]
    """Takes what goes into the holes, in order."""
    sorts: bool = False
    """Whether an object of it has keys with ids: their order depends on what is filled in."""

    def fill(self, values: Values) -> str:
        whole: str = self.text % self.pick(values)
        return canonical(json.loads(whole)).decode() if self.sorts else whole


@dataclass(frozen=True, slots=True)
class EventForm:
    kind: str
    header: Form


@dataclass(frozen=True, slots=True)
class PartForm:
    """A text of an event. `slot` holds its commitment; the salt is that of the command's part."""

    seq: int
    name: str
    text: str
    slot: int


@dataclass(frozen=True, slots=True)
class CommandForm:
    slot: int
    signed: Form
    first: int | None
    last: int | None
    answer: Form


@dataclass(frozen=True, slots=True)
class MoveForm:
    """A movement of a fund's money: slots of what is moved."""

    seq: int
    kind: str
    payment: int
    fund: str
    amount: int


@dataclass(frozen=True, slots=True)
class OpenPayment:
    """A payment that the bank took and has not settled."""

    payment: int
    amount: int
    payee: str


@dataclass(frozen=True, slots=True)
class Clone:
    """A journey made after a pattern: rows for the journal's tables."""

    stream: str
    headers: list[bytes]
    head: bytes
    parts: list[tuple[int, str, str, bytes]]
    """seq, name, text, salt."""
    commands: list[tuple[str, bytes, int | None, int | None, str]]
    """id, signed bytes, first, last, answer."""
    view: str
    moves: list[tuple[int, str, str, str, int]]
    """seq, kind, payment, fund, cents."""
    under_way: list[tuple[str, int, str]]
    """payment, cents, payee."""


@dataclass(slots=True)
class Pattern:
    """A played life with holes."""

    begins: datetime = datetime.min
    events: list[EventForm] = field(default_factory=list)
    parts: list[PartForm] = field(default_factory=list)
    commands: list[CommandForm] = field(default_factory=list)
    moves: list[MoveForm] = field(default_factory=list)
    under_way: list[OpenPayment] = field(default_factory=list)
    view: Form = Form("", tuple)
    _slots: dict[str, int] = field(default_factory=dict)
    _fillers: list[Callable[[Values, "Filling"], str]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many events."""
        return len(self.events)

    @property
    def kinds(self) -> list[str]:
        """The kind of each event, in order."""
        return [event.kind for event in self.events]

    def clone(self, journey: str, person: str, people: Mapping[str, str], site: str, random: Random) -> Clone:
        """Write the life again.

        Args:
            journey: its id. people: id of everybody around it, by handle.
        """
        stream = f"journey-{journey}"
        filling = Filling(journey, person, people, f'"{site}"', random)
        values: Values = [NO_EVENT]
        for fill in self._fillers[1:]:
            values.append(fill(values, filling))
        headers, link = [], bytes(32)
        for event in self.events:
            values[0] = link.hex()
            header = event.header.fill(values).encode()
            link = sha256(header).digest()
            headers.append(header)
        return Clone(
            stream, headers, link,
            [(part.seq, part.name, part.text, filling.salts[part.slot]) for part in self.parts],
            [
                (values[each.slot], each.signed.fill(values).encode(), each.first, each.last, each.answer.fill(values))
                for each in self.commands
            ],
            self.view.fill(values),
            [(move.seq, move.kind, values[move.payment], move.fund, move.amount) for move in self.moves],
            [(values[each.payment], each.amount, each.payee) for each in self.under_way],
        )  # fmt: skip


@dataclass(slots=True)
class Filling:
    """What the slots of one journey are filled from."""

    journey: str
    person: str
    people: Mapping[str, str]
    """By handle."""
    site: str
    random: Random
    salts: dict[int, bytes] = field(default_factory=dict)


def pattern_of(played: Played, rules: Rules, ids: Mapping[str, str]) -> Pattern:
    """Take a life apart; `ids` by handle, as it was played. Raises ValueError for an id or hash of unknown origin."""
    return _Taking(played, rules, {id: handle for handle, id in ids.items()}).pattern()


@dataclass(slots=True)
class _Taking:
    played: Played
    rules: Rules
    handles: Mapping[str, str]
    """By id."""
    made: Pattern = field(default_factory=Pattern)

    def pattern(self) -> Pattern:
        made = self.made
        made.begins = self.played.events[0].recorded_at
        self._slot(NO_EVENT, _link)
        self._slot(self._journey, lambda _, filling: filling.journey)
        self._slot(self.played.person, lambda _, filling: filling.person)
        self._slot(f'"{SITE}"', lambda _, filling: filling.site)
        for given in self.played.given:
            self._command(given)
        digests = {event.seq: event for event in self.played.events if isinstance(event.data, e.GrantRequested)}
        for event in self.played.events:
            for id, key in derived_keys(event):
                self._derived(event, id, key)
            if event.seq in digests:
                self._digest(event)
            made.events.append(EventForm(event.kind, self._form(canonical({**event.header(), "prev": NO_EVENT}))))
            self._move(event)
        made.parts = sorted(made.parts, key=lambda part: (part.seq, part.name))
        for given in self.played.given:
            made.commands.append(self._recorded(given))
        row = summary(self.played.state, self.rules.book).model_dump(mode="json")
        made.view = self._form(json.dumps(row).encode())
        return made

    @property
    def _journey(self) -> str:
        return self.played.state.stream.partition("-")[2]

    def _slot(self, known: str, fill: Callable[[Values, Filling], str]) -> int:
        if known in self.made._slots:
            raise ValueError(f"{known} has two origins")
        self.made._slots[known] = len(self.made._slots)
        self.made._fillers.append(fill)
        return self.made._slots[known]

    def _command(self, given: Given) -> None:
        """A slot for its id and for each commitment."""
        command = given.command
        self._slot(command.id, lambda _, filling: str(uuid.UUID(int=filling.random.getrandbits(128), version=4)))
        for name, part in command.parts.items():
            commitment = command.commitments[name]
            slot = len(self.made._slots)
            self._slot(commitment, _commitment(slot, part.text.encode()))
            for event in self.played.events[max(given.decided.first - 1, 0) : given.decided.last]:
                if event.parts.get(name) == commitment:
                    self.made.parts.append(PartForm(event.seq, name, part.text, slot))

    def _derived(self, event: Event[Payload], id: str, key: str) -> None:
        if id in self.made._slots:
            return
        if id != str(uuid.uuid5(uuid.UUID(self._journey), key)):
            raise ValueError(f"{event.kind}: the core no longer derives its id from {key}")
        form = self._form(key.encode())
        self._slot(id, lambda values, filling: str(uuid.uuid5(uuid.UUID(filling.journey), form.fill(values))))

    def _digest(self, event: Event[Payload]) -> None:
        data = event.data
        assert isinstance(data, e.GrantRequested)
        payee = self.made._slots[data.payee]

        def fill(values: Values, filling: Filling) -> str:
            stream = f"journey-{filling.journey}"
            return digest(stream, data.kind, data.purpose, data.pay_by, data.instalments, values[payee])

        self._slot(data.digest, fill)

    def _move(self, event: Event[Payload]) -> None:
        """What the ledger has of it, and what the bank still holds."""
        if event.kind not in MOVE_OF_KIND:
            return
        known = self.played.state.payments[event.data.payment]  # type: ignore[attr-defined]
        slot = self.made._slots[event.data.payment]  # type: ignore[attr-defined]
        fund = self.played.state.grants[known.grant].fund
        amount = getattr(event.data, "amount", known.amount)
        self.made.moves.append(MoveForm(event.seq, MOVE_OF_KIND[event.kind].value, slot, fund, amount))
        if event.kind == "PaymentReserved" and known.status.open:
            payee = next(g.command.parts["payee"].text for g in self.played.given if g.command.id == known.grant)
            self.made.under_way.append(OpenPayment(slot, known.amount, payee))

    def _recorded(self, given: Given) -> CommandForm:
        """As the journal keeps it."""
        decided = given.decided
        refused = decided.refused
        answer = Answer(
            command=given.command.id, outcome="accepted" if refused is None else "refused",
            code=refused.code if refused is not None else None, details=refused.details if refused is not None else {},
            first=decided.first, last=decided.last, seq=given.seq,
        )  # fmt: skip
        return CommandForm(
            self.made._slots[given.command.id], self._form(canonical(given.command.signed_content())),
            decided.first or None, decided.last or None, self._form(answer.model_dump_json().encode()),
        )  # fmt: skip

    def _form(self, content: bytes) -> Form:
        pieces = _SLOT.split(content.decode())
        slots = []
        for place in range(1, len(pieces), 2):
            known = pieces[place]
            if known in (self.rules.programme, self.rules.calendar):
                pieces[place] = known
                continue
            slots.append(self._slot_of(known))
            pieces[place] = "\0"
        text = "".join(pieces).replace("%", "%%").replace("\0", "%s")
        # With one index itemgetter gives the value itself, which `%` takes as well; with none there is no hole.
        pick = itemgetter(*slots) if slots else _nothing
        return Form(text, pick, content[:1] == b"{" and _has_id_keys(json.loads(content)))

    def _slot_of(self, known: str) -> int:
        slot = self.made._slots.get(known)
        if slot is not None:
            return slot
        if known in self.handles:
            handle = self.handles[known]
            return self._slot(known, lambda _, filling: filling.people[handle])
        raise ValueError(f"{self.played.state.stream}: nobody knows where {known} comes from")


def derived_keys(event: Event[Payload]) -> list[tuple[str, str]]:
    """The ids that the core derives for what an event opens, each with the key of it (`Deciding.id_for`)."""
    match event.data:
        case e.MessageDue(message=id, occurrence=occurrence, to=to, person=person):
            return [(id, f"message/{occurrence}/{to}/{person or ''}")]
        case e.PaymentReserved(payment=id, grant=grant, number=number):
            return [(id, f"payment/{grant}/{number}")]
        case e.PaymentBlocked(payment=id, grant=grant, number=number):
            return [(id, f"payment/{grant}/{number}")]
        case e.ReceiptDue(receipt=id, payment=payment):
            return [(id, f"receipt/{payment}")]
        case e.CheckCalled(check=id, milestone=milestone):
            return [(id, f"check/{milestone}/{event.seq}")]
        case e.EscalationRaised(escalation=id, about=about):
            return [(id, f"escalation/{about.kind}/{about.id}/{event.seq}")]
        case e.ChaseDue(chase=id, appointment=appointment, message=message):
            letter = [(message, f"message/chase/{id}/{PARTICIPANT}/")] if message is not None else []
            return [(id, f"chase/{appointment}/{event.seq}"), *letter]
        case _:
            return []


def _nothing(_: Values) -> tuple[()]:
    return ()


def _link(values: Values, filling: Filling) -> str:
    raise AssertionError("links are set event by event")


def _commitment(slot: int, text: bytes) -> Callable[[Values, Filling], str]:
    def fill(_: Values, filling: Filling) -> str:
        salt = filling.salts[slot] = filling.random.randbytes(32)
        return hmac.digest(salt, text, "sha256").hex()

    return fill


def _has_id_keys(value: Any) -> bool:
    match value:
        case dict():
            return any(_ID.search(key) for key in value) or any(map(_has_id_keys, value.values()))
        case list():
            return any(map(_has_id_keys, value))
        case _:
            return False
