"""The sample as a DICOM CT series (PS3.3 A.3, CT Image IOD)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib import __version__
from KidneySegLib.sample.phantom import PIXEL_SPACING, PIXELS, Scan
from KidneySegLib.sample.tissues import Phase

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PATIENT_NAME = "PHANTOM^KIDNEYSEG"
# Stored values are unsigned 12-bit, as scanners have them; HU = stored value + RESCALE_INTERCEPT.
RESCALE_INTERCEPT = -1024


class SeriesWriter:
    """Writes one series, slice by slice.

    Every series gets new unique identifiers under the root 2.25 (PS3.5 B.2), so that two samples never clash.

    Args:
        folder: an existing folder.
        scan: where the slices lie.
        phase: contrast phase, named in the series.
    """

    def __init__(self, folder: Path, scan: Scan, phase: Phase) -> None:
        """Prepares what all slices share."""
        from pydicom.uid import generate_uid

        self._folder = folder
        self._scan = scan
        self._new_uid: Callable[[], str] = lambda: generate_uid(prefix=None)
        self._common = self._study_and_series(phase)

    def _study_and_series(self, phase: Phase) -> Dataset:
        from pydicom.dataset import Dataset
        from pydicom.uid import CTImageStorage

        now = datetime.datetime.now()
        enhanced = phase is not Phase.NON_CONTRAST
        ds = Dataset()
        ds.SOPClassUID = CTImageStorage
        ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = PATIENT_NAME, "PHANTOM", "", "O"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = (self._new_uid() for _ in range(3))
        ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = now.strftime("%Y%m%d")
        ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = now.strftime("%H%M%S")
        ds.AccessionNumber, ds.ReferringPhysicianName, ds.StudyID = "", "", "1"
        ds.StudyDescription = "Synthetic abdomen, not a patient"
        ds.SeriesDescription = f"Abdomen {phase.value}, synthetic"
        ds.Modality, ds.SeriesNumber, ds.AcquisitionNumber = "CT", 2, 1
        ds.Manufacturer, ds.ManufacturerModelName = "KidneySeg", "Phantom"
        ds.SoftwareVersions = __version__
        ds.BodyPartExamined, ds.PatientPosition, ds.PositionReferenceIndicator = "ABDOMEN", "HFS", ""
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.KVP, ds.ConvolutionKernel = 120, "STANDARD"
        if enhanced:
            ds.ContrastBolusAgent = "Iodine"
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing = [PIXEL_SPACING, PIXEL_SPACING]
        ds.SliceThickness = ds.SpacingBetweenSlices = round(self._scan.spacing, 4)
        ds.Rows = ds.Columns = PIXELS
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 12, 11
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = RESCALE_INTERCEPT, 1, "HU"
        ds.WindowCenter, ds.WindowWidth = 40, 400
        return ds

    def write(self, number: int, hu: np.ndarray) -> None:
        """Writes the slice ``number`` (from the feet, from 0); ``hu`` is int16 ``(j, i)`` in -1024..3071.

        Raises:
            OSError: the file cannot be written.
        """
        import copy

        from pydicom.dataset import FileDataset, FileMetaDataset
        from pydicom.uid import ExplicitVRLittleEndian

        ds = copy.copy(self._common)
        ds.SOPInstanceUID = self._new_uid()
        # scanners number the slices of an abdomen from the head
        ds.InstanceNumber = self._scan.slices - number
        x, y, z = self._scan.origin
        height = z + number * self._scan.spacing
        ds.ImagePositionPatient = [round(x, 4), round(y, 4), round(height, 4)]
        ds.SliceLocation = round(height, 4)
        ds.PixelData = (hu - RESCALE_INTERCEPT).astype("<u2").tobytes()
        ds["PixelData"].VR = "OW"

        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = self._folder / f"IM{ds.InstanceNumber:04d}.dcm"
        FileDataset(str(path), ds, file_meta=meta, preamble=b"\0" * 128).save_as(path, enforce_file_format=True)
