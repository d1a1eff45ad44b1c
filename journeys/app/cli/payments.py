"""`journeys payments`: which there are, one from end to end; files for the bank, and what the bank sends."""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli import stopping
from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group, must_be_within, option
from journeys.app.failures import Exit, Failure, Said, usage, why

if TYPE_CHECKING:
    from journeys.app.cli.output import Output
    from journeys.app.reconciling import How
    from journeys.audit.narrating import Story
    from journeys.issuing import Told
    from journeys.store.bank_files import Imported, LineRow
    from journeys.store.batches import BatchRow
    from journeys.store.payments import PaymentRow

_MOST_DAYS: Final = 3_650
_PAYMENT: Final[Any] = argument(
    "le versement : id, son début, ou référence", "the payment: id, its beginning, or reference", "VERSEMENT"
)


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group(
        "Les versements : listes, fichiers pour la banque, relevés de la banque.",
        "Payments: lists, files for the bank, statements of the bank.",
    )
    app.add_typer(room, name="payments")
    stopping.add_to(room)

    @command(room, "list", "Les versements, ceux qui n'ont pas bougé depuis le plus longtemps d'abord.",
             "Payments, those that have not moved for longest first.")  # fmt: skip
    async def list_(
        ctx: typer.Context,
        state: list[str] = option("--state", "dans cet état ; à répéter", "in this state; may be repeated", []),  # noqa: B008
        fund: str = option("--fund", "de ce fonds", "from this fund"),
        channel: str = option("--channel", "par ce moyen (sepa, voucher, hand)", "by this channel"),
        older_than: int = option("--older-than", "dans cet état depuis plus de jours", "in this state for more days"),
    ) -> None:  # fmt: skip
        await _list(at(ctx), state, fund, channel, older_than)

    @command(room, "show", "Un versement de bout en bout : aide, accords, lot, lignes de la banque.",
             "A payment from end to end: grant, approvals, batch, lines of the bank.")  # fmt: skip
    async def show(ctx: typer.Context, payment: str = _PAYMENT) -> None:
        await _show(at(ctx), payment)

    @command(
        room, "retry",
        "Redemande plusieurs versements retenus : ceux qui sont nommés, ou tous ceux d'un motif.\n\nChacun passe de"
        " nouveau par toutes les règles.",
        "Calls for several blocked payments again: those named, or all of one reason.\n\nEach goes through every"
        " rule anew.",
    )  # fmt: skip
    async def retry(
        ctx: typer.Context,
        payment: list[str] = argument("les versements", "the payments", "VERSEMENT…", []),  # noqa: B008
        reason: str = option("--reason", "tous ceux qui sont retenus pour ce motif", "all blocked for this reason"),
        fund: str = option("--fund", "de ce fonds seulement", "from this fund only"),
        why: str = option("--why", "pourquoi", "why", ...),
    ) -> int:
        return await _retry(at(ctx), payment, reason, fund, why)

    @command(room, "batches", "Les lots de virements.", "Batches of transfers.")
    async def batches_(ctx: typer.Context) -> None:
        await _batches(at(ctx))

    @command(
        room, "export",
        "Fait le fichier de virements d'un jour, ou redonne le même.\n\nIl contient des noms et des IBAN :"
        " déposez-le à la banque, puis effacez-le.",
        "Makes the file of transfers of a day, or gives the same once more.\n\nIt holds names and IBANs:"
        " bring it to the bank, then delete it.",
    )  # fmt: skip
    async def export(
        ctx: typer.Context,
        file: Path = argument("fichier à écrire (pain.001)", "file to write (pain.001)", "FICHIER"),  # noqa: B008
        day: str = option("--day", "jour d'exécution (aujourd'hui sinon)", "day of execution (today otherwise)"),
        batch: str = option("--batch", "redonne ce lot", "gives this batch once more"),
        force: bool = option("--force", "remplace un fichier qui existe", "replaces a file that is there", False),
    ) -> None:
        await _export(at(ctx), file, day, batch, force)

    @command(
        room, "withdraw",
        "Retire un lot que personne n'a encore.\n\nSon fichier n'est jamais donné ; ce qui attend encore va dans"
        " le suivant.",
        "Withdraws a batch that nobody has yet.\n\nIts file is never given out; what still waits goes into the"
        " next one.",
    )  # fmt: skip
    async def withdraw(
        ctx: typer.Context,
        batch: str = argument("le lot, ou un versement qui y est", "the batch, or a payment in it", "LOT"),
        why: str = option("--why", "pourquoi", "why", ...),
    ) -> None:
        await _withdraw(at(ctx), batch, why)

    @command(
        room, "import", "Reprend un fichier de la banque : pain.002, camt.053 ou camt.054.",
        "Takes a file of the bank in: pain.002, camt.053 or camt.054.",
    )  # fmt: skip
    async def import_(
        ctx: typer.Context,
        file: Path = argument("fichier de la banque", "file of the bank", "FICHIER"),  # noqa: B008
    ) -> int:
        return await _import(at(ctx), file)

    @command(room, "exceptions", "Ce que la banque ou le prestataire a dit, et que quelqu'un doit regarder.",
             "What bank or provider said and somebody must look at.")  # fmt: skip
    async def exceptions(
        ctx: typer.Context,
        resolved: bool = option("--resolved", "celles qui sont traitées", "those that are resolved", False),
        fees: bool = option("--fees", "les frais de la banque, en règle", "the bank's charges, in order", False),
    ) -> None:
        await _exceptions(at(ctx), resolved, fees)

    @command(room, "resolve", "Dit ce qu'est une ligne de la banque.", "Says what a line of the bank is.")
    async def resolve(
        ctx: typer.Context,
        line: str = argument("la ligne, comme « exceptions » la nomme", "the line, as “exceptions” names it", "LIGNE"),
        how: str = option(
            "--how",
            "match:VERSEMENT (ou match:LOT), not-ours, refund, fee (frais), noted (vu, rien à faire ici)",
            "match:PAYMENT (or match:BATCH), not-ours, refund, fee, noted (looked at, nothing to do here)",
            ...,
        ),
        why: str = option("--why", "pourquoi", "why", ...),
    ) -> int:
        return await _resolve(at(ctx), line, how, why)


