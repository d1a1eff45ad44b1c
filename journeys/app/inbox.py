"""What waits on somebody: today's list, approvals and escalations, with what happens next if nobody acts."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from journeys.app.failures import Lang, Said
from journeys.app.finding import items_of
from journeys.app.reading import ZONE, today_of
from journeys.domain.programme import STANDARD_ROLES, Programme
from journeys.domain.summary import HELD, TO_HAND_OVER
from journeys.i18n import format_instant, format_money
from journeys.identifiers import is_uuid
from journeys.narration.words import role_word, spoken
from journeys.store.views import JourneyRow

WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One open item of a journey; the fields are those of `summary.Item`."""

    row: JourneyRow
    kind: str
    id: str
    about: str
    at: datetime | None
    since: datetime | None
    role: str
    amount: int | None
    note: str
    then: str
    wish: datetime | None = None
    held_by: str | None = None
    held_until: datetime | None = None
    digest: datetime | None = None
    summons: bool = False

    def as_json(self, lang: Lang, programmes: Mapping[str, Programme]) -> dict[str, Any]:
        return {
            "journey": self.row.id,
            "kind": self.kind,
            "id": self.id,
            "about": self.about,
            "text": said(self, lang, programmes),
            "at": self.at.isoformat() if self.at else None,
            "since": self.since.isoformat() if self.since else None,
            "role": self.role,
            "amount": self.amount,
            "note": self.note,
            "otherwise": otherwise(self, lang, programmes),
            "wish": self.wish.isoformat() if self.wish else None,
            "held_by": self.held_by,
            "held_until": self.held_until.isoformat() if self.held_until else None,
            "digest": self.digest.isoformat() if self.digest else None,
            "summons": self.summons,
        }


@dataclass(frozen=True, slots=True)
class Today:
    """What a person looks at in the morning, each list in the order of its instants."""

    late: tuple[Waiting, ...]
    today: tuple[Waiting, ...]
    week: tuple[Waiting, ...]
    others: tuple[Waiting, ...]


def waiting(row: JourneyRow, now: datetime | None = None) -> list[Waiting]:
    """What waits on a journey."""
    return [waits(row, item, now) for item in items_of(row)]


def waits(row: JourneyRow, item: Mapping[str, Any], now: datetime | None = None) -> Waiting:
    """An open item as its view holds it.

    Args:
        now: an alert that somebody had in hand until before this is in nobody's hands.
    """
    held_until = _instant(item.get("held_until"))
    if held_until is not None and now is not None and held_until <= now:
        item, held_until = {**item, "note": "", "held_by": None}, None
    return Waiting(
        row, item["kind"], item["id"], item["about"], _instant(item["at"]), _instant(item.get("since")),
        item.get("role", ""), item.get("amount"), item.get("note", ""), item.get("then", ""),
        _instant(item.get("wish")), item.get("held_by"), held_until, _instant(item.get("digest")),
        bool(item.get("summons")),
    )  # fmt: skip


def today(
    rows: Iterable[JourneyRow], me: str | None, roles: frozenset[str], now: datetime,
    stands_in_for: Collection[str] = (),
) -> Today:  # fmt: skip
    """Sort what waits.

    Args:
        me: whose journeys' own work it is; None for everybody's. roles: what that person holds: their role's
            turn on any journey is theirs too. stands_in_for: absent colleagues whose work is theirs meanwhile.
    """
    late, on_day, week, others = [], [], [], []
    held = roles if me is None else roles | {me, *stands_in_for}
    _, tonight, horizon = ends(now)
    for row in rows:
        mine = me is None or row.referent == me or row.referent in stands_in_for
        for item in waiting(row, now):
            if item.note == HELD and item.kind != "escalation":
                continue
            for_me = is_turn_of(item, mine, held, me)
            if not for_me:
                if mine:
                    others.append(item)
            elif item.kind == "escalation" or (item.at is not None and item.at <= now):
                late.append(item)
            elif _asks(item) or item.at is None or item.at < tonight:
                on_day.append(item)
            elif item.at < horizon:
                week.append(item)
    return Today(*(tuple(in_order(found)) for found in (late, on_day, week, others)))


def ends(now: datetime) -> tuple[datetime, datetime, datetime]:
    """Now, the end of today, the end of the last of the seven days; in UTC, as the instants compared with them."""
    tonight, horizon = (
        datetime.combine(today_of(now) + days, time(), tzinfo=ZONE).astimezone(UTC) for days in (_DAY, WEEK + _DAY)
    )
    return now, tonight, horizon


_DAY: Final = timedelta(days=1)


def _asks(item: Waiting) -> bool:
    """Whether somebody else waits for this person's answer, or for their call: it is for today, whenever it expires."""
    return (
        item.kind in ("grant", "transfer")
        or (item.kind == "receipt" and item.role == "finance")
        or item.note == TO_HAND_OVER
        or (item.kind == "appointment" and item.note == "other-time")
        or (item.kind == "chase" and item.note == "call")
    )


