"""Each indicator: what it is called, what is counted out of what, from which age, and a journey's answer to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, Final, Literal

from journeys.domain.events import JourneyPlanned, ProgrammeChanged
from journeys.domain.events import Value as Known
from journeys.domain.handbook import open_handbook
from journeys.domain.person import UNKNOWN
from journeys.domain.record import Event, Payload
from journeys.domain.state import GrantStatus, PaymentStatus
from journeys.i18n import N_
from journeys.indicators.life import Life, life_of

VERSION: Final = 2
"""Raised with every change of what an answer means: those of before are then counted anew."""

SETTLE: Final = timedelta(days=7)
"""How long people have to write down what happened on a day, before the day is counted."""

HOUSING, JOB, CUSTODY = "housing", "job", "custody"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a journey adds to an indicator: things (or cents) that are so, are not, and are not known.

    Of one journey at most one answer to an indicator holds a yes or a no: that is one person of whom it is known.
    """

    ripe: date
    """The day from which it counts; before, the journey is too young."""
    yes: int = 0
    no: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Indicator:
    """Texts are French, to be looked up."""

    code: str
    title: str
    counted: str
    """What the numerator holds."""
    among: str
    """What the denominator holds."""
    age: str
    """From when on a journey is old enough."""
    answers: Callable[[Life], Iterator[Answer]]
    unit: Literal["journeys", "things", "cents"] = "journeys"
    least: bool = False
    """A yes is known also of those of whom a no cannot be: the unknown stand in the denominator, and the share is the
    least that is so. Among the known alone it would lean to the yes."""


def _of_day(life: Life, day: date | None, answer: Known | None) -> Iterator[Answer]:
    """The answer of one journey about one day."""
    if day is not None and answer is not None and not life.died_by(day):
        yield Answer(day + SETTLE, **{answer: 1})


def _housed(after: str, life: Life) -> Iterator[Answer]:
    return _of_day(life, life.day(after), life.found_on(HOUSING, after))


def _employed(after: str, life: Life) -> Iterator[Answer]:
    return _of_day(life, life.day(after), life.found_on(JOB, after))


def _kept(days: int, life: Life) -> Iterator[Answer]:
    good, values = life.good(JOB), life.state.situations.get(JOB, ())
    first = next((place for place, each in enumerate(values) if good is not None and each.value in good), None)
    if good is None or first is None:
        return
    end = values[first].since + timedelta(days=days)
    since = [each.value for each in values[first + 1 :] if each.since < end and each.value not in good]
    answer: Known = "yes"
    if any(value != UNKNOWN for value in since):
        answer = "no"
    elif since or life.closed_before(end):
        answer = "unknown"
    yield from _of_day(life, end, answer)


def _met(days: int, life: Life) -> Iterator[Answer]:
    day = life.day(f"{days} days")
    if day is None:
        return
    answer: Known = "unknown"
    if any(life.begun <= each <= day for each in life.met):
        answer = "yes"
    elif not life.unwatched(day) and not life.closed_before(day) and _speaks_of_contacts(life):
        answer = "no"
    yield from _of_day(life, day, answer)


def _speaks_of_contacts(life: Life) -> bool:
    return bool(life.met or life.state.contacts or life.state.appointments)


def _not_shown_up(life: Life) -> Iterator[Answer]:
    outcomes = [each.outcome for each in life.state.appointments.values()]
    missed, attended = outcomes.count("missed"), outcomes.count("attended")
    if missed or attended:
        yield Answer(life.begun, yes=missed, no=attended)
    for each in life.state.appointments.values():
        if each.outcome is None:
            yield Answer(life.book.calendar.day(each.at) + SETTLE, unknown=1)


def _deadlines_kept(life: Life) -> Iterator[Answer]:
    dated = [each for each in life.state.milestones.values() if each.number and each.settled != "waived"]
    missed = sum(each.missed is not None for each in dated)
    met = sum(each.missed is None and each.settled == "reached" for each in dated)
    if missed or met:
        yield Answer(life.begun, yes=met, no=missed)


_ARRIVED: Final = (PaymentStatus.SETTLED, PaymentStatus.BY_HAND)


def _grants_used(life: Life) -> Iterator[Answer]:
    paid = gone = awaited = 0
    for id, grant in life.state.grants.items():
        if grant.status is GrantStatus.APPROVED:
            payments = [each for each in life.state.payments.values() if each.grant == id]
            arrived = min(sum(each.amount for each in payments if each.status in _ARRIVED), grant.amount)
            paid += arrived
            if grant.over is not None:
                gone += grant.amount - arrived
            else:
                awaited += grant.amount - arrived
    if paid or gone or awaited:
        yield Answer(life.begun, yes=paid, no=gone, unknown=awaited)


def _returned(life: Life) -> Iterator[Answer]:
    day = life.day("6 months", shifts=False)
    if life.book.programme.subject != "participant" or day is None:
        return
    state = life.state
    back = [each.since for each in state.suspensions if each.why == CUSTODY]
    if state.outcome == CUSTODY and state.closed_on is not None:
        back.append(state.closed_on)
    answer: Known = "unknown" if life.closed_before(day) else "no"
    yield from _of_day(life, day, "yes" if any(life.begun <= each <= day for each in back) else answer)


_BEGUN: Final = N_("parcours dont la personne est sortie (ou entrée, quand le programme commence par une entrée)")
_EVERY: Final = N_("dès la sortie")