# --- lists


async def _list(desk: Desk, states: list[str], fund: str | None, channel: str | None, older_than: int | None) -> None:
    from journeys.app.finding import unknown_code
    from journeys.domain.state import PaymentStatus
    from journeys.store.payments import payments

    for state in states:
        if state not in set(PaymentStatus):
            raise unknown_code("payment-state", state, list(PaymentStatus), "--state")
    if older_than is not None:
        must_be_within("--older-than", older_than, _MOST_DAYS)
    before = desk.now - timedelta(days=older_than) if older_than is not None else None
    pool = await desk.pool()
    rows = await payments(pool, status=states, fund=fund, pay_by=channel, before=before, limit=10_000)
    desk.out.result({"payments": [_json(row) for row in rows]}, lambda: _table(desk, rows))


def _table(desk: Desk, rows: "list[PaymentRow]") -> None:
    from journeys.app.reading import ZONE
    from journeys.i18n import format_instant, format_money
    from journeys.identifiers import short
    from journeys.narration import spoken

    out, lang = desk.out, desk.out.lang
    heads = (out.t("versement", "payment"), out.t("personne", "person"), out.t("montant", "amount"),
             out.t("moyen", "channel"), out.t("fonds", "fund"), out.t("état", "state"), out.t("depuis", "since"),
             out.t("à voir", "to see"))  # fmt: skip
    shown = [
        (short(row.id), row.name or "—", format_money(row.amount, lang), spoken(row.pay_by, lang), row.fund,
         spoken(row.status.value, lang), format_instant(row.since, lang, ZONE), row.doubt or row.reason or "")
        for row in rows
    ]  # fmt: skip
    out.table(heads, shown)


