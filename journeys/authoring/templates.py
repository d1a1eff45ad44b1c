"""Message templates as their authors are told of them: faults with their place and remedy, variables, previews.

What a template is, and how it is filled in, stands in journeys/channels/wording.py. Of Jinja2 only variables and
`{% if %}` may be used. What a message to a participant may say is less than what staff may read; no message says why
the person is accompanied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path as File
from typing import Annotated

from jinja2 import TemplateSyntaxError, nodes
from pydantic import StringConstraints, ValidationError

from journeys.authoring.findings import FileInvalid, Finding, Params
from journeys.authoring.yaml_text import Path, Tree, YamlInvalid, read_tree
from journeys.channels.segments import Length, length, plain
from journeys.channels.wording import (
    ENVIRONMENT,
    LONGEST_TEXT,
    TEMPLATES,
    VARIABLES,
    Audience,
    Message,
    Template,
    Texts,
    Worded,
    filled_in,
    with_stop,
    with_stop_word,
)
from journeys.domain.neutral import tells_why

REMINDERS = frozenset({"deadline-near", "meeting-near"})
"""What a programme may have sent before a deadline; every other template leaves by itself, on its own occasion."""

SAYS_WHEN = frozenset({"appointment-near", "appointment-changed", "appointment-cancelled", "appointment-times",
                       "summons-near"})  # fmt: skip
"""Templates about an appointment ahead: day and hour always stand in them, in either language."""

EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "first_name": "Awa", "date": "12 mai 2027", "time": "09:30", "place": "12 rue des Lilas, Nanterre",
        "referent": "Claire Morel", "mentor": "Paul Diallo", "association": "L’association", "amount": "300,00 €",
        "milestone": "Ouverture des droits", "contact": "Appel de la semaine", "grant": "Aide au logement",
        "phase": "Insertion", "programme": "Accompagnement", "reference": "01a2b3c4-d5e6",
        "reason": "un contact manqué", "step": "2",
    },
    "en": {
        "first_name": "Awa", "date": "12 May 2027", "time": "09:30", "place": "12 rue des Lilas, Nanterre",
        "referent": "Claire Morel", "mentor": "Paul Diallo", "association": "The association", "amount": "€300.00",
        "milestone": "Rights opened", "contact": "Weekly call", "grant": "Housing grant", "phase": "Integration",
        "programme": "Support", "reference": "01a2b3c4-d5e6", "reason": "a contact was missed", "step": "2",
    },
}  # fmt: skip
"""What previews fill in, by language."""
_LINK = "https://parcours.example.org/lien/" + "Xy3k" * 12
"""As long as a one-time link is."""

DEEPEST = 4
"""Conditions in each other."""

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


class MessageTemplate(Template):
    """A template whose name is a code."""

    template: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class TemplateInvalid(FileInvalid):
    """A template file that cannot be used."""


class TemplateUnknown(LookupError):
    """No template of this name, or none for this recipient."""


class VariableMissing(LookupError):
    """A message needs a variable that was not given. `name` is the variable."""

    def __init__(self, template: str, name: str) -> None:
        super().__init__(f"the template {template!r} needs {name!r}")
        self.template, self.name = template, name


def readers_of(template: Template) -> frozenset[str]:
    """For whom a template has words."""
    return frozenset(audience for audience in VARIABLES if template.for_(audience) is not None)


@cache
def reminders() -> Mapping[str, frozenset[str]]:
    """The shipped templates of reminders, with those for whom each has words."""
    return {name: readers_of(read_template(name)) for name in sorted(REMINDERS)}


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


def check_edit(raw: bytes, name: str) -> MessageTemplate:
    """A template that is to say something else from now on, or a new one, which can only be a reminder.

    Whoever was written to still is: with the recipients of the shipped one, or of every reminder. Raises
    TemplateInvalid.
    """
    source = File(f"{name}.yaml")
    template = check_template(raw, source)
    same = like(name)
    missing = [each for each in VARIABLES if same.for_(each) is not None and template.for_(each) is None]
    if missing:
        raise TemplateInvalid(
            source, tuple(Finding(1, 1, (each,), "template-recipient", {"name": each}) for each in missing)
        )
    return template


def like(name: str) -> MessageTemplate:
    """The shipped template to whose recipients one of this name speaks: its own, else a reminder's."""
    return read_template(name if name in template_names() else min(REMINDERS))


@dataclass(frozen=True, slots=True)
class Preview:
    """A message filled in with examples. `length`: of the short message as it travels; None where there is none."""

    subject: str
    body: str
    text: str
    length: Length | None


