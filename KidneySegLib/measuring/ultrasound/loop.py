"""The frame of a loop that is proposed for measuring.

A kidney is measured where its outline is longest, that is where the plane runs through both poles. A single frame with
an outline that is too long must not decide, so lengths are compared after a median over three neighbouring frames.
Among the frames that come near to the longest, the one counts whose border is seen most clearly: the difference of the
mean grey values within three pixels inside and outside of the outline, in units of their common standard deviation.
"""

from collections.abc import Sequence

import numpy as np

from KidneySegLib.findings import FrameOutline

RING = 3
NEARLY_LONGEST = 0.95


def border_contrast(grey: np.ndarray, outline: np.ndarray, shown: np.ndarray) -> float:
    """Returns how clearly the border of an outline is seen; 0 where one side of it is not shown.

    Args:
        grey: the frame, uint8 ``(j, i)``.
        outline: bool of the same shape.
        shown: where the image shows anything, bool of the same shape.
    """
    from scipy.ndimage import binary_dilation, binary_erosion

    inside = grey[outline & ~binary_erosion(outline, iterations=RING)].astype(np.float64)
    outside = grey[binary_dilation(outline, iterations=RING) & ~outline & shown].astype(np.float64)
    if not inside.size or not outside.size:
        return 0.0
    spread = float(np.sqrt((inside.var() + outside.var()) / 2))
    return abs(float(inside.mean() - outside.mean())) / max(spread, 1.0)


def proposed(frames: Sequence[FrameOutline]) -> int:
    """Returns the place in ``frames`` of the one that is proposed; they are in the order of the loop, at least one."""
    lengths = [frame.longest_px if np.isnan(frame.longest_mm) else frame.longest_mm for frame in frames]
    padded = [lengths[0], *lengths, lengths[-1]]
    lasting = np.array([sorted(padded[n : n + 3])[1] for n in range(len(lengths))])
    nearly = [int(n) for n in np.flatnonzero(lasting >= NEARLY_LONGEST * lasting.max())]
    return max(nearly, key=lambda n: frames[n].border_contrast)
