"""Versements: what each payment asks for, what needs an answer first; and one payment from end to end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.allowing import may
from journeys.app.approving import sight
from journeys.app.bank_counter import a_working_day_ago
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.reconciling import is_about
from journeys.app.retrying import CalledAgain, call_again
from journeys.app.web.bodies import typed_in
from journeys.app.web.lines import Action
from journeys.app.web.pages.commands import journey, journey_told
from journeys.app.web.paging import A_PAGE, Paging, page_asked
from journeys.app.web.policy import ACCOUNT, KEEPING, READERS
from journeys.app.web.proof import want_proof
from journeys.app.web.rendering import local_path, page
from journeys.app.web.story import told_days
from journeys.app.web.visit import Visit, door
from journeys.domain.rights import covers
from journeys.domain.state import PaymentStatus
from journeys.i18n import N_, Lang, ngettext
from journeys.identifiers import is_uuid
from journeys.narration import spoken
from journeys.narration.refusals import refusal
from journeys.narration.telling import Speech
from journeys.store import batches, payment_lists
from journeys.store.bank_files import lines_of
from journeys.store.payment_lists import WANTS, Asked, Order, Wanting, Wants
from journeys.store.payments import PaymentRow, payments, payments_like

router = APIRouter()

HERE: Final = "/versements"
TITLES: Final[Mapping[Wants, str]] = {
    "doubt": N_("doute sur le compte"),
    "silent": N_("sans réponse de la banque"),
    "held": N_("n'a pas pu partir"),
    "blocked": N_("retenu"),
    "handing": N_("à remettre"),
    "failed": N_("refusé ou revenu"),
    "way": N_("suit son cours"),
    "done": N_("terminé"),
}
_ADVICE: Final[Mapping[Wants, str]] = {
    "doubt": N_("Vérifier le nom et le compte, puis garder ou retirer."),
    "silent": N_("Demander à la banque, puis noter ce qu'elle répond. Ne pas payer une seconde fois."),
    "held": N_("Rien n'est parti ; un nouvel essai a lieu chaque jour ouvré. Voir pourquoi, ou annuler."),
    "blocked": N_("Lever la cause, puis redemander."),
    "handing": N_("Remettre, faire signer, puis noter qui a signé."),
    "failed": N_("Rien n'est perdu : l'aide se verse de nouveau après une demande modifiée et de nouveaux accords."),
    "way": N_("Rien à faire."),
    "done": N_("Rien à faire."),
}
_TONES: Final[Mapping[Wants, str]] = {
    "doubt": "late", "silent": "late", "held": "late", "blocked": "soon", "handing": "soon", "failed": "soon",
    "way": "calm", "done": "done",
}  # fmt: skip
_ORDERS: Final[Mapping[str, Order]] = {"depuis": "since", "montant": "amount", "nom": "name"}
_MEANS: Final = ("sepa", "voucher", "hand")
_AGES: Final = (1, 3, 7, 30)


@dataclass(frozen=True, slots=True)
class Shown:
    """A payment in the list; `journey`, `what` and `who` name it where its buttons stand."""

    row: PaymentRow
    wants: Wants
    journey: str
    what: str
    who: str
    state: str
    todo: str
    tone: str
    actions: tuple[Action, ...]


@router.get(HERE)
async def screen(visit: Visit = door(READERS)) -> Response:
    return await _list(visit)


async def _list(
    visit: Visit, ticked: Sequence[str] = (), typed: Mapping[str, str] | None = None, failures: Sequence[Failure] = ()
) -> Response:
    asked, number = _asked(visit), page_asked(visit)
    found, total = await payment_lists.page_of(visit.connection, asked, A_PAGE, (number - 1) * A_PAGE)
    counts = await payment_lists.counted(visit.connection, asked.silent_before)
    query = visit.request.query_params
    rows = [shown(visit, each) for each in found]
    return page(
        visit, "payments.html", 422 if failures else 200,
        retryable=any(action.command == "retry-payment" for each in rows for action in each.actions),
        ticked=ticked, all_ticked=query.get("cocher") == "1", failures=failures, key=(typed or {}).get("key"),
        rows=rows, total=total, counts=counts,
        waiting=await batches.waiting(visit.house.writing) if sees_account(visit) else None,
        paging=Paging(visit, number, total, A_PAGE), asked=asked, typed={**query, **(typed or {})},
        funds=await payment_lists.funds_named(visit.connection), statuses=tuple(PaymentStatus), means=_MEANS,
        ages=_AGES, wants=WANTS, titles={each: visit.say(TITLES[each]) for each in WANTS},
        counted=lambda each: counted(each, counts[each], visit.lang),
        address=lambda **more: _address(visit, **more), back=_back(visit), sees_account=sees_account(visit),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Again:
    """A blocked payment that was called for again, and what came of it."""

    row: PaymentRow
    taken: bool
    said: str


@router.post(HERE + "/retenus/redemander")
async def retry(visit: Visit = door(KEEPING)) -> Response:
    """Call for every ticked payment again; each answers for itself. The same form once more changes nothing more."""
    form, house = await visit.request.form(), visit.house
    ticked = list(dict.fromkeys(str(each) for each in form.getlist("versement") if is_uuid(str(each))))[:A_PAGE]
    typed, key = typed_in(form), str(form.get("key", ""))
    await want_proof(visit, "retry-payment")
    wrong = list[Failure]()
    if not ticked:
        wrong.append(
            usage("none-ticked", "cochez au moins un versement", "tick one payment at least", field="versement")
        )
    if not typed.get("why", "").strip():
        wrong.append(usage("no-reason", "dites pourquoi, en quelques mots", "say why, in a few words", field="why"))
    if wrong:
        return await _list(visit, ticked, {"why": typed.get("why", ""), "key": key if is_uuid(key) else ""}, wrong)
    rows = await payments(visit.connection, ids=ticked, limit=A_PAGE)
    await visit.done()
    done = await call_again(
        house.writing, house.ring, house.client, house.settings.task_queue, rows, typed["why"].strip(), visit.actor,
        visit.now, key if is_uuid(key) else None,
    )  # fmt: skip
    results = [Again(row, each.outcome == "accepted", _came(visit, each)) for row, each in zip(rows, done, strict=True)]
    return page(visit, "called-again.html", results=results, back=local_path(typed.get("back"), HERE))


def _came(visit: Visit, each: CalledAgain) -> str:
    match each.outcome:
        case "accepted":
            return visit.say("Redemandé : il repasse par toutes les règles.")
        case "waiting":
            return visit.say("Pas encore de réponse. Regardez la liste dans un instant ; rien ne part deux fois.")
        case _:
            return refusal(each.code or "refused", {}, visit.lang)


@router.get(HERE + "/{payment}")
async def one(payment: str, visit: Visit = door(READERS)) -> Response:
    """A payment's whole story, as far as the visitor sees its journey."""
    found = await payments_like(visit.connection, payment) if is_uuid(payment) else []
    if not found:
        raise Failure(
            Exit.NOT_FOUND, "unknown-payment",
            Said("ce versement n'existe pas, ou ne vous est pas ouvert",
                 "there is no such payment, or it is not open to you"),
        )  # fmt: skip
    row = found[0]
    id = row.stream.removeprefix("journey-")
    loaded = await journey(visit, id)
    seen = await sight(visit.connection, loaded.row, row.grant, loaded) if row.grant in loaded.state.grants else None
    asked = Asked(a_working_day_ago(visit.now))
    wanting = await payment_lists.wanting(visit.connection, row.id, asked.silent_before)
    batch = await batches.batch_with(visit.connection, row.id)
    withdrawn = await batches.withdrawn_with(visit.connection, row.id)
    lines = await lines_of(visit.connection, visit.house.ring, row.id)
    answers = may(visit.actor, loaded, "settle-doubt", {"payment": row.id})
    sent = await payment_lists.payees(visit.house.writing, visit.house.ring, [row.id]) if answers else {}
    _, names, story = await journey_told(
        visit, id, lambda events, _: {each.seq for each in events if is_about(each.data, row)}
    )
    speech = Speech(loaded.book, names, visit.lang, loaded.state)
    return page(
        visit, "payment.html",
        shown=shown(visit, wanting), row=row, loaded=loaded, sight=seen, batch=batch, withdrawn=withdrawn, lines=lines,
        speech=speech,
        days=told_days(story.days, {each.seq for day in story.days for each in day.told}),
        answers=answers, payee=sent.get(row.id) or (seen.payee if seen is not None else None), back=f"{HERE}/{row.id}",
        sees_account=sees_account(visit),
    )  # fmt: skip


