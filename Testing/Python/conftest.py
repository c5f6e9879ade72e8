"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several workers that compute with all cores each would wait for one another; set before torch is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from orthanc_server import OrthancServer, require_orthanc

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real images, which lies beside the checkout and is never part of it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real images are not here (no folder ../shared/data beside the checkout)")
    return folder


@pytest.fixture(scope="session")
def slicer_python() -> str:
    """A Python in which slicer-core can be imported."""
    python = os.environ.get("KIDNEYSEG_SLICER_PYTHON", sys.executable)
    check = subprocess.run([python, "-c", "import slicer_core"], capture_output=True, check=False)
    if check.returncode:
        pytest.skip("slicer-core is not installed here (see KIDNEYSEG_SLICER_PYTHON)")
    return python


@pytest.fixture(scope="module")
def running_orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    """An Orthanc for all tests of a file."""
    require_orthanc()
    server = OrthancServer(tmp_path_factory.mktemp("orthanc"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def orthanc(running_orthanc: OrthancServer) -> OrthancServer:
    """The same with nothing in it."""
    running_orthanc.clear()
    return running_orthanc
