"""Whether an image is ultrasound: its modality says so, or its class where the modality says nothing."""

from KidneySegLib.readers.dicom.images.frames import FrameHeader

ULTRASOUND = "US"
# Converters and frame grabbers leave the modality empty or write OT (other).
_SILENT = frozenset({"", "OT"})
# Ultrasound Image Storage and Ultrasound Multi-frame Image Storage, each followed by its retired forerunner.
_CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.6.1",
        "1.2.840.10008.5.1.4.1.1.6",
        "1.2.840.10008.5.1.4.1.1.3.1",
        "1.2.840.10008.5.1.4.1.1.3",
    }
)


def modality_of(frame: FrameHeader) -> str:
    """Returns the modality of an image; of one that names none, ``US`` if its class is that of ultrasound images."""
    return ULTRASOUND if frame.modality in _SILENT and frame.sop_class_uid in _CLASSES else frame.modality