def _json(row: "PaymentRow") -> dict[str, Any]:
    return {
        "id": row.id, "journey": row.stream.removeprefix("journey-"), "grant": row.grant, "instalment": row.number,
        "fund": row.fund, "person": row.person, "amount": row.amount, "channel": row.pay_by, "reference": row.reference,
        "state": row.status.value, "since": row.since.isoformat(), "reason": row.reason, "doubt": row.doubt,
        "held": row.held, "replaces": row.replaces, "replaced": row.replaced, "batch": row.batch,
    }  # fmt: skip


# --- one payment


async def _show(desk: Desk, asked: str) -> None:
    from journeys.app.reconciling import find_payment, is_about
    from journeys.audit.narrating import narrate
    from journeys.audit.reading import read_names, read_record
    from journeys.store import batches
    from journeys.store.bank_files import lines_of

    pool = await desk.pool()
    row = await find_payment(pool, asked, "VERSEMENT")
    batch, withdrawn = await batches.batch_with(pool, row.id), await batches.withdrawn_with(pool, row.id)
    lines = await lines_of(pool, desk.ring(), row.id)
    record = await read_record(pool, row.stream)
    names = await read_names(pool, record.events)
    about = {each.seq for each in record.events if is_about(each.data, row)}
    story = narrate(record.events, record.parts, names, record.book, desk.out.lang, about)

    def show() -> None:
        _table(desk, [row])
        _tell(desk, story)
        if held := [*withdrawn, *filter(None, [batch])]:
            _batch_table(desk, held)
        if lines:
            _line_table(desk, lines)

    desk.out.result(
        {"payment": _json(row), "batch": _batch_json(batch) if batch is not None else None,
         "withdrawn": [_batch_json(each) for each in withdrawn],
         "lines": [_line_json(each) for each in lines], "story": story.as_json()["days"]},
        show,
    )  # fmt: skip


def _tell(desk: Desk, story: "Story") -> None:
    for day in story.days:
        desk.out.heading(day.title)
        for each in day.told:
            desk.out.line(f"  {each.time:>7}  {each.text}")


# --- several blocked ones


async def _retry(desk: Desk, asked: list[str], reason: str | None, fund: str | None, why: str) -> int:
    from journeys.app.reconciling import find_payment
    from journeys.app.retrying import AT_MOST, call_again
    from journeys.identifiers import short
    from journeys.store.payments import blocked

    if bool(asked) == (reason is not None):
        raise usage(
            "nothing-named", "dites lesquels : des versements, ou un motif (--reason)",
            "say which: payments, or a reason (--reason)", field="VERSEMENT",
        )  # fmt: skip
    actor, pool = await desk.actor(), await desk.pool()
    if asked:
        rows = [await find_payment(pool, each, "VERSEMENT") for each in asked]
    else:
        rows = await blocked(pool, reason=reason, fund=fund, limit=AT_MOST)
        rows = [row for row in rows if not actor.funds or row.fund in actor.funds]
    done = await call_again(
        pool, desk.ring(), desk.client, desk.settings.task_queue, rows, why, actor, desk.now
    ) if rows else []  # fmt: skip
    taken = sum(each.outcome == "accepted" for each in done)
    out = desk.out

    def show() -> None:
        out.line(out.t(f"Redemandés : {taken} sur {len(done)}.", f"Called for again: {taken} of {len(done)}."))
        for each in done:
            if each.outcome != "accepted":
                out.line(f"{short(each.payment)}  {each.code or each.outcome}")

    out.result({"payments": [each.as_json() for each in done], "taken": taken}, show)
    if any(each.outcome == "waiting" for each in done):
        return Exit.UNREACHABLE
    return Exit.DONE if taken == len(done) else Exit.REFUSED


# --- out


