"""An exam for tests of the worklist, and what they ask the panel."""

from __future__ import annotations

from typing import Any

import numpy as np
from module_cases import click_row, table_rows
from reporting_cases import phantom

from KidneySegLib.volume import Volume

CYST_HU = 10


def exam() -> tuple[Volume, np.ndarray, np.ndarray]:
    """Image, what the network draws (masses M1 and M2 on the left, cyst C1, stones), and a cyst that it misses."""
    volume, labels = phantom()
    labels[labels == 3] = 2
    k, j, i = np.indices(labels.shape)
    for height in (10, 26):
        labels[(k - height) ** 2 + (j - 35) ** 2 + (i - 70) ** 2 <= 16] = 3
    labels[(k - 12) ** 2 + (j - 35) ** 2 + (i - 24) ** 2 <= 9] = 4
    missed = (k - 24) ** 2 + (j - 35) ** 2 + (i - 20) ** 2 <= 12
    voxels = np.where(missed | (labels == 4), CYST_HU, volume.voxels)
    noise = np.random.default_rng(0).normal(0, 6, voxels.shape)
    return volume.like(np.where(voxels > -900, voxels + noise, voxels).astype(np.int16)), labels, missed


def rows(widget: Any) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in table_rows(widget.results.result.table)}


def drawn(widget: Any) -> np.ndarray:
    """The label map as the segments are now."""
    from KidneySegWidgets.result.correctedLabels import currentLabels

    return currentLabels(widget.results.result)


def settle(widget: Any) -> None:
    """Waits until the table is of what is drawn."""
    from SlicerHost.hands import waitUntil

    waitUntil(lambda: not widget.worklist.worklist.isAnswering and not widget.correction.isStale, 60)


def go_to(widget: Any, identifier: str) -> None:
    names = [row["id"] for row in table_rows(widget.results.result.table)]
    click_row(widget, names.index(identifier))


def shown_in_views(node: Any) -> bool:
    return bool(node.GetDisplayVisibility())


def matrix_of(volume: Any) -> Any:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix


def place_click(widget: Any, kji: tuple[int, int, int], kind: str) -> None:
    """Adds what is missing around a voxel by *Add by click*, and waits until it is drawn."""
    import slicer.util
    from SlicerHost.hands import choose, click, waitUntil

    choose(widget.ui.addKindComboBox, kind)
    click(widget.ui.addLesionButton)
    node = slicer.util.getNode("KidneySeg click")
    ras = slicer.util.arrayFromVTKMatrix(matrix_of(widget.results.result.volume)) @ np.array([*kji[::-1], 1.0])
    node.AddControlPointWorld(*ras[:3])
    waitUntil(lambda: not widget.worklist.worklist.isAnswering, 30)