def sees_account(visit: Visit) -> bool:
    """Whether the visitor looks at the whole account; row-level security says the same."""
    money_alone = not visit.lines & (ACCOUNT.roles or frozenset()) - {"finance"}
    return visit.admitted(ACCOUNT) and not (money_alone and visit.visitor.funds)


def shown(visit: Visit, each: Wanting) -> Shown:
    """A payment in words, with what the visitor may do about it."""
    row, say = each.row, visit.say
    state = spoken(row.status.value, visit.lang)
    if each.wants in ("handing", "held", "silent"):
        state = say(TITLES[each.wants])
    if row.doubt:
        state = f"{state}, {spoken(row.doubt, visit.lang)}"
    if row.reason and each.wants in ("blocked", "failed"):
        state = f"{state} ({spoken(row.reason, visit.lang)})"
    acts = covers("settle-payment", visit.lines, None, own=False)
    return Shown(
        row, each.wants, row.stream.removeprefix("journey-"), say("versement"), row.name or say("personne effacée"),
        state, say(_ADVICE[each.wants]), _TONES[each.wants], tuple(_actions(visit, each)) if acts else (),
    )  # fmt: skip


def counted(wants: Wants, count: int, lang: Lang) -> str:
    """How many payments want this: `12 retenus`."""

    def n(one: str, more: str) -> str:
        return ngettext(lang, one, more, count).format(count=count)

    match wants:
        case "doubt":
            return n("{count} doute sur le compte", "{count} doutes sur le compte")
        case "silent":
            return n("{count} sans réponse de la banque", "{count} sans réponse de la banque")
        case "held":
            return n("{count} n'a pas pu partir", "{count} n'ont pas pu partir")
        case "blocked":
            return n("{count} retenu", "{count} retenus")
        case "handing":
            return n("{count} à remettre", "{count} à remettre")
        case "failed":
            return n("{count} refusé ou revenu", "{count} refusés ou revenus")
        case "way":
            return n("{count} suit son cours", "{count} suivent leur cours")
        case "done":
            return n("{count} terminé", "{count} terminés")


