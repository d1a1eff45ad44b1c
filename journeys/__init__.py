"""Release journeys: each person's way out of prison is one Temporal workflow and one journal of facts."""

__version__ = "0.1.0"
