"""The contrast phase, as a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

Phase = Literal["non-contrast", "corticomedullary", "nephrographic", "excretory", "unknown"]


@dataclass(frozen=True)
class PhaseEstimate:
    """In which contrast phase the image was taken, as far as its own values tell.

    Attributes:
        phase: the most likely phase; ``unknown`` where the evidence does not suffice.
        confidence: 0 to 1.
        evidence: what speaks for it: names such as ``aorta_hu`` with values in HU.
    """

    phase: Phase
    confidence: float
    evidence: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Returns the estimate as plain JSON values."""
        evidence = {name: round(float(value), 1) for name, value in self.evidence.items()}
        return {"phase": self.phase, "confidence": round(float(self.confidence), 3), "evidence": evidence}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PhaseEstimate:
        """Takes what ``to_dict`` returned."""
        if values["phase"] not in get_args(Phase):
            raise ValueError("unknown phase")
        return cls(cast(Phase, values["phase"]), values["confidence"], dict(values["evidence"]))
