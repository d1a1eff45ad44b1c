"""À rapprocher: lines of the bank that fit nothing by themselves, worked off one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.failures import Failure, Said, not_found, usage
from journeys.app.reconciling import How, by, matched, resolve, tell
from journeys.app.web.bodies import typed_in
from journeys.app.web.pages.payments import sees_account
from journeys.app.web.paging import A_PAGE, Paging, page_asked
from journeys.app.web.policy import ACCOUNT, KEEPING
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.domain.directory import search_form
from journeys.domain.payee import Payee
from journeys.domain.rights import Scope, right
from journeys.i18n import N_, format_money, ngettext
from journeys.narration.bank_files import TROUBLES, trouble_said
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

SEARCHED: Final = 5_000
"""Lines that are looked through for words: what they say is sealed, so the database cannot."""
TOGETHER: Final[Mapping[str, str]] = {
    "fee": N_("des frais de la banque"),
    "not-ours": N_("pas de nos versements"),
    "refund": N_("des remboursements"),
}
"""What several lines may be said to be at once; what money a line moved is said of each by itself."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A payment that a line may be, with what differs, in words."""

    row: PaymentRow
    payee: Payee | None
    differs: tuple[str, ...]


@router.get(HERE)
async def screen(visit: Visit = door(ACCOUNT)) -> Response:
    """The queue, the oldest first; or what was resolved, the newest first."""
    return await _queue(visit)


@router.post(HERE)
async def settle_several(visit: Visit = door(KEEPING)) -> Response:
    """Say of every ticked line that it is the same, for the same reason: charges, or what is none of ours.

    Each by itself; those that could not be taken stay ticked, with why.
    """
    who = by(visit.actor, "resolve-bank-line", visit.now)
    form, house = await visit.request.form(), visit.house
    ticked = list(dict.fromkeys(str(each) for each in form.getlist("ligne")))[:A_PAGE]
    how, why = str(form.get("how", "")), str(form.get("why", "")).strip()
    wrong = list[Failure]()
    if not ticked:
        wrong.append(usage("none-ticked", "cochez au moins une ligne", "tick one line at least", field="ligne"))
    if how not in TOGETHER:
        wrong.append(
            usage("no-choice", "choisissez ce que sont ces lignes", "choose what these lines are", field="how")
        )
    if not why:
        wrong.append(_no_reason())
    if wrong:
        return await _queue(visit, ticked, {"how": how, "why": why}, wrong)
    left = list[str]()
    for id in ticked:
        file, _, position = id.partition("/")
        try:
            await resolve(house.writing, house.ring, await _line(visit, file, position), _how(how), why, who)
        except Failure as failure:
            left.append(id)
            wrong.append(_of_line(id, failure))
    if wrong:
        return await _queue(visit, left, {"how": how, "why": why}, wrong)
    return go(f"{HERE}?{urlencode({**_kept(visit), 'note': 'plusieurs', 'lignes': str(len(ticked))})}")


def _asked(visit: Visit) -> str | None:
    """The one trouble whose lines are worked off; None: all."""
    asked = visit.request.query_params.get("quoi")
    return asked if asked in TROUBLES else None


def _words(visit: Visit) -> str:
    """Words that the lines hold, as typed; empty: all lines."""
    return visit.request.query_params.get("cherche", "").strip()[:100]


def _kept(visit: Visit) -> dict[str, str]:
    """What of an address goes on to the next line."""
    kept = {"quoi": _asked(visit) or "", "cherche": _words(visit)}
    return {name: value for name, value in kept.items() if value}


async def _holding(visit: Visit, *, resolved: bool = False) -> list[LineRow]:
    """Lines that hold every word asked for: in a name, a label, a reference, an account or an amount."""
    rows = await bank_files.exceptions(
        _reader(visit), visit.house.ring, resolved=resolved, trouble=_asked(visit), limit=SEARCHED
    )
    wanted = search_form(_words(visit)).split()
    return [row for row in rows if all(word in _said_on(visit, row) for word in wanted)]


def _said_on(visit: Visit, row: LineRow) -> str:
    amount = format_money(row.cents, visit.lang) if row.cents is not None else None
    return search_form(" ".join(filter(None, (row.name, row.about, row.reference, row.batch, row.iban, amount))))


async def _following(visit: Visit, row: LineRow) -> str | None:
    """The next open line of those that are worked off; None: this is the last."""
    if not _words(visit):
        return await bank_files.next_exception(visit.connection, row.file, row.position, _asked(visit))
    ids = [each.id for each in await _holding(visit)]
    place = ids.index(row.id) if row.id in ids else -1
    return next((id for id in [*ids[place + 1 :], *ids[: max(place, 0)]] if id != row.id), None)


