"""Findings: the result of one run, to and from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from KidneySegLib.errors import InputError
from KidneySegLib.findings.kidney import KidneyFinding
from KidneySegLib.findings.lesion import LesionFinding
from KidneySegLib.findings.provenance import Provenance
from KidneySegLib.findings.stone import StoneBurden, StoneFinding
from KidneySegLib.findings.view import Ellipsoid, KidneyView
from KidneySegLib.flags import Flag
from KidneySegLib.languages.language import N_
from KidneySegLib.structures import Side

Phase = Literal["non-contrast", "corticomedullary", "nephrographic", "excretory", "unknown"]


@dataclass(frozen=True)
class PhaseEstimate:
    """In which contrast phase the image was taken, as far as its own values tell.

    Attributes:
        phase: the most likely phase; ``unknown`` where the evidence does not suffice.
        confidence: 0 to 1.
        evidence: what speaks for it: names such as ``aorta_hu`` with values in HU.
    """

    phase: Phase
    confidence: float
    evidence: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Returns the estimate as plain JSON values."""
        evidence = {name: round(float(value), 1) for name, value in self.evidence.items()}
        return {"phase": self.phase, "confidence": round(float(self.confidence), 3), "evidence": evidence}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PhaseEstimate:
        """Takes what ``to_dict`` returned."""
        if values["phase"] not in get_args(Phase):
            raise ValueError("unknown phase")
        return cls(cast(Phase, values["phase"]), values["confidence"], dict(values["evidence"]))


@dataclass(frozen=True)
class RejectedFinding:
    """A lesion or stone of the network's that a reader took out: it is listed, and counted nowhere.

    Attributes:
        finding: as the network had it, with its measures, and with the marks that it had.
        became: what most of its voxels are now: ``background``, ``kidney_right``, ``kidney_left``, or the identifier of
            the lesion or stone that they were merged into; "" where that cannot be told.
    """

    finding: LesionFinding | StoneFinding
    became: str

    def to_dict(self) -> dict[str, Any]:
        """Returns it as plain JSON values."""
        return {"finding": self.finding.to_dict(), "became": self.became}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RejectedFinding:
        """Takes what ``to_dict`` returned."""
        kind = StoneFinding if values["finding"]["structure"] == "stone" else LesionFinding
        return cls(kind.from_dict(values["finding"]), str(values["became"]))


DAMAGED = N_("This is not a findings file of KidneySeg, or it is damaged. Run the segmentation again.")

# Findings with a place in the patient, and all findings.
PlacedFinding = KidneyFinding | LesionFinding | StoneFinding
Finding = PlacedFinding | KidneyView

# 2: lesions, stones, stone burden and phase; volume and length of the organ with its lesions.
SCHEMA_VERSION = 2

# Flags after which no side is claimed.
SIDES_IN_DOUBT = ("orientation_contradicted", "liver_on_left")


