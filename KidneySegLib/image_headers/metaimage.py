"""MetaImage (.mha, .mhd): spacing, orientation and position are there, and are numbers.

Source: ITK MetaIO documentation, tags of objects and images.
"""

import math
import zlib
from pathlib import Path

from KidneySegLib.image_headers.data_files import LARGEST_RATIO, check_data_files
from KidneySegLib.image_headers.sentences import damaged, no_position, no_sides, no_spacing

_LONGEST_HEADER = 1 << 16  # bytes
_CHUNK = 1 << 20
_LARGEST_VALUE = 8  # bytes


def check_metaimage(path: Path) -> None:
    """Checks the header.

    Raises:
        InputError: the file is damaged.
        GeometryError: spacing, orientation or position are missing or no numbers.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADER)
    fields: dict[str, str] = {}
    for line in head.decode("latin-1").splitlines():
        key, separator, value = line.partition("=")
        fields[key.strip()] = value.strip()
        if not separator or key.strip() == "ElementDataFile":
            break
    if "ElementDataFile" not in fields:
        raise damaged()
    data_file = fields["ElementDataFile"]
    if data_file.upper() != "LOCAL":
        after = head.decode("latin-1").partition("ElementDataFile")[2].splitlines()[1:]
        is_list, words = data_file.upper().startswith("LIST"), data_file.split()
        pattern = words[:1] if words and "%" in words[0] else [data_file]
        check_data_files(path, [line.strip() for line in after if line.strip()] if is_list else pattern)
    if fields.get("NDims") not in ("3", "4"):
        return
    spacing = _numbers(fields, "ElementSpacing", "ElementSize")
    if not spacing or not all(math.isfinite(value) and value > 0 for value in spacing):
        raise no_spacing()
    directions = _numbers(fields, "TransformMatrix", "Rotation", "Orientation")
    if not directions:
        raise no_sides()
    if not all(map(math.isfinite, [*directions, *_numbers(fields, "Offset", "Position", "Origin")])):
        raise no_position()
    if fields.get("CompressedData", "").lower() == "true":
        _check_packed(path, fields["ElementDataFile"], head, _voxels(fields))


def _voxels(fields: dict[str, str]) -> int:
    """Returns how many values the header claims.

    Raises:
        InputError: it does not say.
    """
    try:
        return math.prod(int(word) for word in [*fields["DimSize"].split(), fields.get("ElementNumberOfChannels", "1")])
    except (KeyError, ValueError) as error:
        raise damaged() from error


def _check_packed(path: Path, data_file: str, head: bytes, values: int) -> None:
    """Unpacks the data to compare their checksum, which MetaIO does not look at; no further than what is claimed."""
    if data_file.upper() == "LOCAL":
        place, start = path, head.index(b"\n", head.index(b"ElementDataFile")) + 1
    else:
        place, start = path.parent / data_file, 0
    size = 0
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # zlib or gzip, by its head
    try:
        with place.open("rb") as file:
            if values > place.stat().st_size * LARGEST_RATIO:
                raise damaged()
            file.seek(start)
            while not unpacker.eof and (chunk := unpacker.unconsumed_tail or file.read(_CHUNK)):
                size += len(unpacker.decompress(chunk, _CHUNK))  # in pieces: a megabyte may become a gigabyte
                if size > values * _LARGEST_VALUE:
                    raise damaged()
    except (OSError, zlib.error) as error:
        raise damaged() from error
    if not unpacker.eof:
        raise damaged()


def _numbers(fields: dict[str, str], *names: str) -> list[float]:
    text = next((fields[name] for name in names if name in fields), "")
    try:
        return [float(word) for word in text.split()]
    except ValueError:
        return [math.nan]
