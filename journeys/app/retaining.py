"""What has been kept long enough, as people read it: the rules, whose time is over and why, and the going of it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from journeys.app.failures import Exit, Failure, Said
from journeys.app.publishing import errors_told
from journeys.authoring.retention import RetentionInvalid, read_retention
from journeys.channels.outbox import LyingLetters
from journeys.domain.moments import Duration, Unit
from journeys.domain.retention import Falling, Hold, Retention, RuleName
from journeys.i18n import N_, Lang, format_date, text
from journeys.i18n.system import unwilling
from journeys.narration import duration_words
from journeys.settings import Settings
from journeys.store import retaining
from journeys.store.database import Pool
from journeys.store.directory import By
from journeys.store.erasing import ACCOUNTING_YEARS
from journeys.store.retaining import RULES, Gone, Plan

if TYPE_CHECKING:
    from temporalio.client import Client

WHAT: Final[Mapping[RuleName, str]] = {
    "people": N_("une personne, après le dernier fait noté à son sujet"),
    "unstarted": N_("une personne inscrite sans parcours, après le dernier fait noté à son sujet"),
    "mentors": N_("un mentor, après le dernier fait noté à son sujet"),
    "letters": N_("un message déposé dans la boîte d'envoi"),
    "histories": N_("l'historique du moteur d'un parcours clos"),
    "bank": N_(
        "une année de fichiers et de lignes de la banque (noms et comptes), après sa fin ; ce que la comptabilité garde"
        " d'une personne effacée, après l'année de son dernier versement"
    ),
    "sessions": N_("une session finie d'un membre de l'équipe"),
    "tokens": N_("un jeton de programme échu ou retiré"),
    "forms": N_("un formulaire laissé à la connexion"),
    "digests": N_("la trace d'un résumé du jour parti"),
    "shifts": N_("une astreinte passée"),
    "verifications": N_("ce qu'une vérification de nuit ou un rejeu a trouvé"),
}
HOLDS: Final[Mapping[Hold, str]] = {
    Hold.JOURNEY: N_("un parcours est ouvert"),
    Hold.AHEAD: N_("il reste une échéance sur un parcours clos"),
    Hold.REQUEST: N_("une demande attend une réponse"),
    Hold.ALERT: N_("une alerte est ouverte"),
    Hold.MONEY: N_("un versement n'est pas arrivé"),
    Hold.RECEIPT: N_("un justificatif est attendu"),
    Hold.MENTORING: N_("ce mentor accompagne quelqu'un, ou doit répondre"),
    Hold.ON_CALL: N_("ce mentor est d'astreinte, ou le sera"),
    Hold.ERASING: N_("l'effacement est en cours"),
}


def rules_of(settings: Settings) -> Retention:
    """The rules in force. Raises Failure with what is wrong in their file, line by line."""
    try:
        return read_retention(settings.retention)
    except OSError as error:
        fr, en = unwilling(error)
        raise _unusable(Said(f"JOURNEYS_RETENTION : {settings.retention} ne peut pas être lu : {fr}",
                             f"JOURNEYS_RETENTION: {settings.retention} cannot be read: {en}"),
                        ()) from None  # fmt: skip
    except RetentionInvalid as error:
        raise _unusable(
            Said(f"les durées de conservation de {error.source} ne peuvent pas servir :\n{errors_told(error, 'fr')}",
                 f"the retention rules of {error.source} cannot be used:\n{errors_told(error, 'en')}"),
            [one.as_json("en") for one in error.findings],
        ) from None  # fmt: skip


def _unusable(what: Said, findings: Collection[object]) -> Failure:
    return Failure(Exit.USAGE, "invalid-retention", what, more={"findings": list(findings)})


async def plan(pool: Pool, settings: Settings, now: datetime) -> Plan:
    """What the rules would do now: nothing is changed. Raises Failure."""
    return await retaining.plan(pool, rules_of(settings), now, _letters(settings))


async def apply(
    pool: Pool, client: "Callable[[], Awaitable[Client]]", settings: Settings, planned: Plan,
    wanted: Collection[RuleName], by: By,
) -> Gone:  # fmt: skip
    """Have it go; what erasures the engine is not there to begin, the housekeeping begins after its return."""
    from journeys.temporal import Unreachable, begin_erasure

    gone = await retaining.apply(pool, planned, wanted, _letters(settings), by, settings.destroyed_file)
    with suppress(Unreachable):
        for each in gone.ordered:
            await begin_erasure(await client(), each, settings.task_queue)
    return gone


def _letters(settings: Settings) -> LyingLetters | None:
    return LyingLetters(settings.outbox_dir) if settings.smtp.host is None else None


@dataclass(frozen=True, slots=True)
class Ruled:
    """One rule in words."""

    name: str
    what: str
    kept: str
    daily: str
    """What becomes of it by itself."""
    origin: str
    default: bool
    """No text says it."""
    url: str | None = None


def rules_told(rules: Retention, reads_months: int, lang: Lang) -> list[Ruled]:
    """Every rule: those of the file, then what is fixed elsewhere."""
    _ = text(lang)
    daily = {"propose": _("proposé, quelqu'un décide"), "apply": _("part chaque nuit")}
    found = []
    for name in RULES:
        rule = rules.rules.of(name)
        origin = rule.source or (rule.default.in_(lang) if rule.default is not None else "")
        found.append(Ruled(name, _(WHAT[name]), duration_words(rule.kept, lang), daily[rule.daily], _(origin),
                           rule.default is not None, rule.url))  # fmt: skip
    nightly = daily["apply"]
    reads = _("CNIL : six à douze mois ; se règle par JOURNEYS_READS_KEPT_MONTHS")
    ten_years = _("{years} ans après l'année du dernier versement").format(years=ACCOUNTING_YEARS)
    return found + [
        Ruled("reads", _("qui a ouvert quel dossier"), duration_words(Duration(reads_months, Unit.MONTH), lang),
              nightly, reads, False),
        Ruled("accounting", _("qui a été payé, ce qui justifie la dépense"), ten_years,
              _("reste, même si la personne est effacée ; part ensuite avec « bank »"),
              _("Code de commerce, art. L123-22"), False),
        Ruled("uploads", _("un document envoyé sans être retenu"), duration_words(Duration(1, Unit.DAY), lang),
              nightly, _("Aucun texte trouvé. Un envoi coupé n'est à personne."), True),
        Ruled("notices", _("ce que disent la banque, le prestataire et la passerelle de messages"), _("reste"),
              _("rien ne part"), _("Ni nom ni texte : des numéros et des dates, qui prouvent les comptes."), True),
    ]  # fmt: skip


def why(found: Falling, lang: Lang) -> str:
    """Why somebody falls due, in words."""
    _ = text(lang)
    said = {
        "people": _("dernier fait le {day}"), "unstarted": _("jamais de parcours ; dernier fait le {day}"),
        "mentors": _("mentor ; dernier fait le {day}"),
    }[found.rule]  # fmt: skip
    return said.format(day=format_date(found.standing.last, lang))


def holds(found: Falling, lang: Lang) -> str:
    """What stands against their going, in words; empty where nothing does."""
    _ = text(lang)
    return ", ".join(_(HOLDS[hold]) for hold in Hold if hold in found.standing.holds)
