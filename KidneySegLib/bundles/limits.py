"""What a plan may ask for: whoever wrote a bundle may be wrong or hostile, and a run must not hang or fill the memory.

The limits lie well beyond the largest networks of the field (nnU-Net's residual encoders: 320 channels, patches of
192 voxels, about 100 million parameters).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from KidneySegLib.bundles.plan import NetworkPlan, StagePlan

LARGEST_MANIFEST, LARGEST_WEIGHTS = 1 << 22, 1 << 31  # bytes
LARGEST_WEIGHT = 1e4
MOST_STAGES, FEWEST_LEVELS, MOST_LEVELS, MOST_CHANNELS, MOST_SCALES, MOST_MEMBERS = 16, 2, 8, 4096, 8, 16
GREATEST_OVERLAP = 0.9
GREATEST_RULE = 1e5
GREATEST_HU = 1e5
_MOST_PARAMETERS, _MOST_VALUES = 1 << 28, 1 << 29
_SPACING_MM, _SMALLEST_VOXEL_MM3 = (0.3, 50.0), 0.1


def check_size(stage: StagePlan) -> None:
    """Checks that a stage can be run at all.

    Raises:
        ValueError: it asks for more than any network needs.
    """
    network = stage.network
    working = [math.prod(stage.spacing) * scale**3 for scale in stage.scales]
    spacings = [spacing * scale for spacing in stage.spacing for scale in stage.scales]
    members = stage.ensemble.members if stage.ensemble else 1
    fits = (
        _parameters(network) * members <= _MOST_PARAMETERS
        and math.prod(stage.patch) * max(network.filters[0], len(network.inputs)) <= _MOST_VALUES
        and all(_SPACING_MM[0] <= spacing <= _SPACING_MM[1] for spacing in spacings)
        and min(working) >= _SMALLEST_VOXEL_MM3
    )
    if not fits:
        raise ValueError("it asks for a size that no network needs or no computer has")


def _parameters(network: NetworkPlan) -> int:
    """Returns about how many parameters a U-Net with kernels of three has: two convolutions a level, each way."""
    kernel = 3**network.dimensions
    pairs = zip(network.filters, (*network.filters[1:], network.filters[-1]), strict=True)
    return sum(4 * kernel * fine * coarse for fine, coarse in pairs)
