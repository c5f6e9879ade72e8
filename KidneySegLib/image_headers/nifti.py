"""NIfTI-1 and NIfTI-2 (.nii, .nii.gz): one geometry that tells the sides, and all the data.

Source: nifti1.h and nifti2.h of the NIfTI Data Format Working Group.
"""

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.image_headers.data_files import LARGEST_RATIO
from KidneySegLib.image_headers.sentences import damaged, no_position, no_sides, no_spacing

# Columns of the transform may deviate this much from right angles (as volume.ORTHOGONALITY_TOLERANCE).
_RIGHT_ANGLE = 1e-3
# Headers hold 32-bit numbers; what differs by more (mm, at the image's corners) is another place.
_SAME_PLACE = 1.0
_SAME_SPACING = 0.01  # share
_GREATEST_SCALE = 1e3  # stored values times more than this are not Hounsfield units
_CHUNK = 1 << 22
_FLOATS = {16: "f4", 64: "f8"}
_BITS = {2: 8, 4: 16, 8: 32, 16: 32, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32, 1024: 64, 1280: 64, 32: 64, 2304: 32}


@dataclass(frozen=True)
class _Layout:
    """Where fields stand: byte offset and format of ``struct``."""

    size: int
    magic: bytes
    magic_at: int
    dim: tuple[int, str]
    datatype: int
    pixdim: tuple[int, str]
    offset: tuple[int, str]
    slope: tuple[int, str]
    codes: tuple[int, str]
    quaternion: tuple[int, str]
    rows: tuple[int, str]


_LAYOUTS = (
    _Layout(
        348, b"n+1\0", 344, (40, "8h"), 70, (76, "8f"), (108, "f"), (112, "f"), (252, "2h"), (256, "6f"), (280, "12f")
    ),
    _Layout(
        540, b"n+2\0", 4, (16, "8q"), 12, (104, "8d"), (168, "q"), (176, "d"), (344, "2i"), (352, "6d"), (400, "12d")
    ),
)


def check_nifti(path: Path) -> None:
    """Checks header and data of one file.

    Raises:
        InputError: the file is damaged, incomplete, or holds values that are not numbers.
        GeometryError: no valid spacing, no orientation, axes not at right angles, or two transforms that differ.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            with gzip.GzipFile(fileobj=file) if packed else file as stream:
                most = path.stat().st_size * (LARGEST_RATIO if packed else 1)
                _check_stream(stream, most)  # type: ignore[arg-type]
        except (EOFError, gzip.BadGzipFile, zlib.error, struct.error) as error:
            raise damaged() from error


def _check_stream(stream: BinaryIO, most: int) -> None:
    """Checks an unpacked file of which no more than ``most`` bytes can come."""
    head = stream.read(540)
    order, layout = _layout(head)

    def read(field: tuple[int, str]) -> tuple[float, ...]:
        return struct.unpack_from(order + field[1], head, field[0])

    dimensions = [int(value) for value in read(layout.dim)]
    [datatype] = struct.unpack_from(order + "h", head, layout.datatype)
    [offset], [slope] = read(layout.offset), read(layout.slope)
    used = dimensions[1 : 1 + dimensions[0]] if 1 <= dimensions[0] <= 7 else []
    if not used or min(used) < 1 or datatype not in _BITS or not layout.size <= offset < 1 << 31:
        raise damaged()
    if math.isfinite(slope) and abs(slope) > _GREATEST_SCALE:
        raise damaged()
    if len(used) >= 3:
        _check_geometry(read(layout.pixdim), read(layout.codes), read(layout.quaternion), read(layout.rows), used)
    row = used[0] * _BITS[datatype] // 8
    size = math.prod(used) * _BITS[datatype] // 8
    if size > most:
        raise damaged()
    _check_data(stream, int(offset) - len(head), size, row, order + _FLOATS.get(datatype, ""))


def _layout(head: bytes) -> tuple[str, _Layout]:
    for layout in _LAYOUTS:
        for order in "<>":
            is_size = len(head) >= layout.size and struct.unpack_from(order + "i", head)[0] == layout.size
            if is_size and head[layout.magic_at : layout.magic_at + 4] == layout.magic:
                return order, layout
    raise damaged()


def _check_geometry(
    pixdim: tuple[float, ...],
    codes: tuple[float, ...],
    quaternion: tuple[float, ...],
    rows: tuple[float, ...],
    dimensions: list[int],
) -> None:
    spacing = np.array(pixdim[1:4])
    if not np.isfinite(spacing).all() or spacing.min() <= 0:
        raise no_spacing()
    transforms = []
    if codes[0] > 0:
        transforms.append(_of_quaternion(quaternion, spacing, -1.0 if pixdim[0] < 0 else 1.0))
    if codes[1] > 0:
        transforms.append(_of_rows(rows, spacing))
    if not transforms:
        raise no_sides()
    last = np.array(dimensions[:3]) - 1
    corners = np.array([[i, j, k, 1] for i in (0, last[0]) for j in (0, last[1]) for k in (0, last[2])])
    places = [corners @ transform.T for transform in transforms]
    if np.abs(places[0] - places[-1]).max() > _SAME_PLACE:
        raise GeometryError(
            "The image file states two geometries that differ (qform and sform), so the patient's sides and places are "
            "uncertain. Export it again, or give the DICOM folder."
        )


def _of_quaternion(quaternion: tuple[float, ...], spacing: np.ndarray, handedness: float) -> np.ndarray:
    """Returns the qform's 3x4 matrix to mm RAS."""
    from scipy.spatial.transform import Rotation

    if not np.isfinite(quaternion).all():
        raise no_position()
    b, c, d = quaternion[:3]
    a = math.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    rotation = Rotation.from_quat([b, c, d, a] if any((a, b, c, d)) else [0, 0, 0, 1]).as_matrix()
    return np.column_stack([rotation * (spacing * (1, 1, handedness)), quaternion[3:]])


