"""A report as a DICOM file: PDF in the Encapsulated PDF SOP class (PS3.3 A.45.1)."""

import datetime
from collections.abc import Sequence

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from KidneySegLib.errors import InputError
from KidneySegLib.interchange import algorithm

SERIES_NUMBER, TITLE = 9003, "KidneySeg report"
# Copied from the images where they are there: Patient, General Study and Patient Study modules (PS3.3 C.7.1, C.7.2).
# fmt: off
INHERITED = (
    "SpecificCharacterSet", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "OtherPatientIDsSequence", "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "StudyInstanceUID", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber",
    "IssuerOfAccessionNumberSequence", "StudyDescription", "PatientAge", "PatientSize", "PatientWeight",
)
# fmt: on


def encapsulate_pdf(pdf: bytes, source_datasets: Sequence[Dataset]) -> FileDataset:
    """Wraps a PDF as a DICOM instance of the study that its images are from.

    Args:
        pdf: the file's content.
        source_datasets: headers of the images, as ``SourceImages.datasets`` has them.

    Raises:
        InputError: it is not a PDF.
    """
    if not pdf.startswith(b"%PDF-"):
        raise InputError("The report is not a PDF file. Give a PDF.")
    series = algorithm.new_series(SERIES_NUMBER, TITLE)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    meta.MediaStorageSOPInstanceUID = series["sop_instance_uid"]
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword in INHERITED:
        if keyword in source_datasets[0]:
            dataset.add(source_datasets[0][keyword])
    dataset.SOPClassUID = EncapsulatedPDFStorage
    dataset.SOPInstanceUID = series["sop_instance_uid"]
    dataset.SeriesInstanceUID = series["series_instance_uid"]
    dataset.SeriesNumber = series["series_number"]
    dataset.SeriesDescription = series["series_description"]
    dataset.InstanceNumber = series["instance_number"]
    dataset.ContentQualification = series["content_qualification"]
    _describe(dataset)
    dataset.SourceInstanceSequence = [_reference(source) for source in source_datasets]
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocumentLength = len(pdf)
    dataset.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return dataset


def _describe(dataset: Dataset) -> None:
    """Adds equipment and what the document is (PS3.3 C.24.1, C.24.2, C.7.5.1)."""
    now = datetime.datetime.now()
    equipment = algorithm.equipment()
    dataset.Modality = "DOC"
    dataset.ConversionType = "WSD"  # workstation
    dataset.Manufacturer = equipment["manufacturer"]
    dataset.ManufacturerModelName = equipment["manufacturer_model_name"]
    dataset.SoftwareVersions = equipment["software_versions"]
    dataset.InstanceCreationDate = dataset.ContentDate = now.strftime("%Y%m%d")
    dataset.InstanceCreationTime = dataset.ContentTime = now.strftime("%H%M%S")
    dataset.AcquisitionDateTime = ""  # of the document's data: unknown
    dataset.BurnedInAnnotation = "YES"
    dataset.DocumentTitle = TITLE
    dataset.ConceptNameCodeSequence = []


def _reference(source: Dataset) -> Dataset:
    """Returns an item of the Source Instance Sequence."""
    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    return item
