"""À rapprocher: lines of the bank that fit nothing by themselves, worked off one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.failures import Failure, not_found, usage
from journeys.app.reconciling import How, by, matched, resolve, tell
from journeys.app.web.bodies import typed_in
from journeys.app.web.pages.payments import sees_account
from journeys.app.web.paging import A_PAGE, Paging, page_asked
from journeys.app.web.policy import ACCOUNT, KEEPING
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.domain.payee import Payee
from journeys.domain.rights import Scope, right
from journeys.i18n import N_, format_money
from journeys.narration.bank_files import trouble_said
from journeys.store import bank_files, batches, payment_lists, staff
from journeys.store.bank_files import LineRow
from journeys.store.batches import BatchRow
from journeys.store.database import Connection, Pool
from journeys.store.payments import PaymentRow

router = APIRouter()

HERE: Final = "/a-rapprocher"
NOTES: Final[Mapping[str, str]] = {
    "traitee": N_("La ligne est traitée. Voici la suivante."),
    "derniere": N_("La ligne est traitée. C'était la dernière."),
    "refusee": N_("Le parcours n'a pas pris ce rapprochement : la ligne reste à regarder."),
    "attend": N_("La ligne est traitée ; le parcours l'apprendra au retour du moteur, sous dix minutes."),
}
WHYS: Final = (
    N_("Frais ou commission de la banque"), N_("Rapproché d'après le nom et le montant"),
    N_("Vu au téléphone avec la banque"), N_("Opération étrangère à l'association"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proposal:
    """A payment that a line may be, with what differs, in words."""

    row: PaymentRow
    payee: Payee | None
    differs: tuple[str, ...]


@router.get(HERE)
async def screen(visit: Visit = door(ACCOUNT)) -> Response:
    """The queue, the oldest first; or what was resolved, the newest first."""
    resolved, number = visit.request.query_params.get("traitees") == "1", page_asked(visit)
    total = await bank_files.open_exceptions(visit.connection)
    rows = await bank_files.exceptions(
        _reader(visit), visit.house.ring, resolved=resolved, limit=A_PAGE, offset=(number - 1) * A_PAGE
    )
    # What was resolved has no end that anybody counts: a full page has a next one.
    seen = total if not resolved else (number - 1) * A_PAGE + len(rows) + (len(rows) == A_PAGE)
    return page(
        visit, "reconcile.html",
        rows=[(row, _trouble(visit, row)) for row in rows], total=total, resolved=resolved,
        paging=Paging(visit, number, seen, A_PAGE), sees_account=sees_account(visit), note=_note(visit),
        people={each.id: each.name for each in await staff.members(visit.connection)},
    )  # fmt: skip


@router.get(HERE + "/{file}/{position}")
async def one(file: str, position: str, visit: Visit = door(ACCOUNT)) -> Response:
    """A line beside what was expected, and what it may be."""
    return await _screen(visit, await _line(visit, file, position))


@router.post(HERE + "/{file}/{position}")
async def settle(file: str, position: str, visit: Visit = door(KEEPING)) -> Response:
    """Say what a line is, and go on to the next one."""
    who = by(visit.actor, "resolve-bank-line", visit.now)
    row, typed, house = await _line(visit, file, position), typed_in(await visit.request.form()), visit.house
    following = await bank_files.next_exception(visit.connection, row.file, row.position)
    kind, _, named = typed.get("how", "").partition(":")
    try:
        how = _how(kind)
        named = named or typed.get("other", "").strip()
        if how == "match" and not named:
            raise usage("no-payment", "dites de quel versement il s'agit", "say which payment it is", field="other")
        if not typed.get("why", "").strip():
            raise usage("no-reason", "dites pourquoi, en quelques mots", "say why, in a few words", field="why")
        payment, batch = await matched(house.writing, named, visit.say("Versement")) if how == "match" else (None, None)
        await resolve(house.writing, house.ring, row, how, typed["why"], who, payment, batch)
    except Failure as failure:
        return await _screen(visit, row, typed, [failure])
    await visit.done()
    told = await tell(house.writing, house.ring, house.client, house.settings.task_queue, visit.now, row.file)
    if told.refused and how == "match":
        return go(f"{HERE}/{row.id}?note=refusee")
    note = "attend" if told.waiting else "traitee" if following else "derniere"
    return go(f"{HERE}/{following}?note={note}" if following else f"{HERE}?note={note}")


def _how(kind: str) -> How:
    match kind:
        case "match" | "not-ours" | "refund":
            return kind
    raise usage("no-choice", "choisissez ce qu'est cette ligne", "choose what this line is", field="how")


def _reader(visit: Visit) -> Pool | Connection:
    """What reads lines: why somebody resolved one stands in the house's own stream, which no session reads."""
    return visit.house.writing if sees_account(visit) else visit.connection


