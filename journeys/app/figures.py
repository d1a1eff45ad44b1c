"""Indicators for whoever asks: counted up to now, added up, told in words, and as the report for a funder."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, get_args

from journeys import clock
from journeys.app.failures import usage
from journeys.app.papers import typeset
from journeys.app.reading import ZONE, read_month, today_of
from journeys.documents import Entry, Fact, Report, Section
from journeys.domain.programme import Programme
from journeys.domain.rights import Reach as Sight
from journeys.domain.rights import reaches
from journeys.i18n import Lang, format_date, format_money, format_month, listed, ngettext, text
from journeys.indicators.definitions import HOUSING, INDICATORS, JOB, VERSION, Indicator, told
from journeys.indicators.figures import LEAST, By, Cell, Count, Figures, Shown, table
from journeys.narration import spoken
from journeys.store import counting
from journeys.store.counting import Cohort, Reach
from journeys.store.database import Connection, Pool

BYS: Final[tuple[By, ...]] = get_args(By)
AT_ONCE: Final = 100
"""Journeys that have grown and are counted before somebody is answered; housekeeping counts the others."""
CODES: Final = tuple(each.code for each in INDICATORS)
LEAST_KNOWN: Final = frozenset(each.code for each in INDICATORS if each.least)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted: by what, of which journeys. The months as they were asked for, both inclusive."""

    by: By = "programme"
    programme: str | None = None
    first: date | None = None
    last: date | None = None

    @property
    def cohort(self) -> Cohort:
        ends = (self.last + timedelta(days=31)).replace(day=1) if self.last is not None else None
        return Cohort(programme=self.programme, begins=self.first, ends=ends)


