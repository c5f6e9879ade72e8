"""Maps of the tissue around and inside the kidney, on which contrast medium is synthesised."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

# Regions are grown on a coarse grid; finer borders would only cost time, since synthesis blurs them.
_COARSE_MM = 3.0
_MAX_REGIONS = 255


def kidney_depth(organ: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Returns the depth below the kidney's outer surface in mm, uint8 ``(k, j, i)``, 0 outside.

    The hull is closed over 8 mm first, so that fat of the sinus counts as deep and not as a surface. What lies deeper
    than the parenchyma is thick is the sinus.
    """
    # Scans often cut the kidney: repeated edges keep a cut end from counting as surface.
    pad = [(int(8 / s) + 2,) * 2 for s in spacing]
    padded = np.pad(organ, pad, mode="edge").astype(bool)
    hull = ndimage.distance_transform_edt(~padded, sampling=spacing) <= 8
    hull = ndimage.distance_transform_edt(hull, sampling=spacing) > 8
    depth = ndimage.distance_transform_edt(hull | padded, sampling=spacing)
    inside = tuple(slice(p[0], -p[1]) for p in pad)
    return np.clip(np.ceil(depth[inside]), 0, 255).astype(np.uint8)


def tissue_regions(hu: np.ndarray, organ: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Cuts the soft tissue outside the kidneys into blobs that may enhance together, uint8 ``(k, j, i)``.

    Watershed of the distance to fat and air: muscles, liver, spleen, bowel loops and vessels come out as one or a few
    pieces each. The pieces carry no names; synthesis gives each one an enhancement at random.
    """
    from skimage.segmentation import watershed

    zoom = np.minimum(1.0, np.array(spacing) / _COARSE_MM)
    coarse = ndimage.zoom(hu, zoom, order=1, grid_mode=True, mode="nearest")
    kidney = ndimage.zoom(organ, np.array(coarse.shape) / hu.shape, order=0, grid_mode=True, mode="nearest") > 0
    soft = (ndimage.gaussian_filter(coarse, 0.7) > -10) & (coarse < 250) & ~kidney
    distance = ndimage.distance_transform_edt(soft, sampling=np.array(spacing) / zoom)
    smooth = ndimage.gaussian_filter(distance, 1.0)
    peaks = (smooth == ndimage.maximum_filter(smooth, size=5)) & (distance > 4)
    markers, count = ndimage.label(peaks)
    if count > _MAX_REGIONS:
        strength = ndimage.maximum(smooth, markers, np.arange(1, count + 1))
        keep = np.argsort(strength)[::-1][:_MAX_REGIONS]
        lookup = np.zeros(count + 1, dtype=np.int32)
        lookup[keep + 1] = np.arange(1, _MAX_REGIONS + 1)
        markers = lookup[markers]
    blobs = watershed(-smooth, markers, mask=soft)
    fine = ndimage.zoom(blobs, np.array(hu.shape) / coarse.shape, order=0, grid_mode=True, mode="nearest")
    return fine.astype(np.uint8)
