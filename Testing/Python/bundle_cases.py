"""Bundles of made networks, judged by the rules of the shipped ones."""

from __future__ import annotations

from pathlib import Path

from KidneySegLib.bundles.bundle import Bundle
from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import CtRules, RenalRules

CT_RULES = find_bundle("ct-kidney", "ct").rules
assert isinstance(CT_RULES, CtRules) and CT_RULES.lesion is not None
KIDNEY_RULES, LESION_RULES = CT_RULES.kidney, CT_RULES.lesion
RENAL_RULES = RenalRules(
    smallest_lesion_mm=5.0, least_lesion_confidence=0.45, other_kind_share=0.25, likely_lesion=1 / 3
)


def made_bundle(folder: Path, *stages: StagePlan) -> Bundle:
    """A bundle for CT that is not written yet."""
    names = {stage.name for stage in stages}
    rules = CtRules(
        KIDNEY_RULES, LESION_RULES if "lesion" in names else None, RENAL_RULES if "renal" in names else None
    )
    return Bundle(folder, folder.name, "0.1", "made", "ct", "none", stages, rules, "")
