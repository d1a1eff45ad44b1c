"""Indicators: what a journey's record answers to each, how the answers add up, and which sums are not shown. Pure."""
