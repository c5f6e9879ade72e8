"""A loop as one volume of its frames: Slicer plays loops of its DICOM database as sequences, one frame at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import slicer.util

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.exam.dicomFiles import filesInDatabase, instanceUids, referToInstances
from KidneySegWidgets.translation import tr as _

_NUMBER_OF_FRAMES = "0028,0008"
# Of a volume that was made here: its frames are those that the engine measures.
_FRAMES = "KidneySeg.Frames"


def framesOf(volume: Any) -> Any:
    """Returns a volume of all frames of the loop that a volume node shows one of; it is made at the first call.

    What is no such loop is returned as it is. Of a loop with more frames than the engine measures, the volume holds
    those that it does.

    Raises:
        KidneySegError: the loop cannot be read.
    """
    files, count = filesInDatabase(volume), _storedFrames(volume)
    if len(files) != 1 or count < 2 or volume.GetAttribute(_FRAMES) == "1":
        return volume
    ensureEngine()
    from KidneySegLib.readers.ultrasound.images import MOST_FRAMES, read_ultrasound

    if slicer.util.arrayFromVolume(volume).shape[0] == count <= MOST_FRAMES:
        return volume
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if node.GetAttribute(_FRAMES) == "1" and instanceUids(node) == instanceUids(volume):
            return node
    # as Slicer places such images, upright; a frame has no place in the patient
    matrix, frames = np.diag([-1.0, -1.0, 1.0, 1.0]), read_ultrasound(files[0]).stored.voxels
    name = _("{loop} frames").format(loop=volume.GetName())
    made = slicer.util.addVolumeFromArray(np.ascontiguousarray(frames), ijkToRAS=matrix, name=name)
    made.SetAttribute(_FRAMES, "1")
    referToInstances(made, instanceUids(volume))
    _putBeside(made, volume)
    return made


def _storedFrames(volume: Any) -> int:
    """Returns how many frames the DICOM database says that the image has; 0 if it does not say."""
    uids, database = instanceUids(volume), getattr(slicer, "dicomDatabase", None)
    said = str(database.instanceValue(uids[0], _NUMBER_OF_FRAMES) or "") if uids and database is not None else ""
    return int(said) if said.strip().isdecimal() else 0


def _putBeside(node: Any, other: Any) -> None:
    """Puts a node into the patient and study of another one."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item, otherItem = hierarchy.GetItemByDataNode(node), hierarchy.GetItemByDataNode(other)
    if item and otherItem:
        hierarchy.SetItemParent(item, hierarchy.GetItemParent(otherItem))
