"""What kind of image a volume node is, as its DICOM headers say."""

from __future__ import annotations

from typing import Any

import slicer

from KidneySegWidgets.exam.dicomFiles import instanceUids

_TAG = "0008,0060"


def modalityOf(volume: Any) -> str:
    """Returns the modality in DICOM's words, such as CT; empty where nobody says, as of research image files.

    Slicer writes it into the subject hierarchy when it loads a series; else its DICOM database is asked.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    name = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMSeriesModalityAttributeName()
    item = hierarchy.GetItemByDataNode(volume) if hierarchy is not None else 0
    said = hierarchy.GetItemAttribute(item, name) if item else ""
    uids, database = instanceUids(volume), getattr(slicer, "dicomDatabase", None)
    if not said and uids and database is not None:
        said = database.instanceValue(uids[0], _TAG)
    return str(said or "").strip().upper()
