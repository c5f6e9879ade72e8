"""Checks of an image and of a result: flags that a radiologist should see before trusting the numbers."""

from collections.abc import Collection, Sequence

import numpy as np

from KidneySegLib.findings import KidneyFinding
from KidneySegLib.flags import Flag
from KidneySegLib.hounsfield import BODY, CORTICAL_BONE, UNENHANCED_SOFT_TISSUE
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

# Healthy adult kidneys: 202 +- 36 ml in men, 154 +- 33 ml in women (MRI; Cheong et al., Clin J Am Soc Nephrol
# 2007;2:38-45). 60 ml is about three standard deviations below the women's mean, 400 ml five above the men's.
USUAL_VOLUME_ML = (60.0, 400.0)

# Left and right differ by about a tenth in healthy adults (medians 146 and 134 ml on ultrasound; Emamian et al., AJR
# 1993;160:83-86). Beyond 1.6 a small, obstructed, enlarged or partly missed kidney is more likely than chance.
USUAL_RATIO = 1.6

# Above it the border of an unenhanced kidney against bowel and liver (20 to 30 HU apart) drowns in single voxels.
USUAL_NOISE_HU = 25.0

# Cortical bone exceeds 400 HU in every adult, and air lies below -300 HU in every whole field of view. An image without
# them went through a display window if its values pile up at an end (in windowed exams at least 0.2 % of the voxels at
# the upper end and 20 % at the lower one; in whole exams and crops at most 0.06 %). Else it is a crop.
PILE_WIDTH, PILE_SHARE = 0.02, 0.001
SMALL_IMAGE = 1 << 20  # voxels

THICK_SLICE_MM = 5.0
SLICES_SAMPLED = 15
IN_PLANE_STEP = 4


def check_image(volume: Volume) -> list[Flag]:
    """Looks at the image alone: display window, slice thickness, noise.

    Args:
        volume: the image in HU, axes in canonical order.
    """
    return [*_clipped(volume.voxels), *_thick(volume.spacing[2]), *_noisy(volume.voxels)]


def check_kidneys(kidneys: Sequence[KidneyFinding], remade: Collection[Side] = ()) -> list[Flag]:
    """Looks at the kidneys that were found: number, completeness, volume, symmetry.

    Args:
        kidneys: the kidneys.
        remade: sides whose kidney a reader made a lesion or stone: it is not missing.
    """
    missing = {*Side} - {*remade, *(kidney.side for kidney in kidneys)}
    if not kidneys and missing:
        return [Flag.of("no_kidney")]
    flags = []
    if missing:
        found = kidneys[0].side
        flags.append(Flag.of("one_kidney", side=found, other=found.other))
    for kidney in kidneys:
        flags += [*_cut(kidney), *_unusual_volume(kidney)]
    return flags + _asymmetry(kidneys)


def noise(voxels: np.ndarray) -> float | None:
    """Returns the standard deviation of the noise in soft tissue in HU, or None where there is hardly any.

    Voxels three columns apart are compared, because reconstruction kernels make next neighbours alike. For Gaussian
    noise the mean absolute difference is ``2 / sqrt(pi)`` standard deviations.

    Args:
        voxels: array ``(k, j, i)`` in canonical order, HU.
    """
    slices = np.unique(np.linspace(0, voxels.shape[0] - 1, SLICES_SAMPLED).round().astype(int))
    sample = voxels[slices].astype(np.float32)
    one, other = sample[:, :, 3:], sample[:, :, :-3]
    low, high = UNENHANCED_SOFT_TISSUE
    soft = (np.minimum(one, other) > low) & (np.maximum(one, other) < high)
    if np.count_nonzero(soft) < 1000:
        return None
    return float(np.abs(one - other)[soft].mean() * np.sqrt(np.pi) / 2)


def _clipped(voxels: np.ndarray) -> list[Flag]:
    sample = voxels[:, ::IN_PLANE_STEP, ::IN_PLANE_STEP] if voxels.size > SMALL_IMAGE else voxels
    low, high = float(np.nanmin(sample)), float(np.nanmax(sample))
    cut_low, cut_high = (
        inside and _is_piled_up(sign * sample) for inside, sign in ((low >= BODY, 1), (high <= CORTICAL_BONE, -1))
    )
    if cut_low and high > CORTICAL_BONE:
        return [Flag.of("values_clipped", low_hu=low)]
    if not cut_low and not cut_high:
        return []
    return [Flag.of("values_clipped", low_hu=low, high_hu=high)]


def _is_piled_up(sample: np.ndarray) -> bool:
    """Whether values were cut off at the lower end: many lie there. In a crop without air or bone few do."""
    low, high = float(np.nanmin(sample)), float(np.nanmax(sample))
    width = max(1.0, (high - low) * PILE_WIDTH)
    pile = int(np.count_nonzero(sample < low + width))
    beside = int(np.count_nonzero(sample < low + 2 * width)) - pile
    return pile > max(20, PILE_SHARE * sample.size) and pile > 3 * beside


def _thick(spacing: float) -> list[Flag]:
    if spacing <= THICK_SLICE_MM + 0.05:
        return []
    return [Flag.of("thick_slices", spacing_mm=spacing)]


def _noisy(voxels: np.ndarray) -> list[Flag]:
    level = noise(voxels)
    if level is None or level <= USUAL_NOISE_HU:
        return []
    return [Flag.of("noise", noise_hu=level)]


def _cut(kidney: KidneyFinding) -> list[Flag]:
    if not kidney.cut_at:
        return []
    seen = {} if kidney.length_at_least_mm is None else {"seen_mm": kidney.length_at_least_mm}
    return [Flag.of("kidney_cut", side=kidney.side, ends=kidney.cut_at, **seen)]


def _unusual_volume(kidney: KidneyFinding) -> list[Flag]:
    volume = kidney.organ_volume_ml
    smallest, largest = USUAL_VOLUME_ML
    if volume > largest:
        size = "large"
    elif volume < smallest and not kidney.cut_at:
        size = "small"
    else:
        return []
    return [
        Flag.of(
            "unusual_volume",
            side=kidney.side,
            size=size,
            volume=_volume(kidney),
            smallest_ml=smallest,
            largest_ml=largest,
        )
    ]


def _asymmetry(kidneys: Sequence[KidneyFinding]) -> list[Flag]:
    if len(kidneys) != 2 or any(kidney.cut_at for kidney in kidneys):
        return []
    smaller, larger = sorted(kidneys, key=lambda kidney: kidney.organ_volume_ml)
    ratio = larger.organ_volume_ml / smaller.organ_volume_ml
    if ratio <= USUAL_RATIO:
        return []
    return [
        Flag.of(
            "asymmetry",
            larger=larger.side,
            smaller=smaller.side,
            ratio=ratio,
            larger_volume=_volume(larger),
            smaller_volume=_volume(smaller),
        )
    ]


def _volume(kidney: KidneyFinding) -> dict[str, float]:
    """Returns the organ's volume, and how much of it is not the kidney's own tissue."""
    total = kidney.organ_volume_ml
    return {"total_ml": total, "lesions_ml": total - kidney.measures.volume_ml}
