"""A patient's identifiers in many spellings, planted wherever DICOM has room, and a search of its own for them."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom

PERSON: dict[str, Any] = {
    "SpecificCharacterSet": "ISO_IR 192",
    "PatientName": "Geheimniş^Ayşegül=秘密^花子=ひみつ^はなこ",
    "PatientID": "KS-7734-5612",
    "PatientBirthDate": "19480317",
    "AccessionNumber": "ACC/99.123.774",
    "StudyDate": "20240301",
    "ReferringPhysicianName": "Quacksalber^Ignaz",
    "PatientAddress": "Kirchgasse 17, Zürich",
    "PatientTelephoneNumbers": "+41 44 555 01 99",
    "OtherPatientIDs": "SV123-45-6789",
}
TEXTS = [
    *("Geheimniş, Ayşegül", "GEHEIMNIS AYSEGUL", "Ayseguel Geheimnis", "of Mrs Geheimnis", "秘密", "ヒミツ", "Ignaz"),
    *("KS-7734-5612", "ks77345612", "7734 5612", "MRN 77345612", "ACC99123774", "ACC 99.123.774", "SV 123456789"),
    *("19480317", "17.03.1948", "1948-03-17", "17 March 1948", "born 17/3/48", "2024-03-01", "1 Mar 2024"),
    *("Kirchgasse 17 Zürich", "+41 44 5550199", "Dr Quacksalber", "Qüacksalber"),
]
CODES = [
    "AYSEGUL",
    "GEHEIMNIS",
    "KS 7734 5612",
    "19480317",
    "1948_03_17",
    "17 MAR 1948",
    "20240301",
    "IGNAZ",
    "7734 5612",
]
DAYS, NUMBERS = ["19480317", "20240301"], [77345612, 19480317, 20240301]
UIDS = ["1.2.840.10008.5.1.4.1.1.2.19480317", "1.2.840.10008.77345612", "1.2.826.0.77345612.20240301"]
_PLANTS: dict[str, list[Any]] = {
    **dict.fromkeys(("LO", "SH", "LT", "ST", "UT", "UC"), TEXTS),
    "AE": [text[:16] for text in TEXTS if text.isascii()],
    **dict.fromkeys(("OB", "OW", "UN", "OF", "OD", "OL", "OV"), [f"X {text}  ".encode()[:16] for text in TEXTS]),
    "PN": ["Geheimniş^Ayşegül", "Ayşegül^Geheimniş", "Quacksalber^Ignaz"],
    "UR": ["http://geheimnis.example/77345612"],
    "CS": CODES,
    "DA": DAYS,
    "DT": [f"{day}131719.25" for day in DAYS],
    "TM": DAYS,
    "UI": UIDS,
    "AS": ["077Y"],
    **dict.fromkeys(("DS", "IS"), [str(number) for number in NUMBERS]),
    **dict.fromkeys(("UL", "SL", "UV", "SV", "FD"), NUMBERS),
}
# Without these no program can tell what the file is and where its pixels end.
_STRUCTURE = {
    *("SOPClassUID", "SpecificCharacterSet", "PixelData", "FloatPixelData", "DoubleFloatPixelData", "NumberOfFrames"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "PhotometricInterpretation"),
}
# What may not be left of them, as letters and digits alone
NEEDLES = [
    *("geheimnis", "aysegul", "ayseguel", "himitsu", "hanako", "quacksalber", "ignaz", "ks77345612", "77345612"),
    *("acc99123774", "19480317", "17031948", "17march1948", "20240301", "1mar2024", "kirchgasse", "41445550199"),
    *("sv123456789", "123456789"),
]
_SIGNS = ["秘密", "花子", "ひみつ", "はなこ", "ヒミツ"]


@quiet_pydicom()
def plant(dataset: Dataset, depth: int, start: int) -> int:
    """Gives every attribute of the dictionary that has room an identifier, at each depth of nesting; returns how many.

    Args:
        dataset: what it is planted in.
        depth: of sequences, each in an attribute of its own.
        start: which spelling comes first, so that every attribute gets others in other files.
    """
    values = {
        vr: cycle([*plants[start % len(plants) :], *plants[: start % len(plants)]]) for vr, plants in _PLANTS.items()
    }
    planted = 0
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        group = tag >> 16
        if vr in values and keyword not in _STRUCTURE and group not in (0, 2, 4, 0xFFFE) and tag not in dataset:
            dataset.add_new(tag, vr, next(values[vr]))
            planted += 1
    block = dataset.private_block(0x0029, "MAKER GEHEIMNIS", create=True)
    block.add_new(0x10, "LO", TEXTS[start % len(TEXTS)])
    block.add_new(0x11, "UN", b"Geheimnis")
    dataset.add_new(0x00280A0A, "UN", b"GEHEIMNIS ")
    planted += 4
    if depth:
        for keyword in (
            "ReferencedImageSequence",
            "SourceImageSequence",
            "ContentSequence",
            "OriginalAttributesSequence",
        ):
            item = Dataset()
            planted += (
                plant(item, depth - 1, start + depth) if keyword == "SourceImageSequence" else _content(item, start)
            )
            setattr(dataset, keyword, [item])
    return planted


def _content(item: Dataset, start: int) -> int:
    """Makes an item of a report: text of every kind, with and without the attribute that says what kind it is."""
    kinds = ["TEXT", "text ", "", "PNAME", "NUM", None]
    children = []
    for number, kind in enumerate(kinds):
        child = Dataset()
        if kind is not None:
            child.ValueType = kind
        child.TextValue = child.UnformattedTextValue = TEXTS[(start + number) % len(TEXTS)]
        child.PersonName = "Geheimniş^Ayşegül"
        child.UID = UIDS[0]
        concept = Dataset()
        concept.CodeValue, concept.CodingSchemeDesignator, concept.CodeMeaning = "1", "99X", TEXTS[number]
        child.ConceptNameCodeSequence = [concept]
        children.append(child)
    item.ContentSequence = children
    return 5 * len(children)


def leaks(path: Path) -> list[str]:
    """Returns what is left in a file, in its bytes and in all its values, however they are written."""
    with quiet_pydicom():
        dataset = dcmread(path)
        data = path.read_bytes()
        if dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian:
            data += zlib.decompress(data[data.index(b"1.2.840.10008.1.2.1.99") :][_meta_rest(data) :], -15)
        found = [f"bytes: {needle}" for needle in NEEDLES if needle.encode() in data.lower()]
        found += [f"bytes: {sign}" for sign in _SIGNS if sign.encode() in data]
        for element in _elements(dataset):
            text = str(element.value)
            plain = _squeezed(text)
            found += [f"{element.keyword}: {needle}" for needle in NEEDLES if needle in plain]
            found += [f"{element.keyword}: {sign}" for sign in _SIGNS if sign in unicodedata.normalize("NFKC", text)]
    return found + [f"name: {needle}" for needle in NEEDLES if needle in _squeezed(str(path))]


def _elements(dataset: Dataset) -> Iterator[Any]:
    """Yields all elements that hold text or numbers; the file's bytes tell of the others."""
    for element in dataset.iterall():
        if element.VR != "SQ" and element.value is not None and not isinstance(element.value, bytes):
            yield element


def _meta_rest(data: bytes) -> int:
    """Returns how many bytes of the file meta information follow its transfer syntax."""
    start = data.index(b"1.2.840.10008.1.2.1.99")
    end = 132 + 12 + int.from_bytes(data[140:144], "little")
    return end - start


def _squeezed(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    return re.sub(r"[^a-z0-9]", "", plain)
