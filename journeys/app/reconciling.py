"""Between us and the bank: files made and given out, what the bank sends taken in, journeys told, oddities settled."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from journeys.app.allowing import who_may
from journeys.app.entry import Actor, clean_text, give, must_be_trusted
from journeys.app.failures import Exit, Failure, Said, not_found, usage
from journeys.app.finding import nearest
from journeys.app.reading import today_of
from journeys.authoring.calendars import bank_day
from journeys.contract import Answer
from journeys.domain.banking import Account, Batch, FileRefused
from journeys.domain.commands import Command
from journeys.domain.rights import Scope, right
from journeys.i18n import format_date
from journeys.identifiers import uuid7
from journeys.issuing import Told, send_waiting
from journeys.narration.bank_files import file_refused
from journeys.settings import Settings
from journeys.store import bank_files, batches, treasury
from journeys.store.bank_files import CannotMatch, Imported, Incoming, LineRow, NotOpen
from journeys.store.bank_files import How as How
from journeys.store.bank_years import YearGone
from journeys.store.batches import Altered, BatchRow, ClosedSince, GivenOut, PaymentsStopped, Withdrawn
from journeys.store.database import Pool
from journeys.store.directory import By, NotFound
from journeys.store.payments import PaymentRow, payments_like
from journeys.store.sealing import CannotUnseal
from journeys.store.signing import KeyRing

if TYPE_CHECKING:
    from temporalio.client import Client

SHORTEST: Final = 6
"""Letters of an id that name a payment."""


def account_of(settings: Settings) -> Account:
    """The association's account. Raises Failure (usage): there is none among the settings."""
    account = settings.account
    if account.iban is None:
        raise usage(
            "no-account", "le compte de l'association n'est pas connu ici",
            "the association's account is not known here", field="JOURNEYS_ACCOUNT__IBAN",
            remedy=Said("indiquez JOURNEYS_ACCOUNT__NAME et JOURNEYS_ACCOUNT__IBAN, puis recommencez",
                        "set JOURNEYS_ACCOUNT__NAME and JOURNEYS_ACCOUNT__IBAN, then try again"),
        )  # fmt: skip
    return Account(account.name.strip(), account.iban, account.bic)


def by(actor: Actor, act: str, now: datetime) -> By:
    """Who does this for the whole account, in which role. Raises Failure (refused): no right, or one for some funds."""
    role = next((role for role in actor.roles if right(role, act) is Scope.ALLOWED), None)
    if role is not None and not actor.funds:
        return By(actor=actor.id, role=role, at=now)
    bound = role is not None
    raise Failure(
        Exit.REFUSED, "no-right",
        Said("vous n'êtes gestionnaire que de certains fonds, et ceci touche tout le compte",
             "you look after some funds only, and this concerns the whole account")
        if bound
        else Said("votre rôle ne permet pas cela", "your role does not allow this"),
        Said(f"demandez-le à qui peut le faire : {who_may(act, 'fr')}{', pour tous les fonds' if bound else ''}",
             f"ask one of those who may: {who_may(act, 'en')}{', for every fund' if bound else ''}"),
        field="--as",
    )  # fmt: skip


# --- out


@dataclass(frozen=True, slots=True)
class Given:
    """A file for the bank, as it is handed over."""

    batch: BatchRow
    content: bytes
    again: bool
    """It was given out before: the same bytes."""


async def give_out(
    pool: Pool, ring: KeyRing, debtor: Account, render: Callable[[Batch], bytes], on: date, by: By,
    batch: str | None = None,
) -> Given:  # fmt: skip
    """The file of a day: the one that nobody has yet, else one of what waits now, else the last one once more.

    A day on which banks do not settle is the next one on which they do.

    Args:
        batch: this one, by its id or its message.

    Raises:
        Failure: nothing waits, payments are stopped, the day is past, no such batch, it was withdrawn, a payment in it
            is closed, nobody here can open it.
    """
    try:
        chosen = await _chosen(pool, ring, debtor, render, on, by, batch)
        content = await batches.give_out(pool, ring, chosen.id, by)
    except PaymentsStopped:
        raise await stopped(pool) from None
    except YearGone as gone:
        raise _gone(gone.year) from None
    except CannotUnseal:
        raise _sealed() from None
    except Withdrawn:
        raise _withdrawn(chosen) from None
    except ClosedSince as error:
        raise _closed(chosen, error) from None
    except Altered:
        raise Failure(
            Exit.BROKEN, "batch-altered",
            Said("ce fichier n'est plus celui qui a été fait ; ne donnez rien à la banque",
                 "this file is no longer the one that was made; give nothing to the bank"),
            Said("prévenez qui exploite le service", "tell whoever runs the service"),
        ) from None  # fmt: skip
    row = await batches.batch_of(pool, chosen.id)
    assert row is not None
    return Given(row, content, row.given > 1)


