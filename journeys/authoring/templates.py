"""Message templates: one YAML file each, a text for each kind of recipient, in French and English.

Jinja2 in its sandbox, and of Jinja2 only variables and `{% if %}`. What a message to a participant may say is
less than what staff may read; no message says why the person is accompanied.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path as File
from typing import Annotated, Literal

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from journeys.authoring.findings import Finding, Params
from journeys.authoring.yaml_text import Path, Tree, YamlInvalid, read_tree

TEMPLATES = File(__file__).resolve().parents[2] / "templates"
"""The templates that are shipped: beside the package, in a checkout and in a wheel."""

Audience = Literal["participant", "volunteer", "staff"]
"""Who reads: the person, a mentor or a partner, or the association's staff."""

SHARED = frozenset({"first_name", "date", "time", "place", "referent", "mentor", "association", "amount", "link"})
"""Variables of every message. `first_name` is the recipient's own."""
FOR_STAFF = SHARED | {"milestone", "contact", "grant", "phase", "programme", "reference", "reason", "step"}
"""Variables of staff messages: labels, the journey's reference, never a participant's name."""
VARIABLES: Mapping[Audience, frozenset[str]] = {
    "participant": SHARED,
    "volunteer": SHARED,
    "staff": FOR_STAFF,
}

NOT_NEUTRAL = re.compile(
    r"\b(prison\w*|p[ée]nitentiaire\w*|d[ée]tention\w*|d[ée]tenue?s?|incarc[ée]r\w*|r[ée]incarc\w*|[ée]crou\w*|"
    r"lib[ée]ration\w*|lib[ée]r[ée]e?s?|probation\w*|spip|cpip|justice|juge\w*|judiciaire\w*|infraction\w*|d[ée]lits?|"
    r"peines?|condamn\w*|d[ée]linquan\w*|r[ée]cidiv\w*|jail\w*|inmates?|custody|releas\w*|offen[cs]e\w*|offender\w*|"
    r"convict\w*|sentenc\w*|crim\w*|judges?|parole)\b",
    re.IGNORECASE,
)
"""Words that would tell a stranger who sees the message why the person is accompanied."""

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.If,
    nodes.Not,
    nodes.And,
    nodes.Or,
)
_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Texts(_Part):
    fr: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]

    def in_(self, lang: str) -> str:
        return self.en if lang == "en" else self.fr


class Message(_Part):
    """Subject (one line) and body of one message."""

    subject: _Texts
    body: _Texts


