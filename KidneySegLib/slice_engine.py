"""The 2D pipeline in one call: from one axial slice to a label map with findings."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.engine import Run, model_setting
from KidneySegLib.findings import BundleRecord, InputRecord, Provenance
from KidneySegLib.measuring.slice_findings import describe_slice
from KidneySegLib.progress import Progress, silent
from KidneySegLib.readers.slices import SliceInput, read_slice
from KidneySegLib.segmentation.slices.pipeline import segment_slice

TASK = "ct-slice"


def run_slice(
    source: Path,
    *,
    pixel_mm: float | None = None,
    window: tuple[float, float] | None = None,
    device: str = "auto",
    model: str | None = None,
    progress: Progress = silent,
) -> Run:
    """Reads one axial slice, finds kidneys and stones and measures them.

    Args:
        source: a DICOM file or a folder with just one, a PNG or JPEG picture, or NIfTI, NRRD or MetaImage of one slice.
        pixel_mm: pixel size of a picture.
        window: HU that a picture shows as black and as white; None assumes the usual width and takes the level from
            the kidneys.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        model: bundle by name or folder; None takes the shipped one.
        progress: receives progress; stops the run by raising ``Cancelled``.

    Raises:
        InputError: the input cannot be used.
        BundleError: the model cannot be used.
        ResourceError: the device does not exist.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    clock = time.perf_counter()
    bundle = find_bundle(model, TASK)
    progress("read", 0.0, "Reading the slice")
    read = read_slice(source, pixel_mm=pixel_mm, window=window)
    seconds = {"read": time.perf_counter() - clock}
    is_picture = read.window is not None
    segmentation = segment_slice(
        read.acquisition.volume, bundle, calibrate=is_picture and window is None, device=device, progress=progress
    )
    seconds |= segmentation.seconds
    progress("measure", 0.0, "Measuring")
    clock = time.perf_counter()
    provenance = Provenance(
        started_utc=started,
        device=segmentation.device.name,
        precision=str(segmentation.device.precision).removeprefix("torch."),
        input=_input_record(read),
        bundles=(BundleRecord(bundle.name, bundle.version, bundle.sha256),),
        settings={
            "task": TASK,
            "device": device,
            "model": model_setting(model, bundle),
            "pixel_mm": pixel_mm,
            "window_hu": list(read.window) if read.window else None,
            "window_given": window is not None,
        },
        seconds=seconds,
    )
    findings = describe_slice(
        segmentation.volume,
        segmentation.labels,
        thickness_mm=read.thickness_mm,
        estimated_hu=is_picture,
        flags=[*read.acquisition.flags, *segmentation.flags],
        provenance=provenance,
    )
    provenance.seconds["measure"] = time.perf_counter() - clock
    return Run(segmentation.volume, segmentation.labels, findings)


def _input_record(read: SliceInput) -> InputRecord:
    acquisition = read.acquisition
    source = acquisition.source.to_dict() if acquisition.source.modality else None
    return InputRecord.of(acquisition.volume, read.kind, source)