def is_turn_of(item: Waiting, mine: bool, roles: frozenset[str], me: str | None) -> bool:
    """The referent's turn on one's own journeys (`mine`); another role's turn wherever one holds it.

    Args:
        roles: those held, and the ids of whoever it is and for whom they stand in: an alert may be handed on to one.
    """
    wanted = set(item.role.split(", "))
    if item.kind == "transfer":
        return me is None or item.about == me
    if "referent" in wanted:
        return mine
    return me is None or bool(wanted & roles)


def in_order(items: Iterable[Waiting]) -> list[Waiting]:
    """By their instants, as the lists of `today`."""
    return sorted(items, key=_when)


def _when(item: Waiting) -> tuple[datetime, str, str]:
    return (item.at or item.since or _NEVER, item.row.id, item.id)


_NEVER: Final = datetime.max.replace(tzinfo=ZONE)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


# --- in words


_WHAT: Final[dict[str, Said]] = {
    "deadline": Said("{about}", "{about}"),
    "contact": Said("contact à prendre : {about}", "contact to make: {about}"),
    "appointment": Said("rendez-vous {about}", "appointment {about}"),
    "escalation": Said("alerte : {about}", "escalation: {about}"),
    "grant": Said("aide à décider : {about}", "grant to decide: {about}"),
    "receipt": Said("justificatif attendu", "receipt wanted"),
    "transfer": Said("reprise du parcours demandée", "hand-over asked"),
    "referral": Said("orientation sans réponse : {about}", "referral without answer: {about}"),
    "chase": Said("{about}", "{about}"),
    "payment": Said("versement en cours ({note})", "payment under way ({note})"),
}

_SUMMONS: Final = Said("convocation {about}", "summons {about}")

_HELD: Final[dict[str, Said]] = {
    "acknowledged": Said(" (prise en charge)", " (acknowledged)"),
    "snoozed": Said(" (en attente)", " (put off)"),
}

_OTHERWISE: Final[dict[str, Said]] = {
    "deadline": Said("manquée {at}", "missed {at}"),
    "contact": Said("contact manqué {at}", "contact missed {at}"),
    "appointment": Said("{at}, puis on demandera s'il a eu lieu", "{at}, then you are asked whether it took place"),
    "escalation": Said("{at}", "{at}"),
    "grant": Said("la demande expire {at}", "the request expires {at}"),
    "receipt": Said("alerte {at}", "an escalation {at}"),
    "transfer": Said("acceptée d'elle-même {at}", "accepted by itself {at}"),
    "referral": Said("close sans réponse {at}", "closed without answer {at}"),
    "chase": Said("l'étape suivante {at}", "the next step {at}"),
    "payment": Said("la banque est interrogée {at}", "the bank is asked {at}"),
}


def said(
    item: Waiting, lang: Lang, programmes: Mapping[str, Programme], when: Callable[[datetime], str] | None = None
) -> str:
    """What it is, in a few words. `when` says an instant (`jeudi 12 mars à 10 h`); None: with its year."""
    about = _about(item, lang, programmes.get(item.row.programme))
    what = _SUMMONS if item.summons else _WHAT[item.kind]
    text = what.in_(lang).format(about=about, note=spoken(item.note, lang)).strip()
    if item.kind == "appointment" and item.wish is not None:
        who = item.row.name or "…"
        wish = when(item.wish) if when is not None else format_instant(item.wish, lang, ZONE, weekday=True)
        return Said(f"{who} ne peut pas venir, propose {wish}", f"{who} cannot come, proposes {wish}").in_(lang)
    if item.kind == "appointment" and item.note:
        return f"{text} ({spoken(item.note, lang)})"
    if item.kind == "chase":
        return _chased(item, lang, about, when)
    if item.note == TO_HAND_OVER:
        amount = format_money(item.amount or 0, lang)
        return Said(f"à remettre, contre signature : {amount}", f"to hand over, against a signature: {amount}").in_(
            lang
        )
    if item.kind == "receipt" and item.role == "finance":
        return Said("justificatif remis, à vérifier", "receipt submitted, to be checked").in_(lang)
    held = _HELD.get(item.note) if item.kind == "escalation" else None
    return text if held is None else text + held.in_(lang)


def _chased(item: Waiting, lang: Lang, about: str, when: Callable[[datetime], str] | None) -> str:
    """What is done to hear of somebody who missed an appointment, and which one."""
    missed = item.since or item.at
    say = when or (lambda instant: format_instant(instant, lang, ZONE, weekday=True))
    at = say(missed) if missed is not None else ""
    told = _CHASES.get(item.note, _CALL).in_(lang).format(at=at)
    return f"{told} ({about})" if about else told


_CALL: Final = Said("appeler : rendez-vous manqué, {at}", "call: appointment missed, {at}")
_CHASES: Final[dict[str, Said]] = {
    "letter": Said("lettre à poster, puis des nouvelles à attendre : rendez-vous manqué, {at}",
                   "letter to post, then wait for news: appointment missed, {at}"),
    HELD: Said("relance en attente, le parcours est suspendu : rendez-vous manqué, {at}",
               "chase on hold, the journey is suspended: appointment missed, {at}"),
}  # fmt: skip


