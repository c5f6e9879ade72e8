"""From one exam of a patient to another by the kidneys themselves.

Between two exams the patient lies elsewhere and turned on the table, and each kidney moves with breathing by up to a
few centimetres, so scanner coordinates say little. What stays is a place relative to its kidney. The rotation between
the exams is the one that best takes the earlier directions to the later ones: from the right to the left kidney's
centre, and each kidney's long axis (Kabsch's method, Acta Cryst A 1976;32:922-923). The scanner's own axes count by
``SCANNER_WEIGHT``, so that they only decide what the kidneys leave open, such as a turn about the axis of a single
kidney. Each kidney is then shifted by itself, centre to centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from KidneySegLib.analysis.bodies import Body
from KidneySegLib.analysis.measurements import bounding_boxes
from KidneySegLib.analysis.organ import clear_axis
from KidneySegLib.structures import KIDNEYS, Side
from KidneySegLib.volume import Volume

SCANNER_WEIGHT = 1e-3


@dataclass(frozen=True)
class KidneyFrame:
    """Where the kidneys of one exam are.

    Attributes:
        centres: centre of gravity of each kidney's own voxels in mm LPS.
        axes: unit vector of its long axis in LPS towards the head, where it has a clear one.
    """

    centres: dict[Side, np.ndarray]
    axes: dict[Side, np.ndarray]

    @classmethod
    def of(cls, labels: Volume) -> KidneyFrame:
        """Takes a label map, uint8 ``(k, j, i)``, values of ``structures``."""
        boxes = bounding_boxes(labels.voxels)
        centres, axes = {}, {}
        for side in Side:
            label = KIDNEYS[side].label
            if label not in boxes:
                continue
            k, j, i = (part.start for part in boxes[label])
            kidney = Body(labels.voxels[boxes[label]] == label, (k, j, i))
            centres[side] = labels.to_lps(kidney.voxels().mean(axis=0))
            axis = clear_axis(labels, kidney)
            if axis is not None:
                axes[side] = axis
        return cls(centres, axes)


@dataclass(frozen=True)
class Registration:
    """The way from an earlier exam to a later one.

    Attributes:
        rotation: 3x3 matrix in LPS.
        prior: kidneys of the earlier exam.
        now: kidneys of the later exam.
    """

    rotation: np.ndarray
    prior: KidneyFrame
    now: KidneyFrame

    @classmethod
    def between(cls, prior: KidneyFrame, now: KidneyFrame) -> Registration:
        """Finds the rotation between two exams of one patient."""
        from scipy.spatial.transform import Rotation

        pairs = [(axis, axis, SCANNER_WEIGHT) for axis in np.eye(3)]
        pairs += [(prior.axes[side], now.axes[side], 1.0) for side in prior.axes.keys() & now.axes.keys()]
        if len(prior.centres) == len(now.centres) == 2:
            across = [frame.centres[Side.LEFT] - frame.centres[Side.RIGHT] for frame in (prior, now)]
            before, after = (vector / np.linalg.norm(vector) for vector in across)
            pairs.append((before, after, 1.0))
        before_all, after_all, weights = (np.array(part) for part in zip(*pairs, strict=True))
        rotation, _ = Rotation.align_vectors(after_all, before_all, weights=weights)
        return cls(rotation.as_matrix(), prior, now)

    @property
    def sides(self) -> list[Side]:
        """Sides whose kidney is there in both exams, right before left."""
        return [side for side in Side if side in self.prior.centres and side in self.now.centres]

    def to_now(self, lps: np.ndarray, side: Side) -> np.ndarray:
        """Takes a point in mm LPS of the earlier exam to where it is expected in the later one, by its kidney.

        Raises:
            KeyError: that kidney is missing in one of the exams.
        """
        return self.rotation @ (np.asarray(lps) - self.prior.centres[side]) + self.now.centres[side]
