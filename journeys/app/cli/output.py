"""What goes out: text for people or one JSON object on stdout, errors on stderr, the simulated date always shown."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from journeys import clock
from journeys.app.failures import Failure, Lang, Said
from journeys.i18n import either

if TYPE_CHECKING:
    from rich.console import Console

LIVES: Final = Said("Les vies se déroulent", "Lives unfold")
"""What goes on while journeys are played."""

_WIDE: Final = 4000
"""Columns where nobody looks: a line is then never cut."""

_SPACES: Final = "\n\t\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"


@dataclass(slots=True)
class Output:
    """Where a command speaks. In JSON mode only `result` and `failure` write to stdout."""

    json: bool = False
    lang: Lang = "fr"
    ahead: list[Said] = field(default_factory=list)
    """What holds for whatever is told next: said once, before it."""
    beside: dict[str, Any] = field(default_factory=dict)
    """What every JSON object says besides its own."""

    def t(self, fr: str, en: str) -> str:
        """A text in the language of the person."""
        return either(self.lang, fr, en)

    def result(self, found: dict[str, Any], show: Callable[[], None]) -> None:
        """The outcome: `found` as one object, or whatever `show` prints."""
        if self.json:
            simulated = {"simulated_date": clock.now().isoformat()} if clock.simulated() else {}
            self._write(json.dumps({**self.beside, **found, **simulated}, ensure_ascii=False, default=str) + "\n")
            return
        self._simulated()
        self._say_ahead(self.line)
        show()

    def line(self, text: str = "") -> None:
        """A line of text for people."""
        self._write(printable(text) + "\n")

    def raw(self, text: str) -> None:
        """A text as it stands, for a file."""
        self._write(text)

    def heading(self, text: str) -> None:
        """The title of a section."""
        from rich.text import Text

        self._console().print(Text(printable(text), style="bold"))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Aligned columns; on a terminal they fit its width, elsewhere nothing is cut."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        console = self._console()
        table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, padding=(0, 2, 0, 0))
        for head in heads:
            table.add_column(Text(head, style="bold"), overflow="fold", no_wrap=not console.is_terminal)
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        with console.capture() as captured:
            console.print(table)
        self._write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))

    def note(self, text: str) -> None:
        """Something a person should know, beside the outcome."""
        sys.stderr.write(printable(text) + "\n")

    @contextmanager
    def progress(self, label: Said, total: float) -> Iterator[Callable[[float, Said | None], None]]:
        """A bar on a terminal, silence elsewhere: told how much is done, and what goes on now when that has changed.

        `total`: how many things, or 1.0 for a share.
        """
        if not sys.stderr.isatty():
            yield lambda done, label: None
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        counted = (MofNCompleteColumn(), TimeRemainingColumn()) if isinstance(total, int) else (TimeElapsedColumn(),)
        with Progress(
            TextColumn("{task.description}"), BarColumn(), *counted, console=Console(file=sys.stderr), transient=True
        ) as bars:
            task = bars.add_task(label.in_(self.lang), total=total)

            def tell(done: float, label: Said | None) -> None:
                bars.update(task, completed=done, description=label.in_(self.lang) if label is not None else None)

            yield tell

    def failure(self, failure: Failure) -> None:
        """What is wrong, where, what to do."""
        if self.json:
            found = {**self.beside, "error": failure.as_json(self.lang)}
            self._write(json.dumps(found, ensure_ascii=False, default=str) + "\n")
            return
        sys.stderr.write(self.t("Erreur : ", "Error: ") + printable(failure.what.in_(self.lang)) + "\n")
        if failure.remedy is not None:
            sys.stderr.write("  → " + printable(failure.remedy.in_(self.lang)) + "\n")
        if failure.command is not None and failure.exit == 7:
            said = Said(
                f"identifiant de la commande : {failure.command} (la renvoyer avec --command-id est sans risque)",
                f"command id: {failure.command} (sending it again with --command-id is safe)",
            )
            sys.stderr.write("  → " + said.in_(self.lang) + "\n")
        if shown := clock.describe(self.lang):
            sys.stderr.write(f"  ({shown})\n")

    def hold(self, said: Said, **beside: Any) -> None:
        """Something that holds from now on: said before what is told next, and beside each JSON object."""
        self.ahead = [said]
        self.beside |= beside

    def end(self) -> None:
        """Say what holds, where nothing that was told has said it."""
        self._say_ahead(self.note)

    def _say_ahead(self, say: Callable[[str], None]) -> None:
        while self.ahead:
            say(self.ahead.pop(0).in_(self.lang))

    def _simulated(self) -> None:
        if shown := clock.describe(self.lang):
            self._write(shown + "\n")

    def _console(self) -> "Console":
        from rich.console import Console

        console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False,
                          no_color=True if os.environ.get("NO_COLOR") else None)  # fmt: skip
        if not console.is_terminal:
            console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=_WIDE, no_color=True)
        return console

    def _write(self, text: str) -> None:
        sys.stdout.write(text)


def printable(text: str) -> str:
    """Without what could move the cursor or reverse the line: names and notes are other people's."""
    return "".join(sign if sign.isprintable() or sign in _SPACES else "\N{REPLACEMENT CHARACTER}" for sign in text)
