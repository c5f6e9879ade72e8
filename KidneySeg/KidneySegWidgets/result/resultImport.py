"""From the engine's result folder into the scene."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import slicer.util

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.inputVolume import PreparedVolume
from KidneySegWidgets.result.candidates import makeCandidateNode
from KidneySegWidgets.result.findingsTable import fillTables
from KidneySegWidgets.result.labelParts import LabelPart, imageOf
from KidneySegWidgets.result.place import rememberPlace
from KidneySegWidgets.result.resultNodes import ResultNodes
from KidneySegWidgets.result.segments import newSegment
from KidneySegWidgets.translation import tr as _


def importResult(folder: Path, prepared: PreparedVolume, volume: Any) -> ResultNodes:
    """Makes segmentation, table and findings of a complete result folder.

    Args:
        folder: what the engine wrote.
        prepared: what the engine was given.
        volume: the node that it was made from.

    Raises:
        RuntimeError: the label map does not lie on the volume.
        InputError: the folder is not complete, or cannot be read.
    """
    ensureEngine()
    from KidneySegLib.result_files.result import Result

    read = Result.read(folder)
    findings = _inWholeGrid(read.findings, prepared)
    isPlaced = read.findings.in_patient
    labels = _labelNode((_placed if isPlaced else _ofView)(read.segmentation.label_map, prepared), prepared)
    result = ResultNodes.create(volume)
    if not isPlaced:
        result.setView()
    result.setNetworkLabels(labels)
    rememberPlace(result, prepared)
    candidates = makeCandidateNode(read.segmentation, prepared)
    if candidates is not None:
        result.setNetworkCandidates(candidates)
    result.setFindings(findings)
    result.setNetworkFindings(findings)
    drawLabels(result)
    fillTables(result, findings)
    return result


def drawLabels(result: ResultNodes) -> None:
    """Fills the segmentation with what the network drew, as one layer for all segments."""
    labels, node = result.networkLabels, result.segmentationNode
    ensureEngine()
    from KidneySegLib.structures import BY_KEY

    certain = result.networkFindings().sides_certain
    node.GetSegmentation().RemoveAllSegments()
    node.SetAndObserveTransformNodeID(labels.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(labels)
    drawn = LabelPart.of(slicer.util.arrayFromVolume(labels))
    layer = imageOf(drawn, labels)
    for structure in BY_KEY.values():
        if (drawn.voxels == structure.label).any():
            segment = newSegment(structure.key, certain)
            segment.SetLabelValue(structure.label)
            segment.AddRepresentation("Binary labelmap", layer)
            node.GetSegmentation().AddSegment(segment, structure.key)


def _inWholeGrid(findings: Any, prepared: PreparedVolume) -> Any:
    """Returns findings that count axial slices in the whole volume, where only a region was given to the engine.

    It is told, and so is a volume that was straightened for it.
    """
    from KidneySegLib.findings import Findings
    from KidneySegLib.flags import Flag

    axes = prepared.ijkToRas[:3, :3] / np.linalg.norm(prepared.ijkToRas[:3, :3], axis=0)
    axis = 2 - int(np.abs(axes[2]).argmax())
    values = findings.to_dict()
    for group in ("kidneys", "lesions", "stones", "candidates"):
        for finding in values[group]:
            finding["axial_slice"] += prepared.start[axis]
    remarks = []
    if prepared.voxels.shape != prepared.wholeSize:
        remarks.append(Flag.of("region_chosen"))
    if prepared.resampled:
        remarks.append(Flag.of("straightened"))
    moved = Findings.from_json(json.dumps(values))
    return replace(moved, flags=(*remarks, *moved.flags))


def _ofView(labelMap: Any, prepared: PreparedVolume) -> np.ndarray:
    """Returns the labels (k, j, i) of an ultrasound image, whose frames, rows and columns are those of the volume.

    Raises:
        RuntimeError: the volume has others: it would be drawn where it does not belong.
    """
    if prepared.resampled or labelMap.voxels.shape != prepared.wholeSize:
        raise RuntimeError(
            _(
                "The volume is not its image as that was stored: it was cropped, resampled or bent, or shows other "
                "frames of its loop. Load the image again, or measure it on the command line: "
                "kidneyseg segment FILE --task ultrasound"
            )
        )
    return labelMap.voxels


def _placed(labelMap: Any, prepared: PreparedVolume) -> np.ndarray:
    """Returns the labels (k, j, i) of an image in the patient, on the volume's whole grid.

    Raises:
        RuntimeError: the label map is of another size or in another place; it would be drawn where it does not belong.
    """
    from KidneySegLib.errors import GeometryError
    from KidneySegLib.result_files.labels.reading import on_grid
    from KidneySegLib.volume import Volume

    image = Volume(prepared.voxels, prepared.ijkToLps)
    try:
        labels = on_grid(labelMap, image)
    except GeometryError:
        labels = None
    if labels is None or labelMap.voxels.size != image.voxels.size:
        raise RuntimeError(_("The result does not lie on the volume that was given. Run it again and report this."))
    whole = np.zeros(prepared.wholeSize, np.uint8)
    whole[tuple(slice(a, a + n) for a, n in zip(prepared.start, labels.shape, strict=True))] = labels
    return whole


def _labelNode(whole: np.ndarray, prepared: PreparedVolume) -> Any:
    """Returns a label map node with labels (k, j, i) on the volume's whole grid, under its transform."""
    kind = "vtkMRMLLabelMapVolumeNode"
    node = slicer.util.addVolumeFromArray(whole, prepared.nodeMatrix, "KidneySeg labels", kind)
    node.SetAndObserveTransformNodeID(prepared.transform.GetID() if prepared.transform is not None else None)
    return node
