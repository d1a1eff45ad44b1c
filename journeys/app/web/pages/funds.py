"""Fonds: what each holds, its months for the donor, what waits; opened, changed, topped up; and the daily control."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import funds
from journeys.app.controlling import stale, told
from journeys.app.entry import clean_text
from journeys.app.failures import Exit, Failure, usage
from journeys.app.funds import Words, owing_words
from journeys.app.reading import read_amount, read_codes, read_day, read_occurred
from journeys.app.web.bodies import typed_in
from journeys.app.web.pages.caseload import address_of
from journeys.app.web.pages.documents import PDF, handed_over, sender_of
from journeys.app.web.policy import BOOKS, KEEPING
from journeys.app.web.proof import require_proof
from journeys.app.web.rendering import go, page
from journeys.app.web.visit import Visit, door
from journeys.domain.statement import Statement
from journeys.i18n import N_, Lang
from journeys.identifiers import is_uuid, short, uuid7
from journeys.store import controlling, payments, receipts, statements, treasury
from journeys.store.controlling import Code, Finding
from journeys.store.directory import AlreadyThere
from journeys.store.funds import Fund
from journeys.store.treasury import ChangedSince, Closed, StillReserved, Terms

router = APIRouter()

FIELDS: Final = ("de", "a")
OPENING: Final = "/nouveau-fonds"
_NOTES: Final[Mapping[str, str]] = {
    "ouvert": N_("Le fonds est ouvert."),
    "change": N_("C'est noté. Ce qui était promis le reste ; les règles valent pour la suite."),
    "verse": N_("C'est noté : l'argent est disponible."),
    "clos": N_("Le fonds est clos : plus rien n'en sera promis."),
    "rouvert": N_("Le fonds est rouvert, avec les règles qu'il avait."),
    "ainsi": N_("Le fonds était déjà ainsi : rien n'a changé."),
}


@dataclass(frozen=True, slots=True)
class _Found:
    fund: Fund
    made: Statement
    words: Words
    failures: tuple[Failure, ...]


@router.get("/fonds")
async def screen(visit: Visit = door(BOOKS)) -> Response:
    found = await funds.theirs(visit.house.writing, _only(visit))
    control = await controlling.last(visit.connection)
    return page(
        visit, "funds.html", funds=found, words=Words(visit.lang), control=control, stale=stale(control, visit.now),
        findings=[_shown(each, visit.lang) for each in (control.findings if control else ())],
        owing=_by_fund(await receipts.owing(visit.connection, visit.now)),
        opens=visit.holds("finance") and not visit.visitor.funds,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shown:
    """A finding of the control, with where somebody goes on from it."""

    alarm: bool
    said: str
    list: str | None
    about: tuple[tuple[str, str | None], ...]
    """What it names, and the page of each."""


_LISTS: Final[Mapping[Code, str]] = {
    "unknown-long": "/versements?faire=silent", "held": "/versements?faire=held",
    "doubted": "/versements?faire=doubt", "blocked": "/versements?faire=blocked", "bank-lines": "/a-rapprocher",
    **{state: f"/versements?etat={state}" for state in ("reserved", "instructed", "accepted", "unknown")},
}  # fmt: skip


def _shown(each: Finding, lang: Lang) -> _Shown:
    pages: Mapping[str, str] = {
        "fund-balance": "/fonds/", "ledger-payments": "/versements/", "ledger-bank": "/versements/",
    }  # fmt: skip
    listed = _LISTS.get(each.code)
    named = () if listed or not each.alarm else each.about
    about = tuple(
        (short(one) if is_uuid(one) else one, pages[each.code] + one if each.code in pages else None) for one in named
    )
    return _Shown(each.alarm, told(each, lang, naming=False), listed, about)


@router.get("/fonds/{fund}")
async def one(fund: str, visit: Visit = door(BOOKS)) -> Response:
    """A fund with its months: those that the address asks for."""
    found = await _found(visit, fund)
    query = visit.request.query_params
    return page(
        visit, "fund.html", 422 if found.failures else 200, fund=found.fund, made=found.made, words=found.words,
        failures=found.failures, typed={name: query.get(name, "") for name in FIELDS},
        labels={"de": visit.say("À partir de"), "a": visit.say("Jusqu'à")}, address=lambda: address_of(visit),
        gifts=await treasury.gifts(visit.house.writing, fund),
        closing=await treasury.closing(visit.house.writing, fund),
        opens=visit.holds("finance") and not visit.visitor.funds,
        waiting=await payments.standing(visit.connection, fund),
        owing=[each for each in await receipts.owing(visit.connection, visit.now) if each.fund == fund],
        called=dict(owing_words(visit.lang)), keeps=visit.holds("finance"),
        note=visit.say(_NOTES[note]) if (note := query.get("note", "")) in _NOTES else "",
    )  # fmt: skip


@router.get("/fonds/{fund}/releve.csv")
async def table(fund: str, visit: Visit = door(BOOKS)) -> Response:
    """The statement for a spreadsheet: numbers alone in their cells."""
    found = _readable(await _found(visit, fund))
    name = funds.file_name(found.fund, visit.now, found.words)
    return handed_over(funds.statement_csv(found.made, found.words), f"{name}.csv", "text/csv; charset=utf-8")


@router.get("/fonds/{fund}/releve.pdf")
async def paper(fund: str, visit: Visit = door(BOOKS)) -> Response:
    """The statement, to be sent to the donor."""
    found = _readable(await _found(visit, fund))
    await visit.done()
    made = await asyncio.to_thread(
        funds.statement_pdf, found.fund, found.made, found.words, visit.now, sender=sender_of(visit)
    )
    return handed_over(made, f"{funds.file_name(found.fund, visit.now, found.words)}.pdf", PDF)


# --- opened, changed, topped up


@router.get(OPENING)
async def opening(visit: Visit = door(KEEPING)) -> Response:
    funds.keeper(visit.actor, visit.now, opens=True)
    return await _form(visit, None, "fund-rules.html", {})


@router.post(OPENING)
async def begin(visit: Visit = door(KEEPING)) -> Response:
    """Open a fund. Sent twice it opens one: the code is taken then."""
    by = funds.keeper(visit.actor, visit.now, opens=True)
    await require_proof(visit)
    typed = typed_in(await visit.request.form())
    read = _Read(typed)
    code = read("code", lambda text, field: read_codes([text], field)[0], needed=True)
    balance = read("balance", read_amount) or 0
    terms, donor = _terms(read), read("donor", clean_text) or ""
    if read.wrong:
        return await _form(visit, None, "fund-rules.html", typed, read.wrong)
    try:
        await treasury.open_fund(
            visit.house.writing, uuid7(visit.now), code, balance=balance, by=by, donor=donor,
            **dataclasses.asdict(terms),
        )  # fmt: skip
    except AlreadyThere:
        taken = usage("code-taken", "un fonds porte déjà ce code", "a fund has this code already", field="code")
        return await _form(visit, None, "fund-rules.html", typed, [taken])
    return go(f"/fonds/{code}?note=ouvert")


@router.get("/fonds/{fund}/regles")
async def rules(fund: str, visit: Visit = door(KEEPING)) -> Response:
    found = await funds.find(visit.house.writing, fund, _only(visit))
    return await _form(visit, found, "fund-rules.html", _as_typed(found))


@router.post("/fonds/{fund}/regles")
async def change(fund: str, visit: Visit = door(KEEPING)) -> Response:
    """Other terms from now on: all of them as the form says."""
    by, found = funds.keeper(visit.actor, visit.now), await funds.find(visit.house.writing, fund, _only(visit))
    await require_proof(visit)
    typed = typed_in(await visit.request.form())
    read = _Read(typed)
    terms, donor, seen = _terms(read), read("donor", clean_text) or "", read("seen", _number, needed=True)
    if read.wrong:
        return await _form(visit, found, "fund-rules.html", typed, read.wrong)
    try:
        known = donor if donor or found.donor else None
        changed = await treasury.change_fund(visit.house.writing, fund, terms, by, known, seen)
    except (ChangedSince, Closed) as error:
        return await _not_changed(visit, found, "fund-rules.html", typed, error)
    return go(f"/fonds/{fund}?note={'change' if changed else 'ainsi'}")


@router.get("/fonds/{fund}/don")
async def gift(fund: str, visit: Visit = door(KEEPING)) -> Response:
    found = await funds.find(visit.house.writing, fund, _only(visit))
    return await _form(visit, found, "fund-gift.html", {"donor": found.donor or ""})


@router.post("/fonds/{fund}/don")
async def give(fund: str, visit: Visit = door(KEEPING)) -> Response:
    """Money that came. Sent twice it is noted once: the fund has changed since the form was opened."""
    by, found = funds.keeper(visit.actor, visit.now), await funds.find(visit.house.writing, fund, _only(visit))
    await require_proof(visit)
    typed = typed_in(await visit.request.form())
    read = _Read(typed)
    amount, donor = read("amount", funds.read_gift, needed=True), read("donor", clean_text) or ""
    on = read("on", lambda text, field: read_occurred(text, field, visit.now))
    seen = read("seen", _number, needed=True)
    if read.wrong:
        return await _form(visit, found, "fund-gift.html", typed, read.wrong)
    try:
        when = dataclasses.replace(by, occurred_at=on) if on is not None else by
        await treasury.top_up(visit.house.writing, fund, amount, when, donor, seen)
    except (ChangedSince, Closed) as error:
        return await _not_changed(visit, found, "fund-gift.html", typed, error)
    return go(f"/fonds/{fund}?note=verse")


# --- closed, reopened


@router.get("/fonds/{fund}/cloture")
async def closing(fund: str, visit: Visit = door(KEEPING)) -> Response:
    """The form that closes a fund, or reopens it."""
    funds.keeper(visit.actor, visit.now, opens=True)
    return await _form(visit, await funds.find(visit.house.writing, fund, _only(visit)), "fund-closing.html", {})


@router.post("/fonds/{fund}/cloture")
async def close(fund: str, visit: Visit = door(KEEPING)) -> Response:
    """Close a fund from which nothing is promised. Sent twice it is closed once."""
    by, found = funds.keeper(visit.actor, visit.now, opens=True), await funds.find(visit.house.writing, fund, None)
    await require_proof(visit)
    typed = typed_in(await visit.request.form())
    read = _Read(typed)
    why, seen = read("why", clean_text, needed=True), read("seen", _number, needed=True)
    if read.wrong:
        return await _form(visit, found, "fund-closing.html", typed, read.wrong)
    try:
        await treasury.close_fund(visit.house.writing, fund, why, by, seen)
    except (ChangedSince, Closed, StillReserved) as error:
        return await _not_changed(visit, found, "fund-closing.html", typed, error)
    return go(f"/fonds/{fund}?note=clos")


@router.post("/fonds/{fund}/reouverture")
async def reopen(fund: str, visit: Visit = door(KEEPING)) -> Response:
    by, found = funds.keeper(visit.actor, visit.now, opens=True), await funds.find(visit.house.writing, fund, None)
    await require_proof(visit)
    typed = typed_in(await visit.request.form())
    read = _Read(typed)
    why = read("why", clean_text, needed=True)
    if read.wrong:
        return await _form(visit, found, "fund-closing.html", typed, read.wrong)
    changed = await treasury.reopen_fund(visit.house.writing, fund, why, by)
    return go(f"/fonds/{fund}?note={'rouvert' if changed else 'ainsi'}")


class _Read:
    """Fields of a form, each read by itself: every one that is wrong is told at once."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self.typed = typed
        self.wrong = list[Failure]()

    def __call__(self, name: str, how: Callable[[str, str], Any], *, needed: bool = False) -> Any:
        """What a field says; None: nothing, or what cannot be read."""
        text = self.typed.get(name, "").strip()
        try:
            if text:
                return how(text, name)
            if needed:
                raise usage("missing", "à remplir", "to be filled in", field=name)
        except Failure as failure:
            self.wrong.append(failure.beside_its_field())
        return None


