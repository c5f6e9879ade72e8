"""Writes the sample: DICOM series, true labels and true sizes."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from KidneySegLib.errors import InputError, OutputError
from KidneySegLib.itk_names import itk_name
from KidneySegLib.sample.phantom import Scan, acquire, build_phantom
from KidneySegLib.sample.series import SeriesWriter
from KidneySegLib.sample.tissues import Phase
from KidneySegLib.sample.truth import SampleTruth, describe
from KidneySegLib.volume import Volume

SERIES, LABELS, TRUTH = "series", "truth.nii.gz", "truth.json"
# A scan shorter than this cuts a kidney off; a longer one leaves the anatomy that there is.
SHORTEST, LONGEST = 200.0, 320.0


def write_sample(
    folder: Path,
    *,
    slices: int = 120,
    spacing: float = 2.2,
    phase: Phase = Phase.NON_CONTRAST,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> SampleTruth:
    """Writes ``series/*.dcm``, ``truth.nii.gz`` (labels 1..5 on the series' grid) and ``truth.json`` into a folder.

    The same arguments give the same pixels; identifiers are new each time.

    Args:
        folder: made if it does not exist.
        slices: number of slices of 512x512 pixels of 0.8 mm.
        spacing: distance between slices, which is also their thickness, in mm.
        phase: contrast phase.
        seed: another number makes another patient of the same kind.
        progress: called with the share done, 0 to 1; an exception that it raises stops the writing and leaves nothing.

    Returns:
        What ``truth.json`` holds.

    Raises:
        InputError: number and spacing of slices do not cover the kidneys, or reach beyond the abdomen.
        OutputError: the folder already holds a sample, or cannot be written.
    """
    scan = Scan(slices, spacing)
    if not SHORTEST <= slices * spacing <= LONGEST:
        raise InputError(
            "{slices} slices of {spacing_mm:g} mm make {length_mm:.0f} mm. The sample can be "
            "{shortest_mm:.0f} to {longest_mm:.0f} mm long: choose another number or spacing of slices.",
            slices=slices,
            spacing_mm=spacing,
            length_mm=slices * spacing,
            shortest_mm=SHORTEST,
            longest_mm=LONGEST,
        )
    if any((folder / name).exists() for name in (SERIES, LABELS, TRUTH)):
        raise OutputError("The folder already holds a sample. Choose another folder, or delete the old sample first.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # written beside its final place, so that a run that is cut short leaves nothing that looks whole
        with tempfile.TemporaryDirectory(prefix=".sample-", dir=folder) as scratch:
            truth = _write_into(Path(scratch), scan, phase, seed, progress)
            for name in (SERIES, LABELS, TRUTH):
                shutil.move(Path(scratch) / name, folder / name)
    except OSError as error:
        raise OutputError(
            "The sample cannot be written ({reason}). Check the folder's permissions and the free space.",
            reason=error.strerror or "I/O",
        ) from error
    return truth


def _write_into(
    folder: Path, scan: Scan, phase: Phase, seed: int, progress: Callable[[float], None] | None
) -> SampleTruth:
    import SimpleITK as sitk

    (folder / SERIES).mkdir()
    phantom = build_phantom(phase, seed)
    writer = SeriesWriter(folder / SERIES, scan, phase)
    planes = []
    for number, (hu, plane) in enumerate(acquire(phantom, scan, seed)):
        writer.write(number, hu)
        planes.append(plane)
        if progress is not None:
            progress((number + 1) / scan.slices)
    labels = np.stack(planes)
    try:
        sitk.WriteImage(Volume(labels, scan.ijk_to_lps).to_image(), itk_name(folder / LABELS), useCompression=True)
    except RuntimeError as error:
        raise OSError(0, "label map") from error
    truth = describe(phantom, scan, phase, seed, labels)
    truth.write(folder / TRUTH)
    return truth