def _of_rows(rows: tuple[float, ...], spacing: np.ndarray) -> np.ndarray:
    """Returns the sform's 3x4 matrix to mm RAS."""
    matrix = np.array(rows).reshape(3, 4)
    if not np.isfinite(matrix).all():
        raise no_position()
    lengths = np.linalg.norm(matrix[:, :3], axis=0)
    if lengths.min() < 1e-6:
        raise no_spacing()
    directions = matrix[:, :3] / lengths
    if np.abs(directions.T @ directions - np.eye(3)).max() > _RIGHT_ANGLE:
        # ITK takes the qform then, without a word
        raise GeometryError(
            "The image's axes are not at right angles (a gantry tilt that was not corrected). Convert the series again "
            "with tilt correction, or give the DICOM folder."
        )
    if np.abs(lengths / spacing - 1).max() > _SAME_SPACING:
        raise GeometryError(
            "The image file states two voxel spacings that differ (pixdim and sform). Export it again, or give the "
            "DICOM folder."
        )
    return matrix


def _check_data(stream: BinaryIO, before: int, size: int, row: int, kind: str) -> None:
    """Reads on to the end, which also compares the checksum of packed files.

    Args:
        stream: behind the header's first 540 bytes.
        before: bytes from there to the data; less than 0 where the data begin earlier.
        size: of the data in bytes.
        row: bytes of one row.
        kind: numpy's name of the values where they are floating-point numbers, else the byte order alone.
    """
    seen = 0
    rest = b""
    while chunk := stream.read(_CHUNK):
        seen += len(chunk)
        if seen - before - size >= max(row, 16):
            raise damaged()  # and whatever follows, it may be a thousand times the file
        if len(kind) > 1:
            begin = max(0, min(len(chunk), before - (seen - len(chunk))))
            values = rest + chunk[begin:]
            whole = len(values) // int(kind[2]) * int(kind[2])
            if not np.isfinite(np.frombuffer(values[:whole], kind)).all():
                # ITK makes zeros of them: soft tissue
                raise InputError("The image holds values that are not numbers (NaN or infinite). Export it again.")
            rest = values[whole:]
    if seen - before < size:
        raise damaged()
