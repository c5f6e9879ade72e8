"""NRRD (.nrrd, .nhdr): a space that says which way is left.

Source: "Definition of NRRD file format" (Teem), fields "space" and "space directions".
"""

from pathlib import Path

from KidneySegLib.image_headers.data_files import check_data_files
from KidneySegLib.image_headers.sentences import damaged, no_sides

_SPACES = ("right-anterior-superior", "left-anterior-superior", "left-posterior-superior", "ras", "las", "lps")
_DATA_FILE = ("data file", "datafile")
_LONGEST_HEADER = 1 << 22  # bytes


def check_nrrd(path: Path) -> None:
    """Checks that the header tells the patient's sides, and where the voxels lie.

    Raises:
        InputError: the file is damaged, or its voxels lie in another folder.
        GeometryError: the sides are not told.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADER)
    if not head.startswith(b"NRRD"):
        raise damaged()
    lines = head.decode("latin-1").splitlines()
    fields = {}
    for number, line in enumerate(lines):
        if not line:
            break
        key, separator, value = line.partition(": ")
        if separator and ":=" not in key:
            fields[key.strip().lower()] = value.strip()
        if key.strip().lower().removesuffix(":") in _DATA_FILE:
            check_data_files(path, _data_files(line.partition(":")[2], lines[number + 1 :]))
    if fields.get("dimension") in ("3", "4"):
        space = fields.get("space", "").lower().removesuffix("-time")
        if space not in _SPACES or "space directions" not in fields:
            raise no_sides()


def _data_files(value: str, rest: list[str]) -> list[str]:
    """Returns the names of the files of voxels: one, a list that follows to the end, or a pattern with its numbers."""
    words = value.split()
    if words[:1] == ["LIST"]:
        return [line.strip() for line in rest if line.strip()]
    return words[:1] if words and "%" in words[0] else [value.strip()]
