"""Slicer's translation function; the host speaks English."""

from __future__ import annotations


def getContext(sourceFile: str) -> str:
    """Returns the context of a source file's texts: the file's name."""
    return sourceFile.replace("\\", "/").rpartition("/")[2].removesuffix(".py")


def translate(context: str, text: str) -> str:
    """Returns the text in the user's language."""
    del context
    return text


def tr(text: str) -> str:
    """Returns the text in the user's language; the context is the calling file."""
    return text
