"""Runs in a Python that has slicer-core: imports a label map into a segmentation as Slicer's DICOM plug-in does.

That plug-in lets dcmqi convert a DICOM segmentation to a label map and then takes these steps; dcmqi itself is not in
slicer-core. Prints, per segment, its number of voxels and its centre in RAS, as JSON.

usage: slicer_reads_label_map.py LABEL_MAP.nrrd
"""

import json
import sys

import numpy as np
import slicer
import vtk
from slicer_reads_segmentation import mask, start


def main() -> None:
    """Loads the file named on the command line."""
    _terminologies, segmentations, scene, application = start()
    volumes = slicer.vtkSlicerVolumesLogic()
    volumes.SetMRMLApplicationLogic(application)
    volumes.SetMRMLScene(scene)
    label_map = volumes.AddArchetypeVolume(sys.argv[1], "labels", 1)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    if not segmentations.ImportLabelmapToSegmentationNode(label_map, node):
        sys.exit("The label map cannot be imported.")
    segmentation = node.GetSegmentation()
    found = {}
    for number in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(number)
        image = segment.GetRepresentation("Binary labelmap")
        voxels = np.argwhere(mask(segment))[:, ::-1] + np.array(image.GetExtent())[::2]
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        centre = matrix.MultiplyPoint([*voxels.mean(axis=0), 1.0])[:3]
        found[str(segment.GetLabelValue())] = {"voxels": len(voxels), "centre_ras": centre}
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
