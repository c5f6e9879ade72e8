"""Identifiers in odd places, pages beside the slices, hostile files: copies name nobody, or one sentence says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from dicom_writing import transcode
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless, generate_uid

from Fuzz.case import Case, Family, Leak
from Fuzz.damage import change, put
from Fuzz.truth import POSITIONS, SLICES, write
from KidneySegLib.deidentification.dataset import Options
from KidneySegLib.deidentification.folder import deidentify
from KidneySegLib.exam import Exam
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom
from KidneySegLib.readers.input import read_input

NAME, NUMBER, BIRTH = "Geheimnis", "77345612", "19480317"
PERSON = {"PatientName": f"{NAME}^Ece", "PatientID": f"PAT-{NUMBER}", "PatientBirthDate": BIRTH}
BURNED_IN = b"\x7fTEXT IN PIXELS\x7f"
# In lower case; the true series' own name and number hold "secret"
_MARKERS = (NAME.lower().encode(), NUMBER.encode(), BIRTH.encode(), b"secret", b"17.03.1948", BURNED_IN.lower())
Build = Callable[[Path, np.random.Generator], Path]
Alter = Callable[[FileDataset, int], None]


def deidentified(path: Path) -> Exam:
    """Reads what comes of a folder when it is de-identified.

    Raises:
        InputError: nothing could be de-identified, or the copies are no volume.
        Leak: a copy tells who the patient is, or one patient has two pseudonyms.
    """
    copies = path.parent / "copies"
    deidentify(path, copies, b"k" * 32, Options(shift_dates=True))
    files = [file for file in copies.rglob("*") if file.is_file()]
    for file in files:
        data = file.read_bytes().lower()
        if told := [
            marker for marker in _MARKERS if marker in data or marker in str(file.relative_to(copies)).encode()
        ]:
            raise Leak(f"{told} in a copy")
    with quiet_pydicom():
        patients = {str(dcmread(file, stop_before_pixels=True).PatientID) for file in files}
    if len(patients) != 1:
        raise Leak(f"{len(patients)} pseudonyms for one patient")
    return read_input(copies)


def deidentification() -> list[Case]:
    """Returns the cases."""
    family = Family("de-identification", reader=deidentified)
    for name, attributes in _PAGES.items():
        family.add(f"{name} beside the slices", _page(attributes), True, slices=SLICES)
    for name, alter in _PLANTS.items():
        family.add(f"{name} in each file", _changed(alter), True, slices=SLICES)
    for name, alter in _ONE_FILE.items():
        family.add(f"one file with {name}", _changed(alter, {5}), True, slices=SLICES)
    for name, (syntax, alter) in _STREAMS.items():
        family.add(name, _compressed(syntax, alter), True, slices=SLICES)
    for name, alter in _HOSTILE.items():
        family.add(name, _changed(alter), None)
        if name != "a number that is a path":  # that file is another patient's
            family.add(f"{name}, in one file", _changed(alter, {5}), None)
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "SeriesDescription", "ImageType", "Modality"):
        family.add(f"wrong bytes in {keyword}", _bytes(keyword), None)
    return family.cases


_PAGES: dict[str, dict[str, Any]] = {
    "a Siemens protocol": {"ImageType": ["DERIVED", "SECONDARY", "OTHER", "CT_SOM5 PROT"]},
    "a Philips dose page": {"ImageType": ["ORIGINAL", "PRIMARY", "DOSE_INFO"]},
    "a GE screen": {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"], "BurnedInAnnotation": "NO"},
    "a Canon dose page": {"ImageType": ["DERIVED", "SECONDARY"], "WindowWidth": 1},
    "a dose report": {"SeriesDescription": "Dose Report"},
    "a copy of a workstation's screen": {"ConversionType": "WSD"},
    "an image with 'yes' and blanks": {"BurnedInAnnotation": " yes "},
    "an image with 'yes' in another language": {"BurnedInAnnotation": "OUI"},
    "an image without a place": {"ImagePositionPatient": None, "ImageOrientationPatient": None},
    "an image without Hounsfield units": {"RescaleIntercept": None, "RescaleSlope": None},
    "a secondary capture": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
    "a colour table": {"PhotometricInterpretation": "PALETTE COLOR"},
    "a page of another size": {"shape": (8, 30)},
}


def _set(keyword: str, value: Any) -> Alter:
    return lambda dataset, number: setattr(dataset, keyword, value)


def _private(dataset: FileDataset, number: int) -> None:
    dataset.private_block(0x0029, f"MAKER {NAME}", create=True).add_new(0x10, "UN", NAME.encode())


def _nested(dataset: FileDataset, number: int) -> None:
    item = Dataset()
    item.TextValue, item.PatientName, item.CodeMeaning = f"seen: {NAME}", f"{NAME}^Ece", "17 March 1948"
    item.add_new(0x7FE00010, "OW", NAME.encode() + b" ")
    dataset.ReferencedImageSequence = [item]


def _overlay(dataset: FileDataset, number: int) -> None:
    dataset.add_new(0x60000022, "LO", NAME)
    dataset.add_new(0x60003000, "OW", NAME.encode() + b" ")
    dataset.add_new(0x50003000, "OW", NAME.encode() + b" ")


def _meta(dataset: FileDataset, number: int) -> None:
    dataset.file_meta.SourceApplicationEntityTitle = NAME
    dataset.file_meta.PrivateInformationCreatorUID = f"1.2.{NUMBER}"
    dataset.file_meta.PrivateInformation = NAME.encode() + b" "
    dataset.preamble = NAME.encode().ljust(128)


def _trailing(dataset: FileDataset, number: int) -> None:
    dataset.PixelData += BURNED_IN
    dataset.add_new(0xFFFCFFFC, "OB", NAME.encode() + b" ")


_PLANTS: dict[str, Alter] = {
    "a name in the maker": _set("Manufacturer", f"{NAME} & sons"),
    "a name with blanks between its letters": _set("Manufacturer", "G E H E I M N I S"),
    "a number with hyphens in the model": _set("ManufacturerModelName", "77-345-612"),
    "a birth date in words in the software": _set("SoftwareVersions", "of 17. März 1948"),
    "a birth date with dots in the kernel": _set("ConvolutionKernel", "17.03.1948"),
    "a birth date in a code string": _set("BodyPartExamined", BIRTH),
    "a birth date as a time of day": _set("StudyTime", BIRTH),
    "a number as a whole number": _set("AcquisitionNumber", int(NUMBER)),
    "a number in a public UID": _set("FrameOfReferenceUID", f"1.2.840.10008.{NUMBER}"),
    "text without its type": _set("TextValue", f"{NAME}, born {BIRTH}"),
    "private attributes": _private,
    "a name in a sequence": _nested,
    "overlays and curves": _overlay,
    "a name beside the data set": _meta,
    "text behind the pixels": _trailing,
}
_ONE_FILE: dict[str, Alter] = {
    "no number": _set("PatientID", ""),
    "no number and no name": lambda dataset, number: [_set(key, "")(dataset, number) for key in PERSON] and None,
    "a number without its hyphen": _set("PatientID", f"PAT{NUMBER}"),
}


def _comment(stream: bytes) -> bytes:
    return stream[:2] + b"\xff\xfe" + (len(BURNED_IN) + 2).to_bytes(2) + BURNED_IN + stream[2:]


def _j2k_comment(stream: bytes) -> bytes:
    place = 4 + int.from_bytes(stream[4:6])
    return stream[:place] + b"\xff\x64" + (len(BURNED_IN) + 4).to_bytes(2) + b"\0\1" + BURNED_IN + stream[place:]


_STREAMS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "comments in JPEG": (JPEGLosslessSV1, _comment),
    "comments in JPEG-LS": (JPEGLSLossless, _comment),
    "comments in JPEG 2000": (JPEG2000Lossless, _j2k_comment),
    "text behind the end of JPEG": (JPEGLosslessSV1, lambda stream: stream + BURNED_IN),
    "text behind the runs of run-length coding": (RLELossless, lambda stream: stream + BURNED_IN),
}


def _deep(dataset: FileDataset, number: int) -> None:
    item = Dataset()
    item.PatientName = f"{NAME}^Ece"
    for _ in range(60):
        outer = Dataset()
        outer.ReferencedImageSequence = [item]
        item = outer
    dataset.ReferencedImageSequence = [item]


def _many_private(dataset: FileDataset, number: int) -> None:
    for element in range(0x1000, 0x1200):
        dataset.add_new(0x00290000 | element, "LO", NAME)


_HOSTILE: dict[str, Alter] = {
    "a name of half a megabyte": _set("PatientName", NAME * 50000),
    "a name of thousand parts": _set("PatientName", "^".join(f"{NAME}{n}" for n in range(1000))),
    "a name of signs": _set("PatientName", "(((^[[[^\\\\^.*+?{9999}^|"),
    "a name of one letter": _set("PatientName", "a^b=c"),
    "a number that is a path": _set("PatientID", "../../../tmp/x"),
    "a UID that is a path": _set("SOPInstanceUID", "../../x"),
    "a study that is a path": _set("StudyInstanceUID", "/etc/passwd"),
    "an unknown character set": _set("SpecificCharacterSet", NAME.upper()),
    "many frames that are not there": _set("NumberOfFrames", 2**31 - 1),
    "the largest size": lambda dataset, number: (
        [_set(key, 65535)(dataset, number) for key in ("Rows", "Columns")] and None
    ),
    "no pixels": lambda dataset, number: delattr(dataset, "PixelData"),
    "sequences in sequences": _deep,
    "five hundred private attributes": _many_private,
    "dates of no calendar": _set("StudyDate", "99999999"),
    "a nonsense overlay": lambda dataset, number: dataset.add_new(0x60000102, "US", 65535),
    "the class of a film": _set("SOPClassUID", "1.2.840.10008.5.1.4.1.1.77.1.1.1"),
}


def _changed(alter: Alter, only: set[int] | None = None) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        change(write(folder, list(POSITIONS), **PERSON), alter, only)
        return folder

    return build


def _page(attributes: dict[str, Any]) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        same = {"SeriesInstanceUID": generate_uid(), "StudyInstanceUID": "1.2.3", "FrameOfReferenceUID": generate_uid()}
        write(folder, list(POSITIONS), **same, **PERSON)
        with quiet_pydicom():
            [page] = write(folder / "page", POSITIONS[:1], **same, **PERSON, **{"shape": (16, 20), **attributes})

        def draw(dataset: FileDataset, number: int) -> None:
            dataset.PixelData = BURNED_IN + dataset.PixelData[len(BURNED_IN) :]

        change([page], draw)
        return folder

    return build


def _compressed(syntax: str, alter: Callable[[bytes], bytes]) -> Build:
    def build(folder: Path, _: np.random.Generator) -> Path:
        paths = write(folder, list(POSITIONS), **PERSON)
        for path in paths:
            transcode(path, syntax)

        def hide(dataset: FileDataset, number: int) -> None:
            [stream] = generate_frames(dataset.PixelData, number_of_frames=1)
            dataset.PixelData = encapsulate([alter(stream)])

        change(paths, hide)
        return folder

    return build


def _bytes(keyword: str) -> Build:
    def build(folder: Path, generator: np.random.Generator) -> Path:
        paths = write(folder, list(POSITIONS), **PERSON)
        put(paths, keyword, bytes(generator.integers(1, 256, 40, dtype=np.uint8)))
        return folder

    return build
