"""What must hold after any fault: what was answered stands once, money went out once, every account agrees."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass

from journeys.audit.journal_account import BROKEN_FOLD
from journeys.audit.verdicts import Verdict
from journeys.audit.verifying import Sources, verify
from journeys.domain import commands as c
from journeys.domain.evolve import fold
from journeys.domain.record import Event, Payload
from journeys.domain.state import PaymentStatus
from tests.faults.trial import RING, Person, Sent, Trial, patiently
from workflows.journey import JourneyWorkflow

MOST_SECONDS = 15.0
"""How long a caller waits at most after one kill."""


@dataclass(frozen=True)
class Violation:
    """Something that must never be; `code` says what, `where` which command, payment or journey."""

    code: str
    where: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.where} {self.why}".rstrip()


async def violations(trial: Trial, *, quiet_seconds: float = 60) -> list[Violation]:
    """Everything that is wrong; the journeys are first left to finish what they are at."""
    try:
        busy = await trial.quiet(quiet_seconds)
    except BROKEN_FOLD as failure:
        return [Violation("not-foldable", "", str(failure))]
    found = [Violation("effect-without-end", stream) for stream in busy]
    for person in trial.persons:
        events = await trial.events(person)
        found += [each for sent in _of(trial, person) for each in _command(sent, events)]
    found += await money(trial)
    found += await _all(_accounts(trial, person) for person in trial.persons)
    found += await _all(_answers_again(trial, person) for person in trial.persons)
    return found


async def first_sign(trial: Trial) -> list[Violation]:
    """What can be seen to be wrong at once, while the journeys are still at work; cheap, for runs that stop at it."""
    for person in trial.persons:
        events = await trial.events(person)
        try:
            fold(events)
        except BROKEN_FOLD as failure:
            return [Violation("not-foldable", person.stream, str(failure))]
        found = [each for sent in _of(trial, person) if sent.ended for each in _command(sent, events)]
        if found:
            return found
    return await money(trial)


async def _all(asked: Iterator[Awaitable[list[Violation]]]) -> list[Violation]:
    return [each for part in await asyncio.gather(*asked) for each in part]


def _of(trial: Trial, person: Person) -> list[Sent]:
    return [sent for sent in trial.sent if sent.command.stream == person.stream]


# --- commands


def _command(sent: Sent, events: list[Event[Payload]]) -> Iterator[Violation]:
    """An answered command has its events at the seqs of its answer, each once; a forged one has none."""
    id, answer = sent.command.id, sent.answer
    own = [event for event in events if event.command == id]
    if sent.forged:
        if own or (answer is not None and answer.outcome != "unsigned"):
            yield Violation("forged-command-taken", id)
        return
    if answer is None:
        yield Violation("no-answer", id, sent.failure)
        return
    if answer.outcome != "accepted":
        yield Violation("unexpected-answer", id, f"{sent.command.name}: {answer.outcome} {answer.code}")
        return
    if not own:
        yield Violation("acknowledged-and-lost", id, sent.command.name)
    if any(not answer.first <= event.seq <= answer.last for event in own):
        yield Violation("events-elsewhere", id, f"{answer.first} to {answer.last}")
    facts = Counter((event.kind, event.data.model_dump_json()) for event in own)
    twice = [kind for (kind, _), count in facts.items() if count > 1]
    if twice:
        yield Violation("done-twice", id, twice[0])


async def _answers_again(trial: Trial, person: Person) -> list[Violation]:
    """Whoever sends a command again gets the answer that it got."""
    found = []
    for sent in _of(trial, person):
        if sent.answer is None:
            continue
        again = await patiently(lambda sent=sent: trial.ask(person, sent.command))
        if again != sent.answer:
            found.append(Violation("another-answer", sent.command.id, f"{sent.answer} then {again}"))
    return found


def waits(sent: Iterable[Sent], pause: float = 0.0) -> list[Violation]:
    """Callers who waited too long; `pause` seconds are those of a fault that itself lasts."""
    return [
        Violation("waited", each.command.id, f"{each.seconds:.1f} s")
        for each in sent
        if each.seconds > MOST_SECONDS + pause
    ]


# --- money


async def money(trial: Trial) -> list[Violation]:
    """The bank's ledger against the journal: each payment told once, paid once, nothing paid that none asked for."""
    known = {}
    for person in trial.persons:
        known.update((await trial.state(person)).payments)
    told = [line for orders in trial.orders() for line in orders.told_bank()]
    payment_of = {key: payment for payment, key in told}
    rows = await patiently(
        lambda: trial.pool.fetch(
            "SELECT payment::text, cents FROM bank.movements WHERE kind = 'paid'"
            " UNION ALL SELECT payment::text, amount FROM bank.instructions WHERE fate = 'accepted'"
        )
    )
    found = [
        Violation("instructed-twice", payment, f"{count} times")
        for payment, count in Counter(payment for payment, _ in told).items()
        if count > 1
    ]
    paid: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row["payment"] not in known:
            found.append(Violation("paid-and-unknown", row["payment"]))
        paid[payment_of.get(row["payment"], row["payment"])].append(row["cents"])
    found += [Violation("paid-twice", payment, str(cents)) for payment, cents in paid.items() if len(cents) > 1]
    by_instalment = Counter((each.grant, each.number) for id, each in known.items() if id in paid)
    found += [Violation("paid-twice", grant, f"{n} payments") for (grant, _), n in by_instalment.items() if n > 1]
    for id, payment in known.items():
        if id in paid and paid[id] != [payment.amount]:
            found.append(Violation("paid-otherwise", id, f"{paid[id]} for {payment.amount}"))
        if payment.status is PaymentStatus.SETTLED and id not in paid:
            found.append(Violation("settled-and-not-paid", id))
    return found


# --- every account


async def _accounts(trial: Trial, person: Person) -> list[Violation]:
    """`audit verify` after a sync: links, signatures, invariants, view, the workflow's answer, history, replay."""
    synced = await trial.ask(person, trial.command(person, c.Sync(), system=True))
    found = [] if synced.outcome == "accepted" else [Violation("sync", person.stream, str(synced.code))]
    sources = Sources(trial.pool, RING, trial.client, (JourneyWorkflow,), outages=())
    verified = await patiently(lambda: verify(sources, person.stream))
    return found + [
        Violation(account.name.value, person.stream, f"{account.verdict.value} {account.reason} at {account.seq}")
        for account in verified.accounts
        if account.verdict is not Verdict.AGREES
    ]
