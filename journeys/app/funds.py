"""Funds as entry points see them: who looks into which, what their terms say, and the statement for the donor."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from journeys import clock
from journeys.app.entry import Actor
from journeys.app.failures import Exit, Failure, Said, not_found, usage
from journeys.app.papers import typeset
from journeys.app.reading import ZONE, read_amount, read_month, today_of
from journeys.app.sheets import as_csv
from journeys.documents import Fact, Report, Section
from journeys.domain.fund import day_of
from journeys.domain.statement import Figures, Month, Statement
from journeys.i18n import Lang, format_date, format_instant, format_money, format_month, listed, ngettext, text
from journeys.indicators.figures import LEAST
from journeys.narration import spoken
from journeys.store import funds
from journeys.store.database import Connection, Pool
from journeys.store.directory import By
from journeys.store.funds import Fund
from journeys.store.receipts import Status
from journeys.store.treasury import ChangedSince, Closed, StillReserved, Stop

_FREE: Final = frozenset({"administrator", "auditor", "supervisor", "duty"})
"""Roles that look into every fund, whatever funds their holder's finance is bound to."""


def within(roles: Collection[str], bound: Collection[str]) -> frozenset[str] | None:
    """Codes of the funds that somebody looks into; None: all."""
    return frozenset(bound) if bound and not _FREE & set(roles) else None


async def theirs(pool: Pool | Connection, only: Collection[str] | None) -> list[Fund]:
    """The funds that somebody looks into, by code."""
    return [fund for fund in await funds.funds(pool) if only is None or fund.code in only]


async def find(pool: Pool | Connection, code: str, only: Collection[str] | None) -> Fund:
    """One of them. Raises Failure (not found), alike for one that is not theirs."""
    known = await theirs(pool, only)
    found = next((fund for fund in known if fund.code == code), None)
    if found is None:
        there = ", ".join(fund.code for fund in known) or "—"
        raise not_found(
            "unknown-fund", f"il n'y a pas de fonds « {code[:60]} »", f"there is no fund “{code[:60]}”", field="FONDS",
            remedy=Said(f"les fonds : {there}", f"the funds: {there}"),
        )  # fmt: skip
    return found


def read_period(first: str, last: str, fields: tuple[str, str]) -> tuple[date | None, date | None]:
    """First and last month as typed, empty: no bound. Raises Failure (usage)."""
    begins = read_month(first, fields[0]) if first else None
    ends = read_month(last, fields[1]) if last else None
    if begins is not None and ends is not None and begins > ends:
        raise usage("months-turned", f"{fields[1]} : le dernier mois est avant le premier",
                    f"{fields[1]}: the last month is before the first", field=fields[1])  # fmt: skip
    return begins, ends


def ordered(first: date | None, last: date | None, field: str) -> tuple[date | None, date | None]:
    """The days between which a fund gives. Raises Failure (usage)."""
    if first is not None and last is not None and last < first:
        raise usage("days-turned", f"{field} : le dernier jour est avant le premier",
                    f"{field}: the last day is before the first", field=field)  # fmt: skip
    return first, last


def read_gift(typed: str, field: str) -> int:
    """Cents put in a fund. Raises Failure (usage)."""
    cents = read_amount(typed, field)
    if cents == 0:
        raise usage("no-amount", f"{field} : plus que zéro", f"{field}: more than zero", field=field)
    return cents


def keeper(actor: Actor, now: datetime, *, opens: bool = False) -> By:
    """Who changes a fund of theirs, or opens or closes one. Raises Failure (refused): no finance, or of some funds."""
    if "finance" not in actor.roles or (opens and actor.funds):
        raise Failure(
            Exit.REFUSED, "no-right",
            Said("votre rôle ne permet pas cela : rien n'a changé",
                 "your role does not allow this: nothing has changed"),
            Said("demandez-le à un gestionnaire de tous les fonds", "ask somebody whose finance is of every fund"),
        )  # fmt: skip
    return By(actor=actor.id, role="finance", at=now)


