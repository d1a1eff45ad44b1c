"""The frame of a journey, told: its beginning, dates, phases, suspensions, referent, reviews and end."""

from journeys.domain import events as e
from journeys.narration.refusals import refusal
from journeys.narration.telling import Telling, tells
from journeys.narration.words import command_word


@tells(e.JourneyPlanned)
def _planned(t: Telling, d: e.JourneyPlanned) -> str:
    programme, referent = t.book.programme.label.in_(t.lang), t.person(d.referent, "referent")
    if d.watch_from is not None:
        return t.say(
            "{who} a repris ici un parcours déjà commencé, {programme}, avec pour référent {referent} ; "
            "rien n'est attendu pour la période avant le {day}.",
            who=t.who, programme=t.quoted(programme), referent=referent, day=t.local_day(d.watch_from),
        )  # fmt: skip
    return t.say(
        "{who} a ouvert le parcours {programme} à partir du {day}, avec pour référent {referent}.",
        who=t.who, programme=t.quoted(programme), day=t.day(d.start), referent=referent,
    )  # fmt: skip


@tells(e.ProgrammeChanged)
def _programme_changed(t: Telling, d: e.ProgrammeChanged) -> str:
    label = t.quoted(t.book.programme.label.in_(t.lang))
    before = t.book.former[-1].programme if t.book.former else t.book.programme
    if before.programme == d.name:
        return t.say("{who} a appliqué au parcours les règles modifiées du programme {programme}.",
                     who=t.who, programme=label)  # fmt: skip
    return t.say(
        "{who} a fait passer le parcours du programme {before} au programme {programme}.",
        who=t.who, before=t.quoted(before.label.in_(t.lang)), programme=label,
    )  # fmt: skip


@tells(e.JourneyActivated)
def _activated(t: Telling, d: e.JourneyActivated) -> str:
    return t.say("L'accompagnement commence.")


@tells(e.PhaseEntered)
def _entered(t: Telling, d: e.PhaseEntered) -> str:
    return t.say("La phase {phase} commence le {day}.", phase=t.phase(d.phase), day=t.day(d.on))


@tells(e.PhaseCompleted)
def _completed(t: Telling, d: e.PhaseCompleted) -> str:
    return t.say("La phase {phase} est terminée.", phase=t.phase(d.phase))


@tells(e.MomentsPlanned)
def _moments(t: Telling, d: e.MomentsPlanned) -> str:
    return t.say(
        "Le calendrier du parcours est mis à jour (moments fixés : {set}, retirés : {dropped}).",
        set=len(d.set), dropped=len(d.dropped),
    )  # fmt: skip


# --- dates


@tells(e.DateExpected)
def _expected(t: Telling, d: e.DateExpected) -> str:
    if t.by_someone:
        return t.say(
            "{who} a noté une date attendue : {date}, le {day}.", who=t.who, date=t.date(d.date), day=t.day(d.on)
        )
    return t.say("Date attendue : {date}, le {day}.", date=t.date(d.date), day=t.day(d.on))


@tells(e.DateMoved)
def _moved(t: Telling, d: e.DateMoved) -> str:
    return t.say(
        "{who} a déplacé une date attendue : {date}, le {day} au lieu du {before}.",
        who=t.who, date=t.date(d.date), day=t.day(d.on), before=t.day(d.before),
    )  # fmt: skip


@tells(e.DateHappened)
def _happened(t: Telling, d: e.DateHappened) -> str:
    return t.say("{who} a confirmé : {date}, le {day}.", who=t.who, date=t.date(d.date), day=t.day(d.on))


@tells(e.DateCancelled)
def _cancelled(t: Telling, d: e.DateCancelled) -> str:
    if t.by_someone:
        return t.say("{who} a annulé une date attendue : {date}.", who=t.who, date=t.date(d.date))
    return t.say("Date retirée du calendrier : {date} ({why}).", date=t.date(d.date), why=t.spoken(d.why))


@tells(e.DateUnconfirmed)
def _unconfirmed(t: Telling, d: e.DateUnconfirmed) -> str:
    return t.say(
        "Le jour attendu est passé sans confirmation : {date}, le {day}.", date=t.date(d.date), day=t.day(d.on)
    )


@tells(e.DateCorrected)
def _corrected(t: Telling, d: e.DateCorrected) -> str:
    return t.say(
        "{who} a corrigé une date : {date}, le {day} et non le {before}.",
        who=t.who, date=t.date(d.date), day=t.day(d.on), before=t.day(d.before),
    )  # fmt: skip


# --- suspension, end, reviews


