"""A lesion or stone that a reader rejected, as a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from KidneySegLib.findings.lesion import LesionFinding
from KidneySegLib.findings.stone import StoneFinding


@dataclass(frozen=True)
class RejectedFinding:
    """A lesion or stone of the network's that a reader took out: it is listed, and counted nowhere.

    Attributes:
        finding: as the network had it, with its measures, and with the marks that it had.
        became: what most of its voxels are now: ``background``, ``kidney_right``, ``kidney_left``, or the identifier of
            the lesion or stone that they were merged into; "" where that cannot be told.
    """

    finding: LesionFinding | StoneFinding
    became: str

    def to_dict(self) -> dict[str, Any]:
        """Returns it as plain JSON values."""
        return {"finding": self.finding.to_dict(), "became": self.became}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RejectedFinding:
        """Takes what ``to_dict`` returned."""
        kind = StoneFinding if values["finding"]["structure"] == "stone" else LesionFinding
        return cls(kind.from_dict(values["finding"]), str(values["became"]))
