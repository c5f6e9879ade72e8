"""What happens to each attribute: the Basic Application Level Confidentiality Profile, and stricter where it is silent.

Source: PS3.15 Annex E, table E.1-1, as the package ``dicom-anonymizer`` holds it. The profile lists what is known to
identify. Free text and raw bytes that it does not list are kept only where they stand in the short lists below: what
somebody wrote into an attribute where it does not belong is not kept by accident.
"""

from enum import Enum
from functools import cache

from KidneySegLib.errors import ResourceError

TABLE = "dicomfields_2026c"


class Action(Enum):
    """What is done to one attribute."""

    REMOVE = "remove"
    EMPTY = "empty"
    DUMMY = "dummy value"
    CLEAN = "sequence: clean its items; else: keep, unless it holds an identifying value"


# Where the profile leaves a choice (such as X/Z/D), the one that is valid whatever the attribute's type in the IOD.
_ACTION_OF_LIST = {
    "X_TAGS": Action.REMOVE,
    "Z_TAGS": Action.EMPTY,
    "X_Z_TAGS": Action.EMPTY,
    "D_TAGS": Action.DUMMY,
    "X_D_TAGS": Action.DUMMY,
    "Z_D_TAGS": Action.DUMMY,
    "X_Z_D_TAGS": Action.DUMMY,
    "U_TAGS": Action.CLEAN,
    "X_Z_U_STAR_TAGS": Action.CLEAN,
}
_DECIDED_HERE = {
    "ContrastBolusAgent": Action.EMPTY,  # type 2 wherever it occurs; a dummy would claim that some agent was given
    "ContentCreatorName": Action.EMPTY,  # type 2
    # options Clean Structured Content and Clean Graphics: the items stay, their text goes
    "ContentSequence": Action.CLEAN,
    "GraphicAnnotationSequence": Action.CLEAN,
    "VerifyingObserverSequence": Action.CLEAN,
    "ReferencedPerformedProcedureStepSequence": Action.EMPTY,
    # what signs or hides the original values; it is of no use once they are gone
    "MACParametersSequence": Action.REMOVE,
    "EncryptedAttributesSequence": Action.REMOVE,
}
# Option Retain Patient Characteristics (E.3.7): column "K" of the table
CHARACTERISTICS = ("PatientSex", "PatientAge", "PatientSize", "PatientWeight", "PregnancyStatus", "SmokingStatus")

TEXT = frozenset({"LO", "SH", "LT", "ST", "UT", "UC", "PN", "AE", "UR"})
BYTES = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN", "OB or OW", "US or OW"})
DATES = frozenset({"DA", "DT", "TM"})

# fmt: off
_TEXT_KEPT = frozenset({
    "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ConvolutionKernel", "FilterType",
    "ContrastBolusRoute", "RescaleType", "CodeValue", "LongCodeValue", "URNCodeValue", "CodeMeaning",
    "CodingSchemeDesignator", "CodingSchemeVersion", "CodingSchemeName", "SegmentLabel", "SegmentAlgorithmName",
    "AlgorithmName", "AlgorithmVersion", "DimensionDescriptionLabel", "TrackingID", "TextValue",
    "PositionReferenceIndicator",
})
# fmt: on
PIXELS = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData"})
# fmt: off
_BYTES_KEPT = PIXELS | frozenset({
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths", "LUTData", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
})
# fmt: on

_REPEATING = (0x5000, 0x6000)
# Commands, file meta information and directory records have their own places and are written anew.
_NOT_OF_DATA_SETS = (0x0000, 0x0002, 0x0004)
# Text of these is a code of some coding scheme: digits that look like a date are none.
CODES = frozenset({"CodeValue", "LongCodeValue", "URNCodeValue"})


class Profile:
    """Looks actions up by tag."""

    def __init__(self, *, keep_characteristics: bool) -> None:
        """Loads the table.

        Args:
            keep_characteristics: sex, age, size, weight and the like stay.

        Raises:
            ResourceError: the package that carries the table is not installed.
        """
        from pydicom.datadict import tag_for_keyword

        self._single, self._groups = dict(_table()[0]), _table()[1]
        decided = _DECIDED_HERE | dict.fromkeys(CHARACTERISTICS if keep_characteristics else (), Action.CLEAN)
        for keyword, action in decided.items():
            tag = tag_for_keyword(keyword)
            assert tag is not None
            self._single[tag] = action

    def action(self, tag: int, vr: str, keyword: str) -> Action:
        """Returns what is done to an attribute; ``keyword`` is "" for one that the standard does not know."""
        group = tag >> 16
        if group % 2 or not keyword or group & 0xFF00 in _REPEATING or group in _NOT_OF_DATA_SETS:
            return Action.REMOVE  # private, unknown, curves and overlays, or misplaced
        listed = self._single.get(tag) or next(
            (action for value, mask, action in self._groups if tag & mask == value), None
        )
        if listed is Action.DUMMY and vr == "SQ":
            return Action.REMOVE
        if listed is not None:
            return listed
        if vr in TEXT and keyword not in _TEXT_KEPT:
            return Action.EMPTY
        if vr in BYTES and keyword not in _BYTES_KEPT:
            return Action.REMOVE
        return Action.EMPTY if vr in DATES else Action.CLEAN


@cache
def _table() -> tuple[dict[int, Action], list[tuple[int, int, Action]]]:
    """Returns the actions of single tags, and of groups of tags as ``(value, mask, action)``."""
    try:
        from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
    except ImportError as error:
        raise ResourceError(
            "De-identification needs the package dicom-anonymizer. Install it in the folder of KidneySeg: pip install "
            "-e '.[deidentification]'."
        ) from error
    lists = dicom_anonymization_database_selector(TABLE)
    single: dict[int, Action] = {}
    groups: list[tuple[int, int, Action]] = []
    for name, action in _ACTION_OF_LIST.items():
        for tag in lists[name]:
            value = tag[0] << 16 | tag[1]
            if len(tag) == 2:
                single[value] = action
            else:
                groups.append((value, tag[2] << 16 | tag[3], action))
    return single, groups
