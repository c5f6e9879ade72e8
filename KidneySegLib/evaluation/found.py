"""What is compared with a reference: a run of a task, or what lies in a folder already."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.evaluation.cases import Case
from KidneySegLib.exam import Exam
from KidneySegLib.findings import Findings
from KidneySegLib.measuring.instances import Confidence, LesionCandidate, NetworkOutline, Segmentation
from KidneySegLib.progress import silent
from KidneySegLib.result_files.labels.reading import on_grid, read_labels
from KidneySegLib.result_files.names import FINDINGS
from KidneySegLib.result_files.result import Result
from KidneySegLib.structures import Numbering
from KidneySegLib.tasks.registry import task_named

# Label maps of a folder are called after their case.
SUFFIXES = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".mha", ".mhd")


@dataclass(frozen=True, eq=False)
class Found:
    """What was found in one exam; arrays ``(k, j, i)`` in canonical order.

    Attributes:
        exam: the image.
        labels: uint8, values of ``structures``.
        network: the network's own outline, where it is kept.
        confidence: of masses and cysts, where it is known.
        seconds: of reading, segmenting and measuring; None where it is not known.
        candidates: masses and cysts below the operating point.
    """

    exam: Exam
    labels: np.ndarray
    network: NetworkOutline | None = None
    confidence: Confidence | None = None
    seconds: float | None = None
    candidates: tuple[LesionCandidate, ...] = ()


Finder = Callable[[Case], Found]


def stored(folder: Path, task: str, numbering: Numbering = Numbering.KIDNEYSEG) -> Finder:
    """Returns a function that takes from ``folder`` what was found in a case.

    That is a result folder of the case's name, or a label map of that name (NIfTI, NRRD, MetaImage, ``.seg.nrrd``).

    Args:
        folder: of result folders or label maps.
        task: that reads the exams.
        numbering: whose numbers label maps have.

    Raises:
        InputError: the folder does not exist.
    """
    if not folder.is_dir():
        raise InputError("The folder with what was found does not exist. Give one with results or label maps.")

    def find(case: Case) -> Found:
        exam = task_named(task).read(case.source, case.options, silent)
        if (folder / case.name / FINDINGS).is_file():
            return _of_result(Result.read(folder / case.name), exam)
        path = next((folder / f"{case.name}{s}" for s in SUFFIXES if (folder / f"{case.name}{s}").is_file()), None)
        if path is None:
            raise InputError(
                f"Nothing was found for the exam '{case.name}': the folder needs a result folder or a label map "
                f"({', '.join(SUFFIXES)}) of that name."
            )
        return Found(exam, read_labels(path, exam.volume, numbering).labels)

    return find


def of_run(result: Result, seconds: float) -> Found:
    """Takes what a run found."""
    segmentation = result.segmentation
    labels, network, sure = segmentation.labels, segmentation.network, segmentation.confidence
    return Found(result.image, labels, network, sure, seconds, segmentation.candidates)


def _of_result(result: Result, exam: Exam) -> Found:
    """Takes what a result folder holds, onto the grid of its exam."""
    label_map = result.segmentation.label_map
    if label_map.voxels.shape != exam.volume.voxels.shape:
        raise GeometryError(
            "The result is of another image than the exam of its name. Give the results of these exams."
        )
    on_grid(label_map, exam.volume)
    seconds = sum(result.findings.provenance.seconds.values()) or None
    sure, candidates = _confidence(result.segmentation, result.findings), result.segmentation.candidates
    return Found(exam, label_map.voxels, None, sure, seconds, candidates)


def _confidence(segmentation: Segmentation, findings: Findings) -> Confidence | None:
    """Gives the voxels of every lesion the confidence that the findings have for it."""
    pairs = zip(segmentation.instances, findings.all, strict=True)
    known = [
        (instance.body, percent)
        for instance, finding in pairs
        if (percent := getattr(finding, "confidence", None)) is not None and instance.structure.key in ("mass", "cyst")
    ]
    if not known:
        return None
    template = Confidence.within(segmentation.labels, np.zeros(segmentation.labels.shape, np.uint8))
    if template is None:
        return None
    for body, share in known:
        at = body.voxels() - [part.start for part in template.box]
        template.percent[tuple(at.T)] = round(100 * share)
    return template