def _closed(batch: BatchRow, error: ClosedSince) -> Failure:
    """The file would pay what must not be paid any more."""
    named, message = ", ".join(error.payments), batch.message
    if error.given:
        remedy = Said("ce fichier a déjà été donné une fois, et ne l'est plus : voyez ce que la banque en a dit",
                      "this file was given out once, and is not any more: see what the bank said of it")  # fmt: skip
    else:
        remedy = Said(f"retirez le lot {message} : ce qui attend encore ira dans un nouveau fichier",
                      f"withdraw batch {message}: what still waits goes into a new file")  # fmt: skip
    return Failure(
        Exit.REFUSED, "batch-closed",
        Said(f"le lot {message} paierait des versements qui n'attendent plus la banque : {named}",
             f"batch {message} would pay what no longer waits for the bank: {named}"),
        remedy,
    )  # fmt: skip


def _withdrawn(batch: BatchRow) -> Failure:
    return Failure(
        Exit.REFUSED, "batch-withdrawn",
        Said(f"le lot {batch.message} a été retiré : son fichier n'est plus donné à personne",
             f"batch {batch.message} was withdrawn: its file is given to nobody any more"),
        Said("faites le fichier du jour : ce qui attend y est", "make the file of the day: what waits is in it"),
    )  # fmt: skip


async def withdraw(pool: Pool, ring: KeyRing, asked: str, why: str, by: By) -> BatchRow:
    """Take back a batch that nobody has; what still waits in it goes into another file.

    Args:
        asked: the batch, by its message or id, or a payment in it.

    Raises:
        Failure: no such batch, somebody has the file, it was withdrawn before, no reason; nothing has changed.
    """
    said = _reason(why)
    await must_be_trusted(pool, ring)
    batch = await _batch_called(pool, asked.strip())
    if batch is None:
        payment = await find_payment(pool, asked, "LOT")
        batch = await batches.batch_with(pool, payment.id)
    if batch is None:
        raise not_found("unknown-batch", f"« {asked} » n'est dans aucun lot", f"“{asked}” is in no batch",
                        field="LOT")  # fmt: skip
    try:
        await batches.withdraw(pool, batch.id, said, by)
    except Withdrawn:
        raise _withdrawn(batch) from None
    except GivenOut:
        raise Failure(
            Exit.REFUSED, "batch-given-out",
            Said(f"le fichier du lot {batch.message} a été donné : la banque l'exécute peut-être",
                 f"the file of batch {batch.message} was given out: the bank may execute it"),
            Said("attendez sa réponse ou le relevé ; ce qui n'y est pas se note alors « jamais parti »",
                 "wait for its answer or the statement; what is not in it is then noted as never paid"),
        ) from None  # fmt: skip
    found = await batches.batch_of(pool, batch.id)
    assert found is not None
    return found


def _reason(why: str) -> str:
    said = clean_text(why.strip(), "--why")
    if not said:
        raise usage("no-reason", "dites pourquoi", "say why", field="--why")
    return said


async def _chosen(
    pool: Pool, ring: KeyRing, debtor: Account, render: Callable[[Batch], bytes], on: date, by: By, asked: str | None
) -> BatchRow:  # fmt: skip
    if asked is not None:
        return await _find_batch(pool, asked)
    if on >= today_of(by.at):
        on = bank_day(on)
    of_day = [row for row in await batches.batches(pool, on) if row.withdrawn_at is None]
    for row in reversed(of_day):
        if not row.given:
            return row
    if on < today_of(by.at):
        if of_day:
            return of_day[0]
        raise usage(
            "past", f"le {format_date(on, 'fr')} est passé ; la banque n'exécute pas dans le passé",
            f"{format_date(on, 'en')} is past; a bank executes nothing in the past", field="--day",
        )  # fmt: skip
    made = await batches.make(pool, ring, uuid7(by.at), on, debtor, _about(debtor), render, by)
    if made is not None:
        return made
    if of_day:
        return of_day[0]
    raise not_found(
        "nothing-waits", "aucun virement n'attend", "no transfer waits",
        remedy=Said("voyez parmi les versements ceux qui sont transmis à la banque",
                    "see among the payments those that were handed to the bank"),
    )  # fmt: skip