@dataclass(frozen=True, slots=True)
class Counted:
    """The answer: every indicator as it may be told, and how many journeys stand behind it."""

    asked: Asked
    at: datetime
    reach: Reach
    figures: tuple[Figures, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return CODES

    def lines(self) -> Sequence[tuple[Indicator, Figures]]:
        """Each indicator with its figures."""
        return list(zip(INDICATORS, self.figures, strict=True))


def asked_for(by: str, programme: str | None, first: str, last: str, fields: tuple[str, str, str]) -> Asked:
    """What was typed. `fields`: what by, first and last month are called. Raises Failure (usage)."""
    found = next((each for each in BYS if each == by), None)
    if found is None:
        raise usage("not-a-grouping", f"{fields[0]} : « {by[:60]} » ; écrivez programme, month ou site",
                    f"{fields[0]}: “{by[:60]}”; write programme, month or site", field=fields[0])  # fmt: skip
    begins = read_month(first, fields[1]) if first else None
    ends = read_month(last, fields[2]) if last else None
    if begins is not None and ends is not None and begins > ends:
        raise usage("months-turned", f"{fields[2]} : le dernier mois est avant le premier",
                    f"{fields[2]}: the last month is before the first", field=fields[2])  # fmt: skip
    return Asked(found, programme or None, begins, ends)


async def count_anew(pool: Pool, limit: int | None = None) -> int:
    """Count the journeys whose record has grown since, at most `limit`; how many were."""
    return await counting.recount(pool, told, VERSION, limit)


async def waiting(pool: Pool) -> int:
    """How many journeys `count_anew` would count."""
    return (await counting.reach(pool, Cohort(), VERSION)).grown


async def counted(connection: Pool | Connection, asked: Asked, now: datetime, visible: str = "true") -> Counted:
    """The indicators of what was asked for, as of what has been counted. visible: `views.within`."""
    totals: dict[str, Count] = {}
    groups: dict[str, dict[str | None, Count]] = {}
    for each in await counting.sums(connection, asked.by, asked.cohort, today_of(now), visible):
        count = Count(each.yes, each.no, each.unknown, each.known, each.young, each.code in LEAST_KNOWN)
        if each.whole:
            totals[each.code] = count
        else:
            groups.setdefault(each.code, {})[each.group] = count
    reach = await counting.reach(connection, asked.cohort, VERSION, visible)
    return Counted(asked, now, reach, table(CODES, totals, groups))


# --- in words


@dataclass(frozen=True, slots=True)
class Words:
    """Figures as people read them."""

    lang: Lang
    programmes: Mapping[str, Programme]

    def say(self, french: str, **fields: object) -> str:
        return text(self.lang)(french).format(**fields)

    def amount(self, number: int, indicator: Indicator) -> str:
        """`1 200,00 €`, `1 240`."""
        return format_money(number, self.lang) if indicator.unit == "cents" else self.number(number)

    def number(self, number: int) -> str:
        return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}" if self.lang == "fr" else ",")

    def found(self, cell: Cell, indicator: Indicator) -> str:
        """Numerator and denominator, or why there is none."""
        match cell.shown:
            case Shown.NOBODY:
                return "—"
            case Shown.FEW:
                return self.say("moins de {least}", least=LEAST)
            case Shown.HELD_BACK:
                return self.say("non montré")
            case Shown.FIGURE:
                yes, among = (self.amount(each, indicator) for each in (cell.count.yes, cell.count.among))
                return self.say("{yes} sur {among}", yes=yes, among=among)

    def share(self, cell: Cell) -> str:
        """`40 %`, `au moins 40 %`; empty without a figure. Only all are 100 %, and only none 0 %."""
        if cell.shown is not Shown.FIGURE:
            return ""
        share = round(cell.count.share * 100)
        if 0 < cell.count.yes < cell.count.among:
            share = min(max(share, 1), 99)
        told = f"{share}\N{NO-BREAK SPACE}%" if self.lang == "fr" else f"{share}%"
        return self.say("au moins {share}", share=told) if cell.count.least and cell.count.unknown else told

    def unknown(self, cell: Cell, indicator: Indicator) -> str:
        """Of how many nothing is known; not told beside what is not shown."""
        shown = cell.shown in (Shown.FIGURE, Shown.NOBODY)
        return self.amount(cell.count.unknown, indicator) if shown else ""

    def row(self, label: str, cell: Cell, indicator: Indicator) -> tuple[str, str, str, str, str]:
        """A line of a table: whose, how many, which share, unknown, too young."""
        return (label, self.found(cell, indicator), self.share(cell), self.unknown(cell, indicator),
                self.number(cell.count.young))  # fmt: skip

    def heads(self, first: str) -> tuple[str, str, str, str, str]:
        return (first, self.say("Nombre"), self.say("Part"), self.say("Pas connu"), self.say("Trop récent"))

    def rows(self, counted: Counted, indicator: Indicator, figures: Figures) -> list[tuple[str, str, str, str, str]]:
        """Every group, then all together."""
        by = counted.asked.by
        rows = [self.row(self.group(by, each.key), each.cell, indicator) for each in figures.groups]
        return [*rows, self.row(self.say("Ensemble"), figures.total, indicator)]

    def overview(self, counted: Counted) -> list[tuple[str, str, str, str, str]]:
        """Every indicator, all groups together."""
        return [self.row(self.title(each), figures.total, each) for each, figures in counted.lines()]

    def group(self, by: By, key: str | None) -> str:
        """What a group is called."""
        if key is None:
            return self.say("sans site")
        if by == "month":
            return format_month(date.fromisoformat(f"{key}-01"), self.lang)
        known = self.programmes.get(key) if by == "programme" else None
        return known.label.in_(self.lang) if known is not None else key

    def by(self, by: By) -> str:
        return {"programme": self.say("Programme"), "month": self.say("Mois de la sortie"), "site": self.say("Site")}[
            by
        ]

    def period(self, asked: Asked) -> str:
        """Which months were asked for."""
        first, last = (format_month(each, self.lang) if each else "" for each in (asked.first, asked.last))
        if first and last:
            return self.say("sorties de {first} à {last}", first=first, last=last)
        if first:
            return self.say("sorties depuis {first}", first=first)
        return self.say("sorties jusqu'à {last}", last=last) if last else self.say("toutes les sorties")

    def definition(self, indicator: Indicator) -> tuple[tuple[str, str], ...]:
        """What is counted, among what, and from which age on."""
        said = text(self.lang)
        return ((self.say("On compte"), said(indicator.counted)), (self.say("Parmi"), said(indicator.among)),
                (self.say("Âge demandé"), said(indicator.age)))  # fmt: skip

    def title(self, indicator: Indicator) -> str:
        return text(self.lang)(indicator.title)

    def behind(self, reach: Reach) -> str:
        """How many journeys are counted."""
        return " · ".join(filter(None, (
            ngettext(self.lang, "{count} parcours compté", "{count} parcours comptés", reach.begun)
            .format(count=self.number(reach.begun)),
            ngettext(self.lang, "{count} pas encore sorti", "{count} pas encore sortis", reach.ahead)
            .format(count=self.number(reach.ahead)) if reach.ahead else "",
        )))  # fmt: skip

    def grown(self, reach: Reach) -> str:
        """That some journeys are not counted up to now; empty when all are."""
        if not reach.grown:
            return ""
        return ngettext(
            self.lang, "{count} parcours a changé depuis son dernier comptage : il sera recompté dans les dix minutes.",
            "{count} parcours ont changé depuis leur dernier comptage : ils seront recomptés dans les dix minutes.",
            reach.grown,
        ).format(count=self.number(reach.grown))  # fmt: skip

    def method(self, asked: Asked) -> tuple[str, ...]:
        """How the figures are made, for whoever reads them without us."""
        return (
            *self.values(asked),
            self.say("Chaque parcours compte depuis la levée d'écrou ; sans elle, depuis la date qui ouvre son "
                     "programme. Les jours de suspension repoussent l'âge, sauf pour les retours en détention."),
            self.say("Un jour est compté une semaine après : on a le temps de noter. Un parcours plus jeune n'est "
                     "ni bon ni mauvais : il est compté à part, sous « trop récent »."),
            self.say("Ce que personne n'a noté n'est pas un non : c'est compté à part, sous « pas connu », et n'entre "
                     "pas dans la part, sauf où elle est dite un minimum. Ce qui valait avant la clôture ne dit rien "
                     "d'un jour d'après."),
            self.say("Un fait noté en retard ou corrigé change le chiffre du jour où il a eu lieu. Rien n'est compté "
                     "d'une personne décédée avant ce jour."),
            self.say("Moins de {least} personnes ne sont jamais montrées à part. Quand leur chiffre se déduirait du "
                     "total, le plus petit groupe suivant n'est pas montré non plus.", least=LEAST),
        )  # fmt: skip

    def values(self, asked: Asked) -> Iterator[str]:
        """What each programme that is asked for counts as housed, and as a job."""
        for name, programme in self.programmes.items():
            if asked.programme in (None, name):
                for measure in programme.measures.values():
                    if measure.situation in (HOUSING, JOB):
                        yield self.say(
                            "{programme}, « {measure} » : {values}.", programme=self.group("programme", name),
                            measure=measure.label.in_(self.lang),
                            values=listed((spoken(each, self.lang) for each in measure.good), self.lang),
                        )  # fmt: skip


