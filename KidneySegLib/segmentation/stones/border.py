"""The border of a stone.

The scanner blurs a sharp border by its point spread; the border itself is then where the value lies half-way between
the stone and its surroundings. A stone is not equally dense everywhere, so the peak that counts is that within the
reach of the point spread, not that of the whole stone. Where the image was clipped at a display window the peak is the
window's upper end, and the border lies too far outside by as much as the blur reaches: about one millimetre on either
side for a stone of 1200 HU that was cut off at 240 HU.
"""

import cc3d
import numpy as np
from scipy.ndimage import binary_dilation, maximum_filter

from KidneySegLib.geometry.partial_volume import ball

# Almost all of the blur of a body kernel lies within 2 mm.
REACH_MM = 2.0
# Values of what can surround a stone: urine to enhanced parenchyma. Fat around it does not lower the border, because
# between stone and fat there is the wall of the calyx.
LEAST_SURROUNDINGS_HU = 0.0
FLOOR_NOISES = 3.0


def outline(
    voxels: np.ndarray, core: np.ndarray, spacing: tuple[float, float, float], level: float, noise: float
) -> np.ndarray:
    """Returns the stone that belongs to ``core``.

    Args:
        voxels: HU ``(k, j, i)``: the core's box with a margin of at least ``REACH_MM``.
        core: bool, same shape: connected voxels that are surely dense.
        spacing: mm along k, j, i.
        level: value of the tissue around in HU.
        noise: standard deviation of its noise in HU.
    """
    size = [2 * max(1, int(REACH_MM / axis)) + 1 for axis in spacing]
    near = binary_dilation(core, ball(REACH_MM / 2, spacing))
    peaks = maximum_filter(np.where(core, voxels, -np.inf).astype(np.float32), size=size)
    surroundings = _surroundings(voxels, core, near, level)
    half = (peaks + surroundings) / 2
    mask = near & (voxels >= np.maximum(half, level + FLOOR_NOISES * noise))
    parts = cc3d.connected_components(mask, connectivity=26)
    touched = np.unique(parts[core & mask])
    return np.isin(parts, touched[touched > 0])


def _surroundings(voxels: np.ndarray, core: np.ndarray, near: np.ndarray, level: float) -> float:
    shell = voxels[~near]
    shell = shell[np.isfinite(shell)] if shell.size else shell
    value = float(np.median(shell)) if shell.size else level
    return float(np.clip(value, LEAST_SURROUNDINGS_HU, max(level, LEAST_SURROUNDINGS_HU)))