def _about(debtor: Account) -> str:
    return f"Versement {debtor.name}"


async def _batch_called(pool: Pool, asked: str) -> BatchRow | None:
    """The batch of this message, id, or beginning of an id."""
    if len(asked) < SHORTEST:
        return None
    everything = await batches.batches(pool, limit=10_000)
    fitting = [row for row in everything if row.message == asked.upper() or row.id.startswith(asked.lower())]
    return fitting[0] if len(fitting) == 1 else None


async def _find_batch(pool: Pool, asked: str) -> BatchRow:
    found = await _batch_called(pool, asked.strip())
    if found is None:
        raise not_found(
            "unknown-batch", f"« {asked} » n'est pas un lot connu", f"no batch “{asked}”", field="--batch",
            remedy=Said("voyez la liste des lots", "see the list of batches"),
        )  # fmt: skip
    return found


async def stopped(pool: Pool) -> Failure:
    """Payments are stopped: since when and why."""
    stop = await treasury.stopped(pool)
    why = stop.why if stop is not None else ""
    return Failure(
        Exit.REFUSED, "all-stopped",
        Said(f"les paiements sont arrêtés : {why}", f"payments are stopped: {why}"),
        Said("rien n'est donné à la banque tant qu'ils le sont", "nothing is given to the bank while they are"),
    )  # fmt: skip


def _sealed() -> Failure:
    return Failure(
        Exit.FAILED, "cannot-unseal",
        Said("ces virements ont été scellés avec une clé qui n'est pas ici",
             "these transfers were sealed with a key that is not here"),
        Said("voyez si la base des clés est la bonne (JOURNEYS_KEYS_DSN) ; pour des virements d'avant, ajoutez"
             " l'ancienne clé (JOURNEYS_SIGNING_OLD_KEYS)",
             "see whether the database of keys is the right one (JOURNEYS_KEYS_DSN); for transfers of before, add the"
             " old key (JOURNEYS_SIGNING_OLD_KEYS)"),
    )  # fmt: skip


def _gone(year: int) -> Failure:
    return Failure(
        Exit.REFUSED, "bank-year-gone",
        Said(f"ces virements ne sont plus gardés : la durée de l'année {year} est passée",
             f"these transfers are no longer kept: the time of the year {year} is over"),
        Said("le jour, le nombre, le total et l'empreinte du fichier restent dans la liste des lots",
             "day, number, total and digest of the file stay in the list of batches"),
    )  # fmt: skip


# --- in


async def take_in(pool: Pool, ring: KeyRing, file: Incoming, account: Account, by: By, field: str) -> Imported:
    """Take a file of the bank in, whole or not at all. Raises Failure: what is wrong in it, and at which line."""
    await must_be_trusted(pool, ring)
    try:
        return await bank_files.take_in(pool, ring, file, account.iban, by)
    except FileRefused as refused:
        raise refused_file(refused, field) from None


async def tell(
    pool: Pool, ring: KeyRing, client: "Callable[[], Awaitable[Client]]", task_queue: str, now: datetime,
    file: str | None = None,
) -> Told:  # fmt: skip
    """Tell journeys what the bank said of their payments. What gets no answer is told again later."""
    from journeys.temporal import Unreachable

    if not (owed := await bank_files.count_waiting(pool, file)):
        return Told(0, 0, 0)
    try:
        temporal = await client()
    except Unreachable:
        return Told(0, 0, owed)

    async def send(command: Command) -> Answer | None:
        try:
            return await give(pool, temporal, command, task_queue)
        except Unreachable:
            return None

    return await send_waiting(pool, ring, send, now, file)


def refused_file(refused: FileRefused, field: str) -> Failure:
    """Why nothing of a file was taken, and where in it."""
    fr, en = file_refused(refused, "fr"), file_refused(refused, "en")
    return usage(f"file-{refused.code}", f"{field} : {fr}", f"{field}: {en}", field=field)


# --- what a person looks at


