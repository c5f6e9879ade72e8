"""From one exam of a patient to another by the kidneys themselves.

Between two exams the patient lies elsewhere and turned on the table, and each kidney moves with breathing by up to a
few centimetres, so scanner coordinates say little. What stays is a place relative to its kidney. The rotation between
the exams is the one that best takes the earlier directions to the later ones: from the right to the left kidney's
centre, and each kidney's long axis (Kabsch's method, Acta Cryst A 1976;32:922-923). The scanner's own axes count by
``SCANNER_WEIGHT``, so that they only decide what the kidneys leave open, such as a turn about the axis of a single
kidney. Each kidney is then shifted by itself, centre to centre.

Of a kidney that the image cuts at the feet in one of the exams, the centre is that of the part which both show, counted
from the upper pole; likewise from the lower one. Its long axis is left aside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from KidneySegLib.geometry.bodies import Body
from KidneySegLib.geometry.boxes import bounding_boxes, cut_at
from KidneySegLib.measuring.kidneys.organ import clear_axis
from KidneySegLib.structures import KIDNEYS, Side
from KidneySegLib.volume import Volume

SCANNER_WEIGHT = 1e-3


@dataclass(frozen=True)
class KidneyFrame:
    """Where the kidneys of one exam are.

    Attributes:
        points: each kidney's own voxels in mm LPS, ``(n, 3)``.
        axes: unit vector of its long axis in LPS towards the head, where it is whole and has a clear one.
        cut: where the image ends within it along the body: ``feet``, ``head``.
    """

    points: dict[Side, np.ndarray]
    axes: dict[Side, np.ndarray]
    cut: dict[Side, frozenset[str]]

    @classmethod
    def of(cls, labels: Volume) -> KidneyFrame:
        """Takes a label map, uint8 ``(k, j, i)``, values of ``structures``."""
        boxes = bounding_boxes(labels.voxels)
        points, axes, cut = {}, {}, {}
        for side in Side:
            label = KIDNEYS[side].label
            if label not in boxes:
                continue
            k, j, i = (part.start for part in boxes[label])
            kidney = Body(labels.voxels[boxes[label]] == label, (k, j, i))
            points[side] = labels.to_lps(kidney.voxels())
            cut[side] = frozenset(cut_at(boxes[label], labels.voxels.shape)) & {"feet", "head"}
            axis = clear_axis(labels, kidney)
            if axis is not None and not cut[side]:
                axes[side] = axis
        return cls(points, axes, cut)


@dataclass(frozen=True)
class Registration:
    """The way from an earlier exam to a later one.

    Attributes:
        rotation: 3x3 matrix in LPS.
        centres: of each kidney that both exams show, its centre in the earlier and in the later one, mm LPS.
    """

    rotation: np.ndarray
    centres: dict[Side, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def between(cls, prior: KidneyFrame, now: KidneyFrame) -> Registration:
        """Finds the way between two exams of one patient."""
        from scipy.spatial.transform import Rotation

        centres = {side: _centres(prior, now, side) for side in Side if side in prior.points and side in now.points}
        pairs = [(axis, axis, SCANNER_WEIGHT) for axis in np.eye(3)]
        pairs += [
            (prior.axes[side], now.axes[side], 1.0) for side in centres if side in prior.axes and side in now.axes
        ]
        if len(centres) == 2:
            before, after = (centres[Side.LEFT][n] - centres[Side.RIGHT][n] for n in (0, 1))
            pairs.append((before / np.linalg.norm(before), after / np.linalg.norm(after), 1.0))
        earlier, later, weights = (np.array(part) for part in zip(*pairs, strict=True))
        rotation, _ = Rotation.align_vectors(later, earlier, weights=weights)
        return cls(rotation.as_matrix(), centres)

    def to_now(self, lps: np.ndarray, side: Side) -> np.ndarray:
        """Takes a point in mm LPS of the earlier exam to where it is expected in the later one, by its kidney.

        Raises:
            KeyError: that kidney is missing in one of the exams.
        """
        before, after = self.centres[side]
        return self.rotation @ (np.asarray(lps) - before) + after


def _centres(prior: KidneyFrame, now: KidneyFrame, side: Side) -> tuple[np.ndarray, np.ndarray]:
    """Returns the centres of a kidney in both exams, of the part that both show."""
    both = prior.points[side], now.points[side]
    cut = prior.cut[side] | now.cut[side]
    if len(cut) == 1:  # cut at both ends, no pole says which part is the same
        towards_pole = 1.0 if "feet" in cut else -1.0
        heights = [towards_pole * points[:, 2] for points in both]
        length = min(float(np.ptp(height)) for height in heights)
        both = tuple(p[h >= h.max() - length] for p, h in zip(both, heights, strict=True))
    return both[0].mean(axis=0), both[1].mean(axis=0)
