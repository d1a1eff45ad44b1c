"""The command line: `journeys`."""

from typing import NoReturn


def main() -> NoReturn:
    """Entry point: run what was typed, and leave with its exit code."""
    from journeys.app.cli.main import run_and_leave

    run_and_leave()
