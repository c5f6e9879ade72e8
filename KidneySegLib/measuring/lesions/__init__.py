"""Measures and checks of solid masses and cysts."""
