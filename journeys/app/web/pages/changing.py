"""Other rules for every journey under way of a programme: seen journey by journey, then applied to those chosen."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from journeys.app.changing import Foreseen, Wanted, change, foresee, rules_asked
from journeys.app.entry import LONGEST_TEXT
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.finding import Loaded, load
from journeys.app.publishing import offered
from journeys.app.seeing import changed_since
from journeys.app.telling import unanswered
from journeys.app.web.acting import PATIENCE
from journeys.app.web.pages.commands import journey
from journeys.app.web.pages.programmes import known_programmes, unknown
from journeys.app.web.paging import A_SHEET
from journeys.app.web.policy import SUPERVISING
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit, door
from journeys.domain.commands import ChangeProgramme
from journeys.identifiers import following_id, is_uuid, uuid7
from journeys.store import views
from journeys.store.journal import said_before
from journeys.temporal import Unreachable

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Line:
    """One journey of the list: what would happen to it, or why nothing can."""

    loaded: Loaded
    already: bool
    seen: Foreseen | None
    """None where it is under these rules already."""

    @property
    def open(self) -> bool:
        """Whether it may be chosen."""
        return self.seen is not None and self.seen.refused is None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one journey that was chosen."""

    id: str
    name: str
    failure: Failure | None


@router.get("/programmes/{name}/changer")
async def screen(name: str, visit: Visit = door(SUPERVISING)) -> Response:
    """`vers`: the other rules, by name or SHA-256; `apres`: the journey after which the list goes on."""
    return await _list(visit, name, visit.request.query_params.get("vers", ""), "")


@router.post("/programmes/{name}/changer")
async def apply(name: str, visit: Visit = door(SUPERVISING)) -> Response:
    """Give the command to each chosen journey, one after the other; each answers for itself."""
    form = await visit.request.form()
    to, reason, id = (str(form.get(field, "")).strip() for field in ("vers", "reason", "command"))
    if to not in {sha256 for sha256, _ in (await offered(visit.house.writing)).values()} or not is_uuid(id):
        raise Failure(
            Exit.USAGE, "choose", Said("ces règles ne sont plus proposées ; rien n'a été changé",
                                       "these rules are not offered any more; nothing was changed"),
            Said("rouvrez la page du programme", "open the programme's page again"),
        )  # fmt: skip
    chosen = [str(each).partition(".") for each in form.getlist("parcours")]
    wrong = []
    if not chosen:
        wrong.append(
            usage("missing", "choisissez au moins un parcours", "choose one journey at least", field="parcours")
        )
    if not reason or len(reason) > LONGEST_TEXT:
        wrong.append(usage("missing", "dites pourquoi, en quelques mots", "say why, in a few words", field="reason"))
    if wrong or len(chosen) > A_SHEET:
        return await _list(visit, name, to, reason, wrong, 422)
    loaded = [(await journey(visit, each), int(seq) if seq.isdecimal() else 0) for each, _, seq in chosen]
    await visit.done()
    done = [await _give(visit, each, seen, to, reason, id) for each, seen in loaded]
    return page(
        visit, "changed.html", name=name, programme=(await known_programmes(visit)).get(name), results=done, to=to
    )


async def _give(visit: Visit, loaded: Loaded, seen: int, to: str, reason: str, form: str) -> Done:
    """Change one journey, unless it was changed by this very form before, or by somebody else meanwhile."""
    house, row = visit.house, loaded.row
    id, name = following_id(form, f"change {row.id}"), row.name or "—"
    if await said_before(house.writing, id, [row.stream]) is not None:
        return Done(row.id, name, None)
    known = await rules_asked(house.writing, to, loaded, visit.now)
    wanted = Wanted(known.programme_text, reason, {})
    try:
        if changed_since(loaded.events, seen, visit.visitor.id, ChangeProgramme(**known.named)):
            return Done(row.id, name, _CHANGED)
        found = foresee(house.ring, loaded, wanted, visit.actor, visit.now)
        if found.refused is not None:
            return Done(row.id, name, found.refused)
        client = await house.client()
        await change(house.writing, house.ring, client, house.settings.task_queue, found, wanted, visit.actor,
                     visit.now, id, PATIENCE)  # fmt: skip
    except Unreachable as error:
        return Done(row.id, name, unanswered(error.fate, error.command_id))
    except Failure as failure:
        return Done(row.id, name, failure)
    return Done(row.id, name, None)


_CHANGED = Failure(
    Exit.CONFLICT, "changed",
    Said("quelqu'un a agi sur ce parcours depuis que vous avez ouvert la page ; il n'a pas été changé",
         "somebody has acted on this journey since you opened the page; it was not changed"),
)  # fmt: skip


async def _list(
    visit: Visit, name: str, to: str, reason: str, failures: Sequence[Failure] = (), status: int = 200
) -> Response:
    programmes, known = await known_programmes(visit), await offered(visit.house.writing)
    if name not in programmes:
        raise unknown()
    hashes = {other: sha256 for other, (sha256, _) in known.items()}
    to = hashes.get(to, to)
    if to not in hashes.values():
        to = hashes[name]
    after = visit.request.query_params.get("apres", "")
    rows = await views.journeys(visit.connection, open_only=True, programme=name, limit=A_SHEET + 1,
                                after=after if is_uuid(after) else None)  # fmt: skip
    lines = [await _line(visit, await load(visit.connection, row), to) for row in rows[:A_SHEET]]
    await visit.done()
    return page(
        visit, "change-all.html", status, name=name, programme=programmes[name], to=to, reason=reason, lines=lines,
        failures=failures, more=rows[A_SHEET - 1].id if len(rows) > A_SHEET else None, id=uuid7(visit.now),
        choices=[(sha256, visit.say("{programme} (version en vigueur)", programme=each.label.in_(visit.lang))
                  if other == name else each.label.in_(visit.lang)) for other, (sha256, each) in known.items()],
    )  # fmt: skip


async def _line(visit: Visit, loaded: Loaded, to: str) -> Line:
    if loaded.state.programme == to:
        return Line(loaded, True, None)
    known = await rules_asked(visit.house.writing, to, loaded, visit.now)
    wanted = Wanted(known.programme_text, visit.say("aperçu"), {})
    return Line(loaded, False, foresee(visit.house.ring, loaded, wanted, visit.actor, visit.now))
