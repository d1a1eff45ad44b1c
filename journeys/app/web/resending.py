"""A form that got no answer, shown as it was sent: what became of it, and a button that sends the same once more."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from journeys.app.failures import Failure
from journeys.app.fields import ABOUT, commands, fields_of
from journeys.app.web.bodies import file_of, read_form, typed_in
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit
from journeys.domain.document import PART
from journeys.i18n import Lang, capital, text

_KEPT: Final = re.compile(r"/parcours/[^/]+/agir/(?P<command>[a-z-]+)|/nouveau|/equipe/.+")
"""Forms that are written into a page again; a password or a code never is."""
_PLAIN: Final = frozenset({"day", "instant", "instants", "amount", "number", "text"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it came. A file is not written into a page: whoever chose it chooses it again."""

    typed: Mapping[str, str]
    file: bool = False


def resend_page(visit: Visit, failure: Failure, sent: Sent, *, back: str | None = None) -> Response:
    """The page; it asks nothing of the database. What was sent goes to the address of this request again."""
    path = visit.request.url.path
    found = _KEPT.fullmatch(path)
    command = found["command"] if found is not None else None
    return page(
        visit, "resend.html", 503, failure=failure, action=path, back=back or _page_of(path),
        typed={name: value for name, value in sent.typed.items() if name not in ("csrf", "again")},
        file=PART if sent.file else "",
        shown=written(command, sent.typed, visit.lang) if command in commands() else [],
    )  # fmt: skip


async def sent_form(request: Request) -> Sent | None:
    """The form that a request brings; None where it brings none that may be shown again."""
    if request.method != "POST" or _KEPT.fullmatch(request.url.path) is None:
        return None
    form: FormData | None = getattr(request.state, "form", None)
    if form is None:
        try:
            await read_form(request, request.app.state.house.settings.largest_document)
        except Failure:
            return None
        form = await request.form()
    return Sent(typed_in(form), file_of(form, PART) is not None)


def label_of(field: str, lang: Lang) -> str:
    """What a field of a command is called on a form."""
    words = ABOUT[field].in_(lang).partition(":")[0].partition("(")[0].partition(";")[0].strip()
    return capital(text(lang)(words))


def written(command: str, typed: Mapping[str, str], lang: Lang) -> list[tuple[str, str]]:
    """What somebody wrote into a command's form, under the names of its fields."""
    return [
        (label_of(each.name, lang), typed[each.name])
        for each in fields_of(command)
        if (each.part or each.kind in _PLAIN) and typed.get(each.name, "").strip()
    ]


def _page_of(path: str) -> str:
    """Where one looks whether it was taken."""
    parts = path.split("/")
    return "/".join(parts[:3]) if parts[1] == "parcours" else f"/{parts[1]}" if parts[1] == "equipe" else "/parcours"
