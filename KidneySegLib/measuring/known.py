"""Findings keep their identifiers when a label map is corrected: M2 stays M2 though another mass was taken out.

Findings are numbered by their place, so after a correction a number may belong to another one than before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from KidneySegLib.findings import Measures
from KidneySegLib.findings.result import PhaseEstimate
from KidneySegLib.geometry.bodies import Body
from KidneySegLib.geometry.boxes import in_box
from KidneySegLib.structures import BY_LABEL, KIDNEYS, STRUCTURES, Side, Structure

# A new body is what became of another one where so much of either is the other's.
MOST = 0.5
IN_A_KIDNEY = [structure for structure in STRUCTURES if structure not in KIDNEYS.values()]


@dataclass(frozen=True)
class KnownFindings:
    """Masses, cysts and stones that have identifiers, on the grid of the label map that is about to be described.

    Attributes:
        voxels: indices ``(n, 3)`` of each finding's voxels by its identifier, in canonical order.
        centres: canonical ``(k, j, i)`` of findings of which only the place is known, by identifier.
        confidences: how sure the network was, by identifier; None where that is not known.
        measured: bodies of the network's with their measures: a body that nobody changed is not measured again.
        phase: the contrast phase as it was told before; None where nobody estimated it.
        candidates: voxels of the network's candidates, in the same way; none of them is a finding.
        kidneys: the network's kidneys.
    """

    voxels: Mapping[str, np.ndarray]
    centres: Mapping[str, np.ndarray]
    confidences: Mapping[str, float | None]
    measured: Sequence[tuple[Body, Measures]] = ()
    phase: PhaseEstimate | None = None
    candidates: Mapping[str, np.ndarray] = field(default_factory=dict)
    kidneys: Mapping[Side, Body] = field(default_factory=dict)

    def remade(self, labels: np.ndarray) -> dict[Side, Structure]:
        """Returns of which kidneys a reader made a lesion or stone as a whole: most of their voxels are one now.

        Args:
            labels: the corrected label map, uint8 ``(k, j, i)``.
        """
        remade = {}
        for side, kidney in self.kidneys.items():
            counts = np.bincount(labels[kidney.box][kidney.mask])
            now = BY_LABEL.get(int(counts.argmax()))
            if now in IN_A_KIDNEY and counts.max() > MOST * counts.sum():
                remade[side] = now
        return remade

    def origin(self, body: Body, structure: Structure, remade: Mapping[Side, Structure]) -> Side | None:
        """Returns of which kidney a reader made a body as a whole, or most of it; None of any other.

        Args:
            body: of the corrected label map.
            structure: what it is.
            remade: as ``remade`` returned it.
        """
        for side, kidney in self.kidneys.items():
            shared = in_box(kidney.mask, kidney.box, body.box)[body.mask]
            if remade.get(side) is structure and shared.mean() > MOST:
                return side
        return None

    def names(self, letter: str, bodies: Sequence[Body]) -> list[str]:
        """Returns an identifier for each body of one kind.

        Pairs are made by shared voxels, the largest share first. Of a lesion that was split the larger piece keeps
        the identifier; of lesions that were merged the larger one's is kept. A finding of which only the place is
        known keeps its identifier as long as that lies inside. Further ones get numbers that were never in use.

        Args:
            letter: ``M``, ``C`` or ``S``, with which the identifiers of the kind begin.
            bodies: the bodies, in canonical indices.
        """
        old = {name: voxels for name, voxels in self.voxels.items() if name[0] == letter}
        centres = {name: centre for name, centre in self.centres.items() if name[0] == letter}
        kept = _by_shared_voxels(old, [body.voxels() for body in bodies])
        taken = {*old, *centres}
        for number, body in enumerate(bodies):
            if number not in kept:
                free = {name: centre for name, centre in centres.items() if name not in kept.values()}
                kept[number] = _by_place(body.voxels(), free) or _unused(letter, taken)
                taken.add(kept[number])
        return [kept[number] for number in range(len(bodies))]

    def confidence(self, name: str, body: Body) -> float | None:
        """Returns how sure the network was of a body that is exactly as it drew it; None of any other."""
        if name not in self.voxels or not np.array_equal(self.voxels[name], body.voxels()):
            return None
        return self.confidences.get(name)

    def measures(self, body: Body) -> Measures | None:
        """Returns the measures of a body that is exactly as it was; None of any other."""
        same = (measures for old, measures in self.measured if old.is_same(body))
        return next(same, None)

    def surer_phase(self, estimate: PhaseEstimate) -> PhaseEstimate:
        """Returns the surer one of the phase as it was told before and a new estimate.

        A scan has one phase, and what a reader takes away from a kidney only takes away evidence.
        """
        return estimate if self.phase is None or estimate.confidence > self.phase.confidence else self.phase


def numbered(letter: str, count: int) -> list[str]:
    """Returns the identifiers of findings that nobody has named before."""
    return [f"{letter}{number}" for number in range(1, count + 1)]


def _by_shared_voxels(old: Mapping[str, np.ndarray], bodies: Sequence[np.ndarray]) -> dict[int, str]:
    """Returns the identifiers of those bodies that share voxels with an old finding, by the body's number."""
    if not old or not bodies:
        return {}
    size = np.max([voxels.max(axis=0) for voxels in (*old.values(), *bodies)], axis=0) + 1
    flat = {name: np.ravel_multi_index(tuple(voxels.T), tuple(size)) for name, voxels in old.items()}
    shares = []
    for number, voxels in enumerate(bodies):
        own = np.ravel_multi_index(tuple(voxels.T), tuple(size))
        common = {name: len(np.intersect1d(own, other, assume_unique=True)) for name, other in flat.items()}
        shares += [(count, name, number) for name, count in common.items() if count]
    kept: dict[int, str] = {}
    for _count, name, number in sorted(shares, key=lambda share: (-share[0], share[1], share[2])):
        if number not in kept and name not in kept.values():
            kept[number] = name
    return kept


def _by_place(voxels: np.ndarray, centres: Mapping[str, np.ndarray]) -> str:
    """Returns whose centre lies in the body's box, the nearest to its own; empty if there is none."""
    low, high = voxels.min(axis=0) - 1, voxels.max(axis=0) + 1
    inside = {name: centre for name, centre in centres.items() if np.all((centre >= low) & (centre <= high))}
    middle = voxels.mean(axis=0)
    return min(inside, key=lambda name: float(np.linalg.norm(inside[name] - middle)), default="")


def _unused(letter: str, taken: set[str]) -> str:
    numbers = [int(name[1:]) for name in taken if name[1:].isdigit()]
    return f"{letter}{max(numbers, default=0) + 1}"
