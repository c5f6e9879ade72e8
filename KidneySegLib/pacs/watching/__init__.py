"""Watching an archive for studies that arrive."""