async def _batches(desk: Desk) -> None:
    from journeys.store import batches

    pool = await desk.pool()
    rows = await batches.batches(pool)
    number, cents = await batches.waiting(pool)

    def show() -> None:
        from journeys.i18n import format_money

        total = format_money(cents, desk.out.lang)
        desk.out.line(
            desk.out.t(f"En attente d'un lot : {number} ({total})", f"Waiting for a batch: {number} ({total})")
        )
        _batch_table(desk, rows)

    waiting = {"number": number, "total": cents}
    desk.out.result({"batches": [_batch_json(row) for row in rows], "waiting": waiting}, show)


def _batch_table(desk: Desk, rows: "list[BatchRow]") -> None:
    from journeys.i18n import format_date, format_money

    out, lang = desk.out, desk.out.lang
    heads = (out.t("lot", "batch"), out.t("exécution", "execution"), out.t("virements", "transfers"),
             out.t("total", "total"), out.t("donné", "given out"), "SHA-256")  # fmt: skip
    shown = [
        (row.message, format_date(row.execute_on, lang), str(row.number), format_money(row.total, lang),
         _given(desk, row), row.digest)
        for row in rows
    ]  # fmt: skip
    out.table(heads, shown)


def _given(desk: Desk, row: "BatchRow") -> str:
    from journeys.app.reading import ZONE
    from journeys.i18n import format_instant

    if row.withdrawn_at is not None:
        return desk.out.t("retiré", "withdrawn")
    return format_instant(row.given_at, desk.out.lang, ZONE) if row.given_at else desk.out.t("pas encore", "not yet")


def _batch_json(row: "BatchRow") -> dict[str, Any]:
    return {
        "id": row.id, "message": row.message, "execute_on": row.execute_on.isoformat(),
        "made_at": row.made_at.isoformat(), "made_by": row.made_by, "number": row.number, "total": row.total,
        "sha256": row.digest,
        "given_at": row.given_at.isoformat() if row.given_at else None, "given": row.given,
        "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
    }  # fmt: skip


async def _export(desk: Desk, file: Path, day: str | None, batch: str | None, force: bool) -> None:
    from journeys.app.cli.files import check, write
    from journeys.app.reading import read_day, today_of
    from journeys.app.reconciling import account_of, by, give_out
    from journeys.channels.sepa.transfers import render
    from journeys.i18n import format_date, format_money

    on: date = read_day(day, "--day") if day is not None else today_of(desk.now)
    account = account_of(desk.settings)
    check(file, force, "FICHIER")
    who = by(await desk.actor(), "export-payments", desk.now)
    given = await give_out(await desk.pool(), desk.ring(), account, render, on, who, batch)
    write(file, given.content, force, "FICHIER")
    row, out = given.batch, desk.out

    def show() -> None:
        total, on_ = format_money(row.total, out.lang), format_date(row.execute_on, out.lang)
        out.line(
            out.t(
                f"{file} : lot {row.message}, {row.number} virement{_s(row.number)}, {total}, à exécuter le {on_}.",
                f"{file}: batch {row.message}, {row.number} transfer{_s(row.number)}, {total}, for {on_}.",
            )
        )
        out.line(f"SHA-256 {row.digest}")
        if given.again:
            out.line(out.t("Déjà donné : c'est le même fichier. Ne le déposez pas deux fois.",
                           "Given out before: it is the same file. Do not hand it in twice."))  # fmt: skip

    out.result({"batch": _batch_json(row), "file": str(file), "again": given.again}, show)


async def _withdraw(desk: Desk, asked: str, why: str) -> None:
    from journeys.app.reconciling import by, withdraw

    who = by(await desk.actor(), "export-payments", desk.now)
    row, out = await withdraw(await desk.pool(), desk.ring(), asked, why, who), desk.out
    out.result({"batch": _batch_json(row)}, lambda: out.line(
        out.t(f"Lot {row.message} retiré : ce qui attend encore ira dans un nouveau fichier.",
              f"Batch {row.message} withdrawn: what still waits goes into a new file.")))  # fmt: skip


# --- in


