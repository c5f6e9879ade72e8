"""Compressed images: comments and other places for text inside the streams are blanked, and nothing else is touched.

JPEG, JPEG-LS (ITU-T T.81, T.87) and JPEG 2000 (T.800) have segments for comments and for applications; run-length
coding (PS3.5 Annex G) has unused offsets and room behind each segment; all have room behind their end. Bytes are
replaced by zeros, so that no length, offset or fragment changes and the pixels stay bit for bit.
"""

from KidneySegLib.errors import InputError

_SOI, _SOS, _EOI, _COMMENT = 0xD8, 0xDA, 0xD9, 0xFE
_APPLICATIONS = {*range(0xE0, 0xF7), *range(0xF9, 0xFE)}  # and segments for extensions; F7, F8 are those of JPEG-LS
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
# Application segments that say how colours are stored: their beginning and length. A longer one hides something.
_COLOURS = ((0xEE, b"Adobe", 12), (0xE8, b"mrfx", 5))
_J2K_START, _J2K_TILE, _J2K_DATA, _J2K_END, _J2K_COMMENT = 0xFF4F, 0xFF90, 0xFF93, 0xFFD9, 0xFF64
# Segments that pixels need: sizes, coding, quantization, regions, order, packed headers and lengths of packets
_J2K_SEGMENTS = {0xFF00 | code for code in (*range(0x50, 0x54), *range(0x55, 0x5A), *range(0x5C, 0x62), 0x63)}
_RLE_HEADER, _RLE_SEGMENTS = 64, 15


def blanked(stream: bytes, syntax: str, segment_size: int) -> bytes:
    """Returns a frame's stream without text, as long as before.

    Args:
        stream: the whole frame.
        syntax: UID of the transfer syntax.
        segment_size: decoded bytes of one segment of run-length coding: rows times columns.

    Raises:
        InputError: the stream is damaged, or is of a kind that cannot be searched.
    """
    data = bytearray(stream)
    try:
        if syntax == "1.2.840.10008.1.2.5":
            _blank_rle(data, segment_size)
        elif data[:2] == b"\xff\xd8":
            _blank_jpeg(data)
        elif data[:2] == b"\xff\x4f":
            _blank_j2k(data)
        else:
            raise InputError(_UNKNOWN)
    except (IndexError, ValueError) as error:
        raise InputError(_UNKNOWN) from error
    return bytes(data)


_UNKNOWN = "The compressed image is damaged, or is compressed in a way that cannot be searched for text."


def _zero(data: bytearray, start: int, end: int) -> None:
    data[start:end] = bytes(max(0, end - start))


def _u16(data: bytearray, place: int) -> int:
    return data[place] << 8 | data[place + 1]


def _blank_jpeg(data: bytearray) -> None:
    place = 2
    while True:
        if data[place] != 0xFF:
            raise InputError(_UNKNOWN)
        while data[place + 1] == 0xFF:  # fill bytes
            place += 1
        marker = data[place + 1]
        place += 2
        if marker == _EOI:
            _zero(data, place, len(data))
            return
        if marker in _WITHOUT_LENGTH:
            continue
        end = place + _u16(data, place)
        if end < place + 2 or end > len(data):
            raise InputError(_UNKNOWN)
        if marker == _COMMENT or (marker in _APPLICATIONS and not _says_colours(marker, data[place + 2 : end])):
            _zero(data, place + 2, end)
        place = _end_of_scan(data, end) if marker == _SOS else end


def _says_colours(marker: int, payload: bytearray) -> bool:
    return any(
        marker == own and payload.startswith(start) and len(payload) == length for own, start, length in _COLOURS
    )


def _end_of_scan(data: bytearray, place: int) -> int:
    """Returns where the next marker is that ends a scan; zeros and restart markers belong to it."""
    while True:
        place = data.index(0xFF, place)
        if data[place + 1] >= 0x80 and data[place + 1] not in _WITHOUT_LENGTH and data[place + 1] != 0xFF:
            return place
        place += 1


def _blank_j2k(data: bytearray) -> None:
    place, end_of_part = 2, 0
    while place + 1 < len(data):
        marker = _u16(data, place)
        if marker == _J2K_END:
            _zero(data, place + 2, len(data))
            return
        if marker == _J2K_DATA:
            # a length of 0: the last part, which goes on to the end of the image
            place = end_of_part or data.rindex(b"\xff\xd9", place)
            continue
        length = _u16(data, place + 2)
        if marker not in (_J2K_SEGMENTS | {_J2K_TILE, _J2K_COMMENT}) or length < 2:
            raise InputError(_UNKNOWN)
        if marker == _J2K_TILE:
            part = int.from_bytes(data[place + 6 : place + 10])
            end_of_part = place + part if part else 0
            if end_of_part > len(data) or (part and part < length):
                raise InputError(_UNKNOWN)
        if marker == _J2K_COMMENT:
            _zero(data, place + 6, place + 2 + length)
        place += 2 + length


def _blank_rle(data: bytearray, segment_size: int) -> None:
    offsets = [int.from_bytes(data[4 * n : 4 * n + 4], "little") for n in range(_RLE_SEGMENTS + 1)]
    count, offsets = offsets[0], offsets[1:]
    if not 1 <= count <= _RLE_SEGMENTS or offsets[0] != _RLE_HEADER or len(data) < _RLE_HEADER:
        raise InputError(_UNKNOWN)
    _zero(data, 4 + 4 * count, _RLE_HEADER)
    ends = [*offsets[1:count], len(data)]
    for start, end in zip(offsets[:count], ends, strict=True):
        if not _RLE_HEADER <= start <= end <= len(data):
            raise InputError(_UNKNOWN)
        _zero(data, _end_of_runs(data, start, end, segment_size), end)


def _end_of_runs(data: bytearray, place: int, end: int, size: int) -> int:
    """Returns where the runs end that give ``size`` bytes."""
    decoded = 0
    while decoded < size and place < end:
        control = data[place]
        if control == 128:  # says nothing
            place += 1
        else:
            decoded += control + 1 if control < 128 else 257 - control
            place += control + 2 if control < 128 else 2
    if place > end or decoded != size:
        raise InputError(_UNKNOWN)
    return place
