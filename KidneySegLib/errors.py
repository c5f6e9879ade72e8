"""Errors that a user can act on.

Every message says what is wrong and what to do, in words that may be shown as they are. A message never holds a
patient's name, identifier or birth date, nor a path that contains them.
"""


class KidneySegError(Exception):
    """Base of all errors whose message is written for the user.

    Attributes:
        exit_code: what the command line ends with when nothing handles the error.
    """

    exit_code = 1


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
