"""What messages say, as entry points see it: each template with its previews, other words tried and put in force."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from journeys.app.entry import Actor, clean_text
from journeys.app.failures import Exit, Failure, Lang, Said, not_found, usage
from journeys.app.publishing import errors_told
from journeys.app.stopping import by
from journeys.authoring.findings import Finding
from journeys.authoring.templates import (
    Preview,
    TemplateInvalid,
    check_edit,
    like,
    preview,
    read_template,
    template_names,
)
from journeys.channels.segments import Length
from journeys.channels.wording import VARIABLES as KNOWN
from journeys.channels.wording import Audience, Message, Template, Texts, label_of, read_text, template_text, wording_of
from journeys.domain.programme import Label
from journeys.i18n import either
from journeys.store import templates
from journeys.store.database import Connection, Pool

AUDIENCES: Final[Mapping[Audience, Label]] = {
    "participant": Label(fr="la personne", en="the person"),
    "volunteer": Label(fr="le mentor ou le partenaire", en="the mentor or partner"),
    "on_call": Label(fr="le bénévole d’astreinte", en="the volunteer on call"),
    "staff": Label(fr="l’équipe", en="the staff"),
}


VARIABLES: Final[Mapping[Audience, tuple[str, ...]]] = {who: tuple(sorted(known)) for who, known in KNOWN.items()}
PIECES: Final = ("subject", "text", "body")
LANGUAGES: Final[tuple[Lang, ...]] = ("fr", "en")
_HASH: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Known:
    """A template as it stands."""

    name: str
    template: Template
    edited: bool
    """An association put its own words in the place of those that are shipped, or there are none of this name."""
    shipped: bool

    @property
    def wording(self) -> str:
        """SHA-256 of its words."""
        return wording_of(self.template)

    @property
    def label(self) -> Texts:
        """What it is called: as its own words say, else as the shipped one is, else by its subject."""
        return self.template.label or label_of(self.name) or self.messages[0][1].subject

    @property
    def messages(self) -> list[tuple[Audience, Message]]:
        """What it says, by who reads it."""
        return messages(self.template)


def messages(template: Template) -> list[tuple[Audience, Message]]:
    """What a template says, by who reads it."""
    found = [(audience, template.for_(audience)) for audience in AUDIENCES]
    return [(audience, message) for audience, message in found if message is not None]


@dataclass(frozen=True, slots=True)
class Shown:
    """A message to one kind of reader in one language, filled in with examples."""

    audience: Audience
    language: Lang
    preview: Preview
    length: str
    """Of its short message, in words; empty where there is none."""


def previews(template: Template, lang: Lang) -> list[Shown]:
    """Every message of a checked template in both languages; `lang` is the reader's own."""
    found = [(audience, language, preview(message, language, audience))
             for audience, message in messages(template) for language in LANGUAGES]  # fmt: skip
    return [Shown(audience, language, each, lengths(each.length, lang) if each.length is not None else "")
            for audience, language, each in found]  # fmt: skip


def offered(name: str) -> dict[Audience, Label]:
    """Who a template of this name is written for: whoever the shipped one is."""
    return {audience: label for audience, label in AUDIENCES.items() if like(name).for_(audience) is not None}


def written(template: Template) -> dict[str, str]:
    """A template as a form shows it, text by text: `participant.subject.fr`; what it does not say yet, as shipped."""
    words = like(template.template).model_dump(mode="json", exclude_none=True)
    words |= template.model_dump(mode="json", exclude_none=True)
    return {
        f"{audience}.{piece}.{lang}": text
        for audience in AUDIENCES
        for piece, texts in words.get(audience, {}).items()
        for lang, text in texts.items()
    }


def typed_template(name: str, typed: Mapping[str, str], label: Texts | None = None) -> bytes:
    """What was typed in such a form, as a template's file. Raises Failure: a text that cannot be kept.

    Args:
        label: what it is called, which the form does not ask.
    """
    words: dict[str, Any] = {"template": name} | ({"label": label.model_dump()} if label is not None else {})
    for audience in offered(name):
        message = {}
        for piece in PIECES:
            fields = {lang: f"{audience}.{piece}.{lang}" for lang in LANGUAGES}
            texts = {lang: clean_text(typed.get(field, ""), field) for lang, field in fields.items()}
            if piece != "text" or any(text.strip() for text in texts.values()):
                message[piece] = texts
        words[audience] = message
    return json.dumps(words, ensure_ascii=False).encode()


