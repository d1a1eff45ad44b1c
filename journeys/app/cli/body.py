"""The body of a command out of typed words: codes, dates, amounts, and who or what is meant by a few letters."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from journeys.app.attaching import Attached, attach, too_large
from journeys.app.changing import rules_asked
from journeys.app.cli.desk import Desk
from journeys.app.failures import Failure, Said, usage, why
from journeys.app.fields import Field, fields_of, read_field
from journeys.app.finding import Loaded, find_mentor, find_partner, find_staff, nearest, only, pick, unknown_code
from journeys.app.hours import at_its_site, zone_of
from journeys.app.inbox import label
from journeys.app.paying import with_account
from journeys.app.publishing import Rules
from journeys.app.reading import read_occurred
from journeys.domain.commands import BODIES
from journeys.domain.directory import search_form
from journeys.domain.document import PART
from journeys.identifiers import instant_of, is_uuid, uuid7

if TYPE_CHECKING:
    from pydantic import ValidationError

    from journeys.domain.commands import AnyBody

_OPEN: Final = frozenset({"escalation", "grant", "payment", "receipt", "appointment", "referral", "chase"})
_CODES: Final = {
    "milestone": "milestones",
    "date": "dates",
    "contact": "contacts",
    "situation": "situations",
    "measure": "measures",
}


class Reader:
    """Reads one command for one journey."""

    def __init__(self, desk: Desk, loaded: Loaded, name: str, words: dict[str, str]) -> None:
        self.fields = fields_of(name)
        self._desk = desk
        self._loaded = loaded
        self._name = name
        self._words = words
        self._recalled: dict[str, Any] = {}
        self.attached: Attached | None = None
        """The document that was named."""
        self.rules: Rules | None = None
        """The rules that were named."""

    async def recall(self) -> None:
        """With `--command-id` of a command that the journal knows: what was meant then, where it is not typed now."""
        from journeys.store.journal import said_before

        id = self._words.get("command-id")
        if id is None:
            return
        if not is_uuid(id):
            raise usage(
                "not-a-command-id",
                f"--command-id : « {id[:60]} » n'est pas un UUID",
                f"--command-id: “{id[:60]}” is not a UUID",
                field="--command-id",
            )
        streams = (f"person-{self._loaded.state.person}", self._loaded.row.stream)
        self._recalled = await said_before(await self._desk.pool(), id, streams) or {}

    async def read(self) -> "tuple[AnyBody, dict[str, str]]":
        """The body and its texts. Raises Failure, which names the field."""
        from pydantic import ValidationError

        values: dict[str, Any] = {}
        texts: dict[str, str] = {}
        for field in self.fields:
            word = self._words.get(field.option.removeprefix("--"))
            if field.kind == PART:
                if word is not None:
                    self.attached = self._attach(field, word)
                    texts[field.name] = self.attached.document.as_part()
            elif field.part:
                if word is not None and (word.strip() or not field.required):
                    texts[field.name] = word
                elif field.required:
                    raise self._missing(field)
            elif field.kind == "programme" and (word or self._recalled):
                before = self._recalled.get("fields", {}).get(field.name)
                pool = await self._desk.pool()
                self.rules = await rules_asked(pool, word or before, self._loaded, self._desk.now, before)
                values |= self.rules.named
            elif word is not None:
                values[field.name] = await self._value(field, word)
            elif (found := self._unsaid(field, values)) is not None:
                values[field.name] = found
            elif field.required:
                raise self._missing(field)
        try:
            body: Any = BODIES[self._name].model_validate(values)
        except ValidationError as error:
            raise self._invalid(error) from None
        body = await at_its_site(await self._desk.pool(), self._loaded, body)
        return body, with_account(body, texts, self._loaded, lambda name: f"--{name}")

    def command_id(self, now: datetime) -> str:
        """The id typed, or a new one."""
        return self._words.get("command-id") or uuid7(now)

    def occurred_at(self, now: datetime) -> datetime | None:
        """When it happened: as typed; as first sent; else the instant of the UUIDv7, so that a repeat is equal."""
        own_on = any(field.name == "on" for field in self.fields)
        for option in ("occurred",) if own_on else ("occurred", "on"):
            if option in self._words:
                return read_occurred(self._words[option], f"--{option}", now)
        if "occurred_at" in self._recalled:
            return datetime.fromisoformat(self._recalled["occurred_at"])
        id = self._words.get("command-id")
        return instant_of(id) if id is not None else None

    def seq_seen(self) -> int | None:
        """The seq that was typed."""
        text = self._words.get("seen")
        if text is None:
            return self._recalled.get("seen")
        if not text.isdecimal():
            raise usage("not-a-number", "--seen : un nombre", "--seen: a number", field="--seen")
        return int(text)

    async def seen(self, body: "AnyBody") -> list[str]:
        """What an approver approves, shown before it is sent."""
        if body.name != "approve-grant" or body.grant not in self._loaded.state.grants:
            return []
        from journeys.app.approving import sight

        shown = await sight(await self._desk.pool(), self._loaded.row, body.grant, self._loaded)
        out = self._desk.out
        return [out.t("Vous donnez votre accord à :", "You approve:"), *shown.lines(out.lang)]

    # --- one field

    def _attach(self, field: Field, word: str) -> Attached:
        """The document of a path; no more of it is read than it may have."""
        largest = self._desk.settings.largest_document
        try:
            with Path(word).open("rb") as file:
                content, size = file.read(largest + 1), os.fstat(file.fileno()).st_size
        except OSError as error:
            raise usage("unreadable-file", f"{field.option} : {word} ne peut pas être lu : {why(error).fr}",
                        f"{field.option}: {word} cannot be read: {why(error).en}",
                        field=field.option) from None  # fmt: skip
        if len(content) > largest:
            raise too_large(max(size, len(content)), largest, field.option)
        return attach(word, content, largest, field.option)

    async def _value(self, field: Field, word: str) -> Any:
        pool = await self._desk.pool()
        match field.kind:
            case "instant" | "instants":
                zone = await zone_of(pool, self._loaded.state.site, self._loaded.book.calendar)
                return read_field(field, word, field.option, zone)
            case "day" | "days" | "amount" | "number" | "flag":
                return read_field(field, word, field.option)
            case "choice":
                return self._choice(field, word)
            case "staff":
                return (await find_staff(pool, word, field.option)).id
            case "mentor":
                return (await find_mentor(pool, word, field.option)).id
            case "partner":
                return (await find_partner(pool, word, field.option)).id
            case "escalation" | "grant" | "payment" | "receipt" | "appointment" | "referral" | "chase":
                return pick(word, self._known(field.kind), field.kind, field.option)
            case "code":
                return self._code(field, word.strip())
            case _:
                return self._corrected(word.strip()) if field.name == "id" else word.strip()

    def _unsaid(self, field: Field, values: dict[str, Any]) -> Any:
        """What is meant when nothing is typed: what was sent before under this id, or the only one that is open."""
        if field.name in self._recalled.get("fields", {}):
            return self._recalled["fields"][field.name]
        if field.kind == "digest":
            grant = self._loaded.state.grants.get(values.get("grant", ""))
            return grant.digest if grant is not None else None
        if field.kind in _OPEN:
            return only(self._open(field.kind), field.kind, field.option)
        if field.kind == "mentor" and self._name in ("match-mentor", "decline-mentor"):
            proposed = list(dict.fromkeys(self._loaded.state.proposals.values()))
            return proposed[0] if len(proposed) == 1 else None
        return None

    def _known(self, kind: str) -> dict[str, str]:
        """Everything of a kind that the journey ever had, with what people call it."""
        state, lang = self._loaded.state, self._desk.out.lang
        programme = self._loaded.book.programme
        match kind:
            case "escalation":
                return {id: label(known.about.id, lang, programme) for id, known in state.escalations.items()}
            case "grant":
                return {
                    id: f"{label(known.kind, lang, programme)} {known.purpose}" for id, known in state.grants.items()
                }
            case "payment":
                return {id: f"{known.amount / 100:.2f} €" for id, known in state.payments.items()}
            case "receipt":
                return {id: f"{known.amount / 100:.2f} €" for id, known in state.receipts.items()}
            case "appointment":
                return {id: f"{known.at:%Y-%m-%d}" for id, known in state.appointments.items()}
            case "chase":
                return {id: f"{known.do} {known.by:%Y-%m-%d}" for id, known in state.chases.items()}
            case _:
                return {id: known.purpose for id, known in state.referrals.items()}

    def _open(self, kind: str) -> dict[str, str]:
        """Those of a kind that wait for something."""
        state = self._loaded.state
        wanted: set[str] = set()
        match kind:
            case "escalation":
                wanted = set(state.escalations)
            case "grant":
                wanted = {id for id, known in state.grants.items() if known.over is None}
            case "payment":
                wanted = {id for id, known in state.payments.items() if known.status.open}
            case "receipt":
                wanted = {id for id, known in state.receipts.items() if known.settled is None}
            case "appointment":
                wanted = {id for id, known in state.appointments.items() if known.outcome is None}
            case "chase":
                wanted = set(state.chases)
            case _:
                wanted = set(state.referrals)
        return {id: name for id, name in self._known(kind).items() if id in wanted}

    def _code(self, field: Field, word: str) -> str:
        """A code of the programme, typed as such or by its label; other codes are left to the rules."""
        programme = self._loaded.book.programme
        if self._name == "close" and field.name == "outcome":
            return self._of_table(field, word, "outcome", programme.closings)
        table = _CODES.get(field.name)
        if table is not None:
            return self._of_table(field, word, field.name, getattr(programme, table))
        if self._name == "request-grant" and field.name == "grant":
            return self._of_table(field, word, "grant", programme.grants)
        return word

    def _of_table(self, field: Field, word: str, kind: str, table: dict[str, Any]) -> str:
        if word in table:
            return word
        form = search_form(word)
        for code, known in table.items():
            labels = getattr(known, "label", None)
            if form and labels is not None and form in (search_form(labels.fr), search_form(labels.en)):
                return code
        raise unknown_code(kind, word, table, field.option)

    def _corrected(self, word: str) -> str:
        """`correct --what appointment --id`: by the beginning of its id; the rest by code."""
        if self._words.get("what") == "appointment":
            return pick(word, self._known("appointment"), "appointment", "--id")
        table = _CODES.get(self._words.get("what", ""))
        field = next(each for each in self.fields if each.name == "id")
        return (
            self._of_table(field, word, self._words["what"], getattr(self._loaded.book.programme, table))
            if table
            else word
        )

    def _choice(self, field: Field, word: str) -> str:
        if word in field.choices:
            return word
        near = nearest(word, field.choices)
        named = ", ".join(field.choices)
        raise usage(
            "not-a-choice",
            f"{field.option} : « {word[:60]} » ; écrivez l'un de : {named}",
            f"{field.option}: “{word[:60]}”; write one of: {named}",
            field=field.option,
            remedy=Said(f"Vouliez-vous dire « {near} » ?", f"Did you mean “{near}”?") if near else None,
        )

    def _missing(self, field: Field) -> Failure:
        shown_fr, shown_en = field.metavar("fr"), field.metavar("en")
        return usage(
            "missing",
            f"il manque {field.option} {shown_fr}",
            f"{field.option} {shown_en} is missing",
            field=field.option,
            remedy=Said(f"voyez « journeys do ID {self._name} --help »", f"see “journeys do ID {self._name} --help”"),
        )

    def _invalid(self, error: "ValidationError") -> Failure:
        """The model refuses a value: its form, or its size."""
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        field = next((each for each in self.fields if each.name == name), None)
        option = field.option if field is not None else f"--{name}"
        given = str(first.get("input", ""))[:60]
        match first["type"]:
            case "string_pattern_mismatch":
                fr, en = "un code : minuscules, chiffres et tirets", "a code: lower case, digits and hyphens"
            case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
                bound = next(iter((first.get("ctx") or {}).values()), "")
                fr, en = f"hors limites ({bound})", f"out of bounds ({bound})"
            case "string_too_long":
                fr, en = "trop long", "too long"
            case "too_long":
                fr, en = "trop de valeurs", "too many values"
            case _:
                fr, en = "valeur refusée", "value refused"
        return usage("bad-value", f"{option} : « {given} » ; {fr}", f"{option}: “{given}”; {en}", field=option)
