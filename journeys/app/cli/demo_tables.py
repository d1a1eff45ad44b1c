"""What a director reads after the demonstration: who got where, what was escalated, the money, and the audit."""

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from babel.dates import format_date as babel_date

from journeys.app.cli.output import printable
from journeys.app.controlling import told as told_finding
from journeys.app.failures import Lang
from journeys.audit.verdicts import AccountName, Verdict
from journeys.audit.wording import ACCOUNTS
from journeys.domain.payments import HANDED
from journeys.domain.state import State
from journeys.i18n import capital, either, format_date, listed, text
from journeys.local.bank_days import Heard
from journeys.local.outcomes import Aid, Alert, Outcome, Paid, Refusal
from journeys.local.player import Report
from journeys.narration.refusals import refusal
from journeys.narration.telling import Speech
from journeys.narration.words import command_word

if TYPE_CHECKING:
    from rich.console import Console

WIDTH: Final = 100
"""Columns: a printed page, a terminal beside another window."""

MOST_SITUATIONS: Final = 2
"""Columns for situations; where a programme follows more, they share one."""

NARROWEST: Final = 16


@dataclass(frozen=True, slots=True)
class Pages:
    """The report in one language."""

    report: Report
    lang: Lang

    def show(self) -> None:
        """Print all of it."""
        console = _console()
        for part in (self._head, self._lives, self._alerts, self._money, self._payments, self._refusals, self._audit):
            console.print()
            part(console)

    def t(self, fr: str, en: str) -> str:
        return either(self.lang, fr, en)

    # --- the parts

    def _head(self, console: "Console") -> None:
        report = self.report
        cohort = report.lives.cohort
        programme = report.book.programme.label.in_(self.lang)
        first, last = (format_date(self._day(at), self.lang) for at in (report.began, report.ended))
        count = len(report.outcomes)
        lives = self.t("vies" if count > 1 else "vie", "lives" if count > 1 else "life")
        self._title(console, cohort.label.in_(self.lang))
        self._line(console, self.t(
            f"Programme « {programme} ». {count} {lives}, du {first} au {last} (dates simulées, "
            f"noms inventés), jouées en {report.seconds:.0f} s sur un vrai serveur.",
            f"Programme “{programme}”. {count} {lives}, from {first} to {last} (simulated dates, "
            f"invented names), played in {report.seconds:.0f} s on a real server.",
        ))  # fmt: skip

    def _lives(self, console: "Console") -> None:
        programme = self.report.book.programme
        begins = programme.dates.get(programme.active_from)
        heads = [
            self.t("Personne", "Person"),
            self.t("Ce qui s’est passé", "What happened"),
            capital(begins.label.in_(self.lang)) if begins is not None else self.t("Début", "Began"),
            self.t("Issue", "Outcome"),
            *self._situation_heads,
            self.t("Étapes", "Steps"),
            self.t("Tard", "Late"),
            self.t("Contacts", "Contacts"),
        ]
        caps = (
            None,
            0,
            9,
            10,
            *(11 if len(self._situation_heads) > 1 else 30 for _ in self._situation_heads),
            None,
            None,
            None,
        )
        self._title(console, self.t("Qui en est où", "Who got where"))
        self._table(console, heads, [self._life(one) for one in self.report.outcomes], caps, rest=1)
        self._line(console, self.t(
            "Étapes : atteintes sur attendues. Tard : échéances dépassées. Contacts : tenus (manqués).",
            "Steps: reached out of wanted. Late: deadlines missed. Contacts: made (missed).",
        ), style="dim")  # fmt: skip

    def _life(self, one: Outcome) -> list[str]:
        begins = self._short(one.begins) if one.begins else "—"
        if one.first_expected is not None and one.first_expected != one.begins:
            planned = self._short(one.first_expected)
            begins += self.t(f" (prévue {planned})", f" (planned {planned})")
        missed = f" ({one.contacts_missed})" if one.contacts_missed else ""
        return [
            brief(one.person),
            one.story[self.lang],
            begins,
            self._status(one),
            *self._situations(one),
            f"{one.reached}/{one.wanted}",
            str(one.late or ""),
            f"{one.contacts_made}{missed}",
        ]

    @property
    def _situation_heads(self) -> list[str]:
        """A column each, as long as a page has room for them."""
        names = [capital(self._speech.spoken(name)) for name in self.report.book.programme.situations]
        return names if len(names) <= MOST_SITUATIONS else [self.t("Situation", "Situation")]

    def _situations(self, one: Outcome) -> list[str]:
        values = {name: self._speech.spoken(value) if value else "—" for name, value in one.situations.items()}
        if len(values) <= MOST_SITUATIONS:
            return list(values.values())
        colon = self.t(" : ", ": ")
        return ["\n".join(f"{self._speech.spoken(name)}{colon}{value}" for name, value in values.items())]

    def _status(self, one: Outcome) -> str:
        if one.outcome is not None and one.status == "closed":
            return self._speech.outcome(one.outcome)
        if one.phase is None:
            return self._speech.spoken(one.status)
        phase = self.report.book.programme.phases[one.phase].label.in_(self.lang)
        return f"{self._speech.spoken(one.status)} ({phase})"

    def _alerts(self, console: "Console") -> None:
        alerts = self.report.alerts
        climbed = [one for one in alerts if one.climbed]
        still = sum(one.ended_at is None for one in alerts)
        open_fr = f"{still} encore {_many('ouverte', still)}" if still else "aucune encore ouverte"
        self._title(console, self.t("Alertes", "Escalations"))
        if not alerts:
            self._line(console, self.t("Aucune.", "None."))
            return
        self._line(console, self.t(
            f"{len(alerts)} {_many('alerte', len(alerts))} : {len(alerts) - len(climbed)} "
            f"{_many('réglée', len(alerts) - len(climbed))} au premier échelon, {len(climbed)} "
            f"{_many('montée', len(climbed))} plus haut, {open_fr}.",
            f"{len(alerts)} {_many('escalation', len(alerts))}: {len(alerts) - len(climbed)} settled at the first "
            f"step, {len(climbed)} climbed higher, {still or 'none'} still open at the end.",
        ))  # fmt: skip
        if climbed:
            heads = [
                self.t("Personne", "Person"), self.t("Sujet", "About"), self.t("Levée le", "Raised"),
                self.t("Qui a été prévenu", "Who was told"), self.t("Fin", "End"),
            ]  # fmt: skip
            self._table(
                console,
                heads,
                _counted([self._alert(one) for one in climbed], column=1),
                (None, 18, None, 0, 18),
                rest=3,
            )
        others = [f"{brief(one.person)} ({self._about(one)})" for one in alerts if not one.climbed]
        if others:
            self._line(
                console,
                self.t("Réglées au premier échelon : ", "Settled at the first step: ")
                + listed(others, self.lang)
                + ".",
            )

    def _alert(self, one: Alert) -> list[str]:
        return [
            brief(one.person),
            self._about(one),
            self._short(self._day(one.raised_at)),
            self._told(one),
            self._end(one),
        ]

    def _told(self, one: Alert) -> str:
        """`N. Belkacem (référent) → C. Morel (responsable)`, and who was missing."""
        absent = [self._speech.role(role) for role in dict.fromkeys(one.nobody)]
        missing = self.t(f"{_many('injoignable', len(absent))} : ", "not reached: ")
        away = missing + listed(absent, self.lang) + " → " if absent else ""
        told = away + " → ".join(f"{self._people(who)} ({self._speech.role(role)})" for role, who in one.told.items())
        if one.times > len(one.told):
            told += self.t(f", {one.times} fois", f", {one.times} times")
        if one.taken_by is not None:
            name = self._initial(one.taken_by)
            told += self.t(f", prise en charge par {name}", f", taken on by {name}")
        return told

    def _end(self, one: Alert) -> str:
        if one.ended_at is None:
            return self.t("encore ouverte", "still open")
        match one.about.kind, one.how:
            case _, "by-hand":
                how = self.t(f"levée par {self._initial(one.ended_by)}", f"lifted by {self._initial(one.ended_by)}")
            case "receipt", "waived":
                how = self.t("dispensé", "waived")
            case _, code:
                how = self._speech.spoken(code or "")
        return f"{self._short(self._day(one.ended_at))}, {how}"

    def _about(self, one: Alert) -> str:
        subject = one.about
        match subject.kind:
            case (
                "milestone"
                | "contact"
                | "date"
                | "suspension"
                | "review"
                | "journey"
                | "consent"
                | "mentor"
                | "transfer"
            ):
                return self._speech.about(subject).strip("«»“”\u00a0 ")
            case "appointment":
                return self.t("rendez-vous manqué", "missed appointment")
            case "receipt":
                return self.t("justificatif en attente", "receipt outstanding")
            case "payment":
                return self.t("versement", "payment")
            case "grant":
                return self.t("demande d’aide", "grant request")
            case "referral":
                return self.t("orientation sans réponse", "referral without an answer")

    def _money(self, console: "Console") -> None:
        self._title(console, self.t("Argent", "Money"))
        for fund in self.report.funds:
            total = fund.available + fund.reserved + fund.paid
            waiting = self.t(f", {self._euros(fund.reserved)} réservés", f", {self._euros(fund.reserved)} reserved")
            self._line(console, self.t(
                f"Fonds « {self._speech.spoken(fund.code)} » : {self._euros(total)} au départ, "
                f"{self._euros(fund.paid)} versés"
                f"{waiting if fund.reserved else ''}, {self._euros(fund.available)} disponibles.",
                f"Fund “{self._speech.spoken(fund.code)}”: {self._euros(total)} at first, {self._euros(fund.paid)} paid"
                f"{waiting if fund.reserved else ''}, {self._euros(fund.available)} available.",
            ))  # fmt: skip
        if not self.report.aids:
            self._line(console, self.t("Aucune demande d’aide.", "No grant was asked for."))
            return
        heads = [
            self.t("Personne", "Person"), self.t("Pour quoi", "What for"), self.t("Demandé", "Asked"),
            self.t("Par", "By"), self.t("Accords", "Approved by"), self.t("Versé", "Paid"),
            self.t("Justificatifs", "Receipts"),
        ]  # fmt: skip
        self._table(
            console, heads, [self._aid(one) for one in self.report.aids], (None, 11, None, 11, 0, 10, 13), rest=4
        )
        self._line(console, self.t(
            "Versé : sorti du fonds et pas revenu ; (2×) : en deux fois.",
            "Paid: left the fund and did not come back; (2×): in two parts.",
        ), style="dim")  # fmt: skip

    def _aid(self, one: Aid) -> list[str]:
        approvals = [f"{self._initial(who)} ({self._speech.role(role)})" for who, role in one.approvals]
        times = sum(payment.status.startswith("settled") for payment in one.payments.values())
        return [
            brief(one.person),
            self._speech.spoken(one.purpose),
            self._euros(one.amount),
            self._initial(one.asked_by),
            ", ".join(approvals) or "—",
            (f"{self._euros(one.paid)}" + (f" ({times}×)" if times > 1 else "")) if one.paid else "—",
            self._remarks(one),
        ]

    def _remarks(self, one: Aid) -> str:
        decisions = {
            "requested": ("en attente de décision", "awaiting a decision"), "returned": ("à compléter", "sent back"),
            "refused": ("refusée", "refused"), "expired": ("sans décision à temps", "not decided in time"),
            "cancelled": ("annulée", "cancelled"), "ended": ("le reste est abandonné", "the rest was given up"),
        }  # fmt: skip
        said = [self.t(*decisions[one.decision])] if one.decision in decisions else []
        said += self._receipts([payment for payment in one.payments.values() if payment.receipt is not None])
        return ", ".join(said)

    def _receipts(self, payments: Sequence[Paid]) -> list[str]:
        words = {
            "accepted": (("accepté", "acceptés"), "accepted"), "waived": (("dispensé", "dispensés"), "waived"),
            "submitted": (("à vérifier", "à vérifier"), "to be checked"), "owed": (("attendu", "attendus"), "awaited"),
            "overdue": (("en retard", "en retard"), "overdue"),
        }  # fmt: skip
        counts = {kind: sum(payment.receipt == kind for payment in payments) for kind in words}
        return [
            self.t(f"{count} {words[kind][0][count > 1]}", f"{count} {words[kind][1]}")
            for kind, count in counts.items()
            if count
        ]

    def _payments(self, console: "Console") -> None:
        """Each payment with the bank's word, then what came back and what nobody knows of, with what is done next."""
        each = [(aid, one) for aid in self.report.aids for one in aid.payments.values()]
        if not each:
            return
        self._title(console, self.t("Versements", "Payments"))
        heads = [
            self.t("Personne", "Person"), self.t("Pour quoi", "What for"), self.t("Montant", "Amount"),
            self.t("État", "State"), self.t("Fichier du", "File of"), self.t("Ce que dit la banque", "The bank says"),
        ]  # fmt: skip
        self._table(
            console, heads, [self._payment(aid, one) for aid, one in each], (None, 16, None, 22, None, 0), rest=5
        )
        for aid, one in each:
            if one.status == "returned":
                self._line(console, "• " + self._came_back(aid, one), indent=2)
            elif one.status == "unknown":
                self._line(console, "• " + self._not_known(aid, one), indent=2)
        if self.report.bank_folder.is_dir():
            if any(one.status in ("returned", "unknown") for _, one in each):
                console.print()
            self._line(console, self.t(
                f"Les fichiers échangés avec la banque imaginaire sont gardés dans {self.report.bank_folder}",
                f"The files exchanged with the imaginary bank are kept in {self.report.bank_folder}",
            ), style="dim")  # fmt: skip

    def _payment(self, aid: Aid, one: Paid) -> list[str]:
        heard = self.report.heard.get(one.id)
        given = heard.given_on if heard is not None else None
        return [
            brief(aid.person),
            self._speech.spoken(aid.purpose),
            self._euros(one.amount),
            self._state(one),
            self._short(given) if given is not None else "—",
            self._bank_said(one),
        ]

    def _state(self, one: Paid) -> str:
        match one.status:
            case "settled-by-hand" if one.pay_by in HANDED:
                return self.t("remis contre signature", "handed over, signed for")
            case "unknown":
                return self.t("inconnu", "unknown")
            case _ if one.replaces is not None:
                state = self._speech.spoken(one.status)
                return self.t(f"{state} (remplace le versement revenu)", f"{state} (makes good what came back)")
            case status:
                return self._speech.spoken(status)

    def _bank_said(self, one: Paid) -> str:
        """`accepté, débité 15/02/27, rendu 18/02/27 (compte clos)`; what was said on the file's day has no date."""
        heard = self.report.heard.get(one.id)
        if heard is None or heard.given_on is None:
            return "—"
        words = {
            "accepted": ("accepté", "accepted"), "settled": ("débité", "debited"), "rejected": ("rejeté", "rejected"),
            "returned": ("rendu", "returned"),
        }  # fmt: skip
        told = [
            (self.t(*words[said]) if said in words else self._speech.spoken(said))
            + (f" {self._short(day)}" if day != heard.given_on else "")
            + (f" ({self._reason(reason)})" if reason else "")
            for said, day, reason in heard.said
        ]
        return ", ".join(told) or self.t("rien", "nothing")

    def _reason(self, reason: str) -> str:
        return self._speech.spoken(reason.lower())

    def _came_back(self, aid: Aid, one: Paid) -> str:
        what, amount = f"{brief(aid.person)}, {self._speech.spoken(aid.purpose)}", self._euros(one.amount)
        why = self._reason(one.reason)
        again = next((each for each in aid.payments.values() if each.replaces == one.id), None)
        back = self.t(
            f"{what} : la banque a rendu {amount} ({why}). L’argent est revenu au fonds. ",
            f"{what}: the bank gave {amount} back ({why}). The money is in the fund again. ",
        )
        if again is None:
            return back + self.t(
                "À faire par la gestion : demander un autre RIB, puis faire donner de nouveaux accords.",
                "Next for finance: ask for other account details, then have it approved anew.",
            )
        return back + self.t(
            "Un autre RIB a été demandé, de nouveaux accords ont été donnés, et un nouveau versement l’a remplacé.",
            "Other account details were asked for, it was approved anew, and a new payment made it good.",
        )

    def _not_known(self, aid: Aid, one: Paid) -> str:
        heard = self.report.heard.get(one.id)
        given = self._short(heard.given_on) if heard is not None and heard.given_on is not None else "?"
        what, amount = f"{brief(aid.person)}, {self._speech.spoken(aid.purpose)}", self._euros(one.amount)
        return self.t(
            f"{what} : {amount} sont dans le fichier du {given}, la banque n’en dit rien. L’ordre n’est jamais donné "
            "deux fois : la somme reste réservée, la réponse est cherchée chaque jour ouvré, la gestion est prévenue. "
            "À faire par la gestion : appeler la banque, puis noter si l’argent est parti ou non.",
            f"{what}: {amount} are in the file of {given}, and the bank says nothing of them. No order is given twice: "
            "the sum stays reserved, an answer is looked for each working day, finance was told. "
            "Next for finance: call the bank, then record whether the money left or not.",
        )

    def _refusals(self, console: "Console") -> None:
        self._title(console, self.t("Ce que les règles ont refusé", "What the rules refused"))
        if not self.report.refusals:
            self._line(console, self.t("Rien.", "Nothing."))
            return
        for one in self.report.refusals:
            self._line(console, "• " + self._refusal(one), indent=2)

    def _refusal(self, one: Refusal) -> str:
        who = self.report.names.get(one.actor, self._speech.role(one.role))
        day = self._short(self._day(one.at))
        asked = command_word(one.command, self.lang)
        why = refusal(one.code, one.details, self.lang, self.report.book)
        return self.t(
            f"{day}, {brief(one.person)} : {who} ({self._speech.role(one.role)}) a voulu {asked}. {why}",
            f"{day}, {brief(one.person)}: {who} ({self._speech.role(one.role)}) wanted to {asked}. {why}",
        )

    def _audit(self, console: "Console") -> None:
        report = self.report
        self._title(console, self.t("Contrôle de tous les parcours", "Audit of all journeys"))
        events = sum(one.seq for one in report.verifications)
        journeys = len(report.verifications)
        self._line(console, self.t(
            f"{journeys} parcours, {events} faits au journal, {report.messages} messages envoyés. "
            "Cinq comptes de chaque parcours sont comparés au journal :",
            f"{journeys} journeys, {events} facts in the journal, {report.messages} messages sent. "
            "Five accounts of each journey are compared with the journal:",
        ))  # fmt: skip
        rows = []
        for name in AccountName:
            accounts = [one.account(name) for one in report.verifications]
            agree = sum(account.verdict is Verdict.AGREES for account in accounts)
            compared = sum(account.compared for account in accounts)
            mark = "✓" if agree == journeys else "✗"
            rows.append(
                [
                    mark,
                    capital(text(self.lang)(ACCOUNTS[name])),
                    self.t(f"{agree} sur {journeys} concordent", f"{agree} of {journeys} agree"),
                    self.t(f"{compared} événements comparés", f"{compared} events compared"),
                ]
            )
        console.print()
        self._table(console, None, rows)
        self._reconciled(console)
        latest = report.latest.total_seconds()
        told = f"{latest:.1f}".replace(".", "," if self.lang == "fr" else ".")
        self._line(console, self.t(
            f"Ponctualité : échéances, rappels et alertes sont venus à l’heure, à {told} s près au plus.",
            f"Punctuality: deadlines, reminders and escalations came on time, to within {told} s.",
        ) if report.punctual else self.t(
            f"Ponctualité : une échéance est venue {report.latest} trop tard.",
            f"Punctuality: something came {report.latest} late.",
        ))  # fmt: skip
        for one in report.verifications:
            for account in one.accounts:
                if account.verdict is not Verdict.AGREES:
                    self._line(console, f"✗ {one.journey} : {account.told(self.lang)}", indent=2)
        verdict = (
            self.t(
                "Le contrôle tient : chaque compte dit la même chose.", "The audit holds: every account says the same."
            )
            if report.holds
            else self.t(
                "Le contrôle ne tient pas : voyez les lignes marquées ✗.",
                "The audit does not hold: see the lines marked ✗.",
            )
        )
        self._line(console, verdict, style="bold green" if report.holds else "bold red")

    def _reconciled(self, console: "Console") -> None:
        """What left by transfer, as five accounts of it say."""
        found = self.report.reconciled
        accounts = [
            (self.t("fichiers de la banque", "the bank’s files"), found.files),
            (self.t("lignes importées", "lines imported"), found.lines),
            (self.t("grand livre", "ledger"), found.ledger),
            (self.t("journal", "journal"), found.journal),
            (self.t("liste des versements", "list of payments"), found.payments),
        ]
        colon = self.t(" : ", ": ")
        if found.agrees:
            names = listed([name for name, _ in accounts], self.lang)
            self._line(console, self.t(
                f"✓ Virements : {names} disent au centime près la même somme, {self._euros(found.files)}.",
                f"✓ Transfers: {names} say the same sum to the cent, {self._euros(found.files)}.",
            ))  # fmt: skip
            return
        told = ", ".join(f"{name} {self._euros(cents)}" for name, cents in accounts)
        self._line(console, f"✗ {self.t('Virements', 'Transfers')}{colon}{told}.", style="bold red")
        for finding in found.findings:
            self._line(console, f"✗ {capital(told_finding(finding, self.lang))}", indent=2)

    # --- words

    @property
    def _speech(self) -> Speech:
        return Speech(self.report.book, self.report.names, self.lang, State())

    def _day(self, at: datetime) -> date:
        return self.report.book.calendar.day(at)

    def _short(self, day: date) -> str:
        return babel_date(day, "d MMM yy" if self.lang == "en" else "dd/MM/yy", locale=self.lang)

    def _initial(self, id: str | None) -> str:
        """`N. Belkacem`."""
        first, _, last = self.report.names.get(id or "", "?").partition(" ")
        return f"{first[:1]}. {last}" if last else first

    def _people(self, ids: Sequence[str]) -> str:
        return listed([self._initial(id) if id in self.report.names else "…" for id in ids], self.lang)

    def _euros(self, cents: int) -> str:
        """Whole euros without cents: nobody reads them."""
        told = self._speech.money(cents)
        return told.replace(",00", "").removesuffix(".00") if cents % 100 == 0 else told

    # --- lines and tables

    def _title(self, console: "Console", words: str) -> None:
        from rich.rule import Rule

        console.print(Rule(_text(words, "bold"), align="left", style="dim"))

    def _line(self, console: "Console", words: str, *, indent: int = 0, style: str = "") -> None:
        from rich.padding import Padding

        console.print(Padding(_text(words, style), (0, 0, 0, indent)) if indent else _text(words, style))

    def _table(
        self, console: "Console", heads: Sequence[str] | None, rows: Sequence[Sequence[str]],
        caps: Sequence[int | None] = (), rest: int | None = None,
    ) -> None:  # fmt: skip
        """`caps`: the most that a column takes (None: what it needs); the column `rest` takes what is left."""
        from rich import box
        from rich.table import Table

        gap = 0 if heads else (0, 1)
        shown = heads is not None
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=gap, show_header=shown)
        widths = _widths([*([heads] if heads else []), *rows], caps, rest) if caps else [None] * len(rows[0])
        for position, width in enumerate(widths):
            head = _text(heads[position], "bold") if heads else ""
            table.add_column(head, overflow="fold", width=width, no_wrap=width is None)
        for row in rows:
            table.add_row(*(_text(cell) for cell in row))
        console.print(table)
        console.print()


