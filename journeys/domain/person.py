"""The person: situations that last, outcomes measured, consent, and what they wish to receive."""

from datetime import date, datetime

from journeys.domain import closing, escalation, guards, messages, referrals
from journeys.domain import commands as c
from journeys.domain import events as e
from journeys.domain.calendar import ONE_DAY
from journeys.domain.deciding import Deciding, Refusal
from journeys.domain.events import Subject, Value
from journeys.domain.plan import measured_day
from journeys.domain.recipients import NOBODY_THERE
from journeys.domain.state import CAME_BACK, UNREACHED, State

UNKNOWN = "unknown"
CONSENT = Subject(kind="consent", id="messages")
OPTED_OUT = Subject(kind="consent", id="opted-out")
DEAD = ("mail-5", "bad-address", "bad-number", "dead-number", "blocked-number")
"""How the reasons begin for which an address or a number will never work."""
KNOWN_DEAD = "known-dead"
"""Why a channel is passed over that said before that nobody is reached there."""
PASSED_OVER = (
    *NOBODY_THERE, KNOWN_DEAD, "bad-address", "bad-number", "mail-5-1-0", "mail-5-2-1", "mail-550", "mail-551",
    "mail-553", "mail-556",
)  # fmt: skip
"""The same where another channel takes the message: not what a mail server says of our letter, or of itself."""
KNOWN_BY_ALL = (*NOBODY_THERE, KNOWN_DEAD, CAME_BACK)
"""The same where it is noted of the person, so that it is known without a try that another address was given."""


# --- situations and measures


def record_situation(work: Deciding, body: c.RecordSituation) -> None:
    _value(work, body.situation, body.value)
    since = body.since or work.day
    _not_ahead(work, since, "since")
    work.fact(e.SituationChanged(situation=body.situation, value=body.value, since=since))
    measure_again(work)


def correct_situation(work: Deciding, body: c.Correct) -> None:
    """`correct` for a situation: another value on the day told (or for the last value)."""
    known = work.state.situation(body.id, body.on)
    if known is None:
        raise Refusal("nothing-to-correct", situation=body.id)
    _value(work, body.id, body.to or "")
    if body.to == known.value:
        raise Refusal("same-value", situation=body.id, value=known.value)
    work.fact(e.SituationCorrected(situation=body.id, value=body.to or "", since=known.since))
    measure_again(work)


def measure_by_hand(work: Deciding, body: c.MeasureOutcome) -> None:
    rule = work.book.programme.measures.get(body.measure)
    if rule is None or body.number > len(rule.at):
        raise Refusal("unknown-measure", measure=body.measure, known=", ".join(work.book.programme.measures))
    day = measured_day(work.state, work.book, body.measure, body.number)
    if day is None or day > work.today:
        raise Refusal("measure-ahead", measure=body.measure)
    work.fact(e.OutcomeMeasured(measure=body.measure, number=body.number, day=day, value=body.value))


def take_measure(work: Deciding, key: str, at: datetime) -> None:
    """Some days after the day named, write down what is known of it."""
    _, measure, number = key.split("/")
    day = measured_day(work.state, work.book, measure, int(number))
    assert day is not None
    value = found_on(work, measure, day)
    work.due(e.OutcomeMeasured(measure=measure, number=int(number), day=day, value=value), "measure", at)


def found_on(work: Deciding, measure: str, day: date) -> Value:
    """Whether the situation was good on that day; unknown stays apart from no."""
    rule = work.book.programme.measures[measure]
    known = work.state.situation(rule.situation, day)
    if known is None or known.value == UNKNOWN:
        return "unknown"
    return "yes" if known.value in rule.good else "no"


def measure_again(work: Deciding) -> None:
    """A situation told later changes what was written down of a day."""
    for key, before in list(work.state.measured.items()):
        measure, _, number = key.rpartition("/")
        day = measured_day(work.state, work.book, measure, int(number))
        if day is None:
            continue
        value = found_on(work, measure, day)
        if value not in (before, "unknown"):
            work.follow(e.OutcomeMeasured(measure=measure, number=int(number), day=day, value=value), "late-fact")


def _value(work: Deciding, situation: str, value: str) -> None:
    known = work.book.programme.situations.get(situation)
    if known is None:
        raise Refusal("unknown-situation", situation=situation, known=", ".join(work.book.programme.situations))
    if value not in known and value != UNKNOWN:
        raise Refusal("unknown-value", value=value, known=", ".join((*known, UNKNOWN)))
    if (guard := guards.barred(work.book.programme, work.state, situation, value)) is not None:
        raise Refusal("guarded", situation=situation, value=value, guard=guard)


def _not_ahead(work: Deciding, day: date, field: str) -> None:
    if day > work.today:
        raise Refusal("in-the-future", field=field)


# --- consent and messages


def give_consent(work: Deciding, body: c.GiveConsent) -> None:
    work.fact(e.ConsentGiven(partner=body.partner, purpose=body.purpose))


def withdraw_consent(work: Deciding, body: c.WithdrawConsent) -> None:
    if f"{body.partner}/{body.purpose}" not in work.state.consents:
        raise Refusal("no-consent", purpose=body.purpose)
    work.fact(e.ConsentWithdrawn(partner=body.partner, purpose=body.purpose))
    referrals.consent_withdrawn(work, body.partner, body.purpose)


