"""Kidneys in ultrasound images, as the report tells them: in millimetres, or in pixels where their size is unknown."""

from KidneySegLib.findings import Ellipsoid, Findings, KidneyView
from KidneySegLib.languages.language import Language
from KidneySegLib.languages.words import KIDNEY_OF
from KidneySegLib.reporting.content.content import AT_LEAST, Column, Table


def view_tables(findings: Findings, language: Language) -> list[Table]:
    """Returns the table of views, and that of the volume from two views; none where there are none."""
    tables = [_views(findings, language)] if findings.views else []
    return tables + ([_volume(findings.ellipsoid, language)] if findings.ellipsoid else [])


def view_summary(findings: Findings, language: Language) -> list[str]:
    """Returns what was measured in a few sentences."""
    _ = language.text
    sentences = []
    for view in findings.views:
        length, width, area = _sizes(view, findings.calibrated, language)
        mm, square = _units(findings.calibrated, language)
        pattern = _("{kidney}: length {length}, width {width}, area {area} in this plane.")
        sizes = {"length": f"{length} {mm}", "width": f"{width} {mm}", "area": f"{area} {square}"}
        sentences.append(pattern.format(kidney=_name(view, language), **sizes))
    if findings.ellipsoid:
        volume = language.number(findings.ellipsoid.volume_ml)
        sentences.append(_("Volume from two views, as an ellipsoid: {volume} ml.").format(volume=volume))
    return sentences


def _views(findings: Findings, language: Language) -> Table:
    _ = language.text
    mm, square = _units(findings.calibrated, language)
    known = findings.calibrated
    rows = [(_name(view, language), str(view.frame), *_sizes(view, known, language)) for view in findings.views]
    columns = (
        Column(_("Kidney"), width=2.0, number=False),
        Column(_("Frame")),
        Column(_("Length"), mm),
        Column(_("Width"), mm),
        Column(_("Area"), square),
    )
    notes = [_("≥ : the image ends within it.")] if any(view.cut_at for view in findings.views) else []
    if not findings.calibrated:
        notes.append(_("The size of a pixel is not known: all sizes are in pixels."))
    return Table(_("Kidneys in this plane"), columns, tuple(rows), notes=tuple(notes))


def _volume(ellipsoid: Ellipsoid, language: Language) -> Table:
    _ = language.text
    sizes = ellipsoid.length_mm, ellipsoid.width_mm, ellipsoid.depth_mm
    row = (_("Ellipsoid"), *(language.number(size) for size in sizes), language.number(ellipsoid.volume_ml))
    columns = (
        Column(_("Volume"), width=2.0, number=False),
        Column(_("Length"), "mm"),
        Column(_("Width"), "mm"),
        Column(_("Depth"), "mm"),
        Column(_("Volume"), "ml"),
    )
    return Table(_("Volume from two views"), columns, (row,))


def _name(view: KidneyView, language: Language) -> str:
    return language.text(KIDNEY_OF[view.side.value if view.side else ""])


def _units(calibrated: bool, language: Language) -> tuple[str, str]:
    """Returns the units of lengths and of areas."""
    pixels = language.text("pixels")
    return ("mm", "cm²") if calibrated else (pixels, pixels)


def _sizes(view: KidneyView, calibrated: bool, language: Language) -> tuple[str, str, str]:
    """Returns length, width and area without their units."""
    of, at_least = view.measures, AT_LEAST if view.cut_at else ""
    if calibrated:
        lengths = of.longest_mm, of.width_mm
        area = language.number(of.area_mm2 / 100, 1)
    else:
        lengths = of.longest_px, of.width_px
        area = language.number(of.outline_pixels)
    length, width = (language.number(size) for size in lengths)
    return f"{at_least}{length}", width, area
