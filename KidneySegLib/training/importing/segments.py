"""Segments that their file names itself: Slicer's ``.seg.nrrd`` and DICOM SEG."""

from pathlib import Path

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.result_files.labels.segment_files import segments_of
from KidneySegLib.volume import Volume, read_layers


def read_file_segments(path: Path) -> tuple[dict[int, str], Volume]:
    """Reads Slicer's segmentation file: names by number, and numbers on its own grid; later segments lie on top.

    Raises:
        InputError: it cannot be read, or holds voxels that belong to no segment.
        GeometryError: its geometry cannot be trusted.
    """
    layers, header = read_layers(path)
    segments = segments_of(header, len(layers))
    numbers, known = np.zeros(layers[0].voxels.shape, np.int64), np.zeros(layers[0].voxels.shape, bool)
    names = {0: "background"}
    for number, segment in enumerate(segments, start=1):
        inside = layers[segment.layer].voxels == segment.value
        numbers[inside] = number
        known |= inside
        # the structure of a segment whose terminology says what its name does not
        names[number] = segment.structure.key if segment.structure is not None else segment.title
    if any((layer.voxels != 0)[~known].any() for layer in layers):
        raise InputError("The segmentation holds voxels of no segment. Save it again in Slicer.")
    return names, layers[0].like(numbers)


def read_dicom_segments(path: Path, series: Path) -> tuple[dict[int, str], Volume]:
    """Reads a DICOM SEG: names by number, and numbers on its own grid.

    Args:
        path: of the SEG.
        series: folder with the CT; it must have the same frame of reference.

    Raises:
        InputError: it cannot be read, its segments overlap, or it belongs to another series.
        GeometryError: its frames lie on no regular grid.
    """
    import highdicom
    from pydicom.errors import InvalidDicomError

    from KidneySegLib.readers.dicom.images.opening import open_dicom

    try:
        segmentation = highdicom.seg.Segmentation.from_dataset(open_dicom(path), copy=False)
        names = {0: "background"} | {
            int(segment.SegmentNumber): str(segment.get("SegmentLabel", "")) for segment in segmentation.SegmentSequence
        }
        frame = str(segmentation.get("FrameOfReferenceUID", ""))
    except (InvalidDicomError, OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        raise InputError("The DICOM segmentation is damaged. Export it again.") from error
    if frame not in _frames_of_reference(series, path):
        raise InputError(
            "The DICOM segmentation belongs to another series. Put it beside the series that it was drawn on."
        )
    try:
        volume = segmentation.get_volume(combine_segments=True)
    except RuntimeError as error:
        raise InputError("The segments of the DICOM segmentation overlap. Draw them apart.") from error
    except (ValueError, AttributeError, KeyError, IndexError) as error:
        raise GeometryError("The frames of the DICOM segmentation lie on no regular grid. Export it again.") from error
    affine = np.asarray(volume.affine)[:, [2, 1, 0, 3]]
    return names, Volume(np.asarray(volume.array).astype(np.int64), affine)


def _frames_of_reference(series: Path, segmentation: Path) -> set[str]:
    """Returns the frames of reference of the images in a folder."""
    from pydicom.errors import InvalidDicomError

    from KidneySegLib.readers.dicom.finding.scan import files_below, is_dicom_file
    from KidneySegLib.readers.dicom.images.opening import open_dicom

    found = set()
    for path in files_below(series)[0]:
        if path != segmentation and is_dicom_file(path):
            try:
                header = open_dicom(path, stop_before_pixels=True, specific_tags=["FrameOfReferenceUID"])
            except (InvalidDicomError, OSError, ValueError):
                continue
            found.add(str(header.get("FrameOfReferenceUID", "")))
    return found - {""}
