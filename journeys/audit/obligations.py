"""Every obligation of a journey, recomputed from its events: met, missed, cancelled, open, or passed in silence.

What was owed is read from the agenda after each event, so a due is known here even if no event ever answered it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Final

from journeys.domain import agenda
from journeys.domain import events as e
from journeys.domain.agenda import Due, DueKind
from journeys.domain.evolve import evolve
from journeys.domain.handbook import Handbook
from journeys.domain.plan import plan
from journeys.domain.record import Event, Payload, instant_text
from journeys.domain.state import State
from journeys.i18n import N_, ngettext, text
from journeys.narration.telling import Speech

Recorded = Event[Payload]

GRACE: Final = timedelta(minutes=15)
"""How long after its due nothing need be recorded: what an outage allows (docs/overview, invariant 5)."""


class Answer(IntEnum):
    """What else is owed under a due of the agenda; in the order after all of those."""

    RECEIPT = 100
    """By finance, to a receipt that was handed in: until then the same due was for handing it in."""


Kind = DueKind | Answer


class Outcome(StrEnum):
    MET = "met"
    MISSED = "missed"
    CANCELLED = "cancelled"
    OPEN = "open"
    SILENT = "silent"
    """Its time passed and no event says what became of it: one that should exist does not."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something that was owed by somebody until `due`."""

    kind: Kind
    id: str
    due: datetime
    opened: int
    """Seq of the event that made it due."""
    moves: int = 0
    """How often its day was changed."""
    outcome: Outcome = Outcome.OPEN
    closed: int | None = None
    """Seq of the event that ended it."""
    at: datetime | None = None
    """When that was recorded."""
    learnt_late: bool = False
    """Missed as it seemed, and met in time as was recorded later."""
    since: datetime | None = None
    """When it was first owed; a receipt that is refused after its day is owed anew when that is over already."""

    @property
    def late(self) -> timedelta:
        """How long after its time its miss was recorded; zero for anything else."""
        if self.outcome is not Outcome.MISSED or self.at is None:
            return timedelta()
        return max(self.at - max(self.due, self.since or self.due), timedelta())

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": WORDS[self.kind][0] if self.kind in WORDS else self.kind.name.lower().replace("_", "-"),
            "id": self.id, "due": instant_text(self.due), "outcome": self.outcome.value,
            "opened": self.opened, "closed": self.closed, "at": instant_text(self.at) if self.at else None,
            "moves": self.moves, "learnt_late": self.learnt_late,
        }  # fmt: skip


WORDS: Final[dict[Kind, tuple[str, str]]] = {
    DueKind.DATE: ("date", N_("date à confirmer")),
    DueKind.DEADLINE: ("deadline", N_("étape à franchir")),
    DueKind.CONTACT_CLOSES: ("contact", N_("contact")),
    DueKind.GRANT_EXPIRES: ("decision", N_("décision")),
    DueKind.RECEIPT_LATE: ("receipt", N_("dépense à justifier")),
    DueKind.REFERRAL_EXPIRES: ("referral", N_("réponse")),
    DueKind.TRANSFER: ("transfer", N_("réponse")),
    DueKind.CHASE: ("chase", N_("relance")),
    Answer.RECEIPT: ("receipt-answer", N_("réponse sur la dépense")),
}
"""What people owe. Whatever else falls due is the engine's own work: told only when it is silent."""

_ENGINE: Final = N_("travail du système")

_MET: Final = (
    e.DateHappened, e.DeadlineMet, e.ContactMade, e.GrantApproved, e.GrantRefused, e.GrantReturned, e.ReceiptSubmitted,
    e.ReceiptAccepted, e.ReceiptPartAccepted, e.ReceiptRefused, e.ReceiptWaived, e.ReferralAccepted, e.ReferralDeclined,
    e.TransferDeclined, e.ChaseDone,
)  # fmt: skip
_MISSED: Final = (
    e.DateUnconfirmed, e.DeadlineMissed, e.ContactMissed, e.GrantExpired, e.ReceiptOverdue, e.ReceiptUnanswered,
    e.ReferralExpired, e.ChasePassed,
)  # fmt: skip