async def find_line(pool: Pool, ring: KeyRing, asked: str) -> LineRow:
    """A line of the bank by what people type. Raises Failure."""
    row = await bank_files.line(pool, ring, asked.strip())
    if row is None:
        known = [each.id for each in await bank_files.exceptions(pool, ring, limit=50)]
        near = nearest(asked, known)
        raise not_found(
            "unknown-line", f"« {asked} » n'est pas une ligne connue", f"no line “{asked}”",
            field="LIGNE",
            remedy=Said(f"Vouliez-vous dire « {near} » ?" if near else "voyez la liste des lignes à rapprocher",
                        f"Did you mean “{near}”?" if near else "see the list of lines to settle"),
        )  # fmt: skip
    return row


async def find_payment(pool: Pool, asked: str, field: str) -> PaymentRow:
    """A payment by id, its beginning, or the reference that travels with it. Raises Failure."""
    wanted = asked.strip()
    found = await payments_like(pool, wanted) if len(wanted) >= SHORTEST else []
    if len(found) == 1:
        return found[0]
    if found:
        named = ", ".join(each.id for each in found)
        raise not_found("several", f"{field} : plusieurs versements conviennent", f"{field}: several payments fit",
                        field=field, remedy=Said(f"Précisez : {named}", f"Choose: {named}"))  # fmt: skip
    raise not_found("unknown-payment", f"{field} : « {asked} » n'est pas un versement connu",
                    f"{field}: no payment “{asked}”", field=field,
                    remedy=Said("voyez la liste des versements", "see the list of payments"))  # fmt: skip


def is_about(data: Any, row: PaymentRow) -> bool:
    """Whether an event tells of this payment, or of its grant as a whole."""
    named = getattr(data, "payment", None)
    about = getattr(data, "about", None)
    if about is not None and getattr(about, "kind", None) in ("payment", "grant"):
        return about.id in (row.id, row.grant)
    return named == row.id if named is not None else getattr(data, "grant", None) == row.grant


async def matched(pool: Pool, asked: str, field: str) -> tuple[str | None, str | None]:
    """What a line is matched with: the id of a payment, or that of a batch booked as one sum. Raises Failure."""
    batch = await _batch_called(pool, asked)
    return (None, batch.id) if batch is not None else ((await find_payment(pool, asked, field)).id, None)


async def resolve(
    pool: Pool, ring: KeyRing, row: LineRow, how: How, why: str, by: By, payment: str | None = None,
    batch: str | None = None,
) -> None:  # fmt: skip
    """Finance says what a line is; of a match, journeys are told next. Raises Failure."""
    said = _reason(why)
    await must_be_trusted(pool, ring)
    try:
        await bank_files.resolve(pool, row, how, said, by, payment, batch)
    except NotOpen:
        raise Failure(
            Exit.CONFLICT, "line-not-open",
            Said("cette ligne est en règle, ou quelqu'un l'a déjà traitée ; rien n'a changé",
                 "this line is in order, or somebody resolved it already; nothing has changed"),
            Said("voyez les lignes traitées : qui, quand, pourquoi", "see the resolved lines: who, when, why"),
        ) from None  # fmt: skip
    except CannotMatch as error:
        raise Failure(
            Exit.REFUSED, f"cannot-match-{error.code}", _CANNOT[error.code], _BY_HAND, field="--how"
        ) from None
    except NotFound:
        raise not_found("unknown-payment", "ce versement n'est pas connu", "no such payment",
                        field="--how") from None  # fmt: skip


_CANNOT: Final = {
    "amount": Said("le montant de la ligne n'est pas celui du versement, ou du lot sans ce que la banque a rejeté",
                   "the line's amount is not the payment's, or the batch's without what the bank rejected"),
    "other-batch": Said("la banque nomme un autre lot sur cette ligne", "the bank names another batch on this line"),
    "no-movement": Said("cette ligne ne montre pas d'argent parti ou revenu : elle ne se rapproche de rien",
                        "this line shows no money that left or came back: it cannot be matched"),
    "no-debit": Said("de l'argent reçu, ou une réponse de la banque, n'est pas un frais",
                     "money that came in, or an answer of the bank, is no charge"),
    "told": Said("ce versement a déjà eu connaissance de cette ligne, et ne l'a pas prise",
                 "this payment was told this line before, and did not take it"),
}  # fmt: skip
_BY_HAND: Final = Said(
    "dites autrement ce qu'est la ligne et, s'il le faut, soldez le versement à la main",
    "say otherwise what the line is and, if need be, settle the payment by hand",
)
