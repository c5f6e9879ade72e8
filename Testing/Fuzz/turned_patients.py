"""Patients who lie otherwise than their header says, and those who do not but look unusual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from orientation_cases import MIRRORS, ROTATIONS, mislabelled, patient, turned

from Fuzz.case import Case, Family
from Fuzz.truth import Truth
from KidneySegLib.exam import Exam
from KidneySegLib.findings import SIDES_IN_DOUBT
from KidneySegLib.measuring.orientation.check import check_orientation
from KidneySegLib.readers.input import read_input
from KidneySegLib.sample.tissues import Phase
from KidneySegLib.volume import Volume, read_image

Patient = tuple[Volume, np.ndarray]
IMAGE, LABELS = "image.nii", "labels.nii"
# One sign alone is too little: of a mirrored patient without outlined kidneys, and of one as small as an infant.
NOT_SEEN = {"no kidney outlined": {"sides", "head and feet"}, "half the size": {"head and feet"}}


def turned_patients() -> list[Case]:
    """Returns every wrong header on every kind of patient, and patients with a right header."""
    told = Family("patient turned, header wrong", reader=_judged)
    right = Family("patient unusual, header right", reader=_judged_right)
    for kind, (volume, labels) in _kinds().items():
        right.add(kind, _files((volume, labels)), True, truth=_as_it_is(volume))
        for turn, (flips, quarters) in {**ROTATIONS, **MIRRORS}.items():
            if turn in NOT_SEEN.get(kind, set()):
                continue
            outlines = mislabelled(labels, flips, quarters) if labels.any() else turned(labels, flips, quarters)
            case = volume.like(turned(volume.voxels, flips, quarters)), outlines
            told.add(f"{turn}, {kind}", _files(case), True, flags=SIDES_IN_DOUBT, truth=_as_it_is(case[0]))
    for name, box in _crops().items():
        part = _cropped(patient(), box)
        right.add(name, _files(part), True, truth=_as_it_is(part[0]))
    return [*told.cases, *right.cases]


def _kinds() -> dict[str, Patient]:
    volume, labels = patient()
    enhanced, enhanced_labels = patient(Phase.NEPHROGRAPHIC)
    small = np.diag([0.6, 0.6, 0.6, 1.0]) @ volume.ijk_to_lps
    return {
        "without contrast medium": (volume, labels),
        "nephrographic phase": (enhanced, enhanced_labels),
        "clipped to a soft tissue window": (volume.like(np.clip(volume.voxels, -110, 190)), labels),
        "half the size": (replace(volume, ijk_to_lps=small), labels),
        "no kidney outlined": (volume, np.zeros_like(labels)),
        "far from the scanner's middle": (replace(volume, ijk_to_lps=_shifted(volume)), labels),
    }


def _shifted(volume: Volume) -> np.ndarray:
    matrix = np.array(volume.ijk_to_lps)
    matrix[:3, 3] += (420, -300, -1700)
    return matrix


def _crops() -> dict[str, tuple[slice, slice, slice]]:
    whole = slice(None)
    return {
        "front half, no spine": (whole, slice(0, 45), whole),
        "back half": (whole, slice(40, None), whole),
        "right half": (whole, whole, slice(0, 48)),
        "left half": (whole, whole, slice(46, None)),
        "slab of 16 mm": (slice(20, 24), whole, whole),
        "one slice": (slice(30, 31), whole, whole),
        "box around the right kidney": (slice(15, 50), slice(35, 80), slice(12, 46)),
        "box around the left kidney": (slice(15, 50), slice(35, 80), slice(48, 84)),
        "corner without anatomy": (whole, slice(0, 12), slice(0, 12)),
    }


def _cropped(whole: Patient, box: tuple[slice, slice, slice]) -> Patient:
    volume, labels = whole
    part = volume.crop(box)
    return replace(part, voxels=np.ascontiguousarray(part.voxels)), np.ascontiguousarray(labels[box])


def _files(case: Patient) -> Callable[[Path, np.random.Generator], Path]:
    volume, labels = case

    def build(folder: Path, _: np.random.Generator) -> Path:
        sitk.WriteImage(volume.to_image(), str(folder / IMAGE))
        sitk.WriteImage(volume.like(labels).to_image(), str(folder / LABELS))
        return folder / IMAGE

    return build


def _as_it_is(volume: Volume) -> Truth:
    """Returns that every voxel keeps its value and place: nothing is turned back silently."""

    def field(points: np.ndarray) -> np.ndarray:
        indices = np.rint(volume.to_kji(points)).astype(int)
        return volume.voxels[tuple(np.moveaxis(indices, -1, 0))].astype(float)

    return Truth(field, low=None, high=None)


def _judged(path: Path) -> Exam:
    """Reads image and labels and adds what the anatomy says of them."""
    acquisition = read_input(path)
    order = acquisition.stored.axis_order()
    labels = order.apply(read_image(path.with_name(LABELS)).voxels)
    flags = check_orientation(acquisition.stored.reordered(order), labels, [])
    return replace(acquisition, flags=[*acquisition.flags, *flags])


def _judged_right(path: Path) -> Exam:
    acquisition = _judged(path)
    alarms = [flag.code for flag in acquisition.flags if flag.code in SIDES_IN_DOUBT]
    if alarms:
        raise AssertionError(f"false alarm: {alarms}")
    return acquisition
