"""Tables of kidneys, lesions and stones, in the report's language."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from KidneySegLib.findings import Findings, KidneyFinding, LesionFinding, StoneFinding, side_word
from KidneySegLib.languages.language import Language
from KidneySegLib.languages.words import KIDNEY_OF, POLES, SIDES, STRUCTURES
from KidneySegLib.reporting.content.content import AT_LEAST, Column, Table
from KidneySegLib.reporting.content.places import LOCATIONS
from KidneySegLib.reporting.content.reading import reading_notes
from KidneySegLib.reporting.content.views import view_tables
from KidneySegLib.structures import Side

T = TypeVar("T")

MOST_CANDIDATES = 4


def findings_tables(findings: Findings, language: Language, most_rows: int) -> list[Table]:
    """Returns the tables of what was found; none for lesions or stones if there are none.

    Args:
        findings: the findings.
        language: the report's language.
        most_rows: of lesions and of stones, the largest of them.
    """
    tables = []
    if findings.kidneys:
        tables.append(_kidneys(findings.kidneys, language))
    if findings.lesions:
        tables.append(_lesions(findings.lesions, language, most_rows))
    if findings.candidates:
        tables.append(_candidates(findings.candidates, language))
    if findings.stones:
        tables.append(_stones(findings, language, most_rows))
    return [*tables, *view_tables(findings, language)]


def largest(findings: Sequence[T], size: Callable[[T], float], most: int) -> list[T]:
    """Returns the largest findings, in the order in which they are listed."""
    ranked = sorted(range(len(findings)), key=lambda n: -size(findings[n]))[:most]
    return [findings[n] for n in sorted(ranked)]


def volume_digits(volumes_ml: Sequence[float]) -> int:
    """Returns how many decimals a column of volumes needs so that the smallest still says something."""
    return 2 if any(volume < 0.95 for volume in volumes_ml) else 1


def _kidneys(kidneys: Sequence[KidneyFinding], language: Language) -> Table:
    _ = language.text
    rows = []
    for kidney in kidneys:
        of, at_least = kidney.measures, AT_LEAST if kidney.cut_at else ""

        def size(value: float, at_least: str = at_least) -> str:
            number = language.number(value)
            return f"{at_least}{number}" if value == value else number  # NaN is not known, not at least something

        rows.append(
            (
                _(KIDNEY_OF[side_word(kidney)]),
                size(of.volume_ml),
                size(kidney.organ_volume_ml),
                length(of.length_mm, kidney.length_at_least_mm, language),
                length(kidney.organ_length_mm, kidney.organ_length_at_least_mm, language),
                _hu(of.hu_mean, of.hu_sd, language),
            )
        )
    columns = (
        Column(_("Kidney"), width=2.2, number=False),
        Column(_("Parenchyma"), "ml"),
        Column(_("With lesions"), "ml"),
        Column(_("Length"), "mm"),
        Column(_("Length with lesions"), "mm", 1.2),
        Column(_("Density, mean ± SD"), _("HU"), 1.4),
    )
    cut = any(kidney.cut_at for kidney in kidneys)
    return Table(_("Kidneys"), columns, tuple(rows), notes=(_("≥ : the image ends within it."),) if cut else ())


def length(value: float, at_least: float | None, language: Language) -> str:
    """Returns the length of a kidney, or where the image cuts it what is seen of it, in mm."""
    return language.number(value) if at_least is None else f"{AT_LEAST}{language.number(at_least)}"


def _lesions(lesions: Sequence[LesionFinding], language: Language, most: int) -> Table:
    _ = language.text
    shown = largest(lesions, lambda lesion: lesion.measures.axial_diameter_mm, most)
    digits = volume_digits([lesion.measures.volume_ml for lesion in shown])
    rows = []
    for lesion in shown:
        of, at_least = lesion.measures, AT_LEAST if lesion.cut_at else ""
        rows.append(
            (
                lesion.id,
                _(STRUCTURES[lesion.structure]),
                _(SIDES[side_word(lesion)]),
                _(POLES[lesion.pole]) if lesion.pole else language.number(None),
                at_least + diameters(lesion, language),
                at_least + language.number(lesion.longest_mm, 1),
                at_least + language.number(of.volume_ml, digits),
                _hu(of.hu_mean, of.hu_sd, language),
                _share(lesion.exophytic_share, language),
                _share(lesion.confidence, language),
            )
        )
    columns = (
        Column(_("ID"), width=0.6, number=False),
        Column(_("Lesion"), width=1.3, number=False),
        Column(_("Side"), width=1.15, number=False),
        Column(_("Place"), width=1.9, number=False),
        Column(_("Axial diameters"), "mm", 1.6),
        Column(_("3D diameter"), "mm", 1.1),
        Column(_("Volume"), "ml", 1.1),
        Column(_("Density, mean ± SD"), _("HU"), 1.3),
        Column(_("Exophytic"), "%"),
        Column(_("Confidence"), "%", 1.05),
    )
    notes = [_("≥ : the image ends within it.")] if any(lesion.cut_at for lesion in shown) else []
    notes += [*reading_notes(lesions, language), *_left_out(len(lesions) - len(shown), language)]
    return Table(_("Masses and cysts"), columns, tuple(rows), notes=tuple(notes))


def _candidates(candidates: Sequence[LesionFinding], language: Language) -> Table:
    """Returns the table of masses and cysts below the operating point."""
    _ = language.text
    listed = replace(_lesions(candidates, language, MOST_CANDIDATES), title=_("Candidates"))
    notes = [_("Less certain than findings have to be. No number and no outline above includes them.")]
    if len(candidates) > MOST_CANDIDATES:
        notes.append(_("Only the largest are listed here; all are in candidates.csv."))
    notes += reading_notes(candidates, language)
    return replace(listed, notes=tuple(notes))


def diameters(lesion: LesionFinding, language: Language) -> str:
    """Returns maximum axial diameter and the one at right angles to it."""
    of = lesion.measures
    return f"{language.number(of.axial_diameter_mm, 1)} × {language.number(of.perpendicular_mm, 1)}"


def _stones(findings: Findings, language: Language, most: int) -> Table:
    _ = language.text
    shown = largest(findings.stones, lambda stone: stone.longest_mm or 0.0, most)
    rows: list[tuple[str, ...]] = []
    totals = set()
    for side in Side:
        rows += [_stone_row(stone, language) for stone in shown if stone.side is side]
        for burden in findings.stone_burden:
            if burden.side is side and burden.count:
                totals.add(len(rows))
                count = language.plural("{n} stone", "{n} stones", burden.count)
                sums = (
                    stone_size(burden.largest_mm, burden.cut, language, 1),
                    stone_size(burden.volume_ml * 1000, burden.cut, language),
                )
                rows.append((_("Sum"), _(SIDES[side_word(burden)]), count, *sums, "", "", ""))
    columns = (
        Column(_("ID"), width=0.7, number=False),
        Column(_("Side"), width=0.9, number=False),
        Column(_("Place"), width=2.4, number=False),
        Column(_("Length"), "mm"),
        Column(_("Volume"), "mm³"),
        Column(_("Density, peak"), _("HU")),
        Column(_("Density, mean"), _("HU")),
        Column(_("To the skin"), "mm"),
    )
    notes = [_("Sum: the longest stone and the volume of all stones of a side.")]
    if any(stone.cut_at for stone in findings.stones):
        notes.append(_("≥ : the image ends within it."))
    if any(stone.below_resolution for stone in shown):
        notes.append(_("No size: the stone has one or two voxels and is too small to be measured."))
    notes += [*reading_notes(findings.stones, language), *_left_out(len(findings.stones) - len(shown), language)]
    return Table(_("Stones"), columns, tuple(rows), frozenset(totals), notes=tuple(notes))


def _stone_row(stone: StoneFinding, language: Language) -> tuple[str, ...]:
    _ = language.text
    place = ", ".join(_(word) for word in (LOCATIONS[stone.location], POLES[stone.pole] if stone.pole else "") if word)
    return (
        stone.id,
        _(SIDES[side_word(stone)]),
        place,
        stone_size(stone.longest_mm, bool(stone.cut_at), language, 1),
        stone_size(stone.volume_mm3, bool(stone.cut_at), language),
        language.number(stone.hu_peak),
        language.number(stone.hu_mean),
        language.number(stone.skin_distance_mm),
    )


def stone_size(value: float | None, cut: bool, language: Language, digits: int = 0) -> str:
    """Returns a length or volume, or where the image cuts a stone what is seen of it."""
    known = value is not None and not math.isnan(value)
    return f"{AT_LEAST if cut and known else ''}{language.number(value, digits)}"


def _hu(mean: float, sd: float, language: Language) -> str:
    return f"{language.number(mean)} ± {language.number(sd)}"


def _share(share: float | None, language: Language) -> str:
    return language.number(None if share is None else 100 * share)


def _left_out(count: int, language: Language) -> list[str]:
    sentence = language.plural(
        "{n} smaller one is not listed here; it is in measurements.csv.",
        "{n} smaller ones are not listed here; they are in measurements.csv.",
        count,
    )
    return [sentence] if count else []
