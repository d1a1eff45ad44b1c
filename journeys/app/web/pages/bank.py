"""Fichiers de la banque: the file of a day made and given out, and what the bank sends taken in."""

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.bank_counter import file_from_bank, file_of_day
from journeys.app.failures import Failure, Said, usage
from journeys.app.reading import read_day, today_of
from journeys.app.reconciling import by, tell, withdraw
from journeys.app.web.bodies import file_of, typed_in
from journeys.app.web.pages.documents import handed_over
from journeys.app.web.pages.payments import HERE as PAYMENTS
from journeys.app.web.pages.payments import sees_account
from journeys.app.web.policy import ACCOUNT, KEEPING
from journeys.app.web.proof import require_proof
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.domain.rights import Scope, right
from journeys.store import bank_files, batches, payment_lists, staff

router = APIRouter()

HERE: Final = f"{PAYMENTS}/fichiers"
SHOWN: Final = 30
"""Batches, the newest first."""


@router.get(HERE)
async def screen(visit: Visit = door(ACCOUNT)) -> Response:
    return await _screen(visit)


@router.post(HERE)
async def give(visit: Visit = door(KEEPING)) -> Response:
    """The file of a day, or a batch once more, to be saved. Whoever takes it has shown who they are."""
    who = by(visit.actor, "export-payments", visit.now)
    await require_proof(visit)
    typed, house = typed_in(await visit.request.form()), visit.house
    try:
        on = read_day(typed.get("day") or today_of(visit.now).isoformat(), "day")
        given = await file_of_day(house.writing, house.ring, house.settings, on, who, typed.get("batch") or None)
    except Failure as failure:
        return await _screen(visit, [failure], typed.get("day", ""))
    return handed_over(given.content, f"{given.batch.message}.xml", "application/xml")


@router.post(f"{HERE}/retires")
async def take_back(visit: Visit = door(KEEPING)) -> Response:
    """A batch that nobody has is withdrawn: what still waits in it goes into the next file."""
    who = by(visit.actor, "export-payments", visit.now)
    await require_proof(visit)
    typed, house = typed_in(await visit.request.form()), visit.house
    try:
        if not typed.get("why", "").strip():
            raise usage("no-reason", "dites pourquoi, en quelques mots", "say why, in a few words", field="why")
        row = await withdraw(house.writing, house.ring, typed.get("batch", ""), typed["why"], who)
    except Failure as failure:
        return await _screen(visit, [failure], typed=typed)
    await visit.done()
    return go(f"{HERE}?retire={row.message}")


@router.post(f"{HERE}/recus")
async def take(visit: Visit = door(KEEPING)) -> Response:
    """A file of the bank: whole or not at all. It moves no money, so that nobody has to show again who they are."""
    who = by(visit.actor, "import-payments", visit.now)
    house, name = visit.house, visit.say("fichier")
    try:
        file = file_of(await visit.request.form(), "file")
        if file is None:
            raise usage("no-file", "choisissez un fichier de la banque", "choose a file of the bank", field="file")
        if (file.size or 0) > house.settings.largest_document:
            raise usage(
                "too-large", f"ce fichier dépasse {house.settings.largest_document_mb} Mo ; rien n'a été enregistré",
                f"this file is larger than {house.settings.largest_document_mb} MB; nothing was stored", field="file",
                remedy=Said("demandez à la banque un fichier par jour, ou faites-le lire sur le serveur :"
                            " « journeys payments import FICHIER »",
                            "ask the bank for a file a day, or have it read on the server:"
                            " “journeys payments import FILE”"),
            )  # fmt: skip
        found = await file_from_bank(house.writing, house.ring, house.settings, file.file, who, name)
    except Failure as failure:
        return await _screen(visit, [failure])
    await visit.done()
    await tell(house.writing, house.ring, house.client, house.settings.task_queue, visit.now, found.digest)
    return go(f"{HERE}?recu={found.digest}{'&deja=1' if found.known else ''}")


async def _screen(
    visit: Visit, failures: Sequence[Failure] = (), day: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    connection, query = visit.connection, visit.request.query_params
    rows = await batches.batches(connection, limit=SHOWN)
    acts = sees_account(visit) and any(right(role, "export-payments") is Scope.ALLOWED for role in visit.roles)
    digest = query.get("recu", "")
    known = len(digest) == 64 and set(digest) <= set("0123456789abcdef")
    received = await bank_files.imported(connection, digest) if known else None
    return page(
        visit, "bank.html", 422 if failures else 200,
        rows=sorted(rows, key=lambda row: (row.execute_on, row.made_at), reverse=True), acts=acts,
        sees_account=sees_account(visit), failures=failures, day=day or today_of(visit.now).isoformat(),
        waiting=await batches.waiting(visit.house.writing),
        givings=await payment_lists.givings(connection, [row.id for row in rows]),
        otherwise={row.id: await batches.closed_meanwhile(connection, row.id) for row in rows[:5]},
        people={each.id: each.name for each in await staff.members(connection)},
        received=received, again=query.get("deja") == "1", typed=typed or {},
        taken_back=next((row for row in rows if row.message == query.get("retire") and row.withdrawn_at), None),
        untold=await bank_files.count_waiting(connection, digest) if received else 0,
        exceptions=await bank_files.open_exceptions(connection),
    )  # fmt: skip