_Key = tuple[Kind, str]


def obligations(events: Sequence[Recorded], book: Handbook, now: datetime) -> list[Obligation]:
    """Every obligation of a whole stream, in the order of their dues, as they stand at `now`."""
    return sorted(_recomputed(events, book, now), key=lambda each: (each.due, each.kind, each.id))


def silent(found: Sequence[Obligation]) -> list[Obligation]:
    """Those that passed and of which no event speaks."""
    return [each for each in found if each.outcome is Outcome.SILENT]


def _recomputed(events: Sequence[Recorded], book: Handbook, now: datetime) -> Iterator[Obligation]:
    state, owed, held = State(), dict[_Key, Obligation](), dict[_Key, Obligation]()
    ended: list[Obligation] = []
    for event in events:
        evolve(state, event)
        _correct(ended, event)
        after = _owed(state)
        for key in [key for key in owed if key not in after]:
            gone = owed.pop(key)
            if isinstance(event.data, e.JourneySuspended):
                held[key] = gone
            else:
                ended.append(_ended(gone, event))
        for key in [key for key in held if _settled_while_held(state, key)]:
            ended.append(_ended(held.pop(key), event))
        for key, at in after.items():
            known = owed.get(key) or held.pop(key, None)
            if known is not None and at != known.due and _taken(known, event):
                ended.append(_ended(known, event))
                known = None
            if known is None:
                owed[key] = Obligation(*key, at, event.seq, since=event.recorded_at)
            else:
                owed[key] = known if at == known.due else replace(known, due=at, moves=known.moves + 1)
        if isinstance(event.data, e.JourneyClosed | e.JourneyResumed):
            ended += [_ended(gone, event) for gone in held.values()]
            held.clear()
    yield from (each for each in ended if each.kind in WORDS)
    for each in owed.values():
        passed = each.due + GRACE < now
        if passed or each.kind in WORDS:
            yield replace(each, outcome=Outcome.SILENT) if passed else each
    yield from (each for each in held.values() if each.kind in WORDS)
    yield from _never_set(state, book, now)


def _owed(state: State) -> dict[_Key, datetime]:
    """What is owed after an event, and until when: a deadline also while a check is asked about it."""
    return {_key(state, due): due.at for due in (*agenda.dues(state), *agenda.checked(state))}


def _settled_while_held(state: State, key: _Key) -> bool:
    """Whether nobody owes any more what a suspension holds: it was done meanwhile, or called off."""
    kind, id = key
    match kind:
        case DueKind.DEADLINE:
            return id not in state.deadlines
        case DueKind.CONTACT_CLOSES:
            return not state.contacts[id].open
        case DueKind.CHASE:
            return id not in state.chases
        case _:
            return False


def _key(state: State, due: Due) -> _Key:
    """Of a receipt the person owes one thing until it is handed in, and finance another from then on."""
    answered = due.kind is DueKind.RECEIPT_LATE and state.receipts[due.id].submitted is not None
    return (Answer.RECEIPT if answered else due.kind), due.id


def _taken(known: Obligation, event: Recorded) -> bool:
    """Whether a due was taken and falls due anew, rather than moved to another time."""
    taken = event.command is None and event.recorded_at >= known.due
    return taken and not isinstance(event.data, e.TransferReminded)  # asked again of the same person: one obligation


def _ended(known: Obligation, event: Recorded) -> Obligation:
    match event.data:
        case e.JourneyTransferred(by_itself=by_itself):
            outcome = Outcome.MISSED if by_itself else Outcome.MET
        case data if isinstance(data, _MET):
            outcome = Outcome.MET
        case data if isinstance(data, _MISSED):
            outcome = Outcome.MISSED
        case _:
            outcome = Outcome.CANCELLED
    return replace(known, outcome=outcome, closed=event.seq, at=event.recorded_at)


