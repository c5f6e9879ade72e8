"""Measures of stones."""
