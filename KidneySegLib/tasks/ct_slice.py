"""Single axial CT slices: kidneys and stones, in 2D."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from KidneySegLib.errors import InputError
from KidneySegLib.exam import Exam, Units
from KidneySegLib.findings import Findings, Provenance
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.measuring.slice_findings import describe_slice
from KidneySegLib.progress import Progress
from KidneySegLib.readers.input import ReadOptions, read_slice
from KidneySegLib.readers.probe import InputProbe
from KidneySegLib.structures import BY_KEY, KIDNEYS

if TYPE_CHECKING:
    from KidneySegLib.segmentation.load import Model


class CTSlice:
    """One axial slice of a CT, or a picture of one; see ``Task``."""

    name = "ct-slice"
    title = "CT, single slice"
    takes = "a volume of one slice"
    structures = (*KIDNEYS.values(), BY_KEY["stone"])
    stages = ("slice",)

    def accepts(self, probe: InputProbe) -> bool:
        """A picture, or one axial image."""
        return probe.slices == 1 and "US" not in probe.modalities

    def check_options(self, options: ReadOptions) -> None:
        """There is one series only."""
        options.check_placed()
        if options.series is not None:
            raise InputError(
                "--series chooses among series; --task ct-slice takes one slice. Give the file of the slice."
            )

    def read(self, source: Path, options: ReadOptions, progress: Progress) -> Exam:
        """Reads one slice in HU, or a picture in HU that are estimated from its window."""
        exam = read_slice(source, pixel_mm=options.pixel_mm, window=options.window)
        return replace(exam, settings={"pixel_mm": None, "window_hu": None, "window_given": False, **exam.settings})

    def check_measurable(self, probe: InputProbe) -> None:
        """Refuses a picture: only the run that outlined the kidneys could tell its HU."""
        if probe.kind == "picture":
            raise InputError(
                "A picture has no densities that could be measured again. Give the DICOM file of the slice."
            )

    def segment(self, exam: Exam, model: Model, progress: Progress) -> Segmentation:
        """Outlines the kidneys, and takes dense pixels for stones."""
        # a list of tasks needs none of what a run needs
        from KidneySegLib.segmentation.slices.pipeline import segment_slice

        calibrate = exam.units is Units.ESTIMATED_HU and not exam.settings["window_given"]
        return segment_slice(exam.volume, model, calibrate=calibrate, progress=progress)

    def describe(
        self, exam: Exam, segmentation: Segmentation, known: KnownFindings | None, provenance: Provenance
    ) -> Findings:
        """Measures within the slice."""
        return describe_slice(exam, segmentation, provenance=provenance, known=known)
