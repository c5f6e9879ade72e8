"""One way through the house: an exam is read, segmented and described, or a corrected label map is described again.

The only clock and the only provenance. The command line is the engine's process boundary; scripts and tests may call
this in their own process.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from KidneySegLib.bundles.bundle import Bundle
from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.exam import Exam, Units
from KidneySegLib.findings import BundleRecord, Findings, InputRecord, Provenance
from KidneySegLib.findings.marks import carried
from KidneySegLib.flags import Flag
from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.languages.language import N_
from KidneySegLib.measuring.correction import (
    CORRECTED,
    changed_structures,
    correction_flags,
    corrections,
    known_findings,
    lasting_flags,
    still_candidates,
)
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.reading import with_reading
from KidneySegLib.measuring.ultrasound.ellipsoid import with_volume_of
from KidneySegLib.progress import Progress, silent
from KidneySegLib.readers.input import NO_OPTIONS, ReadOptions
from KidneySegLib.readers.probe import InputProbe
from KidneySegLib.result_files.labels.reading import on_grid, read_labels
from KidneySegLib.result_files.names import FINDINGS
from KidneySegLib.result_files.result import Result
from KidneySegLib.structures import STRUCTURES, Numbering
from KidneySegLib.tasks.registry import task_for, task_named, task_of
from KidneySegLib.tasks.task import Task
from KidneySegLib.volume import Volume


def run(
    task: Task | str,
    source: Path,
    *,
    options: ReadOptions = NO_OPTIONS,
    device: str = "auto",
    model: str | None = None,
    flags: Sequence[Flag] = (),
    progress: Progress = silent,
) -> Result:
    """Reads an exam, segments it and measures what was found.

    Args:
        task: what is done, or its name.
        source: DICOM folder or file, image file, or picture.
        options: what the user says of the input.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        model: bundle by name or folder; None takes the shipped one.
        flags: of an earlier step, such as on the choice of the series; they come first in the findings.
        progress: receives progress; stops the run by raising ``Cancelled``.

    Raises:
        InputError: the input cannot be used.
        BundleError: the model cannot be used.
        ResourceError: device or memory do not suffice.
    """
    from KidneySegLib.inference.device import choose_device
    from KidneySegLib.segmentation.load import load_model

    task = task_named(task) if isinstance(task, str) else task
    clock = Clock(progress)
    bundle = find_bundle(model, task.name)
    clock("read", 0.0, N_("Reading the images"))
    exam = task.read(source, options, clock)
    exam = replace(exam, flags=[*flags, *exam.flags])
    clock("load", 0.0, N_("Loading the networks"))
    loaded = load_model(bundle, choose_device(device), task.stages)
    segmentation = task.segment(exam, loaded, clock)
    exam = exam.moved(segmentation.offset)
    clock("measure", 0.0, N_("Measuring"))
    provenance = Provenance(
        started_utc=clock.started_utc,
        device=loaded.device.name,
        precision=str(loaded.device.precision).removeprefix("torch."),
        input=input_record(exam),
        bundles=(BundleRecord(bundle.name, bundle.version, bundle.sha256),),
        settings={"task": task.name, "device": device, "model": _model_setting(model, bundle), **exam.settings},
        seconds=clock.seconds,
    )
    findings = task.describe(exam, segmentation, None, provenance)
    clock.stop()
    return Result(exam, segmentation, findings)


def measure(
    source: Path,
    labels: Path,
    *,
    previous: Path | None = None,
    last: Path | None = None,
    options: ReadOptions = NO_OPTIONS,
    numbering: Numbering = Numbering.KIDNEYSEG,
    task: Task | str | None = None,
    progress: Progress = silent,
) -> Result:
    """Measures a label map, as a run does that drew it itself.

    Args:
        source: the exam, as for ``run``.
        labels: the label map; see ``labels.reading.read_labels``.
        previous: result folder of the network's run (or its ``findings.json``). Lesions and stones then keep their
            identifiers, and the findings list what was corrected, with the Dice to the network's version. None measures
            the labels as they are, whoever drew them.
        last: result folder (or ``findings.json``) of a correction before this one: what the reader drew then keeps its
            identifier, and what was confirmed or named stays so. It needs ``previous``.
        options: what the user says of the input; how it was read for an earlier result stands there.
        numbering: whose numbers the label map has.
        task: what the image is, or its name; None takes that of the earlier result, or looks at the image.
        progress: receives progress; stops the run by raising ``Cancelled``.

    Raises:
        InputError: exam, label map or earlier result cannot be used.
        GeometryError: they do not lie on the same grid.
    """
    if last is not None and previous is None:
        raise InputError("Marks of an earlier correction refer to the network's result. Give that too (--findings).")
    clock = Clock(progress)
    network = _network_result(previous) if previous is not None else None
    clock("read", 0.0, N_("Reading the images"))
    probe = InputProbe(source)
    if network is not None:
        task = task_of(network.findings)
    elif task is None or isinstance(task, str):
        task = task_for(probe) if task is None else task_named(task)
    task.check_measurable(probe)
    if network is not None:
        _check_not_read_anew(options)
        exam = read_exam(source, network.findings, options.series, clock)
    else:
        task.check_options(options)
        exam = task.read(source, options, clock)
    drawing = read_labels(labels, exam.volume, numbering, {*STRUCTURES, *task.structures})
    clock("measure", 0.0, N_("Measuring"))
    if network is not None:
        result = correct(task, exam, drawing.labels, _on_exam(network, exam), _findings_in(last))
        return replace(result, findings=replace(result.findings, flags=(*result.findings.flags, *drawing.flags)))
    segmentation = Segmentation.of(exam.volume, drawing.labels, flags=drawing.flags)
    provenance = Provenance(
        started_utc=clock.started_utc,
        device="none",
        precision="none",
        input=input_record(exam),
        settings={"task": task.name, "labels": "given", "numbering": numbering.value, **exam.settings},
        seconds=clock.seconds,
    )
    findings = task.describe(exam, segmentation, None, provenance)
    clock.stop()
    return Result(exam, segmentation, findings)


def correct(task: Task, exam: Exam, labels: np.ndarray, network: Result, last: Findings | None = None) -> Result:
    """Measures a corrected label map.

    Lesions and stones keep their identifiers, untouched lesions the network's certainty. Each corrected structure is
    told by a flag and in ``provenance.settings``, with the Dice between the network's version and the reader's. What
    the reader made of each lesion and stone goes with it: confirmed, changed, added, rejected, and the reader's names.

    Args:
        task: by which the network's result was measured.
        exam: the image.
        labels: the corrected label map, uint8 ``(k, j, i)`` on the exam's grid in canonical order.
        network: the network's result on the same grid.
        last: findings of the correction before this one, so that what the reader drew then keeps its identifier,
            and every finding the reader's marks; None takes those of the network's findings.

    Returns:
        The result; with the network's own findings and the reader's marks where nothing differs.

    Raises:
        GeometryError: the label map does not lie on the exam's grid.
        InputError: the image has no valid values inside a kidney, lesion or stone.
    """
    original = network.findings
    changed = changed_structures(network.segmentation.labels, labels)
    if not changed:
        return Result(exam, network.segmentation, carried(original, last) if last is not None else original)
    known = known_findings(network.segmentation, original, last)
    bare = replace(exam, flags=())
    told = correction_flags(changed, network.segmentation.labels, labels, known.remade(labels))
    flags = [*lasting_flags(original), *told]
    drawn = Segmentation.of(exam.volume, labels, flags=flags, before=network.segmentation.kidneys)
    drawn = replace(drawn, candidates=still_candidates(network.segmentation.candidates, original, labels))
    settings = {**original.provenance.settings, CORRECTED: {key: round(value, 4) for key, value in changed.items()}}
    findings = task.describe(bare, drawn, known, replace(original.provenance, settings=settings))
    findings = with_reading(findings, drawn, known, original, last or original)
    return Result(exam, drawn, with_volume_of(original, findings))


def input_record(exam: Exam) -> InputRecord:
    """Describes an exam without its path, which may hold a patient's name."""
    return InputRecord.of(exam.stored, exam.kind, exam.source.to_dict() if exam.kind == "dicom" else None)


