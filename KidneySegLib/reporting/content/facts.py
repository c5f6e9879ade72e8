"""What the report says of exam, technique and result before its tables, in the report's language."""

from datetime import date

from KidneySegLib.findings import Findings, LesionFinding, PhaseEstimate, Provenance, StoneFinding, word_of
from KidneySegLib.languages.language import Language
from KidneySegLib.languages.words import KIDNEY_OF, PHASES
from KidneySegLib.readers.dicom.finding.patient import Patient
from KidneySegLib.reporting.content.patient import patient_facts
from KidneySegLib.reporting.content.places import EVIDENCE, place_of
from KidneySegLib.reporting.content.tables import diameters, length, stone_size
from KidneySegLib.reporting.content.views import view_summary
from KidneySegLib.structures import Side


def facts(findings: Findings, language: Language, patient: Patient | None) -> list[tuple[str, str]]:
    """Returns patient, exam, technique and phase as pairs of name and value."""
    _ = language.text
    provenance = findings.provenance
    rows = [*patient_facts(patient, language), (_("Image"), _image(findings, language))]
    technique = _technique(provenance, language)
    if technique:
        rows.append((_("Technique"), technique))
    if findings.phase is not None:
        rows.append((_("Contrast phase"), phase_text(findings.phase, language)))
    rows.append((_("Analysis"), _analysis(provenance, language)))
    return rows


def made_by(provenance: Provenance) -> str:
    """Returns versions of program and models, with the first digits of the models' checksums."""
    models = [f"{bundle.name} {bundle.version} (sha256 {bundle.sha256[:12]})" for bundle in provenance.bundles]
    return " · ".join([f"KidneySeg {provenance.kidneyseg_version}", *models])


def summary(findings: Findings, language: Language) -> list[str]:
    """Returns the findings in a few sentences."""
    _ = language.text
    if findings.views:
        return view_summary(findings, language)
    is_told = findings.kidneys or any(_made_of(findings, side) for side in Side)
    sentences = [_kidneys(findings, language)] if is_told else [_("No kidney was found.")]
    masses = [lesion for lesion in findings.lesions if lesion.structure == "mass"]
    cysts = [lesion for lesion in findings.lesions if lesion.structure == "cyst"]
    for found, count in (
        (masses, language.plural("{n} solid mass", "{n} solid masses", len(masses))),
        (cysts, language.plural("{n} cyst", "{n} cysts", len(cysts))),
    ):
        if found:
            largest = max(found, key=lambda lesion: lesion.measures.axial_diameter_mm)
            sentences.append(_counted(count, len(found), largest, f"{diameters(largest, language)} mm", language))
    if findings.stones:
        longest = max(findings.stones, key=lambda stone: stone.longest_mm or 0)
        count = language.plural("{n} stone", "{n} stones", len(findings.stones))
        seen = stone_size(longest.longest_mm, bool(longest.cut_at), language, 1)
        size = "" if longest.longest_mm is None else f"{seen} mm"
        sentences.append(_counted(count, len(findings.stones), longest, size, language))
    if findings.kidneys and not findings.lesions and not findings.stones:
        sentences.append(_("No mass, cyst or stone was outlined."))
    return sentences


def _kidneys(findings: Findings, language: Language) -> str:
    _ = language.text
    not_found, not_whole = _("not found"), _("not whole in the image")
    sentences = []
    for side in Side:
        kidney = findings.kidney(side)
        name = _(KIDNEY_OF[word_of(side, certain=findings.sides_certain)])
        if kidney is None:
            made = language.listed(_made_of(findings, side))
            what = _("changed into {findings} by the reader").format(findings=made) if made else not_found
            sentences.append(f"{name}: {what}.")
            continue
        volume = kidney.organ_volume_ml
        size = [f"{language.number(volume)} ml"] if volume == volume else []  # NaN in a slice of unknown thickness
        size.append(f"{length(kidney.measures.length_mm, kidney.length_at_least_mm, language)} mm")
        cut = f" ({not_whole})" if kidney.cut_at else ""
        sentences.append(f"{name}: {', '.join(size)}{cut}.")
    return " ".join(sentences)


