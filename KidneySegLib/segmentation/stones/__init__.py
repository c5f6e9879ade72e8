"""Stones: dense bodies in the kidneys and their collecting systems."""
