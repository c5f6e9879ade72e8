"""The catalogue of flags: every code with its severity, its values and its sentences, by the room that raises it.

A sentence is chosen by the values that a flag has. Sentences are English; ``Resources/Translations`` has them in the
other languages. Two codes never mean the same. ``docs/reference/flags.md`` is made of it
(``docs/made_pages/flags.py``).
"""

from KidneySegLib.flags.catalogue.image import IMAGE
from KidneySegLib.flags.catalogue.labels import LABELS
from KidneySegLib.flags.catalogue.measuring import MEASURING
from KidneySegLib.flags.catalogue.orientation import ORIENTATION
from KidneySegLib.flags.catalogue.reading import READING
from KidneySegLib.flags.catalogue.segmentation import SEGMENTATION
from KidneySegLib.flags.catalogue.ultrasound import ULTRASOUND, ULTRASOUND_VIEWS, ULTRASOUND_VOLUME
from KidneySegLib.flags.kinds import FlagKind

# Rooms in the order of a run, for the reference of flags.
ROOMS: dict[str, dict[str, FlagKind]] = {
    "Reading": READING,
    "Image": IMAGE,
    "Label maps": LABELS,
    "Segmentation": SEGMENTATION,
    "Measuring": MEASURING,
    "Orientation and sides": ORIENTATION,
    "Ultrasound": ULTRASOUND | ULTRASOUND_VIEWS | ULTRASOUND_VOLUME,
}
CATALOGUE: dict[str, FlagKind] = {code: kind for room in ROOMS.values() for code, kind in room.items()}
