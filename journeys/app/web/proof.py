"""Proof anew: before money is approved or released, whoever sits there shows again who they are."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from journeys.app.failures import Failure
from journeys.app.web.policy import SAFE
from journeys.app.web.rendering import page
from journeys.app.web.visit import Visit
from journeys.store import accounts

LASTS: Final = timedelta(minutes=10)

WANTED: Final = frozenset({"approve-grant", "settle-payment", "cancel-payment", "settle-doubt", "retry-payment"})
"""Commands that want a proof: after each of them money leaves, or is said to have left or not."""

Typed = list[tuple[str, str]]


class NotProved(Exception):
    """The proof is too old: it is asked for, and what was typed is kept for afterwards."""

    def __init__(self, visit: Visit, typed: Typed) -> None:
        super().__init__(visit.request.url.path)
        self.visit = visit
        self.typed = typed


def proved_recently(visit: Visit) -> bool:
    """Whether the visitor proved within ten minutes, of the wall clock, who they are."""
    return datetime.now(UTC) - visit.visitor.proved_at < LASTS


async def require_proof(visit: Visit) -> None:
    """Raises NotProved, which leads by way of /confirmer back to this very request, unless the proof is recent."""
    if proved_recently(visit):
        return
    typed: Typed = []
    if visit.request.method not in SAFE:
        form = await visit.request.form()
        typed = [(name, value) for name, value in form.multi_items() if isinstance(value, str) and name != "csrf"]
    raise NotProved(visit, typed)


async def want_proof(visit: Visit, command: str) -> None:
    """`require_proof` where the command wants one."""
    if command in WANTED:
        await require_proof(visit)


async def ask_proof(error: NotProved) -> Response:
    """The answer to NotProved."""
    request = error.visit.request
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method in SAFE:
        to = f"/confirmer?suite={quote(path)}"
        if request.headers.get("hx-request") == "true":
            return PlainTextResponse("", status_code=401, headers={"HX-Redirect": to})
        return RedirectResponse(to, status_code=303)
    return await confirm_page(error.visit, path, error.typed, status=403)


async def confirm_page(
    visit: Visit, back: str, typed: Typed, failures: Sequence[Failure] = (), status: int = 200
) -> Response:
    """The page that asks for the proof; `typed` goes with it, and to `back` afterwards."""
    await visit.done()
    means = await accounts.means(visit.house.writing, visit.visitor.id)
    provider = visit.request.app.state.provider
    return page(
        visit, "confirm.html", status, back=back, again=packed(typed), means=means, failures=failures,
        provider=provider if visit.visitor.how == "provider" else None,
    )  # fmt: skip


def packed(typed: Typed) -> str:
    """Typed fields in one hidden field; empty when there are none."""
    return json.dumps(typed) if typed else ""


def unpacked(text: str) -> Typed:
    """The reverse of `packed`; what is not of its making holds nothing."""
    try:
        found = json.loads(text) if text else []
    except ValueError:
        return []
    if not isinstance(found, list):
        return []
    return [
        (pair[0], pair[1])
        for pair in found
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(each, str) for each in pair)
    ]
