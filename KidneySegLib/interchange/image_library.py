"""The images that a report's lines lie on, as its image library describes them (PS3.16 TID 1600 to 1604)."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.dataset import Dataset

from KidneySegLib.interchange.source_images import SourceImages


def library_entries(places: Iterable[int], source: SourceImages) -> list[Dataset]:
    """Returns what an image library says of images, each once, ascending.

    highdicom describes an image by its header, which may hold what does not belong there (a negative spacing), or hold
    it elsewhere (one position for each frame); so it gets what the reader understood.

    Args:
        places: numbers of the images in ``source.frames``, in any order.
        source: the images.
    """
    headers = {str(dataset.SOPInstanceUID): dataset for dataset in source.datasets}
    entries = {}
    for place in sorted(set(places)):
        frame, entry = source.frames[place], Dataset()
        entry.SOPClassUID, entry.SOPInstanceUID = frame.sop_class_uid, frame.sop_instance_uid
        entry.FrameOfReferenceUID = frame.frame_of_reference_uid
        entry.Rows, entry.Columns = frame.rows, frame.columns
        entry.Modality = ""  # position and spacing are asked for with a modality only; a multi-frame image has many
        if not frame.multiframe:
            entry.Modality = frame.modality
            entry.ImagePositionPatient = list(frame.position or ())
            entry.ImageOrientationPatient = list(frame.orientation or ())
            entry.PixelSpacing = list(frame.pixel_spacing or ())
            entry.SliceThickness = headers[frame.sop_instance_uid].SliceThickness
        entries[frame.sop_instance_uid] = entry
    return list(entries.values())
