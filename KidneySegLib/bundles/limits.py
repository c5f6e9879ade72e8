"""What a plan may ask for: whoever wrote a bundle may be wrong or hostile, and a run must not hang or fill the memory.

The limits lie well beyond the largest networks of the field (nnU-Net's residual encoders: 320 channels, patches of
192 voxels, about 100 million parameters).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import BundleError

if TYPE_CHECKING:
    from KidneySegLib.bundles.plan import NetworkPlan, StagePlan

LARGEST_MANIFEST, LARGEST_WEIGHTS = 1 << 22, 1 << 31  # bytes
LARGEST_WEIGHT = 1e4
MOST_STAGES, FEWEST_LEVELS, MOST_LEVELS, MOST_CHANNELS, MOST_SCALES, MOST_MEMBERS = 16, 2, 8, 4096, 8, 16
MOST_PARAMETERS, MOST_VALUES = 1 << 28, 1 << 29
_SPACING_MM, _SMALLEST_VOXEL_MM3 = (0.3, 50.0), 0.1
_GREATEST_OVERLAP = 0.9
_LONGEST_TEXT = 200
_GREATEST_RULE = 1e5


def numbers(values: Any) -> tuple[float, ...]:
    """Takes a list of finite numbers.

    Raises:
        TypeError: it is no list, or something in it is no number.
        ValueError: a number is not finite.
    """
    if not isinstance(values, list | tuple):
        raise TypeError("a list of numbers is needed")
    return tuple(number(value) for value in values)


def number(value: Any) -> float:
    """Takes one finite number; see ``numbers``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a number is needed")
    if not math.isfinite(float(value)):
        raise ValueError("a number is not finite")
    return float(value)


def whole_numbers(values: Any) -> tuple[int, ...]:
    """Takes a list of whole numbers; see ``numbers``."""
    if any(value != int(value) for value in numbers(values)):
        raise ValueError("whole numbers are needed")
    return tuple(int(value) for value in values)


def texts(values: Any) -> tuple[str, ...]:
    """Takes a list of texts; see ``text``."""
    if not isinstance(values, list | tuple):
        raise TypeError("a list of names is needed")
    return tuple(text(value) for value in values)


def text(value: Any) -> str:
    """Takes a text of one line.

    Raises:
        TypeError: it is no text.
        ValueError: it is too long or holds control characters.
    """
    if not isinstance(value, str):
        raise TypeError("a text is needed")
    if len(value) > _LONGEST_TEXT or not value.isprintable():
        raise ValueError("a text is too long or holds control characters")
    return value


def flag(value: Any) -> bool:
    """Takes true or false, or raises TypeError."""
    if not isinstance(value, bool):
        raise TypeError("true or false is needed")
    return value


def reason(error: Exception) -> str:
    """Returns what an error says in a few words of one line; it may quote what a hostile file holds."""
    return "".join(letter if letter.isprintable() else " " for letter in str(error))[:80].rstrip(" .")


def check_rules(values: Mapping[str, Any], known: type[Any]) -> dict[str, float]:
    """Checks the rules of a bundle: known names, and numbers that can be sizes or shares.

    Args:
        values: as the manifest has them.
        known: the class of the rules.

    Raises:
        TypeError, ValueError: they are not.
    """
    if not isinstance(values, Mapping) or not set(values) <= {field.name for field in fields(known)}:
        raise TypeError("a rule is not known")
    checked = {name: number(value) for name, value in values.items()}
    if any(not 0 <= value <= _GREATEST_RULE for value in checked.values()):
        raise ValueError("a rule is out of range")
    return checked


def check_size(stage: StagePlan) -> None:
    """Checks that a stage can be run at all.

    Raises:
        BundleError: it asks for more than any network needs.
    """
    network = stage.network
    counts = (network.filters, network.inputs, network.outputs)
    working = [math.prod(stage.spacing) * scale**3 for scale in stage.scales]
    spacings = [spacing * scale for spacing in stage.spacing for scale in stage.scales]
    fits = (
        all(1 <= len(values) <= MOST_CHANNELS for values in counts)
        and FEWEST_LEVELS <= len(network.filters) <= MOST_LEVELS
        and all(1 <= channels <= MOST_CHANNELS for channels in network.filters)
        and 1 <= stage.members <= MOST_MEMBERS
        and _parameters(network) * stage.members <= MOST_PARAMETERS
        and math.prod(stage.patch) * max(network.filters[0], len(network.inputs)) <= MOST_VALUES
        and 1 <= len(stage.scales) <= MOST_SCALES
        and _within(spacings, *_SPACING_MM)
        and min(working) >= _SMALLEST_VOXEL_MM3
        and _within(stage.window, -_GREATEST_RULE, _GREATEST_RULE)
        and stage.overlap <= _GREATEST_OVERLAP
    )
    if fits and stage.equalise is not None:
        fits = _within([stage.equalise.tile_mm], 1, 1000) and _within([stage.equalise.clip_limit], 1e-6, 1)
    if not fits:
        raise BundleError(
            f"Stage '{stage.name}' of the bundle asks for a size that no network needs or no computer has. Get the "
            "bundle again."
        )


def _within(values: Iterable[float], low: float, high: float) -> bool:
    return all(low <= value <= high for value in values)


def _parameters(network: NetworkPlan) -> int:
    """Returns about how many parameters a U-Net with kernels of three has: two convolutions a level, each way."""
    kernel = 3**network.dimensions
    pairs = zip(network.filters, (*network.filters[1:], network.filters[-1]), strict=True)
    return sum(4 * kernel * fine * coarse for fine, coarse in pairs)
