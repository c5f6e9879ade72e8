"""Errors that a user can act on.

Every message says what is wrong and what to do, in words that may be shown as they are. A message never holds a
patient's name, identifier or birth date, nor a path that contains them.

A sentence is a literal with fields for values, so that the catalogues of languages know it (``languages.language``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Speaker(Protocol):
    """A language; ``languages.language.Language`` is one."""

    def filled(self, sentence: str, values: Mapping[str, object]) -> str:
        """Returns the translation of a sentence, with its fields filled in."""


class KidneySegError(Exception):
    """Base of all errors whose message is written for the user.

    Its text is English; front ends ask for it in their user's language.

    Attributes:
        exit_code: what the command line ends with when nothing handles the error.

    Example:
        >>> error = InputError("The image has {count} slices.", count=3)
        >>> str(error)
        'The image has 3 slices.'
    """

    exit_code = 1

    def __init__(self, sentence: str = "", /, **values: object) -> None:
        """Takes an English sentence and what its fields stand for; without values it may hold braces."""
        self._sentence, self._values = sentence, values
        super().__init__(sentence.format(**values) if values else sentence)

    def said(self, language: Speaker) -> str:
        """Returns the sentence in a language; in English where its catalogue does not know it."""
        return language.filled(self._sentence, self._values)


class InputError(KidneySegError):
    """The input cannot be read, is of the wrong kind, or its geometry cannot be trusted."""

    exit_code = 3


class GeometryError(InputError):
    """Positions, spacing or orientation are missing or contradict each other."""


class BundleError(KidneySegError):
    """A model bundle is missing, incomplete, altered, or asks for something that this version does not know."""

    exit_code = 4


class ResourceError(KidneySegError):
    """Memory, disk space or the chosen device do not suffice."""

    exit_code = 5


class OutputError(KidneySegError):
    """The result could not be written."""

    exit_code = 6


class NetworkError(KidneySegError):
    """A DICOM server cannot be reached, refuses, or breaks off; the same may succeed later."""

    exit_code = 7


class IncompleteError(KidneySegError):
    """What was asked for was done in part: some studies failed, or an archive does not answer for what it took."""

    exit_code = 8


class Cancelled(BaseException):  # noqa: N818  (the word users and Slicer know)
    """The user stopped the run.

    It comes at any moment and, like Python's own ``KeyboardInterrupt``, is no ``Exception``: code that takes whatever
    is raised for damaged data must not take this for it.
    """

    exit_code = 130
