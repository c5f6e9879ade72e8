"""Cysts on scans without contrast medium, told by density and form: what the networks miss there is plain to see.

Unenhanced parenchyma has some 35 HU, simple fluid 0 to 20 (Silverman et al., Radiology 2019;292:475-488), and the two
are compared within one scan, so that the scanner's calibration does not matter. Fluid fills the renal pelvis, bowel and
gallbladder, too. So a body of fluid is taken for a cyst only if it is as compact as a ball, touches the parenchyma, and
lies where no collecting system is: on the kidney's outer side, or hanging from it with a broad base. Layers in which
parenchyma and fat blur to the density of fluid are never compact.

The limits were set on 13 unenhanced training exams, 10 of them with cysts. There all 8 bodies that pass are cysts, from
21 mm on; what fails among the compact ones is a renal pelvis, a dilated calyx, bowel, or a cyst on the hilar side. Only
the least radius comes from validation: 7 mm instead of 5, after two false ones of 1.5 ml there.
"""

import cc3d
import numpy as np
from scipy.ndimage import binary_erosion, gaussian_filter

from KidneySegLib.geometry.boxes import Box, in_box
from KidneySegLib.geometry.distances import depth_within, near
from KidneySegLib.hounsfield import FAT, MOST_UNENHANCED
from KidneySegLib.inference.arrays import array_of, tensor_of
from KidneySegLib.inference.resampling import grid_shape, resample, restore
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

_GRID_MM = (1.5, 1.5, 1.5)
_NOISE_MM = 2.5
# Parenchyma is looked at away from its border, and by its upper half: a cyst inside the outline is not parenchyma.
_BORDER_MM, _FEWEST_VOXELS = 2.5, 30
# Fluid is darker than parenchyma by this much at its border, and by more in the middle; fat and its border are darker.
_DARKER_HU, _MIDDLE_DARKER_HU, _DARKEST_HU = 10.0, 15.0, -30.0
# Bodies that touch are apart where the neck between them is narrower than exp(-0.25) = 78 % of the smaller one.
_NECK = 0.25
# The inner ball of a cyst: its radius, and its share of the body. What is rounder than a ball was cut off from more.
_LEAST_RADIUS_MM, _ROUND = 7.0, (0.45, 1.2)
# Thinner layers than twice this are not bodies.
_OPENING_MM = 3.5
_CORE, _RIM = 0.45, 0.5
# Where parenchyma lies near the body's surface, in mm and as a share of the surface; broad is more.
_CONTACT_MM, _LEAST_CONTACT, _BROAD_CONTACT = 4.0, 0.07, 0.2
# Towards the outer side, as a share of the kidney's half width; and how much of an outer body lies within the outline.
_OUTWARDS, _MOST_INSIDE = 0.1, 0.3
_REACH_MM = 2.5


def fluid_cysts(volume: Volume, outline: Outline, box: Box) -> np.ndarray:
    """Returns numbers of the cysts in ``box``, uint8 ``(k, j, i)``, 0 elsewhere; none where parenchyma is enhanced.

    Args:
        volume: CT in HU, canonical orientation.
        outline: the kidney, whose density decides what fluid is.
        box: where to look, slices for k, j, i.
    """
    crop, kidney = volume.voxels[box], in_box(outline.mask, outline.box, box)
    numbers = np.zeros(crop.shape, np.uint8)
    # the upper half's median is not lower than that of all
    if not kidney.any() or np.median(crop[kidney]) > MOST_UNENHANCED:
        return numbers
    shape = grid_shape(crop.shape, volume.spacing[::-1], _GRID_MM)
    spacing = np.array(crop.shape) * volume.spacing[::-1] / np.array(shape)
    hu = gaussian_filter(array_of(resample(crop, shape)), _NOISE_MM / spacing, truncate=3.0)
    organ = array_of(resample(kidney.view(np.uint8), shape)) >= 0.5
    level = _parenchyma(hu, organ, spacing)
    if level is None or level > MOST_UNENHANCED:
        return numbers
    beside = near(organ, _REACH_MM, spacing)
    bodies = _bodies((hu < level - _DARKER_HU) & (hu > _DARKEST_HU), beside, spacing)
    parenchyma = near(organ & (hu > level - _DARKER_HU), _CONTACT_MM, spacing) if bodies else organ
    found = 0
    for mask, radius in bodies:
        dark = float(np.median(hu[mask])) <= level - _MIDDLE_DARKER_HU
        if dark and _is_cyst(mask, radius, organ, beside, parenchyma, outline.side, spacing) and found < 255:
            found += 1
            whole = _to_its_border(mask, hu, level, spacing)
            share = array_of(restore(tensor_of(whole.astype(np.float32)), crop.shape))
            numbers[(share >= 0.5) & (numbers == 0)] = found
    return numbers


