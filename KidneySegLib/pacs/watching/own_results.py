"""Results that the watch has sent: known in the archive by their identifiers alone, and what they replace.

The identifiers of a result hold which series it was made of, on how many images, and which of its files: they
are UUIDs of version 8 (RFC 9562) under the root 2.25 (PS3.5 B.2), with a hash and the number as their bits. So a watch
that has lost its work folder finds its results in the list of a study's series, and one that makes a newer result, of
late slices or of a better series, can name the earlier ones.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from KidneySegLib.pacs.archive import RemoteSeries
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom
from KidneySegLib.readers.dicom.images.opening import open_dicom
from KidneySegLib.result_files.names import DICOM_FILES

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

_ROOT = "2.25."
_COUNT_BITS = 20
_LONG_STRING = 64
_REPLACES = "Replaces an earlier result."
# PS3.3 C.17.2 and C.24.2; a segmentation has no such attribute, and says it in words
_WITH_PREDECESSORS = ("SR", "DOC")
_MODALITIES = ("SEG", *_WITH_PREDECESSORS)
REPORT = "report.pdf.dcm"


class UidScope(StrEnum):
    """What an identifier is for."""

    SERIES = "series"
    INSTANCE = "instance"


@dataclass(frozen=True)
class ResultSource:
    """What a result was made of.

    Attributes:
        name: this program's own name of the series, ``RemoteSeries.folder_name``.
        images: number of its images.
    """

    name: str
    images: int

    def uid(self, file: str, level: UidScope) -> str:
        """Returns the identifier of a file of the result, or of its series, by the file's name."""
        digest = hashlib.sha256(f"{self.name} {file} {level}".encode()).digest()
        known = int.from_bytes(digest[:16], "big") >> _COUNT_BITS << _COUNT_BITS
        bits = known | min(self.images, 2**_COUNT_BITS - 1)
        version, variant = 0xF << 76, 0x3 << 62
        return f"{_ROOT}{bits & ~version & ~variant | 8 << 76 | 2 << 62}"


@dataclass(frozen=True)
class OwnResult:
    """An object of an earlier result in the archive.

    Attributes:
        study_uid: where it lies.
        file: the name that it had in the result folder.
        source: what it was made of.
    """

    study_uid: str
    file: str
    source: ResultSource


def own_results(series: Sequence[RemoteSeries]) -> list[OwnResult]:
    """Returns the results of the watch among the series of a study."""
    results = [item for item in series if item.modality in _MODALITIES]
    found = []
    for item, origin, file in itertools.product(results, series, DICOM_FILES):
        source = ResultSource(origin.folder_name, _images_in(item.series_uid))
        if item.series_uid == source.uid(file, UidScope.SERIES):
            found.append(OwnResult(item.study_uid, file, source))
    return found


def is_complete(source: ResultSource, results: Sequence[OwnResult]) -> bool:
    """Whether all objects of a result have arrived: the report is made for each result and sent last."""
    return any((result.file, result.source) == (REPORT, source) for result in results)


def give_identity(folder: Path, source: ResultSource, earlier: Sequence[OwnResult]) -> None:
    """Gives the DICOM files of a result their identifiers, and says in them what they replace.

    Args:
        folder: the result; its files are changed.
        source: what it was made of.
        earlier: what the archive holds of earlier results.
    """
    with quiet_pydicom():
        datasets = {path: open_dicom(path) for path in sorted(folder.glob("*.dcm"))}
        names = {}
        for path, dataset in datasets.items():
            names[dataset.SOPInstanceUID] = source.uid(path.name, UidScope.INSTANCE)
            names[dataset.SeriesInstanceUID] = source.uid(path.name, UidScope.SERIES)
        others = [result for result in earlier if result.source != source]
        for path, dataset in datasets.items():
            _rename(dataset, names)
            if others:
                _replace(dataset, [result for result in others if result.file == path.name])
            dataset.save_as(path, enforce_file_format=True)


def _images_in(uid: str) -> int:
    digits = uid.removeprefix(_ROOT)
    return int(digits) % 2**_COUNT_BITS if digits.isdigit() else 0


def _rename(dataset: FileDataset, names: dict[str, str]) -> None:
    """Changes identifiers wherever they stand: the measurements refer to the segmentation."""
    for element in dataset.iterall():
        if element.VR == "UI" and element.value in names:
            element.value = names[element.value]
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID


def _replace(dataset: FileDataset, earlier: Sequence[OwnResult]) -> None:
    if dataset.Modality in _WITH_PREDECESSORS and earlier:
        dataset.PredecessorDocumentsSequence = [_reference(result, dataset.SOPClassUID) for result in earlier]
    description = dataset.get("SeriesDescription") or "KidneySeg"
    dataset.SeriesDescription = f"{description}, replaces earlier"[:_LONG_STRING]
    if "ContentDescription" in dataset:
        dataset.ContentDescription = f"Research use only. {_REPLACES}"


def _reference(result: OwnResult, sop_class_uid: str) -> Dataset:
    from pydicom.dataset import Dataset

    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID = sop_class_uid
    instance.ReferencedSOPInstanceUID = result.source.uid(result.file, UidScope.INSTANCE)
    series.SeriesInstanceUID = result.source.uid(result.file, UidScope.SERIES)
    series.ReferencedSOPSequence = [instance]
    study.StudyInstanceUID = result.study_uid
    study.ReferencedSeriesSequence = [series]
    return study
