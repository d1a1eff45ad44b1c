"""One module a screen: its routes, each behind a door, and what its template is given."""

from journeys.app.web.pages import approvals, changes, commands, escalations, health, login, person, start, today

ROUTERS = [health.router, login.router, changes.router, today.router, person.router, commands.router, approvals.router,
           escalations.router, start.router]  # fmt: skip
