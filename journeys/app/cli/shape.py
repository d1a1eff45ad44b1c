"""How commands are declared and explained: asynchronous functions, help in two languages, options common to all."""

import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from journeys.app.cli.desk import Desk
from journeys.app.cli.words import both, in_lang
from journeys.app.failures import Lang, usage

F = TypeVar("F", bound=Callable[..., Any])

_COMMON: Final = (
    ("--as PSEUDO", both("qui agit (installation locale)", "who acts (local installation)")),
    ("--json", both("un seul objet JSON sur la sortie", "one JSON object on stdout")),
    ("--lang fr|en", both("la langue des textes", "the language of texts")),
    ("--help", both("cette aide", "this help")),
)


class Command(TyperCommand):
    """A command whose function is a coroutine that returns an exit code (None: done)."""

    def invoke(self, ctx: Any) -> Any:
        found = super().invoke(ctx)
        return at(ctx).complete(found) if inspect.iscoroutine(found) else found

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(help_of(self, ctx, at(ctx).out.lang))


class Group(TyperGroup):
    """Commands of one subject."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(help_of(self, ctx, at(ctx).out.lang))

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)


def group(fr: str, en: str) -> typer.Typer:
    """A subject with its commands."""
    return typer.Typer(
        cls=Group, help=both(fr, en), rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False,
        no_args_is_help=True,
    )  # fmt: skip


def command(app: typer.Typer, name: str, fr: str, en: str, **more: Any) -> Callable[[F], F]:
    """Declare a command of `app`."""
    return app.command(name, cls=Command, help=both(fr, en), **more)


def at(ctx: Any) -> Desk:
    """The desk of this run."""
    desk = ctx.obj
    assert isinstance(desk, Desk)
    return desk


def option(names: str, fr: str, en: str, default: Any = None, **more: Any) -> Any:
    """An option: its names (apart by spaces) and what it is for."""
    return typer.Option(default, *names.split(), help=both(fr, en), show_default=False, **more)


def argument(fr: str, en: str, metavar: str, default: Any = ..., **more: Any) -> Any:
    """A positional argument."""
    return typer.Argument(default, help=both(fr, en), metavar=metavar, show_default=False, **more)


def must_be_within(field: str, number: int, most: int) -> None:
    """Raises Failure (usage) unless a number that was typed lies between 1 and `most`."""
    if not 1 <= number <= most:
        raise usage("out-of-range", f"{field} : {number} ; écrivez un nombre de 1 à {most}",
                    f"{field}: {number}; write a number from 1 to {most}", field=field)  # fmt: skip


def help_of(command: Any, ctx: Any, lang: Lang) -> str:
    """The whole help of a command or group as text."""
    parameters = [p for p in command.get_params(ctx) if "--help" not in p.opts and not getattr(p, "hidden", False)]
    arguments = [(_metavar(p), in_lang(p.help, lang)) for p in parameters if p.param_type_name == "argument"]
    options = [(_option(p), _told(p, lang)) for p in parameters if p.param_type_name == "option"]
    commands = [
        (name, in_lang(found.help, lang).partition("\n")[0])
        for name in getattr(command, "commands", {})
        if not (found := command.commands[name]).hidden
    ]
    usage = " ".join(
        [ctx.command_path, *(name for name, _ in arguments), *(["COMMANDE …"] if commands else ["[OPTIONS]"])]
    )
    en = lang == "en"
    return "\n".join(
        [
            ("Usage: " if en else "Utilisation : ") + usage,
            "",
            in_lang(command.help, lang),
            *section("Arguments", arguments, en=en),
            *section("Commands" if en else "Commandes", commands, en=en),
            *section("Options", options, en=en),
            *section("Everywhere" if en else "Partout", [(name, in_lang(text, lang)) for name, text in _COMMON], en=en),
            "",
        ]
    )


def section(title: str, lines: list[tuple[str, str]], *, en: bool) -> list[str]:
    """A titled list in two columns; nothing when it is empty."""
    if not lines:
        return []
    width = min(max(len(name) for name, _ in lines), 34)
    return [
        "",
        f"{title}:" if en else f"{title} :",
        *(f"  {name:<{width}}  {text}".rstrip() for name, text in lines),
    ]


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _option(parameter: Any) -> str:
    names = ", ".join(parameter.opts)
    return names if parameter.is_flag else f"{names} {parameter.metavar or '…'}"


def _told(parameter: Any, lang: Lang) -> str:
    needed = " (obligatoire)" if lang == "fr" else " (required)"
    return in_lang(parameter.help, lang) + (needed if parameter.required else "")


def named_date(text: str) -> tuple[str, str]:
    """`NAME=2027-05-12` as name and day. Raises Failure."""
    name, sign, day = text.partition("=")
    if not sign or not name or not day:
        raise usage(
            "not-a-named-date",
            f"--date : « {text} » ; écrivez NOM=2027-05-12",
            f"--date: “{text}”; write NAME=2027-05-12",
            field="--date",
        )
    return name.strip(), day
