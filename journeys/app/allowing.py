"""Who may give a command on a journey, and who may look into it: asked before anything is typed or handed on."""

from collections.abc import Mapping
from typing import Any

from journeys.app.entry import Actor
from journeys.app.failures import Exit, Failure, Lang, Said
from journeys.app.finding import Loaded
from journeys.app.inbox import role_label
from journeys.app.reading import today_of
from journeys.clock import now
from journeys.domain.commands import AcceptTransfer, AssignReferent, ReassignEscalation, Transfer
from journeys.domain.programme import Programme
from journeys.domain.rights import TABLE, Scope, answers, fund_about, fund_of, funds_of, line_of, may_give
from journeys.store import staff
from journeys.store.database import Connection, Pool
from journeys.store.staff import Member


def may(actor: Actor, loaded: Loaded, name: str, about: Mapping[str, Any] | None = None) -> bool:
    """Whether a right may cover a command of this name by somebody on a journey.

    Args:
        about: what is known of it so far; of this the grant, payment or receipt counts, by whose fund it is.
    """
    ids = {key: str(about.get(key, "")) for key in ("grant", "payment", "receipt")} if about else {}
    return may_give(name, actor, loaded.state, loaded.book.programme, fund_of(loaded.state, **ids))


def not_for(name: str, programme: Programme, command: str | None = None) -> Failure:
    """No right of theirs covers this command here: says whose it is."""
    return Failure(
        Exit.REFUSED, "no-right",
        Said("votre rôle ne permet pas cette demande sur ce parcours", "your role does not allow this on this journey"),
        Said(f"demandez-la à qui peut la faire : {who_may(name, 'fr', programme)}",
             f"ask one of those who may: {who_may(name, 'en', programme)}"),
        command=command,
    )  # fmt: skip


def who_may(name: str, lang: Lang, programme: Programme | None = None) -> str:
    """Whose a command is by the rights table, as the programme calls them: `référent (ses parcours), responsable`."""
    own = " (own journeys)" if lang == "en" else " (ses parcours)"
    roles = {role: line_of(role, programme) for role in (programme.roles if programme is not None else ())}
    return ", ".join(
        role_label(role, lang, programme) + (own if scope is Scope.OWN else "")
        for line, scope in TABLE.get(name, {}).items()
        for role in [role for role, held in roles.items() if held == line] or [line]
    )


async def answerers(connection: Pool | Connection, loaded: Loaded, escalation: str) -> list[Member]:
    """The active members of staff who may look into a journey today and act on an alert of it."""
    today = today_of(now())
    leads = {loaded.state.referent}
    for away in await staff.absences(connection, today):
        if away.deputy is not None and away.first_day <= today and away.staff == loaded.state.referent:
            leads.add(away.deputy)
    known = loaded.state.escalations.get(escalation)
    fund = fund_about(loaded.state, known.about) if known is not None else None
    members = [each for each in await staff.members(connection) if each.active]
    return [each for each in members if _answers(each, loaded, fund, own=each.id in leads)]


def _answers(member: Member, loaded: Loaded, fund: str | None, *, own: bool) -> bool:
    state, programme = loaded.state, loaded.book.programme
    lines = {line_of(role, programme) for role in member.roles}
    return answers(
        lines, member.sites, member.funds, site=state.site, money=funds_of(state), fund=fund, own=own
    )  # fmt: skip


async def must_reach(pool: Pool, loaded: Loaded, body: object) -> None:
    """Raises Failure where an alert is handed to somebody who cannot act on it: they would not be told of it."""
    if not isinstance(body, ReassignEscalation):
        return
    if body.to in {each.id for each in await answerers(pool, loaded, body.escalation)}:
        return
    known = await staff.member(pool, body.to)
    name = known.name if known is not None else body.to
    raise Failure(
        Exit.REFUSED, "cannot-see",
        Said(f"{name} ne pourrait rien faire sur ce parcours ; l'alerte n'a pas été confiée",
             f"{name} could do nothing on this journey; the escalation was not handed on"),
        Said("choisissez la personne qui suit le parcours, ou quelqu'un de son site",
             "choose whoever leads the journey, or somebody of its site"),
        field="to",
    )  # fmt: skip


async def must_be_there(pool: Pool, loaded: Loaded, body: object) -> None:
    """Raises Failure where a journey would be led by somebody who has left."""
    match body:
        case Transfer(to=id) | AssignReferent(referent=id):
            leads = id
        case AcceptTransfer() if loaded.state.transfer is not None:
            leads = loaded.state.transfer.to
        case _:
            return
    known = await staff.member(pool, leads)
    if known is not None and not known.active:
        raise has_left(known, "to")


def has_left(member: Member, field: str) -> Failure:
    """A journey would be led by somebody who has left."""
    return Failure(
        Exit.REFUSED, "has-left",
        Said(f"{member.name} ne fait plus partie de l'équipe et ne peut pas suivre ce parcours ; rien n'a changé",
             f"{member.name} has left and cannot lead this journey; nothing has changed"),
        Said("choisissez quelqu'un qui est là", "choose somebody who is there"),
        field=field,
    )  # fmt: skip
