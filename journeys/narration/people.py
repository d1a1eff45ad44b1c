"""The people around a journey, told: mentor, partners, and the person's own situation, consent and wishes."""

from journeys.domain import events as e
from journeys.narration.telling import Telling, tells


@tells(e.MentorProposed)
def _proposed(t: Telling, d: e.MentorProposed) -> str:
    return t.say("{who} a proposé {mentor} comme mentor.", who=t.who, mentor=t.mentor(d.mentor))


@tells(e.MentorMatched)
def _matched(t: Telling, d: e.MentorMatched) -> str:
    return t.say(
        "{who} a confirmé {mentor} comme mentor à partir du {day}.",
        who=t.who,
        mentor=t.mentor(d.mentor),
        day=t.day(d.on),
    )


@tells(e.MentorDeclined)
def _declined(t: Telling, d: e.MentorDeclined) -> str:
    return t.say("{who} a noté que le mentorat ne se fera pas avec {mentor}.", who=t.who, mentor=t.mentor(d.mentor))


@tells(e.MentorProposalCancelled)
def _proposal_over(t: Telling, d: e.MentorProposalCancelled) -> str:
    return t.say(
        "La proposition de mentor est retirée ({why}) : {mentor}.", why=t.spoken(d.why), mentor=t.mentor(d.mentor)
    )


@tells(e.MentorEnded)
def _ended(t: Telling, d: e.MentorEnded) -> str:
    if t.by_someone:
        return t.say("{who} a mis fin au mentorat avec {mentor}.", who=t.who, mentor=t.mentor(d.mentor))
    return t.say("Le mentorat avec {mentor} prend fin ({why}).", mentor=t.mentor(d.mentor), why=t.spoken(d.why))


@tells(e.ReferralSent)
def _sent(t: Telling, d: e.ReferralSent) -> str:
    fields = {
        "who": t.who,
        "partner": t.partner(d.partner),
        "purpose": t.spoken(d.purpose),
        "day": t.local_day(d.answer_by),
    }
    if d.named:
        return t.say("{who} a orienté la personne vers {partner} ({purpose}) ; réponse attendue le {day}.", **fields)
    return t.say(
        "{who} a orienté la personne vers {partner} ({purpose}), sans donner son nom ; réponse attendue le {day}.",
        **fields,
    )


@tells(e.ReferralAccepted)
def _accepted(t: Telling, d: e.ReferralAccepted) -> str:
    return t.say("{who} a noté une réponse favorable : {referral}.", who=t.who, referral=t.referral(d.referral))


@tells(e.ReferralDeclined)
def _not_taken(t: Telling, d: e.ReferralDeclined) -> str:
    return t.say(
        "{who} a noté que le partenaire ne peut pas donner suite : {referral}.",
        who=t.who,
        referral=t.referral(d.referral),
    )


@tells(e.ReferralExpired)
def _expired(t: Telling, d: e.ReferralExpired) -> str:
    return t.say("Le délai de réponse est passé : {referral}.", referral=t.referral(d.referral))


@tells(e.ReferralCancelled)
def _cancelled(t: Telling, d: e.ReferralCancelled) -> str:
    if t.by_someone:
        return t.say("{who} a annulé {referral}.", who=t.who, referral=t.referral(d.referral))
    return t.say(
        "L'orientation est annulée ({why}) : {referral}.", why=t.spoken(d.why), referral=t.referral(d.referral)
    )


# --- the person


@tells(e.SituationChanged)
def _situation(t: Telling, d: e.SituationChanged) -> str:
    return t.say(
        "{who} a noté la situation ({situation}) : {value}, depuis le {day}.",
        who=t.who, situation=t.spoken(d.situation), value=t.spoken(d.value), day=t.day(d.since),
    )  # fmt: skip


@tells(e.SituationCorrected)
def _situation_corrected(t: Telling, d: e.SituationCorrected) -> str:
    return t.say(
        "{who} a corrigé la situation ({situation}) : {value}, depuis le {day}.",
        who=t.who, situation=t.spoken(d.situation), value=t.spoken(d.value), day=t.day(d.since),
    )  # fmt: skip


@tells(e.OutcomeMeasured)
def _measured(t: Telling, d: e.OutcomeMeasured) -> str:
    fields = {"measure": t.measure(d.measure), "day": t.day(d.day), "value": t.spoken(d.value)}
    if t.by_someone:
        return t.say("{who} a noté, pour le {day}, {measure} : {value}.", who=t.who, **fields)
    return t.say("Constat pour le {day}, {measure} : {value}.", **fields)


@tells(e.ConsentGiven)
def _consent(t: Telling, d: e.ConsentGiven) -> str:
    return t.say(
        "{who} a noté l'accord de la personne pour {partner} ({purpose}).",
        who=t.who, partner=t.partner(d.partner), purpose=t.spoken(d.purpose),
    )  # fmt: skip


@tells(e.ConsentWithdrawn)
def _consent_withdrawn(t: Telling, d: e.ConsentWithdrawn) -> str:
    return t.say(
        "{who} a noté que la personne retire son accord pour {partner} ({purpose}).",
        who=t.who, partner=t.partner(d.partner), purpose=t.spoken(d.purpose),
    )  # fmt: skip


@tells(e.MessagesPaused)
def _paused(t: Telling, d: e.MessagesPaused) -> str:
    return t.say("{who} a mis les messages en pause jusqu'au {when}.", who=t.who, when=t.when(d.until))


@tells(e.MessagesResumed)
def _unpaused(t: Telling, d: e.MessagesResumed) -> str:
    if t.by_someone:
        return t.say("{who} a repris les messages.", who=t.who)
    return t.say("La pause des messages est finie.")


@tells(e.OptedOut)
def _opted_out(t: Telling, d: e.OptedOut) -> str:
    return t.say("{who} a noté que la personne ne veut plus recevoir de messages.", who=t.who)


@tells(e.OptedIn)
def _opted_in(t: Telling, d: e.OptedIn) -> str:
    return t.say("{who} a noté que la personne veut bien recevoir de nouveau des messages.", who=t.who)


@tells(e.WishesRecorded)
def _wishes(t: Telling, d: e.WishesRecorded) -> str:
    said = [t.spoken(word) for word in (d.channel, d.language, d.zone) if word is not None]
    return t.say("{who} a noté comment la personne veut être jointe : {wishes}.", who=t.who, wishes=", ".join(said))


@tells(e.PersonDied)
def _died(t: Telling, d: e.PersonDied) -> str:
    return t.say("{who} a noté le décès de la personne, le {day}.", who=t.who, day=t.day(d.on))


@tells(e.ErasureRequested)
def _erasure(t: Telling, d: e.ErasureRequested) -> str:
    return t.say("{who} a noté que la personne demande l'effacement de ses données.", who=t.who)


@tells(e.ErasureOrdered)
def _erasing(t: Telling, d: e.ErasureOrdered) -> str:
    return t.say("L'effacement des données de la personne est en cours ({reason}).", reason=t.spoken(d.reason))
