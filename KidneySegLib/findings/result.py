"""Findings: the result of one run, to and from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from KidneySegLib.errors import InputError
from KidneySegLib.findings.kidney import KidneyFinding
from KidneySegLib.findings.lesion import LesionFinding
from KidneySegLib.findings.phase import PhaseEstimate
from KidneySegLib.findings.provenance import Provenance
from KidneySegLib.findings.rejected import RejectedFinding
from KidneySegLib.findings.stone import StoneBurden, StoneFinding
from KidneySegLib.findings.view import Ellipsoid, KidneyView
from KidneySegLib.flags import Flag
from KidneySegLib.structures import Side

DAMAGED = "This is not a findings file of KidneySeg, or it is damaged. Run the segmentation again."

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
        return {
            "schema_version": SCHEMA_VERSION,
            "kidneys": [kidney.to_dict() for kidney in self.kidneys],
            "lesions": [lesion.to_dict() for lesion in self.lesions],
            "stones": [stone.to_dict() for stone in self.stones],
            "stone_burden": [burden.to_dict() for burden in self.stone_burden],
            "phase": self.phase.to_dict() if self.phase else None,
            "candidates": [lesion.to_dict() for lesion in self.candidates],
            "rejected": [each.to_dict() for each in self.rejected],
            "views": [view.to_dict() for view in self.views],
            "ellipsoid": self.ellipsoid.to_dict() if self.ellipsoid else None,
            "flags": [flag.to_dict() for flag in self.flags],
            "provenance": self.provenance.to_dict(),
        }

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
            InputError: the text is no findings file, is damaged, or has a schema that this version does not know.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(DAMAGED) from error
        if not isinstance(values, dict) or "schema_version" not in values:
            raise InputError(DAMAGED)
        if values["schema_version"] != SCHEMA_VERSION:
            raise InputError(
                f"The findings file has schema version {values['schema_version']}; this KidneySeg reads version "
                f"{SCHEMA_VERSION}. Use the KidneySeg version that wrote it, or run the segmentation again."
            )
        try:
            return cls(
                kidneys=tuple(KidneyFinding.from_dict(kidney) for kidney in values["kidneys"]),
                flags=tuple(Flag.from_dict(flag) for flag in values["flags"]),
                provenance=Provenance.from_dict(values["provenance"]),
                lesions=tuple(LesionFinding.from_dict(lesion) for lesion in values["lesions"]),
                stones=tuple(StoneFinding.from_dict(stone) for stone in values["stones"]),
                stone_burden=tuple(StoneBurden.from_dict(burden) for burden in values["stone_burden"]),
                phase=PhaseEstimate.from_dict(values["phase"]) if values["phase"] is not None else None,
                candidates=tuple(LesionFinding.from_dict(lesion) for lesion in values.get("candidates", ())),
                rejected=tuple(RejectedFinding.from_dict(each) for each in values.get("rejected", ())),
                # earlier versions knew no ultrasound
                views=tuple(KidneyView.from_dict(view) for view in values.get("views", [])),
                ellipsoid=Ellipsoid.from_dict(values["ellipsoid"]) if values.get("ellipsoid") else None,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(DAMAGED) from error


def _is(value: object, identifier: str) -> bool:
    return isinstance(value, Mapping) and value.get("id") == identifier
