"""A kidney, as a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from KidneySegLib.findings.encoding import build, number, plain
from KidneySegLib.findings.measures import Measures
from KidneySegLib.findings.side_words import read_side, side_word
from KidneySegLib.structures import Side


@dataclass(frozen=True)
class KidneyFinding:
    """One kidney. NaN stands for what cannot be known: a volume in a single slice, the length where the image cuts it.

    Attributes:
        side: the patient's side.
        measures: of its parenchyma, that is the voxels with the kidney's own label; lesions and stones are not in it.
        organ_volume_ml: volume of the kidney together with its masses, cysts and the stones inside it.
        organ_length_mm: maximum 3D diameter of the same body; more than ``length_mm`` where a lesion extends a pole.
        cut_at: where the image ends within it: patient directions such as ``feet`` (empty: it is whole).
        length_at_least_mm: how much is seen of what the image cuts: of a kidney along the body, of a lesion or stone
            its maximum 3D diameter; None if it is whole.
        organ_length_at_least_mm: the same with its masses, cysts and the stones inside it.
        side_certain: whether the side is the patient's; false where the anatomy contradicts the image's header.
    """

    side: Side
    measures: Measures
    organ_volume_ml: float
    organ_length_mm: float
    cut_at: tuple[str, ...] = ()
    length_at_least_mm: float | None = None
    organ_length_at_least_mm: float | None = None
    side_certain: bool = True

    @property
    def structure(self) -> str:
        """Key of its structure."""
        return f"kidney_{self.side}"

    def to_dict(self) -> dict[str, Any]:
        """Returns the kidney as plain JSON values, measures on the same level."""
        organ = {name: getattr(self, name) for name in ("organ_volume_ml", "organ_length_mm", *_AT_LEAST)}
        return {
            "structure": f"kidney_{side_word(self)}",
            "side": side_word(self),
            "cut_at": list(self.cut_at),
            **plain(asdict(self.measures)),
            **plain(organ),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> KidneyFinding:
        """Takes what ``to_dict`` returned."""
        side, certain = read_side(values["side"])
        return cls(
            side,
            build(Measures, values),
            number(values["organ_volume_ml"]),
            number(values["organ_length_mm"]),
            tuple(values["cut_at"]),
            **{name: values.get(name) for name in _AT_LEAST},
            side_certain=certain,
        )


_AT_LEAST = ("length_at_least_mm", "organ_length_at_least_mm")
