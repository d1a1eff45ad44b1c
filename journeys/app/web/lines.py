"""One open item as a line of a list: what it is, how late, what happens if nobody acts, and what can be done here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from journeys.app.hours import hour_there, zone_among
from journeys.app.inbox import Waiting, otherwise, said, turn
from journeys.app.reading import ZONE, today_of
from journeys.app.web.visit import Visit
from journeys.domain.evolve import replace
from journeys.domain.programme import Programme
from journeys.domain.record import instant_text
from journeys.domain.rights import covers
from journeys.domain.summary import HELD, TO_HAND_OVER
from journeys.i18n import capital, format_date, format_time, format_weekday, ngettext, text
from journeys.store.views import JourneyRow

Tone = Literal["late", "soon", "calm"]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done from a line, at once or by a form. Without a command it leads to a page of its own."""

    label: str
    command: str
    fields: Mapping[str, str] = field(default_factory=dict)
    form: bool = False
    """It asks for something first: a link to the form, its fields filled so far."""
    first: bool = False
    """What is usually done."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the template shows it."""

    item: Waiting
    who: str
    about_who: str
    """Where the person stands: `sorti depuis 12 jours · Auxilia · lyon`, without what is the same on every line."""
    what: str
    when: str
    tone: Tone
    then: str
    whose: str
    actions: tuple[Action, ...]
    mine: bool = True
    """It is the visitor's turn."""
    phone: str = ""
    """The number of the person, where it is to call them."""
    again: bool = False
    """The line above is about the same journey: the person is not named again."""

    @property
    def journey(self) -> str:
        return self.item.row.id


def line(
    visit: Visit, item: Waiting, programmes: Mapping[str, Programme], names: Mapping[str, str], *, mine: bool = True,
    cures: bool = True,
) -> Line:  # fmt: skip
    """A line for this visitor.

    Args:
        names: of those whose turn it is, where an alert was handed on to one (`handed`).
        mine: it is their turn, so that it carries the actions that are theirs.
        cures: an alert carries what would end its matter, whoever's turn it is, instead of its settling by hand.
    """
    zone = zone_of_line(visit, item, programmes)
    when, tone = _when(visit, item, zone)
    ending = _cures(visit, item) if cures else []
    actions = [*ending, *(_actions(visit, item, cured=bool(ending)) if mine else ())]
    return Line(
        item,
        item.row.name or visit.say("personne effacée"),
        _stands(visit, item, programmes),
        text(visit.lang)(capital(said(item, visit.lang, programmes, lambda at: _exactly(visit, at, zone)))),
        when,
        tone if mine else "calm",
        _then(visit, item, programmes, zone),
        turn(item, visit.lang, programmes, names),
        tuple(each for each in actions if _is_theirs(visit, item, each, programmes)),
        mine,
    )


def zone_of_line(visit: Visit, item: Waiting, programmes: Mapping[str, Programme]) -> ZoneInfo:
    """In which zone the hours of a line are told: of an appointment, kept or missed, in that of its journey."""
    if item.kind not in ("appointment", "chase"):
        return ZONE
    return zone_among(visit.house.zones, item.row.site, programmes.get(item.row.programme))


def may_here(visit: Visit, row: JourneyRow, command: str, programmes: Mapping[str, Programme]) -> bool:
    """Whether the visitor may give a command on a journey of a list, by who leads it."""
    own = visit.actor.leads(row.referent)
    return covers(command, visit.visitor.roles, programmes.get(row.programme), own=own)


def _is_theirs(visit: Visit, item: Waiting, action: Action, programmes: Mapping[str, Programme]) -> bool:
    """What leads to a page of its own is decided there; an answer to a hand-over is offered to whom it was asked of."""
    return not action.command or item.kind == "transfer" or may_here(visit, item.row, action.command, programmes)


def _stands(visit: Visit, item: Waiting, programmes: Mapping[str, Programme]) -> str:
    row = item.row
    programme = programmes.get(row.programme)
    name = programme.label.in_(visit.lang).partition(":")[0].strip() if programme is not None else row.programme
    seen = visit.visitor.sites
    return " · ".join(
        filter(None, (
            release_words(visit, row.summary),
            name if len(programmes) > 1 else "",
            row.site if len(seen) != 1 or row.site not in seen else "",
        ))
    )  # fmt: skip


def _then(visit: Visit, item: Waiting, programmes: Mapping[str, Programme], zone: ZoneInfo) -> str:
    """What happens if nobody acts; nothing where that has happened."""
    if item.at is not None and item.at <= visit.now and item.kind != "escalation":
        return ""
    you = "referent" if visit.actor.leads(item.row.referent) else ""
    return text(visit.lang)(otherwise(item, visit.lang, programmes, lambda at: near(visit, at, zone), you))


