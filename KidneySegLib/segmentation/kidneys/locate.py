"""First pass: where in the scan is something like a kidney."""

from dataclasses import dataclass

import cc3d
import numpy as np
import torch
from scipy import ndimage

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import KidneyRules
from KidneySegLib.hounsfield import BODY, BONE, OUTSIDE
from KidneySegLib.inference.arrays import array_of
from KidneySegLib.inference.resampling import grid_shape
from KidneySegLib.volume import Volume

# Working voxels around a located kidney that may still be kidney.
_KIDNEY_RIM = 2


@dataclass(frozen=True, eq=False)
class Candidate:
    """A located piece; indices are voxels of the working grid, ``(k, j, i)``, canonical orientation.

    Attributes:
        mask: where it is, on the whole working grid.
        lower: corner of its box.
        upper: opposite corner, exclusive.
        centre: centroid.
        volume_ml: its size.
        confidence: mean probability inside.
        cut: whether it touches the end of the image.
        small: smaller than what is usually located of a kidney; it only counts where its side has nothing larger.
    """

    mask: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    centre: np.ndarray
    volume_ml: float
    confidence: float
    cut: bool
    small: bool = False


def working_grid(volume: Volume, stage: StagePlan) -> tuple[tuple[int, int, int], np.ndarray]:
    """Returns shape and exact spacing (mm along k, j, i) of a stage's grid over the whole volume."""
    native = volume.spacing[::-1]
    shape = grid_shape(volume.voxels.shape, native, stage.spacing)
    return shape, np.array(native) * volume.voxels.shape / np.array(shape)


def as_wide_as_learnt(hu: torch.Tensor, stage: StagePlan) -> tuple[torch.Tensor, tuple[slice, slice, slice]]:
    """Returns an image that is as wide along j and i as the patches that the network learnt from, and its own part.

    Nothing lies around it, as around a scan in a patch. Narrower tiles have less of that, and instance normalisation
    takes the difference for image: in scans that end beside the kidneys every other one was not located. Along k,
    training takes off what lies outside the scan, and so do tiles.

    Args:
        hu: ``(k, j, i)`` on the stage's working grid.
        stage: the locator.
    """
    more = [max(0, p - n) for p, n in zip(stage.patch[1:], hu.shape[1:], strict=True)]
    (j, i), (nj, ni) = [n // 2 for n in more], hu.shape[1:]
    around = (i, more[1] - i, j, more[0] - j)
    return torch.nn.functional.pad(hu, around, value=OUTSIDE), (slice(None), slice(j, j + nj), slice(i, i + ni))


def find_candidates(
    probability: torch.Tensor, spacing: np.ndarray, threshold: float, rules: KidneyRules
) -> list[Candidate]:
    """Returns connected pieces above ``threshold``, the most convincing (volume times confidence) first.

    Args:
        probability: ``(k, j, i)``.
        spacing: mm along k, j, i.
        threshold: above which a voxel counts.
        rules: sizes below which pieces are small, or noise.
    """
    values = array_of(probability)
    labelled, count = cc3d.connected_components(values > threshold, connectivity=6, return_N=True)
    statistics = cc3d.statistics(labelled)
    found = []
    for label in range(1, count + 1):
        box = statistics["bounding_boxes"][label]
        lower, upper = np.array([b.start for b in box]), np.array([b.stop for b in box])
        millilitres = int(statistics["voxel_counts"][label]) * float(np.prod(spacing)) / 1000
        cut = bool((lower == 0).any() or (upper == np.array(values.shape)).any())
        if millilitres < rules.smallest_seed_ml:
            continue
        mask = labelled == label
        found.append(
            Candidate(
                mask=mask,
                lower=lower,
                upper=upper,
                centre=np.array(statistics["centroids"][label]),
                volume_ml=millilitres,
                confidence=float(values[mask].mean()),
                cut=cut,
                small=millilitres < (rules.smallest_cut_ml if cut else rules.smallest_candidate_ml),
            )
        )
    return sorted(found, key=lambda c: (c.small, -c.volume_ml * c.confidence))


def midline(hu: np.ndarray, candidates: list[Candidate]) -> float:
    """Returns the index along i of the body's middle at the height of the candidates.

    The spine tells it: median of the bone in the middle half of the body's width. Without bone (a phantom, a strongly
    clipped image) the middle of the body's outline serves.

    Args:
        hu: ``(k, j, i)`` on the locator's grid, canonical orientation.
        candidates: at least one; enhanced kidneys are as bright as bone, so they are left out.
    """
    heights = slice(min(int(c.lower[0]) for c in candidates), max(int(c.upper[0]) for c in candidates))
    slab = hu[heights]
    kidneys = np.any([c.mask[heights] for c in candidates], axis=0)
    kidneys = ndimage.binary_dilation(kidneys, iterations=_KIDNEY_RIM)
    columns = np.nonzero((slab > BODY).mean(axis=(0, 1)) > 0.05)[0]
    if columns.size == 0:
        return (hu.shape[2] - 1) / 2
    left, right = int(columns[0]), int(columns[-1]) + 1
    return middle_by_spine((slab > BONE) & ~kidneys, left, right, least=20)


def middle_by_spine(bone: np.ndarray, left: int, right: int, least: float) -> float:
    """Returns the median along i of the bone in the middle half of the body, or the body's own middle.

    Args:
        bone: bool ``([k,] j, i)``.
        left: first column of the body.
        right: its end, exclusive.
        least: voxels of bone below which the spine is not seen.
    """
    quarter = (right - left) // 4
    first, last = left + quarter, max(left + quarter + 1, right - quarter)
    columns = bone[..., first:last].reshape(-1, last - first).sum(axis=0)
    if columns.sum() < least:
        return (left + right - 1) / 2
    return float(first + np.searchsorted(np.cumsum(columns), columns.sum() / 2))
