"""What a task is: all that differs between one kind of exam and another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from KidneySegLib.exam import Exam
from KidneySegLib.findings import Findings, Provenance
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.progress import Progress
from KidneySegLib.readers.input import ReadOptions
from KidneySegLib.readers.probe import InputProbe
from KidneySegLib.structures import Structure

if TYPE_CHECKING:
    from KidneySegLib.segmentation.load import Model


class Task(Protocol):
    """A kind of exam, from its files to its findings. No code outside of a task asks which task runs."""

    @property
    def name(self) -> str:
        """Stable name, as in bundles, recipes and on the command line."""

    @property
    def title(self) -> str:
        """What it is called in lists."""

    @property
    def takes(self) -> str:
        """Which exams it takes, as the end of a sentence."""

    @property
    def structures(self) -> tuple[Structure, ...]:
        """What it outlines."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Stages that its bundles must have."""

    def accepts(self, probe: InputProbe) -> bool:
        """Whether an input is of this kind, as far as names and headers tell."""

    def check_options(self, options: ReadOptions) -> None:
        """Refuses options that would silently be left aside.

        Raises:
            InputError: one does not belong to this task.
        """

    def read(self, source: Path, options: ReadOptions, progress: Progress) -> Exam:
        """Reads and checks an exam.

        Raises:
            InputError: it cannot be used, or an option does not belong to such an input.
            GeometryError: its geometry cannot be trusted.
        """

    def check_measurable(self, probe: InputProbe) -> None:
        """Checks that a label map which somebody drew can be measured on such an input.

        Raises:
            InputError: its values mean nothing without the run that estimated them.
        """

    def segment(self, exam: Exam, model: Model, progress: Progress) -> Segmentation:
        """Outlines what there is.

        Raises:
            InputError: the exam is of another kind.
            ResourceError: memory does not suffice.
        """

    def describe(
        self, exam: Exam, segmentation: Segmentation, known: KnownFindings | None, provenance: Provenance
    ) -> Findings:
        """Measures and checks a segmentation, the network's or a corrected one.

        Args:
            exam: the image.
            segmentation: what was drawn in it.
            known: findings that keep their identifiers.
            provenance: how the segmentation came about.
        """