@tells(e.JourneySuspended)
def _suspended(t: Telling, d: e.JourneySuspended) -> str:
    if d.until is None:
        return t.say(
            "{who} a suspendu le parcours à partir du {day} ({why}).",
            who=t.who,
            day=t.day(d.since),
            why=t.spoken(d.why),
        )
    return t.say(
        "{who} a suspendu le parcours à partir du {day} ({why}), en principe jusqu'au {until}.",
        who=t.who, day=t.day(d.since), why=t.spoken(d.why), until=t.day(d.until),
    )  # fmt: skip


@tells(e.JourneyResumed)
def _resumed(t: Telling, d: e.JourneyResumed) -> str:
    return t.say("{who} a repris le parcours le {day} ; les délais suspendus repartent.", who=t.who, day=t.day(d.since))


@tells(e.JourneyClosed)
def _closed(t: Telling, d: e.JourneyClosed) -> str:
    if t.by_someone:
        return t.say(
            "{who} a clos le parcours le {day} : {outcome}.", who=t.who, day=t.day(d.on), outcome=t.outcome(d.outcome)
        )
    return t.say("Le parcours est clos au {day} : {outcome}.", day=t.day(d.on), outcome=t.outcome(d.outcome))


@tells(e.ClosingWanted)
def _closing_wanted(t: Telling, d: e.ClosingWanted) -> str:
    if d.outcome is None:
        return t.say("Le programme est arrivé à son terme : il reste à clore le parcours.")
    return t.say(
        "Le programme est arrivé à son terme : il reste à clore le parcours (issue proposée : {outcome}).",
        outcome=t.outcome(d.outcome),
    )


@tells(e.JourneyReopened)
def _reopened(t: Telling, d: e.JourneyReopened) -> str:
    return t.say("{who} a rouvert le parcours.", who=t.who)


@tells(e.ReviewDue)
def _review(t: Telling, d: e.ReviewDue) -> str:
    if not d.found:
        return t.say(
            "Point régulier sur le parcours : rien à signaler. Prochain point le {day}.", day=t.local_day(d.next_at)
        )
    return t.say(
        "Point régulier sur le parcours : {found}. Prochain point le {day}.",
        found=t.listed([t.spoken(code) for code in d.found]), day=t.local_day(d.next_at),
    )  # fmt: skip


@tells(e.ReviewPlanned)
def _review_planned(t: Telling, d: e.ReviewPlanned) -> str:
    return t.say("Un premier point sur le parcours est prévu le {day}.", day=t.local_day(d.at))


# --- referent


@tells(e.ReferentAssigned)
def _assigned(t: Telling, d: e.ReferentAssigned) -> str:
    return t.say("{who} a confié le parcours à {referent}.", who=t.who, referent=t.person(d.referent, "referent"))


@tells(e.TransferAsked)
def _transfer(t: Telling, d: e.TransferAsked) -> str:
    return t.say(
        "{who} a demandé à {to} de reprendre le parcours ; sans réponse, la reprise aura lieu le {day}.",
        who=t.who, to=t.person(d.to, "referent"), day=t.local_day(d.accept_at),
    )  # fmt: skip


@tells(e.TransferReminded)
def _transfer_reminded(t: Telling, d: e.TransferReminded) -> str:
    return t.say("La demande de reprise du parcours attend une réponse : elle est rappelée.")


@tells(e.JourneyTransferred)
def _transferred(t: Telling, d: e.JourneyTransferred) -> str:
    to = t.person(d.to, "referent")
    if d.by_itself:
        return t.say("Le délai de réponse est passé : {to} reprend le parcours.", to=to)
    return t.say("{who} a accepté la reprise : {to} suit désormais le parcours.", who=t.who, to=to)


@tells(e.TransferDeclined)
def _transfer_declined(t: Telling, d: e.TransferDeclined) -> str:
    return t.say("{who} a répondu que la reprise du parcours n'est pas possible.", who=t.who)


@tells(e.TransferCancelled)
def _transfer_cancelled(t: Telling, d: e.TransferCancelled) -> str:
    if t.by_someone:
        return t.say("{who} a annulé la demande de reprise du parcours.", who=t.who)
    return t.say("La demande de reprise du parcours est annulée ({why}).", why=t.spoken(d.why))


@tells(e.CommandRefused)
def _refused(t: Telling, d: e.CommandRefused) -> str:
    return t.say(
        "{who} a voulu {command} ; ce n'était pas possible. {why}",
        who=t.who, command=command_word(d.name, t.lang), why=refusal(d.code, d.details, t.lang, t.book),
    )  # fmt: skip
