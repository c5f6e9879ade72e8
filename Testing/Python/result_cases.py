"""Results made of an image and labels in any order of their axes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from numpy.typing import NDArray

from KidneySegLib.bundles.bundle import Bundle
from KidneySegLib.exam import Exam, Units
from KidneySegLib.findings import Findings, Provenance
from KidneySegLib.flags import Flag
from KidneySegLib.inference.device import choose_device
from KidneySegLib.measuring.anatomy import Anatomy
from KidneySegLib.measuring.describe import describe
from KidneySegLib.measuring.instances import Confidence, Segmentation
from KidneySegLib.measuring.slice_findings import describe_slice
from KidneySegLib.progress import Progress, silent
from KidneySegLib.result_files.result import Result
from KidneySegLib.segmentation.load import load_model
from KidneySegLib.segmentation.pipeline import segment_ct
from KidneySegLib.structures import Side
from KidneySegLib.tasks.ct import CT
from KidneySegLib.tasks.registry import task_of
from KidneySegLib.tasks.run import correct
from KidneySegLib.volume import Volume


def drawn_on(exam: Exam, labels: NDArray, flags: Sequence[Flag] = ()) -> Segmentation:
    """Labels in the order in which the exam is stored, taken apart."""
    return Segmentation.of(exam.volume, exam.order.apply(labels), flags=flags)


def result_of(volume: Volume, labels: NDArray, findings: Findings) -> Result:
    exam = Exam(volume)
    return Result(exam, drawn_on(exam, labels), findings)


@dataclass(frozen=True)
class Segmented:
    """What the pipeline found in a volume.

    Attributes:
        labels: in the order in which the volume is stored.
        segmentation: in canonical order.
    """

    labels: NDArray
    segmentation: Segmentation

    @property
    def flags(self) -> list[Flag]:
        return list(self.segmentation.flags)


def segmented(volume: Volume, bundle: Bundle, progress: Progress = silent) -> Segmented:
    """Runs the pipeline for CT volumes."""
    exam = Exam(volume)
    found = segment_ct(exam.volume, load_model(bundle, choose_device("cpu"), CT.stages), progress)
    return Segmented(exam.in_stored_order(found.labels), found)


def anatomy_of(volume: Volume, labels: NDArray) -> Anatomy:
    exam = Exam(volume)
    return Anatomy.of(exam, drawn_on(exam, labels))


def described(
    volume: Volume,
    labels: NDArray,
    *,
    provenance: Provenance,
    flags: Sequence[Flag] = (),
    percent: NDArray | None = None,
    doubtful: Collection[Side] = (),
) -> Findings:
    """Measures labels; ``percent`` is the network's certainty of each voxel."""
    exam = Exam(volume)
    drawn = replace(drawn_on(exam, labels, flags), doubtful=frozenset(doubtful))
    if percent is not None:
        drawn = replace(drawn, confidence=Confidence.within(drawn.labels, exam.order.apply(percent)))
    return describe(exam, drawn, provenance=provenance)


def described_slice(
    volume: Volume,
    labels: NDArray,
    *,
    thickness_mm: float | None,
    estimated_hu: bool,
    flags: Sequence[Flag] = (),
    provenance: Provenance,
) -> Findings:
    units = Units.ESTIMATED_HU if estimated_hu else Units.HU
    exam = Exam(volume, units=units, thickness_known=thickness_mm is not None)
    return describe_slice(exam, drawn_on(exam, labels, flags), provenance=provenance)


def described_corrected(
    volume: Volume, labels: NDArray, *, network: NDArray, original: Findings, last: Findings | None = None
) -> Findings:
    exam = Exam(volume)
    before = Result(exam, drawn_on(exam, network), original)
    return correct(task_of(original), exam, exam.order.apply(labels), before, last).findings
