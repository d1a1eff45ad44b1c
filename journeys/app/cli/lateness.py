"""`journeys audit late`: what was done late, by how much, and what an outage made of the rest."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import at, command, must_be_within, option
from journeys.app.failures import Said

if TYPE_CHECKING:
    from journeys.store.lateness import Lateness, What

MOST_HOURS: Final = 24 * 92

WORDS: Final["dict[What, Said]"] = {
    "deadline": Said("échéances manquées constatées", "missed deadlines noted"),
    "reminder": Said("rappels", "reminders"),
    "message": Said("messages qui attendaient leur heure", "messages that waited for their hour"),
    "appointment": Said("questions sur un rendez-vous passé", "questions how an appointment went"),
    "chase": Said("suites d'un rendez-vous manqué", "what follows a missed appointment"),
    "contact": Said("contacts à prendre ou manqués", "contacts due or missed"),
    "alert": Said("alertes portées plus haut", "alerts carried further"),
    "date": Said("dates à confirmer", "dates to confirm"),
    "answer": Said("réponses ou justificatifs attendus", "answers or receipts awaited"),
    "phase": Said("phases commencées ou terminées", "phases begun or ended"),
    "kept": Said("situations tenues assez longtemps", "situations kept for long enough"),
    "closing": Said("parcours arrivés à leur terme", "journeys that came to their end"),
    "review": Said("points réguliers", "reviews"),
    "payment": Said("versements à faire ou à vérifier", "payments called for or looked at"),
    "measure": Said("mesures", "measures"),
}


def add_to(room: typer.Typer) -> None:
    """Declare the command."""

    @command(room, "late", "Ce qui a été fait en retard, et de combien : après une panne, tout ce qui a attendu.",
             "What was done late, and by how much: after an outage, all that waited.")  # fmt: skip
    async def late(
        ctx: typer.Context,
        hours: int = option("--hours", "depuis combien d'heures", "for how many hours", 24, metavar="N"),
    ) -> None:
        must_be_within("--hours", hours, MOST_HOURS)
        await _late(at(ctx), hours)


def lasted(length: timedelta, lang: str) -> str:
    """A length of time as people say it: the two largest units, rounded down."""
    minutes = int(length.total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} {'d' if lang == 'en' else 'j'}" + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes:02d}" if minutes else "")
    return f"{minutes} min"


def summed(found: "Lateness") -> Said:
    """One line: how much was late, by how much at most, and what was not sent any more."""
    fr = f"{found.count} échéances de {found.journeys} parcours traitées en retard, jusqu'à"
    en = f"{found.count} dues of {found.journeys} journeys taken late, by up to"
    said = Said(f"{fr} {lasted(found.longest, 'fr')}", f"{en} {lasted(found.longest, 'en')}")
    if not found.dropped:
        return said
    return Said(f"{said.fr} ; {found.dropped} messages trop tardifs n'ont pas été envoyés",
                f"{said.en}; {found.dropped} messages were too late and not sent")  # fmt: skip


async def _late(desk: Desk, hours: int) -> None:
    from journeys.app.reading import ZONE
    from journeys.domain.record import instant_text
    from journeys.i18n import format_instant
    from journeys.identifiers import short
    from journeys.store.lateness import lateness

    await desk.keeper("auditor", "supervisor")
    pool, out = await desk.pool(), desk.out
    found = await lateness(pool, await pool.fetchval("SELECT now()") - timedelta(hours=hours))

    def show() -> None:
        if not found.found:
            out.line(out.t(f"Rien n'a été traité en retard depuis {hours} h.",
                           f"Nothing was taken late for {hours} h."))  # fmt: skip
        else:
            assert found.begins is not None and found.ends is not None
            out.line(f"{summed(found).in_(out.lang)}.")
            first, last = (format_instant(each, out.lang, ZONE) for each in (found.begins, found.ends))
            out.line(out.t(f"La première était due {first}, la dernière a été traitée {last}.",
                           f"The first was due {first}, the last was taken {last}."))  # fmt: skip
            heads = (out.t("Quoi", "What"), out.t("Combien", "How many"), out.t("Parcours", "Journeys"),
                     out.t("Retard habituel", "Usual delay"), out.t("Le plus long", "Longest"),
                     out.t("Dans le parcours", "In the journey"), out.t("Dû", "Due"))  # fmt: skip
            out.table(heads, [
                (WORDS[each.what].in_(out.lang), str(each.count), str(each.journeys), lasted(each.usual, out.lang),
                 lasted(each.longest, out.lang), short(each.stream.partition("-")[2]),
                 format_instant(each.planned, out.lang, ZONE))
                for each in found.found
            ])  # fmt: skip
        if found.dropped:
            out.line(out.t(f"{found.dropped} messages n'ont pas été envoyés : ils seraient arrivés trop tard.",
                           f"{found.dropped} messages were not sent: they would have come too late."))  # fmt: skip
        if found.spans:
            out.line(out.t(f"{found.spans} contacts manqués ont été réunis avec celui d'avant.",
                           f"{found.spans} missed contacts were told together with the one before."))  # fmt: skip

    out.result(
        {
            "hours": hours, "count": found.count, "journeys": found.journeys,
            "begins": instant_text(found.begins) if found.begins else None,
            "ends": instant_text(found.ends) if found.ends else None,
            "not_sent": found.dropped, "contacts_joined": found.spans,
            "late": [
                {"what": each.what, "count": each.count, "journeys": each.journeys,
                 "longest_seconds": each.longest.total_seconds(), "usual_seconds": each.usual.total_seconds(),
                 "journey": each.stream.partition("-")[2], "due": instant_text(each.planned),
                 "done": instant_text(each.done)}
                for each in found.found
            ],
        },
        show,
    )  # fmt: skip
