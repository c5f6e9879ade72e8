"""Measures a corrected segmentation again, and takes corrections back."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from KidneySegWidgets.correctedLabels import changedStructures, currentLabels, networkLabels
from KidneySegWidgets.engineLocation import ensureEngine
from KidneySegWidgets.findingsTable import fillTable
from KidneySegWidgets.inputVolume import prepareVolume
from KidneySegWidgets.lesionIds import keptIdentifiers
from KidneySegWidgets.lesionView import hideLine
from KidneySegWidgets.resultImport import drawLabels
from KidneySegWidgets.resultNodes import ResultNodes
from KidneySegWidgets.segments import AUTOMATIC, SEMIAUTOMATIC, algorithmType, markSegment, segmentsByStructure

CORRECTED = "corrected_by_reader"
_AIR, _HIGHEST = -1024, 32767


def recompute(result: ResultNodes) -> dict[str, float]:
    """Measures the segmentation as it is now; returns the Dice of each corrected structure to the network's version.

    Raises:
        RuntimeError: the volume or the network's labels are gone.
        KidneySegError: the engine cannot measure it; the message says why.
    """
    volume, before, after = engineVolume(result), networkLabels(result), currentLabels(result)
    changed = changedStructures(before, after)
    findings = _measured(result, volume, before, after, changed) if changed else result.networkFindings()
    result.setFindings(findings)
    _mark(result, changed)
    fillTable(result.table, findings)
    hideLine(result)
    return changed


def reset(result: ResultNodes) -> None:
    """Draws the network's version again and forgets all corrections."""
    drawLabels(result)
    recompute(result)


def corrections(findings: Any) -> dict[str, float]:
    """Returns the Dice of each structure that a reader corrected, by its key."""
    return dict(findings.provenance.settings.get(CORRECTED, {}))


def engineVolume(result: ResultNodes) -> Any:
    """Returns the engine's Volume of the segmented image, on the grid of the network's labels, in whole HU.

    Raises:
        RuntimeError: the volume was removed, or was changed since.
    """
    ensureEngine()
    from KidneySegLib.volume import Volume

    if result.volume is None or result.networkLabels is None:
        raise RuntimeError(_("The volume of this result is no longer in the scene. Load it and segment it again."))
    prepared = prepareVolume(result.volume)
    if prepared.voxels.shape != networkLabels(result).shape:
        raise RuntimeError(_("The volume was changed after it was segmented. Segment it again."))
    voxels = prepared.voxels
    if voxels.dtype.kind == "f":
        voxels = np.rint(np.nan_to_num(voxels, nan=_AIR))
    offset = any(flag.code == "rescale_assumed" for flag in result.networkFindings().flags)
    voxels = voxels.astype(np.int32) + (_AIR if offset else 0)
    return Volume(np.clip(voxels, _AIR, _HIGHEST).astype(np.int16), prepared.ijkToLps)


def _measured(
    result: ResultNodes, volume: Any, before: np.ndarray, after: np.ndarray, changed: dict[str, float]
) -> Any:
    """Returns the findings of the corrected labels."""
    from KidneySegLib.flags import Flag, Severity
    from KidneySegLib.structures import BY_KEY

    original = result.networkFindings()
    # what the engine says of the network's labels it says anew of the corrected ones, where it still holds
    again = {flag.code for flag in _described(original, volume, before, [], original.provenance).flags}
    flags = [flag for flag in original.flags if flag.code not in again]
    for key, value in changed.items():
        text = f"{BY_KEY[key].name}: corrected by the reader (Dice with the network's version {value:.3f})."
        flags.append(Flag(CORRECTED, Severity.INFO, text))
    settings = {**original.provenance.settings, CORRECTED: {key: round(value, 4) for key, value in changed.items()}}
    provenance = replace(original.provenance, settings=settings)
    findings = _described(original, volume, after, flags, provenance)
    return replace(findings, lesions=_namedLesions(result, volume, before, after, findings.lesions))


def _described(original: Any, volume: Any, labels: np.ndarray, flags: list[Any], provenance: Any) -> Any:
    """Returns the engine's findings of labels; a single slice is measured as one, if the original was."""
    from KidneySegLib.analysis.describe import describe
    from KidneySegLib.analysis.slice_findings import describe_slice

    if not any(flag.code == "single_slice" for flag in original.flags):
        return describe(volume, labels, flags=flags, provenance=provenance)
    unknown = any(math.isnan(kidney.measures.volume_ml) for kidney in original.kidneys)
    return describe_slice(
        volume,
        labels,
        thickness_mm=None if unknown else volume.spacing[2],
        estimated_hu=False,
        flags=flags,
        provenance=provenance,
    )


def _namedLesions(result: ResultNodes, volume: Any, before: np.ndarray, after: np.ndarray, lesions: Any) -> Any:
    """Gives lesions the identifiers that they had, and untouched ones the network's confidence."""
    original = result.networkFindings().lesions
    bodies = _bodies(volume, before)
    # another version of the engine may count the bodies of a saved scene in another way; then places must do
    old = dict(zip([lesion.id for lesion in original], bodies, strict=True)) if len(bodies) == len(original) else {}
    new = dict(zip([lesion.id for lesion in lesions], _bodies(volume, after), strict=True))
    grid = volume.canonical()
    added = {
        lesion.id: grid.to_kji(np.array(lesion.measures.centroid_lps_mm))
        for lesion in result.findings().lesions
        if lesion.id not in old
    }
    names = {}
    for letter in ("M", "C"):
        parts = [{name: each for name, each in group.items() if name[0] == letter} for group in (old, new, added)]
        names |= keptIdentifiers(parts[0], parts[1], grid.voxels.shape, parts[2])
    confidence = {lesion.id: lesion.confidence for lesion in original}
    named = []
    for lesion in lesions:
        name = names[lesion.id]
        same = name in old and np.array_equal(old[name], new[lesion.id])
        named.append(replace(lesion, id=name, confidence=confidence[name] if same else None))
    return tuple(named)


def _bodies(volume: Any, labels: np.ndarray) -> list[np.ndarray]:
    """Returns the voxels (n, 3) of each lesion, in the engine's order, in canonical indices."""
    from KidneySegLib.analysis.anatomy import Anatomy

    anatomy = Anatomy.of(volume, labels)
    return [lesion.body.voxels() for lesion in anatomy.lesions]


def _mark(result: ResultNodes, changed: dict[str, float]) -> None:
    segmentation = result.segmentationNode.GetSegmentation()
    for key, identifiers in segmentsByStructure(segmentation).items():
        for identifier in identifiers:
            segment = segmentation.GetSegment(identifier)
            wanted = SEMIAUTOMATIC if key in changed else AUTOMATIC
            if algorithmType(segment) != wanted:
                markSegment(segment, wanted)
