"""A patch while it is being made: image and labels that change together, and what changes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from KidneySegLib.geometry.boxes import Box
from KidneySegLib.hounsfield import HALF_TISSUE
from KidneySegLib.training.augmentation.filters import box_mean
from KidneySegLib.training.declared import Declared

if TYPE_CHECKING:
    from KidneySegLib.training.synthesis.shapes import ShapeLibrary

_LEAST_KIDNEY_VOXELS = 200


@dataclass
class Patch:
    """Image and labels of a patch; float tensors ``(k, j, i)``, k = 1 for a slice.

    Attributes:
        hu: HU, -1024 outside the exam.
        organ: share of the voxel that is kidney or one of its lesions, 0..1.
        mass: share that is solid mass.
        cyst: share that is cyst.
        parenchyma: share that contrast medium enhances.
        depth: mm below the kidney's surface.
        regions: numbers of the tissue regions (whole numbers).
        spacing: mm along k, j, i.
        thickness: slice thickness of the exam in mm; 0 for a single slice.
        library: shapes and textures of real lesions to paint with; None: made ones alone.
    """

    hu: torch.Tensor
    organ: torch.Tensor
    mass: torch.Tensor
    cyst: torch.Tensor
    parenchyma: torch.Tensor
    depth: torch.Tensor
    regions: torch.Tensor
    spacing: tuple[float, float, float]
    thickness: float
    library: ShapeLibrary | None = None

    def __post_init__(self) -> None:
        """Begins with the whole field of view."""
        self.in_view = torch.ones_like(self.hu)

    def clear_air(self) -> None:
        """Takes the labels out of air and of what lies outside the scan, however a lesion was pushed there."""
        tissue = self.hu > HALF_TISSUE
        self.organ, self.mass, self.cyst = self.organ * tissue, self.mass * tissue, self.cyst * tissue

    def shows_kidney(self) -> bool:
        """Whether there is enough kidney to put a lesion in."""
        return int((self.organ > 0.5).sum()) > _LEAST_KIDNEY_VOXELS

    def parenchyma_hu(self) -> float:
        """Median HU of kidney outside lesions."""
        inside = self.hu[(self.organ > 0.5) & (self.mass + self.cyst < 0.1)]
        return float(inside.median()) if inside.numel() else 35.0

    def through_slices(self, share: torch.Tensor) -> torch.Tensor:
        """Averages a share along k over the exam's slice thickness, as its other borders were when it was scanned."""
        count = round(self.thickness / self.spacing[0])
        if count < 2:
            return share
        count += 1 - count % 2
        padded = functional.pad(share[None, None], (0, 0, 0, 0, count // 2, count // 2), mode="replicate")
        return functional.avg_pool3d(padded, (count, 1, 1), stride=1)[0, 0]

    def room(self, box: Box, *, soft: bool) -> torch.Tensor:
        """Returns where a lesion may grow, 0..1: kidney and fat, with ``soft`` other soft tissue; never bone or air."""
        smooth = box_mean(self.hu[box], 3)
        organ = self.organ[box] > 0.5
        if soft:
            return ((smooth > -250) & ((smooth < 260) | organ)).float()
        return torch.where(organ, 1.0, ((-20 - smooth) / 40).clamp(0, 1) * (smooth > -250))

    def label(self, box: Box, share: torch.Tensor, solid: bool) -> None:
        """Adds a lesion; it replaces what lay in its place."""
        new, other = (self.mass, self.cyst) if solid else (self.cyst, self.mass)
        other[box] = other[box] * (1 - share)
        new[box] = torch.maximum(new[box], share)
        self.organ[box] = torch.maximum(self.organ[box], share)

    def warp(self, box: Box, vectors: torch.Tensor, centre: np.ndarray) -> None:
        """Shows in every voxel of ``box`` what was at ``vectors`` (mm from ``centre``, last axis along k, j, i)."""
        spacing = torch.tensor(self.spacing)
        voxels = vectors / spacing + torch.from_numpy(centre).float()
        size = torch.tensor(self.hu.shape, dtype=torch.float32)
        grid = ((voxels + 0.5) * (2 / size) - 1).flip(-1)[None]
        names = ("hu", "organ", "mass", "cyst", "depth")
        stack = torch.stack([getattr(self, name) for name in names])[None]
        moved = functional.grid_sample(stack, grid, mode="bilinear", padding_mode="border", align_corners=False)[0]
        for name, values in zip(names, moved, strict=True):
            getattr(self, name)[box] = values


class Transform(Declared, ABC):
    """One kind of augmentation: a table of a recipe that changes patches. All works on slices (k = 1) too."""

    @abstractmethod
    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Changes a patch in place; all randomness is drawn from ``rng``."""