def read_exam(source: Path, findings: Findings, series: str | None = None, progress: Progress = silent) -> Exam:
    """Reads the exam of a result in the way in which it was read for it.

    Args:
        source: the exam, as it was given then.
        findings: of the result.
        series: which series the user means now.
        progress: receives progress.

    Raises:
        InputError, GeometryError: as ``Task.read``.
    """
    settings = findings.provenance.settings
    window, pixel = settings.get("window_hu"), settings.get("pixel_mm")
    try:
        low_high = (float(window[0]), float(window[1])) if window else None
        region, frame = (None if (told := settings.get(key)) is None else int(told) for key in ("region", "frame"))
        options = ReadOptions(series, float(pixel) if pixel is not None else None, low_high, region, frame)
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        raise InputError("Settings in the findings of the result are damaged. Segment it again.") from error
    return task_of(findings).read(source, options, progress)


def exam_again(volume: Volume, findings: Findings) -> Exam:
    """Returns an image that a front end holds as the exam of its findings, in whole HU as the run measured it.

    Args:
        volume: the image as it was given to the run; values that are none are air.
        findings: what the run measured.
    """
    voxels, intercept = volume.voxels, assumed_intercept(findings)
    if voxels.dtype.kind == "f":
        voxels = np.rint(np.nan_to_num(voxels, nan=OUTSIDE))
    elif voxels.dtype != np.int16 or intercept:
        voxels = voxels.astype(np.int32)
    voxels = np.clip(voxels + intercept if intercept else voxels, OUTSIDE, np.iinfo(np.int16).max)
    volume = volume.like(voxels.astype(np.int16, copy=False))
    settings = findings.provenance.settings
    units = Units(settings.get("units") or (Units.ESTIMATED_HU if settings.get("window_hu") else Units.HU))
    unknown = any(math.isnan(finding.measures.volume_ml) for finding in findings.all)
    return Exam(volume, units=units, thickness_known=not unknown, settings=settings)


