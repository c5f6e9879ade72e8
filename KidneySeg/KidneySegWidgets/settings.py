"""Settings of the user, kept in Slicer's settings file; not in the scene, which may go to others."""

from __future__ import annotations

import slicer

from KidneySegWidgets.translation import tr as _

_GROUP = "KidneySeg"
_DEFAULTS = {
    "device": "auto",
    "modelsFolder": "",
    "exportFolder": "",
    "exportReport": "yes",
    "exportDicom": "no",
    "reportHeader": "",
    "reportLanguage": "en",
}
# Each in its own words, so that it is found in any language.
REPORT_LANGUAGES = [("en", "English"), ("es", "Español"), ("tr", "Türkçe")]


def setting(name: str) -> str:
    """Returns a setting.

    `device` (which new scenes get), `exportFolder`, `exportReport` and `exportDicom` are as they were last,
    `modelsFolder` holds own bundles, `reportHeader` is the institution's line, `reportLanguage` one of
    `REPORT_LANGUAGES`.
    """
    value = slicer.app.userSettings().value(f"{_GROUP}/{name}", _DEFAULTS[name])
    return str(value) if value is not None else _DEFAULTS[name]


def setSetting(name: str, value: str) -> None:
    """Keeps a setting."""
    if name not in _DEFAULTS:
        raise KeyError(name)
    slicer.app.userSettings().setValue(f"{_GROUP}/{name}", value)


def devices(cards: int = 0) -> list[tuple[str, str]]:
    """Returns the devices to choose from, as the engine names them, with their labels.

    Which of them are there only torch knows, and that is not loaded into Slicer: the engine tells if one is missing.

    Args:
        cards: number of NVIDIA's graphics cards.
    """
    listed = [("auto", _("Automatic")), ("cpu", _("CPU"))]
    listed += [(f"cuda:{number}", _("GPU {number}").format(number=number)) for number in range(cards)]
    if slicer.app.os == "macosx":
        listed.append(("mps", _("GPU (Metal)")))
    return listed
