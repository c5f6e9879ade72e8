"""Reading one axial CT image as a volume of one slice."""

from pathlib import Path

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.exam import Exam
from KidneySegLib.readers.dicom.ct import source_of_images
from KidneySegLib.readers.dicom.finding.choice import image_problem
from KidneySegLib.readers.dicom.finding.scan import read_headers, scan
from KidneySegLib.readers.dicom.finding.series import Kind, SeriesFiles
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.images.geometry import image_axes
from KidneySegLib.readers.dicom.pixels.decoding import PixelReader, decide_rescale, storage_flags
from KidneySegLib.readers.dicom.pixels.hounsfield import check_values
from KidneySegLib.volume import Volume

# Extent along the slice's normal where the header states none; it keeps the grid valid and measures nothing.
PLACEHOLDER_MM = 1.0


def read_ct_image(path: Path) -> Exam:
    """Reads one CT image in Hounsfield units, array ``(1, j, i)``.

    ``source.slice_thickness`` is None where the header does not state the thickness; the grid then has a placeholder
    of 1 mm along the normal.

    Args:
        path: one DICOM file (other files of its series are not looked at), or a folder that holds just one.

    Raises:
        InputError: there are several images, or it is not an axial CT image with a place in the patient.
    """
    frame = _only_image(path)
    series = SeriesFiles((frame,))
    sentence = image_problem(series)
    if sentence is not None:
        raise InputError(sentence)
    if series.kind is not Kind.SLICES or not series.is_axial:
        raise InputError("The image is not an axial slice. The 2D pipeline takes axial slices only: choose one.")
    reader = PixelReader()
    rescale, flags = decide_rescale([frame], reader)
    voxels = reader.hounsfield(frame, rescale)[None]
    flags = [*flags, *storage_flags([frame], voxels), *check_values(voxels)]
    source = source_of_images(frame, [frame], resampled=False)
    return Exam(Volume(voxels, _matrix(frame)), flags, source)


def _only_image(path: Path) -> FrameHeader:
    frames = scan(path)[0] if path.is_dir() else read_headers(path)
    images = [frame for frame in frames if frame.rows and frame.columns]
    if not images:
        raise InputError("No DICOM image was found. Choose the file of one axial CT slice.")
    if len(images) > 1:
        raise InputError(
            "There are {count} images, but the 2D pipeline takes one slice. Choose the file of one slice, "
            "or segment the whole series with --task ct.",
            count=len(images),
        )
    return images[0]


def _matrix(frame: FrameHeader) -> np.ndarray:
    """Returns the image's 4x4 matrix from ``(i, j, k, 1)`` to mm LPS."""
    assert frame.pixel_spacing is not None and frame.position is not None  # image_problem has looked
    row, column, normal = image_axes(frame)
    thickness = frame.thickness if frame.thickness and frame.thickness > 0 else PLACEHOLDER_MM
    matrix = np.eye(4)
    matrix[:3, 0] = row * frame.pixel_spacing[1]
    matrix[:3, 1] = column * frame.pixel_spacing[0]
    matrix[:3, 2] = normal * thickness
    matrix[:3, 3] = frame.position
    return matrix
