"""Makes KidneySeg's structures known to Slicer's terminology selector, where its own lists lack them (a calculus)."""

from __future__ import annotations

import logging

import slicer

from KidneySegWidgets.engine.engineLocation import ensureEngine


def loadTerminologies() -> None:
    """Loads the terminology and the anatomic regions that come with the engine; loading them again changes nothing."""
    ensureEngine()
    from KidneySegLib.result_files.labels.terminology import terminology_files

    terminology, regions = terminology_files()
    logic = slicer.modules.terminologies.logic()
    if not (logic.LoadTerminologyFromFile(str(terminology)) and logic.LoadRegionContextFromFile(str(regions))):
        logging.warning("KidneySeg: its terminology cannot be read. Install the extension again.")
