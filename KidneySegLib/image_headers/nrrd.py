"""NRRD (.nrrd, .nhdr): a space that says which way is left.

Source: "Definition of NRRD file format" (Teem), fields "space" and "space directions".
"""

from __future__ import annotations

from pathlib import Path

from KidneySegLib.image_headers.sentences import damaged, no_sides

_SPACES = ("right-anterior-superior", "left-anterior-superior", "left-posterior-superior", "ras", "las", "lps")
_LONGEST_HEADER = 1 << 22  # bytes


def check_nrrd(path: Path) -> None:
    """Checks that the header tells the patient's sides.

    Raises:
        InputError: the file is damaged.
        GeometryError: the sides are not told.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADER)
    if not head.startswith(b"NRRD"):
        raise damaged()
    fields = {}
    for line in head.decode("latin-1").splitlines():
        if not line:
            break
        key, separator, value = line.partition(": ")
        if separator:
            fields[key.strip().lower()] = value.strip()
    if fields.get("dimension") in ("3", "4"):
        space = fields.get("space", "").lower().removesuffix("-time")
        if space not in _SPACES or "space directions" not in fields:
            raise no_sides()
