"""CT volumes: kidneys, solid masses, cysts and stones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from KidneySegLib.errors import InputError
from KidneySegLib.exam import Exam
from KidneySegLib.findings import Findings, Provenance
from KidneySegLib.languages.language import N_
from KidneySegLib.measuring.describe import describe
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.progress import Progress, Share
from KidneySegLib.readers.input import ReadOptions, read_input
from KidneySegLib.readers.probe import InputProbe
from KidneySegLib.structures import STRUCTURES

if TYPE_CHECKING:
    from KidneySegLib.segmentation.load import Model


class CT:
    """A CT volume; see ``Task``."""

    name = "ct"
    title = "CT"
    takes = "a volume of several slices"
    structures = STRUCTURES
    stages = ("locator", "kidney")

    def accepts(self, probe: InputProbe) -> bool:
        """Several slices that are not frames of an ultrasound loop."""
        return probe.slices > 1 and "US" not in probe.modalities

    def check_options(self, options: ReadOptions) -> None:
        """A volume states its own pixels."""
        options.check_placed()
        if options.pixel_mm is not None or options.window is not None:
            raise InputError("--pixel-mm and --window belong to pictures of single slices: add --task ct-slice.")

    def read(self, source: Path, options: ReadOptions, progress: Progress) -> Exam:
        """Reads a series or an image file in HU."""
        exam = read_input(source, Share.of(progress, "read", N_("Reading the images")), series_uid=options.series)
        return replace(exam, settings={"series_chosen_by_user": options.series is not None})

    def check_measurable(self, probe: InputProbe) -> None:
        """HU can always be measured."""

    def segment(self, exam: Exam, model: Model, progress: Progress) -> Segmentation:
        """Locates and outlines kidneys, then looks for lesions and stones."""
        # a list of tasks needs none of what a run needs
        from KidneySegLib.segmentation.pipeline import segment_ct

        return segment_ct(exam.volume, model, progress)

    def describe(
        self, exam: Exam, segmentation: Segmentation, known: KnownFindings | None, provenance: Provenance
    ) -> Findings:
        """Measures volumes, diameters and densities."""
        return describe(exam, segmentation, provenance=provenance, known=known)