async def _import(desk: Desk, file: Path) -> int:
    import hashlib

    from journeys.app.reconciling import account_of, by, take_in, tell
    from journeys.channels.sepa.receiving import received
    from journeys.store.bank_files import Incoming

    account = account_of(desk.settings)
    who = by(await desk.actor(), "import-payments", desk.now)
    pool, ring = await desk.pool(), desk.ring()
    try:
        with file.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            source.seek(0)
            found = await take_in(pool, ring, Incoming(digest, received(source)), account, who, "FICHIER")
    except OSError as error:
        said = why(error)
        raise usage("cannot-read", f"FICHIER : {file} ne peut pas être lu : {said.fr}",
                    f"FICHIER: {file} cannot be read: {said.en}", field="FICHIER") from None  # fmt: skip
    told = await tell(pool, ring, desk.client, desk.settings.task_queue, desk.now, digest)
    desk.out.result({"file": _imported_json(found), "told": _told_json(told)}, lambda: _say_imported(desk, found, told))
    return _exit(desk, told)


def _say_imported(desk: Desk, found: "Imported", told: "Told") -> None:
    from journeys.app.reading import ZONE
    from journeys.i18n import format_instant

    out = desk.out
    when = format_instant(found.imported_at, out.lang, ZONE)
    if found.known:
        out.line(
            out.t(f"Déjà importé le {when} : rien n'a changé.", f"Imported before, on {when}: nothing has changed.")
        )
    lines, fresh = found.lines, found.fresh
    out.line(out.t(f"{found.kind} : {lines} ligne{_s(lines)}, dont {fresh} nouvelle{_s(fresh)}.",
                   f"{found.kind}: {lines} line{_s(lines)}, {fresh} of them new."))  # fmt: skip
    if found.fees:
        out.line(out.t(
            f"Frais de la banque : {found.fees}, en règle (« journeys payments exceptions --fees »).",
            f"Charges of the bank: {found.fees}, in order (“journeys payments exceptions --fees”).",
        ))  # fmt: skip
    _say_told(desk, told)
    if looked := found.troubled + told.refused:
        out.line(out.t(f"À regarder : {looked} (« journeys payments exceptions »).",
                       f"To look at: {looked} (“journeys payments exceptions”)."))  # fmt: skip


def _s(number: int) -> str:
    return "s" if number > 1 else ""


def _say_told(desk: Desk, told: "Told") -> None:
    out = desk.out
    if told.taken:
        out.line(out.t(f"Portées sur les parcours : {told.taken}.", f"Told to journeys: {told.taken}."))
    if told.refused:
        out.line(out.t(f"Non prises par les parcours : {told.refused}.", f"Not taken by journeys: {told.refused}."))


def _exit(desk: Desk, told: "Told") -> int:
    if not told.waiting:
        return Exit.DONE
    desk.out.note(desk.out.t(
        f"{told.waiting} attendent le moteur : portées d'elles-mêmes sur les parcours à son retour, sous dix minutes.",
        f"{told.waiting} wait for the engine: told to journeys by themselves within ten minutes of its return.",
    ))  # fmt: skip
    return Exit.UNREACHABLE


def _imported_json(found: "Imported") -> dict[str, Any]:
    return {"sha256": found.digest, "kind": found.kind, "imported_at": found.imported_at.isoformat(),
            "known": found.known, "lines": found.lines, "fresh": found.fresh, "troubled": found.troubled,
            "fees": found.fees}  # fmt: skip


def _told_json(told: "Told") -> dict[str, Any]:
    return {"taken": told.taken, "refused": told.refused, "waiting": told.waiting}


# --- what somebody must look at


async def _exceptions(desk: Desk, resolved: bool, fees: bool) -> None:
    from journeys.store import bank_files

    pool = await desk.pool()
    if fees:
        rows = await bank_files.fees(pool, desk.ring(), limit=10_000)
    else:
        rows = await bank_files.exceptions(pool, desk.ring(), resolved=resolved, limit=10_000)
    desk.out.result({"exceptions": [_line_json(row) for row in rows]}, lambda: _line_table(desk, rows))


