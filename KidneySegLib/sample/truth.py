"""What is in the sample, for comparison with what is found."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.sample.kidneys import PhantomLesion
from KidneySegLib.sample.phantom import PIXEL_SPACING, Phantom, Scan
from KidneySegLib.sample.shapes import Ellipsoid
from KidneySegLib.sample.tissues import TISSUES, Phase
from KidneySegLib.structures import KIDNEYS


@dataclass(frozen=True)
class TrueObject:
    """One kidney or lesion.

    Attributes:
        key: the structure's key.
        label: its value in the label map.
        side: the patient's side, ``right`` or ``left``.
        method: ``analytic`` for the lesions, which are ellipsoids; ``counted`` on the label map for the kidneys.
        volume_ml: volume; a kidney's is that of label 1 or 2, without its lesions.
        max_axial_diameter_mm: largest distance between two points in one axial plane.
        max_3d_diameter_mm: largest distance between two points.
        centre_lps_mm: centre of gravity.
        hu: what it is made of, before blur and noise.
    """

    key: str
    label: int
    side: str
    method: str
    volume_ml: float
    max_axial_diameter_mm: float
    max_3d_diameter_mm: float
    centre_lps_mm: tuple[float, float, float]
    hu: float


@dataclass(frozen=True)
class SampleTruth:
    """The sample's contents.

    Attributes:
        phase: contrast phase.
        seed: number that the sample was made from.
        slices: number of slices.
        spacing_mm: voxel spacing along i, j, k.
        objects: kidneys and lesions.
    """

    phase: str
    seed: int
    slices: int
    spacing_mm: tuple[float, float, float]
    objects: tuple[TrueObject, ...]

    def write(self, path: Path) -> None:
        """Writes JSON.

        Raises:
            OSError: the file cannot be written.
        """
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def describe(phantom: Phantom, scan: Scan, phase: Phase, seed: int, labels: np.ndarray) -> SampleTruth:
    """Measures the sample; ``labels`` is its label map ``(k, j, i)``."""
    kidneys = []
    for structure in KIDNEYS.values():
        points = np.argwhere(labels == structure.label)[:, ::-1] @ scan.ijk_to_lps[:3, :3].T + scan.ijk_to_lps[:3, 3]
        x, y, z = (round(float(c), 2) for c in points.mean(axis=0))
        kidneys.append(
            TrueObject(
                key=structure.key,
                label=structure.label,
                side=str(structure.side),
                method="counted",
                volume_ml=round(len(points) * PIXEL_SPACING**2 * scan.spacing / 1000, 3),
                max_axial_diameter_mm=round(_axial_diameter(points), 2),
                max_3d_diameter_mm=round(_diameter(points), 2),
                centre_lps_mm=(x, y, z),
                hu=TISSUES[phase].kidney,
            )
        )
    return SampleTruth(
        phase=phase.value,
        seed=seed,
        slices=scan.slices,
        spacing_mm=(PIXEL_SPACING, PIXEL_SPACING, scan.spacing),
        objects=(*kidneys, *(_describe_lesion(lesion) for lesion in phantom.lesions)),
    )


def _describe_lesion(lesion: PhantomLesion) -> TrueObject:
    x, y, z = (round(c, 2) for c in lesion.shape.centre)
    return TrueObject(
        key=lesion.key,
        label=lesion.label,
        side=str(lesion.side),
        method="analytic",
        volume_ml=round(4 / 3 * np.pi * float(np.prod(lesion.shape.radii)) / 1000, 4),
        max_axial_diameter_mm=round(ellipsoid_axial_diameter(lesion.shape), 2),
        max_3d_diameter_mm=round(2 * max(lesion.shape.radii), 2),
        centre_lps_mm=(x, y, z),
        hu=lesion.hu,
    )


def ellipsoid_axial_diameter(body: Ellipsoid) -> float:
    """Returns the largest diameter in an axial plane in mm.

    All axial sections are similar ellipses and the one through the centre is the largest. With the ellipsoid written
    as p^T A p = 1, the section's long half axis is 1 / sqrt(smallest eigenvalue of A's x-y block).
    """
    form = body.rotation.T @ np.diag(1 / np.array(body.radii) ** 2) @ body.rotation
    return float(2 / np.sqrt(np.linalg.eigvalsh(form[:2, :2])[0]))


def _diameter(points: np.ndarray) -> float:
    """Returns the largest distance between two of the points ``(n, 2 or 3)``: a pair on their convex hull."""
    from scipy.spatial import ConvexHull
    from scipy.spatial.distance import pdist

    return float(pdist(points[ConvexHull(points).vertices]).max())


def _axial_diameter(points: np.ndarray) -> float:
    """Returns the largest distance in mm between two points at the same height."""
    heights = np.unique(points[:, 2].round(4), return_inverse=True)[1]
    planes = (points[heights == k, :2] for k in range(heights.max() + 1))
    # fewer than 20 voxels in a plane are the tip of a pole, whose voxels may lie on one line
    return max(_diameter(plane) for plane in planes if len(plane) >= 20)
