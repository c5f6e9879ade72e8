"""One lesion or stone of a label map is taken out, is put back, or becomes another structure; a kidney becomes one.

A label map may be a part of an exam's, as long as the finding and a rim of a centimetre lie in it; ``around`` says
which part that is.
"""

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.findings import KidneyFinding, LesionFinding, StoneFinding
from KidneySegLib.geometry.boxes import Box, box_around
from KidneySegLib.hounsfield import LEAST_STONE
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.segmentation.interactive.territory import give_back
from KidneySegLib.structures import BY_KEY, KIDNEYS, Structure
from KidneySegLib.volume import Volume

# What lies around a lesion takes its place.
RIM_MM = 10.0


def around(grid: Volume, finding: LesionFinding | StoneFinding) -> Box:
    """Returns the part of a grid, slices for k, j, i, that holds a finding and a rim."""
    reach = (finding.longest_mm or 0.0) + RIM_MM
    centre = grid.to_kji(np.array(finding.measures.centroid_lps_mm))
    return box_around(centre, reach, grid.spacing[::-1], grid.voxels.shape)


def taken_out(label_map: Volume, finding: LesionFinding | StoneFinding) -> np.ndarray:
    """Returns the labels without a finding: its voxels become what lies nearest, kidney or background.

    If a reader had made a whole kidney this finding, they become that kidney again.

    Args:
        label_map: uint8 ``(k, j, i)``, axes in any order.
        finding: what was measured on it.

    Raises:
        InputError: it is not drawn there as it was measured.
    """
    if finding.reading.was_kidney is not None:
        return made(label_map, finding, KIDNEYS[finding.reading.was_kidney])
    labels = label_map.voxels.copy()
    label = BY_KEY[finding.structure].label
    give_back(labels, label, _mask(label_map, finding), label_map.spacing[::-1])
    return labels


def made(label_map: Volume, finding: LesionFinding | StoneFinding, structure: Structure) -> np.ndarray:
    """Returns the labels with a finding as another structure; arguments and errors as of ``taken_out``."""
    labels = label_map.voxels.copy()
    labels[_mask(label_map, finding)] = structure.label
    return labels


def kidney_made(label_map: Volume, kidney: KidneyFinding, structure: Structure) -> np.ndarray:
    """Returns the labels with all that is drawn of a kidney as a lesion or stone; its other structures stay.

    Args:
        label_map: uint8 ``(k, j, i)``, axes in any order.
        kidney: whose density is known, if not drawn in it.
        structure: mass, cyst or stone.

    Raises:
        InputError: nothing is drawn of it, or it is no stone by its density.
    """
    own = KIDNEYS[kidney.side]
    mask = label_map.voxels == own.label
    if not mask.any():
        raise InputError("Nothing is drawn of this kidney any more. Measure again, and then choose a lesion.")
    density = kidney.measures.hu_mean
    if structure.key == "stone" and density < LEAST_STONE:
        raise InputError(
            "This kidney has {density} HU on average, and stones have more than {least} HU. Add the stone "
            "by a click, or draw it alone.",
            density=f"{density:.0f}",
            least=f"{LEAST_STONE:.0f}",
        )
    labels = label_map.voxels.copy()
    labels[mask] = structure.label
    return labels


def put_back(label_map: Volume, network: Volume, finding: LesionFinding | StoneFinding) -> np.ndarray:
    """Returns the labels with a finding as the network drew it.

    Args:
        label_map: as of ``taken_out``.
        network: what the network drew, on the same grid.
        finding: of the network's.

    Raises:
        InputError: the network did not draw it there.
    """
    labels = label_map.voxels.copy()
    labels[_mask(network, finding)] = BY_KEY[finding.structure].label
    return labels


def _mask(label_map: Volume, finding: LesionFinding | StoneFinding) -> np.ndarray:
    """Returns a finding's voxels, bool ``(k, j, i)`` in the label map's own order."""
    order = label_map.axis_order()
    canonical = label_map.reordered(order)
    instance = Segmentation.of(canonical, canonical.voxels).instance_of(finding)
    if instance is None:
        raise InputError(
            "{finding} is not drawn as it was measured: it was changed since. Measure again, and then change it.",
            finding=finding.id,
        )
    mask = np.zeros(canonical.voxels.shape, bool)
    mask[instance.body.box] = instance.body.mask
    return order.invert(mask)
