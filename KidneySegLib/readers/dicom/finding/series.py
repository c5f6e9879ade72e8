"""Series: which images belong in one volume.

DICOM's series is only a start. One series may hold a localiser, two phases, two kernels or two orientations; what
cannot be in one volume is told apart here.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from KidneySegLib.flags.series import series_name
from KidneySegLib.languages.language import Language
from KidneySegLib.readers.dicom.finding.body_regions import BodyRegion, shown_regions
from KidneySegLib.readers.dicom.finding.derivation import HOUNSFIELD_TYPES, Derivation, Derived, derived
from KidneySegLib.readers.dicom.finding.patient_marks import PatientMarks, number_of_patient
from KidneySegLib.readers.dicom.finding.phases import Delay, NamedPhase, delay_of, phase_in, seconds_of, told
from KidneySegLib.readers.dicom.finding.words import OTHER, any_word, plain_words
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.images.geometry import along_normal, image_axes, placement_problem, same_plane, slots

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# Words of Image Type. Siemens marks topograms "TOP", protocol pages "PROT" and dose pages "DOSE_INFO".
_LOCALISER = any_word(r"LOCALI[SZ]ER; SCOUT; TOPOGRAM; SURVIEW; SCANOGRAM; CT SOM\d+ TOP")
_SCREEN = any_word("SCREEN ?SAVE; SCREEN; PROT; PROTOCOL; DOSE*; CAPTURE; REPORT; PATIENT PROTOCOL")
_THICKEST = 50.0  # mm; a header that claims thicker slices is wrong


class Kind(StrEnum):
    """What the images of a series are; the text is used in messages."""

    SLICES = "slices"
    LOCALISER = "localiser"
    SCREEN = "screen capture or dose report"
    VIEW = "projection or other 3D view"
    MAP = "computed map, not Hounsfield units"
    UNPLACED = "images without a position"
    DOCUMENT = "no image"


@dataclass(frozen=True)
class SeriesFiles:
    """Images that may form one volume: a series, or the part of one that fits together.

    Attributes:
        frames: their headers, in ascending position along the normal where they have one.
        part: 1, 2, ... where the DICOM series had to be taken apart, else 0.
    """

    frames: tuple[FrameHeader, ...]
    part: int = 0

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID."""
        return self.frames[0].series_uid

    @property
    def number(self) -> int | None:
        """SeriesNumber."""
        return self.frames[0].series_number

    @property
    def modality(self) -> str:
        """Modality, such as CT."""
        return self.frames[0].modality

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, each once."""
        return tuple(dict.fromkeys(frame.path for frame in self.frames))

    @cached_property
    def kind(self) -> Kind:
        """What the images are."""
        return _kind(self.frames[0])

    @cached_property
    def slice_positions(self) -> np.ndarray:
        """The distinct positions along the normal in mm, ascending; empty where the images have no place."""
        if self.kind is not Kind.SLICES:
            return np.zeros(0)
        along = along_normal(self.frames)
        return along[np.unique(slots(along), return_index=True)[1]]

    @property
    def extent(self) -> float:
        """Distance of the first and the last slice in mm."""
        return float(np.ptp(self.slice_positions)) if self.slice_positions.size else 0.0

    @property
    def spacing(self) -> float:
        """Median distance of neighbouring slices in mm, 0 for a single one."""
        return float(np.median(np.diff(self.slice_positions))) if self.slice_positions.size > 1 else 0.0

    @property
    def detail(self) -> float:
        """How finely the body is cut, in mm: distance or thickness of the slices, whichever is more."""
        thickness = self.frames[0].thickness or 0.0
        return max(self.spacing, thickness if thickness < _THICKEST else 0.0)

    @property
    def derived(self) -> Derived:
        """How the images came about."""
        return _derived(self.frames[0])

    @cached_property
    def regions(self) -> frozenset[BodyRegion]:
        """The parts of the body that the headers name, by the text that is closest to the series."""
        first = self.frames[0]
        return shown_regions(first.description, first.protocol, first.body_part, first.study_description)

    @cached_property
    def phase(self) -> NamedPhase | Delay | None:
        """The contrast phase, or the delay after the injection; None where the headers do not say."""
        first = self.frames[0]
        named = phase_in(first.description)
        if named:
            return named
        delay = delay_of(first.acquisition_time, first.injection_time)
        if delay is not None:
            return Delay(round(delay))
        return NamedPhase.NON_CONTRAST if first.contrast is False else None

    @cached_property
    def acquired(self) -> float | None:
        """When the first image was taken, in seconds since midnight."""
        times = [time for frame in self.frames if (time := seconds_of(frame.acquisition_time)) is not None]
        return min(times, default=None)

    @property
    def is_axial(self) -> bool:
        """Whether the slices are more across the body than along it."""
        return self.kind is Kind.SLICES and abs(float(image_axes(self.frames[0])[2, 2])) > np.cos(np.radians(45))

    def label(self) -> str:
        """Returns a short name without patient data, such as ``series 4 (120 images, 2.5 mm, abdomen)``.

        All its words are ours; nothing that was typed into a header is shown.
        """
        return series_name(self.named(), Language.of("en"))

    def named(self) -> dict[str, Any]:
        """Returns the series as flags name it (``flags.series.series_name``)."""
        name: dict[str, Any] = {**self.numbered(), "images": len(self.frames)}
        if self.modality in ("", OTHER):
            name["words"] = [self.modality or "unknown modality"]
        elif self.modality != "CT":
            name["modality"] = self.modality
        elif self.kind is not Kind.SLICES:
            name["words"] = [str(self.kind)]
        else:
            if self.spacing:
                name["slice_mm"] = self.detail
            what = "" if self.derived.what is Derivation.NONE else str(self.derived.what)
            words = ("" if self.spacing else "single slice", what, shown_region(self.regions))
            name["words"] = [word for word in words if word]
            if self.phase is not None:
                name["phase"] = told(self.phase)
        return name

    def numbered(self) -> dict[str, int | None]:
        """Returns number and part."""
        return {"number": self.number, "part": self.part}


def shown_region(regions: frozenset[BodyRegion]) -> str:
    """Returns one word for the parts of the body that a series shows, "" where they are not known."""
    if BodyRegion.TRUNK in regions or {BodyRegion.CHEST, BodyRegion.ABDOMEN} <= regions:
        return str(BodyRegion.TRUNK)
    first = [BodyRegion.ABDOMEN, *BodyRegion]
    return str(min(regions, key=first.index)) if regions else ""


def group(frames: Sequence[FrameHeader]) -> list[SeriesFiles]:
    """Sorts headers into series and takes apart what cannot be in one volume."""
    by_series: dict[tuple[str, str, int], list[FrameHeader]] = {}
    patients: list[PatientMarks] = []
    for frame in frames:
        patient = number_of_patient(frame.marks, patients)
        by_series.setdefault((frame.study_uid, frame.series_uid, patient), []).append(frame)
    result: list[SeriesFiles] = []
    for members in by_series.values():
        stacks = [part for stack in _stacks(members) for part in split_repeated(stack)]
        for index, stack in enumerate(stacks):
            result.append(SeriesFiles(tuple(stack), index + 1 if len(stacks) > 1 else 0))
    return sorted(result, key=lambda item: (item.number is None, item.number or 0, item.series_uid, item.part))


def _kind(frame: FrameHeader) -> Kind:
    if frame.rows == 0 or frame.columns == 0:
        return Kind.DOCUMENT
    image_type = plain_words("\\".join(frame.image_type))
    if _LOCALISER.search(image_type):
        return Kind.LOCALISER
    is_grey = frame.samples == 1 and frame.photometric in ("", "MONOCHROME1", "MONOCHROME2")
    if not is_grey or frame.sop_class_uid.startswith(SECONDARY_CAPTURE) or _SCREEN.search(image_type):
        return Kind.SCREEN
    if frame.rescale_type not in HOUNSFIELD_TYPES:
        return Kind.MAP
    how = _derived(frame)
    if not how.is_image_of_tissue:
        return Kind.VIEW if how.what is Derivation.VIEW else Kind.MAP
    return Kind.UNPLACED if placement_problem(frame) else Kind.SLICES


def _derived(frame: FrameHeader) -> Derived:
    described = f"{frame.description} {frame.derivation_description}"
    return derived(frame.image_type, frame.derivation_codes, described)


def _stacks(frames: Sequence[FrameHeader]) -> list[list[FrameHeader]]:
    """Separates frames of one series that differ in what must be the same throughout a volume."""
    stacks: list[tuple[Hashable, list[FrameHeader]]] = []
    for frame in frames:
        key = (
            frame.frame_of_reference_uid,
            frame.container_uid,
            frame.modality,
            frame.kernel,
            _kind(frame),
            _derived(frame),
        )
        # newest first: files mostly come in series order
        for known, stack in reversed(stacks):
            if known == key and same_plane(stack[0], frame):
                stack.append(frame)
                break
        else:
            stacks.append((key, [frame]))
    return [_in_order(stack) for _, stack in stacks]


def _in_order(stack: list[FrameHeader]) -> list[FrameHeader]:
    if _kind(stack[0]) is not Kind.SLICES:
        return stack
    # at the same position the image number decides, so that the result does not depend on file names
    along = along_normal(stack)
    place = slots(along)
    keys = [(p, f.instance_number or 0, f.sop_instance_uid) for p, f in zip(place.tolist(), stack, strict=True)]
    return [stack[n] for n in sorted(range(len(stack)), key=keys.__getitem__)]


# What tells images at the same position apart, most telling first.
_PHASES: tuple[Callable[[FrameHeader], Any], ...] = (
    lambda frame: frame.acquisition_number,
    lambda frame: frame.temporal_position,
    lambda frame: frame.image_type,
    lambda frame: frame.kvp,
    lambda frame: frame.trigger_time,
    lambda frame: frame.contrast,
    lambda frame: frame.thickness,
    lambda frame: frame.acquisition_time,
)


def split_repeated(stack: list[FrameHeader]) -> list[list[FrameHeader]]:
    """Takes apart a stack with several images at the same positions, by what distinguishes them in the header.

    Args:
        stack: images of one plane, in order of position.

    Returns:
        One or more stacks. A stack may still hold repeated positions where the headers do not tell them apart.
    """
    if _kind(stack[0]) is not Kind.SLICES:
        return [stack]
    place = slots(along_normal(stack))
    distinct = int(place[-1]) + 1
    repeated = len(stack) - distinct
    if repeated == 0:
        return [stack]
    for phase in _PHASES:
        groups: dict[Any, list[int]] = {}
        for index, frame in enumerate(stack):
            groups.setdefault(phase(frame), []).append(index)
        remaining = sum(len(members) - len(np.unique(place[members])) for members in groups.values())
        largest = max(len(members) for members in groups.values())
        # A value that changes with every slice would leave nothing but crumbs: it tells no phases apart.
        if remaining <= 0.75 * repeated and largest >= max(3, distinct / 4):
            ordered = sorted(groups, key=lambda value: (value is None, value))
            return [part for value in ordered for part in split_repeated([stack[n] for n in groups[value]])]
    return _split_by_number(stack, place)


def _split_by_number(stack: list[FrameHeader], place: np.ndarray) -> list[list[FrameHeader]]:
    """Separates complete runs through all positions by image number: phase after phase, or position after position."""
    numbers = [frame.instance_number for frame in stack]
    distinct = int(place[-1]) + 1
    runs, rest = divmod(len(stack), distinct)
    if rest or None in numbers or len(set(numbers)) != len(numbers):
        return [stack]
    order = np.argsort(np.array(numbers))
    one_after_the_other = order.reshape(runs, distinct)
    if all(len(np.unique(place[run])) == distinct for run in one_after_the_other):
        return [[stack[n] for n in sorted(run)] for run in one_after_the_other.tolist()]
    in_turn = order.reshape(distinct, runs)
    if all(len(np.unique(place[images])) == 1 for images in in_turn):
        return [[stack[n] for n in sorted(run)] for run in in_turn.T.tolist()]
    return [stack]
