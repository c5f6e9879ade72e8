"""A result: exam, segmentation and findings, and the folder that holds it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib import __version__
from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.exam import Exam, Units
from KidneySegLib.findings import Findings, InputRecord, KidneyView
from KidneySegLib.measuring.instance_map import by_candidate_map, by_instance_map, candidate_map, instance_map
from KidneySegLib.measuring.instances import Instance, Segmentation
from KidneySegLib.pictures.overview import draw_overview
from KidneySegLib.publishing import complaints, partial_folder
from KidneySegLib.result_files.folder import check_folder, put_in_place
from KidneySegLib.result_files.labels.files import write_nifti, write_segmentation
from KidneySegLib.result_files.labels.reading import on_grid
from KidneySegLib.result_files.names import CANDIDATE_TABLE, CANDIDATES, FINDINGS, INSTANCES, LABELS, RESULT_FILES
from KidneySegLib.result_files.tables import write_candidates, write_measurements
from KidneySegLib.volume import Volume, read_image

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

# Findings give means with one decimal.
TOLERANCE_HU = 0.1


@dataclass(frozen=True)
class Result:
    """What a run gives, and what everything after it reads.

    Attributes:
        exam: the image; None where the result was read from its folder, which holds no image.
        segmentation: what was drawn in it.
        findings: measures, flags, provenance.
    """

    exam: Exam | None
    segmentation: Segmentation
    findings: Findings

    @property
    def image(self) -> Exam:
        """The exam.

        Raises:
            InputError: the image was not read with the result.
        """
        if self.exam is None:
            raise InputError("The image of the result is needed. Give the image that was segmented.")
        return self.exam

    @property
    def _views(self) -> tuple[Instance, ...]:
        """The instances of the views, in their order."""
        instances = self.segmentation.like(self.findings).instances
        return instances[len(self.findings.placed) :]

    def write(self, folder: Path) -> list[Path]:
        """Writes label maps, table, picture and findings into a folder.

        Everything is first written into a hidden partial folder and moved to its place at the end. Files of an earlier
        result are replaced, its report and DICOM files go, files of others stay; after a failure or an interruption
        nothing half-written is left.

        Args:
            folder: the result folder; made if it does not exist.

        Returns:
            The files, in the order of ``RESULT_FILES``.

        Raises:
            GeometryError: the grid is sheared.
            OutputError: the files cannot be written, or would replace such as KidneySeg did not write.
        """
        exam, labels = self.image, self.segmentation.labels
        stored, certain = exam.in_stored_order(labels), self.findings.sides_certain
        folder = folder.absolute()
        check_folder(folder, RESULT_FILES)
        with complaints(), partial_folder(folder) as partial:
            write_nifti(partial / LABELS, exam.stored, stored)
            numbers = instance_map(self.segmentation)
            write_nifti(partial / INSTANCES, numbers, numbers.voxels)
            maker = f"KidneySeg {__version__}"
            possible = candidate_map(self.segmentation)
            write_nifti(partial / CANDIDATES, possible, possible.voxels)
            write_segmentation(partial / "segmentation.seg.nrrd", exam.stored, stored, maker, sides_certain=certain)
            write_measurements(partial / "measurements.csv", self.findings)
            write_candidates(partial / CANDIDATE_TABLE, self.findings)
            picture = draw_overview(exam.volume, labels, self.findings)
            picture.save(partial / "overview.png", compress_level=4, pnginfo=_maker())
            (partial / FINDINGS).write_text(self.findings.to_json(), encoding="utf-8")
            put_in_place(partial, folder, RESULT_FILES)
        return [folder / name for name in RESULT_FILES]

    @classmethod
    def read(cls, folder: Path) -> Result:
        """Reads label map and findings of a result folder.

        The grid is the findings' own: a NIfTI file read by ITK has lost what little its axes deviate from right angles.

        Raises:
            InputError: it is not a complete result folder, a file in it is damaged, or the label map was changed after
                it was measured.
            GeometryError: the label map lies on another grid than the image that was segmented.
        """
        if not (folder / FINDINGS).is_file() or not (folder / LABELS).is_file():
            raise InputError(
                "This is not a complete result: {findings} and {labels} must lie in one folder. Give the folder "
                "that 'kidneyseg segment' wrote.",
                findings=FINDINGS,
                labels=LABELS,
            )
        findings = Findings.read(folder / FINDINGS)
        labels = read_image(folder / LABELS)
        if labels.voxels.dtype != np.uint8:
            raise InputError("The label map was written by another program. Measure it with 'kidneyseg measure' first.")
        label_map = Volume(labels.voxels, _grid(findings.provenance.input, labels)).canonical()
        # without an instance map it is of an earlier version; one that does not fit was changed by somebody since
        segmentation = _by_instances(folder / INSTANCES, label_map, findings) or _by_labels(label_map, findings)
        numbers = _numbers(folder / CANDIDATES, label_map)
        if numbers is not None:
            segmentation = replace(segmentation, candidates=by_candidate_map(numbers, findings))
        return cls(None, segmentation, findings)

    def with_exam(self, exam: Exam) -> Result:
        """Returns the result with its image, whose estimated values are moved to the scale that the run found.

        Args:
            exam: the image, as it was read for the run.

        Raises:
            InputError: it is another image.
            GeometryError: it lies elsewhere.
        """
        if exam.volume.voxels.shape != self.segmentation.labels.shape:
            raise InputError(
                "The image has another size than the result's label map. Give the image that was segmented."
            )
        on_grid(self.segmentation.label_map, exam.volume)
        bodies = self.segmentation.kidneys
        apart = [
            kidney.measures.hu_mean - exam.volume.voxels[bodies[kidney.side].box][bodies[kidney.side].mask].mean()
            for kidney in self.findings.kidneys
        ]
        apart += [
            _grey_apart(view, instance, exam) for view, instance in zip(self.findings.views, self._views, strict=True)
        ]
        # the run moves estimated values by whole numbers
        offset = round(apart[0]) if apart and exam.units is Units.ESTIMATED_HU else 0
        if any(abs(difference - offset) > TOLERANCE_HU for difference in apart):
            raise InputError("The image is not the one that was segmented: its densities differ. Give that one.")
        return Result(exam.moved(offset), self.segmentation, self.findings)


def _grey_apart(view: KidneyView, instance: Instance, exam: Exam) -> float:
    """Returns how far the grey values of an ultrasound view are from those of an image."""
    box, mask = instance.body.box, instance.body.mask
    k = view.slice - box[0].start
    if not 0 <= k < len(mask) or not mask[k].any():
        raise InputError("The findings are not those of this label map. Segment the image again.")
    return view.measures.grey_mean - float(exam.volume.voxels[view.slice][box[1:]][mask[k]].mean())


def _by_instances(path: Path, label_map: Volume, findings: Findings) -> Segmentation | None:
    numbers = _numbers(path, label_map)
    return by_instance_map(label_map, numbers, findings) if numbers is not None else None


def _numbers(path: Path, label_map: Volume) -> np.ndarray | None:
    """Returns a map of instances on the whole grid; None where there is none, or it is damaged or of another image."""
    if not path.is_file():
        return None
    try:
        stored = read_image(path)
        return on_grid(stored, label_map) if stored.voxels.dtype == np.uint16 else None
    except InputError:
        return None


def _by_labels(label_map: Volume, findings: Findings) -> Segmentation:
    """Takes a label map apart by its labels alone, and checks that it is what the findings were measured on."""
    try:
        return Segmentation.of(label_map, label_map.voxels).like(findings)
    except InputError as error:
        raise InputError(
            "The label map was changed after it was measured. Run 'kidneyseg measure' on it, into another folder; "
            "its --findings needs the network's result as it was written."
        ) from error


def _grid(record: InputRecord, labels: Volume) -> np.ndarray:
    """Returns the 4x4 matrix of the image that was segmented, checked to be that of the label map."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(record.direction, (3, 3)) * record.spacing_mm
    matrix[:3, 3] = record.origin_lps_mm
    same_size = tuple(record.size) == labels.voxels.shape[::-1]
    far = np.array([*record.size, 1]) - (1, 1, 1, 0)
    apart = max(np.abs((matrix - labels.ijk_to_lps) @ corner).max() for corner in (far, (0, 0, 0, 1)))
    if not same_size or apart > min(record.spacing_mm) / 2:
        raise GeometryError(
            "The label map does not lie on the grid of the image that was segmented. Measure it first, with "
            "'kidneyseg measure'."
        )
    return matrix


def _maker() -> PngInfo:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Software", f"KidneySeg {__version__}")
    return info
