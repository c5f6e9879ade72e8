"""Files that appear in a folder as a whole or not at all."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from KidneySegLib.errors import OutputError


@contextmanager
def partial_folder(folder: Path) -> Iterator[Path]:
    """Makes a folder on the result folder's file system, and removes it however the block ends.

    It lies beside a result folder that is yet to be made (which it then becomes), and inside one that exists: that one
    may be a mount of its own, or the only place where the user may write.
    """
    try:
        str(folder).encode("utf-8")
    except UnicodeEncodeError as error:
        # ITK's writers would end the whole process
        raise OutputError("The name of the output folder holds invalid characters. Choose another name.") from error
    if folder.exists() and not folder.is_dir():
        raise OutputError("The output folder cannot be made: a file of that name exists. Choose another name.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = (folder if folder.exists() else folder.parent) / f".{folder.name}.partial-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)  # left by a killed process that had the same number
    try:
        partial.mkdir()
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def complaints() -> Iterator[None]:
    """Turns the errors of file systems and of ITK's writers into one clear sentence."""
    try:
        yield
    except PermissionError as error:
        raise OutputError("The result could not be written: no permission. Choose another output folder.") from error
    except (OSError, RuntimeError) as error:
        raise OutputError(
            "The result could not be written. Check that the disk has space left and that the output folder is "
            "writable, then run again."
        ) from error


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
