"""Temporal workflows: the imperative shell around the pure core."""
