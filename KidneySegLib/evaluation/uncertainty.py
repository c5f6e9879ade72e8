"""Which unlabelled exam is worth labelling next: the one in which most of what was outlined is expected to be wrong.

**Expected error** is the share of outlined voxels that are expected to be wrong if the network's probabilities mean
what they say (least-confidence sampling, Lewis and Gale 1994; averaged over voxels): ``sum(min(p, 1 - p))`` over the
voxels with ``p >= 0.01``, divided by the number of outlined voxels, where a task keeps its network's probability; else
one minus the confidence of the masses and cysts, weighed by their volumes. An exam whose result says that a kidney or a
lesion is doubtful counts at least 0.5, one in which no kidney was found 1: there a label teaches most.
"""

import numpy as np

from KidneySegLib.result_files.result import Result

DOUBTS = frozenset({"kidney_doubtful", "low_confidence", "low_confidence_lesion"})
_LEAST = 0.01


def expected_error(result: Result) -> float:
    """Returns the expected error of a result, 0 to 1."""
    findings, network = result.findings, result.segmentation.network
    if not findings.kidneys:
        return 1.0
    error = 0.0
    if network is not None:
        p = network.probability[network.probability >= _LEAST]
        error = float(np.minimum(p, 1 - p).sum()) / max(1, int(network.mask.sum()))
    else:
        known = [(one.confidence, one.measures.voxels) for one in findings.lesions if one.confidence is not None]
        voxels = sum(count for _, count in known)
        if voxels:
            error = sum((1 - confidence) * count for confidence, count in known) / voxels
    doubtful = any(flag.code in DOUBTS for flag in findings.flags)
    return min(1.0, max(error, 0.5 if doubtful else 0.0))
