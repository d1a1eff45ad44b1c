"""`python -m journeys.app.cli`: the same as `journeys`."""

from journeys.app.cli import main

main()
