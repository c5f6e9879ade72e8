"""The packages of the extra ``dicom-network``: whether they are there, and keeping their logs free of patient data."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from KidneySegLib.errors import KidneySegError

# Their messages quote addresses with query values, and values of data sets.
_TALKATIVE = ("dicomweb_client", "pydicom", "pynetdicom", "requests", "urllib3")


def require_packages() -> None:
    """Checks that what the network needs is installed.

    Raises:
        KidneySegError: a package is missing.
    """
    if any(find_spec(name) is None for name in ("dicomweb_client", "pynetdicom", "requests")):
        raise KidneySegError(
            "The packages for DICOM over the network are not installed. Install them in the folder of KidneySeg: "
            "pip install -e '.[dicom-network]'."
        )


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silences the network libraries, whose remarks may quote a patient's data; what matters is raised as an error."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
