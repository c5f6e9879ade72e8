"""Arrays on the wire of nnInteractive's protocol (version 1).

Layout, little-endian: ``NNIA``; version, codec, number of dimensions and length of the type's name, one byte each; the
type's name in ASCII; each dimension in eight bytes; the number of chunks in four; then for every chunk its bytes
unpacked and packed (eight each), and a Blosc2 frame. Nothing in it is executed. Every size is
checked before memory is taken.
"""

import math
import struct

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.room_in_memory import check_room

MAGIC, VERSION = b"NNIA", 1
ZSTD = 1
CODECS = (ZSTD, 2)
DIMENSIONS = (3, 4)
TYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64")
# Blosc2 takes less than 2 GiB at once; a chunk has 1 GiB at most.
LARGEST_CHUNK = 1 << 30
LARGEST_ARRAY = 8 << 30
_HEAD = struct.Struct("<4sBBBB")
_DAMAGED = "The array that was sent is damaged or of another version of the protocol."


def pack(array: np.ndarray) -> bytes:
    """Packs an array of at most ``LARGEST_CHUNK`` bytes."""
    import blosc2

    content = np.ascontiguousarray(array)
    name = content.dtype.name.encode("ascii")
    frame = blosc2.compress2(
        content.reshape(-1).view(np.uint8),
        typesize=content.dtype.itemsize,
        codec=blosc2.Codec.ZSTD,
        clevel=1,
        filters=[blosc2.Filter.NOFILTER],
    )
    return b"".join(
        [
            _HEAD.pack(MAGIC, VERSION, ZSTD, content.ndim, len(name)),
            name,
            struct.pack(f"<{content.ndim}q", *content.shape),
            struct.pack("<I", 1),
            struct.pack("<QQ", content.nbytes, len(frame)),
            frame,
        ]
    )


def unpack(packed: bytes) -> np.ndarray:
    """Unpacks an array that a client sent.

    Raises:
        InputError: it is damaged, of another version, or of a type or size that no image has.
        ResourceError: there is no memory for it.
    """
    try:
        dtype, shape, at = _header(packed)
        size = math.prod(shape) * dtype.itemsize
        if size > LARGEST_ARRAY:
            raise InputError(f"The array is larger than the {LARGEST_ARRAY >> 30} GiB that this server takes. Crop it.")
        check_room(size)
        content = np.empty(size, np.uint8)
        _fill(content, memoryview(packed)[at:], dtype.itemsize)
    except (struct.error, UnicodeDecodeError, RuntimeError, ValueError) as error:
        raise InputError(_DAMAGED) from error
    return content.view(dtype).reshape(shape)


def _header(packed: bytes) -> tuple[np.dtype, tuple[int, ...], int]:
    """Returns type and shape of an array, and where its chunks begin."""
    magic, version, codec, dimensions, length = _HEAD.unpack_from(packed)
    if magic != MAGIC or version != VERSION or codec not in CODECS or dimensions not in DIMENSIONS:
        raise InputError(_DAMAGED)
    at = _HEAD.size + length
    name = packed[_HEAD.size : at].decode("ascii")
    if name not in TYPES:
        raise InputError("The array is of a type that no image has. Send whole numbers or floating-point numbers.")
    shape = struct.unpack_from(f"<{dimensions}q", packed, at)
    if min(shape) < 1:
        raise InputError(_DAMAGED)
    return np.dtype(name), shape, at + 8 * dimensions


def _fill(content: np.ndarray, chunks: memoryview, item: int) -> None:
    """Unpacks chunks one behind the other into ``content``, bytes."""
    import blosc2

    (count,) = struct.unpack_from("<I", chunks)
    at, filled = 4, 0
    for _ in range(count):
        size, packed_size = struct.unpack_from("<QQ", chunks, at)
        frame = chunks[at + 16 : at + 16 + packed_size]
        fits = 0 < size <= min(LARGEST_CHUNK, content.size - filled) and size % item == 0
        if not fits or len(frame) != packed_size or blosc2.get_cbuffer_sizes(frame)[:2] != (size, packed_size):
            raise InputError(_DAMAGED)
        blosc2.decompress2(frame, dst=content[filled : filled + size])
        at, filled = at + 16 + packed_size, filled + size
    if filled != content.size:
        raise InputError(_DAMAGED)
