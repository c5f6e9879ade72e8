"""Numbers of other programs' label maps: what they mean, and how a kidney without a side gets one."""

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.hounsfield import BODY, VERTEBRA_MEDIAN
from KidneySegLib.languages.language import N_
from KidneySegLib.structures import BY_KEY, BY_LABEL, KIDNEYS, Numbering, Side
from KidneySegLib.volume import Volume

STEP = 2
# An organ with at least this share on each side of the body's middle is fused and is divided there.
FUSED_SHARE = 0.2


# TotalSegmentator 2, task "total"; version 1 numbers the kidneys alike and has vertebrae at 23 and 24.
_TOTALSEGMENTATOR = {2: "kidney_right", 3: "kidney_left", 23: "cyst", 24: "cyst"}
_TOTALSEGMENTATOR_LAST = 117
# KiTS19 has kidney and tumour, KiTS21 and KiTS23 also cysts; none tells right from left.
_KITS = {2: "mass", 3: "cyst"}
_KITS_KIDNEY = 1


def from_numbers(values: np.ndarray, drawn_on: Volume, numbering: Numbering) -> tuple[np.ndarray, list[Flag]]:
    """Translates the numbers of a label map.

    Args:
        values: whole numbers ``(k, j, i)`` on the image's grid.
        drawn_on: the image in HU.
        numbering: whose numbers they are.

    Returns:
        Labels, uint8 ``(k, j, i)``, values of ``structures``, and what a reader should know of them.

    Raises:
        InputError: a number has no meaning there.
    """
    known = {
        Numbering.KIDNEYSEG: set(BY_LABEL),
        Numbering.TOTALSEGMENTATOR: set(range(1, _TOTALSEGMENTATOR_LAST + 1)),
        Numbering.KITS: {_KITS_KIDNEY, *_KITS},
    }[numbering]
    strange = [f"{value:g}" for value in np.unique(values) if value and float(value) not in known]
    if strange:
        raise InputError(
            "The label map holds {numbers}, {meaning}", numbers=", ".join(strange[:5]), meaning=_MEANING[numbering]
        )
    if numbering is Numbering.KIDNEYSEG:
        return values.astype(np.uint8), []
    if numbering is Numbering.TOTALSEGMENTATOR:
        return _from_totalsegmentator(values, drawn_on)
    return _from_kits(values, drawn_on)


_MEANING = {
    Numbering.KIDNEYSEG: N_(
        "which is not a structure of KidneySeg. Use 1 right kidney, 2 left kidney, 3 solid mass, 4 cyst, 5 stone, or "
        "say whose numbers they are with --numbering."
    ),
    Numbering.TOTALSEGMENTATOR: N_("which is none of TotalSegmentator's task 'total'. Give its label map as it is."),
    Numbering.KITS: N_("which is not a structure of KiTS. It has 1 kidney, 2 tumour, 3 cyst."),
}


def _from_totalsegmentator(values: np.ndarray, drawn_on: Volume) -> tuple[np.ndarray, list[Flag]]:
    labels = np.zeros(values.shape, np.uint8)
    flags: list[Flag] = []
    for number, key in _TOTALSEGMENTATOR.items():
        inside = values == number
        if key == "cyst" and inside.any() and np.median(drawn_on.voxels[inside]) > VERTEBRA_MEDIAN:
            if not flags:
                flags.append(Flag.of("vertebrae_numbered_as_cysts"))
            continue
        labels[inside] = BY_KEY[key].label
    return labels, flags


def _from_kits(values: np.ndarray, drawn_on: Volume) -> tuple[np.ndarray, list[Flag]]:
    labels = np.zeros(values.shape, np.uint8)
    kidney = values == _KITS_KIDNEY
    left = _is_left(kidney, drawn_on)
    labels[kidney] = KIDNEYS[Side.RIGHT].label
    labels[kidney & left] = KIDNEYS[Side.LEFT].label
    for number, key in _KITS.items():
        labels[values == number] = BY_KEY[key].label
    return labels, [Flag.of("sides_from_image")] if kidney.any() else []


def _is_left(kidney: np.ndarray, drawn_on: Volume) -> np.ndarray:
    """Returns which voxels are the left kidney's, bool ``(k, j, i)``: whole bodies, unless one is fused."""
    import cc3d

    left = np.zeros(kidney.shape, bool)
    slices = np.flatnonzero(kidney.any(axis=(1, 2)))
    if not len(slices):
        return left
    inside = np.argwhere(drawn_on.voxels[slices[0] : slices[-1] + 1, ::STEP, ::STEP] > BODY)
    middle = drawn_on.to_lps(inside.mean(axis=0) * (1, STEP, STEP) + (slices[0], 0, 0))[0]
    pieces = cc3d.connected_components(np.ascontiguousarray(kidney), connectivity=26)
    for number in range(1, int(pieces.max()) + 1):
        voxels = np.argwhere(pieces == number)
        is_left = drawn_on.to_lps(voxels)[:, 0] > middle
        share = float(is_left.mean())
        if min(share, 1 - share) < FUSED_SHARE:
            is_left[:] = share > 0.5
        left[tuple(voxels[is_left].T)] = True
    return left