def _after(visit: Visit) -> str:
    return f"?{urlencode(kept)}" if (kept := _kept(visit)) else ""


async def _queue(
    visit: Visit, ticked: Sequence[str] = (), typed: Mapping[str, str] | None = None, failures: Sequence[Failure] = ()
) -> Response:
    query = visit.request.query_params
    resolved, number = query.get("traitees") == "1", page_asked(visit)
    troubles = await bank_files.open_troubles(visit.connection)
    asked = _asked(visit)
    total, before = sum(count for each, count in troubles.items() if asked in (None, each)), (number - 1) * A_PAGE
    if _words(visit):
        found = await _holding(visit, resolved=resolved)
        rows, total = found[before : before + A_PAGE], len(found)
        seen = total
    else:
        rows = await bank_files.exceptions(
            _reader(visit), visit.house.ring, resolved=resolved, trouble=asked, limit=A_PAGE, offset=before
        )
        # What was resolved has no end that anybody counts: a full page has a next one.
        seen = total if not resolved else before + len(rows) + (len(rows) == A_PAGE)
    return page(
        visit, "reconcile.html", 422 if failures else 200,
        rows=[(row, _trouble(visit, row)) for row in rows], total=total, resolved=resolved,
        paging=Paging(visit, number, seen, A_PAGE), sees_account=sees_account(visit), note=_note(visit),
        people={each.id: each.name for each in await staff.members(visit.connection)},
        asked=asked, words=_words(visit), kept=_after(visit),
        troubles=[(each, trouble_said(each, visit.lang), count) for each, count in troubles.items()],
        acts=_acts(visit) and not resolved, ticked=ticked, all_ticked=query.get("cocher") == "1" and not failures,
        typed=typed or {}, failures=failures, whys=WHYS, together=TOGETHER,
        address=lambda **more: f"{HERE}?{urlencode({k: v for k, v in {**query, **more}.items() if v and k != 'note'})}",
    )  # fmt: skip


def _of_line(id: str, failure: Failure) -> Failure:
    """The failure of one line among several."""
    said = Said(f"{id} : {failure.what.fr}", f"{id}: {failure.what.en}")
    return Failure(failure.exit, failure.code, said, failure.remedy)


def _acts(visit: Visit) -> bool:
    return sees_account(visit) and any(right(role, "resolve-bank-line") is Scope.ALLOWED for role in visit.roles)


@router.get(HERE + "/{file}/{position}")
async def one(file: str, position: str, visit: Visit = door(ACCOUNT)) -> Response:
    """A line beside what was expected, and what it may be."""
    return await _screen(visit, await _line(visit, file, position))


@router.post(HERE + "/{file}/{position}")
async def settle(file: str, position: str, visit: Visit = door(KEEPING)) -> Response:
    """Say what a line is, and go on to the next one."""
    who = by(visit.actor, "resolve-bank-line", visit.now)
    row, typed, house = await _line(visit, file, position), typed_in(await visit.request.form()), visit.house
    following = await _following(visit, row)
    kind, _, named = typed.get("how", "").partition(":")
    try:
        how = _how(kind)
        named = named or typed.get("other", "").strip()
        if how == "match" and not named:
            raise usage("no-payment", "dites de quel versement il s'agit", "say which payment it is", field="other")
        if not typed.get("why", "").strip():
            raise _no_reason()
        payment, batch = await matched(house.writing, named, visit.say("Versement")) if how == "match" else (None, None)
        await resolve(house.writing, house.ring, row, how, typed["why"], who, payment, batch)
    except Failure as failure:
        return await _screen(visit, row, typed, [failure])
    await visit.done()
    told = await tell(house.writing, house.ring, house.client, house.settings.task_queue, visit.now, row.file)
    if told.refused and how == "match":
        return go(f"{HERE}/{row.id}?{urlencode({**_kept(visit), 'note': 'refusee'})}")
    note = "attend" if told.waiting else "traitee" if following else "derniere"
    more = urlencode({**_kept(visit), "note": note})
    return go(f"{HERE}/{following}?{more}" if following else f"{HERE}?{more}")


def _no_reason() -> Failure:
    return usage("no-reason", "dites pourquoi, en quelques mots", "say why, in a few words", field="why")


def _how(kind: str) -> How:
    match kind:
        case "match" | "not-ours" | "refund" | "fee" | "noted":
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
    acts = _acts(visit)
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
        following=await _following(visit, row),
        kept=_after(visit),
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
    query = visit.request.query_params
    if query.get("note") == "plusieurs" and query.get("lignes", "").isdecimal():
        count = int(query["lignes"][:4])
        return ngettext(visit.lang, "{count} ligne traitée.", "{count} lignes traitées.", count).format(count=count)
    note = NOTES.get(query.get("note", ""))
    return visit.say(note) if note else ""