def preview(message: Message, lang: str, audience: Audience) -> Preview:
    """How a message of a checked template reads, everything that it may say said."""
    worded = filled_in(message, lang, {**EXAMPLES[lang], "link": _LINK, "answer": _LINK})
    told = audience == "participant"
    body = with_stop(worded.body, lang, _LINK) if told else worded.body
    text = plain(with_stop_word(worded.text, lang) if told and worded.text else worded.text)
    return Preview(worded.subject, body, text, length(text) if text else None)


def variables(name: str, audience: Audience, folder: File = TEMPLATES) -> frozenset[str]:
    """The variables that a message uses, in either language. Raises TemplateUnknown, TemplateInvalid."""
    message = _message(name, audience, folder)
    written = (message.subject, message.body, *((message.text,) if message.text is not None else ()))
    texts = [text for each in written for text in (each.fr, each.en)]
    return frozenset(used for text in texts for used in _names_in(ENVIRONMENT.parse(text)))


def render(name: str, audience: Audience, lang: str, values: Mapping[str, str], folder: File = TEMPLATES) -> Worded:
    """Fill in a message. `values` may hold more than it uses; an empty text makes its `{% if %}` fall away.

    Raises VariableMissing, TemplateUnknown, TemplateInvalid.
    """
    message = _message(name, audience, folder)
    missing = variables(name, audience, folder) - values.keys()
    if missing:
        raise VariableMissing(name, min(missing))
    return filled_in(message, lang, values)


def _message(name: str, audience: Audience, folder: File) -> Message:
    message = read_template(name, folder).for_(audience)
    if message is None:
        raise TemplateUnknown(f"the template {name!r} has no text for {audience}")
    return message


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
                params["most"] = LONGEST_TEXT if "text" in where else 4_000
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
        found.append(tree.finding(where, code, params))
    return found


def _keys_at(where: Path) -> tuple[str, ...]:
    if where[:1] == ("label",):
        return tuple(Texts.model_fields)
    levels = (MessageTemplate, Message, Texts)
    return tuple(levels[min(len(where), 2)].model_fields)


def _doubts(template: MessageTemplate, source: File, tree: Tree) -> list[Finding]:
    found = []
    if template.template != source.stem:
        found.append(tree.finding(("template",), "template-other-name", {"name": template.template}))
    for audience, known in VARIABLES.items():
        message = template.for_(audience)
        if message is None:
            continue
        written = {"subject": message.subject, "body": message.body, "text": message.text}
        for key, texts in written.items():
            if texts is None:
                continue
            for lang in ("fr", "en"):
                text = texts.in_(lang)
                doubts = _text_doubts(tree, (audience, key, lang), text, known)
                if not doubts and key != "subject" and template.template in SAYS_WHEN and not _says_when(text):
                    doubts = [tree.finding((audience, key, lang), "template-hour", {})]
                found += doubts
    return found


def _text_doubts(tree: Tree, where: Path, text: str, known: frozenset[str]) -> list[Finding]:
    if word := tells_why(text):
        return [tree.finding(where, "template-word", {"word": word})]
    if "subject" in where and len(text.strip().splitlines()) > 1:
        return [tree.finding(where, "template-subject-lines", {})]
    try:
        parsed = ENVIRONMENT.parse(text)
    except (TemplateSyntaxError, RecursionError):
        return [tree.finding(where, "template-syntax", {})]
    # A word may be cut in two by a condition or a comment.
    said = "".join(data.data for data in parsed.find_all(nodes.TemplateData))
    if word := tells_why(said):
        return [tree.finding(where, "template-word", {"word": word})]
    if any(not isinstance(node, _ALLOWED) for node in parsed.find_all(nodes.Node)) or _is_deep(parsed):
        return [tree.finding(where, "template-construct", {})]
    names = tuple(sorted(known))
    return [
        tree.finding(where, "template-variable", {"name": name, "known": names})
        for name in sorted(_names_in(parsed) - known)
    ]


def _is_deep(node: nodes.Node, levels: int = DEEPEST) -> bool:
    """Whether conditions stand in each other deeper than anybody reads, and Python compiles."""
    if isinstance(node, nodes.If):
        levels -= 1
    return levels < 0 or any(_is_deep(inner, levels) for inner in node.iter_child_nodes())


def _says_when(text: str) -> bool:
    """Whether day and hour stand in a text whatever its conditions."""
    parts = [part for part in ENVIRONMENT.parse(text).body if isinstance(part, nodes.Output)]
    said = {node.name for part in parts for node in part.nodes if isinstance(node, nodes.Name)}
    return {"date", "time"} <= said


def _names_in(parsed: nodes.Template) -> set[str]:
    return {node.name for node in parsed.find_all(nodes.Name)}
