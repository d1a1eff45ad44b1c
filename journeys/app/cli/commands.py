"""The whole command line put together, one room a subject."""

from functools import cache
from typing import Any

import typer

from journeys.app.cli import (
    audit,
    cohorts,
    demo,
    directory,
    doing,
    funds,
    importing,
    inboxes,
    indicators,
    letters,
    links,
    listing,
    messages,
    outbox,
    papers,
    payments,
    programmes,
    retention,
    rota,
    rules,
    running,
    sites,
    starting,
    templates,
    tokens,
    webhooks,
)
from journeys.app.cli.shape import group


@cache
def application() -> typer.Typer:
    """`journeys` with everything under it."""
    app = group(
        "Parcours de sortie : préparer, accompagner, rendre compte.",
        "Release journeys: prepare, accompany, account for.",
    )
    running.add_to(app)
    demo.add_to(app)
    programmes.add_to(app)
    rules.add_to(app)
    retention.add_to(app)
    directory.add_to(app)
    sites.add_to(app)
    funds.add_to(app)
    cohorts.add_to(app)
    starting.add_to(app)
    importing.add_to(app)
    listing.add_to(app)
    messages.add_to(app)
    templates.add_to(app)
    doing.add_to(app)
    inboxes.add_to(app)
    rota.add_to(app)
    indicators.add_to(app)
    links.add_to(app)
    outbox.add_to(app)
    letters.add_to(app)
    papers.add_to(app)
    payments.add_to(app)
    tokens.add_to(app)
    webhooks.add_to(app)
    audit.add_to(app)
    return app


@cache
def command_line() -> Any:
    """The same as it is run; putting its hundred commands together takes 20 ms of processor."""
    return typer.main.get_command(application())
