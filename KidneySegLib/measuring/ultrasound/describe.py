"""From an ultrasound exam and its label map to findings."""

import math

import numpy as np

from KidneySegLib.errors import InputError
from KidneySegLib.exam import Exam
from KidneySegLib.findings import Findings, FrameOutline, KidneyView, Provenance, ViewMeasures
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.instances import Instance, Segmentation
from KidneySegLib.measuring.ultrasound.field import field_of, shown
from KidneySegLib.measuring.ultrasound.loop import border_contrast, proposed
from KidneySegLib.measuring.ultrasound.plane import measure_outline, picture_ends
from KidneySegLib.structures import KIDNEY

# A newborn's kidney is about 45 mm long (Rosenbaum et al., AJR 1984), an adult's 90 to 125 mm (Emamian et al., AJR
# 1993); below and above these bounds it is shrunken or swollen, cut across, or the pixel size is wrong.
USUAL_LENGTH_MM = (35.0, 160.0)


def describe_views(exam: Exam, segmentation: Segmentation, *, provenance: Provenance) -> Findings:
    """Measures the kidneys of an ultrasound image, or of the frame of a loop that shows each best.

    Args:
        exam: an ultrasound exam, with its field of view among the settings.
        segmentation: what was drawn in it.
        provenance: how the segmentation came about.

    Raises:
        InputError: something else than kidneys is drawn, or an outline reaches beyond the region that is measured.
    """
    if any(instance.structure.type != KIDNEY for instance in segmentation.instances) or segmentation.specks:
        raise InputError(
            "In ultrasound images kidneys are measured, but no masses, cysts and stones. Remove the other segments."
        )
    field = field_of(exam)
    inside = field.mask(exam.volume.voxels.shape[1:])
    if np.any((segmentation.labels > 0).any(axis=0) & ~inside):
        raise InputError(
            "The outline reaches beyond the region whose pixels have one size, and a length across two regions means "
            "nothing. Draw within one region; another region is measured with --region."
        )
    seen = shown(exam)
    views = tuple(_view(exam, instance, seen) for instance in segmentation.instances)
    said = (*exam.flags, *segmentation.flags)
    return Findings((), (*said, *_remarks(exam, views), *_pieces(segmentation, views)), provenance, views=views)


def _view(exam: Exam, instance: Instance, seen: np.ndarray) -> KidneyView:
    """Measures one kidney in the frame that shows it best."""
    field, body = field_of(exam), instance.body
    volume, box = exam.volume, body.box
    voxels = int(np.count_nonzero(body.mask))
    slices = [box[0].start + int(k) for k in np.flatnonzero(body.mask.any(axis=(1, 2)))]
    measured: list[tuple[ViewMeasures, tuple[str, ...]]] = []
    frames = []
    for k in slices:
        outline = np.zeros(volume.voxels.shape[1:], bool)
        outline[box[1:]] = body.mask[k - box[0].start]
        ends = picture_ends(outline, seen, field.rectangle)
        measures = measure_outline(
            volume.voxels[k], outline, field.pixel, in_mm=field.pixel_mm is not None, voxels=voxels, cut=bool(ends)
        )
        measured.append((measures, ends))
        contrast = border_contrast(volume.voxels[k], outline, seen)
        frames.append(
            FrameOutline(
                _frame_number(exam, k), measures.outline_pixels, measures.longest_mm, measures.longest_px, contrast
            )
        )
    best = proposed(frames)
    is_loop = volume.voxels.shape[0] > 1
    return KidneyView(
        side=instance.side,
        measures=measured[best][0],
        frame=frames[best].frame,
        slice=slices[best],
        cut_at=measured[best][1],
        frames=tuple(frames) if is_loop else (),
    )


def _frame_number(exam: Exam, k: int) -> int:
    """Returns the number of a frame in its file, from 1."""
    numbers = exam.source.frame_numbers
    return numbers[k] if numbers else k + 1


def _remarks(exam: Exam, views: tuple[KidneyView, ...]) -> list[Flag]:
    if not views:
        return [Flag.of("no_kidney")]
    flags = [Flag.of("one_plane")]
    count = exam.volume.voxels.shape[0]
    for view in views:
        if view.frames:
            flags.append(Flag.of("loop_frame_proposed", count=count, found=len(view.frames), frame=view.frame))
        if view.cut_at:
            flags.append(Flag.of("outline_cut", ends=view.cut_at))
        length = view.measures.longest_mm
        if not math.isnan(length) and _is_unusual(length, cut=bool(view.cut_at)):
            flags.append(Flag.of("length_unusual", length_mm=length))
    return flags


def _pieces(segmentation: Segmentation, views: tuple[KidneyView, ...]) -> list[Flag]:
    """Returns a flag for each outline that falls apart: a stray stroke of a brush would lengthen a kidney unseen."""
    from scipy.ndimage import label

    flags = []
    for instance, view in zip(segmentation.instances, views, strict=True):
        body = instance.body
        _, count = label(body.mask[view.slice - body.box[0].start], np.ones((3, 3)))
        if count > 1:
            flags.append(Flag.of("outline_in_pieces", count=int(count)))
    return flags


def _is_unusual(length_mm: float, *, cut: bool) -> bool:
    """Whether no whole kidney is so long; what the image cuts may be short."""
    return length_mm > USUAL_LENGTH_MM[1] or (length_mm < USUAL_LENGTH_MM[0] and not cut)
