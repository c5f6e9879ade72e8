"""Findings of a single slice: lengths and areas, but no volume that the slice cannot have."""

import math
from collections.abc import Sequence
from dataclasses import replace

from KidneySegLib.exam import Exam, Units
from KidneySegLib.findings import Findings, KidneyFinding, Measures, Provenance, StoneBurden, StoneFinding
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.describe import describe, not_said
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.known import KnownFindings

# What describe says of volumes, of the body's length and of slices beside this one has no meaning here.
MEANINGLESS = {"kidney_cut", "unusual_volume", "asymmetry", "thick_slices", "lesion_cut", "stone_cut"}
# What it says of densities has none where they were estimated from grey values, which a flag of its own tells.
ESTIMATED = {"values_clipped", "noise", "masses_without_contrast", "stones_with_contrast", "phase_unknown"}
ALONG_BODY = ("head", "feet")


def describe_slice(
    exam: Exam, segmentation: Segmentation, *, provenance: Provenance, known: KnownFindings | None = None
) -> Findings:
    """Measures kidneys and stones of one axial slice.

    Every length is the longest within the slice. Volumes are those of the slab, area times thickness; where the
    thickness is not known they are left empty (NaN).

    Args:
        exam: one axial slice.
        segmentation: what was drawn in it.
        provenance: how the segmentation came about.
        known: findings that keep their identifiers, for a label map that was corrected.

    Raises:
        InputError: as ``describe``.
    """
    bare = replace(exam, flags=()), replace(segmentation, flags=())
    whole = describe(*bare, provenance=provenance, known=known)
    estimated = exam.units is Units.ESTIMATED_HU
    leave_out = MEANINGLESS | (ESTIMATED if estimated else set())
    said = (*exam.flags, *segmentation.flags)
    kept = [flag for flag in not_said(whole.flags, said) if flag.code not in leave_out]
    thickness = exam.volume.spacing[2] if exam.thickness_known else None
    share = 1.0 if exam.thickness_known else math.nan
    stones = tuple(_flat_stone(stone, share) for stone in whole.stones)
    return replace(
        whole,
        kidneys=tuple(_flat_kidney(kidney, share) for kidney in whole.kidneys),
        stones=stones,
        stone_burden=tuple(_flat_burden(burden, stones, share) for burden in whole.stone_burden),
        phase=None if estimated else whole.phase,
        flags=(*said, _slab_flag(thickness), *kept),
    )


def _flat(measures: Measures, share: float) -> Measures:
    """Returns measures whose length stays within the slice: the thickness of a slice is not an extent of a body."""
    return replace(
        measures,
        volume_ml=measures.volume_ml * share,
        length_mm=measures.axial_diameter_mm,
        length_start_lps_mm=measures.axial_start_lps_mm,
        length_end_lps_mm=measures.axial_end_lps_mm,
    )


def _flat_kidney(kidney: KidneyFinding, share: float) -> KidneyFinding:
    cut = tuple(end for end in kidney.cut_at if end not in ALONG_BODY)
    measures = _flat(kidney.measures, share)
    return replace(
        kidney,
        measures=measures.without_length() if cut else measures,
        organ_volume_ml=kidney.organ_volume_ml * share,
        organ_length_mm=math.nan,  # of the organ with its stones, nobody asked for it in a slice
        cut_at=cut,
        length_at_least_mm=measures.length_mm if cut else None,
        organ_length_at_least_mm=None,
    )


def _flat_stone(stone: StoneFinding, share: float) -> StoneFinding:
    volume = None if stone.volume_ml is None or math.isnan(share) else stone.volume_ml
    length = None if stone.below_resolution else stone.measures.axial_diameter_mm
    cut = tuple(end for end in stone.cut_at if end not in ALONG_BODY)
    measures = _flat(stone.measures, share)
    return replace(
        stone,
        measures=measures.without_length() if cut else measures,
        pole=None,
        volume_ml=volume,
        length_mm=None if cut else length,
        cut_at=cut,
        length_at_least_mm=length if cut else None,
    )


def _flat_burden(burden: StoneBurden, stones: Sequence[StoneFinding], share: float) -> StoneBurden:
    own = [stone for stone in stones if stone.side is burden.side]
    lengths = [stone.longest_mm for stone in own if stone.longest_mm is not None]
    cut = any(stone.cut_at for stone in own)
    return replace(burden, volume_ml=burden.volume_ml * share, largest_mm=max(lengths, default=None), cut=cut)


def _slab_flag(thickness_mm: float | None) -> Flag:
    return Flag.of("single_slice", **({} if thickness_mm is None else {"thickness_mm": thickness_mm}))
