"""Which segments a result has, which voxels are in them, and by which identifiers they are followed."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.uid import generate_uid

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Finding, Findings, KidneyFinding, KidneyView, StoneFinding, side_word, word_of
from KidneySegLib.geometry.bodies import Body
from KidneySegLib.interchange.codes import STONE_SITES
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.lesions.laterality import sides_of
from KidneySegLib.structures import BY_KEY, Code, Side, Structure


@dataclass(frozen=True)
class Part:
    """Voxels of one structure on one side.

    Attributes:
        structure: what they are.
        side: the patient's side; None where the image does not tell it.
        body: the voxels, in canonical order.
        finding: whose voxels they are; None for groups that are too small to be listed as a lesion.
    """

    structure: Structure
    side: Side | None
    body: Body
    finding: Finding | None


@dataclass(frozen=True)
class Tracking:
    """By what a region of interest is known in segmentation and measurements.

    Attributes:
        identifier: for people, such as ``M1``.
        uid: for programs.
    """

    identifier: str
    uid: str


@dataclass(frozen=True)
class Segment:
    """One segment.

    Attributes:
        number: from 1, also its value in ``Segments.numbers``.
        label: what the radiologist reads.
        structure: what it is.
        side: the patient's side; None where the anatomy contradicts the image's header, or the image does not tell it.
        region: anatomic region, None where the structure is itself one.
        tracking: its identifiers.
        finding: whose voxels it holds, all of them and no others; None where it holds several findings' or none's.
        corrected: whether a reader corrected the structure.
    """

    number: int
    label: str
    structure: Structure
    side: Side | None
    region: Code | None
    tracking: Tracking
    finding: Finding | None
    corrected: bool


@dataclass(frozen=True)
class Segments:
    """All segments of a result.

    Attributes:
        items: in order of their numbers.
        numbers: segment number of each voxel, 0 for none, uint8 or uint16 ``(k, j, i)`` on the label map's grid.
        tracking: identifiers of every finding, by its name (``name_of``).
    """

    items: tuple[Segment, ...]
    numbers: np.ndarray
    tracking: dict[str, Tracking]

    def of(self, finding: Finding) -> Segment | None:
        """Returns the segment that holds this finding alone, if there is one."""
        return next((item for item in self.items if item.finding is finding), None)


def name_of(finding: Finding) -> str:
    """Returns by what a finding is known: its identifier, or which kidney it is."""
    if isinstance(finding, KidneyView):
        return title_of(BY_KEY[finding.structure], finding.side.value if finding.side else "", finding)
    return f"{side_word(finding).capitalize()} kidney" if isinstance(finding, KidneyFinding) else finding.id


def title_of(structure: Structure, side: str, finding: Finding | None) -> str:
    """Returns what the radiologist reads of a finding, such as ``M1 Solid mass left``; without one of its structure.

    Args:
        structure: what it is.
        side: as ``findings.side_words`` write it.
        finding: what is named; None where the segment holds several.
    """
    if structure.side:
        return f"{side.capitalize()} kidney"
    title = f"{structure.name} {side}".rstrip()
    return title if finding is None or isinstance(finding, KidneyFinding | KidneyView) else f"{finding.id} {title}"


def parts_of(segmentation: Segmentation, findings: Findings) -> list[Part]:
    """Returns what a result consists of, in the order of the findings, then what was left out as too small.

    Raises:
        InputError: the findings are those of another label map.
    """
    instances = segmentation.like(findings).instances
    parts = [Part(i.structure, i.side, i.body, f) for i, f in zip(instances, findings.all, strict=True)]
    specks = segmentation.specks
    sides = sides_of([body for _, body in specks], segmentation.kidneys, segmentation.label_map)
    return parts + [Part(structure, side, body, None) for (structure, body), side in zip(specks, sides, strict=True)]


def plan_segments(
    parts: Sequence[Part],
    shape: tuple[int, ...],
    *,
    per_lesion: bool,
    corrected: Collection[str],
    sides_certain: bool = True,
) -> Segments:
    """Sorts the parts of a label map into segments.

    Args:
        parts: from ``parts_of``.
        shape: of the label map, ``(k, j, i)``.
        per_lesion: one segment per lesion and stone instead of one per structure and side.
        corrected: keys of the structures that a reader corrected.
        sides_certain: whether the sides are the patient's and not only the header's.

    Raises:
        InputError: no finding is among the parts.
    """
    if all(part.finding is None for part in parts):
        raise InputError("Nothing is outlined in this result, and a DICOM segmentation cannot be empty.")
    groups: dict[Hashable, list[Part]] = {}
    for part in parts:
        alone = (name_of(part.finding) if part.finding else "",) if per_lesion else ()
        groups.setdefault((part.structure.key, part.side, *alone), []).append(part)
    ordered = list(groups.values())
    if not per_lesion:  # each structure right before left, small groups that are not lesions among their like
        ordered.sort(key=lambda group: (group[0].structure.label, _rank(group[0].side)))
    tracking = {name_of(part.finding): _new_tracking(name_of(part.finding)) for part in parts if part.finding}
    numbers = np.zeros(shape, np.uint8 if len(ordered) <= np.iinfo(np.uint8).max else np.uint16)
    items = []
    for number, group in enumerate(ordered, start=1):
        for part in group:
            numbers[part.body.box][part.body.mask] = number
        items.append(_segment(number, group, tracking, per_lesion, corrected, sides_certain))
    return Segments(tuple(items), numbers, tracking)


def _segment(
    number: int,
    group: Sequence[Part],
    tracking: dict[str, Tracking],
    per_lesion: bool,
    corrected: Collection[str],
    sides_certain: bool,
) -> Segment:
    structure, side = group[0].structure, group[0].side
    finding = group[0].finding if len(group) == 1 else None
    word = word_of(side, certain=sides_certain) if side else ""
    label = title_of(structure, word, finding if per_lesion else None)
    if per_lesion and finding is None:
        label = f"{label}, too small to be listed"
    region = structure.region
    if isinstance(finding, StoneFinding):
        region = STONE_SITES[finding.location]
    return Segment(
        number=number,
        label=label,
        structure=structure,
        side=side if sides_certain else None,
        region=region,
        tracking=tracking[name_of(finding)] if finding else _new_tracking(label),
        finding=finding,
        corrected=structure.key in corrected,
    )


def _rank(side: Side | None) -> int:
    return list(Side).index(side) if side else len(Side)


def _new_tracking(identifier: str) -> Tracking:

    return Tracking(identifier, str(generate_uid(prefix=None)))
