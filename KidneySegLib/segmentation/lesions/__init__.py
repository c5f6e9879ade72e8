"""Solid masses and cysts inside the organ."""
