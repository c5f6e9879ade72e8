"""The fixture `host`; a test file asks for it with `pytest_plugins = ["SlicerHost.pytest_fixtures"]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from SlicerHost import availability

if TYPE_CHECKING:
    from SlicerHost.host import Host


@pytest.fixture
def host() -> Iterator[Host]:
    """A clean host. The test fails at its end if a slot raised an error, or if an answer was never asked for."""
    reason = availability.missing()
    if reason:
        pytest.skip(reason)
    from SlicerHost.host import start

    booted = start()
    booted.reset()
    yield booted
    uncaught, unused = list(booted.uncaught), booted.dialogs.unused()
    booted.reset()
    assert not uncaught, "errors in slots and observers:\n" + "\n".join(uncaught)
    assert not unused, f"answers that no dialog asked for: {unused}"


@pytest.fixture
def drawing() -> None:
    """Skips the test where VTK cannot draw."""
    reason = availability.missingForPictures()
    if reason:
        pytest.skip(reason)
