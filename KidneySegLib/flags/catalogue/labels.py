"""Flags on label maps that were drawn or corrected elsewhere."""

from __future__ import annotations

from KidneySegLib.flags.kinds import info, warning
from KidneySegLib.flags.values import Names, Number, SideWord, Word
from KidneySegLib.languages.words import KIDNEY_OF, STRUCTURES

LABELS = {
    "overlapping_segments": info(
        "Segments overlapped in {voxels} voxels. Each was counted once: stone before cyst, cyst before solid mass, "
        "solid mass before kidney.",
        voxels=Number("voxels"),
    ),
    "overlapping_kidneys": warning("The right and the left kidney overlapped in the label map: check both outlines."),
    "vertebrae_numbered_as_cysts": warning(
        "Labels 23 and 24 are as dense as bone: they were taken for vertebrae, as TotalSegmentator 1 has them."
    ),
    "sides_from_image": warning(
        "The label map does not tell the right kidney from the left one: the body's middle in the image decided. "
        "Check the sides."
    ),
    "corrected_by_reader": info(
        "{kidney}: corrected by the reader (Dice with the network's version {dice}).",
        "{structure}: corrected by the reader (Dice with the network's version {dice}).",
        kidney=SideWord(KIDNEY_OF),
        structure=Word(STRUCTURES),
        dice=Number("0 to 1", 3),
    ),
    "rejected_by_reader": info(
        "Rejected by the reader and counted nowhere: {findings}.", findings=Names("identifiers of lesions and stones")
    ),
}
