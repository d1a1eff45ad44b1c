"""A command out of a form: its fields read, signed, sent; what the person is told when it was not taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from journeys.app.attaching import Attached, attach, too_large
from journeys.app.entry import make_command
from journeys.app.failures import Exit, Failure, Said, usage
from journeys.app.fields import Field, commands, fields_of
from journeys.app.finding import Loaded
from journeys.app.forwarding import deliver
from journeys.app.reading import read_amount, read_day, read_instant, read_instants, read_occurred
from journeys.app.telling import failure_of
from journeys.app.web.bodies import file_of, typed_in
from journeys.app.web.visit import Visit
from journeys.contract import Answer
from journeys.domain.commands import BODIES, AnyBody, Command
from journeys.domain.document import PART
from journeys.identifiers import is_uuid, uuid7
from journeys.store.journal import said_before

PATIENCE: Final = timedelta(seconds=12)
"""How long somebody looks at a page that does not come: a worker that died is replaced by then."""

_IDS: Final = frozenset({"staff", "mentor", "partner", "escalation", "grant", "payment", "receipt", "appointment",
                         "referral"})  # fmt: skip


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


async def read(asked: Filled, largest_document: int) -> tuple[AnyBody, dict[str, str], Attached | None]:
    """The body, its texts and its document. Raises Wrong with every field that cannot be read."""
    attached: Attached | None = None
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    wrong: list[Failure] = []
    for each in fields_of(asked.name):
        if each.kind == PART:
            try:
                attached = await _attached(asked.file, largest_document, each.name)
            except Failure as failure:
                wrong.append(failure)
            continue
        word = asked.typed.get(each.name, "").strip()
        if not word and each.kind != "flag":
            if each.required:
                wrong.append(usage("missing", "à remplir", "to be filled in", field=each.name))
            continue
        try:
            if each.part:
                texts[each.name] = word
            else:
                values[each.name] = _value(each, word)
        except Failure as failure:
            wrong.append(failure)
    if wrong:
        raise Wrong(wrong)
    try:
        body: Any = BODIES[asked.name].model_validate(values)
    except ValidationError as error:
        raise Wrong([_invalid(detail) for detail in error.errors()]) from None
    if attached is not None:
        texts[PART] = attached.document.as_part()
    return body, texts, attached


async def _attached(file: UploadFile | None, largest: int, field: str) -> Attached | None:
    if file is None:
        return None
    if (file.size or 0) > largest:
        raise too_large(file.size or 0, largest, field)
    return attach(file.filename or "", await file.read(), largest, field)


def _value(known: Field, word: str) -> Any:
    match known.kind:
        case "day":
            return read_day(word, known.name)
        case "instant":
            return read_instant(word, known.name)
        case "instants":
            return read_instants(word, known.name)
        case "amount":
            return read_amount(word, known.name)
        case "number":
            if not word.isdecimal() or len(word) > 9:
                raise usage("not-a-number", "écrivez un nombre entier", "write a whole number", field=known.name)
            return int(word)
        case "flag":
            return word not in ("", "false", "0", "no")
        case _ if known.kind in _IDS:
            if not is_uuid(word):
                raise usage("choose", "choisissez dans la liste", "choose from the list", field=known.name)
            return word
        case _:
            return word


def _invalid(detail: Any) -> Failure:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    return usage("bad-value", "valeur refusée : vérifiez ce champ", "value refused: check this field", field=name)


async def act(visit: Visit, loaded: Loaded, asked: Filled) -> Answer:
    """Send a command to a journey that the visitor may see; the visit's connection is given back before.

    Raises:
        Wrong: a field cannot be read. Failure: refused, or in conflict. Unreachable, Malformed: see temporal.
    """
    house, streams = visit.house, (f"person-{loaded.state.person}", loaded.row.stream)
    body, texts, attached = await read(asked, house.settings.largest_document)

    def signed(occurred_at: datetime | None) -> Command:
        return make_command(
            house.ring, stream=loaded.row.stream, body=body, actor=visit.actor, now=visit.now, texts=texts, id=asked.id,
            occurred_at=occurred_at, seen=asked.seen,
        )  # fmt: skip

    async def sent(command: Command) -> Answer:
        return await deliver(
            house.writing, house.ring, house.client, house.settings.task_queue, loaded, command, texts, visit.actor,
            attached, PATIENCE,
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
        before = await said_before(house.writing, asked.id, streams)
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
