"""Random walker with prior probabilities: the share of a region that every node of a grid has, by one linear system.

Grady, "Multilabel random walker image segmentation using prior models" (CVPR 2005): with the Laplacian L of a graph
whose edges are weak where the image changes, and prior probabilities p of the region and q of the rest, the share x
solves ``(L + diag(p + q)) x = p``; nodes that are known keep their value.
"""

from collections.abc import Sequence

import numpy as np

TOLERANCE = 1e-3
MAX_ITERATIONS = 200


def edge_weights(values: np.ndarray, spacing: Sequence[float], step: float, floor: float) -> list[np.ndarray]:
    """Returns the weight of the edge from every node to the next one along each axis.

    Args:
        values: of the image, float ``(k, j, i)``.
        spacing: mm along k, j, i. A longer edge binds less: the weight falls with the square of its length.
        step: change of the value across which an edge is clearly weaker (the weight falls to ``exp(-1)``).
        floor: the least weight of an edge of the smallest spacing, so that the system has one solution.

    Returns:
        Three arrays; that of axis ``a`` is shorter by 1 along ``a``.
    """
    weights = []
    for axis, length in enumerate(spacing):
        change = np.diff(values, axis=axis) / step
        weights.append((np.exp(-(change**2)) + floor) * (min(spacing) / length) ** 2)
    return weights


def region_share(
    weights: Sequence[np.ndarray],
    free: np.ndarray,
    known: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
) -> np.ndarray:
    """Solves for the share of the region.

    Args:
        weights: see ``edge_weights``.
        free: bool ``(k, j, i)``: nodes to solve for.
        known: float ``(k, j, i)``: the share of nodes that are not free; NaN where a node takes no part at all.
        inside: float ``(k, j, i)``: prior weight of the region.
        outside: float ``(k, j, i)``: prior weight of the rest.

    Returns:
        The share, 0 to 1, float ``(k, j, i)``: solved where free, ``known`` elsewhere (0 where NaN).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import LinearOperator, cg

    count = int(np.count_nonzero(free))
    share = np.nan_to_num(known)
    if count == 0:
        return share
    number = np.full(free.shape, -1, np.int32)
    number[free] = np.arange(count, dtype=np.int32)
    diagonal = (inside + outside)[free].astype(np.float64)
    right = inside[free].astype(np.float64)
    rows, columns, entries = [], [], []
    for axis, weight in enumerate(weights):
        lower, upper = _neighbours(number, axis)
        both = (lower >= 0) & (upper >= 0)
        rows.append(lower[both])
        columns.append(upper[both])
        entries.append(weight[both])
        known_lower, known_upper = _neighbours(known, axis)
        for here, there, value in ((lower, upper, known_upper), (upper, lower, known_lower)):
            at_known = (here >= 0) & (there < 0) & np.isfinite(value)
            diagonal += np.bincount(here[at_known], weight[at_known], count)
            right += np.bincount(here[at_known], weight[at_known] * value[at_known], count)
    row, column, entry = np.concatenate(rows), np.concatenate(columns), np.concatenate(entries)
    diagonal += np.bincount(row, entry, count) + np.bincount(column, entry, count)
    everyone = np.arange(count, dtype=np.int32)
    matrix = coo_array(
        (
            np.concatenate([diagonal, -entry, -entry]),
            (np.concatenate([everyone, row, column]), np.concatenate([everyone, column, row])),
        ),
        shape=(count, count),
    ).tocsr()
    jacobi = LinearOperator((count, count), matvec=lambda residual: residual / diagonal, dtype=np.float64)
    start = right / diagonal
    solution, _ = cg(matrix, right, x0=start, rtol=TOLERANCE, maxiter=MAX_ITERATIONS, M=jacobi)
    share[free] = np.clip(solution, 0, 1)
    return share


def _neighbours(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the values at both ends of all edges along an axis."""
    lower = [slice(None)] * 3
    upper = [slice(None)] * 3
    lower[axis], upper[axis] = slice(None, -1), slice(1, None)
    return array[tuple(lower)], array[tuple(upper)]
