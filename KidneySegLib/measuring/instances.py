"""Segmentation: a label map taken apart into the bodies that are measured, once, for all who need them.

Kidneys, solid masses, cysts and stones each stand right before left; lesions and stones from head to feet. The findings
have the same order, so that the number of a finding among them is the number of its instance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.findings import Finding, Findings, KidneyView
from KidneySegLib.flags import Flag
from KidneySegLib.geometry.bodies import Body, connected_bodies, find_bodies
from KidneySegLib.geometry.boxes import Box, bounding_boxes, hull, in_box
from KidneySegLib.measuring.lesions.laterality import sides_of
from KidneySegLib.structures import BY_KEY, KIDNEYS, UNSIDED_KIDNEY, Side, Structure
from KidneySegLib.volume import Volume

LESIONS = (BY_KEY["mass"], BY_KEY["cyst"])
STONE = BY_KEY["stone"]

# Findings state their centre of gravity in hundredths of a millimetre.
CENTRE_TOLERANCE_MM = 0.05


@dataclass(frozen=True)
class Instance:
    """One body of voxels.

    Attributes:
        structure: what it is.
        side: the patient's side; None where the image does not tell it.
        body: its voxels, in canonical order.
    """

    structure: Structure
    side: Side | None
    body: Body

    @property
    def own_side(self) -> Side:
        """The side of a structure that cannot be found without one."""
        assert self.side is not None
        return self.side


@dataclass(frozen=True)
class Confidence:
    """How sure the network was of the lesions that it drew.

    Attributes:
        box: part of the label map that ``percent`` covers, slices for k, j, i in canonical order.
        percent: uint8 ``(k, j, i)``: probability of each lesion voxel's own label in per cent.
    """

    box: Box
    percent: np.ndarray

    @classmethod
    def within(cls, labels: np.ndarray, percent: np.ndarray) -> Confidence | None:
        """Cuts ``percent`` to where ``labels`` (both uint8 ``(k, j, i)``) has masses and cysts; None if it has none."""
        values = [structure.label for structure in LESIONS]
        boxes = [box for label, box in bounding_boxes(labels).items() if label in values]
        if not boxes:
            return None
        box = hull(boxes)
        return cls(box, percent[box].copy())

    def of(self, body: Body) -> float | None:
        """Returns the mean probability of a body's voxels, 0 to 1; None if none of them is covered."""
        inside = body.voxels() - [part.start for part in self.box]
        inside = inside[np.all((inside >= 0) & (inside < self.percent.shape), axis=1)]
        return float(self.percent[tuple(inside.T)].mean()) / 100 if len(inside) else None

    def on(self, box: Box) -> np.ndarray:
        """Returns ``percent`` on another part of the label map, uint8 ``(k, j, i)``, 0 where it is not covered."""
        return in_box(self.percent, self.box, box)


@dataclass(frozen=True)
class LesionCandidate:
    """A mass or cyst that the network is not sure enough of to be a finding.

    Attributes:
        instance: its voxels, which the label map gives to kidney or background.
        confidence: mean probability that they are a lesion, 0 to 1; None where that is not known.
        identifier: that an earlier measurement gave to it; "" where this is the first.
    """

    instance: Instance
    confidence: float | None
    identifier: str = ""


@dataclass(frozen=True)
class NetworkOutline:
    """What a network outlined before other steps (such as stones) changed it; arrays ``(k, j, i)`` in canonical order.

    Attributes:
        mask: bool.
        probability: 32-bit float, of belonging to it.
    """

    mask: np.ndarray
    probability: np.ndarray


