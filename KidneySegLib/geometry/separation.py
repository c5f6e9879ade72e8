"""Touching lesions told apart by their shape.

Two round bodies that touch are joined by a neck. The distance to the border has a peak in either body and a saddle in
the neck, and the lower the saddle lies below the lower peak, the clearer are the two bodies (the *dynamics* of a peak,
or its h-maximum: Soille, Morphological Image Analysis, 2nd ed., chapter 6). The rule is
conservative, because a mass
split in two is a worse error than two cysts told as one: a part is a body of its own only if the neck's half-width is
at most ``NECK`` of the part's own inner radius, ``LEAST_DEPTH_MM`` less than it, and that radius is at least
``LEAST_RADIUS_MM``. Ellipsoids, rods and lobulated masses whose lobes overlap broadly stay whole.
"""

import numpy as np

NECK = 0.6
LEAST_DEPTH_MM = 1.5
LEAST_RADIUS_MM = 2.5

# The shape is judged on a grid of at most about this many voxels: at a 50th of the body, and never finer than stored.
CELLS = 50**3
# Necks are looked for at half-widths that grow by this factor.
LEVEL_RATIO = 1.1


def separate(mask: np.ndarray, spacing: tuple[float, float, float]) -> list[np.ndarray]:
    """Splits one connected body where its shape clearly shows several.

    Args:
        mask: bool ``(k, j, i)``, one body.
        spacing: distance of voxel centres along i, j, k in mm.

    Returns:
        Masks of the same shape that share all voxels of ``mask`` out; the mask itself if it is one body.
    """
    from scipy.ndimage import distance_transform_edt

    step = _coarsening(mask.shape, spacing)
    coarse = np.pad(mask[:: step[0], :: step[1], :: step[2]], 1)
    sampling = tuple(mm * n for mm, n in zip(spacing[::-1], step, strict=True))
    # distances are to the centre of the next cell outside, which lies half a cell beyond the border
    depth = distance_transform_edt(coarse, sampling=sampling) - float(np.prod(sampling)) ** (1 / 3) / 2
    parts = _split(coarse, depth, sampling)
    if len(parts) < 2:
        return [mask]
    numbered = np.zeros(coarse.shape, np.int32)
    for number, part in enumerate(parts, start=1):
        numbered[part] = number
    # stored voxels between the coarse ones belong to the nearest part
    indices = distance_transform_edt(numbered == 0, sampling=sampling, return_distances=False, return_indices=True)
    near = numbered[tuple(indices)][1:-1, 1:-1, 1:-1]
    for axis, n in enumerate(step):
        near = np.repeat(near, n, axis=axis)
    near = near[: mask.shape[0], : mask.shape[1], : mask.shape[2]]
    separated = [mask & (near == number) for number in range(1, len(parts) + 1)]
    return [part for part in separated if part.any()]


def _coarsening(shape: tuple[int, ...], spacing: tuple[float, float, float]) -> tuple[int, int, int]:
    """Returns the whole-number steps ``(k, j, i)`` to cells that are about equally wide in all directions."""
    extent = np.array(shape) * spacing[::-1]
    cell = float((extent.prod() / CELLS) ** (1 / 3))
    k, j, i = (max(1, int(cell / mm)) for mm in spacing[::-1])
    return k, j, i


def _split(body: np.ndarray, depth: np.ndarray, sampling: tuple[float, ...]) -> list[np.ndarray]:
    """Splits at the widest neck that tells bodies apart, and each part again."""
    import cc3d
    from scipy.ndimage import distance_transform_edt

    first, last = min(sampling) / 2, NECK * float(depth[body].max())
    for level in first * LEVEL_RATIO ** np.arange(max(0.0, np.log(last / first) / np.log(LEVEL_RATIO)) + 1):
        cores = cc3d.connected_components(body & (depth > level), connectivity=6)
        seeds = _bodies_of_their_own(cores, depth, float(level))
        if len(seeds) < 2:
            continue
        seeded = np.where(np.isin(cores, seeds), cores, 0)
        indices = distance_transform_edt(seeded == 0, sampling=sampling, return_distances=False, return_indices=True)
        nearest = np.where(body, seeded[tuple(indices)], 0)
        return [part for seed in seeds for part in _split(nearest == seed, depth, sampling)]
    return [body]


def _bodies_of_their_own(cores: np.ndarray, depth: np.ndarray, level: float) -> list[int]:
    """Returns those numbers in ``cores`` whose peak of ``depth`` makes a neck of half-width ``level`` a clear one."""
    from scipy.ndimage import maximum

    count = int(cores.max())
    if count < 2:
        return []
    peaks = np.asarray(maximum(depth, cores, np.arange(1, count + 1)))
    clear = (level <= NECK * peaks) & (peaks - level >= LEAST_DEPTH_MM) & (peaks >= LEAST_RADIUS_MM)
    return [int(n) + 1 for n in np.flatnonzero(clear)]
