"""`journeys fund`: where grants come from: a donor, a period, purposes, a cap per person; and the donor's statement."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.files import check, write
from journeys.app.cli.shape import argument, at, command, group, option
from journeys.app.failures import usage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from journeys.store.directory import By
    from journeys.store.funds import Fund
    from journeys.store.treasury import Terms

_FUND: Final[Any] = argument("code", "code", "FONDS")
_DONOR: Final = ("--donor", "qui donne", "who gives", "")
_FROM: Final = ("--from", "premier jour où il donne", "first day on which it gives")
_TO: Final = ("--to", "dernier jour où il donne", "last day on which it gives")
_WHY: Final[Any] = ("--why", "pourquoi", "why", ...)
_CAP: Final = ("--cap", "plafond par personne", "cap per person")
_PURPOSE: Final[Any] = ("--purpose", "pour quoi il donne ; à répéter ; aucun : tout",
                   "what it gives for; may be repeated; none: everything", [])  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group(
        "Les fonds d'où viennent les aides : donateur, période, objets, plafond, relevé.",
        "The funds that grants come from: donor, period, purposes, cap, statement.",
    )
    app.add_typer(room, name="fund")
    _add_changes(room)

    @command(room, "list", "Tous les fonds et ce qu'il en reste.", "All funds and what is left of them.")
    async def list_(ctx: typer.Context) -> None:
        from journeys.app.funds import theirs

        desk = at(ctx)
        _listed(desk, await theirs(await desk.pool(), await _only(desk)))

    @command(room, "show", "Un fonds : ses règles, ses dons, où est l'argent, les justificatifs.",
             "A fund: its terms, its gifts, where the money is, the receipts.")  # fmt: skip
    async def show(ctx: typer.Context, code: str = _FUND) -> None:
        await _show(at(ctx), code)

    @command(room, "statement", "Le relevé pour le donateur, mois par mois, sans aucun nom.",
             "The statement for the donor, month by month, without any name.")  # fmt: skip
    async def statement(
        ctx: typer.Context,
        code: str = _FUND,
        first: str = option("--from", "à partir de ce mois (2027-05)", "from this month on (2027-05)", "",
                            metavar="MOIS"),
        last: str = option("--to", "jusqu'à ce mois, compris", "up to this month, included", "", metavar="MOIS"),
        csv: str = option("--csv", "écrit aussi un tableau", "also writes a table", metavar="FICHIER"),
        pdf: str = option("--pdf", "écrit aussi le relevé", "also writes the statement", metavar="FICHIER"),
        sender: str = option("--sender", "nom de l'association, en tête du relevé",
                             "the association's name, at the top of the statement", ""),
        force: bool = option("--force", "remplace le fichier s'il existe", "replaces the file if there is one", False),
    ) -> None:  # fmt: skip
        await _statement(at(ctx), code, (first, last), csv, pdf, sender, force)


def _add_changes(room: typer.Typer) -> None:
    @command(room, "create", "Ouvre un fonds.", "Opens a fund.")
    async def create(
        ctx: typer.Context,
        code: str = argument("code, comme dans le programme", "code, as in the programme", "FONDS"),
        balance: str = option("--balance", "somme de départ", "money to begin with", "0"),
        cap: str = option(*_CAP),
        donor: str = option(*_DONOR),
        first: str = option(*_FROM),
        last: str = option(*_TO),
        purpose: list[str] = option(*_PURPOSE),  # noqa: B008
    ) -> None:
        await _create(at(ctx), code, balance, cap, donor, (first, last), purpose)

    @command(room, "open", "Comme create, sous son ancien nom.", "As create, by its former name.", hidden=True)
    async def open_(
        ctx: typer.Context,
        code: str = argument("code, comme dans le programme", "code, as in the programme", "FONDS"),
        balance: str = option("--balance", "somme de départ", "money to begin with", "0"),
        cap: str = option(*_CAP),
    ) -> None:
        await _create(at(ctx), code, balance, cap, "", (None, None), [])

    @command(room, "change", "Change le plafond, la période, les objets ou le donateur, pour ce qui n'est pas promis.",
             "Changes cap, period, purposes or donor, for what is not promised yet.")  # fmt: skip
    async def change(
        ctx: typer.Context,
        code: str = _FUND,
        cap: str = option(*_CAP),
        no_cap: bool = option("--no-cap", "plus de plafond", "no cap any more", False),
        first: str = option(*_FROM),
        last: str = option(*_TO),
        always: bool = option("--always", "plus de période", "no period any more", False),
        purpose: list[str] = option("--purpose", "pour quoi il donne, à la place ; à répéter",  # noqa: B008
                                    "what it gives for, instead; may be repeated", []),
        every_purpose: bool = option("--every-purpose", "de nouveau pour tout", "for everything again", False),
        donor: str = option("--donor", "qui donne, à la place", "who gives, instead"),
    ) -> None:  # fmt: skip
        for name, given, none in (("--cap", cap, no_cap), ("--from", first or last, always),
                                  ("--purpose", purpose, every_purpose)):  # fmt: skip
            if given and none:
                raise usage("some-and-none", f"{name} : quelque chose ou plus rien, pas les deux",
                            f"{name}: something or nothing any more, not both", field=name)  # fmt: skip
        desk = at(ctx)

        def terms(known: "Fund") -> "Terms":
            from journeys.app.reading import read_codes
            from journeys.store.treasury import Terms

            begins, ends = _period(first, last)
            return Terms(
                cap_per_person=None if no_cap else known.cap_per_person if cap is None else _cents(cap, "--cap"),
                first_day=None if always else begins or known.first_day,
                last_day=None if always else ends or known.last_day,
                purposes=() if every_purpose else read_codes(purpose, "--purpose") or known.purposes,
            )

        await _change(desk, code, terms, donor)

    @command(room, "top-up", "Verse de l'argent dans un fonds.", "Puts money in a fund.")
    async def top_up(
        ctx: typer.Context,
        code: str = _FUND,
        amount: str = argument("montant en euros", "amount in euros", "MONTANT"),
        donor: str = option(*_DONOR),
        on: str = option("--on", "quand il est arrivé, si ce n'est pas maintenant", "when it came, if not now"),
    ) -> None:
        await _top_up(at(ctx), code, amount, donor, on)

    @command(room, "close", "Clôt un fonds : plus rien n'en est promis.",
             "Closes a fund: nothing is promised from it any more.")  # fmt: skip
    async def close(ctx: typer.Context, code: str = _FUND, why: str = option(*_WHY)) -> None:
        await _close(at(ctx), code, why)

    @command(room, "reopen", "Rouvre un fonds clos, avec les règles qu'il avait.",
             "Reopens a closed fund, with the terms it had.")  # fmt: skip
    async def reopen(ctx: typer.Context, code: str = _FUND, why: str = option(*_WHY)) -> None:
        await _reopen(at(ctx), code, why)


async def _create(
    desk: Desk, code: str, balance: str, cap: str | None, donor: str, days: tuple[str | None, str | None],
    purposes: "Sequence[str]",
) -> None:  # fmt: skip
    from journeys.app.funds import ordered
    from journeys.app.reading import read_codes
    from journeys.identifiers import uuid7
    from journeys.store import treasury

    read_codes([code], "FONDS")
    amount, limit = _cents(balance, "--balance"), _cents(cap, "--cap") if cap is not None else None
    first, last = ordered(*_period(*days), "--to")
    called, given_for = _name(donor), read_codes(purposes, "--purpose")
    by = await _opener(desk)
    await treasury.open_fund(
        await desk.pool(), uuid7(desk.now), code, cap_per_person=limit, balance=amount, by=by, donor=called,
        first_day=first, last_day=last, purposes=given_for,
    )  # fmt: skip
    _listed(desk, [await _found(desk, code)])


async def _close(desk: Desk, code: str, why: str) -> None:
    from journeys.app.funds import changing
    from journeys.app.stopping import reason
    from journeys.store import treasury

    said, by = reason(why, "--why"), await _opener(desk)
    await _found(desk, code)
    try:
        await treasury.close_fund(await desk.pool(), code, said, by)
    except (treasury.Closed, treasury.StillReserved) as error:
        raise changing(error, code) from None
    _listed(desk, [await _found(desk, code)])


async def _reopen(desk: Desk, code: str, why: str) -> None:
    from journeys.app.stopping import reason
    from journeys.store import treasury

    said, by = reason(why, "--why"), await _opener(desk)
    await _found(desk, code)
    if not await treasury.reopen_fund(await desk.pool(), code, said, by):
        desk.out.note(desk.out.t("Le fonds n'est pas clos : rien n'a changé.", "The fund is not closed: no change."))
    _listed(desk, [await _found(desk, code)])


async def _opener(desk: Desk) -> "By":
    """Who opens and closes funds. Raises Failure: no right, or that of some funds."""
    from journeys.app.funds import keeper

    by = await desk.keeper("finance")
    return keeper(await desk.actor(), desk.now, opens=True) if by.role == "finance" else by


async def _change(desk: Desk, code: str, terms: Any, donor: str | None) -> None:
    from journeys.app.funds import changing, ordered
    from journeys.store import treasury

    by = await desk.keeper("finance")
    wanted = terms(await _found(desk, code))
    ordered(wanted.first_day, wanted.last_day, "--to")
    try:
        changed = await treasury.change_fund(
            await desk.pool(), code, wanted, by, _name(donor) if donor is not None else None
        )
    except treasury.Closed as error:
        raise changing(error, code) from None
    if not changed:
        desk.out.note(desk.out.t("Le fonds est déjà ainsi : rien n'a changé.", "The fund is so already: no change."))
    _listed(desk, [await _found(desk, code)])


async def _top_up(desk: Desk, code: str, typed: str, donor: str, on: str | None) -> None:
    from journeys.app.funds import changing, read_gift
    from journeys.app.reading import read_occurred
    from journeys.store import treasury

    cents = read_gift(typed, "MONTANT")
    by = await desk.keeper("finance")
    if on is not None:
        by = dataclasses.replace(by, occurred_at=read_occurred(on, "--on", desk.now))
    await _found(desk, code)
    try:
        await treasury.top_up(await desk.pool(), code, cents, by, _name(donor))
    except treasury.Closed as error:
        raise changing(error, code) from None
    _listed(desk, [await _found(desk, code)])


async def _show(desk: Desk, code: str) -> None:
    from journeys.app.funds import Words, owing_words, statement_json
    from journeys.app.reading import today_of
    from journeys.i18n import format_date
    from journeys.store import payments, receipts, treasury
    from journeys.store.statements import statement

    fund, pool, out = await _found(desk, code), await desk.pool(), desk.out
    words = Words(out.lang)
    gifts = await treasury.gifts(pool, code)
    owing = [each for each in await receipts.owing(pool, desk.now) if each.fund == code]
    waiting = await payments.standing(pool, code)
    made, closing = await statement(pool, code), await treasury.closing(pool, code)

    where = (fund.available, fund.reserved, fund.paid, fund.justified, fund.unjustified)
    called = dict(owing_words(out.lang))
    given = [(format_date(today_of(each.at), out.lang), words.money(each.amount), each.donor or "—") for each in gifts]
    open_ = [(words.spoken(each.status), str(each.count), words.money(each.amount)) for each in waiting]
    due = [(called[each.status], str(each.count), words.money(each.missing)) for each in owing]
    status, number = out.t("état", "status"), out.t("nombre", "number")

    def show() -> None:
        out.heading(f"{code} · {fund.donor}" if fund.donor else code)
        out.line(f"{words.period(fund)} ; {words.purposes(fund)} ; {words.most(fund)}")
        if closing is not None:
            out.line(words.told_closed(closing))
        out.table(
            (out.t("disponible", "available"), out.t("réservé", "reserved"), out.t("payé", "paid"),
             out.t("justifié", "justified"), out.t("non justifié", "not justified")),
            [tuple(map(words.money, where))],
        )  # fmt: skip
        out.heading(out.t("Dons", "Gifts"))
        out.table((out.t("jour", "day"), out.t("montant", "amount"), out.t("donateur", "donor")), given)
        if open_:
            out.heading(out.t("Versements en cours", "Open payments"))
            out.table((status, number, out.t("montant", "amount")), open_)
        if due:
            out.heading(out.t("Justificatifs", "Receipts"))
            out.table((status, number, out.t("non justifié", "not justified")), due)
        out.heading(out.t("Mois par mois", "Month by month"))
        out.table(words.heads(), words.rows(made))

    out.result({
        "fund": dataclasses.asdict(fund) | {"unjustified": fund.unjustified},
        "closed": dataclasses.asdict(closing) if closing is not None else None,
        "gifts": [dataclasses.asdict(each) for each in gifts],
        "payments": [dataclasses.asdict(each) for each in waiting],
        "receipts": [dataclasses.asdict(each) for each in owing],
        "statement": statement_json(made),
    }, show)  # fmt: skip


async def _statement(
    desk: Desk, code: str, months: tuple[str, str], csv: str | None, pdf: str | None, sender: str, force: bool
) -> None:
    from journeys.app import funds
    from journeys.store.statements import statement

    for file, field in ((csv, "--csv"), (pdf, "--pdf")):
        if file is not None:
            check(Path(file), force, field)
    first, last = funds.read_period(*months, ("--from", "--to"))
    fund, out = await _found(desk, code), desk.out
    made, words = await statement(await desk.pool(), code, first, last), funds.Words(out.lang)
    if csv is not None:
        write(Path(csv), funds.statement_csv(made, words), force, "--csv")
    if pdf is not None:
        write(Path(pdf), funds.statement_pdf(fund, made, words, desk.now, sender=sender), force, "--pdf")

    def show() -> None:
        for fact in words.facts(fund, made):
            out.line(f"{fact.label}{out.t(' :', ':')} {fact.value}")
        out.table(words.heads(), words.rows(made))
        for line in words.method():
            out.line(line)
        for file in filter(None, (csv, pdf)):
            out.line(out.t(f"Écrit : {file}", f"Written: {file}"))

    out.result({**funds.statement_json(made), "files": [file for file in (csv, pdf) if file]}, show)


def _listed(desk: Desk, found: "Sequence[Fund]") -> None:
    from journeys.app.funds import Words

    out = desk.out
    words = Words(out.lang)
    heads = (
        out.t("fonds", "fund"),
        out.t("disponible", "available"),
        out.t("réservé", "reserved"),
        out.t("payé", "paid"),
        out.t("non justifié", "not justified"),
        out.t("plafond par personne", "cap per person"),
        out.t("donateur", "donor"),
        out.t("donne", "gives"),
        out.t("pour", "for"),
    )
    rows = [
        (f.code, *(words.money(cents) for cents in (f.available, f.reserved, f.paid, f.unjustified)),
         words.cap(f) if f.cap_per_person is not None else "", f.donor or "", words.gives(f), words.purposes(f))
        for f in found
    ]  # fmt: skip
    out.result(
        {"funds": [dataclasses.asdict(f) | {"unjustified": f.unjustified} for f in found]},
        lambda: out.table(heads, rows),
    )


async def _only(desk: Desk) -> "frozenset[str] | None":
    """The funds of whoever `--as` names; all, for whoever sits at a local installation."""
    from journeys.app.funds import within

    if desk.acting_as is None and desk.kept_token() is None:
        return None
    member = await desk.member()
    return within(member.roles, member.funds)


async def _found(desk: Desk, code: str) -> "Fund":
    from journeys.app.funds import find

    return await find(await desk.pool(), code, await _only(desk))


def _cents(typed: str, field: str) -> int:
    from journeys.app.reading import read_amount

    return read_amount(typed, field)


def _period(first: str | None, last: str | None) -> "tuple[date | None, date | None]":
    from journeys.app.reading import read_day

    return (read_day(first, "--from") if first else None, read_day(last, "--to") if last else None)


def _name(typed: str) -> str:
    from journeys.app.entry import clean_text

    return clean_text(typed.strip(), "--donor")
