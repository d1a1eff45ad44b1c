"""Fonds: what each holds, its months for the donor, what waits; and what the daily control of the money found."""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app import funds
from journeys.app.controlling import stale, told
from journeys.app.failures import Failure
from journeys.app.funds import Words, owing_words
from journeys.app.web.pages.caseload import address_of
from journeys.app.web.pages.documents import PDF, handed_over, sender_of
from journeys.app.web.policy import BOOKS
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.statement import Statement
from journeys.store import controlling, payments, receipts, statements, treasury
from journeys.store.funds import Fund

router = APIRouter()

FIELDS: Final = ("de", "a")


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
        findings=[(each, told(each, visit.lang)) for each in (control.findings if control else ())],
        owing=_by_fund(await receipts.owing(visit.connection, visit.now)),
    )  # fmt: skip


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
        waiting=await payments.standing(visit.connection, fund),
        owing=[each for each in await receipts.owing(visit.connection, visit.now) if each.fund == fund],
        called=dict(owing_words(visit.lang)),
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