def changing(error: ChangedSince | Closed | StillReserved, code: str) -> Failure:
    """Why a fund was not changed, nor closed."""
    match error:
        case ChangedSince():
            return Failure(
                Exit.CONFLICT, "changed",
                Said("ce fonds a changé depuis que vous avez ouvert la page ; rien de plus n'a été noté",
                     "this fund has changed since you opened the page; nothing more was noted"),
                Said("regardez le fonds : si votre saisie y manque encore, enregistrez de nouveau",
                     "look at the fund: if what you typed is still missing there, save again"),
            )  # fmt: skip
        case Closed():
            return Failure(
                Exit.REFUSED, "fund-closed",
                Said("ce fonds est clos : rien n'a changé", "this fund is closed: nothing has changed"),
                Said("rouvrez-le d'abord, s'il doit encore donner", "reopen it first, if it is to give again"),
            )  # fmt: skip
        case StillReserved(cents=cents):
            owed = {lang: format_money(cents, lang) for lang in ("fr", "en")}
            return Failure(
                Exit.REFUSED, "fund-reserved",
                Said(f"{owed['fr']} de ce fonds sont encore promis à des versements : il ne peut pas être clos",
                     f"{owed['en']} of this fund are still promised to payments: it cannot be closed"),
                Said(f"attendez que ces versements arrivent, ou annulez ceux qui ne sont pas partis"
                     f" (« Versements », fonds {code})",
                     f"wait for these payments to arrive, or cancel those that have not left"
                     f" (“Versements”, fund {code})"),
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """Funds and their figures as people read them."""

    lang: Lang

    def say(self, french: str, **fields: object) -> str:
        return text(self.lang)(french).format(**fields)

    def money(self, cents: int) -> str:
        return format_money(cents, self.lang)

    def period(self, fund: Fund) -> str:
        """When it gives."""
        first, last = (format_date(day, self.lang) if day else "" for day in (fund.first_day, fund.last_day))
        if first and last:
            return self.say("du {first} au {last}", first=first, last=last)
        if first:
            return self.say("à partir du {first}", first=first)
        return self.say("jusqu'au {last}", last=last) if last else self.say("sans limite de date")

    def gives(self, fund: Fund) -> str:
        """When it gives, or since when it gives no more."""
        return self.closed(fund) or self.period(fund)

    def closed(self, fund: Fund) -> str:
        """Since when it gives no more; empty: it is open."""
        if fund.closed_at is None:
            return ""
        return self.say("clos depuis le {day}", day=format_date(day_of(fund.closed_at), self.lang))

    def told_closed(self, closing: Stop) -> str:
        """Since when nothing is promised from it, by whom, why."""
        return self.say(
            "Clos depuis le {when} par {who} : {why}", when=format_instant(closing.since, self.lang, ZONE),
            who=closing.name or self.say("le système"), why=closing.why,
        )  # fmt: skip

    def purposes(self, fund: Fund) -> str:
        """What it gives for."""
        said = (spoken(each, self.lang) for each in fund.purposes)
        return listed(said, self.lang) if fund.purposes else self.say("tout objet")

    def most(self, fund: Fund) -> str:
        """The cap, where nothing beside it says what it is."""
        if fund.cap_per_person is None:
            return self.say("sans plafond")
        return self.say("au plus {cap} par personne", cap=self.money(fund.cap_per_person))

    def cap(self, fund: Fund) -> str:
        return self.money(fund.cap_per_person) if fund.cap_per_person is not None else self.say("sans plafond")

    def spoken(self, code: str) -> str:
        return spoken(code, self.lang)

    # --- the statement

    def heads(self) -> tuple[str, ...]:
        say = self.say
        return (say("Mois"), say("Dons"), say("Accordé"), say("Réservé"), say("Payé"), say("Revenu"), say("Justifié"),
                say("Non justifié"), say("Personnes"))  # fmt: skip

    def row(self, label: str, figures: Figures, people: str) -> tuple[str, ...]:
        return (label, *(self.money(cents) for cents in amounts(figures)), people)

    def people(self, count: int) -> str:
        """How many, unless they are so few that somebody could be recognised."""
        return str(count) if count == 0 or count >= LEAST else self.say("moins de {least}", least=LEAST)

    def rows(self, made: Statement) -> list[tuple[str, ...]]:
        """Every month, then all together."""
        lines = [self.row(self.month(each), each.figures, self.people(each.people)) for each in made.months]
        return [*lines, self.row(self.say("Ensemble"), made.total, self.people(made.people))]

    def month(self, month: Month) -> str:
        return format_month(month.first, self.lang)

    def asked(self, made: Statement) -> str:
        """Which months were asked for."""
        first, last = (format_month(day, self.lang) if day else "" for day in (made.first, made.last))
        if first and last:
            return self.say("de {first} à {last}", first=first, last=last) if first != last else first
        if first:
            return self.say("depuis {first}", first=first)
        return self.say("jusqu'à {last}", last=last) if last else self.say("depuis l'ouverture du fonds")

    def facts(self, fund: Fund, made: Statement) -> tuple[Fact, ...]:
        return (
            Fact(self.say("Le fonds"), spoken(fund.code, self.lang)),
            Fact(self.say("Donateur"), fund.donor or "—"),
            Fact(self.say("Donne"), " ; ".join(filter(None, (self.period(fund), self.closed(fund))))),
            Fact(self.say("Pour"), self.purposes(fund)),
            Fact(self.say("Plafond par personne"), self.cap(fund)),
            Fact(self.say("Mois du relevé"), self.asked(made)),
            Fact(self.say("Disponible au début"), self.money(made.opening)),
            Fact(self.say("Disponible à la fin"), self.money(made.closing)),
        )

    def method(self) -> tuple[str, ...]:
        """What each column says, for a donor who reads it without us."""
        return (
            self.say(
                "Accordé : les aides approuvées dans le mois, moins ce à quoi on a renoncé. Réservé : ce qui a été "
                "promis à un versement, moins ce qui n'a pas abouti. Payé : ce qui est arrivé. Revenu : ce que la "
                "banque a rendu ensuite."
            ),
            self.say(
                "Justifié : ce que des justificatifs acceptés montrent, dans le mois où ils l'ont été. Non justifié : "
                "payé, moins revenu, moins justifié ; ce que personne ne justifiera y reste visible."
            ),
            self.say("Un mois compte ce qui y a été noté, à l'heure de Paris : un mois passé ne change plus."),
            self.say("Le relevé ne nomme personne, et moins de {least} personnes ne sont pas comptées.", least=LEAST),
        )


def amounts(figures: Figures) -> tuple[int, ...]:
    """The columns of a statement's line, in cents."""
    return (figures.received, figures.granted, figures.reserved, figures.paid, figures.returned, figures.justified,
            figures.unjustified)  # fmt: skip


def statement_csv(made: Statement, words: Words) -> bytes:
    """The statement for a spreadsheet: months as 2027-05, numbers alone in their cells."""
    return as_csv(
        words.heads(),
        [
            (label, *(_plain(cents, words.lang) for cents in amounts(figures)), words.people(people))
            for label, figures, people in (
                *((f"{each.first:%Y-%m}", each.figures, each.people) for each in made.months),
                (words.say("Ensemble"), made.total, made.people),
            )
        ],
    )


def _plain(cents: int, lang: Lang) -> str:
    sign, (euros, rest) = "-" if cents < 0 else "", divmod(abs(cents), 100)
    return f"{sign}{euros}{',' if lang == 'fr' else '.'}{rest:02}"


_WIDTHS: Final = (2.1, 1.4, 1.45, 1.45, 1.45, 1.15, 1.4, 1.4, 1.95)


def statement_pdf(fund: Fund, made: Statement, words: Words, at: datetime, *, sender: str) -> bytes:
    """The statement as PDF. Raises Failure: it cannot be typeset."""
    heads = words.heads()
    paper = Report(
        sender=sender,
        title=words.say("Relevé du fonds {fund}", fund=spoken(fund.code, words.lang)),
        facts=words.facts(fund, made),
        remark=clock.describe(words.lang),
        overview=Section(
            words.say("Mois par mois, en euros"), heads,
            tuple(tuple(cell.replace("€", "").strip() for cell in row) for row in words.rows(made)), widths=_WIDTHS,
            amounts=tuple(range(1, len(heads))), total=True,
        ),
        entries=(),
        method=words.method(),
    )  # fmt: skip
    return typeset(paper, words.lang, at, ZONE.key)


def statement_json(made: Statement) -> dict[str, Any]:
    """For programs: amounts in cents, people as they may be told (null: too few)."""

    def told(figures: Figures, people: int) -> dict[str, Any]:
        names = ("received", "granted", "reserved", "paid", "returned", "justified", "unjustified")
        return {
            **dict(zip(names, amounts(figures), strict=True)),
            "people": people if people == 0 or people >= LEAST else None,
        }

    return {
        "fund": made.fund, "from": f"{made.first:%Y-%m}" if made.first else None,
        "to": f"{made.last:%Y-%m}" if made.last else None, "opening": made.opening, "closing": made.closing,
        "months": [{"month": f"{each.first:%Y-%m}", **told(each.figures, each.people)} for each in made.months],
        "total": told(made.total, made.people),
    }  # fmt: skip


def file_name(fund: Fund, now: datetime, words: Words) -> str:
    """Of the statement, without its ending."""
    return words.say("releve-{fund}-{day}", fund=fund.code, day=today_of(now).isoformat())


def owing_counted(status: Status, count: int, lang: Lang) -> str:
    """How many receipts are so: `20 attendus`."""

    def n(one: str, more: str) -> str:
        return ngettext(lang, one, more, count).format(count=count)

    match status:
        case "submitted":
            return n("{count} remis, à vérifier", "{count} remis, à vérifier")
        case "late":
            return n("{count} pas remis à temps", "{count} pas remis à temps")
        case "in-part":
            return n("{count} accepté en partie", "{count} acceptés en partie")
        case "owed":
            return n("{count} attendu", "{count} attendus")
        case "waived":
            return n("{count} dispensé", "{count} dispensés")
        case "accepted":
            return n("{count} accepté", "{count} acceptés")


def owing_words(lang: Lang) -> Sequence[tuple[str, str]]:
    """The statuses of receipts in the order in which somebody looks at them, and what they are called."""
    _ = text(lang)
    return (
        ("submitted", _("remis, à vérifier")), ("late", _("pas remis à temps")), ("in-part", _("accepté en partie")),
        ("owed", _("attendu")), ("waived", _("dispensé")), ("accepted", _("accepté")),
    )  # fmt: skip
