"""Small files that claim to be, or become, very large ones."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pydicom
from pydicom.encaps import encapsulate
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless

from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom

GIGABYTES = 3_600_000_000  # what 3.5 MB of deflated zeros become
_PIECE = 1 << 22


def deflated(source: Path, path: Path, size: int = GIGABYTES, *, in_pixels: bool = True) -> Path:
    """Writes a CT image, deflated, whose pixels (or else a private element before them) are ``size`` zeros."""
    with quiet_pydicom():
        dataset = pydicom.dcmread(source)
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        del dataset.PixelData
        dataset.save_as(path, enforce_file_format=True)
    data = path.read_bytes()
    start = 144 + struct.unpack("<I", data[140:144])[0]
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    with path.open("wb") as file:
        file.write(data[:start])
        file.write(packer.compress(zlib.decompress(data[start:], -zlib.MAX_WBITS)))
        tag = b"\xe0\x7f\x10\x00OW\0\0" if in_pixels else b"\x99\x70\x10\x10OB\0\0"
        file.write(packer.compress(tag + struct.pack("<I", size)) + packer.flush(zlib.Z_FULL_FLUSH))
        # after a full flush the same bytes mean the same again, so one piece is packed once
        piece = packer.compress(bytes(_PIECE)) + packer.flush(zlib.Z_FULL_FLUSH)
        for _ in range(size // _PIECE):
            file.write(piece)
        file.write(packer.compress(bytes(size % _PIECE)) + packer.flush())
    return path


def codestream(syntax: UID, columns: int, rows: int, components: int = 1) -> bytes:
    """Returns the beginning of a codestream that claims a size; decoders take the memory before they miss the rest."""
    if syntax == JPEG2000Lossless:
        sizes = struct.pack(">H8IH", 0, columns, rows, 0, 0, columns, rows, 0, 0, components) + b"\x0f\1\1" * components
        cod = b"\xff\x52\0\x0c\0\0\0\1\0\5\4\4\0\1"
        qcd = b"\xff\x5c\0\x13\x40" + b"\x88" * 16
        return b"\xff\x4f\xff\x51" + struct.pack(">H", len(sizes) + 2) + sizes + cod + qcd + b"\xff\xd9"
    start = {JPEGLosslessSV1: 0xC3, JPEGLSLossless: 0xF7}[syntax]
    frame = struct.pack(">BHHB", 16, rows, columns, components) + b"\1\x11\0" * components
    scan = b"\xff\xda\0\x08\1\1\0\1\0\0" + bytes(64)
    return b"\xff\xd8\xff" + bytes([start]) + struct.pack(">H", len(frame) + 2) + frame + scan + b"\xff\xd9"


def compressed(source: Path, path: Path, syntax: UID, data: bytes, **changes: object) -> Path:
    """Writes a CT image whose pixels are a codestream of any kind, and changes its header."""
    with quiet_pydicom():
        dataset = pydicom.dcmread(source)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = encapsulate([data] * int(changes.get("NumberOfFrames", 1)))
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        for keyword, value in changes.items():
            setattr(dataset, keyword, value)
        dataset.save_as(path, enforce_file_format=True)
    return path


def nifti(path: Path, dimensions: tuple[int, int, int], written: int) -> Path:
    """Writes a packed NIfTI file of int16 that claims a size and holds ``written`` bytes of zeros."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *dimensions, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 4, 16)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<3f", head, 108, 352, 1, 0)
    struct.pack_into("<2h", head, 252, 0, 1)
    struct.pack_into("<12f", head, 280, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
    head[344:348] = b"n+1\0"
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    zeros = bytes(_PIECE)
    crc = zlib.crc32(head)
    with path.open("wb") as file:
        file.write(b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + packer.compress(bytes(head)) + packer.flush(zlib.Z_FULL_FLUSH))
        piece = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
        for _ in range(written // _PIECE):
            file.write(piece)
            crc = zlib.crc32(zeros, crc)
        rest = bytes(written % _PIECE)
        file.write(packer.compress(rest) + packer.flush())
        file.write(struct.pack("<2I", zlib.crc32(rest, crc), (len(head) + written) & 0xFFFFFFFF))
    return path
