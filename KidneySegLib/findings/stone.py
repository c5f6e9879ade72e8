"""A stone and a side's burden of stones, as findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from KidneySegLib.findings.encoding import build, number, plain
from KidneySegLib.findings.lesion import Pole
from KidneySegLib.findings.measures import Measures
from KidneySegLib.findings.reading import NOT_READ, Reading
from KidneySegLib.findings.side_words import read_side, side_word
from KidneySegLib.structures import Side

StoneLocation = Literal["kidney", "pelvis", "ureter"]


@dataclass(frozen=True)
class StoneFinding:
    """One stone.

    ``length_mm``, ``volume_ml`` and ``hu_mean`` take partial volume into account; the plain values of the stone's
    voxels stand in ``measures`` (in JSON and CSV they are called ``voxel_length_mm`` and so on).

    Attributes:
        id: ``S1``, ``S2``, ...; right before left, head to feet.
        side: the patient's side.
        pole: third of the kidney that it lies in; None outside of the kidney or where that kidney was not found.
        location: ``kidney`` (calyx or parenchyma), ``pelvis`` or ``ureter``.
        measures: of its voxels.
        length_mm: maximum length in any direction; None if ``below_resolution`` or where the image cuts the stone.
        volume_ml: volume; None if ``below_resolution``.
        hu_peak: highest value.
        hu_mean: mean value.
        below_resolution: it consists of one or two voxels and cannot be measured.
        skin_distance_mm: mean distance to the skin at 0, 45 and 90 degrees (``measuring.stones.skin``); None where
            that lies outside the image.
        cut_at: where the image ends within the stone: patient directions such as ``feet`` (empty: it is whole).
        length_at_least_mm: maximum length of what is seen of a stone that the image cuts; None if it is whole or cannot
            be measured.
        side_certain: whether the side is the patient's; false where the anatomy contradicts the image's header.
        reading: what a reader made of it.
    """

    id: str
    side: Side
    pole: Pole | None
    location: StoneLocation
    measures: Measures
    length_mm: float | None
    volume_ml: float | None
    hu_peak: float
    hu_mean: float
    below_resolution: bool
    skin_distance_mm: float | None
    cut_at: tuple[str, ...] = ()
    length_at_least_mm: float | None = None
    side_certain: bool = True
    reading: Reading = NOT_READ

    @property
    def structure(self) -> str:
        """Key of its structure."""
        return "stone"

    @property
    def longest_mm(self) -> float | None:
        """Maximum length of what is seen of it; None if that cannot be measured."""
        return self.length_mm if self.length_at_least_mm is None else self.length_at_least_mm

    @property
    def volume_mm3(self) -> float | None:
        """Volume in mm³; None if it cannot be measured."""
        return None if self.volume_ml is None else self.volume_ml * 1000

    def to_dict(self) -> dict[str, Any]:
        """Returns the stone as plain JSON values, measures on the same level."""
        voxels = {_VOXEL_NAMES.get(name, name): value for name, value in asdict(self.measures).items()}
        own = {name: getattr(self, name) for name in (*_OWN, "volume_mm3", "length_at_least_mm")}
        place = {"id": self.id, "structure": self.structure, "side": side_word(self), "pole": self.pole}
        where = {**place, "location": self.location, "cut_at": list(self.cut_at)}
        return {**where, **plain({**voxels, **own}), **self.reading.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StoneFinding:
        """Takes what ``to_dict`` returned."""
        voxels = {**values, **{name: values[stored] for name, stored in _VOXEL_NAMES.items()}}
        side, certain = read_side(values["side"])
        stone = cls(
            id=values["id"],
            side=side,
            pole=values["pole"],
            location=values["location"],
            measures=build(Measures, voxels),
            cut_at=tuple(values.get("cut_at", ())),
            length_at_least_mm=values.get("length_at_least_mm"),
            side_certain=certain,
            reading=Reading.from_dict(values),
            **{name: values[name] for name in _OWN},
        )
        exact = values["volume_mm3"]  # has the more exact digits
        return stone if exact is None else replace(stone, volume_ml=exact / 1000)


_VOXEL_NAMES = {name: f"voxel_{name}" for name in ("length_mm", "volume_ml", "hu_mean")}
_OWN = ("length_mm", "volume_ml", "hu_peak", "hu_mean", "below_resolution", "skin_distance_mm")


@dataclass(frozen=True)
class StoneBurden:
    """All stones of one side.

    Attributes:
        side: the patient's side.
        count: number of stones, those below resolution included.
        volume_ml: volume of those that can be measured; NaN in a single slice of unknown thickness.
        largest_mm: length of the longest of them, of those that the image cuts what is seen; None if there is none.
        cut: whether the image cuts one of them: volume and length are then at least what they are.
        side_certain: as for a stone.
    """

    side: Side
    count: int
    volume_ml: float
    largest_mm: float | None
    cut: bool = False
    side_certain: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Returns the burden as plain JSON values."""
        values = plain(asdict(self))
        del values["side_certain"]
        return {**values, "side": side_word(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StoneBurden:
        """Takes what ``to_dict`` returned."""
        side, certain = read_side(values["side"])
        largest, cut = values["largest_mm"], values.get("cut", False)
        return cls(side, values["count"], number(values["volume_ml"]), largest, cut, certain)
