"""`journeys templates`: what messages say, previews with their length, other words put in force."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, group, option
from journeys.app.failures import Exit

if TYPE_CHECKING:
    from journeys.app.wordings import Known
    from journeys.channels.wording import Template


_TRIED: Final = option("--file", "un autre texte, à essayer", "other words, to try")
_WORDS: Final = option("--file", "le texte (YAML)", "the words (YAML)", ...)


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group("Les modèles de messages : ce qu'ils disent, en français et en anglais.",
                 "Templates of messages: what they say, in French and in English.")  # fmt: skip
    app.add_typer(room, name="templates")

    @command(room, "list", "Tous les modèles, et pour qui.", "Every template, and for whom.")
    async def list_(ctx: typer.Context) -> None:
        await _list(at(ctx))

    @command(room, "show", "Ce que dit un modèle, tel qu'il se modifie (YAML), et ses versions.",
             "What a template says, as it is edited (YAML), and its versions.")  # fmt: skip
    async def show(
        ctx: typer.Context,
        name: str = argument("nom", "name", "MODELE"),
        wording: str | None = option("--wording", "une version, par son empreinte", "a version, by its hash"),
    ) -> None:
        await _show(at(ctx), name, wording)

    @command(room, "preview", "Un modèle (ou un fichier) rempli d'exemples, avec longueur et segments.",
             "A template (or a file) filled in with examples, with length and segments.")  # fmt: skip
    async def preview(
        ctx: typer.Context,
        name: str = argument("nom", "name", "MODELE"),
        file: Path | None = _TRIED,
    ) -> int:
        return await _preview(at(ctx), name, file)

    @command(room, "edit", "Met un autre texte en vigueur ; l'ancien est gardé.",
             "Puts other words in force; the former ones are kept.")  # fmt: skip
    async def edit(
        ctx: typer.Context,
        name: str = argument("nom", "name", "MODELE"),
        file: Path = _WORDS,
    ) -> None:
        await _edit(at(ctx), name, file)

    @command(room, "reset", "Remet le texte livré.", "Puts the shipped words back in force.")
    async def reset(ctx: typer.Context, name: str = argument("nom", "name", "MODELE")) -> None:
        await _reset(at(ctx), name)


async def _list(desk: Desk) -> None:
    from journeys.app.wordings import AUDIENCES, all_known

    found, out = await all_known(await desk.pool()), desk.out
    rows = [
        (each.name, each.label.in_(out.lang), 
         ", ".join(AUDIENCES[audience].in_(out.lang) for audience, _ in each.messages),
         out.t("modifié", "edited") if each.edited else out.t("livré", "shipped"))
        for each in found
    ]  # fmt: skip
    told = [{"name": each.name, "label": each.label.model_dump(), "edited": each.edited, "wording": each.wording,
             "recipients": [audience for audience, _ in each.messages]} for each in found]  # fmt: skip
    heads = (out.t("nom", "name"), out.t("modèle", "template"), out.t("pour", "for"), out.t("état", "state"))
    out.result({"templates": told}, lambda: out.table(heads, rows))


async def _show(desk: Desk, name: str, wording: str | None) -> None:
    from io import StringIO

    from ruamel.yaml import YAML

    from journeys.app import wordings
    from journeys.app.reading import ZONE
    from journeys.i18n import format_instant
    from journeys.store import templates

    pool, out = await desk.pool(), desk.out
    known = await wordings.known(pool, name)
    versions = await templates.versions(pool, name)
    template = known.template if wording is None else await wordings.version(pool, name, wording)
    words = template.model_dump(mode="json", exclude_none=True)

    def show() -> None:
        text = StringIO()
        yaml = YAML(pure=True)
        yaml.width = 120
        yaml.dump(words, text)
        out.line(text.getvalue().rstrip())
        for each in versions:
            at_ = format_instant(each.at, out.lang, ZONE)
            out.line(f"# {at_}, {each.who or each.by} : {each.wording[:16]}, "
                     + out.t("avant", "before") + f" {(each.before or '-')[:16]}")  # fmt: skip

    out.result({
        "template": words, "edited": known.edited, "wording": known.wording,
        "versions": [{"wording": each.wording, "before": each.before, "at": each.at, "by": each.by}
                     for each in versions],
    }, show)  # fmt: skip


async def _preview(desk: Desk, name: str, file: Path | None) -> int:
    from journeys.app import wordings
    from journeys.authoring.templates import TemplateInvalid, check_edit

    if file is None:
        _previewed(desk, (await wordings.known(await desk.pool(), name)).template)
        return Exit.DONE
    try:
        _previewed(desk, check_edit(_read(file), name))
    except TemplateInvalid as error:
        raise wordings.invalid(error) from None
    return Exit.DONE


def _previewed(desk: Desk, template: "Template") -> None:
    from journeys.app.wordings import AUDIENCES, previews

    out = desk.out
    shown = previews(template, out.lang)

    def show() -> None:
        for each in shown:
            out.heading(f"{AUDIENCES[each.audience].in_(out.lang)} ({each.language})")
            out.line(each.preview.subject)
            out.line("")
            out.line(each.preview.body.rstrip())
            if each.length:
                out.line("")
                out.line(f"SMS : {each.preview.text}")
                out.line(f"  {each.length}")

    told: list[dict[str, Any]] = [
        {"recipient": each.audience, "lang": each.language, "subject": each.preview.subject,
         "body": each.preview.body, "text": each.preview.text or None,
         "sms": asdict(each.preview.length) if each.preview.length is not None else None}
        for each in shown
    ]  # fmt: skip
    out.result({"previews": told}, show)


async def _edit(desk: Desk, name: str, file: Path) -> None:
    from journeys.app import wordings
    from journeys.authoring.templates import TemplateInvalid

    try:
        known = await wordings.edit(await desk.pool(), await desk.actor(), desk.now, name, _read(file))
    except TemplateInvalid as error:
        raise wordings.invalid(error) from None
    _in_force(desk, known)


async def _reset(desk: Desk, name: str) -> None:
    from journeys.app import wordings

    _in_force(desk, await wordings.reset(await desk.pool(), await desk.actor(), desk.now, name))


def _in_force(desk: Desk, known: "Known") -> None:
    out = desk.out
    out.result(
        {"template": known.name, "wording": known.wording, "edited": known.edited},
        lambda: out.line(out.t(f"« {known.name} » dit ceci à partir de maintenant ({known.wording[:16]}).",
                               f"“{known.name}” says this from now on ({known.wording[:16]}).")),
    )  # fmt: skip


def _read(file: Path) -> bytes:
    """The bytes of a file. Raises Failure (usage)."""
    from journeys.app.failures import Said, usage, why
    from journeys.channels.wording import LARGEST_FILE

    try:
        raw = file.read_bytes()
    except OSError as error:
        said = why(error)
        raise usage("unreadable-file", f"--file : {said.fr}", f"--file: {said.en}", field="--file") from None
    if len(raw) > LARGEST_FILE:
        raise usage("file-too-large", "--file : le fichier est trop gros", "--file: the file is too large",
                    field="--file", remedy=Said("un modèle tient en quelques lignes", "a template is a few lines"),
                    )  # fmt: skip
    return raw
