"""Contrôle: how the log of everything stands, who holds it, what was verified and owed; and what is taken away."""

import asyncio
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys import clock
from journeys.app import verifier
from journeys.app.failures import Exit, Failure, Said
from journeys.app.overseeing import REMEDY, LogState, PartyState, is_ahead, log_state, stale, told
from journeys.app.web.bodies import typed_in
from journeys.app.web.pages.access import ZIP
from journeys.app.web.pages.commands import journey_row
from journeys.app.web.pages.documents import handed_over
from journeys.app.web.policy import ANSWERING, AUDITING, OVERSEEING
from journeys.app.web.proof import require_proof
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.audit.duties import BREACHES
from journeys.audit.exporting import Exported, Held, NothingSigned, NotInTheLog, export_journey, export_log
from journeys.audit.log_account import LogFinding
from journeys.audit.obligations import COUNTED, Outcome
from journeys.audit.wording import ACCOUNTS
from journeys.i18n import N_, capital, ngettext
from journeys.store import checkpoints, histories, sequencing, verifications, views
from journeys.store.reads import Read
from journeys.store.verifications import Found, Verified
from journeys.temporal import verify_now

router = APIRouter()

HERE: Final = "/controle"
SHOWN: Final = 50
"""Journeys of one finding that the page names."""
MOST: Final = 50_000
"""Events that an export from a page may have: it is made in memory, lies on no disk, and is gone once it is taken."""
_ONE_AT_A_TIME: Final = asyncio.Semaphore(1)

