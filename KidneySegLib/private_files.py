"""Files about patients, and files that hold secrets: for their owner alone, where the system knows such rights."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_files(wanted: bool = True) -> Iterator[None]:
    """Makes what the process creates within the block readable by its owner alone (POSIX); else leaves all as it is."""
    before = os.umask(0o077) if wanted else None
    try:
        yield
    finally:
        if before is not None:
            os.umask(before)


def is_open_to_others(path: Path) -> bool:
    """Whether anybody on this machine may read or change a file (POSIX)."""
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