def _correct(ended: list[Obligation], event: Recorded) -> None:
    """A miss that was none, as was learnt later."""
    if not isinstance(event.data, e.DeadlineCorrected):
        return
    for place, each in enumerate(ended):
        if (each.kind, each.id, each.outcome) == (DueKind.DEADLINE, event.data.deadline, Outcome.MISSED):
            ended[place] = replace(each, outcome=Outcome.MET, closed=event.seq, at=event.recorded_at, learnt_late=True)


def _never_set(state: State, book: Handbook, now: datetime) -> Iterator[Obligation]:
    """What the programme asks for at the end of these events, and no event ever made due."""
    if not state.is_open or state.suspended is not None:
        return
    has = {deadline.milestone for deadline in state.deadlines.values()}
    for code, due in plan(state, book).items():
        known = state.milestones.get(code)
        spared = state.watch_from is not None and due.at < state.watch_from
        if code not in has and not spared and (known is None or known.missed is None):
            yield Obligation(DueKind.DEADLINE, f"{code}/0", due.at, state.seq, outcome=Outcome.SILENT)


# --- told

OUTCOMES: Final = {
    Outcome.MET: N_("tenue"),
    Outcome.MISSED: N_("manquée"),
    Outcome.CANCELLED: N_("annulée"),
    Outcome.OPEN: N_("à venir"),
    Outcome.SILENT: N_("passée sans trace"),
}


COUNTED: Final = {
    Outcome.MET: N_("tenues"),
    Outcome.MISSED: N_("manquées"),
    Outcome.CANCELLED: N_("annulées"),
    Outcome.OPEN: N_("à venir"),
    Outcome.SILENT: N_("passées sans trace"),
}


def told(each: Obligation, speech: Speech) -> str:
    """One line: what was owed, until when, and what became of it. `speech` knows the state at the end."""
    line = speech.say(
        "{what}, pour le {due} : {outcome}",
        what=subject(each, speech), due=speech.when(each.due), outcome=speech.say(OUTCOMES[each.outcome]),
    )  # fmt: skip
    if each.learnt_late and each.at is not None:
        line = speech.say("{line} (appris plus tard, le {day})", line=line, day=speech.local_day(each.at))
    if each.late > GRACE and each.at is not None:
        line = speech.say("{line} (noté en retard, le {when})", line=line, when=speech.when(each.at))
    return line


def subject(each: Obligation, speech: Speech) -> str:
    """What was owed. `speech` knows the state at the end."""
    kind = WORDS[each.kind][1] if each.kind in WORDS else _ENGINE
    return speech.say("{kind}, {what}", kind=speech.say(kind), what=_subject(each, speech))


def counted(found: Sequence[Obligation], lang: str) -> str:
    """How many there were of each outcome, in one line."""
    _ = text(lang)
    counts = [(outcome, sum(each.outcome is outcome for each in found)) for outcome in Outcome]
    whole = ngettext(lang, "{count} obligation", "{count} obligations", len(found)).format(count=len(found))
    parts = [f"{_(COUNTED[outcome])} {count}" for outcome, count in counts if count]
    return _("{whole} : {parts}").format(whole=whole, parts=", ".join(parts)) if parts else whole


def _subject(each: Obligation, speech: Speech) -> str:
    match each.kind:
        case DueKind.DEADLINE:
            return speech.deadline(each.id)
        case DueKind.CONTACT_CLOSES:
            return speech.contact(each.id)
        case DueKind.DATE:
            return speech.date(each.id.split("/")[1])
        case DueKind.GRANT_EXPIRES:
            return speech.grant(each.id)
        case DueKind.RECEIPT_LATE | Answer.RECEIPT:
            return speech.receipt(each.id)
        case DueKind.REFERRAL_EXPIRES:
            return speech.referral(each.id)
        case DueKind.TRANSFER:
            return speech.say("la reprise du parcours")
        case DueKind.CHASE:
            return speech.say("des nouvelles après un rendez-vous manqué")
        case kind:
            return f"{kind.name.lower().replace('_', ' ')} {each.id}".rstrip()