def _actions(visit: Visit, each: Wanting) -> list[Action]:
    """What finance may do about it; nothing of it sends money that the rules would not send."""
    s, this = visit.say, {"payment": each.row.id}
    cancel = [Action(s("Annuler…"), "cancel-payment", this, form=True)]
    settle = [
        Action(s("C'est payé…"), "settle-payment", this | {"fate": "paid"}, form=True),
        Action(s("Jamais parti…"), "settle-payment", this | {"fate": "never-paid"}, form=True),
    ]
    match each.wants:
        case "doubt":
            return [Action(s("Garder…"), "settle-doubt", this | {"decision": "keep"}, form=True),
                    Action(s("Retirer…"), "settle-doubt", this | {"decision": "withdraw"}, form=True)]  # fmt: skip
        case "blocked":
            return [Action(s("Redemander…"), "retry-payment", this, form=True, first=True)]
        case "handing":
            return [Action(s("Noter la remise…"), "settle-payment", this | {"fate": "paid"}, form=True, first=True),
                    settle[1]]  # fmt: skip
        case "silent":
            return settle
        case "held" | "way" if each.row.status is PaymentStatus.RESERVED:
            return cancel
        case _:
            return []


def _asked(visit: Visit) -> Asked:
    """The filters of the address; what it does not know filters nothing."""
    query = visit.request.query_params
    age, wants, status = query.get("age", ""), query.get("faire"), query.get("etat")
    return Asked(
        a_working_day_ago(visit.now),
        wants=next((each for each in WANTS if each == wants), None),
        status=status if status in set(PaymentStatus) else None,
        fund=query.get("fonds") or None,
        pay_by=query.get("moyen") or None,
        before=visit.now - timedelta(days=int(age)) if age in {str(each) for each in _AGES} else None,
        order=_ORDERS.get(query.get("tri", ""), "wants"),
    )


def _address(visit: Visit, **more: str) -> str:
    kept = {
        key: value
        for key, value in visit.request.query_params.items()
        if key not in ("page", "fait", "cocher") and value
    }
    return f"{HERE}?{urlencode({**kept, **more})}"


def _back(visit: Visit) -> str:
    kept = {key: value for key, value in visit.request.query_params.items() if key not in ("fait", "cocher") and value}
    return f"{HERE}?{urlencode(kept)}" if kept else HERE
