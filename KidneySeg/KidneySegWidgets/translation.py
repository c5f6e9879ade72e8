"""The panel's words in Slicer's language.

Slicer's language packs come first. Where they do not know a text, the catalogues that come with KidneySeg do, in the
languages of reports: `Resources/Translations/<language>/LC_MESSAGES/panel.po`.
"""

from __future__ import annotations

import gettext
import inspect
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from slicer.i18n import getContext, translate

# Of widgets in a .ui file; most have few of them.
_PROPERTIES = ("text", "toolTip", "title", "placeholderText", "noneDisplay", "specialValueText", "baseName")
_catalogues: list[gettext.NullTranslations] = []


def tr(text: str) -> str:
    """Returns a text of the file that calls in Slicer's language; English where nobody knows it."""
    source = inspect.getsourcefile(sys._getframe(1)) or ""
    said = str(translate(getContext(source), text))
    return said if said != text else _catalogue().gettext(text)


def translateWidgets(widgets: Iterable[Any]) -> None:
    """Translates what a .ui file says, where Slicer has not done so when it was read."""
    catalogue = _catalogue()
    for widget in widgets:
        for name in _PROPERTIES:
            text = widget.property(name)
            if isinstance(text, str) and text and (said := catalogue.gettext(text)) != text:
                widget.setProperty(name, said)


def _catalogue() -> gettext.NullTranslations:
    """Returns the catalogue; it is found once, as Slicer changes its language by a restart."""
    if not _catalogues:
        _catalogues.append(gettext.NullTranslations())  # whoever is asked for meanwhile speaks English
        with suppress(Exception):  # without the engine, the sentence that says so is English
            from KidneySegWidgets.engine.language import engineLanguage

            code = engineLanguage().code
            from KidneySegLib.resources import resource_folder

            if code != "en":
                _catalogues[0] = gettext.translation("panel", resource_folder() / "Translations", [code])
    return _catalogues[0]
