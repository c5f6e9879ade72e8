"""Runs in a Python that has slicer-core: loads a .seg.nrrd as Slicer does and prints what Slicer sees, as JSON.

usage: slicer_reads_segmentation.py SEGMENTATION TERMINOLOGY REGIONS ARRAYS.npz
"""

import json
import sys
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy


def start() -> tuple[Any, ...]:
    """Returns the logics of terminologies and segmentations, and the scene and application that they live in."""
    scene = slicer.vtkMRMLScene()
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    colours = application.GetColorLogic()
    colours.SetMRMLScene(scene)
    application.SetModuleLogic("Colors", colours)
    logics = []
    for name, kind in (
        ("Terminologies", slicer.vtkSlicerTerminologiesModuleLogic),
        ("Segmentations", slicer.vtkSlicerSegmentationsModuleLogic),
    ):
        logic = kind()
        logic.SetMRMLApplicationLogic(application)
        logic.SetMRMLScene(scene)
        application.SetModuleLogic(name, logic)
        logics.append(logic)
    return (*logics, scene, application)


def tag(segment: Any, name: str) -> str:
    """Returns one tag of a segment."""
    value = vtk.mutable("")
    segment.GetTag(name, value)
    return str(value)


def describe(segment: Any) -> dict[str, Any]:
    """Returns what Slicer shows of a segment."""
    image = segment.GetRepresentation("Binary labelmap")
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return {
        "name": segment.GetName(),
        "colour": segment.GetColor(),
        "terminology": segment.GetTerminology(),
        "algorithm": [tag(segment, "DICOM.SegmentAlgorithmType"), tag(segment, "DICOM.SegmentAlgorithmName")],
        "ijk_to_ras": [[matrix.GetElement(row, column) for column in range(4)] for row in range(4)],
        "extent": image.GetExtent(),
    }


def mask(segment: Any) -> np.ndarray:
    """Returns the segment's voxels (k, j, i) within its extent."""
    image = segment.GetRepresentation("Binary labelmap")
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    return values == segment.GetLabelValue()


def own_types(terminologies: Any, context: str) -> dict[str, Any]:
    """Returns the codes of a loaded terminology context: category to types, with the number of modifiers."""
    found = {}
    for number in range(terminologies.GetNumberOfCategoriesInTerminology(context)):
        category = slicer.vtkSlicerTerminologyCategory()
        terminologies.GetNthCategoryInTerminology(context, number, category)
        types = {}
        for n in range(terminologies.GetNumberOfTypesInTerminologyCategory(context, category)):
            kind = slicer.vtkSlicerTerminologyType()
            terminologies.GetNthTypeInTerminologyCategory(context, category, n, kind)
            types[kind.GetCodeValue()] = kind.GetRecommendedDisplayRGBValue()
        found[category.GetCodeValue()] = types
    return found


def main() -> None:
    """Loads the files named on the command line."""
    path, terminology, regions, arrays = sys.argv[1:]
    terminologies, segmentations, *_alive = start()
    context = terminologies.LoadTerminologyFromFile(terminology)
    region_context = terminologies.LoadRegionContextFromFile(regions)
    segmentation = segmentations.LoadSegmentationFromFile(path, True, "segmentation").GetSegmentation()
    identifiers = vtk.vtkStringArray()
    segmentation.GetSegmentIDs(identifiers)
    names = [identifiers.GetValue(n) for n in range(identifiers.GetNumberOfValues())]
    np.savez(arrays, **{name: mask(segmentation.GetSegment(name)) for name in names})
    answer = {
        "segments": {name: describe(segmentation.GetSegment(name)) for name in names},
        "layers": segmentation.GetNumberOfLayers(),
        "source": segmentation.GetSourceRepresentationName(),
        "context": context,
        "types": own_types(terminologies, context),
        "regions": terminologies.GetNumberOfRegionsInRegionContext(region_context),
        "region_context": region_context,
    }
    print("\n" + json.dumps(answer))


if __name__ == "__main__":
    main()