def lengths(found: Length, lang: Lang) -> str:
    """How a short message travels, in words: `142 signes sur 160 (GSM-7), 1 SMS`."""
    alphabet = found.alphabet.upper()
    return either(lang, f"{found.units} signes ({alphabet}), {found.segments} SMS",
                  f"{found.units} signs ({alphabet}), {found.segments} SMS")  # fmt: skip


async def all_known(connection: Pool | Connection) -> list[Known]:
    """Every template, by name."""
    edited = await templates.all_in_force(connection)
    return [_known(name, edited.get(name)) for name in sorted(template_names() | edited.keys())]


async def known(connection: Pool | Connection, name: str) -> Known:
    """One template as it stands. Raises Failure: there is none of this name."""
    text = await templates.in_force(connection, name)
    if text is None and name not in template_names():
        raise not_found(
            "unknown-template", f"il n'y a pas de modèle « {name} »", f"there is no template “{name}”",
            field="template",
            remedy=Said("voyez la liste : journeys templates list", "see the list: journeys templates list"),
        )  # fmt: skip
    return _known(name, text)


async def edit(
    pool: Pool, actor: Actor, now: datetime, name: str, raw: bytes, seen: str | None = None
) -> Known:  # fmt: skip
    """Put other words in force for what leaves from now on; the same ones again change nothing.

    Args:
        raw: the template as YAML or JSON. seen: the wording that was looked at.

    Raises:
        Failure: no right, not a template, or edited by somebody else meanwhile. TemplateInvalid: what is wrong.
    """
    who = by(actor, "edit-template", now)
    template = check_edit(raw, name)
    shipped = template_text(read_template(name)) if name in template_names() else None
    try:
        await templates.edit(pool, name, template_text(template), shipped, who, seen)
    except templates.EditedSince:
        raise Failure(
            Exit.CONFLICT, "edited-since",
            Said("quelqu'un a changé ce modèle entre-temps ; rien n'a été enregistré",
                 "somebody has edited this template meanwhile; nothing was kept"),
            Said("relisez-le, puis recommencez s'il le faut", "read it again, then edit it if need be"),
        ) from None  # fmt: skip
    return _known(name, template_text(template))


async def reset(pool: Pool, actor: Actor, now: datetime, name: str, seen: str | None = None) -> Known:
    """Put the shipped words back in force. Raises Failure: as `edit`, or none are shipped under this name."""
    if name not in template_names():
        await known(pool, name)
        raise usage("not-shipped", f"le modèle « {name} » est le vôtre : il n'y en a pas de livré",
                    f"the template “{name}” is your own: none is shipped", field="template")  # fmt: skip
    return await edit(pool, actor, now, name, template_text(read_template(name)).encode(), seen)


async def version(connection: Pool | Connection, name: str, wording: str) -> Template:
    """Words that a template had, by their SHA-256. Raises Failure: they were never kept."""
    text = await templates.text_of(connection, wording) if _HASH.fullmatch(wording) else None
    if text is None:
        raise not_found("unknown-wording", "cette version n'a pas été gardée", "this version was never kept",
                        field="--wording")  # fmt: skip
    return read_text(name, text)


def invalid(error: TemplateInvalid) -> Failure:
    """A template that cannot be used, as a failure: what, where, what to write."""
    return usage(
        "invalid-template",
        f"le modèle ne peut pas servir :\n{errors_told(error, 'fr')}",
        f"the template cannot be used:\n{errors_told(error, 'en')}",
        field="template",
    )


def beside(finding: Finding) -> Failure:
    """One thing that is wrong, beside its field of a form: `participant.subject.fr`."""
    return usage(
        finding.code, finding.message("fr"), finding.message("en"), field=".".join(map(str, finding.where)) or None,
        remedy=Said(finding.remedy("fr"), finding.remedy("en")),
    )  # fmt: skip


def _known(name: str, text: str | None) -> Known:
    shipped = name in template_names()
    if text is None:
        return Known(name, read_template(name), False, shipped)
    same = shipped and template_text(read_template(name)) == text
    return Known(name, read_text(name, text), not same, shipped)
