"""Rows of the table for kidneys, masses, cysts and stones, with the values of findings.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from KidneySegWidgets.translation import tr as _


def lesionColumns() -> dict[str, str]:
    """Returns the titles of the columns by their names; names carry the units and never change."""
    return {
        "id": _("ID"),
        "structure": _("Kind"),
        "state": SIGNS["confirmed"],
        "side": _("Side"),
        "place": _("Place"),
        "volume_ml": _("Volume (ml)"),
        "axial_diameter_mm": _("Axial Ø (mm)"),
        "length_mm": _("3D Ø (mm)"),
        "hu_mean": _("HU"),
    }


# What a reader made of a lesion, in a narrow column.
SIGNS = {"confirmed": "✓", "changed": "✎", "added": "+", "rejected": "✗", "dismissed": "✗"}
# Decimals that are shown: no outline is surer. The files have more.
_DECIMALS = {"volume_ml": 3, "axial_diameter_mm": 1, "length_mm": 1, "hu_mean": 0}


def lesionRows(findings: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the identifier and the JSON values of each row, in the table's order; a kidney is called R or L.

    What the reader rejected comes last, with the state `rejected`.

    Where the anatomy contradicts the image's header a question mark stands behind the letter.
    """
    for kidney in findings.kidneys:
        yield kidneyName(kidney.side, kidney.side_certain), kidney.to_dict()
    for finding in (*findings.lesions, *findings.stones):
        yield finding.id, finding.to_dict()
    for each in findings.rejected:
        yield each.finding.id, {**each.finding.to_dict(), "state": "rejected"}


def kidneyName(side: Any, isCertain: bool) -> str:
    """Returns what the row of a kidney is called."""
    return str(side.value[0].upper() + ("" if isCertain else "?"))


def wasCalled(values: dict[str, Any]) -> str | None:
    """Returns what the row was called before a reader changed its kind; None if it was nothing else."""
    was = values.get("was")
    if was in ("kidney_right", "kidney_left"):
        return was[7].upper() + ("?" if values["side"].startswith("header-") else "")
    return was


def candidateRows(findings: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the identifier and the JSON values of each candidate."""
    for finding in findings.candidates:
        yield finding.id, finding.to_dict()


def lesionCell(name: str, identifier: str, values: dict[str, Any], isDoubtful: bool, unmeasured: str) -> str:
    """Returns the text of a cell.

    Args:
        name: of the column.
        identifier: of the row.
        values: of the row.
        isDoubtful: whether there is a remark on the finding.
        unmeasured: what is said in place of numbers that are not known yet.
    """
    state = values.get("state", "")
    if name == "state":
        return _read(values, isDoubtful) if state else ""
    if state == "rejected" and name in _DECIMALS:
        return ""  # it is in no sum
    if name in _DECIMALS and values["hu_mean"] is None:  # it was drawn just now
        return unmeasured if name == next(iter(_DECIMALS)) else ""
    if name == "length_mm" and values.get("length_at_least_mm") is not None:  # the image cuts it
        return f"\u2265 {values['length_at_least_mm']:.{_DECIMALS[name]}f}"
    if name == "volume_ml" and values[name] is not None:
        return _volume(values[name])
    if name in _DECIMALS:
        return "" if values[name] is None else _rounded(values[name], _DECIMALS[name])
    if name == "structure":
        kinds = {"mass": _("Mass"), "cyst": _("Cyst"), "stone": _("Stone")}
        return kinds.get(values["structure"], _("Kidney"))
    return {"id": identifier, "side": _side(values["side"]), "place": _place(values)}[name]


def _rounded(value: float, decimals: int) -> str:
    """Returns a number with so many decimals, without a minus before nothing."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def _read(values: dict[str, Any], isDoubtful: bool) -> str:
    """Returns what a reader made of a lesion as a sign; before that, in per cent, how sure the network was of it.

    A question mark stands for a remark on this lesion that nobody has settled.
    """
    if values["state"] != "found":
        return SIGNS[values["state"]]
    confidence = values.get("confidence")
    parts = ["" if confidence is None else f"{100 * confidence:.0f} %", "?" if isDoubtful else ""]
    return " ".join(part for part in parts if part)


def _volume(millilitres: float) -> str:
    """Returns a volume with three significant digits, but no more decimals than findings.json has."""
    rounded = float(f"{millilitres:.3g}")  # 9.996 ml are 10.0 ml
    digits = next((digits for least, digits in ((100, 0), (10, 1), (1, 2)) if rounded >= least), _DECIMALS["volume_ml"])
    return f"{millilitres:.{digits}f}"


def _side(side: str) -> str:
    return {
        "right": _("R"),
        "left": _("L"),
        "header-right": _("R?"),  # the anatomy contradicts the header, as a remark says
        "header-left": _("L?"),
    }[side]


def _place(values: dict[str, Any]) -> str:
    """Returns the pole of a lesion, or the way that a stone has gone; what the image cuts is incomplete."""
    if values.get("cut_at"):
        return _("incomplete")
    if values.get("location") in ("pelvis", "ureter"):
        return {"pelvis": _("pelvis"), "ureter": _("ureter")}[values["location"]]
    poles = {"upper": _("upper pole"), "inter": _("interpolar"), "lower": _("lower pole")}
    return poles.get(values.get("pole") or "", "")
