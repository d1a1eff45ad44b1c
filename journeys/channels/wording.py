"""What messages say: templates as data, filled in within Jinja2's sandbox.

One YAML file a template, with a subject and a body for each kind of recipient, in French and English. An association
may put other words in their place; these are kept as the text of `template_text`. Whoever writes templates is told of
their faults by journeys/authoring/templates.py; here a faulty one is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

from jinja2 import StrictUndefined, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from journeys.channels.segments import length, plain

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates"
"""The templates that are shipped: beside the package, in a checkout and in a wheel."""

LARGEST_FILE: Final = 64_000
LONGEST_TEXT: Final = 480
"""Signs of a short message before it is filled in."""

Audience = Literal["participant", "volunteer", "on_call", "staff"]
"""Who reads: the person, a mentor or a partner, a volunteer who is told of what is no contact of their own (on call),
or the association's staff."""

SHARED = frozenset({"first_name", "date", "time", "place", "referent", "mentor", "association", "amount", "link",
                    "answer"})  # fmt: skip
"""Variables of every message. `first_name` is the recipient's own; `answer` the address of a one-time link, empty where
there is none; `link` the same, or whom to ask.
"""
FOR_ON_CALL = SHARED | {"reference", "reason", "step"}
"""Variables of messages to volunteers on call: which journey it is, and in neutral words what about."""
FOR_STAFF = SHARED | {"milestone", "contact", "grant", "phase", "programme", "reference", "reason", "step"}
"""Variables of staff messages: labels, the journey's reference, never a participant's name."""
VARIABLES: Mapping[Audience, frozenset[str]] = {
    "participant": SHARED,
    "volunteer": SHARED,
    "on_call": FOR_ON_CALL,
    "staff": FOR_STAFF,
}

ENVIRONMENT: Final = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Texts(_Part):
    """The same text in French and in English."""

    fr: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]

    def in_(self, lang: str) -> str:
        return self.en if lang == "en" else self.fr


class ShortTexts(Texts):
    """The same in a few words."""

    fr: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]


class Message(_Part):
    """Subject (one line) and body of one message; `text` is what a phone shows of it."""

    subject: Texts
    body: Texts
    text: ShortTexts | None = None
    """None: it goes by mail only."""


class Template(_Part):
    """What one message says to each kind of recipient."""

    template: str
    label: ShortTexts | None = None
    """What it is called where templates are listed; no part of what it says."""
    participant: Message | None = None
    volunteer: Message | None = None
    on_call: Message | None = None
    staff: Message | None = None

    def for_(self, audience: Audience) -> Message | None:
        match audience:
            case "participant":
                return self.participant
            case "volunteer":
                return self.volunteer
            case "on_call":
                return self.on_call
            case "staff":
                return self.staff


