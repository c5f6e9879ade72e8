"""Takes the manifest of an older format to the present one.

Format 1 had one flat list of rules for all tasks; further thresholds stood in the code of its time, and are written
down here as they were. Its 2D networks saw each slice whole without saying so. Format 3 has the manifest of format 2;
its weights may lie in 8 bits, which an older KidneySeg must not take for their values.
"""

from collections.abc import Mapping
from typing import Any

# group and value where a bundle of format 1 leaves a rule out, by its name
_KIDNEY = {
    "margin_mm": 14.0,
    "smallest_candidate_ml": 8.0,
    "smallest_kidney_ml": 12.0,
    "smallest_cut_ml": 6.0,
    "least_confidence": 0.85,
    "sure_confidence": 0.88,
}
_LESION = {"smallest_lesion_mm": 5.0, "least_lesion_confidence": 0.45, "other_kind_share": 0.25}
_OUTSIDE = {"least_outside_confidence": 0.65}
# what stood in the code of format 1
_KIDNEY_CODE = {"smallest_seed_ml": 1.5, "second_piece_share": 0.15}
_LESION_CODE = {"contact_mm": 3.0, "rim_mm": 8.0, "highest_level": 0.6}
_RENAL_CODE = {"likely_lesion": 1 / 3}
_SLICE_CODE = {"sure_confidence": 0.9}


def migrated(data: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a manifest in the present format; one that is in it already is returned as it is.

    Raises:
        TypeError, ValueError, KeyError: the manifest is damaged.
    """
    return _from_1(data) if data["format_version"] == 1 else dict(data)


def _from_1(data: Mapping[str, Any]) -> dict[str, Any]:
    new = {key: value for key, value in data.items() if key != "weights_sha256"}
    stages = [_stage_from_1(stage) for stage in data["stages"]]
    rules = _rules_from_1(data["rules"], data["task"], {stage["name"] for stage in stages})
    return {**new, "format_version": 3, "stages": stages, "rules": rules, "sha256": data["weights_sha256"]}


def _stage_from_1(stage: Mapping[str, Any]) -> dict[str, Any]:
    return {**stage, "whole": stage["network"]["architecture"] == "unet2d"}


def _rules_from_1(rules: Mapping[str, Any], task: str, stages: set[str]) -> dict[str, Any]:
    unknown = set(rules) - {*_KIDNEY, *_LESION, *_OUTSIDE}
    if unknown:
        raise ValueError("a rule is not known")

    def group(*parts: Mapping[str, float]) -> dict[str, Any]:
        return {name: rules.get(name, value) for part in parts for name, value in part.items()}

    if task == "ct-slice":
        return {"slice": _SLICE_CODE}
    if task != "ct":
        return {}
    groups = {"kidney": {**group(_KIDNEY), **_KIDNEY_CODE}}
    if "lesion" in stages:
        groups["lesion"] = {**group(_LESION, _OUTSIDE), **_LESION_CODE}
    if "renal" in stages:
        groups["renal"] = {**group(_LESION), **_RENAL_CODE}
    return groups
