"""One module a screen: its routes, each behind a door, and what its template is given."""

from journeys.app.web.pages import changes, commands, health, login, person, today

ROUTERS = [health.router, login.router, changes.router, today.router, person.router, commands.router]
