"""The engine in one call: from an input to a label map with findings, and on to files.

The command line is its process boundary; scripts and tests may call it in their own process.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from KidneySegLib.bundles.bundle import Bundle
from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.findings import BundleRecord, Findings, InputRecord, Provenance
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.describe import describe
from KidneySegLib.progress import Progress, silent
from KidneySegLib.readers.dicom.acquisition import Acquisition
from KidneySegLib.readers.volumes import read_input
from KidneySegLib.result_files.results import write_results
from KidneySegLib.segmentation.pipeline import segment_ct
from KidneySegLib.volume import IMAGE_SUFFIXES, Volume, is_image_file


@dataclass(frozen=True)
class Run:
    """What a run found, in memory.

    Attributes:
        volume: the image in HU, ``(k, j, i)``.
        labels: uint8 ``(k, j, i)`` on the same grid, values of ``structures``.
        findings: measures, flags, provenance.
    """

    volume: Volume
    labels: np.ndarray
    findings: Findings


def run_ct(
    source: Path,
    *,
    device: str = "auto",
    model: str | None = None,
    series_uid: str | None = None,
    flags: Sequence[Flag] = (),
    progress: Progress = silent,
) -> Run:
    """Reads a CT, finds the kidneys and measures them.

    Args:
        source: DICOM folder or file, or a NIfTI, NRRD or MetaImage file.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        model: bundle by name or folder; None takes the shipped one.
        series_uid: which series of a DICOM folder; None lets the reader choose.
        flags: of an earlier step, such as on the choice of the series; they come first in the findings.
        progress: receives progress; stops the run by raising ``Cancelled``.

    Raises:
        InputError: the input cannot be used.
        BundleError: the model cannot be used.
        ResourceError: device or memory do not suffice.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    clock = time.perf_counter()
    bundle = find_bundle(model, "ct")
    progress("read", 0.0, "Reading the images")

    def reading(done: float) -> None:
        progress("read", done, "Reading the images")

    acquisition = read_input(source, reading, series_uid=series_uid)
    volume = acquisition.volume
    read = time.perf_counter() - clock
    segmentation = segment_ct(volume, bundle, device=device, progress=progress)
    progress("measure", 0.0, "Measuring")
    provenance = Provenance(
        started_utc=started,
        device=segmentation.device.name,
        precision=str(segmentation.device.precision).removeprefix("torch."),
        input=input_record(source, acquisition),
        bundles=(BundleRecord(bundle.name, bundle.version, bundle.sha256),),
        settings={
            "device": device,
            "model": model_setting(model, bundle),
            "series_chosen_by_user": series_uid is not None,
        },
        seconds={"read": read, **segmentation.seconds},
    )
    clock = time.perf_counter()
    said = [*flags, *acquisition.flags, *segmentation.flags]
    findings = describe(
        volume,
        segmentation.labels,
        flags=said,
        provenance=provenance,
        certainty=segmentation.certainty,
        doubtful=segmentation.doubtful,
    )
    provenance.seconds["measure"] = time.perf_counter() - clock
    return Run(volume, segmentation.labels, findings)


def write_run(run: Run, folder: Path, progress: Progress = silent) -> list[Path]:
    """Writes all result files; see ``reporting.results.write_results`` for what is raised."""
    progress("write", 0.0, "Writing the result")
    files = write_results(folder, run.volume, run.labels, run.findings)
    progress("write", 1.0, "Done")
    return files


def model_setting(model: str | None, bundle: Bundle) -> str:
    """Returns which model was asked for, without a path, which may hold a name."""
    if model is None:
        return "default"
    return model if model == bundle.name else "own"


def input_record(path: Path, acquisition: Acquisition) -> InputRecord:
    """Describes the input without its path, which may hold a patient's name."""
    if acquisition.source.modality:
        return InputRecord.of(acquisition.volume, "dicom", acquisition.source.to_dict())
    images = [path] if path.is_file() else [p for p in path.iterdir() if is_image_file(p)]
    suffix = next(s for s in sorted(IMAGE_SUFFIXES, key=len, reverse=True) if images[0].name.lower().endswith(s))
    return InputRecord.of(acquisition.volume, suffix[1:])
