"""Milestones, told: their deadlines, evidence and checks."""

from journeys.domain import events as e
from journeys.narration.telling import Telling, tells


@tells(e.DeadlineSet)
def _set(t: Telling, d: e.DeadlineSet) -> str:
    if d.awaits is not None:
        return t.say(
            "À faire : {milestone}, au plus tard le {day} (à condition que ce jour soit confirmé : {date}).",
            milestone=t.milestone(d.milestone), day=_due(t, d), date=t.date(d.awaits),
        )  # fmt: skip
    return t.say("À faire : {milestone}, au plus tard le {day}.", milestone=t.milestone(d.milestone), day=_due(t, d))


@tells(e.DeadlineMoved)
def _moved(t: Telling, d: e.DeadlineMoved) -> str:
    return t.say(
        "L'échéance change : {milestone}, au plus tard le {day}.", milestone=t.deadline(d.deadline), day=_due(t, d)
    )


def _due(t: Telling, d: e.DeadlineSet | e.DeadlineMoved) -> str:
    return t.day(d.day) if d.day is not None else t.when(d.at)


@tells(e.DeadlineMet)
def _met(t: Telling, d: e.DeadlineMet) -> str:
    return t.say("Échéance close, l'étape est faite : {milestone}.", milestone=t.deadline(d.deadline))


@tells(e.DeadlineMissed)
def _missed(t: Telling, d: e.DeadlineMissed) -> str:
    return t.say("L'échéance est passée, l'étape reste à faire : {milestone}.", milestone=t.deadline(d.deadline))


@tells(e.DeadlineCancelled)
def _cancelled(t: Telling, d: e.DeadlineCancelled) -> str:
    return t.say("Échéance retirée : {milestone} ({why}).", milestone=t.deadline(d.deadline), why=t.spoken(d.why))


@tells(e.DeadlineCorrected)
def _put_right(t: Telling, d: e.DeadlineCorrected) -> str:
    return t.say(
        "On l'apprend après coup : l'étape avait été faite à temps, {milestone}.", milestone=t.deadline(d.deadline)
    )


@tells(e.ReminderTaken)
def _reminder(t: Telling, d: e.ReminderTaken) -> str:
    return t.say("C'est le moment de rappeler : {milestone}.", milestone=t.deadline(d.deadline))


@tells(e.MilestoneReached)
def _reached(t: Telling, d: e.MilestoneReached) -> str:
    if t.by_someone:
        return t.say(
            "{who} a noté une étape comme faite le {day} : {milestone}.",
            who=t.who,
            day=t.day(d.on),
            milestone=t.milestone(d.milestone),
        )
    return t.say(
        "Étape atteinte le {day} : {milestone} ({how}).",
        day=t.day(d.on), milestone=t.milestone(d.milestone), how=t.spoken(d.how),
    )  # fmt: skip


@tells(e.MilestoneWaived)
def _waived(t: Telling, d: e.MilestoneWaived) -> str:
    return t.say("{who} a dispensé d'une étape : {milestone}.", who=t.who, milestone=t.milestone(d.milestone))


@tells(e.MilestoneCorrected)
def _corrected(t: Telling, d: e.MilestoneCorrected) -> str:
    if d.to == "reached" and d.on is not None:
        return t.say(
            "{who} a corrigé : {milestone} était fait le {day}.",
            who=t.who,
            milestone=t.milestone(d.milestone),
            day=t.day(d.on),
        )
    return t.say("{who} a corrigé : {milestone} reste à faire.", who=t.who, milestone=t.milestone(d.milestone))


@tells(e.MilestoneRescheduled)
def _rescheduled(t: Telling, d: e.MilestoneRescheduled) -> str:
    return t.say(
        "{who} a fixé un autre jour, le {day}, pour : {milestone}.",
        who=t.who, day=t.day(d.on), milestone=t.milestone(d.milestone),
    )  # fmt: skip


@tells(e.EvidenceAdded)
def _evidence(t: Telling, d: e.EvidenceAdded) -> str:
    return t.say(
        "{who} a joint une pièce ({kind}) pour : {milestone}.",
        who=t.who, kind=t.spoken(d.kind), milestone=t.milestone(d.milestone),
    )  # fmt: skip


@tells(e.NoteAdded)
def _note(t: Telling, d: e.NoteAdded) -> str:
    return t.say("{who} a écrit une note.", who=t.who)


@tells(e.CheckCalled)
def _called(t: Telling, d: e.CheckCalled) -> str:
    if t.by_someone:
        return t.say("{who} a demandé une vérification : {milestone}.", who=t.who, milestone=t.milestone(d.milestone))
    return t.say("Une vérification est demandée à l'échéance : {milestone}.", milestone=t.milestone(d.milestone))


@tells(e.CheckPassed)
def _passed(t: Telling, d: e.CheckPassed) -> str:
    return t.say("La vérification confirme : {milestone}.", milestone=_checked(t, d.check))


@tells(e.CheckFailed)
def _failed(t: Telling, d: e.CheckFailed) -> str:
    return t.say("La vérification ne confirme pas encore : {milestone}.", milestone=_checked(t, d.check))


@tells(e.CheckUnknown)
def _unknown(t: Telling, d: e.CheckUnknown) -> str:
    return t.say(
        "La vérification n'a pas donné de réponse ({why}) : {milestone}.",
        why=t.spoken(d.reason), milestone=_checked(t, d.check),
    )  # fmt: skip


def _checked(t: Telling, check: str) -> str:
    known = t.state.milestones if t.state is not None else {}
    code = next((code for code, milestone in known.items() if milestone.checking == check), None)
    return t.milestone(code) if code is not None else t.say("une étape")
