"""Which of its languages the engine speaks here."""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util

from KidneySegWidgets.engine.engineLocation import ensureEngine
from KidneySegWidgets.settings import REPORT_LANGUAGES


def engineLanguage() -> Any:
    """Returns the engine's language that is Slicer's (its setting is such as `es_419`), or else English.

    Slicer keeps the setting when its translation is switched off.
    """
    ensureEngine()
    from KidneySegLib.languages.language import Language

    translated = slicer.util.settingsValue("Internationalization/Enabled", False, converter=slicer.util.toBool)
    setting = slicer.app.userSettings().value("language") if translated else None
    code = str(setting or "en").partition("_")[0]
    return Language.of(code if code in dict(REPORT_LANGUAGES) else "en")
