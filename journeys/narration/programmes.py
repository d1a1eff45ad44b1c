"""A programme's own rules in plain words: phases, cadences, reminders, ladders, money."""

from journeys.domain.chases import USUAL
from journeys.domain.handbook import STANDARD_LADDER, Handbook
from journeys.domain.moments import Duration, Moment
from journeys.domain.programme import Appointments, Contact, Grant, Ladder, Milestone
from journeys.i18n import capital, listed
from journeys.narration.moments import duration_words, moment_words
from journeys.narration.telling import Speech


class Rules:
    """The rules of one programme, told in one language."""

    def __init__(self, book: Handbook, lang: str) -> None:
        self._book = book
        self._lang = lang
        self._speech = Speech(book, {}, lang)

    def phase(self, moment: Moment | None, when: tuple[str, ...]) -> str:
        """When a phase begins or ends: `dès « levée d'écrou »`, `une fois atteint : …`; empty when nothing says it."""
        if moment is not None:
            return moment_words(moment, self._book, self._lang)
        if not when:
            return ""
        return self._speech.say("une fois atteint : {milestones}", milestones=self._milestones(when))

    def due(self, milestone: Milestone) -> str:
        """When a milestone falls due, and what it waits for."""
        words = [moment_words(milestone.due, self._book, self._lang)] if milestone.due is not None else []
        if milestone.needs:
            words.append(self._speech.say("après {milestones}", milestones=self._milestones(milestone.needs)))
        return ", ".join(words)

    def reminders(self, milestone: Milestone) -> list[str]:
        """`référent, 7 jours avant`."""
        return [
            self._speech.say("{who}, {length} avant", who=self._speech.role(each.to), length=self.length(each.when))
            for each in milestone.remind
        ]

    def chases(self, appointments: Appointments) -> list[str]:
        """What follows a missed appointment, step by step: `appel (2 jours ouvrés)`."""
        told = []
        for step in appointments.missed:
            if step.do == "escalation":
                told.append(self.ladder(step.ladder) or self._speech.say("alerte"))
            else:
                told.append(f"{self._speech.spoken(step.do)} ({self.length(step.within or USUAL)})")
        return told

    def cadence(self, contact: Contact) -> str:
        """How often, and until how long after its beginning."""
        say = self._speech.say
        return say(", puis ").join(
            say("un contact par période de {length}, jusqu'à {until} après le début",
                length=self.length(each.every), until=self.length(each.until))
            for each in contact.cadence
        )  # fmt: skip

    def ladder(self, code: str | None) -> str:
        """What a ladder is called: programmes give them no name."""
        if code is None:
            return ""
        if code == STANDARD_LADDER:
            return self._speech.say("alerte de repli")
        ladders = {name: each for name, each in self._book.programme.ladders.items() if name != STANDARD_LADDER}
        alike = [name for name, each in ladders.items() if each.urgent == ladders[code].urgent]
        words = self._speech.say("alerte urgente") if ladders[code].urgent else self._speech.say("alerte ordinaire")
        return words if len(alike) == 1 else f"{words} {alike.index(code) + 1}"

    def steps(self, ladder: Ladder) -> list[str]:
        """Who is told, and after how long if nobody acts."""
        say, told = self._speech.say, []
        for step in ladder.steps:
            who = self._speech.role(step.to)
            if step.fallback:
                fallback = self._listed([self._speech.role(role) for role in step.fallback])
                who = say("{who} (à défaut {fallback})", who=who, fallback=fallback)
            if step.after.amount == 0:
                words = say("tout de suite : {who}", who=who)
            else:
                words = say("après {length} : {who}", length=self.length(step.after), who=who)
            if step.repeat is not None:
                words += say(", puis redit {times} fois, à {length} d'intervalle", times=step.times,
                             length=self.length(step.repeat))  # fmt: skip
            told.append(capital(words))
        return told

    def acknowledged(self, ladder: Ladder) -> str:
        """How long taking charge stops it."""
        length = self.length(ladder.acknowledged_for)
        return self._speech.say("prendre en charge arrête la suite pendant {length}", length=length)

    def levels(self, grant: Grant) -> list[str]:
        """`jusqu'à 300 € : responsable`, `au-delà : responsable et gestionnaire`."""
        say, told = self._speech.say, []
        for number, level in enumerate(grant.levels):
            who = self._listed([self._speech.role(role) for role in level.approvals])
            if level.up_to is not None:
                told.append(say("jusqu'à {amount} : {who}", amount=self._speech.money(level.up_to), who=who))
            else:
                told.append(say("au-delà : {who}", who=who) if number else say("quel que soit le montant : {who}",
                                                                                who=who))  # fmt: skip
        return told

    def instalments(self, grant: Grant) -> str:
        """`50 % dès l'accord, 50 % 1 mois après « levée d'écrou »`."""
        say = self._speech.say
        return ", ".join(
            say("{share} % dès l'accord", share=each.share)
            if each.when is None
            else say("{share} % {when}", share=each.share, when=moment_words(each.when, self._book, self._lang))
            for each in grant.instalments
        )

    def spoken(self, codes: tuple[str, ...]) -> str:
        """Codes of purposes, means, ways to pay."""
        return ", ".join(self._speech.spoken(code) for code in codes)

    def role(self, code: str) -> str:
        return self._speech.role(code)

    def moment(self, moment: Moment) -> str:
        return moment_words(moment, self._book, self._lang)

    def length(self, length: Duration) -> str:
        return duration_words(length, self._lang)

    def _milestones(self, codes: tuple[str, ...]) -> str:
        return self._listed([self._speech.milestone(code) for code in codes])

    def _listed(self, words: list[str]) -> str:
        return listed(words, self._lang)
