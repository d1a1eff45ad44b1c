"""One module a screen: its routes, each behind a door, and what its template is given."""

from journeys.app.web.pages import (
    approvals,
    audit,
    caseload,
    changes,
    changing,
    cohorts,
    commands,
    comparing,
    directory,
    documents,
    escalations,
    funds,
    giving,
    health,
    indicators,
    letters,
    links,
    login,
    person,
    programmes,
    receipts,
    releases,
    start,
    stopping,
    today,
    trying,
    week,
)

ROUTERS = [
    health.router, login.router, changes.router, today.router, caseload.router, week.router, person.router,
    commands.router, approvals.router, escalations.router, start.router, audit.router, directory.router,
    releases.router, programmes.router, documents.router, letters.router, giving.router, links.router,
    cohorts.router, comparing.router, changing.router, trying.router, indicators.router,
    funds.router, receipts.router, stopping.router,
]  # fmt: skip
