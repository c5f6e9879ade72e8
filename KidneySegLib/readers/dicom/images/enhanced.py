"""Multi-frame images: one header per frame (Enhanced CT, PS3.3 A.38 and C.7.6.16).

What a frame says in its own functional groups goes before what all frames share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from KidneySegLib.errors import InputError
from KidneySegLib.readers.dicom.images.frames import FrameHeader, integer, number, numbers, text, texts

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SMALLEST_FRAME = 8  # bytes


def frame_headers(dataset: Dataset, common: FrameHeader) -> list[FrameHeader]:
    """Returns one header per frame; a frame without functional groups keeps what the file's top level says.

    Raises:
        InputError: the number of frames contradicts the functional groups or the size of the file.
    """
    shared = _first_item(dataset, "SharedFunctionalGroupsSequence")
    own = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])
    count = integer(dataset, "NumberOfFrames") or len(own) or 1
    # a frame takes at least the head of its item, however well it is compressed
    if (own and len(own) != count) or not 0 < count <= common.path.stat().st_size // _SMALLEST_FRAME:
        raise InputError("The number of frames in the DICOM file is wrong. Copy or export it again.")
    return [_frame_header(common, index, item, shared) for index, item in enumerate(own or [None] * count)]


def _frame_header(common: FrameHeader, index: int, own: Dataset | None, shared: Dataset | None) -> FrameHeader:
    from pydicom.dataset import Dataset as EmptyDataset

    def macro(keyword: str) -> Dataset:
        return _first_item(own, keyword) or _first_item(shared, keyword) or EmptyDataset()

    content = macro("FrameContentSequence")
    measures = macro("PixelMeasuresSequence")
    values = macro("PixelValueTransformationSequence")
    acquisition_number = integer(content, "FrameAcquisitionNumber")
    temporal_position = integer(content, "TemporalPositionIndex")
    return replace(
        common,
        frame=index,
        instance_number=index + 1,
        position=numbers(macro("PlanePositionSequence"), "ImagePositionPatient", 3) or common.position,
        orientation=numbers(macro("PlaneOrientationSequence"), "ImageOrientationPatient", 6) or common.orientation,
        pixel_spacing=numbers(measures, "PixelSpacing", 2) or common.pixel_spacing,
        thickness=number(measures, "SliceThickness") or common.thickness,
        slope=_either(number(values, "RescaleSlope"), common.slope),
        intercept=_either(number(values, "RescaleIntercept"), common.intercept),
        rescale_type=text(values, "RescaleType").upper() or common.rescale_type,
        image_type=texts(macro("CTImageFrameTypeSequence"), "FrameType") or common.image_type,
        acquisition_number=common.acquisition_number if acquisition_number is None else acquisition_number,
        temporal_position=common.temporal_position if temporal_position is None else temporal_position,
        acquisition_time=text(content, "FrameAcquisitionDateTime") or common.acquisition_time,
        kernel=text(macro("CTReconstructionSequence"), "ConvolutionKernel") or common.kernel,
        kvp=_either(number(macro("CTXRayDetailsSequence"), "KVP"), common.kvp),
        tilt=_either(number(macro("CTGeometrySequence"), "GantryDetectorTilt"), common.tilt),
        body_part=_anatomy(macro("FrameAnatomySequence")) or common.body_part,
    )


def _first_item(dataset: Dataset | None, keyword: str) -> Dataset | None:
    sequence = dataset.get(keyword) if dataset is not None else None
    return sequence[0] if sequence else None


def _either(own: float | None, common: float | None) -> float | None:
    return common if own is None else own


def _anatomy(item: Dataset) -> str:
    region = _first_item(item, "AnatomicRegionSequence")
    return text(region, "CodeMeaning").upper() if region is not None else ""