def together(lines: Iterable[Line]) -> list[Line]:
    """The lines of a journey side by side, where its first one stands."""
    found: dict[str, list[Line]] = {}
    for each in lines:
        found.setdefault(each.journey, []).append(each)
    return [
        replace(each, again=True) if nth else each for several in found.values() for nth, each in enumerate(several)
    ]


def near(visit: Visit, at: datetime, zone: ZoneInfo = ZONE) -> str:
    """When something will be, after a verb: `aujourd'hui à 18 h`, `jeudi à 9 h`, `le 20 janvier à 9 h`."""
    day, hour = at.astimezone(zone).date(), hour_there(at, visit.lang, zone)
    days = (day - today_of(visit.now)).days
    if days in (-1, 0, 1):
        return visit.say("{day} à {hour}", day=_day(visit, at, zone), hour=hour)
    if 0 < days < 7:
        return visit.say("{day} à {hour}", day=format_weekday(day, visit.lang), hour=hour)
    return visit.say("le {day} à {hour}", day=near_date(visit, day), hour=hour)


def release_words(visit: Visit, summary: Mapping[str, object]) -> str:
    """How far the release is: `sort vendredi 27 novembre`, `dehors depuis 12 jours`."""
    dates = summary.get("dates")
    known = dates.get("release") if isinstance(dates, dict) else None
    if known is None:
        return ""
    on, today = date.fromisoformat(known), today_of(visit.now)
    days = (today - on).days
    if summary["status"] == "planned":
        if days > 0:
            return visit.say("sortie à confirmer")
        if days > -14:
            return visit.say("sort {day}", day=near_date(visit, on))
        return visit.say("sort le {day}", day=near_date(visit, on))
    if days == 0:
        return visit.say("dehors depuis aujourd'hui")
    if days < 60:
        return ngettext(visit.lang, "dehors depuis {count} jour", "dehors depuis {count} jours", days).format(
            count=days
        )
    return ngettext(
        visit.lang, "dehors depuis {count} mois", "dehors depuis {count} mois", days // 30
    ).format(count=days // 30)  # fmt: skip


def _when(visit: Visit, item: Waiting, zone: ZoneInfo) -> tuple[str, Tone]:
    """How late, or by when, in days as people count them."""
    now = visit.now
    if item.kind == "escalation":
        return visit.say("ouverte {since}", since=ago(visit, item.since or now)), "late"
    if item.at is None:
        return "", "calm"
    if item.kind == "appointment" and item.at > now:
        near, hour = _day(visit, item.at, zone), hour_there(item.at, visit.lang, zone)
        if item.wish is not None:
            return visit.say("prévu {day} à {hour}", day=near, hour=hour), "soon"
        return visit.say("{day} à {hour}", day=near, hour=hour), "soon"
    if item.kind == "appointment":
        return visit.say("a-t-il eu lieu ?"), "late"
    if item.at <= now:
        return visit.say("en retard, {since}", since=ago(visit, item.at)), "late"
    today = today_of(now)
    day = item.at.astimezone(ZONE).date()
    if day == today:
        return visit.say("avant {hour}", hour=format_time(item.at, visit.lang, ZONE)), "soon"
    return visit.say("avant {day}", day=_day(visit, item.at)), "soon" if (day - today).days <= 1 else "calm"


def _day(visit: Visit, at: datetime, zone: ZoneInfo = ZONE) -> str:
    day, today = at.astimezone(zone).date(), today_of(visit.now)
    match (day - today).days:
        case 0:
            return visit.say("aujourd'hui")
        case 1:
            return visit.say("demain")
        case -1:
            return visit.say("hier")
        case _:
            return near_date(visit, day)


def _exactly(visit: Visit, at: datetime, zone: ZoneInfo) -> str:
    """`jeudi 12 mars à 10 h`: a day and hour to be written down."""
    day = near_date(visit, at.astimezone(zone).date(), weekday=True)
    return visit.say("{day} à {hour}", day=day, hour=hour_there(at, visit.lang, zone))


def near_date(visit: Visit, day: date, *, weekday: bool = False) -> str:
    """A day without its year where nobody could take it for another's; with its weekday if asked, or when near."""
    days = abs((day - today_of(visit.now)).days)
    told = format_date(day, visit.lang, weekday=weekday or days < 8)
    return told.removesuffix(f" {day.year}") if days < 250 else told


def ago(visit: Visit, at: datetime) -> str:
    """`depuis ce matin`, `depuis hier`, `depuis 3 jours`."""
    days = (today_of(visit.now) - at.astimezone(ZONE).date()).days
    if days <= 0:
        return visit.say("depuis {hour}", hour=format_time(at, visit.lang, ZONE))
    if days == 1:
        return visit.say("depuis hier")
    return visit.say("depuis {count} jours", count=days)


def _wished(visit: Visit, item: Waiting) -> bool:
    """Whether the person wishes another time, and it has not passed."""
    return item.wish is not None and item.wish > visit.now


def _cures(visit: Visit, item: Waiting) -> list[Action]:
    """What ends the matter of an alert, and the alert with it: the step reached late, the contact made late."""
    kind, _, about = item.about.partition(" ")
    match kind if item.kind == "escalation" else "":
        case "milestone":
            return [Action(visit.say("Fait…"), "reach-milestone", {"milestone": about}, form=True, first=True)]
        case "contact":
            return [Action(visit.say("Contact pris…"), "log-contact", {"contact": about}, form=True, first=True)]
        case "date":
            return [Action(visit.say("Confirmer la date…"), "confirm-date", {"date": about}, form=True, first=True)]
        case _:
            return []


def _actions(visit: Visit, item: Waiting, *, cured: bool) -> list[Action]:
    """What the person whose turn it is usually does; everything else is on the person's page."""
    s = visit.say
    match item.kind:
        case _ if item.note == HELD and item.kind != "escalation":
            return []
        case "deadline" if item.note:
            return [Action(s("Confirmer la date…"), "confirm-date", {"date": item.note}, form=True, first=True)]
        case "deadline":
            return [
                Action(s("Fait"), "reach-milestone", {"milestone": item.about}, first=True),
                Action(s("Reporter…"), "reschedule-milestone", {"milestone": item.about}, form=True),
            ]
        case "contact":
            return [Action(s("Contact pris…"), "log-contact", {"contact": item.about}, form=True, first=True)]
        case "appointment" if item.at is not None and item.at > visit.now and _wished(visit, item):
            wished = {"appointment": item.id, "at": instant_text(item.wish or item.at)}
            return [Action(s("Déplacer à cette heure…"), "move-appointment", wished, form=True, first=True)]
        case "appointment" if item.at is not None and item.at > visit.now:
            return [Action(s("Déplacer…"), "move-appointment", {"appointment": item.id}, form=True,
                           first=item.note == "other-time")]  # fmt: skip
        case "appointment":
            close = {"appointment": item.id}
            return [
                Action(s("Oui"), "close-appointment", close | {"outcome": "attended"}, first=True),
                Action(s("Absent"), "close-appointment", close | {"outcome": "missed"}),
                Action(s("Excusé…"), "close-appointment", close | {"outcome": "excused"}, form=True)
                if item.summons
                else Action(s("Excusé"), "close-appointment", close | {"outcome": "excused"}),
            ]
        case "chase":
            chase = {"chase": item.id}
            return [
                Action(s("Jointe…"), "note-chase", chase | {"result": "reached"}, form=True, first=True),
                Action(s("Sans réponse"), "note-chase", chase | {"result": "no-answer"}),
            ]
        case "escalation":
            taken = item.note in ("acknowledged", "snoozed") or (item.note == HELD and item.held_by is not None)
            settle = Action(s("Régler…"), "resolve-escalation", {"escalation": item.id}, form=True,
                            first=taken and not cured)  # fmt: skip
            charge = Action(s("Je m'en charge"), "acknowledge-escalation", {"escalation": item.id}, first=not cured)
            return [settle] if taken else [charge] if cured else [charge, settle]
        case "grant" if item.role != "referent":
            return [Action(s("Décider…"), "", {"grant": item.id}, form=True, first=True)]
        case "grant":
            return [Action(s("Modifier…"), "change-grant", {"grant": item.id}, form=True, first=True)]
        case "receipt" if item.role == "finance":
            return [
                Action(s("Accepter"), "accept-receipt", {"receipt": item.id}, first=True),
                Action(s("Refuser…"), "refuse-receipt", {"receipt": item.id}, form=True),
            ]
        case "receipt":
            return [Action(s("Déposer…"), "submit-receipt", {"receipt": item.id}, form=True, first=True)]
        case "payment" if item.note == "reserved":
            return [Action(s("Annuler…"), "cancel-payment", {"payment": item.id}, form=True)]
        case "payment" if item.note == TO_HAND_OVER:
            return [Action(s("Noter la remise…"), "settle-payment", {"payment": item.id}, form=True, first=True)]
        case "payment":
            return [Action(s("Noter comme payé…"), "settle-payment", {"payment": item.id}, form=True, first=True)]
        case "transfer" if visit.visitor.id == item.about:
            return [
                Action(s("Accepter"), "accept-transfer", {}, first=True),
                Action(s("Décliner…"), "decline-transfer", {}, form=True),
            ]
        case "referral":
            return [
                Action(s("Acceptée"), "accept-referral", {"referral": item.id}, first=True),
                Action(s("Déclinée…"), "decline-referral", {"referral": item.id}, form=True),
            ]
        case _:
            return []
