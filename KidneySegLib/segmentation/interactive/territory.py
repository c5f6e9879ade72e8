"""What a click may touch.

A click concerns its own structure, and beyond it only what the reader pointed at:

- More of a lesion or stone may be taken from background and kidney, not from another lesion or stone.
- More of a kidney may be taken from background, not from the other kidney, a lesion or a stone.
- Where the click lies **on** another structure, the reader says that this is wrong: that one piece of it may be taken
  as well (a mass that is a cyst; a cyst that is a dilated calyx, so kidney).
- What is too much of a lesion or stone becomes what lies nearest, background or kidney; what is too much of a kidney
  becomes background.
"""

import numpy as np

from KidneySegLib.structures import KIDNEYS, STRUCTURES

BACKGROUND = 0
KIDNEY_LABELS = tuple(kidney.label for kidney in KIDNEYS.values())
IN_A_KIDNEY = tuple(structure.label for structure in STRUCTURES if structure.label not in KIDNEY_LABELS)


def free_labels(label: int) -> tuple[int, ...]:
    """Returns the labels that a structure may take, and gives back to, without being told so."""
    return (BACKGROUND, *KIDNEY_LABELS) if label in IN_A_KIDNEY else (BACKGROUND,)


def may_take(labels: np.ndarray, label: int, clicked: tuple[int, int, int]) -> np.ndarray:
    """Returns the voxels that a click may add to its structure.

    Args:
        labels: label map around the click, uint8 ``(k, j, i)``.
        label: of the structure.
        clicked: the voxel that was clicked, within ``labels``.

    Returns:
        bool ``(k, j, i)``.
    """
    from scipy.ndimage import generate_binary_structure
    from scipy.ndimage import label as number_pieces

    free = free_labels(label)
    allowed = np.isin(labels, free)
    under = labels[clicked]
    if under not in (*free, label):
        pieces, _ = number_pieces(labels == under, generate_binary_structure(3, 3))
        allowed |= pieces == pieces[clicked]
    return allowed


def give_back(labels: np.ndarray, label: int, removed: np.ndarray, spacing: tuple[float, float, float]) -> None:
    """Gives voxels of a structure back to what lies nearest.

    Args:
        labels: label map around the click, uint8 ``(k, j, i)``; changed in place.
        label: of the structure.
        removed: its voxels that are too much, bool ``(k, j, i)``.
        spacing: mm along k, j, i.
    """
    from scipy.ndimage import distance_transform_edt

    heirs = np.isin(labels, free_labels(label))
    if free_labels(label) == (BACKGROUND,) or not heirs.any():
        labels[removed] = BACKGROUND
        return
    nearest = distance_transform_edt(~heirs, sampling=spacing, return_distances=False, return_indices=True)
    labels[removed] = labels[tuple(axis[removed] for axis in nearest)]
