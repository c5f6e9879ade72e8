"""DICOM files as plain data: values by keyword, unique identifiers by what they stand for, no times."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import IS, DSfloat

from Golden.text_decoding import checksum, pdf_text

STANDARD_ROOT = "1.2.840.10008."
TIMES = {"DA", "TM", "DT"}
BYTES = {"OB", "OW", "OF", "OD", "OL", "OV", "UN"}


class UidNames:
    """Names for unique identifiers, which are new with every export.

    Those of the source are named by what they identify, those of the results by the place where they are met first,
    so that two files which refer to the same object still do so.
    """

    def __init__(self) -> None:
        """Starts without any name."""
        self._names: dict[str, str] = {}

    def learn(self, series: Path) -> None:
        """Takes the identifiers of the source: a folder of one series, or one file."""
        headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in _files(series)]
        for number, header in enumerate(sorted(headers, key=_instance), start=1):
            self._names[header.SOPInstanceUID] = f"source image {number}"
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
                if keyword in header:
                    self._names[header[keyword].value] = f"source {keyword}"

    def name(self, uid: str, place: str) -> str:
        """Returns the identifier's name, and gives it one if it has none; the standard's own stay as they are."""
        if not uid or uid.startswith(STANDARD_ROOT):
            return uid
        return self._names.setdefault(uid, place)


def decode_dicom(path: Path, uids: UidNames) -> tuple[dict[str, Any], np.ndarray | None]:
    """Returns a file's values, and its frames (frame, row, column) if it has any."""
    file = pydicom.dcmread(path)
    data = {"TransferSyntax": file.file_meta.TransferSyntaxUID.name, **_values(file, uids, path.name)}
    if "EncapsulatedDocument" in file:
        data["EncapsulatedDocument"] = pdf_text(io.BytesIO(file.EncapsulatedDocument))
    if "PixelData" not in file:
        return data, None
    frames = file.pixel_array
    return data, frames.reshape(-1, *frames.shape[-2:])


def decode_series(folder: Path, uids: UidNames) -> dict[str, Any]:
    """Returns a series' pixels as one checksum, in the order of the images, and the values of its first image."""
    files = sorted((pydicom.dcmread(path) for path in _files(folder)), key=_instance)
    pixels = checksum(b"".join(file.PixelData for file in files))
    return {"images": len(files), "pixels": pixels, "first": _values(files[0], uids, "series")}


def _files(series: Path) -> list[Path]:
    return [path for path in series.iterdir() if path.is_file()] if series.is_dir() else [series]


def _instance(header: Dataset) -> int:
    return int(header.get("InstanceNumber") or 0)


def _values(dataset: Dataset, uids: UidNames, place: str) -> dict[str, Any]:
    return {_key(element): _value(element, uids, f"{place} {_key(element)}") for element in dataset}


def _key(element: DataElement) -> str:
    return element.keyword or str(element.tag)


def _value(element: DataElement, uids: UidNames, place: str) -> Any:
    if element.VR == "SQ":
        return [_values(item, uids, f"{place}[{number}]") for number, item in enumerate(element.value)]
    values = list(element.value) if element.VM > 1 else [element.value]
    if element.VR == "UI":
        kept = [uids.name(str(value or ""), place) for value in values]
    elif element.VR in TIMES:
        kept = ["a time" if value else "" for value in values]
    elif element.VR in BYTES:
        kept = [f"{len(value or b'')} bytes" for value in values]
    else:
        kept = [_plain(value) for value in values]
    return kept if element.VM > 1 else kept[0]


def _plain(value: Any) -> Any:
    """Returns numbers as such, decimal strings as they stand in the file, all else as text."""
    if value is None or type(value) in (int, float):
        return value
    return str(value.original_string if isinstance(value, DSfloat | IS) else value)
