"""Values of research image files as Hounsfield units: what was lost, moved or wrapped on the way is undone or told.

DICOM says how its values become Hounsfield units; these files do not, and programs that wrote them cast them to other
types. Evidence is where air, fat and soft tissue lie: at -1000, -100 and 50 HU in every CT.
"""

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.hounsfield import OUTSIDE
from KidneySegLib.languages.language import N_
from KidneySegLib.readers.dicom.pixels.hounsfield import HIGHEST, check_values, guess_offset

_NOT_NUMBERS = N_("The image holds values that are not numbers (NaN or infinite). Export it again.")
# Negative numbers that were stored without their sign stand this far below the range of their type at most: scanners
# pad with -3024 and the like.
_WRAPPED_DEPTH = 4096
_TYPES = (1 << 16, 1 << 32)
# Fewer different values, all near the end of the type's range, are padding of one number and no tissue.
_FEW_VALUES = 3
_STEP = 4  # voxels in plane between those that are looked at
_MOVED_SOFT = (874, 1274)
# Air that was stored with an offset of 1000 and not 1024 lies at 0, and noise gives it values up to this.
_AIR_AT_ZERO = 12
_AIR_SHARE, _TISSUE_SHARE = 0.1, 0.02
_HIGHEST_AIR, _LOWEST_AIR = -850, -3100
_NARROWEST_BODY = 80  # HU between the first and the last twentieth of a body
_LEAST_NOISE = 2  # HU between neighbours; the smoothest reconstructions have twice as much


def as_hounsfield(voxels: np.ndarray) -> tuple[np.ndarray, list[Flag]]:
    """Makes Hounsfield units of an image file's values.

    Args:
        voxels: array ``(k, j, i)`` of any numbers.

    Returns:
        int16 ``(k, j, i)`` of at least -1024, and what was undone or must be known.

    Raises:
        InputError: the values are not numbers, or cannot be a CT's.
    """
    if voxels.dtype.kind not in "iufb":
        raise InputError("The image holds complex or other special numbers; a CT has plain ones.")
    sample = _whole(voxels[:, ::_STEP, ::_STEP])
    modulus = _wrapped_at(sample)
    if modulus:
        sample = np.where(sample > HIGHEST, sample - modulus, sample)
    result = _converted(voxels, modulus)
    flags = [Flag.of("negatives_wrapped")] if modulus else []
    offset = _offset(sample)
    if offset:
        result = np.maximum(result + np.int16(offset), np.int16(OUTSIDE))
        return result, [*flags, Flag.of("rescale_assumed", subtracted_hu=-offset), *check_values(result)]
    strange = _strange(sample)
    return result, [*flags, *(strange or check_values(result))]


def _whole(values: np.ndarray) -> np.ndarray:
    """Returns whole numbers, int64; what no type of whole numbers holds is beyond any CT's scale."""
    if values.dtype.kind != "f":
        return values.astype(np.int64)
    if not np.isfinite(values).all():
        raise InputError(_NOT_NUMBERS)
    return np.rint(np.clip(values, -(1 << 40), 1 << 40)).astype(np.int64)


def _converted(voxels: np.ndarray, modulus: int) -> np.ndarray:
    """Returns int16; slice by slice, so that no second large copy is made."""
    result = np.empty(voxels.shape, dtype=np.int16)
    for k, values in enumerate(voxels):
        whole = _whole(values)
        if modulus:
            whole = np.where(whole > HIGHEST, whole - modulus, whole)
        result[k] = np.where(whole > HIGHEST, OUTSIDE, np.maximum(whole, OUTSIDE))
    return result


def _wrapped_at(sample: np.ndarray) -> int:
    """Returns what must be taken from large values that were negative before a cast to a type without sign, or 0."""
    large = sample[sample > HIGHEST]
    if not large.size:
        return 0
    for modulus in _TYPES:
        if large.min() >= modulus - _WRAPPED_DEPTH and large.max() < modulus:
            return modulus if np.unique(large).size > _FEW_VALUES or large.max() < modulus - 500 else 0
    return 0


def _offset(sample: np.ndarray) -> int:
    """Returns what must be added to make Hounsfield units of values that are moved up, else 0."""
    if sample.min() >= 0:
        moved = sample.max() > 255 and guess_offset(sample) == OUTSIDE
    else:
        # padding below air hides that air itself lies near 0; no patient is a tenth dense bone
        low, high = _MOVED_SOFT
        moved = np.mean((sample > low) & (sample < high)) > _AIR_SHARE
    if not moved:
        return 0
    air = sample[(sample > 0) & (sample < 200)]
    return -1000 if air.size > _TISSUE_SHARE * sample.size and np.median(air) < _AIR_AT_ZERO else OUTSIDE


def _strange(sample: np.ndarray) -> list[Flag]:
    """Says where values cannot be Hounsfield units although their range might be."""
    lowest = int(sample.min())
    deep = sample[sample < _LOWEST_AIR]
    if deep.size > 0.01 * sample.size and np.unique(deep).size > 20:
        return [Flag.of("values_scaled", lowest=lowest)]
    air = sample[sample < -300]
    if air.size > _AIR_SHARE * sample.size and np.mean(sample < _HIGHEST_AIR) < 0.001:
        return [Flag.of("values_scaled", air=np.median(air))]
    if lowest == 0 and np.mean(sample == 0) > _AIR_SHARE and sample.max() > 255:
        return [Flag.of("negatives_lost")]
    if -300 < lowest < 0 and _is_narrow(sample, lowest):
        return [Flag.of("values_scaled")]
    return []


def _is_narrow(sample: np.ndarray, lowest: int) -> bool:
    """Whether all tissues lie close together, with less noise than any scanner has, far from their surroundings."""
    body = sample > lowest + 0.25 * (np.percentile(sample, 99) - lowest)
    both = body[..., 1:] & body[..., :-1]
    if not both.any() or body.mean() > 1 - _AIR_SHARE:
        return False
    noise = np.median(np.abs(np.diff(sample, axis=-1))[both])
    return bool(noise <= _LEAST_NOISE and np.ptp(np.percentile(sample[body], (5, 95))) < _NARROWEST_BODY)
