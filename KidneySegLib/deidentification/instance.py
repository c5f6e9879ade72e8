"""One DICOM file: what it is, whether it can be cleaned at all, and its clean copy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from KidneySegLib.deidentification.dataset import Cleaner, without_own_words
from KidneySegLib.deidentification.identity import Identity
from KidneySegLib.deidentification.pixel_bytes import clean_pixels, embedded_overlays
from KidneySegLib.errors import InputError, ResourceError
from KidneySegLib.readers.dicom.finding.scan import MEDIA_DIRECTORY, quiet_pydicom
from KidneySegLib.readers.dicom.images.opening import open_dicom

if TYPE_CHECKING:
    from pydicom import FileDataset

_STANDARD_CLASSES = "1.2.840.10008.5.1.4.1.1."
_ENCAPSULATED_DOCUMENT = "1.2.840.10008.5.1.4.1.1.104."


class FileLeftOut(Exception):  # noqa: N818  (no error: the file is left out, and the user is told)
    """Why a file has no copy: the end of the sentence "N files were left out: ..."."""


def read_instance(path: Path, *, pixels: bool) -> FileDataset:
    """Reads a DICOM file.

    Raises:
        LeftOut: it cannot be read, or it is of a kind that cannot be cleaned.
    """
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    try:
        with quiet_pydicom():
            dataset = open_dicom(path, force=True, stop_before_pixels=not pixels)
            sop_class = str(dataset.get("SOPClassUID", ""))
            has_instance = bool(dataset.get("SOPInstanceUID"))
            directory = str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) == MEDIA_DIRECTORY
            if "TransferSyntaxUID" not in dataset.file_meta:
                implicit = dataset.original_encoding[0]
                dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    except Exception as error:  # a damaged file makes pydicom raise nearly anything
        raise FileLeftOut("damaged DICOM files") from error
    if directory:
        raise FileLeftOut("DICOMDIR (a list with patients' names)")
    if not sop_class or not has_instance:
        raise FileLeftOut("DICOM files that are damaged or lack the identifiers that DICOM demands")
    if sop_class.startswith(_ENCAPSULATED_DOCUMENT):
        raise FileLeftOut("documents inside DICOM, such as PDF, whose text cannot be cleaned")
    if not sop_class.startswith(_STANDARD_CLASSES):
        raise FileLeftOut("DICOM objects of a kind that the standard does not know")
    return dataset


def write_clean(dataset: FileDataset, path: Path, cleaner: Cleaner, patient: str, identity: Identity) -> None:
    """Cleans a data set and writes it, pixels and their transfer syntax as they were.

    Args:
        dataset: as read, with pixels; it is changed.
        path: the new file.
        cleaner: of this run.
        patient: what tells the patient from others.
        identity: values that must not stay anywhere, the file's bytes are searched for them at the end.

    Raises:
        LeftOut: the data set cannot be cleaned.
        OSError: the file cannot be written.
    """
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    try:
        with quiet_pydicom():
            overlays = embedded_overlays(dataset)
            cleaner.clean(dataset, patient, identity)
            clean_pixels(dataset, overlays=overlays)
            meta.MediaStorageSOPClassUID = dataset.SOPClassUID
            meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.file_meta = meta
            dataset.preamble = b"\0" * 128
            dataset.save_as(path, enforce_file_format=True)
    except (OSError, ResourceError):
        raise
    except InputError as error:
        raise FileLeftOut("images compressed or drawn into in a way that cannot be searched for text") from error
    except Exception as error:  # an odd value makes pydicom raise nearly anything
        raise FileLeftOut("DICOM files whose content is not valid") from error
    if identity.is_in_bytes(without_own_words(path.read_bytes())):
        path.unlink()
        raise FileLeftOut("files that hold an identifying value where it cannot be removed")
