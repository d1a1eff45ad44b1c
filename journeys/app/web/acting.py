"""A command out of a form: its fields read, signed, sent; what the person is told when it was not taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from journeys.app.attaching import Attached
from journeys.app.changing import rules_asked
from journeys.app.entry import make_command
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.fields import OF_APPOINTMENTS, Field, commands, fields_of, read_field
from journeys.app.finding import Loaded
from journeys.app.forwarding import deliver
from journeys.app.hours import at_its_site, zone_of
from journeys.app.paying import with_account
from journeys.app.publishing import Rules
from journeys.app.reading import ZONE, read_occurred
from journeys.app.seeing import changed_since
from journeys.app.telling import failure_of
from journeys.app.web.bodies import attached_of, file_of, typed_in
from journeys.app.web.visit import Visit
from journeys.contract import Answer
from journeys.domain.commands import BODIES, AnyBody, Command
from journeys.domain.document import PART
from journeys.identifiers import is_uuid, uuid7
from journeys.store.journal import said_before

PATIENCE: Final = timedelta(seconds=12)
"""How long somebody looks at a page that does not come: a worker that died is replaced by then."""

_IDS: Final = frozenset({"staff", "mentor", "partner", "escalation", "grant", "payment", "receipt", "appointment",
                         "referral", "chase"})  # fmt: skip


class Wrong(Exception):
    """A form that cannot be taken as it is: each failure beside its field. What was typed is kept."""

    def __init__(self, failures: list[Failure]) -> None:
        super().__init__(", ".join(failure.code for failure in failures))
        self.failures = [failure.beside_its_field() for failure in failures]


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it came: the fields of a command by name, with the id under which it may be sent again."""

    name: str
    typed: Mapping[str, str]
    id: str
    seen: int | None = None
    occurred: str = ""
    file: UploadFile | None = None
    """The document that was chosen."""


