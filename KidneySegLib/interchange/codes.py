"""Coded concepts of DICOM results, beyond those of ``structures``.

Sources: PS3.16 CID 7469 (measurements), 7464 (derivations), 7474 (methods), 7021, 100, 2 (modifiers), 7150
(categories), 7151 (regions); UCUM.
"""

from highdicom.sr import CodedConcept

from KidneySegLib.structures import ANATOMICAL_STRUCTURE, KIDNEY, Code, Structure

PRIVATE_SCHEME = "99KIDNEYSEG"

# Slicer's lists have 123037004 under this name, which is SNOMED CT's body structure.
_CATEGORIES = {ANATOMICAL_STRUCTURE: Code("91723000", "Anatomical Structure")}

ATTENUATION = Code("112031", "Attenuation Coefficient", "DCM")
LONG_AXIS = Code("103339001", "Long Axis")
SHORT_AXIS = Code("103340004", "Short Axis")
LENGTH = Code("410668003", "Length")
VOLUME = Code("118565006", "Volume")
WIDTH = Code("103355008", "Width")
AREA = Code("42798000", "Area")
ORGAN_VOLUME = Code("organ_volume", "Volume of kidney with its masses, cysts and stones", PRIVATE_SCHEME)

MEAN = Code("373098007", "Mean")
STANDARD_DEVIATION = Code("386136009", "Standard Deviation")
MINIMUM = Code("255605001", "Minimum")
MAXIMUM = Code("56851009", "Maximum")

HOUNSFIELD_UNIT = Code("[hnsf'U]", "Hounsfield unit", "UCUM")
MILLIMETRE = Code("mm", "millimeter", "UCUM")
MILLILITRE = Code("ml", "milliliter", "UCUM")
SQUARE_MILLIMETRE = Code("mm2", "square millimeter", "UCUM")
PIXELS = Code("{pixels}", "pixels", "UCUM")

# How a value was measured (CID 7474 for volumes; no context group has such words for lengths and stones).
SUM_OF_VOXELS = Code("126030", "Sum of segmented voxel method for volume", "DCM")
LONGEST_IN_SLICE = Code("longest_in_slice", "Longest line in one axial slice, between voxel faces", PRIVATE_SCHEME)
AT_RIGHT_ANGLES = Code("at_right_angles", "Longest line at right angles to it in the same slice", PRIVATE_SCHEME)
LONGEST_IN_SPACE = Code("longest_in_space", "Longest line in any direction, between voxel faces", PRIVATE_SCHEME)
PARTIAL_VOLUME = Code("partial_volume", "Corrected for partial volume of the border", PRIVATE_SCHEME)

# What a reader made of a finding; no context group has such words.
READING = Code("reading_state", "What a reader made of the finding", PRIVATE_SCHEME)
READING_STATES = {
    "found": Code("found", "Found by the network, not confirmed", PRIVATE_SCHEME),
    "confirmed": Code("confirmed", "Confirmed by the reader", PRIVATE_SCHEME),
    "changed": Code("changed", "Changed by the reader", PRIVATE_SCHEME),
    "added": Code("added", "Added by the reader", PRIVATE_SCHEME),
}

LONGEST_IN_PLANE = Code("longest_in_plane", "Longest line in the image, between pixel faces", PRIVATE_SCHEME)
ELLIPSOID = Code("126029", "L-W-H Method for Volume of Ellipsoid", "DCM")

ULTRASOUND_PROCEDURE = Code("306005", "Ultrasonography of kidney")
CT_PROCEDURE = Code("25045-6", "CT unspecified body region", "LN")
ARTIFICIAL_INTELLIGENCE = Code("123110", "Artificial Intelligence", "DCM")

# Where a stone lies, as an anatomic region.
STONE_SITES = {"kidney": KIDNEY, "pelvis": Code("25990002", "Renal pelvis"), "ureter": Code("87953007", "Ureter")}
# Which third of the kidney; between the poles there is no modifier that every reader knows.
POLES = {"upper": Code("264217000", "Superior"), "lower": Code("261089000", "Inferior")}


def category(structure: Structure) -> Code:
    """Returns the category of a structure as the standard codes it."""
    return _CATEGORIES.get(structure.category, structure.category)


def concept(code: Code) -> CodedConcept:
    """Returns a code as an item of a DICOM code sequence."""
    return CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning)