def _widths(lines: Sequence[Sequence[str]], caps: Sequence[int | None], rest: int | None) -> list[int | None]:
    """No word is broken; what is left of a page goes to one column."""
    widths: list[int] = []
    for position, cap in enumerate(caps):
        cells = [line[position] for line in lines]
        whole = max(len(part) for cell in cells for part in cell.split("\n"))
        word = max(len(word) for cell in cells for word in cell.split() or [""])
        widths.append(whole if cap is None else min(whole, max(cap, word)))
    if rest is not None:
        others = sum(widths) - widths[rest] + len(widths) - 1
        widths[rest] = max(WIDTH - others, NARROWEST)
    return list(widths)


def brief(name: str) -> str:
    """First name and initial: what a list on a screen may show."""
    first, _, last = name.partition(" ")
    return f"{first} {last[:1]}." if last else first


def _counted(rows: Sequence[list[str]], column: int) -> list[list[str]]:
    """Rows that read the same, once, with how many they stand for."""
    return [
        [f"{cell} ({count})" if count > 1 and place == column else cell for place, cell in enumerate(row)]
        for row, count in Counter(tuple(row) for row in rows).items()
    ]


def _many(word: str, count: int) -> str:
    return word if count < 2 else f"{word}s"


def _text(words: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(printable(words), style=style)


def _console() -> "Console":
    """Never wider than a page, also where the output goes to a file."""
    from rich.console import Console

    plain = bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty()
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, no_color=True if plain else None)
    width = min(console.width, WIDTH + 10) if console.is_terminal else WIDTH
    return Console(
        file=sys.stdout, highlight=False, markup=False, emoji=False, width=width, no_color=True if plain else None
    )


