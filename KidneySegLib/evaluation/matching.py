"""Which found bodies are which of the reference, where some are split and some are merged.

**Rule.** A found body corresponds to a reference body if their intersection over union is at least 0.10, or if one of
them lies with at least half of its voxels within the other. Bodies that correspond, directly or through others, form a
group; its reference bodies are *found* if the union of its found bodies and the union of its reference bodies have an
IoU of at least 0.10.

An IoU of 0.10 is what PI-CAI (Saha et al., Lancet Oncol 2024) and nnDetection (Baumgartner et al., MICCAI 2021) ask of
a detection in 3D: where a lesion is must be right, its outline is judged by Dice. Groups follow split and merged
lesions as Chlebus et al. (Sci Rep 2018) did for the lesion-wise results of LiTS: two halves of a cyst, each too small
for itself, are that cyst, and a found body that bridges two cysts has found both; neither counts as found *as one*.
"""

from dataclasses import dataclass

import numpy as np

LEAST_IOU = 0.10
LEAST_INSIDE = 0.5


@dataclass(frozen=True)
class Group:
    """Bodies that correspond to each other; one without a partner is a group of its own.

    Attributes:
        references: numbers of the reference bodies, ascending.
        found: numbers of the found bodies, ascending.
        iou: intersection over union of the two unions.
    """

    references: tuple[int, ...]
    found: tuple[int, ...]
    iou: float

    @property
    def matched(self) -> bool:
        """Whether the reference bodies count as found."""
        return self.iou >= LEAST_IOU

    @property
    def dice(self) -> float:
        """Dice coefficient of the two unions."""
        return 2 * self.iou / (1 + self.iou)


def match(found: np.ndarray, reference: np.ndarray) -> list[Group]:
    """Groups the bodies of two maps; every body is in exactly one group.

    Args:
        found: numbers of the found bodies ``(k, j, i)``, 1 to n without gaps, 0 where there is none.
        reference: the same of the reference on the same grid.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    sizes_f, sizes_r = np.bincount(found.ravel()), np.bincount(reference.ravel())
    count_f, count_r = len(sizes_f) - 1, len(sizes_r) - 1
    if count_f + count_r == 0:
        return []
    f, r, shared = _overlaps(found, reference)
    smaller = np.minimum(sizes_f[f], sizes_r[r])
    linked = (shared / (sizes_f[f] + sizes_r[r] - shared) >= LEAST_IOU) | (shared / smaller >= LEAST_INSIDE)
    # nodes: reference bodies, then found ones
    nodes = count_r + count_f
    links = (r[linked] - 1, count_r + f[linked] - 1)
    count, group = connected_components(coo_matrix((np.ones(len(links[0])), links), (nodes, nodes)), directed=False)
    together = group[r - 1] == group[count_r + f - 1]
    inside = np.bincount(group[r - 1][together], weights=shared[together], minlength=count)
    groups = []
    for number in range(count):
        members = np.flatnonzero(group == number)
        references = tuple(int(n) + 1 for n in members if n < count_r)
        pieces = tuple(int(n) - count_r + 1 for n in members if n >= count_r)
        total = int(sizes_r[list(references)].sum()) + int(sizes_f[list(pieces)].sum())
        groups.append(Group(references, pieces, float(inside[number] / (total - inside[number]))))
    return groups


def best_ious(found: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the largest IoU of every found and of every reference body with a single one of the other map.

    Above 0.5 the two belong to each other alone, which is what panoptic quality counts (Kirillov et al., 2019).

    Args:
        found: numbers of the found bodies ``(k, j, i)``, see ``match``.
        reference: the same of the reference.

    Returns:
        float arrays, indexed by the bodies' numbers; entry 0 means nothing.
    """
    sizes_f, sizes_r = np.bincount(found.ravel()), np.bincount(reference.ravel())
    f, r, shared = _overlaps(found, reference)
    ious = shared / (sizes_f[f] + sizes_r[r] - shared)
    best_f, best_r = np.zeros(len(sizes_f)), np.zeros(len(sizes_r))
    np.maximum.at(best_f, f, ious)
    np.maximum.at(best_r, r, ious)
    return best_f, best_r


def _overlaps(found: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns for every overlapping pair the found number, the reference number and the voxels that they share."""
    both = (found > 0) & (reference > 0)
    pairs = np.stack([found[both], reference[both]]).astype(np.int64)
    (f, r), shared = np.unique(pairs, axis=1, return_counts=True)
    return f, r, shared
