"""A kidney, as a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from KidneySegLib.findings.encoding import build, number, plain
from KidneySegLib.findings.measures import Measures
from KidneySegLib.structures import KIDNEYS, Side


@dataclass(frozen=True)
class KidneyFinding:
    """One kidney. In a single slice NaN stands for what a slice cannot have, such as a volume.

    Attributes:
        side: the patient's side.
        measures: of its parenchyma, that is the voxels with the kidney's own label; lesions and stones are not in it.
        organ_volume_ml: volume of the kidney together with its masses, cysts and the stones inside it.
        organ_length_mm: maximum 3D diameter of the same body; more than ``length_mm`` where a lesion extends a pole.
        cut_at: where the image ends within the kidney: patient directions such as ``feet`` (empty: it is whole).
    """

    side: Side
    measures: Measures
    organ_volume_ml: float
    organ_length_mm: float
    cut_at: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns the kidney as plain JSON values, measures on the same level."""
        organ = {"organ_volume_ml": self.organ_volume_ml, "organ_length_mm": self.organ_length_mm}
        return {
            "structure": KIDNEYS[self.side].key,
            "side": self.side.value,
            "cut_at": list(self.cut_at),
            **plain(asdict(self.measures)),
            **plain(organ),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> KidneyFinding:
        """Takes what ``to_dict`` returned."""
        return cls(
            Side(values["side"]),
            build(Measures, values),
            number(values["organ_volume_ml"]),
            number(values["organ_length_mm"]),
            tuple(values["cut_at"]),
        )