def assumed_intercept(findings: Findings) -> int:
    """Returns what the run added to make Hounsfield units of values without a rescale intercept."""
    for flag in findings.flags:
        if flag.code == "rescale_assumed":
            # results of earlier versions do not hold the number
            return int(flag.values.get("intercept_hu", -flag.values.get("subtracted_hu", -OUTSIDE)))
    return 0


def _check_not_read_anew(options: ReadOptions) -> None:
    """Refuses options that the earlier result has decided already."""
    if replace(options, series=None) != NO_OPTIONS:
        raise InputError(
            "How the image is read stands in the earlier result. Leave out --pixel-mm, --region and --frame."
        )


def _model_setting(model: str | None, bundle: Bundle) -> str:
    """Returns which model was asked for, without a path, which may hold a name."""
    if model is None:
        return "default"
    return model if model == bundle.name else "own"


def _network_result(previous: Path) -> Result:
    """Returns the result of the network's run."""
    result = Result.read(previous if previous.is_dir() else previous.parent)
    if corrections(result.findings):
        raise InputError(
            "The earlier result was corrected already, so it does not say what the network drew. Give the one that "
            "'kidneyseg segment' wrote."
        )
    return result


def _findings_in(path: Path | None) -> Findings | None:
    """Returns the findings of a result folder or file; None for None."""
    if path is None:
        return None
    return Findings.read(path / FINDINGS if path.is_dir() else path)


def _on_exam(network: Result, exam: Exam) -> Result:
    """Returns the network's result on the exam's grid, checked to be of this exam."""
    label_map = network.segmentation.label_map
    try:
        if label_map.voxels.shape != exam.volume.voxels.shape:
            raise GeometryError("The sizes differ.")
        on_grid(label_map, exam.volume)
    except GeometryError as error:
        raise GeometryError("The earlier result is of another image. Give the one of this image.") from error
    return Result(exam, network.segmentation, network.findings)


class Clock:
    """Passes progress on and sums the wall time of each stage.

    Attributes:
        started_utc: when the run began, ISO 8601 in UTC.
        seconds: wall time of the stages that have ended.
    """

    def __init__(self, receiver: Progress) -> None:
        """Starts."""
        self.started_utc = datetime.now(UTC).isoformat(timespec="seconds")
        self.seconds: dict[str, float] = {}
        self._receiver = receiver
        self._stage, self._since = "", time.perf_counter()

    def __call__(self, stage: str, fraction: float, message: str) -> None:
        """Takes progress; a new stage ends the one before."""
        if stage != self._stage:
            self.stop()
            self._stage = stage
        self._receiver(stage, fraction, message)

    def stop(self) -> None:
        """Ends the stage that runs."""
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = "", now