# --- for programs


def as_json(report: Report) -> dict[str, Any]:
    """`journeys`, `escalations`, `payments`, `audit` and what belongs to them; instants in UTC, amounts in cents."""
    states = {one.journey: one for one in report.outcomes}
    return {
        "journeys": [_journey_json(one, report) for one in states.values()],
        "escalations": [_alert_json(one, report.names) for one in report.alerts],
        "payments": [
            _payment_json(aid, one, report.heard.get(one.id)) for aid in report.aids for one in aid.payments.values()
        ],
        "bank_folder": str(report.bank_folder),
        "grants": [_aid_json(one, report.names) for one in report.aids],
        "refusals": [
            {"journey": one.journey.removeprefix("journey-"), "at": one.at.isoformat(), "command": one.command,
             "code": one.code, "actor": report.names.get(one.actor, one.actor), "role": one.role}
            for one in report.refusals
        ],
        "funds": [
            {"code": fund.code, "available": fund.available, "reserved": fund.reserved, "paid": fund.paid}
            for fund in report.funds
        ],
        "audit": {
            "holds": report.holds,
            "latest_seconds": report.latest.total_seconds(),
            "transfers": asdict(report.reconciled) | {"agrees": report.reconciled.agrees},
            "verifications": [one.as_json() for one in report.verifications],
        },
        "began": report.began.isoformat(),
        "ended": report.ended.isoformat(),
        "seconds": round(report.seconds, 1),
    }  # fmt: skip


