"""A label map as a DICOM segmentation (PS3.3 A.51, binary, or A.91, label map)."""

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.content import PixelMeasuresSequence, PlaneOrientationSequence, PlanePositionSequence
from highdicom.seg import Segmentation, SegmentDescription
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, RLELossless
from pydicom.valuerep import DSfloat

from KidneySegLib.findings import Findings
from KidneySegLib.interchange import algorithm
from KidneySegLib.interchange.codes import ARTIFICIAL_INTELLIGENCE, category, concept
from KidneySegLib.interchange.planes import Planes
from KidneySegLib.interchange.segments import Segment, Segments
from KidneySegLib.interchange.source_images import SourceImages
from KidneySegLib.structures import SIDE_CODES

SERIES_NUMBER = 9001


def make_segmentation(
    segments: Segments, planes: Planes, source: SourceImages, findings: Findings, *, labelmap: bool
) -> Segmentation:
    """Makes a DICOM segmentation; only frames that hold something are in it.

    Args:
        segments: what is in it.
        planes: where its slices lie.
        source: the images that it was made from.
        findings: how it came about.
        labelmap: the SOP class Label Map Segmentation, with one run-length encoded frame per slice; otherwise
            Segmentation with binary frames, one per slice and segment, which more programs read.
    """
    numbers = planes.order.apply(segments.numbers)
    filled = np.flatnonzero(numbers.any(axis=(1, 2)))
    first, last = int(filled[0]), int(filled[-1])
    x, y, z = planes.grid.spacing
    direction = planes.grid.direction
    segmentation = Segmentation(
        source_images=source.datasets,
        pixel_array=np.ascontiguousarray(numbers[first : last + 1]),
        segmentation_type="LABELMAP" if labelmap else "BINARY",
        segment_descriptions=[segment_description(segment, findings) for segment in segments.items],
        plane_positions=[PlanePositionSequence("PATIENT", planes.position(k)) for k in range(first, last + 1)],
        plane_orientation=PlaneOrientationSequence("PATIENT", [*direction[:, 0], *direction[:, 1]]),
        pixel_measures=PixelMeasuresSequence(pixel_spacing=(y, x), slice_thickness=z, spacing_between_slices=z),
        transfer_syntax_uid=RLELossless if labelmap else ExplicitVRLittleEndian,
        content_label="KIDNEYS",
        content_description=algorithm.STATEMENT,
        **algorithm.new_series(SERIES_NUMBER, "KidneySeg segmentation"),
        **algorithm.equipment(),
    )
    # highdicom takes it from the images, where it can be negative, or wrong for a volume with slices filled in
    measures = segmentation.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.SpacingBetweenSlices = DSfloat(z, auto_format=True)
    refer_to_images(segmentation, planes, source)
    return segmentation


def segment_description(segment: Segment, findings: Findings) -> SegmentDescription:
    """Returns what a segment is, by which program it was made and how it is followed."""
    structure = segment.structure
    description = SegmentDescription(
        segment_number=segment.number,
        segment_label=segment.label,
        segmented_property_category=concept(category(structure)),
        segmented_property_type=concept(structure.type),
        algorithm_type="SEMIAUTOMATIC" if segment.corrected else "AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            name=algorithm.NAME,
            family=concept(ARTIFICIAL_INTELLIGENCE),
            version=findings.provenance.kidneyseg_version,
            source=algorithm.NAME,
            parameters=algorithm.parameters(findings),
        ),
        tracking_id=segment.tracking.identifier,
        tracking_uid=segment.tracking.uid,
        anatomic_regions=[concept(segment.region)] if segment.region else None,
        display_color=CIELabColor.from_rgb(*structure.colour),
    )
    description.SegmentAlgorithmName = algorithm.title(findings)
    if segment.side is None:  # no side is claimed that the anatomy contradicts
        return description
    side = concept(SIDE_CODES[segment.side])
    if segment.region:
        description.AnatomicRegionSequence[0].AnatomicRegionModifierSequence = [side]
    else:
        description.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [side]
    return description


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
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID, frame = source.frames[image].reference
    if frame is not None:
        reference.ReferencedFrameNumber = frame[0]
    reference.SpatialLocationsPreserved = "YES"
    purpose = codes.cid7202.SourceImageForImageProcessingOperation
    reference.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(purpose)]
    item = Dataset()
    item.DerivationCodeSequence = [CodedConcept.from_code(codes.cid7203.SegmentationImageDerivation)]
    item.SourceImageSequence = [reference]
    return item
