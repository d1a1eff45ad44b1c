"""`journeys do ID COMMAND --field value …`: every command of the handbook, with its fields read off its model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import typer

from journeys.app.cli.desk import Desk
from journeys.app.cli.shape import argument, at, command, section
from journeys.app.failures import Exit, Failure, Lang, Said, usage, why

if TYPE_CHECKING:
    from pydantic import ValidationError

    from journeys.app.fields import Field
    from journeys.app.finding import Loaded
    from journeys.contract import Answer
    from journeys.domain.commands import AnyBody, Command

_ALWAYS: Final = (
    (
        "--on DATE",
        Said(
            "quand c'est arrivé, si ce n'est pas maintenant (date, ou date et heure)",
            "when it happened, if not now (date, or date and time)",
        ),
    ),
    (
        "--occurred DATE",
        Said("la même chose, pour les commandes où --on est un champ", "the same, for commands where --on is a field"),
    ),
    ("--command-id UUID", Said("pour renvoyer exactement la même commande", "to send exactly the same command again")),
    ("--seen N", Said("le dernier événement que l'on avait sous les yeux", "the last event that one had seen")),
    (
        "--CHAMP-file CHEMIN",
        Said("le texte d'un champ, lu dans un fichier (- : l'entrée)", "a field's text, read from a file (-: stdin)"),
    ),
)


def add_to(app: typer.Typer) -> None:
    """Declare the command. Its words are read here: what follows depends on the command named."""

    @command(
        app,
        "do",
        "Agit sur un parcours : journeys do ID COMMANDE --champ valeur … (do --help : toutes les commandes).",
        "Acts on a journey: journeys do ID COMMAND --field value … (do --help: all commands).",
        context_settings={"help_option_names": [], "ignore_unknown_options": True, "allow_interspersed_args": False},
    )
    def do(ctx: typer.Context, words: list[str] = argument("", "", "ID COMMANDE --champ valeur …", None)) -> int:  # noqa: B008
        return _do(at(ctx), words or [])


def _do(desk: Desk, words: list[str]) -> int:
    from journeys.app.fields import commands
    from journeys.app.finding import nearest

    known = commands()
    named = [word for word in words if not word.startswith("-")]
    wants_help = "--help" in words or "-h" in words
    if wants_help:
        name = next((word for word in named if word in known), None)
        print(_help_of(name, desk.out.lang) if name is not None else _help(desk.out.lang))
        return Exit.DONE
    if len(words) < 2 or words[0].startswith("-") or words[1].startswith("-"):
        raise usage(
            "no-command",
            "dites quel parcours et quelle commande : journeys do ID COMMANDE --champ valeur …",
            "say which journey and which command: journeys do ID COMMAND --field value …",
            remedy=Said("« journeys do --help » les donne toutes", "“journeys do --help” lists them all"),
        )
    id, name, *rest = words
    if name not in known:
        near = nearest(name, list(known))
        raise usage(
            "unknown-command",
            f"« {name} » n'est pas une commande",
            f"“{name}” is not a command",
            field="COMMANDE",
            remedy=Said(
                (f"Vouliez-vous dire « {near} » ? " if near else "") + "Toutes : journeys do --help",
                (f"Did you mean “{near}”? " if near else "") + "All: journeys do --help",
            ),
        )
    return desk.complete(_give(desk, id, name, typed(name, rest)))


# --- what was typed


def typed(name: str, words: list[str]) -> dict[str, str]:
    """The options after the command, by name without dashes. Raises Failure: unknown, twice, without value."""
    from journeys.app.fields import fields_of
    from journeys.app.finding import nearest

    fields = {field.option: field for field in fields_of(name)}
    known = [*fields, *(f"{field.option}-file" for field in fields.values() if field.kind == "text" and field.part),
             "--on", "--occurred", "--command-id", "--seen"]  # fmt: skip
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        option, sign, value = word.partition("=")
        if option not in known:
            near = nearest(option, known)
            raise usage(
                "unknown-option",
                f"« {option[:80]} » n'est pas un champ de {name}",
                f"“{option[:80]}” is not a field of {name}",
                field=option[:80],
                remedy=Said(
                    (f"Vouliez-vous dire {near} ? " if near else "") + f"Champs : {', '.join(known)}",
                    (f"Did you mean {near}? " if near else "") + f"Fields: {', '.join(known)}",
                ),
            )
        if option in found:
            raise usage("option-twice", f"{option} est donné deux fois", f"{option} is given twice", field=option)
        if not sign and option in fields and fields[option].kind == "flag":
            value = "true"
        elif not sign:
            following = next(rest, None)
            if following is None:
                raise usage(
                    "missing-value", f"{option} : il manque la valeur", f"{option}: the value is missing", field=option
                )
            value = following
        found[option] = value
    return dict(_from_files(found))


def _from_files(found: dict[str, str]) -> Iterator[tuple[str, str]]:
    """A text that stands in a file is read as far as a text may be long, and one character more."""
    import sys
    from pathlib import Path

    from journeys.app.entry import LONGEST_TEXT

    for option, value in found.items():
        if not option.endswith("-file"):
            yield option.removeprefix("--"), value
            continue
        name = option.removeprefix("--").removesuffix("-file")
        if f"--{name}" in found:
            raise usage(
                "text-twice", f"--{name} ou {option}, pas les deux", f"--{name} or {option}, not both", field=option
            )
        try:
            if value == "-":
                text = sys.stdin.read(LONGEST_TEXT + 1)
            else:
                with Path(value).open(encoding="utf-8") as file:
                    text = file.read(LONGEST_TEXT + 1)
        except (OSError, UnicodeDecodeError) as error:
            reason = why(error) if isinstance(error, OSError) else Said("UTF-8 ?", "UTF-8?")
            raise usage("unreadable-file", f"{option} : {value} ne peut pas être lu : {reason.fr}",
                        f"{option}: {value} cannot be read: {reason.en}", field=option) from None  # fmt: skip
        yield name, text


# --- giving it


async def _give(desk: Desk, id: str, name: str, words: dict[str, str]) -> int:
    from journeys.app.asking import worth_knowing
    from journeys.app.cli.body import Reader
    from journeys.app.cli.listing import row_json
    from journeys.app.finding import find_journey, load
    from journeys.app.forwarding import deliver
    from journeys.app.telling import failure_of
    from journeys.store import views

    pool = await desk.pool()
    loaded = await load(pool, await find_journey(pool, id))
    actor = await desk.actor()
    reader = Reader(desk, loaded, name, words)
    await reader.recall()
    body, texts = await reader.read()
    for line in await reader.seen(body):
        desk.out.note(line)
    if (known := await worth_knowing(pool, loaded, body)) is not None:
        desk.out.note(known.what.in_(desk.out.lang))
    asked = _signed(desk, loaded, reader, body, texts, actor)
    answer = await deliver(
        await desk.pool(), desk.ring(), desk.client, desk.settings.task_queue, loaded, asked, texts, actor,
        reader.attached, rules=reader.rules,
    )  # fmt: skip
    if (failure := failure_of(answer, loaded.book)) is not None:
        raise failure
    row = await views.journey(pool, loaded.row.id) or loaded.row
    found = {"command": answer.model_dump(mode="json") | {"name": name}, "journeys": [row_json(row)]}
    desk.out.result(found, lambda: _print(desk, name, answer))
    return Exit.DONE


def _signed(desk: Desk, loaded: "Loaded", reader: Any, body: "AnyBody", texts: dict[str, str], actor: Any) -> "Command":
    from pydantic import ValidationError

    from journeys.app.entry import clean_part, make_command
    from journeys.domain.document import PART

    now, typed = desk.now, {field.name: field.option for field in reader.fields}
    texts = {name: text if name == PART else clean_part(name, text, typed[name]) for name, text in texts.items()}
    try:
        return make_command(
            desk.ring(), stream=loaded.row.stream, body=body, actor=actor, now=now, texts=texts,
            id=reader.command_id(now), occurred_at=reader.occurred_at(now), seen=reader.seq_seen(),
        )  # fmt: skip
    except ValidationError as error:
        raise _needs(error, reader.fields) from None


def _needs(error: "ValidationError", fields: "list[Field]") -> Failure:
    """A value of the envelope is out of bounds, or a text that the command must carry was not typed."""
    first = error.errors()[0]
    if first["loc"][:1] == ("occurred_at",):
        return usage(
            "bad-value",
            "--on : ce jour est hors limites (de 1900 à 2199)",
            "--on: this day is out of bounds (1900 to 2199)",
            field="--on",
        )
    if first["loc"][:1] == ("seen",):
        return usage("bad-value", "--seen : hors limites", "--seen: out of bounds", field="--seen")
    needed = ", ".join(field.option for field in fields if field.part and field.required)
    return usage("missing", f"il manque {needed}", f"{needed} is missing", field=needed or str(error.error_count()))


def _print(desk: Desk, name: str, answer: "Answer") -> None:
    from journeys.i18n import capital
    from journeys.narration import command_word

    out = desk.out
    done = capital(command_word(name, out.lang))
    if answer.first:
        where = f"{answer.first}" if answer.first == answer.last else f"{answer.first}-{answer.last}"
        out.line(out.t(f"Fait : {done} (événement {where}).", f"Done: {done} (event {where})."))
    else:
        out.line(out.t(f"Rien à changer : {done}.", f"Nothing to change: {done}."))


# --- help


def _help(lang: Lang) -> str:
    """Every command with its fields."""
    from journeys.app.fields import commands, fields_of
    from journeys.narration import command_word

    en = lang == "en"
    lines = [
        "Usage: journeys do ID COMMAND --field value … --as HANDLE" if en else
        "Utilisation : journeys do ID COMMANDE --champ valeur … --as PSEUDO",
        "",
        "What may be left out stands in brackets. One command in detail: journeys do ID COMMAND --help" if en else
        "Entre crochets, ce qui peut être omis. Une commande en détail : journeys do ID COMMANDE --help",
        "",
    ]  # fmt: skip
    for name in commands():
        lines.append(f"  {name}: {command_word(name, lang)}" if en else f"  {name} : {command_word(name, lang)}")
        fields = " ".join(field.usage(lang) for field in fields_of(name))
        if fields:
            lines.append(f"      {fields}")
    return "\n".join(
        [
            *lines,
            *section("Always" if en else "Toujours", [(option, said.in_(lang)) for option, said in _ALWAYS], en=en),
        ]
    )


def _help_of(name: str, lang: Lang) -> str:
    """One command with each field."""
    from journeys.app.allowing import who_may
    from journeys.app.fields import ABOUT, fields_of
    from journeys.i18n import capital
    from journeys.narration import command_word

    en = lang == "en"
    fields = fields_of(name)
    usage_ = " ".join(field.usage(lang) for field in fields)
    lines = [
        (f"{field.option} {field.metavar(lang)}".rstrip(), ABOUT[field.name].in_(lang) + _needed(field, lang))
        for field in fields
    ]
    return "\n".join(
        [
            ("Usage: " if en else "Utilisation : ")
            + f"journeys do ID {name} {usage_} --as {'HANDLE' if en else 'PSEUDO'}",
            "",
            capital(command_word(name, lang)) + ".",
            ("Who may: " if en else "Qui peut : ") + who_may(name, lang),
            *section("Fields" if en else "Champs", lines, en=en),
            *section("Always" if en else "Toujours", [(option, said.in_(lang)) for option, said in _ALWAYS], en=en),
        ]
    )


def _needed(field: "Field", lang: Lang) -> str:
    if not field.required or field.defaults:
        return ""
    return " (required)" if lang == "en" else " (obligatoire)"
