"""Kidneys: where they are, whose side they are on, and their outlines."""
