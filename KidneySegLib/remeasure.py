"""A corrected label map in one call: measured again, with what the reader changed."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from KidneySegLib.engine import Run, input_record
from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.findings import Findings, Provenance
from KidneySegLib.interchange.result_folder import read_result
from KidneySegLib.measuring.correction import corrections, describe_corrected
from KidneySegLib.measuring.describe import describe
from KidneySegLib.measuring.slice_findings import describe_slice
from KidneySegLib.progress import Progress, silent
from KidneySegLib.readers.dicom.acquisition import Acquisition
from KidneySegLib.readers.slices import PICTURE_SUFFIXES, is_single_slice, read_slice
from KidneySegLib.readers.volumes import read_input
from KidneySegLib.result_files.labels.reading import on_grid, read_labels
from KidneySegLib.structures import Numbering
from KidneySegLib.volume import Volume


def remeasure(
    image: Path,
    labels: Path,
    *,
    previous: Path | None = None,
    series_uid: str | None = None,
    numbering: Numbering = Numbering.KIDNEYSEG,
    progress: Progress = silent,
) -> Run:
    """Measures a label map, as a run does that drew it itself.

    Args:
        image: the CT, or one axial slice of it, as for ``run_ct`` and ``run_slice``; not a picture, whose densities
            only the run itself could tell.
        labels: the label map; see ``reporting.label_reading.read_labels``.
        previous: result folder of the network's run (or its ``findings.json``). Lesions and stones then keep their
            identifiers, and the findings list what was corrected, with the Dice to the network's version. None measures
            the labels as they are, whoever drew them.
        series_uid: which series of a DICOM folder; None lets the reader choose.
        numbering: whose numbers the label map has.
        progress: receives progress; stops the run by raising ``Cancelled``.

    Raises:
        InputError: image, label map or earlier result cannot be used.
        GeometryError: they do not lie on the same grid.
    """
    if image.name.lower().endswith(PICTURE_SUFFIXES):
        raise InputError("A picture has no densities that could be measured again. Give the DICOM file of the slice.")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    clock = time.perf_counter()
    network, original = _read_previous(previous) if previous is not None else (None, None)
    progress("read", 0.0, "Reading the images")
    single = original.is_single_slice if original is not None else series_uid is None and is_single_slice(image)
    acquisition, thickness = _read(image, single, series_uid, progress)
    volume = acquisition.volume
    drawing = read_labels(labels, volume, numbering)
    drawn = drawing.labels
    progress("measure", 0.0, "Measuring")
    if network is not None and original is not None:
        before = _network_labels(network, volume)
        findings = describe_corrected(volume, drawn, network=before, original=original)
        return Run(volume, drawn, replace(findings, flags=(*findings.flags, *drawing.flags)))
    seconds = {"read": time.perf_counter() - clock}
    provenance = Provenance(
        started_utc=started,
        device="none",
        precision="none",
        input=input_record(image, acquisition),
        settings={"labels": "given", "numbering": numbering.value, "series_chosen_by_user": series_uid is not None},
        seconds=seconds,
    )
    clock = time.perf_counter()
    flags = [*acquisition.flags, *drawing.flags]
    if single:
        findings = describe_slice(
            volume, drawn, thickness_mm=thickness, estimated_hu=False, flags=flags, provenance=provenance
        )
    else:
        findings = describe(volume, drawn, flags=flags, provenance=provenance)
    seconds["measure"] = time.perf_counter() - clock
    return Run(volume, drawn, findings)


def _read(image: Path, single: bool, series_uid: str | None, progress: Progress) -> tuple[Acquisition, float | None]:
    """Returns what was read, and the thickness of a single slice where it is known."""
    if single:
        read = read_slice(image)
        return read.acquisition, read.thickness_mm

    def reading(done: float) -> None:
        progress("read", done, "Reading the images")

    return read_input(image, reading, series_uid=series_uid), None


def _read_previous(previous: Path) -> tuple[Volume, Findings]:
    """Returns labels and findings of the network's run."""
    labels, findings = read_result(previous if previous.is_dir() else previous.parent)
    if corrections(findings):
        raise InputError(
            "The earlier result was corrected already, so it does not say what the network drew. Give the one that "
            "'kidneyseg segment' wrote."
        )
    return labels, findings


def _network_labels(labels: Volume, volume: Volume) -> np.ndarray:
    """Returns the network's labels ``(k, j, i)``, checked to be of this image."""
    try:
        if labels.voxels.shape != volume.voxels.shape:
            raise GeometryError("The sizes differ.")
        return on_grid(labels, volume)
    except GeometryError as error:
        raise GeometryError("The earlier result is of another image. Give the one of this image.") from error
