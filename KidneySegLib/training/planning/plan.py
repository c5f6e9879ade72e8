"""From a fingerprint to grid, patch, batch and network: nnU-Net v2's rules, fitted to a device's memory.

After Isensee et al., Nat Methods 2021, and "nnU-Net Revisited", MICCAI 2024 (residual presets M, L and XL), checked
against nnU-Net's planner. Axes keep their anatomical order k, j, i, whichever is the coarsest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from KidneySegLib.bundles.limits import SPACING_MM
from KidneySegLib.bundles.plan import Normalisation
from KidneySegLib.bundles.topology import Topology
from KidneySegLib.errors import InputError
from KidneySegLib.training.planning.fingerprint import Fingerprint
from KidneySegLib.training.planning.levels import feature_voxels, filters_of, levels_for
from KidneySegLib.training.recipe import Recipe

# A data set has thick slices where they are this many times thicker than pixels are wide, and as many times fewer.
_ANISOTROPIC = 3.0
# Values of the feature maps of two patches that nnU-Net found to fit into a gigabyte.
_PLAIN_PER_GB = 70e6
# Of its residual presets, from the memory in GB on for which they are meant: M, L, XL.
_RESIDUAL_PER_GB = ((0.0, 85e6), (24.0, 87.5e6), (40.0, 90e6))
_FEWEST_PATCHES = 2
# Of all voxels of the data, which one batch may see; the residual presets are not limited.
_MOST_SEEN = 0.05
# Where a patch holds less of an exam, nnU-Net plans a coarse network as well, and takes Dice of whole batches.
_LOW_RESOLUTION = 0.25
# By which its grid grows step by step, how much finer than the coarsest an axis may stay, and how many times fewer
# voxels make it worth having.
_COARSER, _UNEVEN, _WORTH = 1.03, 2.0, 2.0


@dataclass(frozen=True)
class Planned:
    """What the rules decided.

    Attributes:
        spacing: grid in mm along k, j, i.
        shape: median of the exams on that grid, voxels along k, j, i.
        patch: voxels along k, j, i.
        batch: patches per step.
        topology: levels of the network.
        each_patch: whether Dice is taken of every patch by itself.
    """

    spacing: tuple[float, float, float]
    shape: tuple[int, int, int]
    patch: tuple[int, int, int]
    batch: int
    topology: Topology
    each_patch: bool


def planned(
    found: Fingerprint, outputs: int, memory_gb: float, *, residual: bool = False, coarse: bool = False
) -> Planned:
    """Plans a network.

    Args:
        found: of the data.
        outputs: of the network.
        memory_gb: of the device, in GB.
        residual: whether the residual encoder is taken.
        coarse: plan nnU-Net's network of low resolution, whose patch holds a quarter of an exam, instead of the one of
            full resolution.

    Raises:
        InputError: the memory does not suffice for the smallest network, or the data need no coarse one.
    """
    spacing = _spacing(found)
    shapes = [
        [max(1, round(n * s / t)) for n, s, t in zip(shape, own, spacing, strict=True)]
        for shape, own in zip(found.shapes, found.spacings, strict=True)
    ]
    median = [float(length) for length in np.median(shapes, axis=0)]
    room = memory_gb * (_residual_per_gb(memory_gb) if residual else _PLAIN_PER_GB)
    most_seen = math.inf if residual else math.prod(median) * len(found.shapes) * _MOST_SEEN
    plan = _on_grid(spacing, median, outputs, room, most_seen, residual=residual)
    if not coarse:
        return plan
    grid, size = np.array(spacing), median
    while math.prod(plan.patch) < _LOW_RESOLUTION * math.prod(size):
        finer = grid.max() / grid > _UNEVEN
        # the finer axes first, until the voxels are even
        grid = np.where(finer, grid * _COARSER, grid) if finer.any() else grid * _COARSER
        size = [length * own / new for length, own, new in zip(median, spacing, grid, strict=True)]
        k, j, i = (round(float(axis), 5) for axis in grid)
        plan = _on_grid((k, j, i), size, outputs, room, most_seen, residual=residual)
    if math.prod(median) < _WORTH * math.prod(size):
        raise InputError(
            "These exams are small enough for the network of full resolution; nnU-Net plans no coarse one for them. "
            "Plan without --low-resolution."
        )
    return plan


def _on_grid(
    spacing: tuple[float, float, float],
    size: Sequence[float],
    outputs: int,
    room: float,
    most_seen: float,
    *,
    residual: bool,
) -> Planned:
    """Plans patch, batch and levels on a grid.

    Args:
        spacing: mm along k, j, i.
        size: median of the exams on that grid, in voxels along k, j, i.
        outputs: of the network.
        room: values of feature maps that a step may hold.
        most_seen: voxels that a batch may see.
        residual: whether the residual encoder is taken.

    Raises:
        InputError: the room does not suffice for the smallest network.
    """
    median = [max(1, int(length)) for length in size]
    volume = math.prod(1 / axis for axis in spacing)
    ideal = [round(1 / axis * (256**3 / volume) ** (1 / 3)) for axis in spacing]
    topology, patch = levels_for(
        [min(side, length) for side, length in zip(ideal, median, strict=True)], spacing, residual=residual
    )
    while (needed := feature_voxels(topology, patch, outputs, residual=residual)) > room:
        topology, patch = _smaller(patch, topology, spacing, median, residual=residual)
    batch = min(round(room / needed * _FEWEST_PATCHES), most_seen / math.prod(patch))
    return Planned(
        spacing,
        (median[0], median[1], median[2]),
        patch,
        max(_FEWEST_PATCHES, round(batch)),
        topology,
        each_patch=math.prod(patch) >= _LOW_RESOLUTION * math.prod(median),
    )


def recipe_with(recipe: Recipe, plan: Planned, found: Fingerprint, *, residual: bool = False) -> Recipe:
    """Returns a recipe with what was planned in place of its own grid, patch, batch, network and normalisation."""
    network = replace(
        recipe.stage.network,
        architecture="nnunet-residual3d" if residual else "nnunet-plain3d",
        filters=filters_of(plan.topology),
        topology=plan.topology,
        inputs=("image",),
        affine=False,
    )
    low, high = found.lowest, max(found.highest, found.lowest + 1)
    stage = replace(
        recipe.stage,
        network=network,
        spacing=plan.spacing,
        window=(round(low, 2), round(high, 2)),
        normalise=Normalisation(round(found.mean, 2), round(found.deviation, 2)),
        patch=plan.patch,
        equalise=None,
        body_hu=None,
        grid=None,
        scales=(1.0,),
    )
    return recipe.model_copy(
        update={
            "stage": stage,
            "loss": recipe.loss.model_copy(update={"each_patch": plan.each_patch}),
            "schedule": recipe.schedule.model_copy(update={"batch": plan.batch}),
        }
    )


def _spacing(found: Fingerprint) -> tuple[float, float, float]:
    """Returns the median spacing; of an axis with few thick slices the 10th percentile, so that few are made up."""
    spacings = np.array(found.spacings)
    target, size = np.median(spacings, axis=0), np.median(np.array(found.shapes), axis=0)
    worst = int(np.argmax(target))
    others = [axis for axis in range(3) if axis != worst]
    coarsest = float(target[others].max())
    if target[worst] > _ANISOTROPIC * coarsest and size[worst] * _ANISOTROPIC < size[others].min():
        target[worst] = max(float(np.percentile(spacings[:, worst], 10)), coarsest)
    k, j, i = (round(float(np.clip(axis, *SPACING_MM)), 5) for axis in target)
    return k, j, i


def _residual_per_gb(memory_gb: float) -> float:
    return next(values for least, values in reversed(_RESIDUAL_PER_GB) if memory_gb >= least)


def _smaller(
    patch: Sequence[int], topology: Topology, spacing: Sequence[float], median: Sequence[int], *, residual: bool
) -> tuple[Topology, tuple[int, int, int]]:
    """Returns the patch without a step of the axis that covers most of the exams, and its levels.

    The step is that of the patch which is one present step shorter, so that no valid size is left out.

    Raises:
        InputError: there is no smaller patch.
    """
    axis = max(range(3), key=lambda n: (patch[n] / median[n], n))
    step = math.prod(stride[axis] for stride in topology.strides)
    shorter = [length - step * (n == axis) for n, length in enumerate(patch)]
    if min(shorter) > 0:
        finer, _ = levels_for(shorter, spacing, residual=residual)
        step = math.prod(stride[axis] for stride in finer.strides)
        found = levels_for([length - step * (n == axis) for n, length in enumerate(patch)], spacing, residual=residual)
        if len(found[0].strides) > 1 and found[1] != tuple(patch):
            return found
    raise InputError("The memory of the device is not enough for the smallest network. Give more with --memory.")
