"""What KidneySeg segments: the only list of structures, label values, names, colours and codes.

Codes are SNOMED CT, coded as DICOM does (scheme ``SCT``). Laterality of the kidneys is part of the anatomic region
(PS3.16 CID 244 qualifies it with Right 24028007 and Left 7771000).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """The patient's own right and left."""

    RIGHT = "right"
    LEFT = "left"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.LEFT if self is Side.RIGHT else Side.RIGHT


class Numbering(StrEnum):
    """Whose numbers the structures of a label map have."""

    KIDNEYSEG = "kidneyseg"
    TOTALSEGMENTATOR = "totalsegmentator"
    KITS = "kits"


@dataclass(frozen=True)
class Code:
    """A coded concept.

    Attributes:
        value: code value.
        meaning: code meaning, English.
        scheme: coding scheme designator.
    """

    value: str
    meaning: str
    scheme: str = "SCT"


ANATOMICAL_STRUCTURE = Code("123037004", "Anatomical Structure")
MORPHOLOGICALLY_ABNORMAL_STRUCTURE = Code("49755003", "Morphologically Abnormal Structure")
KIDNEY = Code("64033007", "Kidney")
SIDE_CODES = {Side.RIGHT: Code("24028007", "Right"), Side.LEFT: Code("7771000", "Left")}


@dataclass(frozen=True)
class Structure:
    """One kind of segment.

    Attributes:
        key: stable name in files and arguments.
        label: value in label maps.
        name: what the radiologist reads.
        colour: red, green, blue in 0..255.
        category: coded category.
        type: coded type.
        side: for structures that exist once per side.
        region: anatomic region, where the type is not itself the region.
    """

    key: str
    label: int
    name: str
    colour: tuple[int, int, int]
    category: Code
    type: Code
    side: Side | None = None
    region: Code | None = None


# Colours that can be told apart without red or green, too (tested).
STRUCTURES = (
    Structure("kidney_right", 1, "Right kidney", (224, 72, 24), ANATOMICAL_STRUCTURE, KIDNEY, side=Side.RIGHT),
    Structure("kidney_left", 2, "Left kidney", (150, 214, 244), ANATOMICAL_STRUCTURE, KIDNEY, side=Side.LEFT),
    Structure(
        "mass",
        3,
        "Solid mass",
        (240, 16, 120),
        MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
        Code("4147007", "Mass"),
        region=KIDNEY,
    ),
    Structure(
        "cyst",
        4,
        "Cyst",
        (60, 140, 244),
        MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
        Code("367643001", "Cyst"),
        region=KIDNEY,
    ),
    Structure(
        "stone",
        5,
        "Stone",
        (252, 240, 120),
        MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
        Code("56381008", "Calculus"),
        region=KIDNEY,
    ),
)
# A kidney whose side the image does not tell, as in most ultrasound images. No task in patient space outlines it.
UNSIDED_KIDNEY = Structure("kidney", 6, "Kidney", (226, 152, 74), ANATOMICAL_STRUCTURE, KIDNEY)
BY_KEY = {structure.key: structure for structure in (*STRUCTURES, UNSIDED_KIDNEY)}
BY_LABEL = {structure.label: structure for structure in BY_KEY.values()}
KIDNEYS = {side: next(s for s in STRUCTURES if s.side is side) for side in Side}