def _line_table(desk: Desk, rows: "list[LineRow]") -> None:
    from journeys.i18n import format_date, format_money
    from journeys.narration.bank_files import gone_said

    out, lang = desk.out, desk.out.lang
    heads = (out.t("ligne", "line"), out.t("jour", "day"), out.t("montant", "amount"), out.t("qui", "who"),
             out.t("référence", "reference"), out.t("à regarder", "to look at"),
             out.t("traité", "resolved"))  # fmt: skip
    shown = [
        (row.id, format_date(row.booked_on, lang) if row.booked_on else row.code or "",
         format_money(row.cents, lang) if row.cents is not None else "", row.name or gone_said(row.gone, lang),
         row.reference or row.batch or "", trouble_words(row, lang), _resolved(row, out))
        for row in rows
    ]  # fmt: skip
    out.table(heads, shown)


def _resolved(row: "LineRow", out: "Output") -> str:
    """What a line was said to be, and why; empty while nobody has."""
    from journeys.narration import spoken

    said = [spoken(row.how, out.lang), *filter(None, [row.why])] if row.how else []
    return out.t(" : ", ": ").join(said)


def trouble_words(row: "LineRow", lang: str) -> str:
    """Why somebody must look at a line; empty when it is in order."""
    from journeys.narration.bank_files import trouble_said

    if row.trouble is None and row.refused is None:
        return ""
    return trouble_said(row.trouble or "refused", lang)


def _line_json(row: "LineRow") -> dict[str, Any]:
    return {
        "id": row.id, "file": row.file, "position": row.position, "kind": row.kind,
        "imported_at": row.imported_at.isoformat(), "booked_on": row.booked_on.isoformat() if row.booked_on else None,
        "amount": row.cents, "reference": row.reference, "bank_reference": row.bank_reference, "batch": row.batch,
        "code": row.code, "reason": row.reason, "payment": row.payment, "trouble": row.trouble, "refused": row.refused,
        "name": row.name, "iban": row.iban, "about": row.about, "how": row.how, "matched": row.matched,
        "resolved_at": row.resolved_at.isoformat() if row.resolved_at else None, "resolved_by": row.resolved_by,
        "why": row.why, "gone": row.gone,
    }  # fmt: skip


async def _resolve(desk: Desk, line: str, how: str, why: str) -> int:
    from journeys.app.reconciling import by, find_line, matched, resolve, tell

    kind, _, named = how.partition(":")
    chosen = _how(kind, bool(named))
    who = by(await desk.actor(), "resolve-bank-line", desk.now)
    pool, ring = await desk.pool(), desk.ring()
    row = await find_line(pool, ring, line)
    payment, batch = await matched(pool, named, "--how") if named else (None, None)
    await resolve(pool, ring, row, chosen, why, who, payment, batch)
    told = await tell(pool, ring, desk.client, desk.settings.task_queue, desk.now, row.file)
    again = await find_line(pool, ring, f"{row.file}/{row.position}")

    def show() -> None:
        desk.out.line(desk.out.t(f"{row.id} : traitée.", f"{row.id}: resolved."))
        _say_told(desk, told)

    desk.out.result({"line": _line_json(again), "told": _told_json(told)}, show)
    if told.refused:
        raise Failure(
            Exit.REFUSED, "not-taken",
            Said("le parcours n'a pas pris ce rapprochement ; la ligne reste à regarder",
                 "the journey did not take this match; the line is still to be looked at"),
        )  # fmt: skip
    return _exit(desk, told)


def _how(kind: str, named: bool) -> "How":
    match kind:
        case "match" if named:
            return "match"
        case "not-ours" | "refund" | "fee" | "noted" if not named:
            return kind
    raise usage("not-a-way", f"--how : « {kind} » ; écrivez match:VERSEMENT, not-ours, refund, fee ou noted",
                f"--how: “{kind}”; write match:PAYMENT, not-ours, refund, fee or noted", field="--how")  # fmt: skip
