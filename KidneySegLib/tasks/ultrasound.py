"""Kidney ultrasound: outline, length, width and area in one plane, in images, loops and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from KidneySegLib.errors import InputError
from KidneySegLib.exam import Exam
from KidneySegLib.findings import Findings, Provenance
from KidneySegLib.languages.language import N_
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.measuring.ultrasound.describe import describe_views
from KidneySegLib.progress import Progress, Share
from KidneySegLib.readers.input import ReadOptions
from KidneySegLib.readers.pictures import is_picture
from KidneySegLib.readers.probe import InputProbe
from KidneySegLib.readers.ultrasound.images import read_ultrasound
from KidneySegLib.readers.ultrasound.modality import ULTRASOUND
from KidneySegLib.readers.ultrasound.pictures import read_ultrasound_picture
from KidneySegLib.structures import KIDNEYS, UNSIDED_KIDNEY

if TYPE_CHECKING:
    from KidneySegLib.segmentation.load import Model


class Ultrasound:
    """An ultrasound image or loop, or a picture of one; see ``Task``."""

    name = "ultrasound"
    title = "Ultrasound"
    takes = "an ultrasound image or loop"
    structures = (*KIDNEYS.values(), UNSIDED_KIDNEY)
    stages = ("ultrasound",)

    def accepts(self, probe: InputProbe) -> bool:
        """An ultrasound image by its header; a picture does not tell what it shows."""
        return probe.modalities == {ULTRASOUND}

    def check_options(self, options: ReadOptions) -> None:
        """Ultrasound has no window in HU, and no series to choose from."""
        if options.window is not None:
            raise InputError("--window is for pictures of CT slices. Leave it out for an ultrasound image.")
        if options.series is not None:
            raise InputError("--series chooses among CT series. Give the file of the ultrasound image or loop.")

    def read(self, source: Path, options: ReadOptions, progress: Progress) -> Exam:
        """Reads an image, the frames of a loop, or a picture, in grey values."""
        if is_picture(source):
            if options.region is not None or options.frame is not None:
                raise InputError("A picture has neither regions nor frames. Leave out --region and --frame.")
            return read_ultrasound_picture(source, options.pixel_mm)
        share = Share.of(progress, "read", N_("Reading the images"))
        return read_ultrasound(
            source, region=options.region, frame=options.frame, pixel_mm=options.pixel_mm, progress=share
        )

    def check_measurable(self, probe: InputProbe) -> None:
        """Grey values can be measured as they are."""

    def segment(self, exam: Exam, model: Model, progress: Progress) -> Segmentation:
        """Outlines the kidney in each frame."""
        # a list of tasks needs none of what a run needs
        from KidneySegLib.bundles.rules import UltrasoundRules
        from KidneySegLib.segmentation.load import rules_for
        from KidneySegLib.segmentation.ultrasound.frame import STAGE
        from KidneySegLib.segmentation.ultrasound.outline import outline_frames
        from KidneySegLib.segmentation.ultrasound.placing import segment_field

        rules = rules_for(model.bundle, UltrasoundRules).ultrasound
        share = Share.of(progress, "kidneys", N_("Outlining the kidneys"))
        share(0.0)
        return segment_field(exam, lambda field: outline_frames(field, model.predictors[STAGE], rules, share))

    def describe(
        self,
        exam: Exam,
        segmentation: Segmentation,
        known: KnownFindings | None,  # noqa: ARG002  (a kidney needs no identifier)
        provenance: Provenance,
    ) -> Findings:
        """Measures length, width and area."""
        return describe_views(exam, segmentation, provenance=provenance)