def _journey_json(one: Outcome, report: Report) -> dict[str, Any]:
    return {
        "id": one.journey.removeprefix("journey-"), "name": one.person, "status": one.status, "outcome": one.outcome,
        "programme": report.book.programme.programme, "phase": one.phase, "seq": one.events,
        "next_due": one.next_due.isoformat() if one.next_due else None, "story": dict(one.story),
        "begins": one.begins.isoformat() if one.begins else None, "situations": dict(one.situations),
        "measures": dict(one.measures), "milestones": {"reached": one.reached, "wanted": one.wanted, "late": one.late},
        "contacts": {"made": one.contacts_made, "missed": one.contacts_missed},
    }  # fmt: skip


def _alert_json(one: Alert, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "journey": one.journey.removeprefix("journey-"), "id": one.id, "about": one.about.model_dump(),
        "ladder": one.ladder,
        "raised_at": one.raised_at.isoformat(), "step": one.step, "role": one.role, "times_told": one.times,
        "told": {role: [names.get(id, id) for id in who] for role, who in one.told.items()}, "nobody": one.nobody,
        "ended_at": one.ended_at.isoformat() if one.ended_at else None, "how": one.how,
    }  # fmt: skip


def _payment_json(aid: Aid, one: Paid, heard: Heard | None) -> dict[str, Any]:
    given = heard.given_on if heard is not None else None
    return {
        "journey": aid.journey.removeprefix("journey-"), "grant": aid.id, "id": one.id, "number": one.number,
        "amount": one.amount, "status": one.status, "was_unknown": one.was_unknown, "receipt": one.receipt,
        "pay_by": one.pay_by, "reason": one.reason or None, "replaces": one.replaces,
        "given_on": given.isoformat() if given else None,
        "bank": [
            {"said": said, "on": day.isoformat(), "reason": reason or None}
            for said, day, reason in (heard.said if heard is not None else ())
        ],
    }  # fmt: skip


def _aid_json(one: Aid, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "journey": one.journey.removeprefix("journey-"), "id": one.id, "purpose": one.purpose, "amount": one.amount,
        "asked_at": one.asked_at.isoformat(), "asked_by": names.get(one.asked_by, one.asked_by),
        "approvals": [{"by": names.get(who, who), "as": role} for who, role in one.approvals],
        "decision": one.decision, "paid": one.paid,
    }  # fmt: skip
