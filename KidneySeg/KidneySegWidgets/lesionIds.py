"""Lesions keep their identifiers when the reader corrects them: M2 stays M2 though another mass was taken out.

The engine numbers lesions by their place, so after a correction its numbers may belong to other lesions than before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def keptIdentifiers(
    before: Mapping[str, np.ndarray],
    after: Mapping[str, np.ndarray],
    size: tuple[int, ...],
    added: Mapping[str, np.ndarray],
) -> dict[str, str]:
    """Returns the identifier that each new lesion of one structure gets, by the one that the engine gave it.

    Pairs are made by shared voxels, the largest share first. Of a lesion that was split the larger piece keeps the
    identifier; of lesions that were merged the larger one's is kept. What the reader drew before keeps its identifier
    as long as its centre lies inside. Further lesions get numbers that are not in use.

    Args:
        before: voxel indices (n, 3) of the network's lesions, by the identifiers to keep.
        after: the same of the lesions as they are, by the engine's new identifiers.
        size: (k, j, i) of the grid; at least as large as any index.
        added: centres (k, j, i) of lesions that the reader drew before, by the identifiers to keep.
    """
    flat = {name: np.ravel_multi_index(voxels.T, size) for name, voxels in before.items()}
    shares = []
    for newName, voxels in after.items():
        own = np.ravel_multi_index(voxels.T, size)
        common = {name: len(np.intersect1d(own, other, assume_unique=True)) for name, other in flat.items()}
        shares += [(count, oldName, newName) for oldName, count in common.items() if count]
    kept: dict[str, str] = {}
    for _count, oldName, newName in sorted(shares, key=lambda share: (-share[0], share[1], share[2])):
        if newName not in kept and oldName not in kept.values():
            kept[newName] = oldName
    taken = {*before, *added}
    for newName in [name for name in after if name not in kept]:
        free = {name: centre for name, centre in added.items() if name not in kept.values()}
        kept[newName] = _drawnBefore(after[newName], free) or _freeName(newName[0], taken)
        taken.add(kept[newName])
    return kept


def _drawnBefore(voxels: np.ndarray, added: Mapping[str, np.ndarray]) -> str:
    """Returns whose centre lies in the lesion's box, the nearest to its own; empty if there is none."""
    low, high = voxels.min(axis=0) - 1, voxels.max(axis=0) + 1
    inside = {name: centre for name, centre in added.items() if np.all((centre >= low) & (centre <= high))}
    middle = voxels.mean(axis=0)
    return min(inside, key=lambda name: float(np.linalg.norm(inside[name] - middle)), default="")


def _freeName(letter: str, taken: set[str]) -> str:
    numbers = [int(name[1:]) for name in taken if name[:1] == letter and name[1:].isdigit()]
    return f"{letter}{max(numbers, default=0) + 1}"