def _terms(read: _Read) -> Terms:
    first, last = read("first", read_day), read("last", read_day)
    read("last", lambda _, field: funds.ordered(first, last, field))
    purposes = read("purposes", lambda text, field: read_codes([*filter(None, map(str.strip, text.split(",")))], field))
    return Terms(
        cap_per_person=read("cap", read_amount), first_day=first, last_day=last, purposes=purposes or ()
    )  # fmt: skip


def _number(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise usage("not-a-number", "écrivez un nombre", "write a number", field=field)
    return int(text)


def _as_typed(fund: Fund) -> dict[str, str]:
    """The terms of a fund as the form that changes them has them."""
    cap = fund.cap_per_person
    return {
        "donor": fund.donor or "", "cap": f"{cap // 100},{cap % 100:02}" if cap is not None else "",
        "first": f"{fund.first_day or ''}", "last": f"{fund.last_day or ''}", "purposes": ", ".join(fund.purposes),
    }  # fmt: skip


async def _form(
    visit: Visit, fund: Fund | None, template: str, typed: Mapping[str, str], failures: Sequence[Failure] = (),
    status: int = 422,
) -> Response:  # fmt: skip
    """A form about a fund, or a new one. After a conflict it is about the fund as it is now."""
    programmes = (await visit.house.programmes()).values()
    purposes = {purpose for each in programmes for grant in each.grants.values() for purpose in grant.purposes}
    now = await treasury.version(visit.house.writing, fund.code) if fund is not None else 0
    return page(
        visit, template, status if failures else 200, fund=fund, typed=typed, failures=failures,
        words=Words(visit.lang), purposes=sorted({*purposes, *(fund.purposes if fund is not None else ())}),
        seen=now if status == 409 or "seen" not in typed else typed["seen"],
    )  # fmt: skip


async def _not_changed(
    visit: Visit, fund: Fund, template: str, typed: Mapping[str, str], error: ChangedSince | Closed | StillReserved
) -> Response:
    failure = funds.changing(error, fund.code)
    status = 409 if failure.exit is Exit.CONFLICT else 422
    now = await funds.find(visit.house.writing, fund.code, _only(visit))
    return await _form(visit, now, template, typed, [failure], status)


def _only(visit: Visit) -> frozenset[str] | None:
    return funds.within(visit.lines, visit.visitor.funds)


async def _found(visit: Visit, code: str) -> _Found:
    """A fund of theirs, with the months asked for; what cannot be read of these is told, and all are shown.

    The role under which visitors read has no ledger: their funds are chosen here, and nothing of it names anybody.
    """
    query, failures = visit.request.query_params, list[Failure]()
    fund = await funds.find(visit.house.writing, code, _only(visit))
    first: date | None = None
    last: date | None = None
    try:
        first, last = funds.read_period(query.get("de", ""), query.get("a", ""), FIELDS)
    except Failure as failure:
        failures.append(failure.beside_its_field())
    made = await statements.statement(visit.house.writing, code, first, last)
    return _Found(fund, made, Words(visit.lang), tuple(failures))


def _readable(found: _Found) -> _Found:
    """A file is of what was asked for, or there is none. Raises Failure."""
    if found.failures:
        raise found.failures[0]
    return found


def _by_fund(owing: list[receipts.Owing]) -> dict[str, int]:
    """Receipts that wait for finance, by fund."""
    return {each.fund: each.count for each in owing if each.status == "submitted"}
