"""Errors of what a click did: told to the user in a sentence, and logged without words that may name a patient."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import slicer.util

from KidneySegWidgets.engine.language import engineLanguage


@contextmanager
def complaining(sentence: str) -> Iterator[None]:
    """Shows the wait cursor, and a message with `sentence` and the reason if the block fails."""
    try:
        with slicer.util.WaitCursor():
            yield
    except Exception as error:
        logError(error)
        slicer.util.errorDisplay(f"{sentence}\n{reasonOf(error)}", windowTitle="KidneySeg")


def reasonOf(error: BaseException) -> str:
    """Returns the reason in words; of errors of the file system without the path, which may hold a name.

    What the engine says in several languages is said in Slicer's.
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    said = getattr(error, "said", None)
    if said is not None:
        return str(said(engineLanguage()))
    return str(error) or type(error).__name__


def logError(error: BaseException) -> None:
    """Logs where an error came from; its text stays out, because it may hold a path."""
    trace = "".join(traceback.format_tb(error.__traceback__))
    logging.error("KidneySeg: %s\n%s", type(error).__name__, trace)
