"""Distance from a stone to the skin.

Skin-to-stone distance is the mean of the distances from the stone's centre to the skin at 0, 45 and 90 degrees between
the horizontal to the side and the vertical to the back, in the axial slice of the centre (Pareek et al., Urology
2005;66:941-944): the ways that shock waves take.
"""

import numpy as np

from KidneySegLib.hounsfield import BODY
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

ANGLES_DEGREES = (0.0, 45.0, 90.0)
RAY_STEP_MM = 0.5
# Thinner than this is not a body: table top, blanket, tubes.
SHEET_MM = 8.0


class Skin:
    """The body's outline in axial slices, each made when it is first asked for."""

    def __init__(self, canonical: Volume) -> None:
        """Takes the image in HU, axes in canonical order."""
        self._canonical = canonical
        self._slices: dict[int, np.ndarray | None] = {}

    def distance(self, kji: np.ndarray, side: Side) -> float | None:
        """Returns the skin distance in mm of a point in voxels ``(k, j, i)``.

        None where the skin lies outside the image, or where air cannot be told from fat because the image went through
        a display window.
        """
        k = int(round(float(kji[0])))
        if k not in self._slices:
            self._slices[k] = self._body(k)
        body = self._slices[k]
        if body is None:
            return None
        ways = [self._way(body, kji[1:], side, angle) for angle in np.radians(ANGLES_DEGREES)]
        found = [way for way in ways if way is not None]
        return float(np.mean(found)) if len(found) == len(ways) else None

    def _body(self, k: int) -> np.ndarray | None:
        """Returns the body in one slice, bool ``(j, i)``, without holes and without the table."""
        from scipy.ndimage import binary_fill_holes, binary_opening, label

        hu = self._canonical.voxels[k]
        if float(hu.min()) > BODY:
            return None
        tissue = hu > BODY
        cells = [max(1, int(SHEET_MM / 2 / mm)) for mm in self._canonical.spacing[1::-1]]
        solid = binary_opening(np.pad(tissue, 1, mode="edge"), np.ones((1, 3), bool), iterations=cells[1])
        solid = binary_opening(solid, np.ones((3, 1), bool), iterations=cells[0])[1:-1, 1:-1]
        parts, count = label(solid)
        if count == 0:
            return None
        largest = parts == np.bincount(parts.ravel())[1:].argmax() + 1
        return np.asarray(binary_fill_holes(largest))

    def _way(self, body: np.ndarray, ji: np.ndarray, side: Side, angle: float) -> float | None:
        """Returns the way to where the body ends, along ``angle`` from the side towards the back."""
        along_i, along_j, _ = self._canonical.spacing
        sideways = np.cos(angle) * (1 if side is Side.LEFT else -1) / along_i
        backwards = np.sin(angle) / along_j
        longest = float(np.hypot(body.shape[0] * along_j, body.shape[1] * along_i))
        ways = np.arange(0, longest, RAY_STEP_MM)
        j = np.rint(ji[0] + ways * backwards).astype(int)
        i = np.rint(ji[1] + ways * sideways).astype(int)
        image = (j >= 0) & (j < body.shape[0]) & (i >= 0) & (i < body.shape[1])
        outside = ~body[j[image], i[image]]
        return float(ways[image][outside.argmax()]) if outside.any() else None