@dataclass(frozen=True)
class Segmentation:
    """What was drawn in an exam.

    Attributes:
        label_map: uint8 ``(k, j, i)`` on the exam's grid in canonical order, values of ``structures``.
        instances: the bodies that become findings, in the findings' order.
        specks: groups of voxels that are too small to be a lesion; they are counted only.
        flags: what is unusual.
        confidence: of masses and cysts; None if there are none, or somebody else drew them.
        offset: what must be added to the exam's values where the kidneys told their scale.
        doubtful: sides whose kidney may be something else.
        network: what the network itself outlined, where a task keeps it; for evaluations.
        candidates: masses and cysts below the operating point; they are neither in the label map nor in ``instances``.
    """

    label_map: Volume
    instances: tuple[Instance, ...]
    specks: tuple[tuple[Structure, Body], ...] = ()
    flags: tuple[Flag, ...] = ()
    confidence: Confidence | None = None
    offset: int = 0
    doubtful: frozenset[Side] = frozenset()
    network: NetworkOutline | None = None
    candidates: tuple[LesionCandidate, ...] = ()

    @classmethod
    def of(
        cls,
        volume: Volume,
        labels: np.ndarray,
        *,
        flags: Sequence[Flag] = (),
        confidence: Confidence | None = None,
        offset: int = 0,
        doubtful: Iterable[Side] = (),
        before: Mapping[Side, Body] = MappingProxyType({}),
    ) -> Segmentation:
        """Takes a label map apart.

        Args:
            volume: the image in canonical order.
            labels: uint8 ``(k, j, i)`` on its grid, values of ``structures``.
            flags: what is unusual.
            confidence: of the network that drew it.
            offset: see the class.
            doubtful: see the class.
            before: kidneys of an earlier version: where none is drawn any more, they tell the side of lesions.

        Raises:
            GeometryError: the label map is not uint8, or does not lie on the volume's grid.
        """
        if labels.dtype != np.uint8 or labels.shape != volume.voxels.shape:
            raise GeometryError(
                "The label map ({kind}, shape {shape}) does not fit the image of shape {grid}; 8-bit labels on "
                "the image's own grid are needed.",
                kind=labels.dtype,
                shape=labels.shape,
                grid=volume.voxels.shape,
            )
        boxes = bounding_boxes(labels)
        kidneys = {
            side: _whole(labels, boxes[kidney.label], kidney.label)
            for side, kidney in KIDNEYS.items()
            if kidney.label in boxes
        }
        instances = [Instance(KIDNEYS[side], side, body) for side, body in kidneys.items()]
        nearby = {**before, **kidneys}
        specks: list[tuple[Structure, Body]] = []
        for structure in LESIONS:
            if structure.label in boxes:
                bodies, left_out = find_bodies(volume, labels, structure.label, boxes[structure.label])
                instances += _in_order(structure, bodies, nearby, volume)
                specks += [(structure, body) for body in left_out]
        if STONE.label in boxes:
            stones = connected_bodies(labels, STONE.label, boxes[STONE.label])
            instances += _in_order(STONE, stones, nearby, volume)
        if UNSIDED_KIDNEY.label in boxes:
            body = _whole(labels, boxes[UNSIDED_KIDNEY.label], UNSIDED_KIDNEY.label)
            instances.append(Instance(UNSIDED_KIDNEY, None, body))
        return cls(
            volume.like(labels),
            tuple(instances),
            tuple(specks),
            tuple(flags),
            confidence,
            offset,
            frozenset(doubtful),
        )

    @property
    def labels(self) -> np.ndarray:
        """The label map's voxels."""
        return self.label_map.voxels

    @property
    def kidneys(self) -> dict[Side, Body]:
        """The kidneys' own voxels, where their sides are known."""
        return {i.structure.side: i.body for i in self.instances if i.structure.side}

    def like(self, findings: Findings) -> Segmentation:
        """Returns the segmentation with its instances in the order of findings that were measured on it earlier.

        Raises:
            InputError: the findings are those of another label map.
        """
        if self.is_of(findings):
            return self
        ordered = [self.instance_of(finding) for finding in findings.all]
        found = [instance for instance in ordered if instance is not None]
        if len(found) < len(ordered) or len({id(i.body) for i in found}) < len(self.instances):
            raise InputError(
                "The findings are not those of this label map. Give both from one result, or measure the label map "
                "again."
            )
        return replace(self, instances=tuple(found))

    def is_of(self, findings: Findings) -> bool:
        """Whether the instances are those of findings, one by one: the same structure, side and size."""
        own = [(i.structure.key, i.side, int(np.count_nonzero(i.body.mask))) for i in self.instances]
        return own == [(finding.structure, finding.side, finding.measures.voxels) for finding in findings.all]

    def instance_of(self, finding: Finding) -> Instance | None:
        """Returns what a finding was measured on: the body of the same size in the same place, on the same side."""
        for instance in self.instances:
            if instance.structure.key != finding.structure:
                continue
            if np.count_nonzero(instance.body.mask) != finding.measures.voxels:
                continue
            if isinstance(finding, KidneyView):  # there is one of a side
                return instance
            centre = self.label_map.to_lps(instance.body.voxels().mean(axis=0))
            if np.abs(centre - finding.measures.centroid_lps_mm).max() <= CENTRE_TOLERANCE_MM:
                return replace(instance, side=finding.side)
        return None


def _whole(labels: np.ndarray, box: Box, label: int) -> Body:
    k, j, i = (part.start for part in box)
    return Body(labels[box] == label, (k, j, i))


def _in_order(
    structure: Structure, bodies: Sequence[Body], kidneys: Mapping[Side, Body], volume: Volume
) -> list[Instance]:
    """Returns the bodies of a structure right before left, then from head to feet."""
    order = list(Side)
    sides = sides_of(list(bodies), kidneys, volume)
    heights = [float(volume.to_lps(body.voxels().mean(axis=0))[2]) for body in bodies]
    ranked = sorted(range(len(bodies)), key=lambda n: (order.index(sides[n]), -heights[n]))
    return [Instance(structure, sides[n], bodies[n]) for n in ranked]
