"""A journey on paper: where it stands, what comes, and its story. `journey_summary` is pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from journeys.documents.receipt import Fact
from journeys.domain.handbook import Handbook
from journeys.domain.state import (
    ContactKnown,
    DateKnown,
    GrantKnown,
    GrantStatus,
    MilestoneKnown,
    PaymentKnown,
    PaymentStatus,
    State,
    Status,
)
from journeys.i18n import N_, capital, format_instant, text
from journeys.narration.telling import Names, Speech

MOST_COMING: Final = 12
"""What comes after is only counted: a paper is read now."""

# --- what the story is taken from; the audit's own `Story` fits


class Written(Protocol):
    """A text that somebody wrote with a fact."""

    @property
    def label(self) -> str: ...
    @property
    def shown(self) -> str: ...


class ToldEvent(Protocol):
    @property
    def time(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def learnt_late(self) -> str | None: ...
    @property
    def words(self) -> Sequence[Written]: ...
    @property
    def detail(self) -> bool: ...


class ToldDay(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def told(self) -> Sequence[ToldEvent]: ...


class ComingDue(Protocol):
    @property
    def text(self) -> str: ...


class Narrated(Protocol):
    """A journey told day by day, and what it expects."""

    @property
    def days(self) -> Sequence[ToldDay]: ...
    @property
    def coming(self) -> Sequence[ComingDue]: ...


# --- the document


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its title; of one without rows the paper says only that nothing is noted."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    """Share of each column in the width; 0 for one that is as wide as its contents."""
    amounts: tuple[int, ...] = ()
    """Columns of money, aligned on the right."""
    total: bool = False
    """Whether the last row is the sum."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened: when, what, and beneath it what was added."""

    time: str
    text: str
    beneath: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything in words already, in the language in which it is rendered."""

    sender: str
    """The association; may be empty."""
    name: str
    title: str
    facts: tuple[Fact, ...]
    coming: tuple[str, ...]
    coming_later: str = ""
    sections: tuple[Section, ...]
    days: tuple[Day, ...]
    remark: str = ""
    """For instance that the date is simulated."""


def section_sheet(section: Section) -> dict[str, Any]:
    """A table as the layout takes it."""
    return {
        "title": section.title, "heads": section.heads, "rows": section.rows, "widths": section.widths,
        "amounts": section.amounts, "total": section.total,
    }  # fmt: skip


def sheet_of(summary: Summary, lang: str, at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The summary as the layout takes it."""
    _ = text(lang)
    absent = [section.title.lower() for section in summary.sections if not section.rows]
    return {
        "sender": summary.sender,
        "kind": _("Synthèse du parcours"),
        "name": summary.name,
        "foot": summary.name if len(summary.name) <= 60 else summary.name[:59] + "…",
        "remark": summary.remark,
        "facts_heads": [_("Objet"), _("Valeur")],
        "facts": [[fact.label, fact.value] for fact in summary.facts],
        "coming_title": _("Ensuite, si personne n'agit"),
        "coming": summary.coming,
        "coming_later": summary.coming_later,
        "coming_none": _("Plus rien n'arrivera de soi-même."),
        "sections": [section_sheet(section) for section in summary.sections if section.rows],
        "absent": _("Rien n'est noté pour : {what}.").format(what=", ".join(absent)) if absent else "",
        "story_title": _("Ce qui s'est passé, jour par jour"),
        "days": [
            {"title": day.title, "lines": [[each.time, each.text, each.beneath] for each in day.lines]}
            for day in summary.days
        ],
        "printed": _("Édité le {when}").format(when=format_instant(at, lang, zone)),
    }  # fmt: skip


def journey_summary(
    state: State, book: Handbook, names: Names, story: Narrated, lang: str, *,
    sender: str = "", site: str | None = None, notes: bool = False, remark: str = "",
) -> Summary:  # fmt: skip
    """The summary of a journey as it is known.

    Args:
        names: display names by id; the person's own among them.
        story: the journey told in the same language.
        site: name of its site, when it is not the state's own code.
        notes: also what people wrote in their own words (notes, reasons, letters). These may say more than who
            reads the paper should know, so they are left out unless asked for.
    """
    s = Speech(book, names, lang, state)
    name = names.get(state.person) or s.say("Personne sans nom connu")
    return Summary(
        sender=sender,
        name=name,
        title=s.say("Synthèse du parcours") + " – " + name,
        facts=tuple(_facts(s, state, site)),
        coming=tuple(capital(each.text) for each in story.coming[:MOST_COMING]),
        coming_later=_later(s, len(story.coming) - MOST_COMING),
        sections=(
            _milestones(s, state), _appointments(s, state), _contacts(s, state), _grants(s, state),
            _payments(s, state), _situations(s, state),
        ),
        days=tuple(_days(s, story, notes)),
        remark=remark,
    )  # fmt: skip