def scope_words(words: Words, roles: Collection[str], sites: Collection[str], name: str) -> str:
    """Whose journeys a visitor's figures are about."""
    sight = reaches(roles)
    if Sight.ALL in sight or (Sight.SITE in sight and not sites):
        return words.say("tous les parcours")
    parts = []
    if Sight.SITE in sight:
        parts.append(words.say("ceux de {sites} ou sans site", sites=listed(sorted(sites), words.lang)))
    if Sight.OWN in sight:
        parts.append(words.say("ceux que suit {name}", name=name))
    if Sight.MONEY in sight:
        parts.append(words.say("ceux pour lesquels de l'argent a été demandé"))
    return words.say("parcours que voit {name}", name=name) + (f" ({', '.join(parts)})" if parts else "")


def as_json(counted: Counted, words: Words) -> dict[str, Any]:
    """Everything that may be told, for programs. What is not shown has no figure here either."""
    asked, reach = counted.asked, counted.reach

    def cell(each: Cell) -> dict[str, Any]:
        plain: dict[str, Any] = {"shown": each.shown.value, "young": each.count.young}
        if each.shown in (Shown.FIGURE, Shown.NOBODY):
            plain["unknown"] = each.count.unknown
        if each.shown is Shown.FIGURE:
            plain |= {"counted": each.count.yes, "among": each.count.among, "people": each.count.known,
                      "share": round(each.count.share, 4)}  # fmt: skip
        return plain

    return {
        "by": asked.by, "programme": asked.programme,
        "from": f"{asked.first:%Y-%m}" if asked.first else None, "to": f"{asked.last:%Y-%m}" if asked.last else None,
        "as_of": today_of(counted.at).isoformat(), "least": LEAST,
        "journeys": reach.begun, "ahead": reach.ahead, "grown": reach.grown,
        "indicators": [
            {
                "code": indicator.code, "title": words.title(indicator), "unit": indicator.unit,
                "least": indicator.least,
                "counted": text(words.lang)(indicator.counted), "among": text(words.lang)(indicator.among),
                "age": text(words.lang)(indicator.age), "total": cell(figures.total),
                "groups": [
                    {"key": each.key, "label": words.group(asked.by, each.key), **cell(each.cell)}
                    for each in figures.groups
                ],
            }
            for indicator, figures in counted.lines()
        ],
    }  # fmt: skip


# --- on paper

_WIDTHS: Final = (3.5, 3.0, 2.1, 1.4, 1.5)


def report(counted: Counted, words: Words, scope: str, *, sender: str) -> bytes:
    """The report for a funder as PDF. Raises Failure: it cannot be typeset."""
    say, asked, day = words.say, counted.asked, format_date(today_of(counted.at), words.lang)
    programme = words.group("programme", asked.programme) if asked.programme else say("tous les programmes")
    grown = words.grown(counted.reach)
    paper = Report(
        sender=sender,
        title=say("Indicateurs au {day}", day=day),
        facts=(
            Fact(say("Parcours"), scope), Fact(say("Programme"), programme),
            Fact(say("Période"), words.period(asked)), Fact(say("Comptés"), words.behind(counted.reach)),
        ),
        remark=" ".join(filter(None, (clock.describe(words.lang), grown))),
        overview=Section(
            say("Ensemble"), words.heads(say("Indicateur")),
            tuple(words.overview(counted)), widths=_WIDTHS, amounts=(2, 3, 4),
        ),
        entries=tuple(
            Entry(words.title(each), tuple(Fact(*one) for one in words.definition(each)), Section(
                "", words.heads(words.by(asked.by)), tuple(words.rows(counted, each, figures)),
                widths=_WIDTHS, amounts=(2, 3, 4), total=True,
            ))
            for each, figures in counted.lines()
        ),
        method=words.method(asked),
    )  # fmt: skip
    return typeset(paper, words.lang, counted.at, ZONE.key)
