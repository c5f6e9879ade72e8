"""Data sets full of planted identifying values, and what must not be left of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from dicom_writing import AXIAL, even_positions, write_series
from pydicom import dcmread
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom

NAME, GIVEN, IDENTIFIER = "Geheimnis", "Ayse", "PAT77345612"
BIRTH, CLOCK, UID = "19480317", "131719.25", "1.2.3.44444.9"
MARKERS = [NAME, IDENTIFIER, BIRTH, CLOCK, UID]
SECRET = b"k" * 32

_PLANTED = {
    **dict.fromkeys(("LO", "SH", "LT", "ST", "UT", "UC", "AE", "CS"), f"X {NAME}"),
    **dict.fromkeys(("OB", "OW", "UN", "OF", "OD", "OL", "OV"), f"X {NAME} ".encode()),
    "PN": f"{NAME}^{GIVEN}",
    "UR": f"http://{NAME}.example",
    "DA": BIRTH,
    "DT": BIRTH + CLOCK,
    "TM": CLOCK,
    "UI": UID,
    "AS": "077Y",
}
# Without these no program can tell what the file is; they are no place for a name.
_STRUCTURE = {"SOPClassUID", "SpecificCharacterSet", "PixelData", "FloatPixelData", "DoubleFloatPixelData", "ImageType"}


def write_ct(folder: Path, count: int = 4, **attributes: object) -> list[Path]:
    """Writes a small CT series whose pixels are all different."""
    images = [np.arange(80).reshape(8, 10) + 100 * n - 500 for n in range(count)]
    return write_series(folder, images, even_positions((1, 2, 3), AXIAL, 2.5, count), **attributes)


@quiet_pydicom()
def plant_everywhere(dataset: Dataset) -> None:
    """Gives every attribute of the dictionary that can hold text, bytes, a date or a UID an identifying value."""
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        possible = vr in _PLANTED and keyword not in _STRUCTURE and tag >> 16 not in (0x0000, 0x0002, 0xFFFE)
        if possible and (keyword not in dataset or vr in ("LO", "PN", "SH")):
            dataset.add_new(tag, vr, _PLANTED[vr])
    dataset.PatientID = IDENTIFIER
    dataset.PatientName = f"{NAME}^{GIVEN}"


def plant_in_odd_places(dataset: FileDataset) -> None:
    """Plants values in private, nested, unknown and wrongly typed elements, behind the pixels and before the file."""
    private = dataset.private_block(0x0029, f"MAKER {NAME}", create=True)
    private.add_new(0x10, "LO", f"{NAME} {IDENTIFIER}")
    private.add_new(0x11, "UN", f"{NAME}".encode())
    deepest = Dataset()
    deepest.add_new(0x00091001, "UN", NAME.encode())
    plant_everywhere(deepest)
    middle = Dataset()
    middle.ReferencedImageSequence = Sequence([deepest])
    dataset.ReferencedImageSequence = Sequence([middle])
    dataset.add_new(0x00280A0A, "UN", NAME.encode())  # no such attribute
    dataset.add_new(0x60003000, "OW", f"{NAME} ".encode() * 8)  # overlay
    dataset.add_new(0x60000022, "LO", NAME)
    dataset.add_new(0x50003000, "OW", f"{NAME} ".encode())  # curve
    dataset.add_new(0xFFFCFFFC, "OB", NAME.encode())
    dataset.RescaleType = NAME  # text of the wrong kind in attributes that are kept
    dataset.ConvolutionKernel = ["STANDARD", f"for {NAME.upper()}"]
    dataset.Manufacturer = f"{NAME.lower()} & sons"
    dataset.WindowCenterWidthExplanation = NAME
    dataset.file_meta.SourceApplicationEntityTitle = NAME
    dataset.file_meta.PrivateInformationCreatorUID = UID
    dataset.file_meta.PrivateInformation = NAME.encode()
    dataset.preamble = NAME.encode().ljust(128, b"\0")
    dataset.PixelData = dataset.PixelData + f"behind the pixels: {NAME} ".encode()


def assert_nothing_left(path: Path, markers: list[str] = MARKERS) -> None:
    """No marker is anywhere in the file, in capitals or not, nor in its name or that of a folder."""
    data = path.read_bytes().lower()
    assert [marker for marker in markers if marker.lower().encode() in data] == []
    assert [marker for marker in markers if marker.lower() in str(path).lower()] == []


def pixels_and_place(path: Path) -> tuple[bytes, list[str]]:
    """Returns the stored pixels and, as written, what places and scales them."""
    dataset = dcmread(path)
    place = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness")
    values = ("RescaleSlope", "RescaleIntercept", "Rows", "Columns", "BitsStored", "PixelRepresentation")
    return dataset.PixelData, [str(dataset.get(keyword)) for keyword in (*place, *values)]
