"""What a simulation found, as tables in plain words: for a terminal, a page or a file."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from journeys.domain.programme import Programme
from journeys.i18n import N_, Lang, capital, format_money, listed, text
from journeys.indicators.definitions import INDICATORS, Indicator
from journeys.indicators.figures import Count
from journeys.narration.refusals import refusal
from journeys.narration.words import role_word, spoken
from journeys.simulation.comparing import Sum
from journeys.simulation.reading import BehaviourFile
from journeys.simulation.tally import OPEN, Tally

_ABOUT: Final = {
    "date": N_("date à confirmer"), "milestone": N_("étape non atteinte à sa date"), "contact": N_("contact manqué"),
    "appointment": N_("rendez-vous à reprendre"), "grant": N_("demande d'aide sans décision"),
    "payment": N_("versement à vérifier"), "receipt": N_("justificatif attendu"), "mentor": N_("mentor à trouver"),
    "referral": N_("partenaire sans réponse"), "transfer": N_("reprise en attente"),
    "suspension": N_("suspension à revoir"), "review": N_("point à faire"), "journey": N_("parcours à clore"),
    "consent": N_("choix de la personne"),
}  # fmt: skip
"""What an alert is about."""

_FATES: Final = {
    "in-time": N_("à temps"), "late": N_("en retard"), "missed": N_("jamais"), "reached": N_("sans échéance"),
    "waived": N_("dispensées"), OPEN: N_("pas venues"),
}  # fmt: skip
_MONEY: Final = {
    "asked": N_("demandé"), "approved": N_("approuvé"), "paid": N_("versé"), "refused": N_("refusé"),
    "expired": N_("sans décision"), "blocked": N_("retenu"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the heads of its columns, and rows; the first column names, the others count."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def tables(tally: Tally, programme: Programme, lang: Lang) -> list[Table]:
    """Everything that was counted; a subject of which nothing happened has no table."""
    told = _Told(tally, programme, lang)
    parts = (
        told.outcomes, told.milestones, told.contacts, told.appointments, told.alerts, told.workload, told.money,
        told.measures, told.indicators, told.refusals,
    )  # fmt: skip
    return [table for part in parts if (table := part()).rows]


def limits(read: BehaviourFile, programme: Programme, lang: Lang) -> list[str]:
    """What a behaviour says of what the programme has not, and what it does not say: why some figures mean nothing."""
    say = text(lang)
    told = [say("Laissés de côté, ce programme ne les a pas : {names}").format(names=listed(read.unknown, lang))]
    return (told if read.unknown else []) + [
        say("Le comportement ne fait changer « {situation} » pour personne : tous gardent « {first} ». Nommez-y ses "
            "valeurs ({values}), sinon ses mesures et ses indicateurs ne disent rien.").format(
            situation=spoken(name, lang), first=spoken(programme.situations[name][0], lang),
            values=", ".join(programme.situations[name]),
        )
        for name in read.still
    ]  # fmt: skip


def replayed(found: Sum, before: Programme, after: Programme, lang: Lang) -> list[Table]:
    """What would have differed in past journeys, subject by subject; what did not differ has no table."""
    return _Differing(found, before, after, lang).tables()


def role_label(role: str, programme: Programme, lang: Lang) -> str:
    """What a role of the programme is called."""
    known = programme.roles.get(role)
    return (known.en if lang == "en" else known.fr) if known is not None else role_word(role, lang)


def workload(tally: Tally, programme: Programme, lang: Lang) -> dict[str, list[int]]:
    """By role: what it does and what reaches it, week by week from the first to the last."""
    weeks = range(max((week for week, _ in (*tally.work, *tally.told)), default=0) + 1)
    roles = sorted({role for _, role in (*tally.work, *tally.told)}, key=_first(programme.roles))
    return {
        capital(role_label(role, programme, lang)): [tally.work[week, role] + tally.told[week, role] for week in weeks]
        for role in roles
    }


_WHAT: Final = {
    "deadline": N_("Échéances"), "message": N_("Messages"), "alert": N_("Alertes"), "approval": N_("Accords"),
    "payment": N_("Versements"), "ending": N_("Comment les parcours finissent"),
}  # fmt: skip
_CHANGES: Final = {
    "added": N_("en plus"), "dropped": N_("en moins"), "moved": N_("un autre jour"), "otherwise": N_("autrement"),
}  # fmt: skip
_SAID: Final = {"met": N_("tenue"), "missed": N_("manquée"), "open": N_("en cours")}


@dataclass(frozen=True, slots=True)
class _Differing:
    found: Sum
    before: Programme
    after: Programme
    lang: Lang

    def tables(self) -> list[Table]:
        return [table for what in _WHAT if (table := self._table(what)).rows]

    def _table(self, what: str) -> Table:
        rows = []
        for (kind, about, change, before, after), times in sorted(self.found.counted.items()):
            if kind == what:
                said = " → ".join(part for part in (self._said(kind, before), self._said(kind, after)) if part)
                rows.append((self._about(kind, about), self._(_CHANGES[change]), said, str(times)))
        heads = (self._("au sujet de"), self._("différence"), "", self._("fois"))
        return Table(self._(_WHAT[what]), heads, tuple(rows))

    def _about(self, kind: str, about: str) -> str:
        match kind:
            case "deadline":
                return capital(self._label("milestones", about))
            case "approval":
                return capital(self._label("grants", about))
            case "alert":
                subject, _, code = about.partition(" ")
                part = {"milestone": "milestones", "contact": "contacts", "date": "dates"}.get(subject)
                words = self._(_ABOUT[subject]) if subject in _ABOUT else spoken(subject, self.lang)
                return capital(f"{words} : {self._label(part, code)}" if part and code else words)
            case _:
                return capital(spoken(about, self.lang)) if about else ""

    def _said(self, kind: str, text: str) -> str:
        match kind:
            case "deadline" if text:
                return self._(_SAID.get(text, text))
            case "alert" if text:
                return self._("jusqu'au palier {step}").format(step=int(text) + 1)
            case "message" if text:
                return self._("à : {who}").format(who=role_label(text, self.after, self.lang))
            case "approval" if text:
                return ", ".join(role_label(role, self.after, self.lang) for role in text.split(", "))
            case "ending":
                return self._label("closings", text) if text else self._("toujours ouvert")
            case _:
                return text

    def _label(self, part: str, code: str) -> str:
        for programme in (self.after, self.before):
            if (known := getattr(programme, part).get(code)) is not None:
                label: str = known.label.in_(self.lang)
                return label
        return spoken(code, self.lang)

    def _(self, french: str) -> str:
        return text(self.lang)(french)


@dataclass(frozen=True, slots=True)
class _Told:
    tally: Tally
    programme: Programme
    lang: Lang

    def outcomes(self) -> Table:
        closings = self.programme.closings
        rows = []
        for outcome, count in self.tally.outcomes.most_common():
            label = closings[outcome].label.in_(self.lang) if outcome in closings else self._("toujours ouvert")
            rows.append((capital(label), str(count), self._share(count, self.tally.lives)))
        return self._table(N_("Comment les parcours finissent"), (N_("issue"), N_("parcours"), N_("part")), rows,
                           self._("Durée médiane : {weeks} semaines. Suspendus au moins une fois : {suspended}.")
                           .format(weeks=_median(self.tally.lasted), suspended=self.tally.suspended))  # fmt: skip

    def milestones(self) -> Table:
        labels = {code: each.label.in_(self.lang) for code, each in self.programme.milestones.items()}
        return self._crossed(N_("Étapes"), N_("étape"), labels, self.tally.milestones, _FATES)

    def contacts(self) -> Table:
        labels = {code: each.label.in_(self.lang) for code, each in self.programme.contacts.items()}
        fates = {"made": N_("faits"), "missed": N_("manqués"), "cancelled": N_("annulés")}
        return self._crossed(N_("Suivis"), N_("suivi"), labels, self.tally.contacts, fates)

    def appointments(self) -> Table:
        rows = [(capital(spoken(fate, self.lang)), str(count)) for fate, count in self.tally.appointments.most_common()]
        return self._table(N_("Rendez-vous"), (N_("rendez-vous"), N_("nombre")), rows)

    def alerts(self) -> Table:
        highest = max((step for _, step in self.tally.alerts), default=0)
        heads = [self._("s'arrêtent au palier {step}").format(step=step + 1) for step in range(highest + 1)]
        abouts = sorted({about for about, _ in self.tally.alerts}, key=_first(_ABOUT))
        rows = [
            (capital(self._(_ABOUT[about]) if about in _ABOUT else spoken(about, self.lang)),
             *(str(self.tally.alerts[about, step] or "") for step in range(highest + 1)))
            for about in abouts
        ]  # fmt: skip
        return Table(self._("Alertes"), (self._("au sujet de"), *heads), tuple(rows))

    def workload(self) -> Table:
        tally = self.tally
        work, told = _by_second(tally.work), _by_second(tally.told)
        rows = []
        for role in sorted({*work, *told}, key=_first(self.programme.roles)):
            weekly = Counter({week: n for (week, who), n in (tally.work + tally.told).items() if who == role})
            week, most = weekly.most_common(1)[0]
            rows.append((
                capital(role_label(role, self.programme, self.lang)), self._each(work[role]), self._each(told[role]),
                self._("{most} en semaine {week}").format(most=most, week=week + 1),
            ))  # fmt: skip
        heads = (N_("rôle"), N_("actes par parcours"), N_("messages et alertes reçus par parcours"),
                 N_("semaine la plus chargée"))  # fmt: skip
        return self._table(N_("Charge de travail"), heads, rows)

    def money(self) -> Table:
        funds = sorted({fund for fund, _ in self.tally.money})
        shown = [fate for fate in _MONEY if any(self.tally.money[fund, fate] for fund in funds)]
        rows = [(fund, *(format_money(self.tally.money[fund, fate], self.lang) for fate in shown)) for fund in funds]
        return self._table(N_("Argent"), (N_("fonds"), *(_MONEY[fate] for fate in shown)), rows)

    def measures(self) -> Table:
        rows = []
        for code, measure in self.programme.measures.items():
            for number in range(1, len(measure.at) + 1):
                yes, no, unknown = (self.tally.measures[f"{code}/{number}", each] for each in ("yes", "no", "unknown"))
                if yes + no + unknown:
                    name = f"{capital(measure.label.in_(self.lang))} ({number}/{len(measure.at)})"
                    rows.append((name, str(yes), str(no), str(unknown), self._share(yes, yes + no)))
        heads = (N_("mesure"), N_("oui"), N_("non"), N_("inconnu"), N_("oui, parmi ceux dont on sait"))
        return self._table(N_("Mesures"), heads, rows)

    def indicators(self) -> Table:
        rows = []
        for each in INDICATORS:
            yes, no, unknown = (self.tally.indicators[each.code, said] for said in ("yes", "no", "unknown"))
            if yes + no + unknown:
                among = Count(yes, no, unknown, least=each.least).among
                amounts = [self._amount(number, each) for number in (yes, among, unknown)]
                share = self._share(yes, among)
                told = self._("au moins {share}").format(share=share) if each.least and unknown else share
                rows.append((self._(each.title), *amounts, told))
        heads = (N_("indicateur"), N_("compté"), N_("parmi"), N_("pas connu"), N_("part"))
        return self._table(
            N_("Indicateurs"),
            heads,
            rows,
            self._("Définis comme sur la page Indicateurs, une fois que chaque parcours a l'âge demandé."),
        )

    def _amount(self, number: int, indicator: Indicator) -> str:
        return format_money(number, self.lang) if indicator.unit == "cents" else str(number)

    def refusals(self) -> Table:
        rows = [(refusal(code, {}, self.lang) or code, str(count)) for code, count in self.tally.refused.most_common()]
        return self._table(N_("Demandes que le programme refuse"), (N_("raison"), N_("fois")), rows,
                           self._("Les gens simulés demandent ce que le programme ne permet pas."))  # fmt: skip

    # --- building

    def _(self, french: str) -> str:
        return text(self.lang)(french)

    def _table(self, title: str, heads: Iterable[str], rows: Sequence[tuple[str, ...]], note: str = "") -> Table:
        return Table(self._(title), tuple(self._(head) for head in heads), tuple(rows), note)

    def _crossed(
        self, title: str, head: str, labels: dict[str, str], counted: Counter[tuple[str, str]], fates: dict[str, str]
    ) -> Table:
        shown = [fate for fate in fates if any(counted[code, fate] for code in labels)]
        rows = [(capital(label), *(str(counted[code, fate] or "") for fate in shown)) for code, label in labels.items()]
        return self._table(title, (head, *(fates[fate] for fate in shown)), rows if shown else [])

    def _each(self, count: int) -> str:
        mean = f"{count / max(self.tally.lives, 1):.1f}"
        return mean if self.lang == "en" else mean.replace(".", ",")

    def _share(self, part: int, whole: int) -> str:
        if not whole:
            return "–"
        return f"{part * 100 / whole:.0f}{'' if self.lang == 'en' else chr(0xA0)}%"


def _by_second(counted: Counter[tuple[int, str]]) -> Counter[str]:
    summed: Counter[str] = Counter()
    for (_, name), count in counted.items():
        summed[name] += count
    return summed


def _first(known: Iterable[str]) -> Callable[[str], tuple[int, str]]:
    places = {name: place for place, name in enumerate(known)}
    return lambda name: (places.get(name, len(places)), name)


def _median(counted: Counter[int]) -> int:
    half, seen = (counted.total() + 1) // 2, 0
    for value in sorted(counted):
        seen += counted[value]
        if seen >= half:
            return value
    return 0
