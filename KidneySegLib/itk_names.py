"""Names of files as ITK finds them on every system."""

import os
from pathlib import Path


def itk_name(path: Path) -> str:
    r"""Returns a file's name for ITK's readers and writers.

    On Windows they take names in the code page of the system and get UTF-8, so that a folder such as
    ``C:\Users\Ünsal İş`` cannot be opened (ITK issues 4388 and 6739). A name relative to the working folder does not
    hold it: who starts the engine for others starts it in the folder of the files.
    """
    name = str(path)
    if name.isascii():
        return name
    try:
        relative = os.path.relpath(path)
    except ValueError:  # on another drive
        return name
    return relative if relative.isascii() else name
