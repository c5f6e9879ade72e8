"""Writes a corrected case as the engine's training reads it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from KidneySegWidgets.export.export import Written
from KidneySegWidgets.result.drawnResult import DrawnResult
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.translation import tr as _


def exportTrainingCase(result: ResultNodes, folder: Path) -> Callable[[], Written]:
    """Takes the result as it is now, and returns what writes a case for `kidneyseg train` into a new folder.

    Nothing of the patient goes with them: files have fixed names and hold voxels and geometry only, and the case is
    called by a checksum of its voxels. `labels.json` says which number is which structure, so that the case can be
    used where numbers mean other things, and what the reader made of each lesion: found, confirmed, changed, added,
    rejected.

    What is returned touches no node; it may run in a thread. It raises RuntimeError if nothing was corrected, or the
    written files do not read back as they should, and OSError if they cannot be written.

    Raises:
        RuntimeError: the volume is gone, or is an ultrasound image.
    """
    if not result.networkFindings().in_patient:
        raise RuntimeError(_("Cases for training are made of CT, not of ultrasound images."))
    drawn = DrawnResult.of(result)
    return lambda: _write(drawn, folder)


def _write(drawn: DrawnResult, folder: Path) -> Written:
    measured = drawn.measured()
    from KidneySegLib.measuring.correction import corrections

    findings, volume = measured.findings, measured.exam.stored
    labels = measured.exam.in_stored_order(measured.segmentation.labels)
    if not corrections(findings):
        raise RuntimeError(_("Nothing was corrected. A case for training is one that the network got wrong."))
    name = "case_" + hashlib.sha256(np.ascontiguousarray(volume.voxels).data).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        _writeCase(partial, volume, labels, findings)
        _checkCase(partial, volume, labels)
        target = folder / name
        if target.exists():
            shutil.rmtree(target)  # the same image, corrected further
        os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Written(target, findings, drawn)


def _writeCase(folder: Path, volume: object, labels: np.ndarray, findings: Any) -> None:
    import SimpleITK as sitk
    from KidneySegLib.measuring.correction import corrections
    from KidneySegLib.result_files.labels.files import write_nifti
    from KidneySegLib.structures import STRUCTURES

    sitk.WriteImage(volume.to_image(), str(folder / "image.nii.gz"))  # type: ignore[attr-defined]
    write_nifti(folder / "mask.nii.gz", volume, labels)  # type: ignore[arg-type]
    content = {
        "labels": {structure.key: structure.label for structure in STRUCTURES},
        "present": [structure.key for structure in STRUCTURES if (labels == structure.label).any()],
        "corrected_by_reader": corrections(findings),
        "findings": [_readingOf(finding) for finding in (*findings.lesions, *findings.stones)],
        "rejected": [
            {"id": each.finding.id, "structure": each.finding.structure, "became": each.became}
            for each in findings.rejected
        ],
    }
    (folder / "labels.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _readingOf(finding: Any) -> dict[str, Any]:
    """Returns what the reader made of a lesion or stone; not the reader's name for it, which may name the patient."""
    values = finding.to_dict()
    return {name: values[name] for name in ("id", "structure", "state", "was")}


def _checkCase(folder: Path, volume: object, labels: np.ndarray) -> None:
    """Reads the files back: a case whose labels lie beside its image would teach the network nonsense."""
    from KidneySegLib.volume import read_image

    image, mask = read_image(folder / "image.nii.gz"), read_image(folder / "mask.nii.gz")
    same = np.array_equal(mask.voxels, labels) and np.array_equal(image.voxels, volume.voxels)  # type: ignore[attr-defined]
    corner = np.array(labels.shape, float)
    apart = [np.abs(each.to_lps(corner) - volume.to_lps(corner)).max() for each in (image, mask)]  # type: ignore[attr-defined]
    if not same or max(apart) > 0.05:
        raise RuntimeError(_("The files did not read back as they were written. Choose another folder and try again."))