async def _line(visit: Visit, file: str, position: str) -> LineRow:
    row = await bank_files.line(_reader(visit), visit.house.ring, f"{file}/{position}")
    if row is None:
        raise not_found("unknown-line", "cette ligne n'existe pas, ou ne vous est pas ouverte",
                        "there is no such line, or it is not open to you")  # fmt: skip
    return row


async def _screen(
    visit: Visit, row: LineRow, typed: Mapping[str, str] | None = None, failures: Sequence[Failure] = ()
) -> Response:
    connection, house = visit.connection, visit.house
    acts = sees_account(visit) and any(right(role, "resolve-bank-line") is Scope.ALLOWED for role in visit.roles)
    found = await payment_lists.likely(connection, row.cents, row.reference, row.payment)
    payees = await payment_lists.payees(house.writing, house.ring, [each.id for each in found]) if acts else {}
    proposals = [_proposal(visit, row, each, payees.get(each.id)) for each in found]
    known = [each for each in proposals if each.row.id == row.payment or each.row.reference == row.reference]
    open_ = (row.trouble is not None or row.refused is not None) and row.how is None
    return page(
        visit, "reconcile-line.html", 422 if failures else 200,
        row=row, trouble=_trouble(visit, row), expected=known[0] if known else None, proposals=proposals,
        lots=await _lots(visit, row), acts=acts and open_, typed=typed or {}, failures=failures, whys=WHYS,
        total=await bank_files.open_exceptions(connection), note=_note(visit),
        following=await bank_files.next_exception(connection, row.file, row.position),
        people={each.id: each.name for each in await staff.members(connection)},
        sees_account=sees_account(visit),
    )  # fmt: skip


async def _lots(visit: Visit, row: LineRow) -> list[BatchRow]:
    """Batches that a debit may be as a whole."""
    if row.cents is None or row.cents > 0:
        return []
    rows = await batches.batches(visit.connection)
    return [each for each in rows if each.message == row.batch or (row.batch is None and each.total == -row.cents)]


def _proposal(visit: Visit, line: LineRow, row: PaymentRow, payee: Payee | None) -> Proposal:
    say, differs = visit.say, []
    if line.cents is not None and abs(line.cents) != row.amount:
        apart = format_money(abs(abs(line.cents) - row.amount), visit.lang)
        more = abs(line.cents) > row.amount
        differs.append(say("{apart} de plus", apart=apart) if more else say("{apart} de moins", apart=apart))
    if payee is not None and line.iban and payee.iban and payee.iban != line.iban:
        differs.append(say("autre compte"))
    if payee is not None and line.name and payee.name.casefold() != line.name.casefold():
        differs.append(say("autre nom"))
    if line.reference and line.reference != row.reference:
        differs.append(say("autre référence"))
    return Proposal(row, payee, tuple(differs))


def _trouble(visit: Visit, row: LineRow) -> str:
    if row.trouble is None and row.refused is None:
        return visit.say("en règle")
    return trouble_said(row.trouble or "refused", visit.lang)


def _note(visit: Visit) -> str:
    note = NOTES.get(visit.request.query_params.get("note", ""))
    return visit.say(note) if note else ""