_NOTES: Final = {
    "commence": N_("La vérification a commencé. Rouvrez cette page dans quelques minutes."),
    "sans-worker": N_("La vérification n'a pas commencé : aucun worker n'a encore tourné ici."),
}
_KINDS: Final = {"directory": N_("un dossier"), "mail": N_("une boîte de courriel"), "webhook": N_("un autre système")}
_REASONS: Final = {
    "directory-unwritable": N_("le dossier n'est pas là, ou ne peut pas être écrit"),
    "bad-address": N_("l'adresse n'en est pas une"),
    "no-key": N_("il n'y a pas de secret pour signer l'envoi"),
    "timeout": N_("il n'y a pas eu de réponse"),
    "unreachable": N_("il n'y a pas eu de réponse"),
    "mail-unreachable": N_("il n'y a pas eu de réponse"),
    "mail-no-answer": N_("il n'y a pas eu de réponse"),
    "host-not-allowed": N_("l'adresse n'est pas de celles où l'on peut envoyer"),
    "address-not-allowed": N_("l'adresse n'est pas de celles où l'on peut envoyer"),
}
_REFUSED: Final = {
    "mail": N_("le serveur de messagerie ne l'a pas pris"), "webhook": N_("l'autre système ne l'a pas pris"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A line of what was verified."""

    what: str
    compared: str
    wrong: int


@dataclass(frozen=True, slots=True)
class _Journey:
    """A journey that is named: by its person where the visitor sees it, else by the beginning of its id."""

    id: str
    name: str | None
    seen: bool
    count: int
    when: datetime | None
    code: str


@router.get(HERE)
async def screen(visit: Visit = door(OVERSEEING)) -> Response:
    """Of the fleet. Journeys are named to whoever sees them; nothing is recomputed, but what the log's tables say."""
    pool, settings = visit.house.writing, visit.house.settings
    found = await verifications.last(pool)
    named = (found.apart, found.silent, found.missed, found.breaches) if found is not None else ()
    names = await views.called(visit.connection, {each.journey for those in named for each in those.named[:SHOWN]})
    await visit.done()
    state = await log_state(pool, settings)
    # What a worker notes, and the database, bear the time that it is, whatever this process is told for it.
    now = visit.now - clock.offset()
    note = _NOTES.get(visit.request.query_params.get("note", ""))
    return page(
        visit, "control.html", state=state, behind=state.behind(now),
        refused=told(state.refusal) if state.refusal is not None else None, remedy=REMEDY,
        parties=[_party(visit, each) for each in state.parties], shelved=await histories.shelved(pool),
        found=found, stale=stale(found, now), ahead=found is not None and is_ahead(found.at, now),
        verdicts=_verdicts(visit, found) if found is not None else [],
        wrong=_wrong(visit, found) if found is not None else [],
        outcomes=_outcomes(visit, found), exports=visit.admitted(AUDITING),
        answers=visit.admitted(ANSWERING), shown=SHOWN,
        journeys={
            name: _named(those, names)
            for name, those in zip(("apart", "silent", "missed", "breaches"), named, strict=bool(named))
        },
        accounts={code: capital(visit.say(word)) for code, word in ACCOUNTS.items()},
        breaches={code.value: capital(visit.say(word)) for code, word in BREACHES.items()},
        note=visit.say(note) if note else "", vkeys=_keys(state),
    )  # fmt: skip


@router.post(f"{HERE}/verifier")
async def verify(visit: Visit = door(OVERSEEING)) -> Response:
    """Have everything verified now; one under way goes on."""
    await visit.done()
    begun = await verify_now(await visit.house.client())
    return go(f"{HERE}?note={'commence' if begun else 'sans-worker'}")


@router.get(f"{HERE}/attestation")
async def checkpoint(visit: Visit = door(OVERSEEING)) -> Response:
    """The last checkpoint, to be kept elsewhere: a signed note, in which nobody is named."""
    pool = visit.house.writing
    await visit.done()
    last = await checkpoints.last(pool, (await sequencing.head(pool)).origin)
    if last is None:
        raise _nothing_signed(Exit.NOT_FOUND)
    return handed_over(last.note.encode(), f"attestation-{last.size}.txt", "text/plain; charset=utf-8")


@router.get(f"{HERE}/export")
async def form(visit: Visit = door(AUDITING)) -> Response:
    """`parcours` (an id): of one journey."""
    query = visit.request.query_params
    row = await journey_row(visit, query["parcours"]) if query.get("parcours") else None
    visit.opened.clear()  # Nothing of it was opened yet.
    await visit.done()
    state = await log_state(visit.house.writing, visit.house.settings)
    return page(
        visit, "control-export.html", row=row, state=state, most=MOST, verifier=verifier.FILE.name,
        digest=verifier.digest(),
    )  # fmt: skip


@router.get(f"{HERE}/verificateur")
async def verifying(visit: Visit = door(AUDITING)) -> Response:
    """The file with which an export is checked elsewhere."""
    await visit.done()
    return handed_over(verifier.verifier(), verifier.FILE.name, "text/x-python; charset=utf-8")


@router.post(f"{HERE}/export")
async def export(visit: Visit = door(AUDITING)) -> Response:
    """The record, or one journey, as one archive. With the texts only after a proof anew. That it was taken is noted.

    Raises Failure: nothing is signed, more than a page can hand out, another export is being made.
    """
    typed = typed_in(await visit.request.form())
    disclose = typed.get("disclose") == "1"
    if disclose:
        await require_proof(visit)
    row = await journey_row(visit, typed["parcours"]) if typed.get("parcours") else None
    await visit.done()
    if _ONE_AT_A_TIME.locked():
        raise _BUSY
    async with _ONE_AT_A_TIME:
        held: Held = {}
        made = await _exported(visit, held, row.stream if row is not None else None, disclose)
        archive = await asyncio.to_thread(_archive, held, visit.now.timetuple()[:6])
    look = Read(visit.visitor.id, tuple(visit.visitor.roles), row.id if row is not None else None, "export", "web")
    visit.house.looked(look)
    return handed_over(archive, f"export-{made.size}-{made.digest[:12]}.zip", ZIP)


async def _exported(visit: Visit, held: Held, stream: str | None, disclose: bool) -> Exported:
    house, ring = visit.house, visit.house.ring if disclose else None
    try:
        if stream is not None:
            return await export_journey(house.writing, ring, held, stream, visit.now, disclose=disclose)
        if (await sequencing.head(house.writing)).size > MOST:
            raise _TOO_LONG
        return await export_log(house.writing, ring, held, visit.now, disclose=disclose)
    except (NothingSigned, NotInTheLog):
        raise _nothing_signed(Exit.CONFLICT) from None


def _archive(held: Held, at: tuple[int, int, int, int, int, int]) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as made:
        for path in sorted(held):
            made.writestr(zipfile.ZipInfo(path, at), held.pop(path), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _nothing_signed(exit: Exit) -> Failure:
    return Failure(
        exit, "nothing-signed",
        Said("rien n'est encore attesté : il n'y a rien à emporter", "nothing is signed yet: there is nothing to take"),
        Said("un worker atteste chaque minute ; réessayez dans un instant",
             "a worker signs every minute; try again in a moment"),
    )  # fmt: skip


_TOO_LONG: Final = Failure(
    Exit.USAGE, "too-long",
    Said(f"le registre a plus de {MOST} faits : un export entier ne passe pas par une page",
         f"the record has more than {MOST} events: an export of all of it does not go by a page"),
    Said("sur la machine : journeys audit export DIR ; ou exportez un seul parcours",
         "on the machine: journeys audit export DIR; or export one journey"),
)  # fmt: skip
_BUSY: Final = Failure(
    Exit.CONFLICT,
    "export-under-way",
    Said("un autre export est en train d'être fait", "another export is being made"),
    Said("réessayez dans une minute", "try again in a minute"),
)


# --- told


def _party(visit: Visit, party: PartyState) -> tuple[str, PartyState, str, str]:
    """What it is, how it stands, its state in words and as a tone."""
    standing, what = party.standing, visit.say(_KINDS.get(party.kind, party.kind))
    if standing is None:
        return what, party, visit.say("rien n'a encore été remis"), "soon"
    if standing.reason is not None:
        why = visit.say(_why(party.kind, standing.reason))
        tries = ngettext(visit.lang, "{count} essai", "{count} essais", standing.failures)
        return what, party, visit.say("PAS remis : {why} ({tries})", why=why,
                                      tries=tries.format(count=standing.failures)), "late"  # fmt: skip
    return what, party, visit.say("remis"), "done"


def _why(kind: str, reason: str) -> str:
    """Why a party of a kind has not taken a checkpoint; the log of the worker has the code."""
    return _REASONS.get(reason) or _REFUSED.get(kind, N_("il n'a pas été pris"))


def _keys(state: LogState) -> list[tuple[str, bool]]:
    """Public keys that signed, and whether each still counts."""
    return [(each.vkey(), state.keys.counts(each)) for each in state.keys.used]


def _verdicts(visit: Visit, found: Verified) -> list[_Verdict]:
    say, log, kept = visit.say, found.log, found.histories
    return [
        _Verdict(
            say("Journal d'ensemble"),
            say("faits : {size}, suites : {streams}, attestations : {checkpoints}, relevés des fins : {snapshots}",
                size=log["size"], streams=log["streams"], checkpoints=log["checkpoints"], snapshots=log["snapshots"]),
            len(log["findings"]),
        ),
        _Verdict(say("Parcours : journal et listes"), _counted(visit, found.journeys), found.apart.journeys),
        _Verdict(say("Ce qui était dû"), _outcomes(visit, found), found.silent.count),
        _Verdict(say("Qui a fait quoi des aides"),
                 ngettext(visit.lang, "{count} aide", "{count} aides", found.grants).format(count=found.grants),
                 found.breaches.count),
        _Verdict(say("Historiques gardés"),
                 say("relus : {kept}, effacés depuis : {gone}", kept=kept.kept, gone=kept.gone), len(kept.altered)),
        _Verdict(say("Historiques à garder"),
                 say("exécutions terminées qui attendent la nuit prochaine : {waiting}", waiting=kept.waiting),
                 kept.late),
    ]  # fmt: skip


def _counted(visit: Visit, journeys: int) -> str:
    return ngettext(visit.lang, "{count} parcours", "{count} parcours", journeys).format(count=journeys)


def _outcomes(visit: Visit, found: Verified | None) -> str:
    owed = found.owed if found is not None else {}
    told = [f"{visit.say(COUNTED[each])} {owed[each.value]}" for each in Outcome if owed.get(each.value)]
    return ", ".join(told) or visit.say("rien n'était dû")


def _wrong(visit: Visit, found: Verified) -> list[str]:
    """What is wrong with the log and with kept histories, a sentence each."""
    log = [
        LogFinding(each["code"], each["stream"], each["seq"], each["position"],
                   {name: value for name, value in each.items() if name not in _PLACE}).told(visit.lang)
        for each in found.log["findings"]
    ]  # fmt: skip
    altered = visit.say("L'historique gardé de l'exécution {run} n'est plus celui que le journal a noté.", run="{run}")
    return [*log, *(altered.format(run=run) for run in found.histories.altered)]


_PLACE: Final = frozenset({"code", "stream", "seq", "position"})


def _named(those: Found, names: dict[str, str | None]) -> Sequence[_Journey]:
    return [
        _Journey(each.journey, names.get(each.journey), each.journey in names, each.count, each.at, each.code)
        for each in those.named[:SHOWN]
    ]
