"""Second pass: the outline of one kidney in its box."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cc3d
import numpy as np

from KidneySegLib.bundles.rules import KidneyRules
from KidneySegLib.flags import Flag
from KidneySegLib.geometry.boxes import Box
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.progress import Share
from KidneySegLib.segmentation.kidneys.boxed import box_probabilities, grown, touches_end
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

# The box grows at most seven times when the kidney reaches its side, by this much each time: enough for a giant one of
# which little was located. Most need no growth, so the first pass is nearly all of the progress.
_GROWTH_MM = 20.0
_SHARES = (0.0, 0.7, 0.8, 0.9, 0.92, 0.94, 0.96, 0.98, 1.0)


@dataclass(frozen=True)
class Outline:
    """One kidney on the scan's own grid.

    Attributes:
        side: the patient's.
        box: part of the canonical volume that ``mask`` covers, slices for k, j, i.
        mask: bool ``(k, j, i)``.
        probability: float32 ``(k, j, i)``: of kidney, mean over the scales.
        confidence: mean probability inside the mask.
        volume_ml: its size.
        cut: whether it touches the end of the image.
        flags: what the memory guard lowered.
    """

    side: Side
    box: Box
    mask: np.ndarray
    probability: np.ndarray
    confidence: float
    volume_ml: float
    cut: bool
    flags: tuple[Flag, ...]


def outline_kidney(
    volume: Volume,
    side: Side,
    box: Box,
    seeds: np.ndarray,
    predictor: Predictor,
    rules: KidneyRules,
    tell: Callable[[float], None],
    ceiling: float | None = None,
) -> Outline:
    """Segments one kidney.

    Args:
        volume: canonical orientation.
        side: which one; the left one is mirrored for the network.
        box: where to look, slices for k, j, i.
        seeds: bool or float ``(k, j, i)`` over the whole volume's extent on any grid: what the locator found.
        predictor: the kidney stage.
        rules: of the bundle.
        tell: takes the finished share.
        ceiling: HU above which the network sees all as dense as this.
    """
    flags: list[Flag] = []
    for start, end in pairwise(_SHARES):
        found, more = box_probabilities(volume, side, box, predictor, Share(tell).part(start, end), ceiling=ceiling)
        flags += more
        probability = found[0]
        mask = _main_pieces(
            probability > predictor.stage.threshold, _seeds_in(seeds, volume, box), rules.second_piece_share
        )
        larger = grown(box, mask, volume, _GROWTH_MM)
        if larger is None or end == _SHARES[-1]:
            break
        box = larger
    tell(1.0)
    inside = probability[mask]
    millilitres = int(mask.sum()) * volume.voxel_volume / 1000
    confidence = float(inside.mean()) if inside.size else 0.0
    cut = touches_end(mask, box, volume)
    return Outline(side, box, mask, probability, confidence, millilitres, cut, tuple(flags))


def _seeds_in(seeds: np.ndarray, volume: Volume, box: Box) -> np.ndarray:
    """Returns the locator's voxels on the scan's grid in ``box``."""
    index = [
        np.minimum(((np.arange(b.start, b.stop) + 0.5) * m / n).astype(int), m - 1)
        for b, n, m in zip(box, volume.voxels.shape, seeds.shape, strict=True)
    ]
    return np.asarray(seeds[np.ix_(*index)])


def _main_pieces(mask: np.ndarray, seeds: np.ndarray, second_share: float) -> np.ndarray:
    """Keeps the piece that covers most of what was located, and large pieces that were located too.

    Args:
        mask: bool ``(k, j, i)``.
        seeds: what was located, same shape.
        second_share: of the main piece's size, which a further one has at least.
    """
    labelled, count = cc3d.connected_components(mask, connectivity=6, return_N=True)
    if count == 0:
        return mask
    sizes = np.bincount(labelled.ravel(), minlength=count + 1)
    located = np.bincount(labelled[seeds > 0], minlength=count + 1)
    sizes[0] = located[0] = 0
    main = int(located.argmax()) if located.any() else int(sizes.argmax())
    keep = (sizes >= second_share * sizes[main]) & (located > 0)
    keep[main] = True
    return np.asarray(keep[labelled])
