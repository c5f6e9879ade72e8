"""Measures and checks on label maps."""
