"""What a model needs to know to be run: everything that training decided and inference must repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from KidneySegLib.bundles.limits import (
    MOST_LEVELS,
    check_size,
    flag,
    number,
    numbers,
    reason,
    text,
    texts,
    whole_numbers,
)
from KidneySegLib.errors import BundleError

T = TypeVar("T")

FORMAT_VERSION = 1
FUSIONS = ("mean", "median")


@dataclass(frozen=True)
class NetworkPlan:
    """The network of one stage.

    Attributes:
        architecture: name known to ``networks.factory``.
        filters: channels per resolution level, finest first; each level halves the grid.
        outputs: names of the output channels.
        inputs: names of the input channels: see ``inference.window_channels``, or
            ``inference.organ_channels.ORGAN_INPUTS``.
        affine: whether instance normalisation is followed by a learnt scale and shift.
        exclusive: whether a voxel has exactly one of the outputs (softmax), or any number of them (sigmoid).
    """

    architecture: str
    filters: tuple[int, ...]
    outputs: tuple[str, ...]
    inputs: tuple[str, ...] = ("image",)
    affine: bool = False
    exclusive: bool = False

    @property
    def dimensions(self) -> int:
        """2 for a network that sees slices, else 3."""
        return 2 if self.architecture.endswith("2d") else 3


@dataclass(frozen=True)
class Equalisation:
    """Contrast-limited adaptive histogram equalisation (CLAHE) of a slice; its result lies in 0..1.

    Attributes:
        tile_mm: side of the squares whose histograms are levelled.
        clip_limit: share of a histogram that one grey level may hold; the rest is spread over all levels.
    """

    tile_mm: float
    clip_limit: float


@dataclass(frozen=True)
class StagePlan:
    """One pass of one network, or of an ensemble of networks of one kind.

    Attributes:
        name: ``locator`` or ``kidney``; also the prefix of its weights in the bundle.
        network: architecture and size.
        spacing: working grid in mm along k, j, i.
        window: HU that are mapped to -1 and +1 (0 and 1 with ``equalise``); values beyond are clipped.
        patch: voxels along k, j, i that the network was trained on, and that tiles have; 1 along k for a 2D network,
            whose spacing along k means nothing.
        overlap: share of a tile that its neighbour covers, 0 to below 1.
        threshold: probability above which a voxel belongs to the structure.
        scales: factors on ``spacing``; the stage runs at each of them and the probabilities are averaged.
        equalise: of the slice, before a 2D network; None leaves it out.
        whole: whether the network sees an image whole (a slice, for a 2D network), not in tiles.
        members: number of networks; several make an ensemble.
        fusion: how the members' probabilities are combined: ``mean``, or ``median``, which lies above the threshold
            where most members do (majority vote).
    """

    name: str
    network: NetworkPlan
    spacing: tuple[float, float, float]
    window: tuple[float, float]
    patch: tuple[int, int, int]
    overlap: float = 0.5
    threshold: float = 0.5
    scales: tuple[float, ...] = (1.0,)
    equalise: Equalisation | None = None
    whole: bool = False
    members: int = 1
    fusion: str = "mean"

    @property
    def divisor(self) -> int:
        """Patch sizes must be multiples of this."""
        return int(2 ** (len(self.network.filters) - 1))

    def with_members(self, weights: Sequence[Mapping[str, T]]) -> tuple[StagePlan, dict[str, T]]:
        """Returns the stage with so many members, and their weights under the names that a bundle has for them."""
        if len(weights) == 1:
            return replace(self, members=1), dict(weights[0])
        named = {f"{number}/{name}": value for number, each in enumerate(weights) for name, value in each.items()}
        return replace(self, members=len(weights)), named

    def members_of(self, weights: Mapping[str, T]) -> list[dict[str, T]]:
        """Divides the weights of the stage among its members; a single network has names without a number.

        Args:
            weights: by parameter name; those of an ensemble begin with the member's number and a slash.
        """
        if self.members == 1:
            return [dict(weights)]
        starts = [f"{number}/" for number in range(self.members)]
        return [
            {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}
            for start in starts
        ]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StagePlan:
        """Reads the form that ``as_dict`` writes.

        Raises:
            BundleError: a field is missing, unknown or out of range.
        """
        try:
            network = dict(data["network"])
            equalise = data.get("equalise")
            stage = cls(
                **{
                    **data,
                    "name": text(data["name"]),
                    "network": NetworkPlan(
                        architecture=text(network.pop("architecture")),
                        filters=whole_numbers(network.pop("filters")),
                        outputs=texts(network.pop("outputs")),
                        inputs=texts(network.pop("inputs", ("image",))),
                        **{key: flag(value) for key, value in network.items()},
                    ),
                    "spacing": numbers(data["spacing"]),
                    "window": numbers(data["window"]),
                    "patch": whole_numbers(data["patch"]),
                    "overlap": number(data.get("overlap", 0.5)),
                    "threshold": number(data.get("threshold", 0.5)),
                    "scales": numbers(data.get("scales", (1.0,))),
                    "whole": flag(data.get("whole", text(data["network"]["architecture"]) == "unet2d")),
                    "members": whole_numbers([data.get("members", 1)])[0],
                    "fusion": text(data.get("fusion", "mean")),
                    "equalise": Equalisation(**{k: number(v) for k, v in equalise.items()}) if equalise else None,
                }
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise BundleError(f"The bundle's plan cannot be read ({reason(error)}). Get the bundle again.") from error
        stage.check()
        return stage

    def as_dict(self) -> dict[str, Any]:
        """Returns the plan as JSON-serialisable values."""
        return asdict(self)

    def check(self) -> None:
        """Checks ranges.

        Raises:
            BundleError: a value is out of range.
        """
        lengths = (len(self.spacing), len(self.patch), len(self.window)) == (3, 3, 2)
        sizes = lengths and 1 <= len(self.network.filters) <= MOST_LEVELS and min(self.spacing) > 0
        flat = sizes and self.network.dimensions == 2 and self.patch[0] == 1
        if not sizes or any(p <= 0 or p % self.divisor for p in self.patch[flat:]):
            multiple = f"multiples of {self.divisor}" if sizes else "three whole numbers, as the spacing"
            raise BundleError(f"Stage '{self.name}': patch {self.patch[:3]} must be {multiple}.")
        shares = 0 <= self.overlap < 1 and 0 < self.threshold < 1
        if self.window[0] >= self.window[1] or not shares or min(self.scales, default=0) <= 0:
            raise BundleError(f"Stage '{self.name}': window, overlap, threshold or scales are out of range.")
        if self.fusion not in FUSIONS:
            raise BundleError(f"Stage '{self.name}': fusion must be one of {', '.join(FUSIONS)}.")
        check_size(self)