def _parenchyma(hu: np.ndarray, organ: np.ndarray, spacing: np.ndarray) -> float | None:
    """Returns the density of parenchyma in HU, or None if there is too little of it."""
    inner = hu[depth_within(organ, spacing) > _BORDER_MM]
    if inner.size < _FEWEST_VOXELS:
        return None
    return float(np.median(inner[inner >= np.median(inner)]))


def _bodies(fluid: np.ndarray, beside: np.ndarray, spacing: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Returns compact bodies of fluid at the kidney: bool masks ``(k, j, i)``, and radii of their inner balls in mm.

    Args:
        fluid: bool ``(k, j, i)``.
        beside: bool, what lies within the kidney's outline or near it.
        spacing: mm along k, j, i.
    """
    depth = depth_within(fluid, spacing)
    bodies: list[tuple[np.ndarray, float]] = []
    if not (depth >= _LEAST_RADIUS_MM).any():
        return bodies
    # these take a while to import, and most kidneys have no body of fluid
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed

    opened = fluid & near(depth >= _OPENING_MM, _OPENING_MM, spacing)
    pieces = cc3d.connected_components(opened, connectivity=6)
    boxes = cc3d.statistics(pieces)["bounding_boxes"]
    for piece in np.unique(pieces[opened & beside]):
        box = boxes[piece]
        own, deep = pieces[box] == piece, depth[box]
        peaks = h_maxima(np.log(np.maximum(deep * own, 1)).astype(np.float32), _NECK).astype(bool)
        markers = cc3d.connected_components(peaks & own & (deep >= _LEAST_RADIUS_MM), connectivity=26)
        # what has no large enough middle of its own goes to its neighbour, and is cut off again as a thin part
        parts = watershed(-deep, markers, mask=own)
        for number in range(1, int(markers.max()) + 1):
            body = np.zeros(fluid.shape, bool)
            body[box] = _rounded(parts == number, deep, spacing)
            bodies.append((body, float(deep[parts == number].max())))
    return bodies


def _rounded(body: np.ndarray, depth: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Returns the body without thin parts that hang on it."""
    radius = float(depth[body].max())
    return body & near(body & (depth >= _CORE * radius), _RIM * radius, spacing)


def _to_its_border(body: np.ndarray, hu: np.ndarray, level: float, spacing: np.ndarray) -> np.ndarray:
    """Returns the body up to where its density is half-way to that of fat and of parenchyma."""
    own = float(np.median(hu[body]))
    between = (hu > (own + FAT) / 2) & (hu < (own + level) / 2)
    return np.asarray(between & near(body, _BORDER_MM, spacing))


def _is_cyst(
    mask: np.ndarray,
    radius: float,
    organ: np.ndarray,
    beside: np.ndarray,
    parenchyma: np.ndarray,
    side: Side,
    spacing: np.ndarray,
) -> bool:
    """Whether form and place of a body of fluid are a cyst's.

    Args:
        mask: the body, bool ``(k, j, i)``.
        radius: of its inner ball in mm.
        organ: the kidney's outline, bool.
        beside: bool, what lies within the outline or near it.
        parenchyma: bool, what lies within parenchyma or near it.
        side: of the kidney.
        spacing: mm along k, j, i.
    """
    round_share = 4 / 3 * np.pi * radius**3 / (np.count_nonzero(mask) * float(np.prod(spacing)))
    if not _ROUND[0] <= round_share <= _ROUND[1] or not beside[mask].any():
        return False
    surface = mask & ~binary_erosion(mask)
    contact = float(parenchyma[surface].mean())
    inside = float(organ[mask].mean())
    columns = np.nonzero(organ)[2]
    low, high = np.quantile(columns, (0.02, 0.98))
    # i grows towards the patient's left: the right kidney's outer side is at small i
    outwards = (columns.mean() - np.nonzero(mask)[2].mean()) / max(1.0, (high - low) / 2)
    outwards = float(outwards if side is Side.RIGHT else -outwards)
    if inside <= _MOST_INSIDE and contact >= _BROAD_CONTACT:
        return True
    return contact >= _LEAST_CONTACT and outwards >= _OUTWARDS
