"""The renal sinus: fat, vessels and collecting system deep in the kidney.

Of the voxels at least ``DEPTH_MM`` inside the kidney's contour, the sinus are those that belong to no structure (as
in KiTS, clear sinus fat is not part of the kidney's label), and those that carry the kidney's own label but have the
density of fat; the largest connected part counts. Urine and vessels that carry the kidney's label cannot be told from
parenchyma without knowing the phase, and are not counted. Where less than ``LEAST_ML`` is found (a kidney cut by the
image, a filled or destroyed sinus), nothing is said.

It is looked for on a grid of about ``CELL_MM``, so distances are good to about that much.
"""

import numpy as np

from KidneySegLib.geometry.bodies import Body
from KidneySegLib.hounsfield import FAT_IN_SINUS
from KidneySegLib.measuring.kidneys.organ import KidneyShape
from KidneySegLib.volume import Volume

DEPTH_MM = 5.0
CELL_MM = 1.5
LEAST_ML = 0.5


def sinus_of(
    volume: Volume, labels: np.ndarray, kidney: Body, kidney_label: int, organ: KidneyShape
) -> np.ndarray | None:
    """Returns the centres of the sinus's cells in mm LPS, ``(n, 3)``, or None if no sinus can be told.

    Args:
        volume: the image in HU.
        labels: label map, uint8 ``(k, j, i)``.
        kidney: the kidney's own voxels.
        kidney_label: their value.
        organ: its shape.
    """
    import cc3d

    step = [max(1, int(CELL_MM / mm)) for mm in volume.spacing[::-1]]
    cells = tuple(slice(part.start, part.stop, n) for part, n in zip(kidney.box, step, strict=True))
    hu, label = volume.voxels[cells], labels[cells]
    fat = (hu >= FAT_IN_SINUS[0]) & (hu <= FAT_IN_SINUS[1])
    candidates = (label == 0) | ((label == kidney_label) & fat)
    indices = np.argwhere(candidates)
    lps = volume.to_lps(indices * step + kidney.offset)
    deep = organ.outside_mm(lps) <= -DEPTH_MM
    candidates[tuple(indices[~deep].T)] = False
    parts = cc3d.connected_components(np.ascontiguousarray(candidates), connectivity=6)
    numbers = parts[tuple(indices[deep].T)]
    if numbers.size == 0:
        return None
    counts = np.bincount(numbers)
    if counts.max() * np.prod(step) * volume.voxel_volume / 1000 < LEAST_ML:
        return None
    return lps[deep][numbers == counts.argmax()]


def distance_mm(volume: Volume, body: Body, sinus: np.ndarray) -> float:
    """Returns the shortest distance between a body and the sinus in mm, 0 where they touch.

    Args:
        volume: the body's grid.
        body: the lesion.
        sinus: centres of the sinus's cells in mm LPS, ``(n, 3)``.
    """
    from scipy.spatial import cKDTree

    surface = volume.to_lps(body.surface())
    distances, nearest = cKDTree(surface).query(sinus)
    at = int(distances.argmin())
    between = sinus[at] - surface[nearest[at]]
    # both are centres: what lies between their faces is less by half a voxel and half a cell
    steps = volume.ijk_to_lps[:3, :3].T
    cells = np.array([max(1, int(CELL_MM / mm)) for mm in volume.spacing])
    length = float(np.linalg.norm(between))
    if length == 0:
        return 0.0
    along = np.abs(steps @ (between / length))
    return max(0.0, length - float(along.max()) / 2 - float((along * cells).max()) / 2)
