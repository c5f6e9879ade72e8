"""What tells a file of ours from another one of its name, and which result it was made from.

A result is known by what was measured and when. Report and DICOM files carry that as a mark of 32 hexadecimal digits;
files of versions before the mark are known as ours without it.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom
from KidneySegLib.readers.dicom.images.opening import open_dicom
from KidneySegLib.result_files.names import FINDINGS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PROGRAM = "KidneySeg"
MARK = "KidneySeg result "
UNKNOWN = "unknown"  # of a result that another version wrote
_MEASURED = ("kidneys", "lesions", "stones", "stone_burden", "phase")
_MARKED = re.compile(rf"{MARK}([0-9a-f]{{32}})")
_LONGEST_HEAD = 1 << 16  # bytes in which text files, segmentation headers and packed label maps name their maker
_LONGEST_FINDINGS = 1 << 26
# what stands in files of ours and in no other of such a name
_SIGNS = {
    ".html": b'<meta name="generator" content="KidneySeg ',
    ".csv": b"structure,name,side,label_value,",
    ".png": b"Software\0KidneySeg ",
    ".seg.nrrd": b"DICOM.SegmentAlgorithmName:KidneySeg",
}
_DESCRIPTION = slice(148, 228)  # of the NIfTI-1 header


def result_identity(findings: Findings) -> str:
    """Returns the mark of a result: what was measured, and when; the same for findings that were read again.

    What was segmented is left out: the module knows the series behind a volume only when it writes DICOM.
    """
    said = findings.to_dict()
    parts = [findings.provenance.started_utc, *(said[key] for key in _MEASURED)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def mark_of(path: Path) -> str | None:
    """Returns the mark of a file that bears one of our names: "" for one of ours without a mark, None for another's.

    Raises:
        OSError: the file cannot be read.
    """
    if path.suffix == ".dcm":
        return _mark_of_dicom(path)
    if path.name == FINDINGS:
        return _mark_of_findings(path)
    if path.suffix == ".pdf":
        return mark_of_pdf(path.read_bytes())
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEAD)
    if path.name.endswith(".nii.gz"):
        return _mark_of_labels(head)
    own = next((sign for ending, sign in _SIGNS.items() if path.name.endswith(ending)), None)
    return _mark_in(head) if own is not None and own in head else None


def mark_of_pdf(content: bytes) -> str | None:
    """Returns the mark of a report in PDF; see ``mark_of``."""
    mark = _mark_in(content)
    return mark if mark or b"/Author (KidneySeg " in content else None


def mark_dataset(dataset: Dataset, identity: str) -> None:
    """Writes the mark into a DICOM object, as equipment that contributed to it (PS3.3 C.12.1, CID 7005)."""
    from pydicom.dataset import Dataset

    purpose, item = Dataset(), Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "109102", "DCM"
    purpose.CodeMeaning = "Processing Equipment"
    item.PurposeOfReferenceCodeSequence = [purpose]
    item.Manufacturer = PROGRAM
    item.ContributionDescription = f"{MARK}{identity}"
    dataset.ContributingEquipmentSequence = [*dataset.get("ContributingEquipmentSequence", []), item]


def mark_of_dataset(dataset: Dataset) -> str | None:
    """Returns the mark of a DICOM object; see ``mark_of``."""
    if str(dataset.get("Manufacturer", "")) != PROGRAM:
        return None
    for item in dataset.get("ContributingEquipmentSequence") or []:
        found = _MARKED.fullmatch(str(item.get("ContributionDescription", "")))
        if found:
            return found[1]
    return ""


def _mark_of_dicom(path: Path) -> str | None:
    try:
        with quiet_pydicom():
            wanted = ["Manufacturer", "ContributingEquipmentSequence"]
            return mark_of_dataset(open_dicom(path, stop_before_pixels=True, specific_tags=wanted))
    except OSError:
        raise
    except Exception:  # a damaged file makes pydicom raise nearly anything
        return None


def _mark_of_findings(path: Path) -> str | None:
    """Returns the mark of a findings file, "" for one that is damaged; None for other programs' JSON."""
    with path.open("rb") as file:
        text = file.read(_LONGEST_FINDINGS)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(values, dict) or not {"schema_version", "provenance"} <= values.keys():
        return None
    try:
        return result_identity(Findings.from_json(text.decode("utf-8")))
    except InputError:
        return UNKNOWN


def _mark_of_labels(head: bytes) -> str | None:
    import zlib

    try:
        header = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, 348)
    except zlib.error:
        return None
    return "" if header[_DESCRIPTION].startswith(PROGRAM.encode()) else None


def _mark_in(content: bytes) -> str:
    found = re.search(_MARKED.pattern.encode(), content)
    return found[1].decode() if found else ""