def otherwise(
    item: Waiting, lang: Lang, programmes: Mapping[str, Programme], when: Callable[[datetime], str] | None = None,
    you: str = "",
) -> str:  # fmt: skip
    """What happens if nobody acts, and when, and who is told.

    Args:
        when: says an instant after a verb (`jeudi à 9 h`); None: as a date with its year.
        you: the role in which whoever reads it would be told.
    """
    programme = programmes.get(item.row.programme)
    if item.note == HELD:
        return Said(
            "suspendu : le délai reprendra avec le parcours", "suspended: its time goes on with the journey"
        ).in_(lang)
    if item.kind == "deadline" and item.note:
        awaited = label(item.note, lang, programme)
        return Said(f"attend la date « {awaited} »", f"waits for the date “{awaited}”").in_(lang)
    if item.note == TO_HAND_OVER and item.at is not None:
        at = when(item.at) if when is not None else on_instant(item.at, lang)
        return Said(f"une alerte {at}, si personne n'a dit qui a signé",
                    f"an escalation {at}, if nobody has said who signed").in_(lang)  # fmt: skip
    if item.at is None:
        return Said("redite à chaque point", "told again at each review").in_(lang) if item.kind == "escalation" else ""
    at = when(item.at) if when is not None else on_instant(item.at, lang)
    words = _OTHERWISE[item.kind].in_(lang).format(at=at)
    if not item.then:
        return words
    told = Said("vous", "you").in_(lang) if item.then == you else role_label(item.then, lang, programme)
    if item.kind == "chase":
        return Said(f"alerte {at} ({told})", f"an escalation {at} ({told})").in_(lang)
    if item.kind == "escalation":
        return words + Said(f", alerte transmise ({told})", f", passed on ({told})").in_(lang)
    return words + Said(f", puis alerte ({told})", f", then an escalation ({told})").in_(lang)


def on_instant(at: datetime, lang: Lang) -> str:
    """`le 12 mai 2027 à 9 h 30`, `on 12 May 2027 at 09:30`."""
    return Said("le {at}", "on {at}").in_(lang).format(at=format_instant(at, lang, ZONE))


def turn(item: Waiting, lang: Lang, programmes: Mapping[str, Programme], names: Mapping[str, str]) -> str:
    """Whose turn it is; `names`: of whoever was handed an alert (`handed`)."""
    programme = programmes.get(item.row.programme)
    return ", ".join(
        names.get(role) or role_label("staff" if is_uuid(role) else role, lang, programme)
        for role in item.role.split(", ")
    )


def handed(items: Iterable[Waiting]) -> set[str]:
    """Ids of those to whom an alert was handed on."""
    return {item.role for item in items if is_uuid(item.role)}


def holding(items: Iterable[Waiting]) -> set[str]:
    """Ids of those who have an alert in hand."""
    return {item.held_by for item in items if item.held_by}


def role_label(role: str, lang: Lang, programme: Programme | None = None) -> str:
    """A role as the programme calls it, else by its usual name."""
    known = (programme.roles if programme is not None else STANDARD_ROLES).get(role)
    if known is not None:
        return known.en if lang == "en" else known.fr
    return role_word(role, lang)


def label(code: str, lang: Lang, programme: Programme | None) -> str:
    """A programme's own word for a code; the code's plain form where it has none."""
    if programme is not None:
        for table in (programme.milestones, programme.phases, programme.dates, programme.contacts, programme.grants,
                      programme.measures, programme.closings):  # fmt: skip
            known = table.get(code)
            if known is not None:
                text: str = known.label.in_(lang)
                return text
    return spoken(code, lang)


def _about(item: Waiting, lang: Lang, programme: Programme | None) -> str:
    """An escalation is about `kind id`; the rest about a code."""
    if item.kind != "escalation":
        return label(item.about, lang, programme) if item.about else ""
    kind, _, id = item.about.partition(" ")
    word = _KINDS.get(kind, Said(kind, kind)).in_(lang)
    return (
        word
        if len(id) == 36 or id in ("review", "suspension", "messages", "")
        else Said("{word} « {about} »", "{word} “{about}”")
        .in_(lang)
        .format(word=word, about=label(id, lang, programme))
    )


_KINDS: Final[dict[str, Said]] = {
    "date": Said("date à confirmer", "date to be confirmed"),
    "milestone": Said("étape manquée", "milestone missed"),
    "contact": Said("contact manqué", "contact missed"),
    "appointment": Said("rendez-vous manqué ou sans issue notée", "appointment missed, or without outcome"),
    "grant": Said("aide restée sans décision", "grant left undecided"),
    "payment": Said("versement qui n'avance pas", "payment that does not move on"),
    "receipt": Said("justificatif en retard", "receipt overdue"),
    "mentor": Said("mentor", "mentor"),
    "referral": Said("orientation sans réponse", "referral without answer"),
    "transfer": Said("reprise", "hand-over"),
    "suspension": Said("suspension qui dure", "long suspension"),
    "review": Said("point à faire", "review to hold"),
    "journey": Said("parcours", "journey"),
    "consent": Said("messages", "messages"),
}