INDICATORS: Final = (
    Indicator(
        "housed-first-night", N_("Logés la nuit de la sortie"),
        N_("parcours où le logement, ce jour-là, est de ceux que le programme compte comme tels"),
        _BEGUN, N_("une semaine"), partial(_housed, ""),
    ),
    Indicator(
        "housed-3-months", N_("Logés à 3 mois"),
        N_("parcours où le logement, trois mois après, est de ceux que le programme compte comme tels"),
        _BEGUN, N_("trois mois et une semaine"), partial(_housed, "3 months"),
    ),
    Indicator(
        "housed-6-months", N_("Logés à 6 mois"),
        N_("parcours où le logement, six mois après, est de ceux que le programme compte comme tels"),
        _BEGUN, N_("six mois et une semaine"), partial(_housed, "6 months"),
    ),
    Indicator(
        "employed-6-weeks", N_("En emploi à 6 semaines"),
        N_("parcours où la personne, six semaines après, a un emploi de ceux que le programme compte"),
        _BEGUN, N_("sept semaines"), partial(_employed, "6 weeks"),
    ),
    Indicator(
        "employed-6-months", N_("En emploi à 6 mois"),
        N_("parcours où la personne, six mois après, a un emploi de ceux que le programme compte"),
        _BEGUN, N_("six mois et une semaine"), partial(_employed, "6 months"),
    ),
    *(
        Indicator(code, title, counted, N_("parcours où un emploi a commencé ; le premier compte"), age,
                  partial(_kept, days))
        for days, code, title, counted, age in (
            (30, "kept-30-days", N_("Contrat tenu 30 jours"),
             N_("parcours où le premier emploi dure encore au trentième jour, contrat changé ou non"),
             N_("37 jours après l'embauche")),
            (60, "kept-60-days", N_("Contrat tenu 60 jours"),
             N_("parcours où le premier emploi dure encore au soixantième jour, contrat changé ou non"),
             N_("67 jours après l'embauche")),
            (90, "kept-90-days", N_("Contrat tenu 90 jours"),
             N_("parcours où le premier emploi dure encore au quatre-vingt-dixième jour, contrat changé ou non"),
             N_("97 jours après l'embauche")),
        )
    ),
    Indicator(
        "met-3-days", N_("Premier contact en 3 jours"),
        N_("parcours avec un contact noté ou un rendez-vous honoré dans les trois jours"),
        _BEGUN, N_("dix jours"), partial(_met, 3),
    ),
    Indicator(
        "met-7-days", N_("Premier contact en 7 jours"),
        N_("parcours avec un contact noté ou un rendez-vous honoré dans les sept jours"),
        _BEGUN, N_("quatorze jours"), partial(_met, 7),
    ),
    Indicator(
        "no-show", N_("Rendez-vous manqués"), N_("rendez-vous où la personne n'est pas venue, sans s'excuser"),
        N_("rendez-vous honorés ou manqués ; ni excusés, ni annulés"), _EVERY, _not_shown_up, "things",
    ),
    Indicator(
        "deadlines-kept", N_("Échéances tenues"), N_("étapes faites avant leur échéance"),
        N_("étapes faites ou dont l'échéance est passée ; sans celles dont on a été dispensé"), _EVERY,
        _deadlines_kept, "things",
    ),
    Indicator(
        "grants-used", N_("Aides versées"), N_("euros arrivés"),
        N_("euros accordés dont le sort est connu : arrivés, ou qui ne viendront plus"), _EVERY, _grants_used, "cents",
    ),
    Indicator(
        "custody-6-months", N_("Retours en détention en 6 mois"),
        N_("parcours suspendus ou clos pour réincarcération dans les six mois : les retours dont on a eu connaissance"),
        N_("tous ceux dont la personne est sortie, aussi ceux qui ont fini avant six mois : de ceux-là un retour se "
           "sait, son absence non. Ils sont dits sous « pas connu » et restent dans la part, qui est un minimum"),
        N_("six mois et une semaine"), _returned, least=True,
    ),
)  # fmt: skip
"""In the order in which tables and reports tell them."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a journey's record answers; `begun` None: it has not begun, and answers nothing."""

    seq: int
    begun: date | None
    answers: tuple[tuple[str, Answer], ...]

    def as_json(self) -> list[dict[str, Any]]:
        """The answers as they are kept."""
        return [
            {"code": code, "ripe": each.ripe.isoformat(), "yes": each.yes, "no": each.no, "unknown": each.unknown}
            for code, each in self.answers
        ]


def told(events: Sequence[Event[Payload]], texts: Mapping[str, str]) -> Told:
    """The answers of a journey.

    Args:
        events: all of its events. texts: programmes and calendars that they name, by SHA-256.

    Raises ValueError, KeyError: no programme is named, or its text is not there.
    """
    programme, calendar = _rules_in_force(events)
    life = life_of(events, open_handbook(texts[programme], texts[calendar]))
    if life is None:
        return Told(events[-1].seq, None, ())
    return Told(events[-1].seq, life.begun, tuple(answers_of(life)))


def answers_of(life: Life) -> Iterator[tuple[str, Answer]]:
    """Every answer of a life, with its indicator's code."""
    for indicator in INDICATORS:
        for answer in indicator.answers(life):
            yield indicator.code, answer


def _rules_in_force(events: Sequence[Event[Payload]]) -> tuple[str, str]:
    """SHA-256 of the programme and of the calendar that the record named last."""
    for event in reversed(events):
        if isinstance(event.data, JourneyPlanned | ProgrammeChanged):
            return event.data.programme, event.data.calendar
    raise ValueError("no programme is named")
