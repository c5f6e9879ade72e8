"""Settings of the user, kept in Slicer's settings file; not in the scene, which may go to others."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

import slicer
from slicer.i18n import tr as _

from KidneySegWidgets.engine.processTree import withoutWindow

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

    `device` is for new scenes, `modelsFolder` holds own bundles, `exportFolder`, `exportReport` and `exportDicom` are
    as they were last, `reportHeader` is the institution's line, `reportLanguage` one of `REPORT_LANGUAGES`.
    """
    value = slicer.app.userSettings().value(f"{_GROUP}/{name}", _DEFAULTS[name])
    return str(value) if value is not None else _DEFAULTS[name]


def setSetting(name: str, value: str) -> None:
    """Keeps a setting."""
    if name not in _DEFAULTS:
        raise KeyError(name)
    slicer.app.userSettings().setValue(f"{_GROUP}/{name}", value)


def devices() -> list[tuple[str, str]]:
    """Returns the devices to choose from, as the engine names them, with their labels.

    Which of them are there only torch knows, and that is not loaded into Slicer: the engine tells if one is missing.
    """
    listed = [("auto", _("Automatic")), ("cpu", _("CPU"))]
    listed += [(f"cuda:{number}", _("GPU {number}").format(number=number)) for number in range(_gpus())]
    if slicer.app.os == "macosx":
        listed.append(("mps", _("GPU (Metal)")))
    return listed


@cache
def _gpus() -> int:
    """Returns how many graphics cards NVIDIA's driver reports; one entry is offered where it cannot be asked."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    try:
        answer = subprocess.run(
            [program, "--list-gpus"], capture_output=True, text=True, timeout=5, check=True, **withoutWindow()
        )
    except (OSError, subprocess.SubprocessError):
        return 1
    return sum(line.startswith("GPU ") for line in answer.stdout.splitlines())