def _later(s: Speech, count: int) -> str:
    if count <= 0:
        return ""
    return s.say("Une autre échéance suit.") if count == 1 else s.say("{count} autres échéances suivent.", count=count)


def _facts(s: Speech, state: State, site: str | None) -> Iterator[Fact]:
    yield Fact(s.say("Programme"), s.book.programme.label.in_(s.lang))
    yield Fact(s.say("État"), _status(s, state))
    yield Fact(capital(s.role("referent")), s.person(state.referent, "referent") if state.referent else "—")
    if state.match is not None:
        since = s.say("{mentor}, depuis le {day}", mentor=s.mentor(state.match.mentor), day=s.day(state.match.since))
        yield Fact(capital(s.role("mentor")), since)
    if site or state.site:
        yield Fact(s.say("Site"), site or state.site or "")
    if state.start is not None:
        yield Fact(s.say("Début"), s.day(state.start))
    for code, date in state.dates.items():
        yield Fact(capital(s.date(code)), f"{s.day(date.on)} ({_happening(s, date)})")
    yield Fact(s.say("Référence"), state.stream.partition("-")[2])


def _status(s: Speech, state: State) -> str:
    match state.status:
        case Status.CLOSED if state.outcome is not None and state.closed_on is not None:
            return s.say("clos le {day} : {outcome}", day=s.day(state.closed_on), outcome=s.outcome(state.outcome))
        case Status.SUSPENDED if state.suspended is not None:
            known = state.suspended
            return s.say("suspendu depuis le {day} ({why})", day=s.day(known.since), why=s.spoken(known.why))
        case _:
            return s.spoken(state.status.value)


def _happening(s: Speech, date: DateKnown) -> str:
    if date.cancelled:
        return s.say("annulée")
    if date.happened:
        return s.say("a eu lieu")
    return s.say("à confirmer") if date.unconfirmed else s.say("prévue")


# --- tables


def _milestones(s: Speech, state: State) -> Section:
    open_ = {deadline.milestone: deadline for deadline in state.deadlines.values()}
    rows = []
    for code, milestone in s.book.programme.milestones.items():
        known, due = state.milestones.get(code), open_.get(code)
        if due is not None and (known is None or (known.settled is None and known.missed is None)):
            how = s.say("à faire")
            when = s.day(due.day) if due.day is not None else s.when(due.at)
            if due.awaits is not None and not state.dates[due.awaits].happened:
                when = s.say("{when}, si la date est confirmée : {date}", when=when, date=s.date(due.awaits))
        else:
            how, when = _standing(s, known, over=not state.is_open)
        rows.append((capital(milestone.label.in_(s.lang)), how, when))
    heads = (s.say("Étape"), s.say("État"), s.say("Jour"))
    return Section(s.say("Étapes"), heads, tuple(rows), widths=(4, 3, 3))


def _standing(s: Speech, known: MilestoneKnown | None, *, over: bool) -> tuple[str, str]:
    """Where a milestone stands that is not simply to do; `over` once the journey is closed."""
    if known is not None and known.settled is not None:
        how = s.say("faite") if known.settled == "reached" else s.say("dispensée")
        return how, s.day(known.on) if known.on is not None else ""
    if over:
        return s.say("non faite"), ""
    if known is not None and known.missed is not None:
        return s.say("reste à faire, échéance passée"), s.day(known.missed_day) if known.missed_day is not None else ""
    return s.say("plus tard"), ""


def _appointments(s: Speech, state: State) -> Section:
    rows = []
    for known in sorted(state.appointments.values(), key=lambda each: each.at):
        about = s.milestone(known.milestone) if known.milestone else s.contact(known.contact) if known.contact else ""
        rows.append((
            capital(s.when(known.at, weekday=True)),
            s.say("{count} min", count=known.minutes),
            about,
            s.spoken(known.outcome) if known.outcome is not None else s.say("prévu"),
        ))  # fmt: skip
    heads = (s.say("Quand"), s.say("Durée"), s.say("Au sujet de"), s.say("Issue"))
    return Section(s.say("Rendez-vous"), heads, tuple(rows), widths=(4, 1.2, 4, 2.5))


def _contacts(s: Speech, state: State) -> Section:
    rows = [
        (_contact_label(s, code),
         s.say("du {first} au {last}", first=s.local_day(known.opens), last=s.local_day(known.closes)),
         _contact(s, known),
         str(len(known.missed)))
        for code, known in state.contacts.items()
    ]  # fmt: skip
    heads = (s.say("Suivi"), s.say("Dernière période"), s.say("Contact"), s.say("Périodes sans contact"))
    return Section(s.say("Contacts"), heads, tuple(rows), widths=(3, 5, 2.2, 0))


