"""Every way to tamper with a record is found, and told with its place; an untouched one agrees."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from journeys.audit.comparing import difference, judge_history, judge_view, judge_workflow
from journeys.audit.journal_account import Evidence, _texts, judge_journal, read_events
from journeys.audit.replaying import Replay, Replayed
from journeys.audit.verdicts import Account, AccountName, Verdict, Verification, exit_code
from journeys.audit.verifying import judge_replay
from journeys.audit.wording import INVARIANTS, REASONS
from journeys.domain.directory import Held, PersonErased
from journeys.domain.events import ErasureOrdered
from journeys.domain.evolve import fold
from journeys.domain.fund import MOVE_OF_KIND
from journeys.domain.state import dump
from journeys.domain.summary import COLUMNS_ALONE, summary
from journeys.i18n import LANGS
from journeys.store.evidence import Head, Money
from journeys.store.keys import Lost
from journeys.store.signing import KeyRing
from journeys.store.views import JourneyRow
from tests.audit.evidence import RING, evidence_of, stored
from tests.audit.lives import Life, book, whole_life
from tests.domain.test_grants import approved

NOTHING_HELD = Held(journeys=0, parts=0, documents=0, histories=0, letters=0)
ROOM = Path(__file__).parents[2] / "journeys" / "audit"


@pytest.fixture(scope="module")
def life() -> Life:
    return whole_life()


@pytest.fixture(scope="module")
def evidence(life: Life) -> Evidence:
    return evidence_of(life)


def judge(evidence: Evidence, ring: KeyRing | None = RING) -> Account:
    return judge_journal(evidence, read_events(evidence.stored), book(), ring, ())


# --- the journal


def test_an_untouched_journal_agrees(evidence: Evidence, life: Life) -> None:
    account = judge(evidence)
    assert (account.verdict, account.compared) == (Verdict.AGREES, len(life.events)), account.told("en")


def test_texts_that_are_gone_are_missed_unless_an_erasure_is_on_record(evidence: Evidence) -> None:
    first = evidence.parts[0]
    account = judge(replace(evidence, parts=evidence.parts[1:]))
    assert (account.reason, account.seq, account.details) == ("part-gone", first.seq, {"part": first.name})
    events = read_events(evidence.stored)
    for fact in (ErasureOrdered(reason="person-asked"), PersonErased(order=1, keys=(), held=NOTHING_HELD)):
        ordered = [*events, events[-1].model_copy(update={"data": fact})]
        assert list(_texts(replace(evidence, parts=[]), ordered)) == []
    assert list(_texts(replace(evidence, parts=[], forgotten=True), events)) == [], "their person is"
    account = judge(replace(evidence, parts=[replace(first, text="", salt=b"", lost=Lost.NO_KEY), *evidence.parts[1:]]))
    assert (account.reason, account.seq) == ("part-no-key", first.seq)
    assert "la clé n’est pas dans la base des clés" in account.told("fr")


def relinked(evidence: Evidence, seq: int, change: Callable[[dict[str, Any]], Any]) -> Evidence:
    """One header changed, and every link after it made good again: what a thief with the whole database would do."""
    headers = [event.read() for event in evidence.stored]
    change(headers[seq - 1])
    events = stored(headers)
    return replace(
        evidence, stored=events, head=Head(len(events), events[-1].hash), kinds=[header["kind"] for header in headers]
    )


def seq_of(evidence: Evidence, kind: str) -> int:
    return evidence.kinds.index(kind) + 1


def byte_changed(evidence: Evidence) -> Evidence:
    event = evidence.stored[9]
    bad = event._replace(header=event.header.replace(b"2027", b"2028", 1))
    return replace(evidence, stored=[*evidence.stored[:9], bad, *evidence.stored[10:]])


def rehashed(evidence: Evidence) -> Evidence:
    changed = byte_changed(evidence).stored[9]
    bad = changed._replace(hash=hashlib.sha256(changed.header).digest())
    return replace(evidence, stored=[*evidence.stored[:9], bad, *evidence.stored[10:]])


def spaced(evidence: Evidence) -> Evidence:
    event = evidence.stored[4]
    return replace(
        evidence, stored=[*evidence.stored[:4], event._replace(header=event.header + b" "), *evidence.stored[5:]]
    )


def signed_by_nobody(evidence: Evidence) -> Evidence:
    bad = replace(evidence.commands[3], signature="0" * 64)
    return replace(evidence, commands=[*evidence.commands[:3], bad, *evidence.commands[4:]])


def signed_words_that_are_none(evidence: Evidence) -> Evidence:
    """Under a key that nobody here has, so that no signature tells."""
    bad = replace(evidence.commands[3], signed=b"x", key="none")
    return replace(evidence, commands=[*evidence.commands[:3], bad, *evidence.commands[4:]])


def other_text(evidence: Evidence) -> Evidence:
    return replace(evidence, parts=[replace(evidence.parts[0], text="autre chose"), *evidence.parts[1:]])


TAMPERED: dict[str, tuple[Callable[[Evidence], Evidence], str, Callable[[Evidence], int]]] = {
    "a byte": (byte_changed, "hash", lambda e: 10),
    "a byte and its hash": (rehashed, "link", lambda e: 11),
    "a space": (spaced, "not-canonical", lambda e: 5),
    "an event taken out": (
        lambda e: replace(e, stored=[*e.stored[:20], *e.stored[21:]], kinds=[*e.kinds[:20], *e.kinds[21:]]), "gap",
        lambda e: 21,
    ),
    "the last event taken off": (
        lambda e: replace(e, stored=e.stored[:-1], kinds=e.kinds[:-1]), "head", lambda e: len(e.stored) - 1,
    ),
    "the head's hash": (lambda e: replace(e, head=Head(len(e.stored), b"0" * 32)), "link", lambda e: len(e.stored)),
    "the column of kinds": (lambda e: replace(e, kinds=["NoteAdded", *e.kinds[1:]]), "kind", lambda e: 1),
    "a kind of another version": (
        lambda e: relinked(e, 12, lambda h: h.update(kind="SomethingNew")), "unreadable", lambda e: 12,
    ),
    "a text": (other_text, "part", lambda e: e.parts[0].seq),
    "a text of nothing": (lambda e: replace(e, parts=[replace(e.parts[0], seq=1)]), "part-of-nothing", lambda e: 1),
    "a signature": (signed_by_nobody, "signature", lambda e: e.commands[3].first or 0),
    "a command that says nothing": (signed_words_that_are_none, "signature", lambda e: e.commands[3].first or 0),
    "a command left out": (lambda e: replace(e, commands=e.commands[1:]), "unsigned-event", lambda e: 1),
    "another actor": (
        lambda e: relinked(e, seq_of(e, "MilestoneWaived"), lambda h: h.update(actor="0" * 36)), "command-elsewhere",
        lambda e: seq_of(e, "MilestoneWaived"),
    ),
    "an event under another's command": (
        lambda e: relinked(e, 1, lambda h: h.update(command=e.commands[5].id)), "command-range", lambda e: 1,
    ),
    "a deadline closed that was never set": (
        lambda e: relinked(e, seq_of(e, "DeadlineMet"), lambda h: h["data"].update(deadline="rights-open/9")),
        "invariant",
        lambda e: 12,  # the one that now stays open for ever is told first
    ),
    "more money": (
        lambda e: relinked(e, seq_of(e, "GrantRequested"), lambda h: h["data"].update(amount=130_000)), "invariant",
        lambda e: seq_of(e, "GrantRequested"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found_at_its_place(how: str, evidence: Evidence) -> None:
    change, reason, place = TAMPERED[how]
    account = judge(change(evidence))
    assert (account.verdict, account.reason, account.seq) == (Verdict.DISAGREES, reason, place(evidence))
    for lang in LANGS:
        assert str(account.seq) in account.why(lang)
        assert "{" not in account.told(lang)


def test_without_keys_the_journal_is_not_wholly_compared(evidence: Evidence) -> None:
    assert judge(evidence, None).reason == "no-keys"
    other = judge(evidence, KeyRing("k2", {"k2": b"2" * 32}))
    assert (other.verdict, other.reason, other.details["key"]) == (Verdict.NOT_AVAILABLE, "unknown-key", "k1")
    assert judge(byte_changed(evidence), None).verdict is Verdict.DISAGREES


# --- view


def row_of(life: Life) -> JourneyRow:
    shown = summary(life.state, life.book).model_dump(mode="json")
    fields: dict[str, Any] = {name: shown.get(name) for name in JourneyRow.__dataclass_fields__}
    fields["summary"] = {name: value for name, value in shown.items() if name not in COLUMNS_ALONE}
    due = fields["next_due"]
    fields |= {"id": shown["id"].removeprefix("journey-"), "name": "Samir Haddad"}
    fields["next_due"] = datetime.fromisoformat(due) if due else None
    return JourneyRow(**fields)


def money_of(life: Life) -> Money:
    rows = {
        id: (each.status.value, each.amount, each.number, each.grant, each.doubt, each.replaced)
        for id, each in life.state.payments.items()
    }
    moves = ((event.seq, MOVE_OF_KIND[event.kind].value) for event in life.events if event.kind in MOVE_OF_KIND)
    return Money(rows, frozenset(moves))


def test_payments_and_ledger_agree_until_one_is_changed() -> None:
    life = approved()
    row, true = row_of(life), money_of(life)
    assert true.payments and len(true.ledger) == 2
    assert judge_view(row, life.events, life.book, true).verdict is Verdict.AGREES
    (id, known), booked = next(iter(true.payments.items())), sorted(true.ledger)
    for odd, reason in (
        (Money({}, true.ledger), "payment-row"),
        (Money({id: ("returned", *known[1:])}, true.ledger), "payment-row"),
        (Money({id: (known[0], known[1] + 1, *known[2:])}, true.ledger), "payment-row"),
        (Money({**true.payments, "another": known}, true.ledger), "payment-row"),
        (Money(true.payments, frozenset(booked[:1])), "ledger"),
        (Money(true.payments, true.ledger | {(99, "settled")}), "ledger"),
    ):
        account = judge_view(row, life.events, life.book, odd)
        assert (account.verdict, account.reason) == (Verdict.DISAGREES, reason)


def test_the_row_agrees_until_a_column_is_changed(life: Life) -> None:
    row = row_of(life)
    assert judge_view(row, life.events, life.book, money_of(life)).verdict is Verdict.AGREES
    for change in ({"status": "active"}, {"late": 9}, {"site": "lyon"}, {"summary": {**row.summary, "granted": 1}}):
        account = judge_view(replace(row, **change), life.events, life.book, money_of(life))
        assert (account.verdict, account.reason) == (Verdict.DISAGREES, "row")
        assert account.details["field"].startswith(next(iter(change)))
    assert judge_view(replace(row, seq=3), life.events, life.book, money_of(life)).reason == "row-seq"
    assert judge_view(None, life.events, life.book, money_of(life)).reason == "no-row"


def test_a_row_from_before_appointments_were_kept_in_it_agrees(life: Life) -> None:
    row = row_of(life)
    (first, *others) = row.summary["met"]
    older = {name: value for name, value in row.summary.items() if name != "met"}
    for kept, verdict in (
        (older, Verdict.AGREES),
        ({**older, "granted": 1}, Verdict.DISAGREES),
        ({**older, "met": [{**first, "outcome": "another"}, *others]}, Verdict.DISAGREES),
    ):
        account = judge_view(replace(row, summary=kept), life.events, life.book, money_of(life))
        assert account.verdict is verdict, kept


# --- workflow


def test_the_workflow_is_compared_at_its_own_seq(life: Life) -> None:
    for seq in (1, 100, len(life.events)):
        answer = json.loads(json.dumps(dump(fold(life.events[:seq]))))
        account = judge_workflow(answer, life.events)
        assert (account.verdict, account.compared) == (
            Verdict.AGREES if seq == len(life.events) else Verdict.BEHIND,
            seq,
        )
        altered = {**answer, "referent": "somebody"}
        account = judge_workflow(altered, life.events)
        assert (account.verdict, account.seq, account.details) == (Verdict.DISAGREES, seq, {"field": "referent"})
    beyond = {**dump(life.state), "seq": len(life.events) + 1}
    assert judge_workflow(beyond, life.events).reason == "beyond"
    assert judge_workflow(["?"], life.events).reason == "strange-answer"
    assert judge_workflow(dump(fold([])), life.events).verdict is Verdict.BEHIND


# --- history


def test_the_history_tells_the_events_of_the_journal(evidence: Evidence) -> None:
    headers = [event.read() for event in evidence.stored]
    head = len(headers)
    assert judge_history([*headers[:50], *headers[20:]], headers, complete=True) == Account(
        AccountName.HISTORY, Verdict.AGREES, head
    )
    altered = json.loads(json.dumps(headers))
    altered[30]["data"] = {"note": "x"}
    account = judge_history(altered, headers, complete=True)
    assert (account.verdict, account.reason, account.seq) == (Verdict.DISAGREES, "history-event", 31)
    lacking = judge_history([*headers[:10], *headers[12:]], headers, complete=True)
    assert (lacking.verdict, lacking.reason, lacking.seq) == (Verdict.DISAGREES, "history-lacks", 11)
    assert judge_history(headers, headers[:-1], complete=True).reason == "beyond"
    behind = judge_history(headers[:-5], headers, complete=True)
    assert (behind.verdict, behind.seq) == (Verdict.BEHIND, head - 5)
    cut = judge_history(headers[100:], headers, complete=False)
    assert (cut.verdict, cut.reason, cut.compared) == (Verdict.NOT_AVAILABLE, "retention", head - 100)
    assert judge_history(headers[100:], headers, complete=True).reason == "history-lacks"
    assert judge_history([], headers, complete=True).verdict is Verdict.BEHIND


# --- replay, and the whole


def test_a_replay_that_takes_another_way_disagrees() -> None:
    good, bad = Replayed("run-1", 120, ""), Replayed("run-2", 40, "[TMPRL1100] Nondeterminism error")
    assert judge_replay(Replay("journey-1", (good, good), True)) == Account(AccountName.REPLAY, Verdict.AGREES, 240)
    account = judge_replay(Replay("journey-1", (good, bad), True))
    assert (account.verdict, account.details["run"]) == (Verdict.DISAGREES, "run-2")
    assert "TMPRL1100" in account.told("fr")
    assert judge_replay(Replay("journey-1", (good,), False)).reason == "retention"


@pytest.mark.parametrize(
    ("verdicts", "plain", "strict"),
    [
        ([Verdict.AGREES, Verdict.AGREES], 0, 0),
        ([Verdict.AGREES, Verdict.NOT_AVAILABLE], 0, 1),
        ([Verdict.BEHIND, Verdict.AGREES], 0, 1),
        ([Verdict.NOT_AVAILABLE, Verdict.DISAGREES], 6, 6),
    ],
)
def test_exit_codes(verdicts: list[Verdict], plain: int, strict: int) -> None:
    found = [Verification("journey-x", 1, (Account(AccountName.VIEW, verdict),)) for verdict in verdicts]
    assert (exit_code(found), exit_code(found, strict=True)) == (plain, strict)
    assert Verification("journey-x", 1, tuple(a for each in found for a in each.accounts)).exit_code() == plain


def test_every_reason_has_words_and_every_invariant_a_name(life: Life) -> None:
    source = "".join(file.read_text() for file in ROOM.glob("*.py"))
    used = set(re.findall(r'(?:_wrong|disagrees|not_available)\(\s*(?:name|AccountName\.\w+)?,?\s*"([a-z-]+)"', source))
    assert len(used) > 20
    assert used - REASONS.keys() == set()
    assert INVARIANTS.keys() == set(range(1, 13))


def test_where_two_values_differ() -> None:
    assert difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}) is None
    assert difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == "a[1].b"
    assert difference({"a": 1}, {"a": True}) == "a"
    assert difference({"a": 1}, {}) == "a"
    assert difference([1], [1, 2]) == "?"
