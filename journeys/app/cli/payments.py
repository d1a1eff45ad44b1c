"""`journeys payments`."""

import typer

from journeys.app.cli import stopping
from journeys.app.cli.shape import group


def add_to(app: typer.Typer) -> None:
    """Declare the commands."""
    room = group("Les versements : l'arrêt général, le contrôle du jour.", "Payments: the general stop, the control.")
    app.add_typer(room, name="payments")
    stopping.add_to(room)
