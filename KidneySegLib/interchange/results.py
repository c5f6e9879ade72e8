"""All DICOM results of a run, written as a whole or not at all."""

from collections.abc import Collection
from pathlib import Path

from pydicom.dataset import Dataset

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings
from KidneySegLib.interchange.encapsulated_pdf import encapsulate_pdf
from KidneySegLib.interchange.measurement_groups import Drawn
from KidneySegLib.interchange.planes import Planes, align
from KidneySegLib.interchange.report import make_report, make_viewer_report
from KidneySegLib.interchange.segmentation import make_segmentation
from KidneySegLib.interchange.segments import parts_of, plan_segments
from KidneySegLib.interchange.source_images import SourceImages, read_source_images
from KidneySegLib.interchange.view_images import ViewImage, read_view_image
from KidneySegLib.interchange.view_results import view_results
from KidneySegLib.measuring.correction import corrections
from KidneySegLib.publishing import complaints, partial_folder
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom
from KidneySegLib.result_files.folder import check_folder, put_in_place
from KidneySegLib.result_files.marks import mark_dataset, mark_of_pdf, result_identity
from KidneySegLib.result_files.names import DICOM_FILES
from KidneySegLib.result_files.result import Result

FILES = SEGMENTATION, MEASUREMENTS, DIAMETERS, REPORT = DICOM_FILES


def write_dicom_results(
    folder: Path,
    result: Result,
    source: Path | SourceImages,
    *,
    corrected: Collection[str] = (),
    per_lesion: bool = False,
    labelmap: bool = False,
    pdf: bytes | None = None,
) -> list[Path]:
    """Writes segmentation, measurements and, if it is given, the report as DICOM files of the images' study.

    All identifiers are new with every call, so that an archive takes each export as a result of its own. The files
    replace those of an earlier export in the folder; what was made of another result goes, files of others stay.

    Args:
        folder: made if it does not exist.
        result: what is written; its image is not needed.
        source: folder or one file of the DICOM series that was segmented, or its images as ``read_source_images`` gives
            them.
        corrected: keys of the structures that a reader corrected, besides those that the findings name.
        per_lesion: one segment per lesion and stone instead of one per structure and side.
        labelmap: writes the newer SOP class Label Map Segmentation instead of Segmentation.
        pdf: a report.

    Returns:
        The files, in the order of ``FILES``; ``report.pdf.dcm`` if a report was given, ``viewer_diameters.sr.dcm`` if
        the image does not cut the diameters of all findings.
        Where nothing is outlined the report stands alone: it says so, and DICOM knows no empty segmentation.

    Raises:
        InputError: the series is not the one that was segmented or is incomplete, nothing is outlined and no
            report given, or labels, findings and report do not belong together.
        GeometryError: the label map does not lie on the series.
        OutputError: the files cannot be written, would lie beside another result, or would replace such as KidneySeg
            did not write.
    """
    segmentation, findings = result.segmentation, result.findings
    identity = result_identity(findings)
    folder = folder.absolute()
    check_folder(folder, FILES, identity)
    if pdf is not None and mark_of_pdf(pdf) not in (None, "", identity):
        raise InputError("The report was made from another result. Give the one of this result, or make it again.")
    changed = {*corrected, *corrections(findings)}
    outlined = bool(segmentation.labels.any()) or pdf is None
    with quiet_pydicom():
        if findings.in_patient:
            images = source if isinstance(source, SourceImages) else read_source_images(source, findings)
            headers = images.datasets
            planes = align(segmentation.label_map, images)
            found = _placed_results(result, planes, images, changed, per_lesion, labelmap) if outlined else {}
        else:
            if labelmap:
                raise InputError("Of an ultrasound image there is no Label Map Segmentation. Leave out --labelmap.")
            image = _view_image(source, findings)
            headers = (image.dataset,)
            found = _view_results(result, image, changed) if outlined else {}
        made = found if pdf is None else {**found, REPORT: encapsulate_pdf(pdf, headers)}
        with complaints(), partial_folder(folder) as partial:
            for name, item in made.items():
                mark_dataset(item, identity)
                item.save_as(partial / name, enforce_file_format=True)
            put_in_place(partial, folder, FILES, identity, linked=True)
    return [folder / name for name in made]


def _view_image(source: Path | SourceImages, findings: Findings) -> ViewImage:
    """Returns the image of an ultrasound result; it has no place by which a series is put in order."""
    if isinstance(source, SourceImages):
        raise InputError("The result is of an ultrasound image. Give the file of that image.")
    return read_view_image(source, findings)


def _view_results(result: Result, image: ViewImage, corrected: Collection[str]) -> dict[str, Dataset]:
    """Returns segmentation and reports of an ultrasound image."""
    segmentation, report, diameters = view_results(result.segmentation, result.findings, image, corrected=corrected)
    made: dict[str, Dataset] = {SEGMENTATION: segmentation, MEASUREMENTS: report}
    if diameters is not None:
        made[DIAMETERS] = diameters
    return made


def _placed_results(
    result: Result,
    planes: Planes,
    images: SourceImages,
    corrected: Collection[str],
    per_lesion: bool,
    labelmap: bool,
) -> dict[str, Dataset]:
    """Returns segmentation and reports of images that have a place in the patient."""
    findings = result.findings
    parts = parts_of(result.segmentation, findings)
    segments = plan_segments(
        parts,
        result.segmentation.labels.shape,
        per_lesion=per_lesion,
        corrected=corrected,
        sides_certain=findings.sides_certain,
    )
    dataset = make_segmentation(segments, planes, images, findings, labelmap=labelmap)
    drawn = Drawn(segments, dataset, planes, images)
    made: dict[str, Dataset] = {SEGMENTATION: dataset, MEASUREMENTS: make_report(parts, drawn, findings)}
    if (diameters := make_viewer_report(parts, drawn, findings)) is not None:
        made[DIAMETERS] = diameters
    return made
