"""References from the frames of a segmentation to the images that they lie on.

highdicom finds them by position, but only where every slice has its image to a thousandth of a millimetre. Where a
slice is missing from the series, or positions are rounded, the reader knows the images all the same.
"""

from __future__ import annotations

import numpy as np
from highdicom.seg import Segmentation
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from KidneySegLib.interchange.planes import Planes
from KidneySegLib.interchange.source_images import SourceImages


def refer_to_images(segmentation: Segmentation, planes: Planes, source: SourceImages) -> None:
    """Adds a reference to the image of each frame that has none; frames between images keep none."""
    normal = planes.grid.ijk_to_lps[:3, 2] / planes.grid.spacing[2] ** 2
    for item in segmentation.PerFrameFunctionalGroupsSequence:
        if item.DerivationImageSequence:
            continue
        position = np.array(item.PlanePositionSequence[0].ImagePositionPatient, dtype=np.float64)
        image = planes.image_of[round(float((position - planes.position(0)) @ normal))]
        if image is not None:
            item.DerivationImageSequence = [_derivation(source, image)]


def _derivation(source: SourceImages, image: int) -> Dataset:
    """Returns an item of the Derivation Image Sequence (PS3.3 C.7.6.16.2.6)."""
    frame = source.frames[image]
    reference = Dataset()
    reference.ReferencedSOPClassUID = frame.sop_class_uid
    reference.ReferencedSOPInstanceUID = frame.sop_instance_uid
    if frame.multiframe:
        reference.ReferencedFrameNumber = frame.frame + 1
    reference.SpatialLocationsPreserved = "YES"
    purpose = codes.cid7202.SourceImageForImageProcessingOperation
    reference.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(purpose)]
    item = Dataset()
    item.DerivationCodeSequence = [CodedConcept.from_code(codes.cid7203.SegmentationImageDerivation)]
    item.SourceImageSequence = [reference]
    return item
