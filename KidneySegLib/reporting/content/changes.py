"""The table of what changed since a prior exam, in the report's language."""

from KidneySegLib.findings import LesionFinding
from KidneySegLib.follow_up.comparison import READERS_DIFFER_MM, Change, Comparison, LesionChange
from KidneySegLib.languages.language import N_, Language
from KidneySegLib.languages.words import KIDNEY_OF
from KidneySegLib.reporting.content.content import AT_LEAST, Column, Table
from KidneySegLib.reporting.content.places import place_of
from KidneySegLib.reporting.content.tables import largest

STATES = {"new": N_("new"), "vanished": N_("no longer found"), "unmatched": N_("no partner")}
NOTHING = ("", "", "", "", "")


def change_table(comparison: Comparison, language: Language, most_rows: int) -> Table:
    """Returns the table of changes of kidneys, stones and lesions.

    Args:
        comparison: what changed.
        language: the report's language.
        most_rows: of lesions, the largest of them.
    """
    _ = language.text
    rows: list[tuple[str, ...]] = []
    for side in comparison.sides:
        if side.prior or side.now:
            rows.append((_(KIDNEY_OF[side.side]), *_cells(side.organ_volume_ml, 0, language), *NOTHING, ""))
    for side in comparison.sides:
        if side.prior_stones and side.prior_stones.count or side.stones and side.stones.count:
            name = _("Stones, right") if side.side == "right" else _("Stones, left")
            rows.append((name, *_cells(side.stone_volume_ml, 2, language), *NOTHING, ""))
    shown = largest(comparison.lesions, _size, most_rows)
    rows += [_lesion_row(change, language) for change in shown]
    volume, diameter = _("Volume"), _("Axial diameter")
    titles = (_("prior"), _("now"), _("change"), "%", _("per year"))
    columns = (
        Column("", width=3.6, number=False),
        *(Column(title) for title in (*titles, *titles)),
        Column(_("Doubling"), _("days"), 1.8),
    )
    return Table(
        _title(comparison, language),
        columns,
        tuple(rows),
        groups=(("", 1), (f"{volume} (ml)", 5), (f"{diameter} (mm)", 5), ("", 1)),
        notes=tuple(_notes(comparison, len(comparison.lesions) - len(shown), language)),
    )


def _title(comparison: Comparison, language: Language) -> str:
    title = language.text("Change since the prior exam")
    if comparison.days is None:
        return title
    interval = language.plural("{n} day", "{n} days", comparison.days)
    return f"{title}, {interval}"


def _lesion_row(change: LesionChange, language: Language) -> tuple[str, ...]:
    lesion = change.now or change.prior
    assert lesion is not None  # a change has at least one of them
    name = f"{lesion.id}, {place_of(lesion, language)}"
    if change.state != "matched":
        name += f": {language.text(STATES[change.state])}"
    elif change.prior is not None and change.prior.id != lesion.id:
        was = language.text("was {id}").format(id=change.prior.id)
        name += f" ({was})"
    return (
        name,
        *_cells(change.volume_ml, 1, language),
        *_cells(change.axial_diameter_mm, 1, language),
        language.number(change.doubling_days) if lesion.structure == "mass" else "",
    )


def _cells(change: Change, digits: int, language: Language) -> tuple[str, ...]:
    prior, now = (
        (AT_LEAST if cut and value is not None else "") + language.number(value, digits)
        for value, cut in zip((change.prior, change.now), change.cut, strict=True)
    )
    return (
        prior,
        now,
        language.number(change.absolute, digits, signed=True),
        language.number(change.percent, signed=True),
        language.number(change.per_year, digits, signed=True),
    )


def _size(change: LesionChange) -> float:
    found: list[LesionFinding] = [lesion for lesion in (change.now, change.prior) if lesion is not None]
    return max(lesion.measures.axial_diameter_mm for lesion in found)


def _notes(comparison: Comparison, left_out: int, language: Language) -> list[str]:
    _ = language.text
    notes = [_("Lesions were matched by their place relative to their kidney; kidneys with their lesions.")]
    if any(change.state == "unmatched" for change in comparison.lesions):
        notes.append(_("No partner: the kidney is not whole in both exams, so the lesion may lie outside one of them."))
    sizes = [size for side in comparison.sides for size in (side.organ_volume_ml, side.stone_volume_ml)]
    sizes += [change.volume_ml for change in comparison.lesions]
    if any(any(size.cut) for size in sizes):
        notes.append(_("≥ : the image ends within it, so its change is not known."))
    if any(change.within_error for change in comparison.lesions):
        note = _("No doubling time for diameters that differ by up to {limit} mm, as readers do.")
        notes.append(note.format(limit=language.number(READERS_DIFFER_MM, 1)))
    if not comparison.same_phase:
        notes.append(_("The exams have different contrast phases, so borders and densities compare less well."))
    if comparison.days is None:
        notes.append(_("The time between the exams is not known, so there is no growth per year."))
    if left_out:
        notes.append(
            language.plural(
                "{n} smaller lesion is not listed here.", "{n} smaller lesions are not listed here.", left_out
            )
        )
    return notes
