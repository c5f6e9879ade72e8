"""A solid mass or a cyst, as a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, cast

from KidneySegLib.findings.encoding import build, number, plain
from KidneySegLib.findings.measures import Measures
from KidneySegLib.findings.reading import NOT_READ, Reading
from KidneySegLib.findings.side_words import read_side, side_word
from KidneySegLib.structures import Side

LesionStructure = Literal["mass", "cyst"]
Pole = Literal["upper", "inter", "lower"]


@dataclass(frozen=True)
class LesionFinding:
    """One solid mass or one cyst.

    Attributes:
        id: ``M1``, ``M2``, ... for masses, ``C1``, ... for cysts; right before left, head to feet.
        structure: key of its structure, ``mass`` or ``cyst``.
        side: the patient's side.
        pole: third of the kidney that holds its centre of gravity; None where that side's kidney was not found.
        measures: its measures.
        sinus_distance_mm: shortest distance to the renal sinus, 0 where it touches; None where no sinus can be told.
        capsule_distance_mm: shortest distance to the kidney's outer contour, 0 where it reaches it; None as ``pole``.
        exophytic_share: share of its volume outside the contour that the kidney would have without it, 0 to 1; None as
            ``pole``.
        confidence: mean probability that its voxels were given, 0 to 1; None where the labels came from elsewhere.
        cut_at: where the image ends within it, as for a kidney.
        length_at_least_mm: maximum 3D diameter of what is seen of a lesion that the image cuts, which has no
            ``length_mm`` then; None if it is whole.
        side_certain: as for a kidney.
        reading: what a reader made of it.
    """

    id: str
    structure: LesionStructure
    side: Side
    pole: Pole | None
    measures: Measures
    sinus_distance_mm: float | None
    capsule_distance_mm: float | None
    exophytic_share: float | None
    confidence: float | None
    cut_at: tuple[str, ...] = ()
    length_at_least_mm: float | None = None
    side_certain: bool = True
    reading: Reading = NOT_READ

    @property
    def longest_mm(self) -> float:
        """Maximum 3D diameter of what is seen of it."""
        return self.measures.length_mm if self.length_at_least_mm is None else self.length_at_least_mm

    @property
    def volume_mm3(self) -> float:
        """Volume in mm³."""
        return self.measures.volume_ml * 1000

    def to_dict(self) -> dict[str, Any]:
        """Returns the lesion as plain JSON values, measures on the same level."""
        return {
            "id": self.id,
            "structure": self.structure,
            "side": side_word(self),
            "pole": self.pole,
            "cut_at": list(self.cut_at),
            **plain({**asdict(self.measures), "volume_mm3": self.volume_mm3}),
            **plain({name: getattr(self, name) for name in (*_PLACE, "length_at_least_mm")}),
            **self.reading.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LesionFinding:
        """Takes what ``to_dict`` returned."""
        if values["structure"] not in ("mass", "cyst"):
            raise ValueError("unknown lesion")
        side, certain = read_side(values["side"])
        # the volume in mm³ has the more exact digits
        measures = replace(build(Measures, values), volume_ml=number(values["volume_mm3"]) / 1000)
        return cls(
            id=values["id"],
            structure=cast(LesionStructure, values["structure"]),
            side=side,
            pole=values["pole"],
            measures=measures,
            cut_at=tuple(values["cut_at"]),
            length_at_least_mm=values.get("length_at_least_mm"),
            side_certain=certain,
            reading=Reading.from_dict(values),
            **{name: values[name] for name in _PLACE},
        )


_PLACE = ("sinus_distance_mm", "capsule_distance_mm", "exophytic_share", "confidence")
