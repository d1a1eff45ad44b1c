"""What was typed becomes a command, an outcome and an exit code; nothing gets through as a traceback."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from journeys.app.cli.desk import Desk
from journeys.app.cli.explaining import explained
from journeys.app.cli.output import Output
from journeys.app.cli.words import language_of
from journeys.app.failures import Exit, Lang, usage

_TAKE_VALUE: Final = frozenset({"--lang", "--as"})


def run_and_leave() -> NoReturn:
    """Run `sys.argv` and leave."""
    code = run(sys.argv[1:])
    from journeys.leaving import leave

    leave(code)


def run(argv: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    out = Output(json="--json" in argv, lang=language_of())
    try:
        rest, common = _common(argv)
        out.json = "--json" in common
        out.lang = _language(common.get("--lang"), out.lang)
        return _run(Desk(out, common.get("--as")), rest)
    except BaseException as error:
        return _fail(out, error)


def _run(desk: Desk, argv: Sequence[str]) -> int:
    from journeys.app.cli.commands import command_line

    found: Any = command_line()(list(argv), prog_name="journeys", standalone_mode=False, obj=desk)
    return int(found or 0)


def _common(argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """What is left, and the options that every command takes wherever they stand before `--`."""
    rest: list[str] = []
    common: dict[str, str] = {}
    words = iter(argv)
    for word in words:
        name, sign, value = word.partition("=")
        if word == "--":
            return [*rest, word, *words], common
        if word == "--json":
            common[word] = ""
        elif name in _TAKE_VALUE:
            given = value if sign else next(words, None)
            if given is None or given.startswith("--"):
                raise usage(
                    "missing-value", f"{name} : il manque la valeur", f"{name}: the value is missing", field=name
                )
            common[name] = given
        else:
            rest.append(word)
    return rest, common


def _language(asked: str | None, otherwise: Lang) -> Lang:
    match asked:
        case None:
            return otherwise
        case "fr" | "en":
            return asked
    raise usage(
        "not-a-language",
        f"--lang : « {asked} » ; écrivez fr ou en",
        f"--lang: “{asked}”; write fr or en",
        field="--lang",
    )


def _fail(out: Output, error: BaseException) -> int:
    """Tell a person what went wrong; the exit code."""
    if isinstance(error, KeyboardInterrupt | asyncio.CancelledError):
        out.note(out.t("Interrompu.", "Interrupted."))
        return Exit.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return Exit.DONE
    if isinstance(error, SystemExit):
        return int(error.code or 0) if not isinstance(error.code, str) else Exit.FAILED
    failure = explained(error)
    with contextlib.suppress(BrokenPipeError):
        out.failure(failure)
    return failure.exit