def pause_messages(work: Deciding, body: c.PauseMessages) -> None:
    if body.until < work.today:
        raise Refusal("in-the-past", field="until")
    work.fact(e.MessagesPaused(until=work.book.calendar.midnight(body.until + ONE_DAY)))


def resume_messages(work: Deciding) -> None:
    work.fact(e.MessagesResumed())


def take_end_of_pause(work: Deciding, at: datetime) -> None:
    work.due(e.MessagesResumed(by_itself=True), "pause", at)


def opt_out(work: Deciding) -> None:
    """The person wants no message: somebody has to agree with them on another way, the referent first."""
    work.fact(e.OptedOut())
    if work.state.is_open:
        escalation.raise_about(work, None, OPTED_OUT, rule="opt-out")


def opt_in(work: Deciding) -> None:
    work.fact(e.OptedIn())
    escalation.resolve_about(work, OPTED_OUT, "opted-in")


def record_wishes(work: Deciding, body: c.RecordWishes) -> None:
    if body.channel is None and body.language is None and body.zone is None:
        raise Refusal("no-wish")
    work.fact(e.WishesRecorded(channel=body.channel, language=body.language, zone=body.zone))


def failed(work: Deciding, reason: str) -> None:
    """A message to the person could not leave: where their address is dead, somebody has to ask for another one."""
    if reason.startswith(DEAD):
        unreached(work)


def found(
    state: State, passed: tuple[str, ...], passed_by: tuple[str, ...], alive: tuple[str, ...], by: str | None
) -> messages.Channels:
    """What a message met of the person's channels: those that are dead, which of them is news (found just now, or by
    somebody else and met for the first time), and which are so no more.

    Args:
        passed: why each of `passed_by` was passed over. alive: those not known to reach nobody. by: the one that took
            it; None: not recorded, as with `passed_by`.
    """
    met = zip(passed_by or ("",) * len(passed), passed, strict=True)
    dead = {each: why for each, why in met if why.startswith(PASSED_OVER)}
    news = tuple(each for each, why in dead.items() if why.startswith(NOBODY_THERE) or each not in state.gone)
    mended = tuple(
        each for each, why in state.gone.items()
        if each not in dead and (each == by or (each in alive and why.startswith(KNOWN_BY_ALL)))
    )  # fmt: skip
    return messages.Channels(tuple(dead.values()), tuple(dead) if passed_by else (), news, mended, by)


def unreached(work: Deciding) -> None:
    """Nothing but paper, or not all that they gave, reaches the person: somebody has to ask for a number or an
    address."""
    if work.state.is_open:
        escalation.raise_about(work, None, UNREACHED, rule="address-dead")


def heard(work: Deciding, body: c.RecordReceipt) -> None:
    """The same where it left and came back; one that arrives later ends it. Where nobody knows whether the words
    arrived, somebody has to ask."""
    waits = work.state.messages.get(body.id)
    # Its channel may tell before it is noted that the message left.
    if body.id not in work.state.to_person and (waits is None or waits.to != messages.PARTICIPANT):
        return
    if body.said == "bounced" and work.events and work.state.is_open:
        escalation.raise_about(work, None, UNREACHED, rule="address-dead")
    elif body.said == "delivered" and _ends_it(work.state, body.id) and not _since(work, body.id, "bounced"):
        escalation.resolve_about(work, UNREACHED, "delivered")
    elif body.said == "silent" and work.events:
        escalation.raise_about(work, None, messages.NO_RECEIPT, rule="no-receipt")
    if body.said in ("delivered", "bounced") and not _since(work, body.id, "silent"):
        escalation.resolve_about(work, messages.NO_RECEIPT, body.said)


def _ends_it(state: State, message: str) -> bool:
    """Whether the arrival of a message ends the alert: by the channel that it is about, or where none is dead."""
    by = state.left_by.get(message)
    return not {*state.asked_anew} - {by} or not {*state.gone} - {by}


def _since(work: Deciding, message: str, said: str) -> bool:
    """Whether this was said of one to the person that left after this one: of it this one says nothing."""
    left = list(work.state.left)
    later = left[left.index(message) + 1 :] if message in left else left
    return any(work.state.left[each] == said for each in later if each in work.state.to_person)


def record_death(work: Deciding, body: c.RecordDeath) -> None:
    assert work.command is not None
    on = body.on or work.day
    if work.command.caused_by is None:  # Else it was judged where the person lives: today there may be tomorrow here.
        _not_ahead(work, on, "on")
    work.fact(e.PersonDied(on=on))
    known = work.book.programme.closings["deceased"]
    ladders = escalation.told_after_closing(work)
    work.follow(e.JourneyClosed(outcome="deceased", silent=known.silent, on=on, ladders=ladders), "death")
    closing.end_everything(work)


def request_erasure(work: Deciding) -> None:
    work.fact(e.ErasureRequested())
    messages.owe(work, "notice", "supervisor", "erasure-asked", CONSENT, f"erasure/{work.state.seq}")
