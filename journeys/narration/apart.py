"""Two programmes side by side in plain words: what is new, what is gone, what is said otherwise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from journeys.domain.handbook import Handbook
from journeys.domain.programme import Closing, Contact, DateRule, Grant, Guard, Ladder, Measure, Milestone, Phase, Role
from journeys.i18n import N_, capital, format_money, text
from journeys.narration.moments import moment_words
from journeys.narration.programmes import Rules
from journeys.narration.words import spoken

How = Literal["new", "gone", "otherwise"]


@dataclass(frozen=True, slots=True)
class Apart:
    """One thing that the two say differently. `facet` is what is said of it (empty: of the thing as a whole)."""

    section: str
    name: str
    how: How
    facet: str = ""
    before: str = ""
    after: str = ""


def apart(before: Handbook, after: Handbook, lang: str) -> list[Apart]:
    """Every difference, section by section in the order of a programme file."""
    old, new = _Side(before, lang), _Side(after, lang)
    found = _compared(text(lang)(N_("Programme")), {"": old.frame()}, {"": new.frame()}, lang, lambda _: "")
    for section, part, facets in _PARTS:
        tables = [
            {code: facets(side, each) for code, each in getattr(side.book.programme, part).items()}
            for side in (old, new)
        ]
        found += _compared(text(lang)(section), tables[0], tables[1], lang, _namer(part, old, new))
    return found


Facets = Mapping[str, str]
"""What is said of one thing: by the name of the facet, in words."""


def _compared(
    section: str, before: Mapping[str, Facets], after: Mapping[str, Facets], lang: str, name: Callable[[str], str]
) -> list[Apart]:
    found = []
    for code in dict.fromkeys((*before, *after)):
        if code not in after:
            found.append(Apart(section, name(code), "gone"))
        elif code not in before:
            told = "; ".join(f"{text(lang)(facet)} : {words}" for facet, words in after[code].items() if words)
            found.append(Apart(section, name(code), "new", after=told))
        else:
            found += [
                Apart(section, name(code), "otherwise", text(lang)(facet), before[code][facet] or "–",
                      after[code][facet] or "–")
                for facet in after[code] if before[code][facet] != after[code][facet]
            ]  # fmt: skip
    return found


def _namer(part: str, old: "_Side", new: "_Side") -> Callable[[str], str]:
    def name(code: str) -> str:
        side = new if code in getattr(new.book.programme, part) else old
        known = getattr(side.book.programme, part)[code]
        if isinstance(known, Ladder):
            return f"{capital(side.rules.ladder(code))} ({code})"
        if isinstance(known, Guard):
            return code
        if isinstance(known, Role):
            return capital(side.rules.role(code))
        label = getattr(known, "label", None)
        return capital(label.in_(side.lang) if label is not None else spoken(code, side.lang))

    return name


class _Side:
    """One of the two programmes, telling what it says."""

    def __init__(self, book: Handbook, lang: str) -> None:
        self.book, self.lang, self.rules = book, lang, Rules(book, lang)

    def frame(self) -> Facets:
        programme, rules = self.book.programme, self.rules
        begins = programme.dates.get(programme.active_from)
        return {
            N_("nom"): programme.label.in_(self.lang),
            N_("l'accompagnement commence à"): begins.label.in_(self.lang) if begins is not None else "",
            N_("terme"): rules.moment(programme.ends) if programme.ends is not None else "",
            N_("point régulier"): rules.length(programme.review),
            N_("point pendant une suspension"): rules.length(programme.suspension_review),
            N_("suite d'un rendez-vous manqué"): "; ".join(rules.chases(programme.appointments)),
            N_("suite d'une convocation manquée"): rules.ladder(programme.appointments.summons_missed),
            N_("réponse d'un partenaire"): rules.length(programme.referrals.answer_within),
            N_("heures d'ouverture"): f"{programme.clock.opens}–{programme.clock.closes}",
            N_("heures de repos"): f"{programme.clock.quiet_from}–{programme.clock.quiet_to}",
            N_("délai minimal d'une échéance"): rules.length(programme.clock.short_notice),
            N_("calendrier"): f"{programme.clock.calendar}, {programme.clock.zone}",
        }

    def date(self, date: DateRule) -> Facets:
        return {
            N_("à confirmer sous"): self.rules.length(date.confirm_within), N_("sinon"): self.rules.ladder(date.missed),
            N_("commune à la promotion"): self._yes(date.shared),
        }  # fmt: skip

    def phase(self, phase: Phase) -> Facets:
        return {
            N_("début"): self.rules.phase(phase.enter, phase.enter_when),
            N_("fin"): self.rules.phase(phase.leave, phase.leave_when),
        }

    def milestone(self, milestone: Milestone) -> Facets:
        phase = self.book.programme.phases.get(milestone.phase or "")
        return {
            N_("échéance"): self.rules.due(milestone),
            N_("phase"): phase.label.in_(self.lang) if phase is not None else "",
            N_("facultative"): self._yes(not milestone.required),
            N_("constat"): spoken(milestone.check.value, self.lang),
            N_("pièces"): self.rules.spoken(milestone.evidence),
            N_("valeurs attendues"): self.rules.spoken(milestone.good),
            N_("tenue pendant"): self.rules.length(milestone.kept) if milestone.kept is not None else "",
            N_("rappels"): "; ".join(self.rules.reminders(milestone)),
            N_("sinon"): self.rules.ladder(milestone.missed),
            N_("termine le parcours"): self._yes(milestone.closes is not None),
            N_("jour fixé par la loi"): self._yes(milestone.origin == "law"),
        }

    def contact(self, contact: Contact) -> Facets:
        return {
            N_("début"): self.rules.moment(contact.start), N_("rythme"): self.rules.cadence(contact),
            N_("par"): self.rules.role(contact.by), N_("moyens"): self.rules.spoken(contact.means),
            N_("sinon"): self.rules.ladder(contact.missed),
        }  # fmt: skip

    def ladder(self, ladder: Ladder) -> Facets:
        return {
            N_("paliers"): "; ".join(self.rules.steps(ladder)), N_("urgente"): self._yes(ladder.urgent),
            N_("prise en charge"): self.rules.acknowledged(ladder),
        }  # fmt: skip

    def grant(self, grant: Grant) -> Facets:
        length = self.rules.length
        return {
            N_("plafond"): format_money(grant.cap, self.lang), N_("fonds"): grant.fund,
            N_("objets"): self.rules.spoken(grant.purposes), N_("accords"): "; ".join(self.rules.levels(grant)),
            N_("décision sous"): length(grant.decide_within), N_("versements"): self.rules.instalments(grant),
            N_("justificatifs sous"): length(grant.receipts) if grant.receipts is not None else "",
            N_("versé par"): self.rules.spoken(grant.pay_by), N_("sinon"): self.rules.ladder(grant.missed),
        }  # fmt: skip

    def situation(self, values: tuple[str, ...]) -> Facets:
        return {N_("valeurs"): self.rules.spoken(values)}

    def guard(self, guard: Guard) -> Facets:
        programme = self.book.programme
        return {
            N_("phrase"): guard.says.in_(self.lang),
            N_("valeurs refusées"): self.rules.spoken(guard.bars),
            N_("pour qui a cette date"): programme.dates[guard.when].label.in_(self.lang) if guard.when else "",
            N_("avant l'âge de"): str(guard.under or ""),
            N_("levé par"): ", ".join(programme.milestones[code].label.in_(self.lang) for code in guard.needs),
            N_("ni mentor"): self._yes(guard.mentor),
        }

    def measure(self, measure: Measure) -> Facets:
        return {
            N_("jours"): ", ".join(moment_words(each, self.book, self.lang) for each in measure.at),
            N_("valeurs attendues"): self.rules.spoken(measure.good),
            N_("noté après"): self.rules.length(measure.settle),
        }

    def role(self, role: Role) -> Facets:
        return {N_("nom"): role.en if self.lang == "en" else role.fr, N_("droits de"): role.rights or ""}

    def closing(self, closing: Closing) -> Facets:
        return {N_("nom"): closing.label.in_(self.lang), N_("sans message"): self._yes(closing.silent)}

    def _yes(self, holds: bool) -> str:
        return text(self.lang)(N_("oui")) if holds else text(self.lang)(N_("non"))


_PARTS: Final[tuple[tuple[str, str, Callable[[_Side, Any], Facets]], ...]] = (
    (N_("Rôles"), "roles", _Side.role),
    (N_("Dates"), "dates", _Side.date),
    (N_("Phases"), "phases", _Side.phase),
    (N_("Étapes"), "milestones", _Side.milestone),
    (N_("Suivis"), "contacts", _Side.contact),
    (N_("Alertes"), "ladders", _Side.ladder),
    (N_("Aides"), "grants", _Side.grant),
    (N_("Situations"), "situations", _Side.situation),
    (N_("Gardes"), "guards", _Side.guard),
    (N_("Mesures"), "measures", _Side.measure),
    (N_("Issues"), "closings", _Side.closing),
)