def filled(name: str, form: FormData, visit: Visit) -> Filled:
    """Read the envelope of a form. Raises Failure: no such command."""
    if name not in commands():
        raise Failure(Exit.NOT_FOUND, "unknown-command", Said("cette action n'existe pas", "there is no such action"))
    typed = typed_in(form)
    id = typed.get("command", "")
    seen = typed.get("seen", "")
    return Filled(
        name, typed, id if is_uuid(id) else uuid7(visit.now), int(seen) if seen.isdecimal() else None,
        typed.get("occurred", "").strip(), file_of(form, PART),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it was read: the body, its texts and its document."""

    body: AnyBody
    texts: dict[str, str]
    attached: Attached | None
    rules: Rules | None = None


async def read(visit: Visit, loaded: Loaded, asked: Filled) -> Form:
    """What a form says. Raises Wrong with every field that cannot be read."""
    known: Rules | None = None
    attached: Attached | None = None
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    wrong: list[Failure] = []
    fields, zone = fields_of(asked.name), ZONE
    if any(each.name in OF_APPOINTMENTS for each in fields):
        zone = await zone_of(visit.house.writing, loaded.state.site, loaded.book.calendar)
    for each in fields:
        if each.kind == PART:
            try:
                attached = await attached_of(asked.file, visit.house.settings.largest_document, each.name)
            except Failure as failure:
                wrong.append(failure)
            continue
        word = typed_for(each, asked.typed)
        if not word and each.kind != "flag":
            if each.required:
                wrong.append(usage("missing", "à remplir", "to be filled in", field=each.name))
            continue
        try:
            if each.part:
                texts[each.name] = word
            elif each.kind == "programme":
                known = await rules_asked(visit.house.writing, word, loaded, visit.now)
                values |= known.named
            else:
                values[each.name] = _value(each, word, zone)
        except Failure as failure:
            wrong.append(failure)
    if wrong:
        raise Wrong(wrong)
    try:
        body: Any = BODIES[asked.name].model_validate(values)
    except ValidationError as error:
        raise Wrong([_invalid(detail) for detail in error.errors()]) from None
    body = await at_its_site(visit.house.writing, loaded, body)
    try:
        texts = with_account(body, texts, loaded)
    except Failure as failure:
        raise Wrong([failure]) from None
    if attached is not None:
        texts[PART] = attached.document.as_part()
    return Form(body, texts, attached, known)


def typed_for(known: Field, typed: Mapping[str, str]) -> str:
    """What was typed into a field; of days by name, each of which has an input of its own, as one word."""
    if known.kind != "days":
        return typed.get(known.name, "").strip()
    own = f"{known.name}-"
    return ",".join(f"{name.removeprefix(own)}={day}" for name, day in typed.items() if name.startswith(own) and day)


def _value(known: Field, word: str, zone: ZoneInfo) -> Any:
    if known.kind in _IDS and not is_uuid(word):
        raise usage("choose", "choisissez dans la liste", "choose from the list", field=known.name)
    return read_field(known, word, known.name, zone)


def _invalid(detail: Any) -> Failure:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    return usage("bad-value", "valeur refusée : vérifiez ce champ", "value refused: check this field", field=name)


async def is_stale(visit: Visit, loaded: Loaded, asked: Filled, body: AnyBody) -> bool:
    """Whether somebody else has since changed what this form is about; not when it was taken before."""
    others = changed_since(loaded.events, asked.seen, visit.visitor.id, body)
    return bool(others) and await said_before(visit.house.writing, asked.id, _streams(loaded)) is None


def _streams(loaded: Loaded) -> tuple[str, str]:
    """Where a command may stand: one about the person on their own stream."""
    return f"person-{loaded.state.person}", loaded.row.stream


async def act(visit: Visit, loaded: Loaded, asked: Filled, form: Form) -> Answer:
    """Send a command to a journey that the visitor may see; the visit's connection is given back before.

    Raises:
        Wrong: the day cannot be read. Failure: refused, or in conflict. Unreachable, Malformed: see temporal.
    """
    house = visit.house

    def signed(occurred_at: datetime | None) -> Command:
        return make_command(
            house.ring, stream=loaded.row.stream, body=form.body, actor=visit.actor, now=visit.now, texts=form.texts,
            id=asked.id, occurred_at=occurred_at, seen=asked.seen,
        )  # fmt: skip

    async def sent(command: Command) -> Answer:
        return await deliver(
            house.writing, house.ring, house.client, house.settings.task_queue, loaded, command, form.texts,
            visit.actor, form.attached, PATIENCE, form.rules,
        )  # fmt: skip

    try:
        command = signed(read_occurred(asked.occurred, "occurred", visit.now) if asked.occurred else None)
    except (Failure, ValidationError, ValueError) as error:
        raise Wrong([error if isinstance(error, Failure) else usage(
            "bad-value", "valeur refusée : vérifiez les champs", "value refused: check the fields", field="occurred"
        )]) from None  # fmt: skip
    await visit.done()
    answer = await sent(command)
    if answer.outcome == "conflict" and not asked.occurred:
        # The same form once more: it happened when it was first sent, not now.
        before = await said_before(house.writing, asked.id, _streams(loaded))
        answer = await sent(signed(datetime.fromisoformat(before["occurred_at"]))) if before is not None else answer
    if answer.outcome == "conflict":
        raise _SENT_OTHERWISE
    if (failure := failure_of(answer, loaded.book)) is not None:
        raise failure
    return answer


_SENT_OTHERWISE: Final = Failure(
    Exit.CONFLICT, "sent-otherwise",
    Said("ce formulaire a déjà été envoyé, avec un autre contenu ; rien de plus n'a été fait",
         "this form was sent already, with another content; nothing more was done"),
    Said("si vous en demandez une de plus, enregistrez de nouveau", "if you want one more, save again"),
)  # fmt: skip