def template_text(template: Template) -> str:
    """A template as it is kept and hashed: the same words give the same text, however their file is laid out.

    What it is called is kept only where the shipped one of its name is not called the same.
    """
    called = {"label"} if template.label == label_of(template.template) else None
    written = template.model_dump(mode="json", exclude_none=True, exclude=called)
    return json.dumps(written, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def wording_of(template: Template) -> str:
    """By what the record names the words of a template: the SHA-256 (hex) of its text."""
    return hashlib.sha256(template_text(template).encode()).hexdigest()


_STOPS: Final = {"fr": "Pour ne plus recevoir nos messages :", "en": "To receive no more messages from us:"}
_STOP_WORD: Final = {"fr": "Répondez STOP pour ne plus en recevoir.", "en": "Reply STOP to receive no more."}


@dataclass(frozen=True, slots=True)
class Worded:
    """A subject of one line and a body of plain text; `text` is the short message, empty where there is none."""

    subject: str
    body: str
    text: str = ""


Reason = Literal["no-template", "no-audience", "no-text", "bad-template", "no-value"]


class NoWording(LookupError):
    """There is no such template, none for this recipient or channel, or none that can be filled in: see `code`."""

    def __init__(self, template: str, code: Reason) -> None:
        super().__init__(f"{template}: {code}")
        self.template, self.code = template, code


def worded(template: str, audience: Audience, lang: str, values: Mapping[str, str], folder: Path = TEMPLATES) -> Worded:
    """Fill in a message of a shipped template. Raises NoWording."""
    return fill(shipped(template, folder), audience, lang, values)


def fill(template: Template, audience: Audience, lang: str, values: Mapping[str, str]) -> Worded:
    """Fill in a message. An empty value makes its `{% if %}` fall away. Raises NoWording."""
    message = words_for(template, audience)
    if message is None:
        raise NoWording(template.template, "no-audience")
    try:
        return filled_in(message, lang, values)
    except UndefinedError:
        raise NoWording(template.template, "no-value") from None
    except (TemplateError, RecursionError):
        raise NoWording(template.template, "bad-template") from None


def words_for(template: Template, audience: Audience) -> Message | None:
    """What a template says to somebody; None: nothing.

    An association's own words may be older than those for a volunteer on call: these are then said as they are shipped.
    """
    message = template.for_(audience)
    if message is not None or audience != "on_call":
        return message
    try:
        return shipped(template.template).on_call
    except NoWording:
        return None


def with_stop(body: str, lang: str, address: str) -> str:
    """A letter to the person, and below it the address by which they stop all letters."""
    return f"{body.rstrip()}\n\n{_STOPS['en' if lang == 'en' else 'fr']} {address}\n"


def with_stop_word(text: str, lang: str) -> str:
    """A short message that says how to stop them, where that makes it no longer than it is."""
    return _where_it_fits(text, _STOP_WORD["en" if lang == "en" else "fr"])


def with_stop_link(text: str, address: str) -> str:
    """The same where a phone cannot answer: by which address they are stopped."""
    return _where_it_fits(text, f"STOP : {address}")


def _where_it_fits(text: str, more: str) -> str:
    longer = f"{text} {more}"
    return longer if length(plain(longer)).segments == length(plain(text)).segments else text


def filled_in(message: Message, lang: str, values: Mapping[str, str]) -> Worded:
    """A message with its variables replaced. Raises jinja2's UndefinedError, TemplateError."""
    given = {name: _one_line(value) for name, value in values.items()}
    subject = ENVIRONMENT.from_string(message.subject.in_(lang)).render(given)
    body = ENVIRONMENT.from_string(message.body.in_(lang)).render(given)
    short = message.text
    text = ENVIRONMENT.from_string(short.in_(lang)).render(given).strip() if short is not None else ""
    return Worded(_one_line(subject), body.strip() + "\n", text)


@lru_cache(maxsize=256)
def read_text(name: str, text: str) -> Template:
    """An edited template from the text that was kept. Raises NoWording."""
    try:
        return Template.model_validate_json(text)
    except ValidationError:
        raise NoWording(name, "bad-template") from None


@lru_cache(maxsize=256)
def shipped(name: str, folder: Path = TEMPLATES) -> Template:
    """A template as it is shipped. Raises NoWording."""
    path = folder / f"{name}.yaml"
    # A name comes from a programme; it must not walk elsewhere.
    if path.parent != folder or not path.is_file():
        raise NoWording(name, "no-template")
    raw = path.read_bytes()
    if len(raw) > LARGEST_FILE:
        raise NoWording(name, "bad-template")
    try:
        return Template.model_validate(YAML(typ="safe", pure=True).load(raw))
    except (YAMLError, ValidationError, UnicodeDecodeError):
        raise NoWording(name, "bad-template") from None


def label_of(name: str, folder: Path = TEMPLATES) -> ShortTexts | None:
    """What the shipped template of a name is called; None where none is shipped."""
    try:
        return shipped(name, folder).label
    except NoWording:
        return None


_JOINERS: Final = "\u200c\u200d"
"""Signs of their own that nobody sees, without which names in Persian or Hindi are spelt wrongly."""


def _one_line(text: str) -> str:
    """No controls and no line breaks: neither a header nor a sentence can be broken out of."""
    return " ".join("".join(sign if sign.isprintable() or sign in _JOINERS else " " for sign in text).split())
