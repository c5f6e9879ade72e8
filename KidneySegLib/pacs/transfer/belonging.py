"""Which files of a result folder belong to its result: an archive must not get another exam's with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import InputError
from KidneySegLib.readers.dicom.finding.scan import files_below, is_dicom_file, quiet_pydicom
from KidneySegLib.readers.dicom.images.opening import open_dicom
from KidneySegLib.result_files.marks import mark_of, mark_of_dataset
from KidneySegLib.result_files.names import FINDINGS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_EVIDENCE, _SOURCES = "CurrentRequestedProcedureEvidenceSequence", "SourceInstanceSequence"
_WANTED = (
    "Manufacturer",
    "ContributingEquipmentSequence",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "ReferencedSeriesSequence",
    _EVIDENCE,
    _SOURCES,
)


@dataclass(frozen=True)
class _StoredResult:
    """A result folder: the mark of its result, "" if unknown, and what was segmented, empty if not DICOM."""

    mark: str
    study_uid: str
    series_uid: str
    image_uids: frozenset[str]


def files_to_send(sources: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Finds the DICOM files among files and in folders with all their subfolders, hidden ones left aside.

    A file in a result folder, or below one, belongs to its result if it was made from it or is an image of the series
    that was segmented. A file that is named itself need only not be ours from another result.

    Returns:
        The files to send, and those in result folders that do not belong to the result.

    Raises:
        InputError: a named file does not exist or is not DICOM, or a folder cannot be opened.
    """
    result_in = cache(_result_in)
    sent: list[Path] = []
    strangers: list[Path] = []
    for source in sources:
        is_folder = source.is_dir()
        if not is_folder and not is_dicom_file(source):
            raise InputError("A file that is to be sent does not exist or is not DICOM. Check the paths.")
        paths = [path for path in files_below(source)[0] if is_dicom_file(path)] if is_folder else [source]
        for path in paths:
            folders = (
                [folder for folder in path.parents if folder.is_relative_to(source)] if is_folder else [path.parent]
            )
            result = next((found for folder in folders if (found := result_in(folder)) is not None), None)
            (sent if result is None or _belongs(path, result, named=not is_folder) else strangers).append(path)
    return list(dict.fromkeys(sent)), list(dict.fromkeys(strangers))


def _result_in(folder: Path) -> _StoredResult | None:
    path = folder / FINDINGS
    try:
        mark = mark_of(path) if path.is_file() else None
        values: Any = json.loads(path.read_bytes()) if mark is not None else None
    except OSError as error:
        raise InputError("The findings of a result folder cannot be opened: no permission.") from error
    if mark is None:
        return None
    for key in ("provenance", "input", "source"):
        values = values.get(key) if isinstance(values, dict) else None
    source = values if isinstance(values, dict) else {}
    images = source.get("sop_instance_uids")
    return _StoredResult(
        mark,
        str(source.get("study_uid") or ""),
        str(source.get("series_uid") or ""),
        frozenset(map(str, images)) if isinstance(images, list) else frozenset(),
    )


def _belongs(path: Path, result: _StoredResult, *, named: bool) -> bool:
    try:
        with quiet_pydicom():
            dataset = open_dicom(path, stop_before_pixels=True, specific_tags=list(_WANTED))
            mark = mark_of_dataset(dataset)
            study, series = (str(dataset.get(f"{level}InstanceUID") or "") for level in ("Study", "Series"))
            series_uids, image_uids = _referenced(dataset)
    except Exception:  # pydicom raises nearly anything; whoever sends refuses damaged files with a sentence
        return True
    if mark is None:
        return named or (study, series) == (result.study_uid, result.series_uid)
    if result.study_uid and study != result.study_uid:
        return False
    if mark and result.mark:
        return mark == result.mark
    # of an older version: it may be of another run on the same series, but not of another series
    if series_uids:
        return result.series_uid in series_uids or not result.series_uid
    return not result.image_uids or not image_uids or bool(image_uids & result.image_uids)


def _referenced(dataset: Dataset) -> tuple[set[str], set[str]]:
    """Returns the series that a segmentation or a report refers to, and the images that a document refers to."""
    items = [*(dataset.get("ReferencedSeriesSequence") or [])]
    for study in dataset.get(_EVIDENCE) or []:
        items += study.get("ReferencedSeriesSequence") or []
    series = {str(item.get("SeriesInstanceUID") or "") for item in items}
    return series, {str(item.get("ReferencedSOPInstanceUID")) for item in dataset.get(_SOURCES) or []}