@dataclass(frozen=True)
class Findings:
    """The result of one run.

    Attributes:
        kidneys: the kidneys that were found, right before left.
        flags: what the reader should know.
        provenance: how the result came about.
        lesions: solid masses, then cysts; each right before left, head to feet.
        stones: right before left, head to feet.
        stone_burden: of every side that has stones, right before left.
        phase: contrast phase; None where it was not estimated.
        rejected: lesions and stones that a reader took out; they are in no other list, number or label map.
        candidates: masses and cysts below the operating point; they are in no other list, number or label map.
        views: kidneys in one plane, right before left, last one whose side is not known.
        ellipsoid: volume from two such planes; None where only one is there.
    """

    kidneys: tuple[KidneyFinding, ...]
    flags: tuple[Flag, ...]
    provenance: Provenance
    lesions: tuple[LesionFinding, ...] = ()
    stones: tuple[StoneFinding, ...] = ()
    stone_burden: tuple[StoneBurden, ...] = ()
    phase: PhaseEstimate | None = None
    rejected: tuple[RejectedFinding, ...] = ()
    views: tuple[KidneyView, ...] = ()
    ellipsoid: Ellipsoid | None = None
    candidates: tuple[LesionFinding, ...] = ()

    def kidney(self, side: Side) -> KidneyFinding | None:
        """Returns the kidney of this side, or None if it was not found."""
        return next((kidney for kidney in self.kidneys if kidney.side is side), None)

    @property
    def all(self) -> tuple[Finding, ...]:
        """Kidneys, lesions, stones and views, in the order in which a segmentation has its instances."""
        return (*self.placed, *self.views)

    @property
    def placed(self) -> tuple[PlacedFinding, ...]:
        """Kidneys, lesions and stones: what has a place in the patient."""
        return (*self.kidneys, *self.lesions, *self.stones)

    def remarks_on(self, identifier: str) -> list[Flag]:
        """Returns the flags that are about one lesion or stone."""
        about = ("lesion", "stone")
        return [f for f in self.flags if any(_is(f.values.get(name), identifier) for name in about)]

    @property
    def sides_certain(self) -> bool:
        """Whether the sides are the patient's; false where the anatomy contradicts the image's header."""
        return not any(flag.code in SIDES_IN_DOUBT for flag in self.flags)

    @property
    def modality(self) -> str:
        """Modality of the image."""
        return str(self.provenance.settings.get("modality") or "CT")

    @property
    def in_patient(self) -> bool:
        """Whether the directions of the image are the patient's; those of an ultrasound image are the probe's."""
        return bool(self.provenance.settings.get("in_patient", True))

    @property
    def calibrated(self) -> bool:
        """Whether the size of a pixel is known; otherwise the grid has a placeholder of 1."""
        return bool(self.provenance.settings.get("calibrated", True))

    @property
    def task(self) -> str:
        """Name of the task by which they were measured; earlier versions left it out where it was a volume."""
        single = any(flag.code == "single_slice" for flag in self.flags)
        return str(self.provenance.settings.get("task") or ("ct-slice" if single else "ct"))

    def to_dict(self) -> dict[str, Any]:
        """Returns the findings as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **{name: _stored(getattr(self, name)) for name in _PARTS}}

    def to_json(self) -> str:
        """Returns the content of ``findings.json``."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def read(cls, file: Path) -> Findings:
        """Reads ``findings.json``.

        Raises:
            InputError: as ``from_json``, or the file cannot be opened.
        """
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InputError(DAMAGED) from error
        except OSError as error:
            raise InputError("The findings of the result cannot be opened. Check the folder and its rights.") from error
        return cls.from_json(text)

    @classmethod
    def from_json(cls, text: str) -> Findings:
        """Takes the content of ``findings.json``.

        Raises:
            InputError: the text is not a findings file, is damaged, or has a schema that this version does not know.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(DAMAGED) from error
        if not isinstance(values, dict) or "schema_version" not in values:
            raise InputError(DAMAGED)
        if values["schema_version"] != SCHEMA_VERSION:
            raise InputError(
                "The findings file has schema version {version}; this KidneySeg reads version {read}. Use the "
                "KidneySeg version that wrote it, or run the segmentation again.",
                version=values["schema_version"],
                read=SCHEMA_VERSION,
            )
        try:
            findings = cls(**{name: _read(name, values) for name in _PARTS})
            _check_states(findings)
            return findings
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(DAMAGED) from error


def _check_states(findings: Findings) -> None:
    """Raises ValueError where a candidate is marked as a finding is, or a finding as a candidate."""
    rejected = (each.finding for each in findings.rejected)
    if any(each.reading.state == "dismissed" for each in (*findings.lesions, *findings.stones, *rejected)):
        raise ValueError("dismissed finding")
    if any(each.reading.state not in ("found", "dismissed") for each in findings.candidates):
        raise ValueError("unknown state of a candidate")


def _is(value: object, identifier: str) -> bool:
    return isinstance(value, Mapping) and value.get("id") == identifier


# What ``findings.json`` holds, in its order.
_PARTS: dict[str, Any] = {
    "kidneys": KidneyFinding,
    "lesions": LesionFinding,
    "stones": StoneFinding,
    "stone_burden": StoneBurden,
    "phase": PhaseEstimate,
    "candidates": LesionFinding,
    "rejected": RejectedFinding,
    "views": KidneyView,
    "ellipsoid": Ellipsoid,
    "flags": Flag,
    "provenance": Provenance,
}
_SINGLE, _OPTIONAL = ("phase", "ellipsoid", "provenance"), ("phase", "ellipsoid")
_LATER = ("candidates", "rejected", "views", "ellipsoid")  # earlier versions wrote none


def _stored(part: Any) -> Any:
    """Returns a part as plain JSON values."""
    if isinstance(part, tuple):
        return [each.to_dict() for each in part]
    return None if part is None else part.to_dict()


def _read(name: str, values: Mapping[str, Any]) -> Any:
    """Returns a part from plain JSON values; whatever is wrong with them raises what Python raises."""
    kind, stored = _PARTS[name], values[name] if name not in _LATER else values.get(name, [])
    if name not in _SINGLE:
        return tuple(kind.from_dict(each) for each in stored)
    return kind.from_dict(stored) if stored or name not in _OPTIONAL else None
