"""Hounsfield units: whether values are such, and what lies outside the scanner's field of view.

Shared by the readers of DICOM and of image files.
"""

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag

# Above the 16-bit extended CT scale no material lies: such values are negative padding read without its sign.
HIGHEST = 31743
GREY_LEVELS = (0, 255)  # of pictures


def guess_offset(sample: np.ndarray) -> int | None:
    """Returns what must be added to values of unknown scale to make them Hounsfield units.

    0 where air is negative as it should be; -1024 where air lies near 0 and soft tissue near 1024, as scanners store
    it; None where the values are neither.

    Args:
        sample: some values of the scan, of any shape, which include air outside the body.
    """
    lowest = sample.min()
    if lowest < 0:
        return 0 if np.mean(sample < -200) > 0.01 else None
    air = np.mean(sample < 300)
    soft_tissue = np.mean((sample > 874) & (sample < 1274))
    return -1024 if air > 0.01 and soft_tissue > 0.1 else None


def check_values(voxels: np.ndarray) -> list[Flag]:
    """Says whether the values are a CT's.

    Args:
        voxels: array ``(k, j, i)`` of whole numbers.

    Raises:
        InputError: all values are the same, or so few that it is a label map or a normalised image.
    """
    lowest, highest = int(voxels.min()), int(voxels.max())
    if lowest == highest:
        raise InputError("All voxels of the image have the same value. Export the series again.")
    if highest - lowest <= 20:
        raise InputError(
            "The values lie between {lowest} and {highest}: a label map or a normalised image, not a CT in "
            "Hounsfield units. Choose the CT.",
            lowest=lowest,
            highest=highest,
        )
    low, high = GREY_LEVELS
    if lowest >= low and highest <= high:
        return [Flag.of("not_hounsfield", low=low, high=high)]
    if lowest >= 0 or highest <= 0:
        return [Flag.of("not_hounsfield")]
    if lowest > -500 and highest < 1000 and _is_clipped(voxels[:: max(1, len(voxels) // 20)], lowest, highest):
        return [Flag.of("values_clipped", low_hu=lowest, high_hu=highest)]
    return []


def _is_clipped(sample: np.ndarray, lowest: int, highest: int) -> bool:
    """Whether both end values occur often, which noise alone never does."""
    often = max(50, 0.0005 * sample.size)
    return bool(np.count_nonzero(sample == lowest) > often and np.count_nonzero(sample == highest) > often)
