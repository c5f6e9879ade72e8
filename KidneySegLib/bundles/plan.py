"""What a model needs to know to be run: everything that training decided and inference must repeat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, model_validator

from KidneySegLib.bundles.declaration import Count, Number, Positive, Switch, Text, Whole, declaration, read_declaration
from KidneySegLib.bundles.limits import (
    GREATEST_HU,
    GREATEST_OVERLAP,
    MOST_MEMBERS,
    MOST_PARAMETERS,
    MOST_SCALES,
    MOST_VALUES,
    SMALLEST_VOXEL_MM3,
    SPACING_MM,
)
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.errors import BundleError

T = TypeVar("T")

_Hounsfield = Annotated[Number, Field(ge=-GREATEST_HU, le=GREATEST_HU)]


@declaration
class Equalisation:
    """Contrast-limited adaptive histogram equalisation (CLAHE) of a slice; its result lies in 0..1.

    Attributes:
        tile_mm: side of the squares whose histograms are levelled.
        clip_limit: share of a histogram that one grey level may hold; the rest is spread over all levels.
    """

    tile_mm: Annotated[Number, Field(ge=1, le=1000)]
    clip_limit: Annotated[Number, Field(ge=1e-6, le=1)]


@declaration
class Normalisation:
    """How HU, clipped to the window, become what a network sees: by numbers that hold for every exam.

    Attributes:
        zero_hu: what becomes 0, such as the mean of the foreground that nnU-Net measured.
        unit_hu: how many HU make 1, such as its standard deviation.
    """

    zero_hu: _Hounsfield
    unit_hu: Positive


@declaration
class Ensemble:
    """Several networks of one plan, trained on other data or from other random weights.

    Attributes:
        members: how many.
        fusion: how their probabilities are combined: ``mean``, or ``median``, which lies above the threshold where most
            members do (majority vote).
    """

    members: Annotated[Whole, Field(ge=2, le=MOST_MEMBERS)]
    fusion: Literal["mean", "median"] = "mean"


@declaration
class StagePlan:
    """One pass of one network or ensemble.

    Attributes:
        name: such as ``locator``; also the prefix of its weights in the bundle.
        network: architecture and size.
        spacing: working grid in mm along k, j, i.
        window: HU that are mapped to -1 and +1 (0 and 1 with ``equalise``); values beyond are clipped.
        patch: voxels along k, j, i that the network was trained on, and that tiles have; 1 along k for a 2D network,
            whose spacing along k means nothing.
        overlap: share of a tile that its neighbour covers.
        threshold: probability above which a voxel belongs to the structure.
        scales: factors on ``spacing``; the stage runs at each of them and the probabilities are averaged; of the stage
            ``organ`` the first counts, unless another is clearly surer.
        equalise: of each slice; None leaves it out.
        normalise: of the input ``image``; None maps the window to -1..1.
        body_hu: the network sees the box of the voxels above this value alone, and finds nothing outside of it; None
            sees everything.
        grid: voxels along k, j, i that the whole exam is brought to, whatever its size; ``spacing`` is then that of the
            exams that training prepares. None: the spacing decides.
        flipped: of each axis k, j, i, whether the network sees the exam reversed, as one of others that was trained on
            images in another orientation; not for training.
        whole: whether the network sees an image whole (a slice, for a 2D network), not in tiles.
        ensemble: of several networks; None for a single one.
    """

    name: Text
    network: NetworkPlan
    spacing: tuple[Positive, Positive, Positive]
    window: tuple[_Hounsfield, _Hounsfield]
    patch: tuple[Count, Count, Count]
    overlap: Annotated[Number, Field(ge=0, le=GREATEST_OVERLAP)] = 0.5
    threshold: Annotated[Number, Field(gt=0, lt=1)] = 0.5
    scales: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=MOST_SCALES)] = (1.0,)
    equalise: Equalisation | None = None
    normalise: Normalisation | None = None
    body_hu: _Hounsfield | None = None
    grid: tuple[Count, Count, Count] | None = None
    flipped: tuple[Switch, Switch, Switch] = (False, False, False)
    whole: Switch = False
    ensemble: Ensemble | None = None

    @model_validator(mode="after")
    def _check(self) -> StagePlan:
        flat = self.network.dimensions == 2
        sizes = zip(self.patch, self.divisors, strict=True)
        if flat != (self.patch[0] == 1) or any(size % divisor for size, divisor in sizes):
            along_k = "1 along k and " if flat else ""
            multiples = ", ".join(str(divisor) for divisor in dict.fromkeys(self.divisors[flat:]))
            raise ValueError(f"stage '{self.name}': its patch must have {along_k}multiples of {multiples}")
        if self.window[0] >= self.window[1]:
            raise ValueError(f"stage '{self.name}': its window must begin below its end")
        if self.normalise is not None and self.equalise is not None:
            raise ValueError(f"stage '{self.name}': an equalised image cannot be normalised as well")
        if self.grid is not None and (flat or self.scales != (1.0,)):
            raise ValueError(f"stage '{self.name}': a grid for whole exams has one scale, and is not for slices")
        _check_size(self)
        return self

    @property
    def divisors(self) -> tuple[int, int, int]:
        """Patch sizes along k, j, i must be multiples of these."""
        return self.network.divisors

    def with_members(self, weights: Sequence[Mapping[str, T]]) -> tuple[StagePlan, dict[str, T]]:
        """Returns the stage with so many members, and their weights under the names that a bundle has for them."""
        if len(weights) == 1:
            return replace(self, ensemble=None), dict(weights[0])
        fusion = self.ensemble.fusion if self.ensemble else "mean"
        named = {f"{number}/{name}": value for number, each in enumerate(weights) for name, value in each.items()}
        return replace(self, ensemble=Ensemble(len(weights), fusion)), named

    def members_of(self, weights: Mapping[str, T]) -> list[dict[str, T]]:
        """Divides the weights of the stage among its members; a single network has names without a number.

        Args:
            weights: by parameter name; those of an ensemble begin with the member's number and a slash.
        """
        if self.ensemble is None:
            return [dict(weights)]
        starts = [f"{number}/" for number in range(self.ensemble.members)]
        return [
            {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}
            for start in starts
        ]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StagePlan:
        """Reads the form that bundles and recipes have.

        Raises:
            BundleError: a field is missing, unknown or out of range.
        """
        try:
            return read_declaration(cls, data)
        except ValueError as error:
            raise BundleError("The plan of a stage cannot be read ({reason}).", reason=error) from error


def _check_size(stage: StagePlan) -> None:
    """Checks that a stage can be run at all.

    Raises:
        ValueError: it asks for more than any network needs.
    """
    network = stage.network
    working = [math.prod(stage.spacing) * scale**3 for scale in stage.scales]
    spacings = [spacing * scale for spacing in stage.spacing for scale in stage.scales]
    members = stage.ensemble.members if stage.ensemble else 1
    fits = (
        network.parameters * members <= MOST_PARAMETERS
        and math.prod(stage.patch) * max(network.finest_channels, len(network.inputs)) <= MOST_VALUES
        and math.prod(stage.grid or (1,)) * len(network.outputs) <= MOST_VALUES
        and all(SPACING_MM[0] <= spacing <= SPACING_MM[1] for spacing in spacings)
        and min(working) >= SMALLEST_VOXEL_MM3
    )
    if not fits:
        raise ValueError("it asks for a size that no network needs or no computer has")
