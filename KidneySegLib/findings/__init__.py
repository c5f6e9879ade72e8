"""Findings: the result of one run as dataclasses, to and from JSON.

Every key that holds a measure ends in or contains its unit (``volume_ml``, ``length_mm``, ``hu_mean``). Points are
``(x, y, z)`` in mm LPS. Nothing here identifies a patient; the UIDs of the input are kept so that a result can be
traced to its series.
"""

from KidneySegLib.findings.kidney import KidneyFinding
from KidneySegLib.findings.lesion import LesionFinding, LesionStructure, Pole
from KidneySegLib.findings.measures import Measures, Point
from KidneySegLib.findings.provenance import BundleRecord, InputRecord, Provenance, library_versions
from KidneySegLib.findings.reading import NOT_READ, Reading, ReadingState
from KidneySegLib.findings.result import (
    SCHEMA_VERSION,
    SIDES_IN_DOUBT,
    Finding,
    Findings,
    Phase,
    PhaseEstimate,
    PlacedFinding,
    RejectedFinding,
)
from KidneySegLib.findings.side_words import side_word, word_of
from KidneySegLib.findings.stone import StoneBurden, StoneFinding, StoneLocation
from KidneySegLib.findings.view import Ellipsoid, FrameOutline, KidneyView, Pixel, ViewMeasures

__all__ = [
    "NOT_READ",
    "SCHEMA_VERSION",
    "SIDES_IN_DOUBT",
    "BundleRecord",
    "Ellipsoid",
    "Finding",
    "Findings",
    "FrameOutline",
    "InputRecord",
    "KidneyFinding",
    "KidneyView",
    "LesionFinding",
    "LesionStructure",
    "Measures",
    "Phase",
    "PhaseEstimate",
    "Pixel",
    "PlacedFinding",
    "Point",
    "Pole",
    "Provenance",
    "Reading",
    "ReadingState",
    "RejectedFinding",
    "StoneBurden",
    "StoneFinding",
    "StoneLocation",
    "ViewMeasures",
    "library_versions",
    "side_word",
    "word_of",
]