def _made_of(findings: Findings, side: Side) -> list[str]:
    """Returns the identifiers of what a reader made of the whole kidney of a side."""
    listed: list[LesionFinding | StoneFinding] = [*findings.lesions, *findings.stones]
    return [each.id for each in listed if each.reading.was_kidney is side]


def _counted(count: str, number: int, largest: LesionFinding | StoneFinding, size: str, language: Language) -> str:
    """Returns how many there are, and of the largest its size and place."""
    place = f"{largest.id}, {place_of(largest, language)}"
    what = f"{size} ({place})" if size else place
    largest_of_them = language.text("the largest")
    return f"{count}: {what}." if number == 1 else f"{count}; {largest_of_them}: {what}."


def _image(findings: Findings, language: Language) -> str:
    image = findings.provenance.input
    if findings.modality == "US":
        return _ultrasound_image(findings, language)
    axes = [axis for axis in range(3) if image.size[axis] > 1 or not image.is_flat]
    voxels = " × ".join(str(image.size[axis]) for axis in axes)
    spacing = " × ".join(language.number(image.spacing_mm[axis], 2) for axis in axes)
    if image.is_flat:
        one_slice = language.text("CT, one slice, {pixels} pixels of {spacing} mm")
        picture = language.text("Picture, {pixels} pixels of {spacing} mm, density not known")
        is_picture = bool(findings.provenance.settings.get("window_hu"))
        return (picture if is_picture else one_slice).format(pixels=voxels, spacing=spacing)
    return language.text("CT, {voxels} voxels of {spacing} mm").format(voxels=voxels, spacing=spacing)


def _ultrasound_image(findings: Findings, language: Language) -> str:
    _ = language.text
    columns, rows, frames = findings.provenance.input.size
    pixels = f"{columns} × {rows}"
    spacing = " × ".join(language.number(mm, 3) for mm in findings.provenance.input.spacing_mm[:2])
    size = _("pixels of {spacing} mm").format(spacing=spacing) if findings.calibrated else _("pixels of unknown size")
    if frames > 1:
        pattern = _("Ultrasound loop, {frames} frames, {pixels} {size}")
        return pattern.format(frames=frames, pixels=pixels, size=size)
    return _("Ultrasound, {pixels} {size}").format(pixels=pixels, size=size)


def _technique(provenance: Provenance, language: Language) -> str:
    _ = language.text
    source = provenance.input.source
    parts = [" ".join(str(source[key]) for key in ("manufacturer", "model") if source.get(key))]
    if source.get("kvp"):
        parts.append(f"{language.number(source['kvp'])} kV")
    if source.get("kernel"):
        parts.append(_("kernel {kernel}").format(kernel=source["kernel"]))
    if source.get("slice_thickness"):
        parts.append(_("slices of {mm} mm").format(mm=language.number(source["slice_thickness"], 2)))
    if source.get("contrast") is not None:
        given = (
            _("contrast medium given, according to the header")
            if source["contrast"]
            else _("no contrast medium, according to the header")
        )
        parts.append(given)
    return ", ".join(part for part in parts if part)


def phase_text(phase: PhaseEstimate, language: Language) -> str:
    """Returns the contrast phase and what it was told by."""
    _ = language.text
    name = _(PHASES[phase.phase])
    if not phase.evidence:
        return name
    values = [f"{_(EVIDENCE.get(key, key))} {language.number(value)}" for key, value in phase.evidence.items()]
    measured = _("{values} HU").format(values=", ".join(values))
    if phase.phase == "unknown":
        return f"{name}: {measured}"
    confidence = _("{number}%").format(number=language.number(100 * phase.confidence))
    pattern = _("{phase}, estimated from the image with a confidence of {confidence}: {measured}")
    return pattern.format(phase=name, confidence=confidence, measured=measured)


def _analysis(provenance: Provenance, language: Language) -> str:
    day = language.date(date.fromisoformat(provenance.started_utc[:10]))
    return f"{day}, {made_by(provenance)}"