class MessageTemplate(_Part):
    """What one message says to each kind of recipient; at least one of them."""

    template: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    participant: Message | None = None
    volunteer: Message | None = None
    staff: Message | None = None

    def for_(self, audience: Audience) -> Message | None:
        match audience:
            case "participant":
                return self.participant
            case "volunteer":
                return self.volunteer
            case "staff":
                return self.staff


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to be sent: a subject of one line, a body of plain text."""

    subject: str
    body: str


class TemplateInvalid(ValueError):
    """A template file that cannot be used; `findings` say where and what to write."""

    def __init__(self, source: File, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(f"{source}:{one.line}: {one.path}: {one.message('en')}" for one in findings))
        self.source = source
        self.findings = findings


class TemplateUnknown(LookupError):
    """No template of this name, or none for this recipient."""


class VariableMissing(LookupError):
    """A message needs a variable that was not given. `name` is the variable."""

    def __init__(self, template: str, name: str) -> None:
        super().__init__(f"the template {template!r} needs {name!r}")
        self.template, self.name = template, name


@lru_cache(maxsize=8)
def template_names(folder: File = TEMPLATES) -> frozenset[str]:
    """The names of the templates of a folder."""
    return frozenset(file.stem for file in folder.glob("*.yaml"))


@lru_cache(maxsize=256)
def read_template(name: str, folder: File = TEMPLATES) -> MessageTemplate:
    """Read and check one template. Raises TemplateUnknown, TemplateInvalid."""
    if name not in template_names(folder):
        raise TemplateUnknown(f"no template {name!r}; there are {', '.join(sorted(template_names(folder)))}")
    source = folder / f"{name}.yaml"
    return check_template(source.read_bytes(), source)


def check_template(raw: bytes, source: File) -> MessageTemplate:
    """The same for bytes already read. Raises TemplateInvalid."""
    try:
        tree = read_tree(raw)
    except YamlInvalid as error:
        raise TemplateInvalid(source, (error.finding,)) from error
    try:
        template = MessageTemplate.model_validate(tree.data)
    except ValidationError as error:
        raise TemplateInvalid(source, tuple(_shape(tree, error))) from error
    found = _doubts(template, source, tree)
    if found:
        raise TemplateInvalid(source, tuple(found))
    return template


def variables(name: str, audience: Audience, folder: File = TEMPLATES) -> frozenset[str]:
    """The variables that a message uses, in either language. Raises TemplateUnknown, TemplateInvalid."""
    message = _message(name, audience, folder)
    texts = (message.subject.fr, message.subject.en, message.body.fr, message.body.en)
    return frozenset(used for text in texts for used in _names_in(_ENVIRONMENT.parse(text)))


def render(name: str, audience: Audience, lang: str, values: Mapping[str, str], folder: File = TEMPLATES) -> Rendered:
    """Fill in a message. `values` may hold more than it uses; an empty text makes its `{% if %}` fall away.

    Raises VariableMissing, TemplateUnknown, TemplateInvalid.
    """
    message = _message(name, audience, folder)
    missing = variables(name, audience, folder) - values.keys()
    if missing:
        raise VariableMissing(name, min(missing))
    given = {key: " ".join(_printable(value).split()) for key, value in values.items()}
    subject = _ENVIRONMENT.from_string(message.subject.in_(lang)).render(given)
    body = _ENVIRONMENT.from_string(message.body.in_(lang)).render(given)
    return Rendered(" ".join(subject.split()), body.strip() + "\n")


def _message(name: str, audience: Audience, folder: File) -> Message:
    message = read_template(name, folder).for_(audience)
    if message is None:
        raise TemplateUnknown(f"the template {name!r} has no text for {audience}")
    return message


def _printable(value: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in value)


# Checks


def _shape(tree: Tree, error: ValidationError) -> list[Finding]:
    found = []
    for detail in error.errors(include_url=False):
        where: Path = tuple(detail["loc"])
        params: dict[str, Params] = {"name": str(where[-1]) if where else ""}
        match detail["type"]:
            case "missing":
                code = "missing-key"
            case "extra_forbidden":
                known = _keys_at(where[:-1])
                params |= {"known": known}
                code = "unknown-key"
            case "string_too_long":
                params["most"] = 4_000
                code = "text-too-long"
            case "string_pattern_mismatch":
                params |= {"given": str(detail["input"]), "example": "deadline-near"}
                code = "bad-code"
            case "string_type":
                code = "not-text"
            case "string_too_short":
                code = "text-empty"
            case _:
                params["example"] = ", ".join(f"{key}: …" for key in _keys_at(where))
                code = "not-group"
        place = tree.place(where)
        found.append(Finding(place.line, place.column, where, code, params))
    return found


def _keys_at(where: Path) -> tuple[str, ...]:
    levels = (MessageTemplate, Message, _Texts)
    return tuple(levels[min(len(where), 2)].model_fields)


def _doubts(template: MessageTemplate, source: File, tree: Tree) -> list[Finding]:
    found = []
    if template.template != source.stem:
        found.append(_found(tree, ("template",), "template-other-name", {"name": template.template}))
    for audience, known in VARIABLES.items():
        message = template.for_(audience)
        if message is None:
            continue
        for key, texts in (("subject", message.subject), ("body", message.body)):
            for lang in ("fr", "en"):
                found += _text_doubts(tree, (audience, key, lang), texts.in_(lang), known)
    return found


def _text_doubts(tree: Tree, where: Path, text: str, known: frozenset[str]) -> list[Finding]:
    if word := NOT_NEUTRAL.search(text):
        return [_found(tree, where, "template-word", {"word": word[0]})]
    if "subject" in where and "\n" in text.strip():
        return [_found(tree, where, "template-subject-lines", {})]
    try:
        parsed = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError:
        return [_found(tree, where, "template-syntax", {})]
    if any(not isinstance(node, _ALLOWED) for node in parsed.find_all(nodes.Node)):
        return [_found(tree, where, "template-construct", {})]
    names = tuple(sorted(known))
    return [
        _found(tree, where, "template-variable", {"name": name, "known": names})
        for name in sorted(_names_in(parsed) - known)
    ]


def _names_in(parsed: nodes.Template) -> set[str]:
    return {node.name for node in parsed.find_all(nodes.Name)}


def _found(tree: Tree, where: Path, code: str, params: dict[str, Params]) -> Finding:
    place = tree.place(where)
    return Finding(place.line, place.column, where, code, params)
