"""A label map that is being corrected in a front end is measured again, in a process of its own, from plain files."""

from dataclasses import replace
from pathlib import Path

from KidneySegLib.findings import Findings
from KidneySegLib.measuring.instance_map import by_candidate_map
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.result_files.labels.reading import on_grid
from KidneySegLib.result_files.result import Result
from KidneySegLib.tasks.registry import task_of
from KidneySegLib.tasks.run import correct, exam_again, read_exam
from KidneySegLib.volume import read_image


def remeasure(
    image: Path,
    labels: Path,
    network_labels: Path,
    network: Path,
    network_candidates: Path | None = None,
    last: Path | None = None,
) -> Findings:
    """Measures a corrected label map; see ``run.correct``.

    Args:
        image: the image as it was given to the run that segmented it; an ultrasound image as its own file.
        labels: the corrected label map, uint8. It and the network's may be parts of the image's grid.
        network_labels: what the network drew, uint8.
        network: findings of the network's run.
        network_candidates: its candidates, numbered as in ``candidates.nii.gz``; None if there are none.
        last: findings of the correction before this one; None if this is the first.

    Raises:
        InputError: a file cannot be read.
        GeometryError: a label map does not lie on the image's grid.
    """
    original = Findings.read(network)
    exam = exam_again(read_image(image), original) if original.in_patient else read_exam(image, original)
    drawn, before = (on_grid(read_image(path), exam.volume) for path in (labels, network_labels))
    segmentation = Segmentation.of(exam.volume, before)
    if network_candidates is not None:
        numbers = on_grid(read_image(network_candidates), exam.volume)
        segmentation = replace(segmentation, candidates=by_candidate_map(numbers, original))
    result = Result(exam, segmentation, original)
    corrected = correct(task_of(original), exam, drawn, result, Findings.read(last) if last is not None else None)
    return corrected.findings
