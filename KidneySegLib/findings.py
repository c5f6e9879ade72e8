"""Findings: the result of one run as dataclasses, to and from JSON.

Every key that holds a measure ends in or contains its unit (``volume_ml``, ``length_mm``, ``hu_mean``). Points are
``(x, y, z)`` in mm LPS. Nothing here identifies a patient; the UIDs of the input are kept so that a result can be
traced to its series.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib import metadata
from typing import Any, TypeVar

from KidneySegLib import __version__
from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.structures import KIDNEYS, Side
from KidneySegLib.volume import Volume

SCHEMA_VERSION = 1
LIBRARIES = ("numpy", "torch", "monai", "SimpleITK", "pydicom")

Point = tuple[float, float, float]
T = TypeVar("T")


@dataclass(frozen=True)
class Measures:
    """What is measured on one body of voxels.

    Attributes:
        voxels: number of voxels.
        volume_ml: their volume.
        centroid_lps_mm: centre of gravity.
        length_mm: maximum 3D diameter (Feret); of a kidney its pole-to-pole length.
        length_start_lps_mm: one end of it.
        length_end_lps_mm: the other end.
        axial_diameter_mm: maximum diameter within one axial slice.
        axial_slice: index of that slice in the stored array, along the axis nearest to head and feet, from 0.
        axial_start_lps_mm: one end of the axial diameter.
        axial_end_lps_mm: the other end.
        perpendicular_mm: largest diameter at right angles to the axial one in the same slice.
        perpendicular_start_lps_mm: one end of it.
        perpendicular_end_lps_mm: the other end.
        hu_mean: mean of the voxels.
        hu_sd: standard deviation.
        hu_min: smallest value.
        hu_max: largest value.
        hu_p05: 5th percentile.
        hu_p50: median.
        hu_p95: 95th percentile.
    """

    voxels: int
    volume_ml: float
    centroid_lps_mm: Point
    length_mm: float
    length_start_lps_mm: Point
    length_end_lps_mm: Point
    axial_diameter_mm: float
    axial_slice: int
    axial_start_lps_mm: Point
    axial_end_lps_mm: Point
    perpendicular_mm: float
    perpendicular_start_lps_mm: Point
    perpendicular_end_lps_mm: Point
    hu_mean: float
    hu_sd: float
    hu_min: float
    hu_max: float
    hu_p05: float
    hu_p50: float
    hu_p95: float


@dataclass(frozen=True)
class KidneyFinding:
    """One kidney.

    Attributes:
        side: the patient's side.
        measures: its measures.
        cut_at: where the image ends within the kidney: patient directions such as ``feet`` (empty: it is whole).
    """

    side: Side
    measures: Measures
    cut_at: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns the kidney as plain JSON values, measures on the same level."""
        return {
            "structure": KIDNEYS[self.side].key,
            "side": self.side.value,
            "cut_at": list(self.cut_at),
            **_plain(asdict(self.measures)),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> KidneyFinding:
        """Takes what ``to_dict`` returned."""
        return cls(Side(values["side"]), _build(Measures, values), tuple(values["cut_at"]))


@dataclass(frozen=True)
class BundleRecord:
    """A model bundle that took part.

    Attributes:
        name: the bundle's name.
        version: the bundle's version.
        sha256: checksum of its weights.
    """

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class InputRecord:
    """What was segmented, without a word about the patient.

    Attributes:
        kind: ``dicom`` or the file format.
        size: number of voxels along i, j, k.
        spacing_mm: distance of voxel centres along i, j, k.
        direction: 3x3 matrix, row by row, whose columns are the unit vectors of i, j and k in LPS.
        origin_lps_mm: centre of voxel (0, 0, 0).
        source: what the headers say of the series: UIDs, scanner, kernel; empty for an image file.
    """

    kind: str
    size: tuple[int, int, int]
    spacing_mm: Point
    direction: tuple[float, ...]
    origin_lps_mm: Point
    source: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, volume: Volume, kind: str, source: Mapping[str, Any] | None = None) -> InputRecord:
        """Describes the grid of ``volume``."""
        k, j, i = volume.voxels.shape
        return cls(
            kind=kind,
            size=(i, j, k),
            spacing_mm=volume.spacing,
            direction=tuple(float(x) for x in volume.direction.ravel()),
            origin_lps_mm=volume.origin,
            source=dict(source or {}),
        )


