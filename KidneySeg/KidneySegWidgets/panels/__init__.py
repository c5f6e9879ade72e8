"""The sections of the panel, and their words."""
