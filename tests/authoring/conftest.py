"""The command line in this process, as the tests of the application use it."""

from tests.app.conftest import journeys, nowhere

__all__ = ["journeys", "nowhere"]
