"""Values of flags that name a DICOM series, told by its number and what it shows; nothing is copied from headers."""

from collections.abc import Mapping, Sequence
from typing import Any

from KidneySegLib.flags.values import ValueKind
from KidneySegLib.languages.language import N_, Language

# What is said of series: kinds, parts of the body, phases. The keys are the values of the readers' lists.
_TEXTS = (
    N_("single slice"),
    N_("localiser"),
    N_("screen capture or dose report"),
    N_("computed map, not Hounsfield units"),
    N_("projection or other 3D view"),
    N_("images without a position"),
    N_("no image"),
    N_("unknown modality"),
    N_("unknown objects"),
    N_("head"),
    N_("neck"),
    N_("chest"),
    N_("abdomen"),
    N_("pelvis"),
    N_("legs"),
    N_("arms"),
    N_("spine"),
    N_("trunk"),
    N_("non-contrast"),
    N_("arterial phase"),
    N_("portal venous phase"),
    N_("nephrographic phase"),
    N_("excretory phase"),
    N_("delayed phase"),
    N_("first scan"),
    N_("not known"),
)
_DERIVATIONS = (
    N_("monoenergetic images"),
    N_("averaged slabs"),
    N_("reformatted images"),
    N_("virtual non-contrast images"),
    N_("images with a material removed"),
    N_("intensity projection or other 3D view"),
    N_("material map"),
    N_("perfusion map"),
    N_("difference images"),
)
DERIVATION_WORDS = {text: text for text in _DERIVATIONS}
SERIES_WORDS = {text: text for text in _TEXTS} | DERIVATION_WORDS
# Why a series was read.
REASONS = {
    "original": N_("it is an original reconstruction"),
    "axial": N_("its slices are axial"),
    "region": N_("its headers name the part of the body with the kidneys"),
    "coverage": N_("it covers more of the body"),
    "energy": N_("its energy is closest to that of the usual scan"),
    "kernel": N_("its kernel is one for soft tissue"),
    "thin": N_("its slices are thinner"),
    "phase": N_("its contrast phase shows kidneys best"),
    "images": N_("it has more images"),
    "number": N_("it has the lowest number of several alike"),
    "first": N_("it is the first of several alike"),
}
_LISTED = 8  # series at most in one sentence


def series_name(value: Mapping[str, Any], language: Language) -> str:
    """Returns a name such as ``part 2 of series 4 (120 images, 2.5 mm, abdomen)``."""
    part, number = value["part"], value["number"]
    if number is None and part:
        template = N_("part {part} of a series without number ({details})")
    elif number is None:
        template = N_("a series without number ({details})")
    elif part:
        template = N_("part {part} of series {number} ({details})")
    else:
        template = N_("series {number} ({details})")
    return language.text(template).format(part=part, number=number, details=", ".join(_details(value, language)))


def series_option(value: str, language: Language) -> str:
    """Returns what to type on the command line for a series."""
    return f"--series {value}" if value else language.text(N_("--series with its SeriesInstanceUID"))


def _details(value: Mapping[str, Any], language: Language) -> list[str]:
    details = []
    if "images" in value:
        template = language.one_or_many("{count} image", "{count} images", value["images"])
        details.append(template.format(count=language.number(value["images"])))
    if "modality" in value:
        details.append(str(value["modality"]))
    if "slice_mm" in value:
        size = language.significant(value["slice_mm"], 3)
        details.append(language.text(N_("{size} mm")).format(size=size))
    details += [language.text(SERIES_WORDS[word]) for word in value.get("words", ())]
    if "phase" in value:
        details.append(_phase(value["phase"], language))
    return details


def _phase(value: str | Mapping[str, float], language: Language) -> str:
    """Returns the contrast phase of a series, or when it was taken."""
    if isinstance(value, str):
        return language.text(SERIES_WORDS[value])
    if "delay_s" in value:
        return language.text(N_("delay {seconds} s")).format(seconds=language.number(value["delay_s"]))
    template = language.text(N_("{seconds} s after the first scan"))
    return template.format(seconds=language.number(value["after_first_scan_s"]))


def _listed(value: Sequence[Mapping[str, Any]], language: Language) -> str:
    """Returns series in a row, of which the first ones are shown."""
    names = [series_name(series, language) for series in value[:_LISTED]]
    if len(value) > _LISTED:
        names.append(language.text(N_("{count} more")).format(count=language.number(len(value) - _LISTED)))
    return "; ".join(names)


PHASE = ValueKind("a phase by name, `{delay_s}` after the injection, `{after_first_scan_s}`, or `not known`", _phase)
# a series, or a part of one
SERIES = ValueKind(
    "`number`, `part`, and what is known of `images`, `modality`, `slice_mm`, `words`, `phase`", series_name
)
SERIES_LIST = ValueKind("list of series", _listed)
SERIES_OPTION = ValueKind("number of the series, with its part, or empty where only its UID tells it", series_option)