def _contact_label(s: Speech, code: str) -> str:
    known = s.book.programme.contacts.get(code)
    return capital(known.label.in_(s.lang) if known is not None else s.spoken(code))


def _contact(s: Speech, known: ContactKnown) -> str:
    if known.made:
        return s.say("fait")
    if known.open:
        return s.say("à faire")
    return s.say("n'a pas eu lieu") if known.window in known.missed else s.say("plus attendu")


def _grants(s: Speech, state: State) -> Section:
    rows, asked, paid = [], 0, 0
    for id, known in state.grants.items():
        given = sum(each.amount for each in state.payments.values() if each.grant == id and _is_paid(each))
        counts = known.over not in ("refused", "expired", "cancelled")
        asked += known.amount if counts else 0
        paid += given
        rows.append((
            s.say("{kind} ({purpose})", kind=capital(s.grant_kind(known.kind)), purpose=s.spoken(known.purpose)),
            _decision(s, known), s.money(known.amount), s.money(given),
        ))  # fmt: skip
    if len(rows) > 1:
        rows.append((s.say("Total, sans les demandes closes sans accord"), "", s.money(asked), s.money(paid)))
    heads = (s.say("Aide"), s.say("État"), s.say("Montant"), s.say("Versé"))
    return Section(s.say("Aides"), heads, tuple(rows), widths=(5, 4, 0, 0), amounts=(2, 3), total=len(state.grants) > 1)


_DECISIONS: Final = {
    "refused": N_("non accordée"),
    "expired": N_("close sans décision"),
    "cancelled": N_("annulée"),
    "completed": N_("entièrement versée"),
    "ended": N_("arrêtée"),
}


def _decision(s: Speech, known: GrantKnown) -> str:
    if known.over is not None:
        return text(s.lang)(_DECISIONS[known.over])
    match known.status:
        case GrantStatus.APPROVED:
            return s.say("accordée")
        case GrantStatus.RETURNED:
            return s.say("renvoyée pour être complétée")
        case GrantStatus.REQUESTED:
            return s.say("à décider avant le {day}", day=s.local_day(known.decide_by))


def _is_paid(known: PaymentKnown) -> bool:
    return known.status in (PaymentStatus.SETTLED, PaymentStatus.BY_HAND)


def _payments(s: Speech, state: State) -> Section:
    rows = []
    for id, known in state.payments.items():
        grant = state.grants[known.grant]
        of = s.say(
            "{kind} ({purpose}), versement {number} sur {count}",
            kind=capital(s.grant_kind(grant.kind)), purpose=s.spoken(grant.purpose), number=known.number,
            count=len(grant.instalments),
        )  # fmt: skip
        rows.append((of, s.spoken(known.status.value), s.money(known.amount), _proof(s, state, id)))
    heads = (s.say("Versement"), s.say("État"), s.say("Montant"), s.say("Justificatif"))
    return Section(s.say("Versements"), heads, tuple(rows), widths=(5, 2.6, 0, 3.6), amounts=(2,))


def _proof(s: Speech, state: State, payment: str) -> str:
    known = next((each for each in state.receipts.values() if each.payment == payment), None)
    match known:
        case None:
            return "—"
        case _ if known.settled is not None:
            return s.say("accepté") if known.settled == "accepted" else s.say("dispensé")
        case _ if known.submitted is not None:
            return s.say("remis")
        case _:
            return s.say("à remettre avant le {day}", day=s.local_day(known.by))


def _situations(s: Speech, state: State) -> Section:
    rows = [
        (capital(s.spoken(name)), s.spoken(value.value), s.day(value.since))
        for name, values in state.situations.items()
        for value in reversed(values)
    ]
    heads = (s.say("Domaine"), s.say("Situation notée"), s.say("Depuis le"))
    return Section(s.say("Situation"), heads, tuple(rows), widths=(4, 3, 3))


# --- the story


def _days(s: Speech, story: Narrated, notes: bool) -> Iterator[Day]:
    for day in story.days:
        lines: list[Line] = []
        hour = ""
        for told in day.told:
            if not told.detail:
                lines.append(_line(s, told, "" if told.time == hour else told.time, notes))
                hour = told.time
        if lines:
            yield Day(day.title, tuple(lines))


def _line(s: Speech, told: ToldEvent, time: str, notes: bool) -> Line:
    """A line of the story; its hour is said once for all that happened then."""
    beneath = [capital(told.learnt_late) + "."] if told.learnt_late is not None else []
    if notes:
        beneath += [s.say("{label} : {words}", label=capital(each.label), words=each.shown) for each in told.words]
    return Line(time, told.text, tuple(beneath))
