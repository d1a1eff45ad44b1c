"""Messages, told: owed, held back, sent, lost."""

from journeys.domain import events as e
from journeys.narration.telling import Telling, tells


@tells(e.MessageDue)
def _due(t: Telling, d: e.MessageDue) -> str:
    return t.say(
        "À envoyer : {purpose} ({to}), au sujet de : {about}.",
        purpose=t.spoken(d.purpose), to=t.recipient(d.to, d.person), about=t.about(d.about),
    )  # fmt: skip


@tells(e.MessageDeferred)
def _deferred(t: Telling, d: e.MessageDeferred) -> str:
    return t.say(
        "En attente jusqu'au {when}, hors des heures de repos : {message}.",
        when=t.when(d.until),
        message=t.message(d.message),
    )


@tells(e.MessageReady)
def _ready(t: Telling, d: e.MessageReady) -> str:
    return t.say("Les heures de repos sont finies ; à envoyer : {message}.", message=t.message(d.message))


@tells(e.MessageSent)
def _sent(t: Telling, d: e.MessageSent) -> str:
    if d.channel == "letter":
        return t.say("Lettre prête, à imprimer et à poster : {message}.", message=t.message(d.message))
    return t.say("Envoyé ({channel}) : {message}.", channel=t.spoken(d.channel or "mail"), message=t.message(d.message))


@tells(e.MessageFailed)
def _failed(t: Telling, d: e.MessageFailed) -> str:
    return t.say(
        "L'envoi n'a pas abouti ({why}) : {message}.", why=t.spoken(d.reason or "unknown"), message=t.message(d.message)
    )


@tells(e.MessageSuppressed)
def _suppressed(t: Telling, d: e.MessageSuppressed) -> str:
    return t.say("Pas envoyé ({why}) : {message}.", why=t.spoken(d.reason or "unknown"), message=t.message(d.message))


@tells(e.MessageUnknown)
def _unknown(t: Telling, d: e.MessageUnknown) -> str:
    return t.say("On ne sait pas si l'envoi a eu lieu ; il n'est pas refait : {message}.", message=t.message(d.message))


@tells(e.MessageDelivered)
def _delivered(t: Telling, d: e.MessageDelivered) -> str:
    return t.say("Un message est bien arrivé.")


@tells(e.MessageSilent)
def _silent(t: Telling, d: e.MessageSilent) -> str:
    return t.say("Un SMS est parti, et la passerelle n'a pas dit s'il est arrivé.")


@tells(e.MessageBounced)
def _bounced(t: Telling, d: e.MessageBounced) -> str:
    return t.say("Un message est revenu sans être remis ({why}).", why=t.spoken(d.reason))
