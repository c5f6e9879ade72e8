"""One lesion or stone of a label map is taken out, is put back, or becomes another structure.

A label map may be a part of an exam's, as long as the finding and a rim of a centimetre lie in it; ``around`` says
which part that is.
"""

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.findings import LesionFinding, StoneFinding
from KidneySegLib.geometry.boxes import Box, box_around
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.segmentation.interactive.territory import give_back
from KidneySegLib.structures import BY_KEY, Structure
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

    Args:
        label_map: uint8 ``(k, j, i)``, axes in any order.
        finding: what was measured on it.

    Raises:
        InputError: it is not drawn there as it was measured.
    """
    labels = label_map.voxels.copy()
    label = BY_KEY[finding.structure].label
    give_back(labels, label, _mask(label_map, finding), label_map.spacing[::-1])
    return labels


def made(label_map: Volume, finding: LesionFinding | StoneFinding, structure: Structure) -> np.ndarray:
    """Returns the labels with a finding as another structure; arguments and errors as of ``taken_out``."""
    labels = label_map.voxels.copy()
    labels[_mask(label_map, finding)] = structure.label
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
            f"{finding.id} is not drawn as it was measured: it was changed since. Measure again, and then change it."
        )
    mask = np.zeros(canonical.voxels.shape, bool)
    mask[instance.body.box] = instance.body.mask
    return order.invert(mask)
