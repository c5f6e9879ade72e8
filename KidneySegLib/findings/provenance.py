"""How a result came about: input, models, settings, versions. Nothing here identifies a patient."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

from KidneySegLib import __version__
from KidneySegLib.findings.encoding import build, plain
from KidneySegLib.findings.measures import Point
from KidneySegLib.volume import Volume

# No size, spacing or place of an image comes near to it; NaN and infinity are not below it.
_LARGEST = 1e9

LIBRARIES = ("numpy", "torch", "SimpleITK", "pydicom")


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
    def from_dict(cls, values: Mapping[str, Any]) -> InputRecord:
        """Takes what was stored.

        Raises:
            KeyError: a field is missing.
            ValueError: size, spacing, direction or origin are not those of a grid.
        """
        record = build(cls, values)
        numbers = {3: (record.size, record.spacing_mm, record.origin_lps_mm), 9: (record.direction,)}
        for count, parts in numbers.items():
            if not all(len(part) == count and all(map(_is_plain_number, part)) for part in parts):
                raise ValueError("The record of the input holds no grid.")
        if min(record.size) < 1 or min(record.spacing_mm) <= 0 or not isinstance(record.source, dict):
            raise ValueError("The record of the input holds no grid.")
        return record

    @property
    def is_flat(self) -> bool:
        """Whether it has one axial slice."""
        towards_head = [abs(value) for value in self.direction[6:9]]
        return self.size[towards_head.index(max(towards_head))] == 1

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
        return {**plain(asdict(self)), "settings": dict(self.settings), "seconds": seconds}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Provenance:
        """Takes what ``to_dict`` returned.

        Raises:
            KeyError, TypeError: a field is missing or unknown.
            ValueError: the grid is none.
        """
        parts = dict(values)
        parts["input"] = InputRecord.from_dict(values["input"])
        parts["bundles"] = tuple(build(BundleRecord, bundle) for bundle in values["bundles"])
        return cls(**parts)


def _is_plain_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < _LARGEST


def library_versions() -> dict[str, str]:
    """Returns the versions of Python and of those of ``LIBRARIES`` that are installed."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
