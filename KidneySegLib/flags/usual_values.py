"""What the values of flags usually are, by their names: one name means one thing in all flags.

A flag whose value is something else says so in the catalogue.
"""

from __future__ import annotations

from KidneySegLib.flags.findings import FindingName, OrganVolume
from KidneySegLib.flags.series import SeriesList, SeriesName
from KidneySegLib.flags.values import Ends, Number, Percent, Said, SideWord, ValueKind
from KidneySegLib.languages.language import N_

_UNITS = {"mm": "mm", "mm2": "mm²", "ml": "ml", "hu": "HU", "degrees": "degrees"}
_USUAL: dict[str, ValueKind] = {
    "side": SideWord(),
    "ends": Ends(),
    "lesion": FindingName(),
    "stone": FindingName(),
    "volume": OrganVolume(),
    "confidence": Percent(),
    "probably": Said(N_("probably ")),
    "series": SeriesName(),
    "others": SeriesList(),
}


def usual_kind(name: str) -> ValueKind:
    """Returns what a value is by the last part of its name, such as ``limit_mm`` or ``larger_volume``.

    Raises:
        KeyError: the name tells neither a usual value nor a unit.
    """
    word = name.rsplit("_", 1)[-1]
    return _USUAL[word] if word in _USUAL else Number(_UNITS[word])
