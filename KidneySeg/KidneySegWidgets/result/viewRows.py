"""Rows of the table for kidneys in ultrasound images: in millimetres, or in pixels where nobody knows their size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from KidneySegWidgets.translation import tr as _


def viewColumns(findings: Any) -> dict[str, str]:
    """Returns the titles of the columns by their names; that of the volume is there where two views give one."""
    if findings.calibrated:
        sizes = {"length_mm": _("Length (mm)"), "width_mm": _("Width (mm)"), "area_mm2": _("Area (cm²)")}
    else:
        sizes = {"length_px": _("Length (px)"), "width_px": _("Width (px)"), "outline_pixels": _("Area (px)")}
    if findings.ellipsoid is not None:
        sizes["volume_ml"] = _("Volume (ml)")
    place = {"id": _("ID"), "structure": _("Kind"), "side": _("Side"), "frame": _("Frame")}
    return {**place, **sizes, "grey_mean": _("Grey")}


def viewRows(findings: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the identifier and the JSON values of each kidney: R, L, or K where the image does not tell the side."""
    volume = {"volume_ml": findings.ellipsoid.volume_ml} if findings.ellipsoid is not None else {}
    for view in findings.views:
        yield (view.side.value[0].upper() if view.side else "K"), {**view.to_dict(), **volume}


def viewCell(name: str, identifier: str, values: dict[str, Any]) -> str:
    """Returns the text of a cell."""
    if name == "id":
        return identifier
    if name == "structure":
        return _("Kidney")
    if name == "side":
        return {"right": _("R"), "left": _("L")}.get(values["side"] or "", "")
    if name in ("length_mm", "length_px"):
        return lengthText(values, name.rpartition("_")[2])
    if name == "area_mm2":
        return "" if values[name] is None else f"{values[name] / 100:.1f}"
    return "" if values[name] is None else f"{values[name]:.0f}"


def sizeWithUnit(values: dict[str, Any], measure: str, isCalibrated: bool) -> str:
    """Returns the `length` or `width` with its unit, as it is written beside its line; empty where there is none."""
    name, unit = ("mm", _("mm")) if isCalibrated else ("px", _("pixels"))
    text = lengthText(values, name) if measure == "length" else viewCell(f"{measure}_{name}", "", values)
    return f"{text} {unit}" if text else ""


def lengthText(values: dict[str, Any], unit: str) -> str:
    """Returns the length in `mm` or `px`; of a kidney that the image cuts what is seen of it."""
    atLeast = values[f"length_at_least_{unit}"]
    if values[f"length_{unit}"] is None and atLeast is not None:
        return f"\u2265 {atLeast:.0f}"
    return "" if values[f"length_{unit}"] is None else f"{values[f'length_{unit}']:.0f}"
