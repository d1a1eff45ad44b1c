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
    giving,
    health,
    indicators,
    letters,
    links,
    login,
    notices,
    person,
    programmes,
    releases,
    start,
    today,
    trying,
    week,
)

ROUTERS = [
    health.router, login.router, changes.router, today.router, caseload.router, week.router, person.router,
    commands.router, approvals.router, escalations.router, start.router, audit.router, directory.router,
    releases.router, programmes.router, documents.router, letters.router, giving.router, links.router,
    cohorts.router, comparing.router, changing.router, trying.router, indicators.router,
    notices.router,
]  # fmt: skip