@dataclass(frozen=True)
class Provenance:
    """How the result came about: enough to make it again.

    Attributes:
        started_utc: start of the run, ISO 8601 in UTC.
        device: what the networks ran on, such as ``cpu`` or ``cuda:0 NVIDIA H200``.
        precision: number format of the networks, such as ``bfloat16``.
        input: what was segmented.
        bundles: models that took part.
        settings: settings of the run by name; no paths.
        seconds: wall time by stage.
        kidneyseg_version: version of this library.
        libraries: versions of Python and of the libraries.
    """

    started_utc: str
    device: str
    precision: str
    input: InputRecord
    bundles: tuple[BundleRecord, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    kidneyseg_version: str = __version__
    libraries: dict[str, str] = field(default_factory=lambda: library_versions())

    def to_dict(self) -> dict[str, Any]:
        """Returns the provenance as plain JSON values."""
        seconds = {stage: round(time, 2) for stage, time in self.seconds.items()}
        return {**_plain(asdict(self)), "settings": dict(self.settings), "seconds": seconds}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Provenance:
        """Takes what ``to_dict`` returned."""
        parts = dict(values)
        parts["input"] = _build(InputRecord, values["input"])
        parts["bundles"] = tuple(_build(BundleRecord, bundle) for bundle in values["bundles"])
        return cls(**parts)


@dataclass(frozen=True)
class Findings:
    """The result of one run.

    Attributes:
        kidneys: the kidneys that were found, right before left.
        flags: what the reader should know.
        provenance: how the result came about.
    """

    kidneys: tuple[KidneyFinding, ...]
    flags: tuple[Flag, ...]
    provenance: Provenance

    def kidney(self, side: Side) -> KidneyFinding | None:
        """Returns the kidney of this side, or None if it was not found."""
        return next((kidney for kidney in self.kidneys if kidney.side is side), None)

    def to_dict(self) -> dict[str, Any]:
        """Returns the findings as plain JSON values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kidneys": [kidney.to_dict() for kidney in self.kidneys],
            "flags": [flag.to_dict() for flag in self.flags],
            "provenance": self.provenance.to_dict(),
        }

    def to_json(self) -> str:
        """Returns the content of ``findings.json``."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Findings:
        """Takes the content of ``findings.json``.

        Raises:
            InputError: the text is no findings file, is damaged, or has a schema that this version does not know.
        """
        damaged = "This is not a findings file of KidneySeg, or it is damaged. Run the segmentation again."
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(damaged) from error
        if not isinstance(values, dict) or "schema_version" not in values:
            raise InputError(damaged)
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
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(damaged) from error


def library_versions() -> dict[str, str]:
    """Returns the versions of Python and of those of ``LIBRARIES`` that are installed."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values as JSON types, rounded to what they can mean.

    Millilitres get three decimals (one voxel of a stone is a few hundredths of a ml), millimetres two, HU one; the
    grid itself (spacing, direction, origin) keeps six, so that it can be told from another.
    """
    return {name: _rounded(name, value) for name, value in values.items()}


def _rounded(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list | tuple):
        return [_rounded(name, item) for item in value]
    if not isinstance(value, float):
        return value
    if name in ("spacing_mm", "direction", "origin_lps_mm"):
        return round(value, 6)
    if name.endswith("_ml"):
        return round(value, 3)
    if name.endswith("_mm"):
        return round(value, 2)
    return round(value, 1) if name.startswith("hu_") else value


def _build(kind: type[T], values: Mapping[str, Any]) -> T:
    """Makes a flat dataclass from JSON values; keys that it does not have are left aside, lists become tuples."""
    names = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: tuple(values[name]) if isinstance(values[name], list) else values[name] for name in names})
