"""Label maps as files: NIfTI and Slicer's segmentation NRRD."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np

from KidneySegLib.errors import GeometryError
from KidneySegLib.geometry.boxes import Box, bounding_boxes
from KidneySegLib.itk_names import itk_name
from KidneySegLib.result_files.labels.segment_names import shown_name
from KidneySegLib.result_files.labels.terminology import terminology_entry
from KidneySegLib.structures import BY_LABEL, Structure
from KidneySegLib.volume import Volume

# Label maps are mostly zeros: higher levels take many times as long and save little.
COMPRESSION_LEVEL = 1


# NIfTI-1 header and extension flag, the fields in the order of nifti1.h; those that stay zero are padding.
DESCRIPTION = b"KidneySeg label map"  # by which an own file is known
NIFTI_HEADER = struct.Struct("<i36x8h14xhh2x8f3f3xB24x80s24xhh6f12f16x4s4x")


def write_nifti(path: Path, volume: Volume, labels: np.ndarray) -> None:
    """Writes a label map, uint8 or uint16 ``(k, j, i)`` on the volume's grid, as NIfTI-1 (``.nii.gz``).

    ITK's NIfTI writer leaves a truncated file on a full disk and says nothing, so the file is written here.

    Raises:
        OSError: the file cannot be written.
        GeometryError: the grid is sheared, so that ITK could not read the file, or has too many voxels for NIfTI-1.
    """
    if volume.is_sheared:
        raise GeometryError("A sheared grid (gantry tilt) must be resampled before it is written.")
    if max(labels.shape) > np.iinfo(np.int16).max:
        raise GeometryError("The image has more than 32767 voxels in one direction, which NIfTI cannot hold. Crop it.")
    with gzip.GzipFile(path, "wb", COMPRESSION_LEVEL, mtime=0) as file:
        voxels = np.ascontiguousarray(labels, labels.dtype if labels.dtype == np.uint16 else np.uint8)
        file.write(_nifti_header(volume, voxels.dtype))
        file.write(voxels.data)


def _nifti_header(volume: Volume, kind: np.dtype[Any]) -> bytes:
    """Returns header and extension flag for unsigned voxels; both transforms (qform, sform) hold the geometry."""
    from scipy.spatial.transform import Rotation

    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.ijk_to_lps
    rotation = ras[:3, :3] / np.array(volume.spacing)
    handedness = 1.0 if np.linalg.det(rotation) > 0 else -1.0
    quaternion = Rotation.from_matrix(rotation * (1, 1, handedness)).as_quat(canonical=True)[:3]
    k, j, i = volume.voxels.shape
    code, millimetres, scanner_anatomical = {np.dtype(np.uint8): 2, np.dtype(np.uint16): 512}[kind], 2, 1
    return NIFTI_HEADER.pack(
        348,
        *(3, i, j, k, 1, 1, 1, 1),
        *(code, 8 * kind.itemsize),
        *(handedness, *volume.spacing, 0, 0, 0, 0),
        *(NIFTI_HEADER.size, 1, 0),
        millimetres,
        DESCRIPTION,
        *(scanner_anatomical, scanner_anatomical),
        *quaternion,
        *ras[:3, 3],
        *ras[:3].ravel(),
        b"n+1\0",
    )


def write_segmentation(
    path: Path, volume: Volume, labels: np.ndarray, algorithm: str, *, sides_certain: bool = True
) -> None:
    """Writes a label map, uint8 ``(k, j, i)`` on the volume's grid, as ``.seg.nrrd``.

    The format is that of Slicer's segmentation nodes (Slicer developer guide, "Segmentation labelmap file format"): one
    layer, one segment per label that occurs, with name, colour and terminology. The algorithm's name travels in the
    tags from which Slicer fills a DICOM SEG.

    Args:
        path: file to write.
        volume: the image.
        labels: its label map.
        algorithm: name and version of what made the segments.
        sides_certain: whether the sides are the patient's; else names and terminology claim none.

    Raises:
        RuntimeError: the file cannot be written.
        GeometryError: the grid is sheared.
    """
    import SimpleITK as sitk

    image = volume.like(labels).to_image()
    image.SetMetaData("Segmentation_ContainedRepresentationNames", "Binary labelmap|")
    for name in ("Segmentation_MasterRepresentation", "Segmentation_SourceRepresentation"):  # before and since 5.4
        image.SetMetaData(name, "Binary labelmap")
    image.SetMetaData("Segmentation_ReferenceImageExtentOffset", "0 0 0")
    for number, (label, box) in enumerate(bounding_boxes(labels).items()):
        for field, value in _segment_fields(BY_LABEL[label], box, algorithm, sides_certain).items():
            image.SetMetaData(f"Segment{number}_{field}", value)
    sitk.WriteImage(image, itk_name(path), True, COMPRESSION_LEVEL)


def _segment_fields(structure: Structure, box: Box, algorithm: str, sides_certain: bool) -> dict[str, str]:
    tags = {
        "TerminologyEntry": terminology_entry(structure, sides_certain=sides_certain),
        "DICOM.SegmentAlgorithmType": "AUTOMATIC",
        "DICOM.SegmentAlgorithmName": algorithm,
    }
    return {
        "ID": structure.key,
        "Name": shown_name(structure, sides_certain=sides_certain),
        "NameAutoGenerated": "0",
        "Color": " ".join(f"{value / 255:.6g}" for value in structure.colour),
        "ColorAutoGenerated": "0",
        "Extent": " ".join(f"{axis.start} {axis.stop - 1}" for axis in reversed(box)),
        "LabelValue": str(structure.label),
        "Layer": "0",
        "Tags": "".join(f"{key}:{value}|" for key, value in tags.items()),
    }
